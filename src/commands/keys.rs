//! `countersign keys`: keys for approvers.

use std::{fmt::Display, path::Path};

use anyhow::{Context as _, bail, ensure};

use countersign_core::keys::{PublicKey, TrustedKeys};

use super::{Row, print, print_document, read_text, signing, tell, trusted};
use crate::{Clock, Environment, agent, exit::Exit, keyfile};

pub(crate) fn generate(out: &Path, name: &str, protection: Protection) -> anyhow::Result<Exit> {
    let key = keyfile::NewKey::generate(name)?;
    let public = key.public()?;
    // Before anything is written: a line that could not be trusted later is of no use.
    TrustedKeys::parse(&public).context("--name cannot be the name of a key")?;
    let public_path = out.with_added_extension("pub");
    for path in [out, &public_path] {
        ensure!(
            !path.is_symlink() && !path.exists(),
            "`{}` exists (an existing file is never replaced); nothing was made. Choose another --out",
            path.display()
        );
    }
    let passphrase = match protection {
        Protection::Passphrase => Some(new_passphrase()?),
        Protection::None => None,
    };
    let secret = key.secret(passphrase.as_deref())?;
    keyfile::write_new(out, &secret, 0o600)
        .with_context(|| format!("`{}` cannot be made", out.display()))?;
    keyfile::write_new(&public_path, &format!("{public}\n"), 0o644)
        .with_context(|| format!("`{}` cannot be made", public_path.display()))?;
    tell(Row::words(format!(
        "The secret key is in {}: keep it on the approver's machine alone.",
        out.display()
    )));
    if protection == Protection::None {
        tell(Row::words(format!(
            "It has no passphrase; `ssh-keygen -p -f {}` sets one.",
            out.display()
        )));
    }
    tell("With `github:LOGIN` behind the name policies know whose it is.");
    tell("Add this line to `trusted-keys` in the workflow:");
    print_document(format!("{public}\n").as_bytes())?;
    Ok(Exit::Success)
}

/// What a key file is protected by, besides its mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Passphrase,
    None,
}

impl Protection {
    /// A passphrase, unless it was said that none is wanted.
    pub(crate) const fn unless(unwanted: bool) -> Self {
        if unwanted {
            Self::None
        } else {
            Self::Passphrase
        }
    }
}

/// Asks twice, without showing it. Nothing has been written by then.
fn new_passphrase() -> anyhow::Result<String> {
    ensure!(
        signing::is_asked_on_a_terminal(),
        "standard input is not a terminal, so there is no one to ask for a passphrase; nothing was made. A key for a machine: --no-passphrase"
    );
    let passphrase = rpassword::prompt_password("Passphrase for the new key: ")
        .context("the passphrase cannot be read; nothing was made")?;
    ensure!(
        !passphrase.is_empty(),
        "the passphrase is empty; nothing was made. A key for a machine: --no-passphrase"
    );
    let repeated = rpassword::prompt_password("The same once more: ")
        .context("the passphrase cannot be read; nothing was made")?;
    ensure!(
        passphrase == repeated,
        "the two passphrases differ; nothing was made"
    );
    Ok(passphrase)
}

/// Lists the keys of a file, or of the ssh-agent.
pub(crate) fn list(
    file: Option<&Path>,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let Some(path) = file else {
        let socket = environment
            .get("SSH_AUTH_SOCK")
            .context("SSH_AUTH_SOCK is not set: there is no ssh-agent to ask; give a file")?;
        for (key, comment) in agent::identities(Path::new(socket))? {
            let Some(key) = PublicKey::new(key) else {
                continue;
            };
            print(listed(&key, comment))?;
        }
        return Ok(Exit::Success);
    };
    let trusted = trusted::read(path, None, clock())?;
    for key in trusted.keys.as_slice() {
        let login = key
            .login
            .as_ref()
            .map_or(String::new(), |login| format!("  github:{login}"));
        print(listed(&key.key, format!("{}{login}", key.name)))?;
    }
    for key in trusted.keys.retired() {
        print(listed(
            &key.key,
            format!("{}  DOES NOT COUNT: {}", key.name, key.why),
        ))?;
    }
    for key in trusted
        .keys
        .as_slice()
        .iter()
        .filter(|key| key.key.is_published())
    {
        tell(Row::words(format!(
            "WARNING: the secret key of {} (`{}`) is published: mode `prod` refuses it (key_published)",
            key.key.fingerprint(),
            key.name
        )));
    }
    Ok(Exit::Success)
}

/// The fingerprint of a public or secret key in a file.
pub(crate) fn fingerprint(path: &Path) -> anyhow::Result<Exit> {
    let text = read_text(path, 64 * 1024)?;
    let key = match TrustedKeys::parse(&text) {
        Ok(keys) if keys.as_slice().len() == 1 => keys.as_slice()[0].key.clone(),
        Ok(keys) => bail!(
            "`{}` holds {} keys; `countersign keys list` tells them all",
            path.display(),
            keys.as_slice().len()
        ),
        Err(_) => keyfile::public(&text, || {
            rpassword::prompt_password(format!("Passphrase of {}: ", path.display()))
        })
        .with_context(|| format!("`{}`", path.display()))?,
    };
    print(Row::words(key.fingerprint()))?;
    Ok(Exit::Success)
}

/// A key as people compare it, and then what it is called.
fn listed(key: &PublicKey, name: impl Display) -> Row {
    Row::new(format!("{}  ", key.fingerprint()), name)
}
