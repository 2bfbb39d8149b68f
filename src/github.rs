//! Talks to GitHub: reads are repeated while what is in the way passes, nothing is redirected, and the token goes to GitHub's hosts alone.

mod actions;
mod append;
mod bootstrap;
mod branches;
mod connection;
mod discover;
mod endpoints;
mod entries;
mod graphql;
mod inventory;
mod ledger;
mod look_back;
mod moves;
mod pace;
mod patience;
mod preflight;
mod probe;
mod prompt;
mod proxy;
mod release;
mod resolve;
mod rules;
mod tag_ref;
mod tail;
mod token;
mod trouble;
mod window;
mod written;

use std::{
    error::Error as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LINK, LOCATION,
        USER_AGENT,
    },
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use octocrab::{OctoBody, Octocrab};
use serde::{Serialize, de::DeserializeOwned};

use sha2::{Digest as _, Sha256};

use countersign_core::{digest::Digest, ledger::Claim, text::excerpt, timestamp::Timestamp};

use self::{entries::KnownEntries, pace::Pace, tail::KnownTails, window::Window};
use crate::tempo::{SinceBoot, Tempo};

pub(crate) use self::{
    actions::{Dispatch, FoundRun, HeadRepository},
    bootstrap::{Begun, Protected, ruleset, wanted_rules},
    discover::Discovered,
    endpoints::Endpoints,
    inventory::LedgerRules,
    inventory::WantedPulls,
    ledger::LedgerReader,
    look_back::{Extent, LookedBack},
    patience::{MAX_WAIT, Patience},
    preflight::PreflightQuery,
    probe::{Ask, Exchange, Made, PREFIX, Scratch, Unanswered},
    release::{Release, UploadedAsset},
    resolve::Named,
    rules::{BranchRule, BranchRules, Step},
    tag_ref::commit_of_tag,
    tail::Depth,
    token::Token,
    trouble::Trouble,
    written::Written,
};

/// Largest answer that is read: a release with 1,000 assets has some 2 MiB.
const MOST_ANSWER: usize = 16 << 20;
const API_VERSION: &str = "2022-11-28";
/// GitHub refuses requests without a `User-Agent`.
const NAME: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// GitHub, as one token sees it.
pub struct GitHub {
    octocrab: Octocrab,
    endpoints: Endpoints,
    authorization: HeaderValue,
    requests: AtomicU64,
    patience: Patience,
    pace: Pace,
    /// How long it may take to send a write that becomes visible.
    to_send: Duration,
    since_boot: SinceBoot,
    windows: Windows,
    tails: KnownTails,
    entries: KnownEntries,
}

/// One budget for REST, one for GraphQL.
#[derive(Default)]
struct Windows {
    rest: Mutex<Window>,
    graphql: Mutex<Window>,
}

/// The body of an answer, as octocrab hands it over.
type Body = http_body_util::combinators::BoxBody<Bytes, octocrab::Error>;

/// A file that GitHub keeps elsewhere.
#[derive(Clone, Copy)]
enum Stored {
    /// A release asset; without this `Accept` GitHub returns its description instead.
    Asset,
    /// A run's artifact; any `Accept` but that of JSON is answered with 415.
    Archive,
}

impl Stored {
    const fn accept(self) -> Option<&'static str> {
        match self {
            Self::Asset => Some("application/octet-stream"),
            Self::Archive => None,
        }
    }
}

/// An answer that tells of no trouble.
pub(crate) struct Reply {
    /// Method and path of its request, for messages.
    asked: String,
    headers: HeaderMap,
    body: Bytes,
}

impl GitHub {
    /// Prepares the connection; nothing is sent yet. `None` if the token cannot stand in a header.
    pub(crate) fn new(
        endpoints: Endpoints,
        token: &Token,
        tempo: Tempo,
        patience: Patience,
    ) -> Option<Self> {
        let octocrab = connection::open(&endpoints, tempo.silence);
        let pace = Pace::new(tempo, endpoints.limits_content());
        Some(Self {
            octocrab,
            authorization: token.header()?,
            endpoints,
            requests: AtomicU64::new(0),
            patience,
            pace,
            to_send: prompt::TO_SEND.min(tempo.silence),
            since_boot: tempo.since_boot,
            windows: Windows::default(),
            tails: KnownTails::default(),
            entries: KnownEntries::default(),
        })
    }

    /// How much longer this attempt waits for what passes.
    pub(crate) const fn patience(&self) -> &Patience {
        &self.patience
    }

    /// When the next file may be uploaded.
    pub(crate) const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Reads a REST path.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        let uri = self.endpoints.rest(path);
        self.again(async || {
            self.send(request(Method::GET, &uri, OctoBody::empty())?)
                .await?
                .json()
        })
        .await
    }

    /// Reads one page of a list, once, and the cursor of the next one.
    async fn read_page<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, Option<String>), Trouble> {
        let uri = self.endpoints.rest(path);
        let reply = self
            .send(request(Method::GET, &uri, OctoBody::empty())?)
            .await?;
        let next = reply.headers.get(LINK).and_then(|link| link.to_str().ok());
        Ok((reply.json()?, next.and_then(cursor_of_next)))
    }

    /// Reads the bytes of a release asset back and returns their digest.
    pub(crate) async fn read_back(&self, path: &str, size: u64) -> Result<Digest, Trouble> {
        self.again(async || digest(self.stored(path, Stored::Asset).await?, size).await)
            .await
    }

    /// Reads a file that GitHub may keep elsewhere, whole.
    async fn download(&self, path: &str, stored: Stored) -> Result<Bytes, Trouble> {
        self.again(async || {
            let (parts, body) = self.stored(path, stored).await?.into_parts();
            let body = whole(body).await?;
            match Trouble::of_answer(parts.status, &parts.headers, &body) {
                Some(trouble) => Err(trouble.asked_at(path)),
                None => Ok(body),
            }
        })
        .await
    }

    /// Asks for a file, and follows to where it is kept: there without the token.
    async fn stored(&self, path: &str, stored: Stored) -> Result<Response<Body>, Trouble> {
        let mut asked = request(Method::GET, &self.endpoints.rest(path), OctoBody::empty())?;
        if let Some(accept) = stored.accept() {
            asked
                .headers_mut()
                .insert(ACCEPT, HeaderValue::from_static(accept));
        }
        let answer = self.answer(asked).await?;
        // The storage is named by 302 alone: 301 says that the repository has another name.
        if answer.status() != StatusCode::FOUND {
            return Ok(answer);
        }

        let elsewhere = answer
            .headers()
            .get(LOCATION)
            .and_then(|place| place.to_str().ok())
            .unwrap_or_default();
        let asked = request(Method::GET, elsewhere, OctoBody::empty())?;
        if asked.uri().scheme_str() != Some("https") && !self.endpoints.trusts(asked.uri()) {
            return Err(Trouble::ForeignHost {
                host: excerpt(elsewhere, 100),
            });
        }
        self.fetch_stored(asked).await
    }

    /// Fetches a file from the storage that GitHub named. The storage never sees the token, so its
    /// refusals are not about permissions. Its addresses expire after a minute, so the next try
    /// asks GitHub for another one.
    async fn fetch_stored(&self, asked: Request<OctoBody>) -> Result<Response<Body>, Trouble> {
        let host = excerpt(asked.uri().host().unwrap_or_default(), 100);
        let answer = self.send_unauthenticated(asked).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let reason = status.canonical_reason().unwrap_or("without a reason");
        Err(Trouble::Unavailable {
            status: status.as_u16(),
            message: format!("{reason}, from its storage at {host}"),
            wait: None,
        })
    }

    /// Repeats what only reads, as long as what is in the way passes.
    async fn again<T>(&self, read: impl AsyncFn() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let mut tried = 0;
        loop {
            tried += 1;
            match read().await {
                Ok(read) => return Ok(read),
                Err(trouble) if self.patience.waits(&trouble, tried).await => {}
                Err(trouble) => return Err(self.patience.given_up(trouble, tried)),
            }
        }
    }

    /// Repeats a request that names something made a moment ago, while GitHub does not find it. Only
    /// for requests that are safe to repeat.
    pub(crate) async fn repeat_while_fresh<T>(
        &self,
        send: impl AsyncFn() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut tried = 0;
        loop {
            tried += 1;
            match send().await {
                Err(trouble)
                    if trouble.may_be_lag()
                        && self.patience.waits_for_fresh(&trouble, tried).await => {}
                ended => return ended,
            }
        }
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

    /// The same for a write that becomes visible: it is sent at once or not at all, because what allows
    /// it was checked directly before. If it could not be sent in time, it was not done.
    pub(crate) async fn write_visible<T: DeserializeOwned>(
        &self,
        _approved: &Claim,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Written<T> {
        let uri = self.endpoints.rest(path);
        let bytes = match json(body) {
            Ok(bytes) => Bytes::from(bytes),
            Err(trouble) => return Written::NotDone(trouble),
        };
        let length = bytes.len() as u64;
        let (body, departure) = prompt::body(bytes, self.to_send, self.since_boot);
        let mut request = match of_json(method, &uri, body) {
            Ok(request) => request,
            Err(trouble) => return Written::NotDone(trouble),
        };
        request.headers_mut().insert(CONTENT_LENGTH, length.into());

        let host = request
            .uri()
            .authority()
            .map_or(String::new(), ToString::to_string);
        let answered = departure.in_time(host, self.send(request)).await;
        Written::of(answered.and_then(|reply| reply.json()))
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
        Written::of(
            self.send(Request::from_parts(parts, body))
                .await
                .and_then(|reply| reply.json()),
        )
    }

    /// Deletes, with a claim as the proof that what is deleted was made under it.
    pub(crate) async fn remove(&self, _approved: &Claim, path: &str) -> Written<()> {
        let request = match request(
            Method::DELETE,
            &self.endpoints.rest(path),
            OctoBody::empty(),
        ) {
            Ok(request) => request,
            Err(trouble) => return Written::NotDone(trouble),
        };
        Written::of(self.send(request).await.map(|_| ()))
    }

    /// The address of a page for people.
    pub(crate) fn page(&self, path: &str) -> String {
        self.endpoints.page(path)
    }

    /// Sends one request, once. Every request to GitHub passes here: this is where the token is added, and for whom.
    async fn answer(&self, mut request: Request<OctoBody>) -> Result<Response<Body>, Trouble> {
        let host = request
            .uri()
            .authority()
            .map_or(String::new(), ToString::to_string);
        if !self.endpoints.trusts(request.uri()) {
            return Err(Trouble::ForeignHost { host });
        }
        self.authenticate(request.headers_mut());
        let budget = if request.uri() == self.endpoints.graphql() {
            &self.windows.graphql
        } else {
            &self.windows.rest
        };
        let window = || budget.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |wait| Trouble::RateLimit {
            message: "this hour's requests are used up".into(),
            wait: Some(wait),
        };
        window().admit(Instant::now()).map_err(full)?;
        let answer = self.send_unauthenticated(request).await?;
        window().observe(answer.headers(), Instant::now());
        Ok(answer)
    }

    /// Adds what every request to GitHub carries.
    fn authenticate(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/vnd.github+json"));
        headers.insert(
            "x-github-api-version",
            HeaderValue::from_static(API_VERSION),
        );
    }

    /// Sends a request as it is, without the token.
    async fn send_unauthenticated(
        &self,
        mut request: Request<OctoBody>,
    ) -> Result<Response<Body>, Trouble> {
        request
            .headers_mut()
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(NAME));
        let host = request
            .uri()
            .authority()
            .map_or(String::new(), ToString::to_string);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.octocrab
            .execute(request)
            .await
            .map_err(|error| unanswered(&error, host))
    }

    /// Sends one request, once, and reads the answer if it tells of no trouble.
    async fn send(&self, request: Request<OctoBody>) -> Result<Reply, Trouble> {
        let path = request.uri().path().to_owned();
        let asked = format!("{} {}", request.method(), excerpt(&path, 200));
        let (parts, body) = self.answer(request).await?.into_parts();
        let body = whole(body).await?;
        match Trouble::of_answer(parts.status, &parts.headers, &body) {
            Some(trouble) => Err(trouble.asked_at(&path)),
            None => Ok(Reply {
                asked,
                headers: parts.headers,
                body,
            }),
        }
    }
}

impl Reply {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| unusable(&self.asked, &error))
    }

    fn date(&self) -> Option<Timestamp> {
        trouble::date(&self.headers)
    }
}

/// The parameter `after` of the page that a `Link` header calls the next one, encoded as it is there.
fn cursor_of_next(link: &str) -> Option<String> {
    let next = link.split(',').find(|link| link.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let query = address.split_once('?')?.1;
    let after = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("after="))?;
    let is_value = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%+/=:".contains(&byte);
    after.bytes().all(is_value).then(|| after.into())
}

/// Text that is not JSON may come from a proxy or a broken page, and the next try may bring the
/// answer. JSON of another form comes again.
fn unusable(asked: &str, error: &serde_json::Error) -> Trouble {
    if error.is_data() {
        Trouble::Misfit {
            asked: asked.into(),
            reason: error.to_string(),
        }
    } else {
        Trouble::Garbage {
            reason: format!("{asked}: {error}"),
        }
    }
}

/// An answer's bytes, if they are not too many.
async fn whole(body: Body) -> Result<Bytes, Trouble> {
    let collected = Limited::new(body, MOST_ANSWER).collect().await;
    let collected = collected.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => Trouble::TooLarge,
        None => Trouble::NoAnswer {
            reason: format!("the answer broke off: {error}"),
        },
    })?;
    Ok(collected.to_bytes())
}

/// Hashes an answer of exactly so many bytes.
async fn digest(answer: Response<Body>, size: u64) -> Result<Digest, Trouble> {
    let (parts, mut body) = answer.into_parts();
    if parts.status != StatusCode::OK {
        let bytes = Limited::new(body, MOST_ANSWER)
            .collect()
            .await
            .map_or(Bytes::new(), http_body_util::Collected::to_bytes);
        let trouble = Trouble::of_answer(parts.status, &parts.headers, &bytes);
        return Err(trouble.unwrap_or(Trouble::Garbage {
            reason: format!("HTTP {} instead of the asset", parts.status),
        }));
    }
    let (mut hasher, mut read) = (Sha256::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Trouble::NoAnswer {
            reason: format!("the asset broke off: {error}"),
        })?;
        let Some(piece) = frame.data_ref() else {
            continue;
        };
        read += piece.len() as u64;
        if read > size {
            break;
        }
        hasher.update(piece);
    }
    if read == size {
        Ok(Digest::from_bytes(hasher.finalize().into()))
    } else {
        Err(Trouble::Validation {
            status: 200,
            message: format!("the asset has not {size} bytes"),
        })
    }
}

fn request(method: Method, uri: &str, body: OctoBody) -> Result<Request<OctoBody>, Trouble> {
    let uri: Uri = uri.parse().map_err(|_| Trouble::Garbage {
        reason: "an address that is none".into(),
    })?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    Ok(request)
}

fn json_request(
    method: Method,
    uri: &str,
    body: &impl Serialize,
) -> Result<Request<OctoBody>, Trouble> {
    of_json(method, uri, OctoBody::from(json(body)?))
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(body).map_err(|error| Trouble::Garbage {
        reason: error.to_string(),
    })
}

fn of_json(method: Method, uri: &str, body: OctoBody) -> Result<Request<OctoBody>, Trouble> {
    let mut request = request(method, uri, body)?;
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// A connection that was never made left nothing behind; anything later may have.
fn unanswered(error: &octocrab::Error, host: String) -> Trouble {
    let chain: Vec<&dyn std::error::Error> =
        std::iter::successors(error.source(), |error| (*error).source()).collect();
    let reason = chain
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let connecting = chain.iter().any(|error| {
        error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    });
    if connecting {
        Trouble::Connection { host, reason }
    } else {
        Trouble::NoAnswer { reason }
    }
}

/// Segments of a path that keep their slashes, as tag names have them.
pub(crate) fn encoded_path(text: &str) -> String {
    text.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// One segment of a path or value of a query, percent-encoded: tags hold `#`, `?` and `/`.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Trouble {
        let reply = Reply {
            asked: "GET /repos/o/r".into(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        reply.json::<Vec<String>>().unwrap_err()
    }

    #[test]
    fn an_answer_that_cannot_be_used_names_its_request() {
        for body in ["<html>", "[\"a\"", ""] {
            let trouble = read(body);
            assert!(trouble.to_string().contains("GET /repos/o/r"), "{trouble}");
        }
    }

    #[test]
    fn only_what_is_not_json_at_all_is_asked_for_again() {
        assert!(read("<html>").passes());
        assert!(!read("[7]").passes());
        for body in ["<html>", "[7]"] {
            let trouble = read(body);
            assert_eq!(
                (trouble.code(), trouble.leaves_open()),
                ("github_garbage", true)
            );
        }
    }
}
