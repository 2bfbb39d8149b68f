//! The git database over REST: refs, tag objects, trees and root commits.

mod support;

use countersign_sim::Simulator;
use serde_json::{Value, json};
use support::Client;

#[test]
fn a_ref_is_created_once() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let body = json!({ "ref": "refs/tags/v1", "sha": head });
    let created = client.post("/git/refs", &body);
    assert_eq!(
        (created.status, created.text("ref")),
        (201, "refs/tags/v1".to_owned())
    );
    let again = client.post("/git/refs", &body);
    assert_eq!(
        (again.status, again.message()),
        (422, "Reference already exists".to_owned())
    );
    assert_eq!(
        client.get("/git/ref/tags/v1").json()["object"]["sha"],
        head.as_str()
    );
    assert_eq!(client.get("/git/refs/tags/v1").status, 404);
}

#[test]
fn what_a_ref_may_not_be_is_told_in_githubs_words() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let none = "0123456789012345678901234567890123456789";
    for (name, sha, message) in [
        ("refs/tags/v1", none, "Object does not exist"),
        (
            "refs/v1",
            head.as_str(),
            "Reference name must contain at least three slash-separated components.",
        ),
        (
            "refs/tags/v1",
            "abc",
            "The sha parameter must be exactly 40 characters and contain only [0-9a-f].",
        ),
    ] {
        let refused = client.post("/git/refs", &json!({ "ref": name, "sha": sha }));
        assert_eq!((refused.status, refused.message().as_str()), (422, message));
    }
    sim.disallow_tag_creation(true);
    let refused = client.post("/git/refs", &json!({ "ref": "refs/tags/v1", "sha": head }));
    assert_eq!(refused.message(), "Reference update failed");
}

#[test]
fn an_annotated_tag_is_an_object_first_and_a_ref_later() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let head = sim.ref_oid("refs/heads/main").unwrap();
    let body = json!({ "tag": "v1", "message": "one\n", "object": head, "type": "commit" });
    let tag = client.post("/git/tags", &body);
    assert_eq!(tag.status, 201);
    assert_eq!(sim.ref_oid("refs/tags/v1"), None);
    let sha = tag.text("sha");
    client.post("/git/refs", &json!({ "ref": "refs/tags/v1", "sha": sha }));
    let reference = client.get("/git/ref/tags/v1").json();
    assert_eq!(reference["object"]["type"], "tag");
    let read = client.get(&format!("/git/tags/{sha}")).json();
    assert_eq!(read["object"]["sha"], head.as_str());
    let repository = git2::Repository::open_bare(sim.git_dir()).unwrap();
    let found = repository
        .revparse_single("v1")
        .unwrap()
        .into_tag()
        .unwrap();
    assert_eq!(found.message(), Some("one\n"));
}

#[test]
fn a_branch_moves_forward_only_unless_forced() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let old = sim.ref_oid("refs/heads/main").unwrap();
    let new = sim.commit("side", &[("a", b"1")]);
    let path = "/git/refs/heads/main";
    assert_eq!(
        client.call("PATCH", path, &json!({ "sha": new })).status,
        200
    );
    let back = client.call("PATCH", path, &json!({ "sha": old }));
    assert_eq!(
        (back.status, back.message()),
        (422, "Update is not a fast forward".to_owned())
    );
    let forced = json!({ "sha": old, "force": true });
    assert_eq!(client.call("PATCH", path, &forced).status, 200);
    sim.branch_rules("main", &["deletion"]);
    let refused = client.call("DELETE", path, &Value::Null);
    assert!(
        refused
            .message()
            .starts_with("Repository rule violations found\n\n")
    );
    assert_eq!(
        client.get("/rules/branches/main").json()[0]["type"],
        "deletion"
    );
}

#[test]
fn a_ref_to_other_workflows_is_refused_but_an_orphan_without_any_is_free() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let other = sim.commit("side", &[(".github/workflows/new.yml", b"on: push\n")]);
    let body = json!({ "ref": "refs/tags/v1", "sha": other });
    let refused = client.post("/git/refs", &body);
    assert_eq!(refused.status, 403);
    assert_eq!(refused.message(), "Resource not accessible by integration");
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        Some("contents=write; contents=write,workflows=write")
    );
    let orphan = sim.orphan("pages", &[("index.html", b"")]);
    let body = json!({ "ref": "refs/heads/copy", "sha": orphan });
    assert_eq!(client.post("/git/refs", &body).status, 201);
}

#[test]
fn an_orphan_branch_is_bootstrapped_from_a_tree_and_a_root_commit() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let entry = json!({
        "path": "a/ledger.json", "mode": "100644", "type": "blob", "content": "{}",
    });
    let tree = client.post("/git/trees", &json!({ "tree": [entry] }));
    assert_eq!(tree.status, 201);
    let body = json!({ "message": "Start", "tree": tree.text("sha"), "parents": [] });
    let commit = client.post("/git/commits", &body);
    assert_eq!(
        (commit.status, &commit.json()["parents"]),
        (201, &json!([]))
    );
    let body = json!({ "ref": "refs/heads/receipt-ledger", "sha": commit.text("sha") });
    assert_eq!(client.post("/git/refs", &body).status, 201);
    assert_eq!(
        sim.read_file("receipt-ledger", "a/ledger.json").unwrap(),
        b"{}"
    );
    assert_eq!(sim.read_file("receipt-ledger", "README.md"), None);
}
