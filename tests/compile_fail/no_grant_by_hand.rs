use countersign_core::{authorize::Grant, operation::Operation, receipt::VerifiedReceipt};

fn forge(receipt: VerifiedReceipt, operation: Operation) -> Grant {
    Grant { receipt, operation }
}

fn main() {}
