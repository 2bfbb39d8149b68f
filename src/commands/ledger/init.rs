//! `countersign ledger init`: sets the ledger up, once.

use anyhow::{Context as _, anyhow, bail};

use countersign_core::{ledger::BRANCH, name::Repository};

use crate::{
    Environment,
    commands::{print, tell},
    exit::Exit,
    github::{Begun, Endpoints, GitHub, Token},
};

/// Makes the branch, or leaves the one that is there as it is.
pub(crate) async fn init(repository: &str, environment: &Environment) -> anyhow::Result<Exit> {
    let repository: Repository = repository.parse()?;
    match github(environment)?.begin_ledger(&repository).await.map_err(|trouble| anyhow!("{trouble}. {}", trouble.remedy()))? {
        Begun::Before => print(&format!("{repository}: the branch `{BRANCH}` exists already; nothing was changed"))?,
        Begun::With(commit) => {
            print(&format!("{repository}: the branch `{BRANCH}` begins with commit {commit}"))?;
            tell(
                "Protect it with a ruleset that forbids deletion and non-fast-forward pushes and requires signed commits, with nobody to bypass it.",
            );
        }
    }
    Ok(Exit::Success)
}

fn github(environment: &Environment) -> anyhow::Result<GitHub> {
    let token = environment.get("GH_TOKEN").or_else(|| environment.get("GITHUB_TOKEN"));
    let Some(token) = token.and_then(Token::new) else { bail!("there is no token: set GH_TOKEN to one that may write contents") };
    let endpoints = Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    GitHub::new(endpoints, &token).context("the token cannot be used")
}
