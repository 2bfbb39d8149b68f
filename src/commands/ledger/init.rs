//! `countersign ledger init`: sets the ledger up, once.

use anyhow::{Context as _, anyhow, bail};

use countersign_core::{ledger::BRANCH, name::Repository};

use crate::{
    Environment,
    commands::{print, tell},
    exit::Exit,
    github::{Begun, Endpoints, GitHub, Token, Trouble, ruleset},
};

/// Makes the branch, or leaves the one that is there as it is; protects it if that is asked for.
pub(crate) async fn init(repository: &str, protect: bool, environment: &Environment) -> anyhow::Result<Exit> {
    let repository: Repository = repository.parse()?;
    let github = github(environment)?;
    match github.begin_ledger(&repository).await.map_err(|trouble| told(&trouble))? {
        Begun::Before => print(&format!("{repository}: the branch `{BRANCH}` exists already; nothing was changed"))?,
        Begun::With(commit) => print(&format!("{repository}: the branch `{BRANCH}` begins with commit {commit}"))?,
    }
    if protect {
        let ruleset = github.protect_ledger(&repository).await.map_err(|trouble| told(&trouble)).context("the ruleset could not be set")?;
        print(&format!("{repository}: ruleset {ruleset} forbids deleting or rewriting it"))?;
    } else {
        tell("Protect the branch: run this again with --protect, or import this ruleset under Settings, Rules:");
        tell(&ruleset().to_string());
    }
    Ok(Exit::Success)
}

fn told(trouble: &Trouble) -> anyhow::Error {
    anyhow!("{trouble}. {}", trouble.remedy())
}

fn github(environment: &Environment) -> anyhow::Result<GitHub> {
    let token = environment.get("GH_TOKEN").or_else(|| environment.get("GITHUB_TOKEN"));
    let Some(token) = token.and_then(Token::new) else { bail!("there is no token: set GH_TOKEN to one that may write contents") };
    let endpoints = Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    GitHub::new(endpoints, &token).context("the token cannot be used")
}
