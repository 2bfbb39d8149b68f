//! What only a person can do.

use crate::commands::rehearse::table::{Need, Probe, Way};

/// A row whose only way is a person's.
const fn by_hand(id: &'static str, expected: &'static str, way: &'static str) -> Probe {
    Probe {
        id,
        needs: &[Need::ByHand],
        writes: 0,
        expected,
        way: Way::ByHand(way),
    }
}

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    by_hand(
        "comment",
        "The comment of a deployment review comes back byte for byte, also with 16,000 characters, `<>&\"` and several lines.",
        "Let a job wait for an environment, paste 900, 4,000, 16,000 and 65,000 characters into the review's comment, and compare `gh api repos/O/R/actions/runs/ID/approvals` with what you pasted.",
    ),
    by_hand(
        "rerun",
        "A re-run of a gated job asks for its review again, and the list of reviews keeps the earlier one.",
        "Re-run the failed jobs of a run whose environment was approved, and look whether it waits again and what `gh api repos/O/R/actions/runs/ID/approvals` lists.",
    ),
    by_hand(
        "environment-reviewers",
        "Required reviewers exist in public repositories, and in private ones of GitHub Enterprise alone.",
        "Open Settings, Environments, New environment, and look whether `Required reviewers` is offered.",
    ),
    by_hand(
        "rename",
        "A renamed repository answers 301 to reading and 307 to writing, and GraphQL with an error.",
        "Rename the scratch repository and run `countersign ledger show --repository` with its old name: the message must say that it was renamed or moved.",
    ),
];
