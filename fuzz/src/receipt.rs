//! The statement inside a receipt: bytes that a trusted key signed, whatever they are.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    envelope::{Envelope, MOST_BYTES, PAYLOAD_TYPE, pre_authentication_encoding},
    keys::{Threshold, TrustedKeys},
    receipt::Terms,
    refusal::Refusal,
};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::{ALICE, STRANGER, can_be_shown, key, trusted};

static KEYS: LazyLock<(SigningKey, TrustedKeys, TrustedKeys)> =
    LazyLock::new(|| (key(ALICE), trusted(ALICE), trusted(STRANGER)));

/// Terms say what any reader of JSON finds in the payload and nothing else; without a signature over exactly these bytes they are not read.
pub fn holds(payload: &[u8]) {
    let (alice, by_alice, by_stranger) = &*KEYS;
    let signature = alice
        .sign(&pre_authentication_encoding(PAYLOAD_TYPE, payload))
        .to_bytes();
    let text = envelope(payload, &signature);
    let Ok(envelope) = Envelope::parse(&text) else {
        assert!(text.len() > MOST_BYTES, "only its size speaks against it");
        return;
    };
    assert!(is_untrusted(
        &envelope.clone().verify(by_stranger, Threshold::ONE)
    ));
    match envelope.verify(by_alice, Threshold::ONE) {
        Ok(receipt) => say_what_is_there(receipt.terms(), payload),
        Err(Refusal::ReceiptMalformed(malformed)) => can_be_shown(&malformed),
        Err(other) => panic!("alice did sign it: {other}"),
    }
    changes_are_found(payload, signature);
}

fn say_what_is_there(terms: &Terms, payload: &[u8]) {
    let (alice, by_alice, _) = &*KEYS;
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("terms are JSON");
    assert_eq!(value(&terms.to_payload()), value(payload));
    let again = Envelope::sign(terms, &[alice])
        .verify(by_alice, Threshold::ONE)
        .expect("what is written is read");
    assert_eq!(again.terms(), terms);
}

/// The first byte tells where a bit is turned over.
fn changes_are_found(payload: &[u8], signature: [u8; 64]) {
    let (_, by_alice, _) = &*KEYS;
    let Some(place) = payload.first() else { return };
    let at = usize::from(*place);
    let mut changed = payload.to_vec();
    changed[at % payload.len()] ^= 1 << (at % 8);
    let mut forged = signature;
    forged[at % 64] ^= 1 << (at % 8);
    for text in [envelope(&changed, &signature), envelope(payload, &forged)] {
        let read = Envelope::parse(&text).expect("it is as long as the one that was read");
        assert!(is_untrusted(&read.verify(by_alice, Threshold::ONE)));
    }
}

fn is_untrusted<T>(verified: &Result<T, Refusal>) -> bool {
    matches!(
        verified,
        Err(Refusal::SignatureUntrusted { signatures: 1, .. })
    )
}

fn envelope(payload: &[u8], signature: &[u8]) -> String {
    let signature = json!({ "sig": STANDARD.encode(signature) });
    json!({ "payload": STANDARD.encode(payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature] }).to_string()
}
