//! Tag objects, and what is made on commits without a ref.

use serde_json::json;

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing},
        stage::{Stage, text_of},
        table::{Feature, Probe, Way},
    },
    github::{Ask, Made},
};

const NO_OBJECT: &str = "0123456789012345678901234567890123456789";

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "tag-object",
        needs: &[],
        writes: 2,
        expected: "A ref is set to a tag object that was made a moment ago, and the message comes back but for blanks at its end.",
        meaning: "A tag may take some seconds longer: GitHub is asked again until it knows the new object.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(tag_object(stage))),
    },
    Probe {
        id: "ref-refusals",
        needs: &[],
        writes: 3,
        expected: "A ref that exists is refused with `Reference already exists`, one to an absent object with `Object does not exist`.",
        meaning: "A tag that somebody else creates at the same time may be reported by a message that does not fit.",
        affects: Feature::Tags,
        way: Way::Asks(|stage| Box::pin(ref_refusals(stage))),
    },
    Probe {
        id: "commit-comments",
        needs: &[],
        writes: 1,
        expected: "A comment on a commit is taken, read back as it was sent, and removed.",
        meaning: "Countersign does not write comments on commits today.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(commit_comments(stage))),
    },
];

async fn tag_object(stage: &Stage<'_>) -> Probing {
    let name = stage.name("tag-object");
    let message = "Rehearsed.\n\nWith a second line.\n\n";
    let tag = json!({
        "tag": name, "message": message, "object": stage.commit()?, "type": "commit",
    });
    let object = stage.prepare(Ask::post("git/tags", tag)).await?;
    let sha = text_of(&object.body["sha"]);
    // Once and at once: whether that works is the question.
    let set = stage
        .send(Ask::post(
            "git/refs",
            json!({ "ref": format!("refs/tags/{name}"), "sha": sha }),
        ))
        .await?;
    let told = text_of(&object.body["message"]);
    let same = told.trim_end() == message.trim_end();
    let exact = if told == message {
        "byte for byte"
    } else {
        "changed"
    };
    let found = format!(
        "the ref: {}; message {exact}, tagger {}",
        set.summary(),
        if object.body["tagger"].is_null() {
            "none"
        } else {
            "filled in"
        }
    );
    Ok(Finding::of(set.is_success() && same, found, &set))
}

async fn ref_refusals(stage: &Stage<'_>) -> Probing {
    let name = format!("refs/tags/{}", stage.name("twice"));
    let commit = stage.commit()?.to_owned();
    stage.set_ref(&name, &commit).await?;
    let set = async |name: &str, sha: &str| {
        stage
            .send(Ask::post("git/refs", json!({ "ref": name, "sha": sha })))
            .await
    };
    let twice = set(&name, &commit).await?;
    let nothing = set(&format!("{name}-nothing"), NO_OBJECT).await?;
    let says = |answer: &crate::github::Exchange, words: &str| {
        answer.status == 422 && text_of(&answer.body["message"]).starts_with(words)
    };
    let holds = says(&twice, "Reference already exists") && says(&nothing, "Object does not exist");
    let found = format!(
        "twice: {}; absent object: {}",
        twice.summary(),
        nothing.summary()
    );
    Ok(Finding::of(holds, found, &twice))
}

async fn commit_comments(stage: &Stage<'_>) -> Probing {
    let commit = stage.commit()?;
    let body = format!(
        "{} <&>\"`\n\n{}",
        stage.name("comment"),
        "{\"payload\":\"e30=\"}"
    );
    let made = stage
        .send(Ask::post(
            format!("commits/{commit}/comments"),
            json!({ "body": body }),
        ))
        .await?;
    let Some(id) = made.body["id"].as_u64().filter(|_| made.is_success()) else {
        return Ok(Finding::of(false, made.summary(), &made));
    };
    let read = stage.send(Ask::get(format!("comments/{id}"))).await?;
    let removed = stage.send(Ask::removal(&Made::CommitComment(id))).await?;
    let same = text_of(&read.body["body"]) == body;
    let found = format!(
        "{}, text {}, removal {}",
        made.status,
        if same { "byte for byte" } else { "changed" },
        removed.summary()
    );
    Ok(Finding::of(same && removed.is_success(), found, &made))
}
