//! `tag_repo`: an annotated tag.

use alloc::format;

use serde::Serialize;

use super::{Target, TooLong};
use crate::{
    json::{Malformed, Object},
    name::{CommitId, Prose, TagName},
};

/// Most characters of a tag's message; the limit is ours.
const MOST_MESSAGE: usize = 65_536;

/// An annotated tag to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagRepo {
    /// Where.
    #[serde(flatten)]
    pub target: Target,
    /// The tag's short name.
    pub tag_name: TagName,
    /// The commit to tag.
    pub target_sha: CommitId,
    /// The tag's message, at most 65,536 characters.
    pub message: TagMessage,
}

impl TagRepo {
    pub(super) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            target: Target::from_members(object)?,
            tag_name: object.take("tag_name")?.name()?,
            target_sha: object.take("target_sha")?.name()?,
            message: TagMessage::new(object.take("message")?.name()?).map_err(|error| Malformed::new("$.message", format!("{error}")))?,
        })
    }
}

/// Text of a tag. Git knows no limit; without one the ledger could not keep the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TagMessage(Prose);

impl TagMessage {
    /// Checks the length.
    pub fn new(text: Prose) -> Result<Self, TooLong> {
        let found = text.characters();
        if found > MOST_MESSAGE {
            return Err(TooLong { what: "tag message", found, most: MOST_MESSAGE });
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
