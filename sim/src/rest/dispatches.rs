//! Starting a workflow by hand, and the run that this makes.

use std::collections::BTreeMap;

use git2::Oid;
use serde_json::{Map, Value, json};

use super::{fields, render, runs};
use crate::actions::{Run, Workflow};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::record::DispatchRecord;
use crate::world::World;

/// Inputs a dispatch may have.
const MOST_INPUTS: usize = 25;
/// Characters of all inputs, written as compact JSON.
const LONGEST_INPUTS: usize = 65_535;

/// 200 with the run, or 204 in an older version of the API without `return_run_details`.
pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    if world.settings.bare_dispatches && body.get("return_run_details").is_some() {
        return Err(Answer::error(
            422,
            "Invalid request.\n\n\"return_run_details\" is not a permitted key.",
        ));
    }
    let reference = fields::supplied(&body, "ref")?;
    let inputs = inputs(&body)?;
    let named = call.rest.get(2).map_or("", String::as_str);
    let workflow = world
        .actions
        .workflow(named)
        .ok_or_else(Answer::not_found)?;
    let head = head(world, &reference)
        .ok_or_else(|| Answer::error(422, format!("No ref found for: {reference}")))?;
    acceptable(workflow, &inputs)?;
    let workflow = workflow.file.clone();
    let id = begin(world, &workflow, &reference, head);
    world.effect(format!("workflow {workflow} dispatched as run {id}"));
    let inputs = inputs
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect::<BTreeMap<_, _>>();
    world.actions.dispatches.push(DispatchRecord {
        workflow,
        reference,
        inputs,
        run_id: id,
    });
    let asked = fields::flag(&body, "return_run_details")?.unwrap_or(false);
    let bare = call.version() == "2022-11-28" && !asked;
    if bare || world.settings.bare_dispatches {
        return Ok(Answer::no_content());
    }
    Ok(Answer::ok(
        json!({ "workflow_run_id": id, "run_url": runs::url(world, id), "html_url": runs::html(world, id) }),
    ))
}

/// The body's `inputs`, whose number the schema limits.
fn inputs(body: &Value) -> Result<Map<String, Value>, Answer> {
    let inputs = fields::object(body, "inputs")?;
    if inputs.len() > MOST_INPUTS {
        let message = format!(
            "Invalid request.\n\nNo more than {MOST_INPUTS} properties are allowed; {} were supplied.",
            inputs.len()
        );
        return Err(Answer::error(422, message));
    }
    Ok(inputs)
}

/// A branch or a tag, in short or in full.
fn head(world: &World, reference: &str) -> Option<Oid> {
    let full = reference.starts_with("refs/heads/") || reference.starts_with("refs/tags/");
    let names = if full {
        vec![reference.to_owned()]
    } else {
        vec![
            format!("refs/heads/{reference}"),
            format!("refs/tags/{reference}"),
        ]
    };
    let oid = names.iter().find_map(|name| world.git.reference(name))?;
    world.git.peel(oid)
}

fn acceptable(workflow: &Workflow, inputs: &Map<String, Value>) -> Result<(), Answer> {
    let unexpected: Vec<&String> = inputs
        .keys()
        .filter(|name| !workflow.inputs.contains(name))
        .collect();
    if !unexpected.is_empty() {
        return Err(Answer::error(
            422,
            format!("Unexpected inputs provided: {unexpected:?}"),
        ));
    }
    let written = Value::Object(inputs.clone()).to_string();
    if written.chars().count() > LONGEST_INPUTS {
        return Err(Answer::error(422, "inputs are too large."));
    }
    Ok(())
}

/// A new run that waits for a runner.
fn begin(world: &mut World, workflow: &str, reference: &str, head: Oid) -> u64 {
    let id = world.actions.free_run_id();
    let actor = render::BOT.to_owned();
    let now = world.now();
    world.actions.runs.push(Run {
        id,
        number: world.actions.runs.len() as u64 + 1,
        attempt: 1,
        workflow: workflow.to_owned(),
        status: "queued",
        event: "workflow_dispatch".into(),
        triggering_actors: vec![actor.clone()],
        actor,
        fork: None,
        head_branch: reference
            .trim_start_matches("refs/heads/")
            .trim_start_matches("refs/tags/")
            .to_owned(),
        head_sha: head.to_string(),
        created_at: now,
        started_at: now,
    });
    id
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
