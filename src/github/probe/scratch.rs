//! The proof that a repository is there to be tried out on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use http::Method;
use octocrab::OctoBody;
use serde_json::Value;

use countersign_core::{ledger::BRANCH, name::Repository};

use super::Exchange;
use crate::github::{GitHub, Trouble, encoded, request};

/// How everything begins that a rehearsal makes.
pub(crate) const PREFIX: &str = "countersign-rehearsal-";
/// Commits that a repository may have and still count as fresh: one for each workflow and a few corrections.
const MAX_COMMITS: usize = 30;
/// The workflows that may have been added to the first commit.
const WORKFLOWS: &str = ".github/workflows/countersign-";

/// A repository on which a rehearsal may write. Only [`GitHub::examine`] makes one.
pub(crate) struct Scratch {
    pub(super) repository: Repository,
    pub(super) node_id: String,
    number: u64,
    default_branch: String,
    head: Option<String>,
    private: bool,
    admin: bool,
    has_ledger: bool,
    made: Mutex<Vec<Made>>,
}

/// Something that a rehearsal made, by which it is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A full ref name.
    Ref(String),
    Release(u64),
    Pull(u64),
    Label(String),
    Ruleset(u64),
    /// The classic protection of a branch.
    Protection(String),
    CommitComment(u64),
    /// The branch `receipt-ledger`, which was not there before.
    Ledger,
}

/// Why a repository is not there to be tried out on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{repository} is in use: {found}")]
pub(crate) struct NotScratch {
    pub(crate) repository: Repository,
    /// What it holds.
    pub(crate) found: String,
}

impl Scratch {
    pub(crate) const fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn node_id(&self) -> &str {
        &self.node_id
    }

    pub(crate) fn default_branch(&self) -> &str {
        &self.default_branch
    }

    /// The default branch's commit; an empty repository has none.
    pub(crate) fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    pub(crate) const fn is_private(&self) -> bool {
        self.private
    }

    /// Whether the token's owner administers it, as far as the server says.
    pub(crate) const fn is_admin(&self) -> bool {
        self.admin
    }

    /// Whether there was a ledger before the rehearsal.
    pub(crate) const fn has_ledger(&self) -> bool {
        self.has_ledger
    }

    /// Its REST path, or one below it.
    pub(super) fn path(&self, below: &str) -> String {
        path_of(&self.repository, below)
    }

    /// Remembers what is to be removed, and returns whether that is new.
    pub(super) fn note(&self, made: Made) -> bool {
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !all.contains(&made);
        if is_new {
            all.push(made);
        }
        is_new
    }

    /// Remembers that the ledger is about to be made. Refused where there is one already: that is never removed.
    pub(crate) fn note_ledger(&self) -> bool {
        if !self.has_ledger {
            self.note(Made::Ledger);
        }
        !self.has_ledger
    }

    /// Forgets the ledger: GitHub definitely did not make it.
    pub(crate) fn forget_ledger(&self) {
        self.forget(&Made::Ledger);
    }

    pub(super) fn has_made(&self, made: &Made) -> bool {
        let all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        all.contains(made)
    }

    /// Forgets what was removed.
    pub(super) fn forget(&self, made: &Made) {
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other != made);
    }

    pub(super) fn made(&self) -> Vec<Made> {
        let all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

impl GitHub {
    /// Looks whether a repository is empty, or holds its first commit and workflows for a rehearsal alone. With `really`, what it
    /// holds does not matter.
    pub(crate) async fn examine(
        &self,
        repository: &Repository,
        really: bool,
    ) -> Result<Result<Scratch, NotScratch>, Trouble> {
        let path = |below: &str| path_of(repository, below);
        let told: Value = self.read(&path("")).await?;
        let branches = heads(&self.listed(&path("git/matching-refs/heads")).await?);
        let scratch = scratch(repository, &told, &branches);
        if really {
            return Ok(Ok(scratch));
        }
        let found = self.in_use(&scratch, &branches).await?;
        Ok(match found {
            None => Ok(scratch),
            Some(found) => Err(NotScratch {
                repository: scratch.repository,
                found,
            }),
        })
    }

    /// What shows that a repository is in use, if anything does.
    async fn in_use(
        &self,
        scratch: &Scratch,
        branches: &BTreeMap<String, String>,
    ) -> Result<Option<String>, Trouble> {
        let mut names = branches.keys();
        if let Some(branch) = names.find(|name| **name != scratch.default_branch) {
            return Ok(Some(format!("it has the branch `{branch}`")));
        }
        let listed = async |below: &str| self.listed(&scratch.path(below)).await;
        if let Some(tag) = listed("git/matching-refs/tags").await?.first() {
            return Ok(Some(format!("it has the tag `{}`", short(tag))));
        }
        if !listed("releases?per_page=1").await?.is_empty() {
            return Ok(Some("it has releases".into()));
        }
        if !listed("pulls?state=all&per_page=1").await?.is_empty() {
            return Ok(Some("it has had pull requests".into()));
        }
        self.beyond_the_first_commit(scratch).await
    }

    /// What the default branch holds beside its first commit and workflows for a rehearsal.
    async fn beyond_the_first_commit(&self, scratch: &Scratch) -> Result<Option<String>, Trouble> {
        let Some(head) = scratch.head() else {
            return Ok(None);
        };
        let path = |sha: &str| scratch.path(&format!("git/commits/{sha}"));
        let mut commit: Value = self.read(&path(head)).await?;
        let newest = tree_of(&commit);
        for _ in 0..MAX_COMMITS {
            match commit["parents"].as_array().map(Vec::as_slice) {
                Some([]) => {
                    return self.differences(scratch, &tree_of(&commit), &newest).await;
                }
                Some([parent]) => {
                    let parent = parent["sha"].as_str().unwrap_or_default();
                    commit = self.read(&path(parent)).await?;
                }
                _ => return Ok(Some("its default branch holds a merge".into())),
            }
        }
        Ok(Some(format!(
            "its default branch has more than {MAX_COMMITS} commits"
        )))
    }

    async fn differences(
        &self,
        scratch: &Scratch,
        first: &str,
        now: &str,
    ) -> Result<Option<String>, Trouble> {
        if first == now {
            return Ok(None);
        }
        let tree = |sha: &str| scratch.path(&format!("git/trees/{sha}?recursive=1"));
        let (first, now): (Value, Value) =
            (self.read(&tree(first)).await?, self.read(&tree(now)).await?);
        let (first, now) = (files(&first), files(&now));
        let changed = first
            .keys()
            .chain(now.keys())
            .find(|path| first.get(*path) != now.get(*path) && !path.starts_with(WORKFLOWS));
        Ok(changed.map(|path| format!("`{path}` was changed after its first commit")))
    }

    /// A list; a repository without commits has empty ones.
    pub(super) async fn listed(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        let read = async || {
            let exchange: Exchange = self
                .exchange(request(
                    Method::GET,
                    &self.endpoints.rest(path),
                    OctoBody::empty(),
                )?)
                .await?;
            match exchange.status {
                200 => Ok(exchange.body.as_array().cloned().unwrap_or_default()),
                404 | 409 => Ok(Vec::new()),
                status => Err(exchange.trouble().unwrap_or(Trouble::Unavailable {
                    status,
                    message: exchange.summary(),
                    wait: None,
                })),
            }
        };
        self.again(read).await
    }
}

fn path_of(repository: &Repository, below: &str) -> String {
    let (owner, name) = repository.parts();
    let slash = if below.is_empty() { "" } else { "/" };
    format!("/repos/{}/{}{slash}{below}", encoded(owner), encoded(name))
}

/// What the server says of the repository. It is written as the server spells it: addresses that it names are compared with it.
fn scratch(repository: &Repository, told: &Value, branches: &BTreeMap<String, String>) -> Scratch {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let asked = repository.to_string();
    let spelt: Option<Repository> = text("full_name").parse().ok();
    let default_branch = text("default_branch");
    Scratch {
        repository: spelt
            .filter(|spelt| spelt.to_string().eq_ignore_ascii_case(&asked))
            .unwrap_or_else(|| repository.clone()),
        node_id: text("node_id"),
        number: told["id"].as_u64().unwrap_or_default(),
        private: told["private"].as_bool().unwrap_or(true),
        admin: told["permissions"]["admin"].as_bool().unwrap_or(false),
        has_ledger: branches.contains_key(BRANCH),
        head: branches.get(&default_branch).cloned(),
        default_branch,
        made: Mutex::default(),
    }
}

/// Branches by their short names, with their commits.
fn heads(refs: &[Value]) -> BTreeMap<String, String> {
    refs.iter()
        .map(|found| {
            let commit = found["object"]["sha"].as_str().unwrap_or_default();
            (short(found), commit.to_owned())
        })
        .collect()
}

fn short(found: &Value) -> String {
    let name = found["ref"].as_str().unwrap_or_default();
    name.trim_start_matches("refs/heads/")
        .trim_start_matches("refs/tags/")
        .to_owned()
}

fn tree_of(commit: &Value) -> String {
    commit["tree"]["sha"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The files of a tree that was read with everything below it.
fn files(tree: &Value) -> BTreeMap<String, String> {
    let entries = tree["tree"].as_array().into_iter().flatten();
    entries
        .filter(|entry| entry["type"] != "tree")
        .filter_map(|entry| {
            let (path, sha) = (entry["path"].as_str()?, entry["sha"].as_str()?);
            Some((path.to_owned(), format!("{} {sha}", entry["mode"])))
        })
        .collect()
}

#[cfg(test)]
impl Scratch {
    /// `o/scratch`, where these things were made.
    pub(super) fn holding(made: &[Made]) -> Self {
        Self {
            repository: "o/scratch".parse().unwrap(),
            node_id: "R_kg1".into(),
            number: 1,
            default_branch: "main".into(),
            head: None,
            private: true,
            admin: true,
            has_ledger: false,
            made: Mutex::new(made.to_vec()),
        }
    }
}
