//! Creates an annotated tag: first the object, which nobody sees, then the ref, which GitHub makes only if there is none.

use http::Method;
use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Claim, Effect, GithubResponse},
    name::CommitId,
    operation::TagRepo,
    text::same_text,
};

use super::{
    Setback,
    certain::{certain, repeated},
};
use crate::github::{GitHub, Trouble, Written, encoded, encoded_path};

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
    message: String,
    object: Pointed,
}

#[derive(Deserialize)]
struct Pointed {
    sha: String,
    r#type: String,
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

async fn steps(
    claim: &Claim,
    tag: &TagRepo,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<(), Setback> {
    let repository = &tag.target.repository;
    if claim.resumes()
        && let Some(sha) = standing(tag, github).await?
    {
        as_approved(
            &github
                .read(&format!("/repos/{repository}/git/tags/{sha}"))
                .await
                .map_err(Setback::unseen)?,
            tag,
        )?;
        held.already_existed = true;
        hold(tag, sha, github, held);
        return Ok(());
    }
    let body = NewTag {
        tag: tag.tag_name.as_str(),
        message: tag.message.as_str(),
        object: &tag.target_sha,
        r#type: "commit",
    };
    // A tag object that nothing points to is nowhere to be seen.
    let path = format!("/repos/{repository}/git/tags");
    let made = repeated(github, false, async || {
        github
            .write::<TagObject>(claim, Method::POST, &path, &body)
            .await
    })
    .await?;
    as_approved(&made, tag)?;
    let sha: CommitId = made.sha.parse().map_err(|error| {
        Setback::from(Trouble::Garbage {
            reason: format!("{error}"),
        })
    })?;
    let body = NewRef {
        r#ref: format!("refs/tags/{}", tag.tag_name),
        sha: &sha,
    };
    let path = format!("/repos/{repository}/git/refs");
    let write = async || {
        Ok(
            match github.write::<Ref>(claim, Method::POST, &path, &body).await {
                Written::Done(set) => Written::Done(set.object.sha),
                Written::NotDone(trouble) => Written::NotDone(trouble),
                Written::Unknown(trouble) => Written::Unknown(trouble),
            },
        )
    };
    let look = async || Ok(standing(tag, github).await?.map(|found| found.to_string()));
    let set = certain(github, claim.resumes(), write, look).await?.it();
    if claim.resumes() && set != sha.as_str() {
        // An earlier attempt's tag showed late: it counts if it is as approved.
        as_approved(
            &github
                .read(&format!("/repos/{repository}/git/tags/{set}"))
                .await
                .map_err(Setback::unseen)?,
            tag,
        )?;
        held.already_existed = true;
        let set = set.parse().map_err(|error| {
            Setback::from(Trouble::Garbage {
                reason: format!("{error}"),
            })
        })?;
        hold(tag, set, github, held);
        return Ok(());
    }
    if set != sha.as_str() {
        return Err(Setback::fault(
            "tag_mismatch",
            format!("GitHub set the tag to {set} instead of {sha}"),
        ));
    }
    hold(tag, sha, github, held);
    Ok(())
}

/// The object to which the tag points, if there is a tag.
async fn standing(tag: &TagRepo, github: &GitHub) -> Result<Option<CommitId>, Setback> {
    let path = format!(
        "/repos/{}/git/ref/tags/{}",
        tag.target.repository,
        encoded_path(tag.tag_name.as_str())
    );
    match github.read::<Ref>(&path).await {
        Ok(found) if found.object.r#type != "tag" => Err(Setback::fault(
            "tag_mismatch",
            format!(
                "the tag `{}` exists by now and has no message: it leads straight to {}",
                tag.tag_name, found.object.sha
            ),
        )),
        Ok(found) => found.object.sha.parse().map(Some).map_err(|error| {
            Trouble::Garbage {
                reason: format!("{error}"),
            }
            .into()
        }),
        Err(Trouble::NotFound { .. }) => Ok(None),
        Err(trouble) => Err(Setback::unseen(trouble)),
    }
}

fn as_approved(made: &TagObject, tag: &TagRepo) -> Result<(), Setback> {
    if made.object.sha != tag.target_sha.as_str() {
        return Err(Setback::fault(
            "tag_mismatch",
            format!(
                "the tag object is for {} instead of {}",
                made.object.sha, tag.target_sha
            ),
        ));
    }
    if !same_text(&made.message, tag.message.as_str()) {
        return Err(Setback::fault(
            "tag_mismatch",
            "the tag object has another message than the approved one",
        ));
    }
    Ok(())
}

fn hold(tag: &TagRepo, sha: CommitId, github: &GitHub, held: &mut GithubResponse) {
    let page = format!(
        "{}/releases/tag/{}",
        tag.target.repository,
        encoded(tag.tag_name.as_str())
    );
    held.html_url = Some(github.page(&page));
    held.tag_sha = Some(sha);
}
