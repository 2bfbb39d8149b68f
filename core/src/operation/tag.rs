//! `tag_repo`: an annotated tag.

use serde::Serialize;

use super::{BoundedText, Target};
use crate::{
    json::{Malformed, Object},
    name::{CommitId, TagName},
};

/// An annotated tag to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("additionalProperties" = false)))]
pub struct TagRepo {
    /// Where.
    #[serde(flatten)]
    pub target: Target,
    /// The tag's short name.
    pub tag_name: TagName,
    /// The commit to tag.
    pub target_sha: CommitId,
    /// The tag's message.
    pub message: TagMessage,
}

impl TagRepo {
    pub(super) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            target: Target::from_members(object)?,
            tag_name: object.take("tag_name")?.name()?,
            target_sha: object.take("target_sha")?.name()?,
            message: TagMessage::from_json("tag message", object.take("message")?)?,
        })
    }
}

/// Text of a tag. Git knows no limit; without one the ledger could not keep the operation.
pub type TagMessage = BoundedText<65_536>;
