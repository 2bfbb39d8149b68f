//! Where things lie on the ledger branch.

use alloc::{format, string::String};

/// The newest entry's sequence and digest.
pub const HEAD_PATH: &str = "ledger.json";
/// Which trust file and which policy stood behind the newest claim.
pub const AUTHORITY_PATH: &str = "authority.json";

/// `entries/000/000000042.json`: a folder for every thousand entries.
#[must_use]
pub fn entry_path(sequence: u64) -> String {
    format!("entries/{:03}/{sequence:09}.json", sequence / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_documented_layout() {
        assert_eq!(entry_path(42), "entries/000/000000042.json");
        assert_eq!(entry_path(1_234_567), "entries/1234/001234567.json");
    }
}
