//! Talks to GitHub: no request is repeated or redirected, and the token goes to GitHub's hosts alone.

mod append;
mod bootstrap;
mod connection;
mod endpoints;
mod graphql;
mod ledger;
mod preflight;
mod resolve;
mod token;
mod trouble;
mod written;

use std::{
    error::Error as _,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use http_body_util::{BodyExt as _, Limited};
use octocrab::{OctoBody, Octocrab};
use serde::{Serialize, de::DeserializeOwned};

use countersign_core::{ledger::Claim, timestamp::Timestamp};

pub(crate) use self::{
    bootstrap::{Begun, ruleset},
    endpoints::Endpoints,
    ledger::LedgerReader,
    preflight::PreflightQuery,
    token::Token,
    trouble::Trouble,
    written::Written,
};

/// Largest answer that is read: a release with 1,000 assets has some 2 MiB.
const MOST_ANSWER: usize = 16 << 20;
const API_VERSION: &str = "2022-11-28";

/// GitHub, as one token sees it.
pub struct GitHub {
    octocrab: Octocrab,
    endpoints: Endpoints,
    authorization: HeaderValue,
    requests: AtomicU64,
}

/// An answer that tells of no trouble.
pub(crate) struct Reply {
    headers: HeaderMap,
    body: Bytes,
}

impl GitHub {
    /// Prepares the connection; nothing is sent yet. `None` if the token cannot stand in a header.
    pub(crate) fn new(endpoints: Endpoints, token: &Token) -> Option<Self> {
        Some(Self { octocrab: connection::open(&endpoints), authorization: token.header()?, endpoints, requests: AtomicU64::new(0) })
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Reads a REST path.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        let uri = self.endpoints.rest(path);
        self.send(request(Method::GET, &uri, OctoBody::empty())?).await?.json()
    }

    /// Writes, with a claim as the proof that somebody approved it.
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        _approved: &Claim,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Written<T> {
        let request = match json_request(method, &self.endpoints.rest(path), body) {
            Ok(request) => request,
            Err(trouble) => return Written::NotDone(trouble),
        };
        Written::of(self.send(request).await.and_then(|reply| reply.json()))
    }

    /// Uploads to an address that GitHub named, with a claim as the proof that somebody approved it.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        _approved: &Claim,
        uri: &str,
        content_type: &str,
        length: u64,
        body: OctoBody,
    ) -> Written<T> {
        let request = match request(Method::POST, uri, body) {
            Ok(request) => request,
            Err(trouble) => return Written::NotDone(trouble),
        };
        let (mut parts, body) = request.into_parts();
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            parts.headers.insert(CONTENT_TYPE, content_type);
        }
        parts.headers.insert(CONTENT_LENGTH, length.into());
        Written::of(self.send(Request::from_parts(parts, body)).await.and_then(|reply| reply.json()))
    }

    /// Deletes, with a claim as the proof that what is deleted was made under it.
    pub(crate) async fn remove(&self, _approved: &Claim, path: &str) -> Written<()> {
        let request = match request(Method::DELETE, &self.endpoints.rest(path), OctoBody::empty()) {
            Ok(request) => request,
            Err(trouble) => return Written::NotDone(trouble),
        };
        Written::of(self.send(request).await.map(|_| ()))
    }

    /// The address of a page for people.
    pub(crate) fn page(&self, path: &str) -> String {
        self.endpoints.page(path)
    }

    /// Sends one request, once. Every request of the program passes here: this is where the token is added, and for whom.
    async fn send(&self, mut request: Request<OctoBody>) -> Result<Reply, Trouble> {
        let host = request.uri().authority().map_or(String::new(), ToString::to_string);
        if !self.endpoints.trusts(request.uri()) {
            return Err(Trouble::ForeignHost { host });
        }
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static(API_VERSION));
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.octocrab.execute(request).await.map_err(|error| unanswered(&error, host))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MOST_ANSWER)
            .collect()
            .await
            .map_err(|error| Trouble::NoAnswer { reason: format!("the answer broke off: {error}") })?
            .to_bytes();
        match Trouble::of_answer(parts.status, &parts.headers, &body) {
            Some(trouble) => Err(trouble),
            None => Ok(Reply { headers: parts.headers, body }),
        }
    }
}

impl Reply {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| Trouble::Garbage { reason: error.to_string() })
    }

    /// GitHub's clock, from the `Date` header.
    fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get("date")?.to_str().ok()?;
        let moment = chrono::DateTime::parse_from_rfc2822(date).ok()?;
        u64::try_from(moment.timestamp()).ok().map(Timestamp::from_unix)
    }
}

fn request(method: Method, uri: &str, body: OctoBody) -> Result<Request<OctoBody>, Trouble> {
    let uri: Uri = uri.parse().map_err(|_| Trouble::Garbage { reason: "an address that is none".into() })?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    Ok(request)
}

fn json_request(method: Method, uri: &str, body: &impl Serialize) -> Result<Request<OctoBody>, Trouble> {
    let bytes = serde_json::to_vec(body).map_err(|error| Trouble::Garbage { reason: error.to_string() })?;
    let mut request = request(method, uri, OctoBody::from(bytes))?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// A connection that was never made left nothing behind; anything later may have.
fn unanswered(error: &octocrab::Error, host: String) -> Trouble {
    let chain: Vec<&dyn std::error::Error> = std::iter::successors(error.source(), |error| (*error).source()).collect();
    let reason = chain.last().map_or_else(|| error.to_string(), ToString::to_string);
    let connecting = chain
        .iter()
        .any(|error| error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect));
    if connecting { Trouble::Connection { host, reason } } else { Trouble::NoAnswer { reason } }
}

/// Segments of a path that keep their slashes, as tag names have them.
pub(crate) fn encoded_path(text: &str) -> String {
    text.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// One segment of a path or value of a query, percent-encoded: tags hold `#`, `?` and `/`.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}
