//! What is known of GitHub, one row per fact, each with its source; sim/FACTS.md is written from it.
//!
//! A test names the facts that it pins (`pins![F0, F1]`), so an unknown id does not compile. The rows
//! are in one file per source; each file hands them on to the next, and the last makes the enum.

#[macro_use]
mod findings;
#[macro_use]
mod ledger;
#[macro_use]
mod assumptions;
#[macro_use]
mod unknowns;
#[macro_use]
mod permissions;
#[macro_use]
mod recordings;
#[macro_use]
mod unrecorded;
#[macro_use]
mod reports;

use crate::switch::Switch;

/// How well a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An exchange with the live service shows it.
    Recorded,
    /// GitHub's documentation or description says it.
    Documented,
    /// Independent clients depend on it, or it follows from recorded facts.
    Inferred,
    /// No adequate source: a probe of the rehearsal settles it.
    Unproven,
}

impl Verdict {
    /// As FACTS.md writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
            Self::Unproven => "unproven",
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The id, such as `F0`.
    pub id: &'static str,
    /// What GitHub does, in one sentence.
    pub statement: &'static str,
    /// How well that is known.
    pub verdict: Verdict,
    /// Where that is shown.
    pub source: &'static str,
    /// The switches that change it here, if it depends.
    pub switches: &'static [Switch],
    /// The probe of `countersign rehearse` that looks for it on the real service.
    pub probe: Option<&'static str>,
}

/// Names the facts that a test pins, at its top: an unknown id does not compile.
#[macro_export]
macro_rules! pins {
    [$($id:ident),+ $(,)?] => {
        const _: &[$crate::Fact] = &[$($crate::Fact::$id),+];
    };
}

macro_rules! facts {
    (; $($id:ident: $verdict:ident, $statement:literal, $source:literal
        $(, switch $($switch:ident)+)? $(, probe $probe:literal)?;)+) => {
        /// The id of a fact.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the rows are the documentation")]
        pub enum Fact {
            $($id,)+
        }

        impl Fact {
            /// Every fact, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$id),+];

            /// Its row.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$id => Row {
                        id: stringify!($id),
                        statement: $statement,
                        verdict: Verdict::$verdict,
                        source: $source,
                        switches: &[$($(Switch::$switch),+)?],
                        probe: facts!(@probe $($probe)?),
                    },)+
                }
            }
        }
    };
    (@probe) => { None };
    (@probe $probe:literal) => { Some($probe) };
}

findings! { assumptions unknowns permissions recordings unrecorded reports ledger facts; }
