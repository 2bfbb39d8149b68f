//! Compares what a repository holds with what its ledger allowed: effects without a receipt, and receipts without their effect.

mod book;
mod finding;
mod found;
mod pull;
mod release;
mod tag;

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

pub use self::{
    book::{Book, Flaw, Spent, Standing},
    finding::{Code, Finding, Level, Subject},
    found::{Found, FoundAsset, FoundPull, FoundRelease, FoundTag, KnownTags, UnreadableTags},
};
use crate::{text::excerpt, timestamp::Timestamp};

/// Everything that does not fit together, in the order in which it should be looked at.
///
/// What was done before `since` is not told again. Tags are told whatever their age: a tag's date is what its maker wrote.
#[must_use]
pub fn reconcile(book: &Book, found: &Found, since: Timestamp) -> Vec<Finding> {
    let mut match_up = MatchUp {
        book,
        since,
        effects: BTreeSet::new(),
        findings: book.flaws(since),
    };
    if let Some(releases) = &found.releases {
        match_up.releases(releases);
    }
    match_up.tags(&found.tags, found.releases.is_some());
    if let Some(pulls) = &found.pulls {
        match_up.pulls(pulls);
    }
    match_up.without_effect(found);
    match_up
        .findings
        .sort_by_key(|finding| finding.code.level());
    match_up.findings
}

/// Most characters of one side of a difference: a name with its size and digest fits.
const MOST_SHOWN: usize = 200;

/// A comparison under way.
struct MatchUp<'a> {
    book: &'a Book,
    since: Timestamp,
    /// The claims whose effect was found, as approved or not.
    effects: BTreeSet<u64>,
    findings: Vec<Finding>,
}

/// One member of an effect that is not as approved.
struct Difference {
    what: &'static str,
    approved: String,
    found: String,
}

impl MatchUp<'_> {
    fn is_recent(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| at >= self.since)
    }

    fn tell(&mut self, code: Code, subject: Subject, spent: Option<&Spent>, problem: String) {
        self.findings
            .push(Finding::new(code, subject, spent, problem));
    }

    /// An effect that is exactly as approved: whether the ledger knows of it is all that is left to ask.
    fn as_approved(&mut self, spent: &Spent, subject: Subject, public_at: Option<Timestamp>) {
        self.effects.insert(spent.sequence);
        // Whoever appends a claim by hand dates it as they like: GitHub's time decides what is recent.
        if let Some(at) = public_at.filter(|at| self.is_recent(Some(*at)))
            && let Some((code, problem)) = self.book.untimely(spent, at)
        {
            self.tell(code, subject.clone(), Some(spent), problem);
        }
        if !self.is_recent(Some(spent.claimed_at)) {
            return;
        }
        match spent.standing() {
            Standing::Succeeded => {}
            Standing::Open => {
                self.tell(
                    Code::EffectWithoutOutcome,
                    subject,
                    Some(spent),
                    "it stands as approved, but the ledger knows no outcome".into(),
                );
            }
            Standing::Failed => {
                let problem = format!(
                    "it stands as approved, but the ledger says that it failed: {}",
                    spent.error()
                );
                self.tell(Code::EffectAfterFailure, subject, Some(spent), problem);
            }
        }
    }

    fn differs(&mut self, code: Code, spent: &Spent, subject: Subject, differences: &[Difference]) {
        self.effects.insert(spent.sequence);
        let told: Vec<String> = differences
            .iter()
            .map(
                |Difference {
                     what,
                     approved,
                     found,
                 }| {
                    format!(
                        "{what}: approved `{}`, found `{}`",
                        excerpt(approved, MOST_SHOWN),
                        excerpt(found, MOST_SHOWN)
                    )
                },
            )
            .collect();
        self.tell(code, subject, Some(spent), told.join("; "));
    }

    /// What was spent, and left nothing behind that could be found.
    fn without_effect(&mut self, found: &Found) {
        let (book, since) = (self.book, self.since);
        for spent in book
            .spent()
            .filter(|spent| spent.flaw.is_none() && spent.claimed_at >= since)
        {
            if self.effects.contains(&spent.sequence) || !found.would_show(&spent.operation) {
                continue;
            }
            let (code, problem) = match spent.standing() {
                Standing::Succeeded => match book
                    .successor(spent)
                    .filter(|later| self.effects.contains(&later.sequence))
                {
                    Some(later) => (
                        Code::EffectSuperseded,
                        format!("it is gone, and entry {} made it anew", later.sequence),
                    ),
                    None => (
                        Code::EffectMissing,
                        "the ledger says that it succeeded, but it is not there".into(),
                    ),
                },
                Standing::Open => (
                    Code::ReceiptWithoutEffect,
                    "the receipt was spent, no outcome is known, and nothing is there that it made"
                        .into(),
                ),
                Standing::Failed => (
                    Code::ReceiptSpentInVain,
                    format!(
                        "it failed, and nothing is there that it made: {}",
                        spent.error()
                    ),
                ),
            };
            self.tell(
                code,
                Subject::approved(&spent.operation),
                Some(spent),
                problem,
            );
        }
    }
}

/// Why there is no receipt that counts, as far as the ledger tells of any.
fn no_receipt<'a>(nearly: impl Iterator<Item = &'a Spent>) -> String {
    let nearly: Vec<String> = nearly
        .map(|spent| match (&spent.flaw, spent.standing()) {
            (Some(_), _) => format!("entry {} names a receipt for it that does not count", spent.sequence),
            (None, Standing::Failed) => format!("entry {} spent a receipt on it, but that failed: {}", spent.sequence, spent.error()),
            (None, Standing::Open) => {
                format!("entry {} spent a receipt whose outcome is open, but this is not what it allows", spent.sequence)
            }
            (None, Standing::Succeeded) => format!("entry {} spent a receipt, and what that allows is something else", spent.sequence),
        })
        .collect();
    if nearly.is_empty() {
        "no receipt on the ledger allows it".into()
    } else {
        nearly.join("; ")
    }
}

fn compare(
    what: &'static str,
    approved: impl Into<String>,
    found: impl Into<String>,
) -> Option<Difference> {
    let (approved, found) = (approved.into(), found.into());
    (approved != found).then_some(Difference {
        what,
        approved,
        found,
    })
}

/// Of several receipts for the same thing the newest that succeeded, else one without an outcome, else one that failed.
fn best<'a>(candidates: impl Iterator<Item = &'a Spent>) -> Option<&'a Spent> {
    candidates.min_by_key(|spent| (spent.standing(), core::cmp::Reverse(spent.sequence)))
}

#[cfg(test)]
mod tests;
