//! Follows the branch from its tip down to a checkpoint, and says which entries must be read.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    Added, MOST_TAIL_BYTES, MOST_TAIL_COMMITS, MOST_TAIL_ENTRIES, Tail, TailCommit, too_long,
};
use crate::{
    authority::Authority,
    digest::Digest,
    document::Document,
    ledger::{Checkpoint, EntryId, Head},
    name::CommitId,
    refusal::Refusal,
    text::excerpt,
    timestamp::Timestamp,
};

/// One commit of the branch, as GitHub shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchCommit {
    /// Its id.
    pub id: CommitId,
    /// Its parents, the first two at least.
    pub parents: Vec<CommitId>,
    /// Its `ledger.json`; none if it has none, or if that is not a regular file.
    pub head: Option<String>,
    /// Its `authority.json`, if it has one.
    pub authority: Option<String>,
    /// Its date, if GitHub signed it.
    pub proven_at: Option<Timestamp>,
    /// Who made it, as GitHub says.
    pub author: Option<String>,
}

impl BranchCommit {
    /// The commit as an issuer who looked at that moment would name it.
    pub fn checkpoint(&self) -> Result<Checkpoint, Refusal> {
        Ok(Checkpoint {
            commit: self.id.clone(),
            head: head_of(self)?,
        })
    }
}

/// Where a tail begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Above the commit that an issuer saw.
    At(Checkpoint),
    /// Above the tip itself.
    Tip,
}

/// How far the commits at hand reach.
#[derive(Debug)]
pub enum Followed {
    /// Down to the base.
    Reached(Links),
    /// More of the branch must be read.
    MoreNeeded,
}

/// A chain of commits whose entries have not been read yet.
#[derive(Debug)]
pub struct Links {
    base: Checkpoint,
    /// The oldest first.
    commits: Vec<Link>,
    authorities: Vec<Authority>,
    root: Option<CommitId>,
}

#[derive(Debug)]
struct Link {
    at: Checkpoint,
    proven_at: Option<Timestamp>,
    author: Option<String>,
    added: Option<EntryId>,
}

/// An entry that must be read, at the commit that made `ledger.json` name it: no later commit can
/// hide it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The commit.
    pub commit: CommitId,
    /// The entry.
    pub entry: EntryId,
}

impl Links {
    /// Follows the branch from `tip`, whose commits come newest first.
    pub fn follow(
        tip: &CommitId,
        base: &Base,
        commits: &[BranchCommit],
    ) -> Result<Followed, Refusal> {
        let mut above = Vec::new();
        let mut expected = tip;
        let base = loop {
            if let Base::At(checkpoint) = base
                && *expected == checkpoint.commit
            {
                break checkpoint.clone();
            }
            let Some(commit) = commits.get(above.len()) else {
                if above.len() >= MOST_TAIL_COMMITS {
                    return Err(too_long(above.len(), 0));
                }
                return Ok(Followed::MoreNeeded);
            };
            if commit.id != *expected {
                return Err(tampered(
                    commit,
                    format!("GitHub lists it where {expected} belongs"),
                ));
            }
            if *base == Base::Tip {
                break commit.checkpoint()?;
            }
            above.push(commit);
            expected = match (commit.parents.as_slice(), base) {
                ([parent], _) => parent,
                ([], Base::At(checkpoint)) => {
                    return Err(Refusal::LedgerRolledBack {
                        checkpoint: checkpoint.clone(),
                        found: format!("ends at its root {} without that commit", commit.id),
                    });
                }
                ([], Base::Tip) => {
                    return Err(tampered(commit, "it is a root".into()));
                }
                _ => return Err(tampered(commit, "it merges other commits".into())),
            };
        };
        let shown = commits
            .get(above.len())
            .filter(|commit| commit.id == base.commit);
        let mut links = Self {
            authorities: authorities(commits),
            commits: Vec::new(),
            root: root_of(commits),
            base,
        };
        links.check_base(shown)?;
        for commit in above.into_iter().rev() {
            links.add(commit)?;
        }
        links.within_limits().map(Followed::Reached)
    }

    /// The commit at the base, where GitHub shows it: its own file must be what the issuer saw.
    fn check_base(&self, shown: Option<&BranchCommit>) -> Result<(), Refusal> {
        let Some(found) = shown else {
            return Ok(());
        };
        let head = head_of(found)?;
        if head == self.base.head {
            return Ok(());
        }
        Err(Refusal::LedgerRolledBack {
            checkpoint: self.base.clone(),
            found: format!(
                "holds {} in that commit",
                head.newest()
                    .map_or("no entry".into(), |newest| format!("{newest}"))
            ),
        })
    }

    fn add(&mut self, commit: &BranchCommit) -> Result<(), Refusal> {
        let before = self
            .commits
            .last()
            .map_or(self.base.head, |link| link.at.head);
        let head = head_of(commit)?;
        let added = match head.newest() {
            _ if head == before => None,
            Some(newest) if before.sequence().checked_add(1) == Some(newest.sequence) => {
                Some(newest)
            }
            _ => {
                return Err(tampered(
                    commit,
                    format!(
                        "`ledger.json` names entry {} after entry {}",
                        head.sequence(),
                        before.sequence()
                    ),
                ));
            }
        };
        self.commits.push(Link {
            at: Checkpoint {
                commit: commit.id.clone(),
                head,
            },
            proven_at: commit.proven_at,
            author: author_of(commit),
            added,
        });
        Ok(())
    }

    fn within_limits(self) -> Result<Self, Refusal> {
        let (commits, entries) = (self.commits.len(), self.additions().count());
        if commits > MOST_TAIL_COMMITS || entries > MOST_TAIL_ENTRIES {
            return Err(too_long(commits, entries));
        }
        Ok(self)
    }

    /// The entries that must be read, the oldest first.
    pub fn additions(&self) -> impl Iterator<Item = Addition> {
        self.commits.iter().filter_map(|link| {
            Some(Addition {
                commit: link.at.commit.clone(),
                entry: link.added?,
            })
        })
    }

    /// Takes in the entries' files, in the order of [`Self::additions`]. One that is absent, or that
    /// is not what the chain names, was tampered with.
    pub fn read(self, files: impl IntoIterator<Item = Option<Vec<u8>>>) -> Result<Tail, Refusal> {
        let mut files = files.into_iter();
        let mut bytes = 0;
        let mut tail = Tail {
            base: self.base,
            commits: Vec::new(),
            authorities: self.authorities,
            root: self.root,
        };

        for link in self.commits {
            let Some(id) = link.added else {
                tail.commits.push(TailCommit {
                    at: link.at,
                    proven_at: link.proven_at,
                    added: None,
                    is_own: false,
                });
                continue;
            };
            let file = files.next().flatten();
            bytes += file.as_ref().map_or(0, Vec::len);
            if bytes > MOST_TAIL_BYTES {
                return Err(Refusal::LedgerEntriesTooLarge { bytes });
            }
            let previous = tail.newest().map(|newest| newest.digest);
            let added =
                read(id, previous, file.as_deref()).map_err(|problem| Refusal::LedgerTampered {
                    commit: link.at.commit.clone(),
                    author: link.author.clone(),
                    problem,
                })?;
            tail.commits.push(TailCommit {
                at: link.at,
                proven_at: link.proven_at,
                added: Some(Arc::new(added)),
                is_own: false,
            });
        }
        Ok(tail)
    }
}

fn read(id: EntryId, previous: Option<Digest>, file: Option<&[u8]>) -> Result<Added, String> {
    let number = id.sequence;
    let file = file.ok_or_else(|| format!("it has no file of entry {number}"))?;
    let digest = Digest::of(file);
    if digest != id.digest {
        return Err(format!(
            "`ledger.json` names entry {number} as {}, but its file is {digest}",
            id.digest
        ));
    }

    let (added, named) =
        Added::read(id, file).map_err(|problem| format!("entry {number}: {problem}"))?;
    if named != previous {
        return Err(format!(
            "entry {number} does not name the entry before it as its previous one"
        ));
    }
    Ok(added)
}

fn head_of(commit: &BranchCommit) -> Result<Head, Refusal> {
    let text = commit
        .head
        .as_deref()
        .ok_or_else(|| tampered(commit, "it has no file `ledger.json`".into()))?;
    Head::from_document(text.as_bytes())
        .map_err(|error| tampered(commit, format!("ledger.json: {error}")))
}

/// What the commits say decided before. A file that cannot be read was not written by Countersign:
/// it is passed over, and the commits around it still say what they say.
fn authorities(commits: &[BranchCommit]) -> Vec<Authority> {
    let mut found: Vec<Authority> = Vec::new();
    for text in commits
        .iter()
        .rev()
        .filter_map(|commit| commit.authority.as_deref())
    {
        if let Ok(authority) = Authority::from_document(text.as_bytes())
            && found.last() != Some(&authority)
        {
            found.push(authority);
        }
    }
    found
}

/// The commit without parents, if the commits at hand reach so far.
fn root_of(commits: &[BranchCommit]) -> Option<CommitId> {
    let root = commits.last()?;
    root.parents.is_empty().then(|| root.id.clone())
}

fn tampered(commit: &BranchCommit, problem: String) -> Refusal {
    Refusal::LedgerTampered {
        commit: commit.id.clone(),
        author: author_of(commit),
        problem,
    }
}

fn author_of(commit: &BranchCommit) -> Option<String> {
    commit.author.as_deref().map(|author| excerpt(author, 60))
}
