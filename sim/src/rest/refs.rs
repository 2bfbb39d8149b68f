//! Refs: created once, moved forward, deleted, and never with an expected old value.

use git2::{ObjectType, Oid};
use serde_json::Value;

use super::{fields, guard, render};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::freshness::Fresh;
use crate::git::full_oid;
use crate::switch::Switch;
use crate::world::World;

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let name = format!("refs/{}", call.tail(2));
    let oid = world.git.reference(&name).ok_or_else(Answer::not_found)?;
    if world.is_missed(&Fresh::Ref(name.clone())) {
        return Err(Answer::not_found());
    }
    Ok(Answer::ok(render::reference(world, &name, oid)))
}

/// By prefix, over every namespace: the caller must compare names exactly.
pub(crate) fn matching(world: &mut World, call: &Call) -> Served {
    let found = world.git.references(&format!("refs/{}", call.tail(2)));
    let items: Vec<Value> = found
        .iter()
        .map(|(name, oid)| render::reference(world, name, *oid))
        .collect();
    Ok(Answer::ok(Value::Array(items)))
}

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let name = fields::supplied(&body, "ref")?;
    let oid = sha(&fields::supplied(&body, "sha")?)?;
    named_well(&name)?;
    known(world, oid)?;
    if world.git.reference(&name).is_some() {
        return Err(Answer::error(422, "Reference already exists"));
    }
    let restricted = name
        .strip_prefix("refs/tags/")
        .is_some_and(|tag| world.restricts_tag(tag));
    if restricted || burned(world, &name) || !fits(world, &name, oid) {
        return Err(Answer::error(422, "Reference update failed"));
    }
    guard::creation(world, &name, oid)?;
    workflows(world, call, oid)?;
    world
        .git
        .set_reference(&name, oid)
        .map_err(|_| Answer::error(422, "Reference update failed"))?;
    world.effect(format!("ref {name} created"));
    world.note_fresh(Fresh::Ref(name.clone()));
    Ok(Answer::created_there(render::reference(world, &name, oid)))
}

/// A fast-forward check is all there is, unless forced.
pub(crate) fn update(world: &mut World, call: &Call) -> Served {
    let name = format!("refs/{}", call.tail(2));
    let body = call.object()?;
    let oid = sha(&fields::supplied(&body, "sha")?)?;
    let force = fields::flag(&body, "force")?.unwrap_or(false);
    let old = existing(world, &name)?;
    if world.git.kind(oid).is_none() {
        return Err(Answer::error(422, "Object does not exist"));
    }
    let forward = old == oid || descends(world, oid, old);
    guard::movement(world, &name, old, oid)?;
    if !forward {
        guard::rewriting(world, &name)?;
    }
    if !forward && !force {
        return Err(Answer::error(422, "Update is not a fast forward"));
    }
    workflows(world, call, oid)?;
    world
        .git
        .set_reference(&name, oid)
        .map_err(|_| Answer::error(422, "Reference update failed"))?;
    world.effect(format!("ref {name} moved"));
    Ok(Answer::ok(render::reference(world, &name, oid)))
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    let name = format!("refs/{}", call.tail(2));
    existing(world, &name)?;
    guard::deletion(world, &name)?;
    world.remember_heads();
    world.git.delete_reference(&name);
    world.effect(format!("ref {name} deleted"));
    Ok(Answer::no_content())
}

/// An object that was made a moment ago may not be found yet.
fn known(world: &mut World, oid: Oid) -> Result<(), Answer> {
    let exists = world.git.kind(oid).is_some();
    if exists && !world.is_missed(&Fresh::Object(oid)) {
        return Ok(());
    }
    if exists && world.is_on(Switch::FreshObjectsAreNotFound) {
        return Err(Answer::not_found());
    }
    Err(Answer::error(422, "Object does not exist"))
}

fn existing(world: &World, name: &str) -> Result<Oid, Answer> {
    world
        .git
        .reference(name)
        .ok_or_else(|| Answer::error(422, "Reference does not exist"))
}

pub(crate) fn sha(text: &str) -> Result<Oid, Answer> {
    named_sha("sha", text)
}

/// An oid in full, or 422 with the parameter's name.
pub(crate) fn named_sha(parameter: &str, text: &str) -> Result<Oid, Answer> {
    full_oid(text).ok_or_else(|| {
        let message = format!(
            "The {parameter} parameter must be exactly 40 characters and contain only [0-9a-f]."
        );
        Answer::error(422, message)
    })
}

fn named_well(name: &str) -> Result<(), Answer> {
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        let message = "Reference name must contain at least three slash-separated components.";
        return Err(Answer::error(422, message));
    }
    if !git2::Reference::is_valid_name(name) || name.starts_with("refs/pull/") {
        return Err(Answer::error(
            422,
            format!("{name} is not a valid ref name."),
        ));
    }
    Ok(())
}

/// A branch holds commits only.
fn fits(world: &World, name: &str, oid: Oid) -> bool {
    !name.starts_with("refs/heads/") || world.git.kind(oid) == Some(ObjectType::Commit)
}

fn burned(world: &World, name: &str) -> bool {
    name.strip_prefix("refs/tags/")
        .is_some_and(|tag| world.burned_tags.contains(tag))
}

fn descends(world: &World, oid: Oid, ancestor: Oid) -> bool {
    let (Some(oid), Some(ancestor)) = (world.git.peel(oid), world.git.peel(ancestor)) else {
        return false;
    };
    let repository = &world.git.repository;
    oid == ancestor
        || repository
            .graph_descendant_of(oid, ancestor)
            .unwrap_or(false)
}

/// The workflows-file restriction on every ref that a plain token sets.
pub(crate) fn workflows(world: &World, call: &Call, oid: Oid) -> Result<(), Answer> {
    let altered = world
        .git
        .peel(oid)
        .is_some_and(|commit| world.git.alters_workflows(commit));
    if altered && !call.permissions.workflows {
        return Err(Answer::forbidden(&call.endpoint.accepted()));
    }
    Ok(())
}
