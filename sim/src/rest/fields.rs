//! Reading typed fields of a request's body; a wrong type is GitHub's 422 "Invalid request.".

use serde_json::{Map, Value};

use crate::answer::{self, Answer};

/// An optional string; `null` counts as absent.
pub(crate) fn text(body: &Value, name: &str) -> Result<Option<String>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(name, other, "a string")),
    }
}

/// A string that must be there and not empty.
pub(crate) fn required(body: &Value, resource: &str, name: &str) -> Result<String, Answer> {
    text(body, name)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Answer::invalid(vec![answer::field(resource, "missing_field", name)]))
}

/// A string without which GitHub's schema check refuses the request.
pub(crate) fn supplied(body: &Value, name: &str) -> Result<String, Answer> {
    text(body, name)?.ok_or_else(|| {
        Answer::error(
            422,
            format!("Invalid request.\n\n\"{name}\" wasn't supplied."),
        )
    })
}

/// An optional boolean; `null` counts as absent.
pub(crate) fn flag(body: &Value, name: &str) -> Result<Option<bool>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(wrong(name, other, "a boolean")),
    }
}

/// An optional array of strings.
pub(crate) fn texts(body: &Value, name: &str) -> Result<Vec<String>, Answer> {
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let items = value
        .as_array()
        .ok_or_else(|| wrong(name, value, "an array"))?;
    items
        .iter()
        .map(|item| match item {
            Value::String(text) => Ok(text.clone()),
            other => Err(wrong(name, other, "a string")),
        })
        .collect()
}

/// An optional object; `null` counts as an empty one.
pub(crate) fn object(body: &Value, name: &str) -> Result<Map<String, Value>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(other) => Err(wrong(name, other, "an object")),
    }
}

fn wrong(name: &str, value: &Value, wanted: &str) -> Answer {
    let message = format!("Invalid request.\n\nFor 'properties/{name}', {value} is not {wanted}.");
    Answer::error(422, message)
}
