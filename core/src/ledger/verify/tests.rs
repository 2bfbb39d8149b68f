//! Ledgers that are wrong in one way: entries are edited first and linked then, so that no digest tells of it.

use alloc::vec::Vec;

use super::*;
use crate::{
    authority::Pin,
    keys::TrustedKey,
    name::RunAttempt,
    testing::{self, Branch, NOON, commit, pull, release, trust},
};

/// A claim of `release()` by attempt 1, ten minutes after its receipt was issued.
fn claim() -> Entry {
    claim_with(|_| ())
}

/// The terms of a receipt whose issuer saw the empty ledger.
fn terms() -> Terms {
    Terms {
        ledger: Branch::empty().root(),
        ..testing::terms()
    }
}

/// The same under a receipt with other terms, signed by key 1.
fn claim_with(edit: impl FnOnce(&mut Terms)) -> Entry {
    let mut terms = terms();
    edit(&mut terms);
    Entry {
        operation_kind: terms.operation_kind,
        operation_digest: terms.operation_digest,
        ..testing::claim_of(&release(), &terms)
    }
}

/// What attempt 2 writes when it takes the claim over.
fn taken_over() -> Entry {
    Entry {
        operation_id: "op-2".parse().unwrap(),
        attempt: RunAttempt(2),
        ..claim()
    }
}

fn outcome_of(claim: &Entry) -> Entry {
    testing::outcome_of(claim, EventType::Succeeded)
}

/// What lies next to an entry.
fn body(entry: &Entry) -> Option<Vec<u8>> {
    entry.operation.as_ref().map(Operation::to_bytes)
}

fn linked(entries: impl IntoIterator<Item = Entry>) -> Result<Verifier, String> {
    let keys = trust(&[1]);
    let examiner = Examiner::new(Some(Keys::Listed(&keys, Threshold::ONE)));
    let told = |bad: BadLedger| format!("{bad}");
    let mut verifier = Verifier::default();
    for (entry, sequence) in entries.into_iter().zip(1..) {
        let entry = Entry {
            sequence,
            previous: verifier.newest().map(|newest| newest.digest),
            ..entry
        };
        verifier
            .take(
                examiner
                    .examine(sequence, &entry.to_document(), body(&entry).as_deref())
                    .map_err(told)?,
            )
            .map_err(told)?;
    }
    Ok(verifier)
}

fn problem(entries: impl IntoIterator<Item = Entry>) -> String {
    linked(entries).map_or_else(|problem| problem, |_| String::from("holds"))
}

#[test]
fn a_claim_is_examined_with_the_terms_of_its_receipt() {
    let keys = trust(&[1]);
    let examined = |trusted: Option<Keys>| {
        Examiner::new(trusted)
            .examine(1, &claim().to_document(), body(&claim()).as_deref())
            .map(|examined| examined.terms().cloned())
    };
    assert_eq!(
        examined(Some(Keys::Listed(&keys, Threshold::ONE))),
        Ok(Some(terms()))
    );
    assert_eq!(
        examined(None),
        Ok(None),
        "without keys nobody knows whose terms they are"
    );
}

#[test]
fn an_outcome_holds_an_answer_and_nothing_to_be_done() {
    let outcome = |edit: fn(&mut Entry)| {
        let mut outcome = outcome_of(&claim());
        edit(&mut outcome);
        problem([claim(), outcome])
    };
    assert_eq!(outcome(|_| ()), "holds");
    let wrong = "structure: entry 2: an outcome holds GitHub's answer, and no receipt";
    assert_eq!(outcome(|outcome| outcome.github_response = None), wrong);
    assert_eq!(outcome(|outcome| outcome.receipt = claim().receipt), wrong);
}

#[test]
fn an_entry_may_be_ten_minutes_older_than_one_before_it() {
    let older = |seconds: u64| {
        problem([
            claim(),
            Entry {
                timestamp: claim().timestamp.minus(seconds),
                ..outcome_of(&claim())
            },
        ])
    };
    assert_eq!(older(600), "holds");
    assert_eq!(
        older(601),
        "chain: entry 2: it was written at 2026-11-21T11:59:59Z, but an entry before it at 2026-11-21T12:10:00Z"
    );
}

/// Another receipt for the same operation in the same run, issued when the ledger held this.
fn another(seen: Head) -> Entry {
    claim_with(|terms| {
        terms.receipt_id = "another".parse().unwrap();
        terms.ledger.head = seen;
    })
}

/// The head of a ledger with these entries.
fn after(entries: impl IntoIterator<Item = Entry>) -> Head {
    linked(entries).unwrap().head()
}

fn claimed_already(entry: u64) -> String {
    format!(
        "uses: entry {entry}: entry {} claimed operation {} for run 17231231 already",
        entry - 1,
        release().digest()
    )
}

#[test]
fn an_open_claim_is_taken_over_by_a_later_attempt_of_the_acting_run_alone() {
    let of_another_run = Entry {
        acting_run: "9".parse().unwrap(),
        ..taken_over()
    };
    let under_another_receipt = Entry {
        attempt: RunAttempt(2),
        ..another(Head::EMPTY)
    };
    assert_eq!(problem([claim(), taken_over()]), "holds");
    assert_eq!(problem([claim(), under_another_receipt]), "holds");
    assert_eq!(problem([claim(), claim()]), claimed_already(2));
    assert_eq!(problem([claim(), another(Head::EMPTY)]), claimed_already(2));
    assert_eq!(problem([claim(), of_another_run]), claimed_already(2));
}

#[test]
fn a_settled_pair_is_claimed_again_only_under_a_receipt_that_was_issued_after_the_end() {
    let settled = |again: Entry| problem([claim(), outcome_of(&claim()), again]);
    let already = claimed_already(3).replace("entry 2 claimed", "entry 1 claimed");
    assert_eq!(settled(another(Head::EMPTY)), already);
    assert_eq!(
        settled(another(after([claim()]))),
        already,
        "issued while it was open"
    );
    assert_eq!(
        settled(another(after([claim(), outcome_of(&claim())]))),
        "holds"
    );
}

#[test]
fn a_receipt_was_issued_when_the_ledger_held_what_lies_below_its_claim() {
    let ended = [claim(), outcome_of(&claim())];
    let later = after(ended.clone());
    let unreached = Head::at(EntryId {
        sequence: 3,
        digest: Digest::of(b"any"),
    });
    let other = Head::at(EntryId {
        sequence: 2,
        digest: Digest::of(b"any"),
    });
    let problem_of = |seen: Head| problem(ended.clone().into_iter().chain([another(seen)]));
    assert_eq!(problem_of(later), "holds");
    for seen in [unreached, other] {
        assert_eq!(
            problem_of(seen),
            format!(
                "bindings: entry 3: its receipt was issued when the ledger held {}, which is not below it",
                seen.newest().unwrap()
            )
        );
    }
}

#[test]
fn a_receipt_is_spent_for_one_operation_only() {
    // Whoever has no keys sees only by the receipt's bytes that it is the same one.
    let examiner = Examiner::new(None);
    let mut verifier = Verifier::default();
    let mut take = |entry: &Entry, sequence: u64| {
        let entry = Entry {
            sequence,
            previous: verifier.newest().map(|newest| newest.digest),
            ..entry.clone()
        };
        let taken = examiner
            .examine(sequence, &entry.to_document(), body(&entry).as_deref())
            .and_then(|examined| verifier.take(examined));
        taken.map(|_| ()).map_err(|bad| format!("{bad}"))
    };
    let for_another = Entry {
        operation_kind: pull().kind(),
        operation_digest: pull().digest(),
        operation: Some(pull()),
        ..claim()
    };
    assert_eq!(take(&claim(), 1), Ok(()));
    assert_eq!(
        take(&for_another, 2),
        Err("uses: entry 2: the receipt receipt-abc123 was claimed already".into())
    );
    assert_eq!(take(&outcome_of(&claim()), 2), Ok(()));
    assert_eq!(
        take(&taken_over(), 3),
        Err("uses: entry 3: the receipt receipt-abc123 was claimed already".into())
    );
}

#[test]
fn a_claim_names_the_receipt_that_it_holds() {
    let other = Entry {
        receipts: [Digest::of(b"another")].into(),
        ..claim()
    };
    assert_eq!(
        problem([other]),
        "bindings: entry 1: it names another receipt than the one it holds"
    );
}

#[test]
fn an_outcome_says_of_itself_what_its_claim_says() {
    let other = |edit: fn(&mut Entry)| {
        let mut outcome = outcome_of(&claim());
        edit(&mut outcome);
        problem([claim(), outcome])
    };
    assert_eq!(other(|_| ()), "holds");
    let unclaimed = |digest: Digest, run: &str| {
        format!("uses: entry 2: no entry before it claims operation {digest} for run {run}")
    };
    assert_eq!(
        other(|outcome| outcome.operation_digest = pull().digest()),
        unclaimed(pull().digest(), "17231231")
    );
    assert_eq!(
        other(|outcome| outcome.run = "9".parse().unwrap()),
        unclaimed(release().digest(), "9")
    );
    // Another attempt of the run may have settled it by looking.
    assert_eq!(
        other(|outcome| {
            outcome.operation_id = "op-2".parse().unwrap();
            outcome.attempt = RunAttempt(2);
        }),
        "holds"
    );
    let edits: [fn(&mut Entry); 7] = [
        |outcome| outcome.receipts = [Digest::of(b"another")].into(),
        |outcome| outcome.acting_run = "9".parse().unwrap(),
        |outcome| outcome.attempt = RunAttempt(2),
        |outcome| outcome.operation_kind = pull().kind(),
        |outcome| outcome.repository = "owner/other".parse().unwrap(),
        |outcome| {
            outcome.signers = trust(&[1])
                .as_slice()
                .iter()
                .map(TrustedKey::signer)
                .collect();
        },
        |outcome| {
            outcome.authority.policy = Some(Pin {
                version: 1,
                digest: Digest::of(b"policy"),
            });
        },
    ];
    for edit in edits {
        assert_eq!(
            other(edit),
            "bindings: entry 2: it is not about what entry 1 claimed"
        );
    }
}

#[test]
fn an_outcome_may_be_that_of_a_claim_that_was_taken_over() {
    let entries = [
        claim(),
        taken_over(),
        outcome_of(&claim()),
        outcome_of(&taken_over()),
    ];
    assert_eq!(problem(entries), "holds");
    let of_none = Entry {
        attempt: RunAttempt(3),
        ..outcome_of(&claim())
    };
    assert_eq!(
        problem([claim(), taken_over(), of_none]),
        "bindings: entry 3: it is not about what entry 2 claimed"
    );
}

#[test]
fn a_claim_rests_on_a_receipt_that_allowed_it_then() {
    let advisory = "bindings: entry 1: its receipt allows nothing: it is advisory, or consumed by its own word";
    assert_eq!(
        problem([claim_with(|terms| terms.enforceable = false)]),
        advisory
    );
    assert_eq!(
        problem([claim_with(|terms| terms.consumed = true)]),
        advisory
    );
    let at = |timestamp: Timestamp| {
        problem([Entry {
            timestamp,
            ..claim()
        }])
    };
    assert_eq!(
        [at(NOON.minus(60)), at(NOON.plus(3599))],
        ["holds", "holds"]
    );
    let counts = |at: &str| {
        format!(
            "bindings: entry 1: it was claimed at {at}, but its receipt counts from 2026-11-21T12:00:00Z until 2026-11-21T13:00:00Z"
        )
    };
    assert_eq!(at(NOON.minus(61)), counts("2026-11-21T11:58:59Z"));
    assert_eq!(at(NOON.plus(3600)), counts("2026-11-21T13:00:00Z"));
}

#[test]
fn what_was_verified_is_counted_and_named() {
    let verifier = linked([claim(), taken_over()]).unwrap();
    assert_eq!(
        verifier.tally(),
        Tally {
            entries: 2,
            claims: 2,
            signed: 2,
            unfinished: 1,
            withdrawals: 0,
        }
    );
    assert_eq!(
        linked([claim(), outcome_of(&claim())]).unwrap().tally(),
        Tally {
            entries: 2,
            claims: 1,
            signed: 1,
            unfinished: 0,
            withdrawals: 0,
        }
    );
    assert_eq!(verifier.repository_id(), Some(terms().target.repository_id));
    assert_eq!(verifier.newest().map(|newest| newest.sequence), Some(2));
}

#[test]
fn the_remembered_authority_is_that_of_the_newest_claim() {
    let wrong = "uses: authority.json: it does not say what stood behind the newest claim";
    let told = |authority: Authority, found: Option<Authority>| {
        let verifier = linked([Entry {
            authority,
            ..claim()
        }])
        .unwrap();
        let found = found.map(|found| found.to_document());
        verifier
            .is_authority(found.as_deref())
            .map_err(|bad| format!("{bad}"))
    };
    let policy = |version: u64| Authority {
        trust: None,
        policy: Some(Pin {
            version,
            digest: Digest::of(b"policy"),
        }),
    };
    assert_eq!(told(Authority::default(), None), Ok(()));
    assert_eq!(told(policy(2), Some(policy(2))), Ok(()));
    for (authority, found) in [
        (Authority::default(), Some(Authority::default())),
        (policy(2), None),
        (policy(2), Some(policy(1))),
    ] {
        assert_eq!(told(authority, found), Err(wrong.into()));
    }
}

/// Walks commits that hold so many entries, newest first; what is wrong with which, and how many strays.
fn walked(newest_first: &[(usize, usize)]) -> (Vec<Result<(), String>>, u64) {
    let verifier = linked([claim(), outcome_of(&claim())]).unwrap();
    let mut history = verifier.history();
    let taken = newest_first
        .iter()
        .map(|(entries, parents)| {
            let head = verifier.head_at(*entries).to_document();
            let step = history.take(&commit('1'), *parents, &head, Making::default());
            step.map_err(|bad| bad.problem)
        })
        .collect();
    (taken, history.strays())
}

#[test]
fn a_commit_adds_one_entry_or_is_a_stray_above_the_first() {
    let rows: [(&[usize], u64, &str); 5] = [
        (&[2, 1, 0], 0, "an entry each"),
        (&[2, 1, 0, 0, 0], 0, "two trial appends"),
        (&[2, 1, 1, 0], 1, "a stray between entries"),
        (&[2, 2, 2, 1, 0], 2, "two strays after the last"),
        (&[2, 2, 1, 1, 1, 0, 0], 3, "all of them"),
    ];
    for (entries, strays, what) in rows {
        let commits: Vec<(usize, usize)> = entries.iter().map(|entries| (*entries, 1)).collect();
        let held = [const { Ok(()) }; 7].into_iter().take(entries.len());
        assert_eq!(walked(&commits), (held.collect(), strays), "{what}");
    }
}

#[test]
fn a_commit_that_merges_or_takes_an_entry_back_is_told() {
    let (merged, _) = walked(&[(2, 2)]);
    assert_eq!(
        merged,
        [Err(String::from("it merges other commits into the ledger"))]
    );
    let (taken_back, _) = walked(&[(2, 1), (1, 1), (2, 1)]);
    let problem = taken_back[2].clone().unwrap_err();
    assert!(
        problem.starts_with("counted back from the newest entry it should hold entry 1 (sha256:")
            && problem.contains(", but it holds entry 2 (sha256:")
            && problem.ends_with("a commit took an entry back, or skipped one"),
        "{problem}"
    );
    let verifier = linked([claim()]).unwrap();
    let no_head = verifier
        .history()
        .take(&commit('1'), 1, b"{}", Making::default());
    assert_eq!(
        no_head.map_err(|bad| format!("{bad}")),
        Err(format!(
            "history: commit {}: ledger.json: the member `sequence` is missing (at $)",
            commit('1')
        ))
    );
}

// Receipts that were taken back.

/// These entries, and after so many of them a withdrawal of the receipt of `claim()` by this key.
fn with_withdrawal(entries: &[Entry], before: usize, by: u8) -> Verifier {
    use crate::{ledger::Withdrawing, statement::Signed, withdrawal::Withdrawal};

    let envelope = claim().receipt.unwrap();
    let receipt = envelope.verify(&trust(&[1]), Threshold::ONE).unwrap();
    let (host, reason) = ("github.com".parse().unwrap(), "given up".parse().unwrap());
    let withdrawal = Withdrawal::of(&receipt, host, NOON, reason);
    let signed = Signed::signed_by(&withdrawal, &testing::key(by)).unwrap();
    let said = signed.verify(trust(&[by]).as_slice()).unwrap();

    let mut branch = Branch::empty();
    for index in 0..=entries.len() {
        if index == before {
            let tail = branch.above(&branch.checkpoint()).unwrap();
            let now = NOON.plus(600);
            let entry = Withdrawing::next(&tail, &signed, &said, now).unwrap();
            branch.commit(entry.append(&tail).files().to_vec());
        }
        if let Some(entry) = entries.get(index) {
            branch.add(entry);
        }
    }

    let keys = trust(&[1]);
    let by = Examiner::new(Some(Keys::Listed(&keys, Threshold::ONE)));
    let mut verifier = Verifier::default();
    for number in 1..=branch.checkpoint().head.sequence() {
        let files = &branch.tip().files;
        let file = &files[&crate::ledger::entry_path(number)];
        let claimed = Entry::claimed_operation(file);
        let operation = entries
            .iter()
            .find(|entry| claimed == Some(entry.operation_digest))
            .and_then(|entry| entry.operation.as_ref())
            .map(Operation::to_bytes);
        let examined = by.examine(number, file, operation.as_deref());
        verifier.take(examined.unwrap()).unwrap();
    }
    verifier
}

#[test]
fn a_claim_of_a_receipt_that_was_taken_back_is_found() {
    let uses = |entries: &[Entry], before, by| {
        let verifier = with_withdrawal(entries, before, by);
        assert_eq!(verifier.tally().withdrawals, 1);
        assert_eq!(verifier.withdrawals().len(), 1);
        let found = verifier.withdrawn_uses().iter().map(BadLedger::from);
        found.map(|bad| format!("{bad}")).collect::<Vec<_>>()
    };
    let done = [claim(), outcome_of(&claim())];
    let found = uses(&done, 0, 1);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .starts_with("uses: entry 2: it claims a receipt that was withdrawn: entry 1: key-1"),
        "{found:?}"
    );
    assert!(
        uses(&done, 0, 2).is_empty(),
        "key 2 did not sign the receipt"
    );
    assert!(uses(&done, 1, 1).is_empty(), "it was claimed before");
    assert!(
        uses(&[claim(), taken_over()], 1, 1).is_empty(),
        "what is begun is finished"
    );
    assert!(uses(&[], 0, 1).is_empty());
}

#[test]
fn only_a_withdrawal_that_a_trusted_key_signed_may_be_carried_by_any_account() {
    let carried = |by| {
        let verifier = with_withdrawal(&[], 0, by);
        verifier.moments.entries[0].is_signed
    };
    assert!(carried(1));
    assert!(!carried(2));
}
