//! Rules that are enforced on refs.

use countersign_sim::{Permissions, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

/// A root commit, made object by object as `ledger init` does.
fn root(client: &Client) -> String {
    let entry = json!({ "path": "a", "mode": "100644", "type": "blob", "content": "1" });
    let tree = client.post("/git/trees", &json!({ "tree": [entry] }));
    let body = json!({ "message": "Start", "tree": tree.text("sha"), "parents": [] });
    client.post("/git/commits", &body).text("sha")
}

fn create(client: &Client, branch: &str, sha: &str) -> Reply {
    let name = format!("refs/heads/{branch}");
    client.post("/git/refs", &json!({ "ref": name, "sha": sha }))
}

fn person(sim: &Simulator) -> Client {
    Client::bearing(sim, &sim.person_token(Permissions::write()))
}

fn failed(answer: &Reply) {
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (422, "Reference update failed")
    );
}

#[test]
fn a_rule_against_creations_refuses_a_new_branch() {
    pins![U3, A73];
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["creation"]);
    let client = Client::writer(&sim);
    failed(&create(&client, "ledger", &root(&client)));
    assert_eq!(sim.ref_oid("refs/heads/ledger"), None);
}

#[test]
fn required_signatures_refuse_the_root_that_a_person_made() {
    pins![U3, A20, B11];
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["required_signatures"]);
    let client = person(&sim);
    failed(&create(&client, "ledger", &root(&client)));
}

#[test]
fn required_signatures_take_the_root_that_a_job_made() {
    pins![U3];
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["required_signatures"]);
    let client = Client::writer(&sim);
    assert_eq!(create(&client, "ledger", &root(&client)).status, 201);
}

#[test]
fn required_signatures_take_no_root_where_the_server_signs_none() {
    pins![U3];
    let sim = Simulator::start();
    sim.turn_on(Switch::WebCommitSigningIsOff);
    sim.branch_rules_everywhere(&["required_signatures"]);
    let client = Client::writer(&sim);
    failed(&create(&client, "ledger", &root(&client)));
}

#[test]
fn a_new_branch_is_judged_only_by_commits_that_no_branch_has() {
    pins![U3];
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["required_signatures"]);
    let main = sim.ref_oid("refs/heads/main").unwrap();
    assert_eq!(create(&person(&sim), "copy", &main).status, 201);
}

#[test]
fn required_checks_refuse_a_new_branch_unless_the_rule_lets_creations_pass() {
    let sim = Simulator::start();
    sim.branch_rules_everywhere(&["required_status_checks"]);
    let client = Client::writer(&sim);
    failed(&create(&client, "ledger", &root(&client)));
}

#[test]
fn rules_refuse_a_move_with_every_reason() {
    pins![F4, U3];
    for (rules, status, reasons) in [
        (
            &["pull_request"][..],
            422,
            "Changes must be made through a pull request.",
        ),
        (
            &["required_status_checks"],
            422,
            "3 of 3 required status checks are expected.",
        ),
        (
            &["required_signatures"],
            409,
            "Commits must have verified signatures.",
        ),
        (&["update"], 422, "Cannot update this protected ref."),
        (
            &["required_signatures", "pull_request"],
            422,
            "Changes must be made through a pull request.\n\nCommits must have verified signatures.",
        ),
    ] {
        let sim = Simulator::start();
        let next = sim.commit("side", &[("a", b"1")]);
        sim.branch_rules_everywhere(rules);
        let body = json!({ "sha": next });
        let refused = Client::writer(&sim).call("PATCH", "/git/refs/heads/main", &body);
        assert_eq!(
            (refused.status, refused.message()),
            (
                status,
                format!("Repository rule violations found\n\n{reasons}\n\n")
            )
        );
    }
}

#[test]
fn a_signed_commit_moves_a_branch_on_top_of_an_unsigned_one() {
    pins![A16, B10];
    let sim = Simulator::start();
    let old = sim.ref_oid("refs/heads/main").unwrap();
    sim.branch_rules_everywhere(&["required_signatures"]);
    let client = Client::writer(&sim);
    let commit = client.get(&format!("/git/commits/{old}")).json();
    let body = json!({ "message": "m", "tree": commit["tree"]["sha"], "parents": [old] });
    let next = client.post("/git/commits", &body).text("sha");
    let moved = client.call("PATCH", "/git/refs/heads/main", &json!({ "sha": next }));
    assert_eq!(moved.status, 200);
}

#[test]
fn classic_protection_refuses_every_change_of_the_branch() {
    pins![F4];
    let sim = Simulator::start();
    let next = sim.commit("side", &[("a", b"1")]);
    sim.protect_classically("main");
    let client = Client::writer(&sim);
    let path = "/git/refs/heads/main";
    let moved = client.call("PATCH", path, &json!({ "sha": next }));
    assert_eq!(
        (moved.status, moved.message().as_str()),
        (422, "Changes must be made through a pull request.")
    );
    assert_eq!(client.call("DELETE", path, &Value::Null).status, 422);

    sim.protect_classically("ledger");
    failed(&create(&client, "ledger", &next));
}
