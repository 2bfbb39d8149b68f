use countersign_core::{authorize::Grant, ledger::{Claim, EntryId}};

fn forge(grant: Grant, entry: EntryId) -> Claim {
    Claim { grant, entry }
}

fn main() {}
