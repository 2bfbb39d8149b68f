//! What is sent and what comes back: a release's words, its uploaded assets, and how they compare with what was approved.

use serde::Serialize;

use countersign_core::{
    asset::Asset,
    digest::Digest,
    ledger::{GithubResponse, PublishedAsset},
};

use crate::{
    github::{Release, UploadedAsset},
    publisher::Setback,
};

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

/// Notes what GitHub holds. A draft's page is an `untagged-…` address that leads nowhere later, so it is not told.
pub(in crate::publisher) fn hold(made: &Release, held: &mut GithubResponse) {
    held.release_id = Some(made.id);
    held.html_url = made.html_url.clone().filter(|_| !made.draft);
}

fn mismatch(asset: &Asset, what: &str, found: &str, approved: &str) -> Setback {
    let message = format!(
        "GitHub stored the asset `{}` with {what} `{found}`, but `{approved}` was approved",
        asset.name
    );
    Setback::fault("asset_mismatch", message)
}

/// Compares what shows without a look at the bytes.
pub(super) fn same_outside(uploaded: &UploadedAsset, asset: &Asset) -> Result<(), Setback> {
    let sides = [
        ("name", uploaded.name.clone(), asset.name.to_string()),
        ("state", uploaded.state.clone(), "uploaded".into()),
        ("size", uploaded.size.to_string(), asset.size.to_string()),
    ];
    if let Some((what, found, approved)) =
        sides.iter().find(|(_, found, approved)| found != approved)
    {
        return Err(mismatch(asset, what, found, approved));
    }
    shown_as_approved(uploaded, asset)
}

/// Compares what people see next to the name: GitHub shows a label in its place.
pub(super) fn shown_as_approved(uploaded: &UploadedAsset, asset: &Asset) -> Result<(), Setback> {
    let differs = uploaded.outside().difference(asset.content_type.as_str());
    differs.map_or(Ok(()), |differs| {
        let (found, approved) = (&differs.found, &differs.approved);
        Err(mismatch(asset, differs.what, found, approved))
    })
}

/// Compares the bytes; `digest` is what GitHub tells, or what was read back.
pub(super) fn same_inside(
    uploaded: &UploadedAsset,
    digest: &str,
    asset: &Asset,
) -> Result<PublishedAsset, Setback> {
    if digest.parse() != Ok::<Digest, _>(asset.sha256) {
        return Err(mismatch(asset, "digest", digest, &asset.sha256.to_string()));
    }
    Ok(PublishedAsset {
        name: asset.name.clone(),
        size: asset.size,
        sha256: asset.sha256,
        url: uploaded.browser_download_url.clone(),
    })
}
