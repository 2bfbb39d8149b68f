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
    end: Option<String>,
}

/// A commit's parents.
pub(super) struct CommitConnection(Vec<Commit>);

#[Object]
impl CommitConnection {
    async fn total_count(&self) -> usize {
        self.0.len()
    }

    async fn nodes(&self) -> Option<Vec<Option<&Commit>>> {
        Some(self.0.iter().map(Some).collect())
    }
}

/// Who wrote a commit, by the commit's own word.
pub(super) struct GitActor {
    name: String,
    email: String,
}

#[Object]
impl GitActor {
    async fn name(&self) -> Option<&String> {
        Some(&self.name)
    }

    async fn email(&self) -> Option<&String> {
        Some(&self.email)
    }

    /// The account that the address belongs to, if it is a person's.
    async fn user(&self) -> Option<User> {
        if self.email == "octocat@github.com" {
            return Some(User("octocat".to_owned()));
        }
        let local = self.email.strip_suffix("@users.noreply.github.com")?;
        let login = local.rsplit('+').next()?;
        (!login.ends_with("[bot]")).then(|| User(login.to_owned()))
    }
}

/// A person's account.
pub(super) struct User(String);

#[Object]
impl User {
    async fn login(&self) -> &String {
        &self.0
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
            end_cursor: self.end.clone(),
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

    async fn author(&self, context: &Context<'_>) -> Option<GitActor> {
        Some(self.read(context, |commit| GitActor {
            name: commit.author().name().unwrap_or_default().to_owned(),
            email: commit.author().email().unwrap_or_default().to_owned(),
        }))
    }

    async fn parents(&self, context: &Context<'_>, first: Option<i32>) -> CommitConnection {
        let most = first.map_or(usize::MAX, |first| usize::try_from(first).unwrap_or(0));
        let parents = self.read(context, |commit| commit.parent_ids().collect::<Vec<_>>());
        CommitConnection(parents.into_iter().take(most).map(Commit).collect())
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
            .unwrap_or(1_000_000);
        // GitHub's cursors name the commit at which the walk began, and a position.
        let passed = after
            .as_deref()
            .and_then(|after| after.rsplit(' ').next()?.parse::<usize>().ok())
            .map_or(0, |position| position + 1);

        let mut found = world(context, |world| match path.as_deref() {
            None => world.git.log(self.0, passed, most + 1),
            Some(path) => {
                let all = world
                    .git
                    .history(self.0, Some(Path::new(path)), passed + most + 1);
                all.into_iter().skip(passed).collect()
            }
        });
        let more = found.len() > most;
        found.truncate(most);
        let last = (passed + found.len()).checked_sub(1);
        CommitHistoryConnection {
            end: last.map(|last| format!("{} {last}", self.0)),
            commits: found.into_iter().map(Commit).collect(),
            more,
        }
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
