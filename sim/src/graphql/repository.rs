//! The repository with its refs, objects, releases and pull requests.
#![expect(
    clippy::unused_async,
    reason = "a resolver must be async, even one that waits for nothing"
)]

use async_graphql::{Context, ID, Object, Result};

use super::comparison::Comparison;
use super::object::GitObject;
use super::pull::{PageInfo, PullRequestConnection, PullRequestState, PullRequests, page_size};
use super::release::Release;
use super::rules::RepositoryRuleConnection;
use super::scalar::{GitObjectId, Uri};
use super::scope::is_mutation;
use super::{permissions, refusal, world};
use crate::freshness::Fresh;
use crate::permission::{Access, Need, Permissions, Resource};
use crate::world::World;

/// The repository that the root field has entered.
pub(super) struct Repository;

#[Object]
impl Repository {
    async fn id(&self, context: &Context<'_>) -> ID {
        world(context, |world| ID(format!("R_{}", world.identity.id)))
    }

    async fn database_id(&self, context: &Context<'_>) -> Option<u64> {
        Some(world(context, |world| world.identity.id))
    }

    async fn name(&self, context: &Context<'_>) -> String {
        world(context, |world| world.identity.name.clone())
    }

    async fn name_with_owner(&self, context: &Context<'_>) -> String {
        world(context, |world| world.identity.full_name())
    }

    async fn url(&self, context: &Context<'_>) -> Uri {
        Uri(world(context, |world| world.identity.html()))
    }

    async fn is_archived(&self, context: &Context<'_>) -> bool {
        world(context, |world| world.settings.archived)
    }

    async fn is_private(&self) -> bool {
        true
    }

    async fn is_empty(&self) -> bool {
        false
    }

    async fn default_branch_ref(&self, context: &Context<'_>) -> Option<Result<Ref>> {
        seen(context, |world| {
            let name = format!("refs/heads/{}", world.git.default_branch());
            world.git.reference(&name).map(|_| Ref { name })
        })
    }

    /// Null outside branches and tags, even for refs that exist.
    #[graphql(name = "ref")]
    async fn reference(
        &self,
        context: &Context<'_>,
        qualified_name: String,
    ) -> Option<Result<Ref>> {
        let candidates = if qualified_name.starts_with("refs/") {
            vec![qualified_name]
        } else {
            vec![
                format!("refs/heads/{qualified_name}"),
                format!("refs/tags/{qualified_name}"),
            ]
        };
        let after_a_write = is_mutation(context);
        seen(context, |world| {
            let found = candidates.into_iter().find(|name| {
                let shown = name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
                shown && world.git.reference(name).is_some()
            });
            // Replicas may not have what was made just before the append.
            let found =
                found.filter(|name| !(after_a_write && world.is_missed(&Fresh::Ref(name.clone()))));
            found.map(|name| Ref { name })
        })
    }

    /// By oid, or by a revision expression such as `HEAD:.github/workflows`.
    async fn object(
        &self,
        context: &Context<'_>,
        expression: Option<String>,
        oid: Option<GitObjectId>,
    ) -> Option<Result<GitObject>> {
        seen(context, |world| {
            let found = match oid {
                Some(GitObjectId(oid)) => oid,
                None => world
                    .git
                    .repository
                    .revparse_single(&expression?)
                    .ok()?
                    .id(),
            };
            GitObject::of(world, found)
        })
    }

    /// The published release of a tag, else the newest draft for it.
    async fn release(&self, context: &Context<'_>, tag_name: String) -> Option<Result<Release>> {
        let writer = permissions(context).contents == Access::Write;
        seen(context, |world| {
            let draft = world
                .releases
                .iter()
                .rev()
                .find(|release| release.draft && release.tag_name == tag_name)
                .filter(|_| writer);
            world.published(&tag_name).or(draft).cloned().map(Release)
        })
    }

    /// Never a draft, nor a release that was made so that it is not the latest.
    async fn latest_release(&self, context: &Context<'_>) -> Option<Result<Release>> {
        seen(context, |world| {
            world.release(world.latest?).cloned().map(Release)
        })
    }

    /// Branches or tags by their prefix, in the order of their names; GitHub insists on a page size of 1 to 100.
    async fn refs(
        &self,
        context: &Context<'_>,
        ref_prefix: String,
        first: Option<i32>,
        after: Option<String>,
    ) -> Option<Result<RefConnection>> {
        let shown = match page_size("refs", first) {
            Ok(shown) => shown,
            Err(refused) => return Some(Err(refused)),
        };
        seen(context, |world| {
            let names = world
                .git
                .references(&ref_prefix)
                .into_iter()
                .map(|(name, _)| name);
            let left: Vec<String> = names
                .filter(|name| after.as_ref().is_none_or(|after| name > after))
                .collect();
            Some(RefConnection {
                more: left.len() > shown,
                refs: left
                    .into_iter()
                    .take(shown)
                    .map(|name| Ref { name })
                    .collect(),
            })
        })
    }

    async fn viewer_permission(&self, context: &Context<'_>) -> Option<RepositoryPermission> {
        Some(RepositoryPermission::of(permissions(context)))
    }

    async fn pull_requests(
        &self,
        context: &Context<'_>,
        states: Option<Vec<PullRequestState>>,
        head_ref_name: Option<String>,
        base_ref_name: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Result<PullRequestConnection> {
        let need = Need(Resource::PullRequests, Access::Read);
        refusal::require(permissions(context), need)?;
        let wanted = PullRequests {
            states,
            head_ref_name,
            base_ref_name,
            first,
            last,
        };
        world(context, |world| wanted.among(&world.pulls))
    }
}

/// A nullable field for those who may read: errors stay at the field, as on GitHub.
fn seen<T>(context: &Context<'_>, look: impl FnOnce(&mut World) -> Option<T>) -> Option<Result<T>> {
    match refusal::require(permissions(context), Need(Resource::Contents, Access::Read)) {
        Ok(()) => world(context, |world| look(world).map(Ok)),
        Err(refusal) => Some(Err(refusal)),
    }
}

/// How far a token reaches into the repository, as a role.
#[derive(async_graphql::Enum, Clone, Copy, PartialEq, Eq)]
enum RepositoryPermission {
    Admin,
    Write,
    Read,
}

impl RepositoryPermission {
    fn of(permissions: Permissions) -> Self {
        match permissions {
            Permissions {
                administration: Access::Write,
                ..
            } => Self::Admin,
            Permissions {
                contents: Access::Write,
                ..
            } => Self::Write,
            _ => Self::Read,
        }
    }
}

/// A branch or a tag by its full name.
pub(super) struct Ref {
    pub(super) name: String,
}

#[Object]
impl Ref {
    async fn id(&self, context: &Context<'_>) -> ID {
        ID(world(context, |world| world.identity.ref_id(&self.name)))
    }

    /// Without the prefix.
    async fn name(&self) -> String {
        let parts: Vec<&str> = self.name.splitn(3, '/').collect();
        parts.last().copied().unwrap_or_default().to_owned()
    }

    async fn prefix(&self) -> String {
        let kept: Vec<&str> = self.name.splitn(3, '/').take(2).collect();
        format!("{}/", kept.join("/"))
    }

    async fn repository(&self) -> Repository {
        Repository
    }

    /// The active rules of a branch.
    async fn rules(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
    ) -> Option<RepositoryRuleConnection> {
        let most = first
            .and_then(|first| usize::try_from(first).ok())
            .unwrap_or(usize::MAX);
        let branch = self.name.strip_prefix("refs/heads/")?;
        let rules = world(context, |world| world.branch_rules(branch));
        let kinds = rules.iter().filter_map(|rule| rule["type"].as_str());
        Some(RepositoryRuleConnection::of(kinds.take(most)))
    }

    /// This ref as the base of a comparison; null where the head has another root, null and an
    /// error where it is unknown.
    async fn compare(&self, context: &Context<'_>, head_ref: String) -> Option<Result<Comparison>> {
        world(context, |world| {
            Comparison::of(world, &self.name, &head_ref)
        })
    }

    /// Unpeeled: an annotated tag's target is the tag object.
    async fn target(&self, context: &Context<'_>) -> Option<GitObject> {
        world(context, |world| {
            let oid = world.git.reference(&self.name)?;
            GitObject::of(world, oid)
        })
    }
}

/// A page of refs.
struct RefConnection {
    refs: Vec<Ref>,
    more: bool,
}

#[Object]
impl RefConnection {
    async fn nodes(&self) -> Option<Vec<Option<&Ref>>> {
        Some(self.refs.iter().map(Some).collect())
    }

    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.more,
            has_previous_page: false,
            end_cursor: self.refs.last().map(|last| last.name.clone()),
        }
    }
}
