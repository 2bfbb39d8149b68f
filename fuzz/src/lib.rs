//! What must hold for any bytes: one module for each fuzz target, which `targets/` hands to libFuzzer.
#![forbid(unsafe_code)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a property that does not hold panics: that is what it is for"
)]

pub mod campaign;
pub mod commands;
pub mod envelope;
pub mod inputs;
pub mod keys;
pub mod ledger;
pub mod markdown;
pub mod operation;
pub mod plan;
pub mod policy;
pub mod receipt;
pub mod record;
pub mod trust;

use std::fmt::Display;

use countersign_core::{
    keys::{PublicKey, TrustedKeys},
    ledger::{Checkpoint, Head},
    text::hides_on_a_line,
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;

/// What an annotation holds. Longer messages are cut, and then the remedy is what is missing.
const MOST_MESSAGE: usize = 4000;

/// 2026-11-22T12:00:00Z, a day on which the examples of the pages count.
const NOW: Timestamp = Timestamp::from_unix(1_795_348_800);

/// The key that signed the pages' examples, alice's.
const ALICE: u8 = 1;
/// A key that signed nothing.
const STRANGER: u8 = 7;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    PublicKey::new(key(seed).verifying_key()).expect("the key is not weak")
}

fn trusted(seed: u8) -> TrustedKeys {
    TrustedKeys::parse(&format!("{} key-{seed}", public(seed).to_openssh())).expect("this is a key")
}

/// An empty ledger, as an issuer saw it.
fn checkpoint() -> Checkpoint {
    Checkpoint {
        commit: "1".repeat(40).parse().expect("forty digits"),
        head: Head::EMPTY,
    }
}

/// What people read of a refusal is short, and nothing in it hides, moves what stands beside it, or ends the line.
fn can_be_shown(message: &impl Display) {
    let text = message.to_string();
    assert!(!text.contains(hides_on_a_line), "{text:?}");
    assert!(
        text.chars().count() <= MOST_MESSAGE,
        "{} characters: {text:.200}",
        text.chars().count()
    );
}
