//! One request, understood: where it goes, what it carries and who sends it.

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::answer::Answer;
use crate::endpoint::Endpoint;
use crate::log::Kind;
use crate::permission::{Grant, Permissions};
use crate::upload::Upload;

/// Which of the two ports a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Api,
    Uploads,
}

/// The repository that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/repos/{owner}/{name}`.
    Named(String, String),
    /// `/repositories/{id}`, as `Link` headers say it.
    Numbered(String),
    /// Outside every repository.
    Nowhere,
}

/// A request with its body read (uploads: digested).
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) door: Door,
    /// Path with query, as it came.
    pub(crate) target: String,
    /// Without query.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) place: Place,
    /// Decoded path segments below the repository.
    pub(crate) rest: Vec<String>,
    pub(crate) endpoint: Endpoint,
    pub(crate) operation: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
    pub(crate) upload: Option<Upload>,
    /// What the token was minted for.
    pub(crate) grant: Grant,
    /// What that means in the repository of the path.
    pub(crate) permissions: Permissions,
}

impl Call {
    /// Understands the head of a request; the body comes later.
    pub(crate) fn of(door: Door, head: &http::request::Parts) -> Self {
        let method = head.method.as_str().to_owned();
        let path = head.uri.path().to_owned();
        let (door, below) = entered(door, head, &path);
        let segments: Vec<String> = below
            .split('/')
            .skip(1)
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let (place, rest) = locate(segments);
        let mut call = Self {
            door,
            target: head
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
            query: form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes())
                .into_owned()
                .collect(),
            headers: head.headers.clone(),
            endpoint: Endpoint::Unknown,
            operation: None,
            kind: kind_of(&method),
            body: Bytes::new(),
            upload: None,
            grant: Grant::nothing(),
            permissions: Permissions::none(),
            method,
            path,
            place,
            rest,
        };
        call.endpoint = call.endpoint_at();
        if call.endpoint == Endpoint::GenerateNotes || call.endpoint == Endpoint::GraphQl {
            call.kind = Kind::Read;
        }
        call
    }

    fn endpoint_at(&self) -> Endpoint {
        let rest: Vec<&str> = self.rest.iter().map(String::as_str).collect();
        match (
            self.door,
            &self.place,
            self.method.as_str(),
            rest.as_slice(),
        ) {
            (Door::Uploads, Place::Named(..), "POST", ["releases", _, "assets"]) => {
                Endpoint::UploadAsset
            }
            (Door::Uploads, Place::Nowhere, "GET", ["artifacts", _]) => Endpoint::DownloadArtifact,
            (Door::Uploads, Place::Nowhere, "GET", ["release-assets", _, _]) => {
                Endpoint::DownloadAsset
            }
            (Door::Uploads, ..) => Endpoint::Unknown,
            (_, Place::Nowhere, "POST", ["graphql"]) => Endpoint::GraphQl,
            (_, Place::Nowhere, "GET", ["rate_limit"]) => Endpoint::RateLimit,
            (_, Place::Nowhere, ..) => Endpoint::Unknown,
            (_, _, method, rest) => Endpoint::of_rest(method, rest),
        }
    }

    pub(crate) fn is_graphql(&self) -> bool {
        matches!(
            self.endpoint,
            Endpoint::GraphQl
                | Endpoint::Preflight
                | Endpoint::Append
                | Endpoint::Resolve
                | Endpoint::Discover
        )
    }

    /// Takes in the body and what only the body tells.
    pub(crate) fn receive(&mut self, body: Bytes) {
        self.body = body;
        if self.endpoint == Endpoint::UpdateRelease
            && self
                .object()
                .is_ok_and(|body| body.get("draft") == Some(&Value::Bool(false)))
        {
            self.endpoint = Endpoint::PublishRelease;
        }
    }

    /// The body as a JSON object; an empty one reads as `{}`.
    pub(crate) fn object(&self) -> Result<Value, Answer> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|_| Answer::error(400, "Problems parsing JSON"))?;
        if value.is_object() {
            Ok(value)
        } else {
            Err(Answer::error(400, "Body should be a JSON object"))
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The version of the REST API that it asks for.
    pub(crate) fn version(&self) -> &str {
        let version = self.header("x-github-api-version");
        version.unwrap_or("2022-11-28")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A number in the path below the repository; anything else is no known thing.
    pub(crate) fn number(&self, index: usize) -> Result<u64, Answer> {
        self.rest
            .get(index)
            .and_then(|segment| segment.parse().ok())
            .ok_or_else(Answer::not_found)
    }

    /// The path below the repository from a segment on, slashes and all.
    pub(crate) fn tail(&self, index: usize) -> String {
        self.rest.get(index..).unwrap_or_default().join("/")
    }

    /// `per_page` (30 unless told, at most 100) and `page` (from 1).
    pub(crate) fn paging(&self) -> (usize, usize) {
        let number = |name| self.parameter(name).and_then(|text| text.parse().ok());
        let per_page: usize = number("per_page").unwrap_or(30);
        let page: usize = number("page").unwrap_or(1);
        (per_page.clamp(1, 100), page.max(1))
    }
}

/// Which door a request really came to, and its path there: an Enterprise Server has all of them
/// at one port, and the path or the host tells them apart.
fn entered<'a>(door: Door, head: &http::request::Parts, path: &'a str) -> (Door, &'a str) {
    let host = head.headers.get("host").and_then(|host| host.to_str().ok());
    let elsewhere = ["uploads.", "storage."];
    let apart = host.is_some_and(|host| elsewhere.iter().any(|name| host.starts_with(name)));
    if apart {
        return (Door::Uploads, path);
    }
    if let Some(below) = path.strip_prefix("/api/uploads") {
        return (Door::Uploads, below);
    }
    let below = path.strip_prefix("/api/v3").or_else(|| {
        let graphql = path == "/api/graphql";
        graphql.then_some("/graphql")
    });
    (door, below.unwrap_or(path))
}

fn kind_of(method: &str) -> Kind {
    match method {
        "GET" | "HEAD" | "OPTIONS" => Kind::Read,
        _ => Kind::Write,
    }
}

fn locate(mut segments: Vec<String>) -> (Place, Vec<String>) {
    match segments.first().map(String::as_str) {
        Some("repos") if segments.len() >= 3 => {
            let rest = segments.split_off(3);
            let name = segments.remove(2);
            let owner = segments.remove(1);
            (Place::Named(owner, name), rest)
        }
        Some("repositories") if segments.len() >= 2 => {
            let rest = segments.split_off(2);
            (Place::Numbered(segments.remove(1)), rest)
        }
        _ => (Place::Nowhere, segments),
    }
}
