//! From inputs to an operation, with what may be looked up on the way.

use std::{collections::BTreeSet, io::IsTerminal as _, path::Path};

use tokio::task::JoinHandle;

use countersign_core::{
    asset::Asset,
    authorize::Mode,
    commit_name::CommitName,
    name::{AssetName, Repository},
    operation::{Kind, Operation, Target},
    plan::{Artifact, PlannedOperation},
    refusal::{AccessRefusal, InputRefusal, Refusal},
};

use crate::{
    github::{GitHub, Named, Trouble},
    log::Log,
    progress::Progress,
    publisher::AssetFiles,
    runner::{Draft, Facts, Inputs, LocalAsset, flag, with_assets},
};

/// Where inputs are read: what is relative in them, and what they leave to the run.
pub(crate) struct Describer<'a> {
    pub(crate) github: &'a GitHub,
    pub(crate) workspace: &'a Path,
    /// The commit of the run; empty outside of one.
    pub(crate) sha: &'a str,
    /// The repository of the run, if there is one.
    pub(crate) home: Option<&'a Target>,
    pub(crate) log: Log,
}

impl Describer<'_> {
    /// What inputs describe. Its files are being hashed meanwhile.
    pub(crate) async fn describe(
        &self,
        inputs: &Inputs,
        kind: Kind,
        mode: Mode,
    ) -> Result<Described, Unplanned> {
        let draft = Draft::new(inputs, kind, mode, self.workspace)?;
        let files = self.hash(&inputs.files);
        let facts = self.facts(inputs, &draft, mode).await?;
        Ok(Described {
            bare: draft.build(facts)?,
            has_files: !inputs.files.trim().is_empty(),
            files,
        })
    }

    /// An operation of a plan; its files are those that the input names, or those that the plan names.
    pub(crate) fn planned(&self, planned: PlannedOperation, files: &str) -> Described {
        let has_files = !planned.artifacts().is_empty() || !files.trim().is_empty();
        let files = if files.trim().is_empty() {
            self.hash_artifacts(planned.artifacts())
        } else {
            self.hash(files)
        };
        Described {
            bare: planned.into_operation(),
            has_files,
            files,
        }
    }

    /// Hashes on threads of their own, so that GitHub can be asked meanwhile and a signal finds somebody who listens.
    fn hash(&self, patterns: &str) -> Hashing {
        let (patterns, workspace) = (patterns.to_owned(), self.workspace.to_owned());
        self.hashing(move |progress| LocalAsset::find(&patterns, &workspace, progress))
    }

    fn hash_artifacts(&self, artifacts: &[Artifact]) -> Hashing {
        let paths = artifacts
            .iter()
            .map(|artifact| self.workspace.join(artifact.path.as_str()))
            .collect();
        let workspace = self.workspace.to_owned();
        self.hashing(move |progress| LocalAsset::take(paths, &workspace, progress))
    }

    fn hashing(
        &self,
        work: impl FnOnce(&Progress) -> Result<Vec<LocalAsset>, InputRefusal> + Send + 'static,
    ) -> Hashing {
        #[expect(clippy::disallowed_methods, reason = "asks what it is")]
        let is_terminal = std::io::stdout().is_terminal();
        let progress = Progress::new(self.log.clone(), is_terminal);
        let telling = progress.clone();
        Hashing {
            files: tokio::task::spawn_blocking(move || work(&telling)),
            progress,
        }
    }

    /// The repository that the inputs name, or that of the run.
    pub(crate) fn repository(&self, inputs: &Inputs) -> Result<Repository, InputRefusal> {
        match (inputs.repository.as_str(), self.home) {
            ("", Some(home)) => Ok(home.repository.clone()),
            ("", None) => Err(InputRefusal::Missing {
                input: "repository",
                needed_by: "every operation outside of a run".into(),
            }),
            (given, _) => given.parse().map_err(|error| InputRefusal::Invalid {
                input: "repository",
                problem: format!("{error}"),
            }),
        }
    }

    /// In `prod` nothing is looked up but another repository's number; in a dry run names become commits.
    async fn facts(
        &self,
        inputs: &Inputs,
        draft: &Draft<'_>,
        mode: Mode,
    ) -> Result<Facts, Unplanned> {
        let repository = self.repository(inputs)?;
        if mode == Mode::Prod {
            let commit = draft.literal_commit(self.sha)?;
            let target = match self.home.filter(|home| home.repository == repository) {
                Some(home) => home.clone(),
                None => {
                    self.github
                        .resolve(&repository, &CommitName::DefaultBranch)
                        .await?
                        .target
                }
            };
            return Ok(Facts {
                target,
                commit,
                default_branch: None,
                notes: None,
            });
        }
        // The run's commit is one of its own repository alone.
        let sha = if self.home.is_some_and(|home| home.repository == repository) {
            self.sha
        } else {
            "HEAD"
        };
        let resolved = self
            .github
            .resolve(&repository, &draft.commit_name(sha)?)
            .await?;
        let commit = match resolved.commit {
            Named::Commit(commit) => commit,
            Named::Nothing => return Err(draft.unknown_commit().into()),
            Named::Both { branch, tag } => return Err(draft.ambiguous_commit(branch, tag).into()),
        };
        let notes = if flag("generate-release-notes", &inputs.generate_release_notes)? {
            Some(
                self.github
                    .release_notes(&repository, &inputs.tag_name, Some(&commit))
                    .await?,
            )
        } else {
            None
        };
        Ok(Facts {
            target: resolved.target,
            commit,
            default_branch: resolved.default_branch,
            notes,
        })
    }
}

/// An operation without its assets, which are still being hashed.
pub(crate) struct Described {
    /// Everything but the assets: enough to look at what it touches.
    pub(crate) bare: Operation,
    /// Whether there are files at all.
    pub(crate) has_files: bool,
    files: Hashing,
}

struct Hashing {
    files: JoinHandle<Result<Vec<LocalAsset>, InputRefusal>>,
    progress: Progress,
}

/// An operation, and where its files lie.
pub(crate) struct Whole {
    pub(crate) operation: Operation,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) files: AssetFiles,
    /// Files that are not those of the plan, with both sides.
    pub(crate) differences: Vec<String>,
}

impl Described {
    /// The whole operation.
    pub(crate) async fn whole(self) -> Result<Whole, InputRefusal> {
        let Hashing { files, progress } = self.files;
        let stopped = |error| InputRefusal::Invalid {
            input: "files",
            problem: format!("hashing stopped: {error}"),
        };
        let local = files.await.map_err(stopped)??;
        let planned = assets(&self.bare).to_vec();
        let operation = with_assets(
            self.bare,
            local.iter().map(|local| local.asset.clone()).collect(),
        )?;
        let artifacts = local
            .iter()
            .map(|local| Artifact {
                name: local.asset.name.clone(),
                path: local.path.clone(),
            })
            .collect();
        let files = AssetFiles::new(
            local
                .into_iter()
                .map(|local| (local.asset.name, local.file)),
            progress,
        );
        let differences = if planned.is_empty() {
            Vec::new()
        } else {
            differences(&planned, assets(&operation))
        };
        Ok(Whole {
            operation,
            artifacts,
            files,
            differences,
        })
    }
}

fn assets(operation: &Operation) -> &[Asset] {
    match operation {
        Operation::PublishRelease(release) => release.assets.as_slice(),
        Operation::TagRepo(_) | Operation::OpenPr(_) => &[],
    }
}

/// What a plan says of its assets, and what lies here.
fn differences(planned: &[Asset], here: &[Asset]) -> Vec<String> {
    let told = |asset: &Asset| {
        format!(
            "{} bytes, {}, {}",
            asset.size, asset.sha256, asset.content_type
        )
    };
    let of = |assets: &[Asset], name: &AssetName| {
        assets
            .iter()
            .find(|asset| asset.name == *name)
            .map_or("no file".into(), told)
    };
    let names: BTreeSet<&AssetName> = planned
        .iter()
        .chain(here)
        .map(|asset| &asset.name)
        .collect();
    let sides = names
        .into_iter()
        .map(|name| (name, of(planned, name), of(here, name)));
    let differ = sides.filter(|(_, planned, here)| planned != here);
    differ
        .map(|(name, planned, here)| {
            format!("`{name}` is not the file of the plan: planned {planned}; here {here}")
        })
        .collect()
}

/// Why there is no operation: an input is wrong, or GitHub did not answer.
#[derive(Debug)]
pub(crate) enum Unplanned {
    Refused(Refusal),
    Trouble(Trouble),
}

impl From<InputRefusal> for Unplanned {
    fn from(refusal: InputRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// A token that GitHub does not accept and a repository that it does not show are refused alike,
/// whether the preflight or an earlier look meets them.
impl From<Trouble> for Unplanned {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::InvalidToken { message } => {
                Self::Refused(AccessRefusal::TokenInvalid { reason: message }.into())
            }
            Trouble::NoRepository { message } => {
                Self::Refused(AccessRefusal::RepositoryUnseen { reason: message }.into())
            }
            trouble => Self::Trouble(trouble),
        }
    }
}
