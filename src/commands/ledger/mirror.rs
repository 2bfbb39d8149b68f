//! A ledger in a clone, bare or not: read from the commits of the branch `receipt-ledger`.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use gix_hash::{Kind, ObjectId};
use gix_object::{FindExt as _, tree::EntryKind};

use super::source::{SeenCommit, is_folder};
use countersign_core::{
    ledger::{Aspect, BRANCH, BadLedger, HEAD_PATH, MOST_ENTRY_BYTES, Making},
    name::CommitId,
    reconcile::FoundTag,
    timestamp::Timestamp,
};

const TAGS: &str = "refs/tags/";
/// Tags of tags that are followed; git itself makes none.
const MOST_PEELED: usize = 5;

/// The branch's head in a clone, and the objects behind it.
pub(super) struct Mirror {
    objects: gix_odb::Handle,
    refs: gix_ref::file::Store,
    name: String,
    tip: ObjectId,
    shallow: bool,
}

/// A folder's files and subfolders.
type Listing = HashMap<String, (EntryKind, ObjectId)>;

impl Mirror {
    /// Opens the clone at a path, if it is one: a bare repository, or a folder with `.git`.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let Some(git) = [path.join(".git"), path.to_owned()]
            .into_iter()
            .find(|git| git.join("objects").is_dir())
        else {
            return Ok(None);
        };
        let refs = gix_ref::file::Store::at(git.clone(), Kind::Sha1);
        let [own, fetched] = [
            format!("refs/heads/{BRANCH}"),
            format!("refs/remotes/origin/{BRANCH}"),
        ];
        let (name, tip) = match (tip(&refs, &own)?, tip(&refs, &fetched)?) {
            (Some(here), Some(there)) if here != there => bail!(
                "the branch `{BRANCH}` is at {here} here, but was last fetched from `origin` at {there}; which one do you mean? \
                 Bring the branch up to date or delete it here, or verify a `git clone --mirror`"
            ),
            (Some(here), _) => (own, here),
            (None, Some(there)) => (fetched, there),
            (None, None) => {
                bail!(
                    "the clone `{}` has no branch `{BRANCH}` here or under `origin`; fetch it with `git fetch origin {BRANCH}:{BRANCH}`, and if there is none, the repository has no ledger",
                    path.display()
                )
            }
        };
        let shallow = fs::exists(git.join("shallow")).unwrap_or(true);
        Ok(Some(Self {
            objects: gix_odb::at(git.join("objects"), Kind::Sha1)?,
            refs,
            name,
            tip,
            shallow,
        }))
    }

    /// Every tag of the clone, and where it leads.
    pub(super) fn tags(&self) -> Result<Vec<FoundTag>> {
        let mut found = Vec::new();
        let listing = self.refs.iter()?;
        for reference in listing
            .prefixed(TAGS.as_bytes().try_into()?)
            .context("the tags cannot be listed")?
        {
            let reference = reference.map_err(|error| anyhow!("a tag cannot be read: {error}"))?;
            let name = reference.name.as_bstr().to_string();
            let id = reference
                .target
                .try_id()
                .with_context(|| format!("the ref `{name}` names no object"))?
                .to_owned();
            let name = name.strip_prefix(TAGS).unwrap_or(&name).to_owned();
            found.push(self.tag(name, id)?);
        }
        Ok(found)
    }

    /// Follows a tag to its commit; a tag of a tag too.
    fn tag(&self, name: String, object: ObjectId) -> Result<FoundTag> {
        let (mut commit, mut message) = (object, None);
        for depth in 0..MOST_PEELED {
            let mut bytes = Vec::new();
            let found = self.objects.find(&commit, &mut bytes).with_context(|| {
                format!("the tag `{name}` leads to {commit}, which is not there")
            })?;
            if found.kind != gix_object::Kind::Tag {
                break;
            }
            let tag = gix_object::TagRef::from_bytes(found.data, Kind::Sha1)
                .with_context(|| format!("the tag object {commit} cannot be read"))?;
            if depth == 0 {
                message = Some(tag.message.to_string());
            }
            commit = tag.target();
        }
        Ok(FoundTag {
            name,
            object: object.to_string(),
            commit: commit.to_string(),
            message,
            is_known: false,
        })
    }

    /// What is read.
    pub(super) fn place(&self) -> String {
        format!("{} at commit {}", self.name, self.tip)
    }

    /// The bytes of each file, as far as it is there. Paths of one folder that follow each other cost one listing.
    pub(super) fn read(&self, paths: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let root = self.commit(self.tip)?.tree;
        let mut last: Option<(String, Option<Listing>)> = None;
        let mut read = Vec::with_capacity(paths.len());
        for path in paths {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            if last.as_ref().is_none_or(|(listed, _)| listed != folder) {
                last = Some((folder.into(), self.folder(root, folder)?));
            }
            let file = last
                .as_ref()
                .and_then(|(_, listing)| listing.as_ref()?.get(name));
            if file.is_some_and(|(kind, _)| *kind != EntryKind::Blob) {
                bail!(structure(path, "it is no plain file"));
            }
            read.push(
                file.map(|(_, blob)| self.blob(*blob))
                    .transpose()
                    .with_context(|| format!("`{path}` cannot be read"))?,
            );
        }
        Ok(read)
    }

    /// The same in any commit, where what is no plain file is as good as absent.
    pub(super) fn files(
        &self,
        commit: Option<&CommitId>,
        paths: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>> {
        let commit = match commit {
            Some(commit) => ObjectId::from_hex(commit.as_str().as_bytes())?,
            None => self.tip,
        };
        let root = self.commit(commit)?.tree;
        let file = |path: &String| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let Some(listing) = self.folder(root, folder)? else {
                return Ok(None);
            };
            match listing.get(name) {
                Some((EntryKind::Blob, blob)) => self.blob(*blob).map(Some),
                _ => Ok(None),
            }
        };
        paths.iter().map(file).collect()
    }

    /// Every path of the newest commit.
    pub(super) fn paths(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.walk(self.commit(self.tip)?.tree, "", &mut found)?;
        Ok(found)
    }

    /// Hands over each commit with its `ledger.json`, newest first.
    pub(super) fn commits(
        &self,
        mut check: impl FnMut(u64, SeenCommit<'_>) -> Result<()>,
    ) -> Result<()> {
        ensure!(
            !self.shallow,
            "the clone is shallow, so the branch's history cannot be verified; run `git fetch --unshallow`"
        );
        let mut next = Some(self.tip);
        let mut behind = 0;
        while let Some(id) = next {
            let commit = self.commit(id)?;
            let name: CommitId = id.to_string().parse()?;
            let head = self
                .list(commit.tree)?
                .get(HEAD_PATH)
                .map(|(_, blob)| self.blob(*blob))
                .transpose()?;
            let seen = SeenCommit {
                id: &name,
                parents: commit.parents.len(),
                head: &head.unwrap_or_default(),
                making: commit.making,
            };
            check(behind, seen)?;
            next = commit.parents.first().copied();
            behind += 1;
        }
        Ok(())
    }

    fn commit(&self, id: ObjectId) -> Result<Commit> {
        let mut bytes = Vec::new();
        let commit = self
            .objects
            .find_commit(&id, &mut bytes)
            .with_context(|| format!("commit {id} cannot be read"))?;
        Ok(Commit {
            tree: commit.tree(),
            parents: commit.parents().collect(),
            making: making(&commit),
        })
    }

    /// A folder below a tree; `None` if it is not there.
    fn folder(&self, root: ObjectId, path: &str) -> Result<Option<Listing>> {
        let mut listing = self.list(root)?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match listing.get(name) {
                Some((EntryKind::Tree, below)) => listing = self.list(*below)?,
                _ => return Ok(None),
            }
        }
        Ok(Some(listing))
    }

    fn list(&self, tree: ObjectId) -> Result<Listing> {
        let mut bytes = Vec::new();
        let tree = self
            .objects
            .find_tree(&tree, &mut bytes)
            .with_context(|| format!("tree {tree} cannot be read"))?;
        let mut listing = Listing::new();
        for entry in &tree.entries {
            let twice = listing
                .insert(
                    entry.filename.to_string(),
                    (entry.mode.kind(), entry.oid.to_owned()),
                )
                .is_some();
            if twice {
                bail!(structure(
                    &entry.filename.to_string(),
                    "a folder holds it twice"
                ));
            }
        }
        Ok(listing)
    }

    fn blob(&self, id: ObjectId) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.objects
            .find_blob(&id, &mut bytes)
            .with_context(|| format!("blob {id} is not there; if the clone is partial, make a full one with `git clone --mirror`"))?;
        ensure!(
            bytes.len() <= MOST_ENTRY_BYTES,
            "it has more than {MOST_ENTRY_BYTES} bytes"
        );
        Ok(bytes)
    }

    fn walk(&self, tree: ObjectId, below: &str, found: &mut Vec<String>) -> Result<()> {
        for (name, (kind, id)) in self.list(tree)? {
            let path = format!("{below}{name}");
            if kind == EntryKind::Tree && is_folder(&path) {
                self.walk(id, &format!("{path}/"), found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
}

fn structure(path: &str, problem: &str) -> BadLedger {
    BadLedger {
        aspect: Aspect::Structure,
        place: format!("`{path}`"),
        problem: problem.into(),
    }
}

fn tip(refs: &gix_ref::file::Store, name: &str) -> Result<Option<ObjectId>> {
    let found = refs
        .try_find(name)
        .with_context(|| format!("the ref `{name}` cannot be read"))?;
    found
        .map(|found| {
            found
                .target
                .try_id()
                .map(ToOwned::to_owned)
                .with_context(|| format!("the ref `{name}` names no commit"))
        })
        .transpose()
}

/// What matters of a commit.
struct Commit {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    making: Making,
}

/// What a commit says about itself. Nothing here shows whether GitHub signed it: that takes GitHub's key.
fn making(commit: &gix_object::CommitRef<'_>) -> Making {
    let seconds = commit.committer().ok().map(|committer| committer.seconds());
    let author = commit.author().ok().map(|author| author.name.to_string());
    Making {
        at: seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Timestamp::from_unix),
        is_proven: false,
        author,
    }
}
