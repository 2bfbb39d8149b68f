use countersign_core::{
    ledger::{self, LedgerStore, Settlement},
    timestamp::Timestamp,
};

async fn spend(settlement: Settlement, store: &impl LedgerStore, now: Timestamp) {
    ledger::claim(settlement, store, || now).await;
}

fn main() {}
