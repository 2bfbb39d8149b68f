//! Compares the claim of a release with GitHub's dates of the commit that added it and of the publication.

use countersign_core::{
    ledger::{MOST_APART, Timing},
    timestamp::Timestamp,
};

use super::findings::{Fault, Findings};
use crate::commands::ledger::Commits;

/// What to do about a date that does not fit.
const BACKDATED: &str = "Somebody published it by hand, or wrote the entry around Countersign: ask the approvers, and find out who made the commit.";
const NOT_HERE: &str =
    "a clone does not show which commits GitHub signed; read the ledger through the API";
const UNPROVEN: &str =
    "commit_date_unproven: GitHub signs no commits here, so only the author of the commit dates it";

/// A claim of the operation, and until when its receipt is valid.
pub(super) struct Claimed {
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// The claims that may have made the release, the one of its evidence first.
pub(super) struct Dated<'a> {
    pub(super) claims: &'a [Claimed],
    /// The entry that ended them.
    pub(super) outcome: Option<u64>,
    pub(super) published_at: Option<Timestamp>,
}

impl Dated<'_> {
    /// Reports one line: the first thing that does not fit, or what was compared.
    pub(super) fn judge(
        &self,
        commits: Option<&Commits>,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        // The ledger does not hold the evidence: that is reported, and nothing is left to compare.
        if self.claims.is_empty() {
            return Ok(());
        }
        let commits = commits.filter(|commits| commits.shows_signatures);
        if let Some(problem) = self.untimely(commits).or_else(|| self.misdated(commits)) {
            return findings.fault("dates", &Fault::new(problem, BACKDATED));
        }
        match (commits, self.timing(commits)) {
            (None, _) => findings.open("dates", NOT_HERE),
            (Some(_), Timing::InTime) => findings.holds("dates", &self.held(commits)),
            (Some(_), _) => findings.open("dates", UNPROVEN),
        }
    }

    /// Whether one of the claims was in time: a later attempt may claim too late what an earlier one did.
    fn timing(&self, commits: Option<&Commits>) -> Timing {
        let timings = || {
            self.claims.iter().map(|claim| {
                commits.map_or(Timing::Unproven, |commits| {
                    commits.dates.timing(claim.sequence, claim.expires_at)
                })
            })
        };
        if timings().any(|timing| timing == Timing::InTime) {
            Timing::InTime
        } else if timings().all(|timing| timing == Timing::Late) {
            Timing::Late
        } else {
            Timing::Unproven
        }
    }

    fn misdated(&self, commits: Option<&Commits>) -> Option<String> {
        let commits = commits?;
        let first = self.claims.first()?;
        let entries = [Some(first.sequence), self.outcome];
        for sequence in entries.into_iter().flatten() {
            if let Some(told) = commits.dates.misdated(sequence) {
                return Some(format!("entry {sequence}: {told}"));
            }
        }
        match self.timing(Some(commits)) {
            Timing::InTime => None,
            Timing::Late => Some(format!(
                "entry {} was appended after the end of its receipt, {}",
                first.sequence, first.expires_at
            )),
            Timing::Unproven => commits
                .dates
                .is_unsigned_above_signed(first.sequence)
                .then(|| {
                    format!(
                        "GitHub did not sign the commit of entry {}, though it signed commits below: nothing proves that it was claimed before {}",
                        first.sequence, first.expires_at
                    )
                }),
        }
    }

    fn untimely(&self, commits: Option<&Commits>) -> Option<String> {
        let published_at = self.published_at?;
        let claimed_at = self.claimed_at(commits)?;
        if claimed_at.since(published_at) > MOST_APART {
            return Some(format!(
                "GitHub published it at {published_at}, but its receipt was claimed at {claimed_at}"
            ));
        }
        let expires_at = self.claims.iter().map(|claim| claim.expires_at).max()?;
        (published_at.since(expires_at) > MOST_APART).then(|| {
            format!(
                "GitHub published it at {published_at}, but its receipt was valid until {expires_at}"
            )
        })
    }

    fn claimed_at(&self, commits: Option<&Commits>) -> Option<Timestamp> {
        let first = self.claims.first()?;
        Some(commits.map_or(first.at, |commits| {
            commits.dates.claimed_at(first.sequence, first.at)
        }))
    }

    fn held(&self, commits: Option<&Commits>) -> String {
        let claimed_at = self
            .claimed_at(commits)
            .map_or_else(String::new, |at| at.to_string());
        let published = self.published_at.map_or_else(
            || "its publication was not looked at".into(),
            |at| format!("published at {at}"),
        );
        format!("claimed at {claimed_at} by GitHub's date of the commit; {published}")
    }
}
