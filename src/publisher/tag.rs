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
    Gate, Setback,
    certain::{Before, certain, read_fresh, repeated},
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

pub(super) async fn create(gate: &Gate<'_>, tag: &TagRepo, github: &GitHub) -> Effect {
    let mut held = GithubResponse::default();
    match steps(gate, tag, github, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

async fn steps(
    gate: &Gate<'_>,
    tag: &TagRepo,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<(), Setback> {
    let claim = gate.claim;
    if claim.resumes()
        && let Some(sha) = standing(tag, github).await?
    {
        return adopt(tag, sha, github, held).await;
    }

    let sha = object(claim, tag, github).await?;
    let set = set(gate, tag, &sha, github).await?;
    if set == sha {
        hold(tag, sha, github, held);
        return Ok(());
    }
    if claim.resumes() {
        // An earlier attempt's tag showed late.
        return adopt(tag, set, github, held).await;
    }
    Err(Setback::fault(
        "tag_mismatch",
        format!("the tag leads to the object {set} instead of {sha}: someone else set it"),
    ))
}

/// Whether the tag is there as approved.
pub(super) async fn is_there(
    tag: &TagRepo,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<bool, Setback> {
    match standing(tag, github).await? {
        Some(sha) => adopt(tag, sha, github, held).await.map(|()| true),
        None => Ok(false),
    }
}

/// The same for a claim that is settled by looking: a tag that was set a moment ago shows late.
pub(super) async fn settled(
    tag: &TagRepo,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<bool, Setback> {
    let look = async || standing(tag, github).await;
    let what = "what the claim left";
    match github.patience().look_for(what, look).await? {
        Some(sha) => adopt(tag, sha, github, held).await.map(|()| true),
        None => Ok(false),
    }
}

/// Takes over the tag of an earlier attempt, if it is as approved.
async fn adopt(
    tag: &TagRepo,
    sha: CommitId,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<(), Setback> {
    let path = format!("/repos/{}/git/tags/{sha}", tag.target.repository);
    let found = read_fresh(github, "the tag's object", async || {
        github.read(&path).await
    })
    .await
    .map_err(Setback::unseen)?;
    as_approved(&found, tag)?;
    held.already_existed = true;
    hold(tag, sha, github, held);
    Ok(())
}

/// Makes the tag object. GitHub shows no tag until a ref points to it.
async fn object(claim: &Claim, tag: &TagRepo, github: &GitHub) -> Result<CommitId, Setback> {
    let path = format!("/repos/{}/git/tags", tag.target.repository);
    let body = NewTag {
        tag: tag.tag_name.as_str(),
        message: tag.message.as_str(),
        object: &tag.target_sha,
        r#type: "commit",
    };
    let made = repeated(github, false, async || {
        github
            .write::<TagObject>(claim, Method::POST, &path, &body)
            .await
    })
    .await?;
    as_approved(&made, tag)?;
    commit_id(&made.sha)
}

/// Makes the ref, and returns the object to which it leads. GitHub may not know the object yet,
/// which was made a moment ago. It creates a ref only if there is none, so a second try moves
/// nothing.
async fn set(
    gate: &Gate<'_>,
    tag: &TagRepo,
    sha: &CommitId,
    github: &GitHub,
) -> Result<CommitId, Setback> {
    let path = format!("/repos/{}/git/refs", tag.target.repository);
    let body = NewRef {
        r#ref: format!("refs/tags/{}", tag.tag_name),
        sha,
    };
    let claim = gate.claim;
    let write = async || {
        gate.opens().await?;
        let made = github
            .write_visible::<Ref>(claim, Method::POST, &path, &body)
            .await;
        Ok(match made {
            Written::Done(set) => Written::Done(commit_id(&set.object.sha)?),
            Written::NotDone(trouble) => Written::NotDone(trouble),
            Written::Unknown(trouble) => Written::Unknown(trouble),
        })
    };

    let before = Before {
        doubtful: claim.resumes(),
        fresh: true,
        doubles: false,
    };
    let set = certain(github, before, write, async || standing(tag, github).await).await?;
    Ok(set.it())
}

fn commit_id(text: &str) -> Result<CommitId, Setback> {
    text.parse().map_err(|error| {
        Setback::from(Trouble::Garbage {
            reason: format!("{error}"),
        })
    })
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
        Ok(found) => commit_id(&found.object.sha).map(Some),
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
