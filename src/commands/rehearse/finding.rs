//! What a probe found, and the exchange that shows it.

use countersign_core::rehearsal::{Header, Verdict};

use crate::github::{Exchange, Trouble, Unanswered};

/// Headers that say something of limits, permissions and versions.
const HEADERS: [&str; 12] = [
    "date",
    "retry-after",
    "x-accepted-github-permissions",
    "x-github-api-version-selected",
    "x-github-enterprise-version",
    "x-github-media-type",
    "x-oauth-scopes",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-resource",
    "x-ratelimit-used",
];

/// What came out of a probe.
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) found: String,
    pub(super) exchange: Option<Exchange>,
}

/// How a probe ends: with a finding, or with the reason why there is none.
pub(super) type Probing = Result<Finding, Stopped>;

/// Why a probe did not come to its question.
pub(super) enum Stopped {
    /// The server gave no answer at all.
    Unanswered(Unanswered),
    /// What the probe needs first was refused.
    Preparation(String, Box<Exchange>),
    /// The same where the product's own code asked for this.
    Refused(&'static str, Trouble),
    /// Something is missing that only people can provide.
    Needs(String),
}

impl From<Unanswered> for Stopped {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

impl Finding {
    /// The verdict on one exchange. What the token may not do says nothing about the server: then
    /// nothing was tried.
    pub(super) fn of(holds: bool, found: impl Into<String>, exchange: &Exchange) -> Self {
        match exchange.lacks() {
            Some(lacking) if !holds => Self {
                exchange: Some(exchange.clone()),
                ..Self::not_tried(&format!("needs {lacking}"))
            },
            _ => Self::on_access(holds, found, exchange),
        }
    }

    /// The same where the question is what the token may do.
    pub(super) fn on_access(holds: bool, found: impl Into<String>, exchange: &Exchange) -> Self {
        Self {
            exchange: Some(exchange.clone()),
            ..Self::without_exchange(holds, found)
        }
    }

    pub(super) fn without_exchange(holds: bool, found: impl Into<String>) -> Self {
        let verdict = if holds {
            Verdict::Holds
        } else {
            Verdict::Differs
        };
        Self {
            verdict,
            found: found.into(),
            exchange: None,
        }
    }

    pub(super) fn not_tried(reason: &str) -> Self {
        Self {
            verdict: Verdict::NotTried,
            found: reason.into(),
            exchange: None,
        }
    }

    pub(super) fn headers(&self) -> Vec<Header> {
        let value = |name: &'static str| {
            let value = self.exchange.as_ref()?.header(name)?.to_owned();
            Some(Header { name, value })
        };
        HEADERS.into_iter().filter_map(value).collect()
    }
}

/// A preparation that the server refuses is a difference too, because the product would meet it;
/// unless it is refused for something that the person who rehearses did not provide.
impl From<Stopped> for Finding {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Unanswered(Unanswered::Trouble(trouble)) => Self::not_tried(
                &trouble
                    .lacks()
                    .map_or(format!("no usable answer: {trouble}"), |lacking| {
                        format!("needs {lacking}")
                    }),
            ),
            Stopped::Unanswered(outside) => Self::without_exchange(false, outside.to_string()),
            Stopped::Preparation(what, exchange) => {
                let found = format!("{what} was answered {}", exchange.summary());
                Self::of(false, found, &exchange)
            }
            Stopped::Refused(what, trouble) => match trouble.lacks() {
                Some(lacking) => Self::not_tried(&format!("needs {lacking}")),
                None => Self::without_exchange(false, format!("{what}: {trouble}")),
            },
            Stopped::Needs(what) => Self::not_tried(&format!("needs {what}")),
        }
    }
}
