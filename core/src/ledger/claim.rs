//! Spends a receipt: one compare-and-swap append, and a new look whenever it is not certain that it went through.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};

use super::{
    Append, Appended, Effect, Entry, EntryId, EventType, GithubResponse, Head, LedgerStore,
    LedgerView, Outcome, Sent, Tail, Use, V1, entry_path, operation_path, store::Rejection,
};
use crate::{
    authority::Authority,
    authorize::Grant,
    binding,
    document::Document,
    evidence,
    ledger::{AUTHORITY_PATH, HEAD_PATH},
    name::CommitId,
    operation::Operation,
    receipt::VerifiedReceipt,
    refusal::Refusal,
    timestamp::Timestamp,
};

/// How often an append is tried on a busy ledger.
pub(super) const TRIES: usize = 20;

/// A spent receipt: the right to do its operation once. Made by [`claim`] alone.
#[derive(Debug)]
pub struct Claim {
    /// Its tail ends with the claim, or above it.
    grant: Grant,
    entry: EntryId,
    /// The entry's file, as it was appended.
    document: Vec<u8>,
    /// The same with its operation.
    evidence: Vec<u8>,
    /// Where the watched ref led when the claim was seen on the ledger.
    watched: Option<CommitId>,
    resumes: bool,
}

/// Why a claim no longer allows what it allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lapse {
    /// Someone else claimed or ended the operation. Whoever has lost the claim writes and deletes
    /// nothing more.
    #[error("{entry} took the claim over")]
    Lost {
        /// The entry that did.
        entry: EntryId,
    },
    /// The receipt's end has come.
    #[error(transparent)]
    Late(Refusal),
    /// The ref on which the operation depends leads elsewhere: its tag, or the head branch of a pull
    /// request.
    #[error("the ref leads elsewhere by now")]
    RefMoved {
        /// Where it leads; none for a branch that is gone.
        found: Option<CommitId>,
    },
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
        entry: EntryId,
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
    let mut sent = Sent::new();
    let mut lost: Option<String> = None;
    // An earlier attempt of this run may have started: then the claim is taken over, and what it left is looked at first.
    let mut standing = grant.standing(&sent).map_err(NoClaim::Refused)?;

    for round in 0..TRIES {
        let resumes = matches!(standing, Use::Unfinished(_));
        let entry = claim_entry(&grant, clock()).ok_or_else(|| NoClaim::Refused(exhausted()))?;
        let (id, document) = (entry.id(), entry.to_document());
        sent.insert(id.digest, document.clone());
        let append = append_claim(&grant, entry);

        match store.append(&append).await {
            Appended::Done {
                commit,
                observed_at,
                watched,
            } => {
                grant.appended(&append, commit);
                let claim = Claim::new(grant, id, document, watched, resumes);
                let verdict = binding::in_time(claim.receipt().terms(), clock(), observed_at);
                return claim.unless_late(verdict);
            }
            Appended::Rejected(rejection) => {
                return Err(lost.map_or(NoClaim::Rejected(rejection), NoClaim::Unknown));
            }
            Appended::Stale => {}
            Appended::Unknown(reason) => lost = Some(reason),
        }

        store.pause(round).await;
        match look_again(&mut grant, store, &clock, &sent).await {
            // A lost append went through: the ledger holds this very attempt's claim.
            Ok(Seen {
                standing: Use::Ours(entry),
                watched,
                first_seen_at,
            }) => {
                // Ours is only what was sent: its bytes are the evidence.
                let Some(document) = sent.remove(&entry.digest) else {
                    return Err(NoClaim::Unknown(format!("{entry} was not sent from here")));
                };
                let claim = Claim::new(grant, entry, document, watched, resumes);
                return claim.adopted(first_seen_at);
            }
            Ok(seen) => standing = seen.standing,
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

/// What a new look showed, and GitHub's clock then.
struct Seen {
    standing: Use,
    watched: Option<CommitId>,
    first_seen_at: Option<Timestamp>,
}

async fn look_again<S: LedgerStore>(
    grant: &mut Grant,
    store: &S,
    clock: &impl Fn() -> Timestamp,
    sent: &Sent,
) -> Result<Seen, Refusal> {
    let view = store.look(grant.tail()).await?;
    let now = clock();
    let now = view.observed_at.map_or(now, |date| date.max(now));
    Ok(Seen {
        standing: grant.look_again(view.tail, now, sent)?,
        watched: view.watched,
        first_seen_at: view.observed_at,
    })
}

fn claim_entry(grant: &Grant, now: Timestamp) -> Option<Entry> {
    let entry = entry(grant, EventType::Claimed, now)?;
    Some(Entry {
        receipt: Some(grant.receipt().envelope().clone()),
        ..entry
    })
}

/// The members that every entry about this grant has.
///
/// `None` after the last number there is: a head that names so many entries was forged.
pub(super) fn entry(grant: &Grant, event_type: EventType, now: Timestamp) -> Option<Entry> {
    let (executor, terms) = (grant.executor(), grant.receipt().terms());
    let head = grant.tail().tip().head;
    Some(Entry {
        v: V1,
        sequence: head.sequence().checked_add(1)?,
        previous: head.newest().map(|newest| newest.digest),
        event_type,
        run: terms.run_id.clone(),
        acting_run: executor.run_id.clone(),
        attempt: executor.run_attempt,
        operation_digest: grant.operation().digest(),
        receipts: vec![grant.receipt().digest()],
        timestamp: now,
        operation_id: executor.operation_id.clone(),
        receipt_id: terms.receipt_id.clone(),
        operation_kind: grant.operation().kind(),
        repository: grant.operation().target().repository.clone(),
        signers: grant.receipt().signers().into(),
        authority: grant.authority(),
        receipt: None,
        operation: None,
        github_response: None,
    })
}

/// A claim's commit holds the operation, under its digest, and remembers which trust file and policy
/// decided. It says so each time, so that no commit of others takes that back for longer than until the
/// next claim.
fn append_claim(grant: &Grant, entry: Entry) -> Append {
    let authority = entry.authority;
    let mut append = append(grant.tail(), entry);
    let operation = grant.operation();
    append
        .files
        .push((operation_path(&operation.digest()), operation.to_bytes()));
    if authority != Authority::default() {
        append
            .files
            .push((AUTHORITY_PATH.into(), authority.to_document()));
    }
    append
}

/// One commit: the entry and the new head.
pub(super) fn append(tail: &Tail, entry: Entry) -> Append {
    Append {
        expected: tail.tip().commit.clone(),
        headline: format!(
            "{} {} {}",
            entry.sequence, entry.event_type, entry.receipt_id
        ),
        files: vec![
            (entry_path(entry.sequence), entry.to_document()),
            (HEAD_PATH.into(), Head::at(entry.id()).to_document()),
        ],
        entry: Some(entry),
    }
}

impl Claim {
    fn new(
        grant: Grant,
        entry: EntryId,
        document: Vec<u8>,
        watched: Option<CommitId>,
        resumes: bool,
    ) -> Self {
        Self {
            evidence: evidence::compose(&document, grant.operation()),
            grant,
            entry,
            document,
            watched,
            resumes,
        }
    }

    /// A claim whose answer was lost is judged by the date of its commit if GitHub signed that, and
    /// otherwise by the answer in which it was seen first.
    fn adopted(self, first_seen_at: Option<Timestamp>) -> Result<Self, NoClaim> {
        let at = self.grant.tail().proven_at(self.entry).or(first_seen_at);
        let verdict = match at {
            Some(at) => binding::not_expired(self.receipt().terms(), at),
            None => Err(Refusal::LedgerUnavailable {
                reason: "GitHub gives no time for the claim".into(),
            }),
        };
        self.unless_late(verdict)
    }

    /// The second clock at the moment of the claim: one that came too late ends here, whatever the preflight's clock said.
    fn unless_late(self, verdict: Result<(), Refusal>) -> Result<Self, NoClaim> {
        let Err(refusal) = verdict else {
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

    /// Whether what a new look shows still allows a write that becomes visible: the claim is this
    /// process's and open, GitHub's clock is before the receipt's end, and the operation's tag is free
    /// or where it was approved, or the head branch of the pull request still is.
    pub fn still_allows(&self, view: &LedgerView) -> Result<(), Lapse> {
        if let Some(entry) = self.grant.overtaken_since(&view.tail, self.entry) {
            return Err(Lapse::Lost { entry });
        }
        let terms = self.receipt().terms();
        let Some(now) = view.observed_at else {
            return Err(Lapse::Late(Refusal::ClockSkew {
                ours: terms.issued_at,
                github: None,
            }));
        };
        binding::not_expired(terms, now).map_err(Lapse::Late)?;

        let may_be_missing = !matches!(self.operation(), Operation::OpenPr(_));
        let is_as_approved = view
            .watched
            .as_ref()
            .map_or(may_be_missing, |found| found == self.operation().commit());
        if is_as_approved {
            return Ok(());
        }
        Err(Lapse::RefMoved {
            found: view.watched.clone(),
        })
    }

    /// The ledger as this process knows it.
    #[must_use]
    pub const fn tail(&self) -> &Tail {
        self.grant.tail()
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
    pub const fn entry(&self) -> EntryId {
        self.entry
    }

    /// That entry's file.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// Entry and operation: the evidence that may go with what is published.
    #[must_use]
    pub fn evidence(&self) -> &[u8] {
        &self.evidence
    }

    /// A commit of the ledger that holds the entry, and every entry before it.
    #[must_use]
    pub fn ledger_commit(&self) -> &CommitId {
        &self.grant.tail().tip().commit
    }

    /// Where the ref on which the operation depends led when the claim was seen on the ledger; none if
    /// GitHub showed none.
    #[must_use]
    pub const fn watched(&self) -> Option<&CommitId> {
        self.watched.as_ref()
    }

    /// Whether an earlier attempt may have done a part already: look before anything is done.
    #[must_use]
    pub const fn resumes(&self) -> bool {
        self.resumes
    }

    /// The time before which nothing was done for the operation. An earlier attempt may have started it
    /// under a receipt that was issued before the one at hand.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        let open = self.tail().unsettled(self.receipt(), self.grant.executor());
        let times = open.iter().map(|(_, claim)| claim.timestamp);
        let issued_at = self.receipt().terms().issued_at;
        times.fold(issued_at, Timestamp::min)
    }

    /// Ends the claim with what came of the operation.
    #[must_use]
    pub fn conclude(self, effect: Effect) -> Outcome {
        Outcome::new(self.grant, effect)
    }
}
