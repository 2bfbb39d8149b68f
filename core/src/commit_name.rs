//! The name by which a commit is requested, before it is looked up.

use core::str::FromStr;

use crate::name::{BranchName, CommitId, InvalidName, TagName};

/// A name for a commit. Git resolves a bare name as a tag before it tries a branch, so a tag could
/// decide what `main` means; here a name says which of the two it is, or it must not be both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitName {
    /// The head of the default branch: `HEAD`.
    DefaultBranch,
    /// A full id.
    Id(CommitId),
    /// `refs/heads/NAME`.
    Branch(BranchName),
    /// `refs/tags/NAME`.
    Tag(TagName),
    /// A bare name: a branch or a tag, as long as it is not both.
    BranchOrTag(BranchName),
}

impl FromStr for CommitName {
    type Err = InvalidName;

    /// An abbreviated id is parsed like any other name, and a revision expression (`main~1`) is not
    /// a valid one: what either leads to can change as the repository grows.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |()| {
            InvalidName::new(
                "name of a commit",
                text,
                "a full commit id, a branch, a tag, `refs/heads/NAME`, `refs/tags/NAME` or `HEAD`",
            )
        };

        if text == "HEAD" {
            return Ok(Self::DefaultBranch);
        }
        if let Ok(id) = text.to_ascii_lowercase().parse() {
            return Ok(Self::Id(id));
        }
        if let Some(branch) = text.strip_prefix("refs/heads/") {
            return branch
                .parse()
                .map(Self::Branch)
                .map_err(|_: InvalidName| invalid(()));
        }
        if let Some(tag) = text.strip_prefix("refs/tags/") {
            return tag
                .parse()
                .map(Self::Tag)
                .map_err(|_: InvalidName| invalid(()));
        }
        // Git would look `heads/main` up as a branch: here it could be a tag of that very name.
        let abbreviated = ["heads/", "tags/", "remotes/"];
        if abbreviated.iter().any(|prefix| text.starts_with(prefix)) {
            return Err(invalid(()));
        }
        text.parse()
            .map(Self::BranchOrTag)
            .map_err(|_: InvalidName| invalid(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<T: FromStr<Err = InvalidName>>(text: &str) -> T {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_says_what_it_is() {
        let id = "0123456789".repeat(4);
        for (text, expected) in [
            ("HEAD", CommitName::DefaultBranch),
            (&id, CommitName::Id(name(&id))),
            (&"AB".repeat(20), CommitName::Id(name(&"ab".repeat(20)))),
            (&"ab".repeat(32), CommitName::Id(name(&"ab".repeat(32)))),
            ("refs/heads/main", CommitName::Branch(name("main"))),
            (
                "refs/heads/release/1.0",
                CommitName::Branch(name("release/1.0")),
            ),
            ("refs/tags/v1", CommitName::Tag(name("v1"))),
            ("main", CommitName::BranchOrTag(name("main"))),
            ("0123456", CommitName::BranchOrTag(name("0123456"))),
            ("head", CommitName::BranchOrTag(name("head"))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_revision_expression_is_not_a_name() {
        for text in [
            "",
            "@",
            "main~1",
            "main^",
            "main^{commit}",
            "main@{1}",
            ":/fix",
            "main:README.md",
            "main..next",
            "refs/pull/1/merge",
            "refs/heads/",
            "heads/main",
            "tags/v1",
            "remotes/origin/main",
            "refs/heads/main~1",
            "refs/tags/refs/tags/v1",
            "a b",
        ] {
            assert_eq!(text.parse::<CommitName>().expect_err(text).value(), text);
        }
    }
}
