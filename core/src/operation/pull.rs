//! `open_pr`: a pull request with labels and reviewers.

use serde::Serialize;

use super::{BoundedText, NameSet, Target};
use crate::{
    json::{Malformed, Object},
    name::{BranchName, CommitId, Label, Login, Title},
};

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("additionalProperties" = false)))]
pub struct OpenPr {
    /// Where.
    #[serde(flatten)]
    pub target: Target,
    /// Its title.
    pub title: Title,
    /// Markdown text.
    pub body: PullBody,
    /// The branch with the changes, in the same repository.
    pub head_branch: BranchName,
    /// The commit at which that branch must stand.
    pub head_sha: CommitId,
    /// The branch into which it is to be merged.
    pub base_branch: BranchName,
    /// Whether it is opened as a draft.
    pub draft: bool,
    /// Labels to set.
    pub labels: NameSet<Label>,
    /// Users to ask for a review.
    pub reviewers: NameSet<Login>,
}

impl OpenPr {
    pub(super) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            target: Target::from_members(object)?,
            title: object.take("title")?.name()?,
            body: PullBody::from_json("pull request body", object.take("body")?)?,
            head_branch: object.take("head_branch")?.name()?,
            head_sha: object.take("head_sha")?.name()?,
            base_branch: object.take("base_branch")?.name()?,
            draft: object.take("draft")?.flag()?,
            labels: NameSet::from_json(object.take("labels")?)?,
            reviewers: NameSet::from_json(object.take("reviewers")?)?,
        })
    }
}

/// Markdown text that GitHub takes as a pull request's body, by its own error text.
pub type PullBody = BoundedText<65_536>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::TooLong;

    #[test]
    fn a_body_may_have_65536_characters_and_not_one_more() {
        let body = |characters: usize| {
            PullBody::new("pull request body", "ä".repeat(characters).parse().unwrap())
        };
        assert_eq!(body(65_536).map(|body| body.as_str().len()), Ok(131_072));
        assert_eq!(
            body(65_537),
            Err(TooLong {
                what: "pull request body",
                found: 65_537,
                most: 65_536
            })
        );
    }
}
