//! The plans that a run left behind: archives on GitHub with a plan.json in them.

use std::{
    cmp::Reverse,
    fmt,
    io::{Cursor, Read as _},
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    name::{Repository, RunId},
    plan::Plan,
    timestamp::Timestamp,
};

use crate::{
    github::{GitHub, Trouble},
    log::Log,
};

/// Larger archives hold more than plan and record.
const MOST_ARCHIVE: u64 = 16 << 20;
const PLAN: &str = "plan.json";

/// A plan, and the artifact in which it was found.
pub(crate) struct FoundPlan {
    pub(crate) artifact: ArtifactName,
    pub(crate) plan: Plan,
    /// The digest of its bytes, as the job that made it reports it.
    pub(crate) digest: Digest,
}

/// An artifact, as people tell it from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactName {
    pub(crate) name: String,
    pub(crate) number: u64,
    /// When it was uploaded, if GitHub shows it.
    pub(crate) made_at: Option<Timestamp>,
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, number {}", self.name, self.number)?;
        match self.made_at {
            Some(moment) => write!(f, ", of {moment}"),
            None => Ok(()),
        }
    }
}

/// Of plans in artifacts of one name the newest alone: a re-run of the planning job leaves another. The others' artifacts come second.
pub(crate) fn newest_of_each_name(
    mut found: Vec<FoundPlan>,
) -> (Vec<FoundPlan>, Vec<ArtifactName>) {
    let (mut newest, mut older): (Vec<FoundPlan>, Vec<ArtifactName>) = (Vec::new(), Vec::new());
    // GitHub counts its artifacts up.
    found.sort_by_key(|found| Reverse((found.artifact.made_at, found.artifact.number)));
    for plan in found {
        let is_older = |known: &FoundPlan| known.artifact.name == plan.artifact.name;
        if newest.iter().any(is_older) {
            older.push(plan.artifact);
        } else {
            newest.push(plan);
        }
    }
    (newest, older)
}

/// Every plan among a run's artifacts, or the one in a certain artifact. What holds none that can be read is passed over, with a word.
pub(crate) async fn plans_of_run(
    github: &GitHub,
    repository: &Repository,
    run: &RunId,
    artifact: Option<&str>,
    log: &Log,
) -> Result<Vec<FoundPlan>, Trouble> {
    let mut found: Vec<FoundPlan> = Vec::new();
    for artifact in github.artifacts(repository, run, artifact).await? {
        let name = artifact.name.clone();
        if artifact.expired || artifact.size_in_bytes > MOST_ARCHIVE {
            log.line(&format!("countersign: the artifact `{name}` has expired, or more than {MOST_ARCHIVE} bytes; it is passed over"));
            continue;
        }
        let archive = github.archive(repository, &artifact).await?;
        match plan_in(&archive) {
            Ok(Some(plan)) if found.iter().all(|known| known.plan != plan) => {
                found.push(FoundPlan {
                    artifact: ArtifactName {
                        name,
                        number: artifact.id,
                        made_at: artifact.created_at.as_ref().and_then(|at| at.parse().ok()),
                    },
                    digest: Digest::of(&plan.to_document()),
                    plan,
                });
            }
            Ok(_) => {}
            Err(problem) => log.line(&format!(
                "countersign: the artifact `{name}` is passed over: {problem}"
            )),
        }
    }
    Ok(found)
}

/// The plan in an archive, if there is one: at its top, or in one folder.
fn plan_in(archive: &[u8]) -> Result<Option<Plan>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))
        .map_err(|error| format!("it is no zip archive: {error}"))?;
    let is_plan =
        |name: &str| name == PLAN || name.split_once('/').is_some_and(|(_, name)| name == PLAN);
    let names: Vec<String> = archive
        .file_names()
        .filter_map(Result::ok)
        .filter(|name| is_plan(name))
        .map(Into::into)
        .collect();
    let [name] = names.as_slice() else {
        return if names.is_empty() {
            Ok(None)
        } else {
            Err(format!("it holds {} files {PLAN}", names.len()))
        };
    };
    let mut bytes = Vec::new();
    let file = archive.by_name(name).map_err(|error| error.to_string())?;
    file.take(Plan::MOST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    Plan::from_document(&bytes)
        .map(Some)
        .map_err(|error| format!("its {PLAN} is not as a dry run wrote it: {error}"))
}
