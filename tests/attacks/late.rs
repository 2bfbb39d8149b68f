//! Attacks with time: receipts that have expired, claims that were left open, and waits and branches that outlast what was approved.

use countersign_core::{
    document::Document as _,
    ledger::{Entry, EventType, GithubResponse, entry_path},
    name::RunAttempt,
};
use countersign_sim::{Effect, Endpoint, Fault};

use crate::{
    Scene,
    harness::{Attempt, Report, Stage, now, strangers::append},
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
        "a tag is claimed after the receipt's end, and the answer is lost",
        || a_late_claim_unseen(Stage::tag),
    ),
    (
        "a release with files is claimed after the receipt's end, and the answer is lost",
        || a_late_claim_unseen(|stage| stage.release().input("files", "a.zip")),
    ),
    (
        "a pull request is claimed after the receipt's end, and the answer is lost",
        || a_late_claim_unseen(Stage::pull),
    ),
    (
        "the head branch moves while the claim is on its way",
        a_head_that_moves_at_the_claim,
    ),
    (
        "the head branch moves while a lost request is looked for",
        a_head_that_moves_before_the_last_look,
    ),
    (
        "the machine sleeps past the receipt's end before a tag is set",
        asleep_before_a_tag,
    ),
    (
        "the machine sleeps past the receipt's end while a claim is confirmed",
        asleep_before_a_release_without_files,
    ),
    (
        "the machine sleeps past the receipt's end before a draft is made",
        asleep_before_a_draft,
    ),
    (
        "the machine sleeps past the receipt's end before anything is claimed",
        asleep_before_a_claim,
    ),
    (
        "the machine sleeps past the receipt's end after the publication was sent",
        asleep_after_the_publication,
    ),
    (
        "the machine sleeps past the receipts' end between two operations of a campaign",
        asleep_between_two_operations,
    ),
    (
        "the machine sleeps a moment while a claim is confirmed, and the head branch moves",
        asleep_while_the_head_moves,
    ),
    (
        "the machine sleeps a moment while a file is uploaded, and the tag is set elsewhere",
        asleep_while_a_tag_is_set,
    ),
];

/// One sleep of the machine: what it interrupts, how long it lasts, and what then must come of the attempt.
struct Sleep {
    operation: fn(&Stage) -> Attempt<'_>,
    during: Endpoint,
    seconds: u32,
    meanwhile: fn(&Stage),
    code: &'static str,
    exit: i32,
    events: &'static [&'static str],
}

/// Longer than any receipt lasts that these attempts hold.
const AN_HOUR: u32 = 3700;
/// Longer than a look at the ledger is taken for recent.
const A_MOMENT: u32 = 6;

/// A process whose timers stood still, so that by them no time has passed.
fn asleep(sleep: &Sleep) {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt = (sleep.operation)(&stage).approved();
    let report = attempt.run_while(sleep.during, || {
        stage.sleep(sleep.seconds);
        (sleep.meanwhile)(&stage);
    });
    tells_nothing_else(&stage, &report);
    assert_eq!(
        (report.code(), report.exit),
        (sleep.code, sleep.exit),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), sleep.events);
    assert!(stage.sim.releases().is_empty());
    assert_eq!(stage.sim.pulls().len(), 0);
}

fn asleep_before_a_tag() {
    asleep(&Sleep {
        operation: |stage| stage.tag(),
        during: Endpoint::CreateTagObject,
        seconds: AN_HOUR,
        meanwhile: |_| {},
        code: "receipt_expired",
        exit: 1,
        events: &["claimed", "failed"],
    });
}

fn asleep_before_a_release_without_files() {
    asleep(&Sleep {
        operation: |stage| stage.release(),
        during: Endpoint::Append,
        seconds: AN_HOUR,
        meanwhile: |_| {},
        code: "receipt_expired",
        exit: 1,
        events: &["claimed", "failed"],
    });
}

fn asleep_before_a_draft() {
    asleep(&Sleep {
        operation: |stage| {
            stage
                .release()
                .input("files", "a.zip")
                .input("draft", "true")
        },
        during: Endpoint::Append,
        seconds: AN_HOUR,
        meanwhile: |_| {},
        code: "receipt_expired",
        exit: 1,
        events: &["claimed", "failed"],
    });
}

fn asleep_before_a_claim() {
    asleep(&Sleep {
        operation: |stage| stage.pull(),
        during: Endpoint::Preflight,
        seconds: AN_HOUR,
        meanwhile: |_| {},
        code: "receipt_expired",
        exit: 3,
        events: &[],
    });
}

fn asleep_while_the_head_moves() {
    asleep(&Sleep {
        operation: |stage| stage.pull(),
        during: Endpoint::Append,
        seconds: A_MOMENT,
        meanwhile: |stage| drop(stage.sim.commit("next", &[("evil.txt", b"evil\n")])),
        code: "pull_mismatch",
        exit: 1,
        events: &["claimed", "failed"],
    });
}

fn asleep_while_a_tag_is_set() {
    asleep(&Sleep {
        operation: |stage| stage.release().input("files", "a.zip"),
        during: Endpoint::UploadAsset,
        seconds: A_MOMENT,
        meanwhile: |stage| {
            let evil = stage.sim.commit("other", &[("evil.txt", b"evil\n")]);
            stage.sim.tag("v1.0.0", &evil);
        },
        code: "tag_mismatch",
        exit: 1,
        events: &["claimed", "failed"],
    });
}

/// What was sent in time is an effect, however late its answer is read.
fn asleep_after_the_publication() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt = stage.release().input("files", "a.zip").approved();
    let report = attempt.run_while(Endpoint::PublishRelease, || stage.sleep(AN_HOUR));
    report.succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

fn asleep_between_two_operations() {
    let stage = Stage::new();
    let attempt = stage.approved_campaign(CAMPAIGN);
    let report = attempt.run_while(Endpoint::CreateRef, || stage.sleep(AN_HOUR));
    assert_eq!(report.code(), "receipt_expired", "{}", report.message());
    assert_eq!(stage.sim.releases().len(), 0);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

const LATER: u64 = 3700;

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
    let report = late(&stage, &attempt).run_while(Endpoint::GetTagObject, || {
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
    let attempt = stage.approved_campaign(CAMPAIGN);
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

/// By the runner's clock, which may differ by five minutes, the receipt is still valid.
fn a_late_claim_unseen(operation: fn(&Stage) -> Attempt<'_>) {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt =
        operation(&stage).approved_with(|terms| terms.expires_at = terms.issued_at.plus(240));
    let lost = Fault::on(Endpoint::Append).then(Effect::ResetAfter);
    stage.sim.plan(lost);
    let report = attempt.run_suspended_after(Endpoint::Preflight, || stage.sim.shift_clock(270));
    assert_eq!(
        (report.code(), report.exit),
        ("receipt_expired", 1),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("Nothing was done under it"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
    assert!(stage.sim.releases().is_empty());
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    assert_eq!(stage.sim.pulls().len(), 0);
}

fn a_head_that_moves_at_the_claim() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    let report = attempt.run_losing(Endpoint::Append, 1, || {
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
    let report = attempt.run_while(Endpoint::ListPulls, || {
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
