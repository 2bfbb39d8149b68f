//! The repository itself, its rules and settings, and the remaining budget.

use serde_json::json;

use super::render;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::permission::Access;
use crate::rate::Budget;
use crate::world::World;

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let identity = &world.identity;
    Ok(Answer::ok(json!({
        "id": identity.id,
        "node_id": format!("R_{}", identity.id),
        "name": identity.name,
        "full_name": identity.full_name(),
        "owner": render::user(&identity.owner),
        "private": true,
        "visibility": "private",
        "html_url": identity.html(),
        "url": identity.api(),
        "fork": false,
        "archived": world.settings.archived,
        "disabled": false,
        "default_branch": world.git.default_branch(),
        "permissions": {
            "admin": call.permissions.administration == Access::Write,
            "push": call.permissions.contents == Access::Write,
            "pull": true,
        },
    })))
}

/// Free of charge.
pub(crate) fn rate_limit(world: &mut World, _: &Call) -> Served {
    let now = world.now();
    let mut window = |budget| {
        let window = world.rates.window(budget, now);
        json!({
            "limit": window.limit,
            "used": window.used,
            "remaining": window.remaining(),
            "reset": window.reset,
            "resource": Budget::name(budget),
        })
    };
    let (core, graphql) = (window(Budget::Core), window(Budget::GraphQl));
    let resources = json!({ "core": core, "graphql": graphql });
    Ok(Answer::ok(json!({ "resources": resources, "rate": core })))
}

/// 404 while the setting is off, as the documentation says.
pub(crate) fn immutable_releases(world: &mut World, _: &Call) -> Served {
    if !world.settings.immutable_releases {
        return Err(Answer::not_found());
    }
    Ok(Answer::ok(
        json!({ "enabled": true, "enforced_by_owner": false }),
    ))
}
