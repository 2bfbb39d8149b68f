//! Compares entries with the dates of the commits that added them, as far as GitHub vouches for those.
//!
//! Anyone who makes a commit outside of GitHub chooses its date. A commit that GitHub signed was dated
//! by GitHub's clock. And a commit names its parent by a hash, so it is younger than every commit below
//! it: proven dates below an unproven commit bound it from one side, those above it from the other.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::EventType;
use crate::{binding::MOST_SKEW, name::CommitId, text::excerpt, timestamp::Timestamp};

/// Seconds by which an entry's timestamp may differ from its commit's date. Each try of an append
/// writes a new timestamp.
pub const MOST_APART: u64 = MOST_SKEW;

/// Who made a commit, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Making {
    /// Its date, if it can be read.
    pub at: Option<Timestamp>,
    /// Whether GitHub signed the commit: then the date is GitHub's, otherwise its author's.
    pub is_proven: bool,
    /// Who made it, as it is shown.
    pub author: Option<String>,
}

/// A commit of the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DatedCommit {
    pub(super) id: CommitId,
    pub(super) making: Making,
    /// The entry that it added.
    pub(super) added: Option<u64>,
}

/// What the entries say about time: one moment each, and how each claimed operation ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    pub(super) entries: Vec<Moment>,
    pub(super) rounds: Vec<Option<Ending>>,
}

/// The outcome that ended a round; later ones only inform.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) sequence: u64,
    pub(super) event_type: EventType,
}

/// What one entry says about time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// The claims of an operation until its end, and that end, are one round. A withdrawal is of none.
    pub(super) round: Option<usize>,
    /// Whether it holds a statement that an approver signed: any account may carry it.
    pub(super) is_signed: bool,
    /// Until when the receipt of a claim is valid, if its signatures were verified.
    pub(super) expires_at: Option<Timestamp>,
}

/// When an entry was appended, as far as GitHub proves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The date of its commit, if GitHub signed that.
    pub exact: Option<Timestamp>,
    /// The newest proven date at or below its commit.
    pub not_before: Option<Timestamp>,
    /// The oldest proven date at or above its commit.
    pub not_after: Option<Timestamp>,
}

/// Whether a claim came before the end of its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It did.
    InTime,
    /// It came afterwards.
    Late,
    /// No date that GitHub signed proves either.
    Unproven,
}

/// What is wrong about a date, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateProblem {
    /// An entry's timestamp is too far from its commit's date.
    EntryMisdated,
    /// An operation succeeded under receipts that were all claimed after their end.
    ClaimLate,
    /// A commit is dated before one below it.
    DatesFall,
    /// A claim lies in an unsigned commit, on a branch whose appends GitHub signs.
    ClaimUnproven,
    /// Commits that GitHub did not sign.
    Unproven,
    /// Entries that another account appended.
    EntryByOther,
    /// Commits by another account that added no entry.
    CommitByOther,
}

/// One finding about dates and authors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFinding {
    /// What it is.
    pub problem: DateProblem,
    /// The entry, if it is about one.
    pub sequence: Option<u64>,
    /// The commit, or the first of several.
    pub commit: CommitId,
    /// The commit, its author, and both sides.
    pub told: String,
}

/// The branch's commits with their dates, and the entries that they added.
#[derive(Clone, Debug, Default)]
pub struct Dates {
    /// The oldest first.
    commits: Vec<DatedCommit>,
    spans: Vec<Span>,
    /// By the entry's number less one: the commit that added it.
    added_by: Vec<usize>,
    moments: Moments,
}

impl Dates {
    pub(super) fn new(newest_first: Vec<DatedCommit>, moments: Moments) -> Self {
        let mut commits = newest_first;
        commits.reverse();
        let added_by = commits
            .iter()
            .enumerate()
            .filter_map(|(index, commit)| commit.added.map(|_| index))
            .collect();
        Self {
            spans: spans(&commits),
            added_by,
            commits,
            moments,
        }
    }

    /// When an entry was appended.
    #[must_use]
    pub fn span(&self, sequence: u64) -> Span {
        self.index(sequence)
            .map_or(Span::default(), |index| self.spans[index])
    }

    /// The earliest time at which an entry can have been appended: its commit's date if GitHub signed
    /// that; otherwise its own timestamp, which its author has no reason to postdate, or a later proven
    /// date below it.
    #[must_use]
    pub fn claimed_at(&self, sequence: u64, said: Timestamp) -> Timestamp {
        let span = self.span(sequence);
        let earliest = span.not_before.unwrap_or(said);
        span.exact.unwrap_or_else(|| said.max(earliest))
    }

    /// Whether a claim came before its receipt's end.
    #[must_use]
    pub fn timing(&self, claim: u64, expires_at: Timestamp) -> Timing {
        let span = self.span(claim);
        if span.not_before.is_some_and(|at| at >= expires_at) {
            Timing::Late
        } else if span.not_after.is_some_and(|at| at < expires_at) {
            Timing::InTime
        } else {
            Timing::Unproven
        }
    }

    /// Whether an entry's commit is unsigned although GitHub signed one below it. GitHub signs all that
    /// Countersign appends, so Countersign did not append this, or the server has stopped signing.
    #[must_use]
    pub fn is_unsigned_above_signed(&self, sequence: u64) -> bool {
        let span = self.span(sequence);
        span.exact.is_none() && span.not_before.is_some()
    }

    /// How an entry's timestamp contradicts the dates of commits, if it does.
    #[must_use]
    pub fn misdated(&self, sequence: u64) -> Option<String> {
        let index = self.index(sequence)?;
        let entry = self.moment(sequence)?.at;
        let (commit, span) = (&self.commits[index], self.spans[index]);
        if let Some(at) = commit
            .making
            .at
            .filter(|at| at.distance(entry) > MOST_APART)
        {
            return Some(format!("it says {entry}, but its commit is of {at}"));
        }
        if let Some(below) = span
            .not_before
            .filter(|below| below.since(entry) > MOST_APART)
        {
            return Some(format!(
                "it says {entry}, but lies above a commit of {below}"
            ));
        }
        let above = span
            .not_after
            .filter(|above| entry.since(*above) > MOST_APART)?;
        Some(format!(
            "it says {entry}, but lies below a commit of {above}"
        ))
    }

    /// How many commits added an entry, and how many of these GitHub signed.
    #[must_use]
    pub fn signed(&self) -> (usize, usize) {
        let is_signed = |index: &&usize| self.commits[**index].making.is_proven;
        (
            self.added_by.len(),
            self.added_by.iter().filter(is_signed).count(),
        )
    }

    /// What is wrong or not known about what was done since then, the worst first. Accounts that may
    /// append are compared without regard to case, as GitHub compares logins.
    #[must_use]
    pub fn findings(&self, ledger_by: &BTreeSet<String>, since: Timestamp) -> Vec<DateFinding> {
        let mut found = self.misdated_entries(since);
        found.extend(self.rounds(since));
        found.extend(self.falls(since));
        found.extend(self.unproven(since));
        found.extend(self.by_others(ledger_by, since));
        found.sort_by_key(|finding| finding.problem);
        found
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        let before = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.added_by.get(before).copied()
    }

    fn moment(&self, sequence: u64) -> Option<&Moment> {
        let before = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.moments.entries.get(before)
    }

    /// Only what is proven to be older is left out, so backdating a commit does not hide it.
    fn is_recent(&self, index: usize, since: Timestamp) -> bool {
        self.spans[index].not_after.is_none_or(|at| at >= since)
    }

    /// Who a commit is by, for people.
    fn named(&self, index: usize) -> String {
        let commit = &self.commits[index];
        match &commit.making.author {
            Some(author) => format!("commit {} by {}", commit.id, excerpt(author, 60)),
            None => format!("commit {}", commit.id),
        }
    }

    fn finding(
        &self,
        problem: DateProblem,
        sequence: Option<u64>,
        index: usize,
        told: &str,
    ) -> DateFinding {
        DateFinding {
            problem,
            sequence,
            commit: self.commits[index].id.clone(),
            told: format!("{}: {told}", self.named(index)),
        }
    }

    /// The end of the round to which an entry belongs, if that succeeded.
    fn success(&self, moment: &Moment) -> Option<Ending> {
        self.moments.rounds[moment.round?].filter(|end| end.event_type == EventType::Succeeded)
    }

    /// An attempt whose machine has a wrong clock claims, sees GitHub's date and records a failure. So
    /// only what succeeded must be dated as its commits are, and not what was appended after that.
    fn misdated_entries(&self, since: Timestamp) -> Vec<DateFinding> {
        let mut found = Vec::new();
        for (sequence, moment) in (1..).zip(&self.moments.entries) {
            let counts = self
                .success(moment)
                .is_some_and(|end| sequence <= end.sequence);
            let index = self.index(sequence).filter(|_| counts);
            if let Some(index) = index.filter(|index| self.is_recent(*index, since))
                && let Some(told) = self.misdated(sequence)
            {
                let problem = DateProblem::EntryMisdated;
                found.push(self.finding(problem, Some(sequence), index, &told));
            }
        }
        found
    }

    /// Of the claims of an operation that succeeded one must have been in time: a later attempt may
    /// claim too late what an earlier one had done in time.
    fn rounds(&self, since: Timestamp) -> Vec<DateFinding> {
        let mut claims: BTreeMap<usize, Vec<(u64, Timestamp)>> = BTreeMap::new();
        for (sequence, moment) in (1..).zip(&self.moments.entries) {
            let succeeded = self.success(moment).is_some();
            if let Some(expires_at) = moment.expires_at.filter(|_| succeeded)
                && let Some(round) = moment.round
            {
                claims
                    .entry(round)
                    .or_default()
                    .push((sequence, expires_at));
            }
        }

        let mut found = Vec::new();
        for claims in claims.values() {
            let timings = claims
                .iter()
                .map(|(claim, expires_at)| (self.timing(*claim, *expires_at), *claim, *expires_at));
            let timings: Vec<_> = timings.collect();
            if timings.iter().any(|(timing, ..)| *timing == Timing::InTime) {
                continue;
            }
            let unproven = timings
                .iter()
                .find(|(timing, ..)| *timing == Timing::Unproven);
            let (timing, claim, expires_at) = *unproven.unwrap_or(&timings[0]);
            let Some(index) = self
                .index(claim)
                .filter(|index| self.is_recent(*index, since))
            else {
                continue;
            };
            found.extend(self.not_in_time(timing, claim, expires_at, index));
        }
        found
    }

    fn not_in_time(
        &self,
        timing: Timing,
        claim: u64,
        expires_at: Timestamp,
        index: usize,
    ) -> Option<DateFinding> {
        let (problem, told) = match timing {
            Timing::Late => (
                DateProblem::ClaimLate,
                format!(
                    "it claims a receipt that was valid until {expires_at}, and was made at {} or later",
                    self.spans[index].not_before?
                ),
            ),
            Timing::Unproven if self.is_unsigned_above_signed(claim) => (
                DateProblem::ClaimUnproven,
                format!(
                    "GitHub did not sign it, so nothing proves that its receipt was claimed before {expires_at}; GitHub signed commits below it"
                ),
            ),
            Timing::Unproven | Timing::InTime => return None,
        };
        Some(self.finding(problem, Some(claim), index, &told))
    }

    /// Only commits with an entry are judged: anyone can put a stray with any date on top.
    fn falls(&self, since: Timestamp) -> Vec<DateFinding> {
        let mut newest: Option<(usize, Timestamp)> = None;
        let mut found = Vec::new();
        for (index, commit) in self.commits.iter().enumerate() {
            let Some(at) = commit.making.at else { continue };
            if let Some((below, before)) = newest.filter(|(_, below)| below.since(at) > MOST_APART)
                && commit.added.is_some()
                && self.is_recent(index, since)
            {
                let told = format!(
                    "it is of {at}, but commit {} below it of {before}",
                    self.commits[below].id
                );
                found.push(self.finding(DateProblem::DatesFall, commit.added, index, &told));
            }
            if commit.making.is_proven && newest.is_none_or(|(_, before)| before < at) {
                newest = Some((index, at));
            }
        }
        found
    }

    /// One finding for all of them: a server that signs nothing would have one for each entry.
    fn unproven(&self, since: Timestamp) -> Option<DateFinding> {
        let unproven = self.added_by.iter().copied().filter(|index| {
            !self.commits[*index].making.is_proven && self.is_recent(*index, since)
        });
        let unproven: Vec<usize> = unproven.collect();
        let first = *unproven.first()?;
        let sequence = self.commits[first].added;
        let told = format!(
            "GitHub did not sign it, so its date is its author's word; {} of {} commits that added an entry are unsigned, this is the first of them",
            unproven.len(),
            self.added_by.len()
        );
        Some(self.finding(DateProblem::Unproven, sequence, first, &told))
    }

    /// One finding for each account. Below the first entry are the root and the trial appends, which a
    /// person makes.
    fn by_others(&self, ledger_by: &BTreeSet<String>, since: Timestamp) -> Vec<DateFinding> {
        let Some(first) = self.added_by.first() else {
            return Vec::new();
        };
        let mut others: BTreeMap<(bool, String), Vec<usize>> = BTreeMap::new();
        for (index, commit) in self.commits.iter().enumerate().skip(*first) {
            let author = commit.making.author.as_deref().unwrap_or("nobody");
            let is_signed = commit.added.and_then(|entry| self.moment(entry));
            if !is_signed.is_some_and(|moment| moment.is_signed)
                && !ledger_by.contains(&author.to_lowercase())
                && self.is_recent(index, since)
            {
                let key = (commit.added.is_some(), author.to_string());
                others.entry(key).or_default().push(index);
            }
        }

        let told = |((is_entry, _), commits): (&(bool, String), &Vec<usize>)| {
            let (problem, what) = if *is_entry {
                (DateProblem::EntryByOther, "appended entries")
            } else {
                (DateProblem::CommitByOther, "made commits without an entry")
            };
            let told = format!(
                "this account {what} and is not among --ledger-by; {} in all, this is the first",
                commits.len()
            );
            self.finding(problem, self.commits[commits[0]].added, commits[0], &told)
        };
        others.iter().map(told).collect()
    }
}

fn spans(commits: &[DatedCommit]) -> Vec<Span> {
    let proven = |commit: &DatedCommit| commit.making.at.filter(|_| commit.making.is_proven);
    let mut spans = Vec::with_capacity(commits.len());
    let mut newest = None;
    for commit in commits {
        let exact = proven(commit);
        newest = newest.max(exact);
        spans.push(Span {
            exact,
            not_before: exact.or(newest),
            not_after: None,
        });
    }

    let mut oldest: Option<Timestamp> = None;
    for (span, commit) in spans.iter_mut().zip(commits).rev() {
        let exact = proven(commit);
        oldest = [oldest, exact].into_iter().flatten().min();
        span.not_after = exact.or(oldest);
    }
    spans
}

#[cfg(test)]
mod tests;
