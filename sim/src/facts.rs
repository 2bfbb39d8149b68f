//! What is known of GitHub, one row per fact, each with its source; sim/FACTS.md is written from it.
//!
//! A test names the fact that it pins (`Fact::F0`), so an unknown id does not compile.

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
    /// Who says so.
    pub source: &'static str,
    /// The switch that changes it here, if it depends.
    pub switch: Option<Switch>,
    /// The probe of `countersign rehearse` that looks for it on the real service.
    pub probe: Option<&'static str>,
}

macro_rules! facts {
    ($($id:ident: $verdict:ident, $statement:literal, $source:literal
        $(, switch $switch:ident)? $(, probe $probe:literal)?;)+) => {
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
                        switch: facts!(@switch $($switch)?),
                        probe: facts!(@probe $($probe)?),
                    },)+
                }
            }
        }
    };
    (@switch) => { None };
    (@switch $switch:ident) => { Some(Switch::$switch) };
    (@probe) => { None };
    (@probe $probe:literal) => { Some($probe) };
}

facts! {
    F0: Recorded, "`Commit.file(path:)` of an absent path is null and an error NOT_FOUND at that path.",
        "r-lib/pkgdepends, changesets/ghcommit integration tests", switch AbsentFilesAreSilent,
        probe "absent-file";
    F1: Recorded, "An artifact's archive answers 415 to an `Accept` that is not JSON.",
        "cli/cli pkg/cmd/run/download/http.go; HD838A/remote-mic-app#277";
    U1: Recorded, "GraphQL calls its primary limit `RATE_LIMIT` with code `graphql_rate_limit`.",
        "yanyongyu/githubkit#271, cli/cli#12812", switch OldRateLimitWord;
    R1: Recorded, "GraphQL's primary limit has no data and no path, and the budget need not be 0.",
        "octokit/plugin-throttling.js#632, release-drafter#1018", switch OldRateLimitWord;
    S1: Recorded, "`file(path:)` of an absent path is null and NOT_FOUND.",
        "r-lib/pkgdepends", switch AbsentFilesAreSilent;
    S3: Recorded, "The primary limit's text says \"already exceeded\".",
        "yanyongyu/githubkit#271", switch OldRateLimitWord;
}
