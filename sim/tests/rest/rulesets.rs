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

#[test]
fn a_ruleset_for_tags_restricts_the_creation_of_those_that_it_covers() {
    pins![A73];
    let sim = Simulator::start();
    let client = administrator(&sim);
    let mut body = ruleset("tags", &["refs/tags/v*"], &[]);
    body["target"] = json!("tag");
    body["rules"] = json!([{ "type": "creation" }]);
    client.post("/rulesets", &body);

    let head = sim.ref_oid("refs/heads/main").unwrap();
    let tag = |name: &str| {
        let body = json!({ "ref": format!("refs/tags/{name}"), "sha": head });
        client.post("/git/refs", &body)
    };
    assert_eq!(tag("other").status, 201);
    let refused = tag("v1");
    assert_eq!(
        (refused.status, &refused.json()["message"]),
        (422, &json!("Reference update failed"))
    );

    let release = json!({ "tag_name": "v1", "target_commitish": head });
    let refused = client.post("/releases", &release);
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["field"]),
        (422, &json!("pre_receive"))
    );
}

#[test]
fn a_classically_protected_branch_is_deleted_only_after_its_protection() {
    pins![B13];
    let sim = Simulator::start();
    let client = administrator(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let next = json!({ "ref": "refs/heads/next", "sha": head });
    assert_eq!(client.post("/git/refs", &next).status, 201);

    let protection = json!({
        "enforce_admins": true,
        "required_pull_request_reviews": { "required_approving_review_count": 1 },
        "required_status_checks": null,
        "restrictions": null,
    });
    let path = "/branches/next/protection";
    assert_eq!(client.call("PUT", path, &protection).status, 200);
    let delete = |path: &str| client.call("DELETE", path, &Value::Null).status;
    assert_eq!(delete("/git/refs/heads/next"), 422);
    assert_eq!(delete(path), 204);
    assert_eq!(delete(path), 404);
    assert_eq!(delete("/git/refs/heads/next"), 204);
}
