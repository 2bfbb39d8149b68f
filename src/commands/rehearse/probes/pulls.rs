//! Pull requests, their labels and reviewers.

use serde_json::json;

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::Stage,
        table::{Feature, Need, Probe, Way},
    },
    github::{Ask, Exchange},
};

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "pull",
        needs: &[],
        writes: 8,
        expected: "This token opens a pull request; a second one between the same branches is refused with 422.",
        meaning: "`open_pr` fails, or a second pull request between the same branches is opened.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(pull(stage))),
    },
    Probe {
        id: "draft-pull",
        needs: &[Need::Private],
        writes: 6,
        expected: "A private repository takes a draft of a pull request.",
        meaning: "`open_pr` with `draft: true` fails here after its receipt is spent: leave `draft` out.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(draft_pull(stage))),
    },
    Probe {
        id: "labels",
        needs: &[],
        writes: 6,
        expected: "A label that did not exist is made and named in the answer.",
        meaning: "`open_pr` reports labels that the pull request does not have.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(labels(stage))),
    },
    Probe {
        id: "emoji-label",
        needs: &[],
        writes: 6,
        expected: "A label of emoji alone is refused.",
        meaning: "A label of emoji alone is taken here, which Countersign does not rely on.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(emoji_label(stage))),
    },
    Probe {
        id: "dropped-reviewers",
        needs: &[Need::Reviewer],
        writes: 6,
        expected: "A collaborator whose review is asked for is named in the answer.",
        meaning: "`open_pr` with reviewers may open the pull request without asking them.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(dropped_reviewers(stage))),
    },
];

/// The number of the one pull request between the two branches, opened if it is not open yet.
async fn open_pull(stage: &Stage<'_>) -> Result<u64, Stopped> {
    if let Some(number) = stage.opened.get() {
        return Ok(number);
    }
    let opened = stage.pull().await?;
    match opened.body["number"].as_u64() {
        Some(number) => {
            stage.opened.set(Some(number));
            Ok(number)
        }
        None => Err(Stopped::Preparation("POST pulls".into(), opened.into())),
    }
}

async fn pull(stage: &Stage<'_>) -> Probing {
    let first = open_pull(stage).await;
    if let Err(Stopped::Preparation(_, refused)) = &first {
        return Ok(Finding::of(false, refused.summary(), refused));
    }
    first?;
    let twin = stage.pull().await?;
    Ok(Finding::of(
        twin.status == 422,
        format!("opened; a second one: {}", twin.summary()),
        &twin,
    ))
}

async fn draft_pull(stage: &Stage<'_>) -> Probing {
    let branches = stage.make_branches("draft-base", "draft-head").await?;
    let pull = json!({
        "title": stage.name("draft-pull"), "head": branches.head, "base": branches.base,
        "body": "", "draft": true,
    });
    let opened = stage.send(Ask::post("pulls", pull)).await?;
    let is_draft = opened.is_success() && opened.body["draft"] == true;
    Ok(Finding::of(is_draft, opened.summary(), &opened))
}

async fn add_label(stage: &Stage<'_>, label: &str) -> Result<Exchange, Stopped> {
    let number = open_pull(stage).await?;
    let body = json!({ "labels": [label] });
    stage
        .send(Ask::post(format!("issues/{number}/labels"), body))
        .await
}

async fn labels(stage: &Stage<'_>) -> Probing {
    let label = stage.name("label");
    let answer = add_label(stage, &label).await?;
    let named = answer
        .body
        .as_array()
        .is_some_and(|labels| labels.iter().any(|found| found["name"] == label.as_str()));
    let found = format!(
        "{}, {}",
        answer.summary(),
        if named { "named" } else { "not named" }
    );
    Ok(Finding::of(answer.is_success() && named, found, &answer))
}

async fn emoji_label(stage: &Stage<'_>) -> Probing {
    let answer = add_label(stage, "\u{2728}").await?;
    Ok(Finding::of(answer.status == 422, answer.summary(), &answer))
}

async fn dropped_reviewers(stage: &Stage<'_>) -> Probing {
    let Some(reviewer) = &stage.reviewer else {
        return Err(Stopped::Needs(Need::Reviewer.missing().into()));
    };
    let number = open_pull(stage).await?;
    let body = json!({ "reviewers": [reviewer] });
    let answer = stage
        .send(Ask::post(
            format!("pulls/{number}/requested_reviewers"),
            body,
        ))
        .await?;
    let seated = answer.body["requested_reviewers"]
        .as_array()
        .is_some_and(|seated| {
            seated.iter().any(|found| {
                found["login"]
                    .as_str()
                    .is_some_and(|login| login.eq_ignore_ascii_case(reviewer.as_str()))
            })
        });
    let found = format!(
        "{}, {}",
        answer.summary(),
        if seated { "named" } else { "not named" }
    );
    Ok(Finding::of(answer.is_success() && seated, found, &answer))
}
