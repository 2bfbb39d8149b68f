//! Where the commits of a plan are: on a branch that may hold them, or perhaps only in a fork.
//!
//! The publisher decides by its own policy or workflow; a person should know before they sign.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use countersign_core::{
    digest::Digest,
    name::BranchName,
    operation::Operation,
    plan::{Plan, PlannedOperation},
    reach::{MOST_BRANCHES, ReachableFrom, Unreachable},
};

use super::judgement::Leave;
use crate::{
    cli::AuthorizeArguments,
    commands::{Row, told},
    github::GitHub,
};

/// Operations that are asked about at the same time.
const AT_ONCE: usize = 8;

/// For each release and tag of a plan the branch that contains its commit, or why none does.
pub(super) struct Reached(BTreeMap<Digest, Result<BranchName, Unreachable>>);

impl Reached {
    pub(super) async fn look(
        github: &GitHub,
        plan: &Plan,
        policy: &Leave,
        arguments: &AuthorizeArguments,
    ) -> Result<Self> {
        let listed = listed(arguments)?;
        let operations = plan.operations().iter().map(PlannedOperation::operation);
        let with_a_commit =
            operations.filter(|operation| !matches!(operation, Operation::OpenPr(_)));
        let looks = with_a_commit.map(async |operation| {
            let allowed = policy.reachable_from(operation);
            let allowed = allowed.unwrap_or_else(|| listed.clone());
            let branches = github.reach(operation, &allowed).await;
            let branches = branches.map_err(|trouble| told(&trouble))?;
            let held = allowed.holds(operation.commit(), &branches);
            Ok::<_, anyhow::Error>((operation.digest(), held))
        });
        let reached = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(Self(reached))
    }

    pub(super) fn row(&self, planned: &PlannedOperation) -> Option<Row> {
        let row = match self.0.get(&planned.digest())? {
            Ok(branch) => Row::new("on branch     ", branch),
            Err(unreachable) => Row::new("on branch     ", format!("NOT FOUND: {unreachable}")),
        };
        Some(row)
    }

    /// What must be read next to the question.
    pub(super) fn note(&self, planned: &PlannedOperation) -> Option<String> {
        let unreachable = self.0.get(&planned.digest())?.as_ref().err()?;
        Some(format!(
            "NO BRANCH: {unreachable}. It may be a commit of a fork"
        ))
    }
}

fn listed(arguments: &AuthorizeArguments) -> Result<ReachableFrom> {
    if arguments.reachable_from.is_empty() {
        return Ok(ReachableFrom::default());
    }
    ReachableFrom::new(arguments.reachable_from.clone())
        .with_context(|| format!("--reachable-from is allowed at most {MOST_BRANCHES} times"))
}
