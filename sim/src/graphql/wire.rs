//! A GraphQL response as GitHub writes it: an error's `type` stands beside its message.

use async_graphql::{PathSegment, Response, ServerError};
use serde_json::{Map, Value, json};

use super::document::{self, Found};
use super::refusal::TYPE;

/// The response's body. What fails validation has no `data` at all.
pub(super) fn body(query: &str, response: Response) -> Value {
    let mut body = Map::new();
    let executed = response.errors.iter().all(|error| !error.path.is_empty());
    if executed {
        let mut data = response.data.into_json().unwrap_or(Value::Null);
        for error in &response.errors {
            null_parent(&mut data, &error.path);
        }
        body.insert("data".to_owned(), data);
    }
    if !response.errors.is_empty() {
        let errors = response.errors.iter();
        let errors = errors.map(|failed| invalid(query, failed).unwrap_or_else(|| error(failed)));
        let errors = errors.collect();
        body.insert("errors".to_owned(), Value::Array(errors));
    }
    Value::Object(body)
}

/// A member that failed and may not be null takes its parent away (GraphQL, "Handling Execution
/// Errors"); the library leaves it out instead. Here every such parent may be null itself.
fn null_parent(data: &mut Value, path: &[PathSegment]) {
    let Some((PathSegment::Field(last), parents)) = path.split_last() else {
        return;
    };
    let parent = parents.iter().try_fold(data, |value, step| match step {
        PathSegment::Field(name) => value.get_mut(name),
        PathSegment::Index(index) => value.get_mut(index),
    });
    if let Some(parent) = parent
        && parent
            .as_object()
            .is_some_and(|members| !members.contains_key(last))
    {
        *parent = Value::Null;
    }
}

/// The error for a field that the schema does not have.
pub(super) fn undefined_field(type_name: &str, field: &str, found: &Found) -> Value {
    json!({
        "path": found.path,
        "extensions": { "code": "undefinedField", "typeName": type_name, "fieldName": field },
        "locations": [{ "line": found.line, "column": found.column }],
        "message": format!("Field '{field}' doesn't exist on type '{type_name}'"),
    })
}

/// The library's words for an undefined field as graphql-ruby puts them; its other complaints stay.
fn invalid(query: &str, error: &ServerError) -> Option<Value> {
    let rest = error.message.strip_prefix("Unknown field \"")?;
    let (field, rest) = rest.split_once("\" on type \"")?;
    let type_name = rest.strip_suffix("\".")?;
    let found = document::find(query, |asked| error.locations.contains(&asked.pos))?;
    Some(undefined_field(type_name, field, &found))
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
