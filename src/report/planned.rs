//! A plan in the summary of its dry run: what would change, what will not ship, and the command that approves it.

use std::fmt::Write as _;

use countersign_core::{
    audit::{AuditRecord, Status},
    digest::Digest,
    document::Document as _,
    plan::{Effect, Plan, PlannedOperation},
    text::excerpt,
};

use super::{
    evidence::parameters,
    markdown::{code, link, prose, shortened},
    summary::{Place, alert, folded, named},
};

/// Most characters of a reason.
const MOST_WORDS: usize = 1000;

/// Everything about a plan, in the order in which an approver reads it.
pub(super) fn sections(record: &AuditRecord, place: &Place, plan: &Plan) -> Vec<String> {
    let mut sections = vec![
        warnings(plan),
        not_shipped(plan),
        operations(plan),
        effects(plan),
        approve(record, place, plan),
    ];
    if plan.campaign.is_some() {
        // A single operation stands in the record itself.
        sections.extend(plan.operations().iter().map(|one| {
            parameters(
                &format!("Operation {}", code(one.id().as_str())),
                one.operation(),
            )
        }));
    }
    sections
}

/// What the approver does with it, for the banner.
pub(super) fn what_next(plan: &Plan) -> String {
    let (count, left) = (plan.operations().len(), plan.not_shipped.len());
    let wait = if count == 1 {
        "One operation waits for its approval".into()
    } else {
        format!("{count} operations wait for their approval")
    };
    let left = if left == 0 {
        String::new()
    } else {
        format!("; {left} more will not ship")
    };
    format!(
        "{wait}{left}. **What to do:** look at what would change, then approve it as told below."
    )
}

/// Every operation of a campaign, those that will not ship too.
fn operations(plan: &Plan) -> String {
    if plan.campaign.is_none() {
        return String::new();
    }
    let mut table = String::from(
        "### Operations\n\n| No. | Operation | What | Where | Digest |\n|---|---|---|---|---|\n",
    );
    for (index, planned) in plan.operations().iter().enumerate() {
        let operation = planned.operation();
        let id = code(planned.id().as_str());
        let (repository, digest) = (
            code(operation.target().repository.as_str()),
            code(&shortened(&planned.digest().to_string())),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {id} | {} | {repository} | {digest} |",
            index + 1,
            named(operation)
        );
    }
    for left in &plan.not_shipped {
        let (id, kind) = (code(left.id.as_str()), code(left.operation_kind.as_str()));
        let _ = writeln!(
            table,
            "| ❌ | {id} | {kind} | {} | **will not ship** |",
            code(left.repository.as_str())
        );
    }
    table.push('\n');
    table
}

fn not_shipped(plan: &Plan) -> String {
    if plan.not_shipped.is_empty() {
        return String::new();
    }
    let mut list = String::from("### Why not shipped\n\n");
    for left in &plan.not_shipped {
        let (why, remedy) = (
            prose(&excerpt(&left.why_not, MOST_WORDS)),
            prose(&excerpt(&left.remedy, MOST_WORDS)),
        );
        let _ = writeln!(
            list,
            "- {}: {why} ({})<br>**What to do:** {remedy}",
            code(left.id.as_str()),
            code(&left.code)
        );
    }
    list.push('\n');
    list
}

fn warnings(plan: &Plan) -> String {
    let of = |planned: &PlannedOperation| {
        let id = planned.id().as_str().to_owned();
        planned
            .warnings()
            .iter()
            .map(move |warning| {
                format!(
                    "{}: {} ({})",
                    code(&id),
                    prose(&warning.message),
                    code(&warning.code)
                )
            })
            .collect::<Vec<_>>()
    };
    plan.operations()
        .iter()
        .flat_map(of)
        .map(|told| alert("WARNING", &[told]))
        .collect()
}

/// What every operation of a plan would change.
fn effects(plan: &Plan) -> String {
    let all: Vec<(&PlannedOperation, &Effect)> = plan
        .operations()
        .iter()
        .flat_map(|planned| {
            planned
                .effects()
                .iter()
                .map(move |effect| (planned, effect))
        })
        .collect();
    if all.is_empty() {
        return String::new();
    }
    // Of one operation there is nothing to tell apart.
    let several = plan.operations().len() > 1;
    let mut table = String::from(if several {
        "| Operation | Effect | On | From | To |\n|---|---|---|---|---|\n"
    } else {
        "| Effect | On | From | To |\n|---|---|---|---|\n"
    });
    for (planned, effect) in &all {
        let id = if several {
            format!("| {} ", code(planned.id().as_str()))
        } else {
            String::new()
        };
        let from = effect
            .from
            .as_ref()
            .map_or("nothing".into(), |from| code(&shortened(from)));
        let _ = writeln!(
            table,
            "{id}| {} | {} | {from} | {} |",
            effect.effect.replace('_', " "),
            code(&effect.subject),
            code(&shortened(&effect.to))
        );
    }
    table.push('\n');
    let table = folded(all.len(), &format!("{} changes", all.len()), table);
    format!("### What would change\n\nNothing of this was done: the mode blocks it.\n\n{table}")
}

/// The exact command for the approver, and where its result goes.
fn approve(record: &AuditRecord, place: &Place, plan: &Plan) -> String {
    let count = plan.operations().len();
    if record.status != Status::DryRun || count == 0 {
        return String::new();
    }
    let (run, home) = (&record.github.run_id, &place.home);
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
    };
    // A value that the runner did not set as GitHub does is not made a part of a command.
    let command = if is_plain(run) && is_plain(home) {
        // In two lines, so that a summary shows all of it.
        format!(
            "GH_TOKEN=$(gh auth token) countersign authorize \\\n  --run {run} --repository {home}"
        )
    } else {
        "countersign authorize plan.json".into()
    };
    let (prints, paste) = if count == 1 {
        ("one receipt, a single line".into(), "the line")
    } else {
        (format!("{count} receipts, one a line"), "every line")
    };
    let for_run = if plan.run_id.as_str() == run {
        "."
    } else {
        &format!(" for run {}.", code(plan.run_id.as_str()))
    };
    format!(
        "### How to approve it\n\nOn a machine that you trust, with your key in {} and a token that may read contents and actions of this repository:\n\n\
         ```sh\n{command} --key release-key --expires-in 1h\n```\n\n\
         It fetches {} from this run's artifact, shows what you sign, asks, and prints {prints}{for_run} Then either\n\n\
         - **one run:** open {}, press “Review deployments”, paste {paste} into the comment and approve; the publish job reads it with {}, or\n\
         - **two runs:** call the command with {} as well: it asks, and starts that workflow with what it printed.\n\n\
         The plan's digest, for the input {}: {}\n\n",
        code("release-key"),
        code("plan.json"),
        link(
            "this run",
            &format!("{}/{home}/actions/runs/{run}", place.server)
        ),
        code("receipt-from: approvals"),
        code("--dispatch publish.yml"),
        code("plan-digest"),
        code(&Digest::of(&plan.to_document()).to_string()),
    )
}
