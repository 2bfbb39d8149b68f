//! Receipts that were taken back, used all the same; and withdrawals made up to keep others from publishing.

use countersign_core::{
    ledger::{Entry, Withdrawing},
    withdrawal::Withdrawal,
};
use countersign_sim::Endpoint;

use crate::{
    Scene,
    harness::{
        Attempt, Stage,
        by_hand::{Way, append, audited, guarded, unused, verified},
        fresh_key, trusted_line,
    },
    judge::tells_nothing_else,
};

pub const SCENES: &[Scene] = &[
    (
        "a release is published with a receipt that was taken back",
        || {
            refused(Stage::release);
        },
    ),
    ("a tag is set with a receipt that was taken back", || {
        refused(Stage::tag);
    }),
    (
        "a pull request is opened with a receipt that was taken back",
        || {
            refused(Stage::pull);
        },
    ),
    (
        "a receipt is taken back while its claim is on its way",
        before_the_claim,
    ),
    (
        "the second operation of a campaign uses a receipt that was taken back",
        in_a_campaign,
    ),
    (
        "a receipt of two signers is used after one of them took it back",
        one_of_two,
    ),
    (
        "a later attempt uses a receipt that was taken back before the first",
        a_later_attempt,
    ),
    (
        "a receipt that was taken back is used by hand for a tag",
        by_hand_for_a_tag,
    ),
    (
        "a withdrawal is forged with a key that no one trusts",
        || {
            blocks_nobody(|stage, receipt| {
                stage.withdrawing(&stage.withdrawal(receipt, |_| ()), &fresh_key())
            });
        },
    ),
    (
        "a trusted colleague takes back a receipt that is not theirs",
        a_colleague,
    ),
    ("a withdrawal for another server is carried here", || {
        elsewhere(|said| said.host = "github.example.org".parse().unwrap());
    }),
    (
        "a withdrawal for another repository is carried here",
        || {
            elsewhere(|said| said.target.repository_id.0 += 1);
        },
    ),
    ("a withdrawal for another run is carried here", || {
        elsewhere(|said| said.run = "4".parse().unwrap());
    }),
    (
        "a withdrawal of another receipt is given the digest of this one",
        aimed,
    ),
    (
        "a withdrawal is repeated against the approval that followed it",
        repeated,
    ),
    (
        "a receipt is taken back while its release is uploaded",
        after_the_claim,
    ),
    (
        "a withdrawal with a second signature is put on the ledger",
        signed_twice,
    ),
];

/// The attempt of an approver's receipt that they take back before.
fn refused(attempt: for<'a> fn(&'a Stage) -> Attempt<'a>) {
    let stage = Stage::new();
    let attempt = attempt(&stage).approved();
    stage.taken_back(&attempt.receipt());
    publishes_nothing(&stage, &attempt);
}

fn publishes_nothing(stage: &Stage, attempt: &Attempt<'_>) {
    let before = stage.writes().len();
    let report = attempt.run();
    report.refused("receipt_withdrawn");
    tells_nothing_else(stage, &report);
    assert_eq!(stage.writes().len(), before);
    assert!(stage.ledger().is_empty());
}

/// Someone appends a withdrawal that takes nothing back.
fn blocks_nobody(made_up: impl FnOnce(&Stage, &str) -> Withdrawing) {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let entry = made_up(&stage, &attempt.receipt());
    stage.append_withdrawing(&entry);
    attempt.run().succeeded();
}

fn elsewhere(edit: fn(&mut Withdrawal)) {
    blocks_nobody(|stage, receipt| {
        stage.withdrawing(&stage.withdrawal(receipt, edit), stage.approver())
    });
}

fn aimed() {
    blocks_nobody(|stage, receipt| {
        let other = stage.tag().input("tag-name", "v2").approved().receipt();
        let ours = stage.withdrawal(receipt, |_| ());
        let entry = stage.withdrawing(&stage.withdrawal(&other, |_| ()), stage.approver());
        Withdrawing {
            run: ours.run,
            operation_digest: ours.operation_digest,
            receipts: vec![ours.receipt],
            ..entry
        }
    });
}

fn a_colleague() {
    let stage = Stage::new();
    let colleague = fresh_key();
    let keys = format!("{}\n{}", stage.trusted(), trusted_line(&colleague, "bob"));
    let attempt = stage.tag().approved().input("trusted-keys", &keys);
    let withdrawal = stage.withdrawal(&attempt.receipt(), |_| ());
    stage.append_withdrawing(&stage.withdrawing(&withdrawal, &colleague));
    attempt.run().succeeded();
}

fn one_of_two() {
    let stage = Stage::new();
    let colleague = fresh_key();
    let keys = format!("{}\n{}", stage.trusted(), trusted_line(&colleague, "bob"));
    let attempt = stage.tag().approved().input("trusted-keys", &keys);
    let receipt = attempt.receipt();
    let trusted = countersign_core::keys::TrustedKeys::parse(&keys).unwrap();
    let envelope = countersign_core::envelope::Envelope::parse(&receipt).unwrap();
    let verified = envelope
        .verify(&trusted, countersign_core::keys::Threshold::ONE)
        .unwrap();
    let both = verified.countersign(&colleague).unwrap().to_line();
    let attempt = attempt.input("receipt", &both).input("threshold", "2");
    let withdrawal = stage.withdrawal(&receipt, |_| ());
    stage.append_withdrawing(&stage.withdrawing(&withdrawal, &colleague));
    publishes_nothing(&stage, &attempt);
}

fn a_later_attempt() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.taken_back(&attempt.receipt());
    let second = attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2");
    publishes_nothing(&stage, &second);
}

fn before_the_claim() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let report = attempt.run_while(Endpoint::Preflight, || stage.taken_back(&attempt.receipt()));
    report.refused("receipt_withdrawn");
    assert!(stage.ledger().is_empty());
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

fn after_the_claim() {
    let stage = guarded();
    stage.file("app.zip", b"bytes");
    let attempt = stage.release().input("files", "app.zip").approved();
    attempt
        .run_while_uploading(|| stage.taken_back(&attempt.receipt()))
        .succeeded();
    assert_eq!(verified(&stage).0, 0);
    assert_eq!(audited(&stage, &[]), (0, vec![]));
}

/// The receipt that follows is for the same operation in the same run.
fn repeated() {
    let stage = Stage::new();
    let first = stage.tag().approved();
    stage.taken_back(&first.receipt());
    let second = stage.tag().approved();
    stage.taken_back(&first.receipt());
    first.run().refused("receipt_withdrawn");
    second.run().succeeded();
}

/// It is none that Countersign reads: what it names is blocked, and nothing else.
fn signed_twice() {
    let stage = Stage::new();
    let (attempt, other) = (stage.tag(), stage.tag().input("tag-name", "v2"));
    let (attempt, other) = (attempt.approved(), other.approved());
    let mut entry = stage.withdrawing(
        &stage.withdrawal(&attempt.receipt(), |_| ()),
        stage.approver(),
    );
    entry.withdrawal = entry.withdrawal.countersigned(&fresh_key()).unwrap();
    stage.append_withdrawing(&entry);
    attempt.run().refused("ledger_newer_version");
    other.run().succeeded();
}

fn in_a_campaign() {
    let stage = Stage::new();
    let tag = |name: &str| {
        format!("[[operation]]\nid = \"{name}\"\noperation = \"tag_repo\"\ntag-name = \"{name}\"\n")
    };
    let campaign = format!("name = \"Two\"\n{}{}", tag("v1"), tag("v2"));
    stage.file("campaign.toml", campaign);
    let planned = Attempt::new(&stage)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .run();
    assert_eq!(planned.exit, 0, "{}", planned.log);
    std::fs::copy(planned.plan(), stage.workspace().join("plan.json")).unwrap();
    let receipts = stage.sign_all(&planned.plan());
    stage.taken_back(receipts.lines().nth(1).unwrap());
    let attempt = Attempt::new(&stage).input("plan", "plan.json");
    let report = attempt.input("receipt", &receipts).run();
    // The first has shipped by then.
    assert_eq!(
        (report.exit, report.code()),
        (1, "receipt_withdrawn"),
        "{}",
        report.message()
    );
    assert!(stage.sim.ref_oid("refs/tags/v1").is_some());
    assert_eq!(stage.sim.ref_oid("refs/tags/v2"), None);
}

fn by_hand_for_a_tag() {
    let stage = guarded();
    let attempt = stage.tag().approved();
    let entries = unused(&stage, &attempt);
    stage.taken_back(&attempt.receipt());
    let main = stage.main();
    stage.sim.annotated_tag("v1.0.0", &main, "Version 1.0.0");
    for entry in entries {
        let head = stage.tip().head;
        let entry = Entry {
            sequence: head.sequence() + 1,
            previous: head.newest().map(|newest| newest.digest),
            ..entry
        };
        append(&stage, Way::Mutation, &stage.token, &entry);
    }
    let (exit, findings) = audited(&stage, &[]);
    assert_eq!(exit, 5);
    assert!(
        findings.contains(&"receipt_withdrawn 2".into()),
        "{findings:?}"
    );
    assert!(
        findings.contains(&"tag_without_receipt v1.0.0".into()),
        "{findings:?}"
    );
    let (exit, printed) = verified(&stage);
    assert!(
        exit == 1 && printed.contains("uses: entry 2: "),
        "{printed}"
    );
}
