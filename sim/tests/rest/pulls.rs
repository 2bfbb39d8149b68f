//! Pull requests: what a 2xx may drop, what is refused, and who may read them.

use countersign_sim::{Access, Permissions, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::Client;

/// A writer with one open pull request.
fn opened(sim: &Simulator) -> Client {
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(sim);
    let body = json!({ "title": "t", "head": "feature", "base": "main" });
    assert_eq!(client.post("/pulls", &body).status, 201);
    client
}

#[test]
fn a_request_for_reviewers_may_add_none() {
    pins![C1];
    let sim = Simulator::start();
    let client = opened(&sim);
    sim.turn_on(Switch::ReviewersAreDropped);
    let body = json!({ "reviewers": ["octocat"] });
    let answer = client.post("/pulls/1/requested_reviewers", &body);
    assert_eq!(
        (answer.status, &answer.json()["requested_reviewers"]),
        (201, &json!([]))
    );
    assert_eq!(sim.pulls()[0].reviewers, [""; 0]);
}

#[test]
fn a_request_for_labels_may_set_none() {
    pins![C1];
    let sim = Simulator::start();
    let client = opened(&sim);
    sim.turn_on(Switch::LabelsAreDropped);
    let answer = client.post("/issues/1/labels", &json!({ "labels": ["new"] }));
    assert_eq!((answer.status, answer.json()), (200, json!([])));
    assert_eq!(sim.pulls()[0].labels, [""; 0]);
}

#[test]
fn a_label_of_emoji_alone_is_refused() {
    pins![C2];
    let sim = Simulator::start();
    let client = opened(&sim);
    let refused = client.post("/issues/1/labels", &json!({ "labels": ["bug", "🐞 🐛"] }));
    assert_eq!(
        (refused.status, &refused.error()["message"]),
        (422, &json!("name must contain more than native emoji"))
    );
    let taken = client.post("/issues/1/labels", &json!({ "labels": ["bug 🐞"] }));
    assert_eq!(taken.status, 200);
    assert_eq!(sim.pulls()[0].labels, ["bug 🐞"]);
}

#[test]
fn reading_pull_requests_of_a_private_repository_needs_its_own_permission() {
    pins![F6, M11];
    let sim = Simulator::start();
    opened(&sim);
    let reader = Permissions {
        contents: Access::Read,
        ..Permissions::none()
    };
    let refused = Client::with(&sim, reader).get("/pulls");
    assert_eq!(
        (
            refused.status,
            refused.header("x-accepted-github-permissions")
        ),
        (403, Some("pull_requests=read"))
    );
}

#[test]
fn generated_notes_need_write_access() {
    pins![F6, M3];
    let sim = Simulator::start();
    let body = json!({ "tag_name": "v1" });
    let reader = Client::with(&sim, Permissions::read());
    let refused = reader.post("/releases/generate-notes", &body);
    assert_eq!(
        (
            refused.status,
            refused.header("x-accepted-github-permissions")
        ),
        (403, Some("contents=write"))
    );
    let notes = Client::writer(&sim).post("/releases/generate-notes", &body);
    assert_eq!(notes.status, 200);
}

#[test]
fn a_person_may_open_a_pull_request_where_actions_may_not() {
    pins![A41];
    let sim = Simulator::start();
    sim.commit("feature", &[("a", b"1")]);
    sim.allow_actions_pull_requests(false);
    let body = json!({ "title": "t", "head": "feature", "base": "main" });

    assert_eq!(Client::writer(&sim).post("/pulls", &body).status, 403);
    let person = Client::bearing(&sim, &sim.person_token(Permissions::write()));
    let opened = person.post("/pulls", &body);
    assert_eq!(
        (opened.status, &opened.json()["user"]["login"]),
        (201, &json!("octocat"))
    );
    let own = json!({ "reviewers": ["octocat"] });
    let refused = person.call("POST", "/pulls/1/requested_reviewers", &own);
    assert_eq!(
        refused.message(),
        "Review cannot be requested from pull request author."
    );
    assert_eq!(person.call("GET", "/pulls/1", &Value::Null).status, 200);
}
