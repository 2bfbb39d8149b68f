//! Trees, with inline content, as a ledger's bootstrap makes them.

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid};
use serde_json::{Value, json};

use super::{fields, refs, render};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::world::World;

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let oid = build(world, &call.object()?)?;
    world.effect(format!("tree {oid} created"));
    let tree = tree_json(world, oid, false).ok_or_else(Answer::not_found)?;
    Ok(Answer::created(tree))
}

fn build(world: &World, body: &Value) -> Result<Oid, Answer> {
    let entries = body
        .get("tree")
        .and_then(Value::as_array)
        .filter(|entries| !entries.is_empty())
        .ok_or_else(|| Answer::error(422, "Invalid tree info"))?;
    let repository = &world.git.repository;
    let base = match fields::text(body, "base_tree")? {
        None => world.git.empty_tree().map_err(refused)?,
        Some(sha) => {
            let object = repository.find_object(refs::sha(&sha)?, None);
            let tree = object.and_then(|object| object.peel_to_tree());
            tree.map_err(|_| Answer::error(422, "base_tree is not a valid tree oid"))?
        }
    };
    let mut update = TreeUpdateBuilder::new();
    for entry in entries {
        change(world, &mut update, entry)?;
    }
    update.create_updated(repository, &base).map_err(refused)
}

fn change(world: &World, update: &mut TreeUpdateBuilder, entry: &Value) -> Result<(), Answer> {
    let path = fields::supplied(entry, "path")?;
    if entry.get("sha").is_some_and(Value::is_null) {
        update.remove(path);
        return Ok(());
    }
    let mode = match fields::supplied(entry, "mode")?.as_str() {
        "100644" => FileMode::Blob,
        "100755" => FileMode::BlobExecutable,
        "120000" => FileMode::Link,
        "040000" => FileMode::Tree,
        "160000" => FileMode::Commit,
        _ => return Err(Answer::error(422, "tree.mode is not a valid mode")),
    };
    let oid = match (fields::text(entry, "sha")?, fields::text(entry, "content")?) {
        (Some(sha), None) => refs::sha(&sha)?,
        (None, Some(content)) => world
            .git
            .repository
            .blob(content.as_bytes())
            .map_err(refused)?,
        _ => {
            let message = "Must supply either tree.sha or tree.content";
            return Err(Answer::error(422, message));
        }
    };
    if world.git.kind(oid).is_none() && mode != FileMode::Commit {
        return Err(Answer::error(422, format!("tree.sha {oid} does not exist")));
    }
    update.upsert(path, oid, mode);
    Ok(())
}

fn refused<E>(_: E) -> Answer {
    Answer::error(422, "GitRPC::BadObjectState")
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let object = world.git.repository.revparse_single(&call.tail(2));
    let oid = object
        .and_then(|object| object.peel_to_tree())
        .map(|tree| tree.id())
        .map_err(|_| Answer::not_found())?;
    let recursive = call.parameter("recursive").is_some();
    let tree = tree_json(world, oid, recursive).ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(tree))
}

fn tree_json(world: &World, oid: Oid, recursive: bool) -> Option<Value> {
    let mut entries = Vec::new();
    list(world, oid, "", recursive, &mut entries)?;
    Some(json!({
        "sha": oid.to_string(),
        "url": format!("{}/git/trees/{oid}", world.identity.api()),
        "tree": entries,
        "truncated": false,
    }))
}

fn list(
    world: &World,
    oid: Oid,
    prefix: &str,
    recursive: bool,
    entries: &mut Vec<Value>,
) -> Option<()> {
    let tree = world.git.repository.find_tree(oid).ok()?;
    for entry in &tree {
        let path = format!("{prefix}{}", entry.name()?);
        let kind = render::kind_name(entry.kind());
        entries.push(json!({
            "path": path,
            "mode": format!("{:06o}", entry.filemode()),
            "type": kind,
            "sha": entry.id().to_string(),
            "url": format!("{}/git/{kind}s/{}", world.identity.api(), entry.id()),
        }));
        if recursive && kind == "tree" {
            list(world, entry.id(), &format!("{path}/"), true, entries)?;
        }
    }
    Some(())
}
