use countersign::{GitHub, publisher};
use countersign_core::ledger::Claim;

async fn twice(claim: Claim, github: &GitHub, files: &publisher::AssetFiles) {
    publisher::execute(claim, github, files).await;
    publisher::execute(claim, github, files).await;
}

fn main() {}
