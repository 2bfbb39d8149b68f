//! `rehearsal.json`: what a rehearsal expected of a server and what it found there, for a bug report.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::timestamp::Timestamp;

/// One rehearsal. It holds no token; with `--redact` it holds no names either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rehearsal {
    /// The repository, `owner/name`.
    pub repository: String,
    /// Whether only its members see it.
    pub private: bool,
    /// The host of the API.
    pub server: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When everything was removed again.
    pub completed_at: Timestamp,
    /// Every probe of this version, in the order of its table.
    pub probes: Vec<Probed>,
    /// What could not be removed, and why.
    pub left_behind: Vec<String>,
    /// Countersign's version.
    pub version: &'static str,
}

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Probed {
    /// The probe's id.
    pub id: &'static str,
    /// What the product relies on, in one sentence.
    pub expected: &'static str,
    /// What the server did, or why it was not asked.
    pub found: String,
    /// How the two compare.
    pub verdict: Verdict,
    /// How long the exchange lasted that decided, in thousandths of a second.
    pub ms: Option<u64>,
    /// Its request id, by which the server's staff can find it.
    pub request_id: Option<String>,
    /// Its HTTP status.
    #[cfg_attr(test, schemars(range(min = 100, max = 999)))]
    pub status: Option<u16>,
    /// Its headers, as far as they tell of limits, permissions and versions.
    pub headers: Vec<Header>,
    /// The facts that the probe settles, by the ids of sim/FACTS.md.
    pub facts: Vec<&'static str>,
}

/// One header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Header {
    /// Its name in small letters.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// How what was found compares with what the product relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Verdict {
    /// The server does what the product relies on.
    Holds,
    /// The server does something else.
    Differs,
    /// The server was not asked.
    NotTried,
}

impl Verdict {
    /// As the table for people writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Differs => "differs",
            Self::NotTried => "not tried",
        }
    }
}
