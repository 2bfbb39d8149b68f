//! Receipts that no one used before their end, used by hand later with backdated entries: an audit finds them.

use countersign_core::ledger::{Entry, EventType, GithubResponse};
use countersign_sim::Endpoint;
use serde_json::json;

use crate::{
    Scene,
    harness::{
        Attempt, Stage,
        by_hand::{
            HOUR, Way, append, audited, by_mutation, guarded, path, publish, release_verified,
            unused, verified,
        },
    },
};

pub const SCENES: &[Scene] = &[
    (
        "an unused receipt is used by hand for a release, its entries appended as Countersign appends",
        || {
            release(
                Way::Mutation,
                &[DATED_BACK, &["effect_after_expiry v1.0.0"]],
            );
        },
    ),
    (
        "an unused receipt is used by hand for a release, its entries made object by object",
        || release(Way::Objects, &[&["effect_after_expiry v1.0.0"], UNPROVEN]),
    ),
    (
        "an unused receipt is used by hand for a release, its entries pushed with git",
        || release(Way::Push, &[&["effect_after_expiry v1.0.0"], UNPROVEN]),
    ),
    (
        "an unused receipt is used by hand for a tag, its entries appended as Countersign appends",
        || tag(Way::Mutation, DATED_BACK),
    ),
    (
        "an unused receipt is used by hand for a tag, its entries made object by object",
        || tag(Way::Objects, UNPROVEN),
    ),
    (
        "an unused receipt is used by hand for a pull request, its entries appended as Countersign appends",
        || pull(Way::Mutation, DATED_BACK, &[]),
    ),
    (
        "an unused receipt is used by hand for a pull request, its entries pushed with git",
        || pull(Way::Push, &[], UNPROVEN),
    ),
    (
        "an unused receipt is used by hand for a draft, its entries appended as Countersign appends",
        draft,
    ),
    (
        "the release is published by hand before its receipt is claimed",
        published_before_its_claim,
    ),
    (
        "entries are dated back above a commit that GitHub dated",
        above_a_dated_commit,
    ),
    (
        "the release is published by hand and only the outcome of a killed attempt is appended",
        after_a_killed_attempt,
    ),
];

const DATED_BACK: &[&str] = &["entry_misdated 1", "entry_misdated 2", "claim_late 1"];
const UNPROVEN: &[&str] = &["claim_unproven 1", "commit_date_unproven 1"];

fn found(stage: &Stage, expected: &[&[&str]]) {
    let expected: Vec<String> = expected.concat().iter().map(ToString::to_string).collect();
    assert_eq!(audited(stage, &[]), (5, expected));
}

/// Every look at a release finds it, the ledger's alone too.
fn found_everywhere(stage: &Stage, expected: &[&[&str]]) {
    found(stage, expected);
    let (exit, printed) = verified(stage);
    assert!(
        exit == 1 && printed.contains(" dates: entry 1: "),
        "{printed}"
    );
    let (exit, dates) = release_verified(stage);
    assert!(exit == 1 && dates.starts_with("FAULT: "), "{dates}");
}

fn with_receipt(stage: &Stage) -> Attempt<'_> {
    stage.release().input("attach-receipt", "true").approved()
}

fn enter(stage: &Stage, way: Way, entries: [&Entry; 2]) {
    for entry in entries {
        append(stage, way, &stage.token, entry);
    }
}

fn answered(outcome: &Entry, edit: impl FnOnce(&mut GithubResponse)) -> Entry {
    let mut outcome = outcome.clone();
    edit(outcome.github_response.as_mut().unwrap());
    outcome
}

fn release(way: Way, expected: &[&[&str]]) {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &with_receipt(&stage));
    let outcome = publish(&stage, &claim, &outcome);
    enter(&stage, way, [&claim, &outcome]);
    found_everywhere(&stage, expected);
}

/// A tag has no date that GitHub vouches for: only its entries give it away.
fn tag(way: Way, expected: &[&str]) {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &stage.tag().approved());
    let main = stage.main();
    let made = stage.sim.annotated_tag("v1.0.0", &main, "Version 1.0.0");
    let outcome = answered(&outcome, |answer| {
        answer.tag_sha = Some(made.parse().unwrap());
    });
    enter(&stage, way, [&claim, &outcome]);
    found(&stage, &[expected]);
    assert_eq!(verified(&stage).0, 1);
}

/// GitHub dates no draft as published: only its entries give it away.
fn draft() {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &stage.release().input("draft", "true").approved());
    let release = json!({
        "tag_name": "v1.0.0", "target_commitish": stage.main(), "name": "v1.0.0",
        "body": "First.\n", "draft": true,
    });
    stage.post(&path(&stage, "releases"), &release);
    let id = stage.sim.releases()[0].id;
    let outcome = answered(&outcome, |answer| answer.release_id = Some(id));
    enter(&stage, Way::Mutation, [&claim, &outcome]);
    found(&stage, &[DATED_BACK]);
    assert_eq!(verified(&stage).0, 1);
}

fn pull(way: Way, before: &[&str], after: &[&str]) {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &stage.pull().approved());
    let next = json!({"title": "Next", "head": "next", "base": "main", "body": ""});
    stage.post(&path(&stage, "pulls"), &next);
    let number = stage.sim.pulls().last().unwrap().number;
    let outcome = answered(&outcome, |answer| answer.pull_number = Some(number));
    enter(&stage, way, [&claim, &outcome]);

    let subject = format!("effect_after_expiry #{number} by github-actions[bot]: Next");
    let (exit, codes) = audited(&stage, &[]);
    // The attempt that was undone has left its own pull request.
    let codes: Vec<&str> = codes
        .iter()
        .map(String::as_str)
        .filter(|code| !code.starts_with("pull_without_receipt #1 "))
        .collect();
    let expected = [before, &[subject.as_str()], after].concat();
    assert_eq!((exit, codes), (5, expected));
    assert_eq!(verified(&stage).0, 1);
}

fn published_before_its_claim() {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &with_receipt(&stage));
    stage.sim.shift_clock(-21 * HOUR);
    let outcome = publish(&stage, &claim, &outcome);
    stage.sim.shift_clock(HOUR);
    enter(&stage, Way::Mutation, [&claim, &outcome]);

    found(&stage, &[&["effect_before_claim v1.0.0"]]);
    // The ledger by itself is as an honest one.
    assert_eq!(verified(&stage).0, 0);
    let (exit, dates) = release_verified(&stage);
    assert!(
        exit == 1 && dates.contains(", but its receipt was claimed at "),
        "{dates}"
    );
}

fn above_a_dated_commit() {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &with_receipt(&stage));
    let outcome = publish(&stage, &claim, &outcome);
    let page = [("README.md".to_owned(), b"Hello\n".to_vec())];
    by_mutation(&stage, &stage.token, &page);
    enter(&stage, Way::Objects, [&claim, &outcome]);
    let expected: [&[&str]; 3] = [
        DATED_BACK,
        &[
            "commit_dates_fall 1",
            "commit_dates_fall 2",
            "effect_after_expiry v1.0.0",
        ],
        &["commit_date_unproven 1"],
    ];
    found_everywhere(&stage, &expected);
}

/// The claim is honest and in time; what it allows was never done, until someone does it by hand.
fn after_a_killed_attempt() {
    let stage = guarded();
    stage
        .release()
        .approved()
        .killed(Endpoint::CreateRelease, 1);
    let claim = stage.ledger().remove(0);
    stage.sim.shift_clock(20 * HOUR);
    let outcome = Entry {
        sequence: 2,
        previous: Some(claim.id().digest),
        event_type: EventType::Succeeded,
        receipt: None,
        operation: None,
        github_response: Some(GithubResponse::default()),
        ..claim.clone()
    };
    let outcome = publish(&stage, &claim, &outcome);
    let release = &stage.sim.releases()[0];
    stage.delete(&path(
        &stage,
        &format!("releases/assets/{}", release.assets[0].id),
    ));
    append(&stage, Way::Mutation, &stage.token, &outcome);
    found(
        &stage,
        &[&["entry_misdated 2", "effect_after_expiry v1.0.0"]],
    );
    assert_eq!(verified(&stage).0, 1);
}
