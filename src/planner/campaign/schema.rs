//! The schema of campaign files in `docs/schema`, made from the members that the reader knows.

use std::{fs, path::Path};

use boon::{Compiler, Schemas};
use serde_json::{Map, Value, json};

use super::{FLAGS, LISTS, MEMBERS, MOST_OPERATIONS};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What action.yml says of an input.
fn description(input: &str) -> String {
    let action = fs::read_to_string(root().join("action.yml")).unwrap();
    let rest = action.split(&format!("\n  {input}:\n")).nth(1).unwrap();
    rest.split("description: \"")
        .nth(1)
        .unwrap()
        .split("\"\n")
        .next()
        .unwrap()
        .to_owned()
}

fn member(name: &str) -> Value {
    let mut member = if FLAGS.contains(&name) {
        json!({ "type": "boolean" })
    } else if LISTS.contains(&name) {
        let pattern = if name == "files" {
            r"^[^\n\r]*$"
        } else {
            r"^[^\n\r,]*$"
        };
        json!({ "type": "array", "items": { "type": "string", "pattern": pattern } })
    } else {
        json!({ "type": "string" })
    };
    member["description"] = json!(description(name));
    member
}

/// Names are those of plans, so their schemas are too.
fn schema() -> Value {
    let plan: Value =
        serde_json::from_slice(&fs::read(root().join("docs/schema/plan.schema.json")).unwrap())
            .unwrap();
    let mut members: Map<String, Value> = MEMBERS
        .iter()
        .map(|(name, _)| ((*name).to_owned(), member(name)))
        .collect();
    members.insert(
        "id".into(),
        json!({ "$ref": "#/$defs/StepId", "description": "Its name in the plan, once." }),
    );
    members.insert(
        "operation".into(),
        json!({ "$ref": "#/$defs/Kind", "description": "What is to be done." }),
    );
    members.insert(
        "needs".into(),
        json!({ "type": "array", "items": { "$ref": "#/$defs/StepId" }, "description": "The ids that must come before it." }),
    );
    let operation = json!({
        "type": "object",
        "description": "One operation. Which of its inputs are needed depends on its kind.",
        "properties": members,
        "required": ["id", "operation"],
        "additionalProperties": false,
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:countersign:schema:campaign",
        "title": "A campaign (TOML)",
        "description": "Several operations that belong together. `{name}` stands for a variable in every text but names; `{{` and `}}` for braces.",
        "type": "object",
        "properties": {
            "name": { "$ref": "#/$defs/Title", "description": "What plan, records and summary call the campaign." },
            "variables": {
                "type": "object",
                "description": "Texts that stand for `{name}`.",
                "patternProperties": { "^[A-Za-z0-9_-]{1,40}$": { "type": "string" } },
                "additionalProperties": false,
            },
            "operation": { "type": "array", "description": "The operations.", "items": { "$ref": "#/$defs/Operation" }, "minItems": 1, "maxItems": MOST_OPERATIONS },
        },
        "required": ["name", "operation"],
        "additionalProperties": false,
        "$defs": { "Operation": operation, "StepId": plan["$defs"]["StepId"], "Kind": plan["$defs"]["Kind"], "Title": plan["$defs"]["Title"] },
    })
}

/// With `BLESS_SCHEMAS=1` it is written anew.
#[test]
fn the_schema_of_campaigns_knows_the_members_of_the_reader() {
    let schema = schema();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("schema:/", schema.clone()).unwrap();
    compiler.compile("schema:/", &mut schemas).unwrap();
    let path = root().join("docs/schema/campaign.schema.json");
    // In ASCII, as the others.
    let units = format!("{schema:#}\n")
        .encode_utf16()
        .map(char_or_escape)
        .collect::<String>();
    if std::env::var_os("BLESS_SCHEMAS").is_some() {
        fs::write(&path, &units).unwrap();
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|kept| kept == units),
        "{} differs: run with BLESS_SCHEMAS=1",
        path.display()
    );
}

fn char_or_escape(unit: u16) -> String {
    u8::try_from(unit).ok().filter(u8::is_ascii).map_or_else(
        || format!("\\u{unit:04x}"),
        |byte| char::from(byte).to_string(),
    )
}
