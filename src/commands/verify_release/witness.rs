//! The ledger as the witness of a release: it holds the evidence as its own entry, and says that the operation succeeded.
//!
//! The chain was recomputed before; the signatures on other receipts are no matter here: `countersign ledger verify` looks at all of them.

use anyhow::Result;

use countersign_core::{
    document::Document as _,
    evidence::ApprovedRelease,
    ledger::{Entry, EntryId, EventType, Examiner, Keys, Pair, Withdrawing, entry_path},
    operation::Operation,
};

use super::{dates::Claimed, findings::Fault};
use crate::commands::ledger::source::Source;

/// What to do when ledger and evidence do not agree.
pub(super) const DISAGREE: &str = "One of them is forged, or this is another repository's ledger: verify it with `countersign ledger verify`.";
const UNSETTLED: &str =
    "Look at `countersign ledger show`; re-run the job that published, which settles it.";

/// The entries about one operation of one run, as the chain holds them.
pub(super) struct Outcome {
    claim: u64,
    /// The first claim of what the claim belongs to: from then on its receipt could not be taken back.
    begun: Option<u64>,
    pair: Pair,
    /// The claim of the evidence, and those that later attempts took over from it.
    claims: Vec<Entry>,
    found: Option<Entry>,
}

impl Outcome {
    pub(super) fn of(claim: &Entry) -> Self {
        Self {
            claim: claim.sequence,
            begun: None,
            pair: Pair::named_by(claim),
            claims: Vec::new(),
            found: None,
        }
    }

    /// Takes in the next entry of the chain. The first outcome after the claim ends the operation.
    pub(super) fn take(&mut self, entry: Entry) {
        if Pair::named_by(&entry) != self.pair || self.found.is_some() {
            return;
        }
        if entry.sequence < self.claim {
            match entry.event_type {
                EventType::Claimed => self.begun = self.begun.or(Some(entry.sequence)),
                EventType::Succeeded | EventType::Failed => self.begun = None,
                EventType::Unknown => {}
            }
            return;
        }
        match entry.event_type {
            EventType::Claimed => self.claims.push(entry),
            EventType::Succeeded | EventType::Failed => self.found = Some(entry),
            EventType::Unknown => {}
        }
    }

    /// The claims until the outcome whose receipts hold, the evidence's first.
    pub(super) fn claims(&self, keys: Keys<'_>) -> Vec<Claimed> {
        let examiner = Examiner::new(Some(keys));
        let claimed = |entry: &Entry| {
            let (document, operation) = (entry.to_document(), entry.operation.as_ref()?.to_bytes());
            let held = examiner.examine(entry.sequence, &document, Some(&operation));
            let held = held.ok()?;
            let expires_at = held.terms()?.expires_at;
            Some(Claimed {
                sequence: entry.sequence,
                at: entry.timestamp,
                expires_at,
            })
        };
        self.claims.iter().filter_map(claimed).collect()
    }

    /// How the evidence's receipt had been taken back before anything was claimed, if it had.
    pub(super) fn withdrawn(
        &self,
        approved: &ApprovedRelease,
        withdrawals: &[Withdrawing],
        keys: Keys<'_>,
    ) -> Option<Fault> {
        let evidence = approved.evidence();
        let operation = evidence.entry().operation.as_ref().map(Operation::to_bytes);
        let examined = Examiner::new(Some(keys))
            .examine(self.claim, &evidence.entry_file(), operation.as_deref())
            .ok()?;
        let begun = self.begun.unwrap_or(self.claim);
        let mut before = withdrawals.iter().filter(|entry| entry.sequence < begun);
        let told = before.find_map(|entry| examined.withdrawn_by(entry))?;
        Some(Fault::new(
            format!("its receipt was withdrawn before it was used: {told}"),
            "Countersign does nothing with such a receipt, so someone published this by hand: ask the approvers.",
        ))
    }

    /// The entry with the outcome.
    pub(super) fn sequence(&self) -> Option<u64> {
        self.found.as_ref().map(|found| found.sequence)
    }
}

pub(super) async fn holds(
    source: &Source,
    approved: &ApprovedRelease,
    outcome: &Outcome,
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
    let entry = source
        .read(vec![entry_path(claim.sequence)])
        .await?
        .pop()
        .flatten();
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
        Some(bytes) if bytes != approved.evidence().entry_file() => {
            let found = EntryId {
                sequence: claim.sequence,
                digest: countersign_core::digest::Digest::of(&bytes),
            };
            return Ok(Err(Fault::new(
                format!(
                    "{place} has {found}, but the evidence is {}",
                    approved.evidence().entry_id()
                ),
                DISAGREE,
            )));
        }
        Some(_) => {}
    }
    let Some(outcome) = &outcome.found else {
        return Ok(Err(Fault::new(
            format!(
                "{place} holds no outcome of the receipt {} yet",
                claim.receipt_id
            ),
            UNSETTLED,
        )));
    };
    Ok(succeeded(outcome).map(|()| {
        format!(
            "{place} holds it, and entry {} says that it succeeded",
            outcome.sequence
        )
    }))
}

fn succeeded(outcome: &Entry) -> Result<(), Fault> {
    if outcome.event_type == EventType::Succeeded {
        return Ok(());
    }
    let code = outcome
        .github_response
        .as_ref()
        .and_then(|response| response.error_code.as_deref())
        .unwrap_or("no code");
    Err(Fault::new(
        format!(
            "entry {} says `{}` ({code}), not that it succeeded",
            outcome.sequence, outcome.event_type
        ),
        UNSETTLED,
    ))
}
