//! An Enterprise Server: one host name, or another one for uploads.

use countersign_sim::{Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

/// Sends a request to one of the server's hosts, as it arrives behind the proxy that ends TLS.
fn through(sim: &Simulator, method: &str, address: &str, body: &str) -> Reply {
    let (host, path) = address
        .trim_start_matches("https://")
        .split_once('/')
        .unwrap();
    let headers = [("host", host), ("content-type", "application/octet-stream")];
    let client = Client::writer(sim);
    let address = format!("{}/{path}", sim.api_url());
    let body = body.as_bytes().to_vec();
    client.send(method, &address, &headers, body).unwrap()
}

/// Makes a draft and returns its upload address.
fn upload_url(sim: &Simulator) -> String {
    let path = "https://ghes.example/api/v3/repos/octo/hello/releases";
    let body = json!({ "tag_name": "v1", "draft": true }).to_string();
    let draft = through(sim, "POST", path, &body);
    draft
        .text("upload_url")
        .trim_end_matches("{?name,label}")
        .to_owned()
}

#[test]
fn an_enterprise_server_takes_uploads_below_its_api() {
    pins![U4, A69];
    let sim = Simulator::builder().host("ghes.example").start();
    let url = upload_url(&sim);
    assert_eq!(
        url,
        "https://ghes.example/api/uploads/repos/octo/hello/releases/1/assets"
    );
    let uploaded = through(&sim, "POST", &format!("{url}?name=a"), "1");
    assert_eq!(uploaded.status, 201);
    assert_eq!(
        uploaded.text("url"),
        "https://ghes.example/api/v3/repos/octo/hello/releases/assets/1"
    );
}

#[test]
fn with_subdomains_it_takes_uploads_at_a_separate_host() {
    pins![U4, A69];
    let sim = Simulator::builder().host("ghes.example").start();
    sim.turn_on(Switch::UploadsHaveTheirOwnHost);
    let url = upload_url(&sim);
    assert_eq!(
        url,
        "https://uploads.ghes.example/repos/octo/hello/releases/1/assets"
    );
    let uploaded = through(&sim, "POST", &format!("{url}?name=a"), "1");
    assert_eq!(uploaded.status, 201);
}

#[test]
fn on_loopback_the_host_for_uploads_is_a_name_with_the_same_port() {
    pins![U4];
    let sim = Simulator::start();
    sim.turn_on(Switch::UploadsHaveTheirOwnHost);
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let port = sim.api_url().rsplit(':').next().unwrap().to_owned();
    let expected = format!("http://uploads.localhost:{port}/repos/octo/hello/releases/1/assets");
    assert!(draft.text("upload_url").starts_with(&expected));
}

#[test]
fn graphql_is_below_the_api_too() {
    let sim = Simulator::builder().host("ghes.example").start();
    let query = json!({ "query": "{ rateLimit { limit } }", "variables": Value::Null });
    let address = "https://ghes.example/api/graphql";
    let answer = through(&sim, "POST", address, &query.to_string());
    assert_eq!(answer.json()["data"]["rateLimit"]["limit"], 1_000);
}
