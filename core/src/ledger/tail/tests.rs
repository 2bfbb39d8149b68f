//! Branches that grew, branches that were damaged, and what an attempt may do on each.

mod vectors;
mod withdrawn;

use alloc::{format, string::String, vec, vec::Vec};

use super::*;
use crate::{
    authority::Pin,
    authorize::is_vouched,
    envelope::Envelope,
    keys::Threshold,
    ledger::{EventType, HEAD_PATH, Head, entry_path},
    name::{Executor, RunAttempt},
    receipt::{Terms, VerifiedReceipt},
    testing::{
        Branch, Commit, NOON, checkpoint, claim_of, commit, executor, key, outcome_of, release,
        tag, terms, trust, trust_file,
    },
};

/// A branch whose root is the commit that the receipt's issuer saw.
fn branch() -> Branch {
    Branch::at(&checkpoint())
}

/// The receipt at hand, signed by key 1 for `release()`.
fn receipt() -> VerifiedReceipt {
    receipt_with(|_| ())
}

fn receipt_with(edit: impl FnOnce(&mut Terms)) -> VerifiedReceipt {
    let mut terms = terms();
    edit(&mut terms);
    let envelope = Envelope::sign(&terms, &[&key(1)]);
    envelope.verify(&trust(&[1]), Threshold::ONE).unwrap()
}

fn issued_at(checkpoint: &Checkpoint) -> VerifiedReceipt {
    receipt_with(|terms| terms.ledger = checkpoint.clone())
}

/// Our receipt's claim by attempt 1.
fn claim() -> Entry {
    claim_of(&release(), &terms())
}

/// The same operation in the same run, claimed under another receipt.
fn claim_under_another() -> Entry {
    let terms = Terms {
        receipt_id: "another".parse().unwrap(),
        ..terms()
    };
    claim_of(&release(), &terms)
}

/// Another operation, with a receipt of its own.
fn unrelated() -> Entry {
    let terms = Terms {
        receipt_id: "unrelated".parse().unwrap(),
        operation_kind: tag().kind(),
        operation_digest: tag().digest(),
        ..terms()
    };
    claim_of(&tag(), &terms)
}

fn ended(claim: &Entry, event_type: EventType) -> Entry {
    outcome_of(claim, event_type)
}

fn attempt(number: u64) -> Executor {
    Executor {
        run_attempt: RunAttempt(number),
        ..executor()
    }
}

/// The ledger that results when these are appended one after another.
fn grown(entries: &[Entry]) -> Branch {
    let mut branch = branch();
    for entry in entries {
        branch.add(entry);
    }
    branch
}

/// What the ledger allows to an attempt that has sent nothing yet, by key 1.
fn standing_of(
    branch: &Branch,
    receipt: &VerifiedReceipt,
    executor: &Executor,
) -> Result<Use, Refusal> {
    let keys = (trust(&[1]), Threshold::ONE);
    let vouched = |claim: &Entry| is_vouched(claim, receipt, Some(&keys));
    let tail = branch.above(&receipt.terms().ledger)?;
    tail.standing(receipt, executor, &Sent::new(), vouched)
}

fn standing(entries: &[Entry], number: u64) -> Result<Use, Refusal> {
    standing_of(&grown(entries), &receipt(), &attempt(number))
}

/// The id of the entry of this number, in a branch that has no more.
fn id(branch: &Branch, sequence: u64) -> EntryId {
    let bytes = &branch.tip().files[&entry_path(sequence)];
    EntryId {
        sequence,
        digest: Digest::of(bytes),
    }
}

fn consumed(claim: u64, attempt: u64, outcome: Option<u64>) -> Refusal {
    let outcome = outcome.map_or_else(
        || String::from("no outcome is known"),
        |outcome| format!("its outcome is entry {outcome}"),
    );
    Refusal::ReceiptConsumed {
        by: format!(
            "run 17231231 attempt {attempt} claimed it with ledger entry {claim}, {outcome}"
        ),
    }
}

// The chain of commits.

#[test]
fn a_tail_is_empty_if_the_tip_is_the_checkpoint() {
    let tail = branch().above(&checkpoint()).unwrap();
    assert_eq!(
        tail,
        Tail {
            root: Some(checkpoint().commit),
            ..Tail::empty(checkpoint())
        }
    );
    assert_eq!(tail.newest(), checkpoint().head.newest());
    assert_eq!(
        tail.standing(&receipt(), &executor(), &Sent::new(), |_| false),
        Ok(Use::Free)
    );
}

#[test]
fn a_tail_holds_every_commit_above_the_checkpoint_with_the_entry_that_it_added() {
    let mut branch = branch();
    let first = branch.add(&unrelated());
    let stray = branch.stray();
    let remembered = branch.remember(&Authority::default());
    let second = branch.add(&claim());

    let tail = branch.above(&checkpoint()).unwrap();
    let commits = tail.above(&checkpoint()).unwrap();
    let shown: Vec<_> = commits.iter().map(|commit| commit.at.clone()).collect();
    let made: Vec<_> = branch.0.iter().map(Commit::checkpoint).collect();
    assert_eq!(shown, made[1..]);
    let added: Vec<_> = commits
        .iter()
        .map(|commit| commit.added.as_ref().map(|added| added.id))
        .collect();
    assert_eq!(added, [Some(first), None, None, Some(second)]);
    assert_eq!(tail.strays().collect::<Vec<_>>(), [&stray, &remembered]);
    assert_eq!(tail.newest(), Some(second));
    assert_eq!(*tail.tip(), branch.checkpoint());
}

#[test]
fn what_is_above_each_of_its_commits_is_part_of_a_tail() {
    let branch = grown(&[unrelated(), claim()]);
    let tail = branch.above(&checkpoint()).unwrap();
    for (commit, above) in branch.0.iter().zip([2, 1, 0]) {
        let checkpoint = commit.checkpoint();
        assert_eq!(tail.above(&checkpoint).map(<[TailCommit]>::len), Ok(above));
        assert!(tail.covers(&checkpoint));
    }
    let other = Checkpoint {
        head: Head::EMPTY,
        ..branch.checkpoint()
    };
    assert!(
        !tail.covers(&other),
        "the commit alone does not make it one"
    );
}

#[test]
fn a_checkpoint_with_another_ledger_json_than_its_commit_was_rolled_back() {
    let other = Checkpoint {
        head: Head::at(EntryId {
            sequence: 41,
            digest: Digest::of(b"another"),
        }),
        ..checkpoint()
    };
    let refused = Err(Refusal::LedgerRolledBack {
        checkpoint: other.clone(),
        found: format!("holds entry 41 ({}) in that commit", Digest::of(b"abc")),
    });
    assert_eq!(branch().above(&other), refused);
    assert_eq!(grown(&[unrelated()]).above(&other), refused, "below others");
}

#[test]
fn a_checkpoint_that_is_not_on_the_chain_was_rolled_back() {
    let restarted = Branch::empty();
    assert_eq!(
        restarted.above(&checkpoint()),
        Err(Refusal::LedgerRolledBack {
            checkpoint: checkpoint(),
            found: format!(
                "ends at its root {} without that commit",
                restarted.root().commit
            ),
        })
    );
    let mut rewound = grown(&[claim()]);
    let seen = rewound.checkpoint();
    rewound.0.pop();
    rewound.stray();
    rewound.tip_mut().id = commit('d');
    assert_eq!(
        rewound.above(&seen),
        Err(Refusal::LedgerRolledBack {
            checkpoint: seen,
            found: format!(
                "ends at its root {} without that commit",
                checkpoint().commit
            ),
        })
    );
}

/// Restores the tree of the newest commit but so many, in a commit on top.
fn restore(branch: &mut Branch, back: usize) {
    let old = branch.0[branch.0.len() - 1 - back].files.clone();
    branch.commit_tree(old);
}

fn set_head(branch: &mut Branch, sequence: u64, bytes: &[u8]) {
    let head = Head::at(EntryId {
        sequence,
        digest: Digest::of(bytes),
    });
    branch.commit([(HEAD_PATH, head.to_document())]);
}

/// A used receipt's ledger, 42 its claim and 43 its outcome, after one commit more.
type Damage = (&'static str, fn(&mut Branch), &'static str);

const DAMAGES: [Damage; 11] = [
    (
        "a linear commit that restores the tree from before the claim",
        |branch| restore(branch, 2),
        "`ledger.json` names entry 41 after entry 43",
    ),
    (
        "the same with a merge of both",
        |branch| {
            restore(branch, 2);
            branch.tip_mut().parents.push(checkpoint().commit);
        },
        "it merges other commits",
    ),
    (
        "a merge that restores nothing",
        |branch| {
            branch.stray();
            branch.tip_mut().parents.push(commit('e'));
        },
        "it merges other commits",
    ),
    (
        "a commit that takes the outcome away",
        |branch| restore(branch, 1),
        "`ledger.json` names entry 42 after entry 43",
    ),
    (
        "an empty ledger",
        |branch| drop(branch.commit([(HEAD_PATH, Head::EMPTY.to_document())])),
        "`ledger.json` names entry 0 after entry 43",
    ),
    (
        "an entry that was skipped",
        |branch| set_head(branch, 45, b"{}"),
        "`ledger.json` names entry 45 after entry 43",
    ),
    (
        "another entry under the same number",
        |branch| set_head(branch, 43, b"{}"),
        "`ledger.json` names entry 43 after entry 43",
    ),
    (
        "the last number there is",
        |branch| set_head(branch, u64::MAX, b"{}"),
        "`ledger.json` names entry 18446744073709551615 after entry 43",
    ),
    (
        "no ledger.json",
        |branch| {
            let mut files = branch.tip().files.clone();
            files.remove(HEAD_PATH);
            branch.commit_tree(files);
        },
        "it has no file `ledger.json`",
    ),
    (
        "a ledger.json that is none",
        |branch| drop(branch.commit([(HEAD_PATH, b"{}".to_vec())])),
        "ledger.json: the member `sequence` is missing (at $)",
    ),
    (
        "a ledger.json in another layout",
        |branch| {
            let head = branch.tip().text(HEAD_PATH).unwrap().replace(',', ", ");
            branch.commit([(HEAD_PATH, head.into_bytes())]);
        },
        "ledger.json: the file was changed after Countersign wrote it (at byte 15)",
    ),
];

#[test]
fn a_commit_has_one_parent_and_leaves_ledger_json_or_adds_the_next_entry() {
    for (what, damage, problem) in DAMAGES {
        let mut branch = grown(&[claim(), ended(&claim(), EventType::Succeeded)]);
        damage(&mut branch);
        branch.tip_mut().author = Some("mallory".into());
        let refused = Refusal::LedgerTampered {
            commit: branch.tip().id.clone(),
            author: Some("mallory".into()),
            problem: problem.into(),
        };
        assert_eq!(branch.above(&checkpoint()), Err(refused.clone()), "{what}");

        // What lies above does not heal it.
        if !problem.contains("ledger.json") {
            branch.stray();
            assert_eq!(branch.above(&checkpoint()), Err(refused), "{what}");
        }
    }
}

#[test]
fn commits_that_were_put_back_in_place_still_show_what_lay_between() {
    let mut branch = grown(&[claim(), ended(&claim(), EventType::Succeeded)]);
    restore(&mut branch, 2);
    let removed = branch.tip().id.clone();
    restore(&mut branch, 1);
    assert_eq!(
        branch.above(&checkpoint()),
        Err(Refusal::LedgerTampered {
            commit: removed,
            author: None,
            problem: "`ledger.json` names entry 41 after entry 43".into(),
        })
    );
}

#[test]
fn a_list_that_leaves_a_commit_out_is_not_a_chain() {
    let branch = grown(&[claim(), unrelated()]);
    let mut shown = branch.shown(usize::MAX);
    let hidden = shown.remove(1);
    let followed = Links::follow(&branch.tip().id, &Base::At(checkpoint()), &shown);
    assert_eq!(
        followed.map(|_| ()),
        Err(Refusal::LedgerTampered {
            commit: checkpoint().commit,
            author: None,
            problem: format!("GitHub lists it where {} belongs", hidden.id),
        })
    );
}

#[test]
fn more_commits_are_asked_for_until_they_reach_the_checkpoint() {
    let branch = grown(&[unrelated(), claim()]);
    for (shown, reaches) in [(0, false), (1, false), (2, true), (3, true)] {
        let followed = Links::follow(
            &branch.tip().id,
            &Base::At(checkpoint()),
            &branch.shown(shown),
        );
        assert_eq!(
            matches!(followed, Ok(Followed::Reached(_))),
            reaches,
            "{shown} of 3 commits: {followed:?}"
        );
    }
}

#[test]
fn an_author_is_quoted_and_cut() {
    let mut branch = branch();
    branch.add_file(b"{}");
    branch.tip_mut().author = Some(format!("a\u{1b}[2J{}", "b".repeat(100)));
    let Err(Refusal::LedgerTampered { author, .. }) = branch.above(&checkpoint()) else {
        panic!("read")
    };
    let author = author.unwrap();
    assert!(
        !author.contains('\u{1b}') && author.ends_with("… (45 more characters)"),
        "{author}"
    );
}

// The entries.

/// The file of entry 42, as it would be appended, with one text in it replaced.
fn file(entry: &Entry, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(branch().linked(entry).to_document()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// What is wrong, the file that `ledger.json` names, another one that lies there, the problem.
type Misfit = (&'static str, Vec<u8>, Option<Vec<u8>>, String);

#[test]
fn an_entry_is_what_the_chain_names() {
    let path = || entry_path(42);
    let swapped = file(&unrelated(), "receipt", "Receipt");
    let rows: [Misfit; 6] = [
        (
            "no file",
            claim().to_document(),
            None,
            "it has no file of entry 42".into(),
        ),
        (
            "another file",
            claim().to_document(),
            Some(swapped.clone()),
            format!(
                "`ledger.json` names entry 42 as {}, but its file is {}",
                Digest::of(&claim().to_document()),
                Digest::of(&swapped)
            ),
        ),
        (
            "another entry before it",
            file(
                &claim(),
                "\"previous\":\"sha256:ba",
                "\"previous\":\"sha256:ab",
            ),
            None,
            "entry 42 does not name the entry before it as its previous one".into(),
        ),
        (
            "no entry before it",
            Entry {
                sequence: 42,
                ..claim()
            }
            .to_document(),
            None,
            "entry 42 does not name the entry before it as its previous one".into(),
        ),
        (
            "another number",
            file(&claim(), "\"sequence\":42", "\"sequence\":43"),
            None,
            "entry 42: its number is 43".into(),
        ),
        (
            "not an entry of any version",
            b"{}".to_vec(),
            None,
            "entry 42: the member `v` is missing (at $)".into(),
        ),
    ];
    for (what, named, found, problem) in rows {
        let mut branch = branch();
        branch.add_file(&named);
        let files = &mut branch.tip_mut().files;
        match found {
            Some(found) => drop(files.insert(path(), found)),
            None if what == "no file" => drop(files.remove(&path())),
            None => {}
        }
        let refused = Refusal::LedgerTampered {
            commit: branch.tip().id.clone(),
            author: None,
            problem,
        };
        assert_eq!(branch.above(&checkpoint()), Err(refused), "{what}");
    }
}

#[test]
fn an_entry_is_read_at_the_commit_that_added_it() {
    let mut branch = grown(&[claim()]);
    branch.commit([(entry_path(42), unrelated().to_document())]);
    let mut without = branch.tip().files.clone();
    without.remove(&entry_path(42));
    branch.commit_tree(without);
    assert_eq!(
        standing_of(&branch, &receipt(), &executor()),
        Err(consumed(42, 1, None))
    );
    assert_eq!(branch.above(&checkpoint()).unwrap().strays().count(), 2);
}

#[test]
fn an_entry_that_this_version_cannot_read_blocks_what_it_names_and_nothing_else() {
    let edits = [
        ("\"v\":1", "\"v\":2"),
        ("operation.claimed\"", "receipt.withdrawn\""),
        ("\"attempt\":1", "\"attempt\":0"),
        ("\"receipt_id\":", "\"receipt-id\":"),
    ];
    let newer = |entry: &Entry, from, to| {
        let mut branch = branch();
        let id = branch.add_file(&file(entry, from, to));
        (standing_of(&branch, &receipt(), &attempt(2)), id)
    };
    for (from, to) in edits {
        assert_eq!(newer(&unrelated(), from, to).0, Ok(Use::Free), "{to}");
        for ours in [claim(), claim_under_another()] {
            let (standing, entry) = newer(&ours, from, to);
            assert_eq!(standing, Err(Refusal::LedgerNewerVersion { entry }), "{to}");
        }
        let names_our_receipt = Entry {
            receipts: vec![receipt().digest()],
            ..unrelated()
        };
        let (standing, entry) = newer(&names_our_receipt, from, to);
        assert_eq!(standing, Err(Refusal::LedgerNewerVersion { entry }), "{to}");
    }
    let of_nothing = format!(
        r#"{{"v":9,"sequence":42,"previous":"{}","event_type":"x","run":null,"acting_run":null,"attempt":null,"operation_digest":null,"receipts":[],"more":1}}"#,
        Digest::of(b"abc")
    );
    let mut branch = branch();
    branch.add_file(of_nothing.as_bytes());
    assert_eq!(standing_of(&branch, &receipt(), &executor()), Ok(Use::Free));
}

// What happened to the operation.

/// The same claim under a receipt that an untrusted key signed.
fn forged(entry: &Entry) -> Entry {
    let terms = Terms {
        receipt_id: "forged".parse().unwrap(),
        ..terms()
    };
    let envelope = Envelope::sign(&terms, &[&key(9)]);
    Entry {
        receipts: vec![envelope.payload_digest()],
        receipt: Some(envelope),
        ..entry.clone()
    }
}

fn by(entry: &Entry, run: &str, number: u64) -> Entry {
    Entry {
        acting_run: run.parse().unwrap(),
        attempt: RunAttempt(number),
        ..entry.clone()
    }
}

/// What happened, which attempt asks, and which claim it resumes, or which claim and attempt bar it.
type Resumption<'a> = (&'a str, &'a [Entry], u64, Result<u64, (u64, u64)>);

#[test]
fn an_open_claim_is_resumed_by_a_later_attempt_of_the_acting_run_alone() {
    let (other_run, ours) = ("99", "17231231");
    let unknown = ended(&claim(), EventType::Unknown);
    let rows: [Resumption<'_>; 10] = [
        ("a later attempt", &[claim()], 2, Ok(42)),
        ("the same attempt", &[claim()], 1, Err((42, 1))),
        (
            "an earlier attempt",
            &[by(&claim(), ours, 3)],
            2,
            Err((42, 3)),
        ),
        ("after an unknown outcome", &[claim(), unknown], 2, Ok(42)),
        (
            "among others",
            &[unrelated(), claim(), unrelated()],
            2,
            Ok(43),
        ),
        ("under another receipt", &[claim_under_another()], 2, Ok(42)),
        (
            "taken over before",
            &[claim(), by(&claim_under_another(), ours, 2)],
            3,
            Ok(43),
        ),
        (
            "taken over by this attempt's other job",
            &[claim(), by(&claim(), ours, 2)],
            2,
            Err((43, 2)),
        ),
        (
            "below one that may go on",
            &[by(&claim(), ours, 5), by(&claim(), ours, 1)],
            2,
            Err((43, 1)),
        ),
        ("forged", &[forged(&claim())], 2, Err((42, 1))),
    ];
    for (what, entries, number, expected) in rows {
        let branch = grown(entries);
        let expected = expected
            .map(|sequence| Use::Unfinished(id(&branch, sequence)))
            .map_err(|(claim, attempt)| consumed(claim, attempt, None));
        let found = standing_of(&branch, &receipt(), &attempt(number));
        assert_eq!(found, expected, "{what}");
    }
    let Err(Refusal::ReceiptConsumed { by: other }) = standing(&[by(&claim(), other_run, 1)], 2)
    else {
        panic!("resumed by another run")
    };
    assert!(other.starts_with("run 99 attempt 1 claimed it"), "{other}");
}

#[test]
fn a_claim_under_another_receipt_is_resumed_only_if_that_receipt_is_valid_now() {
    let branch = grown(&[claim_under_another()]);
    let tail = branch.above(&checkpoint()).unwrap();
    let verdict = |keys: Option<&[u8]>| {
        let keys = keys.map(|seeds| (trust(seeds), Threshold::ONE));
        let vouched = |claim: &Entry| is_vouched(claim, &receipt(), keys.as_ref());
        tail.standing(&receipt(), &attempt(2), &Sent::new(), vouched)
    };
    let resumed = Ok(Use::Unfinished(id(&branch, 42)));
    assert_eq!(verdict(Some(&[1])), resumed);
    assert_eq!(verdict(Some(&[2])), Err(consumed(42, 1, None)), "revoked");
    assert_eq!(
        verdict(None),
        Err(consumed(42, 1, None)),
        "no keys are known"
    );
}

#[test]
fn a_receipt_inside_a_claim_speaks_for_its_own_pair_only() {
    let for_another = claim_of(
        &release(),
        &Terms {
            receipt_id: "another".parse().unwrap(),
            operation_kind: tag().kind(),
            operation_digest: tag().digest(),
            ..terms()
        },
    );
    let advisory = claim_of(
        &release(),
        &Terms {
            receipt_id: "another".parse().unwrap(),
            enforceable: false,
            ..terms()
        },
    );
    for entry in [for_another, advisory] {
        assert_eq!(standing(&[entry], 2), Err(consumed(42, 1, None)));
    }
}

#[test]
fn any_known_outcome_ends_the_pair_for_every_receipt_below_it() {
    let done = |by: &str, event: EventType| {
        Err(Refusal::OperationDone {
            by: format!("{by} ({event})"),
        })
    };
    let other = claim_under_another();
    for event in [EventType::Succeeded, EventType::Failed] {
        let rows: [(&str, &[Entry], Result<Use, Refusal>); 6] = [
            (
                "our receipt",
                &[claim(), ended(&claim(), event)],
                Err(consumed(42, 1, Some(43))),
            ),
            (
                "another receipt",
                &[other.clone(), ended(&other, event)],
                done("entry 42 claimed it and entry 43 ended it", event),
            ),
            (
                "ours, taken over under another",
                &[claim(), by(&other, "17231231", 2), ended(&other, event)],
                Err(consumed(42, 1, Some(44))),
            ),
            (
                "an outcome without a claim",
                &[ended(&claim(), event)],
                done("entry 42", event),
            ),
            (
                "one that others turn round later",
                &[
                    other.clone(),
                    ended(&other, event),
                    ended(&other, EventType::Unknown),
                ],
                done("entry 42 claimed it and entry 43 ended it", event),
            ),
            (
                "another run's",
                &[by(&other, "99", 1), by(&ended(&other, event), "99", 1)],
                done("entry 42 claimed it and entry 43 ended it", event),
            ),
        ];
        for (what, entries, expected) in rows {
            for number in [1, 2] {
                assert_eq!(standing(entries, number), expected, "{what}");
            }
        }
    }
}

#[test]
fn what_is_about_another_operation_or_run_changes_nothing() {
    let in_another_run = claim_of(
        &release(),
        &Terms {
            receipt_id: "another".parse().unwrap(),
            run_id: "99".parse().unwrap(),
            ..terms()
        },
    );
    for other in [unrelated(), in_another_run] {
        let ended = ended(&other, EventType::Succeeded);
        assert_eq!(standing(core::slice::from_ref(&other), 1), Ok(Use::Free));
        assert_eq!(standing(&[other, ended], 1), Ok(Use::Free));
    }
    let unknown = ended(&claim(), EventType::Unknown);
    assert_eq!(standing(&[unknown], 1), Ok(Use::Free), "it claims nothing");
}

#[test]
fn a_claim_that_contains_our_receipt_spends_it_whatever_it_says_it_is_for() {
    let elsewhere = Entry {
        operation_digest: tag().digest(),
        receipts: unrelated().receipts,
        ..claim()
    };
    for number in [1, 2] {
        let spent = standing(core::slice::from_ref(&elsewhere), number);
        assert_eq!(spent, Err(consumed(42, 1, None)));
    }
    let only_named = Entry {
        receipts: claim().receipts,
        ..unrelated()
    };
    assert_eq!(
        standing(&[only_named], 1),
        Ok(Use::Free),
        "a receipt is what its bytes are, not what an entry says of it"
    );
}

#[test]
fn a_receipt_that_was_issued_after_the_end_approves_a_repetition() {
    let mut branch = grown(&[claim(), ended(&claim(), EventType::Succeeded)]);
    branch.stray();
    let again = issued_at(&branch.checkpoint());
    assert_eq!(standing_of(&branch, &again, &executor()), Ok(Use::Free));

    let claimed = claim_of(&release(), again.terms());
    branch.add(&claimed);
    branch.add(&ended(&claimed, EventType::Failed));
    assert_eq!(
        standing_of(&branch, &again, &executor()),
        Err(consumed(44, 1, Some(45)))
    );
    assert_eq!(
        standing_of(&branch, &receipt(), &executor()),
        Err(consumed(42, 1, Some(43))),
        "the older one ended at its own outcome"
    );
}

#[test]
fn an_entry_is_ours_only_by_bytes_that_this_process_sent() {
    let copied = Entry {
        timestamp: NOON.plus(601),
        ..claim()
    };
    let one = grown(&[claim()]);
    let two = grown(&[claim(), copied.clone()]);
    let ended = grown(&[claim(), ended(&claim(), EventType::Failed)]);
    let sent = |branch: &Branch, sequence| Sent::from([(id(branch, sequence).digest, Vec::new())]);
    let verdict = |branch: &Branch, sent: &Sent| {
        let tail = branch.above(&checkpoint()).unwrap();
        tail.standing(&receipt(), &executor(), sent, |_| false)
    };
    assert_eq!(verdict(&one, &sent(&one, 42)), Ok(Use::Ours(id(&one, 42))));
    assert_eq!(
        verdict(&grown(&[copied]), &sent(&one, 42)),
        Err(consumed(42, 1, None)),
        "the same ids"
    );
    assert_eq!(
        verdict(&two, &sent(&two, 42)),
        Err(consumed(43, 1, None)),
        "a copy above it"
    );
    assert_eq!(
        verdict(&ended, &sent(&ended, 42)),
        Err(consumed(42, 1, Some(43))),
        "an outcome above it"
    );
}

#[test]
fn a_receipt_whose_checkpoint_the_tail_does_not_hold_is_refused() {
    let mut branch = grown(&[unrelated()]);
    let tail = branch.above(&branch.checkpoint()).unwrap();
    branch.add(&claim());
    assert_eq!(
        tail.standing(&receipt(), &executor(), &Sent::new(), |_| false),
        Err(Refusal::LedgerRolledBack {
            checkpoint: checkpoint(),
            found: format!("does not reach it between {0} and {0}", tail.tip().commit),
        })
    );
}

#[test]
fn only_an_earlier_attempt_of_this_run_is_said_to_have_shipped() {
    let second = attempt(2);
    let said = |entries: &[Entry], executor: &Executor| {
        let tail = grown(entries).above(&checkpoint()).unwrap();
        tail.said_to_have_shipped(&receipt(), executor)
            .map(|(id, _)| id.sequence)
    };
    let succeeded = ended(&claim(), EventType::Succeeded);
    let rows: [(&str, &[Entry], &Executor, Option<u64>); 5] = [
        (
            "by attempt 1",
            &[claim(), succeeded.clone()],
            &second,
            Some(43),
        ),
        (
            "by this attempt",
            &[claim(), succeeded.clone()],
            &executor(),
            None,
        ),
        (
            "without a claim",
            core::slice::from_ref(&succeeded),
            &second,
            None,
        ),
        (
            "under another receipt",
            &[claim_under_another(), succeeded.clone()],
            &second,
            None,
        ),
        (
            "failed",
            &[claim(), ended(&claim(), EventType::Failed)],
            &second,
            None,
        ),
    ];
    for (what, entries, executor, expected) in rows {
        assert_eq!(said(entries, executor), expected, "{what}");
    }
}

#[test]
fn a_receipt_that_is_signed_while_the_operation_is_open_names_the_commit_below_its_first_claim() {
    let done = ended(&claim(), EventType::Succeeded);
    let unknown = ended(&claim(), EventType::Unknown);
    let taken_over = by(&claim(), "17231231", 2);
    let again = claim_under_another();
    let tip = usize::MAX;
    let rows: [(&str, &[Entry], usize); 8] = [
        ("nothing happened", &[], tip),
        ("others' entries", &[unrelated()], tip),
        ("a claim", &[claim()], 0),
        (
            "a claim among others",
            &[unrelated(), claim(), unrelated()],
            1,
        ),
        ("a takeover", &[unrelated(), claim(), taken_over], 1),
        ("an unknown outcome", &[claim(), unknown], 0),
        ("an outcome", &[claim(), done.clone()], tip),
        ("a second round", &[claim(), done, unrelated(), again], 3),
    ];
    for (what, entries, expected) in rows {
        let branch = grown(entries);
        let tail = branch.above(&checkpoint()).unwrap();
        let expected = branch.0.get(expected).unwrap_or(branch.tip()).checkpoint();
        let pair = Pair::of(&receipt());
        assert_eq!(*tail.checkpoint_for(&pair), expected, "{what}");

        // So that receipt takes the open claim over, or is refused; it never starts next to it.
        let signed = issued_at(&expected);
        let free = standing_of(&branch, &signed, &attempt(9)) == Ok(Use::Free);
        assert_eq!(free, expected == branch.checkpoint(), "{what}");
    }
}

#[test]
fn an_entry_about_the_operation_that_cannot_be_read_may_be_an_open_claim() {
    let mut branch = branch();
    branch.add_file(&file(&claim(), "\"v\":1", "\"v\":2"));
    let tail = branch.above(&checkpoint()).unwrap();
    let pair = Pair::of(&receipt());
    assert_eq!(*tail.checkpoint_for(&pair), checkpoint());
    let other = Pair::named_by(&unrelated());
    assert_eq!(*tail.checkpoint_for(&other), branch.checkpoint());
}

/// The numbers of the entries that say done, failed and open.
type Said = [Option<u64>; 3];

#[test]
fn the_past_of_an_operation_is_what_every_entry_about_it_says() {
    let done = ended(&claim(), EventType::Succeeded);
    let failed = ended(&claim(), EventType::Failed);
    let unknown = ended(&claim(), EventType::Unknown);
    let rows: [(&str, &[Entry], Said); 6] = [
        ("others' entries", &[unrelated()], [None, None, None]),
        ("a claim", &[claim()], [None, None, Some(42)]),
        (
            "an unknown outcome",
            &[claim(), unknown],
            [None, None, Some(42)],
        ),
        ("done", &[claim(), done.clone()], [Some(43), None, None]),
        (
            "done, although a later outcome denies it",
            &[claim(), done.clone(), failed.clone()],
            [Some(43), Some(44), None],
        ),
        (
            "a second round",
            &[claim(), failed, unrelated(), claim_under_another()],
            [None, Some(43), Some(45)],
        ),
    ];
    for (what, entries, expected) in rows {
        let tail = grown(entries).above(&checkpoint()).unwrap();
        let past = tail.past_of(&Pair::of(&receipt()));
        let numbers = [past.done, past.failed, past.open].map(|id| id.map(|id| id.sequence));
        assert_eq!((numbers, past.unreadable), (expected, None), "{what}");
    }

    let mut newer = branch();
    newer.add_file(&file(&claim(), "\"v\":1", "\"v\":2"));
    let tail = newer.above(&checkpoint()).unwrap();
    let past = tail.past_of(&Pair::of(&receipt()));
    assert_eq!(past.unreadable.map(|id| id.sequence), Some(42));
    assert_eq!(tail.past_of(&Pair::named_by(&unrelated())), Past::default());
}

#[test]
fn whoever_only_looks_back_may_read_more_than_a_decision_does() {
    let whole = |tail: &Tail, commits: usize| Tail {
        commits: (0..commits)
            .map(|number| TailCommit {
                at: Checkpoint {
                    commit: format!("{number:040x}").parse().unwrap(),
                    ..checkpoint()
                },
                proven_at: None,
                added: None,
                is_own: false,
            })
            .collect(),
        ..tail.clone()
    };
    let below = whole(&Tail::empty(checkpoint()), 600);
    let above = whole(&Tail::empty(below.tip().clone()), 600);
    assert_eq!(below.extended(above.clone()), Err(too_long(1200, 0)));
    assert_eq!(
        below.continued(above).map(|tail| tail.commits.len()),
        Ok(1200)
    );
}

// What decided before.

fn authority(version: u64) -> Authority {
    Authority::of(Some(&trust_file(version, None)), None)
}

fn rolled_back(known: u64, found: u64) -> Result<(), Refusal> {
    let pin = |version| trust_file(version, None).pin();
    Err(Refusal::AuthorityRolledBack {
        what: "trust",
        problem: format!(
            "the trust file is {}, but {} decided before",
            pin(found),
            pin(known)
        ),
    })
}

fn follows(tail: &Tail, version: u64) -> Result<(), Refusal> {
    tail.follows(Some(&trust_file(version, None)), None)
}

#[test]
fn an_older_authority_that_a_later_commit_restored_does_not_lower_what_is_known() {
    let mut branch = branch();
    branch.remember(&authority(2));
    branch.remember(&authority(1));
    for seen in [checkpoint(), branch.checkpoint()] {
        // The signer of a receipt chooses its checkpoint: even above that commit it is known.
        let tail = branch.above(&seen).unwrap();
        assert_eq!(tail.authority(), authority(2));
        assert_eq!(follows(&tail, 2), Ok(()));
        assert_eq!(follows(&tail, 1), rolled_back(2, 1));
    }
}

#[test]
fn a_claim_in_the_tail_raises_what_is_known_and_an_outcome_does_not() {
    let with = |entry: Entry| {
        let entry = Entry {
            authority: authority(2),
            ..entry
        };
        grown(&[entry]).above(&checkpoint()).unwrap()
    };
    let (claimed, recorded) = (
        with(unrelated()),
        with(ended(&unrelated(), EventType::Failed)),
    );
    assert_eq!(claimed.authority(), authority(2));
    assert_eq!(follows(&claimed, 1), rolled_back(2, 1));
    assert_eq!(recorded.authority(), Authority::default());
    assert_eq!(follows(&recorded, 1), Ok(()));
}

#[test]
fn the_newest_trust_file_and_the_newest_policy_are_known_each_for_itself() {
    let policy = |version: u64| Authority {
        trust: None,
        policy: Some(Pin {
            version,
            digest: Digest::of(b"policy"),
        }),
    };
    let mut branch = branch();
    branch.remember(&policy(3));
    branch.remember(&authority(2));
    branch.remember(&policy(1));
    assert_eq!(
        branch.above(&checkpoint()).unwrap().authority(),
        Authority {
            trust: authority(2).trust,
            policy: policy(3).policy
        }
    );
}

#[test]
fn an_authority_that_cannot_be_read_is_passed_over() {
    let mut branch = branch();
    branch.remember(&authority(2));
    branch.commit([(crate::ledger::AUTHORITY_PATH, b"{}".to_vec())]);
    assert_eq!(
        branch.above(&checkpoint()).unwrap().authority(),
        authority(2)
    );
}

// Looks that follow one another.

#[test]
fn what_is_verified_is_kept_and_only_what_is_new_is_added() {
    let mut branch = grown(&[unrelated()]);
    branch.remember(&authority(2));
    let known = branch.above(&checkpoint()).unwrap();
    branch.remember(&authority(1));
    branch.add(&claim());
    // A reader of what is new need not be shown what was known.
    let new = branch.tail_of(&Base::At(known.tip().clone()), 2).unwrap();
    assert_eq!(new.authority(), authority(1));

    let extended = known.extended(new).unwrap();
    let whole = branch.above(&checkpoint()).unwrap();
    assert_eq!(extended.above(&checkpoint()), whole.above(&checkpoint()));
    assert_eq!(
        extended.authority(),
        authority(2),
        "what decided stays known"
    );
    assert_eq!(known.extended(Tail::empty(known.tip().clone())), Ok(known));
}

#[test]
fn a_branch_that_lost_the_known_tip_was_rolled_back() {
    let branch = grown(&[unrelated(), claim()]);
    let known = branch.above(&checkpoint()).unwrap();
    let mut rewound = branch.clone();
    rewound.0.pop();
    assert_eq!(
        rewound.above(known.tip()),
        Err(Refusal::LedgerRolledBack {
            checkpoint: known.tip().clone(),
            found: format!(
                "ends at its root {} without that commit",
                checkpoint().commit
            ),
        })
    );
    let elsewhere = rewound.above(&rewound.checkpoint()).unwrap();
    assert_eq!(
        known.extended(elsewhere),
        Err(Refusal::LedgerRolledBack {
            checkpoint: known.tip().clone(),
            found: format!("continues from {} now", rewound.tip().id),
        })
    );
}

#[test]
fn an_append_that_github_confirmed_is_what_a_look_would_show() {
    let mut branch = grown(&[unrelated()]);
    let known = branch.above(&checkpoint()).unwrap();
    let entry = Entry {
        operation: None,
        ..branch.linked(&claim())
    };
    branch.add(&entry);
    let append = Append {
        expected: known.tip().commit.clone(),
        headline: String::new(),
        files: Vec::new(),
        entry: Some(entry),
    };
    let mut appended = known.appended(&append, branch.tip().id.clone());
    let own = appended.commits.last_mut().unwrap();
    assert!(own.is_own);
    own.is_own = false;
    assert_eq!(appended, branch.above(&checkpoint()).unwrap());
}

// Limits.

/// So many commits above the checkpoint, newest first and the checkpoint last, of which the newest
/// so many add an entry.
fn many(commits: usize, entries: usize) -> Vec<BranchCommit> {
    let (mut head, mut parent) = (checkpoint().head, checkpoint().commit);
    let mut shown = branch().shown(1);
    for number in 1..=commits {
        if number > commits - entries {
            head = Head::at(EntryId {
                sequence: head.sequence() + 1,
                digest: Digest::of(&number.to_be_bytes()),
            });
        }
        let id: CommitId = format!("{number:040x}").parse().unwrap();
        shown.push(BranchCommit {
            id: id.clone(),
            parents: vec![parent],
            head: Some(String::from_utf8(head.to_document()).unwrap()),
            authority: None,
            proven_at: None,
            author: None,
        });
        parent = id;
    }
    shown.reverse();
    shown
}

fn followed(shown: &[BranchCommit]) -> Result<usize, Refusal> {
    match Links::follow(&shown[0].id, &Base::At(checkpoint()), shown)? {
        Followed::Reached(links) => Ok(links.additions().count()),
        Followed::MoreNeeded => panic!("more needed"),
    }
}

#[test]
fn a_tail_has_so_many_commits_and_entries_and_no_more() {
    assert_eq!(followed(&many(1000, 0)), Ok(0));
    assert_eq!(followed(&many(1000, 500)), Ok(500));
    assert_eq!(followed(&many(1001, 0)), Err(too_long(1001, 0)));
    assert_eq!(followed(&many(501, 501)), Err(too_long(501, 501)));
    let unfinished = &many(1001, 0)[..1000];
    assert_eq!(
        followed(unfinished),
        Err(too_long(1000, 0)),
        "no reader is sent for more"
    );
}

#[test]
fn the_entries_of_a_tail_have_so_many_bytes_and_no_more() {
    let (mut shown, mut files) = (branch().shown(1), Vec::new());
    let mut head = checkpoint().head;
    for number in 1..=17 {
        let entry = format!(
            r#"{{"v":2,"sequence":{},"previous":"{}","event_type":"x","run":null,"acting_run":null,"attempt":null,"operation_digest":null,"receipts":[],"pad":""#,
            head.sequence() + 1,
            head.newest().unwrap().digest
        );
        let padded = format!("{entry}{}\"}}", "x".repeat((2 << 20) - entry.len() - 2));
        head = Head::at(EntryId {
            sequence: head.sequence() + 1,
            digest: Digest::of(padded.as_bytes()),
        });
        files.push(Some(padded.into_bytes()));
        shown.insert(
            0,
            BranchCommit {
                id: format!("{number:040x}").parse().unwrap(),
                parents: vec![shown[0].id.clone()],
                head: Some(String::from_utf8(head.to_document()).unwrap()),
                ..shown[0].clone()
            },
        );
    }
    let read = |entries: usize| {
        let shown = &shown[17 - entries..];
        let followed = Links::follow(&shown[0].id, &Base::At(checkpoint()), shown);
        let Ok(Followed::Reached(links)) = followed else {
            panic!("{followed:?}")
        };
        links
            .read(files.iter().take(entries).cloned())
            .map(|tail| tail.entries())
    };
    assert_eq!(read(16), Ok(16));
    let bytes = 17 * (2 << 20);
    assert_eq!(read(17), Err(Refusal::LedgerEntriesTooLarge { bytes }));
}

#[test]
fn what_grows_over_several_looks_has_the_same_limits() {
    let mut whole = Tail::empty(checkpoint());
    let commit = |number: usize| TailCommit {
        at: Checkpoint {
            commit: format!("{number:040x}").parse().unwrap(),
            ..checkpoint()
        },
        proven_at: None,
        added: None,
        is_own: false,
    };
    whole.commits = (1..=999).map(commit).collect();
    let above = |commits: usize| Tail {
        commits: (1000..1000 + commits).map(commit).collect(),
        ..Tail::empty(whole.tip().clone())
    };
    assert_eq!(
        whole.extended(above(1)).map(|tail| tail.commits.len()),
        Ok(1000)
    );
    assert_eq!(whole.extended(above(2)), Err(too_long(1001, 0)));
}

#[test]
fn a_plan_begins_only_if_all_of_its_entries_find_room() {
    let branch = grown(&[unrelated(), claim()]);
    let tail = branch.above(&checkpoint()).unwrap();
    let most = MOST_TAIL_ENTRIES - 2;
    assert_eq!(tail.has_room(&checkpoint(), most), Ok(()));
    assert_eq!(tail.has_room(&checkpoint(), most + 1), Err(too_long(2, 2)));
    assert_eq!(tail.has_room(&branch.checkpoint(), most + 2), Ok(()));

    let mut full_of_strays = self::branch();
    full_of_strays.stray();
    let tail = full_of_strays.above(&checkpoint()).unwrap();
    assert_eq!(tail.has_room(&checkpoint(), MOST_TAIL_ENTRIES), Ok(()));
}
