//! Commits, with the files they hold.

use std::path::Path;

use async_graphql::{Context, ID, Object, Result};
use git2::Oid;

use super::object::{Tree, TreeEntry, abbreviated};
use super::pull::PageInfo;
use super::refusal::no_file;
use super::repository::Repository;
use super::scalar::{DateTime, GitObjectId, Uri};
use super::signature::GitSignature;
use super::world;
use crate::git::full_oid;
use crate::switch::Switch;

/// A commit that the repository has.
pub(super) struct Commit(pub(super) Oid);

impl Commit {
    fn read<R>(&self, context: &Context<'_>, read: impl FnOnce(&git2::Commit<'_>) -> R) -> R {
        world(context, |world| {
            read(&world.git.commit(self.0).expect("a commit that was found"))
        })
    }
}

/// A page of a commit's history.
pub(super) struct CommitHistoryConnection {
    commits: Vec<Commit>,
    more: bool,
}

/// A commit's parents.
pub(super) struct CommitConnection(usize);

#[Object]
impl CommitConnection {
    async fn total_count(&self) -> usize {
        self.0
    }
}

#[Object]
impl CommitHistoryConnection {
    async fn nodes(&self) -> Option<Vec<Option<&Commit>>> {
        Some(self.commits.iter().map(Some).collect())
    }

    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.more,
            has_previous_page: false,
            end_cursor: self.commits.last().map(|last| last.0.to_string()),
        }
    }
}

#[Object]
impl Commit {
    pub(super) async fn id(&self) -> ID {
        ID(format!("C_{}", self.0))
    }

    pub(super) async fn oid(&self) -> GitObjectId {
        GitObjectId(self.0)
    }

    pub(super) async fn abbreviated_oid(&self) -> String {
        abbreviated(self.0)
    }

    pub(super) async fn repository(&self) -> Repository {
        Repository
    }

    async fn url(&self, context: &Context<'_>) -> Uri {
        let html = world(context, |world| world.identity.html());
        Uri(format!("{html}/commit/{}", self.0))
    }

    async fn message(&self, context: &Context<'_>) -> String {
        self.read(context, |commit| {
            commit.message().unwrap_or_default().to_owned()
        })
    }

    async fn message_headline(&self, context: &Context<'_>) -> String {
        self.read(context, |commit| {
            commit.summary().unwrap_or_default().to_owned()
        })
    }

    async fn committed_date(&self, context: &Context<'_>) -> DateTime {
        DateTime(self.read(context, |commit| commit.time().seconds()))
    }

    async fn authored_date(&self, context: &Context<'_>) -> DateTime {
        DateTime(self.read(context, |commit| commit.author().when().seconds()))
    }

    async fn tree(&self, context: &Context<'_>) -> Tree {
        Tree(world(context, |world| {
            world
                .git
                .commit(self.0)
                .expect("a commit that was found")
                .tree_id()
        }))
    }

    async fn parents(&self, context: &Context<'_>) -> CommitConnection {
        CommitConnection(self.read(context, |commit| commit.parent_ids().len()))
    }

    /// Null for an unsigned commit.
    async fn signature(&self, context: &Context<'_>) -> Option<GitSignature> {
        GitSignature::of(&world(context, |world| world.verification(self.0)))
    }

    /// The commits behind this one, or those of them that changed a path, newest first.
    async fn history(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        path: Option<String>,
    ) -> CommitHistoryConnection {
        let most = first
            .and_then(|first| usize::try_from(first).ok())
            .unwrap_or(usize::MAX);
        world(context, |world| {
            let after = after.and_then(|after| full_oid(&after));
            let from = after.map_or(Some(self.0), |after| {
                world.git.commit(after)?.parent_id(0).ok()
            });
            let mut found = from.map_or(Vec::new(), |from| {
                world
                    .git
                    .history(from, path.as_deref().map(Path::new), most.saturating_add(1))
            });
            let more = found.len() > most;
            found.truncate(most);
            CommitHistoryConnection {
                commits: found.into_iter().map(Commit).collect(),
                more,
            }
        })
    }

    /// A file or folder at this very commit; an absent one is null and an error at that field.
    async fn file(&self, context: &Context<'_>, path: String) -> Option<Result<TreeEntry>> {
        let found = self.read(context, |commit| {
            let tree = commit.tree().ok()?;
            let entry = tree.get_path(Path::new(&path)).ok()?;
            TreeEntry::of(&entry)
        });
        let silent = world(context, |world| world.is_on(Switch::AbsentFilesAreSilent));
        if found.is_none() && silent {
            return None;
        }
        Some(found.ok_or_else(|| no_file(&path)))
    }
}
