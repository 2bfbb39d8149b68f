//! From inputs or a plan to an operation, with what may be looked up on the way.

use std::path::Path;

use countersign_core::{
    asset::Asset,
    authorize::Mode,
    name::Repository,
    operation::{Kind, Operation},
    refusal::{InputRefusal, Refusal},
};

use super::Attempt;
use crate::{
    github::Trouble,
    publisher::AssetFiles,
    report::{Complaint, Ending},
    runner::{Draft, Facts, Inputs, LocalAsset, flag, from_plan},
};

impl Attempt<'_> {
    /// The operation that the inputs describe, and where its files lie.
    pub(super) async fn operation(&self, mode: Mode) -> Result<(Operation, AssetFiles), NoPlan> {
        let inputs = &self.inputs;
        let kind = if inputs.operation.is_empty() && !inputs.plan.is_empty() { None } else { Some(self.kind()?) };
        let workspace = &self.context.workspace;
        if !inputs.plan.is_empty() {
            let (assets, files) = local_assets(inputs, workspace).await?;
            let operation = from_plan(inputs, workspace, assets)?;
            self.is_as_asked(&operation, kind)?;
            return Ok((operation, files));
        }
        let kind = kind.ok_or(InputRefusal::Missing { input: "operation", needed_by: "every call".into() })?;
        let draft = Draft::new(inputs, kind, mode, workspace)?;
        let (assets, files) = local_assets(inputs, workspace).await?;
        let facts = self.facts(&draft, mode).await?;
        Ok((draft.build(facts, assets)?, files))
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

/// Hashes on a thread of its own, so that a signal finds somebody who listens.
async fn local_assets(inputs: &Inputs, workspace: &Path) -> Result<(Vec<Asset>, AssetFiles), InputRefusal> {
    let (patterns, workspace) = (inputs.files.clone(), workspace.to_owned());
    let hashing = tokio::task::spawn_blocking(move || LocalAsset::find(&patterns, &workspace));
    let local = hashing.await.map_err(|error| InputRefusal::Invalid { input: "files", problem: format!("hashing stopped: {error}") })??;
    let assets = local.iter().map(|local| local.asset.clone()).collect();
    Ok((assets, AssetFiles::new(local.into_iter().map(|local| (local.asset.name, local.path)))))
}
