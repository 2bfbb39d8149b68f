//! Reads the tail of the ledger: commits by pages, then the entries that they added.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Addition, Append, Base, BranchCommit, Checkpoint, Followed, Links, Tail},
    name::{CommitId, Repository, RepositoryId},
    refusal::Refusal,
    timestamp::Timestamp,
};

use super::{
    GitHub, Trouble,
    graphql::{Absence, PageInfo, Query, WhenTooCostly, largest_page},
    look_back::Extent,
};

const HISTORY: Query<'_> = Query {
    absences: &[
        Absence::at("repository.object.history.nodes.*.head"),
        Absence::at("repository.object.history.nodes.*.authority"),
    ],
    when_too_costly: WhenTooCostly::AskForLess,
    ..Query::new(include_str!("documents/ledger_history.graphql"))
};

/// A regular file, as git writes its mode.
const REGULAR: u32 = 0o100_644;

/// The tails that this process has verified.
#[derive(Default)]
pub(super) struct KnownTails(Mutex<BTreeMap<Repository, Tail>>);

impl KnownTails {
    fn of(&self, repository: &Repository, checkpoint: &Checkpoint) -> Option<Tail> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(repository)
            .filter(|tail| tail.covers(checkpoint))
            .cloned()
    }

    fn keep(&self, repository: &Repository, tail: &Tail) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(repository.clone(), tail.clone());
    }
}

/// How far a preflight reads the ledger.
pub(crate) enum Depth {
    /// Down to the commit that a receipt names.
    Above(Checkpoint),
    /// Down to a commit that is proven to be older than this.
    Since(Timestamp),
}

/// A page of the branch's history, newest first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryPage {
    nodes: Vec<Node>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    oid: String,
    committed_date: String,
    parents: Parents,
    signature: Option<Signature>,
    author: Option<Author>,
    head: Option<File>,
    authority: Option<File>,
}

#[derive(Deserialize)]
struct Parents {
    nodes: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    oid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signature {
    is_valid: bool,
    #[serde(rename = "wasSignedByGitHub")]
    was_signed_by_github: bool,
}

#[derive(Deserialize)]
pub(super) struct Author {
    name: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct File {
    mode: u32,
    object: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    text: Option<String>,
    is_truncated: Option<bool>,
}

#[derive(Serialize)]
struct Variables<'a> {
    owner: &'a str,
    name: &'a str,
    tip: &'a CommitId,
    first: usize,
    /// The first page begins at the tip.
    after: Option<&'a str>,
}

#[derive(Deserialize)]
struct History {
    object: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    history: Option<HistoryPage>,
}

fn garbage(reason: impl Into<String>) -> Trouble {
    Trouble::Garbage {
        reason: reason.into(),
    }
}

impl Signature {
    /// Whether GitHub made it: then the commit's date is GitHub's.
    pub(super) const fn is_githubs(&self) -> bool {
        self.is_valid && self.was_signed_by_github
    }
}

impl Author {
    /// The account, or the name if there is none. A bot has no account here, or one whose login
    /// lacks the `[bot]` that its name and REST show.
    pub(super) fn shown(self) -> Option<String> {
        let Some(User { login }) = self.user else {
            return self.name;
        };
        let bot = format!("{login}[bot]");
        Some(if self.name.as_ref() == Some(&bot) {
            bot
        } else {
            login
        })
    }
}

impl File {
    /// The text of a regular file. A link, a folder, or a text that GitHub cut is not what an append writes.
    fn text(self) -> Option<String> {
        let object = self.object.filter(|_| self.mode == REGULAR)?;
        object.text.filter(|_| object.is_truncated == Some(false))
    }
}

impl Node {
    fn commit(self) -> Result<BranchCommit, Trouble> {
        let id = |text: &str| {
            text.parse::<CommitId>()
                .map_err(|_| garbage("a commit without an id"))
        };
        let is_proven = self.signature.as_ref().is_some_and(Signature::is_githubs);
        Ok(BranchCommit {
            id: id(&self.oid)?,
            parents: self
                .parents
                .nodes
                .iter()
                .map(|parent| id(&parent.oid))
                .collect::<Result<_, _>>()?,
            head: self.head.and_then(File::text),
            authority: self.authority.and_then(File::text),
            proven_at: self.committed_date.parse().ok().filter(|_| is_proven),
            author: self.author.and_then(Author::shown),
        })
    }
}

impl HistoryPage {
    /// The commits, newest first, and where the next page begins.
    pub(super) fn commits(self) -> Result<(Vec<BranchCommit>, Option<String>), Trouble> {
        let commits = self.nodes.into_iter().map(Node::commit);
        Ok((commits.collect::<Result<_, _>>()?, self.page_info.next()?))
    }
}

impl GitHub {
    /// The verified tail from `tip` down, of which the newest commits are at hand.
    pub(super) async fn tail(
        &self,
        repository: &Repository,
        tip: &CommitId,
        page: HistoryPage,
        depth: &Depth,
    ) -> Result<Result<Tail, Refusal>, Trouble> {
        let checkpoint = match depth {
            Depth::Above(checkpoint) => checkpoint,
            // A dry run looks back for claims that are still open. Damage there does not keep people
            // from approving above it, and neither does a flood.
            Depth::Since(since) => {
                let extent = Extent {
                    whole: false,
                    since: Some(*since),
                    past: &[],
                };
                let sound = self.newest_sound(repository, tip, page, &extent).await?;
                return Ok(sound.map(|sound| sound.tail));
            }
        };

        let tail = if let Some(known) = self.tails.of(repository, checkpoint) {
            self.grown(repository, tip, page, &known).await?
        } else {
            let base = Base::At(checkpoint.clone());
            self.read_tail(repository, tip, page, &base).await?
        };
        if let Ok(tail) = &tail {
            self.tails.keep(repository, tail);
        }
        Ok(tail)
    }

    /// A known tail with what was added above it.
    pub(super) async fn grown(
        &self,
        repository: &Repository,
        tip: &CommitId,
        page: HistoryPage,
        known: &Tail,
    ) -> Result<Result<Tail, Refusal>, Trouble> {
        let base = Base::At(known.tip().clone());
        let above = self.read_tail(repository, tip, page, &base).await?;
        Ok(above.and_then(|above| known.extended(above)))
    }

    /// Remembers an append of this process, so that its entry need not be read.
    pub(crate) fn remember(&self, repository: &Repository, append: &Append, commit: &CommitId) {
        self.entries.remember(append, commit);
        let mut known = self.tails.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = known.get_mut(repository)
            && tail.tip().commit == *append.expected()
        {
            *tail = tail.appended(append, commit.clone());
        }
    }

    /// The repository's number, and the verified tail of its ledger above a commit or above its tip;
    /// none if it has no ledger.
    pub(crate) async fn ledger_above(
        &self,
        repository: &Repository,
        base: &Base,
    ) -> Result<Option<(RepositoryId, Result<Tail, Refusal>)>, Trouble> {
        let Some((number, tip)) = self.tip_of_ledger(repository).await? else {
            return Ok(None);
        };
        let page = self.history_page(repository, &tip, None).await?;
        let tail = self.read_tail(repository, &tip, page, base).await?;
        Ok(Some((number, tail)))
    }

    async fn read_tail(
        &self,
        repository: &Repository,
        tip: &CommitId,
        mut page: HistoryPage,
        base: &Base,
    ) -> Result<Result<Tail, Refusal>, Trouble> {
        let mut commits = Vec::new();
        let links = loop {
            for node in page.nodes {
                commits.push(node.commit()?);
            }
            match Links::follow(tip, base, &commits) {
                Ok(Followed::Reached(links)) => break links,
                Ok(Followed::MoreNeeded) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
            let next = page
                .page_info
                .next()?
                .ok_or_else(|| garbage("the ledger's history ends before its root"))?;
            page = self.history_page(repository, tip, Some(&next)).await?;
        };

        self.read_entries(repository, links).await
    }

    /// The tail of a chain of commits, with the entries that they added.
    pub(super) async fn read_entries(
        &self,
        repository: &Repository,
        links: Links,
    ) -> Result<Result<Tail, Refusal>, Trouble> {
        let additions: Vec<Addition> = links.additions().collect();
        let files = self.entries(repository, &additions).await?;
        Ok(files.and_then(|files| links.read(files)))
    }

    pub(super) async fn history_page(
        &self,
        repository: &Repository,
        tip: &CommitId,
        after: Option<&str>,
    ) -> Result<HistoryPage, Trouble> {
        let (owner, name) = repository.parts();
        let page = |first| Variables {
            owner,
            name,
            tip,
            first,
            after,
        };
        let history: History =
            largest_page(async |first| self.asked(&HISTORY, page(first)).await).await?;
        history
            .object
            .and_then(|commit| commit.history)
            .ok_or_else(|| garbage("a commit without history"))
    }
}
