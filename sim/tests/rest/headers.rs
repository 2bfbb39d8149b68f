//! Headers that answers were recorded with.

use countersign_sim::{Permissions, Simulator, pins};
use serde_json::json;

use crate::support::Client;

#[test]
fn accepted_permissions_name_alternatives_and_their_parts() {
    pins![S18];
    let sim = Simulator::start();
    let reader = Client::with(&sim, Permissions::read());
    let refused = reader.call("PATCH", "/git/refs/heads/main", &json!({ "sha": "0" }));
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        Some("contents=write; contents=write,workflows=write")
    );
    let free = reader.get(&format!("{}/rate_limit", sim.api_url()));
    assert_eq!(
        free.header("x-accepted-github-permissions"),
        Some("allows_permissionless_access=true")
    );
}

#[test]
fn a_read_may_be_cached_and_names_the_version_that_served_it() {
    pins![S17];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let answer = client.get("");

    assert_eq!(
        answer.header("cache-control"),
        Some("private, max-age=60, s-maxage=60")
    );
    assert!(answer.header("etag").unwrap().starts_with("W/\""));
    assert!(answer.header("vary").is_some());
    assert_eq!(
        answer.header("x-github-api-version-selected"),
        Some("2022-11-28")
    );
    assert_eq!(
        answer.header("sunset"),
        Some("Fri, 10 Mar 2028 00:00:00 GMT")
    );
}
