//! Which media types are served, and where the bytes of a release asset are.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use countersign_sim::{Access, Permissions, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

const BYTES: [(&str, &str); 1] = [("accept", "application/octet-stream")];

/// A request for the archive of an artifact, with this `Accept`.
fn archive(sim: &Simulator, accept: &str) -> Reply {
    let reader = Permissions {
        actions: Access::Read,
        ..Permissions::none()
    };
    let address = format!(
        "{}/repos/{}/actions/artifacts/1/zip",
        sim.api_url(),
        sim.repository()
    );
    let headers = [("accept", accept)];
    let client = Client::with(sim, reader);
    client.send("GET", &address, &headers, Vec::new()).unwrap()
}

/// A simulator with one artifact of one run.
fn with_artifact() -> Simulator {
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    sim.artifact(1, "plan", b"PK archive");
    sim
}

/// The address of an uploaded asset.
fn uploaded(sim: &Simulator, bytes: &[u8]) -> String {
    let client = Client::writer(sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    client.upload(&draft.json(), "a.bin", bytes).text("url")
}

#[test]
fn an_archive_is_not_served_as_bytes() {
    pins![F1, S2];
    let sim = with_artifact();
    for accept in ["application/octet-stream", "application/zip"] {
        let refused = archive(&sim, accept);
        let message =
            format!("Unsupported 'Accept' header: '{accept}'. Must accept 'application/json'.");
        assert_eq!((refused.status, refused.message()), (415, message));
    }
}

#[test]
fn an_accept_that_allows_json_is_served() {
    pins![F1];
    let sim = with_artifact();
    for accept in [
        "*/*",
        "application/json",
        "application/vnd.github+json",
        "application/vnd.github.raw+json",
        "application/zip, application/json;q=0.1",
    ] {
        assert_eq!(archive(&sim, accept).status, 302, "{accept}");
    }
}

#[test]
fn any_accept_is_served_where_the_switch_says_so() {
    let sim = with_artifact();
    sim.turn_on(Switch::AnyAcceptIsServed);
    assert_eq!(archive(&sim, "application/octet-stream").status, 302);
}

#[test]
fn an_asset_comes_from_another_host_that_needs_no_token() {
    pins![S6, R7];
    let sim = Simulator::start();
    let url = uploaded(&sim, b"hello");
    let found = Client::writer(&sim)
        .send("GET", &url, &BYTES, Vec::new())
        .unwrap();
    assert_eq!((found.status, found.bytes.len()), (302, 0));
    assert_eq!(
        found.header("content-type"),
        Some("text/html;charset=utf-8")
    );

    let location = found.header("location").unwrap();
    assert!(location.starts_with(&sim.uploads_url()), "{location}");
    let stored = Client::bearing(&sim, "").get(location);
    assert_eq!((stored.status, stored.bytes), (200, b"hello".to_vec()));
    assert_eq!(stored.headers.get("x-ratelimit-limit"), None);

    let refused = Client::writer(&sim).get(location);
    assert_eq!(
        (refused.status, refused.header("x-ms-error-code")),
        (400, Some("InvalidAuthenticationInfo"))
    );
    let guessed = location.replace("release-assets/", "release-assets/0");
    assert_eq!(Client::bearing(&sim, "").get(&guessed).status, 404);
}

#[test]
fn the_storage_serves_a_request_without_a_user_agent() {
    pins![R7];
    let sim = Simulator::start();
    let url = uploaded(&sim, b"hello");
    let found = Client::writer(&sim).send("GET", &url, &BYTES, Vec::new());
    let location = found.unwrap().header("location").unwrap().to_owned();
    let (host, path) = location
        .trim_start_matches("http://")
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn an_enterprise_server_may_serve_an_asset_itself() {
    pins![S6];
    let sim = Simulator::start();
    let url = uploaded(&sim, b"hello");
    sim.turn_on(Switch::AssetsAreServedDirectly);
    let served = Client::writer(&sim)
        .send("GET", &url, &BYTES, Vec::new())
        .unwrap();
    assert_eq!((served.status, served.bytes), (200, b"hello".to_vec()));
}

#[test]
fn an_asset_is_described_unless_its_bytes_are_asked_for() {
    let sim = Simulator::start();
    let url = uploaded(&sim, b"hello");
    let described = Client::writer(&sim).call("GET", &url, &Value::Null);
    assert_eq!(
        (described.status, described.text("name")),
        (200, "a.bin".to_owned())
    );
}
