use countersign_core::ledger::Claim;

fn copy(claim: &Claim) -> Claim {
    claim.clone()
}

fn main() {}
