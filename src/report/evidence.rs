//! What a decision rests on, in the summary: checks, operation, receipt and timeline.

use std::fmt::Write as _;

use countersign_core::{
    audit::{AuditRecord, Status},
    binding::{Check, Verdict},
    operation::Operation,
    text::excerpt,
};

use super::{
    markdown::{block, code, link, prose, shortened, text},
    summary::{Place, asset_table, fold, ledger_entry, resumed},
};

/// Most characters of one side of a check.
const MOST_WORDS: usize = 1000;

/// The binding table. Rules that are broken stand first, with both sides whole; what does not matter now is folded away.
pub(super) fn checks(record: &AuditRecord) -> String {
    let checks = &record.checks;
    if checks.is_empty() {
        return String::new();
    }
    let of = |broken: bool| {
        checks
            .iter()
            .filter(move |check| check.refusal().is_some() == broken)
    };
    let (broken, rest) = (of(true).count(), table_of_others(of(false)));
    let held = checks.iter().filter(|check| check.holds()).count();
    let heading = match broken {
        0 if held == checks.len() => format!("all {held} hold"),
        0 => format!("{held} of {} hold", checks.len()),
        1 => format!("1 of {} does not hold", checks.len()),
        _ => format!("{broken} of {} do not hold", checks.len()),
    };
    let broken_ones = if broken == 0 {
        String::new()
    } else {
        table_of_broken(of(true))
    };
    let rest = if record.status == Status::Success {
        rest
    } else {
        fold(&counted(broken, held, checks.len()), &rest)
    };
    format!("### Checks: {heading}\n\n{broken_ones}{rest}")
}

/// The title of what is folded away.
fn counted(broken: usize, held: usize, all: usize) -> String {
    match (held, all - held - broken) {
        _ if broken == 0 => "Every rule, with both sides".into(),
        (held, 0) => format!("{held} hold"),
        (0, open) => format!("{open} were not evaluated"),
        (held, open) => format!("{held} hold, {open} were not evaluated"),
    }
}

fn table_of_broken<'a>(broken: impl Iterator<Item = &'a Check>) -> String {
    let mut table = String::from("| Broken rule | Both sides |\n|---|---|\n");
    for check in broken {
        // One above the other: two digests beside each other are wider than the page, and hard to compare.
        let (expected, found) = (side(&check.expected), side(&check.found));
        let (rule, code) = (check.rule.name(), code(check.code()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| ❌ {rule}<br>{code} | **expected** {expected}<br>**found** {found} |"
        );
    }
    table.push('\n');
    table
}

fn table_of_others<'a>(others: impl Iterator<Item = &'a Check>) -> String {
    let mut table = String::from("| Verdict | Rule | Expected | Found |\n|---|---|---|---|\n");
    for check in others {
        let mark = if check.verdict == Verdict::Holds {
            "✅&nbsp;holds"
        } else {
            "➖&nbsp;open"
        };
        let (expected, found) = (
            side(&shortened(&check.expected)),
            side(&shortened(&check.found)),
        );
        let _ = writeln!(
            table,
            "| {mark} | {} | {expected} | {found} |",
            check.rule.name()
        );
    }
    table.push('\n');
    table
}

/// One side of a check: a value in the type of code, or a sentence.
fn side(shown: &str) -> String {
    if shown.contains(char::is_whitespace) {
        prose(&excerpt(shown, MOST_WORDS))
    } else {
        code(shown)
    }
}

/// The operation that the inputs describe. What shipped as approved is folded away; what did not is there to be compared.
pub(super) fn operation(record: &AuditRecord) -> String {
    let Some(operation) = &record.operation else {
        return String::new();
    };
    if record.status == Status::Success {
        fold(
            "<strong>Operation</strong>, as approved",
            &described(operation),
        )
    } else {
        parameters("Operation", operation)
    }
}

/// Every parameter of an operation, as its bytes have them.
pub(super) fn parameters(heading: &str, operation: &Operation) -> String {
    format!("### {heading}\n\n{}", described(operation))
}

fn described(operation: &Operation) -> String {
    let digest = code(&operation.digest().to_string());
    let mut page = format!("Digest {digest}\n\n| Parameter | Value |\n|---|---|\n");
    for (name, value) in operation.parameters() {
        if name != "assets" && name != "body" {
            let _ = writeln!(page, "| {name} | {} |", code(&value));
        }
    }
    page.push('\n');
    let body = match operation {
        Operation::PublishRelease(release) => {
            let assets = release.assets.as_slice().iter();
            page.push_str(&asset_table(assets.map(|asset| {
                (asset.name.as_str(), asset.size, asset.sha256.to_hex())
            })));
            release.body.as_str()
        }
        Operation::OpenPr(pull) => pull.body.as_str(),
        Operation::TagRepo(_) => "",
    };
    if !body.is_empty() {
        page.push_str(&fold("Body", &block(body)));
    }
    page
}

/// What the receipt is bound to, and who signed it.
pub(super) fn receipt(record: &AuditRecord) -> String {
    let Some(terms) = &record.receipt else {
        return String::new();
    };
    let mut table = String::from("### Receipt\n\n| Term | Value |\n|---|---|\n");
    for (name, value) in [
        ("Receipt", terms.receipt_id.to_string()),
        ("Run", terms.run_id.to_string()),
        ("Kind", terms.operation_kind.to_string()),
        ("Repository", terms.target.to_string()),
        ("Operation", terms.operation_digest.to_string()),
        ("Enforceable", terms.enforceable.to_string()),
        (
            "Valid",
            format!("{} until {}", terms.issued_at, terms.expires_at),
        ),
        ("Ledger at approval", terms.ledger.to_string()),
    ] {
        let _ = writeln!(table, "| {name} | {} |", code(&value));
    }
    for (what, pin) in [
        ("Trust file", record.authority.trust),
        ("Policy", record.authority.policy),
    ] {
        if let Some(pin) = pin {
            let _ = writeln!(table, "| {what} | {} |", code(&pin.to_string()));
        }
    }
    for signer in &record.signers {
        let _ = writeln!(
            table,
            "| Signed by | {} {} |",
            text(&signer.name),
            code(signer.fingerprint.as_str())
        );
    }
    if !record.reviewers.is_empty() {
        let logins: Vec<String> = record.reviewers.iter().map(|login| text(login)).collect();
        let _ = writeln!(table, "| Deployment approved by | {} |", logins.join(", "));
    }
    table.push('\n');
    table
}

/// From the dry run to the end, step by step.
pub(super) fn timeline(record: &AuditRecord, place: &Place) -> String {
    let run = |id: &str| {
        link(
            &format!("run {id}"),
            &format!("{}/{}/actions/runs/{id}", place.server, place.home),
        )
    };
    let mut steps = Vec::new();
    if let Some(terms) = &record.receipt {
        steps.push(format!("**planned** in {}", run(terms.run_id.as_str())));
        steps.push(format!(
            "**authorized** at {}: receipt {}",
            code(&terms.issued_at.to_string()),
            code(terms.receipt_id.as_str())
        ));
    }
    let attempt = format!(
        "{}, attempt {}",
        run(&record.github.run_id),
        code(&record.github.run_attempt)
    );
    let mode = if record.mode.is_empty() {
        "without a mode".into()
    } else {
        format!("in mode {}", code(&record.mode))
    };
    steps.push(format!(
        "**begun** at {} {mode}: {attempt}",
        code(&record.started_at.to_string())
    ));
    let claimed = if resumed(record) {
        "receipt claimed again"
    } else {
        "receipt spent"
    };
    for (what, entry) in [
        (claimed, record.ledger.claim),
        ("outcome recorded", record.ledger.outcome),
    ] {
        if let Some(entry) = entry {
            let digest = code(&shortened(&entry.digest.to_string()));
            steps.push(format!(
                "**{what}**: {} {digest}",
                ledger_entry(record, place, entry)
            ));
        }
    }
    steps.push(format!(
        "**ended** at {}: {}",
        code(&record.completed_at.to_string()),
        code(record.status.as_str())
    ));
    format!("### Timeline\n\n1. {}\n\n", steps.join("\n1. "))
}
