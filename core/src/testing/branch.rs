//! The ledger's branch in memory: commits with all of their files, read by the code that reads GitHub's.

use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};

use crate::{
    authority::Authority,
    document::Document as _,
    ledger::{
        AUTHORITY_PATH, Addition, Base, BranchCommit, Checkpoint, Entry, EntryId, Followed,
        HEAD_PATH, Head, Links, Tail, empty_ledger, entry_path,
    },
    name::CommitId,
    refusal::Refusal,
    timestamp::Timestamp,
};

/// A commit with its whole tree.
#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) id: CommitId,
    pub(crate) parents: Vec<CommitId>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) proven_at: Option<Timestamp>,
    pub(crate) author: Option<String>,
}

impl Commit {
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let bytes = self.files.get(path)?.clone();
        Some(String::from_utf8(bytes).unwrap())
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            commit: self.id.clone(),
            head: Head::from_document(&self.files[HEAD_PATH]).unwrap(),
        }
    }

    fn shown(&self) -> BranchCommit {
        BranchCommit {
            id: self.id.clone(),
            parents: self.parents.clone(),
            head: self.text(HEAD_PATH),
            authority: self.text(AUTHORITY_PATH),
            proven_at: self.proven_at,
            author: self.author.clone(),
        }
    }
}

/// Every commit of the branch, the oldest first.
#[derive(Clone)]
pub(crate) struct Branch(pub(crate) Vec<Commit>);

impl Branch {
    /// As `ledger init` leaves it.
    pub(crate) fn empty() -> Self {
        let files = empty_ledger().into_iter();
        let files = files.map(|(path, bytes)| (path.into(), bytes)).collect();
        Self::rooted(format!("{:040x}", 1).parse().unwrap(), files)
    }

    /// A branch whose root is this checkpoint; what is below it is never read.
    pub(crate) fn at(checkpoint: &Checkpoint) -> Self {
        let head = (HEAD_PATH.into(), checkpoint.head.to_document());
        Self::rooted(checkpoint.commit.clone(), [head].into())
    }

    fn rooted(id: CommitId, files: BTreeMap<String, Vec<u8>>) -> Self {
        let root = Commit {
            id,
            parents: Vec::new(),
            files,
            proven_at: None,
            author: None,
        };
        Self(vec![root])
    }

    pub(crate) fn root(&self) -> Checkpoint {
        self.0[0].checkpoint()
    }

    pub(crate) fn tip(&self) -> &Commit {
        self.0.last().unwrap()
    }

    /// The newest commit, to be damaged.
    pub(crate) fn tip_mut(&mut self) -> &mut Commit {
        self.0.last_mut().unwrap()
    }

    /// What an issuer sees who looks now.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.tip().checkpoint()
    }

    /// One more commit, with these files added or replaced.
    pub(crate) fn commit<P: Into<String>>(
        &mut self,
        files: impl IntoIterator<Item = (P, Vec<u8>)>,
    ) -> CommitId {
        let mut tree = self.tip().files.clone();
        tree.extend(files.into_iter().map(|(path, bytes)| (path.into(), bytes)));
        self.commit_tree(tree)
    }

    /// One more commit, with exactly this tree.
    pub(crate) fn commit_tree(&mut self, files: BTreeMap<String, Vec<u8>>) -> CommitId {
        let id: CommitId = format!("c{:039x}", self.0.len()).parse().unwrap();
        self.0.push(Commit {
            id: id.clone(),
            parents: vec![self.tip().id.clone()],
            files,
            proven_at: None,
            author: None,
        });
        id
    }

    /// A commit that has nothing to do with the ledger.
    pub(crate) fn stray(&mut self) -> CommitId {
        let page = format!("{}\n", self.0.len());
        self.commit([("README.md", page.into_bytes())])
    }

    pub(crate) fn remember(&mut self, authority: &Authority) -> CommitId {
        self.commit([(AUTHORITY_PATH, authority.to_document())])
    }

    /// Appends an entry, linked to the one before it.
    pub(crate) fn add(&mut self, entry: &Entry) -> EntryId {
        let entry = self.linked(entry);
        self.add_file(&entry.to_document())
    }

    /// An entry as it would be next.
    pub(crate) fn linked(&self, entry: &Entry) -> Entry {
        let head = self.checkpoint().head;
        Entry {
            sequence: head.sequence() + 1,
            previous: head.newest().map(|newest| newest.digest),
            ..entry.clone()
        }
    }

    /// Appends the file of the next entry, whatever it holds.
    pub(crate) fn add_file(&mut self, file: &[u8]) -> EntryId {
        let id = EntryId {
            sequence: self.checkpoint().head.sequence() + 1,
            digest: crate::digest::Digest::of(file),
        };
        self.commit([
            (entry_path(id.sequence), file.to_vec()),
            (HEAD_PATH.into(), Head::at(id).to_document()),
        ]);
        id
    }

    /// The newest so many commits as GitHub shows them, newest first.
    pub(crate) fn shown(&self, most: usize) -> Vec<BranchCommit> {
        self.0.iter().rev().take(most).map(Commit::shown).collect()
    }

    fn file(&self, addition: &Addition) -> Option<Vec<u8>> {
        let mut commits = self.0.iter();
        let commit = commits.find(|commit| commit.id == addition.commit)?;
        let path = entry_path(addition.entry.sequence);
        commit.files.get(&path).cloned()
    }

    /// The tail that a reader verifies who is shown the whole branch.
    pub(crate) fn tail(&self, base: &Base) -> Result<Tail, Refusal> {
        self.tail_of(base, usize::MAX)
    }

    /// The same, for a reader who is shown the newest so many commits.
    pub(crate) fn tail_of(&self, base: &Base, most: usize) -> Result<Tail, Refusal> {
        match Links::follow(&self.tip().id, base, &self.shown(most))? {
            Followed::Reached(links) => {
                let additions: Vec<Addition> = links.additions().collect();
                links.read(additions.iter().map(|addition| self.file(addition)))
            }
            Followed::MoreNeeded => panic!("the branch has no more commits"),
        }
    }

    /// The tail above a checkpoint.
    pub(crate) fn above(&self, checkpoint: &Checkpoint) -> Result<Tail, Refusal> {
        self.tail(&Base::At(checkpoint.clone()))
    }
}
