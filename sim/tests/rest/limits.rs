//! Limits that come as refusals.

use countersign_sim::{Effect, Endpoint, Fault, Simulator, pins};
use serde_json::json;

use crate::support::Client;

#[test]
fn a_pull_request_may_be_submitted_too_quickly() {
    pins![R5, U6];
    let sim = Simulator::start();
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(&sim);
    sim.plan(Fault::on(Endpoint::CreatePull).then(Effect::SubmittedTooQuickly));
    let body = json!({ "title": "t", "head": "feature", "base": "main" });
    let refused = client.post("/pulls", &body);

    assert_eq!(
        (refused.status, refused.message()),
        (422, "Validation Failed".to_owned())
    );
    assert_eq!(
        refused.json()["errors"],
        json!([{
            "resource": "PullRequest", "code": "custom", "message": "was submitted too quickly",
        }])
    );
    assert_eq!(sim.pulls(), []);
    assert_eq!(client.post("/pulls", &body).status, 201);
}

#[test]
fn a_version_that_never_existed_is_a_bad_request_with_an_explanation() {
    pins![B19];
    let sim = Simulator::start();
    let version = [("x-github-api-version", "2019-01-01")];
    let address = format!("{}/repos/octo/hello", sim.api_url());
    let refused = Client::writer(&sim)
        .send("GET", &address, &version, Vec::new())
        .unwrap();
    assert_eq!(
        (refused.status, refused.message()),
        (400, "Bad Request".to_owned())
    );
    let reason = refused.text("errors");
    assert!(reason.contains("\"2019-01-01\", is not a supported version."));
}

#[test]
fn a_retired_version_is_gone() {
    pins![A66];
    let sim = Simulator::start();
    sim.retire_api_version("2022-11-28");
    let client = Client::writer(&sim);
    assert_eq!(client.get("").status, 410);
    let version = [("x-github-api-version", "2026-03-10")];
    let address = format!("{}/repos/octo/hello", sim.api_url());
    let served = client.send("GET", &address, &version, Vec::new()).unwrap();
    assert_eq!(served.status, 200);
}
