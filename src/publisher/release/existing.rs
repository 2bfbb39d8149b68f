//! What an earlier attempt, or a lost answer, left of this release at GitHub.

use serde::Deserialize;

use countersign_core::{asset::Asset, ledger::PublishedAsset};

use super::Steps;
use crate::{
    github::{Release, Trouble, UploadedAsset, Written, encoded_path},
    publisher::{Setback, certain::repeated},
};

/// Releases of one page: each brings all its assets, and GitHub gives up on pages that are too large.
const RELEASES: usize = 10;
/// GitHub lists at most so many.
const MOST_RELEASES: usize = 10_000;

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

impl Steps<'_> {
    /// The published release of the tag; drafts are not found this way.
    pub(super) async fn published(&self) -> Result<Option<Release>, Setback> {
        let release = self.release;
        self.github
            .release_of_tag(&release.target.repository, &release.tag_name)
            .await
            .map_err(Setback::unseen)
    }

    /// A draft with every approved word: most likely our own, so it is sorted out before it is used, and never thrown away. Of several, the newest.
    pub(super) async fn own_draft(&self) -> Result<Option<Release>, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        for page in 1..=MOST_RELEASES / RELEASES {
            let found: Vec<Release> = self
                .github
                .read(&format!("{path}?per_page={RELEASES}&page={page}"))
                .await
                .map_err(Setback::unseen)?;
            let last = found.len() < RELEASES;
            let ours = found
                .into_iter()
                .find(|found| found.draft && self.has_approved_words(found));
            if ours.is_some() || last {
                return Ok(ours);
            }
        }
        Err(Setback::unseen(Trouble::Garbage {
            reason: format!("the list {path} does not end"),
        }))
    }

    fn has_approved_words(&self, found: &Release) -> bool {
        found.target_commitish.as_deref() == Some(self.release.target_sha.as_str())
            && self.as_approved(found, true).is_ok()
    }

    /// Where the tag leads now: an attempt that resumes comes later than the preflight that allowed the first one.
    pub(super) async fn tag_allows(&self) -> Result<(), Setback> {
        let release = self.release;
        let root = format!("/repos/{}/git", release.target.repository);
        let mut object = match self
            .github
            .read::<Ref>(&format!(
                "{root}/ref/tags/{}",
                encoded_path(release.tag_name.as_str())
            ))
            .await
        {
            Ok(found) => found.object,
            Err(Trouble::NotFound { .. }) => return Ok(()),
            Err(trouble) => return Err(Setback::unseen(trouble)),
        };
        if object.r#type == "tag" {
            object = self
                .github
                .read::<Ref>(&format!("{root}/tags/{}", object.sha))
                .await
                .map_err(Setback::unseen)?
                .object;
        }
        if object.sha == release.target_sha.as_str() {
            return Ok(());
        }
        let message = format!(
            "the tag `{}` leads to {} by now, but {} was approved; nothing was published",
            release.tag_name, object.sha, release.target_sha
        );
        Err(Setback::fault("tag_mismatch", message))
    }

    pub(super) async fn assets(&self, draft: &Release) -> Result<Vec<UploadedAsset>, Setback> {
        self.github
            .assets_of(&self.release.target.repository, draft.id)
            .await
            .map_err(Setback::unseen)
    }

    /// Keeps the assets of a draft that are as approved; takes away half-uploaded ones, which GitHub says can safely be deleted.
    pub(super) async fn sort_out(&self, draft: &Release) -> Result<Vec<PublishedAsset>, Setback> {
        let mut kept = Vec::new();
        for there in self.assets(draft).await? {
            match self.approved(&there) {
                Some(asset) if there.state == "uploaded" => {
                    kept.push(self.verified(&there, asset).await?);
                }
                Some(_) => self.take_away(&there).await?,
                None => self.no_extra(&[there], "draft")?,
            }
        }
        Ok(kept)
    }

    fn approved(&self, there: &UploadedAsset) -> Option<&Asset> {
        self.expected
            .iter()
            .find(|asset| asset.name.as_str() == there.name)
    }

    pub(super) async fn take_away(&self, asset: &UploadedAsset) -> Result<(), Setback> {
        let path = format!(
            "/repos/{}/releases/assets/{}",
            self.release.target.repository, asset.id
        );
        repeated(self.github, false, async || {
            match self.github.remove(self.claim, &path).await {
                Written::NotDone(Trouble::NotFound { .. }) => Written::Done(()),
                written => written,
            }
        })
        .await
    }
}
