//! Opens a pull request, then sets its labels and asks for its reviews.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use countersign_core::{
    binding::MOST_SKEW,
    ledger::{Claim, Effect, GithubResponse},
    operation::OpenPr,
    text::same_text,
    timestamp::Timestamp,
};

use super::{
    Setback,
    certain::{Made, certain, repeated},
};
use crate::github::{GitHub, Written, encoded, encoded_path};

#[derive(Serialize)]
struct NewPull<'a> {
    title: &'a str,
    body: &'a str,
    head: &'a str,
    base: &'a str,
    draft: bool,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    title: String,
    body: Option<String>,
    created_at: String,
    html_url: String,
    head: Branch,
    base: Branch,
    draft: Option<bool>,
}

#[derive(Deserialize)]
struct Branch {
    r#ref: String,
    sha: String,
}

#[derive(Deserialize)]
struct HeadRef {
    object: Pointed,
}

#[derive(Deserialize)]
struct Pointed {
    sha: String,
}

pub(super) async fn open(claim: &Claim, pull: &OpenPr, github: &GitHub) -> Effect {
    let mut held = GithubResponse::default();
    match steps(claim, pull, github, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

async fn steps(
    claim: &Claim,
    pull: &OpenPr,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<(), Setback> {
    let repository = &pull.target.repository;
    let left = if claim.resumes() {
        standing(claim, pull, github).await?
    } else {
        None
    };
    held.already_existed = left.is_some();
    let made = match left {
        Some(left) => Made::Found(left),
        None => create(claim, pull, github).await?,
    };
    let ours = made.is_ours();
    let made = made.it();
    held.html_url = Some(made.html_url.clone());
    held.pull_number = Some(made.number);
    if let Err(setback) = as_approved(&made, pull) {
        // Only what this attempt's own request opened is closed again.
        return Err(if ours {
            close(claim, pull, github, made.number, setback).await
        } else {
            setback
        });
    }
    if !pull.labels.is_empty() {
        let path = format!("/repos/{repository}/issues/{}/labels", made.number);
        let labels = json!({ "labels": pull.labels });
        let labelled = repeated(github, ours, async || {
            github
                .write::<serde_json::Value>(claim, Method::POST, &path, &labels)
                .await
        });
        labelled.await.map_err(|setback| {
            setback.about("the pull request is open, but its labels are not set")
        })?;
    }
    if !pull.reviewers.is_empty() {
        let path = format!(
            "/repos/{repository}/pulls/{}/requested_reviewers",
            made.number
        );
        let reviewers = json!({ "reviewers": pull.reviewers });
        let asked = repeated(github, false, async || {
            github
                .write::<serde_json::Value>(claim, Method::POST, &path, &reviewers)
                .await
        });
        asked.await.map_err(|setback| {
            setback.about("the pull request is open, but its reviewers were not asked")
        })?;
    }
    Ok(())
}

/// A pull request that nobody approved proposes nothing any more.
async fn close(
    claim: &Claim,
    pull: &OpenPr,
    github: &GitHub,
    number: u64,
    setback: Setback,
) -> Setback {
    let path = format!("/repos/{}/pulls/{number}", pull.target.repository);
    let message = match github
        .write::<serde_json::Value>(claim, Method::PATCH, &path, &json!({ "state": "closed" }))
        .await
    {
        Written::Done(_) => format!("{}; it was closed again", setback.message),
        Written::NotDone(trouble) | Written::Unknown(trouble) => {
            format!("{}; close it by hand, because: {trouble}", setback.message)
        }
    };
    Setback { message, ..setback }
}

/// Opens the pull request; if an answer is lost, looks whether it is there.
async fn create(claim: &Claim, pull: &OpenPr, github: &GitHub) -> Result<Made<Pull>, Setback> {
    if claim.resumes() {
        stands_at_head(pull, github).await?;
    }
    let body = NewPull {
        title: pull.title.as_str(),
        body: pull.body.as_str(),
        head: pull.head_branch.as_str(),
        base: pull.base_branch.as_str(),
        draft: pull.draft,
    };
    let path = format!("/repos/{}/pulls", pull.target.repository);
    let write = async || {
        Ok(github
            .write::<Pull>(claim, Method::POST, &path, &body)
            .await)
    };
    certain(github, claim.resumes(), write, async || {
        standing(claim, pull, github).await
    })
    .await
}

/// The branch as it is now: an attempt that resumes comes later than the preflight that allowed the first one.
async fn stands_at_head(pull: &OpenPr, github: &GitHub) -> Result<(), Setback> {
    let path = format!(
        "/repos/{}/git/ref/heads/{}",
        pull.target.repository,
        encoded_path(pull.head_branch.as_str())
    );
    let found = github
        .read::<HeadRef>(&path)
        .await
        .map_err(Setback::unseen)?
        .object
        .sha;
    if found == pull.head_sha.as_str() {
        return Ok(());
    }
    Err(Setback::fault(
        "pull_mismatch",
        format!(
            "the branch `{}` is at {found} by now, but {} was approved; nothing was opened",
            pull.head_branch, pull.head_sha
        ),
    ))
}

/// The pull request with every approved word, opened since the receipt was issued, even if somebody has merged or closed it meanwhile.
async fn standing(claim: &Claim, pull: &OpenPr, github: &GitHub) -> Result<Option<Pull>, Setback> {
    let repository = &pull.target.repository;
    let head = encoded(&format!("{}:{}", repository.parts().0, pull.head_branch));
    let path = format!(
        "/repos/{repository}/pulls?state=all&per_page=100&head={head}&base={}",
        encoded(pull.base_branch.as_str())
    );
    let found: Vec<Pull> = github.read(&path).await.map_err(Setback::unseen)?;
    let issued_at = claim.receipt().terms().issued_at;
    let ours = |found: &Pull| {
        // Its head commit is compared afterwards: a pull request follows its branch.
        found.title == pull.title.as_str()
            && same_text(
                found.body.as_deref().unwrap_or_default(),
                pull.body.as_str(),
            )
            && found
                .created_at
                .parse::<Timestamp>()
                .is_ok_and(|created| created.plus(MOST_SKEW) >= issued_at)
    };
    Ok(found.into_iter().find(ours))
}

/// A branch can move between the preflight and the pull request.
fn as_approved(made: &Pull, pull: &OpenPr) -> Result<(), Setback> {
    let sides = [
        ("head", made.head.r#ref.as_str(), pull.head_branch.as_str()),
        (
            "head commit",
            made.head.sha.as_str(),
            pull.head_sha.as_str(),
        ),
        ("base", made.base.r#ref.as_str(), pull.base_branch.as_str()),
    ];
    for (what, found, approved) in sides {
        if found != approved {
            return Err(Setback::fault(
                "pull_mismatch",
                format!(
                    "pull request {} was opened with {what} {found}, but {approved} was approved",
                    made.number
                ),
            ));
        }
    }
    if made.draft.is_some_and(|draft| draft != pull.draft) {
        return Err(Setback::fault(
            "pull_mismatch",
            format!(
                "pull request {} was opened with draft {}, but {} was approved",
                made.number, !pull.draft, pull.draft
            ),
        ));
    }
    Ok(())
}
