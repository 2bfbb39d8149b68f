//! Where a ledger was: an entry by its number and bytes, and the commit that an issuer saw at the tip.

use core::fmt;

use serde::Serialize;

use super::Head;
use crate::{
    digest::Digest,
    json::{Malformed, Object, Value},
    name::CommitId,
};

/// An entry: its sequence number and the digest of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EntryId {
    /// Sequence number, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Digest of the entry's file bytes.
    pub digest: Digest,
}

impl EntryId {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let first = value.refuse("a sequence begins with 1");
        let mut object = value.object()?;
        let entry = Self {
            sequence: object.take("sequence")?.number()?,
            digest: object.take("digest")?.name()?,
        };
        object.end()?;

        if entry.sequence == 0 {
            Err(first)
        } else {
            Ok(entry)
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} ({})", self.sequence, self.digest)
    }
}

/// A commit of the ledger's branch and the `ledger.json` in it.
///
/// A receipt that names a commit cannot be older than that commit, so every use of the receipt lies
/// above it. A number or a digest alone would not prove that: a later commit can restore an old file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Checkpoint {
    /// The commit at the tip of the branch.
    pub commit: CommitId,
    /// What its `ledger.json` holds: sequence 0 and no digest while there is no entry.
    #[serde(flatten)]
    pub head: Head,
}

impl Checkpoint {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let checkpoint = Self::from_members(&mut object)?;
        object.end()?;
        Ok(checkpoint)
    }

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            commit: object.take("commit")?.name()?,
            head: Head::from_object(object)?,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.head.newest() {
            Some(newest) => write!(f, "{newest} in commit {}", self.commit),
            None => write!(f, "no entry in commit {}", self.commit),
        }
    }
}
