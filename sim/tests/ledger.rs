//! GraphQL: the publisher's own documents, the expected head and the errors at HTTP 200.

mod support;

use countersign_sim::{Effect, Endpoint, Fault, Kind, Permissions, Simulator};
use serde_json::{Value, json};
use support::Client;

const APPEND: &str = include_str!("../../src/github/documents/append.graphql");
const PREFLIGHT: &str = include_str!("../../src/github/documents/preflight.graphql");
const RESOLVE: &str = include_str!("../../src/github/documents/resolve.graphql");

fn append(head: &str, path: &str) -> Value {
    json!({ "input": {
        "branch": { "repositoryNameWithOwner": "Octo/HELLO", "branchName": "receipt-ledger" },
        "message": { "headline": "Claim", "body": "one" },
        "expectedHeadOid": head,
        "fileChanges": { "additions": [{ "path": path, "contents": "aGVsbG8=" }] },
    }, "watchedRef": "refs/tags/-" })
}

#[test]
fn an_append_is_a_real_commit_of_the_bot_on_the_expected_head() {
    countersign_sim::pins![A12, B22];
    let sim = Simulator::start();
    let head = sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    let answer = Client::writer(&sim).graphql(APPEND, &append(&head, "receipts/ab/1.json"));
    let oid = answer.json()["data"]["createCommitOnBranch"]["commit"]["oid"].clone();
    assert_eq!(
        oid.as_str(),
        sim.ref_oid("refs/heads/receipt-ledger").as_deref()
    );
    assert_eq!(
        sim.read_file("receipt-ledger", "receipts/ab/1.json")
            .unwrap(),
        b"hello"
    );
    assert_eq!(
        sim.read_file("receipt-ledger", "ledger.json").unwrap(),
        b"{}"
    );
    let repository = git2::Repository::open_bare(sim.git_dir()).unwrap();
    let commit = repository
        .find_commit(git2::Oid::from_str(oid.as_str().unwrap()).unwrap())
        .unwrap();
    assert_eq!(commit.parent_id(0).unwrap().to_string(), head);
    assert_eq!(commit.author().name(), Some("github-actions[bot]"));
    assert_eq!(commit.committer().name(), Some("GitHub"));
    assert_eq!(commit.message(), Some("Claim\n\none"));
    assert_eq!(sim.effects(), ["commit on receipt-ledger"]);
}

#[test]
fn a_stale_head_is_an_error_at_http_200() {
    countersign_sim::pins![A13];
    let sim = Simulator::start();
    let old = sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    sim.commit("receipt-ledger", &[("other", b"1")]);
    let answer = Client::writer(&sim).graphql(APPEND, &append(&old, "a"));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["data"],
        json!({ "createCommitOnBranch": null })
    );
    assert_eq!(answer.error()["type"], "STALE_DATA");
    assert_eq!(answer.error()["path"], json!(["createCommitOnBranch"]));
    let text =
        format!("Expected branch to point to \"{old}\" but it did not.  Pull and try again.");
    assert_eq!(answer.error()["message"], text);
}

#[test]
fn planned_stale_data_looks_like_the_real_one() {
    countersign_sim::pins![A13];
    let sim = Simulator::start();
    let head = sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    sim.plan(Fault::on(Endpoint::Append).then(Effect::StaleData));
    let client = Client::writer(&sim);
    let answer = client.graphql(APPEND, &append(&head, "a"));
    assert_eq!(answer.error()["type"], "STALE_DATA");
    assert_eq!(
        answer.json()["data"],
        json!({ "createCommitOnBranch": null })
    );
    assert_eq!(sim.effects(), Vec::<String>::new());
    let again = client.graphql(APPEND, &append(&head, "a"));
    assert_eq!(again.json()["errors"], Value::Null);
}

#[test]
fn a_missing_branch_and_a_missing_permission_are_told_apart() {
    countersign_sim::pins![A14, M3];
    let sim = Simulator::start();
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let missing = Client::writer(&sim).graphql(APPEND, &append(&head, "a"));
    assert_eq!(
        missing.error()["message"],
        "Branch receipt-ledger not found"
    );
    let reader = Client::with(&sim, Permissions::read());
    let refused = reader.graphql(APPEND, &append(&head, "a"));
    assert_eq!(refused.error()["type"], "FORBIDDEN");
    assert_eq!(
        refused.error()["message"],
        "Resource not accessible by integration"
    );
}

fn preflight(commit: &str) -> Value {
    json!({
        "owner": "octo", "name": "hello", "commits": 100, "commit": commit,
        "workflows": format!("{commit}:.github/workflows"),
        "tagged": true, "tagName": "v1", "tagRef": "refs/tags/v1",
        "pull": true, "headName": "feature", "headRef": "refs/heads/feature",
        "baseName": "main", "baseRef": "refs/heads/main",
    })
}

#[test]
fn the_preflight_document_is_answered_in_full() {
    countersign_sim::pins![A7, N4];
    let sim = Simulator::start();
    sim.orphan("receipt-ledger", &[("ledger.json", b"{\"sequence\":1}")]);
    let main = sim.ref_oid("refs/heads/main").unwrap();
    sim.commit("feature", &[("a", b"1")]);
    sim.annotated_tag("v1", &main, "release\n");
    let client = Client::writer(&sim);
    client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let body = json!({ "title": "t", "head": "feature", "base": "main" });
    assert_eq!(client.post("/pulls", &body).status, 201);

    let answer = client.graphql(PREFLIGHT, &preflight(&main)).json();
    let absent: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["path"][6].as_str().unwrap())
        .collect();
    assert_eq!(absent, ["authority"]);
    let repository = &answer["data"]["repository"];
    let ledger = &repository["ledger"]["target"];
    let newest = &ledger["history"]["nodes"][0];
    assert_eq!(newest["oid"], ledger["oid"]);
    assert_eq!(newest["head"]["object"]["text"], "{\"sequence\":1}");
    assert_eq!(newest["head"]["mode"], 0o100_644);
    assert_eq!(newest["authority"], Value::Null);
    assert_eq!(newest["parents"]["nodes"], json!([]));
    assert_eq!(repository["commit"]["__typename"], "Commit");
    assert_eq!(repository["workflows"], repository["defaultWorkflows"]);
    assert_eq!(repository["tag"]["target"]["target"]["oid"], main.as_str());
    assert_eq!(repository["release"]["isDraft"], true);
    let pull = &repository["pullRequests"]["nodes"][0];
    assert_eq!(pull["headRepository"]["nameWithOwner"], "octo/hello");
    assert_eq!(answer["data"]["rateLimit"]["limit"], 1_000);
    assert!(sim.events().last().unwrap().kind == Kind::Read);
}

/// The variables with which the publisher asks for the branch `main`.
fn branch_main(owner: &str, name: &str) -> Value {
    json!({
        "owner": owner,
        "name": name,
        "isId": false,
        "id": "0".repeat(40),
        "mayBeBranch": true,
        "branch": "refs/heads/main",
        "mayBeTag": false,
        "tag": "refs/tags/-",
    })
}

#[test]
fn the_resolve_document_finds_a_branch_by_its_full_name() {
    let sim = Simulator::start();
    let answer = Client::writer(&sim)
        .graphql(RESOLVE, &branch_main("OCTO", "Hello"))
        .json();
    let repository = &answer["data"]["repository"];
    assert_eq!(repository["nameWithOwner"], "octo/hello");
    assert_eq!(repository["defaultBranchRef"]["name"], "main");
    assert_eq!(
        repository["branch"]["target"]["oid"].as_str(),
        sim.ref_oid("refs/heads/main").as_deref()
    );
    assert_eq!(repository.get("tag"), None);
}

#[test]
fn an_unknown_repository_is_null_with_not_found() {
    let sim = Simulator::start();
    let answer = Client::writer(&sim).graphql(RESOLVE, &branch_main("x", "y"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!({ "repository": null }));
    let error = answer.error();
    assert_eq!(error["type"], "NOT_FOUND");
    assert_eq!(error["path"], json!(["repository"]));
    assert_eq!(
        error["message"],
        "Could not resolve to a Repository with the name 'x/y'."
    );
}

#[test]
fn an_unknown_token_is_http_401_even_for_graphql() {
    let sim = Simulator::start();
    let stranger = Client::bearing(&sim, "ghs_unknown");
    let answer = stranger.graphql(RESOLVE, &json!({}));
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (401, "Bad credentials")
    );
}

#[test]
fn a_ref_outside_branches_and_tags_is_null_in_graphql() {
    countersign_sim::pins![A2];
    let sim = Simulator::start();
    let main = sim.ref_oid("refs/heads/main").unwrap();
    sim.set_ref("refs/claims/1", &main);
    let query = r#"{ repository(owner: "octo", name: "hello") {
        ref(qualifiedName: "refs/claims/1") { name }
    } }"#;
    let answer = Client::writer(&sim).graphql(query, &json!({}));
    assert_eq!(answer.json()["data"]["repository"]["ref"], Value::Null);
    let found = Client::writer(&sim).get("/git/matching-refs/claims/");
    assert_eq!(found.json()[0]["ref"], "refs/claims/1");
}
