//! Commits, with the files they hold.

use std::path::Path;

use async_graphql::{Context, ID, Object};
use git2::Oid;

use super::object::{Tree, TreeEntry, abbreviated};
use super::repository::Repository;
use super::scalar::{DateTime, GitObjectId, Uri};
use super::world;

/// A commit that the repository has.
pub(super) struct Commit(pub(super) Oid);

impl Commit {
    fn read<R>(&self, context: &Context<'_>, read: impl FnOnce(&git2::Commit<'_>) -> R) -> R {
        world(context, |world| read(&world.git.commit(self.0).expect("a commit that was found")))
    }
}

/// A part of a commit's history.
pub(super) struct CommitHistoryConnection(Vec<Commit>);

#[Object]
impl CommitHistoryConnection {
    async fn nodes(&self) -> Option<Vec<Option<&Commit>>> {
        Some(self.0.iter().map(Some).collect())
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
        self.read(context, |commit| commit.message().unwrap_or_default().to_owned())
    }

    async fn message_headline(&self, context: &Context<'_>) -> String {
        self.read(context, |commit| commit.summary().unwrap_or_default().to_owned())
    }

    async fn committed_date(&self, context: &Context<'_>) -> DateTime {
        DateTime(self.read(context, |commit| commit.time().seconds()))
    }

    async fn authored_date(&self, context: &Context<'_>) -> DateTime {
        DateTime(self.read(context, |commit| commit.author().when().seconds()))
    }

    async fn tree(&self, context: &Context<'_>) -> Tree {
        Tree(world(context, |world| world.git.commit(self.0).expect("a commit that was found").tree_id()))
    }

    /// The commits that changed a path, newest first.
    async fn history(&self, context: &Context<'_>, first: Option<i32>, path: Option<String>) -> CommitHistoryConnection {
        let most = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(usize::MAX);
        let found = world(context, |world| world.git.history(self.0, Path::new(path.as_deref().unwrap_or_default()), most));
        CommitHistoryConnection(found.into_iter().map(Commit).collect())
    }

    /// A file or folder at this very commit.
    async fn file(&self, context: &Context<'_>, path: String) -> Option<TreeEntry> {
        self.read(context, |commit| {
            let tree = commit.tree().ok()?;
            let entry = tree.get_path(Path::new(&path)).ok()?;
            TreeEntry::of(&entry)
        })
    }
}
