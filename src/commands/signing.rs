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
    let signer = keyfile::signer(
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
    if !is_private(path) {
        tell(&format!(
            "WARNING: others may read {}: `chmod 600` it, and think of a new key.",
            path.display()
        ));
    }
    Ok(signer)
}

/// Whether nobody but the owner may read a key's file; a public key is no secret.
fn is_private(path: &Path) -> bool {
    let public = path.extension().is_some_and(|extension| extension == "pub");
    public
        || std::fs::metadata(path)
            .is_ok_and(|file| !file.is_file() || file.permissions().mode().trailing_zeros() >= 6)
}

/// What is signed, member by member, read back from its bytes; nothing in it can hide, move, or look like a line of ours. The longest part comes
/// first, so that the others stand beside the question.
pub(super) fn shown(planned: &PlannedOperation) -> anyhow::Result<String> {
    let operation = Operation::from_bytes(&planned.operation().to_bytes())?;
    let mut page = format!("{} in {}\n", operation.kind(), operation.target());
    let columns = columns();
    let mut row = |head: &str, text: &str| {
        for line in laid_out(head, &visible(text, Lines::One), columns) {
            page.push_str(&line);
            page.push('\n');
        }
    };
    let (body, assets) = match &operation {
        Operation::PublishRelease(release) => (release.body.as_str(), release.assets.as_slice()),
        Operation::OpenPr(pull) => (pull.body.as_str(), &[][..]),
        Operation::TagRepo(_) => ("", &[][..]),
    };
    for line in body.lines() {
        row("  body        | ", line);
    }
    for (name, value) in operation.parameters() {
        if !matches!(
            name.as_str(),
            "operation_kind" | "repository" | "repository_id" | "assets" | "body"
        ) {
            row(&format!("  {name:<14}"), &value);
        }
    }
    for asset in assets {
        row(
            "  asset         ",
            &format!(
                "{} ({} bytes, {})",
                asset.name, asset.size, asset.content_type
            ),
        );
        row("                ", &asset.sha256.to_string());
    }
    row("", "");
    row("What changes, by what the dry run saw:", "");
    for effect in planned.effects() {
        let from = effect.from.as_deref().unwrap_or("nothing");
        row(
            &format!("  {:<18}", effect.effect),
            &format!("{}: {from} → {}", effect.subject, effect.to),
        );
    }
    for warning in planned.warnings() {
        row(
            "  WARNING       ",
            &format!("{}: {}", warning.code, warning.message),
        );
    }
    row("", "");
    row("operation     ", &operation.digest().to_string());
    Ok(page.trim_end().into())
}

/// How wide the terminal is on which people read it; without one nothing is broken into lines.
fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr())
        .map_or(usize::MAX, |(width, _)| usize::from(width.0))
}

/// A row as lines that no terminal breaks: what goes on in the next line stands behind the same head, so that no line which is made of data
/// begins where ours do.
fn laid_out(head: &str, text: &str, columns: usize) -> Vec<String> {
    // Signs beyond ASCII may be two columns wide.
    let width = |text: &str| {
        text.chars()
            .map(|character| if character.is_ascii() { 1 } else { 2 })
            .sum::<usize>()
    };
    let room = columns.saturating_sub(width(head) + 1).max(20);
    let mut lines = vec![String::from(head)];
    let mut left = room;
    for character in text.chars() {
        let wide = if character.is_ascii() { 1 } else { 2 };
        if wide > left {
            lines.push(String::from(head));
            left = room;
        }
        left -= wide;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}

/// What of a plan will not ship, whoever signs.
pub(super) fn not_shipped(plan: &Plan) -> Option<String> {
    let lines: Vec<String> = plan
        .not_shipped
        .iter()
        .map(|left| {
            let (code, why) = (
                visible(&left.code, Lines::One),
                visible(&left.why_not, Lines::One),
            );
            format!(
                "  {} ({} in {}): {code}: {why}",
                left.id, left.operation_kind, left.repository
            )
        })
        .collect();
    (!lines.is_empty()).then(|| format!("Will not ship:\n{}\n", lines.join("\n")))
}

/// Asks on the terminal.
pub(super) fn agreed(question: &str) -> anyhow::Result<bool> {
    ensure!(
        io::stdin().is_terminal(),
        "standard input is no terminal, so nobody can be asked; look at it and use --yes"
    );
    tell(&format!("{question} Type yes:"));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    Ok(answer.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_break_begins_behind_its_head_again() {
        let text = format!("First.{}What changes:", " ".repeat(60));
        let lines = laid_out("  body        | ", &text, 80);
        assert_eq!(lines.len(), 2);
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("  body        | ") && line.len() < 80),
            "{lines:?}"
        );
        assert_eq!(
            lines.iter().map(|line| &line[16..]).collect::<String>(),
            text
        );
        assert_eq!(laid_out("  title         ", &"世".repeat(40), 80).len(), 2);
        assert_eq!(
            laid_out("  title         ", &"a".repeat(9000), usize::MAX).len(),
            1
        );
        assert_eq!(
            laid_out("  title         ", "abc", 3),
            ["  title         abc"]
        );
    }
}
