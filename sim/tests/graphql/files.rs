//! Files of a commit and the history of a path.
#![expect(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

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

const COMMITS: &str = r#"query Commits($first: Int!, $after: String) {
  repository(owner: "octo", name: "hello") {
    ref(qualifiedName: "refs/heads/receipt-ledger") { target { ... on Commit {
      history(first: $first, after: $after) {
        nodes { oid parents(first: 2) { nodes { oid } } file(path: "ledger.json") { mode } }
        pageInfo { hasNextPage endCursor }
      }
    } } }
  }
}"#;

/// Every page of the ledger's history, as many commits at a time: ids and their parents.
fn commits(sim: &Simulator, first: usize) -> Vec<(String, Vec<String>)> {
    let client = Client::writer(sim);
    let id = |commit: &Value| commit["oid"].as_str().unwrap().to_owned();
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let asked = json!({ "first": first, "after": after });
        let answer = client.graphql(COMMITS, &asked).json();
        let page = &answer["data"]["repository"]["ref"]["target"]["history"];
        for node in page["nodes"].as_array().unwrap() {
            assert_eq!(node["file"]["mode"], 0o100_644);
            let parents = node["parents"]["nodes"].as_array().unwrap();
            found.push((id(node), parents.iter().map(id).collect()));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[test]
fn a_history_lists_a_parent_after_its_child_however_large_its_pages_are() {
    pins![L1, L2];
    let sim = Simulator::start();
    ledger(&sim);
    for _ in 0..5 {
        sim.commit("receipt-ledger", &[("more", b"1")]);
    }

    let whole = commits(&sim, 100);
    assert_eq!(whole.len(), 7);
    let next = whole.iter().skip(1).map(|(id, _)| vec![id.clone()]);
    let parents: Vec<_> = whole.iter().map(|(_, parents)| parents.clone()).collect();
    assert_eq!(parents, next.chain([Vec::new()]).collect::<Vec<_>>());
    assert_eq!(commits(&sim, 3), whole);
}
