//! A minimal client, so that a test holds only what is special.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "every test binary uses another part of this"
)]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on fails on the spot"
)]

use std::time::Duration;

use countersign_sim::{Permissions, Simulator};
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request, Response};
use ureq::{Agent, Body};

/// An answer, read whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("a JSON body")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path of each of `errors`.
    pub(crate) fn error_paths(&self) -> Vec<Value> {
        let body = self.json();
        let errors = body["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["path"].clone()).collect()
    }

    /// The first of `errors`.
    pub(crate) fn error(&self) -> Value {
        self.json()["errors"][0].clone()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .expect("a message")
            .to_owned()
    }

    /// A string at the top of the body.
    pub(crate) fn text(&self, name: &str) -> String {
        self.json()[name].as_str().expect("a string").to_owned()
    }
}

/// A client with one token.
pub(crate) struct Client {
    agent: Agent,
    api: String,
    repository: String,
    token: String,
}

impl Client {
    pub(crate) fn writer(sim: &Simulator) -> Self {
        Self::with(sim, Permissions::write())
    }

    pub(crate) fn with(sim: &Simulator, permissions: Permissions) -> Self {
        Self::bearing(sim, &sim.token(permissions))
    }

    pub(crate) fn bearing(sim: &Simulator, token: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            agent: config.into(),
            api: sim.api_url(),
            repository: format!("{}/repos/{}", sim.api_url(), sim.repository()),
            token: token.to_owned(),
        }
    }

    /// A call below the repository.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.attempt(method, path, body).expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &Value::Null)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, body)
    }

    pub(crate) fn attempt(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Reply, ureq::Error> {
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.repository)
        };
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.send(method, &address, &[], body)
    }

    pub(crate) fn graphql(&self, query: &str, variables: &Value) -> Reply {
        let body = json!({ "query": query, "variables": variables });
        let address = format!("{}/graphql", self.api);
        self.attempt("POST", &address, &body).expect("an answer")
    }

    /// Uploads an asset through a release's `upload_url`.
    pub(crate) fn upload(&self, release: &Value, name: &str, bytes: &[u8]) -> Reply {
        let template = release["upload_url"].as_str().expect("an upload_url");
        let base = template.trim_end_matches("{?name,label}");
        let address = format!("{base}?name={name}");
        let headers = [("content-type", "application/octet-stream")];
        self.send("POST", &address, &headers, bytes.to_vec())
            .expect("an answer")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        address: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            .header("user-agent", "test");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = if body.is_empty() {
            self.agent.run(request.body(()).expect("a request"))?
        } else {
            self.agent.run(request.body(body).expect("a request"))?
        };
        read(answer)
    }
}

fn read(answer: Response<Body>) -> Result<Reply, ureq::Error> {
    let (head, mut body) = answer.into_parts();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        bytes: body.read_to_vec()?,
    })
}
