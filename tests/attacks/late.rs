//! Attacks with time: receipts that have expired, claims that were left open, and waits and branches that outlast what was approved.

use std::time::Duration;

use countersign_core::{
    document::Document as _,
    ledger::{Entry, EventType, GithubResponse, Head, entry_path},
    name::RunAttempt,
};
use countersign_sim::{Effect, Endpoint, Fault};

use crate::{
    Scene,
    harness::{Attempt, Report, Stage, now},
    judge::{tells_nothing_else, workflow},
};

pub const SCENES: &[Scene] = &[
    (
        "a claim is forged so that an expired receipt looks open",
        a_forged_claim_of_an_expired_receipt,
    ),
    (
        "attempt numbers are forged so that an outcome is never recorded",
        a_forged_attempt_number,
    ),
    (
        "a claim of another run is forged so that an outcome is recorded for it",
        a_forged_claim_of_another_run,
    ),
    (
        "an outcome is forged while an expired claim is looked into",
        a_forged_outcome_meanwhile,
    ),
    (
        "an expired receipt is to publish the draft that an open claim left",
        a_draft_of_an_open_claim,
    ),
    (
        "an expired receipt is to label the pull request that an open claim left",
        a_pull_request_of_an_open_claim,
    ),
    (
        "an expired campaign is to go on after its first operation is settled",
        a_campaign_after_its_end,
    ),
    (
        "GitHub asks for a pause that outlasts the receipt, before a release is made visible",
        || a_pause(1, Endpoint::PublishRelease),
    ),
    (
        "GitHub asks for a pause that outlasts the receipt, before a tag is set",
        || a_pause(2, Endpoint::CreateRef),
    ),
    (
        "GitHub asks for a pause that outlasts the receipt, before a pull request is opened",
        || a_pause(3, Endpoint::CreatePull),
    ),
    (
        "the head branch moves while the claim is on its way",
        a_head_that_moves_at_the_claim,
    ),
    (
        "the head branch moves while a lost request is looked for",
        a_head_that_moves_before_the_last_look,
    ),
];

const LATER: u64 = 3700;
/// Long enough for a push, also on a busy machine.
const HELD: Duration = Duration::from_secs(4);

/// The world an hour later, and the next attempt of the run there.
fn late<'a>(stage: &Stage, attempt: &Attempt<'a>) -> Attempt<'a> {
    stage.sim.shift_clock(LATER.try_into().unwrap());
    let at = now().plus(LATER).unix();
    attempt
        .clone()
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .variable("HURRIED_NOW", at.to_string())
}

fn entry(stage: &Stage, sequence: u64) -> Entry {
    let path = entry_path(sequence);
    let bytes = stage.sim.read_file("receipt-ledger", &path).unwrap();
    Entry::from_document(&bytes).unwrap()
}

/// Writes an entry as Countersign would.
fn append(stage: &Stage, entry: &Entry) {
    let head = Head::at(entry.id()).to_document();
    let path = entry_path(entry.sequence);
    let files: [(&str, &[u8]); 2] = [(&path, &entry.to_document()), ("ledger.json", &head)];
    stage.sim.commit("receipt-ledger", &files);
}

/// Makes an attempt under the case's name: what it says, and what it wrote besides appends.
#[track_caller]
fn run(stage: &Stage, name: &str, attempt: Attempt<'_>, code: &str, exit: i32) -> Report {
    let before = stage.writes().len();
    let report = attempt
        .variable("GITHUB_WORKFLOW_REF", workflow(name))
        .run();
    tells_nothing_else(stage, &report);
    assert_eq!(
        (report.code(), report.exit),
        (code, exit),
        "{}",
        report.message()
    );
    let writes = stage.writes().split_off(before);
    assert!(
        writes.iter().all(|write| write == "POST /graphql"),
        "{writes:?}"
    );
    report
}

fn a_forged_claim_of_an_expired_receipt() {
    let stage = Stage::new();
    let empty = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let attempt = stage.tag().approved();
    // What a claim of the receipt looks like; the branch then is as if there had never been one.
    attempt.killed(Endpoint::CreateTagObject, 1);
    let claim = entry(&stage, 1);
    stage.sim.set_ref("refs/heads/receipt-ledger", &empty);

    let attempt = late(&stage, &attempt);
    append(&stage, &claim);
    let name = "a claim is forged so that an expired receipt looks open";
    run(&stage, name, attempt, "receipt_expired", 1);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

fn a_forged_attempt_number() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::Append, 2);
    let claim = entry(&stage, 1);
    append(
        &stage,
        &Entry {
            sequence: 2,
            previous: Some(claim.id().digest),
            attempt: RunAttempt(u64::from(u32::MAX)),
            ..claim
        },
    );
    let name = "attempt numbers are forged so that an outcome is never recorded";
    run(&stage, name, late(&stage, &attempt), "-", 0);
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "succeeded"]);
}

fn a_forged_claim_of_another_run() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::CreateRef, 1);
    let claim = entry(&stage, 1);
    append(
        &stage,
        &Entry {
            sequence: 2,
            previous: Some(claim.id().digest),
            acting_run: "4".parse().unwrap(),
            ..claim
        },
    );
    // That run may be at work: nothing is said about what it does.
    let name = "a claim of another run is forged so that an outcome is recorded for it";
    run(&stage, name, late(&stage, &attempt), "receipt_consumed", 3);
    assert_eq!(stage.ledger_events(), ["claimed", "claimed"]);
}

fn a_forged_outcome_meanwhile() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::Append, 2);
    let claim = entry(&stage, 1);
    let report = late(&stage, &attempt).run_held(Endpoint::GetTagObject, 1, HELD, || {
        append(
            &stage,
            &Entry {
                sequence: 2,
                previous: Some(claim.id().digest),
                event_type: EventType::Failed,
                receipt: None,
                operation: None,
                github_response: Some(GithubResponse::default()),
                ..claim
            },
        );
    });
    assert_eq!(
        (report.code(), report.exit),
        ("outcome_unrecorded", 4),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

fn a_draft_of_an_open_claim() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt = stage.release().input("files", "a.zip").approved();
    attempt.killed(Endpoint::PublishRelease, 1);
    let name = "an expired receipt is to publish the draft that an open claim left";
    run(&stage, name, late(&stage, &attempt), "receipt_expired", 1);
    assert!(stage.sim.releases()[0].draft);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

fn a_pull_request_of_an_open_claim() {
    let stage = Stage::new();
    let attempt = stage.pull().input("labels", "release").approved();
    attempt.killed(Endpoint::AddLabels, 1);
    let name = "an expired receipt is to label the pull request that an open claim left";
    run(&stage, name, late(&stage, &attempt), "labels_missing", 4);
    assert_eq!(stage.ledger_events(), ["claimed"]);
}

const CAMPAIGN: &str = r#"
name = "Two"

[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "v1.0.0"
message = "One"

[[operation]]
id = "release"
operation = "publish_release"
needs = ["tag"]
tag-name = "v1.0.0"
"#;

fn a_campaign_after_its_end() {
    let stage = Stage::new();
    stage.file("campaign.toml", CAMPAIGN);
    let planned = Attempt::new(&stage)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .run();
    std::fs::copy(planned.plan(), stage.workspace().join("plan.json")).unwrap();
    let attempt = Attempt::new(&stage)
        .input("plan", "plan.json")
        .input("receipt", &stage.sign_all(&planned.plan()));
    attempt.killed(Endpoint::Append, 2);
    let name = "an expired campaign is to go on after its first operation is settled";
    run(&stage, name, late(&stage, &attempt), "receipt_expired", 1);
    assert_eq!(stage.sim.releases().len(), 0);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

/// `max-wait` has no upper bound; the receipt's end is one.
fn a_pause(kind: usize, endpoint: Endpoint) {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let release = stage.release().input("files", "a.zip");
    let attempt = [stage.release(), release, stage.tag(), stage.pull()][kind]
        .clone()
        .input("max-wait", "3600")
        .approved_with(|terms| terms.expires_at = terms.issued_at.plus(120));
    let pause = Effect::RetryAfter {
        status: 429,
        seconds: 600,
    };
    stage.sim.plan(Fault::on(endpoint).then(pause));
    let report = attempt.run();
    assert_eq!(
        (report.code(), report.exit),
        ("receipt_ends_first", 4),
        "{}",
        report.message()
    );
    assert!(stage.sim.releases().iter().all(|release| release.draft));
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    assert_eq!(stage.sim.pulls().len(), 0);
}

fn a_head_that_moves_at_the_claim() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    let report = attempt.run_held(Endpoint::Append, 1, HELD, || {
        stage.sim.commit("next", &[("evil.txt", b"evil\n")]);
    });
    assert_eq!(
        (report.code(), report.exit),
        ("pull_mismatch", 1),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.pulls().len(), 0);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

fn a_head_that_moves_before_the_last_look() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreatePull).then(Effect::ResetBefore));
    let report = attempt.run_held(Endpoint::ListPulls, 1, HELD, || {
        stage.sim.commit("next", &[("evil.txt", b"evil\n")]);
    });
    assert_eq!(
        (report.code(), report.exit),
        ("pull_mismatch", 4),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.pulls().len(), 0);
}
