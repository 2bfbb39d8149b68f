//! Appends to a branch: who refuses them and how, who signs them, and what their payload shows.
#![expect(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use countersign_sim::{Effect, Endpoint, Fault, Permissions, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

const APPEND: &str = include_str!("../../../src/github/documents/append.graphql");

/// Makes a ledger branch of one commit and returns the commit's oid.
fn ledger(sim: &Simulator) -> String {
    sim.orphan("receipt-ledger", &[("ledger.json", b"{}")])
}

fn append(client: &Client, head: &str, changes: &Value) -> Reply {
    let input = json!({
        "branch": { "repositoryNameWithOwner": "octo/hello", "branchName": "receipt-ledger" },
        "message": { "headline": "Claim" },
        "expectedHeadOid": head,
        "fileChanges": changes,
    });
    let variables = json!({ "input": input, "watchedRef": "refs/tags/v1" });
    client.graphql(APPEND, &variables)
}

fn addition() -> Value {
    json!({ "additions": [{ "path": "claim", "contents": "MQ==" }] })
}

fn claim(sim: &Simulator) -> Reply {
    let head = sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    append(&Client::writer(sim), &head, &addition())
}

/// Type and text of the error of a mutation that returned nothing and changed nothing.
fn refusal(sim: &Simulator, answer: &Reply) -> (String, String) {
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["data"], json!({ "createCommitOnBranch": null }));
    assert_eq!(answer.error_paths(), [json!(["createCommitOnBranch"])]);
    assert_eq!(sim.effects(), Vec::<String>::new());
    let text = |member: &str| answer.error()[member].as_str().unwrap().to_owned();
    (text("type"), text("message"))
}

#[test]
fn classic_protection_refuses_an_append_by_a_type_of_its_own() {
    pins![F4, R2, S4, A14, B13];
    let sim = Simulator::start();
    ledger(&sim);
    sim.protect_classically("receipt-ledger");
    let answer = claim(&sim);
    let (kind, message) = refusal(&sim, &answer);
    assert_eq!(kind, "BRANCH_PROTECTION_RULE_VIOLATION");
    assert_eq!(
        message,
        "protected branch 'receipt-ledger' check failed:\n  Changes must be made through a pull \
         request."
    );
    let location = &answer.error()["locations"][0];
    assert_eq!(location, &json!({ "line": 2, "column": 3 }));
}

#[test]
fn rules_refuse_an_append_as_forbidden() {
    pins![F4, R2, S4, B12, B14];
    let checks = "3 of 3 required status checks are expected.";
    for (rule, reason) in [
        ("required_status_checks", checks),
        (
            "pull_request",
            "Changes must be made through a pull request.",
        ),
        ("update", "Cannot update this protected ref."),
    ] {
        let sim = Simulator::start();
        ledger(&sim);
        sim.branch_rules("receipt-ledger", &[rule]);
        let (kind, message) = refusal(&sim, &claim(&sim));
        assert_eq!(kind, "FORBIDDEN", "{rule}");
        let text = format!("Repository rule violations found\n\n{reason}\n\n");
        assert_eq!(message, text);
    }
}

#[test]
fn rules_of_the_organization_refuse_an_append_like_those_of_the_repository() {
    pins![B12];
    let sim = Simulator::start();
    ledger(&sim);
    sim.branch_rules_everywhere(&["pull_request"]);
    let (kind, _) = refusal(&sim, &claim(&sim));
    assert_eq!(kind, "FORBIDDEN");
}

#[test]
fn rules_about_creation_deletion_and_history_allow_an_append() {
    pins![B14, A16, B10];
    let sim = Simulator::start();
    ledger(&sim);
    sim.branch_rules_everywhere(&[
        "creation",
        "deletion",
        "non_fast_forward",
        "required_linear_history",
        "required_signatures",
    ]);
    assert_eq!(claim(&sim).error_paths(), Vec::<Value>::new());
    assert_eq!(sim.effects(), ["commit on receipt-ledger"]);
}

#[test]
fn a_server_that_signs_nothing_refuses_every_append_where_signatures_are_required() {
    pins![U3, A15];
    let sim = Simulator::start();
    ledger(&sim);
    sim.turn_on(Switch::WebCommitSigningIsOff);
    assert_eq!(claim(&sim).error_paths(), Vec::<Value>::new());

    let other = Simulator::start();
    ledger(&other);
    other.turn_on(Switch::WebCommitSigningIsOff);
    other.branch_rules("receipt-ledger", &["required_signatures"]);
    let (kind, message) = refusal(&other, &claim(&other));
    assert_eq!(kind, "FORBIDDEN");
    let text = "Repository rule violations found\n\nCommits must have verified signatures.\n\n";
    assert_eq!(message, text);
}

const SIGNATURE: &str = r#"{ repository(owner: "octo", name: "hello") {
  ref(qualifiedName: "refs/heads/receipt-ledger") { target { ... on Commit {
    signature { __typename isValid wasSignedByGitHub state email }
  } } }
} }"#;

fn signature(sim: &Simulator) -> Value {
    let answer = Client::writer(sim).graphql(SIGNATURE, &json!({})).json();
    answer["data"]["repository"]["ref"]["target"]["signature"].clone()
}

#[test]
fn an_append_is_signed_by_github_for_a_job_and_for_a_person() {
    pins![A15, L3];
    let sim = Simulator::start();
    let head = ledger(&sim);
    assert_eq!(signature(&sim), Value::Null);
    let person = Client::bearing(&sim, &sim.person_token(Permissions::write()));
    let made = append(&person, &head, &addition());

    assert_eq!(made.error_paths(), Vec::<Value>::new());
    let githubs = json!({
        "__typename": "GpgSignature",
        "isValid": true,
        "wasSignedByGitHub": true,
        "state": "VALID",
        "email": "noreply@github.com",
    });
    assert_eq!(signature(&sim), githubs);
    claim(&sim);
    assert_eq!(signature(&sim), githubs);
}

#[test]
fn a_deletion_of_an_absent_path_is_not_found() {
    pins![A15];
    let sim = Simulator::start();
    let head = ledger(&sim);
    let deletion = json!({ "deletions": [{ "path": "none" }] });
    let answer = append(&Client::writer(&sim), &head, &deletion);
    let (kind, message) = refusal(&sim, &answer);
    assert_eq!(kind, "NOT_FOUND");
    let text =
        format!("A path was requested for deletion which does not exist as of commit oid `{head}`");
    assert_eq!(message, text);
}

#[test]
fn a_mutation_that_validates_answers_a_payload_whose_members_are_null() {
    pins![R3, S11];
    let sim = Simulator::start();
    ledger(&sim);
    for kind in [Some("UNPROCESSABLE".to_owned()), None] {
        sim.plan(Fault::on(Endpoint::Append).then(Effect::NullMembers {
            kind: kind.clone(),
            message: "Something about the input".to_owned(),
        }));
        let answer = claim(&sim);
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json()["data"],
            json!({ "createCommitOnBranch": { "commit": null } })
        );
        assert_eq!(answer.error()["type"], json!(kind));
        assert_eq!(answer.error_paths(), [json!(["createCommitOnBranch"])]);
    }
    assert_eq!(sim.effects(), Vec::<String>::new());
}

fn tag_in_payload(answer: &Reply) -> Value {
    let body = answer.json();
    body["data"]["createCommitOnBranch"]["commit"]["repository"]["watched"].clone()
}

#[test]
fn a_tag_that_was_just_made_is_missing_from_the_payload_for_some_looks() {
    pins![F2, N3];
    let sim = Simulator::start();
    ledger(&sim);
    sim.turn_on(Switch::FreshRefsAreMissing);
    sim.lag(2);
    let main = sim.ref_oid("refs/heads/main").unwrap();
    let client = Client::writer(&sim);
    let tag = json!({ "ref": "refs/tags/v1", "sha": main });
    assert_eq!(client.post("/git/refs", &tag).status, 201);

    assert_eq!(tag_in_payload(&claim(&sim)), Value::Null);
    assert_eq!(client.get("/git/ref/tags/v1").status, 404);
    assert_eq!(client.get("/git/ref/tags/v1").status, 200);
    let shown = tag_in_payload(&claim(&sim));
    assert_eq!(shown["target"]["oid"], main.as_str());
}
