//! The least permission for each request.

macro_rules! permissions {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            M1: Documented,
                "Reading refs, tags, blobs, contents, published releases and assets, by REST or \
                GraphQL, needs contents: read.",
                "docs: permissions for GitHub Apps", probe "pulls-with-read";
            M2: Documented,
                "Listing draft releases needs contents: write.",
                "docs: list releases", probe "absent-ref-and-release";
            M3: Documented,
                "Making tags, trees, commits, appends, releases, assets and generated notes needs \
                contents: write.",
                "docs: permissions for GitHub Apps", probe "append-refusals";
            M4: Inferred,
                "POST git/refs and POST releases need contents: write, and workflows: write, which \
                no job has, where workflow files differ.",
                "docs: permissions for GitHub Apps; OpenAPI", probe "other-workflows";
            M5: Documented,
                "Reading branch rules, rulesets and the repository needs metadata: read, which \
                every token has.",
                "docs: permissions for GitHub Apps", probe "rules";
            M6: Documented,
                "POST rulesets needs administration: write, which no job has.",
                "docs: permissions for GitHub Apps", probe "init";
            M7: Documented,
                "Reading runs, attempts, reviews, artifacts and archives needs actions: read.",
                "docs: permissions for GitHub Apps", probe "artifact-zip";
            M8: Documented,
                "A dispatch needs actions: write.",
                "docs: permissions for GitHub Apps";
            M9: Documented,
                "Reviewing a deployment needs deployments: write and a required reviewer.",
                "docs: permissions for GitHub Apps";
            M10: Documented,
                "Opening and changing pull requests, reviewers and labels needs pull-requests: \
                write.",
                "docs: permissions for GitHub Apps", probe "pull";
            M11: Documented,
                "Listing pull requests, by REST or GraphQL, needs pull-requests: read.",
                "docs: permissions for GitHub Apps", probe "pulls-with-read";
        }
    };
}
