//! GraphQL held against the record: each test names the facts that it pins.

mod support;

use countersign_sim::{Effect, Endpoint, Fact, Fault, Simulator, Switch};
use serde_json::{Value, json};
use support::{Client, Reply, pins};

const LEDGER: &str = r#"query Ledger($path: String!) {
  repository(owner: "octo", name: "hello") {
    ledger: ref(qualifiedName: "refs/heads/receipt-ledger") {
      target { ... on Commit {
        state: file(path: $path) { name }
        history(first: 2) { nodes { file(path: $path) { name } } }
      } }
    }
  }
}"#;

/// A ledger of two commits; only the newer one holds `claim`.
fn ledger(sim: &Simulator) {
    sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    sim.commit("receipt-ledger", &[("claim", b"1")]);
}

fn look_for(sim: &Simulator, path: &str) -> Reply {
    Client::writer(sim).graphql(LEDGER, &json!({ "path": path }))
}

fn paths(answer: &Reply) -> Vec<Value> {
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["path"].clone()).collect()
}

#[test]
fn an_absent_file_is_null_and_an_error_under_the_key_it_was_asked_by() {
    pins(&[Fact::F0, Fact::S1]);
    let sim = Simulator::start();
    ledger(&sim);
    let answer = look_for(&sim, "receipts/-");
    assert_eq!(answer.status, 200);
    let target = &answer.json()["data"]["repository"]["ledger"]["target"];
    assert_eq!(target["state"], Value::Null);
    let error = answer.error();
    assert_eq!(error["type"], "NOT_FOUND");
    assert_eq!(
        error["path"],
        json!(["repository", "ledger", "target", "state"])
    );
    assert_eq!(
        error["message"],
        "Could not resolve file for path 'receipts/-'."
    );
}

#[test]
fn a_file_that_one_commit_of_a_history_lacks_is_an_error_at_that_commit() {
    pins(&[Fact::F0]);
    let sim = Simulator::start();
    ledger(&sim);
    let answer = look_for(&sim, "claim");
    let target = ["repository", "ledger", "target", "history", "nodes"];
    let mut path: Vec<Value> = target.iter().map(|key| json!(key)).collect();
    path.extend([json!(1), json!("file")]);
    assert_eq!(paths(&answer), [Value::Array(path)]);
    let history = &answer.json()["data"]["repository"]["ledger"]["target"]["history"];
    assert_eq!(
        history["nodes"],
        json!([{ "file": { "name": "claim" } }, { "file": null }])
    );
}

#[test]
fn absent_files_are_silent_by_a_switch_alone() {
    pins(&[Fact::F0]);
    let sim = Simulator::start();
    ledger(&sim);
    sim.turn_on(Switch::AbsentFilesAreSilent);
    let answer = look_for(&sim, "receipts/-").json();
    assert_eq!(answer["errors"], Value::Null);
    sim.turn_off(Switch::AbsentFilesAreSilent);
    assert_eq!(paths(&look_for(&sim, "receipts/-")).len(), 3);
}

const VIEW: &str = r#"{ repository(owner: "octo", name: "hello") { name } }"#;

#[test]
fn a_spent_budget_is_an_error_at_http_200_without_data_and_without_a_path() {
    pins(&[Fact::U1, Fact::R1, Fact::S3]);
    let sim = Simulator::start();
    sim.rate_limit(10, 0);
    let answer = Client::writer(&sim).graphql(VIEW, &json!({}));
    assert_eq!(answer.status, 200);
    let id = sim.repository_id();
    assert_eq!(
        answer.json(),
        json!({ "errors": [{
            "type": "RATE_LIMIT",
            "code": "graphql_rate_limit",
            "message": format!("API rate limit already exceeded for installation ID {id}."),
        }] })
    );
    assert_eq!(answer.header("x-ratelimit-resource"), Some("graphql"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
}

#[test]
fn older_servers_name_the_limit_with_another_word_and_text() {
    pins(&[Fact::U1, Fact::R1]);
    let sim = Simulator::start();
    sim.turn_on(Switch::OldRateLimitWord);
    sim.rate_limit(10, 0);
    let answer = Client::writer(&sim).graphql(VIEW, &json!({}));
    let id = sim.repository_id();
    assert_eq!(
        answer.json(),
        json!({ "errors": [{
            "type": "RATE_LIMITED",
            "message": format!("API rate limit exceeded for installation ID {id}."),
        }] })
    );
}

#[test]
fn the_limit_may_be_met_while_the_headers_still_show_a_budget() {
    pins(&[Fact::R1]);
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::GraphQl).then(Effect::GraphQlRateLimit));
    let client = Client::writer(&sim);
    let answer = client.graphql(VIEW, &json!({}));
    assert_eq!(answer.error()["type"], "RATE_LIMIT");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("1000"));
    let again = client.graphql(VIEW, &json!({})).json();
    assert_eq!(again["data"]["repository"]["name"], "hello");
}
