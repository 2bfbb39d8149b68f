//! What is sent and what comes back: a release's words, its uploaded assets, and how they compare with what was approved.

use serde::{Deserialize, Serialize};

use countersign_core::{
    asset::Asset,
    digest::Digest,
    ledger::{GithubResponse, PublishedAsset},
};

use crate::publisher::Setback;

#[derive(Serialize)]
pub(super) struct ReleaseWords<'a> {
    pub(super) tag_name: &'a str,
    pub(super) target_commitish: &'a str,
    pub(super) name: &'a str,
    pub(super) body: &'a str,
    pub(super) draft: bool,
    pub(super) prerelease: bool,
    pub(super) make_latest: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Release {
    pub(super) id: u64,
    pub(super) html_url: String,
    pub(super) upload_url: String,
    pub(super) tag_name: String,
    pub(super) target_commitish: Option<String>,
    pub(super) name: Option<String>,
    pub(super) body: Option<String>,
    pub(super) draft: bool,
    pub(super) prerelease: bool,
    #[serde(default)]
    pub(super) assets: Vec<UploadedAsset>,
}

#[derive(Deserialize)]
pub(super) struct UploadedAsset {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) state: String,
    pub(super) digest: Option<String>,
    pub(super) browser_download_url: String,
}

/// Notes what GitHub holds. A draft's page is an `untagged-…` address that leads nowhere later, so it is not told.
pub(super) fn hold(made: &Release, held: &mut GithubResponse) {
    held.release_id = Some(made.id);
    held.html_url = (!made.draft).then(|| made.html_url.clone());
}

/// Compares what GitHub stored with what was approved; `digest` is what GitHub tells, or what was read back.
pub(super) fn compare(uploaded: &UploadedAsset, digest: &str, asset: &Asset) -> Result<PublishedAsset, Setback> {
    let mismatch = |what: &str, found: &str, approved: &str| {
        Setback::fault(
            "asset_mismatch",
            format!("GitHub stored the asset `{}` with {what} `{found}`, but `{approved}` was approved", asset.name),
        )
    };
    if uploaded.name != asset.name.as_str() {
        return Err(mismatch("name", &uploaded.name, asset.name.as_str()));
    }
    if uploaded.state != "uploaded" {
        return Err(mismatch("state", &uploaded.state, "uploaded"));
    }
    if uploaded.size != asset.size {
        return Err(mismatch("size", &uploaded.size.to_string(), &asset.size.to_string()));
    }
    if digest.parse() != Ok::<Digest, _>(asset.sha256) {
        return Err(mismatch("digest", digest, &asset.sha256.to_string()));
    }
    Ok(PublishedAsset { name: asset.name.clone(), size: asset.size, sha256: asset.sha256, url: uploaded.browser_download_url.clone() })
}
