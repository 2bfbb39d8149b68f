//! Open claims that someone forged with a receipt that they could read, so that a later attempt of the run resumes them.
//!
//! Such an attempt accepts what it finds only if every word is as approved. Then the one thing that is not checked is who made it.

use countersign_core::{ledger::Entry, name::RunAttempt};
use countersign_sim::Endpoint;
use serde_json::{Value, json};

use crate::{
    Scene,
    harness::{
        Attempt, Stage,
        by_hand::{LEDGER, Way, append, audited, guarded, line, path, verified},
        strangers,
    },
    judge::{attempted, tells_nothing_else},
};

pub const SCENES: &[Scene] = &[
    (
        "an open claim is forged with a job's token, and the approved release is published by hand",
        a_release_by_hand,
    ),
    (
        "an open claim is forged by a commit, and the approved pull request is opened by hand",
        a_pull_request_by_hand,
    ),
    (
        "an open claim is forged, and a release of other words is published by hand",
        a_release_of_other_words,
    ),
    (
        "an open claim is forged so that a commit with other workflows is tagged",
        a_commit_with_other_workflows,
    ),
    (
        "an open claim is forged under the attempt that is to resume it",
        the_same_attempt,
    ),
    (
        "an open claim is forged under attempt 0 so that the first attempt resumes it",
        attempt_zero,
    ),
];

/// What attempt 1 would have appended: taken from an attempt that leaves nothing else.
fn claim_of(stage: &Stage, attempt: &Attempt<'_>, at: Endpoint) -> Entry {
    let before = stage.sim.ref_oid(LEDGER).unwrap();
    attempt.killed(at, 1);
    let claim = stage.ledger().remove(0);
    stage.sim.set_ref(LEDGER, &before);
    claim
}

fn second<'a>(attempt: &Attempt<'a>) -> Attempt<'a> {
    attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2")
}

fn publish(stage: &Stage, body: &str) {
    let release = json!({
        "tag_name": "v1.0.0", "target_commitish": stage.main(), "name": "v1.0.0", "body": body,
    });
    stage.post(&path(stage, "releases"), &release);
}

/// These entries look exactly like those of an attempt that was killed and of the one after it.
fn a_release_by_hand() {
    let stage = guarded();
    let attempt = stage.release().approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreateRelease);
    append(&stage, Way::Mutation, &stage.token, &claim);
    publish(&stage, "First.\n");

    let name =
        "an open claim is forged with a job's token, and the approved release is published by hand";
    let report = attempted(&stage, name, second(&attempt), "-");
    assert_eq!(report.record["github_response"]["already_existed"], true);
    assert_eq!(stage.sim.releases().len(), 1);
    assert_eq!(audited(&stage, &[]), (0, Vec::new()));
    assert_eq!(verified(&stage).0, 0);
}

fn a_pull_request_by_hand() {
    let stage = guarded();
    let attempt = stage.pull().approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreatePull);
    strangers::append(&stage, &claim);
    let next = json!({"title": "Next", "head": "next", "base": "main", "body": ""});
    stage.post(&path(&stage, "pulls"), &next);
    stage.sim.open_pull_as("mallory", 1);

    let name =
        "an open claim is forged by a commit, and the approved pull request is opened by hand";
    let report = attempted(&stage, name, second(&attempt), "-");
    assert_eq!(report.record["github_response"]["already_existed"], true);
    assert_eq!(stage.sim.pulls().len(), 1);
    let (_, found) = audited(&stage, &[]);
    assert_eq!(found, ["entry_by_other 1", "commit_date_unproven 1"]);
    let (_, printed) = verified(&stage);
    let authors = line(&printed, "authors");
    assert!(
        authors.contains("this account appended entries"),
        "{printed}"
    );
}

fn a_release_of_other_words() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreateRelease);
    append(&stage, Way::Mutation, &stage.token, &claim);
    publish(&stage, "Buy this.\n");

    let before = stage.writes().len();
    let report = second(&attempt).run();
    tells_nothing_else(&stage, &report);
    assert_eq!(
        (report.code(), report.exit),
        ("release_mismatch", 1),
        "{}",
        report.message()
    );
    // Two entries, and nothing else.
    assert_eq!(stage.writes().split_off(before), ["POST /graphql"; 2]);
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "failed"]);
}

/// While the tag does not exist, an attempt that resumes needs the same permission as the first one.
fn a_commit_with_other_workflows() {
    let stage = Stage::new();
    let workflow = (".github/workflows/release.yml", b"on: push\n".as_slice());
    let commit = stage.sim.commit("sly", &[workflow]);
    stage
        .sim
        .branch_rules("sly", &["deletion", "non_fast_forward"]);
    let attempt = stage
        .tag()
        .input("target-sha", &commit)
        .input("reachable-from", "sly")
        .input("allow-workflow-changes", "true")
        .approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreateTagObject);
    append(&stage, Way::Mutation, &stage.token, &claim);

    let name = "an open claim is forged so that a commit with other workflows is tagged";
    let attempt = second(&attempt).input("allow-workflow-changes", "false");
    attempted(&stage, name, attempt, "preflight_workflows_differ");
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

fn the_same_attempt() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreateRelease);
    append(&stage, Way::Mutation, &stage.token, &claim);
    publish(&stage, "First.\n");

    let name = "an open claim is forged under the attempt that is to resume it";
    let report = attempted(&stage, name, attempt, "receipt_consumed");
    assert_eq!(report.record["github_response"], Value::Null);
}

/// No attempt has this number, so no such claim can be an earlier attempt's.
fn attempt_zero() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let claim = claim_of(&stage, &attempt, Endpoint::CreateTagObject);
    let forged = Entry {
        attempt: RunAttempt(0),
        ..claim
    };
    append(&stage, Way::Mutation, &stage.token, &forged);

    let name = "an open claim is forged under attempt 0 so that the first attempt resumes it";
    attempted(&stage, name, attempt, "ledger_newer_version");
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}
