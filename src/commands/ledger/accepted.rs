//! Damage that people accepted by a signed statement: it is listed, and does not fail a verification.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, bail, ensure};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::MOST_BYTES,
    keys::TrustedKey,
    ledger::{Aspect, BadLedger, EntryId, Head},
    name::{CommitId, Host},
    repair::{BadRepair, Damage, Repair},
    statement::{Signed, Verified},
};

use super::{source::Source, verify::By};
use crate::commands::read_text;

/// What a statement accepts, and what of that was found.
#[derive(Default)]
pub(in crate::commands) struct Accepted {
    repair: Option<Repair>,
    /// Who signed it.
    by: String,
    /// The commit that added each entry, the oldest that names it.
    added_by: BTreeMap<(u64, Digest), CommitId>,
    found: Vec<Found>,
}

/// Damage that was found and is accepted.
pub(in crate::commands) struct Found {
    pub(in crate::commands) commit: CommitId,
    code: Aspect,
    told: String,
}

impl Accepted {
    /// The statement in a file, if enough people signed it for this ledger.
    pub(in crate::commands) fn read(
        path: Option<&Path>,
        by: &By,
        source: &Source,
        host: Option<&Host>,
    ) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let (trusted, threshold) = by
            .as_ref()
            .context("--accepted needs --trusted-keys: damage is accepted by their threshold")?;
        let threshold = trusted.threshold.max(*threshold);
        let signed = Signed::parse(&read_text(path, MOST_BYTES as u64)?)
            .with_context(|| format!("`{}` is no acceptance of damage", path.display()))?;
        let verified = signed
            .accepted_by(&trusted.keys, threshold)
            .and_then(|verified| {
                verified.statement().is_of(host, source.repository_id())?;
                Ok(verified)
            });
        Ok(Self::of(&verified.map_err(|bad| coded(&bad))?))
    }

    pub(super) fn of(verified: &Verified<Repair>) -> Self {
        let by = verified.signers().iter().map(named);
        Self::proposed(verified.statement(), by.collect::<Vec<_>>().join(", "))
    }

    /// The same for a statement that is about to be signed.
    pub(super) fn proposed(repair: &Repair, by: String) -> Self {
        Self {
            repair: Some(repair.clone()),
            by,
            ..Self::default()
        }
    }

    /// Learns which commit added which entry. A folder has no commits, so nothing of it is accepted.
    pub(in crate::commands) async fn locate(&mut self, source: &Source) -> Result<()> {
        if self.repair.is_none() {
            return Ok(());
        }
        let added_by = &mut self.added_by;
        let has_commits = source.commits(|_, seen| {
            if let Ok(head) = Head::from_document(seen.head)
                && let Some(EntryId { sequence, digest }) = head.newest()
            {
                added_by.insert((sequence, digest), seen.id.clone());
            }
            Ok(())
        });
        ensure!(
            has_commits.await?,
            "damage is accepted by commit, and a folder shows none: give a clone (of a checkout, its .git) or --repository"
        );
        Ok(())
    }

    /// Whether people accepted this fault of a commit.
    pub(in crate::commands) fn covers(&mut self, commit: &CommitId, bad: &BadLedger) -> bool {
        let is_named = self.repair.as_ref().is_some_and(|repair| {
            let mut damages = repair.damages.iter();
            damages.any(|damage| damage.commit == *commit && damage.code == bad.aspect)
        });
        if is_named {
            self.found.push(Found {
                commit: commit.clone(),
                code: bad.aspect,
                told: bad.to_string(),
            });
        }
        is_named
    }

    /// The same of the commit that added an entry.
    pub(in crate::commands) fn covers_entry(&mut self, id: EntryId, bad: &BadLedger) -> bool {
        let added_by = self.added_by.get(&(id.sequence, id.digest)).cloned();
        added_by.is_some_and(|commit| self.covers(&commit, bad))
    }

    /// Whether all that the statement names was found. Dates and authors are judged only where the
    /// place shows which commits GitHub signed.
    pub(in crate::commands) fn all_found(&self, are_dates_judged: bool) -> Result<()> {
        let is_found = |damage: &&Damage| {
            let is_judged =
                are_dates_judged || !matches!(damage.code, Aspect::Dates | Aspect::Authors);
            let mut found = self.found.iter();
            !is_judged
                || found.any(|found| found.commit == damage.commit && found.code == damage.code)
        };
        let mut named = self.repair.iter().flat_map(|repair| &repair.damages);
        match named.find(|damage| !is_found(damage)) {
            Some(Damage { commit, code }) => bail!(coded(&BadRepair::NotThere {
                commit: commit.clone(),
                code: *code,
            })),
            None => Ok(()),
        }
    }

    /// What was found, each once, with who accepted it and why.
    pub(in crate::commands) fn told(&self) -> Vec<(&CommitId, String)> {
        let Some(repair) = &self.repair else {
            return Vec::new();
        };
        let is_first = |(index, found): &(usize, &Found)| {
            let mut before = self.found[..*index].iter();
            !before.any(|other| (&other.commit, other.code) == (&found.commit, found.code))
        };
        let found = self.found.iter().enumerate().filter(is_first);
        let told = found.map(|(_, found)| {
            let told = format!(
                "commit {}: {}; accepted by {} at {}: {}",
                found.commit, found.told, self.by, repair.issued_at, repair.reason
            );
            (&found.commit, told)
        });
        told.collect()
    }
}

fn named(key: &TrustedKey) -> String {
    format!("{} ({})", key.name, key.key.fingerprint())
}

/// An error with its stable code.
pub(super) fn coded(bad: &BadRepair) -> anyhow::Error {
    anyhow::anyhow!("{}: {bad}", bad.code())
}
