//! A repository without any branch.

use countersign_sim::{Simulator, pins};
use serde_json::json;

use crate::support::{Client, Reply};

fn empty(answer: &Reply) {
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (409, "Git Repository is empty.")
    );
}

#[test]
fn an_empty_repository_has_no_git_database() {
    pins![A21];
    let sim = Simulator::builder().empty().start();
    let client = Client::writer(&sim);
    let entry = json!({ "path": "a", "mode": "100644", "type": "blob", "content": "1" });
    empty(&client.post("/git/trees", &json!({ "tree": [entry] })));
    empty(&client.post("/git/commits", &json!({ "message": "m", "tree": "0" })));
    empty(&client.post("/git/refs", &json!({ "ref": "refs/heads/a", "sha": "0" })));
    empty(&client.get("/git/ref/heads/main"));
    assert_eq!(client.get("").status, 200);
}

#[test]
fn a_first_commit_ends_that() {
    let sim = Simulator::builder().empty().start();
    let first = sim.commit("main", &[("a", b"1")]);
    let found = Client::writer(&sim).get("/git/ref/heads/main");
    assert_eq!(found.json()["object"]["sha"], first);
}

#[test]
fn a_repository_whose_last_branch_is_gone_is_empty() {
    pins![C4];
    let sim = Simulator::start();
    assert!(sim.delete_ref("refs/heads/main"));
    empty(&Client::writer(&sim).get("/git/ref/heads/main"));
}
