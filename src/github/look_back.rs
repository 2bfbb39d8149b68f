//! Reads the ledger back from its tip for a person who is about to sign, and verifies it.

use std::collections::BTreeSet;

use countersign_core::{
    ledger::{
        Addition, Base, BranchCommit, Checkpoint, Followed, Links, MOST_TAIL_COMMITS,
        MOST_TAIL_ENTRIES, Tail,
    },
    name::{CommitId, Host, Repository},
    operation::{Operation, Target},
    refusal::Refusal,
    timestamp::Timestamp,
};

use super::{GitHub, Trouble, entries::ENTRIES, tail::HistoryPage};

/// Damaged commits that are gone through before the look ends at the tip.
const MOST_ROUNDS: usize = 8;

/// How far back to look; never more than 1,000 commits.
pub(crate) struct Extent<'a> {
    /// Down to the root, whatever else is found.
    pub(crate) whole: bool,
    /// Down to a commit that is proven to be older.
    pub(crate) since: Option<Timestamp>,
    /// Down to each of these commits.
    pub(crate) past: &'a [CommitId],
}

/// What a person has seen of a ledger.
pub(crate) struct LookedBack {
    /// The repository as GitHub names and numbers it.
    pub(crate) target: Target,
    /// Its newest commits.
    pub(crate) sound: Sound,
}

/// The newest commits of a ledger that hold.
pub(crate) struct Sound {
    /// Every commit that was read and holds, from the oldest to the tip.
    pub(crate) tail: Tail,
    /// Why nothing below the tail could be verified.
    pub(crate) damage: Option<Refusal>,
    /// Whether the tail begins at the branch's root.
    pub(crate) is_whole: bool,
    /// The oldest date among its commits that GitHub signed.
    proven: Option<Timestamp>,
    /// Every commit that GitHub listed, also those that do not hold.
    pub(crate) listed: BTreeSet<CommitId>,
}

impl Extent<'_> {
    /// The index of the commit at which the look ends, if these commits reach that far.
    fn end(&self, commits: &[BranchCommit]) -> Option<usize> {
        let mut missing: Vec<&CommitId> = self.past.iter().collect();
        let mut is_older = self.since.is_none();
        for (index, commit) in commits.iter().enumerate() {
            missing.retain(|wanted| **wanted != commit.id);
            is_older |= is_before(commit.proven_at, self.since);

            let is_enough = !self.whole && is_older && missing.is_empty();
            if is_enough || commit.parents.is_empty() || index == MOST_TAIL_COMMITS {
                return Some(index);
            }
        }
        None
    }
}

fn is_before(at: Option<Timestamp>, since: Option<Timestamp>) -> bool {
    at.zip(since).is_some_and(|(at, since)| at < since)
}

impl Sound {
    /// Whether everything that the ledger recorded since a moment is in the tail.
    pub(crate) fn reaches(&self, since: Option<Timestamp>) -> bool {
        self.is_whole || is_before(self.proven, since)
    }
}

impl GitHub {
    /// Its host as people know it, without `api.`.
    pub(crate) fn site(&self) -> String {
        self.endpoints.site()
    }

    /// The same as receipts' withdrawals name it; none if it has no such name.
    pub(crate) fn named_host(&self) -> Option<Host> {
        self.site().parse().ok()
    }

    /// Looks back on the ledger of an operation's repository.
    pub(crate) async fn look_back(
        &self,
        operation: &Operation,
        extent: &Extent<'_>,
    ) -> Result<Result<LookedBack, Refusal>, Trouble> {
        let (target, newest) = self.newest_of_ledger(operation).await?;
        let (tip, page) = match newest {
            Ok(newest) => newest,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let looked = self
            .newest_sound(&target.repository, &tip, page, extent)
            .await?;
        Ok(looked.map(|sound| LookedBack { target, sound }))
    }

    /// The newest commits of the ledger, as far back as is wanted and as they hold.
    pub(super) async fn newest_sound(
        &self,
        repository: &Repository,
        tip: &CommitId,
        page: HistoryPage,
        extent: &Extent<'_>,
    ) -> Result<Result<Sound, Refusal>, Trouble> {
        let mut commits = self.commits_back(repository, tip, page, extent).await?;
        let listed = commits.iter().map(|commit| commit.id.clone()).collect();
        let readable = self.readable(repository, &commits).await?;
        commits.truncate(readable);

        let mut damage = None;
        for round in 1.. {
            let refusal = match self.chain(repository, tip, &commits).await? {
                Ok(tail) => {
                    return Ok(Ok(Sound {
                        tail,
                        is_whole: commits.last().is_some_and(|last| last.parents.is_empty()),
                        proven: commits.iter().filter_map(|commit| commit.proven_at).min(),
                        damage,
                        listed,
                    }));
                }
                Err(refusal) => refusal,
            };
            // Anyone who signs above damage must know of it. But one commit, which anyone with write
            // access can make, must not keep everyone from approving from then on.
            let Some(above) = above_damage(&refusal, &commits) else {
                return Ok(Err(refusal));
            };
            // Many damaged commits are not gone through one by one: the tip alone is left.
            commits.truncate(if round < MOST_ROUNDS { above } else { 1 });
            damage = Some(refusal);
        }
        unreachable!("a round ends the look, or leaves fewer commits")
    }

    /// How many of the newest commits have entries that this process may still read. Entries too large to
    /// read must not keep everyone from approving either.
    async fn readable(
        &self,
        repository: &Repository,
        commits: &[BranchCommit],
    ) -> Result<usize, Trouble> {
        let additions = additions(commits);
        for batch in additions.chunks(ENTRIES) {
            let (places, batch): (Vec<usize>, Vec<Addition>) = batch.iter().cloned().unzip();
            if self.entries(repository, &batch).await?.is_err() {
                // The commit that added the newest of them is the base: its entry is not read.
                return Ok(places.first().map_or(commits.len(), |place| place + 1));
            }
        }
        Ok(commits.len())
    }

    async fn commits_back(
        &self,
        repository: &Repository,
        tip: &CommitId,
        mut page: HistoryPage,
        extent: &Extent<'_>,
    ) -> Result<Vec<BranchCommit>, Trouble> {
        let mut commits = Vec::new();
        loop {
            let (older, next) = page.commits()?;
            commits.extend(older);
            if let Some(end) = extent.end(&commits) {
                commits.truncate(end + 1);
                return Ok(commits);
            }
            let next = next.ok_or_else(|| Trouble::Garbage {
                reason: "the ledger's history ends before its root".into(),
            })?;
            page = self.history_page(repository, tip, Some(&next)).await?;
        }
    }

    /// The verified chain from the tip down to the last of these commits, read in pieces: each is a
    /// tail within the limits of one.
    async fn chain(
        &self,
        repository: &Repository,
        tip: &CommitId,
        commits: &[BranchCommit],
    ) -> Result<Result<Tail, Refusal>, Trouble> {
        let mut whole: Option<Tail> = None;
        let mut end = commits.len().saturating_sub(1);
        loop {
            let begin = end.saturating_sub(MOST_TAIL_ENTRIES);
            let piece = commits.get(begin..=end).unwrap_or_default();
            let newest = match (begin, piece.first()) {
                (1.., Some(commit)) => &commit.id,
                _ => tip,
            };
            let links = match linked(newest, piece) {
                Ok(links) => links,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let tail = self.read_entries(repository, links).await?;
            let tail = tail.and_then(|above| match &whole {
                Some(below) => below.continued(above),
                None => Ok(above),
            });
            match tail {
                Ok(tail) if begin == 0 => return Ok(Ok(tail)),
                Ok(tail) => whole = Some(tail),
                Err(refusal) => return Ok(Err(refusal)),
            }
            end = begin;
        }
    }
}

/// Which commits name another entry than the one below them, newest first, with their places.
fn additions(commits: &[BranchCommit]) -> Vec<(usize, Addition)> {
    let added = |(place, pair): (usize, &[BranchCommit])| {
        let [commit, below] = pair else { return None };
        let (commit, below) = (commit.checkpoint().ok()?, below.checkpoint().ok()?);
        let entry = commit.head.newest().filter(|_| commit.head != below.head)?;
        let commit = commit.commit;
        Some((place, Addition { commit, entry }))
    };
    commits.windows(2).enumerate().filter_map(added).collect()
}

/// The chain from a commit down to the last one of a piece.
fn linked(newest: &CommitId, piece: &[BranchCommit]) -> Result<Links, Refusal> {
    let oldest = piece.last().map(BranchCommit::checkpoint);
    let missing = || Refusal::LedgerUnavailable {
        reason: "GitHub listed no commit of the ledger".into(),
    };
    let base: Checkpoint = oldest.ok_or_else(missing)??;
    match Links::follow(newest, &Base::At(base), piece)? {
        Followed::Reached(links) => Ok(links),
        Followed::MoreNeeded => Err(missing()),
    }
}

/// How many commits are left above a damaged one; that one is the last of them if it can be read.
/// None if the tip itself is damaged, or if nothing would be left out.
fn above_damage(refusal: &Refusal, commits: &[BranchCommit]) -> Option<usize> {
    let Refusal::LedgerTampered { commit, .. } = refusal else {
        return None;
    };
    let at = commits.iter().position(|listed| listed.id == *commit)?;
    let is_read = commits[at].checkpoint().is_ok();
    let left = if is_read { at + 1 } else { at };
    (0 < left && left < commits.len()).then_some(left)
}

#[cfg(test)]
mod tests {
    use countersign_core::{document::Document as _, ledger::Head};

    use super::*;

    const NOON: Timestamp = Timestamp::from_unix(1_795_262_400);

    fn id(number: usize) -> CommitId {
        format!("{number:040x}").parse().unwrap()
    }

    /// So many commits, newest first; those with an even number have a date that GitHub signed.
    fn commits(count: usize, has_root: bool) -> Vec<BranchCommit> {
        let commit = |number: usize| BranchCommit {
            id: id(number),
            parents: if number == 0 && has_root {
                Vec::new()
            } else {
                vec![id(number.saturating_sub(1))]
            },
            head: String::from_utf8(Head::EMPTY.to_document()).ok(),
            authority: None,
            proven_at: number.is_multiple_of(2).then(|| NOON.plus(number as u64)),
            author: None,
        };
        (0..count).rev().map(commit).collect()
    }

    #[test]
    fn a_look_ends_when_all_that_was_wanted_lies_above() {
        let end = |whole, since: Option<u64>, past: &[CommitId]| {
            let since = since.map(|seconds| NOON.plus(seconds));
            Extent { whole, since, past }.end(&commits(10, true))
        };
        assert_eq!(end(false, None, &[]), Some(0));
        assert_eq!(
            end(false, Some(8), &[]),
            Some(3),
            "6 is the newest that is proven older"
        );
        assert_eq!(end(false, None, &[id(4)]), Some(5));
        assert_eq!(end(false, Some(8), &[id(4), id(7)]), Some(5));
        assert_eq!(end(false, Some(0), &[]), Some(9), "none is older: the root");
        assert_eq!(
            end(false, None, &[id(99)]),
            Some(9),
            "it is not there: the root"
        );
        assert_eq!(end(true, Some(8), &[id(9)]), Some(9));
    }

    #[test]
    fn a_look_ends_after_a_thousand_commits_and_not_before() {
        let extent = Extent {
            whole: true,
            since: None,
            past: &[],
        };
        assert_eq!(extent.end(&commits(1000, false)), None);
        assert_eq!(extent.end(&commits(1200, false)), Some(1000));
    }

    #[test]
    fn what_lies_above_damage_is_left_and_a_damaged_tip_leaves_nothing() {
        let above = |number: usize, is_read: bool| {
            let mut commits = commits(10, true);
            if !is_read {
                commits[9 - number].head = None;
            }
            let refusal = Refusal::LedgerTampered {
                commit: id(number),
                author: None,
                problem: String::new(),
            };
            above_damage(&refusal, &commits)
        };
        assert_eq!(above(6, true), Some(4));
        assert_eq!(above(6, false), Some(3));
        assert_eq!(above(0, true), None, "nothing would be left out");
        assert_eq!(above(9, true), Some(1));
        assert_eq!(above(9, false), None, "the tip");
    }
}
