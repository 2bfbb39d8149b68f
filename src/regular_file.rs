//! Regular files alone: opened without following a link, and known again later without reading them twice.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// A file as it was when its bytes were hashed.
#[derive(Clone, Debug)]
pub(crate) struct KnownFile {
    path: PathBuf,
    identity: Identity,
}

/// Whoever writes to a file or puts another in its place changes one of these; nobody can set the time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Identity {
    fn from(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// Opens a regular file: no link, folder, pipe or device; opening one of those must not wait either.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = file.map_err(|error| {
        if path.is_symlink() {
            io::Error::other("it is a link")
        } else {
            error
        }
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

impl KnownFile {
    /// Takes note of an open file.
    pub(crate) fn new(path: &Path, file: &File) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: Identity::from(&file.metadata()?),
        })
    }

    /// Opens the file again, if it is still the one that it was.
    pub(crate) fn open(&self) -> io::Result<File> {
        let file = open(&self.path)?;
        self.is_unchanged(&file)?;
        Ok(file)
    }

    /// Whether an open file is still the one that it was.
    pub(crate) fn is_unchanged(&self, file: &File) -> io::Result<()> {
        if Identity::from(&file.metadata()?) == self.identity {
            Ok(())
        } else {
            Err(io::Error::other("it was changed or replaced"))
        }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.identity.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_file_is_known_again_unless_anybody_touched_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.zip");
        fs::write(&path, "abc").unwrap();
        let known = KnownFile::new(&path, &open(&path).unwrap()).unwrap();
        assert!(known.open().is_ok());
        let other = folder.path().join("other.zip");
        fs::write(&other, "abc").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(
            known.open().unwrap_err().to_string(),
            "it was changed or replaced"
        );
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert_eq!(known.open().unwrap_err().to_string(), "it is a link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(
            known.open().unwrap_err().to_string(),
            "it is no regular file"
        );
    }

    #[test]
    fn a_file_that_grows_or_shrinks_while_it_is_open_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.zip");
        fs::write(&path, "abc").unwrap();
        let file = open(&path).unwrap();
        let known = KnownFile::new(&path, &file).unwrap();
        for text in ["ab", "abcd"] {
            fs::write(&path, text).unwrap();
            assert!(known.is_unchanged(&file).is_err(), "{text}");
        }
    }
}
