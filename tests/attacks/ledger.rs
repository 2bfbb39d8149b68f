//! Attacks on the ledger: double use, rollback, forks, and entries that somebody wrote around Countersign.

use std::thread;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    ledger::{Entry, EventType, GithubResponse, Head, entry_path, operation_path},
};
use countersign_sim::{Endpoint, Switch};
use ed25519_dalek::Signer as _;
use serde_json::json;

use crate::{
    Scene,
    forge::{envelope, parts},
    harness::{
        Attempt, Stage,
        by_hand::path,
        fresh_key,
        strangers::{append, push_like},
        terms,
    },
    judge::{attempted, tells_nothing_else},
};

pub const SCENES: &[Scene] = &[
    (
        "one receipt is used by eight jobs at once",
        one_receipt_by_eight_jobs,
    ),
    (
        "a used receipt comes back with one more signature",
        a_used_receipt_in_another_envelope,
    ),
    (
        "a used receipt's id comes back with another operation",
        a_used_id_with_another_operation,
    ),
    (
        "entries are taken back by moving the branch",
        entries_taken_back,
    ),
    (
        "the branch is set back to the commit that the approver saw",
        set_back_to_the_checkpoint,
    ),
    (
        "the branch is set back to the commit that the approver saw, and goes on",
        set_back_and_continued,
    ),
    (
        "the branch is set back further, and led to the commit that the approver saw again",
        set_back_and_led_there_again,
    ),
    (
        "the branch is deleted and made anew at the commit that the approver saw",
        made_anew_at_the_checkpoint,
    ),
    (
        "the branch is set back where GitHub records nothing",
        set_back_without_a_record,
    ),
    (
        "the branch is set back under another approval",
        set_back_under_another_approval,
    ),
    ("the ledger begins anew", a_new_beginning),
    ("a fork of the same length takes the ledger's place", a_fork),
    (
        "the tree of before the claim is restored by a linear commit",
        an_old_tree_restored,
    ),
    (
        "the tree of before the claim is restored by a merge, its parents in both orders",
        an_old_tree_merged,
    ),
    (
        "a used receipt's entries are hidden from a later attempt",
        entries_hidden_from_a_later_attempt,
    ),
    (
        "a used receipt's outcome is corrected to unknown by a stranger",
        a_forged_correction,
    ),
    (
        "ledger.json is damaged between the claim and the outcome, and restored before a re-run",
        a_head_damaged_for_a_moment,
    ),
    (
        "an entry above what the approver saw is longer than one answer",
        a_long_entry,
    ),
    ("the entry that the approver saw is edited", an_edited_entry),
    ("an entry is edited and the ledger is verified", || {
        verified_after(edited);
    }),
    ("an entry is deleted and the ledger is verified", || {
        verified_after(deleted);
    }),
    (
        "two entries change places and the ledger is verified",
        || verified_after(exchanged),
    ),
    ("an entry is inserted and the ledger is verified", || {
        verified_after(inserted);
    }),
    (
        "an entry is for something else than its receipt and the ledger is verified",
        || verified_after(an_entry_for_something_else),
    ),
    (
        "an entry is claimed with a receipt that nobody trusted signed",
        a_valid_chain_with_an_untrusted_receipt,
    ),
];

/// A tag v0 that was shipped, and an attempt at v1.0.0 whose approver saw that.
fn after_a_first_tag(stage: &Stage) -> Attempt<'_> {
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let attempt = stage.tag().approved();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
    attempt
}

fn one_receipt_by_eight_jobs() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let reports: Vec<_> = thread::scope(|scope| {
        let jobs: Vec<_> = (0..8).map(|_| scope.spawn(|| attempt.run())).collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    let shipped = reports
        .iter()
        .filter(|report| report.status() == "success")
        .count();
    assert_eq!(
        (shipped, stage.ledger_events()),
        (1, vec!["claimed".to_owned(), "succeeded".to_owned()])
    );
    for report in &reports {
        assert!(
            report.status() == "success"
                || matches!(report.code(), "receipt_consumed" | "preflight_tag_exists"),
            "{}",
            report.message()
        );
        tells_nothing_else(&stage, report);
    }
}

fn a_used_receipt_in_another_envelope() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    let (payload, signature) = parts(&attempt.receipt());
    let more = STANDARD.encode(
        fresh_key()
            .sign(&STANDARD.decode(&payload).unwrap())
            .to_bytes(),
    );
    let again = envelope(&payload, &[more, signature]);
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    attempted(
        &stage,
        "a used receipt comes back with one more signature",
        attempt.input("receipt", &again),
        "receipt_consumed",
    );
}

fn a_used_id_with_another_operation() {
    let stage = Stage::new();
    let first = stage.tag().dry_run();
    let id = terms(&first.plan()).receipt_id;
    stage.tag().approved().run().succeeded();
    let other = stage
        .tag()
        .input("tag-name", "v2.0.0")
        .approved_with(|terms| terms.receipt_id = id);
    // The ledger knows receipts by what they say, not by a name that their issuer chooses: whoever may
    // sign for one thing cannot use up the receipt of another.
    attempted(
        &stage,
        "a used receipt's id comes back with another operation",
        other,
        "-",
    );
}

fn entries_taken_back() {
    let stage = Stage::new();
    let empty = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let attempt = after_a_first_tag(&stage);
    stage.sim.set_ref("refs/heads/receipt-ledger", &empty);
    attempted(
        &stage,
        "entries are taken back by moving the branch",
        attempt,
        "ledger_rolled_back",
    );
}

const LEDGER: &str = "refs/heads/receipt-ledger";

/// A tag that was made with a receipt and deleted again, and where the ledger was before it.
fn a_used_receipt(stage: &Stage) -> (Attempt<'_>, String) {
    let seen = stage.sim.ref_oid(LEDGER).unwrap();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    (attempt, seen)
}

fn set_back_to_the_checkpoint() {
    let stage = Stage::unprotected();
    let (attempt, seen) = a_used_receipt(&stage);
    stage.sim.set_ref(LEDGER, &seen);
    attempted(
        &stage,
        "the branch is set back to the commit that the approver saw",
        attempt,
        "ledger_unguarded",
    );
}

fn set_back_and_continued() {
    let stage = Stage::unprotected();
    let (attempt, seen) = a_used_receipt(&stage);
    stage.sim.set_ref(LEDGER, &seen);
    stage.sim.commit("receipt-ledger", &[("README.md", b"1")]);
    attempted(
        &stage,
        "the branch is set back to the commit that the approver saw, and goes on",
        attempt,
        "ledger_unguarded",
    );
}

fn set_back_and_led_there_again() {
    let stage = Stage::unprotected();
    let below = stage.sim.ref_oid(LEDGER).unwrap();
    stage.sim.commit("receipt-ledger", &[("README.md", b"1")]);
    let (attempt, seen) = a_used_receipt(&stage);
    stage.sim.set_ref(LEDGER, &below);
    stage.sim.set_ref(LEDGER, &seen);
    attempted(
        &stage,
        "the branch is set back further, and led to the commit that the approver saw again",
        attempt,
        "ledger_unguarded",
    );
}

fn made_anew_at_the_checkpoint() {
    let stage = Stage::unprotected();
    let (attempt, seen) = a_used_receipt(&stage);
    assert!(stage.sim.delete_ref(LEDGER));
    stage.sim.set_ref(LEDGER, &seen);
    attempted(
        &stage,
        "the branch is deleted and made anew at the commit that the approver saw",
        attempt,
        "ledger_unguarded",
    );
}

fn set_back_without_a_record() {
    let stage = Stage::unprotected();
    let (attempt, seen) = a_used_receipt(&stage);
    stage.sim.set_ref(LEDGER, &seen);
    stage.sim.turn_on(Switch::ActivityIsAbsent);
    attempted(
        &stage,
        "the branch is set back where GitHub records nothing",
        attempt,
        "ledger_unguarded",
    );
}

/// An approval that is newer than the rewind is refused too: its plan may be older.
fn set_back_under_another_approval() {
    let stage = Stage::unprotected();
    let (attempt, seen) = a_used_receipt(&stage);
    stage.sim.set_ref(LEDGER, &seen);
    let between = stage.tag().input("tag-name", "v0").approved();
    let refused = between.run();
    assert_eq!(refused.code(), "ledger_unguarded");
    attempted(
        &stage,
        "the branch is set back under another approval",
        attempt,
        "ledger_unguarded",
    );
}

fn a_new_beginning() {
    let stage = Stage::new();
    let attempt = after_a_first_tag(&stage);
    assert!(stage.sim.delete_ref("refs/heads/receipt-ledger"));
    stage.sim.orphan(
        "receipt-ledger",
        &[("ledger.json", &Head::EMPTY.to_document())],
    );
    attempted(
        &stage,
        "the ledger begins anew",
        attempt,
        "ledger_rolled_back",
    );
}

fn a_fork() {
    let stage = Stage::new();
    let empty = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let attempt = after_a_first_tag(&stage);
    stage.sim.set_ref("refs/heads/receipt-ledger", &empty);
    assert!(stage.sim.delete_ref("refs/tags/v0"));
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
    attempted(
        &stage,
        "a fork of the same length takes the ledger's place",
        attempt,
        "ledger_rolled_back",
    );
}

/// Puts the ledger back to where it was at a commit, by one more commit on top of it.
fn restore(stage: &Stage, before: &str) {
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let before = repository.find_commit(oid(before)).unwrap();
    let tip = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let tip = repository.find_commit(oid(&tip)).unwrap();
    push_like(&repository, &before, &[&tip]);
}

fn oid(text: &str) -> git2::Oid {
    git2::Oid::from_str(text).unwrap()
}

fn an_old_tree_restored() {
    let stage = Stage::new();
    let before = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    restore(&stage, &before);
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    attempted(
        &stage,
        "the tree of before the claim is restored by a linear commit",
        attempt,
        "ledger_tampered",
    );
}

fn an_old_tree_merged() {
    for newest_first in [false, true] {
        let stage = Stage::new();
        let before = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        let attempt = stage.tag().approved();
        attempt.run().succeeded();

        let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
        let before = repository.find_commit(oid(&before)).unwrap();
        let tip = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        let tip = repository.find_commit(oid(&tip)).unwrap();
        let parents = if newest_first {
            [&tip, &before]
        } else {
            [&before, &tip]
        };
        push_like(&repository, &before, &parents);
        assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
        attempted(
            &stage,
            "the tree of before the claim is restored by a merge, its parents in both orders",
            attempt,
            "ledger_tampered",
        );
    }
}

/// As whoever may write to the branch would do it, before pressing "Re-run".
fn entries_hidden_from_a_later_attempt() {
    let stage = Stage::new();
    let before = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    let name = "a used receipt's entries are hidden from a later attempt";
    stage
        .sim
        .remove("receipt-ledger", &[&entry_path(1), &entry_path(2)]);
    // Entries are read where they were added, so a commit that takes their files away hides nothing.
    attempted(
        &stage,
        name,
        attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2"),
        "receipt_consumed",
    );
    restore(&stage, &before);
    attempted(
        &stage,
        name,
        attempt.variable("GITHUB_RUN_ATTEMPT", "3"),
        "ledger_tampered",
    );
}

fn a_forged_correction() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    let last = Entry::from_document(&file(&stage, 2)).unwrap();
    let previous = Some(last.id().digest);
    append(
        &stage,
        &Entry {
            sequence: 3,
            previous,
            event_type: EventType::Unknown,
            ..last
        },
    );
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    let name = "a used receipt's outcome is corrected to unknown by a stranger";
    attempted(
        &stage,
        name,
        attempt.variable("GITHUB_RUN_ATTEMPT", "2"),
        "receipt_consumed",
    );
}

/// An outcome that could not be recorded must not open the way to a second pull request.
fn a_head_damaged_for_a_moment() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    let head = stage.sim.read_file("receipt-ledger", "ledger.json");
    let report = attempt.run_while(Endpoint::CreatePull, || {
        stage
            .sim
            .commit("receipt-ledger", &[("ledger.json", b"{}\n")]);
    });
    assert_eq!((report.exit, report.code()), (4, "outcome_unrecorded"));

    stage.sim.close_pull(1);
    stage.patch(&path(&stage, "pulls/1"), &json!({"title": "Old"}));
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &head.unwrap())]);
    attempted(
        &stage,
        "ledger.json is damaged between the claim and the outcome, and restored before a re-run",
        attempt.variable("GITHUB_RUN_ATTEMPT", "2"),
        "ledger_tampered",
    );
    assert_eq!(stage.sim.pulls().len(), 1);
}

/// GitHub's GraphQL gives 512 KiB of a file's text: a ledger whose newest entry is longer is no locked one.
fn a_long_entry() {
    let stage = Stage::new();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let attempt = stage.tag().approved();
    let last = Entry::from_document(&file(&stage, 2)).unwrap();
    let previous = Some(last.id().digest);
    let error_message = Some("a".repeat(600 << 10));
    let response = GithubResponse {
        error_message,
        ..last.github_response.clone().unwrap()
    };
    append(
        &stage,
        &Entry {
            sequence: 3,
            previous,
            event_type: EventType::Failed,
            github_response: Some(response),
            ..last
        },
    );
    attempted(
        &stage,
        "an entry above what the approver saw is longer than one answer",
        attempt,
        "-",
    );
}

fn an_edited_entry() {
    let stage = Stage::new();
    let attempt = after_a_first_tag(&stage);
    let newest = String::from_utf8(file(&stage, 2)).unwrap();
    let edited = newest.replace("\"attempt\":1", "\"attempt\":2");
    stage
        .sim
        .commit("receipt-ledger", &[(&entry_path(2), edited.as_bytes())]);
    // The approver signed a commit, which nobody can edit: nothing that the new commit changes is
    // believed, and the files are for the auditor to find.
    attempt.run().succeeded();
    stage
        .sim
        .commit("receipt-ledger", &[(&entry_path(2), newest.as_bytes())]);
}

fn file(stage: &Stage, sequence: u64) -> Vec<u8> {
    stage
        .sim
        .read_file("receipt-ledger", &entry_path(sequence))
        .unwrap()
}

fn edited(stage: &Stage) -> &'static str {
    let entry = String::from_utf8(file(stage, 1))
        .unwrap()
        .replace("\"attempt\":1", "\"attempt\":2");
    stage
        .sim
        .commit("receipt-ledger", &[(&entry_path(1), entry.as_bytes())]);
    "entry 2: "
}

fn deleted(stage: &Stage) -> &'static str {
    stage.sim.remove("receipt-ledger", &[&entry_path(1)]);
    "entry 1: "
}

fn exchanged(stage: &Stage) -> &'static str {
    let (first, second) = (file(stage, 1), file(stage, 2));
    stage.sim.commit(
        "receipt-ledger",
        &[(&entry_path(1), &second), (&entry_path(2), &first)],
    );
    "entry 1: "
}

/// An outcome that nobody's attempt wrote, in its place in the chain.
fn inserted(stage: &Stage) -> &'static str {
    let last = Entry::from_document(&file(stage, 2)).unwrap();
    let previous = Some(last.id().digest);
    let more = Entry {
        sequence: 3,
        previous,
        event_type: EventType::Failed,
        operation_id: "op-mallory".parse().unwrap(),
        ..last
    };
    append(stage, &more);
    "entry 3: "
}

/// A receipt that was used for this tag is entered again, as if it had been for another one.
fn an_entry_for_something_else(stage: &Stage) -> &'static str {
    let (first, last) = (
        Entry::from_document(&file(stage, 1)).unwrap(),
        Entry::from_document(&file(stage, 2)).unwrap(),
    );
    let path = operation_path(&first.operation_digest);
    let operation = stage.sim.read_file("receipt-ledger", &path).unwrap();
    let operation = String::from_utf8(operation)
        .unwrap()
        .replace("v1.0.0", "v6.6.6");
    let edited = Entry {
        operation_digest: Digest::of(operation.as_bytes()),
        ..first
    };
    let last = Entry {
        previous: Some(edited.id().digest),
        ..last
    };
    let head = Head::at(last.id());
    let files = [
        (entry_path(1), edited.to_document()),
        (entry_path(2), last.to_document()),
        ("ledger.json".into(), head.to_document()),
        (
            operation_path(&edited.operation_digest),
            operation.into_bytes(),
        ),
    ];
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    stage.sim.commit("receipt-ledger", &files);
    "entry 1: "
}

/// The auditor's look: the fault is named by its entry.
fn verified_after(tampering: fn(&Stage) -> &'static str) {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let place = tampering(&stage);
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let (exit, told) = verified(&stage);
    assert!(exit == Some(1) && told.contains(place), "{told}");
}

fn verified(stage: &Stage) -> (Option<i32>, String) {
    let arguments = [
        "ledger",
        "verify",
        "--repository",
        stage.sim.repository(),
        "--trusted-keys",
        "keys",
    ];
    let output = stage
        .command(&arguments)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
    )
}

fn a_valid_chain_with_an_untrusted_receipt() {
    let stage = Stage::new();
    let (mallory, attempt) = (fresh_key(), stage.tag());
    let receipt = Envelope::sign(&terms(&attempt.dry_run().plan()), &[&mallory]).to_line();
    attempt
        .input(
            "trusted-keys",
            &crate::harness::trusted_line(&mallory, "mallory"),
        )
        .input("receipt", &receipt)
        .run()
        .succeeded();
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let (exit, told) = verified(&stage);
    assert!(
        exit == Some(1) && told.contains("signatures: entry 1: "),
        "{told}"
    );
}
