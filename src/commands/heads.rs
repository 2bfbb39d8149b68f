//! `countersign heads`: takes what a machine remembers of ledgers to another one.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{
    Row,
    authorize::heads::{Given, Heads, MAX_BYTES, SeenHead},
    print_document, read,
    signing::agreed,
    tell,
};
use crate::{Environment, exit::Exit};

/// Prints what this machine remembers.
pub(crate) fn export(environment: &Environment) -> Result<Exit> {
    let text = Heads::of(environment, String::new())?.exported()?;
    print_document(text.as_bytes())?;
    Ok(Exit::Success)
}

/// Remembers the ledgers of a file that this machine has not seen itself.
pub(crate) fn import(path: &Path, yes: bool, environment: &Environment) -> Result<Exit> {
    let heads = Heads::of(environment, String::new())?;
    let given = heads.given(&read(path, MAX_BYTES)?).with_context(|| {
        format!(
            "`{}` is no file of `countersign heads export`",
            path.display()
        )
    })?;
    tell(given.iter().map(row).collect::<Vec<_>>());

    if given
        .iter()
        .any(|given| matches!(given, Given::Contradicts { .. }))
    {
        tell(
            "Nothing was imported. One of the two machines saw a ledger that was rewritten: find out which before you sign.",
        );
        return Ok(Exit::Refused);
    }
    let is_new = |given: &Given| matches!(given, Given::New { .. });
    let new = given.iter().filter(|given| is_new(given)).count();
    if new == 0 {
        tell("There is nothing to import: this machine has seen all of these ledgers itself.");
        return Ok(Exit::Success);
    }
    if !yes
        && !agreed(&format!(
            "Remember {new} ledger(s) as that machine saw them?"
        ))?
    {
        tell("Nothing was imported. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    heads.add(given)?;
    Ok(Exit::Success)
}

fn row(given: &Given) -> Row {
    match given {
        Given::New { ledger, head, .. } => Row::new("new         ", told(ledger, head)),
        Given::Known { ledger, head } => Row::new(
            "kept        ",
            format!("{}: this machine saw it itself", told(ledger, head)),
        ),
        Given::Contradicts { ledger, head, own } => Row::new(
            "CONTRADICTS ",
            format!(
                "{}, but this machine saw {} at {}",
                told(ledger, head),
                own.at,
                own.seen_at
            ),
        ),
    }
}

fn told(ledger: &str, head: &SeenHead) -> String {
    format!("{ledger} at {}, seen at {}", head.at, head.seen_at)
}
