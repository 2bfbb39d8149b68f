//! The headers that answers were recorded with, by host.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::answer::{Answer, Content};
use crate::call::{Call, Door};
use crate::clock::imf_fixdate;
use crate::rate::Budget;
use crate::site::Site;
use crate::upload;

/// The uploads host describes its refusals in its own way, and names no permissions.
pub(crate) fn of_uploads_host(mut answer: Answer, request_id: &str) -> Answer {
    let named = "x-accepted-github-permissions";
    answer.headers.retain(|(name, _)| *name != named);
    if let Content::Json(Value::Object(body)) = &mut answer.content
        && answer.status >= 400
    {
        body.remove("status");
        body.insert("request_id".to_owned(), request_id.into());
        body.insert(
            "documentation_url".to_owned(),
            "https://docs.github.com/rest".into(),
        );
    }
    answer
}

/// A read may be cached for a minute.
pub(crate) fn of_reads(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let digest = upload::digest(Sha256::new_with_prefix(bytes));
    let etag = digest.trim_start_matches("sha256:");
    vec![
        (
            "cache-control",
            "private, max-age=60, s-maxage=60".to_owned(),
        ),
        ("etag", format!("W/\"{etag}\"")),
        (
            "vary",
            "Accept, Authorization, Cookie, X-GitHub-OTP".to_owned(),
        ),
    ]
}

fn media_type(call: &Call) -> &'static str {
    if call.is_graphql() {
        "github.v4; format=json"
    } else {
        "github.v3; format=json"
    }
}

/// The version that served a REST request; the older one is deprecated.
fn version_headers(call: &Call) -> Vec<(&'static str, String)> {
    let version = call.version();
    let mut headers = vec![("x-github-api-version-selected", version.to_owned())];
    if version == "2022-11-28" {
        headers.push(("deprecation", "Tue, 10 Mar 2026 00:00:00 GMT".to_owned()));
        headers.push(("sunset", "Fri, 10 Mar 2028 00:00:00 GMT".to_owned()));
    }
    headers
}

/// Those of every answer; the storage and the uploads host have fewer.
pub(crate) fn standing(
    site: &mut Site,
    call: &Call,
    request_id: String,
) -> Vec<(&'static str, String)> {
    let now = site.home(call).now();
    if call.endpoint.is_storage() {
        let server = "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0".to_owned();
        return vec![("date", imf_fixdate(now)), ("server", server)];
    }

    let mut headers = vec![
        ("date", imf_fixdate(now)),
        ("x-github-request-id", request_id),
        ("x-github-media-type", media_type(call).to_owned()),
    ];
    if call.door == Door::Uploads {
        headers.push(("connection", "close".to_owned()));
        return headers;
    }

    headers.push(("server", "github.com".to_owned()));
    let budget = if call.is_graphql() {
        Budget::GraphQl
    } else {
        headers.extend(version_headers(call));
        Budget::Core
    };
    let window = *site.home(call).rates.window(budget, now);
    headers.extend([
        ("x-ratelimit-limit", window.limit.to_string()),
        ("x-ratelimit-remaining", window.remaining().to_string()),
        ("x-ratelimit-used", window.used.to_string()),
        ("x-ratelimit-reset", window.reset.to_string()),
        ("x-ratelimit-resource", budget.name().to_owned()),
    ]);
    headers
}
