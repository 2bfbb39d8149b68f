use countersign::{GitHub, publisher::{AssetFiles, LedgerBranch, execute}};
use countersign_core::{evidence::AttachReceipt, ledger::Claim};

async fn twice(claim: Claim, github: &GitHub, branch: &LedgerBranch<'_>, files: &AssetFiles) {
    execute(claim, github, branch, files, AttachReceipt::No).await;
    execute(claim, github, branch, files, AttachReceipt::No).await;
}

fn main() {}
