//! `createCommitOnBranch`: one atomic append with an expected head.

use std::collections::BTreeSet;

use async_graphql::{Context, Error, ID, InputObject, Object, Result, SimpleObject};
use git2::Oid;

use super::commit::Commit;
use super::refs::{self, UpdateRefsInput, UpdateRefsPayload};
use super::refusal::{self, forbidden, forbidden_because, no_repository, refusal};
use super::repository::Ref;
use super::scalar::{Base64String, GitObjectId};
use super::scope::{enter, grant};
use super::{guard, permissions, world};
use crate::git::{Change, Person};
use crate::permission::{Access, Grant, Need, Permissions, Resource};
use crate::world::World;

/// The mutation root.
pub(super) struct Mutation;

#[Object]
impl Mutation {
    /// Appends a commit to a branch whose head is still the expected one.
    async fn create_commit_on_branch(
        &self,
        context: &Context<'_>,
        input: CreateCommitOnBranchInput,
    ) -> Option<Result<CreateCommitOnBranchPayload>> {
        let appended = branch(context, &input.branch).and_then(|branch| {
            let (grant, permissions) = (grant(context), permissions(context));
            world(context, |world| {
                append(world, grant, permissions, &branch, &input)
            })
        });
        Some(appended.map(|(name, oid)| CreateCommitOnBranchPayload {
            client_mutation_id: input.client_mutation_id,
            commit: Some(Commit(oid)),
            reference: Some(Ref { name }),
        }))
    }

    /// Moves refs, all or none, each only from where it is expected.
    async fn update_refs(
        &self,
        context: &Context<'_>,
        input: UpdateRefsInput,
    ) -> Option<Result<UpdateRefsPayload>> {
        Some(refs::update(context, input))
    }
}

#[derive(InputObject)]
struct CreateCommitOnBranchInput {
    branch: CommittableBranch,
    client_mutation_id: Option<String>,
    expected_head_oid: GitObjectId,
    file_changes: Option<FileChanges>,
    message: CommitMessage,
}

#[derive(InputObject)]
struct CommittableBranch {
    branch_name: Option<String>,
    id: Option<ID>,
    repository_name_with_owner: Option<String>,
}

#[derive(InputObject)]
struct FileChanges {
    #[graphql(default)]
    additions: Option<Vec<FileAddition>>,
    #[graphql(default)]
    deletions: Option<Vec<FileDeletion>>,
}

#[derive(InputObject)]
struct FileAddition {
    contents: Base64String,
    path: String,
}

#[derive(InputObject)]
struct FileDeletion {
    path: String,
}

#[derive(InputObject)]
struct CommitMessage {
    body: Option<String>,
    headline: String,
}

impl CommitMessage {
    fn text(&self) -> String {
        match self.body.as_deref() {
            Some(body) if !body.is_empty() => format!("{}\n\n{body}", self.headline),
            _ => self.headline.clone(),
        }
    }
}

#[derive(SimpleObject)]
struct CreateCommitOnBranchPayload {
    client_mutation_id: Option<String>,
    commit: Option<Commit>,
    #[graphql(name = "ref")]
    reference: Option<Ref>,
}

fn append(
    world: &mut World,
    grant: Grant,
    permissions: Permissions,
    branch: &str,
    input: &CreateCommitOnBranchInput,
) -> Result<(String, Oid), Error> {
    refusal::require(permissions, Need(Resource::Contents, Access::Write))?;
    if world.settings.archived {
        let message = "Repository was archived so is read-only.";
        return Err(forbidden_because(message));
    }
    let name = format!("refs/heads/{branch}");
    let head = world
        .git
        .reference(&name)
        .ok_or_else(|| refusal("NOT_FOUND", format!("Branch {branch} not found")))?;
    let GitObjectId(expected) = input.expected_head_oid;
    if head != expected {
        let message = refusal::stale(&expected.to_string());
        return Err(refusal("STALE_DATA", message));
    }
    let changes = changes(world, head, input.file_changes.as_ref())?;
    let now = world.now();
    let (author, committer) = (Person::behind(grant, now), Person::github(now));
    let text = input.message.text();
    let made = world
        .git
        .commit_on(head, &changes, &text, &author, &committer);
    let oid = made.map_err(|error| refusal("UNPROCESSABLE", error.message()))?;
    world.mark_verified(oid);
    guard::append(world, branch, oid)?;
    if !permissions.workflows && world.git.workflows(head) != world.git.workflows(oid) {
        return Err(forbidden());
    }
    let moved = world.git.set_reference(&name, oid);
    moved.map_err(|error| refusal("UNPROCESSABLE", error.message()))?;
    world.effect(format!("commit on {branch}"));
    Ok((name, oid))
}

/// Enters the branch's repository and gives its short name; it is given by node id or by repository and name.
fn branch(context: &Context<'_>, asked: &CommittableBranch) -> Result<String, Error> {
    let short = |name: &str| name.trim_start_matches("refs/heads/").to_owned();
    if let Some(ID(id)) = &asked.id {
        let mut named = None;
        let seen = enter(context, |site| {
            let (place, name) = site.ref_of(id)?;
            named = Some(short(&name));
            Some(place)
        });
        return named.filter(|_| seen).ok_or_else(|| {
            let message = format!("Could not resolve to a node with the global id of '{id}'.");
            refusal("NOT_FOUND", message)
        });
    }
    let (Some(full_name), Some(name)) = (&asked.repository_name_with_owner, &asked.branch_name)
    else {
        let message = "A branch must be given by id, or by repositoryNameWithOwner and branchName.";
        return Err(refusal("UNPROCESSABLE", message));
    };
    let seen = full_name
        .split_once('/')
        .is_some_and(|(owner, name)| enter(context, |site| site.named(owner, name)));
    if !seen {
        return Err(no_repository(full_name));
    }
    Ok(short(name))
}

/// Additions overwrite in silence; a path may occur once; what is deleted must be there.
fn changes<'a>(
    world: &World,
    head: Oid,
    asked: Option<&'a FileChanges>,
) -> Result<Vec<Change<'a>>, Error> {
    let additions = asked.and_then(|asked| asked.additions.as_ref());
    let deletions = asked.and_then(|asked| asked.deletions.as_ref());
    let mut changes: Vec<Change<'a>> = Vec::new();
    for addition in additions.into_iter().flatten() {
        changes.push((&addition.path, Some(&addition.contents.0)));
    }
    for deletion in deletions.into_iter().flatten() {
        if world.git.file(head, &deletion.path).is_none() {
            let message = format!(
                "A path was requested for deletion which does not exist as of commit oid `{head}`"
            );
            return Err(refusal("NOT_FOUND", message));
        }
        changes.push((&deletion.path, None));
    }
    let mut seen = BTreeSet::new();
    for (path, _) in &changes {
        if !well_formed(path) {
            return Err(refusal(
                "UNPROCESSABLE",
                format!("{path:?} is not a valid path"),
            ));
        }
        if !seen.insert(*path) {
            let message = format!("A path was given more than once: {path}");
            return Err(refusal("UNPROCESSABLE", message));
        }
    }
    Ok(changes)
}

fn well_formed(path: &str) -> bool {
    path.split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git"))
}
