//! What a receipt says: an in-toto statement with our predicate, bound to one run, one operation and one span of time.
//!
//! Source of the statement: <https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md>. That page tells readers to
//! ignore members they do not know; here an unknown member could be a condition that we fail to check, so it is refused.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{
    digest::{Digest, bare_hex},
    document::to_json,
    envelope::{Envelope, MOST_BYTES, NotSigned, Signer, Signs},
    json::{self, Malformed},
    keys::{Threshold, TrustedKey},
    ledger::Checkpoint,
    name::{ReceiptId, RunId},
    operation::{Kind, Target},
    timestamp::Timestamp,
};

/// `_type` of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// `predicateType` of a receipt.
pub const PREDICATE_TYPE: &str = "urn:countersign:receipt:v1";
/// Name of the statement's only subject.
pub const SUBJECT_NAME: &str = "operation.json";

/// What an approver signs for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The receipt's own name.
    pub receipt_id: ReceiptId,
    /// The run for which it counts.
    pub run_id: RunId,
    /// The kind of operation that it allows.
    pub operation_kind: Kind,
    /// The repository in which it counts.
    pub target: Target,
    /// False for an advisory receipt, which allows nothing.
    pub enforceable: bool,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The first second at which it no longer counts.
    pub expires_at: Timestamp,
    /// Whether the issuer knows it to be used; always false in one that is to be used.
    pub consumed: bool,
    /// The ledger's commit that the issuer saw at the tip.
    pub ledger: Checkpoint,
    /// Digest of the operation's exact bytes: the statement's subject.
    pub operation_digest: Digest,
}

/// The payload of a receipt: an in-toto statement.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Statement<'a> {
    /// The version of in-toto's statement.
    #[cfg_attr(test, schemars(extend("const" = STATEMENT_TYPE)))]
    _type: &'static str,
    /// What it is about: the operation.
    subject: [Subject; 1],
    #[serde(rename = "predicateType")]
    #[cfg_attr(test, schemars(extend("const" = PREDICATE_TYPE)))]
    predicate_type: &'static str,
    /// Under which conditions.
    predicate: Predicate<'a>,
}

/// The operation, by its digest.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Subject {
    #[cfg_attr(test, schemars(extend("const" = SUBJECT_NAME)))]
    name: &'static str,
    /// Digest of its exact bytes.
    digest: SubjectDigest,
}

/// The one digest of the operation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SubjectDigest {
    /// SHA-256, in bare hexadecimal.
    #[serde(serialize_with = "bare_hex")]
    #[cfg_attr(test, schemars(with = "crate::schema::BareDigest"))]
    sha256: Digest,
}

/// What an approver signs for, beside the operation's digest.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Predicate<'a> {
    /// The receipt's own name.
    receipt_id: &'a ReceiptId,
    /// The run for which it counts.
    run_id: &'a RunId,
    /// The kind of operation that it allows.
    operation_kind: Kind,
    #[serde(flatten)]
    target: &'a Target,
    /// False for an advisory receipt, which allows nothing.
    enforceable: bool,
    /// When it was issued.
    issued_at: Timestamp,
    /// The first second at which it no longer counts.
    expires_at: Timestamp,
    /// Whether the issuer knows it to be used; always false in one that is to be used.
    consumed: bool,
    /// The ledger's commit that the issuer saw at the tip.
    ledger: &'a Checkpoint,
}

impl Terms {
    /// The payload that is signed: an in-toto statement as compact JSON.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        to_json(&Statement {
            _type: STATEMENT_TYPE,
            subject: [Subject {
                name: SUBJECT_NAME,
                digest: SubjectDigest {
                    sha256: self.operation_digest,
                },
            }],
            predicate_type: PREDICATE_TYPE,
            predicate: self.predicate(),
        })
    }

    const fn predicate(&self) -> Predicate<'_> {
        Predicate {
            receipt_id: &self.receipt_id,
            run_id: &self.run_id,
            operation_kind: self.operation_kind,
            target: &self.target,
            enforceable: self.enforceable,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            consumed: self.consumed,
            ledger: &self.ledger,
        }
    }

    /// Only [`Envelope::verify`] reads payloads.
    pub(crate) fn from_payload(payload: &[u8]) -> Result<Self, Malformed> {
        let mut statement = json::parse(payload, MOST_BYTES)?.object()?;
        statement.expect("_type", STATEMENT_TYPE)?;
        statement.expect("predicateType", PREDICATE_TYPE)?;
        let operation_digest = subject(statement.take("subject")?)?;
        let mut predicate = statement.take("predicate")?.object()?;
        statement.end()?;
        let terms = Self::from_members(&mut predicate, operation_digest)?;
        predicate.end()?;
        Ok(terms)
    }

    /// Terms as records tell them, which nobody signed.
    pub(crate) fn from_json(value: json::Value) -> Result<Self, Malformed> {
        let mut told = value.object()?;
        let operation_digest = told.take("operation_digest")?.name()?;
        let terms = Self::from_members(&mut told, operation_digest)?;
        told.end()?;
        Ok(terms)
    }

    fn from_members(
        predicate: &mut json::Object,
        operation_digest: Digest,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            receipt_id: predicate.take("receipt_id")?.name()?,
            run_id: predicate.take("run_id")?.name()?,
            operation_kind: predicate.take("operation_kind")?.name()?,
            target: Target::from_members(predicate)?,
            enforceable: predicate.take("enforceable")?.flag()?,
            issued_at: predicate.take("issued_at")?.name()?,
            expires_at: predicate.take("expires_at")?.name()?,
            consumed: predicate.take("consumed")?.flag()?,
            ledger: Checkpoint::from_json(predicate.take("ledger")?)?,
            operation_digest,
        })
    }
}

/// What records show of a receipt.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Shown<'a> {
    #[serde(flatten)]
    predicate: Predicate<'a>,
    /// Digest of the operation's exact bytes: the statement's subject.
    operation_digest: Digest,
}

/// Serializes the predicate together with the subject's digest, for records.
impl Serialize for Terms {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown {
            predicate: self.predicate(),
            operation_digest: self.operation_digest,
        }
        .serialize(serializer)
    }
}

fn subject(value: json::Value) -> Result<Digest, Malformed> {
    let wrong = value.refuse("expected exactly one subject");
    let mut subjects = value.list()?.into_iter();
    let (Some(only), None) = (subjects.next(), subjects.next()) else {
        return Err(wrong);
    };
    let mut subject = only.object()?;
    subject.expect("name", SUBJECT_NAME)?;
    let mut digests = subject.take("digest")?.object()?;
    subject.end()?;
    let digest = digests.take("sha256")?.bare_digest()?;
    digests.end()?;
    Ok(digest)
}

/// A receipt that enough trusted keys signed. Made by [`Envelope::verify`] alone.
#[derive(Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    terms: Terms,
    approvers: Vec<TrustedKey>,
    signers: Vec<Signer>,
    threshold: Threshold,
    envelope: Envelope,
}

impl VerifiedReceipt {
    pub(crate) fn new(
        terms: Terms,
        approvers: Vec<TrustedKey>,
        threshold: Threshold,
        envelope: Envelope,
    ) -> Self {
        let signers = approvers.iter().map(TrustedKey::signer).collect();
        Self {
            terms,
            approvers,
            signers,
            threshold,
            envelope,
        }
    }

    /// What was signed.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Digest of the signed payload, by which the ledger knows the receipt. Unlike its id, nobody
    /// can give another receipt the same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.envelope.payload_digest()
    }

    /// The trusted keys that signed, in the order of the trusted keys.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The same keys as they are trusted, with the logins of their owners.
    #[must_use]
    pub fn approvers(&self) -> &[TrustedKey] {
        &self.approvers
    }

    /// How many had to sign.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The envelope as it was handed over, for the ledger.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The same receipt with one more signature, if this key has not signed it already.
    pub fn countersign(&self, signer: &dyn Signs) -> Result<Envelope, NotSigned> {
        self.envelope.with_signature(signer)
    }

    /// The envelope on one line.
    #[must_use]
    pub fn to_line(&self) -> String {
        self.envelope.to_line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Branch, terms};
    use std::string::ToString;

    fn read(edit: impl Fn(String) -> String) -> Result<Terms, String> {
        let payload = edit(String::from_utf8(terms().to_payload()).unwrap());
        Terms::from_payload(payload.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_statement_has_exactly_these_bytes() {
        assert_eq!(
            String::from_utf8(terms().to_payload()).unwrap(),
            concat!(
                r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"operation.json","digest":{"sha256":"#,
                r#""4d93b7f13a3f5dca25e3b9a0b0a0e3c8d1d3c6b6a3f0c0f6b8f3d1e2c3b4a5d6"}}],"predicateType":"urn:countersign:receipt:v1","#,
                r#""predicate":{"receipt_id":"receipt-abc123","run_id":"17231231","operation_kind":"publish_release","#,
                r#""repository":"owner/repo","repository_id":123456,"enforceable":true,"issued_at":"2026-11-21T12:00:00Z","#,
                r#""expires_at":"2026-11-21T13:00:00Z","consumed":false,"ledger":{"commit":"#,
                r#""4444444444444444444444444444444444444444","sequence":41,"digest":"#,
                r#""sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}}"#
            )
            .replace("4d93b7f13a3f5dca25e3b9a0b0a0e3c8d1d3c6b6a3f0c0f6b8f3d1e2c3b4a5d6", &terms().operation_digest.to_hex())
        );
    }

    #[test]
    fn a_statement_reads_what_it_writes_in_any_layout() {
        assert_eq!(read(|payload| payload), Ok(terms()));
        assert_eq!(read(|payload| payload.replace(',', " ,\n ")), Ok(terms()));
        assert_eq!(
            read(|payload| payload.replace(r#","sequence":41,"#, r#","sequence" : 41,"#)),
            Ok(terms())
        );
    }

    #[test]
    fn each_member_is_needed_and_no_other_is_allowed() {
        for member in [
            "receipt_id",
            "run_id",
            "operation_kind",
            "repository",
            "repository_id",
            "enforceable",
            "issued_at",
            "expires_at",
            "consumed",
            "ledger",
        ] {
            let renamed = read(|payload| {
                payload.replace(
                    &std::format!("\"{member}\":"),
                    &std::format!("\"{}\":", member.to_uppercase()),
                )
            });
            assert_eq!(
                renamed,
                Err(std::format!(
                    "the member `{member}` is missing (at $.predicate)"
                ))
            );
        }
        assert_eq!(
            read(|payload| payload.replace("\"consumed\"", "\"nonce\":1,\"consumed\"")),
            Err("the member `nonce` is unknown (at $.predicate)".into())
        );
        assert_eq!(
            read(|payload| payload.replace("{\"_type\"", "{\"x\":1,\"_type\"")),
            Err("the member `x` is unknown (at $)".into())
        );
    }

    #[test]
    fn types_and_values_that_differ_are_refused_with_both_sides() {
        for (from, to, problem) in [
            (
                "\"enforceable\":true",
                "\"enforceable\":\"true\"",
                "expected true or false, found text (at $.predicate.enforceable)",
            ),
            (
                "\"enforceable\":true",
                "\"enforceable\":1",
                "expected true or false, found a number (at $.predicate.enforceable)",
            ),
            (
                "123456",
                "\"123456\"",
                "expected a whole number, found text (at $.predicate.repository_id)",
            ),
            (
                "receipt:v1",
                "receipt:v2",
                "expected `urn:countersign:receipt:v1`, found `urn:countersign:receipt:v2` (at $.predicateType)",
            ),
            (
                "publish_release",
                "Publish_Release",
                "`Publish_Release` is no operation: expected `publish_release`, `tag_repo` or `open_pr` (at $.predicate.operation_kind)",
            ),
            (
                "operation.json",
                "operation.JSON",
                "expected `operation.json`, found `operation.JSON` (at $.subject[0].name)",
            ),
            (
                "12:00:00Z",
                "12:00:00+00:00",
                "`2026-11-21T12:00:00+00:00` is no time: expected an existing moment as `YYYY-MM-DDTHH:MM:SSZ` (at $.predicate.issued_at)",
            ),
        ] {
            assert_eq!(
                read(|payload| payload.replacen(from, to, 1)),
                Err(problem.to_string())
            );
        }
        let listed = read(|payload| {
            payload
                .replacen("\"predicate\":{", "\"predicate\":[{", 1)
                .replacen("}}}", "}}]}", 1)
        });
        assert_eq!(
            listed,
            Err("expected an object, found a list (at $.predicate)".into())
        );
    }

    #[test]
    fn a_statement_names_the_ledgers_commit_also_while_it_is_empty() {
        let empty = Terms {
            ledger: Branch::empty().root(),
            ..terms()
        };
        let ledger = r#""ledger":{"commit":"0000000000000000000000000000000000000001","sequence":0,"digest":null}"#;
        let payload = String::from_utf8(empty.to_payload()).unwrap();
        assert!(payload.contains(ledger), "{payload}");
        assert_eq!(
            Terms::from_payload(payload.as_bytes()),
            Ok(empty),
            "{payload}"
        );
        let nothing = payload.replace(ledger, r#""ledger":null"#);
        assert_eq!(
            Terms::from_payload(nothing.as_bytes()).map_err(|error| error.to_string()),
            Err("expected an object, found null (at $.predicate.ledger)".into())
        );
    }

    #[test]
    fn a_checkpoint_has_a_commit_and_both_or_none_of_number_and_digest() {
        for (from, to, problem) in [
            (
                r#""commit":"4444444444444444444444444444444444444444","#,
                "",
                "the member `commit` is missing (at $.predicate.ledger)",
            ),
            (
                r#""sequence":41"#,
                r#""sequence":0"#,
                "sequence 0 and no digest belong together (at $.predicate.ledger.sequence)",
            ),
            (
                r#""sequence":41"#,
                r#""sequence":41,"entry":41"#,
                "the member `entry` is unknown (at $.predicate.ledger)",
            ),
        ] {
            assert_eq!(
                read(|payload| payload.replacen(from, to, 1)),
                Err(problem.to_string())
            );
        }
    }
}
