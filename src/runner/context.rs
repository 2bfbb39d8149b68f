//! The run in which we are, as the runner's protected variables tell it.

use std::path::PathBuf;

use countersign_core::{
    name::{Executor, OperationId, Repository, RepositoryId, RunAttempt, RunId},
    operation::Target,
    refusal::InputRefusal,
};

use super::Environment;

/// The run that acts.
#[derive(Clone, Debug)]
pub(crate) struct RunContext {
    pub(crate) executor: Executor,
    /// The repository in which the workflow runs.
    pub(crate) home: Target,
    /// Who started the run, and who re-ran it.
    pub(crate) actors: Vec<String>,
    /// The event that began the run; empty where the runner does not name it.
    pub(crate) event: String,
    /// The commit on which the workflow runs.
    pub(crate) sha: String,
    /// The folder from which relative paths are meant.
    pub(crate) workspace: PathBuf,
}

impl RunContext {
    /// Reads the variables that GitHub's runner always sets and no workflow can.
    pub(crate) fn read(
        environment: &Environment,
        operation_id: OperationId,
    ) -> Result<Self, InputRefusal> {
        let executor = Executor {
            run_id: name::<RunId>(environment, "GITHUB_RUN_ID")?,
            run_attempt: RunAttempt(number(environment, "GITHUB_RUN_ATTEMPT")?),
            operation_id,
        };
        let home = Target {
            repository: name::<Repository>(environment, "GITHUB_REPOSITORY")?,
            repository_id: RepositoryId(number(environment, "GITHUB_REPOSITORY_ID")?),
        };
        let workspace = environment
            .get("GITHUB_WORKSPACE")
            .map_or_else(|| PathBuf::from("."), PathBuf::from);
        let mut actors: Vec<String> = ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"]
            .iter()
            .filter_map(|variable| environment.get(variable))
            .map(Into::into)
            .collect();
        actors.dedup();
        Ok(Self {
            executor,
            home,
            actors,
            event: environment
                .get("GITHUB_EVENT_NAME")
                .unwrap_or_default()
                .into(),
            sha: environment.get("GITHUB_SHA").unwrap_or_default().into(),
            workspace,
        })
    }
}

fn required<'a>(
    environment: &'a Environment,
    variable: &'static str,
) -> Result<&'a str, InputRefusal> {
    environment
        .get(variable)
        .ok_or_else(|| InputRefusal::Context {
            variable,
            problem: "is not set".into(),
        })
}

fn name<T: std::str::FromStr<Err: std::fmt::Display>>(
    environment: &Environment,
    variable: &'static str,
) -> Result<T, InputRefusal> {
    required(environment, variable)?
        .parse()
        .map_err(|error| InputRefusal::Context {
            variable,
            problem: format!("cannot be read: {error}"),
        })
}

fn number(environment: &Environment, variable: &'static str) -> Result<u64, InputRefusal> {
    let text = required(environment, variable)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| InputRefusal::Context {
            variable,
            problem: "is no whole number from 1".into(),
        })
}
