//! GraphQL about the repository as a whole: its latest release, the viewer's role and refs compared.

mod support;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator};
use serde_json::{Value, json};
use support::Client;

const LATEST: &str = r#"query Discover { repository(owner: "octo", name: "hello") {
    viewerPermission
    latestRelease { tagName name url isPrerelease isDraft tagCommit { oid } }
} }"#;

const COMPARE: &str = r#"query Discover($base: String!, $head: String!) { repository(owner: "octo", name: "hello") {
    ref(qualifiedName: $base) { compare(headRef: $head) { aheadBy behindBy status } }
} }"#;

fn compare(client: &Client, base: &str, head: &str) -> Value {
    let answer = client
        .graphql(COMPARE, &json!({ "base": base, "head": head }))
        .json();
    assert_eq!(answer["errors"], Value::Null);
    answer["data"]["repository"]["ref"]["compare"].clone()
}

#[test]
fn the_latest_release_is_told_with_its_commit_and_drafts_never_are_the_latest() {
    countersign_sim::pins![B25];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let latest = || {
        client.graphql(LATEST, &Value::Null).json()["data"]["repository"]["latestRelease"].clone()
    };
    client.post("/releases", &json!({ "tag_name": "v0", "draft": true }));
    client.post(
        "/releases",
        &json!({ "tag_name": "v1-rc", "prerelease": true }),
    );
    assert_eq!(latest(), Value::Null);
    let main = sim.ref_oid("refs/heads/main").unwrap();
    sim.annotated_tag("v1", &main, "one\n");
    sim.commit("main", &[("a", b"1")]);
    client.post("/releases", &json!({ "tag_name": "v1", "name": "One" }));
    client.post(
        "/releases",
        &json!({ "tag_name": "v2", "make_latest": "false" }),
    );
    let url = "https://github.com/octo/hello/releases/tag/v1";
    let expected = json!({ "tagName": "v1", "name": "One", "url": url, "isPrerelease": false, "isDraft": false, "tagCommit": { "oid": main } });
    assert_eq!(latest(), expected);
    let blind = Permissions {
        pull_requests: Access::Write,
        ..Permissions::none()
    };
    let refused = Client::with(&sim, blind).graphql(LATEST, &Value::Null);
    assert_eq!(
        (
            &refused.error()["type"],
            &refused.json()["data"]["repository"]["latestRelease"]
        ),
        (&json!("FORBIDDEN"), &Value::Null)
    );
}

#[test]
fn the_viewers_role_follows_the_token() {
    let sim = Simulator::start();
    let admin = Permissions {
        administration: Access::Write,
        ..Permissions::write()
    };
    let actions = Permissions {
        actions: Access::Write,
        ..Permissions::none()
    };
    for (permissions, role) in [
        (admin, "ADMIN"),
        (Permissions::write(), "WRITE"),
        (Permissions::read(), "READ"),
        (actions, "READ"),
    ] {
        let answer = Client::with(&sim, permissions)
            .graphql(LATEST, &Value::Null)
            .json();
        assert_eq!(answer["data"]["repository"]["viewerPermission"], role);
    }
    let unseen = Client::with(&sim, Permissions::none()).graphql(LATEST, &Value::Null);
    assert_eq!(unseen.json()["data"], json!({ "repository": null }));
}

#[test]
fn a_ref_is_the_base_of_its_comparison() {
    countersign_sim::pins![A10];
    let sim = Simulator::start();
    let first = sim.ref_oid("refs/heads/main").unwrap();
    sim.tag("v1", &first);
    sim.commit("side", &[("a", b"1")]);
    let client = Client::writer(&sim);
    let seen = |ahead: u32, behind: u32, status: &str| json!({ "aheadBy": ahead, "behindBy": behind, "status": status });
    assert_eq!(
        compare(&client, "refs/heads/main", "side"),
        seen(1, 0, "AHEAD")
    );
    assert_eq!(
        compare(&client, "refs/heads/side", "refs/heads/main"),
        seen(0, 1, "BEHIND")
    );
    sim.commit("main", &[("b", b"1")]);
    sim.commit("main", &[("b", b"2")]);
    assert_eq!(
        compare(&client, "refs/heads/main", "Octo:side"),
        seen(1, 2, "DIVERGED")
    );
    assert_eq!(
        compare(&client, "refs/tags/v1", &first),
        seen(0, 0, "IDENTICAL")
    );
    assert_eq!(
        compare(&client, "refs/tags/v1", "main"),
        seen(2, 0, "AHEAD")
    );
}

#[test]
fn a_ref_that_is_absent_has_no_comparison() {
    let sim = Simulator::start();
    let variables = json!({ "base": "refs/heads/absent", "head": "main" });
    let answer = Client::writer(&sim).graphql(COMPARE, &variables).json();
    assert_eq!(answer, json!({ "data": { "repository": { "ref": null } } }));
}

#[test]
fn discover_is_an_endpoint_of_its_own() {
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::Discover).then(Effect::StatusBefore(502)));
    let client = Client::writer(&sim);
    client.graphql("query Other { rateLimit { limit } }", &Value::Null);
    assert_eq!(client.graphql(LATEST, &Value::Null).status, 502);
    let answer = client.graphql(LATEST, &Value::Null);
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-resource")),
        (200, Some("graphql"))
    );
    let endpoints: Vec<Endpoint> = sim.events().iter().map(|event| event.endpoint).collect();
    assert_eq!(
        endpoints,
        [Endpoint::GraphQl, Endpoint::Discover, Endpoint::Discover]
    );
}
