//! Looks at what an open claim left of a release after its receipt's end. Nothing is finished here.

use countersign_core::{digest::Digest, evidence::NAME, ledger::GithubResponse};

use super::{
    Published, Sight,
    evidence::shown_as_attached,
    existing::{Looks, Pages},
    words::hold,
};
use crate::{
    github::{Release, UploadedAsset},
    publisher::Setback,
};

impl Sight<'_> {
    /// Whether the release is there exactly as approved. What was published a moment ago shows late,
    /// so it is looked for as long as that may take. `claims` may each have been attached as evidence.
    pub(in crate::publisher) async fn settled(
        &self,
        evidence: &[Digest],
        held: &mut GithubResponse,
    ) -> Result<bool, Setback> {
        let looks = Looks::default();
        let look = async || {
            if self.release.visibility.draft() {
                self.own_draft(looks.pages()).await
            } else {
                self.published().await
            }
        };
        let found = self.look_for("what the claim left", look).await?;
        let found = match found {
            Some(found) => found,
            None if self.release.visibility.draft() => return Ok(false),
            // A draft that nobody can publish any more is named, so that someone can delete it.
            None => match self.own_draft(Pages::All).await? {
                Some(left) if left.draft => {
                    held.release_id = Some(left.id);
                    return Ok(false);
                }
                Some(published) => published,
                None => return Ok(false),
            },
        };
        self.is_settled_by(found, evidence, held).await?;
        Ok(true)
    }

    async fn is_settled_by(
        &self,
        mut found: Release,
        evidence: &[Digest],
        held: &mut GithubResponse,
    ) -> Result<(), Setback> {
        held.release_id = Some(found.id);
        hold(&found, held);
        self.as_approved(&found, self.release.visibility.draft())?;
        self.tag_allows().await?;

        for asset in found.assets.iter().filter(|asset| asset.name == NAME) {
            is_evidence(asset, evidence)?;
            shown_as_attached(asset)?;
        }
        found.assets.retain(|asset| asset.name != NAME);
        held.assets = self.compared(found, Published::Before).await?;
        Ok(())
    }
}

/// The evidence that an attempt attached must be one of the claims that are settled.
fn is_evidence(asset: &UploadedAsset, evidence: &[Digest]) -> Result<(), Setback> {
    let digest = asset.digest.as_ref().and_then(|told| told.parse().ok());
    if digest.is_some_and(|digest| evidence.contains(&digest)) {
        return Ok(());
    }
    let message =
        format!("the release has a `{NAME}` that is not the claim it was published under");
    Err(Setback::fault("asset_mismatch", message))
}
