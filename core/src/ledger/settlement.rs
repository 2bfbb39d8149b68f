//! Settles an open claim by looking: what GitHub holds is recorded, and nothing is done.

use alloc::vec::Vec;

use super::{Effect, Entry, EntryId, GithubResponse, Outcome, tail::spends};
use crate::{
    authorize::{Grant, is_vouched, vouched},
    digest::Digest,
    document::Document,
    evidence::compose,
    operation::Operation,
    receipt::VerifiedReceipt,
    timestamp::Timestamp,
};

/// Permission to look at what an open claim left, and to record it. Made by
/// [`authorize`](crate::authorize::authorize) alone, for a receipt that is no longer valid.
///
/// It is not a [`Grant`] and cannot become one, so nothing can be claimed with it, and without a
/// claim nothing is written but the ledger's entry.
#[derive(Debug)]
pub struct Settlement {
    grant: Grant,
    open: Vec<(EntryId, Entry)>,
}

/// What a look showed for certain. What is not certain is not recorded: the claim stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// GitHub holds exactly what was approved.
    Succeeded(GithubResponse),
    /// GitHub holds none of it.
    Failed(GithubResponse),
}

impl From<Settled> for Effect {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Succeeded(response) => Self::Succeeded(response),
            Settled::Failed(response) => Self::Failed(response),
        }
    }
}

impl Settlement {
    /// The settlement of a grant's operation, if its claims are open and no one can act on them by
    /// GitHub's clock: one of them may hold another receipt, which is valid for longer.
    pub(crate) fn of(grant: Grant, github: Timestamp) -> Option<Self> {
        let unsettled = grant.tail().unsettled(grant.receipt(), grant.executor());
        let open: Vec<_> = unsettled
            .into_iter()
            .map(|(id, claim)| (id, claim.clone()))
            .collect();
        let is_alive = |claim: &Entry| {
            let terms = vouched(claim, grant.receipt(), grant.keys());
            terms.is_some_and(|terms| github < terms.expires_at)
        };
        let is_over = !open.is_empty() && !open.iter().any(|(_, claim)| is_alive(claim));
        is_over.then_some(Self { grant, open })
    }

    /// What may be looked at.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        self.grant.operation()
    }

    /// The receipt that is no longer valid.
    #[must_use]
    pub const fn receipt(&self) -> &VerifiedReceipt {
        self.grant.receipt()
    }

    /// The claim that the outcome is recorded for.
    #[must_use]
    pub fn claim(&self) -> EntryId {
        self.settled().0
    }

    /// When the first of the open claims was written: nothing of the operation is older.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        let times = self.open.iter().map(|(_, claim)| claim.timestamp);
        times.min().unwrap_or(self.receipt().terms().issued_at)
    }

    /// The digests of the evidence of the open claims: each may have been attached to a release.
    pub fn evidence(&self) -> impl Iterator<Item = Digest> {
        let evidence = |(_, claim): &(EntryId, Entry)| {
            Digest::of(&compose(&claim.to_document(), self.operation()))
        };
        self.open.iter().map(evidence)
    }

    /// Ends the claim with what GitHub holds.
    #[must_use]
    pub fn conclude(self, settled: Settled) -> Outcome {
        let (_, claim) = self.settled();
        let claim = claim.clone();
        let newest = self.open[self.open.len() - 1].0;
        Outcome::settling(self.grant, settled.into(), claim, newest)
    }

    /// The newest claim whose receipt is known to be good, so that a forged one above it does not
    /// get the outcome; otherwise the newest.
    fn settled(&self) -> &(EntryId, Entry) {
        let payload = self.receipt().digest();
        let newest = |is_good: &dyn Fn(&Entry) -> bool| {
            self.open.iter().rev().find(|(_, claim)| is_good(claim))
        };
        newest(&|claim| spends(claim, payload))
            .or_else(|| newest(&|claim| is_vouched(claim, self.receipt(), self.grant.keys())))
            .unwrap_or(&self.open[self.open.len() - 1])
    }
}
