//! One file at a ref, or the contents of a folder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::world::World;

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let path = call.tail(1);
    let reference = call.parameter("ref").unwrap_or("HEAD");
    let repository = &world.git.repository;
    let object = repository
        .revparse_single(&format!("{reference}:{path}"))
        .map_err(|_| Answer::not_found())?;
    if let Ok(folder) = object.peel_to_tree() {
        return Ok(Answer::ok(listed(world, &folder, &path, reference)));
    }
    let blob = object.peel_to_blob().map_err(|_| Answer::not_found())?;
    let raw = call
        .header("accept")
        .is_some_and(|accept| accept.contains("raw"));
    if raw {
        let bytes = blob.content().to_vec();
        let content_type = "application/vnd.github.raw+json; charset=utf-8";
        return Ok(Answer::raw(200, content_type, bytes));
    }
    Ok(Answer::ok(json!({
        "type": "file",
        "encoding": "base64",
        "size": blob.size(),
        "name": path.rsplit('/').next(),
        "path": path,
        "content": STANDARD.encode(blob.content()),
        "sha": blob.id().to_string(),
        "url": format!("{}/contents/{path}?ref={reference}", world.identity.api()),
    })))
}

fn listed(world: &World, folder: &git2::Tree<'_>, path: &str, reference: &str) -> Value {
    let api = world.identity.api();
    let entries = folder.iter().filter_map(|entry| {
        let name = entry.name()?.to_owned();
        let path = format!("{path}/{name}").trim_start_matches('/').to_owned();
        let kind = if entry.kind() == Some(git2::ObjectType::Tree) {
            "dir"
        } else {
            "file"
        };
        Some(json!({
            "type": kind,
            "name": name,
            "path": path,
            "sha": entry.id().to_string(),
            "url": format!("{api}/contents/{path}?ref={reference}"),
        }))
    });
    entries.collect()
}
