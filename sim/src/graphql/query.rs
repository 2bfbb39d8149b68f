//! The root of queries: a repository and the budget.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::repository::Repository;
use super::scalar::DateTime;
use super::scope::enter;
use super::{refusal, world};
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
        #[graphql(default = true)] follow_renames: bool,
    ) -> Option<Result<Repository>> {
        // Nothing was ever renamed here.
        let _ = follow_renames;
        if enter(context, |site| site.named(&owner, &name)) {
            return Some(Ok(Repository));
        }
        Some(Err(refusal::no_repository(&format!("{owner}/{name}"))))
    }

    /// The GraphQL budget as it stands after this request.
    async fn rate_limit(
        &self,
        context: &Context<'_>,
        #[graphql(default = false)] dry_run: bool,
    ) -> Option<RateLimit> {
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
