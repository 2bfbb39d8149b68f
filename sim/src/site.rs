//! Every repository behind the two ports, with the tokens for them, held under one lock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::{Call, Place};
use crate::permission::Grant;
use crate::world::World;

/// The whole state.
pub(crate) struct Site {
    /// In the order of adding; a position never changes.
    pub(crate) worlds: Vec<World>,
    pub(crate) tokens: BTreeMap<String, Grant>,
    /// How much later every answer comes.
    pub(crate) delay: Duration,
    pub(crate) last_request: u64,
    /// Versions of the REST API that are no longer served.
    pub(crate) retired_versions: Vec<String>,
}

impl Site {
    pub(crate) fn new(first: World) -> Self {
        Self {
            worlds: vec![first],
            tokens: BTreeMap::new(),
            delay: Duration::ZERO,
            last_request: 0,
            retired_versions: Vec::new(),
        }
    }

    /// The repository that a path names.
    pub(crate) fn find(&self, place: &Place) -> Option<usize> {
        match place {
            Place::Named(owner, name) => self.named(owner, name),
            Place::Numbered(id) => self
                .worlds
                .iter()
                .position(|world| world.identity.id.to_string() == *id),
            Place::Nowhere => None,
        }
    }

    /// The repository that once had the name of a path.
    pub(crate) fn formerly(&self, place: &Place) -> Option<usize> {
        let Place::Named(owner, name) = place else {
            return None;
        };
        self.worlds
            .iter()
            .position(|world| world.identity.was(owner, name))
    }

    pub(crate) fn named(&self, owner: &str, name: &str) -> Option<usize> {
        self.worlds
            .iter()
            .position(|world| world.identity.is(owner, name))
    }

    /// The repository and the full name of the ref that a node id means.
    pub(crate) fn ref_of(&self, id: &str) -> Option<(usize, String)> {
        let (repository, name) = id.strip_prefix("REF_")?.split_once(':')?;
        Some((
            self.find(&Place::Numbered(repository.to_owned()))?,
            name.to_owned(),
        ))
    }

    /// The repository whose budget a request spends: the one its token was minted for, else the first.
    pub(crate) fn home(&mut self, call: &Call) -> &mut World {
        &mut self.worlds[call.grant.home]
    }

    /// What the request in hand has changed, wherever that was.
    pub(crate) fn take_effects(&mut self) -> Vec<String> {
        self.worlds
            .iter_mut()
            .flat_map(|world| std::mem::take(&mut world.effects))
            .collect()
    }
}
