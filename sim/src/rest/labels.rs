//! The labels of the repository: those that pull requests have.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::world::World;

pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let names: BTreeSet<&String> = world.pulls.iter().flat_map(|pull| &pull.labels).collect();
    let items: Vec<Value> = names
        .into_iter()
        .map(|name| render::label(&world.identity, name))
        .collect();
    Ok(render::page(world, call, &items))
}

/// Takes it off every pull request too.
pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    let name = call.tail(1);
    let is_it = |label: &String| label.eq_ignore_ascii_case(&name);
    if !world.pulls.iter().any(|pull| pull.labels.iter().any(is_it)) {
        return Err(Answer::not_found());
    }
    for pull in &mut world.pulls {
        pull.labels.retain(|label| !is_it(label));
    }
    world.effect(format!("label {name} deleted"));
    Ok(Answer::no_content())
}
