//! GitHub Actions: who started a run, who let it go on, what it left behind, and how the next one begins.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use countersign_core::{
    digest::Digest,
    name::{Repository, RunId},
    timestamp::Timestamp,
};

use super::{GitHub, Stored, Trouble, encoded, json_request};

/// GitHub allows a run to be re-run 50 times.
const MOST_ATTEMPTS: u64 = 60;
/// Asks for the run that a dispatch starts.
const DETAILS: &str = "return_run_details";
/// GitHub's limit for all inputs of a dispatch: characters of their compact JSON.
const MOST_INPUTS: usize = 65_535;

/// A review that let a run go on.
pub(crate) struct Review {
    /// The reviewer's login, as GitHub tells it.
    pub(crate) reviewer: String,
    pub(crate) comment: String,
}

/// What a run left behind.
#[derive(Deserialize)]
pub(crate) struct RunArtifact {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) size_in_bytes: u64,
    pub(crate) expired: bool,
    /// When it was uploaded, in GitHub's words.
    #[serde(default)]
    pub(crate) created_at: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Artifacts {
    artifacts: Vec<RunArtifact>,
}

/// What a dispatch hands to a workflow.
#[derive(Serialize)]
pub(crate) struct Dispatch<'a> {
    /// The receipts, one a line.
    pub(crate) receipt: &'a str,
    /// The run for which they are.
    #[serde(rename = "run-id")]
    pub(crate) run_id: &'a RunId,
}

#[derive(Deserialize)]
struct Dispatched {
    html_url: String,
}

#[derive(Deserialize)]
struct DefaultBranch {
    default_branch: String,
}

/// A run as GitHub shows it: how it began, from what, and by whom.
pub(crate) struct FoundRun {
    pub(crate) id: RunId,
    /// The newest attempt.
    pub(crate) attempt: u64,
    /// Everybody who started or re-ran it.
    pub(crate) actors: Vec<String>,
    pub(crate) event: String,
    /// The path of the workflow's file.
    pub(crate) workflow: String,
    pub(crate) head: HeadRepository,
    pub(crate) branch: Option<String>,
    pub(crate) commit: String,
    /// When its first attempt began, if GitHub shows it.
    pub(crate) created_at: Option<Timestamp>,
}

/// Whose workflow and files a run has.
pub(crate) enum HeadRepository {
    /// The repository in whose list the run is.
    Own(String),
    /// Another one: a fork's runs are in the same list.
    Fork(String),
    /// One that was deleted since.
    Gone,
}

#[derive(Deserialize)]
struct Run {
    #[serde(rename = "run_attempt")]
    attempt: Option<u64>,
    actor: Option<User>,
    triggering_actor: Option<User>,
    event: Option<String>,
    path: Option<String>,
    head_branch: Option<String>,
    head_sha: Option<String>,
    created_at: Option<String>,
    repository: Option<Named>,
    head_repository: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: u64,
    full_name: String,
}

impl Run {
    fn actors(&self) -> impl Iterator<Item = String> {
        [&self.actor, &self.triggering_actor]
            .into_iter()
            .flatten()
            .map(|user| user.login.clone())
    }

    fn head(&self) -> HeadRepository {
        // Names can be spelt and redirected in several ways, the number cannot.
        let own = self.repository.as_ref().map(|own| own.id);
        match &self.head_repository {
            Some(head) if own == Some(head.id) => HeadRepository::Own(head.full_name.clone()),
            Some(head) => HeadRepository::Fork(head.full_name.clone()),
            None => HeadRepository::Gone,
        }
    }
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Approval {
    state: String,
    user: Option<User>,
    comment: Option<String>,
}

impl GitHub {
    /// A run, and everybody who re-ran it.
    pub(crate) async fn found_run(
        &self,
        repository: &Repository,
        run: &RunId,
    ) -> Result<FoundRun, Trouble> {
        let path = format!("/repos/{repository}/actions/runs/{run}");
        let newest: Run = self.read(&path).await?;
        let attempt = newest.attempt.unwrap_or(1);
        let mut actors: Vec<String> = newest.actors().collect();
        // The run itself tells the first actor and the newest.
        for between in 2..attempt.min(MOST_ATTEMPTS) {
            let path = format!("{path}/attempts/{between}");
            actors.extend(self.read::<Run>(&path).await?.actors());
        }
        actors.sort_unstable();
        actors.dedup();
        let head = newest.head();
        Ok(FoundRun {
            id: run.clone(),
            attempt,
            actors,
            event: newest.event.unwrap_or_default(),
            workflow: newest.path.unwrap_or_default(),
            head,
            branch: newest.head_branch,
            commit: newest.head_sha.unwrap_or_default(),
            created_at: newest.created_at.and_then(|at| at.parse().ok()),
        })
    }

    /// The artifacts of a run, or those of one name; the newest hundred are enough to find the plan among.
    pub(crate) async fn artifacts(
        &self,
        repository: &Repository,
        run: &RunId,
        name: Option<&str>,
    ) -> Result<Vec<RunArtifact>, Trouble> {
        let name = name.map_or(String::new(), |name| format!("&name={}", encoded(name)));
        let found: Artifacts = self
            .read(&format!(
                "/repos/{repository}/actions/runs/{run}/artifacts?per_page=100{name}"
            ))
            .await?;
        Ok(found.artifacts)
    }

    /// An artifact's archive, if its bytes are those that GitHub names.
    pub(crate) async fn archive(
        &self,
        repository: &Repository,
        artifact: &RunArtifact,
    ) -> Result<bytes::Bytes, Trouble> {
        let path = format!("/repos/{repository}/actions/artifacts/{}/zip", artifact.id);
        let bytes = self.download(&path, Stored::Archive).await?;
        match &artifact.digest {
            Some(digest) if *digest != Digest::of(&bytes).to_string() => Err(Trouble::Garbage {
                reason: format!(
                    "the archive of the artifact is not the one with the digest {digest}"
                ),
            }),
            _ => Ok(bytes),
        }
    }

    /// The branch on which a repository's workflows are started.
    pub(crate) async fn default_branch(&self, repository: &Repository) -> Result<String, Trouble> {
        Ok(self
            .read::<DefaultBranch>(&format!("/repos/{repository}"))
            .await?
            .default_branch)
    }

    /// Starts a workflow, once: nothing that it does counts without a receipt. Gives the page of its run, if GitHub tells.
    pub(crate) async fn dispatch(
        &self,
        repository: &Repository,
        workflow: &str,
        reference: &str,
        inputs: &Dispatch<'_>,
    ) -> Result<Option<String>, Trouble> {
        let written = serde_json::to_string(inputs).map_err(|error| Trouble::Garbage {
            reason: error.to_string(),
        })?;
        let characters = written.chars().count();
        if characters > MOST_INPUTS {
            let message = format!(
                "the inputs have {characters} characters; GitHub takes {MOST_INPUTS}: hand the receipts over in a file"
            );
            return Err(Trouble::Validation {
                status: 422,
                message,
            });
        }
        let path = format!(
            "/repos/{repository}/actions/workflows/{}/dispatches",
            encoded(workflow)
        );
        let send = async |body| {
            self.send(json_request(
                Method::POST,
                &self.endpoints.rest(&path),
                &body,
            )?)
            .await
        };
        let reply = match send(json!({ "ref": reference, "inputs": inputs, DETAILS: true })).await {
            // Servers up to 3.19 do not know the member and refuse the whole: nothing was started.
            Err(Trouble::Validation { message, .. }) if message.contains(DETAILS) => {
                send(json!({ "ref": reference, "inputs": inputs })).await?
            }
            reply => reply?,
        };
        // An older server answers with nothing.
        Ok(reply
            .json::<Dispatched>()
            .ok()
            .map(|dispatched| dispatched.html_url))
    }

    /// The reviews that approved a deployment of this run, over all its attempts.
    pub(crate) async fn approvals(
        &self,
        repository: &Repository,
        run: &RunId,
    ) -> Result<Vec<Review>, Trouble> {
        let approvals: Vec<Approval> = self
            .read(&format!("/repos/{repository}/actions/runs/{run}/approvals"))
            .await?;
        let approved = approvals
            .into_iter()
            .filter(|approval| approval.state == "approved");
        let review = |approval: Approval| {
            let reviewer = approval.user.map_or(String::new(), |user| user.login);
            Review {
                reviewer,
                comment: approval.comment.unwrap_or_default(),
            }
        };
        Ok(approved.map(review).collect())
    }
}
