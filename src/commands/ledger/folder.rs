//! A ledger in a folder: a checkout of the branch `receipt-ledger`.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use countersign_core::{
    document::Document as _,
    ledger::{HEAD_PATH, Head, MOST_ENTRY_BYTES, entry_path},
};

/// The files of a ledger; nothing in them is trusted.
pub(super) struct Folder {
    root: PathBuf,
    pub(super) head: Vec<u8>,
    pub(super) entries: u64,
}

impl Folder {
    /// Opens the folder and reads how many entries its head tells of.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let explain = || {
            format!(
                "`{}` is no checkout of the branch `receipt-ledger`; make one with `git worktree add DIR receipt-ledger`",
                root.display()
            )
        };
        let head = read(&root.join(HEAD_PATH)).with_context(explain)?;
        let entries = Head::from_document(&head).with_context(|| format!("`{HEAD_PATH}`"))?.sequence();
        Ok(Self { root: root.into(), head, entries })
    }

    /// The bytes of an entry.
    pub(super) fn entry(&self, sequence: u64) -> anyhow::Result<Vec<u8>> {
        let path = entry_path(sequence);
        read(&self.root.join(&path)).with_context(|| format!("structure: entry {sequence}: `{path}` cannot be read"))
    }

    /// The bytes of any file of the ledger, if it is there.
    pub(super) fn file(&self, path: &str) -> Option<Vec<u8>> {
        read(&self.root.join(path)).ok()
    }

    /// Refuses files under `entries/` or `receipts/` beyond those that were counted.
    pub(super) fn has_no_more_than(&self, entries: u64, states: usize) -> anyhow::Result<()> {
        for (folder, expected) in [("entries", usize::try_from(entries)?), ("receipts", states)] {
            let found = count(&self.root.join(folder))?;
            ensure!(found == expected, "structure: {folder}/ holds {found} files, but the entries make {expected}");
        }
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_ENTRY_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Files in a folder and the folders below it; links are not followed.
fn count(folder: &Path) -> io::Result<usize> {
    if !folder.exists() {
        return Ok(0);
    }
    let mut found = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found += if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 };
    }
    Ok(found)
}
