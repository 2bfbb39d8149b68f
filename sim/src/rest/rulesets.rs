//! The rules of a branch, and the rulesets that they come from.

use serde_json::{Value, json};

use super::{fields, render};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::ruleset::Ruleset;
use crate::switch::Switch;
use crate::world::World;

/// The id of the GitHub Actions app, which is behind every job's token.
const ACTIONS_APP: u64 = 15_368;

/// The active rules of a branch; metadata access is enough.
pub(crate) fn of_branch(world: &mut World, call: &Call) -> Served {
    paid(world)?;
    let branch = call.tail(2);
    let mut items = Vec::new();
    for ruleset in world.rulesets_of(&branch) {
        for rule in &ruleset.rules {
            let mut rule = rule.clone();
            rule["ruleset_source_type"] = json!(ruleset.source_type);
            rule["ruleset_source"] = source(world, ruleset);
            rule["ruleset_id"] = json!(ruleset.id);
            items.push(rule);
        }
    }
    Ok(render::page(world, call, &items))
}

pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    paid(world)?;
    let rulesets = world.settings.rulesets.iter();
    let items: Vec<Value> = rulesets.map(|ruleset| summary(world, ruleset)).collect();
    Ok(render::page(world, call, &items))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    paid(world)?;
    let ruleset = find(world, call)?;
    Ok(Answer::ok(whole(world, ruleset)))
}

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    paid(world)?;
    let body = call.object()?;
    let name = fields::supplied(&body, "name")?;
    let own = world.settings.rulesets.iter();
    if own
        .filter(|ruleset| ruleset.source_type == "Repository")
        .any(|ruleset| ruleset.name == name)
    {
        return Err(Answer::invalid(vec![json!("Name must be unique")]));
    }
    bypassable(&body)?;

    let names = &body["conditions"]["ref_name"];
    let ruleset = Ruleset {
        id: 0,
        name,
        source_type: "Repository",
        target: fields::text(&body, "target")?.unwrap_or_else(|| "branch".to_owned()),
        enforcement: fields::supplied(&body, "enforcement")?,
        include: patterns(&names["include"]),
        exclude: patterns(&names["exclude"]),
        rules: body["rules"].as_array().cloned().unwrap_or_default(),
    };
    let ruleset = world.add_ruleset(ruleset);
    world.effect(format!("ruleset {} created", ruleset.name));
    Ok(Answer::created(whole(world, &ruleset)))
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    paid(world)?;
    let (id, name) = {
        let ruleset = find(world, call)?;
        (ruleset.id, ruleset.name.clone())
    };
    world.settings.rulesets.retain(|ruleset| ruleset.id != id);
    world.effect(format!("ruleset {name} deleted"));
    Ok(Answer::no_content())
}

/// Private repositories have neither rulesets nor classic protection on a free plan.
pub(super) fn paid(world: &World) -> Result<(), Answer> {
    if world.is_on(Switch::FreePrivatePlan) {
        let message =
            "Upgrade to GitHub Pro or make this repository public to enable this feature.";
        return Err(Answer::error(403, message));
    }
    Ok(())
}

/// A job's token cannot be a bypass actor of a repository's ruleset.
fn bypassable(body: &Value) -> Result<(), Answer> {
    let actors = body["bypass_actors"].as_array();
    let actions = actors
        .into_iter()
        .flatten()
        .any(|actor| actor["actor_type"] == "Integration" && actor["actor_id"] == ACTIONS_APP);
    if !actions {
        return Ok(());
    }
    let message = "Actor GitHub Actions integration must be part of the ruleset source or owner \
         organization";
    Err(Answer::invalid(vec![json!(message)]))
}

fn patterns(value: &Value) -> Vec<String> {
    let patterns = value.as_array().into_iter().flatten();
    patterns
        .filter_map(|pattern| Some(pattern.as_str()?.to_owned()))
        .collect()
}

fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Ruleset, Answer> {
    let id = call.number(1)?;
    let mut rulesets = world.settings.rulesets.iter();
    rulesets
        .find(|ruleset| ruleset.id == id)
        .ok_or_else(Answer::not_found)
}

fn source(world: &World, ruleset: &Ruleset) -> Value {
    match ruleset.source_type {
        "Organization" => json!(world.identity.owner),
        _ => json!(world.identity.full_name()),
    }
}

fn summary(world: &World, ruleset: &Ruleset) -> Value {
    json!({
        "id": ruleset.id,
        "node_id": format!("RRS_{}", ruleset.id),
        "name": ruleset.name,
        "target": ruleset.target,
        "source_type": ruleset.source_type,
        "source": source(world, ruleset),
        "enforcement": ruleset.enforcement,
    })
}

fn whole(world: &World, ruleset: &Ruleset) -> Value {
    let mut body = summary(world, ruleset);
    body["conditions"] =
        json!({ "ref_name": { "include": ruleset.include, "exclude": ruleset.exclude } });
    body["rules"] = json!(ruleset.rules);
    body["bypass_actors"] = json!([]);
    body
}
