//! Receipts that were taken back before anything was done with them.

use super::{Content, Pair, Tail, spends, standing::entries};
use crate::{
    keys::TrustedKeys,
    ledger::{Entry, EventType},
    name::Host,
    receipt::VerifiedReceipt,
    refusal::Refusal,
    withdrawal::Revocable,
};

impl Tail {
    /// Whether no one who signed the receipt has taken it back since it was issued. Once its operation
    /// is claimed it is too late for that: what was begun is finished, or settled.
    ///
    /// Anyone can append entries, so one that does not verify takes nothing back.
    pub(crate) fn is_not_withdrawn(
        &self,
        receipt: &VerifiedReceipt,
        trusted: Option<&TrustedKeys>,
        host: Option<&Host>,
    ) -> Result<(), Refusal> {
        let (pair, payload) = (Pair::of(receipt), receipt.digest());
        let is_begun = |entry: &Entry| {
            entry.event_type != EventType::Unknown && Pair::named_by(entry) == pair
                || entry.event_type == EventType::Claimed && spends(entry, payload)
        };
        let revocable = Revocable::of(receipt, trusted);

        for added in entries(self.above(&receipt.terms().ledger)?) {
            match &added.content {
                Content::Known(entry) if is_begun(entry) => return Ok(()),
                Content::Withdrawing(entry) if entry.receipts.contains(&payload) => {
                    if let Some(withdrawal) = entry.withdrawal.revokes(&revocable, host) {
                        return Err(Refusal::ReceiptWithdrawn {
                            entry: added.id,
                            by: withdrawal.told(),
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first claim of a receipt's operation, or of the receipt itself, in the tail: from then on
    /// it can no longer be taken back.
    #[must_use]
    pub fn first_claim_of(&self, receipt: &VerifiedReceipt) -> Option<&Entry> {
        let (pair, payload) = (Pair::of(receipt), receipt.digest());
        let commits = self.above(&receipt.terms().ledger).ok()?;
        entries(commits).find_map(|added| match &added.content {
            Content::Known(entry) => (entry.event_type == EventType::Claimed
                && (Pair::named_by(entry) == pair || spends(entry, payload)))
            .then_some(entry),
            _ => None,
        })
    }
}
