//! What happened to refs, newest first.

use git2::Oid;
use serde_json::{Value, json};

use super::render;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::clock::iso8601;
use crate::git::Move;
use crate::switch::Switch;
use crate::world::World;

/// `ref` narrows the list to one ref, by its full name or a branch's short one. Pages are found by
/// the cursor in the `Link` header alone: `page` is ignored.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    if world.is_on(Switch::ActivityIsAbsent) {
        return Err(Answer::not_found());
    }
    let wanted = call.parameter("ref").map(|name| {
        if name.starts_with("refs/") {
            name.to_owned()
        } else {
            format!("refs/heads/{name}")
        }
    });
    let moves = world.git.moves.borrow().clone();
    let before = call.parameter("after").and_then(number_of);
    let (per_page, _) = call.paging();
    let mut listed: Vec<(usize, Value)> = moves
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, moved)| wanted.as_ref().is_none_or(|wanted| *wanted == moved.name))
        .filter(|(number, _)| before.is_none_or(|before| *number < before))
        .map(|(number, moved)| (number, shown(world, number, moved)))
        .collect();
    let newest = listed.first().map(|(number, _)| *number);
    if before.is_none() && newest.is_some_and(|number| world.misses_move(number)) {
        listed.remove(0);
    }
    let more = listed.len() > per_page;
    listed.truncate(per_page);
    let last = listed.last().map(|(number, _)| *number);
    let items = listed.into_iter().map(|(_, item)| item).collect();

    let answer = Answer::ok(Value::Array(items));
    Ok(match last.filter(|_| more) {
        Some(number) => answer.with("link", render::next_link(world, call, &cursor(number))),
        None => answer,
    })
}

fn cursor(number: usize) -> String {
    format!("cursor:v2:{number}==")
}

fn number_of(cursor: &str) -> Option<usize> {
    let number = cursor.strip_prefix("cursor:v2:")?.strip_suffix("==")?;
    number.parse().ok()
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
        "timestamp": iso8601(moved.at),
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
