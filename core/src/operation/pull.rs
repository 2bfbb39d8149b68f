//! `open_pr`: a pull request with labels and reviewers.

use alloc::format;
use serde::Serialize;

use super::{NameSet, Target, TooLong};
use crate::{
    json::{Malformed, Object},
    name::{BranchName, CommitId, Label, Login, Prose, Title},
};

/// Most characters of a pull request's body, by GitHub's own error text.
const MOST_BODY: usize = 65_536;

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenPr {
    /// Where.
    #[serde(flatten)]
    pub target: Target,
    /// Its title.
    pub title: Title,
    /// Markdown text, at most [`MOST_BODY`] characters.
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
            body: PullBody::new(object.take("body")?.name()?).map_err(|error| Malformed::new("$.body", format!("{error}")))?,
            head_branch: object.take("head_branch")?.name()?,
            head_sha: object.take("head_sha")?.name()?,
            base_branch: object.take("base_branch")?.name()?,
            draft: object.take("draft")?.flag()?,
            labels: NameSet::from_json(object.take("labels")?)?,
            reviewers: NameSet::from_json(object.take("reviewers")?)?,
        })
    }
}

/// Markdown text that GitHub takes as a pull request's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PullBody(Prose);

impl PullBody {
    /// Checks the length.
    pub fn new(text: Prose) -> Result<Self, TooLong> {
        let found = text.characters();
        if found > MOST_BODY {
            return Err(TooLong { what: "pull request body", found, most: MOST_BODY });
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_have_65536_characters_and_not_one_more() {
        let body = |characters: usize| PullBody::new("ä".repeat(characters).parse().unwrap());
        assert_eq!(body(65_536).map(|body| body.as_str().len()), Ok(131_072));
        assert_eq!(body(65_537), Err(TooLong { what: "pull request body", found: 65_537, most: 65_536 }));
    }
}
