use countersign::{GitHub, publisher};
use countersign_core::{evidence::AttachReceipt, ledger::Claim};

async fn twice(claim: Claim, github: &GitHub, files: &publisher::AssetFiles) {
    publisher::execute(claim, github, files, AttachReceipt::No).await;
    publisher::execute(claim, github, files, AttachReceipt::No).await;
}

fn main() {}
