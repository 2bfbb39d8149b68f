//! Audit records and plans: found in files and folders, bounded in number and size, each read strictly.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use countersign_core::{audit::Recorded, document::Document, name::OperationId, plan::Plan};

use crate::regular_file;

/// As the publisher names them in a folder of each attempt.
const RECORD: &str = "audit-record.json";
const PLAN: &str = "plan.json";
/// Most records and plans of one page: a browser must hold them.
const MOST_FILES: usize = 20_000;
/// Most bytes of all of them.
const MOST_BYTES: u64 = 512 << 20;
/// Most names that are looked at in search of them.
const MOST_NAMES: usize = 200_000;
/// Deepest folder below the one that was given.
const DEPTH: usize = 16;

/// A file to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Record,
    Plan,
    /// A plan beside the record of the dry run that wrote it.
    PlanOf(PathBuf),
}

/// What was read.
pub(super) enum Evidence {
    Record(Box<Recorded>),
    Plan(Box<Plan>, Option<OperationId>),
}

/// Finds records in files and folders; a folder's in the order of their paths. Plans are taken where they lie beside a record.
pub(super) fn find(records: &[PathBuf], plans: &[PathBuf]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in records {
        let metadata =
            fs::metadata(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        if metadata.is_dir() {
            let mut below = Vec::new();
            search(path, DEPTH, &mut 0, &mut below)
                .with_context(|| format!("`{}`", path.display()))?;
            ensure!(
                !below.is_empty(),
                "there is no `{RECORD}` in the folder `{}`",
                path.display()
            );
            below.sort();
            for record in below {
                with_plan(record, &mut found);
            }
        } else {
            with_plan(path.clone(), &mut found);
        }
    }
    for path in plans {
        ensure!(
            path.is_file(),
            "`{}` is no file that can be read",
            path.display()
        );
        found.push(Found {
            path: path.clone(),
            kind: Kind::Plan,
        });
    }
    ensure!(
        found.len() <= MOST_FILES,
        "{} records and plans are more than the {MOST_FILES} that one page shows",
        found.len()
    );
    let bytes: u64 = found
        .iter()
        .filter_map(|file| Some(fs::symlink_metadata(&file.path).ok()?.len()))
        .sum();
    ensure!(
        bytes <= MOST_BYTES,
        "records and plans of {bytes} bytes are more than the {MOST_BYTES} that one page shows"
    );
    Ok(found)
}

fn with_plan(record: PathBuf, found: &mut Vec<Found>) {
    let plan = record.with_file_name(PLAN);
    let beside = (record.file_name().is_some_and(|name| name == RECORD)
        && fs::symlink_metadata(&plan).is_ok())
    .then_some(plan);
    let plan = beside.map(|path| Found {
        path,
        kind: Kind::PlanOf(record.clone()),
    });
    found.push(Found {
        path: record,
        kind: Kind::Record,
    });
    found.extend(plan);
}

/// Links are not followed.
fn search(folder: &Path, depth: usize, names: &mut usize, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("`{}` cannot be listed", folder.display()))?
    {
        let entry = entry?;
        *names += 1;
        ensure!(
            *names <= MOST_NAMES,
            "more than {MOST_NAMES} names; give the folders that hold the records"
        );
        if entry.file_type()?.is_dir() {
            ensure!(
                depth > 0,
                "`{}` lies deeper than {DEPTH} folders",
                entry.path().display()
            );
            search(&entry.path(), depth - 1, names, found)?;
        } else if entry.file_name() == RECORD {
            found.push(entry.path());
        }
    }
    Ok(())
}

impl Found {
    /// Reads the file strictly: what Countersign did not write, byte for byte, is not shown as if it had.
    pub(super) fn read(&self) -> Result<Evidence> {
        Ok(match &self.kind {
            Kind::Record => Evidence::Record(
                document::<Recorded>(&self.path)
                    .context("it is no audit record that this version writes")?
                    .into(),
            ),
            Kind::Plan => Evidence::Plan(plan(&self.path)?, None),
            // If the record cannot be read, that is told of the record.
            Kind::PlanOf(record) => Evidence::Plan(
                plan(&self.path)?,
                document::<Recorded>(record)
                    .ok()
                    .map(|record| record.operation_id),
            ),
        })
    }
}

fn plan(path: &Path) -> Result<Box<Plan>> {
    Ok(document::<Plan>(path)
        .context("it is no plan that this version writes")?
        .into())
}

fn document<D: Document>(path: &Path) -> Result<D> {
    let mut bytes = Vec::new();
    regular_file::open(path)?
        .take(D::MOST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(D::from_document(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_the_layout_of_an_artifact_with_the_plan_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "b/countersign-op-2/audit-record.json",
            "a/countersign-op-1/audit-record.json",
            "a/countersign-op-1/plan.json",
            "plan.json",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "{}").unwrap();
        }
        let first = root.join("a/countersign-op-1/audit-record.json");
        assert_eq!(
            find(&[root.to_owned()], &[]).unwrap(),
            [
                Found {
                    path: first.clone(),
                    kind: Kind::Record
                },
                Found {
                    path: root.join("a/countersign-op-1/plan.json"),
                    kind: Kind::PlanOf(first)
                },
                Found {
                    path: root.join("b/countersign-op-2/audit-record.json"),
                    kind: Kind::Record
                },
            ]
        );
    }

    #[test]
    fn a_folder_that_is_too_deep_is_told_and_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join(vec!["d"; DEPTH + 1].join("/"));
        fs::create_dir_all(&deep).unwrap();
        let error = format!("{:#}", find(&[folder.path().to_owned()], &[]).unwrap_err());
        assert!(error.ends_with("lies deeper than 16 folders"), "{error}");
    }
}
