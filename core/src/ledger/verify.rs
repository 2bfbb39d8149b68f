//! Verifies a whole ledger anew, entry by entry: nothing that is stored is trusted, and the first bad entry is named.

use alloc::{collections::BTreeMap, format, string::String};
use core::fmt;

use super::{Entry, EventType, Head, ReceiptState};
use crate::{
    digest::Digest,
    document::Document,
    keys::{Threshold, TrustedKeys},
    name::ReceiptId,
    operation::Operation,
    receipt::Terms,
};

/// What a check is about; each is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Files are what Countersign writes, and no other files are there.
    Structure,
    /// Sequence numbers and digests link every entry to the one before it, and the head to the last.
    Chain,
    /// Enough trusted keys signed the receipt of every claim.
    Signatures,
    /// Every receipt is claimed once, or again only by a later attempt of the same run; states are what the entries make them.
    States,
    /// Receipt, entry and operation belong together.
    Bindings,
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structure => "structure",
            Self::Chain => "chain",
            Self::Signatures => "signatures",
            Self::States => "states",
            Self::Bindings => "bindings",
        })
    }
}

/// The first thing that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{aspect}: {place}: {problem}")]
pub struct BadLedger {
    /// Which check found it.
    pub aspect: Aspect,
    /// Which entry or file.
    pub place: String,
    /// Both sides.
    pub problem: String,
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries, all of them structured, chained and bound.
    pub entries: u64,
    /// Claims among them.
    pub claims: u64,
    /// Receipts whose signatures were verified; fewer than claims only if no keys were given.
    pub signed: u64,
    /// Receipts whose outcome is not known.
    pub unfinished: u64,
}

/// Takes the entries in their order, then the head and the states.
pub struct Verifier<'a> {
    trusted: Option<(&'a TrustedKeys, Threshold)>,
    head: Head,
    receipts: BTreeMap<ReceiptId, ReceiptState>,
    tally: Tally,
}

impl<'a> Verifier<'a> {
    /// Begins; without trusted keys signatures stay unchecked, and so does what only a signed receipt can tell.
    #[must_use]
    pub const fn new(trusted: Option<(&'a TrustedKeys, Threshold)>) -> Self {
        Self { trusted, head: Head::EMPTY, receipts: BTreeMap::new(), tally: Tally { entries: 0, claims: 0, signed: 0, unfinished: 0 } }
    }

    /// Verifies the next entry's file.
    pub fn entry(&mut self, bytes: &[u8]) -> Result<Entry, BadLedger> {
        let number = self.head.sequence() + 1;
        let bad = |aspect, problem: String| BadLedger { aspect, place: format!("entry {number}"), problem };
        let entry = Entry::from_document(bytes).map_err(|error| bad(Aspect::Structure, format!("{error}")))?;
        if entry.sequence != number {
            return Err(bad(Aspect::Chain, format!("it says that it is entry {}", entry.sequence)));
        }
        let previous = self.head.newest().map(|newest| newest.digest);
        if entry.previous != previous {
            return Err(bad(
                Aspect::Chain,
                format!("it follows {}, but the entry before it is {}", shown(entry.previous), shown(previous)),
            ));
        }
        if entry.event_type == EventType::Claimed {
            self.claim(&entry).map_err(|(aspect, problem)| bad(aspect, problem))?;
            self.tally.claims += 1;
        } else {
            self.outcome(&entry).map_err(|(aspect, problem)| bad(aspect, problem))?;
        }
        self.head = Head::at(entry.checkpoint());
        self.tally.entries += 1;
        Ok(entry)
    }

    fn claim(&mut self, entry: &Entry) -> Result<(), (Aspect, String)> {
        let (Some(envelope), Some(operation), None) = (&entry.receipt, &entry.operation, &entry.github_response) else {
            return Err((Aspect::Structure, "a claim holds the receipt and the operation, and no answer".into()));
        };
        about_operation(entry, operation).map_err(|problem| (Aspect::Bindings, problem))?;
        if let Some((keys, threshold)) = self.trusted {
            let receipt = envelope.clone().verify(keys, threshold).map_err(|refusal| (Aspect::Signatures, format!("{refusal}")))?;
            about_terms(entry, operation, receipt.terms()).map_err(|problem| (Aspect::Bindings, problem))?;
            self.tally.signed += 1;
        }
        if let Some(state) = self.receipts.get(&entry.receipt_id) {
            let resumes = state.outcome_sequence.is_none() && state.run_id == entry.run_id && state.run_attempt < entry.run_attempt;
            if !resumes || state.operation_digest != entry.operation_digest {
                return Err((
                    Aspect::States,
                    format!("the receipt {} was claimed already by entry {}", entry.receipt_id, state.claim_sequence),
                ));
            }
        }
        self.receipts.insert(entry.receipt_id.clone(), ReceiptState::claimed_by(entry));
        Ok(())
    }

    fn outcome(&mut self, entry: &Entry) -> Result<(), (Aspect, String)> {
        let (None, None, Some(_)) = (&entry.receipt, &entry.operation, &entry.github_response) else {
            return Err((Aspect::Structure, "an outcome holds GitHub's answer, and neither receipt nor operation".into()));
        };
        let Some(state) = self.receipts.get_mut(&entry.receipt_id) else {
            return Err((Aspect::States, format!("no entry before it claims the receipt {}", entry.receipt_id)));
        };
        if state.operation_id != entry.operation_id || state.operation_digest != entry.operation_digest {
            return Err((Aspect::Bindings, format!("it is not about what entry {} claimed", state.claim_sequence)));
        }
        if entry.event_type != EventType::Unknown {
            state.outcome_sequence = Some(entry.sequence);
        }
        Ok(())
    }

    /// Verifies the head, and every receipt's state by its file.
    pub fn finish(mut self, head: &[u8], mut state: impl FnMut(&ReceiptId) -> Option<alloc::vec::Vec<u8>>) -> Result<Tally, BadLedger> {
        if head != self.head.to_document() {
            let problem =
                format!("it does not name the last entry, {}", self.head.newest().map_or("none".into(), |newest| format!("{newest}")));
            return Err(BadLedger { aspect: Aspect::Chain, place: super::HEAD_PATH.into(), problem });
        }
        for (receipt, expected) in &self.receipts {
            let problem = match state(receipt) {
                None => "the file is missing",
                Some(found) if found != expected.to_document() => "it is not what the entries make it",
                Some(_) => continue,
            };
            return Err(BadLedger { aspect: Aspect::States, place: super::state_path(receipt), problem: problem.into() });
        }
        self.tally.unfinished = self.receipts.values().filter(|state| state.outcome_sequence.is_none()).count() as u64;
        Ok(self.tally)
    }

    /// How many receipts were claimed: no more state files may be there.
    #[must_use]
    pub fn receipts(&self) -> usize {
        self.receipts.len()
    }
}

fn shown(digest: Option<Digest>) -> String {
    digest.map_or("nothing".into(), |digest| format!("{digest}"))
}

fn about_operation(entry: &Entry, operation: &Operation) -> Result<(), String> {
    let found = operation.digest();
    if found != entry.operation_digest {
        return Err(format!("its operation has the digest {found}, but it says {}", entry.operation_digest));
    }
    if (operation.kind(), &operation.target().repository) != (entry.operation_kind, &entry.repository) {
        return Err(format!(
            "its operation is {} in {}, but it says {} in {}",
            operation.kind(),
            operation.target(),
            entry.operation_kind,
            entry.repository
        ));
    }
    Ok(())
}

fn about_terms(entry: &Entry, operation: &Operation, terms: &Terms) -> Result<(), String> {
    let sides = [
        ("receipt", format!("{}", terms.receipt_id), format!("{}", entry.receipt_id)),
        ("operation", format!("{}", terms.operation_digest), format!("{}", entry.operation_digest)),
        ("kind", format!("{}", terms.operation_kind), format!("{}", operation.kind())),
        ("repository", format!("{}", terms.target), format!("{}", operation.target())),
    ];
    if let Some((what, receipt, found)) = sides.iter().find(|(_, receipt, found)| receipt != found) {
        return Err(format!("its receipt is for {what} {receipt}, but it says {found}"));
    }
    if !terms.enforceable || terms.consumed {
        return Err("its receipt allows nothing: it is advisory, or consumed by its own word".into());
    }
    if entry.timestamp >= terms.expires_at || terms.issued_at.since(entry.timestamp) > crate::binding::MOST_AHEAD {
        return Err(format!(
            "it was claimed at {}, but its receipt counts from {} until {}",
            entry.timestamp, terms.issued_at, terms.expires_at
        ));
    }
    Ok(())
}
