//! A receipt as it is handed over: a payload that nobody may read before its signatures hold.

#[cfg(test)]
mod vectors;

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use serde::Serialize;

pub use crate::dsse::{MOST_SIGNATURES, NotSigned, Signs, pre_authentication_encoding};
use crate::{
    digest::Digest,
    document::to_json,
    dsse::Dsse,
    json::{self, Malformed, Value},
    keys::{Fingerprint, Threshold, TrustedKey, TrustedKeys},
    person::Person,
    receipt::{Terms, VerifiedReceipt},
    refusal::Refusal,
};

/// Largest envelope in bytes.
pub const MOST_BYTES: usize = 64 * 1024;
/// No envelope in base64 is shorter; lines that programs wrap are.
const LEAST_BASE64: usize = 200;
/// The one payload type that is accepted.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope whose signatures nobody has verified yet; its payload cannot be read.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Envelope(Dsse);

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
        Dsse::from_json(value, PAYLOAD_TYPE).map(Self)
    }

    /// The terms of a receipt, signed by one.
    pub fn signed_by(terms: &Terms, signer: &dyn Signs) -> Result<Self, NotSigned> {
        Dsse::new(PAYLOAD_TYPE, terms.to_payload())
            .signed_by(signer)
            .map(Self)
    }

    /// Signs the terms of a receipt with keys in memory, each once.
    #[must_use]
    pub fn sign(terms: &Terms, keys: &[&SigningKey]) -> Self {
        let unsigned = Dsse::new(PAYLOAD_TYPE, terms.to_payload());
        Self(keys.iter().fold(unsigned, |signed, key| {
            signed.signed_by(*key).unwrap_or(signed)
        }))
    }

    /// The same payload with one more signature. Only a receipt that somebody verified is signed further.
    pub(crate) fn with_signature(&self, signer: &dyn Signs) -> Result<Self, NotSigned> {
        self.0.signed_by(signer).map(Self)
    }

    /// The envelope as JSON on one line.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "JSON is text"
    )]
    pub fn to_line(&self) -> String {
        String::from_utf8(to_json(self)).expect("JSON is UTF-8")
    }

    /// Digest of the payload's bytes, which says nothing about what they mean.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of(self.0.payload())
    }

    /// Most signature checks that [`verify`](Self::verify) makes with these keys: each signature with
    /// each key, because the id beside a signature is not signed.
    #[must_use]
    pub fn checks(&self, trusted: &TrustedKeys) -> usize {
        self.0.signatures() * (trusted.as_slice().len() + trusted.retired().len())
    }

    /// Counts the people whose trusted keys signed; only then is the payload read.
    pub fn verify(
        self,
        trusted: &TrustedKeys,
        threshold: Threshold,
    ) -> Result<VerifiedReceipt, Refusal> {
        let is_signed_by = self.0.is_signed_by();
        let signed: Vec<_> = trusted
            .as_slice()
            .iter()
            .filter(|trusted| is_signed_by(&trusted.key))
            .cloned()
            .collect();
        drop(is_signed_by);
        let people: BTreeSet<Person> = signed.iter().map(TrustedKey::person).collect();
        if people.len() < threshold.get() {
            return Err(self.too_few(&signed, trusted, threshold));
        }
        let terms = Terms::from_payload(self.0.payload())?;
        Ok(VerifiedReceipt::new(terms, signed, threshold, self))
    }

    /// Why the signatures do not suffice: a key that no longer counts says more than a number.
    fn too_few(
        &self,
        signed: &[TrustedKey],
        trusted: &TrustedKeys,
        threshold: Threshold,
    ) -> Refusal {
        let is_signed_by = self.0.is_signed_by();
        if let Some(retired) = trusted
            .retired()
            .iter()
            .find(|retired| is_signed_by(&retired.key))
        {
            return Refusal::KeyRetired {
                name: retired.name.clone(),
                why: retired.why,
            };
        }
        // Each person once, by the name of the first of their keys.
        let names = |keys: &mut dyn Iterator<Item = &TrustedKey>| {
            let mut people = BTreeSet::new();
            keys.filter(|key| people.insert(key.person()))
                .map(|key| key.name.clone())
                .collect::<Vec<_>>()
        };
        if signed.is_empty() {
            return Refusal::SignatureUntrusted {
                signatures: self.0.signatures(),
                trusted: names(&mut trusted.as_slice().iter()),
            };
        }
        let others = names(
            &mut trusted
                .as_slice()
                .iter()
                .filter(|key| signed.iter().all(|known| known.person() != key.person())),
        );
        Refusal::ThresholdUnmet {
            signed: names(&mut signed.iter()),
            others,
            threshold: threshold.get(),
        }
    }
}

/// The receipts in a text: one a line, in JSON or base64. A text that is no such list is one receipt, however it is laid out.
#[must_use]
pub fn receipts_in(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() || lines.iter().all(|line| looks_like_a_receipt(line)) {
        lines
    } else {
        Vec::from([text])
    }
}

/// Whether a line is a receipt and not words: JSON, or base64 that is long enough for an envelope.
#[must_use]
pub fn looks_like_a_receipt(line: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    line.starts_with("{\"") || (line.len() >= LEAST_BASE64 && line.bytes().all(base64))
}

/// Says nothing about the payload, which nobody has verified.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({:?})", self.0)
    }
}

/// A trusted key that signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Signer {
    /// The name under which the key is trusted.
    pub name: String,
    /// The key's OpenSSH fingerprint.
    pub fingerprint: Fingerprint,
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
        // Programs wrap base64 at 64 or 76 columns.
        .filter(|c| !matches!(c, '\n' | '\r'))
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
    STANDARD
        .decode(padded)
        .map_err(|_| malformed("expected JSON that begins with `{`, or base64 of it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, terms, trust};
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
    use std::string::ToString;

    fn verify(
        envelope: Envelope,
        keys: &[u8],
        threshold: &str,
    ) -> Result<VerifiedReceipt, Refusal> {
        let trusted = trust(keys);
        envelope.verify(&trusted, Threshold::parse(threshold, &trusted).unwrap())
    }

    fn signed(keys: &[u8]) -> Envelope {
        let keys: Vec<_> = keys.iter().map(|seed| key(*seed)).collect();
        Envelope::sign(&terms(), &keys.iter().collect::<Vec<_>>())
    }

    /// One signature, so many times.
    fn repeated(times: usize) -> String {
        let line = signed(&[1]).to_line();
        let (before, signature) = line.split_once('[').unwrap();
        let signature = signature.strip_suffix("]}").unwrap();
        format!("{before}[{}]}}", std::vec![signature; times].join(","))
    }

    fn names(receipt: &VerifiedReceipt) -> Vec<&str> {
        receipt
            .signers()
            .iter()
            .map(|signer| signer.name.as_str())
            .collect()
    }

    #[test]
    fn the_encoding_that_is_signed_follows_the_protocol() {
        assert_eq!(
            pre_authentication_encoding(PAYLOAD_TYPE, b"hello world"),
            b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
        );
    }

    #[test]
    fn a_signed_envelope_verifies_and_yields_its_terms() {
        let receipt = verify(signed(&[1]), &[1, 2], "1").unwrap();
        assert_eq!(
            (receipt.terms(), names(&receipt)),
            (&terms(), ["key-1"].into())
        );
    }

    #[test]
    fn json_base64_and_base64url_are_the_same_receipt() {
        let envelope = signed(&[1]);
        let line = envelope.to_line();
        for text in [
            line.clone(),
            format!("\n  {line}\r\n"),
            STANDARD.encode(&line),
            STANDARD_NO_PAD.encode(&line),
            URL_SAFE.encode(&line),
        ] {
            assert_eq!(Envelope::parse(&text), Ok(envelope.clone()));
        }
    }

    #[test]
    fn receipts_stand_one_a_line_and_one_may_have_any_layout() {
        let base64 = "ey".repeat(100);
        assert_eq!(
            receipts_in(&format!("{{\"a\":1}}\n\n  {base64}\n")),
            ["{\"a\":1}", &base64]
        );
        assert_eq!(receipts_in("{\n \"a\": 1\n}"), ["{\n \"a\": 1\n}"]);
        assert_eq!(receipts_in("short"), ["short"]);
        assert_eq!(receipts_in(" \n "), Vec::<&str>::new());
        assert!(looks_like_a_receipt(&base64) && !looks_like_a_receipt("looks good to me"));
        assert!(!looks_like_a_receipt(&format!("{base64} thanks")));
    }

    #[test]
    fn a_receipt_in_wrapped_base64_is_read() {
        let line = STANDARD.encode(signed(&[1]).to_line());
        let wrapped: Vec<&str> = line
            .as_bytes()
            .chunks(76)
            .map(|chunk| core::str::from_utf8(chunk).unwrap())
            .collect();
        let wrapped = wrapped.join("\n");
        assert_eq!(receipts_in(&wrapped), [wrapped.as_str()]);
        assert_eq!(Envelope::parse(&wrapped), Ok(signed(&[1])));
    }

    #[test]
    fn a_clipped_receipt_is_told_as_such() {
        let line = signed(&[1]).to_line();
        let base64 = STANDARD_NO_PAD.encode(&line);
        for text in [
            &line[..line.len() - 1],
            &line[..line.len() / 2],
            &base64[..41],
            &base64[..200],
        ] {
            assert!(
                Envelope::parse(text).is_err_and(|problem| problem.is_cut_off()),
                "{text}"
            );
        }
    }

    #[test]
    fn base64_may_hold_as_much_as_json_may() {
        let line = signed(&[1]).to_line();
        let filled =
            |bytes: usize| STANDARD.encode(format!("{line}{}", " ".repeat(bytes - line.len())));
        let problem = |bytes: usize| Envelope::parse(&filled(bytes)).unwrap_err().to_string();
        assert_eq!(Envelope::parse(&filled(MOST_BYTES)), Ok(signed(&[1])));
        assert_eq!(
            problem(MOST_BYTES + 1),
            "65537 bytes are more than the 65536 allowed (at the whole document)"
        );
        assert_eq!(
            problem(MOST_BYTES + 3),
            "it is longer than 64 KiB in base64 (at the whole receipt)"
        );
    }

    #[test]
    fn printed_for_debugging_an_envelope_tells_sizes_and_no_payload() {
        let bytes = terms().to_payload().len();
        assert_eq!(
            format!("{:?}", signed(&[1, 2])),
            format!("Envelope({bytes} bytes, 2 signatures)")
        );
    }

    #[test]
    fn a_verified_receipt_is_handed_on_as_it_came() {
        assert_eq!(
            verify(signed(&[1]), &[1], "1").unwrap().to_line(),
            signed(&[1]).to_line()
        );
    }

    #[test]
    fn keys_are_counted_and_signatures_are_not() {
        assert_eq!(
            verify(Envelope::parse(&repeated(3)).unwrap(), &[1, 2], "2"),
            Err(Refusal::ThresholdUnmet {
                signed: ["key-1".into()].into(),
                others: ["key-2".into()].into(),
                threshold: 2
            })
        );
        assert_eq!(
            verify(signed(&[1, 2]), &[1, 2, 3], "2").as_ref().map(names),
            Ok(["key-1", "key-2"].into())
        );
        assert_eq!(
            verify(signed(&[7]), &[1, 2], "1"),
            Err(Refusal::SignatureUntrusted {
                signatures: 1,
                trusted: ["key-1".into(), "key-2".into()].into()
            })
        );
        assert_eq!(
            verify(signed(&[]), &[1], "1"),
            Err(Refusal::SignatureUntrusted {
                signatures: 0,
                trusted: ["key-1".into()].into()
            })
        );
    }

    #[test]
    fn people_are_counted_however_many_keys_they_have() {
        let line = |seed: u8, owner: &str| {
            let key = crate::keys::PublicKey::new(key(seed).verifying_key()).unwrap();
            format!("{} {owner}", key.to_openssh())
        };
        for twice in [
            ["alice laptop github:alice", "alice token github:Alice"],
            ["alice", "alice"],
        ] {
            let list = [line(1, twice[0]), line(2, twice[1]), line(3, "bob")].join("\n");
            let trusted = TrustedKeys::parse(&list).unwrap();
            let two = Threshold::parse("2", &trusted).unwrap();
            assert!(Threshold::parse("3", &trusted).is_err());

            let refused = signed(&[1, 2]).verify(&trusted, two);
            let name = &trusted.as_slice()[0].name;
            assert_eq!(
                refused,
                Err(Refusal::ThresholdUnmet {
                    signed: [name.clone()].into(),
                    others: ["bob".into()].into(),
                    threshold: 2
                })
            );
            assert!(signed(&[1, 3]).verify(&trusted, two).is_ok());
        }
    }

    #[test]
    fn a_key_id_that_lies_or_is_absent_changes_nothing() {
        let line = signed(&[1]).to_line();
        let keyid = format!(
            "\"keyid\":\"{}\"",
            trust(&[1]).as_slice()[0].key.fingerprint()
        );
        for other in ["\"keyid\":\"SHA256:lies\",", ""] {
            let envelope = Envelope::parse(&line.replace(&format!("{keyid},"), other)).unwrap();
            assert_eq!(
                verify(envelope, &[1], "1").as_ref().map(names),
                Ok(["key-1"].into())
            );
        }
    }

    #[test]
    fn a_changed_payload_is_not_read() {
        let mut envelope = signed(&[1]);
        envelope = Envelope::parse(&envelope.to_line().replacen("eyJ", "eyK", 1)).unwrap();
        assert_eq!(
            verify(envelope, &[1], "1"),
            Err(Refusal::SignatureUntrusted {
                signatures: 1,
                trusted: ["key-1".into()].into()
            })
        );
    }

    #[test]
    fn thirty_two_signatures_are_read_and_thirty_three_refused() {
        assert_eq!(Envelope::parse(&repeated(32)).map(|_| ()), Ok(()));
        assert_eq!(
            Envelope::parse(&repeated(33)).unwrap_err().to_string(),
            "more than 32 signatures (at $.signatures)"
        );
    }

    #[test]
    fn other_types_members_and_encodings_are_refused() {
        let line = signed(&[1]).to_line();
        let problem = |from: &str, to: &str| {
            Envelope::parse(&line.replacen(from, to, 1))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            problem("vnd.in-toto", "VND.in-toto"),
            "expected `application/vnd.in-toto+json`, found `application/VND.in-toto+json` (at $.payloadType)"
        );
        assert_eq!(
            problem("{\"payload\"", "{\"extra\":1,\"payload\""),
            "the member `extra` is unknown (at $)"
        );
        assert_eq!(
            problem("==\",\"payloadType", "\",\"payloadType"),
            "expected canonical padded base64 (at $.payload)"
        );
        assert_eq!(
            problem("==\"}", "\"}"),
            "expected canonical padded base64 (at $.signatures[0].sig)"
        );
        assert_eq!(
            problem("\"sig\"", "\"Sig\""),
            "the member `sig` is missing (at $.signatures[0])"
        );
        assert_eq!(
            Envelope::parse("%%").unwrap_err().to_string(),
            "expected JSON that begins with `{`, or base64 of it (at the whole receipt)"
        );
    }
}
