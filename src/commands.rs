//! The program's commands.

pub(crate) mod action;
pub(crate) mod audit;
pub(crate) mod authorize;
mod guard;
pub(crate) mod heads;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod plan;
pub(crate) mod policy;
mod recap;
pub(crate) mod rehearse;
pub(crate) mod report;
mod rows;
pub(crate) mod sign;
mod signing;
pub(crate) mod trust;
mod trusted;
pub(crate) mod verify;
pub(crate) mod verify_release;
pub(crate) mod withdraw;

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, anyhow, bail, ensure};

use countersign_core::{name::Host, refusal::Refusal};

use self::rows::{Row, print, print_document, tell};
pub(crate) use self::trusted::TrustedArguments;
use crate::{
    Environment,
    github::{Endpoints, GitHub, MAX_WAIT, Patience, Token, Trouble},
};

/// An error, its causes, and nothing else.
pub(crate) fn tell_error(error: &anyhow::Error) {
    // Errors hold what files and servers say.
    tell(Row::words(format!("countersign: {error:#}")));
}

/// A refusal: its code and both sides, and what to do.
fn refused(refusal: &Refusal) -> Vec<Row> {
    vec![
        Row::words(format!("{}: {refusal}", refusal.code())),
        Row::words(refusal.remedy()),
    ]
}

/// Reads a bounded file, or standard input for `-`.
fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("`{name}` cannot be read"))?;
    ensure!(
        bytes.len() as u64 <= most,
        "`{name}` has more than {most} bytes"
    );
    Ok(bytes)
}

fn read_text(path: &Path, most: u64) -> anyhow::Result<String> {
    String::from_utf8(read(path, most)?)
        .with_context(|| format!("`{}` is not UTF-8 text", path.display()))
}

/// A trouble, and what the person at the command line can do about it.
#[derive(Debug, thiserror::Error)]
#[error("{trouble}. {}", .trouble.remedy_here())]
struct Told {
    trouble: Trouble,
}

fn told(trouble: &Trouble) -> anyhow::Error {
    let trouble = trouble.clone();
    Told { trouble }.into()
}

/// The trouble behind an error of a command, if GitHub was in the way.
fn trouble_of(error: &anyhow::Error) -> Option<&Trouble> {
    error.downcast_ref::<Told>().map(|told| &told.trouble)
}

impl Trouble {
    /// What to do at the command line, where there is no job to re-run and no `permissions:`.
    fn remedy_here(&self) -> &'static str {
        match self {
            Self::NotFound { asked, .. } => match asked.as_deref() {
                Some(path) if path.contains("/actions/") => {
                    "Check the repository's name and the run's number. If both are right, the token may not see it: it needs `actions: read` there."
                }
                _ => {
                    "Check the name. If it is right, the token may not see it: it needs `contents: read` there (`ledger init` and `withdraw`: `contents: write`; `--protect`: `administration: write`)."
                }
            },
            Self::InvalidToken { .. } => {
                "The token in GH_TOKEN or GITHUB_TOKEN is invalid or has expired: set another one, for example GH_TOKEN=$(gh auth token)."
            }
            trouble if trouble.may_lack_a_permission() => {
                "Use a token that may read contents and actions (`ledger init`, `withdraw` and `--dispatch`: write; `--protect`: administration)."
            }
            trouble if trouble.passes() => {
                "Check your network and https://www.githubstatus.com, then run the command again."
            }
            trouble => trouble.remedy(),
        }
    }
}

/// The server that the environment names, as statements name it.
fn server(environment: &Environment) -> anyhow::Result<Host> {
    let endpoints =
        Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    Ok(endpoints.site().parse()?)
}

/// GitHub as the person at the command line sees it.
fn github(environment: &Environment) -> anyhow::Result<GitHub> {
    let token = environment
        .get("GH_TOKEN")
        .or_else(|| environment.get("GITHUB_TOKEN"));
    ensure!(
        token.is_none_or(|token| Token::new(token).is_some()),
        "the token in GH_TOKEN or GITHUB_TOKEN contains a blank or a line break: set it again"
    );
    let Some(token) = token.and_then(Token::new) else {
        bail!(
            "there is no token: set GH_TOKEN, for example GH_TOKEN=$(gh auth token); docs/permissions.md lists what each command needs"
        )
    };
    let endpoints =
        Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    // What is waited for is told beside the result.
    let patience = Patience::new(environment.tempo(), MAX_WAIT, rows::log());
    GitHub::new(endpoints, &token, environment.tempo(), patience)
        .context("the token cannot be used")
}
