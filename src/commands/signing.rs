//! What every command that signs does: show from the bytes that are hashed, ask, and sign with the key that somebody names.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, IsTerminal as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use anyhow::{Context as _, ensure};

use countersign_core::{
    envelope::Signs,
    keys::PublicKey,
    operation::Operation,
    plan::{Plan, PlannedOperation},
    text::{Lines, visible},
};

use super::{read_text, tell};
use crate::{Environment, keyfile};

const MOST_KEY_FILE: u64 = 64 * 1024;

/// Whoever signs with the key in a file; a public key's secret half is in the ssh-agent.
pub(super) fn signer(path: &Path, environment: &Environment) -> anyhow::Result<Box<dyn Signs>> {
    // From the terminal itself, without showing it: standard input may hold the receipt.
    let ask = || rpassword::prompt_password(format!("Passphrase of {}: ", path.display()));
    let signer = keyfile::signer(&read_text(path, MOST_KEY_FILE)?, environment.get("SSH_AUTH_SOCK"), ask)
        .with_context(|| format!("`{}`", path.display()))?;
    if PublicKey::new(signer.verifying_key()).is_some_and(|key| key.is_published()) {
        tell("WARNING: the secret half of this key is published in documentation or tests; mode `prod` refuses it (key_published).");
    }
    if !is_private(path) {
        tell(&format!("WARNING: others may read {}: `chmod 600` it, and think of a new key.", path.display()));
    }
    Ok(signer)
}

/// Whether nobody but the owner may read a key's file; a public key is no secret.
fn is_private(path: &Path) -> bool {
    let public = path.extension().is_some_and(|extension| extension == "pub");
    public || std::fs::metadata(path).is_ok_and(|file| !file.is_file() || file.permissions().mode().trailing_zeros() >= 6)
}

/// What is signed, member by member, read back from its bytes; nothing in it can hide or move.
pub(super) fn shown(planned: &PlannedOperation) -> anyhow::Result<String> {
    let operation = Operation::from_bytes(&planned.operation().to_bytes())?;
    let mut page = format!("{} in {}\n", operation.kind(), operation.target());
    for (name, value) in operation.parameters() {
        if matches!(name.as_str(), "operation_kind" | "repository" | "repository_id" | "assets" | "body") {
            continue;
        }
        writeln!(page, "  {name:<14}{}", visible(&value, Lines::One))?;
    }
    let body = match &operation {
        Operation::PublishRelease(release) => {
            for asset in release.assets.as_slice() {
                writeln!(
                    page,
                    "  asset         {} ({} bytes, {})\n                {}",
                    asset.name, asset.size, asset.content_type, asset.sha256
                )?;
            }
            release.body.as_str()
        }
        Operation::OpenPr(pull) => pull.body.as_str(),
        Operation::TagRepo(_) => "",
    };
    for line in body.lines() {
        writeln!(page, "  body        | {}", visible(line, Lines::One))?;
    }
    writeln!(page, "\nWhat changes, by what the dry run saw:")?;
    for effect in planned.effects() {
        let from = effect.from.as_deref().unwrap_or("nothing");
        let (subject, from, to) = (visible(&effect.subject, Lines::One), visible(from, Lines::One), visible(&effect.to, Lines::One));
        writeln!(page, "  {:<18}{subject}: {from} → {to}", effect.effect)?;
    }
    for warning in planned.warnings() {
        writeln!(page, "  WARNING       {}: {}", visible(&warning.code, Lines::One), visible(&warning.message, Lines::One))?;
    }
    writeln!(page, "\noperation     {}", operation.digest())?;
    Ok(page.trim_end().into())
}

/// What of a plan will not ship, whoever signs.
pub(super) fn not_shipped(plan: &Plan) -> Option<String> {
    let lines: Vec<String> = plan
        .not_shipped
        .iter()
        .map(|left| {
            let (code, why) = (visible(&left.code, Lines::One), visible(&left.why_not, Lines::One));
            format!("  {} ({} in {}): {code}: {why}", left.id, left.operation_kind, left.repository)
        })
        .collect();
    (!lines.is_empty()).then(|| format!("Will not ship:\n{}\n", lines.join("\n")))
}

/// Asks on the terminal.
pub(super) fn agreed(question: &str) -> anyhow::Result<bool> {
    ensure!(io::stdin().is_terminal(), "standard input is no terminal, so nobody can be asked; look at it and use --yes");
    tell(&format!("{question} Type yes:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("the answer cannot be read")?;
    Ok(answer.trim() == "yes")
}
