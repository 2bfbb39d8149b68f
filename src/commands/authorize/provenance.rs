//! Where a plan comes from: the run as GitHub shows it, before anyone signs for it.
//!
//! A fork's run is listed among those of the repository, and its artifacts are whatever the fork's workflow uploads. So are the plans that any
//! job of a run leaves: one may name another run, where a laxer job publishes.

use anyhow::{Context as _, Result, ensure};

use countersign_core::{digest::Digest, plan::Plan, trigger::Trigger};

use crate::{
    cli::AuthorizeArguments,
    commands::Row,
    github::{FoundRun, HeadRepository},
    planner::ArtifactName,
};

/// The run that left the plan, and the one that the plan names if that is another.
pub(super) struct Origin {
    pub(super) run: FoundRun,
    pub(super) artifact: ArtifactName,
    /// Artifacts of the same name with older plans.
    pub(super) older: Vec<ArtifactName>,
    /// The digest of its bytes.
    pub(super) digest: Digest,
    pub(super) named: Option<FoundRun>,
}

impl Origin {
    /// Both runs, row by row.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut all = rows(&self.run);
        all.push(Row::new("  artifact    ", &self.artifact));
        all.push(Row::new("  plan        ", self.digest));
        for older in &self.older {
            let text = format!("{older}: --artifact-id {} takes that one", older.number);
            all.push(Row::new("  older plan  ", text));
        }
        if let Some(named) = &self.named {
            all.push(Row::words("The plan is for another run:"));
            all.extend(rows(named));
        }
        all
    }
}

/// What GitHub knows of a run, row by row.
pub(super) fn rows(run: &FoundRun) -> Vec<Row> {
    let head = match &run.head {
        HeadRepository::Own(name) => name.clone(),
        HeadRepository::Fork(name) => format!("{name}, ANOTHER REPOSITORY"),
        HeadRepository::Gone => "a repository that no longer exists".into(),
    };
    let branch = run.branch.as_deref().unwrap_or("no branch");
    vec![
        Row::new(
            "run           ",
            format!("{}, attempt {}", run.id, run.attempt),
        ),
        Row::new("  event       ", &run.event),
        Row::new("  workflow    ", &run.workflow),
        Row::new("  head        ", format!("{head}, {branch}")),
        Row::new("  commit      ", &run.commit),
        Row::new("  started by  ", run.actors.join(", ")),
    ]
}

/// Refuses runs of which people cannot tell who wrote what they do, unless they say that they know.
pub(super) fn ensure_meant(run: &FoundRun, arguments: &AuthorizeArguments) -> Result<()> {
    let id = &run.id;
    let known = arguments.allow_event.as_ref() == Some(&run.event);
    if !known {
        let event = run.event.parse::<Trigger>();
        event.with_context(|| {
            format!(
                "nothing was signed for run {id}; if you know who wrote what it does, add --allow-event with that event"
            )
        })?;
    }
    let head = match &run.head {
        HeadRepository::Own(_) => return Ok(()),
        HeadRepository::Fork(name) => name,
        HeadRepository::Gone => "a repository that no longer exists",
    };
    ensure!(
        arguments.allow_fork,
        "nothing was signed: run {id} is of {head}, and whoever may write there chose the workflow and the files; if you know them, add --allow-fork"
    );
    Ok(())
}

/// Refuses a plan that is for another run than was asked for.
pub(super) fn ensure_for_run(
    plan: &Plan,
    run: &FoundRun,
    arguments: &AuthorizeArguments,
) -> Result<()> {
    let wanted = arguments.for_run.as_ref().unwrap_or(&run.id);
    ensure!(
        plan.run_id == *wanted,
        "nothing was signed: the plan of run {} is for run {}, but receipts for run {wanted} were asked for; if that run is meant, say so with --for-run",
        run.id,
        plan.run_id
    );
    Ok(())
}
