//! The repository itself, its rules and settings, and the remaining budget.

use serde_json::{Value, json};

use super::{fields, render};
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
            "admin": false,
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

/// The active rules of a branch; metadata access is enough.
pub(crate) fn branch_rules(world: &mut World, call: &Call) -> Served {
    let rules = world.settings.branch_rules.get(&call.tail(2));
    let source = world.identity.full_name();
    let items: Vec<Value> = rules
        .into_iter()
        .flatten()
        .map(|rule| {
            json!({
                "type": rule,
                "ruleset_source_type": "Repository",
                "ruleset_source": source,
                "ruleset_id": 1,
            })
        })
        .collect();
    Ok(render::page(world, call, &items))
}

/// Only rulesets for branches that are named in full.
pub(crate) fn create_ruleset(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let name = fields::supplied(&body, "name")?;
    let rules: Vec<String> = body["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| Some(rule["type"].as_str()?.to_owned()))
        .collect();
    for included in body["conditions"]["ref_name"]["include"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let branch = included.trim_start_matches("refs/heads/");
        world
            .settings
            .branch_rules
            .insert(branch.to_owned(), rules.clone());
    }
    world.effect(format!("ruleset {name} created"));
    Ok(Answer::created(
        json!({ "id": 1, "name": name, "target": body["target"], "enforcement": body["enforcement"], "rules": body["rules"] }),
    ))
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
