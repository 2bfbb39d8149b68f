//! A payload and its signatures (DSSE 1.0.2), whatever the payload is about: nobody may read it before its signatures hold.
//!
//! Source: <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md> and `protocol.md` beside it.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Serialize;

use crate::{
    json::{Malformed, Value},
    keys::PublicKey,
};

/// Most signatures on one payload.
pub const MOST_SIGNATURES: usize = 32;

/// A payload that somebody may have signed.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Dsse {
    /// The bytes that are signed, in base64.
    #[serde(serialize_with = "base64_text")]
    #[cfg_attr(test, schemars(with = "crate::schema::Base64"))]
    payload: Vec<u8>,
    /// What the payload is; it is signed too.
    #[serde(rename = "payloadType")]
    payload_type: &'static str,
    /// Who signed it.
    #[cfg_attr(test, schemars(length(max = MOST_SIGNATURES)))]
    signatures: Vec<OneSignature>,
}

/// One signature.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = crate::schema::relations::key_id_may_be_absent))]
struct OneSignature {
    /// A hint for people. DSSE: "keyid … MUST NOT be used for security decisions".
    keyid: String,
    /// An ed25519 signature of DSSE's pre-authentication encoding, in base64.
    #[serde(serialize_with = "base64_text")]
    #[cfg_attr(test, schemars(with = "crate::schema::Base64"))]
    sig: Vec<u8>,
}

/// Somebody who can sign: a key in memory, or one that an agent or a token keeps.
pub trait Signs {
    /// The public half.
    fn verifying_key(&self) -> VerifyingKey;

    /// An ed25519 signature of these bytes, or why there is none.
    fn sign(&self, message: &[u8]) -> Result<Signature, String>;
}

impl Signs for SigningKey {
    fn verifying_key(&self) -> VerifyingKey {
        SigningKey::verifying_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, String> {
        self.try_sign(message).map_err(|error| format!("{error}"))
    }
}

/// Why a signature was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// The key has signed this payload already.
    #[error("this key has signed it already")]
    Already,
    /// There is no room for one more.
    #[error("it has {MOST_SIGNATURES} signatures already, the most that are possible")]
    Full,
    /// Anybody could forge the key's signatures.
    #[error("the key is weak: anybody can forge signatures for it")]
    Weak,
    /// Whoever keeps the key did not sign.
    #[error("{0}")]
    Failed(String),
    /// What came back is no signature of these bytes by this key.
    #[error("what came back is no signature by this key")]
    Wrong,
}

impl Dsse {
    /// A payload without signatures.
    pub(crate) const fn new(payload_type: &'static str, payload: Vec<u8>) -> Self {
        Self {
            payload,
            payload_type,
            signatures: Vec::new(),
        }
    }

    pub(crate) fn from_json(value: Value, payload_type: &'static str) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        object.expect("payloadType", payload_type)?;
        let payload = canonical_base64(object.take("payload")?)?;
        let signatures = object.take("signatures")?;
        let too_many = signatures.refuse(format!("more than {MOST_SIGNATURES} signatures"));
        let signatures = signatures.list()?;
        if signatures.len() > MOST_SIGNATURES {
            return Err(too_many);
        }
        let signatures = signatures
            .into_iter()
            .map(OneSignature::from_json)
            .collect::<Result<_, _>>()?;
        object.end()?;
        Ok(Self {
            payload,
            payload_type,
            signatures,
        })
    }

    /// The payload with one more signature.
    pub(crate) fn signed_by(&self, signer: &dyn Signs) -> Result<Self, NotSigned> {
        let key = PublicKey::new(signer.verifying_key()).ok_or(NotSigned::Weak)?;
        if self.is_signed_by()(&key) {
            return Err(NotSigned::Already);
        }
        if self.signatures.len() >= MOST_SIGNATURES {
            return Err(NotSigned::Full);
        }
        let signature = signer.sign(&self.message()).map_err(NotSigned::Failed)?;
        let mut more = self.clone();
        more.signatures.push(OneSignature {
            keyid: key.fingerprint().as_str().into(),
            sig: signature.to_bytes().into(),
        });
        if more.is_signed_by()(&key) {
            Ok(more)
        } else {
            Err(NotSigned::Wrong)
        }
    }

    /// Tells of a key whether it signed.
    pub(crate) fn is_signed_by(&self) -> impl Fn(&PublicKey) -> bool {
        let message = self.message();
        move |key| {
            self.signatures
                .iter()
                .any(|signature| key.verifies(&message, &signature.sig))
        }
    }

    /// The payload's bytes: only for whoever has checked the signatures.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) const fn signatures(&self) -> usize {
        self.signatures.len()
    }

    fn message(&self) -> Vec<u8> {
        pre_authentication_encoding(self.payload_type, &self.payload)
    }
}

/// Says nothing about the payload, which nobody has verified.
impl fmt::Debug for Dsse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes, {} signatures",
            self.payload.len(),
            self.signatures.len()
        )
    }
}

impl OneSignature {
    /// DSSE makes the key id optional; since it is never trusted, one that is absent or lies changes nothing.
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let keyid = object
            .take_optional("keyid")
            .map_or(Ok(String::new()), Value::text)?;
        let signature = Self {
            keyid,
            sig: canonical_base64(object.take("sig")?)?,
        };
        object.end()?;
        Ok(signature)
    }
}

/// `DSSEv1 <length of type> <type> <length of payload> <payload>`: what is signed.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
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
