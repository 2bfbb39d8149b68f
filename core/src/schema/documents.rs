//! Every document that has a schema, and what all schemas have in common.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};
use core::fmt::Write as _;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::{Value, json};

use super::relations::as_people_write_it;
use crate::{
    audit::AuditRecord,
    authority::Authority,
    envelope::Envelope,
    evidence::Evidence,
    ledger::{Entry, Head, Withdrawing},
    operation::Operation,
    plan::Plan,
    policy::Policy,
    receipt::{Predicate, Statement},
    rehearsal::Rehearsal,
    repair::Repair,
    statement::Signed,
    trust::{TrustFile, TrustVersion},
    withdrawal::Withdrawal,
};

/// The schema of a document, and the name of its file without `.schema.json`.
pub(super) struct Document {
    pub(super) name: &'static str,
    pub(super) schema: Schema,
}

pub(super) fn all() -> Vec<Document> {
    let mut trust_toml = toml::<TrustVersion>(
        "trust-version-toml",
        "One version of the trust file, as people write it (TOML)",
    );
    as_people_write_it(&mut trust_toml.schema);
    [
        json::<Operation>("operation", "operation.json"),
        json::<Plan>("plan", "plan.json"),
        json::<Envelope>("receipt", "A receipt"),
        json::<Statement<'_>>("receipt-statement", "The payload of a receipt"),
        json::<Predicate<'_>>(
            "receipt-predicate",
            "The predicate of a receipt, urn:countersign:receipt:v1",
        ),
        json::<AuditRecord>("audit-record", "audit-record.json"),
        json::<Rehearsal>("rehearsal", "rehearsal.json"),
        json::<Entry>("ledger-entry", "An entry of the ledger"),
        json::<Evidence>("evidence", "countersign-receipt.json"),
        json::<Withdrawing>(
            "ledger-withdrawal",
            "An entry of the ledger that takes a receipt back",
        ),
        json::<Signed<Withdrawal>>("withdrawal", "A withdrawal of a receipt"),
        json::<Withdrawal>("withdrawal-statement", "The payload of a withdrawal"),
        json::<Signed<Repair>>("repair", "An acceptance of damage"),
        json::<Repair>("repair-statement", "The payload of an acceptance of damage"),
        json::<Head>("ledger-head", "ledger.json"),
        json::<Authority>("authority", "authority.json"),
        json::<TrustFile>("trust-file", "A trust file"),
        json::<TrustVersion>(
            "trust-version",
            "The payload of one version of a trust file",
        ),
        trust_toml,
        toml::<Policy>("policy", "policy.toml"),
    ]
    .into()
}

/// The file of a schema, in ASCII: a reader need not trust what cannot be seen.
pub(super) fn file(schema: &Schema) -> String {
    let mut file = String::new();
    for unit in format!("{:#}\n", schema.as_value()).encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => file.push(char::from(byte)),
            _ => write!(file, "\\u{unit:04x}").unwrap(),
        }
    }
    file
}

/// A document that our serializer writes: every member is there.
fn json<T: JsonSchema>(name: &'static str, title: &str) -> Document {
    made::<T>(SchemaSettings::draft2020_12().for_serialize(), name, title)
}

/// A document that people write: members may be left out.
fn toml<T: JsonSchema>(name: &'static str, title: &str) -> Document {
    made::<T>(
        SchemaSettings::draft2020_12().for_deserialize(),
        name,
        title,
    )
}

fn made<T: JsonSchema>(settings: SchemaSettings, name: &'static str, title: &str) -> Document {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert(
        "$id".to_owned(),
        json!(format!("urn:countersign:schema:{name}")),
    );
    schema.insert("title".to_owned(), json!(title));
    strict(&mut schema);
    Document { name, schema }
}

/// Members that are not told are refused. The names of Rust's integers mean nothing to others.
fn strict(schema: &mut Schema) {
    transform_subschemas(&mut strict, schema);
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    if is_object && schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    // Links of rustdoc's lead nowhere here.
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("[`", "`").replace("`]", "`");
    }
    if schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format.starts_with("uint"))
    {
        schema.remove("format");
    }
}
