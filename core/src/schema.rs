//! JSON Schemas of every document, made from the types that read and write them; compiled for tests alone, which keep `docs/schema`.

mod documents;
pub(crate) mod patterns;
pub(crate) mod relations;
mod tests;

pub(crate) use self::tests::agrees;

use alloc::{borrow::Cow, format};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::{
    binding, digest,
    dsse::Dsse,
    envelope,
    envelope::Envelope,
    operation::BoundedText,
    policy,
    repair::Repair,
    statement::{Signed, Statement as _},
    timestamp, trust,
    withdrawal::Withdrawal,
};

/// The conditions that plans tell.
pub(crate) const CONSTRAINTS: [&str; 11] = [
    "repository_is",
    "ledger_holds",
    "commit_exists",
    "tag_free_or_at",
    "release_free",
    "tag_free",
    "workflows_as_on_default_branch",
    "file_has_digest",
    "branch_at",
    "branch_exists",
    "pull_request_free",
];

/// The changes that plans tell.
pub(crate) const EFFECTS: [&str; 9] = [
    "spend_receipt",
    "create_release",
    "upload_asset",
    "create_tag",
    "mark_latest",
    "open_pull_request",
    "add_label",
    "request_review",
    "record_outcome",
];

/// Stands for a digest where it is written without `sha256:`.
pub(crate) struct BareDigest;
/// Stands for bytes in canonical padded base64.
pub(crate) struct Base64;
/// Stands for a public key as a line of OpenSSH.
pub(crate) struct KeyLine;
/// Stands for one version of a trust file with its signatures.
pub(crate) struct SignedVersion;

/// Types whose schema is written by hand, because they are written by hand as JSON.
macro_rules! by_hand {
    ($($type:ty: $name:literal, |$generator:ident| $schema:expr;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

by_hand! {
    digest::Digest: "Digest", |_generator| {
        json_schema!({ "type": "string", "description": "A SHA-256 digest.", "pattern": "^sha256:[0-9a-f]{64}$" })
    };
    BareDigest: "BareDigest", |_generator| {
        json_schema!({ "type": "string", "description": "A SHA-256 digest in bare hexadecimal.", "pattern": "^[0-9a-f]{64}$" })
    };
    Base64: "Base64", |_generator| json_schema!({
        "type": "string",
        "description": "Bytes in base64: standard alphabet, padded, without stray bits.",
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$",
    });
    KeyLine: "PublicKey", |_generator| json_schema!({
        "type": "string",
        "description": "An ed25519 public key as a line of OpenSSH. A name behind it is passed over.",
        "pattern": "^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}( .*)?$",
    });
    timestamp::Timestamp: "Timestamp", |_generator| json_schema!({
        "type": "string",
        "description": "A moment in UTC, to the second, in exactly one notation.",
        "format": "date-time",
        "pattern": patterns::MOMENT,
    });
    timestamp::Lifetime: "Lifetime", |_generator| json_schema!({
        "type": "string",
        "description": "How long a receipt may last: 1s to 24h, for example 90s, 30m or 1h.",
        "pattern": patterns::LIFETIME,
    });
    policy::Pattern: "Pattern", |_generator| patterns::of_names();
    binding::Check: "Check", |_generator| json_schema!({
        "type": "object",
        "description": "One rule with both sides.",
        "properties": {
            "rule": {
                "description": "What the rule asks for, in few words.",
                "enum": binding::Rule::ALL.iter().map(|rule| rule.name()).collect::<alloc::vec::Vec<_>>(),
            },
            "code": { "type": "string", "description": "The code of the refusal, or of the rule's first one.", "pattern": "^[a-z_]+$" },
            "expected": { "type": "string", "description": "What it asks for." },
            "found": { "type": "string", "description": "What was found." },
            "verdict": { "description": "Whether it holds.", "enum": ["holds", "broken", "not_evaluated"] },
        },
        "required": ["rule", "code", "expected", "found", "verdict"],
    });
    Envelope: "Receipt", |generator| signed("A receipt: a DSSE envelope around an in-toto statement.", envelope::PAYLOAD_TYPE, generator);
    Signed<Withdrawal>: "SignedWithdrawal", |generator| {
        signed("An approver's withdrawal of a receipt: a DSSE envelope.", Withdrawal::PAYLOAD_TYPE, generator)
    };
    Signed<Repair>: "SignedRepair", |generator| {
        signed("An acceptance of damage: a DSSE envelope.", Repair::PAYLOAD_TYPE, generator)
    };
    SignedVersion: "SignedVersion", |generator| {
        signed("A version of the trust file with its signatures.", trust::PAYLOAD_TYPE, generator)
    };
}

impl<const MOST: usize> JsonSchema for BoundedText<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("TextOf{MOST}").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = crate::name::Prose::json_schema(generator);
        schema.insert("maxLength".into(), json!(MOST));
        schema
    }
}

/// An envelope for one kind of payload.
fn signed(description: &str, payload_type: &str, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Dsse::json_schema(generator);
    schema.insert("description".into(), json!(description));
    if let Some(member) = schema.pointer_mut("/properties/payloadType") {
        member["const"] = json!(payload_type);
    }
    schema
}
