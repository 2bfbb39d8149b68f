//! The ledger: a chain of entries on a branch, one that spends a receipt before the operation and one that tells how it went.

mod checkpoint;
mod claim;
mod dates;
mod entry;
mod guard;
mod outcome;
mod path;
mod settlement;
mod store;
mod tail;
mod verify;
mod withdrawn;

use alloc::vec::Vec;
use serde::Serialize;

pub use self::{
    checkpoint::{Checkpoint, EntryId},
    claim::{Claim, Lapse, NoClaim, claim},
    dates::{DateFinding, DateProblem, Dates, MOST_APART, Making, Span, Timing},
    entry::{Entry, EventType, Header, MOST_ENTRY_BYTES, NoOperation, V1, VERSION},
    guard::{Guard, Guarded, Move, MoveKind, Moves, Unjoined},
    outcome::{Effect, GithubResponse, Outcome, PublishedAsset, Recorded, record},
    path::{AUTHORITY_PATH, HEAD_PATH, entry_path, operation_path},
    settlement::{Settled, Settlement},
    store::{Append, Appended, LedgerStore, LedgerView, Rejection},
    tail::{
        Added, Addition, Base, BranchCommit, Followed, Links, MOST_TAIL_BYTES, MOST_TAIL_COMMITS,
        MOST_TAIL_ENTRIES, Pair, Past, Sent, Tail, TailCommit, Use,
    },
    verify::{Aspect, BadLedger, Examined, Examiner, History, Keys, Tally, Verifier, WithdrawnUse},
    withdrawn::{Withdrawing, Withdrawn},
};
use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
};

/// The ledger's branch. Fixed, so that nobody points a workflow at an empty one.
pub const BRANCH: &str = "receipt-ledger";

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
    pub const fn at(newest: EntryId) -> Self {
        Self {
            sequence: newest.sequence,
            digest: Some(newest.digest),
        }
    }

    /// The newest entry, if there is one.
    #[must_use]
    pub fn newest(&self) -> Option<EntryId> {
        self.digest.map(|digest| EntryId {
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

impl Head {
    pub(crate) fn from_object(object: &mut Object) -> Result<Self, Malformed> {
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

impl Document for Head {
    const MOST_BYTES: usize = 256;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Self::from_object(object)
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
