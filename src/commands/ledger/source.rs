//! Where a ledger is read from: a checkout, a clone, or the repository on GitHub. Nothing of it is trusted.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::OnceCell;

use countersign_core::{
    digest::Digest,
    document::Document as _,
    ledger::{
        Aspect, BRANCH, BadLedger, Entry, HEAD_PATH, Head, Making, entry_path, operation_path,
    },
    name::{CommitId, RepositoryId},
    reconcile::FoundTag,
};

use super::{folder::Folder, github, mirror::Mirror, told};
use crate::{Environment, cli::LedgerPlace, github::LedgerReader};

/// Entries that are read in one go; some of these are under way at once, so they bound what lies in memory.
const BATCH: u64 = 64;
/// Batches under way at once: two cores examine while one more is read.
pub(in crate::commands) const AHEAD: usize = 3;

/// A ledger as it lies somewhere.
pub(in crate::commands) struct Source {
    place: Place,
    /// `ledger.json`.
    pub(super) head: Vec<u8>,
    /// How many entries the head tells of.
    pub(in crate::commands) entries: u64,
    /// Which commit added which entry; only asked for where an operation is not at the tip.
    added: OnceCell<BTreeMap<u64, CommitId>>,
}

/// The file of an entry, and what lies next to it.
pub(in crate::commands) struct EntryFile {
    pub(in crate::commands) number: u64,
    pub(in crate::commands) bytes: Vec<u8>,
    /// The operation of a claim, as far as it is there.
    pub(in crate::commands) operation: Option<Vec<u8>>,
}

/// A commit of the branch as its place shows it.
pub(super) struct SeenCommit<'a> {
    pub(super) id: &'a CommitId,
    pub(super) parents: usize,
    /// Its `ledger.json`; empty if it has none.
    pub(super) head: &'a [u8],
    pub(super) making: Making,
}

enum Place {
    Folder(Arc<Folder>),
    Mirror(Box<Mirror>),
    GitHub(Box<LedgerReader>),
}

impl Source {
    /// Finds the ledger, which must be there, and reads its head.
    pub(in crate::commands) async fn open(
        place: &LedgerPlace,
        environment: &Environment,
    ) -> Result<Self> {
        let named = place.repository.as_ref();
        let repository = named.map_or_else(String::new, |named| format!(" {named}"));
        let missing = || {
            format!(
                "the repository{repository} has no branch `{BRANCH}`; begin one with `countersign ledger init`"
            )
        };
        Self::find(place, environment).await?.with_context(missing)
    }

    /// The same where a repository on GitHub may have no ledger.
    pub(in crate::commands) async fn find(
        place: &LedgerPlace,
        environment: &Environment,
    ) -> Result<Option<Self>> {
        let place = match (&place.path, &place.repository) {
            (_, Some(repository)) => {
                let reader = github(environment)?
                    .read_ledger(repository)
                    .await
                    .map_err(|trouble| told(&trouble))?;
                let Some(reader) = reader else {
                    return Ok(None);
                };
                Place::GitHub(reader.into())
            }
            (Some(path), None) => local(path)?,
            (None, None) => bail!("a path or --repository is needed"),
        };
        let mut source = Self {
            place,
            head: Vec::new(),
            entries: 0,
            added: OnceCell::new(),
        };
        let head = source.read(vec![HEAD_PATH.into()]).await?.pop().flatten();
        source.head = head.with_context(|| {
            format!(
                "{}: there is no `{HEAD_PATH}`: this is not a receipt ledger, or someone removed the file",
                source.place()
            )
        })?;
        source.entries = Head::from_document(&source.head)
            .with_context(|| format!("`{HEAD_PATH}`"))?
            .sequence();
        Ok(Some(source))
    }

    /// What is read, for people.
    pub(in crate::commands) fn place(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.place(),
            Place::Mirror(mirror) => mirror.place(),
            Place::GitHub(reader) => reader.place(),
        }
    }

    /// The branch's newest commit, if it is read from GitHub.
    pub(super) fn tip(&self) -> Option<&CommitId> {
        if let Place::GitHub(reader) = &self.place {
            Some(reader.commit_id())
        } else {
            None
        }
    }

    /// The number of the repository on GitHub, if it is read from there.
    pub(in crate::commands) fn repository_id(&self) -> Option<RepositoryId> {
        if let Place::GitHub(reader) = &self.place {
            Some(reader.repository_id())
        } else {
            None
        }
    }

    /// Whether the place shows which commits GitHub signed.
    pub(in crate::commands) const fn shows_signatures(&self) -> bool {
        matches!(self.place, Place::GitHub(_))
    }

    /// The tags that lie beside the ledger, if it is read from a clone.
    pub(in crate::commands) fn tags(&self) -> Option<Result<Vec<FoundTag>>> {
        if let Place::Mirror(mirror) = &self.place {
            Some(mirror.tags())
        } else {
            None
        }
    }

    /// The bytes of each file, as far as it is there; all of them of one commit.
    pub(in crate::commands) async fn read(
        &self,
        paths: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>> {
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                tokio::task::spawn_blocking(move || folder.read(&paths)).await?
            }
            Place::Mirror(mirror) => mirror.read(&paths),
            Place::GitHub(reader) => reader.files(&paths).await.map_err(|trouble| told(&trouble)),
        }
    }

    /// Every path there is.
    pub(super) async fn paths(&self) -> Result<Vec<String>> {
        match &self.place {
            Place::Folder(folder) => folder.paths(),
            Place::Mirror(mirror) => mirror.paths(),
            Place::GitHub(reader) => reader
                .paths(is_folder)
                .await
                .map_err(|trouble| told(&trouble)),
        }
    }

    /// Hands over each commit with its `ledger.json`, newest first; `false` if the place has no commits.
    pub(super) async fn commits(
        &self,
        mut check: impl FnMut(u64, SeenCommit<'_>) -> Result<()>,
    ) -> Result<bool> {
        match &self.place {
            Place::Folder(_) => return Ok(false),
            Place::Mirror(mirror) => mirror.commits(check)?,
            Place::GitHub(reader) => {
                let mut behind = 0;
                let mut page = None;
                loop {
                    let commits = reader
                        .commits(page)
                        .await
                        .map_err(|trouble| told(&trouble))?;
                    for told in commits.commits {
                        let seen = SeenCommit {
                            id: &told.id,
                            parents: told.parents,
                            head: &told.head,
                            making: told.making,
                        };
                        check(behind, seen)?;
                        behind += 1;
                    }
                    page = commits.next;
                    if page.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }

    /// Entries with their numbers, batch by batch and in the order of the batches, several of them read ahead.
    pub(in crate::commands) fn batches(
        &self,
        newest_first: bool,
    ) -> impl Stream<Item = Result<Vec<(u64, Vec<u8>)>>> {
        let count = self.entries.div_ceil(BATCH);
        let range = move |number: u64| {
            let number = if newest_first {
                count - 1 - number
            } else {
                number
            };
            number * BATCH + 1..((number + 1) * BATCH).min(self.entries) + 1
        };
        stream::iter((0..count).map(move |number| self.batch(range(number)))).buffered(AHEAD)
    }

    /// Entries with their operations, in the order of the chain.
    pub(in crate::commands) fn chain(&self) -> impl Stream<Item = Result<Vec<EntryFile>>> {
        let count = self.entries.div_ceil(BATCH);
        let range = |number: u64| number * BATCH + 1..((number + 1) * BATCH).min(self.entries) + 1;
        let batch = move |number: u64| async move {
            self.with_operations(self.batch(range(number)).await?).await
        };
        stream::iter((0..count).map(batch)).buffered(AHEAD)
    }

    /// Operations are read where the branch is now; one that was taken away or exchanged since, in the
    /// commit that added its entry.
    async fn with_operations(&self, entries: Vec<(u64, Vec<u8>)>) -> Result<Vec<EntryFile>> {
        let claimed: Vec<Option<Digest>> = entries
            .iter()
            .map(|(_, bytes)| Entry::claimed_operation(bytes))
            .collect();
        let wanted: BTreeSet<Digest> = claimed.iter().flatten().copied().collect();
        let paths: Vec<String> = wanted.iter().map(operation_path).collect();
        let found = self.operations(None, &paths).await?;
        let found: BTreeMap<&Digest, Option<Vec<u8>>> = wanted.iter().zip(found).collect();

        let mut files = Vec::with_capacity(entries.len());
        for ((number, bytes), claimed) in entries.into_iter().zip(claimed) {
            let operation = match claimed {
                None => None,
                Some(digest) => match found.get(&digest).cloned().flatten() {
                    Some(here) if Digest::of(&here) == digest => Some(here),
                    here => self.operation_added_with(number, &digest).await?.or(here),
                },
            };
            files.push(EntryFile {
                number,
                bytes,
                operation,
            });
        }
        Ok(files)
    }

    async fn operation_added_with(
        &self,
        number: u64,
        operation: &Digest,
    ) -> Result<Option<Vec<u8>>> {
        let added = self.added.get_or_try_init(|| self.additions()).await?;
        let Some(commit) = added.get(&number) else {
            return Ok(None);
        };
        let path = operation_path(operation);
        let mut found = self.operations(Some(commit), &[path]).await?;
        Ok(found.pop().flatten())
    }

    /// Which commit made `ledger.json` name which entry: the oldest that names it.
    async fn additions(&self) -> Result<BTreeMap<u64, CommitId>> {
        let mut added = BTreeMap::new();
        self.commits(|_, seen| {
            if let Ok(head) = Head::from_document(seen.head) {
                added.insert(head.sequence(), seen.id.clone());
            }
            Ok(())
        })
        .await?;
        Ok(added)
    }

    /// The bytes of operations at the tip, or in another commit. What is no plain file is not there.
    async fn operations(
        &self,
        commit: Option<&CommitId>,
        paths: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>> {
        match (&self.place, commit) {
            (Place::Mirror(mirror), commit) => mirror.files(commit, paths),
            (Place::GitHub(reader), Some(commit)) => reader
                .files_in(commit, paths)
                .await
                .map_err(|trouble| told(&trouble)),
            (Place::Folder(_) | Place::GitHub(_), _) => self.read(paths.to_vec()).await,
        }
    }

    async fn batch(&self, numbers: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>> {
        let read = self.read(numbers.clone().map(entry_path).collect()).await?;
        ensure!(
            read.len() as u64 == numbers.end - numbers.start,
            "fewer files than were asked for"
        );
        numbers
            .zip(read)
            .map(|(number, bytes)| Ok((number, bytes.ok_or_else(|| missing(number))?)))
            .collect()
    }
}

fn missing(entry: u64) -> BadLedger {
    let problem = format!("the file `{}` is missing", entry_path(entry));
    BadLedger {
        aspect: Aspect::Structure,
        place: format!("entry {entry}"),
        problem,
    }
}

/// Whether the ledger has such a folder; what lies in any other is none of its files, and nobody walks through it.
pub(super) fn is_folder(path: &str) -> bool {
    let digits = |name: &str, most: usize| {
        (2..=most).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match path.split_once('/') {
        None => ["entries", "operations"].contains(&path),
        Some(("entries", name)) => digits(name, 17),
        Some(("operations", name)) => digits(name, 2),
        Some(_) => false,
    }
}

fn local(path: &Path) -> Result<Place> {
    if path.join(HEAD_PATH).is_file() {
        return Ok(Place::Folder(Folder::at(path.to_owned()).into()));
    }
    ensure!(path.exists(), "`{}` does not exist", path.display());
    let explain = || {
        format!(
            "`{}` is neither a checkout of the branch `receipt-ledger` nor a clone that holds it; make one with \
             `git worktree add DIR receipt-ledger` or `git clone --mirror`, and give its top folder",
            path.display()
        )
    };
    Mirror::open(path)?
        .map(|mirror| Place::Mirror(mirror.into()))
        .with_context(explain)
}
