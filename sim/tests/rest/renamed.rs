//! A repository that was renamed or transferred.

use countersign_sim::{Permissions, Simulator, pins};
use serde_json::json;

use crate::support::Client;

#[test]
fn a_renamed_repository_redirects_reads_with_301_and_writes_with_307() {
    pins![R4, S5];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    sim.rename("octo/new-name");

    for (method, path, status) in [
        ("GET", "", 301),
        ("GET", "/releases?per_page=1", 301),
        ("PATCH", "/releases/1", 307),
        ("POST", "/git/refs", 307),
    ] {
        let moved = client.call(method, path, &json!({}));
        let location = format!("{}/repositories/123456{path}", sim.api_url());
        assert_eq!(
            (moved.status, moved.header("location")),
            (status, Some(location.as_str()))
        );
        assert_eq!(
            (moved.message(), moved.text("url")),
            ("Moved Permanently".to_owned(), location)
        );
    }
    assert_eq!(sim.effects(), [""; 0]);
}

#[test]
fn the_new_name_and_the_number_are_served() {
    pins![S5];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    sim.rename("other/hello");
    for path in ["repos/other/hello", "repositories/123456"] {
        let found = client.get(&format!("{}/{path}", sim.api_url()));
        assert_eq!(found.text("full_name"), "other/hello");
    }
}

#[test]
fn a_token_that_may_not_see_the_repository_does_not_learn_that_it_moved() {
    let sim = Simulator::start();
    sim.rename("octo/new-name");
    let stranger = Client::with(&sim, Permissions::none());
    assert_eq!(stranger.get("").status, 404);
}

#[test]
fn a_name_with_escapes_keeps_them_in_the_redirect() {
    pins![S5];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    sim.rename("octo/new-name");
    let moved = client.get("/git/ref/tags/%40a%2Fb");
    let location = format!(
        "{}/repositories/123456/git/ref/tags/%40a%2Fb",
        sim.api_url()
    );
    assert_eq!(moved.header("location"), Some(location.as_str()));
}
