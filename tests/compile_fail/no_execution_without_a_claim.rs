use countersign::{GitHub, publisher::{AssetFiles, LedgerBranch, execute}};
use countersign_core::{authorize::Grant, evidence::AttachReceipt};

async fn publish(grant: Grant, github: &GitHub, branch: &LedgerBranch<'_>, files: &AssetFiles) {
    execute(grant, github, branch, files, AttachReceipt::No).await;
}

fn main() {}
