//! The ledger as one commit shows it: head, one receipt's state, one checkpoint's entry.

use alloc::{format, string::String, vec::Vec};

use super::{Checkpoint, Entry, Head, Look, ReceiptState};
use crate::{
    authority::{self, Authority},
    digest::Digest,
    document::Document,
    name::CommitId,
    policy::Policy,
    refusal::Refusal,
    timestamp::Timestamp,
    trust::Trust,
};

/// What a look at the ledger showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    /// The ledger; one that is missing or unreadable is a refusal instead.
    pub snapshot: Snapshot,
    /// GitHub's clock when it answered.
    pub observed_at: Option<Timestamp>,
    /// Where the operation's tag led at that moment; none if it has no tag or GitHub showed none.
    pub tag: Option<CommitId>,
}

/// The files of one commit, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawSnapshot {
    /// `ledger.json`.
    pub head: Option<String>,
    /// The receipt's state.
    pub state: Option<String>,
    /// The entry that the receipt's checkpoint names.
    pub checkpoint: Option<String>,
    /// `authority.json`.
    pub authority: Option<String>,
    /// What each of the newest [`MOST_STATES`] commits that touched the receipt's state made of it, newest first, none if it was deleted: a file can
    /// be set back, its history cannot.
    pub states: Vec<Option<String>>,
}

/// The files of one commit, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit from which everything was read, and which an append expects.
    pub(crate) commit: CommitId,
    pub(crate) head: Head,
    pub(crate) state: Option<ReceiptState>,
    checkpoint: Option<Digest>,
    /// What stood behind decisions before: by the branch, and by the entry that the approver saw.
    authority: [Authority; 2],
    state_was_written: bool,
    /// Whether the receipt's state told of an outcome before, or so often of none that nobody looked further back.
    was_settled: bool,
}

/// How many commits that touched a receipt's state are looked at.
pub const MOST_STATES: usize = 20;

impl Snapshot {
    /// Reads the files; one that is not as Countersign wrote it makes the ledger unavailable.
    pub fn read(commit: CommitId, raw: &RawSnapshot) -> Result<Self, Refusal> {
        let head = raw
            .head
            .as_deref()
            .ok_or_else(|| unavailable("the branch has no file `ledger.json`"))?;
        Ok(Self {
            commit,
            head: document("ledger.json", head)?,
            state: raw
                .state
                .as_deref()
                .map(|state| document("the receipt's state", state))
                .transpose()?,
            checkpoint: raw
                .checkpoint
                .as_deref()
                .map(|entry| Digest::of(entry.as_bytes())),
            authority: [
                raw.authority
                    .as_deref()
                    .map_or(Ok(Authority::default()), |text| {
                        document("authority.json", text)
                    })?,
                // An entry that cannot be read has another digest than the one that was seen, which is looked at elsewhere.
                raw.checkpoint
                    .as_deref()
                    .and_then(|entry| Entry::from_document(entry.as_bytes()).ok())
                    .map_or(Authority::default(), |entry| entry.authority),
            ],
            state_was_written: !raw.states.is_empty(),
            was_settled: raw.states.len() >= MOST_STATES
                || raw.states.iter().flatten().any(|state| is_settled(state)),
        })
    }

    /// The newest entry, if there is one.
    #[must_use]
    pub fn newest(&self) -> Option<Checkpoint> {
        self.head.newest()
    }

    /// What stood behind the newest decision, as the branch says.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority[0]
    }

    /// Whether trust and policy are not older than those that decided before.
    pub(crate) fn follows(
        &self,
        trust: Option<&Trust>,
        policy: Option<&Policy>,
    ) -> Result<(), Refusal> {
        self.authority
            .iter()
            .try_for_each(|before| authority::newest(trust, policy, before))?;
        let known = self
            .authority
            .iter()
            .filter_map(|before| before.trust)
            .map(|trust| trust.version)
            .max();
        authority::fresh(trust, known.unwrap_or(0))
    }

    /// The commit from which it was read.
    #[must_use]
    pub const fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// The state of the receipt that was looked for.
    #[must_use]
    pub const fn state(&self) -> Option<&ReceiptState> {
        self.state.as_ref()
    }

    /// Whether the ledger holds the entry that the approver saw.
    pub fn holds(&self, look: &Look) -> Result<(), Refusal> {
        if self.state.is_none() && self.state_was_written {
            return Err(Refusal::LedgerStateRemoved {
                receipt: look.receipt_id.clone(),
            });
        }
        if self.was_settled
            && self
                .state
                .as_ref()
                .is_some_and(|state| state.outcome_sequence.is_none())
        {
            return Err(Refusal::LedgerStateReopened {
                receipt: look.receipt_id.clone(),
            });
        }
        let Some(checkpoint) = look.checkpoint else {
            return Ok(());
        };
        let rolled_back = |found: String| Err(Refusal::LedgerRolledBack { checkpoint, found });
        if self.head.sequence() < checkpoint.sequence {
            return rolled_back(format!(
                "ends with entry {}: it was rolled back",
                self.head.sequence()
            ));
        }
        if self.head.sequence() == checkpoint.sequence && self.newest() != Some(checkpoint) {
            return rolled_back(format!(
                "names another newest entry {}: it was forked",
                checkpoint.sequence
            ));
        }
        match self.checkpoint {
            Some(digest) if digest == checkpoint.digest => Ok(()),
            Some(digest) => rolled_back(format!(
                "holds another entry {} ({digest}): it was forked",
                checkpoint.sequence
            )),
            None => rolled_back(format!("has no file of entry {}", checkpoint.sequence)),
        }
    }
}

/// A state that cannot be read was not written by Countersign: nothing is concluded from it but that somebody was there.
fn is_settled(state: &str) -> bool {
    ReceiptState::from_document(state.as_bytes())
        .map_or(true, |state| state.outcome_sequence.is_some())
}

fn document<T: Document>(name: &str, text: &str) -> Result<T, Refusal> {
    T::from_document(text.as_bytes()).map_err(|error| unavailable(&format!("{name}: {error}")))
}

fn unavailable(reason: &str) -> Refusal {
    Refusal::LedgerUnavailable {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const ENTRY: &str = "an entry's bytes";

    fn look(sequence: u64) -> Look {
        Look {
            receipt_id: "r".parse().unwrap(),
            checkpoint: Some(Checkpoint {
                sequence,
                digest: Digest::of(ENTRY.as_bytes()),
            }),
        }
    }

    fn snapshot(sequence: u64, digest: Digest, entry: Option<&str>) -> Snapshot {
        let head = Head::at(Checkpoint { sequence, digest }).to_document();
        let raw = RawSnapshot {
            head: String::from_utf8(head).ok(),
            state: None,
            checkpoint: entry.map(ToString::to_string),
            ..RawSnapshot::default()
        };
        Snapshot::read("1".repeat(40).parse().unwrap(), &raw).unwrap()
    }

    #[test]
    fn a_ledger_that_grew_since_the_approval_holds_the_checkpoint() {
        let newest = Digest::of(ENTRY.as_bytes());
        assert_eq!(snapshot(41, newest, Some(ENTRY)).holds(&look(41)), Ok(()));
        assert_eq!(
            snapshot(99, Digest::of(b"later"), Some(ENTRY)).holds(&look(41)),
            Ok(())
        );
        assert_eq!(
            snapshot(1, newest, None).holds(&Look {
                checkpoint: None,
                ..look(1)
            }),
            Ok(())
        );
    }

    #[test]
    fn a_ledger_that_lost_or_replaced_the_entry_was_rolled_back() {
        let later = Digest::of(b"later");
        for (snapshot, found) in [
            (
                snapshot(40, later, None),
                "ends with entry 40: it was rolled back",
            ),
            (
                snapshot(41, later, Some(ENTRY)),
                "names another newest entry 41: it was forked",
            ),
            (snapshot(42, later, None), "has no file of entry 41"),
        ] {
            let Err(Refusal::LedgerRolledBack { found: told, .. }) = snapshot.holds(&look(41))
            else {
                panic!("holds")
            };
            assert_eq!(told, found);
        }
        let other = snapshot(42, later, Some("another entry"))
            .holds(&look(41))
            .unwrap_err();
        assert!(
            other
                .to_string()
                .contains("but the ledger holds another entry 41 (sha256:"),
            "{other}"
        );
    }

    #[test]
    fn files_that_countersign_did_not_write_make_the_ledger_unavailable() {
        let read = |head: Option<&str>| {
            let raw = RawSnapshot {
                head: head.map(ToString::to_string),
                ..RawSnapshot::default()
            };
            Snapshot::read("1".repeat(40).parse().unwrap(), &raw)
                .map(|_| ())
                .map_err(|refusal| refusal.to_string())
        };
        assert_eq!(read(Some("{\"sequence\":0,\"digest\":null}\n")), Ok(()));
        assert_eq!(
            read(None),
            Err("the ledger cannot be read: the branch has no file `ledger.json`".into())
        );
        assert_eq!(
            read(Some("{\"sequence\":0,\"digest\":null}")),
            Err("the ledger cannot be read: ledger.json: the file was changed after Countersign wrote it (at byte 28)".into())
        );
        assert_eq!(
            read(Some("{\"sequence\":1,\"digest\":null}\n")),
            Err("the ledger cannot be read: ledger.json: sequence 0 and no digest belong together (at $.sequence)".into())
        );
    }
}
