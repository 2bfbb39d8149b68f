//! What an earlier attempt, or a lost answer, left of this release at GitHub.

use std::cell::Cell;

use countersign_core::{asset::Asset, ledger::PublishedAsset};

use super::{Sight, Steps};
use crate::{
    github::{Release, Trouble, UploadedAsset, Written, commit_of_tag},
    publisher::{
        Setback,
        certain::{read_fresh, repeated},
    },
};

/// Releases of one page: each brings all its assets, and GitHub gives up on pages that are too large.
const RELEASES: usize = 10;
/// GitHub lists at most so many.
const MOST_RELEASES: usize = 10_000;

/// How much of the list of releases is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    All,
    /// The first page, which was always seen to list the newest releases.
    Newest,
}

/// Which pages each of several looks reads.
#[derive(Default)]
pub(super) struct Looks(Cell<usize>);

impl Looks {
    /// The whole list at first and at every eighth look: GitHub documents no order for it, and
    /// reading all of it every two seconds would use the rate limit up.
    pub(super) fn pages(&self) -> Pages {
        let look = self.0.get();
        self.0.set(look + 1);
        if look.is_multiple_of(8) {
            Pages::All
        } else {
            Pages::Newest
        }
    }
}

/// What an earlier attempt left.
pub(super) enum Left {
    Published(Release),
    Draft(Release),
    Nothing,
}

impl Left {
    pub(super) fn draft(self) -> Option<Release> {
        match self {
            Self::Draft(draft) => Some(draft),
            Self::Published(_) | Self::Nothing => None,
        }
    }
}

impl Sight<'_> {
    /// The published release of the tag; drafts are not found this way.
    pub(in crate::publisher) async fn published(&self) -> Result<Option<Release>, Setback> {
        let release = self.release;
        self.github
            .release_of_tag(&release.target.repository, &release.tag_name)
            .await
            .map_err(Setback::unseen)
    }

    /// What an earlier attempt left of this release. GitHub's lists lag behind its writes: "nothing"
    /// is believed only after half a minute, because a second release cannot be taken back.
    pub(super) async fn left(&self) -> Result<Left, Setback> {
        if let Some(published) = self.published().await? {
            return Ok(Left::Published(published));
        }
        self.tag_allows().await?;

        let looks = Looks::default();
        let makes_draft = !self.expected.is_empty() || self.release.visibility.draft();
        let look = async || {
            if let Some(published) = self.published().await? {
                return Ok(Some(published));
            }
            if makes_draft {
                self.own_draft(looks.pages()).await
            } else {
                Ok(None)
            }
        };
        let found = self
            .look_for("what an earlier attempt may have made", look)
            .await?;
        Ok(match found {
            Some(found) if found.draft => Left::Draft(found),
            Some(published) => Left::Published(published),
            None => Left::Nothing,
        })
    }

    /// A draft with every approved word: most likely our own, so it is sorted out before it is used,
    /// and never thrown away. Of several, the newest. The list may be old, so the draft is read once
    /// more by its number: by now it may be published.
    pub(super) async fn own_draft(&self, pages: Pages) -> Result<Option<Release>, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        for page in 1..=MOST_RELEASES / RELEASES {
            let found: Vec<Release> = self
                .github
                .read(&format!("{path}?per_page={RELEASES}&page={page}"))
                .await
                .map_err(Setback::unseen)?;
            let last = found.len() < RELEASES || pages == Pages::Newest;
            let ours = found
                .into_iter()
                .find(|found| found.draft && self.has_approved_words(found));
            if let Some(ours) = ours {
                let now = self.by_id(ours.id).await?;
                return Ok(now.filter(|now| !now.draft || self.has_approved_words(now)));
            }
            if last {
                return Ok(None);
            }
        }
        Err(Setback::unseen(Trouble::Garbage {
            reason: format!("the list {path} does not end"),
        }))
    }

    pub(super) fn path_of(&self, id: u64) -> String {
        format!("/repos/{}/releases/{id}", self.release.target.repository)
    }

    /// The release or draft of this number, if GitHub shows it.
    pub(in crate::publisher) async fn by_id(&self, id: u64) -> Result<Option<Release>, Setback> {
        match self.github.read(&self.path_of(id)).await {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::NotFound { .. }) => Ok(None),
            Err(trouble) => Err(Setback::unseen(trouble)),
        }
    }

    fn has_approved_words(&self, found: &Release) -> bool {
        found.target_commitish.as_deref() == Some(self.release.target_sha.as_str())
            && self.as_approved(found, true).is_ok()
    }

    /// Where the tag leads now: an attempt that resumes comes later than the preflight that allowed
    /// the first one.
    pub(super) async fn tag_allows(&self) -> Result<(), Setback> {
        let release = self.release;
        let found = commit_of_tag(self.github, &release.target.repository, &release.tag_name)
            .await
            .map_err(Setback::unseen)?;
        let Some(found) = found.filter(|found| *found != release.target_sha) else {
            return Ok(());
        };
        let message = format!(
            "the tag `{}` leads to {found} by now, but {} was approved; nothing was published",
            release.tag_name, release.target_sha
        );
        Err(Setback::fault("tag_mismatch", message))
    }

    /// The assets of a release or draft, which may not show yet.
    pub(super) async fn assets(&self, of: &Release) -> Result<Vec<UploadedAsset>, Setback> {
        let repository = &self.release.target.repository;
        let list = async || self.github.assets_of(repository, of.id).await;
        read_fresh(self.github, "the draft's assets", list)
            .await
            .map_err(Setback::unseen)
    }

    /// The assets that show so far: none of a release or draft that does not show yet.
    pub(super) async fn assets_so_far(&self, of: &Release) -> Result<Vec<UploadedAsset>, Setback> {
        let repository = &self.release.target.repository;
        match self.github.assets_of(repository, of.id).await {
            Err(Trouble::NotFound { .. }) => Ok(Vec::new()),
            listed => listed.map_err(Setback::unseen),
        }
    }
}

impl Steps<'_> {
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

    /// Deletes a half-uploaded asset. Whoever has lost the claim deletes nothing.
    pub(super) async fn take_away(&self, asset: &UploadedAsset) -> Result<(), Setback> {
        self.gate.opens_to_clean_up().await?;
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
