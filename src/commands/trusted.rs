//! The keys that a person at the command line trusts: a list, or a trust file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use countersign_core::{
    digest::Digest,
    document::Document as _,
    keys::{Threshold, TrustedKeys},
    ledger::Keys,
    timestamp::Timestamp,
    trust::{Trust, TrustFile},
};

use super::{read_text, tell};

/// Which keys count.
#[derive(Args)]
pub(crate) struct TrustedArguments {
    /// The trusted keys: a file with one key a line, or a trust file.
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_keys: PathBuf,
    /// The digest of the trust file's first version, `sha256:…`, as workflows name it.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) trust_root: Option<Digest>,
}

/// Keys that count now, how many of them must sign unless somebody asks for more, and the trust file from which they come.
pub(crate) struct Trusted {
    pub(crate) keys: TrustedKeys,
    pub(crate) threshold: Threshold,
    pub(crate) trust: Option<Trust>,
}

impl Trusted {
    /// By which keys the receipts of a ledger must be signed. Of a trust file each claim's own version says how many; the threshold is for
    /// claims from before there was one.
    pub(crate) fn of_ledger(&self, threshold: Threshold) -> Keys<'_> {
        match &self.trust {
            Some(trust) => Keys::Trust(trust, threshold.get()),
            None => Keys::Listed(&self.keys, threshold),
        }
    }

    /// How many must sign: more than the trust file says, but never less.
    pub(crate) fn threshold(&self, asked: Option<&str>) -> anyhow::Result<Threshold> {
        let asked = asked
            .map(|text| Threshold::parse(text, &self.keys))
            .transpose()?;
        Ok(asked.map_or(self.threshold, |asked| asked.max(self.threshold)))
    }
}

impl TrustedArguments {
    /// Reads the keys; which of two formats it is shows in the first character.
    pub(crate) fn read(&self, now: Timestamp) -> anyhow::Result<Trusted> {
        read(&self.trusted_keys, self.trust_root, now)
    }
}

/// Reads trusted keys from a list or a trust file.
pub(crate) fn read(path: &Path, root: Option<Digest>, now: Timestamp) -> anyhow::Result<Trusted> {
    let text = read_text(path, TrustFile::MOST_BYTES as u64)?;
    let name = path.display();
    if text.starts_with('{') {
        if root.is_none() {
            tell(
                "note: without --trust-root any history of keys is believed; `countersign trust show` prints the root",
            );
        }
        let trust = trust_file(path, &text)?
            .verify(root, now)
            .with_context(|| format!("`{name}`"))?;
        let (keys, threshold) = trust.keys_at(now).with_context(|| format!("`{name}`"))?;
        return Ok(Trusted {
            keys,
            threshold,
            trust: Some(trust),
        });
    }
    ensure!(
        root.is_none(),
        "`{name}` lists keys, so it has no root; give a trust file, or leave --trust-root out"
    );
    let keys = TrustedKeys::parse(&text).with_context(|| format!("`{name}`"))?;
    Ok(Trusted {
        keys,
        threshold: Threshold::ONE,
        trust: None,
    })
}

/// Reads a trust file without verifying it.
pub(crate) fn trust_file(path: &Path, text: &str) -> anyhow::Result<TrustFile> {
    TrustFile::from_document(text.as_bytes()).with_context(|| {
        format!(
            "`{}` is no trust file as `countersign trust` writes it",
            path.display()
        )
    })
}
