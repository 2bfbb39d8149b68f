//! Envelopes that others made: the vector files in the published crate `dsse`, and that crate itself as a second opinion.
//!
//! `vectors/cross_lang_signing.json` was made with go-securesystemslib, `cases.json` was checked against sigstore-js.
#![expect(
    clippy::disallowed_types,
    reason = "cargo says where the registry's files are; only tests ask it"
)]

use std::{env, fs, process::Command, string::ToString as _};

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use serde_json::Value as Json;

use super::*;
use crate::{
    keys::PublicKey,
    testing::{hex, key, terms, trust},
};

const CONTROLS: &str = "interop/sigstore-js-threshold-2026-10-04/cases.json";
/// The payload type of the controls.
const EXAMPLE: &str = "application/vnd.example+json";

/// A file of the crate `dsse` as the registry holds it: Cargo.lock fixes its bytes.
fn vectors(file: &str) -> Json {
    let mut metadata = Command::new(env::var("CARGO").unwrap());
    metadata.args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    let output = metadata.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "dsse")
        .unwrap();
    let folder = package["manifest_path"]
        .as_str()
        .unwrap()
        .strip_suffix("Cargo.toml")
        .unwrap();
    serde_json::from_slice(&fs::read(format!("{folder}{file}")).unwrap()).unwrap()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap()
}

fn bytes(base64: &Json) -> Vec<u8> {
    STANDARD.decode(text(base64)).unwrap()
}

fn read(envelope: &Json, payload_type: &str) -> Result<Dsse, Malformed> {
    Dsse::from_json(
        json::parse(&serde_json::to_vec(envelope).unwrap(), MOST_BYTES)?,
        String::from(payload_type).leak(),
    )
}

#[test]
fn the_encoding_is_that_of_the_crate_dsse() {
    let long = "x".repeat(70_000);
    let types = [
        "",
        " ",
        "a",
        PAYLOAD_TYPE,
        crate::trust::PAYLOAD_TYPE,
        "http://example.com/HelloWorld",
        "DSSEv1 1 a 1 b",
        "ünïcødé",
        "\0\n",
        "日本語/🔑",
        &long,
    ];
    let mut payloads: Vec<Vec<u8>> = (0..1100)
        .map(|length| (0_u8..=255).cycle().take(length).collect())
        .collect();
    payloads
        .extend([9_999, 10_000, 65_535, 65_536, 1_000_000].map(|length| std::vec![0xa5; length]));
    payloads.extend(["DSSEv1 0  0 ", " 5 hello", "ü", "{}\n"].map(|text| text.as_bytes().to_vec()));
    let mut compared = 0;
    for payload_type in types {
        for payload in &payloads {
            let (ours, theirs) = (
                pre_authentication_encoding(payload_type, payload),
                dsse::pae(payload_type, payload),
            );
            assert!(
                ours == theirs,
                "a type of {} bytes and a payload of {}",
                payload_type.len(),
                payload.len()
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 11 * 1109);
}

#[test]
fn the_envelopes_of_go_securesystemslib_hold_and_are_made_alike() {
    let file = vectors("vectors/cross_lang_signing.json");
    let signing = SigningKey::from_bytes(&hex(text(&file["test_seed_hex"])).try_into().unwrap());
    let trusted = TrustedKeys::parse(text(&file["public_key_pem"])).unwrap();
    let theirs = &trusted.as_slice()[0].key;
    assert_eq!(*theirs, PublicKey::new(signing.verifying_key()).unwrap());
    let fixtures = file["fixtures"].as_array().unwrap();
    assert_eq!(fixtures.len(), 11);
    for fixture in fixtures {
        let (name, payload_type) = (text(&fixture["name"]), text(&fixture["payload_type"]));
        let payload = bytes(&fixture["canonical_b64"]);
        assert_eq!(
            pre_authentication_encoding(payload_type, &payload),
            bytes(&fixture["pae_b64"]),
            "{name}"
        );
        let envelope = read(&fixture["envelope"], payload_type).unwrap();
        assert!(
            envelope.is_signed_by()(theirs) && envelope.payload() == payload,
            "{name}"
        );
        assert!(
            !envelope.is_signed_by()(&trust(&[1]).as_slice()[0].key),
            "{name}"
        );

        let ours = Dsse::new(String::from(payload_type).leak(), payload)
            .signed_by(&signing)
            .unwrap();
        let ours = serde_json::to_value(ours).unwrap();
        assert_eq!(
            ours["signatures"][0]["sig"], fixture["signature_b64"],
            "{name}"
        );
        assert_eq!(ours["payload"], fixture["envelope"]["payload"], "{name}");

        // Under another type, or with another payload, it does not hold.
        let holds = |member: &str, value: &str, payload_type: &str| {
            let mut other = fixture["envelope"].clone();
            other[member] = value.into();
            read(&other, payload_type).unwrap().is_signed_by()(theirs)
        };
        assert!(!holds("payloadType", "another", "another"), "{name}");
        assert!(!holds("payload", "YW5vdGhlcg==", payload_type), "{name}");
    }
}

/// Where Countersign decides otherwise than the controls expect, and why.
const OTHERWISE: [(&str, &str); 1] = [(
    "skip-extra-invalid-entries",
    "a `sig` that is no canonical base64 is refused, not skipped: one spelling for one envelope",
)];

/// What a control comes to here; Ok if enough of its keys signed.
fn decided(control: &Json) -> Result<(), String> {
    let line = |entry: &Json| {
        let key =
            VerifyingKey::from_bytes(&hex(text(&entry["public_hex"])).try_into().unwrap()).unwrap();
        format!(
            "{} {}",
            PublicKey::new(key).unwrap().to_openssh(),
            text(&entry["id"])
        )
    };
    let lines: Vec<_> = control["trusted_keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    let trusted = TrustedKeys::parse(&lines.join("\n")).map_err(|error| error.to_string())?;
    let threshold = Threshold::parse(&control["threshold"].to_string(), &trusted)
        .map_err(|error| error.to_string())?;
    let envelope = read(&control["envelope"], EXAMPLE).map_err(|error| error.to_string())?;
    // None of the payloads is a receipt. They are read only after enough keys signed: this is what is refused then.
    match Envelope(envelope).verify(&trusted, threshold).unwrap_err() {
        Refusal::ReceiptMalformed(_) => Ok(()),
        refusal => Err(refusal.to_string()),
    }
}

#[test]
fn keys_are_counted_as_the_controls_for_sigstore_say() {
    let file = vectors(CONTROLS);
    let controls = file["cases"].as_array().unwrap();
    assert_eq!(controls.len(), 17);
    let differs = |control: &&Json| {
        decided(control).is_ok() != (control["expected"]["decision"] == "verified")
    };
    let mut otherwise: Vec<_> = controls
        .iter()
        .filter(differs)
        .map(|control| text(&control["id"]))
        .collect();
    otherwise.sort_unstable();
    assert_eq!(otherwise, OTHERWISE.map(|(id, _)| id));
}

#[test]
fn what_the_controls_refuse_is_refused_for_its_reason() {
    let file = vectors(CONTROLS);
    let expected = [
        (
            "skip-extra-invalid-entries",
            "expected canonical padded base64 (at $.signatures[0].sig)",
        ),
        (
            "duplicate-signature-entry",
            "1 person(s) signed the receipt with trusted keys, 2 must",
        ),
        (
            "same-key-two-labels",
            "line 2: the key of `key-a` stands here again as `alias`",
        ),
        ("changed-payload", "none of the 2 signature(s)"),
        (
            "changed-type",
            "expected `application/vnd.example+json`, found `changed` (at $.payloadType)",
        ),
        ("signature-over-base64-text", "none of the 2 signature(s)"),
        ("wrong-length-signatures", "none of the 1 signature(s)"),
        (
            "only-malformed-signatures",
            "expected canonical padded base64 (at $.signatures[0].sig)",
        ),
        (
            "noncanonical-payload",
            "expected canonical padded base64 (at $.payload)",
        ),
        (
            "empty-payload-type",
            "expected `application/vnd.example+json`, found `` (at $.payloadType)",
        ),
        ("no-signatures", "none of the 0 signature(s)"),
        ("zero-threshold", "the threshold is `0`"),
        ("threshold-above-key-count", "the threshold is `3`"),
    ];
    for (id, reason) in expected {
        let control = file["cases"]
            .as_array()
            .unwrap()
            .iter()
            .find(|control| control["id"] == id)
            .unwrap();
        let said = decided(control).unwrap_err();
        assert!(said.contains(reason), "{id}: {said}");
    }
}

/// A key as the crate `dsse` asks it; by the laxer rule, since what we sign must hold by both.
struct Theirs(VerifyingKey);

impl dsse::Verifier for Theirs {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }

    fn key_id(&self) -> Option<String> {
        Some(PublicKey::new(self.0).unwrap().fingerprint().to_string())
    }

    fn key_identity(&self) -> Option<Vec<u8>> {
        Some(self.0.to_bytes().into())
    }
}

#[test]
fn the_crate_dsse_verifies_our_receipts_and_counts_alike() {
    let theirs = [1, 2, 3].map(|seed| Theirs(key(seed).verifying_key()));
    let theirs: Vec<&dyn dsse::Verifier> = theirs
        .iter()
        .map(|key| key as &dyn dsse::Verifier)
        .collect();
    for (signers, threshold, holds) in [
        (&[1][..], 1, true),
        (&[1], 2, false),
        (&[1, 2], 2, true),
        (&[1, 1], 2, false),
        (&[1, 9], 2, false),
        (&[1, 2, 3], 3, true),
        (&[9], 1, false),
        (&[], 1, false),
    ] {
        let keys: Vec<_> = signers.iter().map(|seed| key(*seed)).collect();
        let ours = Envelope::sign(&terms(), &keys.iter().collect::<Vec<_>>());
        let envelope = dsse::Envelope::from_json(ours.to_line().as_bytes()).unwrap();
        let verified = dsse::verify(&envelope, &theirs, threshold);
        assert_eq!(
            verified.is_ok_and(|verified| verified.payload == terms().to_payload()),
            holds,
            "{signers:?}, {threshold}"
        );
        let trusted = trust(&[1, 2, 3]);
        let threshold = Threshold::parse(&threshold.to_string(), &trusted).unwrap();
        assert_eq!(
            ours.verify(&trusted, threshold).is_ok(),
            holds,
            "{signers:?}"
        );
    }
}
