use countersign::{GitHub, publisher::{AssetFiles, LedgerBranch, execute}};
use countersign_core::{evidence::AttachReceipt, ledger::Settlement};

async fn publish(look: Settlement, github: &GitHub, branch: &LedgerBranch<'_>, files: &AssetFiles) {
    execute(look, github, branch, files, AttachReceipt::No).await;
}

fn main() {}
