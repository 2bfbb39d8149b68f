//! `countersign ledger init`: sets the ledger up, once.

use anyhow::Context as _;

use countersign_core::{ledger::BRANCH, name::Repository};

use crate::{
    Environment,
    commands::{print, tell},
    exit::Exit,
    github::{Begun, ruleset},
};

use super::{github, told};

/// Makes the branch, or leaves the one that is there as it is; protects it if that is asked for.
pub(crate) async fn init(
    repository: &str,
    protect: bool,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    let repository: Repository = repository.parse()?;
    let github = github(environment)?;
    match github
        .begin_ledger(&repository)
        .await
        .map_err(|trouble| told(&trouble))?
    {
        Begun::Before => print(&format!(
            "{repository}: the branch `{BRANCH}` exists already; nothing was changed"
        ))?,
        Begun::With(commit) => print(&format!(
            "{repository}: the branch `{BRANCH}` begins with commit {commit}"
        ))?,
    }
    if protect {
        let ruleset = github
            .protect_ledger(&repository)
            .await
            .map_err(|trouble| told(&trouble))
            .context("the ruleset could not be set")?;
        print(&format!(
            "{repository}: ruleset {ruleset} forbids deleting or rewriting it"
        ))?;
    } else {
        tell(
            "Protect the branch: run this again with --protect, or import this ruleset under Settings, Rules:",
        );
        tell(&ruleset().to_string());
    }
    Ok(Exit::Success)
}
