//! Files of a commit and the history of a path.

use countersign_sim::{Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

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

#[test]
fn an_absent_file_is_null_and_an_error_under_the_key_it_was_asked_by() {
    pins![F0, S1];
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
    pins![F0];
    let sim = Simulator::start();
    ledger(&sim);
    let answer = look_for(&sim, "claim");
    let target = ["repository", "ledger", "target", "history", "nodes"];
    let mut path: Vec<Value> = target.iter().map(|key| json!(key)).collect();
    path.extend([json!(1), json!("file")]);
    assert_eq!(answer.error_paths(), [Value::Array(path)]);
    let history = &answer.json()["data"]["repository"]["ledger"]["target"]["history"];
    assert_eq!(
        history["nodes"],
        json!([{ "file": { "name": "claim" } }, { "file": null }])
    );
}

#[test]
fn absent_files_are_silent_only_with_the_switch() {
    pins![F0];
    let sim = Simulator::start();
    ledger(&sim);
    sim.turn_on(Switch::AbsentFilesAreSilent);
    let answer = look_for(&sim, "receipts/-").json();
    assert_eq!(answer["errors"], Value::Null);
    sim.turn_off(Switch::AbsentFilesAreSilent);
    assert_eq!(look_for(&sim, "receipts/-").error_paths().len(), 3);
}

const HISTORY: &str = r#"{ repository(owner: "octo", name: "hello") {
  ref(qualifiedName: "refs/heads/receipt-ledger") {
    target { ... on Commit { history(path: "receipts/-", first: 20) { nodes { oid } } } }
  }
} }"#;

#[test]
fn the_history_of_a_path_that_never_was_is_empty_and_no_error() {
    pins![A5, B8, N5];
    let sim = Simulator::start();
    ledger(&sim);
    let answer = Client::writer(&sim).graphql(HISTORY, &json!({}));
    let target = &answer.json()["data"]["repository"]["ref"]["target"];
    assert_eq!(target["history"]["nodes"], json!([]));
    assert_eq!(answer.error_paths(), Vec::<Value>::new());
}
