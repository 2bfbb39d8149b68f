//! Regular files alone: opened without following a link, and known again later without reading them twice.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use countersign_core::digest::Digest;
use sha2::{Digest as _, Sha256};

/// What is read and hashed in one go.
const PIECE: usize = 64 * 1024;

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

    /// Opens the file again, if it is still the one that had these bytes.
    pub(crate) fn open(&self, sha256: &Digest) -> io::Result<File> {
        let file = open(&self.path)?;
        self.is_unchanged(&file, sha256)?;
        Ok(file)
    }

    /// Whether an open file is still the one that had these bytes.
    pub(crate) fn is_unchanged(&self, file: &File, sha256: &Digest) -> io::Result<()> {
        let found = Identity::from(&file.metadata()?);
        if found == self.identity {
            return Ok(());
        }
        // A hard link, other permissions, a backup that sets an attribute: the bytes may be the same.
        let is_touched = found
            == Identity {
                changed: found.changed,
                ..self.identity
            };
        if is_touched && digest(file, found.size)? == *sha256 {
            return Ok(());
        }
        Err(io::Error::other("it was changed or replaced"))
    }

    pub(crate) const fn size(&self) -> u64 {
        self.identity.size
    }
}

/// Hashes an open file from its beginning, and leaves the place alone at which it is being read.
fn digest(file: &File, size: u64) -> io::Result<Digest> {
    let (mut hasher, mut piece, mut at) = (Sha256::new(), vec![0; PIECE], 0);
    while at < size {
        let read = file.read_at(&mut piece, at)?;
        if read == 0 {
            return Err(io::Error::other("it became shorter"));
        }
        hasher.update(&piece[..read]);
        at += read as u64;
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    fn abc() -> Digest {
        Digest::of(b"abc")
    }

    #[test]
    fn a_file_is_known_again_unless_anybody_touched_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.zip");
        fs::write(&path, "abc").unwrap();
        let known = KnownFile::new(&path, &open(&path).unwrap()).unwrap();
        assert!(known.open(&abc()).is_ok());
        let other = folder.path().join("other.zip");
        fs::write(&other, "abc").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(
            known.open(&abc()).unwrap_err().to_string(),
            "it was changed or replaced"
        );
        fs::remove_file(&path).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert_eq!(known.open(&abc()).unwrap_err().to_string(), "it is a link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(
            known.open(&abc()).unwrap_err().to_string(),
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
            assert!(known.is_unchanged(&file, &abc()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_changes_about_a_file_and_not_in_it_does_not_count() {
        use std::os::unix::fs::PermissionsExt as _;
        type Touch = fn(&Path);
        let touches: [Touch; 3] = [
            |path| fs::hard_link(path, path.with_extension("backup")).unwrap(),
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap(),
            |path| {
                let away = path.with_extension("away");
                fs::rename(path, &away).unwrap();
                fs::rename(away, path).unwrap();
            },
        ];
        for touch in touches {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.zip");
            fs::write(&path, "abc").unwrap();
            let known = KnownFile::new(&path, &open(&path).unwrap()).unwrap();
            touch(&path);
            assert!(known.open(&abc()).is_ok());
            assert!(known.open(&Digest::of(b"abd")).is_err());
        }
    }

    #[test]
    fn other_bytes_count_however_the_file_is_dated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.zip");
        fs::write(&path, "abc").unwrap();
        let known = KnownFile::new(&path, &open(&path).unwrap()).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "abd").unwrap();
        let written = File::options().write(true).open(&path).unwrap();
        written.set_modified(modified).unwrap();
        assert!(known.open(&abc()).is_err());
    }
}
