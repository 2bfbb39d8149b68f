//! Looks at what an open claim left after its receipt's end. It only reads and compares: every write
//! takes a claim, and there is none here.

use countersign_core::{
    digest::Digest,
    ledger::{GithubResponse, Settled, Settlement},
    operation::Operation,
};

use super::{Setback, pull, release::Sight, tag};
use crate::github::GitHub;

/// What GitHub holds of the operation: exactly what was approved, or nothing. Anything else is a
/// setback, and leaves the claim open.
///
/// Nothing can appear after this look, which lasts 30 s: the fence allows no write more than 5 s after
/// the receipt's end, and that write has 10 s to be sent.
pub(crate) async fn settle(settlement: &Settlement, github: &GitHub) -> Result<Settled, Setback> {
    let mut held = GithubResponse {
        already_existed: true,
        ..GithubResponse::default()
    };
    let is_there = match settlement.operation() {
        Operation::PublishRelease(release) => {
            let evidence: Vec<Digest> = settlement.evidence().collect();
            let assets = release.assets.as_slice().to_vec();
            let sight = Sight::new(release, assets, github);
            sight.settled(&evidence, &mut held).await?
        }
        Operation::TagRepo(tag) => tag::settled(tag, github, &mut held).await?,
        Operation::OpenPr(pull) => {
            pull::settled(pull, settlement.since(), github, &mut held).await?
        }
    };

    Ok(if is_there {
        Settled::Succeeded(held)
    } else {
        Settled::Failed(nothing(settlement, held.release_id))
    })
}

fn nothing(settlement: &Settlement, draft: Option<u64>) -> GithubResponse {
    let left = draft.map_or(String::new(), |id| {
        format!(" An unpublished draft is left, release {id}: delete it by hand.")
    });
    let message = format!(
        "the receipt was valid until {}, and GitHub holds nothing that was done with it. Nothing can be done with it any more.{left} Approve again to publish.",
        settlement.receipt().terms().expires_at
    );
    GithubResponse {
        release_id: draft,
        error_code: Some("receipt_expired".into()),
        error_message: Some(message),
        ..GithubResponse::default()
    }
}
