//! `countersign withdraw`: receipts that their signers take back, and who notices if they are used all the same.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::fs;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions};
use harness::{
    Attempt, Stage,
    by_hand::{Way, append, audited, guarded, publish, release_verified, told, unused, verified},
    fresh_key,
};

/// A stage whose approver has signed for a tag, and the receipt.
fn with_receipt() -> (Stage, String) {
    let stage = guarded();
    let key = stage.with_approver();
    let keys = format!("{}\n{key}", stage.trusted());
    fs::write(stage.folder.path().join("keys"), keys).unwrap();
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    let signed = stage.authorize(&["--yes"]);
    signed.ledgers();
    fs::write(stage.folder.path().join("receipt"), &signed.receipts).unwrap();
    (stage, signed.receipts)
}

fn publishing<'a>(stage: &'a Stage, receipts: &str) -> Attempt<'a> {
    let keys = fs::read_to_string(stage.folder.path().join("keys")).unwrap();
    let attempt = stage.tag().input("trusted-keys", &keys);
    attempt.input("receipt", receipts)
}

const WITHDRAW: &[&str] = &[
    "withdraw",
    "receipt",
    "--key",
    "approver",
    "--reason",
    "the wrong build",
    "--yes",
];

#[test]
fn a_receipt_that_was_taken_back_publishes_nothing_and_a_new_one_does() {
    let (stage, receipt) = with_receipt();
    let (exit, printed) = told(&stage, WITHDRAW);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains("     the ledger knows no use of it\n"),
        "{printed}"
    );
    assert!(
        printed.contains("withdrawn with ledger entry 1 (sha256:"),
        "{printed}"
    );

    let refused = publishing(&stage, &receipt).run();
    refused.refused("receipt_withdrawn");
    assert_eq!(refused.broken(), ["receipt_withdrawn"]);
    let message = refused.message();
    assert!(
        message.contains("was withdrawn with ledger entry 1 "),
        "{message}"
    );
    assert!(message.contains(": approver (SHA256:"), "{message}");
    assert!(message.ends_with(": the wrong build"), "{message}");
    assert!(stage.ledger().is_empty(), "nothing was claimed");

    let again = stage.authorize(&["--yes"]);
    publishing(&stage, &again.receipts).run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn a_person_who_carries_a_withdrawal_is_no_stranger_on_the_ledger() {
    let (stage, _) = with_receipt();
    assert_eq!(told(&stage, WITHDRAW).0, 0);
    let (exit, printed) = verified(&stage);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains("uses        hold; 0 operation(s) without a known outcome; 1 withdrawal(s) of receipts\n"),
        "{printed}"
    );
    assert!(
        printed.contains("withdrawn   entry 1, receipt sha256:"),
        "{printed}"
    );
    assert!(printed.contains(": the wrong build\n"), "{printed}");
    assert_eq!(audited(&stage, &[]), (0, vec![]));

    let show = stage
        .command(&["ledger", "show", "--repository", stage.sim.repository()])
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let shown = String::from_utf8(show.stdout).unwrap();
    assert!(shown.contains("  withdrawn  sha256:"), "{shown}");
    report(&stage);
}

/// The page over a ledger with a withdrawal.
fn report(stage: &Stage) {
    let words = [
        "report",
        "--repository",
        stage.sim.repository(),
        "--out",
        "page.html",
    ];
    let (exit, printed) = told(stage, &words);
    assert_eq!(exit, 0, "{printed}");
    let page = fs::read_to_string(stage.folder.path().join("page.html")).unwrap();
    assert!(page.contains("1 withdrawal(s) of receipts"), "{page}");
}

#[test]
fn anyone_who_can_write_carries_a_statement_that_was_only_printed() {
    let (stage, receipt) = with_receipt();
    let before = stage.tip();
    let output = stage
        .command(&[WITHDRAW, &["--no-post", "--trusted-keys", "keys"]].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "it needs no token");
    assert_eq!(stage.tip(), before);
    harness::schema::fits_json("withdrawal", &output.stdout);
    fs::write(stage.folder.path().join("statement"), &output.stdout).unwrap();

    let carry = ["withdraw", "--statement", "statement"];
    let reader = stage.sim.token(Permissions::read());
    let refused = stage
        .command(&[&carry[..], &["--trusted-keys", "keys"]].concat())
        .env("GH_TOKEN", reader)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(stage.tip(), before);

    let writer = stage.sim.token(Permissions {
        contents: Access::Write,
        ..Permissions::none()
    });
    let carried = stage
        .command(&[&carry[..], &["--trusted-keys", "keys"]].concat())
        .env("GH_TOKEN", writer)
        .output()
        .unwrap();
    assert!(
        carried.status.success(),
        "{}",
        String::from_utf8_lossy(&carried.stderr)
    );
    publishing(&stage, &receipt)
        .run()
        .refused("receipt_withdrawn");
}

#[test]
fn a_statement_that_no_trusted_key_signed_is_not_carried() {
    let (stage, receipt) = with_receipt();
    let stranger = fresh_key();
    let keys = stage.folder.path().join("keys");
    let trusted = fs::read_to_string(&keys).unwrap();
    let own = stage.tag().input("tag-name", "v2").approved().receipt();
    let withdrawal = stage.withdrawal(&own, |_| ());
    let entry = stage.withdrawing(&withdrawal, &stranger);
    fs::write(
        stage.folder.path().join("statement"),
        entry.withdrawal.to_line(),
    )
    .unwrap();
    let before = stage.tip();
    let (exit, printed) = told(&stage, &["withdraw", "--statement", "statement"]);
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed.contains("none of its 1 signature(s) is by one of the 2 key(s)"),
        "{printed}"
    );
    assert_eq!(stage.tip(), before);
    assert_eq!(fs::read_to_string(&keys).unwrap(), trusted);
    publishing(&stage, &receipt).run().succeeded();
}

#[test]
fn only_someone_who_signed_a_receipt_can_take_it_back() {
    let (stage, _) = with_receipt();
    let made = stage
        .command(&[
            "keys",
            "generate",
            "--no-passphrase",
            "--out",
            "other",
            "--name",
            "other",
        ])
        .output()
        .unwrap();
    assert!(made.status.success());
    let before = stage.tip();
    let words = WITHDRAW
        .iter()
        .map(|word| if *word == "approver" { "other" } else { word });
    let (exit, printed) = told(&stage, &words.collect::<Vec<_>>());
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed.contains("is no key of anyone who signed the receipt"),
        "{printed}"
    );
    assert_eq!(stage.tip(), before);
}

#[test]
fn a_used_receipt_is_shown_as_used_and_its_withdrawal_changes_nothing() {
    let (stage, receipt) = with_receipt();
    publishing(&stage, &receipt).run().succeeded();
    let (exit, printed) = told(&stage, WITHDRAW);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains(
            "USED: entry 1 claims it for run 17231231 attempt 1; the withdrawal is only recorded\n"
        ),
        "{printed}"
    );
    assert_eq!(verified(&stage).0, 0);
    assert_eq!(audited(&stage, &[]), (0, vec![]));
}

#[test]
fn a_withdrawal_whose_answer_was_lost_is_recorded_once() {
    let (stage, _) = with_receipt();
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).nth(1).then(Effect::ResetAfter));
    let (exit, printed) = told(&stage, WITHDRAW);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains("withdrawn with ledger entry 1 (sha256:"),
        "{printed}"
    );
    assert_eq!(stage.tip().head.sequence(), 1);
}

#[test]
fn a_withdrawal_for_another_repository_or_host_is_not_carried() {
    type Edit = fn(&mut countersign_core::withdrawal::Withdrawal);
    let (stage, _) = with_receipt();
    let receipt = stage.tag().approved().receipt();
    let before = stage.tip();
    let others: [(Edit, &str); 2] = [
        (
            |said| said.host = "github.com".parse().unwrap(),
            "is for a repository of github.com",
        ),
        (
            |said| said.target.repository_id.0 += 1,
            "that repository's number is",
        ),
    ];
    for (edit, says) in others {
        let withdrawal = stage.withdrawal(&receipt, edit);
        let entry = stage.withdrawing(&withdrawal, stage.approver());
        fs::write(
            stage.folder.path().join("statement"),
            entry.withdrawal.to_line(),
        )
        .unwrap();
        let (exit, printed) = told(&stage, &["withdraw", "--statement", "statement"]);
        assert_eq!(exit, 1, "{printed}");
        assert!(printed.contains(says), "{printed}");
        assert_eq!(stage.tip(), before);
    }
}

#[test]
fn what_is_shipped_by_hand_with_a_withdrawn_receipt_is_found() {
    let stage = guarded();
    let attempt = stage.release().input("attach-receipt", "true").approved();
    let [claim, outcome] = unused(&stage, &attempt);
    // The receipt was taken back while it was valid; then the clock went on.
    stage.taken_back(&attempt.receipt());
    let behind = |entry: &countersign_core::ledger::Entry| {
        let head = stage.tip().head;
        countersign_core::ledger::Entry {
            sequence: head.sequence() + 1,
            previous: head.newest().map(|newest| newest.digest),
            ..entry.clone()
        }
    };
    let claim = behind(&claim);
    append(&stage, Way::Mutation, &stage.token, &claim);
    let outcome = publish(&stage, &claim, &outcome);
    append(&stage, Way::Mutation, &stage.token, &behind(&outcome));

    let (exit, printed) = verified(&stage);
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed.contains("uses: entry 2: it claims a receipt that was withdrawn: entry 1: alice@example.org (SHA256:"),
        "{printed}"
    );
    let (exit, findings) = audited(&stage, &[]);
    assert_eq!(exit, 5);
    assert!(
        findings.contains(&"receipt_withdrawn 2".into()),
        "{findings:?}"
    );
    assert!(
        findings.contains(&"release_without_receipt v1.0.0".into()),
        "{findings:?}"
    );
    let repository = stage.sim.repository();
    let (exit, printed) = told(&stage, &["verify-release", repository, "v1.0.0"]);
    assert_eq!(exit, 1, "{printed}");
    assert!(
        printed
            .contains("its receipt was withdrawn before it was used: entry 1: alice@example.org"),
        "{printed}"
    );
    assert_eq!(release_verified(&stage).0, 1);
}

#[test]
fn keys_of_others_are_shown_and_take_nothing_back() {
    let stage = guarded();
    let attempt = stage.tag().approved();
    let withdrawal = stage.withdrawal(&attempt.receipt(), |_| ());
    stage.append_withdrawing(&stage.withdrawing(&withdrawal, &fresh_key()));
    let (exit, printed) = verified(&stage);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains("takes nothing back: none of its 1 signature(s)"),
        "{printed}"
    );
    attempt.run().succeeded();
}
