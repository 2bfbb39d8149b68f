//! `countersign authorize`: shows an operation from the very bytes that are hashed, asks, and signs a receipt for it.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, IsTerminal as _},
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::SigningKey;

use countersign_core::{
    binding::MOST_LIFETIME,
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    keys::PublicKey,
    operation::Operation,
    plan::Plan,
    receipt::Terms,
    text::{Lines, visible},
};

use super::{print, read, read_text, tell};
use crate::{Clock, cli::AuthorizeArguments, exit::Exit, keyfile, random};

const MOST_KEY_FILE: u64 = 64 * 1024;

pub(crate) fn run(arguments: &AuthorizeArguments, clock: Clock) -> anyhow::Result<Exit> {
    let lifetime = seconds(&arguments.expires_in)?;
    let plan = Plan::from_document(&read(&arguments.plan, Plan::MOST_BYTES as u64)?).with_context(|| {
        format!("`{}` is no plan that can be signed; use plan.json exactly as the dry run wrote it", arguments.plan.display())
    })?;
    let (run_id, ledger) = (plan.run_id.clone(), plan.ledger);
    let operation = plan.into_only_operation().context("one receipt is for one operation")?.into_operation();
    let key = read_key(&arguments.key)?;
    let public = PublicKey::new(key.verifying_key()).context("the key is weak")?;

    // From here on only these bytes count: they are shown, and their digest is signed.
    let bytes = operation.to_bytes();
    tell(&shown(&bytes)?);
    tell(&format!(
        "for run       {run_id}\nvalid for     {}\nledger at     {}\nsigned by     {}\n",
        arguments.expires_in,
        ledger.map_or("empty".into(), |ledger| ledger.to_string()),
        public.fingerprint()
    ));
    if !arguments.yes && !agreed()? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    let issued_at = clock();
    let terms = Terms {
        receipt_id: format!("receipt-{}", random::hex::<8>()).parse()?,
        run_id,
        operation_kind: operation.kind(),
        target: operation.target().clone(),
        enforceable: true,
        issued_at,
        expires_at: issued_at.plus(lifetime),
        consumed: false,
        ledger,
        operation_digest: Digest::of(&bytes),
    };
    print(&Envelope::sign(&terms, &[&key]).to_line())?;
    Ok(Exit::Success)
}

/// The secret key in a file.
pub(super) fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    // From the terminal itself, without showing it: standard input may hold the receipt.
    let ask = || rpassword::prompt_password(format!("Passphrase of {}: ", path.display()));
    keyfile::read(&read_text(path, MOST_KEY_FILE)?, ask).with_context(|| format!("`{}`", path.display()))
}

/// What is signed, member by member, read back from its bytes; nothing in it can hide or move.
pub(super) fn shown(bytes: &[u8]) -> anyhow::Result<String> {
    let operation = Operation::from_bytes(bytes)?;
    let mut page = format!("This receipt will allow, once:\n\n{} in {}\n", operation.kind(), operation.target());
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
    writeln!(page, "\noperation     {}", Digest::of(bytes))?;
    Ok(page.trim_end().into())
}

pub(super) fn agreed() -> anyhow::Result<bool> {
    ensure!(io::stdin().is_terminal(), "standard input is no terminal, so nobody can be asked; look at the plan and use --yes");
    tell("Sign it? Type yes:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("the answer cannot be read")?;
    Ok(answer.trim() == "yes")
}

/// `90s`, `30m`, `1h`: a whole number and a unit.
fn seconds(text: &str) -> anyhow::Result<u64> {
    let expected = || format!("--expires-in is `{text}`; expected 1s to 24h, for example 90s, 30m or 1h");
    let Some((number, factor)) =
        [("s", 1), ("m", 60), ("h", 3600)].iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
    else {
        bail!(expected())
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).with_context(expected)?;
    ensure!((1..=MOST_LIFETIME).contains(&seconds), expected());
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit_up_to_a_day() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("24h", Some(86_400)),
            ("25h", None),
            ("0s", None),
            ("1d", None),
            ("1", None),
            ("", None),
            ("-1h", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
    }
}
