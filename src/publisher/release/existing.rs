//! What an earlier attempt, or a lost answer, left of this release at GitHub.

use countersign_core::{asset::Asset, ledger::PublishedAsset};

use super::{
    Steps,
    words::{Release, UploadedAsset, compare},
};
use crate::{
    github::{Trouble, Written, encoded_path},
    publisher::Setback,
};

/// Pages of a hundred that are looked through: GitHub lists at most 10,000 releases, a release has at most 1,000 assets.
const MOST_PAGES: usize = 10;

impl Steps<'_> {
    /// The published release of the tag; drafts are not found this way.
    pub(super) async fn published(&self) -> Result<Option<Release>, Setback> {
        let release = self.release;
        let path = format!("/repos/{}/releases/tags/{}", release.target.repository, encoded_path(release.tag_name.as_str()));
        match self.github.read(&path).await {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::NotFound { .. }) => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// A draft with every approved word: nobody but an attempt with this claim makes one. Of several, the newest.
    pub(super) async fn own_draft(&self) -> Result<Option<Release>, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        let drafts: Vec<Release> = self.all(&path).await?;
        Ok(drafts.into_iter().find(|found| found.draft && self.has_approved_words(found)))
    }

    fn has_approved_words(&self, found: &Release) -> bool {
        let words = self.words(true);
        found.tag_name == words.tag_name
            && found.target_commitish.as_deref() == Some(words.target_commitish)
            && found.name.as_deref() == Some(words.name)
            && found.body.as_deref().unwrap_or_default() == words.body
            && found.prerelease == words.prerelease
    }

    pub(super) async fn assets(&self, draft: &Release) -> Result<Vec<UploadedAsset>, Setback> {
        self.all(&format!("/repos/{}/releases/{}/assets", self.release.target.repository, draft.id)).await
    }

    /// Keeps the assets of a draft that are as approved; takes away half-uploaded ones, which GitHub says can safely be deleted.
    pub(super) async fn sort_out(&self, draft: &Release) -> Result<Vec<PublishedAsset>, Setback> {
        let mut kept = Vec::new();
        for there in self.assets(draft).await? {
            match self.approved(&there).map(|asset| compare(&there, asset)) {
                Some(Ok(asset)) => kept.push(asset),
                Some(Err(setback)) if there.state == "uploaded" => return Err(setback),
                Some(Err(_)) => self.take_away(&there).await?,
                None => return Err(Setback::fault("asset_extra", format!("the draft has an asset `{}` that nobody approved", there.name))),
            }
        }
        Ok(kept)
    }

    fn approved(&self, there: &UploadedAsset) -> Option<&Asset> {
        self.release.assets.as_slice().iter().find(|asset| asset.name.as_str() == there.name)
    }

    async fn take_away(&self, asset: &UploadedAsset) -> Result<(), Setback> {
        let path = format!("/repos/{}/releases/assets/{}", self.release.target.repository, asset.id);
        match self.github.remove(self.claim, &path).await {
            Written::Done(()) | Written::NotDone(Trouble::NotFound { .. }) => Ok(()),
            Written::NotDone(trouble) | Written::Unknown(trouble) => Err(trouble.into()),
        }
    }

    async fn all<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Setback> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let found: Vec<T> = self.github.read(&format!("{path}?per_page=100&page={page}")).await?;
            let last = found.len() < 100;
            all.extend(found);
            if last {
                break;
            }
        }
        Ok(all)
    }
}
