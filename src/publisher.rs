//! Does what a claim allows, and nothing else: every write takes the claim as its proof.

mod pull;
mod release;
mod tag;
mod upload;

use std::{collections::BTreeMap, path::PathBuf};

use countersign_core::{
    asset::Asset,
    ledger::{Claim, Effect, GithubResponse, Outcome},
    name::AssetName,
    operation::Operation,
};

use crate::github::{GitHub, Trouble, Written};

/// Where the bytes of each asset lie on this machine.
#[derive(Debug, Default)]
pub struct AssetFiles(BTreeMap<AssetName, PathBuf>);

impl AssetFiles {
    /// Takes the path of each asset.
    pub fn new(files: impl IntoIterator<Item = (AssetName, PathBuf)>) -> Self {
        Self(files.into_iter().collect())
    }

    fn of(&self, asset: &Asset) -> Result<&PathBuf, Setback> {
        self.0.get(&asset.name).ok_or_else(|| Setback::fault("asset_missing", format!("there is no file for the asset `{}`", asset.name)))
    }
}

/// Executes a claim. It is used up, whatever comes of it.
pub async fn execute(claim: Claim, github: &GitHub, files: &AssetFiles) -> Outcome {
    let effect = match claim.operation() {
        Operation::PublishRelease(release) => release::publish(&claim, release, github, files).await,
        Operation::TagRepo(tag) => tag::create(&claim, tag, github).await,
        Operation::OpenPr(pull) => pull::open(&claim, pull, github).await,
    };
    claim.conclude(effect)
}

/// Why an operation did not come to its end.
#[derive(Debug)]
struct Setback {
    code: &'static str,
    message: String,
    remedy: &'static str,
    /// Whether nothing is known to be wrong with what was approved: GitHub was not there, or its answer was lost.
    open: bool,
}

impl Setback {
    /// Something is wrong that a new attempt would meet again.
    fn fault(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: "Find out what changed, then make a new plan and have it approved.", open: false }
    }

    /// A look that brought no answer leaves everything open, whatever the reason.
    fn unseen(trouble: Trouble) -> Self {
        Self { open: true, ..Self::from(trouble) }
    }

    /// The same, with what was done before it in front.
    fn about(self, done: &str) -> Self {
        Self { message: format!("{done}: {}", self.message), ..self }
    }

    /// The effect on the ledger: what GitHub holds by now, and what went wrong.
    fn with(self, held: GithubResponse) -> Effect {
        let message = format!("{}. {}", self.message, self.remedy);
        let response = GithubResponse { error_code: Some(self.code.into()), error_message: Some(message), ..held };
        if self.open { Effect::Unknown(response) } else { Effect::Failed(response) }
    }
}

/// A passing trouble leaves the operation open; one that would come again ends it.
impl From<Trouble> for Setback {
    fn from(trouble: Trouble) -> Self {
        let open = trouble.leaves_open() || matches!(trouble, Trouble::Connection { .. } | Trouble::RateLimit { .. });
        Self { code: trouble.code(), message: trouble.to_string(), remedy: trouble.remedy(), open }
    }
}

/// Whether two texts are the same to a reader: line ends and a last line feed may change on their way.
fn same_text(found: &str, approved: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    plain(found) == plain(approved)
}

/// What a write made; without a look, "not done" and "nobody knows" both end this attempt.
fn done<T>(written: Written<T>) -> Result<T, Setback> {
    match written {
        Written::Done(made) => Ok(made),
        Written::NotDone(trouble) | Written::Unknown(trouble) => Err(trouble.into()),
    }
}
