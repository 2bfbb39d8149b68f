//! Rulesets: their names, who may bypass them, and which branches they cover.

use countersign_sim::{Access, Permissions, Simulator, pins};
use serde_json::{Value, json};

use crate::support::Client;

fn administrator(sim: &Simulator) -> Client {
    Client::with(
        sim,
        Permissions {
            administration: Access::Write,
            ..Permissions::write()
        },
    )
}

fn ruleset(name: &str, include: &[&str], exclude: &[&str]) -> Value {
    json!({
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "conditions": { "ref_name": { "include": include, "exclude": exclude } },
        "rules": [{ "type": "deletion" }],
    })
}

/// The rule types that are reported for a branch.
fn rules(client: &Client, branch: &str) -> Vec<String> {
    let rules = client.get(&format!("/rules/branches/{branch}")).json();
    let rules = rules.as_array().unwrap().iter();
    rules
        .map(|rule| rule["type"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_second_ruleset_of_the_same_name_is_refused_with_a_string() {
    pins![A22, A24, N2, S7];
    let sim = Simulator::start();
    let client = administrator(&sim);
    let body = ruleset("ledger", &["refs/heads/ledger"], &[]);
    let made = client.post("/rulesets", &body);
    assert_eq!(made.status, 201);
    let refused = client.post("/rulesets", &body);
    assert_eq!(
        (refused.status, &refused.json()["errors"]),
        (422, &json!(["Name must be unique"]))
    );

    let listed = client.get("/rulesets").json();
    assert_eq!(listed[0]["name"], "ledger");
    let path = format!("/rulesets/{}", made.json()["id"]);
    assert_eq!(client.get(&path).json()["rules"], body["rules"]);
    assert_eq!(client.call("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(client.post("/rulesets", &body).status, 201);
}

#[test]
fn a_jobs_token_cannot_bypass_a_ruleset() {
    pins![B12];
    let sim = Simulator::start();
    let mut body = ruleset("ledger", &["~ALL"], &[]);
    body["bypass_actors"] = json!([{ "actor_id": 15368, "actor_type": "Integration" }]);
    let refused = administrator(&sim).post("/rulesets", &body);
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]),
        (
            422,
            &json!(
                "Actor GitHub Actions integration must be part of the ruleset source or owner \
                 organization"
            )
        )
    );
}

#[test]
fn a_pattern_covers_what_it_includes_but_not_what_it_excludes() {
    let sim = Simulator::start();
    let client = administrator(&sim);
    let body = ruleset("all", &["refs/heads/**"], &["refs/heads/ledger"]);
    client.post("/rulesets", &body);
    assert_eq!(rules(&client, "main"), ["deletion"]);
    assert_eq!(rules(&client, "release/1"), ["deletion"]);
    assert_eq!(rules(&client, "ledger"), [""; 0]);
}

#[test]
fn the_rules_of_an_organization_hold_for_every_branch() {
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["required_signatures"]);
    sim.branch_rules("ledger", &["deletion"]);
    let client = administrator(&sim);
    assert_eq!(rules(&client, "main"), ["required_signatures"]);
    assert_eq!(
        rules(&client, "ledger"),
        ["required_signatures", "deletion"]
    );
    let rule = &client.get("/rules/branches/main").json()[0];
    assert_eq!(
        (&rule["ruleset_source_type"], &rule["ruleset_source"]),
        (&json!("Organization"), &json!("octo"))
    );
}
