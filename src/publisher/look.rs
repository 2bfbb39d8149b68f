//! Looks at what an operation made, without a claim: it reads, compares with what was approved, and writes nothing.

use countersign_core::{
    evidence::NAME,
    ledger::GithubResponse,
    operation::{Operation, PublishRelease},
};

use super::{
    Setback, pull,
    release::{Published, Sight, hold, shown_as_attached},
    tag,
};
use crate::github::GitHub;

/// What GitHub holds of an operation that shipped before, if that is as approved. Links and numbers
/// are GitHub's; `recorded` is what the ledger says of it, which anyone could have written.
pub(crate) async fn shipped(
    operation: &Operation,
    recorded: &GithubResponse,
    github: &GitHub,
) -> Result<Option<GithubResponse>, Setback> {
    let mut held = GithubResponse {
        already_existed: true,
        ..GithubResponse::default()
    };
    let is_there = match operation {
        Operation::PublishRelease(release) => {
            release_is_there(release, recorded, github, &mut held).await?
        }
        Operation::TagRepo(tag) => tag::is_there(tag, github, &mut held).await?,
        Operation::OpenPr(pull) => pull::is_there(pull, recorded, github, &mut held).await?,
    };
    Ok(is_there.then_some(held))
}

async fn release_is_there(
    release: &PublishRelease,
    recorded: &GithubResponse,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<bool, Setback> {
    let sight = Sight::new(release, release.assets.as_slice().to_vec(), github);
    let found = match (release.visibility.draft(), recorded.release_id) {
        (false, _) => sight.published().await?,
        (true, Some(id)) => sight.by_id(id).await?,
        (true, None) => None,
    };
    let Some(mut found) = found else {
        return Ok(false);
    };

    // The evidence of the attempt that published it is no asset that anyone approved.
    for asset in found.assets.iter().filter(|asset| asset.name == NAME) {
        shown_as_attached(asset)?;
    }
    found.assets.retain(|asset| asset.name != NAME);
    sight.as_approved(&found, release.visibility.draft())?;
    held.release_id = Some(found.id);
    hold(&found, held);
    held.assets = sight.compared(found, Published::Before).await?;
    Ok(true)
}
