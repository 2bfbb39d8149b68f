//! Releases and their assets, as GitHub tells them.

use bytes::Bytes;
use serde::Deserialize;

use countersign_core::{
    asset::Outside,
    name::{Repository, TagName},
};

use super::{GitHub, Stored, Trouble, encoded_path};

/// Pages of a hundred assets that are looked through; a release has at most 1,000.
const MOST_PAGES: usize = 20;

/// A release as GitHub tells it.
#[derive(Deserialize)]
pub(crate) struct Release {
    pub(crate) id: u64,
    /// GitHub's answer to a publication may still lack it.
    pub(crate) html_url: Option<String>,
    pub(crate) upload_url: String,
    pub(crate) tag_name: String,
    pub(crate) target_commitish: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    pub(crate) published_at: Option<String>,
    #[serde(default)]
    pub(crate) assets: Vec<UploadedAsset>,
}

/// An asset as GitHub stores it.
#[derive(Deserialize)]
pub(crate) struct UploadedAsset {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) state: String,
    pub(crate) digest: Option<String>,
    label: Option<String>,
    content_type: String,
    pub(crate) browser_download_url: String,
}

impl UploadedAsset {
    /// What people see of it next to its name.
    pub(crate) fn outside(&self) -> Outside {
        Outside {
            label: self.label.clone(),
            content_type: self.content_type.clone(),
        }
    }
}

impl GitHub {
    /// The published release of a tag; drafts are not found this way.
    pub(crate) async fn release_of_tag(
        &self,
        repository: &Repository,
        tag: &TagName,
    ) -> Result<Option<Release>, Trouble> {
        match self
            .read(&format!(
                "/repos/{repository}/releases/tags/{}",
                encoded_path(tag.as_str())
            ))
            .await
        {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::NotFound { .. }) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Every asset of a release or draft.
    pub(crate) async fn assets_of(
        &self,
        repository: &Repository,
        release: u64,
    ) -> Result<Vec<UploadedAsset>, Trouble> {
        let path = format!("/repos/{repository}/releases/{release}/assets");
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let found: Vec<UploadedAsset> = self
                .read(&format!("{path}?per_page=100&page={page}"))
                .await?;
            let last = found.len() < 100;
            all.extend(found);
            if last {
                return Ok(all);
            }
        }
        Err(Trouble::Garbage {
            reason: format!("the list {path} does not end"),
        })
    }

    /// The bytes of a small asset.
    pub(crate) async fn asset(
        &self,
        repository: &Repository,
        asset: &UploadedAsset,
    ) -> Result<Bytes, Trouble> {
        let path = format!("/repos/{repository}/releases/assets/{}", asset.id);
        self.download(&path, Stored::Asset).await
    }
}
