//! Holds every document that a test comes across against its schema in `docs/schema`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boon::{Compiler, SchemaIndex, Schemas};
use countersign_core::{
    authority::Authority,
    document::Document as _,
    envelope::Envelope,
    ledger::{Entry, Head, Withdrawing},
    operation::Operation,
};
use serde_json::Value;

type Judge = (Schemas, SchemaIndex);

/// Compiled once for all tests of a binary: their patterns cost more than a whole attempt.
static JUDGES: Mutex<BTreeMap<String, &'static Judge>> = Mutex::new(BTreeMap::new());

/// What a schema has against a document.
pub fn objection(schema: &str, document: &Value) -> Option<String> {
    let (schemas, index) = *JUDGES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(schema.to_owned())
        .or_insert_with(|| Box::leak(Box::new(judge(schema))));
    schemas
        .validate(document, *index)
        .err()
        .map(|error| format!("{error:#}"))
}

fn judge(schema: &str) -> Judge {
    let path = format!(
        "{}/docs/schema/{schema}.schema.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler
        .add_resource("schema:/", serde_json::from_str(&text).unwrap())
        .unwrap();
    let index = compiler
        .compile("schema:/", &mut schemas)
        .unwrap_or_else(|error| panic!("{schema}: {error:#}"));
    (schemas, index)
}

#[track_caller]
pub fn fits(schema: &str, document: &Value) {
    assert_eq!(objection(schema, document), None, "{schema}: {document}");
}

/// A document in JSON.
#[track_caller]
pub fn fits_json(schema: &str, bytes: &[u8]) {
    fits(schema, &serde_json::from_slice(bytes).unwrap());
}

/// A document in TOML.
#[track_caller]
pub fn fits_toml(schema: &str, text: &str) {
    fits(schema, &toml::from_str(text).unwrap());
}

/// A receipt, the statement in it, and the predicate in that.
#[track_caller]
pub fn fits_receipt(line: &str) {
    let envelope: Value = serde_json::from_str(line).unwrap();
    fits("receipt", &envelope);
    let statement: Value = serde_json::from_slice(
        &STANDARD
            .decode(envelope["payload"].as_str().unwrap())
            .unwrap(),
    )
    .unwrap();
    fits("receipt-statement", &statement);
    fits("receipt-predicate", &statement["predicate"]);
}

/// A trust file, and the payload of each of its versions.
#[track_caller]
pub fn fits_trust_file(bytes: &[u8]) {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    fits("trust-file", &file);
    for version in file["versions"].as_array().unwrap() {
        fits_json(
            "trust-version",
            &STANDARD
                .decode(version["payload"].as_str().unwrap())
                .unwrap(),
        );
    }
}

/// Every file of a ledger that its reader takes: tests put others there as well.
pub fn fits_ledger(git: &Path) {
    let repository = git2::Repository::open_bare(git).unwrap();
    let Ok(branch) = repository.find_reference("refs/heads/receipt-ledger") else {
        return;
    };
    let Ok(tree) = branch.peel_to_tree() else {
        return;
    };
    tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
        if let Some(blob) = entry
            .to_object(&repository)
            .ok()
            .and_then(|object| object.into_blob().ok())
        {
            fits_ledger_file(
                &format!("{folder}{}", entry.name().unwrap()),
                blob.content(),
            );
        }
        git2::TreeWalkResult::Ok
    })
    .unwrap();
}

fn fits_ledger_file(path: &str, bytes: &[u8]) {
    let (schema, is_read) = match path.split('/').next().unwrap() {
        "entries" if Withdrawing::from_document(bytes).is_ok() => {
            let withdrawal: Value = serde_json::from_slice(bytes).unwrap();
            let statement = withdrawal["withdrawal"]["payload"].as_str().unwrap();
            fits("withdrawal", &withdrawal["withdrawal"]);
            fits_json("withdrawal-statement", &STANDARD.decode(statement).unwrap());
            ("ledger-withdrawal", true)
        }
        "entries" => ("ledger-entry", Entry::from_document(bytes).is_ok()),
        "ledger.json" => ("ledger-head", Head::from_document(bytes).is_ok()),
        "operations" => ("operation", Operation::from_bytes(bytes).is_ok()),
        "authority.json" => ("authority", Authority::from_document(bytes).is_ok()),
        _ => return,
    };
    if !is_read {
        return;
    }
    fits_json(schema, bytes);
    let document: Value = serde_json::from_slice(bytes).unwrap();
    if let Some(receipt) = document
        .get("receipt")
        .filter(|receipt| receipt.is_object())
    {
        fits_receipt(&receipt.to_string());
    }
}

/// The receipts of an input that can be read: tests hand over others as well.
pub fn fits_receipts(input: &str) {
    for line in input
        .lines()
        .filter(|line| line.starts_with('{') && Envelope::parse(line).is_ok())
    {
        fits("receipt", &serde_json::from_str(line).unwrap());
    }
}
