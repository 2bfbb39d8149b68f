//! Which commits of the git data API GitHub signs.

use countersign_sim::{Permissions, Simulator, Switch};
use serde_json::{Value, json};

use crate::support::Client;

/// The `verification` of a root commit that this client makes.
fn verification(client: &Client, more: &Value) -> Value {
    let entry = json!({ "path": "a", "mode": "100644", "type": "blob", "content": "1" });
    let tree = client.post("/git/trees", &json!({ "tree": [entry] }));
    let mut body = json!({ "message": "Start", "tree": tree.text("sha"), "parents": [] });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let commit = client.post("/git/commits", &body).json();
    let sha = commit["sha"].as_str().unwrap();

    let read = client.get(&format!("/git/commits/{sha}")).json();
    assert_eq!(read["verification"], commit["verification"]);
    read["verification"].clone()
}

#[test]
fn a_commit_of_a_jobs_token_that_names_no_author_is_signed() {
    let sim = Simulator::start();
    let signed = verification(&Client::writer(&sim), &json!({}));
    assert_eq!(
        (&signed["verified"], &signed["reason"]),
        (&json!(true), &json!("valid"))
    );
    assert!(signed["payload"].as_str().unwrap().starts_with("tree "));
}

#[test]
fn a_commit_that_names_its_author_is_not_signed() {
    let sim = Simulator::start();
    let author = json!({ "author": { "name": "A", "email": "a@example.com" } });
    let unsigned = verification(&Client::writer(&sim), &author);
    assert_eq!(
        (&unsigned["verified"], &unsigned["reason"]),
        (&json!(false), &json!("unsigned"))
    );
}

#[test]
fn a_commit_of_a_persons_token_is_not_signed() {
    let sim = Simulator::start();
    let token = sim.person_token(Permissions::write());
    let unsigned = verification(&Client::bearing(&sim, &token), &json!({}));
    assert_eq!(unsigned["verified"], false);
}

#[test]
fn a_server_without_web_commit_signing_signs_nothing() {
    let sim = Simulator::start();
    sim.turn_on(Switch::WebCommitSigningIsOff);
    let unsigned = verification(&Client::writer(&sim), &json!({}));
    assert_eq!(unsigned["verified"], false);
}
