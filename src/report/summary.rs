//! The job summary: the audit record as a person reads it. Every foreign text is escaped, and the whole stays under GitHub's limit.

use std::fmt::Write as _;

use countersign_core::{
    audit::{AuditRecord, Status},
    binding::{Check, Verdict},
    operation::Operation,
    plan::Plan,
    text::excerpt,
};

use super::markdown::{block, code, link, text};

/// GitHub shows no summary over 1 MiB; other steps of ours share the room.
pub(super) const MOST_BYTES: usize = 900 * 1024;
pub(super) const LEFT_OUT: &str = "\n*More is left out here to stay under GitHub's limit; the audit record holds everything.*\n";

/// Where pages are: the server, and the repository of the run.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) server: String,
    pub(super) home: String,
}

/// The summary of one attempt, in GitHub's Markdown.
pub(super) fn render(record: &AuditRecord, place: &Place, plan: Option<&Plan>) -> String {
    let sections = [
        banner(record, plan),
        not_shipped(record),
        done(record),
        planned(plan),
        approve(record, place, plan),
        effects(plan),
        details(plan),
        protection(record),
        checks(&record.checks),
        operation(record),
        receipt(record),
        timeline(record),
        links(record, place),
    ];
    let mut page = String::new();
    for section in sections {
        if page.len() + section.len() > MOST_BYTES {
            // What follows may fit, and say what matters more.
            if !page.ends_with(LEFT_OUT) {
                page.push_str(LEFT_OUT);
            }
            continue;
        }
        page.push_str(&section);
    }
    page
}

fn banner(record: &AuditRecord, plan: Option<&Plan>) -> String {
    let kind = match plan.and_then(|plan| plan.campaign.as_ref()) {
        Some(campaign) => format!("campaign {}", code(campaign.as_str())),
        None if record.operation_kind.is_empty() => "operation".into(),
        None => text(&record.operation_kind),
    };
    let subject = record.operation.as_ref().map_or(String::new(), |operation| format!(" · {}", code(&subject(operation))));
    let (alert, mode, verdict) = match record.status {
        Status::Success => ("TIP", "PROD", "shipped, as approved"),
        Status::DryRun => ("NOTE", "DRY RUN", "nothing was written to GitHub"),
        Status::RejectedByAuth | Status::RejectedByMode => ("CAUTION", mode_word(record), "refused, nothing was written to GitHub"),
        Status::Failed => ("WARNING", mode_word(record), "failed"),
        Status::Unknown => ("WARNING", mode_word(record), "nobody knows yet whether it was done"),
    };
    // What went wrong stands right below.
    let result = if record.error_code.is_none() { format!(" {}", text(&record.result)) } else { String::new() };
    format!("## Countersign: {kind}{subject}\n\n> [!{alert}]\n> **{mode}** — {verdict}.{result}\n\n")
}

fn mode_word(record: &AuditRecord) -> &'static str {
    match record.mode.as_str() {
        "prod" => "PROD",
        "dry_run" => "DRY RUN",
        _ => "NO MODE",
    }
}

fn subject(operation: &Operation) -> String {
    match operation {
        Operation::PublishRelease(release) => release.tag_name.to_string(),
        Operation::TagRepo(tag) => tag.tag_name.to_string(),
        Operation::OpenPr(pull) => format!("{} → {}", pull.head_branch, pull.base_branch),
    }
}

fn not_shipped(record: &AuditRecord) -> String {
    let (Some(error_code), Some(message)) = (&record.error_code, &record.error_message) else { return String::new() };
    let remedy = record.remedy.as_ref().map_or(String::new(), |remedy| format!("**What to do:** {}\n\n", text(remedy)));
    let heading = match record.status {
        Status::Failed => "What went wrong",
        Status::Unknown => "What is not known",
        _ => "Why it was not shipped",
    };
    format!("### {heading}\n\n{} {}\n\n{remedy}", code(error_code), text(message))
}

fn done(record: &AuditRecord) -> String {
    let Some(response) = &record.github_response else { return String::new() };
    let mut rows = String::new();
    if let Some(url) = &response.html_url {
        let _ = writeln!(rows, "| Page | {} |", link(url, url));
    }
    for (name, value) in [
        ("Release", response.release_id.map(|id| id.to_string())),
        ("Tag object", response.tag_sha.as_ref().map(ToString::to_string)),
        ("Pull request", response.pull_number.map(|number| format!("#{number}"))),
    ] {
        if let Some(value) = value {
            let _ = writeln!(rows, "| {name} | {} |", code(&value));
        }
    }
    for asset in &response.assets {
        let _ = writeln!(rows, "| Asset {} | {} bytes, {} |", code(asset.name.as_str()), asset.size, code(&asset.sha256.to_string()));
    }
    if rows.is_empty() { String::new() } else { format!("### What GitHub holds\n\n| | |\n|---|---|\n{rows}\n") }
}

/// Every operation of a plan, what it would change, and what will not ship.
fn planned(plan: Option<&Plan>) -> String {
    let Some(plan) = plan else { return String::new() };
    let mut page = String::new();
    if plan.campaign.is_some() {
        page.push_str("### Operations\n\n| | Operation | What | Digest |\n|---|---|---|---|\n");
        for (index, planned) in plan.operations().iter().enumerate() {
            let operation = planned.operation();
            let what = format!(
                "{} {} in {}",
                code(operation.kind().as_str()),
                code(&subject(operation)),
                code(operation.target().repository.as_str())
            );
            // Writing to a string cannot fail.
            let _ =
                writeln!(page, "| {} | {} | {what} | {} |", index + 1, code(planned.id().as_str()), code(&planned.digest().to_string()));
        }
        for left in &plan.not_shipped {
            let what = format!("{} in {}", code(left.operation_kind.as_str()), code(left.repository.as_str()));
            let _ = writeln!(page, "| ➖ | {} | {what} | **will not ship** |", code(left.id.as_str()));
        }
        page.push('\n');
    }
    if !plan.not_shipped.is_empty() {
        page.push_str("### Why not shipped\n\n");
        for left in &plan.not_shipped {
            let _ = writeln!(
                page,
                "- {}: {} {} **What to do:** {}",
                code(left.id.as_str()),
                code(&left.code),
                text(&excerpt(&left.why_not, 1000)),
                text(&excerpt(&left.remedy, 1000))
            );
        }
        page.push('\n');
    }
    for planned in plan.operations() {
        for warning in planned.warnings() {
            let _ = writeln!(page, "> [!WARNING]\n> {}: {} {}\n", code(planned.id().as_str()), code(&warning.code), text(&warning.message));
        }
    }
    page
}

/// What every operation of a plan would change.
fn effects(plan: Option<&Plan>) -> String {
    let Some(plan) = plan else { return String::new() };
    let mut page = String::new();
    page.push_str("### What would change\n\nNothing of this was done: the mode blocks it.\n\n| Operation | Effect | On | From | To |\n|---|---|---|---|---|\n");
    for planned in plan.operations() {
        for effect in planned.effects() {
            let from = effect.from.as_ref().map_or("nothing".into(), |from| code(from));
            let _ = writeln!(
                page,
                "| {} | {} | {} | {from} | {} |",
                code(planned.id().as_str()),
                effect.effect,
                code(&effect.subject),
                code(&effect.to)
            );
        }
    }
    page.push('\n');
    page
}

/// The parameters of every operation of a campaign.
fn details(plan: Option<&Plan>) -> String {
    let mut page = String::new();
    for planned in plan.filter(|plan| plan.campaign.is_some()).iter().flat_map(|plan| plan.operations()) {
        page.push_str(&parameters(&format!("Operation {}", code(planned.id().as_str())), planned.operation()));
    }
    page
}

/// The exact command for the approver, and where its result goes.
fn approve(record: &AuditRecord, place: &Place, plan: Option<&Plan>) -> String {
    let Some(plan) = plan.filter(|plan| record.status == Status::DryRun && !plan.operations().is_empty()) else { return String::new() };
    let (run, home) = (&record.github.run_id, &place.home);
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    // A value that the runner did not set as GitHub does is not made a part of a command.
    let fetch = if is_plain(run) && is_plain(home) { format!("--run {run} --repository {home}") } else { "plan.json".into() };
    let for_run =
        if plan.run_id.as_str() == run { String::new() } else { format!(" The receipt will be for run {}.", code(plan.run_id.as_str())) };
    format!(
        "### How to approve it\n\nOn a machine that you trust, with a token that may read contents and actions of this repository in {}:\n\n\
         ```sh\ncountersign authorize {fetch} --key ~/.ssh/id_ed25519 --expires-in 1h\n```\n\n\
         It fetches {} from this run's artifact, shows what you sign, asks, and prints {} receipt(s), one a line.{for_run} Then either\n\n\
         - **one run:** open {}, press “Review deployments”, paste every line into the comment and approve; the publish job reads it with {}, or\n\
         - **two runs:** call the command with {} as well: it starts that workflow with the receipts, after asking.\n\n",
        code("GH_TOKEN"),
        code("plan.json"),
        plan.operations().len(),
        link("this run", &format!("{}/{home}/actions/runs/{run}", place.server)),
        code("receipt-from: approvals"),
        code("--dispatch publish.yml"),
    )
}

fn protection(record: &AuditRecord) -> String {
    let missing = record.ledger.unprotected_against();
    if missing.is_empty() {
        return String::new();
    }
    format!(
        "> [!WARNING]\n> The ledger is not protected: no rule forbids {} on the branch {}. An administrator sets them with {}.\n\n",
        missing.iter().map(|rule| code(rule)).collect::<Vec<_>>().join(" and "),
        code("receipt-ledger"),
        code("countersign ledger init --protect"),
    )
}

fn checks(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let mut table = String::from("### Checks\n\n| | Rule | Expected | Found | Code |\n|---|---|---|---|---|\n");
    for check in checks {
        let (mark, code_shown) = match &check.verdict {
            Verdict::Holds => ("✅", String::new()),
            Verdict::Broken(_) => ("❌", code(check.code())),
            Verdict::NotEvaluated => ("➖", String::new()),
        };
        let _ = writeln!(table, "| {mark} | {} | {} | {} | {code_shown} |", check.rule.name(), text(&check.expected), text(&check.found));
    }
    table.push('\n');
    table
}

fn operation(record: &AuditRecord) -> String {
    record.operation.as_ref().map_or(String::new(), |operation| parameters("Operation", operation))
}

/// Every parameter of an operation, as its bytes have them.
fn parameters(heading: &str, operation: &Operation) -> String {
    let mut rows = String::new();
    for (name, value) in operation.parameters() {
        if name == "assets" || name == "body" {
            continue;
        }
        let _ = writeln!(rows, "| {name} | {} |", code(&value));
    }
    if let Operation::PublishRelease(release) = operation {
        for asset in release.assets.as_slice() {
            let _ = writeln!(rows, "| asset {} | {} bytes, {} |", code(asset.name.as_str()), asset.size, code(&asset.sha256.to_string()));
        }
    }
    let body = match operation {
        Operation::PublishRelease(release) => release.body.as_str(),
        Operation::OpenPr(pull) => pull.body.as_str(),
        Operation::TagRepo(_) => "",
    };
    let body =
        if body.is_empty() { String::new() } else { format!("<details><summary>Body</summary>\n\n{}\n\n</details>\n\n", block(body)) };
    let digest = code(&operation.digest().to_string());
    format!("### {heading}\n\nDigest {digest}\n\n| Parameter | Value |\n|---|---|\n{rows}\n{body}")
}

fn receipt(record: &AuditRecord) -> String {
    let Some(terms) = &record.receipt else { return String::new() };
    let mut rows = String::new();
    for (name, value) in [
        ("Receipt", terms.receipt_id.to_string()),
        ("Run", terms.run_id.to_string()),
        ("Kind", terms.operation_kind.to_string()),
        ("Repository", terms.target.to_string()),
        ("Operation", terms.operation_digest.to_string()),
        ("Enforceable", terms.enforceable.to_string()),
        ("Valid", format!("{} until {}", terms.issued_at, terms.expires_at)),
        ("Ledger at approval", terms.ledger.map_or("empty".into(), |ledger| ledger.to_string())),
    ] {
        let _ = writeln!(rows, "| {name} | {} |", code(&value));
    }
    for (what, pin) in [("Trust file", record.authority.trust), ("Policy", record.authority.policy)] {
        if let Some(pin) = pin {
            let _ = writeln!(rows, "| {what} | {} |", code(&pin.to_string()));
        }
    }
    if !record.reviewers.is_empty() {
        let _ = writeln!(rows, "| Deployment approved by | {} |", text(&record.reviewers.join(", ")));
    }
    for signer in &record.signers {
        let _ = writeln!(rows, "| Signed by | {} {} |", text(&signer.name), code(signer.fingerprint.as_str()));
    }
    format!("### Receipt\n\n| | |\n|---|---|\n{rows}\n")
}

fn timeline(record: &AuditRecord) -> String {
    let mut rows = String::new();
    let mut row = |when: &str, what: &str| {
        let _ = writeln!(rows, "| {} | {what} |", text(when));
    };
    if let Some(terms) = &record.receipt {
        row("", &format!("dry run {}", code(terms.run_id.as_str())));
        row(&terms.issued_at.to_string(), &format!("authorized: receipt {}", code(terms.receipt_id.as_str())));
    }
    let attempt = format!("{} in run {} attempt {}", text(&record.mode), code(&record.github.run_id), code(&record.github.run_attempt));
    row(&record.started_at.to_string(), &attempt);
    if let Some(claim) = record.ledger.claim {
        row("", &format!("receipt spent: ledger entry {} {}", claim.sequence, code(&claim.digest.to_string())));
    }
    if let Some(outcome) = record.ledger.outcome {
        row("", &format!("outcome recorded: ledger entry {} {}", outcome.sequence, code(&outcome.digest.to_string())));
    }
    row(&record.completed_at.to_string(), record.status.as_str());
    format!("### Timeline\n\n| When | What |\n|---|---|\n{rows}\n")
}

fn links(record: &AuditRecord, place: &Place) -> String {
    let Place { server, home } = place;
    let run = format!("{server}/{home}/actions/runs/{}", record.github.run_id);
    let ledger = format!("{server}/{}/tree/receipt-ledger", record.repository);
    format!("{} · {} · Countersign {}\n", link("Run", &run), link("Ledger", &ledger), record.version)
}
