//! What a repository holds, as somebody found it. Nothing of it is trusted: every text is what others wrote.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use crate::{asset::Outside, operation::Operation, timestamp::Timestamp};

/// A repository's releases, tags and pull requests; `None` for what was not looked at.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Releases and drafts.
    pub releases: Option<Vec<FoundRelease>>,
    /// Tags.
    pub tags: Vec<FoundTag>,
    /// Pull requests of those whose pull requests need a receipt, and those that the ledger names.
    pub pulls: Option<Vec<FoundPull>>,
}

/// A release or a draft.
#[derive(Clone, Debug, Default)]
pub struct FoundRelease {
    /// GitHub's number of it.
    pub id: u64,
    /// Its tag, which need not exist for a draft.
    pub tag_name: String,
    /// The commit to which the tag leads, or, of a draft, would lead.
    pub commit: Option<String>,
    /// Its title.
    pub name: String,
    /// Its text.
    pub body: String,
    /// Whether it is not published.
    pub draft: bool,
    /// Whether it is marked as a prerelease.
    pub prerelease: bool,
    /// Its files.
    pub assets: Vec<FoundAsset>,
    /// When it was published, by GitHub's clock.
    pub published_at: Option<Timestamp>,
    /// When it, or one of its files, changed last by GitHub's clock.
    pub changed_at: Option<Timestamp>,
    /// Its page.
    pub url: String,
}

/// A file of a release.
#[derive(Clone, Debug, Default)]
pub struct FoundAsset {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// `sha256:…` as GitHub computed it, if it did.
    pub digest: Option<String>,
    /// What people see of it next to its name.
    pub outside: Outside,
}

/// A tag.
#[derive(Clone, Debug, Default)]
pub struct FoundTag {
    /// Without `refs/tags/`.
    pub name: String,
    /// The object that the ref names: a tag object, or the commit itself.
    pub object: String,
    /// The commit to which it leads in the end.
    pub commit: String,
    /// The message of an annotated tag.
    pub message: Option<String>,
    /// Whether it is known to have stood there before the ledger.
    pub is_known: bool,
}

/// A pull request.
#[derive(Clone, Debug, Default)]
pub struct FoundPull {
    /// Its number.
    pub number: u64,
    /// Whether somebody opened it whose pull requests need a receipt.
    pub needs_receipt: bool,
    /// Who opened it.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// The branch with the changes.
    pub head_branch: String,
    /// Where that branch stands.
    pub head_sha: String,
    /// The branch into which it is to be merged.
    pub base_branch: String,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// Its page.
    pub url: String,
}

impl Found {
    /// Whether somebody could see drafts: who sees one sees them all, and who sees none may not be allowed to.
    #[must_use]
    pub fn shows_drafts(&self) -> bool {
        self.releases.iter().flatten().any(|release| release.draft)
    }

    /// Whether an operation's effect would be among what was looked at.
    pub(super) fn would_show(&self, operation: &Operation) -> bool {
        match operation {
            // Where releases were not looked at, their tags tell.
            Operation::PublishRelease(release) => {
                !release.visibility.draft() || self.shows_drafts()
            }
            Operation::TagRepo(_) => true,
            Operation::OpenPr(_) => self.pulls.is_some(),
        }
    }
}

/// Tags that stood before the ledger, as `git show-ref --tags` lists them: those that lead there still need no receipt.
#[derive(Clone, Debug, Default)]
pub struct KnownTags(BTreeMap<String, BTreeSet<String>>);

/// A line that `git show-ref --tags` does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {0}: expected an object id, a blank and `refs/tags/NAME`, as `git show-ref --tags` writes"
)]
pub struct UnreadableTags(usize);

impl KnownTags {
    /// Reads lines of `<object id> refs/tags/<name>`.
    pub fn parse(text: &str) -> Result<Self, UnreadableTags> {
        let mut known = Self::default();
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let unreadable = UnreadableTags(index + 1);
            let (object, name) = line.split_once(' ').ok_or(unreadable)?;
            let name = name.trim().strip_prefix("refs/tags/").ok_or(unreadable)?;
            if !(object.len() == 40 || object.len() == 64)
                || !object.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return Err(unreadable);
            }
            // With --dereference, the commit behind an annotated tag follows as `NAME^{}`.
            let name = name.strip_suffix("^{}").unwrap_or(name);
            known
                .0
                .entry(name.to_string())
                .or_default()
                .insert(object.to_ascii_lowercase());
        }
        Ok(known)
    }

    /// Whether the tag stands where it stood.
    #[must_use]
    pub fn holds(&self, tag: &FoundTag) -> bool {
        self.0
            .get(&tag.name)
            .is_some_and(|objects| objects.contains(&tag.object))
    }
}
