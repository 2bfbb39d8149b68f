//! Publishes a release. Without assets in one request; with assets as a draft that becomes visible only when all of them are right.

mod existing;
mod words;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;

use countersign_core::{
    asset::Asset,
    ledger::{Claim, Effect, GithubResponse, PublishedAsset},
    operation::PublishRelease,
    text::excerpt,
};

use self::words::{Release, ReleaseWords, UploadedAsset, compare, hold};
use super::{
    AssetFiles, Setback, same_text,
    upload::{self, Upload},
};
use crate::github::{GitHub, Written, encoded};

/// Uploads under way at once.
const UPLOADS: usize = 4;

pub(super) async fn publish(claim: &Claim, release: &PublishRelease, github: &GitHub, files: &AssetFiles) -> Effect {
    let mut held = GithubResponse::default();
    match (Steps { claim, release, github }).run(files, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

/// Whether a release was made by this attempt's own request, or found afterwards: only the first may be thrown away again.
enum Made {
    Ours(Release),
    Found(Release),
}

impl Made {
    const fn as_release(&self) -> &Release {
        match self {
            Self::Ours(release) | Self::Found(release) => release,
        }
    }

    fn release(self) -> Release {
        match self {
            Self::Ours(release) | Self::Found(release) => release,
        }
    }
}

struct Steps<'a> {
    claim: &'a Claim,
    release: &'a PublishRelease,
    github: &'a GitHub,
}

impl Steps<'_> {
    async fn run(&self, files: &AssetFiles, held: &mut GithubResponse) -> Result<(), Setback> {
        if self.claim.resumes() {
            if let Some(standing) = self.published().await? {
                held.already_existed = true;
                return self.ended(&standing, held);
            }
            self.tag_allows().await?;
        }
        if self.release.assets.as_slice().is_empty() { self.at_once(held).await } else { self.by_draft(files, held).await }
    }

    async fn at_once(&self, held: &mut GithubResponse) -> Result<(), Setback> {
        let draft = self.release.visibility.draft();
        let left = if self.claim.resumes() && draft { self.own_draft().await? } else { None };
        held.already_existed = left.is_some();
        let made = match left {
            Some(left) => left,
            None => self.create(draft).await?.release(),
        };
        self.ended(&made, held)
    }

    async fn by_draft(&self, files: &AssetFiles, held: &mut GithubResponse) -> Result<(), Setback> {
        let left = if self.claim.resumes() { self.own_draft().await? } else { None };
        let draft = match left {
            Some(left) => Made::Found(left),
            None => self.create(true).await?,
        };
        let ours = matches!(draft, Made::Ours(_));
        let draft = draft.as_release();
        held.release_id = Some(draft.id);
        self.as_approved(draft, true)?;
        let kept = if ours { Vec::new() } else { self.sort_out(draft).await? };
        match self.upload_all(draft, kept, files).await {
            Ok(assets) => held.assets = assets,
            Err(setback) if ours && !setback.open => return Err(self.discard(draft, setback, held).await),
            Err(setback) => return Err(setback),
        }
        if self.release.visibility.draft() {
            hold(draft, held);
            return Ok(());
        }
        let made = self.make_visible(draft).await?;
        self.ended(&made, held)
    }

    /// Notes what GitHub holds, then compares it with what was approved, member by member.
    fn ended(&self, made: &Release, held: &mut GithubResponse) -> Result<(), Setback> {
        hold(made, held);
        self.as_approved(made, self.release.visibility.draft())?;
        held.assets = self.exactly(&made.assets)?;
        Ok(())
    }

    /// Creates the release; if the answer is lost, or somebody was first while we resume, looks whether it is there.
    async fn create(&self, draft: bool) -> Result<Made, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        match self.github.write(self.claim, Method::POST, &path, &self.words(draft)).await {
            Written::Done(made) => Ok(Made::Ours(made)),
            Written::NotDone(trouble) if !self.claim.resumes() => Err(trouble.into()),
            Written::NotDone(trouble) | Written::Unknown(trouble) => {
                let found = if draft { self.own_draft().await } else { self.published().await };
                found?.map(Made::Found).ok_or_else(|| trouble.into())
            }
        }
    }

    /// Every approved word once more: whoever edited the draft meanwhile edited it for nothing.
    async fn make_visible(&self, draft: &Release) -> Result<Release, Setback> {
        let path = format!("/repos/{}/releases/{}", self.release.target.repository, draft.id);
        match self.github.write::<Release>(self.claim, Method::PATCH, &path, &self.words(false)).await {
            Written::Done(made) => Ok(made),
            Written::NotDone(trouble) => Err(trouble.into()),
            Written::Unknown(trouble) => match self.github.read::<Release>(&path).await {
                Ok(found) if !found.draft => Ok(found),
                Ok(_) => Err(trouble.into()),
                Err(unseen) => Err(Setback::unseen(unseen).about(&trouble.to_string())),
            },
        }
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

    /// Uploads every asset that is not there yet, several at once, and compares what GitHub stored with what was approved.
    async fn upload_all(&self, draft: &Release, kept: Vec<PublishedAsset>, files: &AssetFiles) -> Result<Vec<PublishedAsset>, Setback> {
        let missing = self.release.assets.as_slice().iter().filter(|asset| kept.iter().all(|kept| kept.name != asset.name));
        let uploads = missing.map(|asset| self.upload(draft, asset, files));
        let mut assets: Vec<PublishedAsset> = stream::iter(uploads).buffer_unordered(UPLOADS).try_collect().await?;
        assets.extend(kept);
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
            Written::NotDone(trouble) => Err(trouble.into()),
            Written::Unknown(trouble) => {
                let there =
                    self.assets(draft).await?.into_iter().find(|there| there.name == asset.name.as_str() && there.state == "uploaded");
                there.map_or_else(|| Err(trouble.into()), |there| compare(&there, asset))
            }
        }
    }

    /// Takes away the draft that this very attempt made and nobody has seen. What it is by now is looked at first.
    async fn discard(&self, draft: &Release, setback: Setback, held: &mut GithubResponse) -> Setback {
        let path = format!("/repos/{}/releases/{}", self.release.target.repository, draft.id);
        let still_a_draft = self.github.read::<Release>(&path).await.is_ok_and(|found| found.draft);
        let removed = if still_a_draft { Some(self.github.remove(self.claim, &path).await) } else { None };
        let message = match removed {
            Some(Written::Done(())) => {
                held.release_id = None;
                format!("{}; the draft was taken away, nothing was published", setback.message)
            }
            _ => format!("{}; look at release {}: it was left as it is", setback.message, draft.id),
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
        if !same_text(made.body.as_deref().unwrap_or_default(), release.body.as_str()) {
            return differs("body");
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
