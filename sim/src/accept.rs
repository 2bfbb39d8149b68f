//! Which media types the REST API serves.

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::switch::Switch;
use crate::world::World;

/// Refuses an `Accept` that does not allow JSON. Only release assets are served as they are.
pub(crate) fn acceptable(world: &World, call: &Call) -> Result<(), Answer> {
    let Some(accept) = call.header("accept") else {
        return Ok(());
    };
    let exempt = call.is_graphql()
        || call.endpoint == Endpoint::GetAsset
        || world.is_on(Switch::AnyAcceptIsServed);
    if exempt || accept.split(',').any(is_json) {
        return Ok(());
    }
    let message =
        format!("Unsupported 'Accept' header: '{accept}'. Must accept 'application/json'.");
    Err(Answer::error(415, message))
}

fn is_json(range: &str) -> bool {
    let essence = range.split(';').next().unwrap_or_default().trim();
    matches!(essence, "*/*" | "application/*" | "application/json")
        || essence.starts_with("application/vnd.github")
        || essence.ends_with("+json")
}
