//! An audit as people read it: what was looked at, each finding with what to do, and how many there are.

use anyhow::Result;

use countersign_core::reconcile::{Finding, Level};

use super::Audit;
use crate::{commands::print, log::harmless};

pub(super) fn show(audit: &Audit) -> Result<()> {
    for line in lines(audit) {
        print(&harmless(&line))?;
    }
    Ok(())
}

fn lines(audit: &Audit) -> Vec<String> {
    let newest = audit
        .ledger
        .map_or("no entry".into(), |newest| newest.to_string());
    let mut lines = vec![
        format!("audited        {}, {newest}", audit.place),
        format!("since          {}; tags whatever their age", audit.since),
        format!("looked at      {}", looked_at(audit)),
    ];
    lines.extend(
        audit
            .not_looked_at
            .iter()
            .map(|what| format!("not looked at  {what}")),
    );
    for finding in &audit.findings {
        lines.push(String::new());
        lines.extend(about(finding));
    }
    lines.push(String::new());
    lines.push(format!("found          {}", tally(&audit.findings)));
    lines
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

fn about(finding: &Finding) -> Vec<String> {
    let entry = finding
        .sequence
        .map_or(String::new(), |sequence| format!(" · entry {sequence}"));
    let receipt = finding
        .receipt_id
        .as_ref()
        .map_or(String::new(), |receipt| format!(" · {receipt}"));
    let head = format!(
        "{:<8} {}  {} {}{entry}{receipt}",
        finding.level.as_str(),
        finding.code,
        finding.subject.kind,
        finding.subject.name
    );
    let mut lines = vec![head, format!("         {}", finding.problem)];
    lines.extend(
        finding
            .subject
            .url
            .as_ref()
            .map(|url| format!("         {url}")),
    );
    lines.push(format!("         → {}", finding.remedy));
    lines
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
