//! Two refs compared: how many commits each has that the other lacks.

use async_graphql::{Enum, Result, SimpleObject};
use git2::Oid;

use super::object::GitObject;
use super::refusal::no_ref;
use crate::world::World;

/// The head as the base sees it.
#[derive(SimpleObject)]
pub(super) struct Comparison {
    ahead_by: usize,
    behind_by: usize,
    status: ComparisonStatus,
    /// The commit to which the head led.
    head_target: GitObject,
}

#[derive(Clone, Copy, Enum, PartialEq, Eq)]
enum ComparisonStatus {
    Ahead,
    Behind,
    Diverged,
    Identical,
}

impl Comparison {
    /// What the head (a branch, a tag, a commit or `OWNER:BRANCH`) has beyond the base, a full ref
    /// name, and lacks of it. A head that does not resolve is an error, another root is not.
    pub(super) fn of(world: &World, base: &str, head: &str) -> Option<Result<Self>> {
        let base = world.git.peel(world.git.reference(base)?)?;
        match head_oid(world, head) {
            Some(head) => Self::between(world, base, head).map(Ok),
            None => Some(Err(no_ref(head))),
        }
    }

    fn between(world: &World, base: Oid, head: Oid) -> Option<Self> {
        let repository = &world.git.repository;
        repository.merge_base(base, head).ok()?;
        let (ahead_by, behind_by) = repository.graph_ahead_behind(head, base).ok()?;
        let status = match (ahead_by, behind_by) {
            (0, 0) => ComparisonStatus::Identical,
            (_, 0) => ComparisonStatus::Ahead,
            (0, _) => ComparisonStatus::Behind,
            _ => ComparisonStatus::Diverged,
        };
        Some(Self {
            head_target: GitObject::of(world, head)?,
            ahead_by,
            behind_by,
            status,
        })
    }
}

fn head_oid(world: &World, head: &str) -> Option<Oid> {
    let revision = match head.split_once(':') {
        None => head,
        Some((owner, branch)) if owner.eq_ignore_ascii_case(&world.identity.owner) => branch,
        Some(_) => return None,
    };
    let object = world.git.repository.revparse_single(revision).ok()?;
    Some(object.peel_to_commit().ok()?.id())
}
