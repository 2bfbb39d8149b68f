//! How long what was just made is missing elsewhere.

use serde_json::{Value, json};

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, appended, text_of},
        table::{Feature, Probe, Way},
    },
    github::{Ask, Exchange},
};

/// Rounds in which a tag is made and looked for.
const ROUNDS: usize = 10;
/// The same with `--heavy`.
const HEAVY_ROUNDS: usize = 30;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "lag",
        needs: &[],
        writes: 3 + 2 * ROUNDS,
        expected: "A tag that was just made is shown in the answer to the next append and by GET git/ref at once.",
        meaning: "After it creates a tag, Countersign looks again for up to 30 seconds before it reports it: publications take longer.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(lag(stage))),
    },
    Probe {
        id: "list-lag",
        needs: &[],
        writes: 2,
        expected: "The list of releases shows a draft and then its publication at once.",
        meaning: "An audit right after a publication may report it as missing or as a draft: run it again later.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(list_lag(stage))),
    },
    Probe {
        id: "asset-lag",
        needs: &[],
        writes: 3,
        expected: "An asset that was just uploaded is in the release's list and in the answer that publishes it.",
        meaning: "After an upload Countersign looks again for up to 30 seconds: publications take longer.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(asset_lag(stage))),
    },
];

/// How often and how long something was missing.
#[derive(Default)]
struct Missed {
    times: usize,
    longest: u64,
}

impl Missed {
    fn take(&mut self, lasted: u64) {
        if lasted > 0 {
            self.times += 1;
            self.longest = self.longest.max(lasted);
        }
    }

    fn told(&self, rounds: usize) -> String {
        if self.times == 0 {
            "never missing".into()
        } else {
            format!(
                "missing {} of {rounds} times, up to {} ms",
                self.times, self.longest
            )
        }
    }
}

async fn lag(stage: &Stage<'_>) -> Probing {
    let rounds = if stage.heavy { HEAVY_ROUNDS } else { ROUNDS };
    let (branch, commit) = (stage.name("lag"), stage.commit()?.to_owned());
    let mut tip = stage.orphan(&branch, "ledger.json").await?;
    let (mut payload, mut rest) = (0, Missed::default());
    let mut last = None;
    for round in 1..=rounds {
        let tag = stage.name(&format!("lag-{round}"));
        stage.set_ref(&format!("refs/tags/{tag}"), &commit).await?;
        let append = stage
            .append(&branch, &tip, &format!("entries/{round}.json"), &tag)
            .await?;
        tip = appended(&append)?;
        let made = &append.body["data"]["createCommitOnBranch"]["commit"];
        if made["repository"]["tag"].is_null() {
            payload += 1;
        }
        let (lasted, looked) = stage
            .until(&format!("git/ref/tags/{tag}"), |looked| {
                looked.status == 200
            })
            .await?;
        rest.take(lasted);
        last = Some(looked);
    }
    let found = format!(
        "in the append's answer missing {payload} of {rounds} times; by GET {}",
        rest.told(rounds)
    );
    let holds = payload == 0 && rest.times == 0;
    Ok(match last {
        Some(looked) => Finding::of(holds, found, &looked),
        None => Finding::without_exchange(holds, found),
    })
}

/// The release of a tag in a list.
fn in_list<'a>(list: &'a Exchange, tag: &str) -> Option<&'a Value> {
    let mut releases = list.body.as_array().into_iter().flatten();
    releases.find(|release| release["tag_name"] == tag)
}

async fn list_lag(stage: &Stage<'_>) -> Probing {
    let tag = stage.name("listed");
    let draft = stage.draft(&tag, "").await?;
    let path = "releases?per_page=100";
    let (draft_lag, _) = stage
        .until(path, |list| in_list(list, &tag).is_some())
        .await?;
    let id = draft.body["id"].as_u64().unwrap_or_default();
    publish(stage, id).await?;
    let (published_lag, looked) = stage
        .until(path, |list| {
            in_list(list, &tag).is_some_and(|release| release["draft"] == false)
        })
        .await?;
    let told = |lag| {
        if lag == 0 {
            "at once".into()
        } else {
            format!("after {lag} ms")
        }
    };
    let found = format!(
        "the draft {}, its publication {}",
        told(draft_lag),
        told(published_lag)
    );
    Ok(Finding::of(
        draft_lag == 0 && published_lag == 0,
        found,
        &looked,
    ))
}

async fn asset_lag(stage: &Stage<'_>) -> Probing {
    let tag = stage.name("asset-lag");
    let draft = stage.draft(&tag, "").await?;
    let id = draft.body["id"].as_u64().unwrap_or_default();
    let name = stage.name("asset.txt");
    stage.upload(&draft, &name, b"Rehearsed.\n").await?;
    let (lag, _) = stage
        .until(&format!("releases/{id}/assets"), |list| {
            list.body
                .as_array()
                .is_some_and(|assets| assets.iter().any(|asset| text_of(&asset["name"]) == name))
        })
        .await?;
    let published = publish(stage, id).await?;
    let in_answer = published.body["assets"]
        .as_array()
        .is_some_and(|assets| assets.iter().any(|asset| asset["name"] == name.as_str()));
    let found = format!(
        "listed {}; {} the publication's answer",
        if lag == 0 {
            "at once".into()
        } else {
            format!("after {lag} ms")
        },
        if in_answer { "in" } else { "missing in" }
    );
    Ok(Finding::of(lag == 0 && in_answer, found, &published))
}

async fn publish(stage: &Stage<'_>, release: u64) -> Result<Exchange, Stopped> {
    let body = json!({ "draft": false, "make_latest": "false" });
    stage
        .prepare(Ask::patch(format!("releases/{release}"), body))
        .await
}
