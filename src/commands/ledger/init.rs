//! `countersign ledger init`: sets the ledger up, once.

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use serde_json::json;

use countersign_core::{
    ledger::{BRANCH, empty_ledger},
    name::Repository,
};

use crate::commands::{print, tell};
use crate::{
    Environment,
    exit::Exit,
    github::{Endpoints, GitHub, Token, Trouble, encoded},
};

#[derive(Deserialize)]
struct Made {
    sha: String,
}

/// Makes the orphan branch: a tree, a root commit, a ref. Somebody else's branch is left as it is.
pub(crate) async fn init(repository: &str, environment: &Environment) -> anyhow::Result<Exit> {
    let repository: Repository = repository.parse()?;
    let github = github(environment)?;
    let (owner, name) = repository.parts();
    let root = format!("/repos/{}/{}/git", encoded(owner), encoded(name));
    match github.read::<serde_json::Value>(&format!("{root}/ref/heads/{BRANCH}")).await {
        Ok(_) => return exists(&repository),
        Err(Trouble::NotFound { .. }) => {}
        Err(trouble) => return Err(told(&trouble)).context("the repository cannot be looked at"),
    }
    let files: Vec<_> = empty_ledger()
        .into_iter()
        .map(|(path, bytes)| json!({ "path": path, "mode": "100644", "type": "blob", "content": String::from_utf8_lossy(&bytes) }))
        .collect();
    let tree: Made = github.set_up(&format!("{root}/trees"), &json!({ "tree": files })).await.map_err(|trouble| told(&trouble))?;
    let message = "Begin the receipt ledger";
    let commit: Made = github
        .set_up(&format!("{root}/commits"), &json!({ "message": message, "tree": tree.sha, "parents": [] }))
        .await
        .map_err(|trouble| told(&trouble))?;
    let reference = json!({ "ref": format!("refs/heads/{BRANCH}"), "sha": commit.sha });
    match github.set_up::<serde_json::Value>(&format!("{root}/refs"), &reference).await {
        Ok(_) => {}
        Err(Trouble::Validation { message, .. }) if message.starts_with("Reference already exists") => return exists(&repository),
        Err(trouble) => return Err(told(&trouble)).context("the branch could not be made"),
    }
    print(&format!("{repository}: the branch `{BRANCH}` begins with commit {}", commit.sha))?;
    tell(
        "Protect it with a ruleset that forbids deletion and non-fast-forward pushes and requires signed commits, with nobody to bypass it.",
    );
    Ok(Exit::Success)
}

fn exists(repository: &Repository) -> anyhow::Result<Exit> {
    print(&format!("{repository}: the branch `{BRANCH}` exists already; nothing was changed"))?;
    Ok(Exit::Success)
}

fn github(environment: &Environment) -> anyhow::Result<GitHub> {
    let token = environment.get("GH_TOKEN").or_else(|| environment.get("GITHUB_TOKEN"));
    let Some(token) = token.and_then(Token::new) else { bail!("there is no token: set GH_TOKEN to one that may write contents") };
    let endpoints = Endpoints::of(|name| environment.get(name)).map_err(|refusal| anyhow!("{refusal}"))?;
    GitHub::new(endpoints, &token).context("the token cannot be used")
}

fn told(trouble: &Trouble) -> anyhow::Error {
    anyhow!("{trouble}. {}", trouble.remedy())
}
