//! A trust file counts only after its signatures were verified.

use countersign_core::trust::{Trust, TrustVersion};

fn trust_by_hand(newest: TrustVersion) -> Trust {
    Trust { newest, before: Vec::new(), digests: Vec::new() }
}

fn main() {}
