//! Files that somebody downloaded. Nothing in the folder is followed: a link is no download.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use countersign_core::{
    digest::Digest,
    evidence::{HeldFile, MOST_BYTES, NAME},
    text::excerpt,
};

use crate::regular_file;

/// What is read and hashed in one go.
const PIECE: usize = 64 * 1024;

/// The files of a folder, by name.
pub(super) struct Folder {
    root: PathBuf,
    names: Vec<(String, PathBuf)>,
}

/// Files that were hashed, and why others could not be.
type Hashed = (Vec<HeldFile>, Vec<(String, io::Error)>);

impl Folder {
    pub(super) fn list(root: &Path) -> Result<Self> {
        let entries = fs::read_dir(root).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries =
            entries.with_context(|| format!("the folder `{}` cannot be read", root.display()))?;
        let mut names: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                )
            })
            .collect();
        names.sort();
        Ok(Self {
            root: root.to_owned(),
            names,
        })
    }

    pub(super) fn place(&self) -> String {
        format!("the folder {}", self.root.display())
    }

    /// The evidence's bytes, if there is such a file; one that is too long is cut, and no evidence any more.
    pub(super) fn evidence(&self) -> Result<Option<Vec<u8>>> {
        let Some((_, path)) = self.names.iter().find(|(name, _)| name == NAME) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = regular_file::open(path)
            .and_then(|file| file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes));
        read.with_context(|| format!("`{}` cannot be read", path.display()))?;
        Ok(Some(bytes))
    }

    /// Every other file, hashed.
    pub(super) fn files(&self) -> Hashed {
        let (mut held, mut unusable) = Hashed::default();
        for (name, path) in self.names.iter().filter(|(name, _)| name != NAME) {
            match regular_file::open(path).and_then(hash) {
                Ok((size, sha256)) => held.push(HeldFile {
                    name: name.clone(),
                    size,
                    sha256,
                    outside: None,
                }),
                Err(error) => unusable.push((excerpt(name, 200), error)),
            }
        }
        (held, unusable)
    }
}

fn hash(mut file: File) -> io::Result<(u64, Digest)> {
    let (mut hasher, mut piece, mut size) = (Sha256::new(), vec![0; PIECE], 0);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((size, Digest::from_bytes(hasher.finalize().into())));
        }
        hasher.update(&piece[..read]);
        size += read as u64;
    }
}
