//! Exchanges that no public recording shows; what is known of them comes from elsewhere.

macro_rules! unrecorded {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            N1: Documented,
                "The reviews of a run are a list of `environments`, `state`, `user` and `comment`; \
                only the description's example is public.",
                "OpenAPI", probe "comment";
            N2: Documented,
                "POST rulesets answers 201 with the ruleset; only refusals are recorded.",
                "OpenAPI", probe "init";
            N3: Unproven,
                "`createCommitOnBranch` whose payload asks for `repository.ref` answers with the \
                refs of that moment; no exchange is public, and it may lag (F2).",
                "schema", probe "lag";
            N4: Documented,
                "`Ref.rules` lists the active rules with their types; whether it does so in a free \
                private repository is not public.",
                "schema", probe "rules";
            N5: Inferred,
                "`history(path:)` of an absent path has empty nodes (A5, B8); no exchange is \
                public.",
                "GitLens", probe "absent-history";
            N6: Unproven,
                "The answer to `object(expression: \"X^{commit}\")` is recorded nowhere (F9, B1).",
                "schema", probe "revisions";
            N7: Documented,
                "`repository(followRenames: false)` of a renamed repository is an error; its type \
                and text are not public.",
                "schema", probe "rename";
            N8: Documented,
                "The 201 of an upload has a `digest`; no exchange since digests exist is public.",
                "OpenAPI; changelog 2025-06-03", probe "upload-headers";
            N9: Unproven,
                "What headers 403, 404 and 5xx of the uploads host carry is not public.",
                "body texts only: apache/arrow-java#609", probe "upload-headers";
            N10: Documented,
                "The list of artifacts has a `digest` for each; no exchange is public.",
                "OpenAPI", probe "artifact-zip";
            N11: Documented,
                "A dispatch with return_run_details answers 200 with workflow_run_id, run_url and \
                html_url; no exchange is public.",
                "OpenAPI";
            N12: Documented,
                "PATCH of a release that does not exist is 404; no exchange is public.",
                "OpenAPI", probe "whole-release";
            N13: Unproven,
                "How a refused POST git/tags answers is not public.",
                "OpenAPI: 409 or 422", probe "tag-object";
            N14: Unproven,
                "How a refused POST of labels answers is not public.",
                "OpenAPI: 404, 410 or 422", probe "emoji-label";
            N15: Inferred,
                "A draft pull request in a free private repository is 422 (A42); no exchange is \
                public.",
                "docs: plans", switch FreePrivatePlan, probe "pull";
            N16: Documented,
                "An empty repository answers 409 (A21); headers are not public.",
                "OpenAPI", probe "init";
            N17: Documented,
                "A limit may be answered with 429 as well as 403; no 429 of the live service is \
                public.",
                "docs: rate limits for the REST API", probe "secondary-limit";
            N18: Unproven,
                "Which headers a secondary limit carries is not public: only the texts are.",
                "docs: retry-after may be absent", probe "secondary-limit";
            N19: Unproven,
                "Which headers the 415 of an archive carries is not public.",
                "HD838A/remote-mic-app#277 has the body", probe "artifact-zip";
            N20: Unproven,
                "Whether the 403 of a refused release carries x-accepted-github-permissions is not \
                public.",
                "bitnami/gonit#81 has the body", probe "other-workflows";
        }
    };
}
