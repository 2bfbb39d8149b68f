//! Where things lie on the ledger branch.

use alloc::{format, string::String};

use crate::digest::Digest;

/// The newest entry's sequence and digest.
pub const HEAD_PATH: &str = "ledger.json";
/// Which trust file and which policy stood behind the newest claim.
pub const AUTHORITY_PATH: &str = "authority.json";

/// `entries/000/000000042.json`: a folder for every thousand entries.
#[must_use]
pub fn entry_path(sequence: u64) -> String {
    format!("entries/{:03}/{sequence:09}.json", sequence / 1000)
}

/// `operations/63/63a0….json`: the operation of a claim, under its own digest, in its exact bytes.
#[must_use]
pub fn operation_path(operation: &Digest) -> String {
    let hex = operation.to_hex();
    format!("operations/{}/{hex}.json", &hex[..2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_documented_layout() {
        assert_eq!(entry_path(42), "entries/000/000000042.json");
        assert_eq!(entry_path(1_234_567), "entries/1234/001234567.json");
        assert_eq!(
            operation_path(&Digest::of(b"abc")),
            "operations/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.json"
        );
    }
}
