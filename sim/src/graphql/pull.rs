//! Pull requests as a connection.

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};

use super::refusal::refusal;
use super::repository::{Ref, Repository};
use super::scalar::Uri;
use super::world;
use crate::record::PullRecord;
use crate::rest::pull_html;

/// The states of a pull request.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub(super) enum PullRequestState {
    Open,
    Closed,
    Merged,
}

impl PullRequestState {
    fn of(pull: &PullRecord) -> Self {
        match pull.state.as_str() {
            "open" => Self::Open,
            _ => Self::Closed,
        }
    }
}

/// What narrows the list.
pub(super) struct PullRequests {
    pub(super) states: Option<Vec<PullRequestState>>,
    pub(super) head_ref_name: Option<String>,
    pub(super) base_ref_name: Option<String>,
    pub(super) first: Option<i32>,
    pub(super) last: Option<i32>,
}

impl PullRequests {
    /// GitHub insists on a page size of 1 to 100.
    pub(super) fn among(&self, pulls: &[PullRecord]) -> Result<PullRequestConnection, Error> {
        let shown = page_size("pullRequests", self.first.or(self.last))?;
        let wanted: Vec<&PullRecord> = pulls.iter().filter(|pull| self.wants(pull)).collect();
        let skipped = if self.first.is_some() {
            0
        } else {
            wanted.len().saturating_sub(shown)
        };
        let nodes = wanted.iter().skip(skipped).take(shown);
        Ok(PullRequestConnection {
            total_count: wanted.len(),
            page_info: PageInfo {
                has_next_page: self.first.is_some() && wanted.len() > shown,
                has_previous_page: skipped > 0,
                end_cursor: None,
            },
            nodes: Some(
                nodes
                    .map(|pull| Some(PullRequest((*pull).clone())))
                    .collect(),
            ),
        })
    }

    fn wants(&self, pull: &PullRecord) -> bool {
        let states = self.states.as_ref();
        states.is_none_or(|states| states.contains(&PullRequestState::of(pull)))
            && self
                .head_ref_name
                .as_ref()
                .is_none_or(|name| *name == pull.head)
            && self
                .base_ref_name
                .as_ref()
                .is_none_or(|name| *name == pull.base)
    }
}

/// How many are shown of a connection: somebody must say so, and GitHub shows 100 at most.
pub(super) fn page_size(connection: &str, asked: Option<i32>) -> Result<usize, Error> {
    let Some(asked) = asked else {
        let message = format!(
            "You must provide a `first` or `last` value to properly paginate the `{connection}` connection."
        );
        return Err(refusal("MISSING_PAGINATION_BOUNDARIES", &message));
    };
    usize::try_from(asked).ok().filter(|shown| *shown <= 100).ok_or_else(|| {
        let message = format!("Requesting {asked} records on the `{connection}` connection exceeds the `first` limit of 100 records.");
        refusal("EXCESSIVE_PAGINATION", &message)
    })
}

/// One page of pull requests.
#[derive(SimpleObject)]
pub(super) struct PullRequestConnection {
    nodes: Option<Vec<Option<PullRequest>>>,
    page_info: PageInfo,
    total_count: usize,
}

/// Where a page lies among the others.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) has_previous_page: bool,
    pub(super) end_cursor: Option<String>,
}

struct PullRequest(PullRecord);

#[Object]
impl PullRequest {
    async fn id(&self) -> ID {
        ID(format!("PR_{}", self.0.number))
    }

    async fn number(&self) -> u64 {
        self.0.number
    }

    async fn title(&self) -> String {
        self.0.title.clone()
    }

    async fn body(&self) -> String {
        self.0.body.clone().unwrap_or_default()
    }

    async fn state(&self) -> PullRequestState {
        PullRequestState::of(&self.0)
    }

    async fn is_draft(&self) -> bool {
        self.0.draft
    }

    async fn url(&self, context: &Context<'_>) -> Uri {
        Uri(world(context, |world| {
            pull_html(&world.identity, self.0.number)
        }))
    }

    async fn head_ref_name(&self) -> String {
        self.0.head.clone()
    }

    async fn base_ref_name(&self) -> String {
        self.0.base.clone()
    }

    async fn head_ref(&self, context: &Context<'_>) -> Option<Ref> {
        let there = world(context, |world| world.git.head(&self.0.head).is_some());
        there.then(|| Ref {
            name: format!("refs/heads/{}", self.0.head),
        })
    }

    async fn head_repository(&self) -> Option<Repository> {
        Some(Repository)
    }

    async fn repository(&self) -> Repository {
        Repository
    }
}
