//! Creates an annotated tag: first the object, which nobody sees, then the ref, which GitHub makes only if there is none.

use http::Method;
use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Claim, Effect, GithubResponse},
    name::CommitId,
    operation::TagRepo,
};

use super::{Setback, done};
use crate::github::{GitHub, Trouble};

#[derive(Serialize)]
struct NewTag<'a> {
    tag: &'a str,
    message: &'a str,
    object: &'a CommitId,
    r#type: &'static str,
}

#[derive(Serialize)]
struct NewRef<'a> {
    r#ref: String,
    sha: &'a CommitId,
}

#[derive(Deserialize)]
struct TagObject {
    sha: String,
    object: Pointed,
}

#[derive(Deserialize)]
struct Pointed {
    sha: String,
}

#[derive(Deserialize)]
struct Ref {
    object: Pointed,
}

pub(super) async fn create(claim: &Claim, tag: &TagRepo, github: &GitHub) -> Effect {
    let mut held = GithubResponse::default();
    match steps(claim, tag, github, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

async fn steps(claim: &Claim, tag: &TagRepo, github: &GitHub, held: &mut GithubResponse) -> Result<(), Setback> {
    let repository = &tag.target.repository;
    let body = NewTag { tag: tag.tag_name.as_str(), message: tag.message.as_str(), object: &tag.target_sha, r#type: "commit" };
    let made = done(github.write::<TagObject>(claim, Method::POST, &format!("/repos/{repository}/git/tags"), &body).await)?;
    if made.object.sha != tag.target_sha.as_str() {
        return Err(Setback::fault(
            "tag_mismatch",
            format!("GitHub made a tag object for {} instead of {}", made.object.sha, tag.target_sha),
        ));
    }
    let sha: CommitId = made.sha.parse().map_err(|error| Setback::from(Trouble::Garbage { reason: format!("{error}") }))?;
    let body = NewRef { r#ref: format!("refs/tags/{}", tag.tag_name), sha: &sha };
    let set = done(github.write::<Ref>(claim, Method::POST, &format!("/repos/{repository}/git/refs"), &body).await)?;
    if set.object.sha != sha.as_str() {
        return Err(Setback::fault("tag_mismatch", format!("GitHub set the tag to {} instead of {sha}", set.object.sha)));
    }
    held.html_url = Some(github.page(&format!("{repository}/releases/tag/{}", crate::github::encoded(tag.tag_name.as_str()))));
    held.tag_sha = Some(sha);
    Ok(())
}
