//! An audit as people read it: what was looked at, each finding with what to do, and how many there are.

use anyhow::Result;

use countersign_core::reconcile::{Finding, Level};

use super::Audit;
use crate::commands::{Row, print};

pub(super) fn show(audit: &Audit) -> Result<()> {
    print(rows(audit))
}

fn rows(audit: &Audit) -> Vec<Row> {
    let newest = audit
        .ledger
        .map_or("no entry".into(), |newest| newest.to_string());
    let mut rows = vec![
        Row::new("audited        ", format!("{}, {newest}", audit.place)),
        Row::new(
            "since          ",
            format!("{}; tags whatever their age", audit.since),
        ),
        Row::new("looked at      ", looked_at(audit)),
    ];
    rows.extend(
        audit
            .not_looked_at
            .iter()
            .map(|what| Row::new("not looked at  ", what)),
    );
    for finding in &audit.findings {
        rows.push(Row::blank());
        rows.extend(about(finding));
    }
    rows.push(Row::blank());
    rows.push(Row::new("found          ", tally(&audit.findings)));
    rows
}

fn looked_at(audit: &Audit) -> String {
    let looked = &audit.looked_at;
    let counted = [
        (looked.releases, "release", "releases"),
        (Some(looked.tags), "tag", "tags"),
        (looked.pull_requests, "pull request", "pull requests"),
        (usize::try_from(looked.entries).ok(), "entry", "entries"),
        (Some(looked.receipts), "receipt", "receipts"),
    ];
    let counted = counted
        .into_iter()
        .filter_map(|(number, one, many)| Some(count(number?, one, many)));
    counted.collect::<Vec<_>>().join(", ")
}

fn about(finding: &Finding) -> Vec<Row> {
    let entry = finding
        .sequence
        .map_or(String::new(), |sequence| format!(" · entry {sequence}"));
    let receipt = finding
        .receipt_id
        .as_ref()
        .map_or(String::new(), |receipt| format!(" · {receipt}"));
    let subject = format!(
        "{}  {} {}{entry}{receipt}",
        finding.code, finding.subject.kind, finding.subject.name
    );

    let behind = |text: &str| Row::new("         ", text);
    let mut rows = vec![
        Row::new(format!("{:<8} ", finding.level.as_str()), subject),
        behind(&finding.problem),
    ];
    rows.extend(finding.subject.url.as_deref().map(behind));
    rows.push(Row::new("         → ", finding.remedy));
    rows
}

fn tally(findings: &[Finding]) -> String {
    let levels = [
        (Level::Error, "error", "errors"),
        (Level::Warning, "warning", "warnings"),
        (Level::Note, "note", "notes"),
    ];
    let counted = levels.map(|(level, one, many)| {
        count(
            findings
                .iter()
                .filter(|finding| finding.level == level)
                .count(),
            one,
            many,
        )
    });
    if findings.is_empty() {
        "nothing: everything has its receipt, and every receipt its effect".into()
    } else {
        counted.join(", ")
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
