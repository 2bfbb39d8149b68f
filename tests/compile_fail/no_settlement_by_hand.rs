use countersign_core::{authorize::Grant, ledger::Settlement};

fn look(grant: Grant) -> Settlement {
    Settlement { grant, open: Vec::new() }
}

fn main() {}
