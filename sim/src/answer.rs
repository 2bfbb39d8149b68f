//! Answers, with errors in GitHub's own shape.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;

/// What goes back to the client, before the headers that every answer has.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    Json(Value),
    Raw {
        content_type: &'static str,
        bytes: Bytes,
    },
}

/// A handler's result: both sides are answers, so that `?` ends a request early.
pub(crate) type Served = Result<Answer, Answer>;

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Json(body),
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn created(body: Value) -> Self {
        Self::json(201, body)
    }

    /// 201 with the address of what was made, which the body has as `url`.
    pub(crate) fn created_there(body: Value) -> Self {
        let address = body["url"].as_str().unwrap_or_default().to_owned();
        Self::created(body).with("location", address)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            content: Content::Empty,
        }
    }

    pub(crate) fn raw(status: u16, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Raw {
                content_type,
                bytes: bytes.into(),
            },
        }
    }

    /// `{"message", "documentation_url", "status"}`; the page is filled in once the endpoint is known.
    pub(crate) fn error(status: u16, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::json(
            status,
            json!({
                "message": message,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.to_string(),
            }),
        )
    }

    /// 422 "Validation Failed" with these `errors`.
    pub(crate) fn invalid(errors: Vec<Value>) -> Self {
        let mut answer = Self::error(422, "Validation Failed");
        if let Content::Json(body) = &mut answer.content {
            body["errors"] = Value::Array(errors);
        }
        answer
    }

    /// 422 with one error of code `custom`.
    pub(crate) fn custom(resource: &str, field: &str, message: &str) -> Self {
        Self::invalid(vec![custom(resource, field, message)])
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// 403 for a token that lacks a permission.
    pub(crate) fn forbidden(accepted: &str) -> Self {
        let answer = Self::error(403, "Resource not accessible by integration");
        answer.with("x-accepted-github-permissions", accepted)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Error bodies name the documentation of the endpoint that refused.
    pub(crate) fn documented(mut self, endpoint: Endpoint) -> Self {
        if let Content::Json(body) = &mut self.content
            && self.status >= 400
            && body.get("documentation_url").is_some()
        {
            body["documentation_url"] = json!(endpoint.documentation());
        }
        self
    }
}

/// `{resource, code, field}`.
pub(crate) fn field(resource: &str, code: &str, field: &str) -> Value {
    json!({ "resource": resource, "code": code, "field": field })
}

/// `{resource, code: custom, field, message}`.
pub(crate) fn custom(resource: &str, field: &str, message: &str) -> Value {
    json!({ "resource": resource, "code": "custom", "field": field, "message": message })
}
