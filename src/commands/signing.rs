//! What every command that signs does: show from the bytes that are hashed, ask, and sign with the key that somebody names.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use anyhow::{Context as _, ensure};

use countersign_core::{
    envelope::Signs,
    keys::PublicKey,
    operation::Operation,
    plan::{NotShipped, Plan, PlannedOperation, Warning},
    text::{Lines, visible},
};

use super::{Row, read_text, tell};
use crate::{Environment, keyfile};

const MOST_KEY_FILE: u64 = 64 * 1024;

/// For a key that an agent holds for other purposes too.
const LOGIN_KEY: &str = "WARNING: this looks like a key to log in with. Whatever can reach your ssh-agent can sign receipts with it. \
Approve with a key of its own: make one with `countersign keys generate`, add it with `ssh-add -c`, and do not forward the agent.";

/// Whoever signs with the key in a file; a public key's secret half is in the ssh-agent.
pub(super) fn signer(path: &Path, environment: &Environment) -> anyhow::Result<Box<dyn Signs>> {
    // From the terminal itself, without showing it: standard input may hold the receipt.
    let name = path.display().to_string();
    let prompt = format!("Passphrase of {}: ", visible(&name, Lines::One));
    let ask = || rpassword::prompt_password(&prompt);
    let (signer, comment) = keyfile::signer(
        &read_text(path, MOST_KEY_FILE)?,
        environment.get("SSH_AUTH_SOCK"),
        ask,
    )
    .with_context(|| format!("`{}`", path.display()))?;
    if PublicKey::new(signer.verifying_key()).is_some_and(|key| key.is_published()) {
        tell(
            "WARNING: the secret half of this key is published in documentation or tests; mode `prod` refuses it (key_published).",
        );
    }
    if is_for_logins(path, comment.as_deref()) {
        tell(LOGIN_KEY);
    }
    if !is_private(path) {
        tell(Row::words(format!(
            "WARNING: others may read {}: `chmod 600` it, and think of a new key.",
            path.display()
        )));
    }
    Ok(signer)
}

/// Whether the key looks like the one with which its owner logs in: by the place where `ssh-keygen` puts
/// it, or by the comment that it gives, `user@host`. Names of keys may be e-mail addresses, so only a
/// host without a domain tells.
fn is_for_logins(path: &Path, comment: Option<&str>) -> bool {
    let is_in_ssh = path.parent().is_some_and(|folder| folder.ends_with(".ssh"));
    let name = path.file_name().and_then(|name| name.to_str());
    let is_default = is_in_ssh && name.is_some_and(|name| name.starts_with("id_"));
    let is_of_a_host = comment.is_some_and(|comment| {
        comment.split_once('@').is_some_and(|(user, host)| {
            let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
            is_word(user)
                && is_word(host)
                && (!host.contains('.') || host.rsplit('.').next() == Some("local"))
        })
    });
    is_default || is_of_a_host
}

/// Whether nobody but the owner may read a key's file; a public key is no secret.
fn is_private(path: &Path) -> bool {
    let public = path.extension().is_some_and(|extension| extension == "pub");
    public
        || std::fs::metadata(path)
            .is_ok_and(|file| !file.is_file() || file.permissions().mode().trailing_zeros() >= 6)
}

/// What is signed, member by member, read back from its bytes. The longest part comes first, so that the others are next to the question.
pub(super) fn shown(planned: &PlannedOperation) -> anyhow::Result<Vec<Row>> {
    let operation = Operation::from_bytes(&planned.operation().to_bytes())?;
    let mut rows = vec![Row::words(format!(
        "{} in {}",
        operation.kind(),
        operation.target()
    ))];
    let (body, assets) = match &operation {
        Operation::PublishRelease(release) => (release.body.as_str(), release.assets.as_slice()),
        Operation::OpenPr(pull) => (pull.body.as_str(), &[][..]),
        Operation::TagRepo(_) => ("", &[][..]),
    };

    rows.extend(body.lines().map(|line| Row::new("  body        | ", line)));
    for (name, value) in operation.parameters() {
        if !matches!(
            name.as_str(),
            "operation_kind" | "repository" | "repository_id" | "assets" | "body"
        ) {
            rows.push(Row::new(format!("  {name:<14}"), value));
        }
    }
    for asset in assets {
        let outside = format!(
            "{} ({} bytes, {})",
            asset.name, asset.size, asset.content_type
        );
        rows.push(Row::new("  asset         ", outside));
        rows.push(Row::new("                ", asset.sha256));
    }

    rows.push(Row::blank());
    rows.push(Row::words("What changes, by what the dry run saw:"));
    for effect in planned.effects() {
        let from = effect.from.as_deref().unwrap_or("nothing");
        rows.push(Row::new(
            format!("  {:<18}", effect.effect),
            format!("{}: {from} → {}", effect.subject, effect.to),
        ));
    }
    rows.extend(planned.warnings().iter().map(warning));
    rows.push(Row::blank());
    rows.push(Row::new("operation     ", operation.digest()));
    Ok(rows)
}

/// What an approver should know about an operation.
pub(super) fn warning(warning: &Warning) -> Row {
    Row::new(
        "  WARNING       ",
        format!("{}: {}", warning.code, warning.message),
    )
}

/// What of a plan will not ship, whoever signs.
pub(super) fn not_shipped(plan: &Plan) -> Vec<Row> {
    if plan.not_shipped.is_empty() {
        return Vec::new();
    }
    let row = |left: &NotShipped| {
        Row::new(
            format!("  {} ", left.id),
            format!(
                "({} in {}): {}: {}",
                left.operation_kind, left.repository, left.code, left.why_not
            ),
        )
    };
    let mut rows = vec![Row::words("Will not ship:")];
    rows.extend(plan.not_shipped.iter().map(row));
    rows.push(Row::blank());
    rows
}

/// Asks on the terminal.
pub(super) fn agreed(question: &str) -> anyhow::Result<bool> {
    ensure!(
        is_asked_on_a_terminal(),
        "standard input is no terminal, so nobody can be asked; look at it and use --yes"
    );
    typed(&format!("{question} Type yes:"), "yes")
}

/// Whether there is anyone to ask.
pub(super) fn is_asked_on_a_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks, and compares the line that is typed.
pub(super) fn typed(question: &str, expected: &str) -> anyhow::Result<bool> {
    tell(Row::words(question));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    Ok(answer.trim() == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_to_log_in_with_is_known_by_its_place_or_comment() {
        for (path, comment, expected) in [
            ("/home/alice/.ssh/id_ed25519.pub", None, true),
            (".ssh/id_ed25519", None, true),
            ("/home/alice/.ssh/countersign.pub", None, false),
            ("id_ed25519", None, false),
            ("key.pub", Some("alice@laptop"), true),
            ("key.pub", Some("alice@laptop.local"), true),
            ("key.pub", Some("alice@example.org"), false),
            ("key.pub", Some("release key @ work"), false),
            ("key.pub", Some("alice"), false),
        ] {
            assert_eq!(
                is_for_logins(Path::new(path), comment),
                expected,
                "{path} {comment:?}"
            );
        }
    }
}
