//! Where a tag leads, asked through REST: by way of its tag object, if it has one.

use countersign_core::name::{CommitId, Repository, TagName};
use serde::Deserialize;

use super::{GitHub, Trouble, encoded_path};

/// A ref, or a tag object: both name the object behind them.
#[derive(Deserialize)]
struct Ref {
    object: Pointed,
}

#[derive(Deserialize)]
struct Pointed {
    sha: String,
    r#type: String,
}

/// The commit to which a tag leads, or `None` if there is no tag.
pub(crate) async fn commit_of_tag(
    github: &GitHub,
    repository: &Repository,
    tag: &TagName,
) -> Result<Option<CommitId>, Trouble> {
    let root = format!("/repos/{repository}/git");
    let reference = format!("{root}/ref/tags/{}", encoded_path(tag.as_str()));
    let mut found = match github.read::<Ref>(&reference).await {
        Ok(found) => found.object,
        Err(Trouble::NotFound { .. }) => return Ok(None),
        Err(trouble) => return Err(trouble),
    };

    if found.r#type == "tag" {
        let object: Ref = github.read(&format!("{root}/tags/{}", found.sha)).await?;
        found = object.object;
    }
    let commit = found.sha.parse().map_err(|error| Trouble::Garbage {
        reason: format!("{error}"),
    })?;
    Ok(Some(commit))
}
