//! Ledgers that are wrong in one way: entries are edited first and linked then, so that no digest tells of it.

use alloc::vec::Vec;

use super::*;
use crate::{
    authority::Pin,
    envelope::Envelope,
    keys::TrustedKey,
    ledger::GithubResponse,
    name::RunAttempt,
    testing::{NOON, commit, key, pull, release, terms, trust},
};

/// A claim of `release()` by attempt 1, ten minutes after its receipt was issued.
fn claim() -> Entry {
    claim_with(|_| ())
}

/// The same under a receipt with other terms, signed by key 1.
fn claim_with(edit: impl FnOnce(&mut Terms)) -> Entry {
    let mut terms = terms();
    edit(&mut terms);
    Entry {
        sequence: 1,
        previous: None,
        event_type: EventType::Claimed,
        timestamp: NOON.plus(600),
        operation_id: "op-1".parse().unwrap(),
        run_id: terms.run_id.clone(),
        run_attempt: RunAttempt(1),
        receipt_id: terms.receipt_id.clone(),
        operation_kind: terms.operation_kind,
        repository: terms.target.repository.clone(),
        operation_digest: terms.operation_digest,
        signers: Vec::new(),
        authority: Authority::default(),
        receipt: Some(Envelope::sign(&terms, &[&key(1)])),
        operation: Some(release()),
        github_response: None,
    }
}

/// What attempt 2 writes when it takes the claim over.
fn taken_over() -> Entry {
    Entry {
        operation_id: "op-2".parse().unwrap(),
        run_attempt: RunAttempt(2),
        ..claim()
    }
}

fn outcome_of(claim: Entry) -> Entry {
    Entry {
        event_type: EventType::Succeeded,
        receipt: None,
        operation: None,
        github_response: Some(GithubResponse::default()),
        ..claim
    }
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
                    .examine(sequence, &entry.to_document())
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
            .examine(1, &claim().to_document())
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
        let mut outcome = outcome_of(claim());
        edit(&mut outcome);
        problem([claim(), outcome])
    };
    assert_eq!(outcome(|_| ()), "holds");
    let wrong =
        "structure: entry 2: an outcome holds GitHub's answer, and neither receipt nor operation";
    assert_eq!(outcome(|outcome| outcome.github_response = None), wrong);
    assert_eq!(
        outcome(|outcome| outcome.operation = Some(release())),
        wrong
    );
    assert_eq!(outcome(|outcome| outcome.receipt = claim().receipt), wrong);
}

#[test]
fn an_entry_may_be_ten_minutes_older_than_one_before_it() {
    let older = |seconds: u64| {
        problem([
            claim(),
            Entry {
                timestamp: claim().timestamp.minus(seconds),
                ..outcome_of(claim())
            },
        ])
    };
    assert_eq!(older(600), "holds");
    assert_eq!(
        older(601),
        "chain: entry 2: it was written at 2026-11-21T11:59:59Z, but an entry before it at 2026-11-21T12:10:00Z"
    );
}

#[test]
fn a_receipt_is_claimed_again_by_a_later_attempt_of_the_run_alone() {
    let again = "states: entry 2: the receipt receipt-abc123 was claimed already by entry 1";
    assert_eq!(problem([claim(), taken_over()]), "holds");
    assert_eq!(problem([claim(), claim()]), again);
    assert_eq!(
        problem([
            claim(),
            Entry {
                run_id: "9".parse().unwrap(),
                ..taken_over()
            }
        ]),
        again
    );
    let settled = [claim(), outcome_of(claim()), taken_over()];
    assert_eq!(
        problem(settled),
        "states: entry 3: the receipt receipt-abc123 was claimed already by entry 1"
    );
    let other = claim_with(|terms| {
        terms.operation_kind = pull().kind();
        terms.operation_digest = pull().digest();
    });
    let other = Entry {
        operation: Some(pull()),
        run_attempt: RunAttempt(2),
        ..other
    };
    assert_eq!(problem([claim(), other]), again);
}

#[test]
fn an_outcome_says_of_itself_what_its_claim_says() {
    let other = |edit: fn(&mut Entry)| {
        let mut outcome = outcome_of(claim());
        edit(&mut outcome);
        problem([claim(), outcome])
    };
    assert_eq!(other(|_| ()), "holds");
    let edits: [fn(&mut Entry); 8] = [
        |outcome| outcome.operation_id = "op-2".parse().unwrap(),
        |outcome| outcome.operation_digest = pull().digest(),
        |outcome| outcome.run_id = "9".parse().unwrap(),
        |outcome| outcome.run_attempt = RunAttempt(2),
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
            unfinished: 1
        }
    );
    assert_eq!(
        linked([claim(), outcome_of(claim())]).unwrap().tally(),
        Tally {
            entries: 2,
            claims: 1,
            signed: 1,
            unfinished: 0
        }
    );
    assert_eq!(verifier.repository_id(), Some(terms().target.repository_id));
    assert_eq!(verifier.newest().map(|newest| newest.sequence), Some(2));
    assert_eq!(
        (
            verifier.has(&terms().receipt_id),
            verifier.has(&"other".parse().unwrap())
        ),
        (true, false)
    );
}

#[test]
fn the_remembered_authority_is_that_of_the_newest_claim() {
    let wrong = "states: authority.json: it does not say what stood behind the newest claim";
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

#[test]
fn a_state_is_what_the_entries_make_it() {
    let verifier = linked([claim(), outcome_of(claim())]).unwrap();
    let told = |receipt: &str, found: Option<&ReceiptState>| {
        let found = found.map(Document::to_document);
        verifier
            .is_state(&receipt.parse().unwrap(), found.as_deref())
            .map_err(|bad| bad.problem)
    };
    let settled = ReceiptState {
        outcome_sequence: Some(2),
        ..ReceiptState::claimed_by(&claim())
    };
    assert_eq!(told("receipt-abc123", Some(&settled)), Ok(()));
    assert_eq!(
        told("receipt-abc123", Some(&ReceiptState::claimed_by(&claim()))),
        Err("it is not what the entries make it".into())
    );
    assert_eq!(
        told("receipt-abc123", None),
        Err("the file is missing".into())
    );
    assert_eq!(
        told("other", Some(&settled)),
        Err("no entry claims this receipt".into())
    );
}

#[test]
fn every_commit_adds_one_entry() {
    let verifier = linked([claim(), outcome_of(claim())]).unwrap();
    let heads: Vec<Vec<u8>> = (0..=2)
        .map(|entries| verifier.head_at(entries).to_document())
        .collect();
    let told = |behind: u64, parents: usize, head: usize| {
        verifier
            .is_commit(behind, &commit('1'), parents, &heads[head])
            .map_err(|bad| bad.problem)
    };
    assert_eq!(
        [told(0, 1, 2), told(1, 1, 1), told(2, 0, 0)],
        [Ok(()), Ok(()), Ok(())]
    );
    assert_eq!(
        told(0, 2, 2),
        Err("it merges other commits into the ledger".into())
    );
    let other = told(1, 1, 2).unwrap_err();
    assert!(
        other.starts_with("counted back from the newest entry it should hold entry 1 (sha256:"),
        "{other}"
    );
    assert!(other.contains(", but it holds entry 2 (sha256:"), "{other}");
}

#[test]
fn commits_without_an_entry_are_allowed_only_before_the_first_entry() {
    let verifier = linked([claim(), outcome_of(claim())]).unwrap();
    let heads = [0, 1, 2].map(|entries| verifier.head_at(entries).to_document());
    let row = |newest_first: &[usize]| -> Vec<bool> {
        let found = newest_first.iter().zip(0..);
        found
            .map(|(head, behind)| {
                verifier
                    .is_commit(behind, &commit('1'), 1, &heads[*head])
                    .is_ok()
            })
            .collect()
    };

    assert_eq!(row(&[2, 1, 0, 0, 0]), [true; 5], "two trial appends");
    assert_eq!(
        row(&[2, 1, 1, 0]),
        [true, true, false, true],
        "a commit without an entry between entries"
    );
    assert_eq!(
        row(&[2, 2, 1, 0]),
        [true, false, false, true],
        "a commit without an entry after the last"
    );
    assert_eq!(
        row(&[2, 1, 0, 1, 0]),
        [true, true, true, false, true],
        "an entry that was removed"
    );
}
