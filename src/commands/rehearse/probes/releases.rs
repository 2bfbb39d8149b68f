//! Releases: their texts, where they are published, and what makes them immutable.

use serde_json::json;

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, text_of},
        table::{Feature, Need, Probe, Way},
    },
    github::Ask,
};

/// Characters that a release's text may have.
const MAX_BODY: usize = 125_000;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "release-text",
        needs: &[],
        writes: 3,
        expected: "A release's name and text come back as they were sent, but for line ends and blanks at the end; 125,001 characters are refused.",
        meaning: "A release may be reported as `release_mismatch` because its text does not come back as approved.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(release_text(stage))),
    },
    Probe {
        id: "publish-at",
        needs: &[],
        writes: 7,
        expected: "A draft is published at a commit, also one on no branch, and its tag is made there.",
        meaning: "A release at a commit that is not a branch's newest one may fail after its receipt is spent.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(publish_at(stage))),
    },
    Probe {
        id: "publish-existing-tag",
        needs: &[],
        writes: 7,
        expected: "A draft is published over a tag that exists, which stays where it leads, \
            whatever `target_commitish` says.",
        meaning: "A release for a tag that exists may fail or move the tag: plan releases with new tags alone.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(publish_existing_tag(stage))),
    },
    Probe {
        id: "publish-twice",
        needs: &[],
        writes: 3,
        expected: "Publishing a release that is already public succeeds, and its tag stays.",
        meaning: "An attempt that finishes what an interrupted one left may report a failure although the release is public.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(publish_twice(stage))),
    },
    Probe {
        id: "other-workflows",
        needs: &[Need::Job],
        // A ref that is refused with 404 is tried again: it could be the commit's freshness.
        writes: 10,
        expected: "At a commit with other workflow files, a job's token may neither publish \
            nor set a ref: 403 or 404.",
        meaning: "The server takes what Countersign refuses with `preflight_workflows_differ`: a commit with other workflow files needs no more than `contents: write` here.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(other_workflows(stage))),
    },
    Probe {
        id: "notes",
        needs: &[],
        writes: 1,
        expected: "Release notes are worded for a token that may write contents.",
        meaning: "A dry run with `generate-release-notes` fails; write the text under `body` instead.",
        affects: Feature::Notes,
        way: Way::Asks(|stage| Box::pin(notes(stage))),
    },
    Probe {
        id: "immutable",
        needs: &[Need::Admin],
        writes: 3,
        expected: "Where immutable releases are on, a published release says so and takes no more assets.",
        meaning: "A published release may still take assets, or may not be marked as immutable although the setting is on.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(immutable(stage))),
    },
];

async fn release_text(stage: &Stage<'_>) -> Probing {
    let tag = stage.name("text");
    let body = "First.\r\n\u{1f389} <&>\"`  \n\nLast. \t\n";
    let name = format!("{tag}  \u{1f389}  two blanks");
    let release = json!({
        "tag_name": tag, "target_commitish": stage.commit()?, "name": name, "body": body,
        "draft": true, "make_latest": "false",
    });
    let made = stage.prepare(Ask::post("releases", release)).await?;
    let id = made.body["id"].as_u64().unwrap_or_default();
    let read = stage.send(Ask::get(format!("releases/{id}"))).await?;
    let change = async |length: usize| {
        let body = json!({ "body": "a".repeat(length) });
        stage.send(Ask::patch(format!("releases/{id}"), body)).await
    };
    let (too_long, longest) = (change(MAX_BODY + 1).await?, change(MAX_BODY).await?);

    let as_sent = |told: &str| {
        let lines = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
        lines(told) == lines(body)
    };
    let bodies = [&made, &read].map(|answer| text_of(&answer.body["body"]));
    let names = [&made, &read].map(|answer| text_of(&answer.body["name"]));
    let holds = bodies.iter().all(|told| as_sent(told))
        && names.iter().all(|told| *told == name)
        && too_long.status == 422
        && longest.is_success();
    let exact = bodies.iter().all(|told| told == body);
    let found = format!(
        "text {}, name {}; 125,001 characters: {}; 125,000: {}",
        if exact { "byte for byte" } else { "changed" },
        if names[1] == name {
            "byte for byte"
        } else {
            "changed"
        },
        too_long.summary(),
        longest.status
    );
    Ok(Finding::of(holds, found, &too_long))
}

async fn publish_at(stage: &Stage<'_>) -> Probing {
    let start = stage.commit()?.to_owned();
    let loose = stage
        .make_commit(Some(&start), "countersign-rehearsal-loose.txt", "Loose.\n")
        .await?;
    let mut found = Vec::new();
    let (mut holds, mut last) = (true, None);
    for (what, commit) in [
        ("a commit of a branch", &start),
        ("one on no branch", &loose),
    ] {
        let tag = stage.name(if *commit == start {
            "at-branch"
        } else {
            "at-none"
        });
        let release = json!({
            "tag_name": tag, "target_commitish": commit, "draft": true, "make_latest": "false",
        });
        let draft = stage.prepare(Ask::post("releases", release)).await?;
        let published = stage.publish(&draft).await?;
        let leads = stage
            .found_ref(&format!("tags/{tag}"))
            .await?
            .is_some_and(|oid| oid == *commit);
        holds &= published.is_success() && leads;
        let place = if leads {
            "the tag leads there"
        } else {
            "the tag does not lead there"
        };
        found.push(format!("{what}: {}, {place}", published.summary()));
        last = Some(published);
    }
    let found = found.join("; ");
    Ok(match last {
        Some(last) => Finding::of(holds, found, &last),
        None => Finding::without_exchange(holds, found),
    })
}

/// The tag leads to another commit than the draft names: only one of them can be right.
async fn publish_existing_tag(stage: &Stage<'_>) -> Probing {
    let tagged = stage.branches().await?.head_commit;
    let tag = stage.name("existing");
    stage.set_ref(&format!("refs/tags/{tag}"), &tagged).await?;

    let draft = stage.draft(&tag, "").await?;
    let published = stage.publish(&draft).await?;

    let leads = stage.found_ref(&format!("tags/{tag}")).await?;
    let is_unmoved = leads.is_some_and(|oid| oid == tagged);
    let place = if is_unmoved { "unmoved" } else { "moved" };
    let found = format!("{}, the tag is {place}", published.summary());
    Ok(Finding::of(
        published.is_success() && is_unmoved,
        found,
        &published,
    ))
}

async fn publish_twice(stage: &Stage<'_>) -> Probing {
    let tag = stage.name("published-twice");
    let draft = stage.draft(&tag, "").await?;
    let first = stage.publish(&draft).await?;
    if !first.is_success() {
        return Err(Stopped::Preparation("the publication".into(), first.into()));
    }

    let second = stage.publish(&draft).await?;
    let leads = stage.found_ref(&format!("tags/{tag}")).await?;
    let is_there = leads.as_deref() == Some(stage.commit()?);

    let date = if first.body["published_at"] == second.body["published_at"] {
        "kept"
    } else {
        "changed"
    };
    let found = format!("{}, the date of publication is {date}", second.summary());
    let holds = second.is_success() && second.body["draft"] == false && is_there;
    Ok(Finding::of(holds, found, &second))
}

async fn other_workflows(stage: &Stage<'_>) -> Probing {
    const WORKFLOW: &str = ".github/workflows/countersign-rehearsal-other.yml";
    let start = stage.commit()?.to_owned();
    let made = stage
        .make_commit(Some(&start), WORKFLOW, "on: workflow_dispatch\n")
        .await;
    let commit = match made {
        // Some servers may refuse such a tree already. Then there is no commit to ask about.
        Err(Stopped::Preparation(what, exchange)) => {
            let summary = exchange.summary();
            let reason = format!("such a commit; {what} was answered {summary}");
            return Err(Stopped::Needs(reason));
        }
        made => made?,
    };

    let release = json!({
        "tag_name": stage.name("other-workflows"), "target_commitish": commit, "draft": true,
        "make_latest": "false",
    });
    let mut publication = stage.send(Ask::post("releases", release)).await?;
    if publication.is_success() {
        publication = stage.publish(&publication).await?;
    }
    let name = format!("refs/tags/{}", stage.name("other-workflows-ref"));
    let set = stage.try_ref(&name, &commit).await?;

    let holds = [&publication, &set]
        .iter()
        .all(|answer| [403, 404].contains(&answer.status));
    let found = format!(
        "publication: {}; ref: {}",
        publication.summary(),
        set.summary()
    );
    Ok(Finding::on_access(holds, found, &publication))
}

async fn notes(stage: &Stage<'_>) -> Probing {
    let body = json!({ "tag_name": stage.name("notes"), "target_commitish": stage.commit()? });
    let asked = stage
        .send(Ask::post("releases/generate-notes", body))
        .await?;
    let holds = asked.status == 200 && asked.body["body"].is_string();
    Ok(Finding::of(holds, asked.summary(), &asked))
}

async fn immutable(stage: &Stage<'_>) -> Probing {
    let setting = stage.send(Ask::get("immutable-releases")).await?;
    if setting.body["enabled"] != true {
        return Ok(Finding::not_tried(
            "needs immutable releases: turn them on in the repository's settings and run --probe immutable; the tag's name can never be used again",
        ));
    }
    let tag = stage.name("immutable");
    let draft = stage.draft(&tag, "").await?;
    let published = stage.publish(&draft).await?;
    if !published.is_success() {
        let what = "the publication".into();
        return Err(Stopped::Preparation(what, published.into()));
    }
    let upload = stage
        .send_upload(&draft, &stage.name("late.txt"), b"Late.\n")
        .await?;
    let holds = published.body["immutable"] == true && upload.status == 422;
    let found = format!(
        "immutable {}; an upload: {}",
        published.body["immutable"],
        upload.summary()
    );
    Ok(Finding::of(holds, found, &upload))
}
