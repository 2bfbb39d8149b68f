//! Files that the workflow hands over: regular files alone, hashed in bounded pieces.

use std::{
    fs::File,
    io::{self, Read},
    iter,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use sha2::{Digest as _, Sha256};

use countersign_core::{
    asset::{Asset, InvalidAssets, MOST_ASSETS, MOST_BYTES},
    digest::Digest,
    name::{AssetName, ContentType, Prose},
    refusal::InputRefusal,
    text::excerpt,
};

use super::patterns;
use crate::{
    progress::{FileProgress, Files, Progress, Work},
    regular_file::{self, KnownFile},
};

/// What is read and hashed in one go: small enough to stay in a processor's cache between the two.
const PIECE: usize = 64 * 1024;

/// The type of files of which no other is known.
const ANY_TYPE: &str = "application/octet-stream";

/// An asset and where its bytes lie.
pub(crate) struct LocalAsset {
    pub(crate) asset: Asset,
    pub(crate) file: KnownFile,
    /// From the workspace.
    pub(crate) path: Prose,
}

impl LocalAsset {
    /// Finds the files of the input `files`, one path or pattern a line, and hashes them on every core.
    pub(crate) fn find(
        files: &str,
        workspace: &Path,
        progress: &Progress,
    ) -> Result<Vec<Self>, InputRefusal> {
        Self::take(patterns::find(files, workspace)?, workspace, progress)
    }

    /// Hashes these files on every core.
    pub(crate) fn take(
        mut paths: Vec<PathBuf>,
        workspace: &Path,
        progress: &Progress,
    ) -> Result<Vec<Self>, InputRefusal> {
        // Two patterns may name one file: it is one asset.
        paths.sort();
        paths.dedup();
        if paths.len() > MOST_ASSETS {
            return Err(InputRefusal::AssetLimit(
                InvalidAssets::TooMany(paths.len()).to_string(),
            ));
        }
        let opened = paths
            .iter()
            .map(|path| Opened::new(path, workspace))
            .collect::<Result<Vec<_>, _>>()?;
        let telling = progress.files(
            Work::Hashing,
            opened.iter().map(|opened| opened.file.size()).sum(),
        );
        let next = AtomicUsize::new(0);
        let work = || {
            let take = || opened.get(next.fetch_add(1, Ordering::Relaxed));
            iter::from_fn(take)
                .map(|opened| opened.hash(&telling))
                .collect::<Result<Vec<_>, _>>()
        };
        let cores = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(opened.len().max(1));
        let hashed: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        let mut found = Vec::new();
        for part in hashed {
            found.extend(part?);
        }
        found.sort_by(|one, other| one.asset.name.cmp(&other.asset.name));
        Ok(found)
    }
}

/// Whether a file of a plan is there, before anything of the plan is done.
pub(crate) fn is_there(path: &Path) -> Result<(), InputRefusal> {
    open("plan", path).map(|_| ())
}

/// A file that may become an asset, before it is hashed; closed again, because there may be a thousand of them.
struct Opened {
    name: AssetName,
    path: PathBuf,
    from_workspace: Prose,
    file: KnownFile,
}

impl Opened {
    fn new(path: &Path, workspace: &Path) -> Result<Self, InputRefusal> {
        // First whether it is there: what nobody made cannot be renamed either.
        let file = open("files", path)?;
        let name: AssetName = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .parse()
            .map_err(InputRefusal::AssetName)?;
        let file = KnownFile::new(path, &file)
            .map_err(|error| unusable("files", path, &error.to_string()))?;
        if file.size() == 0 || file.size() > MOST_BYTES {
            return Err(InputRefusal::AssetLimit(
                InvalidAssets::Size(name, file.size()).to_string(),
            ));
        }
        let from_workspace = path
            .strip_prefix(workspace)
            .unwrap_or(path)
            .to_str()
            .and_then(|path| path.parse().ok());
        let from_workspace =
            from_workspace.ok_or_else(|| unusable("files", path, "its path is not plain text"))?;
        Ok(Self {
            name,
            path: path.into(),
            from_workspace,
            file,
        })
    }

    fn hash(&self, telling: &Files<'_>) -> Result<LocalAsset, InputRefusal> {
        let Self {
            name,
            path,
            from_workspace,
            file: known,
        } = self;
        let progress = telling.file(name.as_str(), known.size());
        let hashed = regular_file::open(path).and_then(|file| {
            // What happened to it before it is hashed is of no interest, but its size was looked at.
            let opened = KnownFile::new(path, &file)?;
            if opened.size() != known.size() {
                return Err(io::Error::other("its size has changed"));
            }
            let sha256 = hash(&file, opened.size(), &progress)?;
            opened.is_unchanged(&file, &sha256)?;
            Ok((opened, sha256))
        });
        let (file, sha256) = hashed.map_err(|error| unusable("files", path, &error.to_string()))?;
        progress.finish();
        let asset = Asset {
            content_type: content_type(name),
            name: name.clone(),
            size: known.size(),
            sha256,
        };
        Ok(LocalAsset {
            asset,
            file,
            path: from_workspace.clone(),
        })
    }
}

/// Opens a regular file.
fn open(input: &'static str, path: &Path) -> Result<File, InputRefusal> {
    regular_file::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => InputRefusal::FileMissing {
            input,
            path: shown(path),
        },
        _ => unusable(input, path, &error.to_string()),
    })
}

/// Reads a file of at most `most` bytes.
pub(crate) fn read_bytes(
    input: &'static str,
    path: &Path,
    most: u64,
) -> Result<Vec<u8>, InputRefusal> {
    let mut bytes = Vec::new();
    let read = open(input, path)?.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| unusable(input, path, &error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(unusable(
            input,
            path,
            &format!("it has more than {most} bytes"),
        ));
    }
    Ok(bytes)
}

/// Reads a text file of at most `most` bytes.
pub(crate) fn read_text(
    input: &'static str,
    path: &Path,
    most: u64,
) -> Result<String, InputRefusal> {
    String::from_utf8(read_bytes(input, path, most)?)
        .map_err(|_| unusable(input, path, "it is not UTF-8 text"))
}

fn hash(file: &File, size: u64, progress: &FileProgress) -> io::Result<Digest> {
    let (mut hasher, mut piece, mut file) = (Sha256::new(), vec![0; PIECE], file.take(size));
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(&piece[..read]);
        progress.advance(read as u64);
    }
}

fn content_type(name: &AssetName) -> ContentType {
    let guess = mime_guess::from_path(name.as_str())
        .first_raw()
        .unwrap_or(ANY_TYPE);
    guess
        .to_ascii_lowercase()
        .parse()
        .or_else(|_| ANY_TYPE.parse())
        .unwrap_or_else(|_| unreachable!("{ANY_TYPE} is a content type"))
}

fn unusable(input: &'static str, path: &Path, problem: &str) -> InputRefusal {
    InputRefusal::FileUnusable {
        input,
        path: shown(path),
        problem: problem.into(),
    }
}

fn shown(path: &Path) -> String {
    excerpt(&path.to_string_lossy(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(files: &str, folder: &Path) -> Result<Vec<String>, &'static str> {
        let found = LocalAsset::find(files, folder, &Progress::silent())
            .map_err(|refusal| refusal.code())?;
        Ok(found
            .iter()
            .map(|local| {
                format!(
                    "{} {} {}",
                    local.asset.name, local.asset.size, local.asset.content_type
                )
            })
            .collect())
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["app.tar.gz", "app.zip", "bad name.zip"] {
            std::fs::write(folder.path().join(name), "abc").unwrap();
        }
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        folder
    }

    #[test]
    fn paths_and_patterns_name_each_file_once() {
        let folder = folder();
        let both = Ok(vec![
            "app.tar.gz 3 application/gzip".into(),
            "app.zip 3 application/zip".into(),
        ]);
        assert_eq!(names("app.*\napp.zip", folder.path()), both);
        assert_eq!(names("", folder.path()), Ok(vec![]));
    }

    #[test]
    fn what_is_no_regular_file_with_a_good_name_is_refused() {
        let folder = folder();
        symlink(
            folder.path().join("app.zip"),
            folder.path().join("link.zip"),
        )
        .unwrap();
        assert_eq!(names("missing.zip", folder.path()), Err("file_missing"));
        assert_eq!(names("*.deb", folder.path()), Err("pattern_unmatched"));
        assert_eq!(names("bad*", folder.path()), Err("asset_name"));
        assert_eq!(names("link.zip", folder.path()), Err("file_unusable"));
        assert_eq!(names("sub", folder.path()), Err("file_unusable"));
        assert_eq!(names("[", folder.path()), Err("input_invalid"));
    }

    #[test]
    fn every_file_name_has_a_content_type() {
        for (name, expected) in [
            ("a.xlsm", "application/vnd.ms-excel.sheet.macroenabled.12"),
            ("a.tar.gz", "application/gzip"),
            ("a.rmp", "application/octet-stream"),
            ("noextension", "application/octet-stream"),
        ] {
            assert_eq!(content_type(&name.parse().unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn a_text_file_is_bounded_and_utf8() {
        let folder = folder();
        let path = folder.path().join("app.zip");
        assert_eq!(read_text("body-file", &path, 3).as_deref(), Ok("abc"));
        assert_eq!(
            read_text("body-file", &path, 2).map_err(|refusal| refusal.code()),
            Err("file_unusable")
        );
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(
            read_text("body-file", &path, 3).map_err(|refusal| refusal.code()),
            Err("file_unusable")
        );
    }
}
