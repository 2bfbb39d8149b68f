//! A run on GitHub: its plan is fetched from an artifact, and the receipts can start the workflow that publishes.

use std::io::{Cursor, Read as _};

use anyhow::{Context as _, bail, ensure};

use countersign_core::{
    document::Document as _,
    name::{Actor, Repository, RunId},
    plan::Plan,
};

use crate::{
    Environment,
    cli::AuthorizeArguments,
    commands::{github, signing::agreed, tell, told},
    exit::Exit,
    github::{Dispatch, GitHub},
};

/// Larger archives hold more than plan and record.
const MOST_ARCHIVE: u64 = 16 << 20;
const PLAN: &str = "plan.json";

/// A run and how to reach it.
pub(super) struct Run {
    github: GitHub,
    repository: Repository,
    id: RunId,
    artifact: Option<String>,
}

impl Run {
    /// The run that the arguments name, if they name one.
    pub(super) fn of(arguments: &AuthorizeArguments, environment: &Environment) -> anyhow::Result<Option<Self>> {
        let (Some(id), Some(repository)) = (&arguments.run, &arguments.repository) else { return Ok(None) };
        let artifact = arguments.artifact.clone();
        Ok(Some(Self { github: github(environment)?, repository: repository.clone(), id: id.clone(), artifact }))
    }

    /// The plan of the run, and who started it, by GitHub's word.
    pub(super) async fn plan(&self) -> anyhow::Result<(Plan, Vec<Actor>)> {
        let (artifacts, actors) =
            tokio::try_join!(self.github.artifacts(&self.repository, &self.id), self.github.run_actors(&self.repository, &self.id))
                .map_err(|trouble| told(&trouble))?;
        let wanted = |name: &str| self.artifact.as_deref().is_none_or(|wanted| wanted == name);
        let mut found = Vec::new();
        for artifact in
            artifacts.iter().filter(|artifact| wanted(&artifact.name) && !artifact.expired && artifact.size_in_bytes <= MOST_ARCHIVE)
        {
            let archive = self.github.archive(&self.repository, artifact).await.map_err(|trouble| told(&trouble))?;
            let plan = plan_in(&archive).with_context(|| format!("the artifact `{}`", artifact.name))?;
            found.extend(plan.map(|plan| (artifact.name.clone(), plan)));
        }
        found.dedup_by(|(_, later), (_, earlier)| later == earlier);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(found.len() <= 1, "run {} has several plans, in the artifacts {}: say which with --artifact", self.id, names.join(", "));
        let Some((name, bytes)) = found.pop() else {
            bail!(
                "run {} of {} has no artifact of at most {MOST_ARCHIVE} bytes with a {PLAN} in it ({} artifacts); did its dry run end, and is `upload-audit` on?",
                self.id,
                self.repository,
                artifacts.len()
            );
        };
        let plan =
            Plan::from_document(&bytes).with_context(|| format!("the {PLAN} in the artifact `{name}` is not as the dry run wrote it"))?;
        ensure!(plan.run_id == self.id, "the plan in the artifact `{name}` is for run {}, not for {}", plan.run_id, self.id);
        let actors = actors.iter().map(|actor| actor.parse()).collect::<Result<_, _>>().context("the run's actor")?;
        Ok((plan, actors))
    }

    /// Starts the workflow that publishes, after asking.
    pub(super) async fn dispatch(&self, workflow: &str, arguments: &AuthorizeArguments, receipts: &str) -> anyhow::Result<Exit> {
        let reference = match &arguments.reference {
            Some(reference) => reference.clone(),
            None => self.github.default_branch(&self.repository).await.map_err(|trouble| told(&trouble))?,
        };
        let question = format!("Start the workflow {workflow} of {} on {reference} with these receipts?", self.repository);
        if !arguments.yes && !agreed(&question)? {
            tell("The receipts are signed; no workflow was started. The answer was not `yes`.");
            return Ok(Exit::Refused);
        }
        let inputs = Dispatch { receipt: receipts, run_id: &self.id };
        match self.github.dispatch(&self.repository, workflow, &reference, &inputs).await {
            Ok(page) => {
                let page = page.unwrap_or_else(|| format!("see the Actions page of {}", self.repository));
                tell(&format!("Started {workflow}: {page}"));
                Ok(Exit::Success)
            }
            Err(trouble) if trouble.leaves_open() => {
                tell(&format!(
                    "It is not known whether {workflow} was started: {trouble}. Look at the Actions page of {}; a second start does no harm, a receipt counts once.",
                    self.repository
                ));
                Ok(Exit::Unknown)
            }
            Err(trouble) => Err(told(&trouble).context(format!("{workflow} was not started; the receipts are signed"))),
        }
    }
}

/// The plan in an archive, if there is one: at its top, or in one folder.
fn plan_in(archive: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).context("is no zip archive")?;
    let is_plan = |name: &str| name == PLAN || name.split_once('/').is_some_and(|(_, name)| name == PLAN);
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).filter(|name| is_plan(name)).map(Into::into).collect();
    let [name] = names.as_slice() else {
        ensure!(names.is_empty(), "holds {} files {PLAN}", names.len());
        return Ok(None);
    };
    let mut bytes = Vec::new();
    archive.by_name(name)?.take(Plan::MOST_BYTES as u64 + 1).read_to_end(&mut bytes).context("cannot be unpacked")?;
    Ok(Some(bytes))
}
