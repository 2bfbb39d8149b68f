//! Reports on the dates and authors of the branch's commits, for `ledger verify`.

use std::collections::BTreeSet;

use super::accepted::Accepted;
use countersign_core::{
    ledger::{Aspect, BadLedger, DateFinding, DateProblem, Dates},
    name::CommitId,
    timestamp::Timestamp,
};

/// The account that appends unless a workflow uses another token.
pub(in crate::commands) const PUBLISHER: &str = "github-actions[bot]";

/// What the commits of the branch show.
pub(in crate::commands) struct Commits {
    /// How many added no entry.
    pub(super) strays: u64,
    /// When they were made, and by whom.
    pub(in crate::commands) dates: Dates,
    /// Whether the place shows which of them GitHub signed.
    pub(in crate::commands) shows_signatures: bool,
}

/// Logins in lower case: GitHub's are not case-sensitive.
pub(in crate::commands) fn logins(named: &[String]) -> BTreeSet<String> {
    named.iter().map(|login| login.to_lowercase()).collect()
}

impl Commits {
    /// Fails if the dates contradict the entries. A clone proves no dates, so there nothing fails.
    pub(in crate::commands) fn judge(
        &self,
        ledger_by: &BTreeSet<String>,
        accepted: &mut Accepted,
    ) -> Result<(), BadLedger> {
        let contradicts = |finding: &DateFinding| {
            matches!(
                finding.problem,
                DateProblem::EntryMisdated
                    | DateProblem::ClaimLate
                    | DateProblem::DatesFall
                    | DateProblem::ClaimUnproven
            )
        };
        if !self.shows_signatures {
            return Ok(());
        }
        let mut first = None;
        for finding in self.found(ledger_by) {
            let is_fault = contradicts(&finding);
            let (commit, bad) = (finding.commit.clone(), about(finding));
            if !accepted.covers(&commit, &bad) && is_fault {
                first = first.or(Some(bad));
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn found(&self, ledger_by: &BTreeSet<String>) -> Vec<DateFinding> {
        self.dates.findings(ledger_by, Timestamp::from_unix(0))
    }

    /// The line about dates.
    pub(super) fn dates_line(&self, claims_are_read: bool) -> String {
        let found = self.found(&BTreeSet::new());
        if !self.shows_signatures {
            return not_proven_here(&found);
        }
        let (entries, signed) = self.dates.signed();
        let claims = if claims_are_read {
            "what succeeded was claimed before its receipt's end"
        } else {
            "receipts are not read without --trusted-keys"
        };
        let unproven = found
            .iter()
            .find(|finding| finding.problem == DateProblem::Unproven);
        match unproven {
            Some(finding) => format!(
                "proven for {signed} of {entries} entries; commit_date_unproven: {}",
                finding.told
            ),
            None => {
                format!("hold: GitHub signed the commits of {entries} entries; {claims}")
            }
        }
    }

    /// The line about authors.
    pub(super) fn authors_line(&self, ledger_by: &BTreeSet<String>) -> String {
        let found = self.found(ledger_by);
        let others: Vec<&str> = found
            .iter()
            .filter(|finding| {
                matches!(
                    finding.problem,
                    DateProblem::EntryByOther | DateProblem::CommitByOther
                )
            })
            .map(|finding| finding.told.as_str())
            .collect();
        let by = ledger_by.iter().cloned().collect::<Vec<_>>().join(", ");
        if others.is_empty() {
            format!("every commit from the first entry on names {by}")
        } else {
            others.join("; ")
        }
    }
}

/// A finding as a fault of the ledger.
pub(in crate::commands) fn about(finding: DateFinding) -> BadLedger {
    let is_author = matches!(
        finding.problem,
        DateProblem::EntryByOther | DateProblem::CommitByOther
    );
    BadLedger {
        aspect: if is_author {
            Aspect::Authors
        } else {
            Aspect::Dates
        },
        place: place(finding.sequence, &finding.commit),
        problem: finding.told,
    }
}

/// Where a finding is.
fn place(sequence: Option<u64>, commit: &CommitId) -> String {
    sequence.map_or_else(
        || format!("commit {commit}"),
        |sequence| format!("entry {sequence}"),
    )
}

fn not_proven_here(found: &[DateFinding]) -> String {
    let not_proven = "not proven here, read through the API (--repository)";
    let differs = found.iter().find(|finding| {
        matches!(
            finding.problem,
            DateProblem::EntryMisdated | DateProblem::DatesFall
        )
    });
    differs.map_or_else(
        || format!("{not_proven}; by the commits' own word they agree with the entries"),
        |finding| format!("{not_proven}; by the commits' own word: {}", finding.told),
    )
}
