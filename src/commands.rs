//! The program's commands.

pub(crate) mod action;
pub(crate) mod authorize;
mod guard;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod sign;
pub(crate) mod verify;

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, ensure};

use crate::log::harmless;

/// Prints for people and scripts; a closed pipe is no reason to panic.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).context("standard output is closed")
}

/// Prints beside the result, so that the result alone can be piped on.
fn tell(text: &str) {
    let mut out = io::stderr().lock();
    // Nobody reads standard error any more: there is nobody to tell.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

/// An error, its causes, and nothing else.
pub(crate) fn tell_error(error: &anyhow::Error) {
    // Errors hold what files and servers say.
    tell(&harmless(&format!("countersign: {error:#}")));
}

/// Reads a bounded file, or standard input for `-`.
fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("`{name}` cannot be read"))?;
    ensure!(bytes.len() as u64 <= most, "`{name}` has more than {most} bytes");
    Ok(bytes)
}

fn read_text(path: &Path, most: u64) -> anyhow::Result<String> {
    String::from_utf8(read(path, most)?).with_context(|| format!("`{}` is not UTF-8 text", path.display()))
}
