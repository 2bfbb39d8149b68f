//! The ledger: a chain of entries on a branch, one that spends a receipt before the operation and one that tells how it went.

mod claim;
mod entry;
mod outcome;
mod path;
mod snapshot;
mod state;
mod store;
mod verify;

use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

pub use self::{
    claim::{Claim, NoClaim, claim},
    entry::{Entry, EventType, MOST_ENTRY_BYTES},
    outcome::{Effect, GithubResponse, Outcome, PublishedAsset, Recorded, record},
    path::{AUTHORITY_PATH, HEAD_PATH, entry_path, state_path},
    snapshot::{LedgerView, MOST_STATES, RawSnapshot, Snapshot},
    state::{ReceiptState, Use},
    store::{Append, Appended, LedgerStore, Look, Rejection},
    verify::{Aspect, BadLedger, Examined, Examiner, Keys, Tally, Verifier},
};
use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
};

/// The ledger's branch. Fixed, so that nobody points a workflow at an empty one.
pub const BRANCH: &str = "receipt-ledger";

/// An entry that somebody saw: its sequence number and the digest of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Checkpoint {
    /// Sequence number, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Digest of the entry's file bytes.
    pub digest: Digest,
}

impl Checkpoint {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let first = value.refuse("a sequence begins with 1");
        let mut object = value.object()?;
        let checkpoint = Self {
            sequence: object.take("sequence")?.number()?,
            digest: object.take("digest")?.name()?,
        };
        object.end()?;
        if checkpoint.sequence == 0 {
            Err(first)
        } else {
            Ok(checkpoint)
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} ({})", self.sequence, self.digest)
    }
}

/// `ledger.json`: the newest entry, or sequence 0 and null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = crate::schema::relations::no_entry_has_no_digest))]
pub struct Head {
    /// Sequence number of the newest entry; 0 while there is none.
    sequence: u64,
    /// Digest of its file bytes; null while there is none.
    digest: Option<Digest>,
}

impl Head {
    /// The head of a ledger without entries, as `ledger init` writes it.
    pub const EMPTY: Self = Self {
        sequence: 0,
        digest: None,
    };

    /// The head of a ledger whose newest entry is this one.
    #[must_use]
    pub const fn at(newest: Checkpoint) -> Self {
        Self {
            sequence: newest.sequence,
            digest: Some(newest.digest),
        }
    }

    /// The newest entry, if there is one.
    #[must_use]
    pub fn newest(&self) -> Option<Checkpoint> {
        self.digest.map(|digest| Checkpoint {
            sequence: self.sequence,
            digest,
        })
    }

    /// Sequence number of the newest entry, 0 if there is none.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Document for Head {
    const MOST_BYTES: usize = 256;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let sequence = object.take("sequence")?;
        let mismatch = sequence.refuse("sequence 0 and no digest belong together");
        let sequence = sequence.number()?;
        let digest = object
            .take("digest")?
            .nullable()
            .map(Value::name)
            .transpose()?;
        if (sequence == 0) == digest.is_none() {
            Ok(Self { sequence, digest })
        } else {
            Err(mismatch)
        }
    }
}

/// What an empty ledger holds: its head and a page for people who find the branch.
#[must_use]
pub fn empty_ledger() -> Vec<(&'static str, Vec<u8>)> {
    [
        (HEAD_PATH, Head::EMPTY.to_document()),
        ("README.md", README.into()),
    ]
    .into()
}

const README: &str = "# Receipt ledger\n\nCountersign keeps here which signed receipts were used, for what, and what came of it.\n\
Every commit adds one entry; nothing is ever changed or removed. Do not edit, rebase or delete this branch:\n\
Countersign publishes nothing when it is missing or was rewritten.\n";

#[cfg(test)]
mod tests;
