//! `countersign ledger show`: the entries, newest first.

use anyhow::Context as _;
use futures_util::{StreamExt as _, pin_mut};

use countersign_core::{
    document::Document as _,
    ledger::{Entry, Withdrawing},
};

use super::source::Source;
use crate::{
    Environment,
    cli::LedgerShowArguments,
    commands::{Row, print, tell},
    exit::Exit,
};

pub(crate) async fn show(
    arguments: &LedgerShowArguments,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    let source = Source::open(&arguments.place, environment).await?;
    let mut shown = 0;
    let batches = source.batches(true);
    pin_mut!(batches);
    while let Some(batch) = batches.next().await {
        for (number, bytes) in batch?.iter().rev() {
            if let Ok(entry) = Withdrawing::from_document(bytes) {
                if arguments.wants(&entry) {
                    print(Row::words(withdrawn(&entry)))?;
                    shown += 1;
                }
                continue;
            }
            let entry = Entry::from_document(bytes).with_context(|| format!("entry {number}"))?;
            if wanted(&entry, arguments) {
                print(Row::words(line(&entry)))?;
                shown += 1;
            }
        }
    }
    if shown == 0 {
        tell(Row::words(nothing_shown(source.entries)));
    }
    Ok(Exit::Success)
}

fn nothing_shown(entries: u64) -> String {
    match entries {
        0 => "The ledger is empty: nothing has been published with it yet. The first publication \
              adds its entries."
            .into(),
        1 => "The ledger's one entry does not match.".into(),
        entries => format!("None of the ledger's {entries} entries matches."),
    }
}

fn wanted(entry: &Entry, arguments: &LedgerShowArguments) -> bool {
    arguments
        .receipt
        .as_ref()
        .is_none_or(|receipt| *receipt == entry.receipt_id)
        && arguments
            .run
            .as_ref()
            .is_none_or(|run| *run == entry.acting_run)
        && arguments
            .kind
            .is_none_or(|kind| kind == entry.operation_kind)
}

impl LedgerShowArguments {
    /// A withdrawal names neither the receipt's id nor the kind of its operation.
    fn wants(&self, entry: &Withdrawing) -> bool {
        self.receipt.is_none()
            && self.kind.is_none()
            && self.run.as_ref().is_none_or(|run| *run == entry.run)
    }
}

fn withdrawn(entry: &Withdrawing) -> String {
    let receipts = entry.receipts.iter().map(ToString::to_string);
    format!(
        "{:>9}  {}  withdrawn  {}  run {}",
        entry.sequence,
        entry.timestamp,
        receipts.collect::<String>(),
        entry.run
    )
}

fn line(entry: &Entry) -> String {
    let event = entry
        .event_type
        .as_str()
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let signers: Vec<&str> = entry
        .signers
        .iter()
        .map(|signer| signer.name.as_str())
        .collect();
    let answer = entry.github_response.as_ref();
    let told = answer
        .and_then(|answer| answer.error_code.as_deref().or(answer.html_url.as_deref()))
        .unwrap_or_default();
    format!(
        "{:>9}  {}  {event:<9}  {:<15}  {}  run {} attempt {}  by {}  {told}",
        entry.sequence,
        entry.timestamp,
        entry.operation_kind.as_str(),
        entry.receipt_id,
        entry.acting_run,
        entry.attempt,
        signers.join(", "),
    )
}
