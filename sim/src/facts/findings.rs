//! What broke the product, or could: numbered F, U and R as they were found.

macro_rules! findings {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            F0: Recorded,
                "`Commit.file(path:)` of a path that does not exist is null together with an error \
                NOT_FOUND at that very path, \"Could not resolve file for path '…'.\", with HTTP \
                200.",
                "r-lib/pkgdepends R/type-github.R; changesets/ghcommit integration tests",
                switch AbsentFilesAreSilent, probe "absent-file";
            F1: Recorded,
                "An artifact's archive answers 415 to an `Accept` that is not JSON; only release \
                assets are served for `application/octet-stream`.",
                "cli/cli pkg/cmd/run/download/http.go; HD838A/remote-mic-app#277; \
                Floorp-Projects/floorp-ios#87", switch AnyAcceptIsServed, probe "artifact-zip";
            F2: Recorded,
                "A ref that was made a moment ago may be missing from GET git/ref for seconds.",
                "PostHog/posthog-js#4632; datafusion-contrib/datafusion-go#10; \
                PyGithub/PyGithub#2759", switch FreshRefsAreMissing, probe "lag";
            F3: Recorded,
                "Rules and rulesets of a private repository on a free plan answer 403 \"Upgrade to \
                GitHub Pro or make this repository public to enable this feature.\"",
                "NousResearch/hermes-agent#111974; github/branch-deploy#345",
                switch FreePrivatePlan, probe "free-plan";
            F4: Recorded,
                "An append to a branch that rules guard is refused with HTTP 200 and an error \
                BRANCH_PROTECTION_RULE_VIOLATION (classic protection) or FORBIDDEN \"Repository \
                rule violations found…\" (rulesets).",
                "Thinkmill/keystatic#1598; dhslegen/skill-sync recorded fixtures",
                probe "append-refusals";
            F5: Documented,
                "Required reviewers of an environment exist in public repositories on every plan, \
                and in private ones on GitHub Enterprise only.",
                "docs: deployments and environments; orgs/community#170307",
                probe "environment-reviewers";
            F6: Recorded,
                "Generating release notes needs contents: write, and reading pull requests of a \
                private repository needs pull-requests: read.",
                "web-infra-dev/midscene#2827; mikepenz/release-changelog-builder#1244",
                probe "pulls-with-read";
            F7: Unproven,
                "The length and fidelity of the comment of a deployment review are documented \
                nowhere.",
                "OpenAPI: `comment` is a string without maxLength", probe "comment";
            F8: Recorded,
                "More than about 80 uploads a minute meet the secondary limit: 403 from the \
                uploads host, often without retry-after.",
                "docs: rate limits for the REST API; cli/cli#9586; OpenIPC/firmware#2187",
                probe "uploads";
            F9: Unproven,
                "Nothing shows that `object(expression: \"X^{commit}\")` peels a tag (see B1); a \
                bare name is read as git reads it, a tag before a branch.",
                "schema: \"suitable for rev-parse\"; gitrevisions", probe "revisions";
            U1: Recorded,
                "GraphQL's primary limit is an error of type RATE_LIMIT with code \
                graphql_rate_limit, without path and data, HTTP 200; until about 2025 the type was \
                RATE_LIMITED.",
                "yanyongyu/githubkit#271; cli/cli#12812; renovatebot/renovate#21861",
                switch OldRateLimitWord, probe "rate-limit-word";
            U2: Recorded,
                "POST git/refs may answer 404, or 422 \"Object does not exist\", for an object \
                that was made a moment ago.",
                "backstage/backstage#35358; octokit/octokit.js#562",
                switch FreshObjectsAreNotFound FreshObjectsDoNotExist, probe "tag-object";
            U3: Recorded,
                "A commit that a person's token makes by POST git/commits is unsigned, so a rule \
                for signed commits refuses a new branch on it; a job's token without an author \
                gets a signed one; an Enterprise Server signs nothing unless its administrator \
                turned that on.",
                "rubentalstra/FerroEHR#1613; github/gh-aw#31489; docs: configuring web commit \
                signing", switch WebCommitSigningIsOff, probe "init";
            U4: Recorded,
                "Enterprise Server with subdomain isolation uploads to `uploads.HOST`, without it \
                to `HOST/api/uploads`; ghe.com uploads to `uploads.SUBDOMAIN.ghe.com`.",
                "docs: enabling subdomain isolation; github/github-mcp-server",
                switch UploadsHaveTheirOwnHost, probe "ghes";
            U5: Documented,
                "A GraphQL query that costs too much is cut short: HTTP 200 with partial data and \
                an error RESOURCE_LIMITS_EXCEEDED.",
                "docs: rate limits and query limits for the GraphQL API";
            U6: Recorded,
                "\"was submitted too quickly\" is a limit reported as 422 with code custom, and \
                GraphQL's secondary limit may come with HTTP 200 and without a type.",
                "cli/cli#4801; whatwg/spec-factory#55; docs: rate limits and query limits for the \
                GraphQL API", probe "secondary-limit";
            U7: Recorded,
                "The list of a release's assets may lack the newest ones for some 20 seconds; \
                whether the publication's own answer does is not known.",
                "zosmaai/zosma-cowork#318", switch FreshAssetsAreMissing, probe "lag";
            R1: Recorded,
                "The answer RATE_LIMIT says \"API rate limit already exceeded for user ID N.\" (of \
                a job: \"installation ID N\"), and `x-ratelimit-remaining` next to it need not be \
                0.",
                "yanyongyu/githubkit#271; octokit/plugin-throttling.js#632; \
                release-drafter/release-drafter#1018", probe "rate-limit-word";
            R2: Recorded,
                "Classic protection answers an append with `createCommitOnBranch: null` and the \
                message \"protected branch 'main' check failed:\\n  Changes must be made through a \
                pull request.\", line feeds included.",
                "dhslegen/skill-sync recorded fixtures (2026-08-03)", probe "append-refusals";
            R3: Recorded,
                "A mutation that validates answers an object whose member is null next to the \
                error (UNPROCESSABLE); one that raises answers null itself.",
                "sourcegraph/sourcegraph-public-snapshot internal/extsvc/github/testdata/vcr",
                probe "append-refusals";
            R4: Recorded,
                "A renamed or transferred repository answers 301 to GET and 307 to other methods, \
                with \"Moved Permanently\", `url` and Location /repositories/ID/…; GraphQL answers \
                NOT_FOUND at [\"repository\"].",
                "octokit/fixtures rename-repository; PyGithub replay data", probe "redirect";
            R5: Recorded,
                "Creating a pull request may answer 422 \"was submitted too quickly\"; minutes \
                later the same request is served.",
                "whatwg/spec-factory#55; Azure/azure-sdk-tools#7226", probe "secondary-limit";
            R6: Recorded,
                "`errors` of a 422 is a list of objects, a list of strings, a plain string, or \
                absent.",
                "r-lib/gh#229; github-community-projects/safe-settings#1047; octokit/fixtures",
                probe "ruleset-names";
            R7: Inferred,
                "The storage of artifacts refuses an expired address with 403 and an XML body, and \
                needs no token.",
                "Azure blob storage; OpenAPI: the address lives one minute", probe "artifact-zip";
            R8: Inferred,
                "`retry-after` may be a date, an unknown field is an error with path [\"query \
                NAME\", …] and code undefinedField, and a label on a new pull request may answer \
                404 or 422 for a while.",
                "RFC 9110; rmosolgo/graphql-ruby; hub4j/github-api";
        }
    };
}
