//! GraphQL: GitHub's type names and nullability, as far as the publisher's documents reach.

mod commit;
mod comparison;
mod mutation;
mod object;
mod pull;
mod query;
mod refusal;
mod repository;
mod scalar;
mod scope;
mod wire;

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};
use async_graphql::parser::{parse_query, types::Selection};
use async_graphql::{EmptySubscription, Request, Schema, Variables};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::log::Kind;
use crate::server::Shared;
use scope::{Scope, permissions, world};

type GitHub = Schema<query::Query, mutation::Mutation, EmptySubscription>;

static SCHEMA: LazyLock<GitHub> =
    LazyLock::new(|| Schema::build(query::Query, mutation::Mutation, EmptySubscription).finish());

/// Finds out from the body which operation a request is.
pub(crate) fn identify(call: &mut Call) {
    let Ok(body) = call.object() else { return };
    let Some(operation) = operation(&body) else {
        return;
    };
    if operation.1.ty == OperationType::Mutation {
        call.kind = Kind::Write;
    }
    call.operation = operation.0;
    call.endpoint = Endpoint::of_operation(call.operation.as_deref());
}

fn operation(body: &Value) -> Option<(Option<String>, OperationDefinition)> {
    let document = parse_query(body.get("query")?.as_str()?).ok()?;
    let wanted = body.get("operationName").and_then(Value::as_str);
    match document.operations {
        DocumentOperations::Single(operation) => Some((None, operation.node)),
        DocumentOperations::Multiple(operations) => operations
            .into_iter()
            .find(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()))
            .map(|(name, operation)| (Some(name.to_string()), operation.node)),
    }
}

/// Answers one GraphQL request; its resolvers run while the caller holds the lock.
pub(crate) fn serve(shared: &Arc<Shared>, call: &Call) -> Answer {
    let body = match call.object() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Some(query) = body.get("query").and_then(Value::as_str) else {
        let message = "A query attribute must be specified and must be a string.";
        return Answer::ok(json!({ "errors": [{ "message": message }] }));
    };
    let variables = body.get("variables").cloned().unwrap_or(Value::Null);
    let mut request = Request::new(query)
        .variables(Variables::from_json(variables))
        .data(Scope::new(Arc::clone(shared), call.grant));
    if let Some(name) = body.get("operationName").and_then(Value::as_str) {
        request = request.operation_name(name);
    }
    let response = futures_executor::block_on(SCHEMA.execute(request));
    Answer::ok(wire::body(response))
}

/// HTTP 200 with one error and nothing done.
pub(crate) fn refused(call: &Call, kind: &str, message: &str) -> Answer {
    let field = call.object().ok().and_then(|body| root_field(&body));
    let field = field.unwrap_or_else(|| "repository".to_owned());
    Answer::ok(json!({
        "data": { &field: null },
        "errors": [{ "type": kind, "path": [field], "message": message }],
    }))
}

/// What GitHub says when the branch is not where the mutation expects it.
pub(crate) fn stale(call: &Call) -> Answer {
    let body = call.object().unwrap_or(Value::Null);
    let expected = body["variables"]["input"]["expectedHeadOid"].as_str();
    refused(call, "STALE_DATA", &refusal::stale(expected.unwrap_or("")))
}

fn root_field(body: &Value) -> Option<String> {
    let (_, operation) = operation(body)?;
    let first = operation.selection_set.node.items.into_iter().next()?;
    match first.node {
        Selection::Field(field) => Some(field.node.response_key().node.to_string()),
        _ => None,
    }
}
