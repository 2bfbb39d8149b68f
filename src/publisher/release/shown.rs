//! A published release, once GitHub shows all of it: GitHub's reads lag behind its writes.

use std::cell::Cell;

use countersign_core::{asset::Asset, ledger::PublishedAsset};

use super::{Sight, Steps};
use crate::{
    github::{Release, UploadedAsset},
    publisher::Setback,
};

const LOOK_AGAIN: &str = "Re-run the job: it looks first at what was done.";

/// When a release was published that is compared with what was approved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::publisher) enum Published {
    /// By this attempt, a moment ago: what is missing may still show.
    Now,
    /// Before this attempt looked: what is missing is missing.
    Before,
}

impl Sight<'_> {
    /// The release as GitHub shows it once it has caught up: its answer to a publication may still
    /// show the draft that it was, so it is read again by its number.
    pub(super) async fn shown(&self, made: Release) -> Result<Release, Setback> {
        let is_shown = |release: &Release| {
            self.release.visibility.draft() || !release.draft && release.html_url.is_some()
        };
        if is_shown(&made) {
            return Ok(made);
        }

        let look = async || Ok(self.by_id(made.id).await?.filter(is_shown));
        let found = self.look_for("the release as published", look).await?;
        found.ok_or_else(|| {
            let message = format!(
                "GitHub published release {}, but still shows it as a draft",
                made.id
            );
            Setback {
                remedy: LOOK_AGAIN,
                open: true,
                ..Setback::fault("publication_unseen", message)
            }
        })
    }

    /// Looks for what was written a moment ago until it shows.
    pub(super) async fn look_for<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> Result<Option<T>, Setback>,
    ) -> Result<Option<T>, Setback> {
        self.github.patience().look_for(what, look).await
    }
}

impl Steps<'_> {
    /// Every expected asset and no other, as the published release lists them; only now are their
    /// addresses final.
    pub(super) async fn exactly(
        &self,
        made: Release,
        published: Published,
    ) -> Result<Vec<PublishedAsset>, Setback> {
        let verified =
            async |found: &UploadedAsset, asset: &Asset| self.verified(found, asset).await;
        self.each(made, published, verified).await
    }
}

impl Sight<'_> {
    /// The same without a claim, so without evidence of one.
    pub(in crate::publisher) async fn compared(
        &self,
        made: Release,
        published: Published,
    ) -> Result<Vec<PublishedAsset>, Setback> {
        let same = async |found: &UploadedAsset, asset: &Asset| self.same(found, asset).await;
        self.each(made, published, same).await
    }

    /// Every expected asset and no other, each compared with what GitHub lists.
    async fn each(
        &self,
        made: Release,
        published: Published,
        compare: impl AsyncFn(&UploadedAsset, &Asset) -> Result<PublishedAsset, Setback>,
    ) -> Result<Vec<PublishedAsset>, Setback> {
        let listed = self.all_listed(made, published).await?;
        let mut assets = Vec::new();
        for asset in &self.expected {
            let found = listed
                .iter()
                .find(|listed| listed.name == asset.name.as_str())
                .ok_or_else(|| missing(asset, published))?;
            assets.push(compare(found, asset).await?);
        }
        Ok(assets)
    }

    /// The assets of a published release. Its answer may lack some that are there: then they are
    /// listed until all have shown.
    pub(super) async fn all_listed(
        &self,
        made: Release,
        published: Published,
    ) -> Result<Vec<UploadedAsset>, Setback> {
        self.no_extra(&made.assets, "release")?;
        let Some(first) = self.lacks(&made.assets) else {
            return Ok(made.assets);
        };

        let lacking = Cell::new(first);
        let look = async || {
            let listed = self.assets_so_far(&made).await?;
            self.no_extra(&listed, "release")?;
            let Some(asset) = self.lacks(&listed) else {
                return Ok(Some(listed));
            };
            lacking.set(asset);
            Ok(None)
        };
        let listed = self.look_for("every asset of the release", look).await?;
        listed.ok_or_else(|| missing(lacking.get(), published))
    }

    /// The first expected asset that is not listed.
    fn lacks(&self, listed: &[UploadedAsset]) -> Option<&Asset> {
        self.expected.iter().find(|asset| {
            listed
                .iter()
                .all(|listed| listed.name != asset.name.as_str())
        })
    }
}

/// This attempt compared every upload's answer with what was approved, so after its own publication a
/// missing asset may be there and show late: the next attempt looks again.
fn missing(asset: &Asset, published: Published) -> Setback {
    match published {
        Published::Now => Setback {
            remedy: LOOK_AGAIN,
            open: true,
            ..Setback::fault(
                "asset_missing",
                format!(
                    "the release was published, but GitHub does not list its asset `{}` yet",
                    asset.name
                ),
            )
        },
        Published::Before => Setback::fault(
            "asset_missing",
            format!(
                "the release was published without the asset `{}`",
                asset.name
            ),
        ),
    }
}
