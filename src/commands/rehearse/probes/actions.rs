//! What only a job of GitHub Actions can see.

use serde_json::json;

use super::assets::host_of;
use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::Stage,
        table::{Need, Probe, Way},
    },
    github::Ask,
};

/// Characters of a dispatch's inputs, as compact JSON, that are one too many.
const TOO_MANY: usize = 65_536;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "artifact-zip",
        needs: &[Need::Job],
        writes: 0,
        expected: "An artifact's archive is a redirect to a storage for JSON's media type, and 415 for application/octet-stream.",
        way: Way::Asks(|stage| Box::pin(artifact_zip(stage))),
    },
    Probe {
        id: "dispatch",
        needs: &[Need::Job],
        writes: 1,
        expected: "A dispatch whose inputs have 65,536 characters is refused with 422.",
        way: Way::Asks(|stage| Box::pin(dispatch(stage))),
    },
    Probe {
        id: "runner",
        needs: &[Need::Job],
        writes: 0,
        expected: "The runner sets GITHUB_RUN_ATTEMPT, GITHUB_REPOSITORY_ID, GITHUB_SHA, GITHUB_WORKSPACE and RUNNER_TEMP.",
        way: Way::Asks(|stage| Box::pin(async { runner(stage) })),
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

fn runner(stage: &Stage<'_>) -> Probing {
    run(stage)?;
    let missing: Vec<&str> = [
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_REPOSITORY_ID",
        "GITHUB_SHA",
        "GITHUB_WORKSPACE",
        "RUNNER_TEMP",
    ]
    .into_iter()
    .filter(|name| stage.environment.get(name).is_none())
    .collect();
    let version = stage.environment.get("ImageVersion").unwrap_or("not told");
    let found = if missing.is_empty() {
        format!("all set; image {version}")
    } else {
        format!("not set: {}; image {version}", missing.join(", "))
    };
    Ok(Finding::without_exchange(missing.is_empty(), found))
}
