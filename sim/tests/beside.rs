//! Several repositories behind the same two ports, and tokens for one or for all of them.

mod support;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator};
use serde_json::{Value, json};
use support::Client;

const BOTH: &str = r#"query Discover {
    one: repository(owner: "octo", name: "hello") { nameWithOwner object(expression: "main") { oid } defaultBranchRef { target { oid } } }
    two: repository(owner: "OCTO", name: "Other") { nameWithOwner object(expression: "main") { oid } defaultBranchRef { target { oid } } }
    rateLimit { remaining }
}"#;

const APPEND: &str = r"mutation Append($input: CreateCommitOnBranchInput!) {
    createCommitOnBranch(input: $input) { commit { oid repository { nameWithOwner } } ref { id target { oid } } }
}";

fn append(branch: &Value, head: &str) -> Value {
    json!({ "input": {
        "branch": branch,
        "message": { "headline": "Claim" },
        "expectedHeadOid": head,
        "fileChanges": { "additions": [{ "path": "a", "contents": "aGVsbG8=" }] },
    } })
}

#[test]
fn a_second_repository_answers_at_the_same_address_with_what_is_its_own() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 7_654_321);
    assert_eq!(
        (other.api_url(), other.graphql_url(), other.uploads_url()),
        (sim.api_url(), sim.graphql_url(), sim.uploads_url())
    );
    assert_eq!(
        (other.repository(), other.repository_id()),
        ("octo/other", 7_654_321)
    );
    other.commit("main", &[("only", b"other")]);
    let (client, beside) = (Client::writer(&sim), Client::writer(&other));
    assert_eq!(
        (
            client.get("/contents/only").status,
            beside.get("/contents/only").status
        ),
        (404, 200)
    );

    let release = beside.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(
        release.text("html_url"),
        "https://github.com/octo/other/releases/tag/v1"
    );
    assert_eq!(
        beside.upload(&release.json(), "asset", b"bytes").status,
        201
    );
    assert_eq!(
        (sim.releases().len(), other.releases()[0].assets.len()),
        (0, 1)
    );
    assert_eq!(
        (sim.ref_oid("refs/tags/v1"), other.ref_oid("refs/tags/v1")),
        (None, other.ref_oid("refs/heads/main"))
    );
    let numbered = format!("{}/repositories/7654321/releases", sim.api_url());
    assert_eq!(
        (beside.get(&numbered).status, client.get(&numbered).status),
        (200, 404)
    );
}

#[test]
fn a_token_sees_the_repository_it_was_minted_for_unless_it_is_for_all() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 2);
    let address = format!("{}/repos/octo/other", sim.api_url());
    assert_eq!(Client::writer(&sim).get(&address).status, 404);
    assert_eq!(Client::writer(&other).get(&address).status, 200);
    let (of_sim, of_all) = (
        sim.token(Permissions::write()),
        sim.token_everywhere(Permissions::read()),
    );
    let third = sim.beside("octo/third", 3);
    for (handle, token, status) in [
        (&sim, &of_sim, 200),
        (&other, &of_sim, 404),
        (&sim, &of_all, 200),
        (&other, &of_all, 200),
        (&third, &of_all, 200),
    ] {
        assert_eq!(
            Client::bearing(handle, token).get("").status,
            status,
            "{}",
            handle.repository()
        );
    }
    assert_eq!(
        Client::bearing(&other, &of_all)
            .post("/releases", &json!({ "tag_name": "v1" }))
            .status,
        403
    );
}

#[test]
fn one_query_reaches_several_repositories() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 2);
    let (first, second) = (
        sim.commit("main", &[("a", b"1")]),
        other.commit("main", &[("b", b"2")]),
    );
    let everywhere = Client::bearing(&sim, &sim.token_everywhere(Permissions::read()));
    let told = |name: &str, oid: &str| json!({ "nameWithOwner": name, "object": { "oid": oid }, "defaultBranchRef": { "target": { "oid": oid } } });
    let answer = everywhere.graphql(BOTH, &Value::Null).json();
    assert_eq!(answer["errors"], Value::Null);
    assert_eq!(
        (&answer["data"]["one"], &answer["data"]["two"]),
        (&told("octo/hello", &first), &told("octo/other", &second))
    );

    let own = Client::writer(&other).graphql(BOTH, &Value::Null);
    assert_eq!(
        (&own.json()["data"]["one"], &own.json()["data"]["two"]),
        (&Value::Null, &told("octo/other", &second))
    );
    assert_eq!(
        (&own.error()["type"], &own.error()["path"]),
        (&json!("NOT_FOUND"), &json!(["one"]))
    );
    assert_eq!(
        own.error()["message"],
        "Could not resolve to a Repository with the name 'octo/hello'."
    );
}

#[test]
fn an_append_goes_to_the_repository_that_it_names() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 2);
    let ledger = |handle: &Simulator| handle.ref_oid("refs/heads/receipt-ledger").unwrap();
    for handle in [&sim, &other] {
        handle.orphan(
            "receipt-ledger",
            &[("ledger.json", handle.repository().as_bytes())],
        );
    }
    let (untouched, head) = (ledger(&sim), ledger(&other));
    let named = append(
        &json!({ "repositoryNameWithOwner": "octo/other", "branchName": "receipt-ledger" }),
        &head,
    );
    let refused = Client::writer(&sim).graphql(APPEND, &named);
    assert_eq!(
        refused.error()["message"],
        "Could not resolve to a Repository with the name 'octo/other'."
    );

    let everywhere = Client::bearing(&sim, &sim.token_everywhere(Permissions::write()));
    let appended =
        everywhere.graphql(APPEND, &named).json()["data"]["createCommitOnBranch"].clone();
    assert_eq!(
        appended["commit"]["repository"]["nameWithOwner"],
        "octo/other"
    );
    assert_eq!(
        (
            &appended["commit"]["oid"],
            &appended["ref"]["target"]["oid"]
        ),
        (&json!(ledger(&other)), &json!(ledger(&other)))
    );
    assert_eq!(
        (
            sim.read_file("receipt-ledger", "a"),
            other.read_file("receipt-ledger", "a")
        ),
        (None, Some(b"hello".to_vec()))
    );

    let by_id = append(&json!({ "id": appended["ref"]["id"] }), &ledger(&other));
    assert_eq!(
        Client::writer(&sim).graphql(APPEND, &by_id).error()["type"],
        "NOT_FOUND"
    );
    assert_ne!(
        everywhere.graphql(APPEND, &by_id).json()["data"]["createCommitOnBranch"],
        Value::Null
    );
    assert_eq!(ledger(&sim), untouched);
}

#[test]
fn the_log_faults_and_clock_are_those_of_all_and_budgets_of_each() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 2);
    other.set_clock(784_111_777);
    other.rate_limit(60, 5);
    sim.plan(Fault::on(Endpoint::GetRepository).then(Effect::StatusBefore(502)));
    let (client, beside) = (Client::writer(&sim), Client::writer(&other));
    assert_eq!(beside.get("").status, 502);
    let (first, second) = (client.get(""), beside.get(""));
    assert_eq!(
        (first.header("date"), second.header("date")),
        (Some("Sun, 06 Nov 1994 08:49:37 GMT"), first.header("date"))
    );
    assert_eq!(
        (
            first.header("x-ratelimit-remaining"),
            second.header("x-ratelimit-remaining")
        ),
        (Some("999"), Some("4"))
    );
    beside.post(
        "/git/refs",
        &json!({ "ref": "refs/heads/new", "sha": other.ref_oid("refs/heads/main") }),
    );
    let paths: Vec<String> = sim.events().into_iter().map(|event| event.path).collect();
    assert_eq!(
        paths,
        [
            "/repos/octo/other",
            "/repos/octo/hello",
            "/repos/octo/other",
            "/repos/octo/other/git/refs"
        ]
    );
    assert_eq!(
        (sim.events(), sim.effects()),
        (
            other.events(),
            vec!["ref refs/heads/new created".to_owned()]
        )
    );
}

#[test]
fn runs_and_artifacts_belong_to_one_repository() {
    let sim = Simulator::start();
    let other = sim.beside("octo/other", 2);
    other.run(5, "octocat", "octocat");
    let id = other.artifact(5, "receipts", b"PK");
    let everywhere = sim.token_everywhere(Permissions {
        actions: Access::Read,
        ..Permissions::none()
    });
    let (client, beside) = (
        Client::bearing(&sim, &everywhere),
        Client::bearing(&other, &everywhere),
    );
    assert_eq!(
        (
            client.get("/actions/runs/5").status,
            beside.get("/actions/runs/5").status
        ),
        (404, 200)
    );
    let location = beside
        .get(&format!("/actions/artifacts/{id}/zip"))
        .header("location")
        .unwrap()
        .to_owned();
    assert_eq!(Client::bearing(&sim, "").get(&location).bytes, b"PK");
}

#[test]
fn the_server_stays_until_the_last_handle_is_dropped() {
    let sim = Simulator::start();
    let other = sim.beside("octo/last", 2);
    let client = Client::writer(&other);
    drop(sim);
    assert_eq!(client.get("").status, 200);
    drop(other);
    // Another test's simulator may have the port by now, but not this repository.
    let late = client.attempt("GET", "", &Value::Null);
    assert_ne!(late.ok().map(|reply| reply.status), Some(200));
}
