//! What members of one document say about each other, as far as a schema can tell it.

use alloc::string::String;

use schemars::Schema;
use serde_json::{Map, Value, json};

/// A draft or prerelease is never the latest release.
pub(crate) fn latest_is_a_full_release(schema: &mut Schema) {
    schema.insert(
        "if".into(),
        json!({ "anyOf": [{ "properties": { "draft": { "const": true } } }, { "properties": { "prerelease": { "const": true } } }] }),
    );
    schema.insert(
        "then".into(),
        json!({ "properties": { "make_latest": { "enum": ["false", "legacy"] } } }),
    );
}

/// Sequence 0 and no digest belong together.
pub(crate) fn no_entry_has_no_digest(schema: &mut Schema) {
    schema.insert(
        "if".into(),
        json!({ "properties": { "sequence": { "const": 0 } } }),
    );
    schema.insert(
        "then".into(),
        json!({ "properties": { "digest": { "type": "null" } } }),
    );
    schema.insert(
        "else".into(),
        json!({ "properties": { "digest": { "type": "string" } } }),
    );
}

/// A claim holds the receipt, an outcome what GitHub answered; the first entry has none before it.
pub(crate) fn claims_and_outcomes(schema: &mut Schema) {
    let members = |receipt: &str, response: &str| json!({ "properties": { "receipt": { "type": receipt }, "github_response": { "type": response } } });
    let claimed = crate::ledger::EventType::Claimed.as_str();
    schema.insert(
        "if".into(),
        json!({ "properties": { "event_type": { "const": claimed } } }),
    );
    schema.insert("then".into(), members("object", "null"));
    schema.insert("else".into(), members("null", "object"));
    schema.insert(
        "allOf".into(),
        json!([{
            "if": { "properties": { "sequence": { "const": 1 } } },
            "then": { "properties": { "previous": { "type": "null" } } },
            "else": { "properties": { "previous": { "type": "string" } } },
        }]),
    );
}

/// DSSE makes the key id optional.
pub(crate) fn key_id_may_be_absent(schema: &mut Schema) {
    schema.insert("required".into(), json!(["sig"]));
}

/// A rule names a tag, or a branch if it is about pull requests.
pub(crate) fn tag_or_branch(schema: &mut Schema) {
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    let pattern = members["tag"].clone();
    members["tag"]["description"] = json!("For releases and tags: a pattern for the tag's name.");
    members.insert("branch".into(), pattern);
    members["branch"]["description"] =
        json!("For pull requests: a pattern for the branch into which is to be merged.");
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|member| member != "tag");
    }
    schema.insert(
        "if".into(),
        json!({ "properties": { "operation": { "const": "open_pr" } } }),
    );
    schema.insert(
        "then".into(),
        json!({ "required": ["branch"], "properties": { "tag": false } }),
    );
    schema.insert(
        "else".into(),
        json!({ "required": ["tag"], "properties": { "branch": false } }),
    );
}

/// The version of a trust file as people write it: its keys are called `key`, the rest comes from `trust propose`.
pub(crate) fn as_people_write_it(schema: &mut Schema) {
    for member in ["previous", "issued_at", "policy"] {
        remove(schema, member);
    }
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(keys) = members.remove("keys") {
        members.insert("key".into(), keys);
    }
    schema.insert("required".into(), json!(["version", "threshold", "key"]));
    if let Some(key) = schema
        .pointer_mut("/$defs/KnownKey/properties")
        .and_then(Value::as_object_mut)
    {
        never_null(key);
    }
}

fn remove(schema: &mut Schema, member: &str) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.remove(member);
    }
}

/// TOML has no null: what is not known is left out.
fn never_null(members: &mut Map<String, Value>) {
    for member in members.values_mut() {
        let Some(either) = member
            .as_object_mut()
            .and_then(|member| member.remove("anyOf"))
        else {
            continue;
        };
        if let Some(reference) = either.pointer("/0/$ref") {
            member["$ref"] = reference.clone();
        }
    }
}
