//! Does what a claim allows, and nothing else: every write takes the claim as its proof.

mod certain;
mod look;
mod pull;
mod release;
mod settle;
mod tag;
mod upload;

use std::collections::BTreeMap;

use countersign_core::{
    asset::Asset,
    evidence::AttachReceipt,
    ledger::{Claim, Effect, GithubResponse, Lapse, Outcome},
    name::AssetName,
    operation::Operation,
};

use crate::{
    github::{GitHub, Trouble},
    ledger_store::Fenced,
    progress::Progress,
    regular_file::KnownFile,
};

pub use crate::ledger_store::LedgerBranch;

pub(crate) use self::{look::shipped, settle::settle};

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
    branch: &LedgerBranch<'_>,
    files: &AssetFiles,
    attach: AttachReceipt,
) -> Outcome {
    let gate = Gate {
        claim: &claim,
        branch,
    };
    let effect = match claim.operation() {
        Operation::PublishRelease(release) => {
            release::publish(&gate, release, github, files, attach).await
        }
        Operation::TagRepo(tag) => tag::create(&gate, tag, github).await,
        Operation::OpenPr(pull) => pull::open(&gate, pull, github).await,
    };
    claim.conclude(effect)
}

/// The claim, and the ledger on which it must still be open when something becomes visible.
struct Gate<'a> {
    claim: &'a Claim,
    branch: &'a LedgerBranch<'a>,
}

impl Gate<'_> {
    /// Checked directly before every write that becomes visible, and before each repetition of it.
    async fn opens(&self) -> Result<(), Setback> {
        self.branch
            .fence(self.claim)
            .await
            .map_err(|fenced| self.shut(fenced))
    }

    /// Checked before what this attempt made is deleted: only the holder of the claim cleans up, and
    /// does so also after the receipt's end.
    async fn opens_to_clean_up(&self) -> Result<(), Setback> {
        match self.branch.look_at(self.claim).await {
            Ok(()) | Err(Fenced::Lapsed(Lapse::Late(_) | Lapse::RefMoved { .. })) => Ok(()),
            Err(fenced) => Err(self.shut(fenced)),
        }
    }

    /// What a claim that has lapsed means. One that was lost leaves everything to its new holder, so
    /// the outcome is open here.
    fn shut(&self, fenced: Fenced) -> Setback {
        match fenced {
            Fenced::Unseen(refusal) => Setback {
                code: refusal.code(),
                message: format!("the ledger could not be looked at again: {refusal}"),
                remedy: "Re-run the job: it looks first at what was done.",
                open: true,
            },
            Fenced::Lapsed(lapse @ Lapse::Lost { .. }) => Setback {
                code: "claim_lost",
                message: format!("{lapse}, so this attempt writes and deletes nothing more"),
                remedy: "Look at the run that took it over, and at the ledger.",
                open: true,
            },
            Fenced::Lapsed(Lapse::Late(refusal)) => Setback {
                code: refusal.code(),
                message: format!("{refusal}, so nothing became visible"),
                remedy: "Approve again, with a longer lifetime if the uploads need it.",
                open: false,
            },
            Fenced::Lapsed(Lapse::RefMoved { found }) => {
                let (operation, nowhere) = (self.claim.operation(), "no commit".into());
                let message = format!(
                    "`{}` leads to {} by now, but {} was approved",
                    operation.watched_ref(),
                    found.map_or(nowhere, |found| found.to_string()),
                    operation.commit()
                );
                Setback::fault(self.branch.mismatch(), message)
            }
        }
    }
}

/// Why an operation did not come to its end.
#[derive(Debug)]
pub(crate) struct Setback {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) remedy: &'static str,
    /// Whether nothing is known to be wrong with what was approved: GitHub was not there, or its answer was lost.
    pub(crate) open: bool,
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
