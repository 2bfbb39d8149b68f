//! Annotated tag objects, which nobody sees before a ref points at them.

use chrono::DateTime;
use serde_json::{Value, json};

use super::{fields, refs, render};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::clock::iso8601;
use crate::freshness::Fresh;
use crate::git::{Person, full_oid};
use crate::signing;
use crate::world::World;

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let tag = fields::supplied(&body, "tag")?;
    let message = fields::supplied(&body, "message")?;
    let oid = refs::sha(&fields::supplied(&body, "object")?)?;
    let kind = fields::supplied(&body, "type")?;
    let tagger = person(&body, "tagger", world.now())?
        .unwrap_or_else(|| Person::behind(call.grant, world.now()));
    if !git2::Reference::is_valid_name(&format!("refs/tags/{tag}")) {
        return Err(Answer::error(
            422,
            format!("{tag} is not a valid tag name."),
        ));
    }
    let actual = world.git.kind(oid);
    if actual.is_none() {
        return Err(Answer::error(422, "Object does not exist"));
    }
    if render::kind_name(actual) != kind {
        return Err(Answer::error(422, "Object type does not match"));
    }
    let repository = &world.git.repository;
    let made = repository.find_object(oid, None).and_then(|object| {
        repository.tag_annotation_create(&tag, &object, &tagger.signature()?, &message)
    });
    let made = made.map_err(|_| Answer::error(422, "Tag object could not be created"))?;
    world.effect(format!("tag object {tag} created"));
    world.note_fresh(Fresh::Object(made));
    Ok(Answer::created_there(
        tag_json(world, &made.to_string()).ok_or_else(Answer::not_found)?,
    ))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let tag = tag_json(world, &call.tail(2)).ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(tag))
}

fn tag_json(world: &World, sha: &str) -> Option<Value> {
    let oid = full_oid(sha)?;
    let tag = world.git.repository.find_tag(oid).ok()?;
    let kind = render::kind_name(tag.target_type());
    let target = tag.target_id();
    let api = world.identity.api();
    Some(json!({
        "node_id": format!("TA_{oid}"),
        "sha": oid.to_string(),
        "url": format!("{api}/git/tags/{oid}"),
        "tag": tag.name(),
        "message": tag.message(),
        "tagger": tag.tagger().as_ref().map(signature_json),
        "object": {
            "sha": target.to_string(),
            "type": kind,
            "url": format!("{api}/git/{kind}s/{target}"),
        },
        "verification": signing::unsigned(),
    }))
}

pub(crate) fn signature_json(signature: &git2::Signature<'_>) -> Value {
    json!({
        "name": signature.name(),
        "email": signature.email(),
        "date": iso8601(signature.when().seconds()),
    })
}

/// `{name, email, date}` of a body, the date being now unless given.
pub(crate) fn person(body: &Value, field: &str, now: i64) -> Result<Option<Person>, Answer> {
    let Some(value) = body.get(field).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let seconds = match fields::text(value, "date")? {
        None => now,
        Some(date) => DateTime::parse_from_rfc3339(&date)
            .map_err(|_| Answer::error(422, format!("{date} is not a valid ISO 8601 date.")))?
            .timestamp(),
    };
    Ok(Some(Person {
        name: fields::supplied(value, "name")?,
        email: fields::supplied(value, "email")?,
        seconds,
    }))
}
