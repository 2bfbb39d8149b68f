//! Opens a pull request, then sets its labels and asks for its reviews.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use countersign_core::{
    ledger::{Claim, Effect, GithubResponse},
    operation::OpenPr,
};

use super::{Setback, done};
use crate::github::{GitHub, Written, encoded};

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

pub(super) async fn open(claim: &Claim, pull: &OpenPr, github: &GitHub) -> Effect {
    let mut held = GithubResponse::default();
    match steps(claim, pull, github, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

async fn steps(claim: &Claim, pull: &OpenPr, github: &GitHub, held: &mut GithubResponse) -> Result<(), Setback> {
    let repository = &pull.target.repository;
    let left = if claim.resumes() { standing(pull, github).await? } else { None };
    held.already_existed = left.is_some();
    let made = match left {
        Some(left) => left,
        None => create(claim, pull, github).await?,
    };
    held.html_url = Some(made.html_url.clone());
    held.pull_number = Some(made.number);
    if let Err(setback) = as_approved(&made, pull) {
        return Err(close(claim, pull, github, made.number, setback).await);
    }
    if !pull.labels.is_empty() {
        let path = format!("/repos/{repository}/issues/{}/labels", made.number);
        let labelled = done(github.write::<serde_json::Value>(claim, Method::POST, &path, &json!({ "labels": pull.labels })).await);
        labelled.map_err(|setback| setback.about("the pull request is open, but its labels are not set"))?;
    }
    if !pull.reviewers.is_empty() {
        let path = format!("/repos/{repository}/pulls/{}/requested_reviewers", made.number);
        let asked = done(github.write::<serde_json::Value>(claim, Method::POST, &path, &json!({ "reviewers": pull.reviewers })).await);
        asked.map_err(|setback| setback.about("the pull request is open, but its reviewers were not asked"))?;
    }
    Ok(())
}

/// A pull request that nobody approved proposes nothing any more.
async fn close(claim: &Claim, pull: &OpenPr, github: &GitHub, number: u64, setback: Setback) -> Setback {
    let path = format!("/repos/{}/pulls/{number}", pull.target.repository);
    let message = match github.write::<serde_json::Value>(claim, Method::PATCH, &path, &json!({ "state": "closed" })).await {
        Written::Done(_) => format!("{}; it was closed again", setback.message),
        Written::NotDone(trouble) | Written::Unknown(trouble) => format!("{}; close it by hand, because: {trouble}", setback.message),
    };
    Setback { message, ..setback }
}

/// Opens the pull request; if the answer is lost, looks whether it is there.
async fn create(claim: &Claim, pull: &OpenPr, github: &GitHub) -> Result<Pull, Setback> {
    let body = NewPull {
        title: pull.title.as_str(),
        body: pull.body.as_str(),
        head: pull.head_branch.as_str(),
        base: pull.base_branch.as_str(),
        draft: pull.draft,
    };
    match github.write::<Pull>(claim, Method::POST, &format!("/repos/{}/pulls", pull.target.repository), &body).await {
        Written::Done(made) => Ok(made),
        Written::NotDone(trouble) => Err(trouble.into()),
        Written::Unknown(trouble) => standing(pull, github).await?.ok_or_else(|| trouble.into()),
    }
}

/// The pull request of this head, base and title, whether it is still open or somebody has merged or closed it since.
async fn standing(pull: &OpenPr, github: &GitHub) -> Result<Option<Pull>, Setback> {
    let (owner, _) = pull.target.repository.parts();
    let head = encoded(&format!("{owner}:{}", pull.head_branch));
    let path =
        format!("/repos/{}/pulls?state=all&per_page=100&head={head}&base={}", pull.target.repository, encoded(pull.base_branch.as_str()));
    let found: Vec<Pull> = github.read(&path).await?;
    Ok(found.into_iter().find(|found| found.head.sha == pull.head_sha.as_str() && found.title == pull.title.as_str()))
}

/// A branch can move between the preflight and the pull request.
fn as_approved(made: &Pull, pull: &OpenPr) -> Result<(), Setback> {
    let sides = [
        ("head", made.head.r#ref.as_str(), pull.head_branch.as_str()),
        ("head commit", made.head.sha.as_str(), pull.head_sha.as_str()),
        ("base", made.base.r#ref.as_str(), pull.base_branch.as_str()),
    ];
    for (what, found, approved) in sides {
        if found != approved {
            return Err(Setback::fault(
                "pull_mismatch",
                format!("pull request {} was opened with {what} {found}, but {approved} was approved", made.number),
            ));
        }
    }
    if made.draft.is_some_and(|draft| draft != pull.draft) {
        return Err(Setback::fault(
            "pull_mismatch",
            format!("pull request {} was opened with draft {}, but {} was approved", made.number, !pull.draft, pull.draft),
        ));
    }
    Ok(())
}
