use countersign_core::{authorize::Grant, ledger::{Checkpoint, Claim}};

fn forge(grant: Grant, entry: Checkpoint) -> Claim {
    Claim { grant, entry }
}

fn main() {}
