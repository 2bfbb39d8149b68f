//! Generated release notes: short, but dependent on what was asked.

use serde_json::json;

use super::fields;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::world::World;

pub(crate) fn generate(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let tag = fields::supplied(&body, "tag_name")?;
    let previous = fields::text(&body, "previous_tag_name")?;
    let text = text(world, &tag, previous.as_deref());
    Ok(Answer::ok(json!({ "name": tag, "body": text })))
}

/// The notes from the previous release (or a named tag) to this tag.
pub(crate) fn text(world: &World, tag: &str, previous: Option<&str>) -> String {
    let html = world.identity.html();
    let before = world
        .releases
        .iter()
        .rev()
        .find(|release| !release.draft && release.tag_name != tag)
        .map(|release| release.tag_name.as_str());
    match previous.or(before) {
        Some(previous) => format!("**Full Changelog**: {html}/compare/{previous}...{tag}"),
        None => format!("**Full Changelog**: {html}/commits/{tag}"),
    }
}
