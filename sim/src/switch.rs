//! What depends on the server, the plan, a setting, or how far GitHub's replicas are behind.
//!
//! What GitHub always does, the simulator does without being asked. Each switch has its row in
//! [`facts`](crate::facts), with the source that says that GitHub does it at all.

use crate::simulator::Simulator;
use crate::world::World;

macro_rules! switches {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A behaviour that is off until a test turns it on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Switch {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Switch {
            /// Every switch, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name, as FACTS.md writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

switches! {
    /// `file(path:)` of an absent path is null without an error. No record shows it; it is what
    /// this simulator did before it was compared with the record.
    AbsentFilesAreSilent,
    /// There is no record of activity, as on servers that are too old for it.
    ActivityIsAbsent,
    /// The record of activity lacks the newest move for the first looks (`Simulator::lag`).
    ActivityIsLate,
    /// Any `Accept` is served, also for artifacts.
    AnyAcceptIsServed,
    /// The bytes of a release asset come in the answer itself instead of by a redirect.
    AssetsAreServedDirectly,
    /// GraphQL names the primary limit `RATE_LIMITED`, as it did until about 2025.
    OldRateLimitWord,
    /// A private repository on a free plan: rules and rulesets answer 403, and draft pull requests
    /// are refused.
    FreePrivatePlan,
    /// POST git/refs answers 404 to the first tries with a new object (`Simulator::lag`).
    FreshObjectsAreNotFound,
    /// POST git/refs answers 422 "Object does not exist" to the first tries with a new object.
    FreshObjectsDoNotExist,
    /// A ref that was just made is missing from the append's payload and from GET git/ref for the
    /// first looks (`Simulator::lag`).
    FreshRefsAreMissing,
    /// A publication's answer and the list of assets lack the newest asset for the first looks.
    FreshAssetsAreMissing,
    /// The list of releases still shows a published release as a draft for the first looks.
    PublishedStillListedAsDraft,
    /// A request for reviewers answers 201 and adds no one.
    ReviewersAreDropped,
    /// A request for labels answers 200 and sets none.
    LabelsAreDropped,
    /// Uploads go to `uploads.HOST`, as GitHub Enterprise Server does with subdomain isolation.
    UploadsHaveTheirOwnHost,
    /// The server signs no commits, as GitHub Enterprise Server does unless its administrator says
    /// otherwise.
    WebCommitSigningIsOff,
}

impl Simulator {
    /// Turns a switch on for this repository.
    pub fn turn_on(&self, switch: Switch) {
        self.world(|world| {
            world.switches.insert(switch);
            world.identity.uploads_apart = world.is_on(Switch::UploadsHaveTheirOwnHost);
        });
    }

    /// Turns a switch off again.
    pub fn turn_off(&self, switch: Switch) {
        self.world(|world| {
            world.switches.remove(&switch);
            world.identity.uploads_apart = world.is_on(Switch::UploadsHaveTheirOwnHost);
        });
    }
}

impl World {
    /// Whether a test has turned this switch on.
    pub(crate) fn is_on(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }
}
