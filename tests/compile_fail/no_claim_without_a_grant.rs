use countersign_core::{
    ledger::{self, LedgerStore},
    operation::Operation,
    timestamp::Timestamp,
};

async fn spend(operation: Operation, store: &impl LedgerStore, now: Timestamp) {
    ledger::claim(operation, store, || now).await;
}

fn main() {}
