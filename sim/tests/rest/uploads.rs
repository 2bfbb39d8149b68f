//! How the uploads host answers, and what an upload costs.

use countersign_sim::{Effect, Endpoint, Fault, Simulator, pins};
use serde_json::{Value, json};
use ureq::http::HeaderName;

use crate::support::Client;

/// A writer with a draft to upload to.
fn drafted(sim: &Simulator) -> (Client, Value) {
    let client = Client::writer(sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    (client, draft.json())
}

/// What is left of the budget, which is free to ask for.
fn remaining(client: &Client, sim: &Simulator) -> u64 {
    let budget = client.get(&format!("{}/rate_limit", sim.api_url())).json();
    budget["rate"]["remaining"].as_u64().unwrap()
}

#[test]
fn the_uploads_host_shows_neither_the_budget_nor_permissions() {
    pins![S9];
    let sim = Simulator::start();
    let (client, draft) = drafted(&sim);
    for status in [201, 422] {
        let answer = client.upload(&draft, "a", b"1");
        assert_eq!(answer.status, status);
        let names = answer.headers.keys().map(HeaderName::as_str);
        let names: Vec<&str> = names
            .filter(|name| name.starts_with("x-ratelimit") || name.starts_with("x-accepted"))
            .collect();
        assert_eq!(names, [""; 0]);
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[test]
fn a_refused_upload_names_the_request_instead_of_the_status() {
    pins![S10];
    let sim = Simulator::start();
    let (client, draft) = drafted(&sim);
    client.upload(&draft, "a", b"1");
    let refused = client.upload(&draft, "a", b"1");
    let body = refused.json();

    assert_eq!(
        body["errors"],
        json!([{ "resource": "ReleaseAsset", "code": "already_exists", "field": "name" }])
    );
    assert_eq!(body.get("status"), None);
    assert_eq!(
        body["request_id"].as_str(),
        refused.header("x-github-request-id")
    );
    assert_eq!(body["documentation_url"], "https://docs.github.com/rest");
}

#[test]
fn an_upload_costs_two_and_a_duplicate_three() {
    pins![S10];
    let sim = Simulator::start();
    let (client, draft) = drafted(&sim);
    let before = remaining(&client, &sim);
    client.upload(&draft, "a", b"1");
    assert_eq!(remaining(&client, &sim), before - 2);
    client.upload(&draft, "a", b"1");
    assert_eq!(remaining(&client, &sim), before - 5);
}

#[test]
fn a_secondary_limit_on_uploads_is_403_without_retry_after() {
    pins![F8, B28];
    let sim = Simulator::start();
    let (client, draft) = drafted(&sim);
    sim.plan(Fault::on(Endpoint::UploadAsset).then(Effect::SecondaryLimit));
    let refused = client.upload(&draft, "a", b"1");
    assert_eq!((refused.status, refused.header("retry-after")), (403, None));
    assert!(
        refused
            .message()
            .starts_with("You have exceeded a secondary rate limit.")
    );
    assert_eq!(client.upload(&draft, "a", b"1").status, 201);
}

#[test]
fn an_asset_without_a_label_has_an_empty_one_at_first() {
    pins![S20];
    let sim = Simulator::start();
    let (client, draft) = drafted(&sim);
    let uploaded = client.upload(&draft, "a", b"1").json();
    assert_eq!(uploaded["label"], "");
    let listed = client.get("/releases/1/assets").json();
    assert_eq!(listed[0]["label"], Value::Null);
}
