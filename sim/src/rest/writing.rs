//! Creating, changing and publishing releases.

use serde_json::Value;

use super::{fields, notes, publication, releases, render};
use crate::answer::{self, Answer, Served};
use crate::call::Call;
use crate::record::ReleaseRecord;
use crate::world::World;

/// Characters, counted as GitHub counts them.
const LONGEST_BODY: usize = 125_000;

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let tag_name = fields::required(&body, "Release", "tag_name")?;
    let now = world.now();
    let mut release = ReleaseRecord {
        id: world.last_release + 1,
        tag_name,
        name: None,
        body: None,
        draft: true,
        prerelease: false,
        make_latest: None,
        target_commitish: world.git.default_branch(),
        immutable: false,
        created_at: now,
        updated_at: now,
        published_at: None,
        assets: Vec::new(),
    };
    fill(world, call, &mut release, &body)?;
    if fields::flag(&body, "generate_release_notes")?.unwrap_or(false) {
        let text = notes::text(world, &release.tag_name, None);
        release.body = Some(match release.body {
            Some(own) => format!("{own}\n\n{text}"),
            None => text,
        });
        bounded(release.body.as_deref())?;
    }
    let draft = fields::flag(&body, "draft")?.unwrap_or(false);
    if !draft {
        publication::publish(world, call, &mut release)?;
    }
    world.last_release = release.id;
    let kind = if draft { "draft release" } else { "release" };
    world.effect(format!("{kind} {} created", release.id));
    let answer = Answer::created_there(render::release(&world.identity, &release));
    world.releases.push(release);
    Ok(answer)
}

/// PATCH: with `draft: false` it publishes; immutable releases keep title, notes and flags open.
pub(crate) fn update(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let mut release = releases::find(world, call)?.clone();
    let locked = ["tag_name", "target_commitish"]
        .iter()
        .any(|name| body.get(name).is_some());
    let drafted = fields::flag(&body, "draft")?;
    if release.immutable && (drafted == Some(true) || changes_tag(&release, &body) && locked) {
        let message = "Cannot update the tag of an immutable release.";
        return Err(Answer::error(422, message));
    }
    fill(world, call, &mut release, &body)?;
    release.updated_at = world.now();
    let verb = match drafted {
        Some(false) if release.draft => {
            publication::publish(world, call, &mut release)?;
            "published"
        }
        Some(true) => {
            release.draft = true;
            "updated"
        }
        _ => "updated",
    };
    world.effect(format!("release {} {verb}", release.id));
    if let Some(stored) = world.release_mut(release.id) {
        stored.clone_from(&release);
    }
    let seen = releases::as_seen(world, release);
    Ok(Answer::ok(render::release(&world.identity, &seen)))
}

fn changes_tag(release: &ReleaseRecord, body: &Value) -> bool {
    body.get("tag_name").and_then(Value::as_str) != Some(&release.tag_name)
}

/// Takes over the fields that creating and updating have in common.
fn fill(
    world: &World,
    call: &Call,
    release: &mut ReleaseRecord,
    body: &Value,
) -> Result<(), Answer> {
    if let Some(tag_name) = fields::text(body, "tag_name")? {
        release.tag_name = tag_name;
    }
    if !git2::Reference::is_valid_name(&format!("refs/tags/{}", release.tag_name)) {
        let message = "tag_name is not a valid tag";
        return Err(Answer::custom("Release", "tag_name", message));
    }
    if let Some(target) = fields::text(body, "target_commitish")?.filter(|text| !text.is_empty()) {
        release.target_commitish = target;
    }
    publication::target(world, call, &release.target_commitish)?;
    if let Some(name) = fields::text(body, "name")? {
        release.name = Some(name);
    }
    if let Some(text) = fields::text(body, "body")? {
        bounded(Some(&text))?;
        release.body = Some(text);
    }
    if let Some(prerelease) = fields::flag(body, "prerelease")? {
        release.prerelease = prerelease;
    }
    if let Some(choice) = fields::text(body, "make_latest")? {
        if !["true", "false", "legacy"].contains(&choice.as_str()) {
            let error = answer::field("Release", "invalid", "make_latest");
            return Err(Answer::invalid(vec![error]));
        }
        release.make_latest = Some(choice);
    }
    Ok(())
}

fn bounded(body: Option<&str>) -> Result<(), Answer> {
    if body.is_none_or(|text| text.chars().count() <= LONGEST_BODY) {
        return Ok(());
    }
    let message = format!("body is too long (maximum is {LONGEST_BODY} characters)");
    Err(Answer::custom("Release", "body", &message))
}
