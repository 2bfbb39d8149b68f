//! The job summary: the audit record as a person reads it. What happened, why, and what to do next stand first.

use std::fmt::Write as _;

use countersign_core::{
    audit::{AuditRecord, Status},
    binding::Rule,
    ledger::{EntryId, GithubResponse, entry_path},
    name::Repository,
    operation::{Kind, Operation},
    plan::Plan,
};

use super::{
    evidence::{checks, operation, receipt, timeline},
    markdown::{code, link, prose, text},
    planned,
};

/// GitHub shows no summary over 1 MiB; other steps of ours share the room.
pub(super) const MOST_BYTES: usize = 900 * 1024;
pub(super) const LEFT_OUT: &str = "\n*More is left out here to stay under GitHub's limit; the audit record holds everything.*\n\n";
/// A longer table is folded away: what comes after it matters as much.
const MOST_ROWS: usize = 20;

/// Where pages are: the server, and the repository of the run.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) server: String,
    pub(super) home: String,
}

/// The summary of one attempt, in GitHub's Markdown.
pub(super) fn render(record: &AuditRecord, place: &Place, plan: Option<&Plan>) -> String {
    let verdict = Verdict::of(record.status);
    let title = title(record, plan);
    let banner = alert(verdict.alert, &banner(record, plan));
    let head = [
        format!("## Countersign: {title} — {}\n\n", verdict.word),
        banner,
    ];
    let plan = plan.map_or_else(Vec::new, |plan| planned::sections(record, place, plan));
    within_limit(
        head.into_iter()
            .chain(plan)
            .chain([protection(record)])
            .chain(body(record, place))
            .chain([links(record, place)]),
    )
}

/// The same for one operation of a campaign, to be folded away under a title that tells how it ended.
pub(super) fn render_part(record: &AuditRecord, place: &Place) -> String {
    // GitHub shows no alert inside of anything.
    within_limit(
        [quote(&banner(record, None))]
            .into_iter()
            .chain(body(record, place)),
    )
}

/// Section after section as long as there is room; what follows one that is too long may fit, and say what matters more.
fn within_limit(sections: impl Iterator<Item = String>) -> String {
    let mut page = String::new();
    for section in sections {
        if page.len() + section.len() <= MOST_BYTES {
            page.push_str(&section);
        } else if !page.ends_with(LEFT_OUT) {
            page.push_str(LEFT_OUT);
        }
    }
    page
}

fn body(record: &AuditRecord, place: &Place) -> [String; 5] {
    [
        done(record),
        checks(record),
        operation(record),
        receipt(record),
        timeline(record, place),
    ]
}

/// How a status is told.
struct Verdict {
    alert: &'static str,
    word: &'static str,
    sentence: &'static str,
    /// What stands above the reason.
    reason: &'static str,
}

impl Verdict {
    const fn of(status: Status) -> Self {
        let (alert, word, sentence, reason) = match status {
            Status::Success => ("TIP", "shipped", "shipped, as approved", ""),
            Status::DryRun => ("NOTE", "dry run", "nothing was written to GitHub", ""),
            Status::RejectedByAuth | Status::RejectedByMode => (
                "CAUTION",
                "refused",
                "refused, nothing was written to GitHub",
                "Why it was not shipped",
            ),
            Status::Failed => ("WARNING", "failed", "failed", "What went wrong"),
            Status::Unknown => (
                "WARNING",
                "outcome not known",
                "nobody knows yet whether it was done",
                "What is not known",
            ),
        };
        Self {
            alert,
            word,
            sentence,
            reason,
        }
    }
}

fn title(record: &AuditRecord, plan: Option<&Plan>) -> String {
    if let Some(campaign) = plan.and_then(|plan| plan.campaign.as_ref()) {
        return format!("campaign {}", code(campaign.as_str()));
    }
    match &record.operation {
        Some(operation) => named(operation),
        None if record.operation_kind.is_empty() => "operation".into(),
        None => code(&record.operation_kind),
    }
}

/// The operation in a few words: ``release `v1.0.0` ``.
pub(super) fn named(operation: &Operation) -> String {
    let subject = match operation {
        Operation::PublishRelease(release) => release.tag_name.to_string(),
        Operation::TagRepo(tag) => tag.tag_name.to_string(),
        Operation::OpenPr(pull) => format!("{} → {}", pull.head_branch, pull.base_branch),
    };
    let kind = match operation.kind() {
        Kind::PublishRelease => "release",
        Kind::TagRepo => "tag",
        Kind::OpenPr => "pull request",
    };
    format!("{kind} {}", code(&subject))
}

/// The paragraphs that are read first: how it ended, why, and what to do next.
fn banner(record: &AuditRecord, plan: Option<&Plan>) -> Vec<String> {
    let verdict = Verdict::of(record.status);
    let page = record
        .github_response
        .as_ref()
        .and_then(|response| response.html_url.as_ref())
        .filter(|_| record.status == Status::Success);
    let page = page.map_or(String::new(), |url| format!(": {}", link(url, url)));
    let mut paragraphs = vec![format!(
        "**{}** — {}{page}.",
        mode(record),
        verdict.sentence
    )];
    if let (Some(error_code), Some(message)) = (&record.error_code, &record.error_message) {
        paragraphs.push(format!(
            "**{}:** {} ({})",
            verdict.reason,
            prose(message),
            code(error_code)
        ));
    }
    if let Some(remedy) = &record.remedy {
        paragraphs.push(format!("**What to do:** {}", prose(remedy)));
    }
    paragraphs.extend(match record.status {
        Status::Success => by_whom(record),
        Status::DryRun => plan.map(planned::what_next),
        Status::Failed => Some(after_failure(record)),
        _ => None,
    });
    paragraphs
}

fn mode(record: &AuditRecord) -> &'static str {
    match record.mode.as_str() {
        "prod" => "PROD",
        "dry_run" => "DRY RUN",
        _ => "NO MODE",
    }
}

fn by_whom(record: &AuditRecord) -> Option<String> {
    let signers = record
        .signers
        .iter()
        .map(|signer| text(&signer.name))
        .collect::<Vec<_>>()
        .join(", ");
    let reviewers = record
        .reviewers
        .iter()
        .map(|login| text(login))
        .collect::<Vec<_>>()
        .join(", ");
    let parts = [
        (!signers.is_empty()).then(|| format!("Signed by {signers}.")),
        (!reviewers.is_empty()).then(|| format!("Deployment approved by {reviewers}.")),
        resumed(record).then(|| "An earlier attempt of this run began it; this one looked at what was done and finished it.".into()),
    ];
    let told = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!told.is_empty()).then_some(told)
}

/// Whether an earlier attempt had spent the receipt: the rule holds, although it did not find what it expects of a first one.
pub(super) fn resumed(record: &AuditRecord) -> bool {
    record
        .checks
        .iter()
        .any(|check| check.rule == Rule::Unused && check.holds() && check.found != check.expected)
}

/// After a failure it counts whether the receipt can be used again; what to do stands in the message.
fn after_failure(record: &AuditRecord) -> String {
    match record.ledger.claim {
        Some(claim) => {
            format!(
                "**The receipt is spent** (ledger entry {}): to try again, approve it again.",
                claim.sequence
            )
        }
        None => "No receipt was spent.".into(),
    }
}

/// An alert; only at the top of the page.
pub(super) fn alert(kind: &str, paragraphs: &[String]) -> String {
    format!("> [!{kind}]\n{}", quote(paragraphs))
}

fn quote(paragraphs: &[String]) -> String {
    format!("> {}\n\n", paragraphs.join("\n>\n> "))
}

/// What is no longer than a screen is shown, the rest is folded away.
pub(super) fn folded(rows: usize, title: &str, content: String) -> String {
    if rows <= MOST_ROWS {
        content
    } else {
        fold(title, &content)
    }
}

/// Content that opens when its title is pressed.
pub(super) fn fold(title: &str, content: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{content}\n</details>\n\n")
}

fn done(record: &AuditRecord) -> String {
    let Some(response) = &record.github_response else {
        return String::new();
    };
    let held = held(response);
    let assets = asset_table(
        response
            .assets
            .iter()
            .map(|asset| (asset.name.as_str(), asset.size, asset.sha256.to_hex())),
    );
    if held.is_empty() && assets.is_empty() {
        String::new()
    } else {
        format!("### What GitHub holds\n\n{held}{assets}")
    }
}

fn held(response: &GithubResponse) -> String {
    let shown = [
        ("Page", response.html_url.as_ref().map(|url| link(url, url))),
        (
            "Release",
            response.release_id.map(|id| code(&id.to_string())),
        ),
        (
            "Tag object",
            response.tag_sha.as_ref().map(|sha| code(sha.as_str())),
        ),
        (
            "Pull request",
            response
                .pull_number
                .map(|number| code(&format!("#{number}"))),
        ),
    ];
    let items: String = shown
        .into_iter()
        .filter_map(|(name, value)| Some(format!("- {name} {}\n", value?)))
        .collect();
    if items.is_empty() {
        items
    } else {
        format!("{items}\n")
    }
}

/// Assets: name, size and whole digest.
pub(super) fn asset_table<'a>(
    assets: impl ExactSizeIterator<Item = (&'a str, u64, String)>,
) -> String {
    let count = assets.len();
    if count == 0 {
        return String::new();
    }
    let mut table = String::from("| Asset | Bytes | SHA-256 |\n|---|---|---|\n");
    for (name, size, digest) in assets {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {} | {size} | {} |", code(name), code(&digest));
    }
    table.push('\n');
    folded(count, &format!("{count} assets"), table)
}

pub(super) fn protection(record: &AuditRecord) -> String {
    let missing = record.ledger.unprotected_against();
    if missing.is_empty() {
        return String::new();
    }
    let told = format!(
        "The ledger is not protected: no rule forbids {} on the branch {}. An administrator sets them with {}.",
        missing
            .iter()
            .map(|rule| code(rule))
            .collect::<Vec<_>>()
            .join(" and "),
        code("receipt-ledger"),
        code("countersign ledger init --protect"),
    );
    alert("WARNING", &[told])
}

/// A ledger entry, with its page.
pub(super) fn ledger_entry(record: &AuditRecord, place: &Place, entry: EntryId) -> String {
    let page = format!(
        "{}/{}/blob/receipt-ledger/{}",
        place.server,
        record.repository,
        entry_path(entry.sequence)
    );
    link(&format!("ledger entry {}", entry.sequence), &page)
}

fn links(record: &AuditRecord, place: &Place) -> String {
    let Place { server, home } = place;
    let run = link(
        "Run",
        &format!("{server}/{home}/actions/runs/{}", record.github.run_id),
    );
    // As given, it may name no repository at all.
    let ledger = record.repository.parse::<Repository>().map_or_else(
        |_| "No ledger".into(),
        |repository| {
            link(
                "Ledger",
                &format!("{server}/{repository}/tree/receipt-ledger"),
            )
        },
    );
    let id = code(record.operation_id.as_str());
    format!(
        "{run} · {ledger} · Record {id} · Countersign {}\n",
        record.version
    )
}
