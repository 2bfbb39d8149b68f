//! Files that the runner reads (outputs, summary) and files for the artifact (record, plan).

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use countersign_core::name::OperationId;

/// The folder of one attempt, made anew and readable by its owner alone.
pub(super) fn folder(temp: &Path, operation_id: &OperationId) -> io::Result<PathBuf> {
    let folder = temp.join(format!("countersign-{operation_id}"));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Replaces a file whole: a reader sees the old one or the new one, never a half.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

/// Appends to a file that the runner made; if an earlier step put a link in its place, nothing is written through it.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options()
        .append(true)
        .create(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    file.write_all(text.as_bytes())
}

/// One output in the form that holds any value: the delimiter is random, so no value can contain it.
pub(crate) fn output(name: &str, value: &str, delimiter: &str) -> String {
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_have_the_form_that_the_runner_reads() {
        assert_eq!(
            output("status", "a\nb=c", "ghadelimiter_1"),
            "status<<ghadelimiter_1\na\nb=c\nghadelimiter_1\n"
        );
    }

    #[test]
    fn nothing_is_appended_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::os::unix::fs::symlink(&real, &link).unwrap();
        fs::write(&real, "").unwrap();
        assert!(append(&link, "x").is_err_and(|error| error.raw_os_error() == Some(libc::ELOOP)));
        append(&real, "a\n").unwrap();
        append(&real, "b\n").unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "a\nb\n");
    }
}
