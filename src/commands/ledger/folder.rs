//! A ledger in a folder: a checkout of the branch `receipt-ledger`.

use std::{
    fs,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::source::is_folder;
use crate::regular_file;
use countersign_core::ledger::MOST_ENTRY_BYTES;

/// The files of a ledger; nothing in them is trusted.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) const fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// What is read.
    pub(super) fn place(&self) -> String {
        format!("the folder {}", self.root.display())
    }

    /// The bytes of each file, as far as it is there.
    pub(super) fn read(&self, paths: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        paths
            .iter()
            .map(|path| {
                read(&self.root.join(path)).with_context(|| format!("`{path}` cannot be read"))
            })
            .collect()
    }

    /// Every path of the folder; links are not followed.
    pub(super) fn paths(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        walk(&self.root, "", &mut found)
            .with_context(|| format!("`{}` cannot be listed", self.root.display()))?;
        // What makes it a checkout is none of the ledger's.
        found.retain(|path| path != ".git" && !path.starts_with(".git/"));
        Ok(found)
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match regular_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MOST_ENTRY_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn walk(folder: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() && is_folder(&path) {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
