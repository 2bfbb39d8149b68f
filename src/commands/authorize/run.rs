//! A run on GitHub: its plan is fetched from an artifact, and the receipts can start the workflow that publishes.

use anyhow::{Context as _, ensure};

use countersign_core::{
    name::{Actor, Repository, RunId},
    plan::Plan,
    refusal::Refusal,
};

use super::{
    heads::Heads,
    judgement::Leave,
    provenance::{Origin, ensure_for_run, ensure_meant, rows},
    reach::Reached,
    witness::Witness,
};
use crate::{
    Environment,
    cli::AuthorizeArguments,
    commands::{Row, github, rows::log, signing::agreed, tell, told},
    exit::Exit,
    github::{Dispatch, FoundRun, GitHub},
    planner::{ArtifactName, FoundPlan, newest_of_each_name, plans_of_run},
};

/// A run and how to reach it.
pub(super) struct Run {
    github: GitHub,
    heads: Heads,
    repository: Repository,
    id: RunId,
    artifact: Option<String>,
    artifact_id: Option<u64>,
}

impl Run {
    /// The run that the arguments name, if they name one.
    pub(super) fn of(
        arguments: &AuthorizeArguments,
        environment: &Environment,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(id), Some(repository)) = (&arguments.run, &arguments.repository) else {
            return Ok(None);
        };
        let artifact = arguments.artifact.clone();
        let github = github(environment)?;
        Ok(Some(Self {
            heads: Heads::of(environment, github.site())?,
            github,
            repository: repository.clone(),
            id: id.clone(),
            artifact,
            artifact_id: arguments.artifact_id,
        }))
    }

    /// The plan that the run left, and from where it comes.
    pub(super) async fn plan(
        &self,
        arguments: &AuthorizeArguments,
    ) -> anyhow::Result<(Plan, Vec<Actor>, Origin)> {
        let run = self.meant(&self.id, arguments).await?;
        let (found, older) = self.found_plan().await?;
        let FoundPlan {
            artifact,
            plan,
            digest,
        } = found;
        ensure_for_run(&plan, &run, arguments)?;
        let named = if plan.run_id == self.id {
            None
        } else {
            Some(self.meant(&plan.run_id, arguments).await?)
        };

        let actors = &named.as_ref().unwrap_or(&run).actors;
        let actors = actors.iter().map(|actor| actor.parse());
        let actors = actors
            .collect::<Result<_, _>>()
            .context("the run's actor")?;
        let origin = Origin {
            run,
            artifact,
            older,
            digest,
            named,
        };
        Ok((plan, actors, origin))
    }

    /// What this machine sees of the ledgers of a plan.
    pub(super) async fn witness(
        &self,
        plan: &Plan,
        origin: &Origin,
    ) -> anyhow::Result<Result<Witness, Refusal>> {
        let run = origin.named.as_ref().unwrap_or(&origin.run);
        let heads = self.heads.clone();
        Witness::look(&self.github, heads, plan, run.created_at).await
    }

    /// On which branches the commits of a plan are.
    pub(super) async fn reached(
        &self,
        plan: &Plan,
        policy: &Leave,
        arguments: &AuthorizeArguments,
    ) -> anyhow::Result<Reached> {
        Reached::look(&self.github, plan, policy, arguments).await
    }

    /// A run that may be signed for. One that is refused is shown.
    async fn meant(&self, id: &RunId, arguments: &AuthorizeArguments) -> anyhow::Result<FoundRun> {
        let found = self.github.found_run(&self.repository, id).await;
        let found = found.map_err(|trouble| told(&trouble))?;
        ensure_meant(&found, arguments).inspect_err(|_| tell(rows(&found)))?;
        Ok(found)
    }

    /// The plan, and the artifacts of the same name with older ones.
    async fn found_plan(&self) -> anyhow::Result<(FoundPlan, Vec<ArtifactName>)> {
        let found = plans_of_run(
            &self.github,
            &self.repository,
            &self.id,
            self.artifact.as_deref(),
            &log(),
        )
        .await;
        let mut found = found.map_err(|trouble| told(&trouble))?;
        let mut older = Vec::new();
        if let Some(number) = self.artifact_id {
            found.retain(|found| found.artifact.number == number);
        } else {
            (found, older) = newest_of_each_name(found);
        }
        let names: Vec<String> = found
            .iter()
            .map(|found| found.artifact.to_string())
            .collect();
        ensure!(
            found.len() <= 1,
            "run {} has several plans, in the artifacts {}: say which with --artifact or --artifact-id",
            self.id,
            names.join("; ")
        );
        let found = found.pop().with_context(|| {
            format!(
                "run {} of {} has no artifact with a plan.json that can be signed; did its dry run end, and is `upload-audit` on?",
                self.id, self.repository
            )
        })?;
        Ok((found, older))
    }

    /// Starts the workflow that publishes, after asking.
    pub(super) async fn dispatch(
        &self,
        workflow: &str,
        arguments: &AuthorizeArguments,
        run_id: &RunId,
        receipts: &str,
    ) -> anyhow::Result<Exit> {
        let reference = if let Some(reference) = &arguments.reference {
            reference.clone()
        } else {
            let branch = self.github.default_branch(&self.repository).await;
            branch.map_err(|trouble| {
                told(&trouble).context(format!(
                    "{workflow} was not started; the receipts are signed"
                ))
            })?
        };
        let question = format!(
            "Start the workflow {workflow} of {} on {reference} with these receipts?",
            self.repository
        );
        if !arguments.yes && !agreed(&question)? {
            tell("The receipts are signed; no workflow was started. The answer was not `yes`.");
            return Ok(Exit::Refused);
        }
        let inputs = Dispatch {
            receipt: receipts,
            run_id,
        };
        match self
            .github
            .dispatch(&self.repository, workflow, &reference, &inputs)
            .await
        {
            Ok(page) => {
                let page =
                    page.unwrap_or_else(|| format!("see the Actions page of {}", self.repository));
                tell(Row::words(format!("Started {workflow}: {page}")));
                Ok(Exit::Success)
            }
            Err(trouble) if trouble.leaves_open() => {
                tell(Row::words(format!(
                    "It is not known whether {workflow} was started: {trouble}. Look at the Actions page of {}; a second start does no harm, a receipt counts once.",
                    self.repository
                )));
                Ok(Exit::Unknown)
            }
            Err(trouble) => Err(told(&trouble).context(format!(
                "{workflow} was not started; the receipts are signed"
            ))),
        }
    }
}
