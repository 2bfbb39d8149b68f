//! The root of queries: a repository and the budget.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::repository::Repository;
use super::scalar::DateTime;
use super::scope::enter;
use super::{refusal, world};
use crate::call::Place;
use crate::rate::Budget;

/// The query root.
pub(super) struct Query;

#[Object]
impl Query {
    /// Names are compared without regard to case.
    async fn repository(
        &self,
        context: &Context<'_>,
        owner: String,
        name: String,
        follow_renames: Option<bool>,
    ) -> Option<Result<Repository>> {
        let follow = follow_renames.unwrap_or(true);
        let seen = enter(context, |site| {
            let place = Place::Named(owner.clone(), name.clone());
            let former = || site.formerly(&place).filter(|_| follow);
            site.find(&place).or_else(former)
        });
        if seen {
            return Some(Ok(Repository));
        }
        Some(Err(refusal::no_repository(&format!("{owner}/{name}"))))
    }

    /// The GraphQL budget as it stands after this request.
    async fn rate_limit(&self, context: &Context<'_>, dry_run: Option<bool>) -> Option<RateLimit> {
        let _ = dry_run;
        let window = world(context, |world| {
            let now = world.now();
            *world.rates.window(Budget::GraphQl, now)
        });
        Some(RateLimit {
            cost: 1,
            limit: window.limit,
            node_count: 0,
            remaining: window.remaining(),
            reset_at: DateTime(window.reset),
            used: window.used,
        })
    }
}

#[derive(SimpleObject)]
struct RateLimit {
    cost: i32,
    limit: u64,
    node_count: i32,
    remaining: u64,
    reset_at: DateTime,
    used: u64,
}
