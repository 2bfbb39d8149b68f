//! What following the ledger's branch commit by commit relies on.

macro_rules! ledger {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            L1: Inferred,
                "`Commit.history` without a path lists every ancestor along all parents, a parent \
                after its child, and continues where `after` says.",
                "schema; git log's order; lysender, GitHub GraphQL: list commit history",
                probe "whole-tag";
            L2: Documented,
                "A commit of a history shows its parents, and the mode of a file as git writes it: \
                33188 for a regular one.",
                "schema: Commit.parents, TreeEntry.mode", probe "whole-tag";
            L3: Inferred,
                "`signature` of a commit of `createCommitOnBranch` says `isValid` and \
                `wasSignedByGitHub`, and that of a commit that was pushed unsigned is null.",
                "schema; A15", switch WebCommitSigningIsOff, probe "append-signature";
            L4: Unproven,
                "A page of 100 commits with two files each stays within what GraphQL answers; one \
                that does not is asked for again, smaller.",
                "no public measurement; docs: GraphQL resource limits", probe "long-history";
            L5: Documented,
                "A run that a fork's pull request starts is listed under the base repository, with \
                the fork as `head_repository`.",
                "OpenAPI: workflow-run; docs: events that trigger workflows";
            L6: Documented,
                "GET activity lists the moves of a ref, newest first, each with `before`, `after`, \
                `activity_type` and `timestamp`; `contents: read` suffices.",
                "OpenAPI: repos/list-activities";
            L7: Documented,
                "Its pages are found by the cursor `after` in the `Link` header; there is no \
                parameter `page`.",
                "OpenAPI: repos/list-activities";
            L8: Unproven,
                "It shows a commit of `createCommitOnBranch` as `push` after a moment, the making \
                of a ref as `branch_creation`, and a ref that was set back as `force_push`. An \
                older server has no such list.",
                "no public exchange with an append", switch ActivityIsLate ActivityIsAbsent,
                probe "activity";
            L9: Documented,
                "`published_at` of a release is when GitHub made it public and `created_at` of a \
                pull request when GitHub opened it; no request sets either.",
                "OpenAPI: release, pull-request-simple; no such member in their request bodies";
            L10: Inferred,
                "`author.user` of a commit is the account that its address belongs to. A bot is not a \
                `User`: it is null there, or shown without `[bot]`, and `author.name` names it.",
                "schema: GitActor.user; apache/devlake#9086; sourcecred/sourcecred#996",
                probe "append-signature";
            L11: Inferred,
                "A run's `created_at` stays when the run is started again; `run_started_at` does \
                not.",
                "OpenAPI: workflow-run, `run_started_at`; Kesin11/actions-timeline#26",
                probe "rerun";
        }
    };
}
