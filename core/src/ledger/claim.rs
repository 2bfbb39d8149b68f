//! Spends a receipt: one compare-and-swap append, and a new look whenever it is not certain that it went through.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};

use super::{
    Append, Appended, Checkpoint, Effect, Entry, EventType, GithubResponse, Head, LedgerStore,
    Outcome, ReceiptState, Snapshot, Use, entry_path, state_path, store::Rejection,
};
use crate::{
    authorize::Grant,
    binding,
    document::Document,
    ledger::{AUTHORITY_PATH, HEAD_PATH},
    name::CommitId,
    operation::Operation,
    receipt::VerifiedReceipt,
    refusal::Refusal,
    timestamp::Timestamp,
};

/// How often an append is tried on a busy ledger.
pub(super) const TRIES: usize = 12;

/// The commit on which the next append builds, and the head that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) commit: CommitId,
    pub(super) head: Head,
}

impl Tip {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            commit: snapshot.commit.clone(),
            head: snapshot.head,
        }
    }

    /// `None` after the last number there is: a head that claims so many entries was forged.
    pub(super) const fn next_sequence(&self) -> Option<u64> {
        self.head.sequence().checked_add(1)
    }
}

/// A spent receipt: the right to do its operation once. Made by [`claim`] alone.
#[derive(Debug)]
pub struct Claim {
    grant: Grant,
    entry: Checkpoint,
    /// The entry's file, as it was appended.
    document: Vec<u8>,
    state: ReceiptState,
    tip: Tip,
    /// Where the operation's tag led when the claim was seen on the ledger.
    tag: Option<CommitId>,
    resumes: bool,
}

/// Why there is no claim that may be executed.
#[derive(Debug)]
pub enum NoClaim {
    /// A new look showed that the receipt no longer counts. Nothing was written.
    Refused(Refusal),
    /// GitHub did not take the entry. Nothing was written.
    Rejected(Rejection),
    /// Others were faster, every time. Nothing was written.
    Contended,
    /// The entry may be on the ledger or not.
    Unknown(String),
    /// The entry is on the ledger, but by GitHub's clock it came too late. Nothing may be done under it: its outcome is to be recorded.
    Late {
        /// The entry that spends the receipt.
        entry: Checkpoint,
        /// What is to be recorded.
        outcome: Box<Outcome>,
    },
}

/// Spends the grant's receipt on the ledger. Every append that is not certain is followed by a new look at "already consumed",
/// and while an append may have come through unseen, no answer says that nothing was written.
pub async fn claim<S: LedgerStore>(
    mut grant: Grant,
    store: &S,
    clock: impl Fn() -> Timestamp,
) -> Result<Claim, NoClaim> {
    binding::not_expired(grant.receipt().terms(), clock()).map_err(NoClaim::Refused)?;
    let mut lost: Option<String> = None;
    for round in 0..TRIES {
        let tip = Tip::of(grant.snapshot());
        // An earlier attempt of this run may have begun: then the claim is taken over, and what it left is looked at first.
        let resumes = grant.snapshot().state().is_some();
        let entry =
            claim_entry(&grant, &tip, clock()).ok_or_else(|| NoClaim::Refused(exhausted()))?;
        let (checkpoint, state, document) = (
            entry.checkpoint(),
            ReceiptState::claimed_by(&entry),
            entry.to_document(),
        );
        match store
            .append(&append_claim(&grant, &tip, &entry, &state))
            .await
        {
            Appended::Done {
                commit,
                observed_at,
                tag,
            } => {
                let tip = Tip {
                    commit,
                    head: Head::at(checkpoint),
                };
                return Claim {
                    grant,
                    entry: checkpoint,
                    document,
                    state,
                    tip,
                    tag,
                    resumes,
                }
                .in_time(clock(), observed_at);
            }
            Appended::Rejected(rejection) => {
                return Err(lost.map_or(NoClaim::Rejected(rejection), NoClaim::Unknown));
            }
            Appended::Stale => {}
            Appended::Unknown(reason) => lost = Some(reason),
        }
        store.pause(round).await;
        match look_again(&mut grant, store, &clock).await {
            // A lost append went through: the ledger holds this very attempt's claim.
            Ok((Use::Ours, tag)) => {
                let claim = Claim {
                    tip: Tip::of(grant.snapshot()),
                    grant,
                    entry: checkpoint,
                    document,
                    state,
                    tag,
                    resumes,
                };
                return claim.adopted();
            }
            Ok(_) => {}
            Err(refusal) => {
                return Err(lost.map_or(NoClaim::Refused(refusal.clone()), |lost| {
                    NoClaim::Unknown(format!("{lost}; then: {refusal}"))
                }));
            }
        }
    }
    Err(lost.map_or(NoClaim::Contended, NoClaim::Unknown))
}

pub(super) fn exhausted() -> Refusal {
    Refusal::LedgerUnavailable {
        reason: "its head names the last sequence number there is".into(),
    }
}

async fn look_again<S: LedgerStore>(
    grant: &mut Grant,
    store: &S,
    clock: &impl Fn() -> Timestamp,
) -> Result<(Use, Option<CommitId>), Refusal> {
    let view = store.look(&grant.look()).await?;
    let now = clock();
    let now = view.observed_at.map_or(now, |date| date.max(now));
    Ok((grant.look_again(view.snapshot, now)?, view.tag))
}

fn claim_entry(grant: &Grant, tip: &Tip, now: Timestamp) -> Option<Entry> {
    let entry = entry(grant, tip, EventType::Claimed, now)?;
    Some(Entry {
        receipt: Some(grant.receipt().envelope().clone()),
        operation: Some(grant.operation().clone()),
        ..entry
    })
}

/// The members that every entry about this grant has.
pub(super) fn entry(
    grant: &Grant,
    tip: &Tip,
    event_type: EventType,
    now: Timestamp,
) -> Option<Entry> {
    let executor = grant.executor();
    Some(Entry {
        sequence: tip.next_sequence()?,
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
        authority: grant.authority(),
        receipt: None,
        operation: None,
        github_response: None,
    })
}

/// A claim's commit also remembers which trust file and policy decided, if they are new.
fn append_claim(grant: &Grant, tip: &Tip, entry: &Entry, state: &ReceiptState) -> Append {
    let mut append = append(tip, entry, state);
    if grant.snapshot().authority() != &entry.authority {
        append
            .files
            .push((AUTHORITY_PATH.into(), entry.authority.to_document()));
    }
    append
}

/// One commit: the entry, the receipt's state, the new head.
pub(super) fn append(tip: &Tip, entry: &Entry, state: &ReceiptState) -> Append {
    Append {
        expected: tip.commit.clone(),
        headline: format!(
            "{} {} {}",
            entry.sequence, entry.event_type, entry.receipt_id
        ),
        files: vec![
            (entry_path(entry.sequence), entry.to_document()),
            (state_path(&entry.receipt_id), state.to_document()),
            (HEAD_PATH.into(), Head::at(entry.checkpoint()).to_document()),
        ],
    }
}

impl Claim {
    /// The claim that the ledger shows is ours only if it is the one that was sent last: every try is
    /// looked up before the next. It was sent in time, whenever it is seen.
    fn adopted(self) -> Result<Self, NoClaim> {
        if self.grant.snapshot().state() == Some(&self.state) {
            return Ok(self);
        }
        Err(NoClaim::Unknown(
            "the ledger shows another claim of this attempt than the one that was sent".into(),
        ))
    }

    /// The second clock at the moment of the claim: one that came too late ends here, whatever the preflight's clock said.
    fn in_time(self, ours: Timestamp, github: Option<Timestamp>) -> Result<Self, NoClaim> {
        let Err(refusal) = binding::in_time(self.receipt().terms(), ours, github) else {
            return Ok(self);
        };
        let message = format!(
            "the claim came too late: {refusal}. Nothing was done under it. A new receipt is needed."
        );
        let response = GithubResponse {
            error_code: Some(refusal.code().into()),
            error_message: Some(message),
            ..GithubResponse::default()
        };
        // What an earlier attempt did is not known here.
        let effect = if self.resumes {
            Effect::Unknown(response)
        } else {
            Effect::Failed(response)
        };
        Err(NoClaim::Late {
            entry: self.entry,
            outcome: Box::new(self.conclude(effect)),
        })
    }

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

    /// That entry's file: the evidence that may go with what is published.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// A commit of the ledger that holds the entry, and every entry before it.
    #[must_use]
    pub const fn ledger_commit(&self) -> &CommitId {
        &self.tip.commit
    }

    /// Where the operation's tag led when the claim was seen on the ledger; none if it has no tag or
    /// GitHub showed none.
    #[must_use]
    pub const fn tag(&self) -> Option<&CommitId> {
        self.tag.as_ref()
    }

    /// Whether an earlier attempt may have done a part already: look before anything is done.
    #[must_use]
    pub const fn resumes(&self) -> bool {
        self.resumes
    }

    /// Ends the claim with what came of the operation.
    #[must_use]
    pub fn conclude(self, effect: Effect) -> Outcome {
        Outcome::new(self.grant, self.tip, self.state, effect)
    }
}
