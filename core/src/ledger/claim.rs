//! Spends a receipt: one compare-and-swap append, and a new look whenever it is not certain that it went through.

use alloc::{format, string::String, vec};

use super::{
    Append, Appended, Checkpoint, Effect, Entry, EventType, Head, LedgerStore, Outcome, ReceiptState, Snapshot, Use, entry_path,
    state_path, store::Rejection,
};
use crate::{
    authorize::Grant, document::Document, ledger::HEAD_PATH, name::CommitId, operation::Operation, receipt::VerifiedReceipt,
    refusal::Refusal, timestamp::Timestamp,
};

/// How often an append is tried on a busy ledger.
pub(super) const TRIES: usize = 16;

/// The commit on which the next append builds, and the head that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) commit: CommitId,
    pub(super) head: Head,
}

impl Tip {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self { commit: snapshot.commit.clone(), head: snapshot.head }
    }

    pub(super) const fn next_sequence(&self) -> u64 {
        self.head.sequence() + 1
    }
}

/// A spent receipt: the right to do its operation once. Made by [`claim`] alone.
#[derive(Debug)]
pub struct Claim {
    grant: Grant,
    entry: Checkpoint,
    state: ReceiptState,
    tip: Tip,
}

/// Why there is no claim.
#[derive(Debug, PartialEq, Eq)]
pub enum NoClaim {
    /// A new look showed that the receipt no longer counts. Nothing was written.
    Refused(Refusal),
    /// GitHub did not take the entry. Nothing was written.
    Rejected(Rejection),
    /// Others were faster, every time. Nothing was written.
    Contended,
    /// The entry may be on the ledger or not.
    Unknown(String),
}

/// Spends the grant's receipt on the ledger. Every append that is not certain is followed by a new look at "already consumed".
pub async fn claim<S: LedgerStore>(mut grant: Grant, store: &S, now: Timestamp) -> Result<Claim, NoClaim> {
    let mut unanswered = None;
    for _ in 0..TRIES {
        let tip = Tip::of(grant.snapshot());
        let entry = claim_entry(&grant, &tip, now);
        let (checkpoint, state) = (entry.checkpoint(), claimed_state(&grant, &entry));
        let lost = match store.append(&append(&tip, &entry, &state)).await {
            Appended::Done(commit) => {
                let tip = Tip { commit, head: Head::at(checkpoint) };
                return Ok(Claim { grant, entry: checkpoint, state, tip });
            }
            Appended::Rejected(rejection) => return Err(NoClaim::Rejected(rejection)),
            Appended::Stale => None,
            Appended::Unknown(reason) => Some(reason),
        };
        match (look_again(&mut grant, store, now).await, lost) {
            // The lost append went through: the ledger holds this very attempt's claim.
            (Ok(Use::Ours), _) => {
                let tip = Tip::of(grant.snapshot());
                return Ok(Claim { grant, entry: checkpoint, state, tip });
            }
            (Ok(_), lost) => unanswered = lost,
            // An unread ledger after a lost answer leaves open whether the receipt is spent.
            (Err(Refusal::LedgerUnavailable { reason: unread }), Some(reason)) => {
                return Err(NoClaim::Unknown(format!("{reason}; then {unread}")));
            }
            (Err(refusal), _) => return Err(NoClaim::Refused(refusal)),
        }
    }
    Err(unanswered.map_or(NoClaim::Contended, NoClaim::Unknown))
}

async fn look_again<S: LedgerStore>(grant: &mut Grant, store: &S, now: Timestamp) -> Result<Use, Refusal> {
    let view = store.look(&grant.look()).await?;
    grant.look_again(view.snapshot, view.observed_at.map_or(now, |date| date.max(now)))
}

fn claim_entry(grant: &Grant, tip: &Tip, now: Timestamp) -> Entry {
    Entry {
        receipt: Some(grant.receipt().envelope().clone()),
        operation: Some(grant.operation().clone()),
        ..entry(grant, tip, EventType::Claimed, now)
    }
}

/// The members that every entry about this grant has.
pub(super) fn entry(grant: &Grant, tip: &Tip, event_type: EventType, now: Timestamp) -> Entry {
    let executor = grant.executor();
    Entry {
        sequence: tip.next_sequence(),
        previous: tip.head.newest().map(|newest| newest.digest),
        event_type,
        timestamp: now,
        operation_id: executor.operation_id.clone(),
        run_id: executor.run_id.clone(),
        run_attempt: executor.run_attempt,
        receipt_id: grant.receipt().terms().receipt_id.clone(),
        operation_kind: grant.operation().kind(),
        repository: grant.operation().target().repository.clone(),
        operation_digest: grant.operation().digest(),
        signers: grant.receipt().signers().into(),
        receipt: None,
        operation: None,
        github_response: None,
    }
}

fn claimed_state(grant: &Grant, entry: &Entry) -> ReceiptState {
    ReceiptState {
        claim_sequence: entry.sequence,
        run_id: grant.executor().run_id.clone(),
        run_attempt: grant.executor().run_attempt,
        operation_id: grant.executor().operation_id.clone(),
        operation_digest: entry.operation_digest,
        outcome_sequence: None,
    }
}

/// One commit: the entry, the receipt's state, the new head.
pub(super) fn append(tip: &Tip, entry: &Entry, state: &ReceiptState) -> Append {
    Append {
        expected: tip.commit.clone(),
        headline: format!("{} {} {}", entry.sequence, entry.event_type, entry.receipt_id),
        files: vec![
            (entry_path(entry.sequence), entry.to_document()),
            (state_path(&entry.receipt_id), state.to_document()),
            (HEAD_PATH.into(), Head::at(entry.checkpoint()).to_document()),
        ],
    }
}

impl Claim {
    /// What may be done, once.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        self.grant.operation()
    }

    /// The receipt that is spent.
    #[must_use]
    pub const fn receipt(&self) -> &VerifiedReceipt {
        self.grant.receipt()
    }

    /// The entry that spends it.
    #[must_use]
    pub const fn entry(&self) -> Checkpoint {
        self.entry
    }

    /// Ends the claim with what came of the operation.
    #[must_use]
    pub fn conclude(self, effect: Effect) -> Outcome {
        Outcome::new(self.grant, self.tip, self.state, effect)
    }
}
