//! What was made a moment ago and does not show everywhere yet.
//!
//! GitHub's replicas are behind for seconds. Here a test counts looks instead of time: the first
//! few looks at a fresh thing miss it.

use git2::Oid;

use crate::simulator::Simulator;
use crate::switch::Switch;
use crate::world::World;

/// How many looks miss a fresh thing unless a test says otherwise.
pub(crate) const LOOKS: usize = 2;

/// Something that a request has just made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fresh {
    /// An object of the git data API: POST git/refs does not find it.
    Object(Oid),
    /// A ref by its full name, also the tag that a publication makes.
    Ref(String),
    /// A release's asset.
    Asset(u64),
    /// A release that was just published.
    Release(u64),
    /// A move of a ref, by its number.
    Move(usize),
}

impl Fresh {
    /// The switches under which it does not show.
    const fn switches(&self) -> &'static [Switch] {
        match self {
            Self::Object(_) => &[
                Switch::FreshObjectsAreNotFound,
                Switch::FreshObjectsDoNotExist,
            ],
            Self::Ref(_) => &[Switch::FreshRefsAreMissing],
            Self::Asset(_) => &[Switch::FreshAssetsAreMissing],
            Self::Release(_) => &[Switch::PublishedStillListedAsDraft],
            Self::Move(_) => &[Switch::ActivityIsLate],
        }
    }
}

impl World {
    /// Records that a request has made this.
    pub(crate) fn note_fresh(&mut self, made: Fresh) {
        if self.lags(&made) {
            self.fresh.insert(made, self.lag);
        }
    }

    /// Counts one look at the newest move of a ref, which is fresh until it was looked for.
    pub(crate) fn misses_move(&mut self, number: usize) -> bool {
        let moved = Fresh::Move(number);
        if self.lags(&moved) && !self.fresh.contains_key(&moved) {
            self.note_fresh(moved.clone());
        }
        self.is_missed(&moved)
    }

    /// Counts one look at this thing, and whether the look misses it.
    pub(crate) fn is_missed(&mut self, wanted: &Fresh) -> bool {
        if !self.lags(wanted) {
            return false;
        }
        let Some(left) = self.fresh.get_mut(wanted).filter(|left| **left > 0) else {
            return false;
        };
        *left -= 1;
        true
    }

    fn lags(&self, thing: &Fresh) -> bool {
        thing.switches().iter().any(|switch| self.is_on(*switch))
    }
}

impl Simulator {
    /// How many looks miss what is made from now on, where a switch makes it late; 2 by default.
    pub fn lag(&self, looks: usize) {
        self.world(|world| world.lag = looks);
    }
}
