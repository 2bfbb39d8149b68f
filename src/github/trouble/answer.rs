//! The trouble that a REST answer reports: its status, its headers, and GitHub's own words.

use std::collections::BTreeSet;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use countersign_core::{text::excerpt, timestamp::Timestamp};

use super::Trouble;

impl Trouble {
    /// The trouble that an answer reports, if any.
    pub(in crate::github) fn of_answer(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<Self> {
        if status.is_success() {
            return None;
        }

        let message = message(status, body);
        let status = status.as_u16();
        let permissions = accepted_permissions(headers);
        Some(match status {
            _ if is_limited(status, headers, &message) => Self::RateLimit {
                message,
                wait: Some(pause(headers)),
            },
            403 if needs_a_plan(&message) => Self::PaidPlan { message },
            401 => Self::InvalidToken { message },
            403 => Self::Authorization {
                status,
                message,
                permissions,
            },
            404 => Self::NotFound {
                asked: None,
                message,
                permissions,
            },
            500..=599 => Self::Unavailable {
                status,
                message,
                wait: retry_after(headers),
            },
            300..=399 => Self::Moved {
                status,
                to: destination(headers),
            },
            _ => Self::Validation { status, message },
        })
    }
}

/// A 403 may be a limit or a refusal, and GitHub answers some limits with 422.
fn is_limited(status: u16, headers: &HeaderMap, message: &str) -> bool {
    match status {
        429 => true,
        403 => {
            number(headers, "x-ratelimit-remaining") == Some(0)
                || headers.contains_key("retry-after")
                || is_limit(message)
        }
        422 => is_limit(message),
        _ => false,
    }
}

/// Whether GitHub's words are those of a rate limit: some have no other sign.
pub(in crate::github) fn is_limit(message: &str) -> bool {
    message.starts_with("API rate limit")
        || message.contains("secondary rate limit")
        || message.contains("submitted too quickly")
}

/// GitHub's words for what a free plan lacks in private repositories.
fn needs_a_plan(message: &str) -> bool {
    message.starts_with("Upgrade to GitHub")
}

/// Where a redirect leads: a repository that was renamed is named by its number.
fn destination(headers: &HeaderMap) -> Option<String> {
    let to = headers.get("location")?.to_str().ok()?;
    let number = to.split_once("/repositories/").and_then(|(_, rest)| {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(number).filter(|number| !number.is_empty())
    });
    Some(number.map_or_else(
        || excerpt(to, 100),
        |number| format!("the repository with the number {number}"),
    ))
}

/// GitHub asks for at least a minute after a secondary limit that names no time.
const SECONDARY_PAUSE: u64 = 60;

/// How long a rate limit lasts: `retry-after`, else until the limit resets if nothing is left, else
/// a minute.
pub(in crate::github) fn pause(headers: &HeaderMap) -> u64 {
    let until_reset = || {
        let reset = number(headers, "x-ratelimit-reset")
            .filter(|_| number(headers, "x-ratelimit-remaining") == Some(0))?;
        // A second more, because both are cut to whole seconds.
        Some(reset.saturating_sub(date(headers)?.unix()) + 1)
    };
    retry_after(headers)
        .or_else(until_reset)
        .unwrap_or(SECONDARY_PAUSE)
}

/// Seconds, or a date (RFC 9110, section 10.2.3), which is compared with the date of the answer.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    number(headers, "retry-after").or_else(|| {
        let until = moment(headers, "retry-after")?.unix();
        Some(until.saturating_sub(date(headers)?.unix()))
    })
}

pub(in crate::github) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// GitHub's clock, from the `Date` header.
pub(in crate::github) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    moment(headers, "date")
}

fn moment(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    let moment = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    u64::try_from(moment.timestamp())
        .ok()
        .map(Timestamp::from_unix)
}

/// The permissions that GitHub would accept, in the words of a workflow. The header separates
/// alternatives by `;` and what belongs together by `,`.
pub(in crate::github) fn accepted_permissions(headers: &HeaderMap) -> Option<String> {
    let header = headers
        .get("x-accepted-github-permissions")?
        .to_str()
        .ok()?;
    let mut alternatives = header
        .split(';')
        .map(permissions)
        .filter(|set| !set.is_empty());
    let first = alternatives.next()?;

    let mut words = listed(first.iter());
    for other in alternatives.take(3) {
        let more = other.difference(&first);
        let alternative = if first.is_subset(&other) && other.contains("workflows: write") {
            format!(
                " (and {}, if files under .github/workflows differ)",
                listed(more)
            )
        } else {
            format!(" or {}", listed(other.iter()))
        };
        words += &alternative;
    }
    Some(excerpt(&words, 200))
}

fn permissions(alternative: &str) -> BTreeSet<String> {
    let levels = ["read", "write", "admin"];
    alternative
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(_, level)| levels.contains(level))
        .map(|(name, level)| format!("{}: {level}", name.replace('_', "-")))
        .collect()
}

fn listed<'a>(permissions: impl Iterator<Item = &'a String>) -> String {
    permissions
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" and ")
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    errors: Value,
}

/// GitHub's own words, as a part of our sentences: the message and what is in `errors`, which says
/// more than the message.
fn message(status: StatusCode, body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else {
        return status
            .canonical_reason()
            .unwrap_or("without a reason")
            .into();
    };
    let details: Vec<String> = match &body.errors {
        Value::Null => Vec::new(),
        Value::Array(errors) => errors.iter().take(5).map(detail).collect(),
        one => vec![detail(one)],
    };
    let text = if details.is_empty() {
        body.message
    } else {
        format!("{}: {}", body.message, details.join("; "))
    };
    one_line(&text, 600)
}

fn detail(error: &Value) -> String {
    let member = |name: &str| error.get(name).and_then(Value::as_str);
    match (member("message"), member("field"), member("code")) {
        (Some(message), _, _) => message.into(),
        (None, Some(field), Some(code)) => format!("{field} {code}"),
        _ => error.as_str().map_or_else(|| error.to_string(), Into::into),
    }
}

/// GitHub's text as a part of a sentence of ours: on one line, bounded, without its full stop.
pub(in crate::github) fn one_line(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    excerpt(lines.join(" ").trim_end_matches('.'), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn trouble(status: u16, with: &[(&'static str, &str)], body: &str) -> Option<Trouble> {
        Trouble::of_answer(
            StatusCode::from_u16(status).unwrap(),
            &headers(with),
            body.as_bytes(),
        )
    }

    fn of(status: u16, with: &[(&'static str, &str)], body: &str) -> String {
        trouble(status, with, body).map_or("fine".into(), |trouble| {
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
            "permission_denied the token may not do this: HTTP 403 Resource not accessible by integration (GitHub asks for the permission contents: write)"
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
    }

    #[test]
    fn a_redirect_names_the_number_of_the_repository_that_was_renamed() {
        let moved = r#"{"message":"Moved Permanently","url":"https://api.github.com/repositories/1296269","documentation_url":"https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"}"#;
        let redirected = |status: u16, to: &str| of(status, &[("location", to)], moved);
        assert_eq!(
            redirected(
                301,
                "https://api.github.com/repositories/1296269/actions/runs/1"
            ),
            "github_rejected GitHub answers with a redirect (HTTP 301) to the repository with the number 1296269, which is not followed, because it could take the token with it"
        );
        assert!(
            redirected(307, "https://api.github.com/repositories/1296269").contains(" 1296269,")
        );
        assert!(redirected(302, "https://evil.example/").contains(" to https://evil.example/,"));
        assert!(of(301, &[], moved).contains("(HTTP 301), which is not followed"));
    }

    #[test]
    fn errors_may_be_a_text_or_texts_or_objects_or_absent() {
        countersign_sim::pins![R6];
        for (body, reasons) in [
            (
                r#"{"message":"Validation Failed","errors":"Name must be unique"}"#,
                ": Name must be unique",
            ),
            (
                r#"{"message":"Validation Failed","errors":["Name must be unique"]}"#,
                ": Name must be unique",
            ),
            (
                r#"{"message":"Validation Failed","errors":[{"message":"Name must be unique"}]}"#,
                ": Name must be unique",
            ),
            (r#"{"message":"Validation Failed","errors":null}"#, ""),
            (r#"{"message":"Validation Failed","status":"422"}"#, ""),
        ] {
            let expected = format!(
                "github_rejected GitHub refused the request: HTTP 422 Validation Failed{reasons}"
            );
            assert_eq!(of(422, &[], body), expected, "{body}");
        }
    }

    #[test]
    fn what_was_submitted_too_quickly_is_a_limit() {
        let body = r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"was submitted too quickly"}]}"#;
        let limit = trouble(422, &[("x-ratelimit-remaining", "4999")], body).unwrap();
        assert_eq!(
            (limit.code(), limit.asks_to_wait()),
            ("rate_limited", Some(60))
        );
    }

    #[test]
    fn a_limit_may_have_no_sign_but_its_text() {
        for text in [
            "API rate limit exceeded for installation ID 1.",
            "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.",
        ] {
            let message = of(
                403,
                &[],
                &serde_json::json!({ "message": text }).to_string(),
            );
            assert!(message.starts_with("rate_limited "), "{message}");
        }
    }

    #[test]
    fn what_a_free_plan_lacks_is_not_a_missing_permission() {
        let body = r#"{"message":"Upgrade to GitHub Pro or make this repository public to enable this feature.","documentation_url":"https://docs.github.com/rest/repos/rules","status":"403"}"#;
        let lacking = trouble(
            403,
            &[("x-accepted-github-permissions", "metadata=read")],
            body,
        );
        assert_eq!(
            lacking,
            Some(Trouble::PaidPlan {
                message:
                    "Upgrade to GitHub Pro or make this repository public to enable this feature"
                        .into()
            })
        );
    }

    #[test]
    fn how_long_to_wait_may_be_a_date() {
        countersign_sim::pins![R8];
        let date = ("date", "Sat, 21 Nov 2026 12:00:00 GMT");
        let waits = |after: &str| {
            trouble(503, &[date, ("retry-after", after)], "")
                .unwrap()
                .asks_to_wait()
        };

        assert_eq!(waits("7"), Some(7));
        assert_eq!(waits("Sat, 21 Nov 2026 12:00:07 GMT"), Some(7));
        assert_eq!(waits("Sat, 21 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(waits("soon"), None);
        assert_eq!(
            pause(&headers(&[(
                "retry-after",
                "Sat, 21 Nov 2026 12:00:07 GMT"
            )])),
            60
        );
    }

    #[test]
    fn permissions_are_named_as_workflows_spell_them() {
        let words = |header: &str| {
            accepted_permissions(&headers(&[("x-accepted-github-permissions", header)]))
        };
        for (header, expected) in [
            ("contents=write", Some("contents: write")),
            (
                "contents=write; contents=write,workflows=write",
                Some(
                    "contents: write (and workflows: write, if files under .github/workflows differ)",
                ),
            ),
            (
                "pull_requests=read; contents=read",
                Some("pull-requests: read or contents: read"),
            ),
            (
                "issues=write,metadata=read",
                Some("issues: write and metadata: read"),
            ),
            (
                "metadata=read; allows_permissionless_access=true",
                Some("metadata: read"),
            ),
            ("allows_permissionless_access=true", None),
            ("", None),
        ] {
            assert_eq!(words(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        assert_eq!(
            one_line(
                "Repository rule violations found\n\n3 of 3 required status checks are expected.\n\n",
                300
            ),
            "Repository rule violations found 3 of 3 required status checks are expected"
        );
        assert_eq!(
            one_line("but it did not.  Pull and try again.", 300),
            "but it did not.  Pull and try again"
        );
    }
}
