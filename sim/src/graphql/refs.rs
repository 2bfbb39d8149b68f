//! `updateRefs`: a compare-and-swap on any refs.

use async_graphql::{Context, Error, ID, InputObject, Result, SimpleObject};
use git2::Oid;

use super::refusal::{self, refusal};
use super::scalar::GitObjectId;
use super::scope::enter;
use super::{permissions, world};
use crate::permission::{Access, Need, Resource};
use crate::world::World;

#[derive(InputObject)]
pub(super) struct UpdateRefsInput {
    client_mutation_id: Option<String>,
    repository_id: ID,
    ref_updates: Vec<RefUpdate>,
}

#[derive(InputObject)]
struct RefUpdate {
    name: String,
    after_oid: GitObjectId,
    before_oid: Option<GitObjectId>,
    #[graphql(default)]
    force: bool,
}

#[derive(SimpleObject)]
pub(super) struct UpdateRefsPayload {
    client_mutation_id: Option<String>,
}

pub(super) fn update(context: &Context<'_>, input: UpdateRefsInput) -> Result<UpdateRefsPayload> {
    let ID(id) = &input.repository_id;
    let seen = enter(context, |site| {
        let mut worlds = site.worlds.iter();
        worlds.position(|world| format!("R_{}", world.identity.id) == *id)
    });
    if !seen {
        let message = format!("Could not resolve to a node with the global id of '{id}'.");
        return Err(refusal("NOT_FOUND", message));
    }
    refusal::require(
        permissions(context),
        Need(Resource::Contents, Access::Write),
    )?;
    world(context, |world| {
        for update in &input.ref_updates {
            judge(world, update)?;
        }
        for update in &input.ref_updates {
            carry_out(world, update);
        }
        Ok::<(), Error>(())
    })?;
    Ok(UpdateRefsPayload {
        client_mutation_id: input.client_mutation_id,
    })
}

/// No record shows the type and text of these errors.
fn judge(world: &World, update: &RefUpdate) -> Result<(), Error> {
    let now = world.git.reference(&update.name).unwrap_or_else(Oid::zero);
    if let Some(GitObjectId(before)) = update.before_oid
        && before != now
    {
        let message = format!(
            "Expected {} to point to {before} but it did not",
            update.name
        );
        return Err(refusal("STALE_DATA", message));
    }
    let GitObjectId(after) = update.after_oid;
    let repository = &world.git.repository;
    let forward = now.is_zero()
        || after.is_zero()
        || after == now
        || repository.graph_descendant_of(after, now).unwrap_or(false);
    if !forward && !update.force {
        let message = format!("{} is not a fast forward", update.name);
        return Err(refusal("UNPROCESSABLE", message));
    }
    if !after.is_zero() && world.git.kind(after).is_none() {
        return Err(refusal("UNPROCESSABLE", "Object does not exist"));
    }
    Ok(())
}

fn carry_out(world: &mut World, update: &RefUpdate) {
    let GitObjectId(after) = update.after_oid;
    if after.is_zero() {
        world.git.delete_reference(&update.name);
    } else {
        world
            .git
            .set_reference(&update.name, after)
            .expect("a ref to a known object");
    }
    world.effect(format!("ref {} moved", update.name));
}
