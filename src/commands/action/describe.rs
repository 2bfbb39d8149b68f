//! From inputs or a plan to an operation, with what may be looked up on the way.

use std::io::IsTerminal as _;

use tokio::task::JoinHandle;

use countersign_core::{
    authorize::Mode,
    name::Repository,
    operation::{Kind, Operation},
    refusal::{InputRefusal, Refusal},
};

use super::Attempt;
use crate::{
    github::Trouble,
    progress::Progress,
    publisher::AssetFiles,
    report::{Complaint, Ending},
    runner::{Draft, Facts, LocalAsset, flag, from_plan, with_assets},
};

impl Attempt<'_> {
    /// What the inputs describe. Its files are being hashed meanwhile.
    pub(super) async fn describe(&self, mode: Mode) -> Result<Described, NoPlan> {
        let inputs = &self.inputs;
        let workspace = &self.context.workspace;
        let kind = if inputs.operation.is_empty() && !inputs.plan.is_empty() { None } else { Some(self.kind()?) };
        if !inputs.plan.is_empty() {
            let files = self.hash();
            let bare = from_plan(inputs, workspace)?;
            self.is_as_asked(&bare, kind)?;
            return Ok(Described { bare, files });
        }
        let kind = kind.ok_or(InputRefusal::Missing { input: "operation", needed_by: "every call".into() })?;
        let draft = Draft::new(inputs, kind, mode, workspace)?;
        let files = self.hash();
        let facts = self.facts(&draft, mode).await?;
        Ok(Described { bare: draft.build(facts)?, files })
    }

    /// Hashes on threads of their own, so that GitHub can be asked meanwhile and a signal finds somebody who listens.
    fn hash(&self) -> Hashing {
        let (patterns, workspace) = (self.inputs.files.clone(), self.context.workspace.clone());
        let progress = Progress::new(self.recorder.log(), std::io::stdout().is_terminal());
        let telling = progress.clone();
        Hashing { files: tokio::task::spawn_blocking(move || LocalAsset::find(&patterns, &workspace, &telling)), progress }
    }

    fn kind(&self) -> Result<Kind, InputRefusal> {
        self.inputs.operation.parse().map_err(InputRefusal::OperationUnknown)
    }

    /// A plan must be for what the inputs name beside it.
    fn is_as_asked(&self, operation: &Operation, kind: Option<Kind>) -> Result<(), InputRefusal> {
        let problem = |planned: String, asked: String| format!("the plan is for `{planned}`, but `{asked}` was asked for");
        if let Some(kind) = kind.filter(|kind| *kind != operation.kind()) {
            return Err(InputRefusal::Invalid { input: "operation", problem: problem(operation.kind().to_string(), kind.to_string()) });
        }
        let repository = self.repository()?;
        if operation.target().repository != repository {
            return Err(InputRefusal::Invalid {
                input: "repository",
                problem: problem(operation.target().repository.to_string(), repository.to_string()),
            });
        }
        Ok(())
    }

    fn repository(&self) -> Result<Repository, InputRefusal> {
        match self.inputs.repository.as_str() {
            "" => Ok(self.context.home.repository.clone()),
            given => given.parse().map_err(|error| InputRefusal::Invalid { input: "repository", problem: format!("{error}") }),
        }
    }

    /// In `prod` nothing is looked up but another repository's number; in a dry run names become commits.
    async fn facts(&self, draft: &Draft<'_>, mode: Mode) -> Result<Facts, NoPlan> {
        let repository = self.repository()?;
        let commitish = draft.commitish(&self.context.sha);
        if mode == Mode::Prod {
            let commit = Some(draft.literal_commit(&self.context.sha)?);
            let home = &self.context.home;
            let target = if repository == home.repository {
                home.clone()
            } else {
                self.github.resolve(&repository, "HEAD").await.map_err(NoPlan::trouble)?.target
            };
            return Ok(Facts { target, commit, default_branch: None, notes: None });
        }
        let resolved = self.github.resolve(&repository, commitish).await.map_err(NoPlan::trouble)?;
        let notes = if flag("generate-release-notes", &self.inputs.generate_release_notes)? {
            Some(self.github.release_notes(&repository, &self.inputs.tag_name, resolved.commit.as_ref()).await.map_err(NoPlan::trouble)?)
        } else {
            None
        };
        Ok(Facts { target: resolved.target, commit: resolved.commit, default_branch: resolved.default_branch, notes })
    }
}

/// An operation without its assets, which are still being hashed.
pub(super) struct Described {
    /// Everything but the assets: enough to look at what it touches.
    pub(super) bare: Operation,
    files: Hashing,
}

struct Hashing {
    files: JoinHandle<Result<Vec<LocalAsset>, InputRefusal>>,
    progress: Progress,
}

impl Described {
    /// The whole operation, and where its files lie.
    pub(super) async fn whole(self) -> Result<(Operation, AssetFiles), InputRefusal> {
        let Hashing { files, progress } = self.files;
        let stopped = |error| InputRefusal::Invalid { input: "files", problem: format!("hashing stopped: {error}") };
        let local = files.await.map_err(stopped)??;
        let operation = with_assets(self.bare, local.iter().map(|local| local.asset.clone()).collect())?;
        Ok((operation, AssetFiles::new(local.into_iter().map(|local| (local.asset.name, local.file)), progress)))
    }
}

/// Why there is no operation: an input is wrong, or GitHub did not answer.
pub(super) enum NoPlan {
    Refused(Refusal),
    Failed(Complaint),
}

impl NoPlan {
    #[expect(clippy::needless_pass_by_value, reason = "used where an error is mapped")]
    fn trouble(trouble: Trouble) -> Self {
        Self::Failed(Complaint::new(trouble.code(), format!("{trouble}. Nothing was written. {}", trouble.remedy())))
    }
}

impl From<InputRefusal> for NoPlan {
    fn from(refusal: InputRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<NoPlan> for Ending {
    fn from(no_plan: NoPlan) -> Self {
        match no_plan {
            NoPlan::Refused(refusal) => Self::Refused(refusal),
            NoPlan::Failed(complaint) => Self::Failed(complaint),
        }
    }
}
