//! The real bare repository under the API.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, ObjectType, Oid, Repository, Signature, Time, Tree};
use tempfile::TempDir;

use crate::permission::Grant;

/// Who made a commit or a tag, and when.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) seconds: i64,
}

impl Person {
    /// The author of everything a workflow's token does.
    pub(crate) fn bot(seconds: i64) -> Self {
        Self {
            name: "github-actions[bot]".into(),
            email: "41898282+github-actions[bot]@users.noreply.github.com".into(),
            seconds,
        }
    }

    /// The user or app behind a token.
    pub(crate) fn behind(grant: Grant, seconds: i64) -> Self {
        if grant.is_person() {
            Self::octocat(seconds)
        } else {
            Self::bot(seconds)
        }
    }

    /// The committer of commits that GitHub itself makes.
    pub(crate) fn github(seconds: i64) -> Self {
        Self {
            name: "GitHub".into(),
            email: "noreply@github.com".into(),
            seconds,
        }
    }

    /// The human who owns the repository.
    pub(crate) fn octocat(seconds: i64) -> Self {
        Self {
            name: "The Octocat".into(),
            email: "octocat@github.com".into(),
            seconds,
        }
    }

    pub(crate) fn signature(&self) -> Result<Signature<'static>, git2::Error> {
        Signature::new(&self.name, &self.email, &Time::new(self.seconds, 0))
    }
}

/// A path and its new content; `None` removes the file.
pub(crate) type Change<'a> = (&'a str, Option<&'a [u8]>);

/// One change of a ref.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) name: String,
    pub(crate) before: Option<Oid>,
    pub(crate) after: Option<Oid>,
    /// When, in Unix seconds.
    pub(crate) at: i64,
}

/// The bare repository; a temporary one lives as long as this.
pub(crate) struct Git {
    pub(crate) repository: Repository,
    directory: PathBuf,
    /// What happened to refs, oldest first.
    pub(crate) moves: RefCell<Vec<Move>>,
    /// What the clock showed when the repository was last entered.
    pub(crate) now: Cell<i64>,
    _temporary: Option<TempDir>,
}

impl Git {
    /// Opens or makes the repository, with one first commit on `main` of this time, if any.
    pub(crate) fn open(kept: Option<&Path>, first_commit: Option<i64>) -> Self {
        let temporary = match kept {
            Some(_) => None,
            None => Some(TempDir::new().expect("a temporary directory")),
        };
        let directory = match (&temporary, kept) {
            (Some(temporary), _) => temporary.path().join("repository.git"),
            (None, kept) => kept.expect("a directory was given").to_owned(),
        };
        let git = Self {
            repository: Repository::init_bare(&directory).expect("a bare repository can be made"),
            directory,
            moves: RefCell::default(),
            now: Cell::new(first_commit.unwrap_or_default()),
            _temporary: temporary,
        };
        if git.reference("refs/heads/main").is_none() {
            git.begin(first_commit);
        }
        git
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn begin(&self, first_commit: Option<i64>) {
        if let Some(now) = first_commit {
            self.seed(now);
        }
        self.repository
            .set_head("refs/heads/main")
            .expect("main is the default branch");
    }

    fn seed(&self, now: i64) {
        let files: [Change<'_>; 2] = [
            ("README.md", Some(b"# hello\n")),
            (
                ".github/workflows/release.yml",
                Some(b"name: release\non: workflow_dispatch\njobs: {}\n"),
            ),
        ];
        let tree = self.changed_tree(None, &files).expect("a first tree");
        let person = Person::octocat(now);
        let oid = self
            .write_commit(tree, &[], "Initial commit\n", &person, &person)
            .expect("a first commit");
        self.set_reference("refs/heads/main", oid)
            .expect("a first branch");
    }

    /// What a full ref name points at, unpeeled.
    pub(crate) fn reference(&self, name: &str) -> Option<Oid> {
        self.repository.refname_to_id(name).ok()
    }

    pub(crate) fn head(&self, branch: &str) -> Option<Oid> {
        self.reference(&format!("refs/heads/{branch}"))
    }

    pub(crate) fn default_branch(&self) -> String {
        let head = self
            .repository
            .find_reference("HEAD")
            .expect("HEAD is always there");
        let target = head.symbolic_target().expect("HEAD names a branch");
        target.trim_start_matches("refs/heads/").to_owned()
    }

    /// Sets a ref, whatever it was before.
    pub(crate) fn set_reference(&self, name: &str, oid: Oid) -> Result<(), git2::Error> {
        let before = self.reference(name);
        self.repository.reference(name, oid, true, "")?;
        self.note_move(name, before, Some(oid));
        Ok(())
    }

    /// Whether there was such a ref.
    pub(crate) fn delete_reference(&self, name: &str) -> bool {
        let before = self.reference(name);
        let deleted = self
            .repository
            .find_reference(name)
            .and_then(|mut reference| reference.delete())
            .is_ok();
        if deleted {
            self.note_move(name, before, None);
        }
        deleted
    }

    fn note_move(&self, name: &str, before: Option<Oid>, after: Option<Oid>) {
        self.moves.borrow_mut().push(Move {
            name: name.to_owned(),
            before,
            after,
            at: self.now.get(),
        });
    }

    /// Full names with what they point at, sorted by name.
    pub(crate) fn references(&self, prefix: &str) -> Vec<(String, Oid)> {
        let all = self.repository.references().expect("refs can be listed");
        let mut found: Vec<(String, Oid)> = all
            .filter_map(Result::ok)
            .filter_map(|r| Some((r.name()?.to_owned(), r.target()?)))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect();
        found.sort();
        found
    }

    /// Whether there is any branch.
    pub(crate) fn has_branches(&self) -> bool {
        let branches = self.repository.references_glob("refs/heads/*");
        branches.is_ok_and(|mut branches| branches.next().is_some())
    }

    /// The commits that moving a branch from `old` to `new` brings in, or, for a new branch, those
    /// that no branch has yet.
    pub(crate) fn range(&self, new: Oid, old: Option<Oid>) -> Vec<Oid> {
        let mut walk = self.repository.revwalk().expect("a walk");
        if walk.push(new).is_err() {
            return Vec::new();
        }
        let known: Vec<Oid> = if let Some(old) = old {
            vec![old]
        } else {
            let branches = self.references("refs/heads/").into_iter();
            branches.map(|(_, oid)| oid).collect()
        };
        for oid in known {
            walk.hide(oid).expect("a commit that a branch has");
        }
        walk.filter_map(Result::ok).collect()
    }

    pub(crate) fn kind(&self, oid: Oid) -> Option<ObjectType> {
        let odb = self.repository.odb().ok()?;
        odb.read_header(oid).ok().map(|(_, kind)| kind)
    }

    pub(crate) fn commit(&self, oid: Oid) -> Option<Commit<'_>> {
        self.repository.find_commit(oid).ok()
    }

    /// The commit behind an oid: itself, or what a tag object leads to.
    pub(crate) fn peel(&self, oid: Oid) -> Option<Oid> {
        let object = self.repository.find_object(oid, None).ok()?;
        Some(object.peel_to_commit().ok()?.id())
    }

    /// A branch name or a full commit SHA, as `target_commitish` may say.
    pub(crate) fn commitish(&self, text: &str) -> Option<Oid> {
        if let Some(head) = self.head(text).or_else(|| self.reference_of_branch(text)) {
            return Some(head);
        }
        let oid = full_oid(text)?;
        self.commit(oid).map(|commit| commit.id())
    }

    fn reference_of_branch(&self, text: &str) -> Option<Oid> {
        let branch = text.strip_prefix("refs/heads/")?;
        self.head(branch)
    }

    /// The tree of `.github/workflows` at a commit.
    pub(crate) fn workflows(&self, commit: Oid) -> Option<Oid> {
        let tree = self.commit(commit)?.tree().ok()?;
        let entry = tree.get_path(Path::new(".github/workflows")).ok()?;
        Some(entry.id())
    }

    /// Whether moving a ref to this commit would bring in other workflow files than the default
    /// branch has. A commit without any is free to go (measured: orphan branches).
    pub(crate) fn alters_workflows(&self, commit: Oid) -> bool {
        let default = self.head(&self.default_branch());
        let ours = default.and_then(|oid| self.workflows(oid));
        let theirs = self.workflows(commit);
        theirs.is_some() && theirs != ours
    }

    /// The newest commits along all parents, after the first `passed` of them, in git's own order: of
    /// the commits that are known so far the newest comes next. A parent is known once its child came.
    pub(crate) fn log(&self, from: Oid, passed: usize, most: usize) -> Vec<Oid> {
        let date = |oid: Oid| self.commit(oid).map_or(0, |commit| commit.time().seconds());
        let mut seen = BTreeSet::from([from]);
        let mut known = BinaryHeap::from([(date(from), Reverse(0), from)]);
        let mut found = Vec::new();

        while let Some((_, _, next)) = known.pop().filter(|_| found.len() < passed + most) {
            found.push(next);
            let parents = self
                .commit(next)
                .map_or(Vec::new(), |commit| commit.parent_ids().collect::<Vec<_>>());
            for parent in parents {
                if seen.insert(parent) {
                    known.push((date(parent), Reverse(seen.len()), parent));
                }
            }
        }
        found.split_off(passed.min(found.len()))
    }

    /// The newest commits along first parents that left a path otherwise than their parent did.
    pub(crate) fn history(&self, from: Oid, path: Option<&Path>, most: usize) -> Vec<Oid> {
        let entry = |commit: &Commit<'_>| {
            commit
                .tree()
                .ok()
                .and_then(|tree| Some(tree.get_path(path?).ok()?.id()))
        };
        let mut found = Vec::new();
        let mut next = self.commit(from);
        while let Some(commit) = next.filter(|_| found.len() < most) {
            let parent = commit.parent(0).ok();
            if path.is_none() || entry(&commit) != parent.as_ref().and_then(entry) {
                found.push(commit.id());
            }
            next = parent;
        }
        found
    }

    /// A file's bytes at a commit.
    pub(crate) fn file(&self, commit: Oid, path: &str) -> Option<Vec<u8>> {
        let tree = self.commit(commit)?.tree().ok()?;
        let entry = tree.get_path(Path::new(path)).ok()?;
        let blob = self.repository.find_blob(entry.id()).ok()?;
        Some(blob.content().to_vec())
    }

    /// A new tree: the base with these changes.
    pub(crate) fn changed_tree(
        &self,
        base: Option<&Tree<'_>>,
        changes: &[Change<'_>],
    ) -> Result<Oid, git2::Error> {
        let mut update = TreeUpdateBuilder::new();
        for (path, content) in changes {
            match content {
                Some(bytes) => {
                    let blob = self.repository.blob(bytes)?;
                    update.upsert(*path, blob, FileMode::Blob);
                }
                None => {
                    update.remove(*path);
                }
            }
        }
        let empty = self.empty_tree()?;
        update.create_updated(&self.repository, base.unwrap_or(&empty))
    }

    pub(crate) fn empty_tree(&self) -> Result<Tree<'_>, git2::Error> {
        let oid = self.repository.treebuilder(None)?.write()?;
        self.repository.find_tree(oid)
    }

    /// Writes a commit object; no ref moves.
    pub(crate) fn write_commit(
        &self,
        tree: Oid,
        parents: &[Oid],
        message: &str,
        author: &Person,
        committer: &Person,
    ) -> Result<Oid, git2::Error> {
        let tree = self.repository.find_tree(tree)?;
        let parents = parents
            .iter()
            .map(|oid| self.repository.find_commit(*oid))
            .collect::<Result<Vec<_>, _>>()?;
        self.repository.commit(
            None,
            &author.signature()?,
            &committer.signature()?,
            message,
            &tree,
            &parents.iter().collect::<Vec<_>>(),
        )
    }

    /// Adds a commit on top of `parent` with these files changed; no ref moves.
    pub(crate) fn commit_on(
        &self,
        parent: Oid,
        changes: &[Change<'_>],
        message: &str,
        author: &Person,
        committer: &Person,
    ) -> Result<Oid, git2::Error> {
        let base = self.repository.find_commit(parent)?.tree()?;
        let tree = self.changed_tree(Some(&base), changes)?;
        self.write_commit(tree, &[parent], message, author, committer)
    }
}

/// Forty lowercase or uppercase hex digits; abbreviations are not oids.
pub(crate) fn full_oid(text: &str) -> Option<Oid> {
    if text.len() != 40 {
        return None;
    }
    Oid::from_str(text).ok()
}
