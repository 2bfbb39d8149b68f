//! `countersign keys`: keys for approvers.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::{print, tell};
use crate::{exit::Exit, keyfile};

pub(crate) fn generate(out: &Path, name: &str) -> anyhow::Result<Exit> {
    ensure!(!name.chars().any(char::is_control), "--name must be one line of visible characters");
    let (secret, public) = keyfile::generate(name)?;
    let public_path = out.with_added_extension("pub");
    for path in [out, &public_path] {
        ensure!(
            !path.is_symlink() && !path.exists(),
            "`{}` exists (an existing file is never replaced); nothing was made. Choose another --out",
            path.display()
        );
    }
    keyfile::write_new(out, &secret, 0o600).with_context(|| format!("`{}` cannot be made", out.display()))?;
    keyfile::write_new(&public_path, &format!("{public}\n"), 0o644)
        .with_context(|| format!("`{}` cannot be made", public_path.display()))?;
    tell(&format!("The secret key is in {}: keep it on the approver's machine alone.", out.display()));
    tell("Add this line to `trusted-keys` in the workflow:");
    print(&public)?;
    Ok(Exit::Success)
}
