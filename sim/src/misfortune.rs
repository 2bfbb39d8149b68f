//! What a planned fault does to an exchange, before its work and after.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::fault::Effect;
use crate::gate;
use crate::graphql;
use crate::rest;
use crate::site::Site;

/// What a fault makes of a request that has arrived.
pub(crate) enum Before {
    Proceed,
    Reply(Answer),
    Drop,
    Stall,
}

/// The secondary limit's text; the documentation advises to match nothing but its presence.
pub(crate) const SECONDARY: &str = "You have exceeded a secondary rate limit. Please wait a few minutes \
     before you try again.";

/// A host that is not GitHub's and resolves nowhere (RFC 2606).
const FOREIGN: &str = "https://uploads.invalid";

pub(crate) fn before(met: Option<&Effect>, site: &mut Site, call: &Call) -> Before {
    if let Some(effect) = met.filter(|_| call.is_graphql())
        && let Some(answer) = graphql::instead(effect, call)
    {
        return Before::Reply(answer);
    }
    match met {
        Some(Effect::ResetBefore) => Before::Drop,
        Some(Effect::Stall) => Before::Stall,
        Some(Effect::StatusBefore(status)) => Before::Reply(plain(*status)),
        Some(Effect::RetryAfter { status, seconds }) => Before::Reply(
            Answer::error(*status, SECONDARY).with("retry-after", seconds.to_string()),
        ),
        Some(Effect::SecondaryLimit) => Before::Reply(Answer::error(403, SECONDARY)),
        Some(Effect::GraphQlRateLimit) => Before::Reply(gate::graphql_limit(site.home(call))),
        Some(Effect::StaleData) => Before::Reply(Answer::error(409, "Conflict")),
        Some(Effect::SubmittedTooQuickly) => Before::Reply(too_quickly()),
        Some(Effect::Redirect(location)) => Before::Reply(rest::redirect(call, location)),
        _ => Before::Proceed,
    }
}

pub(crate) fn lateness(met: Option<&Effect>) -> Duration {
    match met {
        Some(Effect::Late(duration)) => *duration,
        _ => Duration::ZERO,
    }
}

pub(crate) fn after(met: Option<&Effect>, endpoint: Endpoint, mut answer: Answer) -> Answer {
    match met {
        Some(Effect::Lagging) => return lagging(endpoint, answer),
        Some(Effect::StatusAfter(status)) => return plain(*status),
        Some(Effect::Garbage) => {
            let page = "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head></html>\n";
            return Answer::raw(200, "text/html; charset=utf-8", page);
        }
        Some(Effect::ForeignUploadUrl) => {
            rewrite(&mut answer, "upload_url", |url| {
                let path = url.as_str().and_then(|url| url.split_once("/repos/"));
                path.map_or(Value::Null, |(_, path)| {
                    json!(format!("{FOREIGN}/repos/{path}"))
                })
            });
        }
        Some(Effect::StillDraft) => {
            rewrite(&mut answer, "draft", |_| json!(true));
            rewrite(&mut answer, "html_url", |_| Value::Null);
        }
        Some(Effect::ResourceLimits { nodes }) => graphql::cut_short(&mut answer, *nodes),
        Some(Effect::NullDigest) => rewrite(&mut answer, "digest", |_| Value::Null),
        _ => {}
    }
    answer
}

/// Lists without what was made last, and single things not at all.
fn lagging(endpoint: Endpoint, mut answer: Answer) -> Answer {
    match &mut answer.content {
        Content::Json(Value::Array(items)) if !items.is_empty() => {
            // Assets are listed from the oldest on, everything else from the newest.
            items.remove(if endpoint == Endpoint::ListAssets {
                items.len() - 1
            } else {
                0
            });
            answer
        }
        Content::Json(Value::Array(_)) => answer,
        Content::Json(Value::Object(list)) if endpoint == Endpoint::ListArtifacts => {
            if let Some(Value::Array(items)) = list.get_mut("artifacts")
                && !items.is_empty()
            {
                items.remove(0);
                list.entry("total_count")
                    .and_modify(|count| *count = json!(count.as_u64().unwrap_or(1) - 1));
            }
            answer
        }
        _ => Answer::not_found(),
    }
}

fn plain(status: u16) -> Answer {
    let reason = match status {
        401 => "Bad credentials",
        403 => "Resource not accessible by integration",
        500..=599 => "Server Error",
        _ => http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Unknown"),
    };
    Answer::error(status, reason)
}

/// A secondary limit on what people are notified of, in the shape of a refusal.
fn too_quickly() -> Answer {
    Answer::invalid(vec![json!({
        "resource": "PullRequest",
        "code": "custom",
        "message": "was submitted too quickly",
    })])
}

/// Changes every value of this key, however deep.
fn rewrite(answer: &mut Answer, key: &str, change: impl Fn(&Value) -> Value + Copy) {
    if let Content::Json(body) = &mut answer.content {
        rewrite_value(body, key, change);
    }
}

fn rewrite_value(value: &mut Value, key: &str, change: impl Fn(&Value) -> Value + Copy) {
    match value {
        Value::Array(items) => {
            for item in items {
                rewrite_value(item, key, change);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == key {
                    *field = change(field);
                } else {
                    rewrite_value(field, key, change);
                }
            }
        }
        _ => {}
    }
}
