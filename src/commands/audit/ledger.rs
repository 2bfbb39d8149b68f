//! The ledger as an audit reads it: a receipt that does not hold counts for nothing, and the rest is read all the same.

use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, pin_mut};

use countersign_core::{
    ledger::{Aspect, BadLedger, EntryId, Examined, Examiner, Verifier},
    reconcile::{Book, Code, Finding, Subject},
};

use crate::commands::ledger::{AHEAD, By, Source, beside_entries, by_keys};

/// What a ledger says, as far as it can be believed.
pub(super) struct Told {
    pub(super) book: Book,
    pub(super) findings: Vec<Finding>,
    pub(super) newest: Option<EntryId>,
    pub(super) entries: u64,
    pub(super) place: String,
}

/// An entry, and why its receipt does not count, if it does not.
type Read = (Result<Examined, BadLedger>, Option<String>);

/// Reads the whole ledger; faults of it are findings, and only what is in the way of reading is an error.
pub(super) async fn read(source: Option<&Source>, by: &Arc<By>) -> Result<Told> {
    let Some(source) = source else {
        let missing = Finding::new(
            Code::LedgerMissing,
            Subject::ledger(),
            None,
            "there is no branch `receipt-ledger`",
        );
        return Ok(Told {
            book: Book::default(),
            findings: vec![missing],
            newest: None,
            entries: 0,
            place: "no ledger".into(),
        });
    };
    let (mut verifier, mut book) = (Verifier::default(), Book::default());
    let fault = fault_of(walk(source, by, &mut verifier, &mut book).await)?;
    let findings = fault.map(|bad| {
        Finding::new(
            Code::LedgerInvalid,
            Subject::ledger(),
            None,
            bad.to_string(),
        )
    });
    let (newest, entries) = (verifier.newest(), verifier.tally().entries);
    Ok(Told {
        book,
        findings: findings.into_iter().collect(),
        newest,
        entries,
        place: source.place(),
    })
}

/// What is wrong with the ledger is told; what kept us from looking is no answer.
fn fault_of(walked: Result<()>) -> Result<Option<BadLedger>> {
    match walked {
        Ok(()) => Ok(None),
        Err(error) => error.downcast::<BadLedger>().map(Some),
    }
}

async fn walk(
    source: &Source,
    by: &Arc<By>,
    verifier: &mut Verifier,
    book: &mut Book,
) -> Result<()> {
    let read = source.batches(false).map_ok(|batch| {
        let by = Arc::clone(by);
        async move {
            Ok(tokio::task::spawn_blocking(move || {
                batch
                    .iter()
                    .map(|(number, bytes)| examine(*number, bytes, &by))
                    .collect()
            })
            .await?)
        }
    });
    let read = read.try_buffered(AHEAD);
    pin_mut!(read);
    while let Some(batch) = read.next().await {
        let batch: Vec<Read> = batch?;
        for (examined, flaw) in batch {
            book.take(verifier.take(examined?)?, flaw);
        }
    }
    beside_entries(source, verifier).await?;
    Ok(())
}

/// A receipt whose signatures or terms do not hold leaves its entry in the chain, but for nothing else.
fn examine(number: u64, bytes: &[u8], by: &By) -> Read {
    match by_keys(by.as_ref()).examine(number, bytes) {
        Err(bad) if matches!(bad.aspect, Aspect::Signatures | Aspect::Bindings) => (
            Examiner::new(None).examine(number, bytes),
            Some(bad.problem),
        ),
        examined => (examined, None),
    }
}
