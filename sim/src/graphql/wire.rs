//! A GraphQL response as GitHub writes it: an error's `type` stands beside its message.

use async_graphql::{PathSegment, Response, ServerError};
use serde_json::{Map, Value, json};

use super::refusal::TYPE;

/// The response's body. What fails validation has no `data` at all.
pub(super) fn body(response: Response) -> Value {
    let mut body = Map::new();
    let executed = response.errors.iter().all(|error| !error.path.is_empty());
    if executed {
        let data = response.data.into_json();
        body.insert("data".to_owned(), data.unwrap_or(Value::Null));
    }
    if !response.errors.is_empty() {
        let errors = response.errors.iter().map(error).collect();
        body.insert("errors".to_owned(), Value::Array(errors));
    }
    Value::Object(body)
}

fn error(error: &ServerError) -> Value {
    let mut body = Map::new();
    let extensions = json!(error.extensions);
    let mut extensions = extensions.as_object().cloned().unwrap_or_default();
    if let Some(kind) = extensions.remove(TYPE) {
        body.insert("type".to_owned(), kind);
    }
    if !error.path.is_empty() {
        let path = error.path.iter().map(segment).collect();
        body.insert("path".to_owned(), Value::Array(path));
    }
    let locations: Vec<Value> = error
        .locations
        .iter()
        .map(|at| json!({ "line": at.line, "column": at.column }))
        .collect();
    if !extensions.is_empty() {
        body.insert("extensions".to_owned(), Value::Object(extensions));
    }
    body.insert("locations".to_owned(), Value::Array(locations));
    body.insert("message".to_owned(), json!(error.message));
    Value::Object(body)
}

fn segment(segment: &PathSegment) -> Value {
    match segment {
        PathSegment::Field(name) => json!(name),
        PathSegment::Index(index) => json!(index),
    }
}
