//! What happened to an operation and its receipt, computed from the entries of a tail.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{Added, Content, Tail, TailCommit};
use crate::{
    digest::Digest,
    ledger::{Entry, EntryId, EventType, GithubResponse, Header},
    name::{Executor, RunId},
    receipt::VerifiedReceipt,
    refusal::Refusal,
    timestamp::Timestamp,
};

/// What is claimed: an operation in the run that the receipts name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The run that the receipts name.
    pub run: RunId,
    /// Digest of the operation.
    pub operation: Digest,
}

/// Entries that this process sent, by their digests. Ids can be copied; these bytes were ours first.
pub type Sent = BTreeMap<Digest, Vec<u8>>;

/// What the tail allows to one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// The operation was not claimed.
    Free,
    /// This process claimed it, with this entry.
    Ours(EntryId),
    /// An earlier attempt of the same run claimed it and left no outcome.
    Unfinished(EntryId),
}

/// What the ledger says became of a pair. People are shown it; nothing is decided by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The newest entry that says it was done.
    pub done: Option<EntryId>,
    /// The newest entry that says it was tried and failed.
    pub failed: Option<EntryId>,
    /// The first claim that no outcome has ended.
    pub open: Option<EntryId>,
    /// The newest entry about it that this program cannot read.
    pub unreadable: Option<EntryId>,
}

impl Pair {
    /// The pair that a receipt is for.
    #[must_use]
    pub fn of(receipt: &VerifiedReceipt) -> Self {
        Self {
            run: receipt.terms().run_id.clone(),
            operation: receipt.terms().operation_digest,
        }
    }

    /// The pair that an entry names.
    #[must_use]
    pub fn named_by(entry: &Entry) -> Self {
        Self {
            run: entry.run.clone(),
            operation: entry.operation_digest,
        }
    }

    fn is_meant_by(&self, entry: &Entry) -> bool {
        entry.run == self.run && entry.operation_digest == self.operation
    }

    fn is_named_in(&self, header: &Header) -> bool {
        header.run.as_ref() == Some(&self.run) && header.operation_digest == Some(self.operation)
    }
}

impl Tail {
    /// What a receipt allows to an attempt, by every entry above the receipt's checkpoint.
    ///
    /// To refuse, every well-formed claim is believed, whatever its signatures: a forged one can
    /// block, and never ship. To resume, a claim is believed only if its receipt is the one at hand,
    /// whose signatures were verified, or if `vouched` says that its signatures hold now.
    pub fn standing(
        &self,
        receipt: &VerifiedReceipt,
        executor: &Executor,
        sent: &Sent,
        vouched: impl Fn(&Entry) -> bool,
    ) -> Result<Use, Refusal> {
        let (pair, payload) = (Pair::of(receipt), receipt.digest());
        let mut open: Vec<(&Added, &Entry)> = Vec::new();

        for added in entries(self.above(&receipt.terms().ledger)?) {
            let entry = match &added.content {
                Content::Known(entry) => entry,
                Content::Opaque(header) => {
                    if pair.is_named_in(header) || header.receipts.contains(&payload) {
                        return Err(Refusal::LedgerNewerVersion { entry: added.id });
                    }
                    continue;
                }
                // Judged apart, by the keys of those who signed.
                Content::Withdrawing(_) => continue,
            };
            let is_ours = pair.is_meant_by(entry);
            match entry.event_type {
                EventType::Claimed if is_ours => open.push((added, entry)),
                EventType::Claimed if spends(entry, payload) => {
                    return Err(consumed(added.id, entry, None));
                }
                EventType::Succeeded | EventType::Failed if is_ours => {
                    return Err(settled(&open, payload, added.id, entry));
                }
                _ => {}
            }
        }

        let Some((last, claim)) = open.last() else {
            return Ok(Use::Free);
        };
        if sent.contains_key(&last.id.digest) {
            return Ok(Use::Ours(last.id));
        }
        let is_earlier = |entry: &Entry| {
            entry.acting_run == executor.run_id && entry.attempt < executor.run_attempt
        };
        let resumable = open.iter().all(|(_, entry)| is_earlier(entry))
            && (spends(claim, payload) || vouched(claim));
        if resumable {
            return Ok(Use::Unfinished(last.id));
        }
        Err(consumed(last.id, claim, None))
    }

    /// The claims of a receipt's pair that no outcome has ended, if all of them are the acting run's;
    /// the oldest first. What they left can be looked at and recorded, which needs less than acting:
    /// neither their signatures nor the numbers of their attempts matter, which anyone can forge.
    #[must_use]
    pub fn unsettled(
        &self,
        receipt: &VerifiedReceipt,
        executor: &Executor,
    ) -> Vec<(EntryId, &Entry)> {
        let Ok(commits) = self.above(&receipt.terms().ledger) else {
            return Vec::new();
        };
        let pair = Pair::of(receipt);
        let mut open = Vec::new();

        for added in entries(commits) {
            match &added.content {
                // It may be an outcome.
                Content::Opaque(header) if pair.is_named_in(header) => return Vec::new(),
                Content::Known(entry) if pair.is_meant_by(entry) => match entry.event_type {
                    EventType::Claimed if entry.acting_run == executor.run_id => {
                        open.push((added.id, entry));
                    }
                    // Another run may still be at work, or the pair has ended.
                    EventType::Claimed | EventType::Succeeded | EventType::Failed => {
                        return Vec::new();
                    }
                    EventType::Unknown => {}
                },
                _ => {}
            }
        }
        open
    }

    /// The commit below the first claim of a pair that no outcome has ended, or the tip. A receipt
    /// that is signed now must be issued from there, so that the claim lies in its tail. An entry
    /// about the pair that this program cannot read may be such a claim.
    #[must_use]
    pub fn checkpoint_for(&self, pair: &Pair) -> &super::Checkpoint {
        let mut below = &self.base;
        let mut open = None;
        for commit in &self.commits {
            match commit.added.as_ref().map(|added| &added.content) {
                Some(Content::Opaque(header)) if pair.is_named_in(header) => {
                    open = open.or(Some(below));
                }
                Some(Content::Known(entry)) if pair.is_meant_by(entry) => match entry.event_type {
                    EventType::Claimed => open = open.or(Some(below)),
                    EventType::Succeeded | EventType::Failed => open = None,
                    EventType::Unknown => {}
                },
                _ => {}
            }
            below = &commit.at;
        }
        open.unwrap_or_else(|| self.tip())
    }

    /// What the entries of the tail say became of a pair.
    #[must_use]
    pub fn past_of(&self, pair: &Pair) -> Past {
        let mut past = Past::default();
        for added in entries(&self.commits) {
            match &added.content {
                Content::Opaque(header) if pair.is_named_in(header) => {
                    past.unreadable = Some(added.id);
                }
                Content::Known(entry) if pair.is_meant_by(entry) => match entry.event_type {
                    EventType::Claimed => past.open = past.open.or(Some(added.id)),
                    EventType::Succeeded => (past.done, past.open) = (Some(added.id), None),
                    EventType::Failed => (past.failed, past.open) = (Some(added.id), None),
                    EventType::Unknown => {}
                },
                _ => {}
            }
        }
        past
    }

    /// The entry that says that an earlier attempt of this run did the operation with this very
    /// receipt. Anyone can write such an entry: it says where to look, never that it is so.
    #[must_use]
    pub fn said_to_have_shipped(
        &self,
        receipt: &VerifiedReceipt,
        executor: &Executor,
    ) -> Option<(EntryId, &GithubResponse)> {
        let (pair, payload) = (Pair::of(receipt), receipt.digest());
        let mut claimed = false;
        for added in entries(self.above(&receipt.terms().ledger).ok()?) {
            let Content::Known(entry) = &added.content else {
                continue;
            };
            let by_earlier = entry.acting_run == executor.run_id
                && entry.attempt < executor.run_attempt
                && pair.is_meant_by(entry);
            claimed |= by_earlier && spends(entry, payload);
            if by_earlier && claimed && entry.event_type == EventType::Succeeded {
                return Some((added.id, entry.github_response.as_ref()?));
            }
        }
        None
    }

    /// The newest entry that this process sent, if the tail holds one.
    #[must_use]
    pub fn newest_of(&self, sent: &Sent) -> Option<EntryId> {
        let ids = entries(&self.commits).map(|added| added.id);
        ids.filter(|id| sent.contains_key(&id.digest)).last()
    }

    /// The first claim or outcome of a pair above an entry; one that cannot be read may be either. An
    /// outcome that says `unknown` leaves the claim open.
    #[must_use]
    pub fn first_about(&self, pair: &Pair, above: EntryId) -> Option<EntryId> {
        let is_about = |added: &&Added| match &added.content {
            Content::Known(entry) => {
                pair.is_meant_by(entry) && entry.event_type != EventType::Unknown
            }
            Content::Opaque(header) => pair.is_named_in(header),
            // It ends no claim.
            Content::Withdrawing(_) => false,
        };
        entries(&self.commits)
            .skip_while(|added| added.id != above)
            .skip(1)
            .find(is_about)
            .map(|added| added.id)
    }

    /// The date of the commit that added an entry, where GitHub signed it.
    #[must_use]
    pub fn proven_at(&self, entry: EntryId) -> Option<Timestamp> {
        let holds =
            |commit: &&TailCommit| commit.added.as_ref().is_some_and(|added| added.id == entry);
        self.commits.iter().find(holds)?.proven_at
    }
}

pub(super) fn entries(commits: &[TailCommit]) -> impl Iterator<Item = &Added> {
    commits.iter().filter_map(|commit| commit.added.as_deref())
}

/// Whether a claim contains this payload: computed from the receipt in it, not read from its members.
pub(crate) fn spends(claim: &Entry, payload: Digest) -> bool {
    claim
        .receipt
        .as_ref()
        .is_some_and(|envelope| envelope.payload_digest() == payload)
}

fn settled(open: &[(&Added, &Entry)], payload: Digest, outcome: EntryId, entry: &Entry) -> Refusal {
    let own = open.iter().rev().find(|(_, claim)| spends(claim, payload));
    if let Some((claim, entry)) = own {
        return consumed(claim.id, entry, Some(outcome));
    }
    let by = open.last().map_or_else(
        || format!("entry {}", outcome.sequence),
        |(claim, _)| {
            format!(
                "entry {} claimed it and entry {} ended it",
                claim.id.sequence, outcome.sequence
            )
        },
    );
    Refusal::OperationDone {
        by: format!("{by} ({})", entry.event_type),
    }
}

fn consumed(claim: EntryId, entry: &Entry, outcome: Option<EntryId>) -> Refusal {
    let outcome = outcome.map_or_else(
        || String::from("no outcome is known"),
        |outcome| format!("its outcome is entry {}", outcome.sequence),
    );
    Refusal::ReceiptConsumed {
        by: format!(
            "run {} attempt {} claimed it with ledger entry {}, {outcome}",
            entry.acting_run, entry.attempt, claim.sequence
        ),
    }
}
