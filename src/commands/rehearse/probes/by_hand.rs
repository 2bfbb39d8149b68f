//! What only a person can do.

use crate::commands::rehearse::table::{Feature, Need, Probe, Way};

/// A row whose only way is a person's.
const fn by_hand(id: &'static str, expected: &'static str, way: &'static str) -> Probe {
    Probe {
        id,
        needs: &[Need::ByHand],
        writes: 0,
        expected,
        // A person judges it: the table has no verdict.
        meaning: "",
        affects: Feature::Nothing,
        way: Way::ByHand(way),
    }
}

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    by_hand(
        "rerun",
        "A re-run of a gated job asks for its review again, the list of reviews keeps the earlier one, and the run keeps its `created_at`.",
        "Re-run the failed jobs of a run whose environment was approved, and look whether it waits again, what `gh api repos/O/R/actions/runs/ID/approvals` lists, \
            and whether `gh api repos/O/R/actions/runs/ID --jq .created_at` is the time of the first attempt.",
    ),
    by_hand(
        "environment-reviewers",
        "Required reviewers exist in public repositories, and in private ones of GitHub Enterprise alone.",
        "Open Settings, Environments, New environment, and look whether `Required reviewers` is offered.",
    ),
    by_hand(
        "long-history",
        "`history(path:)` of an absent path answers within a second on a branch of 1,000 commits.",
        "Push 1,000 empty commits (`git commit --allow-empty`) to the scratch repository's default \
            branch, run `countersign rehearse --probe absent-history --really O/R`, and read its `ms`.",
    ),
    by_hand(
        "runner-limits",
        "Inputs of 120 KiB reach the binary, and with 130 KiB the step does not start; a summary \
            has at most 1 MiB, and a step shows 10 annotations of a type.",
        "Run the action in a job with a `body` of 120 KiB and of 130 KiB. In a step of your own \
            write 1 MiB and one byte to `$GITHUB_STEP_SUMMARY` and print 12 `::warning::` lines; \
            look at what the run's page shows.",
    ),
    by_hand(
        "runner-cancel",
        "A job that is cancelled while the action publishes still closes its record and uploads it.",
        "Cancel a run while its publish step is uploading, and look whether the log has the outcome \
            and the run has the artifact.",
    ),
    by_hand(
        "runner-container",
        "In a job with `container:`, the step of the action ends with exit code 127.",
        "Add `container: debian` to the publish job, run it in the scratch repository, and read how \
            the step ends.",
    ),
    by_hand(
        "rename",
        "A renamed repository answers 301 to reading and 307 to writing, and GraphQL with an error.",
        "Rename the scratch repository and run `countersign ledger show --repository` with its old name: the message must say that it was renamed or moved.",
    ),
];
