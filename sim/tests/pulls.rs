//! Pull requests, labels and reviewers.

mod support;

use countersign_sim::Simulator;
use serde_json::{Value, json};
use support::{Client, Reply};

fn open(client: &Client, head: &str) -> Reply {
    client.post(
        "/pulls",
        &json!({ "title": "t", "head": head, "base": "main" }),
    )
}

#[test]
fn a_pull_request_is_opened_labelled_and_put_up_for_review() {
    countersign_sim::pins![A43, M10];
    let sim = Simulator::start();
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(&sim);
    assert_eq!(open(&client, "octo:feature").status, 201);
    let labels = client.post("/issues/1/labels", &json!({ "labels": ["new"] }));
    assert_eq!(
        (labels.status, &labels.json()[0]["name"]),
        (200, &json!("new"))
    );
    assert_eq!(
        labels.json()[0]["url"],
        format!("{}/repos/octo/hello/labels/new", sim.api_url())
    );
    let body = json!({ "reviewers": ["octocat"] });
    assert_eq!(
        client.post("/pulls/1/requested_reviewers", &body).status,
        201
    );
    let pull = sim.pulls().remove(0);
    assert_eq!(
        (pull.head.as_str(), pull.base.as_str()),
        ("feature", "main")
    );
    assert_eq!(
        (pull.labels, pull.reviewers),
        (vec!["new".to_owned()], vec!["octocat".to_owned()])
    );
    let found = client.get("/pulls?state=open&head=octo:feature&base=main");
    assert_eq!(found.json()[0]["number"], 1);
}

#[test]
fn a_pull_request_is_refused_in_githubs_words() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    assert_eq!(
        open(&client, "absent").error(),
        json!({ "resource": "PullRequest", "code": "invalid", "field": "head" })
    );
    let main = sim.ref_oid("refs/heads/main").unwrap();
    sim.set_ref("refs/heads/same", &main);
    assert_eq!(
        open(&client, "same").error()["message"],
        "No commits between main and same"
    );
    sim.commit("feature", &[("a", b"1")]);
    open(&client, "feature");
    assert_eq!(
        open(&client, "feature").error()["message"],
        "A pull request already exists for octo:feature."
    );
    sim.allow_actions_pull_requests(false);
    let refused = open(&client, "feature");
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.message(),
        "GitHub Actions is not permitted to create or approve pull requests."
    );
}

#[test]
fn one_stranger_among_the_reviewers_refuses_them_all() {
    let sim = Simulator::start();
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(&sim);
    open(&client, "feature");
    let body = json!({ "reviewers": ["octocat", "stranger"] });
    assert_eq!(
        client.post("/pulls/1/requested_reviewers", &body).status,
        422
    );
    assert_eq!(sim.pulls()[0].reviewers, Vec::<String>::new());
}

#[test]
fn a_pull_request_is_closed_by_a_patch() {
    let sim = Simulator::start();
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(&sim);
    open(&client, "feature");
    let strange = client.call("PATCH", "/pulls/1", &json!({ "state": "merged" }));
    assert_eq!(
        (strange.status, &strange.error()["field"]),
        (422, &json!("state"))
    );
    let closed = client.call("PATCH", "/pulls/1", &json!({ "state": "closed" }));
    assert_eq!(
        (
            closed.status,
            &closed.json()["state"],
            &closed.json()["title"]
        ),
        (200, &json!("closed"), &json!("t"))
    );
    assert_eq!(sim.pulls()[0].state, "closed");
    assert_eq!(
        sim.effects().last().map(String::as_str),
        Some("pull request 1 closed")
    );
    assert_eq!(
        client
            .call("PATCH", "/pulls/2", &json!({ "state": "closed" }))
            .status,
        404
    );
}

#[test]
fn an_unknown_pull_request_has_no_labels() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let refused = client.post("/issues/7/labels", &json!({ "labels": ["x"] }));
    assert_eq!(refused.status, 404);
    assert_eq!(client.call("GET", "/pulls/7", &Value::Null).status, 404);
}
