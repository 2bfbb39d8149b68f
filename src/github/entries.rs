//! Reads the entries of tails: each once, and no more of them than one process reads.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

use countersign_core::{
    ledger::{Addition, Append, MOST_TAIL_BYTES, entry_path},
    name::{CommitId, Repository},
    refusal::Refusal,
};

use super::{GitHub, Trouble, ledger::files_at};

/// Entries that are asked for with one query.
pub(super) const ENTRIES: usize = 50;

/// The entries that this process has read. Every look draws on one budget: whoever floods the ledger
/// between two looks gains nothing by doing it in portions.
#[derive(Default)]
pub(super) struct KnownEntries(Mutex<Known>);

/// Entries by the commit that added them: it fixes their bytes for good.
#[derive(Default)]
struct Known {
    files: BTreeMap<CommitId, Vec<u8>>,
    /// How much was read for them.
    bytes: usize,
}

impl Known {
    fn within_budget(&self) -> Result<(), Refusal> {
        if self.bytes <= MOST_TAIL_BYTES {
            return Ok(());
        }
        Err(Refusal::LedgerEntriesTooLarge { bytes: self.bytes })
    }

    fn keep(&mut self, addition: &Addition, file: Option<Vec<u8>>) {
        if let Some(file) = file {
            self.bytes += file.len();
            self.files.insert(addition.commit.clone(), file);
        }
    }
}

impl KnownEntries {
    fn with<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps the entry that this process appended itself; it was not read.
    pub(super) fn remember(&self, append: &Append, commit: &CommitId) {
        if let Some(entry) = append.entry_file() {
            self.with(|known| known.files.insert(commit.clone(), entry.to_vec()));
        }
    }
}

impl GitHub {
    /// The files of entries, in their order, as far as they are there. Refused once this process has
    /// read more than it may.
    pub(super) async fn entries(
        &self,
        repository: &Repository,
        additions: &[Addition],
    ) -> Result<Result<Vec<Option<Vec<u8>>>, Refusal>, Trouble> {
        let is_missing = |addition: &&Addition| {
            self.entries
                .with(|known| !known.files.contains_key(&addition.commit))
        };
        let missing: Vec<&Addition> = additions.iter().filter(is_missing).collect();

        for batch in missing.chunks(ENTRIES) {
            if let Err(refusal) = self.entries.with(|known| known.within_budget()) {
                return Ok(Err(refusal));
            }
            let expressions: Vec<String> = batch.iter().copied().map(expression).collect();
            let files = files_at(self, repository, &expressions).await?;
            self.entries.with(|known| {
                for (addition, file) in batch.iter().zip(files) {
                    known.keep(addition, file);
                }
            });
        }
        if !missing.is_empty()
            && let Err(refusal) = self.entries.with(|known| known.within_budget())
        {
            return Ok(Err(refusal));
        }
        Ok(Ok(self.entries.with(|known| {
            let files = additions.iter();
            files
                .map(|addition| known.files.get(&addition.commit).cloned())
                .collect()
        })))
    }
}

/// Where an entry is read: at the commit that made `ledger.json` name it.
fn expression(addition: &Addition) -> String {
    format!(
        "{}:{}",
        addition.commit,
        entry_path(addition.entry.sequence)
    )
}

#[cfg(test)]
mod tests {
    use countersign_core::{digest::Digest, ledger::EntryId};

    use super::*;

    fn addition(number: u64) -> Addition {
        Addition {
            commit: format!("{number:040x}").parse().unwrap(),
            entry: EntryId {
                sequence: number,
                digest: Digest::of(b"{}"),
            },
        }
    }

    #[test]
    fn what_all_looks_read_counts_together_and_an_entry_counts_once() {
        let mut known = Known::default();
        let half = vec![b' '; MOST_TAIL_BYTES / 2];
        known.keep(&addition(1), Some(half.clone()));
        known.keep(&addition(2), Some(half));
        known.keep(&addition(3), None);
        assert_eq!(known.within_budget(), Ok(()));

        known.keep(&addition(4), Some(vec![b' ']));
        let bytes = MOST_TAIL_BYTES + 1;
        assert_eq!(
            known.within_budget(),
            Err(Refusal::LedgerEntriesTooLarge { bytes })
        );
    }
}
