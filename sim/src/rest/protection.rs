//! Classic branch protection: changes must be made through a pull request.

use serde_json::json;

use super::rulesets;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::world::World;

/// Members that a request must have, be they null.
const REQUIRED: [&str; 4] = [
    "enforce_admins",
    "required_pull_request_reviews",
    "required_status_checks",
    "restrictions",
];

/// Only the request for reviews is enforced, on everybody.
pub(crate) fn set(world: &mut World, call: &Call) -> Served {
    rulesets::paid(world)?;
    let branch = existing(world, call)?;
    let body = call.object()?;
    if REQUIRED.iter().any(|name| body.get(name).is_none()) {
        return Err(Answer::error(422, "Invalid request."));
    }

    if body["required_pull_request_reviews"].is_object() {
        world.settings.classically_protected.insert(branch.clone());
    }
    world.effect(format!("protection of {branch} set"));
    let url = format!("{}/branches/{branch}/protection", world.identity.api());
    let mut shown = json!({
        "url": url,
        "enforce_admins": {
            "url": format!("{url}/enforce_admins"),
            "enabled": body["enforce_admins"] == true,
        },
    });
    if let Some(reviews) = body["required_pull_request_reviews"].as_object() {
        let mut reviews = reviews.clone();
        let address = format!("{url}/required_pull_request_reviews");
        reviews.insert("url".to_owned(), address.into());
        shown["required_pull_request_reviews"] = reviews.into();
    }
    Ok(Answer::ok(shown))
}

pub(crate) fn remove(world: &mut World, call: &Call) -> Served {
    rulesets::paid(world)?;
    let branch = existing(world, call)?;
    if !world.settings.classically_protected.remove(&branch) {
        return Err(Answer::error(404, "Branch not protected"));
    }
    world.effect(format!("protection of {branch} removed"));
    Ok(Answer::no_content())
}

fn existing(world: &World, call: &Call) -> Result<String, Answer> {
    let tail = call.tail(1);
    let branch = tail.trim_end_matches("/protection").to_owned();
    let name = format!("refs/heads/{branch}");
    match world.git.reference(&name) {
        Some(_) => Ok(branch),
        None => Err(Answer::error(404, "Branch not found")),
    }
}
