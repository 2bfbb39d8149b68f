//! What only a job of GitHub Actions can see.

use std::path::Path;

use countersign_core::name::CommitId;
use serde_json::json;

use super::assets::host_of;
use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::Stage,
        table::{Feature, Need, Probe, Way},
    },
    github::Ask,
};

/// What the comment of the review begins with that the probe `comment` looks for.
const PREFIX: &str = "countersign-rehearsal ";
/// Every further line of it: what a receipt is made of, and what HTML would change.
const LINE: &str = r#"{"a":"<>&+/="}"#;

/// Characters of a dispatch's inputs, as compact JSON, that are one too many.
const TOO_MANY: usize = 65_536;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "artifact-zip",
        needs: &[Need::Job],
        writes: 0,
        expected: "An artifact's archive is a redirect to a storage for JSON's media type, and 415 for application/octet-stream.",
        meaning: "`authorize --run` may not be able to fetch the plan: download plan.json from the run's page instead.",
        affects: Feature::FetchedPlans,
        way: Way::Asks(|stage| Box::pin(artifact_zip(stage))),
    },
    Probe {
        id: "dispatch",
        needs: &[Need::Job],
        writes: 1,
        expected: "A dispatch whose inputs have 65,536 characters is refused with 422.",
        meaning: "Receipts that are too long for a workflow's inputs are not refused as expected: hand over long ones by `receipt-file`.",
        affects: Feature::Dispatch,
        way: Way::Asks(|stage| Box::pin(dispatch(stage))),
    },
    Probe {
        id: "runner",
        needs: &[Need::Job],
        writes: 0,
        expected: "The runner sets GITHUB_RUN_ATTEMPT to a number, GITHUB_REPOSITORY_ID to this repository's, GITHUB_SHA to a commit, and GITHUB_WORKSPACE and RUNNER_TEMP to paths.",
        meaning: "The action does not know its run or repository on this runner, and refuses to start.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(async { runner(stage) })),
    },
    Probe {
        id: "comment",
        needs: &[Need::Job],
        writes: 0,
        expected: "The comment of a deployment review comes back with every character, also with many lines of `<>&\"` and more.",
        meaning: "A receipt that an approver pastes into a review may come back changed or cut, and is refused as `receipt_malformed` then: hand receipts over in another way.",
        affects: Feature::Approvals,
        way: Way::Asks(|stage| Box::pin(comment(stage))),
    },
];

fn run<'a>(stage: &'a Stage<'_>) -> Result<&'a str, Stopped> {
    stage
        .run()
        .ok_or_else(|| Stopped::Needs(Need::Job.missing().into()))
}

async fn artifact_zip(stage: &Stage<'_>) -> Probing {
    let run = run(stage)?;
    let listed = stage
        .prepare(Ask::get(format!("actions/runs/{run}/artifacts?per_page=1")))
        .await?;
    let artifact = &listed.body["artifacts"][0];
    let Some(id) = artifact["id"].as_u64() else {
        return Err(Stopped::Needs("an artifact of this run".into()));
    };
    let archive = || Ask::get(format!("actions/artifacts/{id}/zip"));
    let as_json = stage.send(archive()).await?;
    let as_bytes = stage
        .send(archive().accepting("application/octet-stream"))
        .await?;
    let host = host_of(as_json.header("location").unwrap_or_default());
    let found = format!(
        "JSON: {} to {}; octet-stream: {}; digest {}",
        as_json.status,
        host.as_deref().unwrap_or("nowhere"),
        as_bytes.summary(),
        if artifact["digest"].is_string() {
            "listed"
        } else {
            "not listed"
        }
    );
    let holds = as_json.status == 302 && host.is_some() && as_bytes.status == 415;
    Ok(Finding::of(holds, found, &as_bytes))
}

/// The file of the workflow in which we are.
fn workflow<'a>(stage: &'a Stage<'_>) -> Option<&'a str> {
    let reference = stage.environment.get("GITHUB_WORKFLOW_REF")?;
    let path = reference.split('@').next()?;
    path.rsplit('/').next()
}

async fn dispatch(stage: &Stage<'_>) -> Probing {
    run(stage)?;
    let workflow =
        workflow(stage).ok_or_else(|| Stopped::Needs("GITHUB_WORKFLOW_REF of a job".into()))?;
    let body = json!({
        "ref": stage.scratch.default_branch(),
        "inputs": { "receipt": "a".repeat(TOO_MANY) },
        "return_run_details": true,
    });
    let asked = stage
        .send(Ask::post(
            format!("actions/workflows/{workflow}/dispatches"),
            body,
        ))
        .await?;
    Ok(Finding::of(asked.status == 422, asked.summary(), &asked))
}

/// Whether a variable has the value that the product expects of it.
type Fits = fn(&Stage<'_>, &str) -> bool;

fn runner(stage: &Stage<'_>) -> Probing {
    run(stage)?;
    let variables: [(&str, Fits); 5] = [
        ("GITHUB_RUN_ATTEMPT", |_, value| {
            value.parse::<u64>().is_ok()
        }),
        ("GITHUB_REPOSITORY_ID", |stage, value| {
            value == stage.scratch.number().to_string()
        }),
        ("GITHUB_SHA", |_, value| value.parse::<CommitId>().is_ok()),
        ("GITHUB_WORKSPACE", |_, value| {
            Path::new(value).is_absolute()
        }),
        ("RUNNER_TEMP", |_, value| Path::new(value).is_absolute()),
    ];
    let wrong: Vec<&str> = variables
        .into_iter()
        .filter(|(name, fits)| {
            let value = stage.environment.get(name);
            !value.is_some_and(|value| fits(stage, value))
        })
        .map(|(name, _)| name)
        .collect();
    let version = stage.environment.get("ImageVersion").unwrap_or("not named");
    let found = if wrong.is_empty() {
        format!("all as expected; image {version}")
    } else {
        format!(
            "missing or different: {}; image {version}",
            wrong.join(", ")
        )
    };
    Ok(Finding::without_exchange(wrong.is_empty(), found))
}

/// A review of this run with the comment that docs/rehearse.md gives: a first line with the number
/// of lines that follow, each of them [`LINE`].
async fn comment(stage: &Stage<'_>) -> Probing {
    let run = run(stage)?;
    let asked = stage
        .prepare(Ask::get(format!("actions/runs/{run}/approvals")))
        .await?;
    let reviews = asked.body.as_array().map_or(&[][..], Vec::as_slice);
    let comments = reviews
        .iter()
        .filter_map(|review| review["comment"].as_str());
    let Some(comment) = comments.clone().find(|comment| comment.starts_with(PREFIX)) else {
        return Err(Stopped::Needs(format!(
            "a review of this run with the comment that docs/rehearse.md gives; it has {} reviews \
             with other comments",
            comments.count()
        )));
    };

    let (first, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let announced = first.trim_end().trim_start_matches(PREFIX).parse::<usize>();
    let lines: Vec<&str> = rest.trim_end().lines().collect();
    let intact = lines.iter().filter(|line| **line == LINE).count();
    let found = format!(
        "{} characters, {intact} of {} lines unchanged, line ends {}",
        comment.chars().count(),
        lines.len(),
        if comment.contains('\r') { "CRLF" } else { "LF" }
    );
    let holds = announced.is_ok_and(|announced| announced == intact && announced == lines.len());
    Ok(Finding::of(holds, found, &asked))
}
