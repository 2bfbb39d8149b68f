//! Publishes a release. Without assets in one request; with assets as a draft that becomes visible only when all of them are right.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use serde::{Deserialize, Serialize};

use countersign_core::{
    asset::Asset,
    digest::Digest,
    ledger::{Claim, Effect, GithubResponse, PublishedAsset},
    operation::PublishRelease,
    text::excerpt,
};

use super::{
    AssetFiles, Setback, done,
    upload::{self, Upload},
};
use crate::github::{GitHub, Written, encoded};

/// Uploads under way at once.
const UPLOADS: usize = 4;

#[derive(Serialize)]
struct ReleaseWords<'a> {
    tag_name: &'a str,
    target_commitish: &'a str,
    name: &'a str,
    body: &'a str,
    draft: bool,
    prerelease: bool,
    make_latest: &'static str,
}

#[derive(Deserialize)]
struct Release {
    id: u64,
    html_url: String,
    upload_url: String,
    tag_name: String,
    name: Option<String>,
    draft: bool,
    prerelease: bool,
    #[serde(default)]
    assets: Vec<UploadedAsset>,
}

#[derive(Deserialize)]
struct UploadedAsset {
    name: String,
    size: u64,
    state: String,
    digest: Option<String>,
    browser_download_url: String,
}

pub(super) async fn publish(claim: &Claim, release: &PublishRelease, github: &GitHub, files: &AssetFiles) -> Effect {
    let mut held = GithubResponse::default();
    let steps = Steps { claim, release, github };
    let result = if release.assets.as_slice().is_empty() { steps.at_once(&mut held).await } else { steps.by_draft(files, &mut held).await };
    match result {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

struct Steps<'a> {
    claim: &'a Claim,
    release: &'a PublishRelease,
    github: &'a GitHub,
}

impl Steps<'_> {
    async fn at_once(&self, held: &mut GithubResponse) -> Result<(), Setback> {
        let made = self.create(self.release.visibility.draft()).await?;
        hold(&made, held);
        self.as_approved(&made, self.release.visibility.draft())
    }

    async fn by_draft(&self, files: &AssetFiles, held: &mut GithubResponse) -> Result<(), Setback> {
        let draft = self.create(true).await?;
        held.release_id = Some(draft.id);
        self.as_approved(&draft, true)?;
        match self.upload_all(&draft, files).await {
            Ok(assets) => held.assets = assets,
            Err(setback) if setback.open => return Err(setback),
            Err(setback) => return Err(self.discard(&draft, setback, held).await),
        }
        if self.release.visibility.draft() {
            hold(&draft, held);
            return Ok(());
        }
        let path = format!("/repos/{}/releases/{}", self.release.target.repository, draft.id);
        // Every approved word once more: whoever edited the draft meanwhile edited it for nothing.
        let made = done(self.github.write::<Release>(self.claim, Method::PATCH, &path, &self.words(false)).await)?;
        hold(&made, held);
        self.as_approved(&made, false)?;
        held.assets = self.exactly(&made.assets)?;
        Ok(())
    }

    async fn create(&self, draft: bool) -> Result<Release, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        done(self.github.write(self.claim, Method::POST, &path, &self.words(draft)).await)
    }

    fn words(&self, draft: bool) -> ReleaseWords<'_> {
        let release = self.release;
        ReleaseWords {
            tag_name: release.tag_name.as_str(),
            target_commitish: release.target_sha.as_str(),
            name: release.release_name.as_str(),
            body: release.body.as_str(),
            draft,
            prerelease: release.visibility.prerelease(),
            // A draft can never be the latest release; the word comes with its publication.
            make_latest: if draft { "false" } else { release.visibility.make_latest().as_str() },
        }
    }

    /// Uploads every asset, several at once, and compares what GitHub stored with what was approved.
    async fn upload_all(&self, draft: &Release, files: &AssetFiles) -> Result<Vec<PublishedAsset>, Setback> {
        let uploads = self.release.assets.as_slice().iter().map(|asset| self.upload(draft, asset, files));
        let mut assets: Vec<PublishedAsset> = stream::iter(uploads).buffer_unordered(UPLOADS).try_collect().await?;
        assets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(assets)
    }

    async fn upload(&self, draft: &Release, asset: &Asset, files: &AssetFiles) -> Result<PublishedAsset, Setback> {
        let address = draft.upload_url.split('{').next().unwrap_or_default();
        let uri = format!("{address}?name={}", encoded(asset.name.as_str()));
        let unusable = |error: std::io::Error| Setback::fault("file_changed", error.to_string());
        let Upload { body, changed } = upload::open(files.of(asset)?, asset).map_err(unusable)?;
        match self.github.upload::<UploadedAsset>(self.claim, &uri, asset.content_type.as_str(), asset.size, body).await {
            Written::Done(uploaded) => compare(&uploaded, asset),
            _ if changed.happened() => Err(unusable(upload::changed(asset))),
            Written::NotDone(trouble) | Written::Unknown(trouble) => Err(trouble.into()),
        }
    }

    /// Takes away our own draft, which nobody has seen, so that a failed attempt leaves nothing behind.
    async fn discard(&self, draft: &Release, setback: Setback, held: &mut GithubResponse) -> Setback {
        let path = format!("/repos/{}/releases/{}", self.release.target.repository, draft.id);
        let message = match self.github.remove(self.claim, &path).await {
            Written::Done(()) => {
                held.release_id = None;
                format!("{}; the draft was taken away, nothing was published", setback.message)
            }
            Written::NotDone(trouble) | Written::Unknown(trouble) => {
                format!("{}; nothing was published, but the draft release {} may be left, because: {trouble}", setback.message, draft.id)
            }
        };
        Setback { message, ..setback }
    }

    /// What GitHub says it published, member by member.
    fn as_approved(&self, made: &Release, draft: bool) -> Result<(), Setback> {
        let release = self.release;
        let differs = |what: &str| {
            Err(Setback::fault("release_mismatch", format!("release {} was made, but its {what} is not the approved one", made.id)))
        };
        if made.tag_name != release.tag_name.as_str() {
            return differs("tag");
        }
        if made.name.as_deref() != Some(release.release_name.as_str()) {
            return differs("name");
        }
        if (made.draft, made.prerelease) != (draft, release.visibility.prerelease()) {
            return differs("visibility");
        }
        Ok(())
    }

    /// Every approved asset and no other, as the published release lists them; only now do their addresses last.
    fn exactly(&self, listed: &[UploadedAsset]) -> Result<Vec<PublishedAsset>, Setback> {
        let approved = self.release.assets.as_slice();
        if let Some(extra) = listed.iter().find(|listed| approved.iter().all(|asset| asset.name.as_str() != listed.name)) {
            return Err(Setback::fault(
                "asset_extra",
                format!("the release has an asset `{}` that nobody approved", excerpt(&extra.name, 80)),
            ));
        }
        let published = |asset: &Asset| {
            let found = listed.iter().find(|listed| listed.name == asset.name.as_str());
            let missing = || Setback::fault("asset_missing", format!("the release was published without the asset `{}`", asset.name));
            compare(found.ok_or_else(missing)?, asset)
        };
        approved.iter().map(published).collect()
    }
}

/// Notes what GitHub holds. A draft's page is an `untagged-…` address that leads nowhere later, so it is not told.
fn hold(made: &Release, held: &mut GithubResponse) {
    held.release_id = Some(made.id);
    held.html_url = (!made.draft).then(|| made.html_url.clone());
}

fn compare(uploaded: &UploadedAsset, asset: &Asset) -> Result<PublishedAsset, Setback> {
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
    let Some(digest) = &uploaded.digest else {
        return Err(Setback::fault(
            "asset_unverified",
            format!("GitHub tells no digest of the asset `{}`, so it cannot be compared", asset.name),
        ));
    };
    if digest.parse() != Ok::<Digest, _>(asset.sha256) {
        return Err(mismatch("digest", digest, &asset.sha256.to_string()));
    }
    Ok(PublishedAsset { name: asset.name.clone(), size: asset.size, sha256: asset.sha256, url: uploaded.browser_download_url.clone() })
}
