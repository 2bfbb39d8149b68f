//! Which repository a resolver is in: the one that the root field above it has entered.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::parser::types::OperationType;
use parking_lot::Mutex;

use crate::permission::{Grant, Permissions};
use crate::server::Shared;
use crate::site::Site;
use crate::world::World;

/// What the resolvers of one request share.
pub(super) struct Scope {
    shared: Arc<Shared>,
    grant: Grant,
    /// Repositories by the response key of the root field.
    entered: Mutex<BTreeMap<String, usize>>,
}

impl Scope {
    pub(super) fn new(shared: Arc<Shared>, grant: Grant) -> Self {
        Self {
            shared,
            grant,
            entered: Mutex::default(),
        }
    }
}

fn scope<'a>(context: &Context<'a>) -> &'a Scope {
    context.data_unchecked()
}

fn root_key(context: &Context<'_>) -> String {
    let path = context
        .path_node
        .map(async_graphql::QueryPathNode::to_string_vec);
    path.into_iter()
        .flatten()
        .next()
        .expect("a resolver is below a root field")
}

/// Takes the root field and everything below it into the repository that is found, if the token sees that.
pub(super) fn enter(context: &Context<'_>, find: impl FnOnce(&Site) -> Option<usize>) -> bool {
    let Scope {
        shared,
        grant,
        entered,
    } = scope(context);
    match shared
        .site(|site| find(site))
        .filter(|found| grant.within(*found).sees_repository())
    {
        Some(found) => {
            entered.lock().insert(root_key(context), found);
            true
        }
        None => false,
    }
}

/// Outside every repository it is the token's own.
fn here(context: &Context<'_>) -> usize {
    let Scope { grant, entered, .. } = scope(context);
    entered
        .lock()
        .get(&root_key(context))
        .copied()
        .unwrap_or(grant.home)
}

/// The repository's state, from within a resolver.
pub(super) fn world<R>(context: &Context<'_>, work: impl FnOnce(&mut World) -> R) -> R {
    scope(context).shared.world(here(context), work)
}

/// Whether this is the payload of a mutation.
pub(super) fn is_mutation(context: &Context<'_>) -> bool {
    context.query_env.operation.node.ty == OperationType::Mutation
}

/// What the token was minted for.
pub(super) fn grant(context: &Context<'_>) -> Grant {
    scope(context).grant
}

/// What the token may do in the repository, from within a resolver.
pub(super) fn permissions(context: &Context<'_>) -> Permissions {
    scope(context).grant.within(here(context))
}
