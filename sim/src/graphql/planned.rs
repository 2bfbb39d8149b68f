//! Planned faults of a GraphQL request: errors that GitHub answers occasionally.

use serde_json::{Value, json};

use super::{document, refusal, wire};
use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::fault::Effect;

/// GitHub's message for a request that took too long.
const TIMEOUT: &str = "Something went wrong while executing your query. This may be the result of a \
     timeout, or it could be a GitHub bug. Please include `51AC:0001:0002:0003` when reporting \
     this issue.";

/// The answer that comes instead of the request's own, if the effect is one of GraphQL's.
pub(crate) fn instead(effect: &Effect, call: &Call) -> Option<Answer> {
    Some(match effect {
        Effect::GraphQlError { kind, message } => refused(call, kind, message),
        Effect::StaleData => stale(call),
        Effect::SecondaryLimitAsOk => {
            let error = json!({ "message": crate::misfortune::SECONDARY });
            Answer::ok(json!({ "errors": [error] }))
        }
        Effect::GraphQlTimeout { status } => {
            let body = json!({ "data": null, "errors": [{ "message": TIMEOUT }] });
            Answer::json(*status, body)
        }
        Effect::NullMembers { kind, message } => without_members(call, kind.as_deref(), message),
        Effect::UndefinedField { type_name, field } => undefined(call, type_name, field)?,
        _ => return None,
    })
}

/// HTTP 200 with one error and nothing done.
fn refused(call: &Call, kind: &str, message: &str) -> Answer {
    let (field, _) = root_field(call);
    Answer::ok(json!({
        "data": { &field: null },
        "errors": [{ "type": kind, "path": [field], "message": message }],
    }))
}

/// What GitHub says when the branch is not where the mutation expects it.
fn stale(call: &Call) -> Answer {
    let body = call.object().unwrap_or(Value::Null);
    let expected = body["variables"]["input"]["expectedHeadOid"].as_str();
    refused(call, "STALE_DATA", &refusal::stale(expected.unwrap_or("")))
}

/// How a mutation that validates its input answers: the payload is there and empty.
fn without_members(call: &Call, kind: Option<&str>, message: &str) -> Answer {
    let (field, members) = root_field(call);
    let members = members.into_iter().map(|member| (member, Value::Null));
    let payload = Value::Object(members.collect());
    Answer::ok(json!({
        "data": { &field: payload },
        "errors": [{ "type": kind, "path": [field], "message": message }],
    }))
}

/// How a server answers whose schema lacks a field that the document asks for.
fn undefined(call: &Call, type_name: &str, field: &str) -> Option<Answer> {
    let body = call.object().ok()?;
    let query = body.get("query")?.as_str()?;
    let found = document::find(query, |asked| asked.node.name.node == field)?;
    let error = wire::undefined_field(type_name, field, &found);
    Some(Answer::ok(json!({ "errors": [error] })))
}

fn root_field(call: &Call) -> (String, Vec<String>) {
    let body = call.object().ok();
    let field = body.and_then(|body| document::root_field(&body));
    field.unwrap_or_else(|| ("repository".to_owned(), Vec::new()))
}

/// Cuts an answer short that shows more nodes than GitHub has resources for: those beyond are
/// null, each with its error. Members of the repository count as nodes, so that a query with many
/// aliases is cut as well.
pub(crate) fn cut_short(answer: &mut Answer, nodes: usize) {
    let Content::Json(body) = &mut answer.content else {
        return;
    };
    let mut cut = Cut {
        left: nodes,
        errors: Vec::new(),
    };
    cut.within(&mut body["data"], &mut Vec::new());
    if cut.errors.is_empty() {
        return;
    }
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let errors = errors.into_iter().chain(cut.errors).collect();
    body["errors"] = Value::Array(errors);
}

struct Cut {
    left: usize,
    errors: Vec<Value>,
}

impl Cut {
    fn within(&mut self, value: &mut Value, path: &mut Vec<Value>) {
        match value {
            Value::Array(items) if path.last().is_some_and(|key| key == "nodes") => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.step(item, json!(index), true, path);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    // A connection costs nothing but its nodes, and may not be null itself.
                    let counts = path.len() == 1 && member.get("nodes").is_none();
                    self.step(member, json!(key), counts, path);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, value: &mut Value, key: Value, counts: bool, path: &mut Vec<Value>) {
        let counts = counts && value.is_object();
        path.push(key);
        if counts && self.left == 0 {
            *value = Value::Null;
            self.errors.push(json!({
                "type": "RESOURCE_LIMITS_EXCEEDED",
                "path": path,
                "message": "Resource limits for this query exceeded.",
            }));
        } else {
            self.left -= usize::from(counts);
            self.within(value, path);
        }
        path.pop();
    }
}
