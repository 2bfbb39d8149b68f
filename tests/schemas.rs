//! Every document of the documentation is what its reader and its schema take; one that was changed is not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{collections::BTreeSet, fs};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    authority::Authority,
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    evidence::{HeldFile, Place, UnverifiedEvidence},
    keys::{Threshold, TrustedKeys},
    ledger::{Entry, Head, Keys, Withdrawing},
    operation::Operation,
    plan::Plan,
    policy::Policy,
    repair::Repair,
    statement::Signed,
    trust::{TrustFile, TrustVersion},
    withdrawal::Withdrawal,
};
use ed25519_dalek::SigningKey;
use harness::{
    Stage,
    schema::{fits, objection},
};
use serde_json::{Map, Value, json};

fn page(name: &str) -> String {
    fs::read_to_string(format!("{}/docs/{name}.md", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The contents of a page's fenced blocks of one language.
fn blocks(name: &str, language: &str) -> Vec<String> {
    let page = page(name);
    page.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| {
            block
                .strip_prefix(&format!("{language}\n"))
                .map(ToOwned::to_owned)
        })
        .collect()
}

fn only<const COUNT: usize>(name: &str, language: &str) -> [String; COUNT] {
    blocks(name, language)
        .try_into()
        .unwrap_or_else(|blocks: Vec<_>| {
            panic!("docs/{name}.md has {} blocks of {language}", blocks.len())
        })
}

/// A document of the documentation.
struct Example {
    schema: &'static str,
    page: &'static str,
    document: Value,
}

/// Every example, after its own reader has taken it.
fn examples() -> Vec<Example> {
    [
        operations(),
        plans(),
        receipts(),
        records(),
        ledgers(),
        withdrawals(),
        repairs(),
        evidence(),
        trusts(),
        policies(),
        campaigns(),
        rehearsals(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn example(schema: &'static str, page: &'static str, json: &str) -> Example {
    Example {
        schema,
        page,
        document: serde_json::from_str(json).unwrap(),
    }
}

fn operations() -> Vec<Example> {
    let blocks: [String; 3] = only("operation", "json");
    for block in &blocks {
        let bytes = block.trim_end_matches('\n').as_bytes();
        assert_eq!(
            Operation::from_bytes(bytes)
                .map(|operation| operation.to_bytes())
                .as_deref(),
            Ok(bytes)
        );
    }
    blocks
        .iter()
        .map(|block| example("operation", "operation", block))
        .collect()
}

fn plans() -> Vec<Example> {
    let [plan] = only("plan", "json");
    assert_eq!(
        Plan::from_document(plan.as_bytes()).map(|plan| plan.operations().len()),
        Ok(1)
    );
    [example("plan", "plan", &plan)].into()
}

/// The statement is the payload of the envelope, which the key of the page signed.
fn receipts() -> Vec<Example> {
    let [statement, receipt, _, _] = only("receipt", "json");
    let verified = Envelope::parse(&receipt)
        .unwrap()
        .verify(&approvers(), Threshold::ONE)
        .unwrap();
    assert_eq!(
        verified.terms().to_payload(),
        statement.trim_end().as_bytes()
    );
    assert_eq!(verified.to_line(), receipt.trim_end());
    let predicate = serde_json::from_str::<Value>(&statement).unwrap()["predicate"].to_string();
    [
        example("receipt-statement", "receipt", &statement),
        example("receipt", "receipt", &receipt),
        example("receipt-predicate", "receipt", &predicate),
    ]
    .into()
}

/// The key of the example receipt.
fn approvers() -> TrustedKeys {
    let page = page("receipt");
    let start = page.find("ssh-ed25519 AAAAC3").unwrap();
    TrustedKeys::parse(page[start..].split('`').next().unwrap()).unwrap()
}

/// The entry that goes with a release, and what it says of the release's files.
fn evidence() -> Vec<Example> {
    let [block] = only("evidence", "json");
    let evidence = UnverifiedEvidence::read(block.as_bytes().to_vec())
        .unwrap()
        .verify(Keys::Listed(&approvers(), Threshold::ONE), harness::now())
        .unwrap();
    let approved = evidence
        .release_of(
            Place::Named(&"owner/repo".parse().unwrap()),
            &"v1.0.0".parse().unwrap(),
        )
        .unwrap();
    let held = [HeldFile {
        name: "app.tar.gz".into(),
        size: 3,
        sha256: Digest::of(b"abc"),
        outside: None,
    }];
    assert_eq!(approved.judge(&held), [("app.tar.gz".to_owned(), Ok(()))]);
    assert!(page("evidence").contains(&approved.evidence().entry_id().digest.to_string()));
    [example("evidence", "evidence", &block)].into()
}

/// Nobody reads records but people and programs of others: the example has the members of a real one, in their order.
fn records() -> Vec<Example> {
    let [record] = only("audit-record", "json");
    let stage = Stage::new();
    stage
        .tag()
        .input("tag-name", "v0.9.0")
        .approved()
        .run()
        .succeeded();
    let attempt = stage
        .file("app.tar.gz", "abc")
        .release()
        .input("files", "app.tar.gz")
        .approved()
        .run();
    let real = fs::read_to_string(&attempt.outputs["audit-record"]).unwrap();
    assert_eq!(names_in_order(&record), names_in_order(&real));
    [example("audit-record", "audit-record", &record)].into()
}

/// Every name of a member, in the order of the text.
fn names_in_order(json: &str) -> Vec<&str> {
    regex::Regex::new(r#"[{,]"([a-zA-Z0-9_]+)":"#)
        .unwrap()
        .captures_iter(json)
        .map(|found| found.get(1).unwrap().as_str())
        .collect()
}

fn ledgers() -> Vec<Example> {
    let [claim, outcome, head, authority, _, _, _] = only("ledger", "json");
    let entries = [&claim, &outcome].map(|block| Entry::from_document(block.as_bytes()).unwrap());
    assert_eq!(entries.each_ref().map(|entry| entry.sequence), [42, 43]);
    assert_eq!(entries[1].previous, Some(entries[0].id().digest));
    assert_eq!(
        Head::from_document(head.as_bytes()),
        Ok(Head::at(entries[1].id()))
    );
    assert!(
        Authority::from_document(authority.as_bytes())
            .is_ok_and(|authority| authority.trust.is_some() && authority.policy.is_some())
    );
    [
        ("ledger-entry", claim),
        ("ledger-entry", outcome),
        ("ledger-head", head),
        ("authority", authority),
    ]
    .map(|(schema, block)| example(schema, "ledger", &block))
    .into()
}

/// The example receipt, taken back by who signed it, and the entry that says so.
fn withdrawals() -> Vec<Example> {
    let [_, receipt, statement, signed] = only("receipt", "json");
    let [claim, _, _, _, _, _, entry] = only("ledger", "json");
    let receipt = Envelope::parse(&receipt).unwrap();
    let receipt = receipt.verify(&approvers(), Threshold::ONE).unwrap();
    let claim = Entry::from_document(claim.as_bytes()).unwrap();

    let withdrawal = Withdrawal::of(
        &receipt,
        "github.com".parse().unwrap(),
        "2026-11-21T12:05:00Z".parse().unwrap(),
        "the build was made from the wrong branch".parse().unwrap(),
    );
    let key = SigningKey::from_bytes(&[1; 32]);
    let made = Signed::signed_by(&withdrawal, &key).unwrap();
    let verified = made.verify(approvers().as_slice()).unwrap();
    let made_entry = Withdrawing {
        sequence: claim.sequence,
        previous: claim.previous,
        ..Withdrawing::first(&made, &verified, "2026-11-21T12:05:02Z".parse().unwrap())
    };
    assert_eq!(signed.trim_end(), made.to_line());
    assert_eq!(
        statement.trim_end(),
        serde_json::to_string(&withdrawal).unwrap()
    );
    assert_eq!(entry, String::from_utf8(made_entry.to_document()).unwrap());
    assert!(Withdrawing::from_document(entry.as_bytes()).is_ok());
    Vec::from([
        example("withdrawal-statement", "receipt", &statement),
        example("withdrawal", "receipt", &signed),
        example("ledger-withdrawal", "ledger", &entry),
    ])
}

/// An acceptance of damage, signed by the key of the page about receipts.
fn repairs() -> Vec<Example> {
    let [_, _, _, _, statement, signed, _] = only("ledger", "json");
    let read: Signed<Repair> = Signed::parse(&signed).unwrap();
    let verified = read.accepted_by(&approvers(), Threshold::ONE).unwrap();
    assert_eq!(read.to_line(), signed.trim_end());
    assert_eq!(
        serde_json::to_string(verified.statement()).unwrap(),
        statement.trim_end()
    );
    Vec::from([
        example("repair-statement", "ledger", &statement),
        example("repair", "ledger", &signed),
    ])
}

/// The file is what `trust propose` and `trust sign` make of the version that people write.
fn trusts() -> Vec<Example> {
    let ([toml], [payload, file]) = (only("trust", "toml"), only("trust", "json"));
    let version =
        TrustVersion::from_toml(&toml, None, "2026-11-22T08:56:37Z".parse().unwrap(), None)
            .unwrap();
    assert!(version.keys.iter().all(|key| key.key.is_published()));
    let mut made = TrustFile::begin(&version);
    for seed in [1, 2] {
        made.sign(&SigningKey::from_bytes(&[seed; 32])).unwrap();
    }
    assert_eq!(String::from_utf8(made.to_document()).unwrap(), file);
    let read = TrustFile::from_document(file.as_bytes()).unwrap();
    assert!(
        page("trust").contains(&format!("root {}", read.root().unwrap())),
        "{:?}",
        read.root()
    );
    assert_eq!(
        read.verify(read.root(), version.issued_at)
            .map(|trust| trust.newest().clone()),
        Ok(version)
    );
    let document: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(
        STANDARD
            .decode(document["versions"][0]["payload"].as_str().unwrap())
            .unwrap(),
        payload.trim_end().as_bytes()
    );
    let mut examples = Vec::from([
        example("trust-version", "trust", &payload),
        example("trust-file", "trust", &file),
    ]);
    examples.push(Example {
        schema: "trust-version-toml",
        page: "trust",
        document: toml::from_str(&toml).unwrap(),
    });
    examples
}

/// Nobody reads it but people: `tests/rehearse.rs` holds real ones against the schema.
fn rehearsals() -> Vec<Example> {
    let [rehearsal] = only("rehearse", "json");
    [example("rehearsal", "rehearse", &rehearsal)].into()
}

fn policies() -> Vec<Example> {
    let [policy] = only("policy", "toml");
    assert_eq!(
        Policy::parse(&policy).map(|policy| policy.rules.len()),
        Ok(3)
    );
    [Example {
        schema: "policy",
        page: "policy",
        document: toml::from_str(&policy).unwrap(),
    }]
    .into()
}

/// The program plans it as far as the world of the test allows: it finds nothing wrong with the file.
fn campaigns() -> Vec<Example> {
    let [campaign] = only("campaign", "toml");
    let stage = Stage::new();
    stage.file("campaign.toml", &campaign);
    let plan = [
        "plan",
        "workspace/campaign.toml",
        "--repository",
        stage.sim.repository(),
        "--run-id",
        "1",
        "--folder",
        "workspace",
    ];
    let output = stage
        .command(&plan)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let plan = Plan::from_document(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((plan.operations().len(), plan.not_shipped.len()), (1, 2));
    [Example {
        schema: "campaign",
        page: "campaign",
        document: toml::from_str(&campaign).unwrap(),
    }]
    .into()
}

#[test]
fn every_format_has_a_schema_and_an_example_that_its_reader_and_its_schema_take() {
    let examples = examples();
    let mut with_example = BTreeSet::new();
    for Example {
        schema,
        page: name,
        document,
    } in &examples
    {
        fits(schema, document);
        let link = format!("(schema/{schema}.schema.json)");
        assert!(
            page(name).contains(&link),
            "docs/{name}.md does not link to the schema `{schema}`"
        );
        with_example.insert(format!("{schema}.schema.json"));
    }
    let kept = fs::read_dir(format!("{}/docs/schema", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let kept: BTreeSet<String> = kept
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, with_example);
}

/// Members that may be left out: of documents that people write, and the key id of an envelope.
const MAY_BE_ABSENT: [(&str, &[&str]); 8] = [
    ("policy", &["rule"]),
    (
        "trust-version-toml",
        &["login", "not_before", "not_after", "revoked_at"],
    ),
    (
        "campaign",
        &[
            "variables",
            "needs",
            "repository",
            "tag-name",
            "body-file",
            "files",
            "message",
            "title",
            "head-branch",
            "labels",
            "reviewers",
            "version",
        ],
    ),
    ("receipt", &["keyid"]),
    ("trust-file", &["keyid"]),
    ("withdrawal", &["keyid"]),
    ("repair", &["keyid"]),
    ("ledger-withdrawal", &["keyid"]),
];

#[test]
fn a_schema_refuses_a_member_that_is_missing_unknown_or_of_another_type() {
    let mut refused = 0;
    for Example {
        schema, document, ..
    } in examples()
    {
        let absent = MAY_BE_ABSENT
            .iter()
            .find(|(name, _)| *name == schema)
            .map_or(&[][..], |(_, members)| members);
        let mut wrong = Vec::new();
        each_change(&document, &mut |path, changed| wrong.push((path, changed)));
        for (path, changed) in wrong {
            let may_be = path.strip_prefix("without ").is_some_and(|path| {
                let member = path.rsplit('/').next().unwrap();
                absent.contains(&member)
                    || (["ledger-entry", "evidence"].contains(&schema) && member == "keyid")
            });
            let is_free = schema == "campaign" && path == "unknown member in /variables";
            assert_eq!(
                objection(schema, &changed).is_none(),
                may_be || is_free,
                "{schema}: {path}"
            );
            refused += 1;
        }
    }
    assert!(refused > 1500, "{refused}");
}

/// Every document that differs from this one by one member, or by the type of one value.
fn each_change(document: &Value, see: &mut dyn FnMut(String, Value)) {
    at_each_place(document, document, "", see);
}

fn at_each_place(whole: &Value, value: &Value, path: &str, see: &mut dyn FnMut(String, Value)) {
    let mut put = |what: String, changed: Value| {
        let mut whole = whole.clone();
        *whole.pointer_mut(path).unwrap() = changed;
        see(what, whole);
    };
    let others = [
        json!(true),
        json!("\u{7}"),
        json!(-1),
        json!(0.5),
        json!([-1]),
        json!({ "x": -1 }),
    ];
    for other in others.into_iter().filter(|other| {
        std::mem::discriminant(other) != std::mem::discriminant(value) || other.is_number()
    }) {
        // Where nothing stands, any text may.
        if value.is_null() && other.is_string() {
            continue;
        }
        put(format!("{other} at {path}"), other);
    }
    match value {
        Value::Object(members) => {
            put(
                format!("unknown member in {path}"),
                with(members, "unknown", json!("x")),
            );
            for name in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(name);
                put(format!("without {path}/{name}"), Value::Object(fewer));
            }
            for (name, member) in members {
                at_each_place(whole, member, &format!("{path}/{name}"), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at_each_place(whole, item, &format!("{path}/{index}"), see);
            }
        }
        _ => {}
    }
}

/// The members of the examples that may be null, by schema and place.
const MAY_BE_NULL: &[&str] = &[
    "audit-record/authority/policy",
    "audit-record/authority/trust",
    "audit-record/campaign",
    "audit-record/error_code",
    "audit-record/error_message",
    "audit-record/github_response",
    "audit-record/github_response/error_code",
    "audit-record/github_response/error_message",
    "audit-record/github_response/html_url",
    "audit-record/github_response/pull_number",
    "audit-record/github_response/release_id",
    "audit-record/github_response/tag_sha",
    "audit-record/ledger/claim",
    "audit-record/ledger/outcome",
    "audit-record/ledger/rules",
    "audit-record/ledger/seen",
    "audit-record/operation",
    "audit-record/operation_digest",
    "audit-record/receipt",
    "audit-record/receipt_id",
    "audit-record/remedy",
    "authority/policy",
    "authority/trust",
    "evidence/entry/authority/policy",
    "evidence/entry/authority/trust",
    "evidence/entry/github_response",
    "ledger-entry/authority/policy",
    "ledger-entry/authority/trust",
    "ledger-entry/github_response",
    "ledger-entry/github_response/error_code",
    "ledger-entry/github_response/error_message",
    "ledger-entry/github_response/html_url",
    "ledger-entry/github_response/pull_number",
    "ledger-entry/github_response/release_id",
    "ledger-entry/github_response/tag_sha",
    "ledger-entry/receipt",
    "ledger-withdrawal/acting_run",
    "ledger-withdrawal/attempt",
    "ledger-withdrawal/previous",
    "plan/campaign",
    "plan/operations/*/effects/*/from",
    "plan/operations/*/stands/base",
    "plan/operations/*/stands/head",
    "plan/operations/*/stands/latest",
    "plan/operations/*/stands/tag",
    "rehearsal/probes/*/ms",
    "rehearsal/probes/*/request_id",
    "rehearsal/probes/*/status",
    "trust-version/keys/*/login",
    "trust-version/keys/*/not_after",
    "trust-version/keys/*/not_before",
    "trust-version/keys/*/revoked_at",
    "trust-version/policy",
    "trust-version/previous",
];

#[test]
fn what_may_be_null_is_known() {
    let number = regex::Regex::new("/[0-9]+").unwrap();
    let mut found = BTreeSet::new();
    for Example {
        schema, document, ..
    } in examples()
    {
        each_place(&document, "", &mut |path| {
            let mut changed = document.clone();
            *changed.pointer_mut(path).unwrap() = Value::Null;
            if objection(schema, &changed).is_none() {
                found.insert(format!("{schema}{}", number.replace_all(path, "/*")));
            }
        });
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, MAY_BE_NULL);
}

fn each_place(value: &Value, path: &str, see: &mut dyn FnMut(&str)) {
    see(path);
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| each_place(member, &format!("{path}/{name}"), see)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| each_place(item, &format!("{path}/{index}"), see)),
        _ => {}
    }
}

fn with(members: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut more = members.clone();
    more.insert(name.to_owned(), value);
    Value::Object(more)
}
