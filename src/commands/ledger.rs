//! `countersign ledger`: set up, look at, verify.

mod folder;
mod init;
mod mirror;
mod show;
mod source;
mod verify;

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::{
    Environment,
    github::{Endpoints, GitHub, MAX_WAIT, Patience, Token, Trouble},
    log::Log,
};

pub(crate) use self::{init::init, show::show, verify::verify};

/// A trouble, and what somebody at the command line can do about it.
fn told(trouble: &Trouble) -> anyhow::Error {
    let remedy = match trouble {
        Trouble::Authorization { .. } | Trouble::NotFound { .. } => {
            "Use a token that may read contents (`ledger init`: write; with `--protect`: administration)."
        }
        trouble if trouble.passes() => "Check your network and https://www.githubstatus.com, then run the command again.",
        trouble => trouble.remedy(),
    };
    anyhow!("{trouble}. {remedy}")
}

/// GitHub as the person at the command line sees it.
fn github(environment: &Environment) -> anyhow::Result<GitHub> {
    let token = environment.get("GH_TOKEN").or_else(|| environment.get("GITHUB_TOKEN"));
    ensure!(token.is_none_or(|token| Token::new(token).is_some()), "the token in GH_TOKEN or GITHUB_TOKEN is not one word");
    let Some(token) = token.and_then(Token::new) else {
        bail!("there is no token: set GH_TOKEN or GITHUB_TOKEN to one that may read and, for `init`, write contents")
    };
    let endpoints = Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    // What is waited for is told beside the result.
    let patience = Patience::new(environment.tempo(), MAX_WAIT, Log::to(std::io::stderr()));
    GitHub::new(endpoints, &token, environment.tempo(), patience).context("the token cannot be used")
}
