//! Takes an unused receipt back: someone who signed it says that it must not be used any more.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use serde::Serialize;

use crate::{
    digest::Digest,
    json::{Malformed, Object},
    keys::{PublicKey, TrustedKey, TrustedKeys},
    name::{Host, RunId, Title},
    operation::Target,
    receipt::{Terms, VerifiedReceipt},
    statement::{Signed, Statement, Verified},
    timestamp::Timestamp,
};

/// What an approver signs to take a receipt back.
///
/// It names one receipt, by the digest of its payload, which no other receipt has. The other members
/// are for people and machines that do not have the receipt at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Withdrawal {
    /// Where the repository is.
    pub host: Host,
    /// The repository in which the receipt counts.
    #[serde(flatten)]
    pub target: Target,
    /// Digest of the receipt's payload.
    pub receipt: Digest,
    /// The run for which it counts.
    pub run: RunId,
    /// Digest of the operation that it allows.
    pub operation_digest: Digest,
    /// When it was taken back.
    pub issued_at: Timestamp,
    /// Why, in the approver's words.
    pub reason: Title,
}

impl Withdrawal {
    /// Takes a receipt back.
    #[must_use]
    pub fn of(receipt: &VerifiedReceipt, host: Host, issued_at: Timestamp, reason: Title) -> Self {
        let terms = receipt.terms();
        Self {
            host,
            target: terms.target.clone(),
            receipt: receipt.digest(),
            run: terms.run_id.clone(),
            operation_digest: terms.operation_digest,
            issued_at,
            reason,
        }
    }
}

impl Statement for Withdrawal {
    const PAYLOAD_TYPE: &'static str = "application/vnd.countersign.withdrawal+json";

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            host: object.take("host")?.name()?,
            target: Target::from_members(object)?,
            receipt: object.take("receipt")?.name()?,
            run: object.take("run")?.name()?,
            operation_digest: object.take("operation_digest")?.name()?,
            issued_at: object.take("issued_at")?.name()?,
            reason: object.take("reason")?.name()?,
        })
    }
}

/// A receipt, and by which keys it can be taken back: those of the people who signed it. A person who
/// lost one key can use another one.
#[derive(Clone, Debug)]
pub(crate) struct Revocable {
    receipt: Digest,
    terms: Terms,
    keys: Vec<TrustedKey>,
}

impl Revocable {
    pub(crate) fn of(receipt: &VerifiedReceipt, trusted: Option<&TrustedKeys>) -> Self {
        let signed = receipt.approvers();
        let people: BTreeSet<_> = signed.iter().map(TrustedKey::person).collect();
        let trusted = trusted.map_or(&[][..], TrustedKeys::as_slice);
        let others = trusted
            .iter()
            .filter(|key| people.contains(&key.person()) && !signed.contains(key));
        Self {
            receipt: receipt.digest(),
            terms: receipt.terms().clone(),
            keys: signed.iter().chain(others).cloned().collect(),
        }
    }
}

/// Whether a key is one of a person who signed the receipt: only they can take it back.
#[must_use]
pub fn may_take_back(receipt: &VerifiedReceipt, trusted: &TrustedKeys, key: &PublicKey) -> bool {
    let revocable = Revocable::of(receipt, Some(trusted));
    revocable.keys.iter().any(|known| known.key == *key)
}

impl Signed<Withdrawal> {
    /// The withdrawal, if it takes this receipt back. One that does not verify, is for another receipt
    /// or for another host takes nothing back.
    #[must_use]
    pub fn takes_back(
        &self,
        receipt: &VerifiedReceipt,
        trusted: Option<&TrustedKeys>,
        host: Option<&Host>,
    ) -> Option<Verified<Withdrawal>> {
        self.revokes(&Revocable::of(receipt, trusted), host)
    }

    pub(crate) fn revokes(
        &self,
        receipt: &Revocable,
        host: Option<&Host>,
    ) -> Option<Verified<Withdrawal>> {
        let verified = self.verify(&receipt.keys).ok()?;
        let said = verified.statement();
        let is_meant = said.receipt == receipt.receipt
            && said.run == receipt.terms.run_id
            && said.operation_digest == receipt.terms.operation_digest
            && said.target == receipt.terms.target
            && host.is_none_or(|host| *host == said.host);
        is_meant.then_some(verified)
    }
}

impl Verified<Withdrawal> {
    /// Who took the receipt back, when and why.
    #[must_use]
    pub fn told(&self) -> String {
        let said = self.statement();
        let by = self.signers().first();
        let by = by.map_or_else(String::new, |key| {
            format!("{} ({})", key.name, key.key.fingerprint())
        });
        format!("{by} took it back at {}: {}", said.issued_at, said.reason)
    }
}

#[cfg(test)]
mod tests;
