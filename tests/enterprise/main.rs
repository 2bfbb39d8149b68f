//! An Enterprise Server behind TLS: which of its hosts see the token.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails on the spot"
)]

#[path = "../harness/mod.rs"]
mod harness;
mod server;

use countersign_sim::{Simulator, Switch, pins};
use harness::{Attempt, Report, Stage};
use server::Server;

/// Publishes a release with one asset on the server, and returns what its hosts saw.
fn published(sim: Simulator) -> (Report, Vec<String>) {
    let stage = Stage::on(sim);
    let made = stage
        .command(&["ledger", "init", "--repository", stage.sim.repository()])
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );

    let server = Server::before(&stage.sim, stage.folder.path());
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip");
    let report = on(&server, attempt).approved().run();
    (report, server.hosts_that_saw_a_token())
}

/// The attempt with the server's addresses instead of the simulator's.
fn on<'a>(server: &Server, attempt: Attempt<'a>) -> Attempt<'a> {
    attempt
        .variable("GITHUB_API_URL", "https://ghes.example/api/v3")
        .variable("GITHUB_GRAPHQL_URL", "https://ghes.example/api/graphql")
        .variable("GITHUB_SERVER_URL", "https://ghes.example")
        .variable("HTTPS_PROXY", &server.proxy)
        .variable("SSL_CERT_FILE", &server.certificate)
}

#[test]
fn with_subdomains_the_token_goes_to_the_server_and_its_upload_host_alone() {
    pins![U4, A69];
    let sim = Simulator::builder().host("ghes.example").start();
    sim.turn_on(Switch::UploadsHaveTheirOwnHost);
    let (report, hosts) = published(sim);
    report.succeeded();
    assert_eq!(hosts, ["ghes.example", "uploads.ghes.example"]);
}

#[test]
fn without_subdomains_the_token_goes_to_the_server_alone() {
    pins![U4];
    let sim = Simulator::builder().host("ghes.example").start();
    let (report, hosts) = published(sim);
    report.succeeded();
    assert_eq!(hosts, ["ghes.example"]);
}
