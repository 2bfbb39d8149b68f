//! Workflows, their runs, and the reviews and artifacts of those.

use bytes::Bytes;

use crate::record::DispatchRecord;

/// A workflow that can be started, with the inputs that it declares.
pub(crate) struct Workflow {
    pub(crate) id: u64,
    /// Name of its file below `.github/workflows`.
    pub(crate) file: String,
    pub(crate) inputs: Vec<String>,
}

/// A run as of its newest attempt.
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) number: u64,
    pub(crate) attempt: u64,
    pub(crate) workflow: String,
    pub(crate) status: &'static str,
    pub(crate) event: String,
    pub(crate) actor: String,
    /// Who triggered each attempt, the first included.
    pub(crate) triggering_actors: Vec<String>,
    /// Number and full name of the fork whose run it is.
    pub(crate) fork: Option<(u64, String)>,
    pub(crate) head_branch: String,
    pub(crate) head_sha: String,
    pub(crate) created_at: i64,
    pub(crate) started_at: i64,
}

/// What somebody said to a run that waited for an environment.
pub(crate) struct Review {
    pub(crate) run: u64,
    pub(crate) reviewer: String,
    pub(crate) environment: String,
    pub(crate) state: String,
    pub(crate) comment: String,
}

/// A protected environment, made when it is first reviewed.
pub(crate) struct Environment {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

/// An artifact of a run.
pub(crate) struct Artifact {
    pub(crate) id: u64,
    pub(crate) run: u64,
    pub(crate) name: String,
    pub(crate) zip: Bytes,
    /// `sha256:<hex>` of the archive.
    pub(crate) digest: String,
    /// What makes its address in the storage impossible to guess.
    pub(crate) secret: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// All that GitHub Actions knows of the repository.
pub(crate) struct Actions {
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) runs: Vec<Run>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) environments: Vec<Environment>,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) dispatches: Vec<DispatchRecord>,
}

impl Actions {
    /// The workflow that the first commit brings, without inputs; no runs.
    pub(crate) fn new() -> Self {
        let release = Workflow {
            id: 1,
            file: "release.yml".to_owned(),
            inputs: Vec::new(),
        };
        Self {
            workflows: vec![release],
            runs: Vec::new(),
            reviews: Vec::new(),
            environments: Vec::new(),
            artifacts: Vec::new(),
            dispatches: Vec::new(),
        }
    }

    /// By file name or by id, as GitHub takes both.
    pub(crate) fn workflow(&self, named: &str) -> Option<&Workflow> {
        self.workflows
            .iter()
            .find(|workflow| workflow.file == named || workflow.id.to_string() == named)
    }

    pub(crate) fn run(&self, id: u64) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }

    /// An id that no run has, past those that are there.
    pub(crate) fn free_run_id(&self) -> u64 {
        self.runs.iter().map(|run| run.id).max().unwrap_or(0) + 1
    }

    pub(crate) fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.name == name)
    }

    pub(crate) fn artifact(&self, id: u64) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.id == id)
    }
}
