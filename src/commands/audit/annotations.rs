//! Findings as annotations of a workflow run: the runner shows ten of each level a step, the table in the log has all.

use countersign_core::reconcile::{Finding, Level as Weight};

use crate::{commands::rows::runner_log, report::Level};

/// The runner's own bound; more would be dropped without a word.
const MOST_OF_A_LEVEL: usize = 10;

pub(super) fn show(findings: &[Finding]) {
    let log = runner_log();
    for (weight, level) in [
        (Weight::Error, Level::Error),
        (Weight::Warning, Level::Warning),
        (Weight::Note, Level::Notice),
    ] {
        for finding in findings
            .iter()
            .filter(|finding| finding.level == weight)
            .take(MOST_OF_A_LEVEL)
        {
            let title = format!(
                "Countersign audit: {} ({} {})",
                finding.code, finding.subject.kind, finding.subject.name
            );
            log.annotate(
                level,
                &title,
                &format!("{}\n{}", finding.problem, finding.remedy),
            );
        }
    }
}
