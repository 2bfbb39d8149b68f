//! The rehearsal's own requests: one exchange each, as it came, never repeated.
//!
//! They need no claim, so they need another proof: [`Scratch`], and the names that it allows.

mod permit;
mod removal;
mod scratch;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use octocrab::OctoBody;
use serde_json::{Value, json};

use countersign_core::{text::excerpt, timestamp::Timestamp};

use super::{Body, GitHub, Trouble, graphql::GraphqlError, json_request, request, trouble, whole};

pub(crate) use self::{
    permit::Outside,
    scratch::{Made, PREFIX, Scratch},
};

/// Some probes are wrong on purpose. The name tells a server's log, and whoever judges what the
/// product sends, that these requests are not the publisher's.
const NAME: &str = concat!("countersign-rehearse/", env!("CARGO_PKG_VERSION"));

/// One request of a probe.
pub(crate) struct Ask {
    method: Method,
    place: Place,
    accept: Option<&'static str>,
    body: Content,
}

enum Place {
    /// Below the repository's REST path, without a slash at its beginning.
    Repository(String),
    /// An address that the server named for uploads.
    Uploads(String),
    Graphql,
}

enum Content {
    None,
    Json(Value),
    Bytes(Vec<u8>),
}

impl Ask {
    /// Reads below the repository.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::below(Method::GET, path, Content::None)
    }

    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::below(Method::POST, path, Content::Json(body))
    }

    pub(crate) fn put(path: impl Into<String>, body: Value) -> Self {
        Self::below(Method::PUT, path, Content::Json(body))
    }

    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::below(Method::PATCH, path, Content::Json(body))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::below(Method::DELETE, path, Content::None)
    }

    pub(crate) fn graphql(document: &str, variables: &Value) -> Self {
        let question = json!({ "query": document, "variables": variables });
        Self {
            method: Method::POST,
            place: Place::Graphql,
            accept: None,
            body: Content::Json(question),
        }
    }

    /// Uploads an asset to an address that the server named.
    pub(crate) fn upload(uri: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            method: Method::POST,
            place: Place::Uploads(uri.into()),
            accept: None,
            body: Content::Bytes(bytes.into()),
        }
    }

    fn below(method: Method, path: impl Into<String>, body: Content) -> Self {
        let place = Place::Repository(path.into());
        Self {
            method,
            place,
            accept: None,
            body,
        }
    }

    pub(crate) fn accepting(self, accept: &'static str) -> Self {
        Self {
            accept: Some(accept),
            ..self
        }
    }

    /// Whether it makes content, as far as GitHub's secondary limits count that.
    pub(crate) fn creates(&self) -> bool {
        match (&self.place, &self.body) {
            (Place::Graphql, Content::Json(question)) => !is_query(question),
            _ => [Method::POST, Method::PATCH, Method::PUT].contains(&self.method),
        }
    }

    /// Method and path, for messages.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Repository(path) => format!("{} {}", self.method, excerpt(path, 120)),
            Place::Uploads(_) => "the upload".into(),
            Place::Graphql => "the GraphQL request".into(),
        }
    }
}

fn is_query(question: &Value) -> bool {
    question["query"]
        .as_str()
        .is_some_and(|document| document.trim_start().starts_with("query"))
}

/// An answer as it came.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) elapsed: Duration,
    /// The body as JSON; null if it is none.
    pub(crate) body: Value,
    pub(crate) size: usize,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.header("x-github-request-id")
    }

    pub(crate) fn date(&self) -> Option<Timestamp> {
        trouble::date(&self.headers)
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// What people have to provide before the server answers this request, if it was refused for
    /// that: such an answer says something about the token and nothing about the server.
    pub(crate) fn lacks(&self) -> Option<String> {
        self.trouble()?.lacks()
    }

    /// The trouble that the product's own code would report.
    fn trouble(&self) -> Option<Trouble> {
        let status = StatusCode::from_u16(self.status).ok()?;
        let body = self.body.to_string();
        Trouble::of_answer(status, &self.headers, body.as_bytes())
            .or_else(|| self.graphql_trouble())
    }

    /// GraphQL names no permission: the member that it refuses does.
    fn graphql_trouble(&self) -> Option<Trouble> {
        let error: GraphqlError = serde_json::from_value(self.body["errors"][0].clone()).ok()?;
        let is_at = |member: &str| error.path().iter().any(|step| step == member);
        let needed = if is_at("pullRequests") {
            "pull-requests: read"
        } else if is_at("createCommitOnBranch") || is_at("updateRefs") {
            "contents: write"
        } else {
            "contents: read"
        };
        let named = trouble::accepted_permissions(&self.headers);
        Some(error.trouble(named.or_else(|| Some(needed.into())), 0))
    }

    /// Status and message, for people.
    pub(crate) fn summary(&self) -> String {
        let message = match (&self.body["message"], self.body["errors"].as_array()) {
            (Value::String(message), Some(errors)) => {
                let errors: Vec<String> = errors.iter().map(error_text).collect();
                format!("{message}: {}", errors.join("; "))
            }
            (Value::String(message), None) => message.clone(),
            (_, Some(errors)) => errors.iter().map(error_text).collect::<Vec<_>>().join("; "),
            _ => String::new(),
        };
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} {}", self.status, excerpt(&message, 300))
            .trim_end()
            .to_owned()
    }
}

/// One error of REST or GraphQL: what kind it is, where, and its text.
fn error_text(error: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if error.is_string() {
        return text(error);
    }
    let kind = [&error["type"], &error["code"], &error["field"]].map(text);
    let path = error["path"].as_array().map_or(String::new(), |path| {
        let steps: Vec<String> = path
            .iter()
            .map(|step| step.as_str().map_or_else(|| step.to_string(), Into::into))
            .collect();
        steps.join(".")
    });
    let parts = kind.into_iter().chain([path, text(&error["message"])]);
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Why a probe has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The request would have left the rehearsal's own ground: a bug of the probe.
    #[error("the request was not sent: {0}")]
    Outside(#[from] Outside),
    #[error("{0}")]
    Trouble(#[from] Trouble),
}

impl GitHub {
    /// Sends one request, once, if it stays within what a scratch repository allows.
    pub(crate) async fn probe(&self, scratch: &Scratch, ask: Ask) -> Result<Exchange, Unanswered> {
        permit::check(scratch, &ask)?;
        // Noted before it is sent: the answer may be lost.
        let mut noted = permit::named_by(&ask);
        noted.retain(|made| scratch.note(made.clone()));

        let exchange = self.exchange(self.prepared(scratch, &ask)?).await?;

        // A definite refusal made nothing, and the token may not be allowed to remove it either.
        if (400..500).contains(&exchange.status) {
            for made in &noted {
                scratch.forget(made);
            }
        }

        if exchange.is_success()
            && let Some(made) = permit::numbered(&ask, &exchange.body)
        {
            scratch.note(made);
        }
        Ok(exchange)
    }

    fn prepared(&self, scratch: &Scratch, ask: &Ask) -> Result<Request<OctoBody>, Trouble> {
        let uri = match &ask.place {
            Place::Repository(path) => self.endpoints.rest(&scratch.path(path)),
            Place::Uploads(uri) => uri.clone(),
            Place::Graphql => self.endpoints.graphql().to_string(),
        };
        let mut prepared = match &ask.body {
            Content::None => request(ask.method.clone(), &uri, OctoBody::empty())?,
            Content::Json(body) => json_request(ask.method.clone(), &uri, body)?,
            Content::Bytes(bytes) => upload(ask.method.clone(), &uri, bytes)?,
        };
        if let Some(accept) = ask.accept {
            prepared
                .headers_mut()
                .insert(ACCEPT, HeaderValue::from_static(accept));
        }
        Ok(prepared)
    }

    /// Sends a request whatever is left of this hour's budget: what GitHub answers then is a question too.
    async fn answer_beyond_the_window(
        &self,
        mut request: Request<OctoBody>,
    ) -> Result<Response<Body>, Trouble> {
        if !self.endpoints.trusts(request.uri()) {
            let host = request.uri().host().unwrap_or_default().to_owned();
            return Err(Trouble::ForeignHost { host });
        }
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(NAME));
        self.authenticate(headers);
        self.send_unauthenticated(request).await
    }

    /// Whether the token may be sent to this address.
    pub(crate) fn may_see_token(&self, address: &str) -> bool {
        let uri: Option<http::Uri> = address.parse().ok();
        uri.is_some_and(|uri| self.endpoints.trusts(&uri))
    }

    /// The host of the API.
    pub(crate) fn host(&self) -> String {
        let uri: Option<http::Uri> = self.endpoints.rest("/").parse().ok();
        uri.and_then(|uri| uri.host().map(ToOwned::to_owned))
            .unwrap_or_default()
    }

    async fn exchange(&self, request: Request<OctoBody>) -> Result<Exchange, Trouble> {
        let started = Instant::now();
        let (parts, body) = self.answer_beyond_the_window(request).await?.into_parts();
        let body: Bytes = whole(body).await?;
        Ok(Exchange {
            status: parts.status.as_u16(),
            headers: parts.headers,
            elapsed: started.elapsed(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            size: body.len(),
        })
    }
}

fn upload(method: Method, uri: &str, bytes: &[u8]) -> Result<Request<OctoBody>, Trouble> {
    let mut upload = request(method, uri, OctoBody::from(bytes.to_vec()))?;
    let headers = upload.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, bytes.len().into());
    Ok(upload)
}
