//! Workflow runs, and who let them pass into an environment.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::render;
use crate::actions::{Environment, Review, Run};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::clock::iso8601;
use crate::world::World;

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let run = find(world, call)?;
    told(world, run, run.attempt)
}

/// One attempt of a run, also one that is over.
pub(crate) fn attempt(world: &mut World, call: &Call) -> Served {
    let run = find(world, call)?;
    told(world, run, call.number(4)?)
}

fn told(world: &World, run: &Run, attempt: u64) -> Served {
    let index = usize::try_from(attempt)
        .ok()
        .and_then(|attempt| attempt.checked_sub(1));
    let triggering_actor = index
        .and_then(|index| run.triggering_actors.get(index))
        .ok_or_else(Answer::not_found)?;
    let repository = render::repository(&world.identity);
    let mut head = repository.clone();
    if let Some((id, name)) = &run.fork {
        head["id"] = json!(id);
        head["full_name"] = json!(name);
        head["fork"] = json!(true);
    }
    Ok(Answer::ok(json!({
        "id": run.id,
        "node_id": format!("WFR_{}", run.id),
        "name": run.workflow.rsplit_once('.').map_or(run.workflow.as_str(), |(stem, _)| stem),
        "run_number": run.number,
        "run_attempt": attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": null,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": format!(".github/workflows/{}", run.workflow),
        "workflow_id": world.actions.workflow(&run.workflow).map(|workflow| workflow.id),
        "actor": render::account(&run.actor),
        "triggering_actor": render::account(triggering_actor),
        "created_at": iso8601(run.created_at),
        "updated_at": iso8601(run.started_at),
        "run_started_at": iso8601(run.started_at),
        "url": url(world, run.id),
        "html_url": html(world, run.id),
        "referenced_workflows": [],
        "repository": repository,
        "head_repository": head,
    })))
}

/// The run that the path names.
pub(crate) fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Run, Answer> {
    world
        .actions
        .run(call.number(2)?)
        .ok_or_else(Answer::not_found)
}

pub(crate) fn url(world: &World, id: u64) -> String {
    format!("{}/actions/runs/{id}", world.identity.api())
}

pub(crate) fn html(world: &World, id: u64) -> String {
    format!("{}/actions/runs/{id}", world.identity.html())
}

/// Over all attempts, without time stamps, as GitHub keeps them.
pub(crate) fn approvals(world: &mut World, call: &Call) -> Served {
    let run = find(world, call)?.id;
    let reviews = world
        .actions
        .reviews
        .iter()
        .filter(|review| review.run == run);
    Ok(Answer::ok(
        reviews.map(|review| approval(world, review)).collect(),
    ))
}

fn approval(world: &World, review: &Review) -> Value {
    let environment = world.actions.environment(&review.environment);
    let environments: Vec<Value> = environment
        .map(|environment| environment_json(world, environment))
        .into_iter()
        .collect();
    json!({
        "environments": environments,
        "state": review.state,
        "user": render::account(&review.reviewer),
        "comment": review.comment,
    })
}

fn environment_json(world: &World, environment: &Environment) -> Value {
    let escaped = utf8_percent_encode(&environment.name, NON_ALPHANUMERIC);
    json!({
        "id": environment.id,
        "node_id": format!("EN_{}", environment.id),
        "name": environment.name,
        "url": format!("{}/environments/{escaped}", world.identity.api()),
        "html_url": format!("{}/deployments/activity_log?environments_filter={escaped}", world.identity.html()),
        "created_at": iso8601(environment.created_at),
        "updated_at": iso8601(environment.created_at),
    })
}
