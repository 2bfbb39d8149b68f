//! A file that takes the place of another only when it is whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::random;

/// Is removed again unless it is put in its place.
pub(super) struct Replacement {
    file: File,
    new: PathBuf,
    place: PathBuf,
}

impl Replacement {
    /// Begins a file beside the one whose place it will take.
    pub(super) fn of(place: &Path) -> Result<Self> {
        let name = place
            .file_name()
            .with_context(|| format!("`{}` names no file", place.display()))?;
        // A device or a link would be replaced too, and what stands behind it would not be what one reads.
        let there = fs::symlink_metadata(place).ok();
        ensure!(
            there.is_none_or(|there| there.is_file()),
            "`{}` is there already and is no plain file",
            place.display()
        );
        let new = place.with_file_name(format!(
            ".{}.{}.new",
            name.to_string_lossy(),
            random::hex::<8>()
        ));
        let file = File::create_new(&new)
            .with_context(|| format!("`{}` cannot be written", place.display()))?;
        Ok(Self {
            file,
            new,
            place: place.to_owned(),
        })
    }

    /// Takes the place: readers see the old file or the new one, never a half.
    pub(super) fn put_in_place(self) -> io::Result<()> {
        fs::rename(&self.new, &self.place)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After the renaming there is nothing to remove.
        drop(fs::remove_file(&self.new));
    }
}
