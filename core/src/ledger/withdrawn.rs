//! The entry that takes an unused receipt back. It holds the approver's signed statement, so anyone who
//! can write to the ledger may carry it there, and no one can make one up.

use alloc::{format, vec, vec::Vec};

use serde::Serialize;

use super::{Append, EntryId, HEAD_PATH, Head, MOST_ENTRY_BYTES, Tail, V1, VERSION, entry_path};
use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
    name::RunId,
    statement::{Signed, Verified},
    timestamp::Timestamp,
    withdrawal::Withdrawal,
};

/// `event_type` of the entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Withdrawn {
    /// A receipt was taken back before it was used.
    #[default]
    #[serde(rename = "github_publisher.receipt.withdrawn")]
    Receipt,
}

impl Withdrawn {
    const NAME: &'static str = "github_publisher.receipt.withdrawn";
}

/// An entry that takes a receipt back. It begins with the members of [`Header`](super::Header), which
/// repeat what the statement says: nobody signed those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Withdrawing {
    /// Version of this format.
    #[cfg_attr(test, schemars(with = "u64", extend("const" = VERSION)))]
    pub v: V1,
    /// From 1, without gaps.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Digest of the previous entry's file bytes; null in the first.
    pub previous: Option<Digest>,
    /// What it records.
    pub event_type: Withdrawn,
    /// The workflow run that the receipt names.
    pub run: RunId,
    /// No run wrote it.
    pub acting_run: (),
    /// And no attempt.
    pub attempt: (),
    /// Digest of the operation that the receipt allows.
    pub operation_digest: Digest,
    /// Digest of the receipt's payload.
    #[cfg_attr(test, schemars(length(min = 1, max = 1)))]
    pub receipts: Vec<Digest>,
    /// When it was written, by the clock of whoever carried it.
    pub timestamp: Timestamp,
    /// The approver's statement.
    pub withdrawal: Signed<Withdrawal>,
}

impl Withdrawing {
    /// The next entry of a ledger. `None` after the last number there is.
    #[must_use]
    pub fn next(
        tail: &Tail,
        withdrawal: &Signed<Withdrawal>,
        verified: &Verified<Withdrawal>,
        now: Timestamp,
    ) -> Option<Self> {
        let head = tail.tip().head;
        Some(Self {
            sequence: head.sequence().checked_add(1)?,
            previous: head.newest().map(|newest| newest.digest),
            ..Self::first(withdrawal, verified, now)
        })
    }

    /// The same as the first entry of a ledger.
    #[must_use]
    pub fn first(
        withdrawal: &Signed<Withdrawal>,
        verified: &Verified<Withdrawal>,
        now: Timestamp,
    ) -> Self {
        let said = verified.statement();
        Self {
            v: V1,
            sequence: 1,
            previous: None,
            event_type: Withdrawn::Receipt,
            run: said.run.clone(),
            acting_run: (),
            attempt: (),
            operation_digest: said.operation_digest,
            receipts: vec![said.receipt],
            timestamp: now,
            withdrawal: withdrawal.clone(),
        }
    }

    /// Sequence and digest of this entry's file.
    #[must_use]
    pub fn id(&self) -> EntryId {
        EntryId {
            sequence: self.sequence,
            digest: Digest::of(&self.to_document()),
        }
    }

    /// One commit on top of a tail: the entry and the new head.
    #[must_use]
    pub fn append(&self, tail: &Tail) -> Append {
        Append {
            expected: tail.tip().commit.clone(),
            headline: format!("{} {}", self.sequence, Withdrawn::NAME),
            files: vec![
                (entry_path(self.sequence), self.to_document()),
                (HEAD_PATH.into(), Head::at(self.id()).to_document()),
            ],
            entry: None,
        }
    }
}

impl Document for Withdrawing {
    const MOST_BYTES: usize = MOST_ENTRY_BYTES;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let version = object.take("v")?;
        let unknown = version.refuse("this program writes version 1");
        if version.number()? != VERSION {
            return Err(unknown);
        }

        let sequence = object.take("sequence")?.number()?;
        let previous = object.take("previous")?.nullable();
        let previous = previous.map(Value::name).transpose()?;
        object.expect("event_type", Withdrawn::NAME)?;
        Ok(Self {
            v: V1,
            sequence,
            previous,
            event_type: Withdrawn::Receipt,
            run: object.take("run")?.name()?,
            acting_run: absent(object.take("acting_run")?)?,
            attempt: absent(object.take("attempt")?)?,
            operation_digest: object.take("operation_digest")?.name()?,
            receipts: super::entry::only_receipt(object.take("receipts")?)?,
            timestamp: object.take("timestamp")?.name()?,
            withdrawal: signed_once(object.take("withdrawal")?)?,
        })
    }
}

fn absent(value: Value) -> Result<(), Malformed> {
    let present = value.refuse("no run takes a receipt back: expected null");
    value.nullable().map_or(Ok(()), |_| Err(present))
}

/// One person takes one receipt back. More signatures would only be more to verify at every look.
fn signed_once(value: Value) -> Result<Signed<Withdrawal>, Malformed> {
    let other = value.refuse("expected one signature");
    let signed = Signed::from_json(value)?;
    if signed.signatures() == 1 {
        Ok(signed)
    } else {
        Err(other)
    }
}
