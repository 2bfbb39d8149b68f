//! `countersign plan`: the plan of a campaign, made outside of a run.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};

use countersign_core::{
    commit_name::CommitName,
    document::Document as _,
    evidence::AttachReceipt,
    operation::Target,
    policy::Pattern,
    reach::{MOST_BRANCHES, ReachableFrom},
    tables,
};

use super::{Row, github, print_document, read_text, rows, signing, tell, told};
use crate::{
    Clock, Environment,
    cli::PlanArguments,
    exit::Exit,
    planner::{Campaign, Describer, Occasion, Reach, Unmade, plan},
};

pub(crate) async fn run(
    arguments: &PlanArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let text = read_text(&arguments.campaign, tables::MOST_BYTES as u64)?;
    let name = arguments.campaign.display();
    let given: BTreeMap<String, String> = arguments.set.iter().cloned().collect();
    let campaign = Campaign::parse(&text, &given).with_context(|| format!("`{name}`"))?;
    let run_id = match (&arguments.run_id, environment.get("GITHUB_RUN_ID")) {
        (Some(run_id), _) => run_id.clone(),
        (None, Some(run_id)) => run_id.parse().context("GITHUB_RUN_ID")?,
        (None, None) => bail!(
            "receipts are for one run: give --run-id, the run of the workflow that makes the plan or publishes it"
        ),
    };
    let github = github(environment)?;
    let home: Option<Target> = match &arguments.repository {
        Some(repository) => Some(
            github
                .resolve(repository, &CommitName::DefaultBranch)
                .await
                .map_err(|trouble| told(&trouble))?
                .target,
        ),
        None => None,
    };
    let workspace = arguments
        .folder
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    let describer = Describer {
        github: &github,
        workspace: &workspace,
        sha: "HEAD",
        home: home.as_ref(),
        log: rows::log(),
    };
    let reachable_from = allowed(&arguments.reachable_from)?;
    let made = plan(
        campaign,
        Occasion {
            run: &run_id,
            now: clock(),
            reach: Reach::Listed(&reachable_from),
        },
        arguments.requested_by.clone().into_iter().collect(),
        &describer,
        AttachReceipt::No,
    )
    .await;
    let plan = made.map_err(|unmade| match unmade {
        Unmade::Misplaced(error) => anyhow::Error::from(error).context(format!("`{name}`")),
        Unmade::Trouble(trouble) => told(&trouble),
    })?;
    print_document(&plan.to_document())?;
    for planned in plan.operations() {
        let operation = planned.operation();
        tell(Row::words(format!(
            "{}: {} in {}, {}",
            planned.id(),
            operation.kind(),
            operation.target(),
            planned.digest()
        )));
        for warning in planned.warnings() {
            tell(signing::warning(warning));
        }
    }
    tell(signing::not_shipped(&plan));
    Ok(if plan.operations().is_empty() {
        Exit::Refused
    } else {
        Exit::Success
    })
}

/// The branches of which one must contain the commit of a release or tag.
fn allowed(listed: &[Pattern]) -> anyhow::Result<ReachableFrom> {
    if listed.is_empty() {
        return Ok(ReachableFrom::default());
    }
    ReachableFrom::new(listed.to_vec())
        .with_context(|| format!("--reachable-from is allowed at most {MOST_BRANCHES} times"))
}
