//! The ledger as the witness of a release: it holds the evidence as its own entry, and says that the operation succeeded.
//!
//! The chain was recomputed before; the signatures on other receipts are no matter here: `countersign ledger verify` looks at all of them.

use anyhow::Result;

use countersign_core::{
    document::Document as _,
    evidence::ApprovedRelease,
    ledger::{Checkpoint, Entry, EventType, ReceiptState, entry_path, state_path},
};

use super::findings::Fault;
use crate::commands::ledger::source::Source;

/// What to do when ledger and evidence do not agree.
pub(super) const DISAGREE: &str = "One of them is forged, or this is another repository's ledger: verify it with `countersign ledger verify`.";
const UNSETTLED: &str =
    "Look at `countersign ledger show`; re-run the job that published, which settles it.";

pub(super) async fn holds(
    source: &Source,
    approved: &ApprovedRelease,
) -> Result<Result<String, Fault>> {
    let claim = approved.evidence().entry();
    let place = source.place();
    let expected = approved.release().target.repository_id;
    if let Some(found) = source.repository_id().filter(|found| *found != expected) {
        return Ok(Err(Fault::new(
            format!(
                "it is that of the repository with the number {found}, but the evidence is for {expected}"
            ),
            DISAGREE,
        )));
    }
    let mut files = source
        .read(vec![
            entry_path(claim.sequence),
            state_path(&claim.receipt_id),
        ])
        .await?
        .into_iter();
    let (entry, state) = (files.next().flatten(), files.next().flatten());
    match entry {
        None => {
            let problem = format!(
                "{place} has no entry {}, but the evidence claims to be that entry",
                claim.sequence
            );
            return Ok(Err(Fault::new(
                problem,
                "Fetch the branch `receipt-ledger` anew; if it still has none, the evidence is forged.",
            )));
        }
        Some(bytes) if bytes != approved.evidence().bytes() => {
            let found = Checkpoint {
                sequence: claim.sequence,
                digest: countersign_core::digest::Digest::of(&bytes),
            };
            return Ok(Err(Fault::new(
                format!(
                    "{place} has {found}, but the evidence is {}",
                    approved.evidence().checkpoint()
                ),
                DISAGREE,
            )));
        }
        Some(_) => {}
    }
    let state = state
        .and_then(|state| ReceiptState::from_document(&state).ok())
        .filter(|state| state.operation_digest == claim.operation_digest);
    let Some(state) = state else {
        return Ok(Err(Fault::new(
            format!(
                "{place} has no state of the receipt {} for this operation",
                claim.receipt_id
            ),
            DISAGREE,
        )));
    };
    let Some(sequence) = state.outcome_sequence else {
        return Ok(Err(Fault::new(
            format!(
                "{place} does not know yet what came of the receipt {}",
                claim.receipt_id
            ),
            UNSETTLED,
        )));
    };
    let outcome = source
        .read(vec![entry_path(sequence)])
        .await?
        .pop()
        .flatten();
    let outcome = outcome.and_then(|bytes| Entry::from_document(&bytes).ok());
    Ok(succeeded(claim, sequence, outcome.as_ref())
        .map(|()| format!("{place} holds it, and entry {sequence} says that it succeeded")))
}

/// Whether the entry with the outcome tells of a success of exactly this operation.
fn succeeded(claim: &Entry, sequence: u64, outcome: Option<&Entry>) -> Result<(), Fault> {
    let about = |entry: &&Entry| {
        (entry.sequence, &entry.receipt_id, entry.operation_digest)
            == (sequence, &claim.receipt_id, claim.operation_digest)
            && entry.sequence > claim.sequence
    };
    match outcome.filter(about) {
        None => Err(Fault::new(
            format!(
                "entry {sequence} should hold the outcome of {}, but does not",
                claim.receipt_id
            ),
            DISAGREE,
        )),
        Some(entry) if entry.event_type == EventType::Succeeded => Ok(()),
        Some(entry) => {
            let code = entry
                .github_response
                .as_ref()
                .and_then(|response| response.error_code.as_deref())
                .unwrap_or("no code");
            Err(Fault::new(
                format!(
                    "entry {sequence} says `{}` ({code}), not that it succeeded",
                    entry.event_type
                ),
                UNSETTLED,
            ))
        }
    }
}
