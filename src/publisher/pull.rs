//! Opens a pull request, then sets its labels and asks for its reviews.

use std::cell::Cell;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use countersign_core::{
    binding::MOST_SKEW,
    ledger::{Claim, Effect, GithubResponse},
    name,
    operation::OpenPr,
    text::same_text,
    timestamp::Timestamp,
};

use super::{
    Gate, Setback,
    certain::{Before, Made, certain, repeated},
};
use crate::github::{GitHub, Trouble, encoded, encoded_path};

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
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    requested_reviewers: Vec<Login>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Login {
    login: String,
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

pub(super) async fn open(gate: &Gate<'_>, pull: &OpenPr, github: &GitHub) -> Effect {
    let mut held = GithubResponse::default();
    match steps(gate, pull, github, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

async fn steps(
    gate: &Gate<'_>,
    pull: &OpenPr,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<(), Setback> {
    let claim = gate.claim;
    let left = if claim.resumes() {
        standing(claim.since(), pull, github).await?
    } else {
        None
    };
    held.already_existed = left.is_some();
    let made = match left {
        Some(left) => Made::Found(left),
        None => create(gate, pull, github).await?,
    };
    let ours = made.is_ours();
    let made = made.it();
    held.html_url = Some(made.html_url.clone());
    held.pull_number = Some(made.number);
    if let Err(setback) = as_approved(&made, pull) {
        // Only what this attempt's own request opened is closed again.
        return Err(if ours {
            close(gate, pull, github, made.number, setback).await
        } else {
            setback
        });
    }

    let opened = Opened {
        claim,
        pull,
        github,
        path: format!("/repos/{}/pulls/{}", pull.target.repository, made.number),
        issue: format!("/repos/{}/issues/{}", pull.target.repository, made.number),
    };
    opened.label().await?;
    opened.ask_reviewers().await
}

/// Whether the pull request of this number is there as approved, merged or closed since or not. A
/// branch that moved on does not make it another one.
pub(super) async fn is_there(
    pull: &OpenPr,
    recorded: &GithubResponse,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<bool, Setback> {
    let Some(number) = recorded.pull_number else {
        return Ok(false);
    };
    let path = format!("/repos/{}/pulls/{number}", pull.target.repository);
    let found: Pull = match github.read(&path).await {
        Ok(found) => found,
        Err(Trouble::NotFound { .. }) => return Ok(false),
        Err(trouble) => return Err(Setback::unseen(trouble)),
    };

    let is_same = has_approved_words(&found, pull)
        && (found.head.r#ref.as_str(), found.base.r#ref.as_str())
            == (pull.head_branch.as_str(), pull.base_branch.as_str());
    if is_same {
        held.html_url = Some(found.html_url);
        held.pull_number = Some(found.number);
    }
    Ok(is_same)
}

/// The same for a claim that is settled by looking: the pull request that was opened since, once it
/// shows, if it is exactly what was approved.
pub(super) async fn settled(
    pull: &OpenPr,
    since: Timestamp,
    github: &GitHub,
    held: &mut GithubResponse,
) -> Result<bool, Setback> {
    let look = async || standing(since, pull, github).await;
    let what = "what the claim left";
    let Some(found) = github.patience().look_for(what, look).await? else {
        return Ok(false);
    };

    held.html_url = Some(found.html_url.clone());
    held.pull_number = Some(found.number);
    as_approved(&found, pull)?;
    has_labels_and_reviewers(&found, pull)?;
    Ok(true)
}

fn has_labels_and_reviewers(found: &Pull, pull: &OpenPr) -> Result<(), Setback> {
    let labels: Vec<&str> = found
        .labels
        .iter()
        .map(|label| label.name.as_str())
        .collect();
    let reviewers: Vec<&str> = found
        .requested_reviewers
        .iter()
        .map(|reviewer| reviewer.login.as_str())
        .collect();
    let lacks = |code, what: &str, name: &str| {
        let message = format!(
            "pull request {} is open, but it does not show the {what} `{name}`",
            found.number
        );
        Setback::fault(code, message)
    };

    let mut wanted = pull.labels.iter().map(name::Label::as_str);
    if let Some(label) = wanted.find(|label| labels.iter().all(|name| !same_name(name, label))) {
        return Err(lacks("labels_missing", "label", label));
    }
    let mut wanted = pull.reviewers.iter().map(name::Login::as_str);
    let is_missing = |login: &&str| reviewers.iter().all(|name| !same_name(name, login));
    match wanted.find(is_missing) {
        Some(login) => Err(lacks("reviewers_missing", "reviewer", login)),
        None => Ok(()),
    }
}

fn has_approved_words(found: &Pull, pull: &OpenPr) -> bool {
    found.title == pull.title.as_str()
        && same_text(
            found.body.as_deref().unwrap_or_default(),
            pull.body.as_str(),
        )
}

/// A pull request that is open. Setting labels and reviewers twice does no harm.
struct Opened<'a> {
    claim: &'a Claim,
    pull: &'a OpenPr,
    github: &'a GitHub,
    path: String,
    issue: String,
}

impl Opened<'_> {
    async fn label(&self) -> Result<(), Setback> {
        let approved = &self.pull.labels;
        if approved.is_empty() {
            return Ok(());
        }
        let wanted: Vec<&str> = approved.iter().map(name::Label::as_str).collect();
        let path = format!("{}/labels", self.issue);
        let body = json!({ "labels": approved });
        let set: Vec<Label> = repeated(self.github, true, async || {
            self.github
                .write(self.claim, Method::POST, &path, &body)
                .await
        })
        .await
        .map_err(|setback| setback.about("the pull request is open, but its labels are not set"))?;

        let names = |labels: Vec<Label>| labels.into_iter().map(|label| label.name).collect();
        let missing = self
            .missing(&wanted, names(set), |pull| names(pull.labels))
            .await?;
        missing.map_or(Ok(()), |label| {
            let message = format!(
                "the pull request is open, but it lacks the label `{label}`: GitHub accepted the request and did not set it"
            );
            Err(Setback::fault("labels_missing", message))
        })
    }

    async fn ask_reviewers(&self) -> Result<(), Setback> {
        let approved = &self.pull.reviewers;
        if approved.is_empty() {
            return Ok(());
        }
        let wanted: Vec<&str> = approved.iter().map(name::Login::as_str).collect();
        let path = format!("{}/requested_reviewers", self.path);
        let body = json!({ "reviewers": approved });
        let asked: Pull = repeated(self.github, true, async || {
            self.github
                .write(self.claim, Method::POST, &path, &body)
                .await
        })
        .await
        .map_err(|setback| {
            setback.about("the pull request is open, but its reviewers were not asked")
        })?;

        let logins = |pull: Pull| {
            let logins = pull.requested_reviewers.into_iter();
            logins.map(|reviewer| reviewer.login).collect()
        };
        let missing = self.missing(&wanted, logins(asked), logins).await?;
        missing.map_or(Ok(()), |reviewer| {
            let message = format!(
                "the pull request is open, but `{reviewer}` was not asked for a review: GitHub accepted the request and dropped it"
            );
            Err(Setback::fault("reviewers_missing", message))
        })
    }

    /// The first approved name that GitHub does not show, ignoring case: a 2xx is not an effect.
    /// What the answer lacks may only show late, so the pull request is read again.
    async fn missing<'n>(
        &self,
        approved: &[&'n str],
        answered: Vec<String>,
        shown: impl Fn(Pull) -> Vec<String>,
    ) -> Result<Option<&'n str>, Setback> {
        let lacks = |names: &[String]| {
            let mut approved = approved.iter().copied();
            approved.find(|wanted| names.iter().all(|name| !same_name(name, wanted)))
        };
        let Some(first) = lacks(&answered) else {
            return Ok(None);
        };

        let lacking = Cell::new(first);
        let found = self
            .github
            .patience()
            .look_for("every label and reviewer", async || {
                match self.github.read(&self.path).await {
                    Ok(pull) => Ok(lacks(&shown(pull)).map_or(Some(()), |name| {
                        lacking.set(name);
                        None
                    })),
                    Err(Trouble::NotFound { .. }) => Ok(None),
                    Err(trouble) => Err(Setback::unseen(trouble)),
                }
            })
            .await?;
        Ok(found.is_none().then(|| lacking.get()))
    }
}

/// GitHub compares the names of labels and accounts without regard to case.
fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Closes a pull request that was not approved, if this attempt still holds the claim.
async fn close(
    gate: &Gate<'_>,
    pull: &OpenPr,
    github: &GitHub,
    number: u64,
    setback: Setback,
) -> Setback {
    let path = format!("/repos/{}/pulls/{number}", pull.target.repository);
    let body = json!({ "state": "closed" });
    let closed = async {
        gate.opens_to_clean_up().await?;
        repeated(github, true, async || {
            github
                .write::<serde_json::Value>(gate.claim, Method::PATCH, &path, &body)
                .await
        })
        .await
    };

    let message = match closed.await {
        Ok(_) => format!("{}; it was closed again", setback.message),
        Err(because) => format!(
            "{}; close it by hand, because: {}",
            setback.message, because.message
        ),
    };
    Setback { message, ..setback }
}

/// Opens the pull request; if an answer is lost, looks whether it is there.
async fn create(gate: &Gate<'_>, pull: &OpenPr, github: &GitHub) -> Result<Made<Pull>, Setback> {
    let claim = gate.claim;
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
        gate.opens().await?;
        Ok(github
            .write_visible::<Pull>(claim, Method::POST, &path, &body)
            .await)
    };
    let before = Before {
        doubtful: claim.resumes(),
        fresh: false,
        doubles: false,
    };
    certain(github, before, write, async || {
        standing(claim.since(), pull, github).await
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

/// The pull request with every approved word, opened since this moment, even if someone has merged or
/// closed it in the meantime.
async fn standing(
    since: Timestamp,
    pull: &OpenPr,
    github: &GitHub,
) -> Result<Option<Pull>, Setback> {
    let repository = &pull.target.repository;
    let head = encoded(&format!("{}:{}", repository.parts().0, pull.head_branch));
    let path = format!(
        "/repos/{repository}/pulls?state=all&per_page=100&head={head}&base={}",
        encoded(pull.base_branch.as_str())
    );
    let found: Vec<Pull> = github.read(&path).await.map_err(Setback::unseen)?;
    let ours = |found: &Pull| {
        // Its head commit is compared afterwards: a pull request follows its branch.
        has_approved_words(found, pull)
            && found
                .created_at
                .parse::<Timestamp>()
                .is_ok_and(|created| created.plus(MOST_SKEW) >= since)
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
