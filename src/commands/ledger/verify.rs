//! `countersign ledger verify`: recomputes a whole ledger and says what was checked.

use anyhow::{Context as _, bail};

use countersign_core::{
    envelope::MOST_BYTES,
    keys::{Threshold, TrustedKeys},
    ledger::{Aspect, Verifier, state_path},
};

use super::folder::Folder;
use crate::{
    cli::LedgerVerifyArguments,
    commands::{print, read_text},
    exit::Exit,
};

pub(crate) fn verify(arguments: &LedgerVerifyArguments) -> anyhow::Result<Exit> {
    let folder = Folder::open(&arguments.folder)?;
    if folder.entries == 0 {
        bail!("nothing to verify: the ledger is empty");
    }
    let keys = arguments.trusted_keys.as_ref().map(|path| read_text(path, MOST_BYTES as u64)).transpose()?;
    let keys = keys.map(|text| TrustedKeys::parse(&text)).transpose().context("the trusted keys")?;
    let trusted = keys.as_ref().map(|keys| Threshold::parse(&arguments.threshold, keys).map(|threshold| (keys, threshold))).transpose()?;
    let mut verifier = Verifier::new(trusted);
    for sequence in 1..=folder.entries {
        verifier.entry(&folder.entry(sequence)?)?;
    }
    folder.has_no_more_than(folder.entries, verifier.receipts())?;
    let tally = verifier.finish(&folder.head, |receipt| folder.file(&state_path(receipt)))?;
    for aspect in [Aspect::Structure, Aspect::Chain, Aspect::States, Aspect::Bindings, Aspect::Signatures] {
        print(&match aspect {
            Aspect::Signatures if trusted.is_none() => "signatures  not checked: give --trusted-keys".into(),
            Aspect::Signatures => format!("signatures  hold: {} receipts, each by {} trusted key(s)", tally.signed, arguments.threshold),
            Aspect::Bindings if trusted.is_none() => {
                "bindings    hold between entries and operations; receipts are not read without --trusted-keys".into()
            }
            Aspect::Bindings => format!("bindings    hold: {} claims, each with its receipt and operation", tally.claims),
            Aspect::States => format!("states      hold; {} receipt(s) without a known outcome", tally.unfinished),
            Aspect::Structure | Aspect::Chain => format!("{:<11} holds: {} entries", aspect.to_string(), tally.entries),
        })?;
    }
    Ok(Exit::Success)
}
