//! What happened to refs, newest first.

use git2::Oid;
use serde_json::{Value, json};

use super::render;
use crate::answer::Served;
use crate::call::Call;
use crate::clock::iso8601;
use crate::git::Move;
use crate::world::World;

/// `ref` narrows the list to one ref, by its full name or a branch's short one.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let wanted = call.parameter("ref").map(|name| {
        if name.starts_with("refs/") {
            name.to_owned()
        } else {
            format!("refs/heads/{name}")
        }
    });
    let moves = world.git.moves.borrow().clone();
    let items: Vec<Value> = moves
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, moved)| wanted.as_ref().is_none_or(|wanted| *wanted == moved.name))
        .map(|(number, moved)| shown(world, number, moved))
        .collect();
    Ok(render::page(world, call, &items))
}

fn shown(world: &World, number: usize, moved: &Move) -> Value {
    let kind = match (moved.before, moved.after) {
        (None, _) => "branch_creation",
        (_, None) => "branch_deletion",
        (Some(before), Some(after)) if descends(world, after, before) => "push",
        _ => "force_push",
    };
    let oid = |oid: Option<Oid>| oid.unwrap_or_else(Oid::zero).to_string();
    json!({
        "id": number,
        "node_id": format!("PSH_{number}"),
        "before": oid(moved.before),
        "after": oid(moved.after),
        "ref": moved.name,
        "timestamp": iso8601(world.now()),
        "activity_type": kind,
        "actor": render::user(render::BOT),
    })
}

fn descends(world: &World, after: Oid, before: Oid) -> bool {
    let repository = &world.git.repository;
    repository
        .graph_descendant_of(after, before)
        .unwrap_or(false)
}
