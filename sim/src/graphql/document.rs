//! Documents as graphql-ruby looks at them: the operation that runs, and paths of fields.

use async_graphql::Positioned;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use serde_json::Value;

/// The operation of a request's body that is to be executed, with its name.
pub(super) fn operation(body: &Value) -> Option<(Option<String>, OperationDefinition)> {
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

/// The response keys of an operation's first field and of what is selected below it.
pub(super) fn root_field(body: &Value) -> Option<(String, Vec<String>)> {
    let (_, operation) = operation(body)?;
    let first = operation.selection_set.node.items.into_iter().next()?;
    let Selection::Field(field) = first.node else {
        return None;
    };
    let members = &field.node.selection_set.node.items;
    let members = members.iter().filter_map(|item| match &item.node {
        Selection::Field(member) => Some(key(member)),
        _ => None,
    });
    Some((key(&field), members.collect()))
}

fn key(field: &Positioned<Field>) -> String {
    field.node.response_key().node.to_string()
}

/// A field with the path that validation errors name it by, such as
/// `["query Preflight", "repository", "ledger", "rules"]`.
pub(super) struct Found {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The first field that passes a test.
pub(super) fn find(query: &str, test: impl Fn(&Positioned<Field>) -> bool) -> Option<Found> {
    let document = parse_query(query).ok()?;
    definitions(&document).find_map(|(title, selections)| {
        let mut path = vec![title];
        within(selections, &mut path, &test)
    })
}

fn definitions(document: &ExecutableDocument) -> impl Iterator<Item = (String, &SelectionSet)> {
    let operations = document.operations.iter().map(|(name, operation)| {
        let kind = match operation.node.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let title = name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"));
        (title, &operation.node.selection_set.node)
    });
    let fragments = document.fragments.iter().map(|(name, fragment)| {
        let title = format!("fragment {name}");
        (title, &fragment.node.selection_set.node)
    });
    operations.chain(fragments)
}

fn within(
    selections: &SelectionSet,
    path: &mut Vec<String>,
    test: &impl Fn(&Positioned<Field>) -> bool,
) -> Option<Found> {
    selections.items.iter().find_map(|item| {
        let (step, below) = match &item.node {
            Selection::Field(field) => (key(field), &field.node.selection_set.node),
            Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref();
                let on = on.map(|on| format!("... on {}", on.node.on.node));
                let step = on.unwrap_or_else(|| "...".to_owned());
                (step, &fragment.node.selection_set.node)
            }
            Selection::FragmentSpread(_) => return None,
        };
        path.push(step);
        let found = match &item.node {
            Selection::Field(field) if test(field) => Some(Found {
                path: path.clone(),
                line: field.pos.line,
                column: field.pos.column,
            }),
            _ => within(below, path, test),
        };
        path.pop();
        found
    })
}
