//! What can go wrong between us and GitHub, by class: the class decides whether a write may have happened.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use countersign_core::{text::excerpt, timestamp::Timestamp};

/// Why a request brought no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The request never left: no connection.
    #[error("GitHub cannot be reached at {host}: {reason}")]
    Connection { host: String, reason: String },
    /// The request left, the answer did not come or broke off.
    #[error("GitHub did not answer: {reason}")]
    NoAnswer { reason: String },
    /// A server error.
    #[error("GitHub is unavailable: HTTP {status} {message}")]
    Unavailable {
        status: u16,
        message: String,
        wait: Option<u64>,
    },
    /// A primary or secondary rate limit.
    #[error("GitHub's rate limit is used up: {message}")]
    RateLimit { message: String, wait: Option<u64> },
    /// The token is not valid or may not do this.
    #[error("the token may not do this: HTTP {status} {message}{}", wanted(.permissions.as_deref()))]
    Authorization {
        status: u16,
        message: String,
        permissions: Option<String>,
    },
    /// Nothing is there, or the token may not see it.
    #[error("GitHub found nothing there: {message}{}", wanted(.permissions.as_deref()))]
    NotFound {
        message: String,
        permissions: Option<String>,
    },
    /// GitHub does not accept what was asked.
    #[error("GitHub refused the request: HTTP {status} {message}")]
    Validation { status: u16, message: String },
    /// An answer that cannot be understood.
    #[error("GitHub's answer cannot be understood: {reason}")]
    Garbage { reason: String },
    /// An answer that is larger than anything we ask for.
    #[error("GitHub's answer is larger than 16 MiB")]
    TooLarge,
    /// The request would have taken the token to another host.
    #[error("the address {host} is not GitHub's; the token was not sent there")]
    ForeignHost { host: String },
}

fn wanted(permissions: Option<&str>) -> String {
    permissions.map_or(String::new(), |permissions| {
        format!(" (GitHub asks for the permission {permissions})")
    })
}

impl Trouble {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Connection { .. } => "github_unreachable",
            Self::NoAnswer { .. } => "github_no_answer",
            Self::Unavailable { .. } => "github_unavailable",
            Self::RateLimit { .. } => "rate_limited",
            Self::Authorization { .. } => "permission_denied",
            Self::NotFound { .. } => "not_found",
            Self::Validation { .. } => "github_rejected",
            Self::Garbage { .. } | Self::TooLarge => "github_garbage",
            Self::ForeignHost { .. } => "foreign_host",
        }
    }

    /// What to do next.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Connection { .. }
            | Self::NoAnswer { .. }
            | Self::Unavailable { .. }
            | Self::Garbage { .. }
            | Self::TooLarge => {
                "Check https://www.githubstatus.com and the runner's network, then re-run the job: it looks first at what was done."
            }
            Self::RateLimit { .. } => {
                "Wait until the limit resets, then re-run the job: it looks first at what was done."
            }
            Self::Authorization { status: 401, .. } => {
                "The token is not valid, or no longer: hand over another one."
            }
            Self::Authorization {
                permissions: Some(wanted),
                ..
            } if wanted.starts_with("actions") => {
                "Grant the job `actions: read` under `permissions:`, or hand over a token that has it."
            }
            Self::Authorization { .. } | Self::NotFound { .. } => {
                "Grant the job the permission under `permissions:` (contents: write; for open_pr also pull-requests: write, and the setting \
                 \"Allow GitHub Actions to create and approve pull requests\"), or hand over a token that has it."
            }
            Self::Validation { .. } => {
                "Read GitHub's message: a ruleset or a limit of the repository forbids this operation."
            }
            Self::ForeignHost { .. } => {
                "Do not continue before you know who changed GitHub's address."
            }
        }
    }

    /// Whether a write that met this trouble may have happened all the same.
    pub(crate) const fn leaves_open(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. }
                | Self::Unavailable { .. }
                | Self::Garbage { .. }
                | Self::TooLarge
        )
    }

    /// Whether the same request may go well a little later.
    pub(crate) const fn passes(&self) -> bool {
        match self {
            Self::Connection { .. }
            | Self::NoAnswer { .. }
            | Self::Unavailable { .. }
            | Self::RateLimit { .. }
            | Self::Garbage { .. } => true,
            Self::Authorization { .. }
            | Self::NotFound { .. }
            | Self::Validation { .. }
            | Self::TooLarge
            | Self::ForeignHost { .. } => false,
        }
    }

    /// Whether GitHub may only not have caught up: what was made a moment ago can be missing on
    /// another of its servers for some seconds.
    pub(crate) fn may_be_lag(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Validation { message, .. } => message.starts_with("Object does not exist"),
            _ => false,
        }
    }

    /// Whether GitHub refuses to make something because it is there already.
    pub(crate) fn says_it_exists(&self) -> bool {
        let Self::Validation { message, .. } = self else {
            return false;
        };
        message.contains("already exists") || message.contains("already_exists")
    }

    /// The seconds that GitHub asks us to wait.
    pub(crate) const fn asks_to_wait(&self) -> Option<u64> {
        match self {
            Self::RateLimit { wait, .. } | Self::Unavailable { wait, .. } => *wait,
            _ => None,
        }
    }

    /// The trouble that an answer tells of, if it does.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if status.is_success() {
            return None;
        }
        let message = message(status, body);
        let permissions = header(headers, "x-accepted-github-permissions");
        let code = status.as_u16();
        let limited = header(headers, "x-ratelimit-remaining").as_deref() == Some("0")
            || headers.contains_key("retry-after")
            || message.contains("secondary rate limit");
        Some(match code {
            403 | 429 if limited || code == 429 => Self::RateLimit { message, wait: Some(pause(headers)) },
            401 | 403 => Self::Authorization { status: code, message, permissions },
            404 => Self::NotFound { message, permissions },
            500..=599 => Self::Unavailable { status: code, message, wait: number(headers, "retry-after") },
            300..=399 => Self::Validation {
                status: code,
                message: "GitHub sent us elsewhere; redirects are not followed, because they could take the token with them".into(),
            },
            _ => Self::Validation { status: code, message },
        })
    }
}

/// GitHub asks for at least a minute after a secondary limit that names no time.
const SECONDARY_PAUSE: u64 = 60;

/// How long a rate limit lasts: `retry-after`, else until the limit resets if nothing is left, else a minute.
pub(super) fn pause(headers: &HeaderMap) -> u64 {
    let until_reset = || {
        let reset = number(headers, "x-ratelimit-reset")
            .filter(|_| number(headers, "x-ratelimit-remaining") == Some(0))?;
        // A second more, because both are cut to whole seconds.
        Some(reset.saturating_sub(date(headers)?.unix()) + 1)
    };
    number(headers, "retry-after")
        .or_else(until_reset)
        .unwrap_or(SECONDARY_PAUSE)
}

pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// GitHub's clock, from the `Date` header.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get("date")?.to_str().ok()?;
    let moment = chrono::DateTime::parse_from_rfc2822(date).ok()?;
    u64::try_from(moment.timestamp())
        .ok()
        .map(Timestamp::from_unix)
}

pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(|value| excerpt(value, 200))
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// GitHub's own words, as a part of our sentences: the message and what stands in `errors`, which says more than the message.
fn message(status: StatusCode, body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else {
        return status
            .canonical_reason()
            .unwrap_or("without a reason")
            .into();
    };
    let details: Vec<String> = body.errors.iter().take(5).map(detail).collect();
    let text = if details.is_empty() {
        body.message
    } else {
        format!("{}: {}", body.message, details.join("; "))
    };
    excerpt(text.replace('\n', " ").trim_end_matches('.'), 600)
}

fn detail(error: &serde_json::Value) -> String {
    let member = |name: &str| error.get(name).and_then(serde_json::Value::as_str);
    match (member("message"), member("field"), member("code")) {
        (Some(message), _, _) => message.into(),
        (None, Some(field), Some(code)) => format!("{field} {code}"),
        _ => error.as_str().map_or_else(|| error.to_string(), Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, headers: &[(&'static str, &str)], body: &str) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Trouble::of_answer(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            body.as_bytes(),
        )
        .map_or("fine".into(), |trouble| {
            format!("{} {trouble}", trouble.code())
        })
    }

    #[test]
    fn every_answer_falls_into_one_class() {
        assert_eq!(of(201, &[], ""), "fine");
        assert_eq!(
            of(
                403,
                &[("x-accepted-github-permissions", "contents=write")],
                r#"{"message":"Resource not accessible by integration"}"#
            ),
            "permission_denied the token may not do this: HTTP 403 Resource not accessible by integration (GitHub asks for the permission contents=write)"
        );
        assert_eq!(
            of(
                403,
                &[("x-ratelimit-remaining", "0")],
                r#"{"message":"API rate limit exceeded"}"#
            ),
            "rate_limited GitHub's rate limit is used up: API rate limit exceeded"
        );
        assert_eq!(
            of(429, &[], "{}"),
            "rate_limited GitHub's rate limit is used up: Too Many Requests"
        );
        assert_eq!(
            of(
                422,
                &[],
                r#"{"message":"Validation Failed","errors":[{"resource":"Release","code":"already_exists","field":"tag_name"}]}"#
            ),
            "github_rejected GitHub refused the request: HTTP 422 Validation Failed: tag_name already_exists"
        );
        assert_eq!(
            of(502, &[], "<html>"),
            "github_unavailable GitHub is unavailable: HTTP 502 Bad Gateway"
        );
        assert!(
            of(302, &[("location", "https://evil.example")], "").starts_with(
                "github_rejected GitHub refused the request: HTTP 302 GitHub sent us elsewhere"
            )
        );
    }
}
