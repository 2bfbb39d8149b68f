//! Claims and outcomes over a ledger in memory that can be slow, busy, or silent.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
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
    authority::{Authority, Reviewed},
    authorize::{Basis, Evidence, Grant, Mode, Preflight, Sighting, authorize},
    envelope::Envelope,
    evidence::{self, AttachReceipt, UnverifiedEvidence},
    keys::Threshold,
    name::Executor,
    operation::Operation,
    receipt::Terms,
    refusal::Refusal,
    testing::{
        Branch, NOON, branches, claim_of, commit, executor, guarded, key, outcome_of, release, tag,
        target, terms, trust, trust_file, world,
    },
    timestamp::Timestamp,
};

/// What happens to the next append.
enum Weather {
    /// Somebody else's entry comes first.
    Overtaken,
    /// The append is done, its answer lost.
    AnswerLost,
    /// The same, and this entry comes above it before anyone looks.
    AnswerLostBelow(Box<Entry>),
    /// The append is lost.
    RequestLost,
    /// GitHub says no.
    Rejected,
    /// The ledger cannot be read afterwards, and the answer is lost.
    Silence,
}

struct Memory(RefCell<Github>);

struct Github {
    branch: Branch,
    headlines: Vec<String>,
    weather: VecDeque<Weather>,
    silent: bool,
    /// What its answers are dated.
    now: Option<Timestamp>,
    /// The date of the commits that it signs; it signs none without one.
    signs_at: Option<Timestamp>,
}

impl Github {
    fn view(&self, known: &Tail) -> Result<LedgerView, Refusal> {
        Ok(LedgerView {
            tail: known.extended(self.branch.above(known.tip())?)?,
            observed_at: self.now,
            watched: None,
        })
    }

    fn append(&mut self, append: &Append) -> Appended {
        if *append.expected() != self.branch.tip().id {
            return Appended::Stale;
        }
        self.headlines.push(append.headline().into());
        let commit = self.branch.commit(append.files().iter().cloned());
        self.branch.tip_mut().proven_at = self.signs_at;
        Appended::Done {
            commit,
            observed_at: self.now,
            watched: None,
        }
    }
}

/// Recorded as this entry of an operation whose ref did not show.
fn at(entry: EntryId) -> Recorded {
    Recorded::At {
        entry,
        watched: None,
    }
}

impl LedgerStore for Memory {
    async fn look(&self, known: &Tail) -> Result<LedgerView, Refusal> {
        let github = self.0.borrow();
        if github.silent {
            Err(Refusal::LedgerUnavailable {
                reason: "HTTP 503".into(),
            })
        } else {
            github.view(known)
        }
    }

    async fn pause(&self, _round: usize) {}

    async fn append(&self, append: &Append) -> Appended {
        let lost = || Appended::Unknown("connection reset".into());
        let mut github = self.0.borrow_mut();
        match github.weather.pop_front() {
            None => github.append(append),
            Some(Weather::Overtaken) => {
                let others = claim_of(&tag(), &terms_of("other", &tag(), &github.branch));
                github.branch.add(&others);
                github.append(append)
            }
            Some(Weather::AnswerLost) => {
                github.append(append);
                lost()
            }
            Some(Weather::AnswerLostBelow(above)) => {
                github.append(append);
                github.branch.add(&above);
                lost()
            }
            Some(Weather::RequestLost) => Appended::Unknown("timeout".into()),
            Some(Weather::Rejected) => Appended::Rejected(Rejection {
                code: "permission_denied",
                message: "Resource not accessible by integration".into(),
                remedy: "Grant it.",
            }),
            Some(Weather::Silence) => {
                github.silent = true;
                Appended::Unknown("timeout".into())
            }
        }
    }
}

fn memory(weather: impl IntoIterator<Item = Weather>) -> Memory {
    Memory(RefCell::new(Github {
        branch: Branch::empty(),
        headlines: Vec::new(),
        weather: weather.into_iter().collect(),
        silent: false,
        now: Some(NOON.plus(60)),
        signs_at: None,
    }))
}

fn executor_of(id: &str, attempt: u64) -> Executor {
    Executor {
        operation_id: id.parse().unwrap(),
        run_attempt: crate::name::RunAttempt(attempt),
        ..executor()
    }
}

/// A receipt for an operation, whose issuer saw the empty ledger.
fn terms_of(receipt: &str, operation: &Operation, branch: &Branch) -> Terms {
    Terms {
        receipt_id: receipt.parse().unwrap(),
        operation_kind: operation.kind(),
        operation_digest: operation.digest(),
        ledger: branch.root(),
        ..terms()
    }
}

/// What the preflight of an attempt comes to.
fn asked(
    basis: Basis,
    terms: &Terms,
    operation: Operation,
    executor: &Executor,
    branch: &Branch,
) -> Result<Grant, Refusal> {
    authorize(evidence_at(
        NOON.plus(60),
        basis,
        terms,
        operation,
        executor,
        branch,
    ))
    .verdict
}

fn evidence_at(
    now: Timestamp,
    basis: Basis,
    terms: &Terms,
    operation: Operation,
    executor: &Executor,
    branch: &Branch,
) -> Evidence {
    Evidence {
        mode: Ok(Mode::Prod),
        run_id: terms.run_id.clone(),
        executor: executor.clone(),
        operation: Ok(operation),
        receipt: Envelope::sign(terms, &[&key(1)]).verify(&trust(&[1]), Threshold::ONE),
        basis,
        now,
        preflight: Preflight::Seen(
            Sighting {
                target: target(),
                date: Some(now),
                ledger: branch.above(&terms.ledger),
                guard: guarded(),
                reviewed: Reviewed::default(),
                world: world(),
                branches: branches(),
            }
            .into(),
        ),
        allow_workflow_changes: false,
        unguarded_ledger: false,
        attach_receipt: AttachReceipt::No,
    }
}

/// A moment after every receipt's end.
const EVENING: Timestamp = NOON.plus(6 * 3600);

/// What an attempt for the release may still settle after the receipt's end.
fn settlement(receipt: &str, executor: &Executor, store: &Memory) -> Option<Settlement> {
    settlement_after(receipt, executor, store, |_| ())
}

fn settlement_after(
    receipt: &str,
    executor: &Executor,
    store: &Memory,
    edit: impl FnOnce(&mut Evidence),
) -> Option<Settlement> {
    let branch = &store.0.borrow().branch;
    let terms = terms_of(receipt, &release(), branch);
    let basis = Basis {
        keys: Some((trust(&[1]), Threshold::ONE)),
        ..Basis::default()
    };
    let mut evidence = evidence_at(EVENING, basis, &terms, release(), executor, branch);
    edit(&mut evidence);
    let decision = authorize(evidence);
    assert!(decision.verdict.is_err());
    decision.settlement
}

fn asked_for_release(receipt: &str, executor: &Executor, store: &Memory) -> Result<Grant, Refusal> {
    let branch = &store.0.borrow().branch;
    let terms = terms_of(receipt, &release(), branch);
    asked(Basis::default(), &terms, release(), executor, branch)
}

/// The code of the refusal with which an attempt ends before it claims anything.
fn refused(receipt: &str, executor: &Executor, store: &Memory) -> &'static str {
    let asked = asked_for_release(receipt, executor, store);
    asked.map_or_else(|refusal| refusal.code(), |_| "-")
}

fn grant_of(receipt: &str, executor: &Executor, store: &Memory) -> Grant {
    asked_for_release(receipt, executor, store).unwrap()
}

fn grant(store: &Memory, id: &str) -> Grant {
    grant_of("receipt-1", &executor_of(id, 1), store)
}

/// Memory never waits, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("memory does not wait"),
    }
}

fn entries(store: &Memory) -> Vec<Entry> {
    let github = store.0.borrow();
    let files = github.branch.tip().files.iter();
    files
        .filter(|(path, _)| path.starts_with("entries/"))
        .map(|(_, bytes)| Entry::from_document(bytes).unwrap())
        .collect()
}

fn file(store: &Memory, path: &str) -> Option<String> {
    store.0.borrow().branch.tip().text(path)
}

fn events(store: &Memory) -> Vec<(u64, EventType)> {
    entries(store)
        .iter()
        .map(|entry| (entry.sequence, entry.event_type))
        .collect()
}

#[test]
fn a_claim_and_its_outcome_are_two_chained_entries() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    assert_eq!(claim.entry().sequence, 1);
    assert_eq!(
        Some(claim.document()),
        file(&store, &entry_path(1)).as_deref().map(str::as_bytes)
    );
    let operation = file(&store, &operation_path(&release().digest()));
    assert_eq!(operation, String::from_utf8(release().to_bytes()).ok());
    assert_eq!(
        claim.evidence(),
        evidence::compose(claim.document(), &release()),
        "the evidence is entry and operation"
    );
    assert_eq!(*claim.ledger_commit(), store.0.borrow().branch.tip().id);
    let recorded = now(record(
        &mut claim.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        || NOON,
    ));
    let all = entries(&store);
    assert_eq!(recorded, at(all[1].id()));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Succeeded)]
    );
    assert_eq!(
        (all[0].previous, all[1].previous),
        (None, Some(all[0].id().digest))
    );
    assert_eq!(all[0].operation_digest, release().digest());
    let receipt = all[0].receipt.as_ref().map(Envelope::payload_digest);
    assert_eq!(
        [&all[0].receipts, &all[1].receipts],
        [&Vec::from_iter(receipt); 2]
    );
    assert_eq!(
        refused("receipt-1", &executor_of("op-2", 2), &store),
        "receipt_consumed"
    );
    assert_eq!(
        refused("receipt-2", &executor_of("op-2", 2), &store),
        "operation_done"
    );
}

#[test]
fn an_unknown_outcome_is_an_entry_but_leaves_the_operation_unfinished() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    now(record(
        &mut claim.conclude(Effect::Unknown(GithubResponse::default())),
        &store,
        || NOON,
    ));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Unknown)]
    );
    assert_eq!(
        refused("receipt-1", &executor_of("op-2", 1), &store),
        "receipt_consumed"
    );
    let later = grant_of("receipt-1", &executor_of("op-2", 2), &store);
    assert!(now(super::claim(later, &store, || NOON)).unwrap().resumes());
}

#[test]
fn the_ledger_remembers_what_decided_as_soon_as_a_trust_file_or_a_policy_did() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    assert_eq!(file(&store, AUTHORITY_PATH), None);
    let basis = Basis {
        trust: Some(trust_file(1, None)),
        ..Basis::default()
    };
    let decided = Authority::of(basis.trust.as_ref(), None);
    let terms = terms_of("receipt-2", &tag(), &store.0.borrow().branch);
    let second = asked(
        basis,
        &terms,
        tag(),
        &executor_of("op-2", 1),
        &store.0.borrow().branch,
    );
    drop(now(claim(second.unwrap(), &store, || NOON)).unwrap());
    assert_eq!(
        file(&store, AUTHORITY_PATH).map(String::into_bytes),
        Some(decided.to_document())
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
fn a_claim_restores_the_newest_authority_where_someone_took_it_back() {
    let store = memory([]);
    let branch = &mut store.0.borrow_mut().branch.clone();
    branch.remember(&Authority::of(Some(&trust_file(2, None)), None));
    branch.remember(&Authority::of(Some(&trust_file(1, None)), None));
    store.0.borrow_mut().branch = branch.clone();

    let basis = Basis {
        trust: Some(trust_file(2, None)),
        ..Basis::default()
    };
    let terms = terms_of("receipt-1", &release(), branch);
    let grant = asked(basis, &terms, release(), &executor(), branch).unwrap();
    let newest = grant.authority();
    drop(now(claim(grant, &store, || NOON)).unwrap());
    assert_eq!(
        file(&store, AUTHORITY_PATH).map(String::into_bytes),
        Some(newest.to_document())
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
        Some(entries(&store)[0].id().digest)
    );
}

#[test]
fn a_claim_whose_answer_was_lost_is_found_and_not_written_twice() {
    for weather in [Weather::AnswerLost, Weather::RequestLost] {
        let store = memory([weather]);
        let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
        assert_eq!(events(&store), [(1, EventType::Claimed)]);
        assert_eq!(claim.entry(), entries(&store)[0].id());
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
        || NOON,
    ));
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Failed)]
    );
    assert_eq!(recorded, at(entries(&store)[1].id()));
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
        let recorded = now(record(&mut claim.conclude(effect), &store, || NOON));
        assert_eq!(events(&store), [(1, EventType::Claimed), (2, event)]);
        assert_eq!(recorded, at(entries(&store)[1].id()));
    }
}

#[test]
fn an_attempt_whose_claim_was_taken_over_still_records_what_it_did() {
    let store = memory([]);
    let first = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store);
    let second = now(claim(second, &store, || NOON)).unwrap();
    for (claim, sequence) in [(first, 3), (second, 4)] {
        let mut outcome = claim.conclude(Effect::Succeeded(GithubResponse::default()));
        let recorded = now(record(&mut outcome, &store, || NOON));
        assert_eq!(recorded, at(entries(&store)[sequence - 1].id()));
    }
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Claimed),
            (3, EventType::Succeeded),
            (4, EventType::Succeeded)
        ]
    );
    let tally = verify(&store, &trust(&[1])).unwrap();
    assert_eq!((tally.entries, tally.unfinished), (4, 0));
}

#[test]
fn the_evidence_of_an_earlier_attempt_precedes_the_claim_that_takes_over() {
    let store = memory([]);
    let others = terms_of("receipt-0", &tag(), &store.0.borrow().branch);
    store.0.borrow_mut().branch.add(&claim_of(&tag(), &others));
    let first = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store);
    let second = now(claim(second, &store, || NOON)).unwrap();
    assert_eq!((first.resumes(), second.resumes()), (false, true));
    let precedes = |number: u64, claim: &Claim| {
        let entry = file(&store, &entry_path(number)).unwrap().into_bytes();
        let operation = if number == 1 { tag() } else { release() };
        UnverifiedEvidence::read(evidence::compose(&entry, &operation))
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
        || NOON,
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
        store.0.borrow_mut().now = Some(NOON.plus(ahead));
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
        assert_eq!(entry, entries(&store)[0].id());
        now(record(&mut outcome, &store, || ours));
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
    store.0.borrow_mut().now = Some(NOON.plus(3600));
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
fn an_adopted_claim_is_judged_by_its_commits_proven_date_and_otherwise_by_the_first_sight_of_it() {
    let (in_time, late) = (Some(NOON.plus(3599)), Some(NOON.plus(3600)));
    let expired = Err(Some("receipt_expired".into()));
    let rows = [
        (in_time, in_time, Ok(1)),
        (in_time, late, Ok(1)),
        (in_time, None, Ok(1)),
        (late, in_time, expired.clone()),
        (None, in_time, Ok(1)),
        (None, late, expired),
        (None, None, Err(Some("ledger_unavailable".into()))),
    ];
    for (signed_at, seen_at, expected) in rows {
        let store = memory([Weather::AnswerLost]);
        let grant = grant(&store, "op-1");
        store.0.borrow_mut().signs_at = signed_at;
        store.0.borrow_mut().now = seen_at;
        let verdict = match now(claim(grant, &store, || NOON)) {
            Ok(claim) => Ok(claim.entry().sequence),
            Err(NoClaim::Late { outcome, .. }) => {
                assert!(matches!(outcome.effect(), Effect::Failed(_)));
                Err(outcome.effect().response().error_code.clone())
            }
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(
            verdict, expected,
            "signed at {signed_at:?}, seen at {seen_at:?}"
        );
        assert_eq!(events(&store), [(1, EventType::Claimed)]);
    }
}

#[test]
fn an_adopted_claim_that_takes_over_and_comes_too_late_leaves_the_outcome_unknown() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store);
    store.0.borrow_mut().weather.push_back(Weather::AnswerLost);
    store.0.borrow_mut().now = Some(NOON.plus(3600));
    let Err(NoClaim::Late { outcome, .. }) = now(claim(second, &store, || NOON)) else {
        panic!("in time")
    };
    assert!(matches!(outcome.effect(), Effect::Unknown(_)));
}

#[test]
fn a_claim_is_ours_by_its_bytes_and_only_while_nothing_about_it_lies_above() {
    let branch = Branch::empty();
    let claimed = claim_of(&release(), &terms_of("receipt-1", &release(), &branch));
    // The ids of our attempt can be read from our own claim.
    let copied = Entry {
        operation_id: "op-1".parse().unwrap(),
        ..claimed.clone()
    };
    for above in [copied, outcome_of(&claimed, EventType::Succeeded)] {
        let store = memory([Weather::AnswerLostBelow(Box::new(above))]);
        let Err(NoClaim::Unknown(reason)) = now(claim(grant(&store, "op-1"), &store, || NOON))
        else {
            panic!("claimed")
        };
        assert!(
            reason.starts_with(
                "connection reset; then: the receipt is spent: run 17231231 attempt 1"
            ),
            "{reason}"
        );
    }
}

#[test]
fn what_others_write_about_the_operation_does_not_keep_its_outcome_off_the_ledger() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let forged = outcome_of(&entries(&store)[0], EventType::Failed);
    store.0.borrow_mut().branch.add(&forged);
    store.0.borrow_mut().branch.stray();
    let mut outcome = claim.conclude(Effect::Succeeded(GithubResponse::default()));
    let recorded = now(record(&mut outcome, &store, || NOON));
    assert_eq!(recorded, at(entries(&store)[2].id()));
}

#[test]
fn the_timestamp_of_an_entry_is_renewed_for_each_try() {
    let clock = core::cell::Cell::new(NOON);
    let later = || {
        clock.set(clock.get().plus(60));
        clock.get()
    };
    let written = |store: &Memory, sequence: usize| entries(store)[sequence - 1].timestamp;

    let store = memory([Weather::RequestLost]);
    store.0.borrow_mut().now = Some(NOON.plus(200));
    let claim = now(claim(grant(&store, "op-1"), &store, later)).unwrap();
    let asked_once_before_the_claim = NOON.plus(60);
    assert_eq!(
        written(&store, 1).since(asked_once_before_the_claim),
        3 * 60,
        "a try, a look, a try"
    );

    let before = clock.get();
    store.0.borrow_mut().weather.push_back(Weather::RequestLost);
    let mut outcome = claim.conclude(Effect::Succeeded(GithubResponse::default()));
    now(record(&mut outcome, &store, later));
    assert_eq!(written(&store, 2).since(before), 2 * 60, "two tries");
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
                .extend((0..claim::TRIES).map(|_| Weather::Overtaken));
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
    let last = Checkpoint {
        commit: commit('1'),
        head: Head::at(EntryId {
            sequence: u64::MAX,
            digest: Digest::of(b"forged"),
        }),
    };
    let store = memory([]);
    store.0.borrow_mut().branch = Branch::at(&last);
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
    now(record(&mut outcome, &store, || NOON));
    outcome.correct(Effect::Failed(GithubResponse::default()));
    let corrected = now(record(&mut outcome, &store, || NOON));
    assert_eq!(corrected, at(entries(&store)[2].id()));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Succeeded),
            (3, EventType::Failed)
        ]
    );
}

#[test]
fn what_was_settled_once_stays_settled_when_it_is_corrected_to_unknown() {
    let store = memory([]);
    let mut outcome = now(claim(grant(&store, "op-1"), &store, || NOON))
        .unwrap()
        .conclude(Effect::Succeeded(GithubResponse::default()));
    now(record(&mut outcome, &store, || NOON));
    outcome.correct(Effect::Unknown(GithubResponse::default()));
    now(record(&mut outcome, &store, || NOON));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Succeeded),
            (3, EventType::Unknown)
        ]
    );
    assert_eq!(
        refused("receipt-1", &executor_of("op-2", 2), &store),
        "receipt_consumed"
    );
}

#[test]
fn a_later_attempt_takes_an_unfinished_claim_over_and_settles_it() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let second = grant_of("receipt-1", &executor_of("op-2", 2), &store);
    let third = grant_of("receipt-1", &executor_of("op-3", 2), &store);
    let claim = now(super::claim(second, &store, || NOON)).unwrap();
    assert!(claim.resumes());
    let Err(NoClaim::Refused(refusal)) = now(super::claim(third, &store, || NOON)) else {
        panic!("two jobs resume")
    };
    assert_eq!(refusal.code(), "receipt_consumed");
    now(record(
        &mut claim.conclude(Effect::Succeeded(GithubResponse::default())),
        &store,
        || NOON,
    ));
    assert_eq!(
        events(&store),
        [
            (1, EventType::Claimed),
            (2, EventType::Claimed),
            (3, EventType::Succeeded)
        ]
    );
}

#[test]
fn an_open_claim_is_settled_by_looking_after_the_receipts_end() {
    for (settled, event_type) in [
        (
            Settled::Succeeded(GithubResponse::default()),
            EventType::Succeeded,
        ),
        (
            Settled::Failed(GithubResponse::default()),
            EventType::Failed,
        ),
    ] {
        let store = memory([]);
        let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
        let settlement = settlement("receipt-1", &executor_of("op-2", 2), &store).unwrap();
        assert_eq!(settlement.claim(), claim.entry());
        assert_eq!(settlement.since(), NOON);

        let recorded = now(record(&mut settlement.conclude(settled), &store, || {
            EVENING
        }));
        let entry = entries(&store).pop().unwrap();
        assert_eq!(recorded, at(entry.id()));
        assert_eq!(
            events(&store),
            [(1, EventType::Claimed), (2, event_type)],
            "nothing is claimed for it"
        );
        assert_eq!(
            (entry.attempt.0, entry.receipt_id.as_str()),
            (2, "receipt-1")
        );
        verify(&store, &trust(&[1])).unwrap();

        // It has ended, for the attempt that wrote the claim too.
        let view = store.0.borrow().view(claim.tail()).unwrap();
        assert_eq!(
            claim.still_allows(&view),
            Err(Lapse::Lost { entry: entry.id() })
        );
        assert!(self::settlement("receipt-1", &executor_of("op-3", 3), &store).is_none());
    }
}

#[test]
fn only_what_the_acting_run_claimed_and_left_open_is_settled() {
    let attempt = executor_of("op-2", 2);
    let store = memory([]);
    assert!(
        settlement("receipt-1", &attempt, &store).is_none(),
        "nothing was claimed"
    );

    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let other = Executor {
        run_id: "99".parse().unwrap(),
        ..attempt.clone()
    };
    assert!(
        settlement("receipt-1", &other, &store).is_none(),
        "another run may still be at work"
    );
    for break_a_rule in [
        (|evidence| evidence.run_id = "99".parse().unwrap()) as fn(&mut Evidence),
        |evidence| evidence.operation = Ok(tag()),
        |evidence| evidence.receipt = Err(Refusal::ReceiptMissing),
        |evidence| evidence.mode = Ok(Mode::DryRun),
        |evidence| evidence.preflight = Preflight::NotAsked,
    ] {
        assert!(settlement_after("receipt-1", &attempt, &store, break_a_rule).is_none());
    }
    // By GitHub's clock it is valid, so an attempt that goes by that clock may still act.
    let in_time = |evidence: &mut Evidence| {
        let ends = evidence.receipt.as_ref().unwrap().terms().expires_at;
        evidence.now = ends;
        if let Preflight::Seen(sighting) = &mut evidence.preflight {
            sighting.date = Some(ends.minus(1));
        }
    };
    assert!(settlement_after("receipt-1", &attempt, &store, in_time).is_none());
    // What says who may act, and what there is room for, does not keep anyone from looking.
    let archive = |evidence: &mut Evidence| {
        if let Preflight::Seen(sighting) = &mut evidence.preflight {
            sighting.world.archived = true;
        }
    };
    assert!(settlement_after("receipt-1", &attempt, &store, archive).is_some());
}

#[test]
fn numbers_of_attempts_and_signatures_do_not_keep_a_claim_from_being_settled() {
    let store = memory([]);
    let claim = now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap();
    let forged = {
        let mut github = store.0.borrow_mut();
        let terms = terms_of("forged", &release(), &github.branch);
        let mut forged = claim_of(&release(), &terms);
        forged.attempt = crate::name::RunAttempt(u64::from(u32::MAX));
        forged.receipt = Some(Envelope::sign(&terms, &[&key(9)]));
        github.branch.add(&forged);
        forged
    };
    assert_eq!(
        refused("receipt-1", &executor_of("op-2", 2), &store),
        "receipt_consumed"
    );

    // The outcome is that of the claim whose receipt is good, not that of the forged one above it.
    let settlement = settlement("receipt-1", &executor_of("op-2", 2), &store).unwrap();
    assert_eq!(settlement.claim(), claim.entry());
    let settled = Settled::Succeeded(GithubResponse::default());
    now(record(&mut settlement.conclude(settled), &store, || {
        EVENING
    }));
    let entry = entries(&store).pop().unwrap();
    assert_ne!(entry.receipts, forged.receipts);
    assert_eq!(entry.receipt_id.as_str(), "receipt-1");
}

/// A claim of the acting run under another receipt, which ends then.
fn claim_until(store: &Memory, signer: u8, expires_at: Timestamp) {
    let mut github = store.0.borrow_mut();
    let terms = Terms {
        expires_at,
        ..terms_of("receipt-2", &release(), &github.branch)
    };
    let mut claim = claim_of(&release(), &terms);
    claim.receipt = Some(Envelope::sign(&terms, &[&key(signer)]));
    github.branch.add(&claim);
}

#[test]
fn nothing_is_settled_while_another_receipt_of_the_operation_is_valid() {
    for (signer, expires_at, is_settled) in [
        (1, EVENING.plus(3600), false),
        (1, EVENING, true),
        (9, EVENING.plus(3600), true),
    ] {
        let store = memory([]);
        drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
        claim_until(&store, signer, expires_at);
        let settlement = settlement("receipt-1", &executor_of("op-2", 2), &store);
        assert_eq!(settlement.is_some(), is_settled, "{signer} {expires_at}");
    }
}

#[test]
fn a_claim_that_came_after_the_look_is_not_settled_by_it() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let settlement = settlement("receipt-1", &executor_of("op-2", 2), &store).unwrap();
    claim_until(&store, 1, EVENING.plus(3600));
    let failed = Settled::Failed(GithubResponse::default());
    assert_eq!(
        now(record(&mut settlement.conclude(failed), &store, || EVENING)),
        Recorded::Not("another attempt has ended it, or taken it over, in the meantime".into())
    );
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Claimed)]
    );
}

#[test]
fn of_two_attempts_that_settle_one_records_it() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let look = |id| settlement("receipt-1", &executor_of(id, 2), &store).unwrap();
    let (first, second) = (look("op-2"), look("op-3"));
    let failed = || Settled::Failed(GithubResponse::default());
    now(record(&mut first.conclude(failed()), &store, || EVENING));
    assert_eq!(
        now(record(&mut second.conclude(failed()), &store, || EVENING)),
        Recorded::Not("another attempt has ended it, or taken it over, in the meantime".into())
    );
    assert_eq!(
        events(&store),
        [(1, EventType::Claimed), (2, EventType::Failed)]
    );
}

#[test]
fn the_outcome_that_another_attempt_settled_is_bad_where_nothing_was_open() {
    let store = two_receipts();
    let mut more = entries(&store).swap_remove(1);
    more.sequence = 7;
    more.previous = entries(&store).pop().map(|last| last.id().digest);
    more.attempt = crate::name::RunAttempt(2);
    more.operation_id = "op-9".parse().unwrap();
    store.0.borrow_mut().branch.add(&more);
    assert_eq!(
        verify(&store, &trust(&[1])).unwrap_err(),
        "bindings: entry 7: it is not about what entry 1 claimed"
    );
}

/// A ledger of two receipts: one shipped, one claimed and left by attempt 1, taken over and settled by attempt 2.
fn two_receipts() -> Memory {
    let store = memory([]);
    let spend = |operation: Operation, id: &str, attempt: u64, effect: Effect| {
        let branch = store.0.borrow().branch.clone();
        let terms = terms_of(operation.kind().as_str(), &operation, &branch);
        let executor = executor_of(id, attempt);
        let grant = asked(Basis::default(), &terms, operation, &executor, &branch).unwrap();
        let claim = now(claim(grant, &store, || NOON)).unwrap();
        now(record(&mut claim.conclude(effect), &store, || NOON));
    };
    let nothing = GithubResponse::default;
    spend(release(), "op-1", 1, Effect::Succeeded(nothing()));
    spend(tag(), "op-2", 1, Effect::Unknown(nothing()));
    spend(tag(), "op-3", 2, Effect::Failed(nothing()));
    store
}

fn verify(store: &Memory, keys: &crate::keys::TrustedKeys) -> Result<Tally, String> {
    verify_files(&store.0.borrow().branch.tip().files, keys)
}

/// What lies next to an entry.
fn body_of<'a>(files: &'a BTreeMap<String, Vec<u8>>, entry: &[u8]) -> Option<&'a [u8]> {
    let operation = Entry::claimed_operation(entry)?;
    files.get(&operation_path(&operation)).map(Vec::as_slice)
}

fn verify_files(
    files: &BTreeMap<String, Vec<u8>>,
    keys: &crate::keys::TrustedKeys,
) -> Result<Tally, String> {
    let examiner = Examiner::new(Some(Keys::Listed(keys, Threshold::ONE)));
    let mut verifier = Verifier::default();
    let told = |bad: BadLedger| format!("{bad}");
    let entries = files
        .iter()
        .filter(|(path, _)| path.starts_with("entries/"));
    for ((_, bytes), number) in entries.zip(1..) {
        verifier
            .take(
                examiner
                    .examine(number, bytes, body_of(files, bytes))
                    .map_err(told)?,
            )
            .map_err(told)?;
    }
    verifier.is_head(&files[HEAD_PATH]).map_err(told)?;
    Ok(verifier.tally())
}

#[test]
fn a_whole_ledger_is_verified_anew() {
    let tally = Tally {
        entries: 6,
        claims: 3,
        signed: 3,
        unfinished: 0,
        withdrawals: 0,
    };
    assert_eq!(verify(&two_receipts(), &trust(&[1])), Ok(tally));
}

#[test]
fn the_first_bad_entry_is_named() {
    let after = |change: fn(&mut BTreeMap<String, Vec<u8>>)| {
        let mut files = two_receipts().0.borrow().branch.tip().files.clone();
        change(&mut files);
        verify_files(&files, &trust(&[1])).unwrap_err()
    };
    let replaced = |number: u64, from: &'static str, to: &'static str| {
        let mut files = two_receipts().0.borrow().branch.tip().files.clone();
        let text = String::from_utf8(files[&entry_path(number)].clone()).unwrap();
        files.insert(entry_path(number), text.replacen(from, to, 1).into_bytes());
        verify_files(&files, &trust(&[1])).unwrap_err()
    };
    let fingerprint = "\"fingerprint\":\"SHA256:";
    let other = replaced(1, fingerprint, "\"fingerprint\":\"SHA256:other");
    assert!(
        other.starts_with("bindings: entry 1: it names a signer who did not sign its receipt"),
        "{other}"
    );
    let other = replaced(2, "\"acting_run\":\"", "\"acting_run\":\"9");
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
    let operation = operation_path(&release().digest());
    let another = after(|files| {
        let operation = operation_path(&release().digest());
        files.insert(operation, tag().to_bytes());
    });
    assert_eq!(
        another,
        format!(
            "operations: entry 1: its operation has the digest {}: `{operation}`",
            tag().digest()
        )
    );
    let none = after(|files| drop(files.remove(&operation_path(&release().digest()))));
    let missing = format!("operations: entry 1: its operation is not there: `{operation}`");
    assert_eq!(none, missing);
    let invented = replaced(
        1,
        "\"operation_digest\":\"sha256:63a0",
        "\"operation_digest\":\"sha256:0000",
    );
    assert!(
        invented.starts_with("operations: entry 1: its operation is not there: `operations/00/"),
        "{invented}"
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
        grant_of("receipt-1", &executor_of("op-1", 1), &store),
        grant_of("receipt-1", &executor_of("op-2", 2), &store),
    );
    drop(now(claim(first, &store, || NOON)).unwrap());
    assert!(
        now(claim(second, &store, || NOON)).unwrap().resumes(),
        "what the first attempt did must be looked at"
    );
}

#[test]
fn two_operations_of_a_run_are_claimed_side_by_side() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let branch = store.0.borrow().branch.clone();
    let terms = terms_of("receipt-2", &tag(), &branch);
    let second = asked(
        Basis::default(),
        &terms,
        tag(),
        &executor_of("op-2", 2),
        &branch,
    );
    let second = now(claim(second.unwrap(), &store, || NOON)).unwrap();
    assert!(
        !second.resumes(),
        "the first one is no earlier attempt of it"
    );
}

#[test]
fn a_later_attempt_takes_over_under_another_receipt_if_the_first_one_is_still_valid() {
    let store = memory([]);
    drop(now(claim(grant(&store, "op-1"), &store, || NOON)).unwrap());
    let branch = store.0.borrow().branch.clone();
    let terms = terms_of("receipt-2", &release(), &branch);
    let verdict = |keys: Option<&[u8]>| {
        let basis = Basis {
            keys: keys.map(|seeds| (trust(seeds), Threshold::ONE)),
            ..Basis::default()
        };
        let second = asked(basis, &terms, release(), &executor_of("op-2", 2), &branch);
        second.map_or_else(|refusal| refusal.code(), |_| "-")
    };
    assert_eq!(verdict(Some(&[1])), "-");
    assert_eq!(verdict(Some(&[2])), "receipt_consumed", "by a revoked key");
    assert_eq!(
        verdict(None),
        "receipt_consumed",
        "by keys that are not known"
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
