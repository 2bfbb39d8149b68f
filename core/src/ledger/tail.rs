//! The tail of the ledger: every commit above a checkpoint, verified link by link.
//!
//! Anyone with write access can append to the branch, and can restore an old file with a new commit.
//! So nothing is decided by a file that the tip happens to hold: what happened to a receipt is
//! computed from all entries that were added since its issuer looked.

mod links;
mod standing;
mod withdrawn;

use alloc::{format, string::String, sync::Arc, vec::Vec};

pub(crate) use self::standing::spends;
pub use self::{
    links::{Addition, Base, BranchCommit, Followed, Links},
    standing::{Pair, Past, Sent, Use},
};
use super::{Append, Checkpoint, Entry, EntryId, Header, Withdrawing};
use crate::{
    authority::{self, Authority},
    digest::Digest,
    document::Document,
    name::CommitId,
    policy::Policy,
    refusal::Refusal,
    timestamp::Timestamp,
    trust::Trust,
};

/// Most commits of a tail.
pub const MOST_TAIL_COMMITS: usize = 1000;
/// Most entries of a tail.
pub const MOST_TAIL_ENTRIES: usize = 500;
/// Most bytes of all entries of a tail.
pub const MOST_TAIL_BYTES: usize = 32 << 20;

/// A verified chain of commits. Made from [`Links`] alone, whose commits and entries fit each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    base: Checkpoint,
    /// The oldest first.
    commits: Vec<TailCommit>,
    /// What the newest commits, also those below the base, recorded as authority.
    authorities: Vec<Authority>,
    /// The branch's first commit, if it was among those that were read.
    root: Option<CommitId>,
}

/// A commit of a tail, and the entry that it added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailCommit {
    /// The commit, and the head of the ledger in it.
    pub at: Checkpoint,
    /// Its date, where GitHub signed it; anyone can write any date into other commits.
    pub proven_at: Option<Timestamp>,
    /// The entry; none for a stray commit, which added none.
    pub added: Option<Arc<Added>>,
    /// Whether this process appended it, by an append that GitHub confirmed.
    pub is_own: bool,
}

/// An entry as a commit of the tail added it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its number and digest.
    pub id: EntryId,
    content: Content,
}

/// What an entry holds, as far as this program can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every entry is a known one, and each lies in an `Arc`"
)]
enum Content {
    Known(Entry),
    /// An approver takes a receipt back.
    Withdrawing(Withdrawing),
    /// Written by a newer version, or not as any version writes it. It blocks what it names.
    Opaque(Header),
}

impl Added {
    /// Reads an entry whose digest the chain of commits has named already.
    fn read(id: EntryId, bytes: &[u8]) -> Result<(Self, Option<Digest>), String> {
        let header = Header::read(bytes).map_err(|error| format!("{error}"))?;
        if header.sequence != id.sequence {
            return Err(format!("its number is {}", header.sequence));
        }

        let previous = header.previous;
        let content = Entry::from_document(bytes)
            .map(Content::Known)
            .or_else(|_| Withdrawing::from_document(bytes).map(Content::Withdrawing))
            .unwrap_or(Content::Opaque(header));
        Ok((Self { id, content }, previous))
    }
}

impl Tail {
    /// The tail above the tip itself, in which nothing has happened.
    #[cfg(test)]
    pub(crate) const fn empty(tip: Checkpoint) -> Self {
        Self {
            base: tip,
            commits: Vec::new(),
            authorities: Vec::new(),
            root: None,
        }
    }

    /// The commit on which the next append builds, and the head that it holds.
    #[must_use]
    pub fn tip(&self) -> &Checkpoint {
        self.commits.last().map_or(&self.base, |commit| &commit.at)
    }

    /// The checkpoint above which the tail was verified.
    #[must_use]
    pub const fn base(&self) -> &Checkpoint {
        &self.base
    }

    /// The newest entry, if there is one.
    #[must_use]
    pub fn newest(&self) -> Option<EntryId> {
        self.tip().head.newest()
    }

    /// Commits that added no entry.
    pub fn strays(&self) -> impl Iterator<Item = &CommitId> {
        let strays = self.commits.iter().filter(|commit| commit.added.is_none());
        strays.map(|commit| &commit.at.commit)
    }

    /// The commits above a checkpoint. A checkpoint that is not on the chain was rolled back.
    pub fn above(&self, checkpoint: &Checkpoint) -> Result<&[TailCommit], Refusal> {
        if *checkpoint == self.base {
            return Ok(&self.commits);
        }
        let at = self
            .commits
            .iter()
            .position(|commit| commit.at == *checkpoint);
        at.map(|at| &self.commits[at + 1..])
            .ok_or_else(|| Refusal::LedgerRolledBack {
                checkpoint: checkpoint.clone(),
                found: format!(
                    "does not reach it between {} and {}",
                    self.tip().commit,
                    self.base.commit
                ),
            })
    }

    /// The commits from the tip down to a checkpoint, with both; the checkpoint alone if it is not on
    /// the chain, which joins with nothing.
    pub(super) fn commits_from<'a>(&'a self, checkpoint: &'a Checkpoint) -> Vec<&'a CommitId> {
        let above = self.above(checkpoint).unwrap_or_default();
        let above = above.iter().rev().map(|commit| &commit.at.commit);
        above.chain([&checkpoint.commit]).collect()
    }

    pub(super) fn is_own_append(&self, id: &CommitId) -> bool {
        let mut commits = self.commits.iter();
        commits.any(|commit| commit.is_own && commit.at.commit == *id)
    }

    pub(super) const fn root(&self) -> Option<&CommitId> {
        self.root.as_ref()
    }

    /// Whether what is above this checkpoint was verified.
    #[must_use]
    pub fn covers(&self, checkpoint: &Checkpoint) -> bool {
        self.above(checkpoint).is_ok()
    }

    /// The same tail and what follows it on the branch.
    pub fn extended(&self, above: Self) -> Result<Self, Refusal> {
        self.continued(above)?.within_limits()
    }

    /// The same for a person who looks back, without the limits of what one decision reads.
    pub fn continued(&self, above: Self) -> Result<Self, Refusal> {
        if above.base != *self.tip() {
            return Err(Refusal::LedgerRolledBack {
                checkpoint: self.tip().clone(),
                found: format!("continues from {} now", above.base.commit),
            });
        }
        let mut tail = self.clone();
        tail.commits.extend(above.commits);
        tail.root = tail.root.or(above.root);
        // What decided once stays known, whatever the commits that were read now hold.
        for authority in above.authorities {
            if !tail.authorities.contains(&authority) {
                tail.authorities.push(authority);
            }
        }
        Ok(tail)
    }

    /// The same tail after an append of this process, which GitHub confirmed as this commit.
    #[must_use]
    pub fn appended(&self, append: &Append, commit: CommitId) -> Self {
        let mut tail = self.clone();
        if let Some(entry) = &append.entry {
            let id = entry.id();
            tail.commits.push(TailCommit {
                at: Checkpoint {
                    commit,
                    head: super::Head::at(id),
                },
                proven_at: None,
                added: Some(Arc::new(Added {
                    id,
                    content: Content::Known(entry.clone()),
                })),
                is_own: true,
            });
        }
        tail
    }

    /// Whether so many appends still fit above a checkpoint: a receipt from there must stay readable.
    pub fn has_room(&self, checkpoint: &Checkpoint, appends: usize) -> Result<(), Refusal> {
        let above = self.above(checkpoint)?;
        let entries = above.iter().filter(|commit| commit.added.is_some()).count();
        if above.len() + appends > MOST_TAIL_COMMITS || entries + appends > MOST_TAIL_ENTRIES {
            return Err(too_long(above.len(), entries));
        }
        Ok(())
    }

    fn entries(&self) -> usize {
        let added = self.commits.iter().filter(|commit| commit.added.is_some());
        added.count()
    }

    fn within_limits(self) -> Result<Self, Refusal> {
        let entries = self.entries();
        if self.commits.len() > MOST_TAIL_COMMITS || entries > MOST_TAIL_ENTRIES {
            return Err(too_long(self.commits.len(), entries));
        }
        Ok(self)
    }

    /// Whether trust and policy are not older than those that decided before: by the newest commits
    /// of the branch, whatever a receipt names, and by the claims of the tail.
    pub(crate) fn follows(
        &self,
        trust: Option<&Trust>,
        policy: Option<&Policy>,
    ) -> Result<(), Refusal> {
        let mut known = 0;
        for before in self.decided() {
            authority::newest(trust, policy, before)?;
            known = known.max(before.trust.map_or(0, |trust| trust.version));
        }
        authority::fresh(trust, known)
    }

    /// What stood behind decisions before, the oldest first.
    fn decided(&self) -> impl Iterator<Item = &Authority> {
        let claims =
            self.commits
                .iter()
                .filter_map(|commit| match &commit.added.as_ref()?.content {
                    Content::Known(entry) if entry.receipt.is_some() => Some(&entry.authority),
                    _ => None,
                });
        self.authorities.iter().chain(claims)
    }

    /// The newest authority that the tail shows.
    #[must_use]
    pub fn authority(&self) -> Authority {
        let newest =
            |pins: &mut dyn Iterator<Item = authority::Pin>| pins.max_by_key(|pin| pin.version);
        Authority {
            trust: newest(&mut self.decided().filter_map(|before| before.trust)),
            policy: newest(&mut self.decided().filter_map(|before| before.policy)),
        }
    }
}

fn too_long(commits: usize, entries: usize) -> Refusal {
    Refusal::LedgerTailTooLong { commits, entries }
}

#[cfg(test)]
mod tests;
