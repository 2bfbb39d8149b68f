//! Does what a claim allows, and nothing else: every write takes the claim as its proof.

mod certain;
mod pull;
mod release;
mod tag;
mod upload;

use std::collections::BTreeMap;

use countersign_core::{
    asset::Asset,
    evidence::AttachReceipt,
    ledger::{Claim, Effect, GithubResponse, Outcome},
    name::AssetName,
    operation::Operation,
};

use crate::{
    github::{GitHub, Trouble},
    progress::Progress,
    regular_file::KnownFile,
};

/// Where the bytes of each asset lie on this machine, and where their upload is told.
#[derive(Default)]
pub struct AssetFiles {
    files: BTreeMap<AssetName, KnownFile>,
    progress: Option<Progress>,
}

impl AssetFiles {
    /// Takes the file of each asset.
    pub(crate) fn new(
        files: impl IntoIterator<Item = (AssetName, KnownFile)>,
        progress: Progress,
    ) -> Self {
        Self {
            files: files.into_iter().collect(),
            progress: Some(progress),
        }
    }

    fn of(&self, asset: &Asset) -> Result<&KnownFile, Setback> {
        self.files.get(&asset.name).ok_or_else(|| {
            Setback::fault(
                "asset_missing",
                format!("there is no file for the asset `{}`", asset.name),
            )
        })
    }
}

/// Executes a claim. It is used up, whatever comes of it. Evidence goes with a release alone.
pub async fn execute(
    claim: Claim,
    github: &GitHub,
    files: &AssetFiles,
    attach: AttachReceipt,
) -> Outcome {
    let effect = match claim.operation() {
        Operation::PublishRelease(release) => {
            release::publish(&claim, release, github, files, attach).await
        }
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
        Self {
            code,
            message: message.into(),
            remedy: "Find out what changed, then make a new plan and have it approved.",
            open: false,
        }
    }

    /// A look that brought no answer leaves everything open, whatever the reason.
    fn unseen(trouble: Trouble) -> Self {
        Self {
            open: true,
            ..Self::from(trouble)
        }
    }

    /// The same, with what was done before it in front.
    fn about(self, done: &str) -> Self {
        Self {
            message: format!("{done}: {}", self.message),
            ..self
        }
    }

    /// The effect on the ledger: what GitHub holds by now, and what went wrong.
    fn with(self, held: GithubResponse) -> Effect {
        let message = format!("{}. {}", self.message, self.remedy);
        let response = GithubResponse {
            error_code: Some(self.code.into()),
            error_message: Some(message),
            ..held
        };
        if self.open {
            Effect::Unknown(response)
        } else {
            Effect::Failed(response)
        }
    }
}

/// A passing trouble leaves the operation open; one that would come again ends it.
impl From<Trouble> for Setback {
    fn from(trouble: Trouble) -> Self {
        let open = trouble.passes();
        Self {
            code: trouble.code(),
            message: trouble.to_string(),
            remedy: trouble.remedy(),
            open,
        }
    }
}
