//! Artifacts of runs: listed here, kept in the storage behind the second port.

use serde_json::{Value, json};

use super::{render, runs};
use crate::actions::{Artifact, Run};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::clock::iso8601;
use crate::world::World;

/// Newest first, the expired ones too; `name` narrows the list.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let run = runs::find(world, call)?;
    let name = call.parameter("name");
    let items: Vec<Value> = world
        .actions
        .artifacts
        .iter()
        .rev()
        .filter(|artifact| artifact.run == run.id && name.is_none_or(|name| name == artifact.name))
        .map(|artifact| artifact_json(world, run, artifact))
        .collect();
    Ok(render::counted_page(world, call, "artifacts", &items))
}

/// A redirect to where the archive lies.
pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let artifact = world
        .actions
        .artifact(call.number(2)?)
        .ok_or_else(Answer::not_found)?;
    if expired(world, artifact) {
        return Err(Answer::error(410, "Artifact has expired"));
    }
    let location = format!(
        "{}/artifacts/{}",
        world.identity.storage_url, artifact.secret
    );
    Ok(Answer::raw(302, "text/html;charset=utf-8", "").with("location", location))
}

fn expired(world: &World, artifact: &Artifact) -> bool {
    world.now() >= artifact.expires_at
}

fn artifact_json(world: &World, run: &Run, artifact: &Artifact) -> Value {
    let identity = &world.identity;
    let url = format!("{}/actions/artifacts/{}", identity.api(), artifact.id);
    json!({
        "id": artifact.id,
        "node_id": format!("A_{}", artifact.id),
        "name": artifact.name,
        "size_in_bytes": artifact.zip.len(),
        "url": url,
        "archive_download_url": format!("{url}/zip"),
        "expired": expired(world, artifact),
        "digest": artifact.digest,
        "created_at": iso8601(artifact.created_at),
        "updated_at": iso8601(artifact.created_at),
        "expires_at": iso8601(artifact.expires_at),
        "workflow_run": {
            "id": run.id,
            "repository_id": identity.id,
            "head_repository_id": identity.id,
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
        },
    })
}
