use countersign_core::ledger::{Checkpoint, Tail};

fn believe(tip: Checkpoint) -> Tail {
    Tail { base: tip, commits: Vec::new(), authorities: Vec::new() }
}

fn main() {}
