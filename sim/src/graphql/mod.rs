//! GraphQL: GitHub's type names and nullability, as far as the publisher's documents reach.

mod commit;
mod comparison;
mod document;
mod guard;
mod mutation;
mod object;
mod planned;
mod pull;
mod query;
mod refs;
mod refusal;
mod release;
mod repository;
mod rules;
mod scalar;
mod scope;
mod signature;
mod wire;

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::OperationType;
use async_graphql::{EmptySubscription, Request, Schema, Variables};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::log::Kind;
use crate::server::Shared;
pub(crate) use planned::{cut_short, instead};
use scope::{Scope, permissions, world};

type GitHub = Schema<query::Query, mutation::Mutation, EmptySubscription>;

static SCHEMA: LazyLock<GitHub> = LazyLock::new(|| {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription)
        .disable_suggestions()
        .finish()
});

/// Finds out from the body which operation a request is.
pub(crate) fn identify(call: &mut Call) {
    let Ok(body) = call.object() else { return };
    let Some(operation) = document::operation(&body) else {
        return;
    };
    if operation.1.ty == OperationType::Mutation {
        call.kind = Kind::Write;
    }
    call.operation = operation.0;
    call.endpoint = Endpoint::of_operation(call.operation.as_deref());
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
    Answer::ok(wire::body(query, response))
}
