//! The evidence that goes with a release: the claim's own entry and its operation, sent as one more asset and compared like the others.
//!
//! An attempt that resumes has a claim of its own, but what an earlier one attached stays: once a release is published nothing is taken
//! away. So evidence counts if the ledger holds its entry, byte for byte, as an earlier claim of the same operation by the same run.

use countersign_core::{
    asset::{Asset, OutsideDiffers},
    digest::Digest,
    evidence::{AttachReceipt, CONTENT_TYPE, MOST_BYTES, NAME, UnverifiedEvidence},
    ledger::{Claim, PublishedAsset, entry_path},
};

use super::{Steps, words::shown_as_approved};
use crate::{
    github::UploadedAsset,
    publisher::{AssetFiles, Setback, certain::read_fresh, upload::Source},
};

/// The approved assets and, if it is to be attached, the evidence of this claim.
pub(super) fn beside(approved: &[Asset], claim: &Claim, attach: AttachReceipt) -> Vec<Asset> {
    let evidence = match (attach, NAME.parse(), CONTENT_TYPE.parse()) {
        (AttachReceipt::Yes, Ok(name), Ok(content_type)) => {
            let bytes = claim.evidence();
            Some(Asset {
                name,
                size: bytes.len() as u64,
                sha256: Digest::of(bytes),
                content_type,
            })
        }
        (AttachReceipt::Yes, ..) => {
            unreachable!("`{NAME}` is the name of an asset, and `{CONTENT_TYPE}` a type")
        }
        (AttachReceipt::No, ..) => None,
    };
    approved.iter().cloned().chain(evidence).collect()
}

/// Whether this asset is the evidence: no approved one can have its name.
pub(super) fn is(asset: &Asset) -> bool {
    asset.name.as_str() == NAME
}

/// Compares what people see next to the evidence's name, of whatever attempt it is.
pub(in crate::publisher) fn shown_as_attached(there: &UploadedAsset) -> Result<(), Setback> {
    let differs = there.outside().difference(CONTENT_TYPE);
    differs.map_or(
        Ok(()),
        |OutsideDiffers {
             what,
             found,
             approved,
         }| {
            let message = format!(
                "GitHub shows `{NAME}` with {what} `{found}`, but it was attached with `{approved}`"
            );
            Err(Setback::fault("asset_mismatch", message))
        },
    )
}

impl Steps<'_> {
    /// Where the bytes of an asset come from.
    pub(super) fn source<'a>(
        &'a self,
        asset: &Asset,
        files: &'a AssetFiles,
    ) -> Result<Source<'a>, Setback> {
        if is(asset) {
            Ok(Source::Memory(self.claim.evidence()))
        } else {
            files.of(asset).map(Source::File)
        }
    }

    /// Evidence that is not that of this claim: an earlier attempt's, or a stranger's.
    pub(super) async fn earlier_evidence(
        &self,
        there: &UploadedAsset,
        asset: &Asset,
        mismatch: Setback,
    ) -> Result<PublishedAsset, Setback> {
        let foreign = |found: &str| {
            let message = format!(
                "the release has another `{NAME}` than the claim that it was published under: {found}, but the ledger's {} belongs there",
                self.claim.entry()
            );
            Setback::fault("asset_mismatch", message)
        };
        if !self.claim.resumes() || there.state != "uploaded" {
            return Err(mismatch);
        }
        // Another entry's bytes may be right, another label never is.
        shown_as_approved(there, asset)?;
        if there.size > MOST_BYTES as u64 {
            return Err(foreign(&format!("it has {} bytes", there.size)));
        }
        let repository = &self.release.target.repository;
        let bytes = read_fresh(self.github, "the evidence", async || {
            self.github.asset(repository, there).await
        })
        .await
        .map_err(Setback::unseen)?;
        let sha256 = Digest::of(&bytes);
        let told = there
            .digest
            .as_ref()
            .is_none_or(|told| told.parse() == Ok(sha256));
        let evidence = UnverifiedEvidence::read(bytes.to_vec())
            .ok()
            .filter(|evidence| told && evidence.precedes(self.claim));
        let Some(evidence) = evidence else {
            return Err(foreign(&format!("it has {sha256}")));
        };
        let path = entry_path(evidence.entry_id().sequence);
        // The ledger's commit was made a moment ago.
        let entry = self
            .github
            .patience()
            .look_for("the ledger's entry", async || {
                self.github
                    .ledger_file(repository, self.claim.ledger_commit(), &path)
                    .await
            })
            .await
            .map_err(Setback::unseen)?;
        if entry != Some(evidence.entry_file()) {
            return Err(foreign(&format!(
                "it claims to be {}, which the ledger does not hold",
                evidence.entry_id()
            )));
        }
        Ok(PublishedAsset {
            name: asset.name.clone(),
            size: bytes.len() as u64,
            sha256,
            url: there.browser_download_url.clone(),
        })
    }
}
