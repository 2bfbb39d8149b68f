use countersign::{GitHub, publisher};
use countersign_core::authorize::Grant;

async fn publish(grant: Grant, github: &GitHub, files: &publisher::AssetFiles) {
    publisher::execute(grant, github, files).await;
}

fn main() {}
