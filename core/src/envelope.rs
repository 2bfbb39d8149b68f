//! The signed envelope (DSSE 1.0.2): a payload that nobody may read before its signatures hold.
//!
//! Source: <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md> and `protocol.md` beside it.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use serde::Serialize;

use crate::{
    document::to_json,
    json::{self, Malformed, Object, Value},
    keys::{Fingerprint, PublicKey, Threshold, TrustedKeys},
    receipt::{Terms, VerifiedReceipt},
    refusal::Refusal,
};

/// Largest envelope in bytes.
pub const MOST_BYTES: usize = 64 * 1024;
/// Most signatures on one envelope.
pub const MOST_SIGNATURES: usize = 32;
/// The one payload type that is accepted.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope whose signatures nobody has verified yet; its payload cannot be read.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Envelope {
    #[serde(serialize_with = "base64_text")]
    payload: Vec<u8>,
    #[serde(rename = "payloadType")]
    payload_type: &'static str,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
struct EnvelopeSignature {
    /// A hint for people. DSSE: "keyid … MUST NOT be used for security decisions".
    keyid: String,
    #[serde(serialize_with = "base64_text")]
    sig: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope from JSON, or from base64 or base64url of it, as people hand it over.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if text.starts_with('{') {
            return Self::from_json_bytes(text.as_bytes());
        }
        Self::from_json_bytes(&decode_handed_over(text)?)
    }

    fn from_json_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_json(json::parse(bytes, MOST_BYTES)?)
    }

    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        object.expect("payloadType", PAYLOAD_TYPE)?;
        let payload = canonical_base64(object.take("payload")?)?;
        let signatures = object.take("signatures")?;
        let too_many = signatures.refuse(format!("more than {MOST_SIGNATURES} signatures"));
        let signatures = signatures.list()?;
        if signatures.len() > MOST_SIGNATURES {
            return Err(too_many);
        }
        let signatures = signatures.into_iter().map(EnvelopeSignature::from_json).collect::<Result<_, _>>()?;
        object.end()?;
        Ok(Self { payload, payload_type: PAYLOAD_TYPE, signatures })
    }

    /// Signs the terms of a receipt.
    #[must_use]
    pub fn sign(terms: &Terms, keys: &[&SigningKey]) -> Self {
        let payload = terms.to_payload();
        let message = pre_authentication_encoding(&payload);
        let signatures = keys.iter().map(|key| EnvelopeSignature::by(key, &message)).collect();
        Self { payload, payload_type: PAYLOAD_TYPE, signatures }
    }

    /// The same payload with one more signature. Only a receipt that somebody verified is signed further.
    pub(crate) fn with_signature(&self, key: &SigningKey) -> Option<Self> {
        let message = pre_authentication_encoding(&self.payload);
        let public = PublicKey::new(key.verifying_key())?;
        if self.signatures.len() >= MOST_SIGNATURES || self.signatures.iter().any(|signature| signature.is_by(&public, &message)) {
            return None;
        }
        let mut more = self.clone();
        more.signatures.push(EnvelopeSignature::by(key, &message));
        Some(more)
    }

    /// The envelope as JSON on one line.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "JSON is text")]
    pub fn to_line(&self) -> String {
        String::from_utf8(to_json(self)).expect("JSON is UTF-8")
    }

    /// Counts the distinct trusted keys that signed; only then is the payload read.
    pub fn verify(self, trusted: &TrustedKeys, threshold: Threshold) -> Result<VerifiedReceipt, Refusal> {
        let message = pre_authentication_encoding(&self.payload);
        let signers: Vec<Signer> = trusted
            .as_slice()
            .iter()
            .filter(|trusted| self.signatures.iter().any(|signature| signature.is_by(&trusted.key, &message)))
            .map(|trusted| Signer { name: trusted.name.clone(), fingerprint: trusted.key.fingerprint() })
            .collect();
        if signers.is_empty() {
            return Err(Refusal::SignatureUntrusted { signatures: self.signatures.len(), trusted: trusted.as_slice().len() });
        }
        if signers.len() < threshold.get() {
            return Err(Refusal::ThresholdUnmet { signed: signers.len(), threshold: threshold.get() });
        }
        let terms = Terms::from_payload(&self.payload)?;
        Ok(VerifiedReceipt::new(terms, signers, threshold, self))
    }
}

/// Says nothing about the payload, which nobody has verified.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({} bytes, {} signatures)", self.payload.len(), self.signatures.len())
    }
}

/// A trusted key that signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The name under which the key is trusted.
    pub name: String,
    /// The key's OpenSSH fingerprint.
    pub fingerprint: Fingerprint,
}

impl EnvelopeSignature {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let signature = Self { keyid: Self::keyid(&mut object)?, sig: canonical_base64(object.take("sig")?)? };
        object.end()?;
        Ok(signature)
    }

    /// DSSE makes the key id optional; since it is never trusted, one that is absent or lies changes nothing.
    fn keyid(object: &mut Object) -> Result<String, Malformed> {
        object.take_optional("keyid").map_or(Ok(String::new()), Value::text)
    }

    fn by(key: &SigningKey, message: &[u8]) -> Self {
        let keyid = PublicKey::new(key.verifying_key()).map_or(String::new(), |key| key.fingerprint().as_str().into());
        Self { keyid, sig: key.sign(message).to_bytes().into() }
    }

    /// `verify_strict` also refuses signatures that other rules accept in several spellings (S + L, small-order R).
    fn is_by(&self, key: &PublicKey, message: &[u8]) -> bool {
        Signature::from_slice(&self.sig).is_ok_and(|signature| key.verifies(message, &signature))
    }
}

/// `DSSEv1 <length of type> <type> <length of payload> <payload>`: what is signed.
#[must_use]
pub fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Standard alphabet, padded, without stray bits: one spelling for one value.
fn canonical_base64(value: Value) -> Result<Vec<u8>, Malformed> {
    let malformed = value.refuse("expected canonical padded base64");
    STANDARD.decode(value.text()?).map_err(|_| malformed)
}

fn base64_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// Base64 or base64url, with or without padding, as chat programs and shells leave it.
fn decode_handed_over(text: &str) -> Result<Vec<u8>, Malformed> {
    let malformed = |problem: &str| Malformed::new("the whole receipt", problem);
    if text.len() > MOST_BYTES.div_ceil(3) * 4 {
        return Err(malformed("it is longer than 64 KiB in base64"));
    }
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    if plain.len() % 4 == 1 {
        return Err(malformed("the base64 text ends in the middle of a group").cut_off_here());
    }
    let padded = format!("{plain}{}", "=".repeat(plain.len().wrapping_neg() % 4));
    STANDARD.decode(padded).map_err(|_| malformed("expected JSON that begins with `{`, or base64 of it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, terms, trust};
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
    use std::string::ToString;

    fn verify(envelope: Envelope, keys: &[u8], threshold: &str) -> Result<VerifiedReceipt, Refusal> {
        let trusted = trust(keys);
        envelope.verify(&trusted, Threshold::parse(threshold, &trusted).unwrap())
    }

    fn signed(keys: &[u8]) -> Envelope {
        let keys: Vec<_> = keys.iter().map(|seed| key(*seed)).collect();
        Envelope::sign(&terms(), &keys.iter().collect::<Vec<_>>())
    }

    fn names(receipt: &VerifiedReceipt) -> Vec<&str> {
        receipt.signers().iter().map(|signer| signer.name.as_str()).collect()
    }

    #[test]
    fn the_encoding_that_is_signed_follows_the_protocol() {
        assert_eq!(pre_authentication_encoding(b"hello world"), b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
    }

    #[test]
    fn a_signed_envelope_verifies_and_yields_its_terms() {
        let receipt = verify(signed(&[1]), &[1, 2], "1").unwrap();
        assert_eq!((receipt.terms(), names(&receipt)), (&terms(), ["key-1"].into()));
    }

    #[test]
    fn json_base64_and_base64url_are_the_same_receipt() {
        let envelope = signed(&[1]);
        let line = envelope.to_line();
        for text in [line.clone(), format!("\n  {line}\r\n"), STANDARD.encode(&line), STANDARD_NO_PAD.encode(&line), URL_SAFE.encode(&line)]
        {
            assert_eq!(Envelope::parse(&text), Ok(envelope.clone()));
        }
    }

    #[test]
    fn a_clipped_receipt_is_told_as_such() {
        let line = signed(&[1]).to_line();
        let base64 = STANDARD_NO_PAD.encode(&line);
        for text in [&line[..line.len() - 1], &line[..line.len() / 2], &base64[..41], &base64[..200]] {
            assert!(Envelope::parse(text).is_err_and(|problem| problem.is_cut_off()), "{text}");
        }
    }

    #[test]
    fn keys_are_counted_and_signatures_are_not() {
        assert_eq!(verify(signed(&[1, 1, 1]), &[1, 2], "2"), Err(Refusal::ThresholdUnmet { signed: 1, threshold: 2 }));
        assert_eq!(verify(signed(&[1, 2]), &[1, 2, 3], "2").as_ref().map(names), Ok(["key-1", "key-2"].into()));
        assert_eq!(verify(signed(&[7]), &[1, 2], "1"), Err(Refusal::SignatureUntrusted { signatures: 1, trusted: 2 }));
        assert_eq!(verify(signed(&[]), &[1], "1"), Err(Refusal::SignatureUntrusted { signatures: 0, trusted: 1 }));
    }

    #[test]
    fn a_key_id_that_lies_or_is_absent_changes_nothing() {
        let line = signed(&[1]).to_line();
        let keyid = format!("\"keyid\":\"{}\"", trust(&[1]).as_slice()[0].key.fingerprint());
        for other in ["\"keyid\":\"SHA256:lies\",", ""] {
            let envelope = Envelope::parse(&line.replace(&format!("{keyid},"), other)).unwrap();
            assert_eq!(verify(envelope, &[1], "1").as_ref().map(names), Ok(["key-1"].into()));
        }
    }

    #[test]
    fn a_changed_payload_is_not_read() {
        let mut envelope = signed(&[1]);
        envelope.payload = b"{}".to_vec();
        assert_eq!(verify(envelope, &[1], "1"), Err(Refusal::SignatureUntrusted { signatures: 1, trusted: 1 }));
    }

    #[test]
    fn thirty_two_signatures_are_read_and_thirty_three_refused() {
        assert_eq!(Envelope::parse(&signed(&[1; 32]).to_line()).map(|_| ()), Ok(()));
        assert_eq!(Envelope::parse(&signed(&[1; 33]).to_line()).unwrap_err().to_string(), "more than 32 signatures (at $.signatures)");
    }

    #[test]
    fn other_types_members_and_encodings_are_refused() {
        let line = signed(&[1]).to_line();
        let problem = |from: &str, to: &str| Envelope::parse(&line.replacen(from, to, 1)).unwrap_err().to_string();
        assert_eq!(
            problem("vnd.in-toto", "VND.in-toto"),
            "expected `application/vnd.in-toto+json`, found `application/VND.in-toto+json` (at $.payloadType)"
        );
        assert_eq!(problem("{\"payload\"", "{\"extra\":1,\"payload\""), "the member `extra` is unknown (at $)");
        assert_eq!(problem("==\"", "\""), "expected canonical padded base64 (at $.signatures[0].sig)");
        assert_eq!(problem("\"sig\"", "\"Sig\""), "the member `sig` is missing (at $.signatures[0])");
        assert_eq!(
            Envelope::parse("%%").unwrap_err().to_string(),
            "expected JSON that begins with `{`, or base64 of it (at the whole receipt)"
        );
    }
}
