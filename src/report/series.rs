//! A campaign as one job tells it: what shipped, what did not, and what was not begun.

use std::{collections::VecDeque, fmt::Write as _, path::PathBuf};

use serde::Serialize;

use countersign_core::{
    audit::{AuditRecord, CampaignRecord, Status},
    authority::Authority,
    name::OperationId,
    plan::{NotShipped, Plan},
    text::excerpt,
};

use super::{
    markdown::{code, link, prose, text},
    summary::{self, Place, alert, fold, protection},
};

/// Most characters of a reason in a table.
const MOST_WORDS: usize = 1000;

/// The operations of a campaign, in their order.
pub(super) struct Series {
    name: String,
    steps: Vec<Step>,
    not_shipped: Vec<NotShipped>,
    /// The ids of those that follow, and the folders of their records.
    following: VecDeque<(OperationId, PathBuf)>,
    /// How many have ended.
    done: usize,
    /// What all of them were decided by.
    shared: (Authority, Vec<String>),
    /// The summary of each that has ended.
    pages: Vec<String>,
}

/// One operation, as the output `results` tells it.
#[derive(Serialize)]
struct Step {
    id: String,
    operation_kind: String,
    repository: String,
    operation_digest: String,
    /// Null for one that was not begun.
    status: Option<Status>,
    error_code: Option<String>,
    html_url: Option<String>,
    #[serde(skip)]
    result: String,
    #[serde(skip)]
    record: Option<PathBuf>,
}

impl Series {
    pub(super) fn of(plan: &Plan, following: VecDeque<(OperationId, PathBuf)>) -> Self {
        let step = |planned: &countersign_core::plan::PlannedOperation| Step {
            id: planned.id().to_string(),
            operation_kind: planned.operation().kind().to_string(),
            repository: planned.operation().target().repository.to_string(),
            operation_digest: planned.digest().to_string(),
            status: None,
            error_code: None,
            html_url: None,
            result: String::new(),
            record: None,
        };
        Self {
            name: plan
                .campaign
                .as_ref()
                .map_or("plan".into(), ToString::to_string),
            steps: plan.operations().iter().map(step).collect(),
            not_shipped: plan.not_shipped.clone(),
            following,
            done: 0,
            shared: Default::default(),
            pages: Vec::new(),
        }
    }

    /// The place of the operation at hand.
    pub(super) fn place(&self) -> Option<CampaignRecord> {
        let step = self.steps.get(self.done)?;
        Some(CampaignRecord {
            name: self.name.clone(),
            id: step.id.clone(),
            position: self.done + 1,
            operations: self.steps.len(),
        })
    }

    /// The next operation's id, and the folder of its record.
    pub(super) fn follow(&mut self) -> Option<(OperationId, PathBuf)> {
        self.following.pop_front()
    }

    /// What the next record has in common with the last.
    pub(super) fn shared(&self) -> (Authority, Vec<String>) {
        self.shared.clone()
    }

    /// Takes in how the operation at hand ended.
    pub(super) fn conclude(&mut self, record: &AuditRecord, path: PathBuf, place: &Place) {
        let Some(step) = self.steps.get_mut(self.done) else {
            return;
        };
        step.status = Some(record.status);
        step.error_code.clone_from(&record.error_code);
        step.html_url = record
            .github_response
            .as_ref()
            .and_then(|response| response.html_url.clone());
        step.result = record
            .error_message
            .clone()
            .unwrap_or_else(|| record.result.clone());
        step.record = Some(path);
        self.shared = (record.authority, record.reviewers.clone());
        self.pages.push(summary::render_part(record, place));
        self.done += 1;
    }

    /// Where the records of those that have ended lie.
    pub(super) fn records(&self) -> impl Iterator<Item = PathBuf> {
        self.steps.iter().filter_map(|step| step.record.clone())
    }

    /// Whether an operation of it has shipped.
    pub(super) fn has_shipped(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.status == Some(Status::Success))
    }

    /// The output `results`.
    pub(super) fn results(&self) -> String {
        serde_json::to_string(&self.steps).unwrap_or_default()
    }

    /// The same for a plan that was just made.
    pub(super) fn planned(plan: &Plan) -> String {
        let mut series = Self::of(plan, VecDeque::new());
        for step in &mut series.steps {
            step.status = Some(Status::DryRun);
        }
        series
            .steps
            .extend(plan.not_shipped.iter().map(|left| Step {
                id: left.id.to_string(),
                operation_kind: left.operation_kind.to_string(),
                repository: left.repository.to_string(),
                operation_digest: String::new(),
                status: None,
                error_code: Some(left.code.clone()),
                html_url: None,
                result: String::new(),
                record: None,
            }));
        series.results()
    }

    /// The same for an attempt at a single operation.
    pub(super) fn alone(record: &AuditRecord) -> String {
        let step = Step {
            id: record.operation_kind.clone(),
            operation_kind: record.operation_kind.clone(),
            repository: record.repository.clone(),
            operation_digest: record
                .operation_digest
                .map_or(String::new(), |digest| digest.to_string()),
            status: Some(record.status),
            error_code: record.error_code.clone(),
            html_url: record
                .github_response
                .as_ref()
                .and_then(|response| response.html_url.clone()),
            result: String::new(),
            record: None,
        };
        serde_json::to_string(&[step]).unwrap_or_default()
    }

    /// The summary of the whole campaign, and of each operation below it.
    pub(super) fn render(&self, last: &AuditRecord) -> String {
        let shipped = self
            .steps
            .iter()
            .filter(|step| step.status == Some(Status::Success))
            .count();
        let (kind, word) = if shipped == self.steps.len() {
            ("TIP", "shipped")
        } else {
            ("WARNING", "stopped")
        };
        let heading = format!("## Countersign: campaign {} — {word}\n\n", code(&self.name));
        let mut page = [
            heading,
            alert(kind, &self.banner(last, shipped)),
            self.table(),
            protection(last),
        ]
        .concat();
        for (index, (step, part)) in self.steps.iter().zip(&self.pages).enumerate() {
            if page.len() + part.len() > summary::MOST_BYTES {
                page.push_str(summary::LEFT_OUT);
                break;
            }
            let title = format!(
                "{} <strong>{}. {}</strong>",
                step.mark(),
                index + 1,
                code(&step.id)
            );
            page.push_str(&fold(&title, part));
        }
        page
    }

    fn banner(&self, last: &AuditRecord, shipped: usize) -> Vec<String> {
        let all = self.steps.len();
        if shipped == all {
            return vec!["**PROD** — all of it shipped, as approved.".into()];
        }
        let id = last.campaign.as_ref().map_or("", |place| place.id.as_str());
        let follows = if self.done < all {
            ", and what follows was not begun"
        } else {
            ""
        };
        let mut paragraphs = vec![format!(
            "**PROD** — {shipped} of {all} shipped; it stopped at {}{follows}.",
            code(id)
        )];
        if let (Some(error), Some(message)) = (&last.error_code, &last.error_message) {
            paragraphs.push(format!(
                "**Why it stopped:** {} ({})",
                prose(&excerpt(message, MOST_WORDS)),
                code(error)
            ));
        }
        let remedy = last
            .remedy
            .as_ref()
            .map_or(String::new(), |remedy| format!("{} ", prose(remedy)));
        paragraphs.push(format!(
            "**What to do:** {remedy}Re-run the job to go on: what has shipped is not done again. A receipt that was spent without success needs a new one."
        ));
        paragraphs
    }

    fn table(&self) -> String {
        let mut table =
            String::from("| State | Operation | What | Where | Result |\n|---|---|---|---|---|\n");
        for step in &self.steps {
            let (id, kind, repository) = (
                code(&step.id),
                code(&step.operation_kind),
                code(&step.repository),
            );
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {} | {id} | {kind} | {repository} | {} |",
                step.mark(),
                step.told()
            );
        }
        for left in &self.not_shipped {
            let why = format!(
                "not planned: {} ({})",
                prose(&excerpt(&left.why_not, MOST_WORDS)),
                code(&left.code)
            );
            let (id, kind) = (code(left.id.as_str()), code(left.operation_kind.as_str()));
            let _ = writeln!(
                table,
                "| ➖ | {id} | {kind} | {} | {why} |",
                code(left.repository.as_str())
            );
        }
        table.push('\n');
        table
    }
}

impl Step {
    const fn mark(&self) -> &'static str {
        match self.status {
            Some(Status::Success) => "✅",
            None => "⏸",
            Some(_) => "❌",
        }
    }

    fn told(&self) -> String {
        match (&self.error_code, &self.html_url) {
            (Some(error), _) => format!(
                "{}: {}",
                self.status.map_or("", Status::as_str),
                code(error)
            ),
            (None, Some(url)) => link(url, url),
            (None, None) if self.status.is_none() => "not begun".into(),
            (None, None) => text(&excerpt(&self.result, MOST_WORDS)),
        }
    }
}
