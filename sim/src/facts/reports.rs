//! What public bug reports show.

macro_rules! reports {
    ($then:ident $($more:ident)*; $($rows:tt)*) => {
        $then! {
            $($more)*; $($rows)*
            C1: Recorded,
                "A request for reviewers may answer 201 and add no one, and nothing promises that \
                labels are not dropped in the same way.",
                "neomjs/neo#16394; neomjs/neo#16396",
                switch ReviewersAreDropped LabelsAreDropped, probe "dropped-reviewers";
            C2: Recorded,
                "A label of emoji alone is refused: 422 \"name must contain more than native \
                emoji\".",
                "Financial-Times/github-label-sync#172", probe "emoji-label";
            C3: Recorded,
                "`html_url` of a release percent-encodes its tag: \
                `/tag/%40primer%2Freact%4036.9.0`.",
                "primer/react#4293", probe "whole-release";
            C4: Documented,
                "A repository whose last branch is gone is empty and answers 409 (A21).",
                "OpenAPI", probe "init";
            C5: Inferred,
                "A pull request has at most 100 labels and 15 requested reviewers; drafts of a tag \
                and draft pull requests depend on token and plan (A9, A42).",
                "docs: plans; cli/cli#520", probe "pull";
            C6: Recorded,
                "A run may list several artifacts of one name after a re-run, and more than a page \
                of them.",
                "actions/toolkit#1592; llvm/llvm-project#198792", probe "rerun";
        }
    };
}
