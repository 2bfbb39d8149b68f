//! Claims and outcomes over a ledger in memory that can be slow, busy, or silent.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec,
    vec::Vec,
};
use core::{
    cell::RefCell,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{
    authority::Authority,
    authorize::{Basis, Evidence, Grant, Mode, Preflight, Sighting, authorize},
    envelope::Envelope,
    evidence::{AttachReceipt, UnverifiedEvidence},
    keys::Threshold,
    name::{CommitId, Executor},
    receipt::Terms,
    refusal::Refusal,
    testing::{NOON, commit, executor, key, release, target, terms, trust, trust_file, world},
    timestamp::Timestamp,
};

/// What happens to the next append.
enum Weather {
    /// Somebody else's entry comes first.
    Overtaken,
    /// The append is done, its answer lost.
    AnswerLost,
    /// The append is lost.
    RequestLost,
    /// GitHub says no.
    Rejected,
    /// The ledger cannot be read afterwards, and the answer is lost.
    Silence,
}

struct Memory(RefCell<Branch>);

struct Branch {
    files: BTreeMap<String, Vec<u8>>,
    commits: u64,
    headlines: Vec<String>,
    weather: VecDeque<Weather>,
    silent: bool,
    now: Timestamp,
}

impl Branch {
    fn commit(&self) -> CommitId {
        format!("{:040x}", self.commits).parse().unwrap()
    }

    fn add(&mut self, files: &[(String, Vec<u8>)]) -> CommitId {
        self.files.extend(files.iter().cloned());
        self.commits += 1;
        self.commit()
    }

    fn text(&self, path: &str) -> Option<String> {
        self.files
            .get(path)
            .map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    fn view(&self, look: &Look) -> Result<LedgerView, Refusal> {
        let raw = RawSnapshot {
            head: self.text(HEAD_PATH),
            state: self.text(&state_path(&look.receipt_id)),
            checkpoint: look
                .checkpoint
                .and_then(|checkpoint| self.text(&entry_path(checkpoint.sequence))),
            authority: self.text(AUTHORITY_PATH),
            states: self
                .text(&state_path(&look.receipt_id))
                .map(Some)
                .into_iter()
                .collect(),
        };
        Ok(LedgerView {
            snapshot: Snapshot::read(self.commit(), &raw)?,
            observed_at: Some(self.now),
            tag: None,
        })
    }

    fn append(&mut self, append: &Append) -> Appended {
        if *append.expected() != self.commit() {
            return Appended::Stale;
        }
        self.headlines.push(append.headline().into());
        Appended::Done {
            commit: self.add(append.files()),
            observed_at: Some(self.now),
            tag: None,
        }
    }
}

/// Recorded as this entry of an operation without a tag.
fn at(entry: Checkpoint) -> Recorded {
    Recorded::At { entry, tag: None }
}

impl LedgerStore for Memory {
    async fn look(&self, look: &Look) -> Result<LedgerView, Refusal> {
        let branch = self.0.borrow();
        if branch.silent {
            Err(Refusal::LedgerUnavailable {
                reason: "HTTP 503".into(),
            })
        } else {
            branch.view(look)
        }
    }

    async fn pause(&self, _round: usize) {}

    async fn append(&self, append: &Append) -> Appended {
        let mut branch = self.0.borrow_mut();
        match branch.weather.pop_front() {
            None => branch.append(append),
            Some(Weather::Overtaken) => {
                let other = grant_of("other", &executor_of("op-9", 9), &branch);
                let tip = claim::Tip::of(other.snapshot());
                let entry = claim::entry(&other, &tip, EventType::Claimed, NOON).unwrap();
                let files = [
                    (entry_path(entry.sequence), entry.to_document()),
                    (HEAD_PATH.into(), Head::at(entry.checkpoint()).to_document()),
                ];
                branch.add(&files);
                branch.append(append)
            }
            Some(Weather::AnswerLost) => {
                branch.append(append);
                Appended::Unknown("connection reset".into())
            }
            Some(Weather::RequestLost) => Appended::Unknown("timeout".into()),
            Some(Weather::Rejected) => Appended::Rejected(Rejection {
                code: "permission_denied",
                message: "Resource not accessible by integration".into(),
                remedy: "Grant it.",
            }),
            Some(Weather::Silence) => {
                branch.silent = true;
                Appended::Unknown("timeout".into())
            }
        }
    }
}

fn memory(weather: impl IntoIterator<Item = Weather>) -> Memory {
    let files = empty_ledger()
        .into_iter()
        .map(|(path, bytes)| (path.into(), bytes))
        .collect();
    Memory(RefCell::new(Branch {
        files,
        commits: 1,
        headlines: Vec::new(),
        weather: weather.into_iter().collect(),
        silent: false,
        now: NOON.plus(60),
    }))
}

fn executor_of(id: &str, attempt: u64) -> Executor {
    Executor {
        operation_id: id.parse().unwrap(),
        run_attempt: crate::name::RunAttempt(attempt),
        ..executor()
    }
}

fn grant_of(receipt: &str, executor: &Executor, branch: &Branch) -> Grant {
    grant_by(Basis::default(), receipt, executor, branch)
}

fn grant_by(basis: Basis, receipt: &str, executor: &Executor, branch: &Branch) -> Grant {
    let terms = Terms {
        receipt_id: receipt.parse().unwrap(),
        ledger: None,
        ..terms()
    };
    let snapshot = branch.view(&terms.look()).unwrap().snapshot;
    let now = NOON.plus(60);
    let evidence = Evidence {
        mode: Ok(Mode::Prod),
        run_id: terms.run_id.clone(),
        executor: executor.clone(),
        operation: Ok(release()),
        receipt: Envelope::sign(&terms, &[&key(1)]).verify(&trust(&[1]), Threshold::ONE),
        basis,
        now,
        preflight: Preflight::Seen(
            Sighting {
                target: target(),
                date: Some(now),
                ledger: Ok(snapshot),
                ledger_rules: None,
                world: world(),
            }
            .into(),
        ),
        allow_workflow_changes: false,
        attach_receipt: AttachReceipt::No,
    };
    authorize(evidence).verdict.unwrap()
}

fn grant(store: &Memory, id: &str) -> Grant {
    grant_of("receipt-1", &executor_of(id, 1), &store.0.borrow())
}

/// Memory never waits, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("memory does not wait"),
    }
}

fn entries(store: &Memory) -> Vec<Entry> {
    let branch = store.0.borrow();
    branch
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("entries/"))
        .map(|(_, bytes)| Entry::from_document(bytes).unwrap())
        .collect()
}

fn events(store: &Memory) -> Vec<(u64, EventType)> {
    entries(store)
        .iter()
        .map(|entry| (entry.sequence, entry.event_type))
        .collect()
}

fn state(store: &Memory) -> ReceiptState {
    let path = state_path(&"receipt-1".parse().unwrap());
    ReceiptState::from_document(store.0.borrow().text(&path).unwrap().as_bytes()).unwrap()
}

#[test]
fn a_claim_and_its_outcome_are_two_chained_entries() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    assert_eq!(
        (claim.entry().sequence, state(&store).outcome_sequence),
        (1, None)
    );
    assert_eq!(
        claim.document(),
        store.0.borrow().files[&entry_path(1)],
        "the evidence is the entry's file"
    );
    let recorded = now(record(
        &mut claim.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        NOON,
    ));
    let all = entries(&store);
    assert_eq!(recorded, at(all[1].checkpoint()));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Succeeded)]
    );
    assert_eq!(
        (all[0].previous, all[1].previous),
        (None, Some(all[0].checkpoint().digest))
    );
    assert_eq!(
        all[0]
            .operation
            .as_ref()
            .map(crate::operation::Operation::digest),
        Some(all[0].operation_digest)
    );
    assert_eq!(state(&store).outcome_sequence, Some(2));
}

#[test]
fn an_unknown_outcome_is_an_entry_but_leaves_the_receipt_unfinished() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    now(record(
        &mut claim.conclude(Effect::Unknown(GithubResponse::default())),
        &store,
        NOON,
    ));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Unknown)]
    );
    let state = state(&store);
    assert_eq!(state.outcome_sequence, None);
    assert_eq!(
        state.allows(&executor_of("op-2", 2), release().digest()),
        Use::Unfinished
    );
    assert_eq!(
        state.allows(&executor_of("op-2", 1), release().digest()),
        Use::Spent
    );
}

#[test]
fn the_ledger_remembers_what_decided_as_soon_as_a_trust_file_or_a_policy_did() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    assert_eq!(store.0.borrow().text(AUTHORITY_PATH), None);
    let basis = Basis {
        trust: Some(trust_file(1, None)),
        ..Basis::default()
    };
    let decided = Authority::of(basis.trust.as_ref(), None);
    let second = grant_by(
        basis,
        "receipt-2",
        &executor_of("op-2", 1),
        &store.0.borrow(),
    );
    drop(now(claim(second, &store, || NOON)).unwrap());
    assert_eq!(
        store.0.borrow().files[AUTHORITY_PATH],
        decided.to_document()
    );
    assert_eq!(
        entries(&store)
            .iter()
            .map(|entry| entry.authority)
            .collect::<Vec<_>>(),
        [Authority::default(), decided]
    );
}

#[test]
fn of_two_grants_for_one_receipt_one_claims_and_the_other_is_refused() {
    let store = memory([]);
    let (first, second) = (grant(&store, "op-1"), grant(&store, "op-2"));
    assert_eq!(
        now(claim(first, &store, || NOON)).unwrap().entry().sequence,
        1
    );
    let Err(NoClaim::Refused(refusal)) = now(claim(second, &store, || NOON)) else {
        panic!("claimed twice")
    };
    assert_eq!(refusal.code(), "receipt_consumed");
    assert_eq!(events(&store), [(1, EventType::Claimed)]);
}

#[test]
fn an_overtaken_claim_looks_again_and_comes_next() {
    let store = memory([Weather::Overtaken]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    assert_eq!(claim.entry().sequence, 2);
    assert_eq!(
        entries(&store)[1].previous,
        Some(entries(&store)[0].checkpoint().digest)
    );
}

#[test]
fn a_claim_whose_answer_was_lost_is_found_and_not_written_twice() {
    for weather in [Weather::AnswerLost, Weather::RequestLost] {
        let store = memory([weather]);
        let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
        assert_eq!(events(&store), [(1, EventType::Claimed)]);
        assert_eq!(claim.entry(), entries(&store)[0].checkpoint());
    }
}

#[test]
fn an_outcome_whose_answer_was_lost_is_found_and_not_written_twice() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    store.0.borrow_mut().weather.push_back(Weather::AnswerLost);
    let recorded = now(record(
        &mut claim.conclude(Effect::Failed(GithubResponse::default())),
        &store,
        NOON,
    ));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Failed)]
    );
    assert_eq!(recorded, at(entries(&store)[1].checkpoint()));
}

#[test]
fn an_outcome_that_was_lost_is_written_again() {
    for (effect, event) in [
        (Effect::Failed(GithubResponse::default()), EventType::Failed),
        // It leaves the receipt's state as it was, so that the state does not show whether it was written.
        (
            Effect::Unknown(GithubResponse::default()),
            EventType::Unknown,
        ),
    ] {
        let store = memory([]);
        let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
        store.0.borrow_mut().weather.push_back(Weather::RequestLost);
        let recorded = now(record(&mut claim.conclude(effect), &store, NOON));
        assert_eq!(events(&store), [(1, EventType::Claimed), (2, event)]);
        assert_eq!(recorded, at(entries(&store)[1].checkpoint()));
    }
}

#[test]
fn an_outcome_is_not_recorded_once_a_later_attempt_has_taken_the_claim_over() {
    let store = memory([]);
    let first = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store.0.borrow());
    drop(now(claim(second, &store, || NOON)).unwrap());
    let recorded = now(record(
        &mut first.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        NOON,
    ));
    assert_eq!(
        recorded,
        Recorded::Not("the receipt's state on the ledger is no longer that of this claim".into())
    );
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Claimed)]
    );
}

#[test]
fn the_evidence_of_an_earlier_attempt_precedes_the_claim_that_takes_over() {
    let store = memory([]);
    let other = grant_of("receipt-0", &executor_of("op-0", 1), &store.0.borrow());
    drop(now(claim(other, &store, || NOON)).unwrap());
    let first = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store.0.borrow());
    let second = now(claim(second, &store, || NOON)).unwrap();
    assert_eq!((first.resumes(), second.resumes()), (false, true));
    let precedes = |number: u64, claim: &Claim| {
        UnverifiedEvidence::read(store.0.borrow().files[&entry_path(number)].clone())
            .unwrap()
            .precedes(claim)
    };
    assert!(precedes(2, &second));
    assert!(!precedes(1, &second), "another receipt's");
    assert!(!precedes(3, &second), "its own");
    assert!(!precedes(3, &first), "a later attempt's");
}

#[test]
fn a_commit_is_headed_by_what_it_adds() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    now(record(
        &mut claim.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        NOON,
    ));
    let headlines = [
        "1 github_publisher.operation.claimed receipt-1",
        "2 github_publisher.operation.succeeded receipt-1",
    ]
    .map(String::from);
    assert_eq!(store.0.borrow().headlines, headlines);
}

#[test]
fn a_claim_that_nobody_can_see_is_unknown_and_a_rejected_one_is_not() {
    let silent = memory([Weather::Silence]);
    let Err(NoClaim::Unknown(reason)) = now(claim(grant(&silent, "op-1"), &silent, || NOON)) else {
        panic!("seen")
    };
    assert_eq!(reason, "timeout; then: the ledger cannot be read: HTTP 503");
    let refused = memory([Weather::Rejected]);
    let Err(NoClaim::Rejected(rejection)) = now(claim(grant(&refused, "op-1"), &refused, || NOON))
    else {
        panic!("claimed")
    };
    assert_eq!(rejection.code, "permission_denied");
    assert_eq!(events(&refused), []);
}

#[test]
fn a_claim_that_came_too_late_by_githubs_clock_ends_as_a_failure() {
    for (ahead, ours, code) in [
        (3600, NOON.plus(3590), "receipt_expired"),
        (361, NOON.plus(60), "clock_skew"),
    ] {
        let store = memory([]);
        let grant = grant(&store, "op-1");
        store.0.borrow_mut().now = NOON.plus(ahead);
        let Err(NoClaim::Late { entry, mut outcome }) = now(claim(grant, &store, || ours)) else {
            panic!("in time")
        };
        assert_eq!(
            outcome.effect().response().error_code.as_deref(),
            Some(code)
        );
        let message = outcome.effect().response().error_message.clone().unwrap();
        assert!(
            message.starts_with("the claim came too late: ")
                && message.ends_with("A new receipt is needed."),
            "{message}"
        );
        assert_eq!(entry, entries(&store)[0].checkpoint());
        now(record(&mut outcome, &store, ours));
        assert_eq!(
            events(&store),
            [(1, EventType::Claimed), (2, EventType::Failed)]
        );
    }
}

#[test]
fn a_receipt_that_expires_while_the_ledger_is_busy_is_not_claimed() {
    let store = memory([Weather::Overtaken]);
    let grant = grant(&store, "op-1");
    store.0.borrow_mut().now = NOON.plus(3600);
    let Err(NoClaim::Refused(refusal)) = now(claim(grant, &store, || NOON)) else {
        panic!("claimed")
    };
    assert_eq!(refusal.code(), "receipt_expired");
}

#[test]
fn a_ledger_that_is_always_busy_is_given_up() {
    let store = memory((0..32).map(|_| Weather::Overtaken));
    assert!(matches!(
        now(claim(grant(&store, "op-1"), &store, || NOON)),
        Err(NoClaim::Contended)
    ));
}

#[test]
fn a_claim_that_came_through_unseen_is_ours_even_if_the_receipt_expired_meanwhile() {
    let store = memory([Weather::AnswerLost]);
    let grant = grant(&store, "op-1");
    store.0.borrow_mut().now = NOON.plus(3600);
    assert_eq!(
        now(claim(grant, &store, || NOON))
            .map(|claim| claim.entry().sequence)
            .ok(),
        Some(1)
    );
}

#[test]
fn after_a_lost_append_no_answer_says_that_nothing_was_written() {
    for then in [Weather::Rejected, Weather::Overtaken] {
        let store = memory([Weather::RequestLost, then]);
        let grant = grant(&store, "op-1");
        if matches!(store.0.borrow().weather[1], Weather::Overtaken) {
            store
                .0
                .borrow_mut()
                .weather
                .extend((0..12).map(|_| Weather::Overtaken));
        }
        let Err(NoClaim::Unknown(reason)) = now(claim(grant, &store, || NOON)) else {
            panic!("seen")
        };
        assert_eq!(reason, "timeout");
    }
}

#[test]
fn a_grant_that_was_held_until_the_receipt_expired_is_not_claimed() {
    let store = memory([]);
    let Err(NoClaim::Refused(refusal)) =
        now(claim(grant(&store, "op-1"), &store, || NOON.plus(3600)))
    else {
        panic!("claimed")
    };
    assert_eq!(refusal.code(), "receipt_expired");
    assert_eq!(events(&store), []);
}

#[test]
fn a_forged_head_at_the_last_number_is_refused() {
    let store = memory([]);
    let last = Head::at(Checkpoint {
        sequence: u64::MAX,
        digest: Digest::of(b"forged"),
    });
    store
        .0
        .borrow_mut()
        .files
        .insert(HEAD_PATH.into(), last.to_document());
    let Err(NoClaim::Refused(refusal)) = now(claim(grant(&store, "op-1"), &store, || NOON)) else {
        panic!("claimed")
    };
    assert_eq!(refusal.code(), "ledger_unavailable");
}

#[test]
fn an_outcome_that_turns_out_otherwise_is_corrected_by_another_entry() {
    let store = memory([]);
    let mut outcome = now(claim(grant(&store, "op-1"), &store, || NOON))
        .unwrap()
        .conclude(Effect::Succeeded(GithubResponse::default()));
    now(record(&mut outcome, &store, NOON));
    outcome.correct(Effect::Failed(GithubResponse::default()));
    let corrected = now(record(&mut outcome, &store, NOON));
    assert_eq!(corrected, at(entries(&store)[2].checkpoint()));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Succeeded),
            (3, EventType::Failed)
        ]
    );
    assert_eq!(state(&store).outcome_sequence, Some(3));
}

#[test]
fn a_state_that_was_removed_after_it_was_written_is_a_rollback() {
    let raw = RawSnapshot {
        head: String::from_utf8(Head::EMPTY.to_document()).ok(),
        states: [None].into(),
        ..RawSnapshot::default()
    };
    let look = Look {
        receipt_id: "receipt-1".parse().unwrap(),
        checkpoint: None,
    };
    let Err(refusal) = Snapshot::read("1".repeat(40).parse().unwrap(), &raw)
        .unwrap()
        .holds(&look)
    else {
        panic!("holds")
    };
    assert_eq!(refusal.code(), "ledger_rolled_back");
}

#[test]
fn a_state_that_was_set_back_to_open_is_a_rollback() {
    let state = |outcome: &str| {
        let text = include_str!("../../../docs/ledger.md")
            .lines()
            .find(|line| line.starts_with("{\"claim_sequence\""))
            .unwrap();
        alloc::format!(
            "{}\n",
            text.replace(
                "\"outcome_sequence\":null",
                &alloc::format!("\"outcome_sequence\":{outcome}")
            )
        )
    };
    let held = |newest: &str, before: &[Option<String>]| {
        let states: Vec<Option<String>> = [Some(newest.into())]
            .into_iter()
            .chain(before.iter().cloned())
            .collect();
        let head = String::from_utf8(Head::EMPTY.to_document()).ok();
        let raw = RawSnapshot {
            head,
            state: Some(newest.into()),
            states,
            ..RawSnapshot::default()
        };
        let look = Look {
            receipt_id: "receipt-1".parse().unwrap(),
            checkpoint: None,
        };
        Snapshot::read("1".repeat(40).parse().unwrap(), &raw)
            .unwrap()
            .holds(&look)
            .map_err(|refusal| refusal.code())
    };
    let (open, settled) = (state("null"), state("43"));
    let rolled_back = Err("ledger_rolled_back");
    assert_eq!(held(&open, &[]), Ok(()));
    assert_eq!(
        held(&open, &[Some(open.clone()), Some(open.clone())]),
        Ok(())
    );
    assert_eq!(held(&settled, &[Some(open.clone())]), Ok(()));
    assert_eq!(
        held(&open, &[Some(settled.clone()), Some(open.clone())]),
        rolled_back
    );
    assert_eq!(
        held(&open, &[None, Some(open.clone()), Some(settled)]),
        rolled_back
    );
    assert_eq!(held(&open, &[Some("{}".into())]), rolled_back);
    // Who buries an outcome under changes finds that nobody digs for ever.
    assert_eq!(
        held(&open, &vec![Some(open.clone()); MOST_STATES - 2]),
        Ok(())
    );
    assert_eq!(
        held(&open, &vec![Some(open.clone()); MOST_STATES - 1]),
        rolled_back
    );
}

#[test]
fn what_was_settled_once_stays_settled_when_it_is_corrected_to_unknown() {
    let store = memory([]);
    let mut outcome = now(claim(grant(&store, "op-1"), &store, || NOON))
        .unwrap()
        .conclude(Effect::Succeeded(GithubResponse::default()));
    now(record(&mut outcome, &store, NOON));
    outcome.correct(Effect::Unknown(GithubResponse::default()));
    now(record(&mut outcome, &store, NOON));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Succeeded),
            (3, EventType::Unknown)
        ]
    );
    assert_eq!(state(&store).outcome_sequence, Some(3));
    assert_eq!(
        state(&store).allows(&executor_of("op-2", 2), release().digest()),
        Use::Spent
    );
}

#[test]
fn a_later_attempt_takes_an_unfinished_claim_over_and_settles_it() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store.0.borrow());
    let third = grant_of("receipt-1", &executor_of("op-3", 2), &store.0.borrow());
    let claim = now(super::claim(second, &store, || NOON)).unwrap();
    assert!(claim.resumes());
    let Err(NoClaim::Refused(refusal)) = now(super::claim(third, &store, || NOON)) else {
        panic!("two jobs resume")
    };
    assert_eq!(refusal.code(), "receipt_consumed");
    now(record(
        &mut claim.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        NOON,
    ));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Claimed),
            (3, EventType::Succeeded)
        ]
    );
    assert_eq!(state(&store).outcome_sequence, Some(3));
}

/// A ledger of two receipts: one shipped, one claimed and left by attempt 1, taken over and settled by attempt 2.
fn two_receipts() -> Memory {
    let store = memory([]);
    let spend = |receipt: &str, id: &str, attempt: u64, effect: Effect| {
        let grant = grant_of(receipt, &executor_of(id, attempt), &store.0.borrow());
        let claim = now(claim(grant, &store, || NOON)).unwrap();
        now(record(&mut claim.conclude(effect), &store, NOON));
    };
    spend(
        "receipt-1",
        "op-1",
        1,
        Effect::Succeeded(GithubResponse::default()),
    );
    spend(
        "receipt-2",
        "op-2",
        1,
        Effect::Unknown(GithubResponse::default()),
    );
    spend(
        "receipt-2",
        "op-3",
        2,
        Effect::Failed(GithubResponse::default()),
    );
    store
}

fn verify(store: &Memory, keys: &crate::keys::TrustedKeys) -> Result<Tally, String> {
    let branch = store.0.borrow();
    let examiner = Examiner::new(Some(Keys::Listed(keys, Threshold::ONE)));
    let mut verifier = Verifier::default();
    let told = |bad: BadLedger| format!("{bad}");
    for ((_, bytes), number) in branch
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("entries/"))
        .zip(1..)
    {
        verifier
            .take(examiner.examine(number, bytes).map_err(told)?)
            .map_err(told)?;
    }
    verifier.is_head(&branch.files[HEAD_PATH]).map_err(told)?;
    for receipt in verifier.receipts() {
        verifier
            .is_state(
                receipt,
                branch.files.get(&state_path(receipt)).map(Vec::as_slice),
            )
            .map_err(told)?;
    }
    Ok(verifier.tally())
}

#[test]
fn a_whole_ledger_is_verified_anew() {
    let tally = Tally {
        entries: 6,
        claims: 3,
        signed: 3,
        unfinished: 0,
    };
    assert_eq!(verify(&two_receipts(), &trust(&[1])), Ok(tally));
}

#[test]
fn the_first_bad_entry_is_named() {
    let after = |change: fn(&mut BTreeMap<String, Vec<u8>>)| {
        let store = two_receipts();
        change(&mut store.0.borrow_mut().files);
        verify(&store, &trust(&[1])).unwrap_err()
    };
    let replaced = |number: u64, from: &'static str, to: &'static str| {
        let store = two_receipts();
        let path = entry_path(number);
        let text = store.0.borrow().text(&path).unwrap().replacen(from, to, 1);
        store.0.borrow_mut().files.insert(path, text.into_bytes());
        verify(&store, &trust(&[1])).unwrap_err()
    };
    let fingerprint = "\"fingerprint\":\"SHA256:";
    let other = replaced(1, fingerprint, "\"fingerprint\":\"SHA256:other");
    assert!(
        other.starts_with("bindings: entry 1: it names a signer who did not sign its receipt"),
        "{other}"
    );
    let other = replaced(2, "\"run_id\":\"", "\"run_id\":\"9");
    assert!(
        other.contains("entry 2: it is not about what entry 1 claimed"),
        "{other}"
    );
    assert!(
        after(|files| drop(files.remove(&entry_path(2))))
            .starts_with("chain: entry 2: it says that it is entry 3")
    );
    assert!(
        after(|files| drop(files.remove(&entry_path(6))))
            .starts_with("chain: ledger.json: it does not name the last entry, entry 5")
    );
    assert!(
        after(|files| drop(files.insert(entry_path(1), files[&entry_path(3)].clone())))
            .starts_with("chain: entry 1: it says that it is entry 3")
    );
    assert_eq!(
        after(|files| drop(files.remove(&state_path(&"receipt-2".parse().unwrap())))),
        format!(
            "states: {}: the file is missing",
            state_path(&"receipt-2".parse().unwrap())
        )
    );
    let changed = after(|files| {
        let text = String::from_utf8(files[&entry_path(2)].clone())
            .unwrap()
            .replace("operation.succeeded", "operation.failed");
        files.insert(entry_path(2), text.into_bytes());
    });
    assert!(
        changed.starts_with("chain: entry 3: it follows sha256:"),
        "{changed}"
    );
    let another = after(|files| {
        let text = String::from_utf8(files[&entry_path(1)].clone())
            .unwrap()
            .replace("First.", "Other.");
        files.insert(entry_path(1), text.into_bytes());
    });
    assert!(
        another.starts_with("bindings: entry 1: its operation has the digest sha256:"),
        "{another}"
    );
}

#[test]
fn a_valid_chain_with_a_receipt_that_nobody_trusted_signed_is_bad() {
    assert_eq!(
        verify(&two_receipts(), &trust(&[9])).unwrap_err(),
        "signatures: entry 1: none of the 1 signature(s) on the receipt is by one of the 1 trusted key(s), `key-9`"
    );
}

#[test]
fn an_attempt_that_is_overtaken_by_an_earlier_one_resumes_it() {
    let store = memory([]);
    let (first, second) = (
        grant_of("receipt-1", &executor_of("op-1", 1), &store.0.borrow()),
        grant_of("receipt-1", &executor_of("op-2", 2), &store.0.borrow()),
    );
    drop(now(claim(first, &store, || NOON)).unwrap());
    assert!(
        now(claim(second, &store, || NOON)).unwrap().resumes(),
        "what the first attempt did must be looked at"
    );
}

#[test]
fn a_claim_is_not_taken_over_for_another_operation() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    assert_eq!(
        state(&store).allows(&executor_of("op-2", 2), release().digest()),
        Use::Unfinished
    );
    assert_eq!(
        state(&store).allows(&executor_of("op-2", 2), Digest::of(b"another")),
        Use::Spent
    );
}

#[test]
fn a_trial_append_changes_nothing_but_the_readme() {
    let append = Append::trial(commit('1'));
    assert_eq!(append.expected(), &commit('1'));

    let [(path, page)] = append.files() else {
        panic!("one file: {:?}", append.files());
    };
    assert_eq!(path, "README.md");
    assert!(page.starts_with(README.as_bytes()));
    assert_ne!(append.files(), Append::trial(commit('2')).files());
}
