//! What closer search found about assumptions that were uncertain at first.

macro_rules! unknowns {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            B1: Unproven,
                "F9: no public use shows what `object(expression: \"X^{commit}\")` answers; REST \
                commits/X peels and answers 422 for an absent name.",
                "zizmorcore/zizmor#972", probe "revisions";
            B2: Recorded,
                "`ref(qualifiedName: \"HEAD\")` does not find the default branch.",
                "changesets/ghcommit#23", probe "absent-ref-and-release";
            B3: Recorded,
                "A4: `object(expression: \"rev:path\")` of a missing path is `{\"object\": null}` \
                alone.",
                "cli/cli RepositoryFileView; woodpecker-ci/woodpecker", probe "absent-file";
            B4: Inferred,
                "A3: five independent clients expect null without an error for a missing \
                `object(oid:)`; nothing shows an error.",
                "ovineko/schepherd and others", probe "absent-ref-and-release";
            B5: Recorded,
                "A2: a missing `ref` is null, and no error at [\"repository\",\"ref\"] was ever \
                seen.",
                "cli/cli; ovineko/schepherd", probe "absent-ref-and-release";
            B6: Recorded,
                "A10: `compare` with a head that does not resolve is null and an error NOT_FOUND, \
                \"Could not resolve to a Ref with the name 'x'.\"; a comparison that takes too \
                long is an error without a path.",
                "refined-github/refined-github#6094; GraphQL changelog 2022-10-18", probe "compare";
            B7: Recorded,
                "Errors that come next to data are NOT_FOUND of file and compare, FORBIDDEN, a \
                timeout without type and path, the rate limits, RESOURCE_LIMITS_EXCEEDED and \
                MAX_NODE_LIMIT_EXCEEDED.",
                "docs: rate limits and query limits for the GraphQL API; r-lib/pkgdepends";
            B8: Inferred,
                "A5: clients read `history(path:)` of a path that never existed as no nodes; no \
                error was ever reported.",
                "GitLens; ovineko/schepherd", probe "absent-history";
            B9: Inferred,
                "A6: walking 50,000 commits for an absent path takes git a second, and GraphQL \
                gives up at ten.",
                "measured with git; docs: GraphQL timeouts", probe "long-history";
            B10: Documented,
                "A16: a rule for signatures judges all commits of the pushed range and none below \
                it.",
                "docs: available rules for rulesets; github/github-mcp-server#2771", probe "init";
            B11: Recorded,
                "A20: a root commit made with a person's token is unsigned.",
                "release-plz/release-plz#1487; grafana/pyroscope-dotnet#386", probe "init";
            B12: Recorded,
                "F4: pull_request and required_status_checks on all branches refuse a job's \
                append, and a job's token cannot be made a bypass actor: 422 \"Actor GitHub \
                Actions integration must be part of the ruleset source or owner organization\".",
                "spm/spm#155; bmad-module-skill-forge#198", probe "append-status-checks";
            B13: Recorded,
                "F4: classic protection answers BRANCH_PROTECTION_RULE_VIOLATION, REST answers \
                409.",
                "Thinkmill/keystatic and forks; dhslegen/skill-sync recorded fixtures",
                probe "classic-protection";
            B14: Documented,
                "A rule `creation` on all branches refuses a new branch but no append; a rule \
                `update` refuses appends.",
                "docs: available rules for rulesets", probe "init";
            B15: Unproven,
                "F7: no public source gives the limit of a review's comment.",
                "OpenAPI: `comment` is a string without maxLength", probe "comment";
            B16: Recorded,
                "F7: POST pending_deployments takes deployments: write of a fine-grained token or \
                `repo` of a classic one, from a required reviewer; forbidding self-review concerns \
                the run's starter alone.",
                "docs: permissions for GitHub Apps; docs: reviewing deployments; NVIDIA/NeMo#13297";
            B17: Inferred,
                "F7: a review of two environments is one entry with both in `environments`.",
                "OpenAPI";
            B18: Unproven,
                "A45: it is not known whether a re-run asks the reviewers again; removing the \
                protection while a run waits fails its deployment.",
                "damianvtran/local-operator#691", probe "rerun";
            B19: Recorded,
                "A66: an unknown API version is 400 \"Bad Request\" with a sentence in `errors`.",
                "captured 2026-10-08 in a public note; docs: API versions (410 for retired ones)";
            B20: Recorded,
                "Link headers point under /repositories/{id}/….",
                "PyGithub replay data; octokit/fixtures paginate-issues", probe "redirect";
            B21: Documented,
                "Any request may be answered by a redirect (301, 302, 307) after a rename, and \
                GraphQL with `followRenames: false` by an error.",
                "docs: best practices for using the REST API; schema", probe "rename";
            B22: Inferred,
                "HTTP/1.1 without compression is served.",
                "recorded clients", probe "clock";
            B23: Unproven,
                "A28: target_commitish must be a branch or a full commit id, else 422 invalid; \
                whether a commit on no branch is refused is not known.",
                "ApplicationInsights#4602", probe "publish-at";
            B24: Inferred,
                "A34: a release's name has at most 256 characters and comes back unchanged.",
                "geoalgeria#177", probe "release-text";
            B25: Recorded,
                "A prerelease with `make_latest` true is refused: 422, custom, \"Latest release \
                cannot be draft or prerelease.\"; without `make_latest` it is simply not the \
                latest release.",
                "getsentry/craft#583; kaito-project/kaito#1680; brcampidelli/chimera-agent#363",
                probe "whole-release";
            B26: Documented,
                "A46: a dispatch needs actions: write, and one by a job's token starts a run.",
                "docs: triggering a workflow; changelog 2022-09-08";
            B27: Documented,
                "A64: a job has 1,000 requests and 1,000 points an hour, 15,000 on Enterprise \
                Cloud; secondary limits are 100 requests at a time, 900 points a minute for REST, \
                2,000 for GraphQL, 80 content writes a minute and 500 an hour.",
                "docs: rate limits for the REST API", probe "secondary-limit";
            B28: Recorded,
                "F8: the uploads host answers 403 \"You have exceeded a secondary rate limit…\", \
                often without retry-after; parallel uploads also give \"Error saving asset\".",
                "apache/arrow-java#609; keiyoushi#18359", probe "uploads";
            B29: Recorded,
                "A56: \"Argument list too long\" ends a step with an environment string over 128 \
                KiB.",
                "github/accessibility-scanner#222", probe "runner-limits";
            B30: Recorded,
                "A49: custom shells are in public use; act and wrkflw do not run them.",
                "taiki-e/install-action; nektos/act#2727";
            B31: Recorded,
                "A53: container jobs still get the host's path.",
                "actions/runner#716; actions/runner#1221", probe "runner-container";
            B32: Recorded,
                "A policy that demands pinned actions looks into composite actions.",
                "react-doctor#749; trunk-io/trunk-action#291";
            B33: Inferred,
                "Immutable actions change nothing for an action that is pinned by commit.",
                "actions/publish-immutable-action README";
            B34: Recorded,
                "A63: upload-artifact fails the job on Enterprise Server, and a pinned action that \
                the server does not have keeps the job from starting.",
                "actions/upload-pages-artifact#126";
            B35: Inferred,
                "A67, A68: the least Enterprise Server is 3.17.",
                "GHES 3.17 schema";
        }
    };
}
