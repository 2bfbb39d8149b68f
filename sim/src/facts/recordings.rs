//! What recorded exchanges with the live service show.

macro_rules! recordings {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            S1: Recorded,
                "GraphQL `file(path:)` of an absent path is null and NOT_FOUND (F0), inside \
                `history` nodes as well.",
                "r-lib/pkgdepends; changesets/ghcommit integration tests", probe "absent-file";
            S2: Recorded,
                "An artifact's archive asked for with `Accept: application/octet-stream` answers \
                415 (F1).",
                "HD838A/remote-mic-app#277", probe "artifact-zip";
            S3: Recorded,
                "GraphQL's primary limit is RATE_LIMIT with a code and \"already exceeded\", at \
                times with budget remaining (U1, R1).",
                "yanyongyu/githubkit#271", probe "rate-limit-word";
            S4: Recorded,
                "An append to a protected branch is refused by type and text (F4, R2).",
                "dhslegen/skill-sync recorded fixtures", probe "append-refusals";
            S5: Recorded,
                "A renamed repository redirects: GET by 301, writes by 307, with Location \
                /repositories/ID/… (R4).",
                "octokit/fixtures rename-repository", probe "rename";
            S6: Recorded,
                "A release asset asked for as octet-stream is always a 302, text/html without a \
                body, to release-assets.githubusercontent.com or objects.githubusercontent.com.",
                "PyGithub replay data (2025); octokit/fixtures release-assets",
                switch AssetsAreServedDirectly, probe "whole-release";
            S7: Recorded,
                "A second ruleset of the same name is 422 with errors as strings (A24).",
                "github-community-projects/safe-settings#1047", probe "ruleset-names";
            S8: Recorded,
                "rules/branches and rulesets of a free private repository are 403 (F3).",
                "NousResearch/hermes-agent#111974; ezyang/ghstack#323",
                switch FreePrivatePlan, probe "free-plan";
            S9: Recorded,
                "Answers of the uploads host have no x-ratelimit and no x-accepted headers.",
                "octokit/fixtures release-assets, release-assets-conflict (2022-07-19)",
                probe "upload-headers";
            S10: Recorded,
                "An upload refused with already_exists has `request_id` and no `status`, and costs \
                3 of the budget instead of 2.",
                "octokit/fixtures release-assets-conflict", probe "upload-headers";
            S11: Recorded,
                "UNPROCESSABLE of createPullRequest answers `{\"pullRequest\": null}` as payload \
                (R3).",
                "sourcegraph/sourcegraph-public-snapshot testdata", probe "append-refusals";
            S12: Recorded,
                "A GraphQL FORBIDDEN carries `extensions: {saml_failure: false}`, and an error \
                below a member that may not be null nulls its parent.",
                "octokit recordings; hub4j/github-api", probe "pulls-with-read";
            S13: Inferred,
                "An invalid GraphQL document is answered with path [\"query NAME\", …], \"Field \
                'x' doesn't exist on type 'T'\" and extensions with code undefinedField.",
                "rmosolgo/graphql-ruby";
            S14: Recorded,
                "Contents of a folder are 200 and an array.",
                "33 recordings, among them octokit/fixtures get-content", probe "absent-file";
            S15: Recorded,
                "POST git/commits with a malformed tree is 422 \"The tree parameter must be \
                exactly 40 characters and contain only [0-9a-f].\"",
                "sourcegraph/sourcegraph-public-snapshot testdata (2023-06-02)", probe "init";
            S16: Recorded,
                "Under API version 2022-11-28 a dispatch without return_run_details is 204.",
                "PyGithub replay data (2024-02-13)";
            S17: Recorded,
                "A GET carries Cache-Control, ETag, Vary and X-GitHub-Api-Version-Selected, and \
                may carry Deprecation and Sunset.",
                "PyGithub replay data (2026-08-20)";
            S18: Recorded,
                "x-accepted-github-permissions separates alternatives by `;` and parts by `,`, as \
                in \"contents=write; contents=write,workflows=write\".",
                "PyGithub replay data (2026-08)", probe "pulls-with-read";
            S19: Recorded,
                "Pull requests, releases, runs, repositories and users have dozens of members that \
                no client here reads.",
                "PyGithub replay data; octokit/fixtures", probe "whole-pull";
            S20: Recorded,
                "An asset uploaded without a label has the label \"\" in the upload's answer and \
                null or \"\" later.",
                "octokit/fixtures release-assets; PyGithub replay data (2025)", probe "asset-names";
        }
    };
}
