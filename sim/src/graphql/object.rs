//! Git objects behind one interface, and the entries of trees.

use async_graphql::{Context, ID, Interface, Object};
use git2::{ObjectType, Oid};

use super::commit::Commit;
use super::repository::Repository;
use super::scalar::GitObjectId;
use super::world;
use crate::world::World;

/// Text beyond this many bytes is cut, and the blob says so.
const TEXT_SHOWN: usize = 512 * 1024;

/// Any git object.
#[derive(Interface)]
#[graphql(
    field(name = "oid", ty = "GitObjectId"),
    field(name = "abbreviated_oid", ty = "String"),
    field(name = "id", ty = "ID"),
    field(name = "repository", ty = "Repository")
)]
pub(super) enum GitObject {
    Commit(Commit),
    Blob(Blob),
    Tree(Tree),
    Tag(Tag),
}

impl GitObject {
    /// The object of this id, if the repository has it.
    pub(super) fn of(world: &World, oid: Oid) -> Option<Self> {
        Some(match world.git.kind(oid)? {
            ObjectType::Commit => Self::Commit(Commit(oid)),
            ObjectType::Blob => Self::Blob(Blob(oid)),
            ObjectType::Tree => Self::Tree(Tree(oid)),
            ObjectType::Tag => Self::Tag(Tag(oid)),
            ObjectType::Any => return None,
        })
    }
}

pub(super) fn abbreviated(oid: Oid) -> String {
    oid.to_string()[..7].to_owned()
}

pub(super) struct Blob(Oid);

impl Blob {
    fn bytes(&self, context: &Context<'_>) -> Vec<u8> {
        world(context, |world| {
            let blob = world.git.repository.find_blob(self.0);
            blob.expect("a blob that was just found").content().to_vec()
        })
    }
}

#[Object]
impl Blob {
    async fn id(&self) -> ID {
        ID(format!("B_{}", self.0))
    }

    async fn oid(&self) -> GitObjectId {
        GitObjectId(self.0)
    }

    async fn abbreviated_oid(&self) -> String {
        abbreviated(self.0)
    }

    async fn repository(&self) -> Repository {
        Repository
    }

    async fn byte_size(&self, context: &Context<'_>) -> usize {
        self.bytes(context).len()
    }

    async fn is_binary(&self, context: &Context<'_>) -> Option<bool> {
        Some(self.bytes(context).contains(&0))
    }

    async fn is_truncated(&self, context: &Context<'_>) -> bool {
        self.bytes(context).len() > TEXT_SHOWN
    }

    /// Null for binary content.
    async fn text(&self, context: &Context<'_>) -> Option<String> {
        let mut bytes = self.bytes(context);
        if bytes.contains(&0) {
            return None;
        }
        bytes.truncate(TEXT_SHOWN);
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

pub(super) struct Tree(pub(super) Oid);

#[Object]
impl Tree {
    async fn id(&self) -> ID {
        ID(format!("T_{}", self.0))
    }

    async fn oid(&self) -> GitObjectId {
        GitObjectId(self.0)
    }

    async fn abbreviated_oid(&self) -> String {
        abbreviated(self.0)
    }

    async fn repository(&self) -> Repository {
        Repository
    }

    async fn entries(&self, context: &Context<'_>) -> Option<Vec<TreeEntry>> {
        world(context, |world| {
            let tree = world.git.repository.find_tree(self.0).ok()?;
            Some(tree.iter().filter_map(|e| TreeEntry::of(&e)).collect())
        })
    }
}

pub(super) struct Tag(Oid);

impl Tag {
    fn read<R>(&self, context: &Context<'_>, read: impl FnOnce(&git2::Tag<'_>) -> R) -> R {
        world(context, |world| {
            let tag = world.git.repository.find_tag(self.0);
            read(&tag.expect("a tag that was just found"))
        })
    }
}

#[Object]
impl Tag {
    async fn id(&self) -> ID {
        ID(format!("TA_{}", self.0))
    }

    async fn oid(&self) -> GitObjectId {
        GitObjectId(self.0)
    }

    async fn abbreviated_oid(&self) -> String {
        abbreviated(self.0)
    }

    async fn repository(&self) -> Repository {
        Repository
    }

    async fn name(&self, context: &Context<'_>) -> String {
        self.read(context, |tag| tag.name().unwrap_or_default().to_owned())
    }

    async fn message(&self, context: &Context<'_>) -> Option<String> {
        self.read(context, |tag| tag.message().map(str::to_owned))
    }

    async fn target(&self, context: &Context<'_>) -> GitObject {
        world(context, |world| {
            let tag = world
                .git
                .repository
                .find_tag(self.0)
                .expect("a tag that was just found");
            GitObject::of(world, tag.target_id()).expect("a tag's target is there")
        })
    }
}

/// One entry of a tree.
pub(super) struct TreeEntry {
    name: String,
    oid: Oid,
    kind: &'static str,
    mode: i32,
}

impl TreeEntry {
    pub(super) fn of(entry: &git2::TreeEntry<'_>) -> Option<Self> {
        Some(Self {
            name: entry.name()?.to_owned(),
            oid: entry.id(),
            kind: entry.kind()?.str(),
            mode: entry.filemode(),
        })
    }
}

#[Object]
impl TreeEntry {
    async fn name(&self) -> String {
        self.name.clone()
    }

    async fn oid(&self) -> GitObjectId {
        GitObjectId(self.oid)
    }

    #[graphql(name = "type")]
    async fn kind(&self) -> String {
        self.kind.to_owned()
    }

    async fn mode(&self) -> i32 {
        self.mode
    }

    async fn object(&self, context: &Context<'_>) -> Option<GitObject> {
        world(context, |world| GitObject::of(world, self.oid))
    }
}
