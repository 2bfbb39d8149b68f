//! An audit as SARIF 2.1.0, which GitHub's code scanning and other tools take in.

use serde_json::{Value, json};

use countersign_core::{
    digest::Digest,
    ledger::entry_path,
    reconcile::{Code, Finding},
};

use super::Audit;

pub(super) fn log(audit: &Audit) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Countersign audit",
                "semanticVersion": audit.version,
                "rules": Code::ALL.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": audit.at.to_string() }],
            "results": audit.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.meaning() },
        "help": { "text": code.remedy() },
        "defaultConfiguration": { "level": code.level().as_str() },
    })
}

fn result(finding: &Finding) -> Value {
    let page = finding
        .subject
        .url
        .as_ref()
        .map_or(String::new(), |url| format!("\n{url}"));
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == finding.code),
        "level": finding.level.as_str(),
        "message": { "text": format!("{} {}: {}\n{}{page}", finding.subject.kind, finding.subject.name, finding.problem, finding.remedy) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": place(finding) } },
            "logicalLocations": [{ "fullyQualifiedName": format!("{} {}", finding.subject.kind, finding.subject.name) }],
        }],
        "partialFingerprints": { "finding/v1": fingerprint(finding) },
    })
}

/// Code scanning wants a file for every result: the entry on the ledger's branch, else the ledger's head.
fn place(finding: &Finding) -> String {
    finding
        .sequence
        .map_or_else(|| countersign_core::ledger::HEAD_PATH.into(), entry_path)
}

/// The same finding has the same one in the next audit; what it says may change.
fn fingerprint(finding: &Finding) -> String {
    let identity = [
        finding.code.as_str(),
        finding.subject.kind,
        &finding.subject.name,
        &place(finding),
    ]
    .join("\n");
    Digest::of(identity.as_bytes()).to_hex()
}
