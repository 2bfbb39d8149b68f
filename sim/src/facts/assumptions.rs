//! What the product takes for granted about GitHub, one row per assumption.

macro_rules! assumptions {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            A1: Documented,
                "The documents that the product sends fit GitHub's published GraphQL schema.",
                "octokit/graphql-schema", probe "whole-release";
            A2: Recorded,
                "A missing `ref(qualifiedName:)` or `release(tagName:)` is null without an error.",
                "cli/cli pkg/cmd/release/shared/fetch.go", probe "absent-ref-and-release";
            A3: Inferred,
                "A missing `object(oid:)` is null without an error.",
                "five independent clients expect it (see B4)", probe "absent-ref-and-release";
            A4: Recorded,
                "A missing `object(expression: \"rev:path\")` is null without an error.",
                "cli/cli RepositoryFileView; r-lib/pkgdepends", probe "absent-file";
            A5: Inferred,
                "`history(path:)` of a path that never existed has no nodes and no error.",
                "GitLens; ovineko/schepherd", probe "absent-history";
            A6: Inferred,
                "`history(path:)` of an absent path is answered well within GraphQL's ten seconds \
                on a ledger of some 100,000 commits (see B9).",
                "measured with git on ledgers of that shape", probe "long-history";
            A7: Inferred,
                "`ref.rules(first:)` is readable with a job's token and contents: read.",
                "s4k10503/velvet#320 (REST rulesets)", probe "rules";
            A8: Recorded,
                "A connection of which only `totalCount` is asked needs no `first`.",
                "hust-open-atom/Dashboard#50", probe "query-cost";
            A9: Recorded,
                "`release(tagName:)` shows a draft to a token with push access.",
                "cli/cli fetchDraftRelease", probe "absent-ref-and-release";
            A10: Recorded,
                "`compare(headRef:)` takes a commit id; a head that does not resolve is null \
                together with an error NOT_FOUND (see B6).",
                "refined-github/refined-github#6094; GraphQL changelog 2022-10-18", probe "compare";
            A11: Documented,
                "`Blob.text` of a long file is cut at 512 KiB, and `isTruncated` says so.",
                "schema; docs: limits of blobs";
            A12: Recorded,
                "`createCommitOnBranch` works with a job's token and contents: write.",
                "planetscale/ghcommit; github/gh-aw#18565", probe "init";
            A13: Recorded,
                "A stale `expectedHeadOid` is HTTP 200, a null payload and an error STALE_DATA \
                whose text has two blanks after \"it did not.\".",
                "ministryofjustice/modernisation-platform#11985; planetscale/ghcommit#153; \
                dhslegen/skill-sync recorded fixtures", probe "append-refusals";
            A14: Recorded,
                "An append without permission is refused with FORBIDDEN; rule violations are reported \
                as in F4.",
                "Thinkmill/keystatic#1598", probe "append-refusals";
            A15: Recorded,
                "A commit of `createCommitOnBranch` on github.com is signed by GitHub; deletions \
                are optional.",
                "schema; dhslegen/skill-sync recorded fixtures",
                switch WebCommitSigningIsOff, probe "init";
            A16: Documented,
                "Under required_signatures an append on top of an unsigned root is accepted: only \
                the pushed commits are judged, and theirs is signed (see B10, U3).",
                "docs: available rules for rulesets; rgleason/weather_routing_pi#520", probe "init";
            A17: Documented,
                "An append with a job's token starts no workflow.",
                "docs: triggering a workflow";
            A18: Recorded,
                "One commit takes an entry of 1 MiB and more.",
                "b-ber#597", probe "large-append";
            A19: Documented,
                "A root commit is made by POST git/commits with `parents: []`, and POST git/refs \
                makes the branch.",
                "OpenAPI; suzuki-shunsuke/commit-action#372", probe "init";
            A20: Recorded,
                "A root commit that a person's token makes is unsigned; one by a job's token \
                without an author is signed (see U3, B11).",
                "release-plz/release-plz#1487; rubentalstra/FerroEHR#1613", probe "init";
            A21: Documented,
                "An empty repository answers 409 to new git objects and refs.",
                "OpenAPI: \"unable to create new references for empty repositories\"", probe "init";
            A22: Documented,
                "POST rulesets takes name, target branch, enforcement and the types deletion, \
                non_fast_forward, required_linear_history and required_signatures; \
                required_linear_history needs squash or rebase merging to be allowed (see U3).",
                "OpenAPI; docs: available rules for rulesets", probe "init";
            A23: Recorded,
                "Rulesets of a private repository on a free plan answer 403 (see F3).",
                "NousResearch/hermes-agent#111974", probe "free-plan";
            A24: Recorded,
                "A second ruleset of the same name is refused: 422 with errors [\"Name must be \
                unique\"].",
                "github-community-projects/safe-settings#1047", probe "ruleset-names";
            A25: Documented,
                "A release is made as a draft and published by PATCH; `make_latest` is the string \
                true, false or legacy, and false is accepted with a draft.",
                "OpenAPI; cli/cli pkg/cmd/release/create", probe "whole-release";
            A26: Recorded,
                "The tag is made when the release is published, at target_commitish, which may be \
                a commit id.",
                "OpenAPI; getsentry/craft#343", probe "publish-at";
            A27: Recorded,
                "A release or ref at a commit whose workflow files differ from the default branch \
                is refused to a job's token: 403 \"Resource not accessible by integration\" or \
                404.",
                "OpenAPI; cli/cli#9514; BerriAI/litellm#32023", probe "other-workflows";
            A28: Unproven,
                "It is not known whether publishing at a commit on no branch is refused for that \
                reason.",
                "axodotdev/cargo-dist#2415 claims it", probe "publish-at";
            A29: Inferred,
                "The JSON of a published release lists all its assets: seen up to 54, assumed up \
                to 1,000 (but see U7).",
                "microsoft/azure-pipelines-tasks#14095", probe "uploads";
            A30: Documented,
                "The answer to an upload has a `digest`, `sha256:` and 64 hex digits, or null.",
                "OpenAPI; changelog 2025-06-03", probe "uploads";
            A31: Documented,
                "An asset is `uploaded` or `starter`; a second upload of a name is 422 \
                already_exists.",
                "OpenAPI; tcnksm/ghr#60", probe "asset-names";
            A32: Inferred,
                "Names of letters, digits and inner `. _ + @ -` come back unchanged; other \
                characters are replaced.",
                "softprops/action-gh-release#159; github/rest-api-description#2968",
                probe "asset-names";
            A33: Recorded,
                "A release's body may come back with CRLF line ends or without the blanks at its \
                end.",
                "DataDog/dd-trace-rb#6159", probe "release-text";
            A34: Inferred,
                "A release's name comes back byte for byte.",
                "no report of anything else", probe "release-text";
            A35: Inferred,
                "An upload right after its draft was made is accepted.",
                "cli/cli uploads without a retry", probe "whole-release";
            A36: Recorded,
                "The list of releases lags: a new draft may be missing, and a published release \
                may still be listed as a draft.",
                "cli/cli#6599; release-drafter/release-drafter#1727",
                switch PublishedStillListedAsDraft, probe "lag";
            A37: Inferred,
                "The list of releases shows drafts to a token with contents: write and hides them \
                from contents: read.",
                "softprops/action-gh-release; docs: list releases", probe "absent-ref-and-release";
            A38: Recorded,
                "A job's token makes a tag object without a tagger by POST git/tags, then its ref \
                by POST git/refs.",
                "bewuethr/release-tracker-action#21; KnpLabs#780", probe "whole-tag";
            A39: Inferred,
                "A tag's message comes back as it was sent, blanks at its end aside.",
                "octokit/octokit.rb cassettes", probe "tag-object";
            A40: Recorded,
                "POST git/refs of an existing ref is 422 \"Reference already exists\".",
                "renovatebot/renovate#20281; cms-sw/cms-bot#2493", probe "tag-object";
            A41: Recorded,
                "With the setting off, a job's token gets 403 \"GitHub Actions is not permitted to \
                create or approve pull requests.\"",
                "docs: Actions settings of a repository", probe "pull";
            A42: Inferred,
                "A draft pull request in a private repository on a free plan is refused with 422.",
                "docs: plans; cli/cli#520", switch FreePrivatePlan, probe "pull";
            A43: Recorded,
                "Labels are set with pull-requests: write, and unknown ones are made.",
                "PyGithub replay data; docs: permissions", probe "pull";
            A44: Recorded,
                "The reviews of a run are readable with actions: read, also by the job that they \
                release.",
                "OpenAPI; handsontable/handsontable#13470", probe "comment";
            A45: Inferred,
                "The reviews of a run are those of all its attempts, in no promised order.",
                "OpenAPI", probe "rerun";
            A45b: Documented,
                "A GitHub App may release a deployment by a custom protection rule instead of a \
                reviewer's comment.",
                "docs: custom deployment protection rules; PSModule/GitHub#622";
            A46: Documented,
                "A dispatch takes 25 inputs of 65,535 characters in all and answers 200 with the \
                run's id if asked, else 204; Enterprise Server up to 3.19 takes 10 and answers \
                204.",
                "OpenAPI; GHES 3.17 to 3.19 descriptions", probe "dispatch";
            A47: Documented,
                "Artifacts are listed by name; an artifact's `digest` is that of its zip.",
                "OpenAPI; actions/download-artifact", probe "artifact-zip";
            A48: Recorded,
                "An artifact's archive is a 302 to a storage host that must not see the token.",
                "OpenAPI; PyGithub replay data (2024-02-13)", probe "artifact-zip";
            A49: Documented,
                "A composite step's `shell:` may hold `${{ github.action_path }}/… {0}`.",
                "actions/runner action_yaml.json; taiki-e/install-action";
            A50: Documented,
                "The runner splits a custom shell's command at its first blank.",
                "actions/runner ScriptHandlerHelpers.ParseShellOptionString";
            A51: Documented,
                "A custom shell with an absolute path needs no PATH.",
                "actions/runner WhichUtil, ScriptHandler";
            A52: Documented,
                "The mode bits of an action's files survive its tarball.",
                "actions/runner ActionManager";
            A53: Recorded,
                "In a container job a composite's custom shell gets the host's path, so the step \
                fails.",
                "actions/runner#716; actions/runner#2185", probe "runner-container";
            A54: Documented,
                "`toJSON(inputs)` in a composite action holds this action's inputs alone, defaults \
                included.",
                "actions/runner CompositeActionHandler";
            A55: Documented,
                "The environment of a step is printed to the log, secrets masked.",
                "actions/runner ScriptHandler.PrintActionDetails";
            A56: Recorded,
                "One environment string of 128 KiB or more keeps the step from starting.",
                "Linux MAX_ARG_STRLEN; github/accessibility-scanner#222", probe "runner-limits";
            A57: Documented,
                "A workflow cannot override the GITHUB_* variables.",
                "docs: variables; actions/runner ScriptHandler";
            A58: Documented,
                "Outputs of a failed composite action are set.",
                "actions/runner CompositeActionHandler";
            A59: Documented,
                "A cancelled step gets SIGINT, SIGTERM after 7.5 seconds, and is killed 2.5 \
                seconds later.",
                "actions/runner ProcessInvoker", probe "runner-cancel";
            A60: Documented,
                "A step's summary is at most 1 MiB, a step has 10 annotations of a type, a message \
                is cut at 4,096 characters, and `##[` is a command anywhere in a line.",
                "docs: workflow commands; actions/runner FileCommandManager, ActionCommand",
                probe "runner-limits";
            A61: Documented,
                "The pinned commits of actions/checkout, upload-artifact, download-artifact and \
                attest are the releases that their comments name.",
                "actions/checkout, actions/upload-artifact, actions/download-artifact, \
                actions/attest";
            A62: Documented,
                "upload-artifact takes the common folder of several paths as root, so a plan.json \
                lies at the top of its archive.",
                "actions/upload-artifact src/shared/search.ts";
            A63: Documented,
                "upload-artifact v4 and later does not run on Enterprise Server.",
                "actions/upload-artifact README";
            A64: Documented,
                "A job's token has 1,000 REST requests and 1,000 GraphQL points an hour for the \
                repository; GET rate_limit costs nothing of them.",
                "docs: rate limits; googleapis/release-please-action#709";
            A65: Recorded,
                "A mutation costs 1 point of the primary limit.",
                "measured by others in public notes (2026-10-09)";
            A66: Documented,
                "API version 2022-11-28 is served until 2028-03; an unknown version is 400 (see \
                B19).",
                "docs: API versions";
            A67: Documented,
                "Enterprise Server from 3.17 on has `Ref.rules`, asset digests, immutable \
                releases, reviews and generated notes.",
                "GHES 3.17 schema; OpenAPI 3.17 to 3.19";
            A68: Inferred,
                "On an older Enterprise Server `Ref.rules` is a validation error, and the whole \
                query fails.",
                "runatlantis/atlantis#5038";
            A69: Recorded,
                "Enterprise Server with subdomain isolation has another host for uploads (see U4).",
                "docs: enabling subdomain isolation; github/github-mcp-server",
                switch UploadsHaveTheirOwnHost, probe "ghes";
            A70: Recorded,
                "A ghe.com repository has `api.SUBDOMAIN.ghe.com` and `uploads.SUBDOMAIN.ghe.com` \
                (see U4).",
                "docs; github/github-mcp-server", probe "ghes";
            A71: Recorded,
                "Every answer has a Date header.",
                "github-for-jira logs; octokit/fixtures", probe "clock";
            A72: Documented,
                "An immutable release is drafted, filled and then published; after that its assets \
                and its tag are locked.",
                "docs: immutable releases", probe "immutable";
            A73: Recorded,
                "A tag ruleset with `creation` refuses a publication with 422 and a pre_receive \
                error, and POST git/refs with 422 \"Reference update failed\".",
                "googleapis/release-please-action#1194; release-plz/action#518", probe "tag-ruleset";
            A74: Documented,
                "`Comparison.status` is IDENTICAL or BEHIND if the base contains the head, AHEAD \
                or DIVERGED if not, and `headTarget` is the object that was compared.",
                "octokit/graphql-schema: ComparisonStatus, Comparison.headTarget", probe "compare";
            A75: Recorded,
                "An object of a fork is found by its id in the parent, and compared with the \
                parent's branches.",
                "chainguard.dev: imposter commits; docs: why are my commits linked to the wrong \
                repository; refined-github/refined-github#6094", probe "compare";
        }
    };
}
