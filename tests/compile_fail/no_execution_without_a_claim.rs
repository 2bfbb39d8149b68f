use countersign::{GitHub, publisher};
use countersign_core::{authorize::Grant, evidence::AttachReceipt};

async fn publish(grant: Grant, github: &GitHub, files: &publisher::AssetFiles) {
    publisher::execute(grant, github, files, AttachReceipt::No).await;
}

fn main() {}
