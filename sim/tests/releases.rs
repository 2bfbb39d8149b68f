//! Releases: drafts, publication, assets and every refusal on the way.

mod support;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator};
use serde_json::json;
use support::Client;

#[test]
fn a_draft_gets_its_tag_only_when_it_is_published() {
    countersign_sim::pins![A25, A26];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    assert_eq!(draft.status, 201);
    assert!(draft.text("html_url").contains("/releases/tag/untagged-"));
    assert_eq!(sim.ref_oid("refs/tags/v1"), None);
    assert_eq!(client.get("/releases/tags/v1").status, 404);

    let published = client.call("PATCH", "/releases/1", &json!({ "draft": false }));
    assert_eq!(published.status, 200);
    assert_eq!(sim.ref_oid("refs/tags/v1"), sim.ref_oid("refs/heads/main"));
    assert_eq!(client.get("/releases/tags/v1").status, 200);
    assert_eq!(
        sim.effects(),
        [
            "draft release 1 created",
            "ref refs/tags/v1 created",
            "release 1 published"
        ]
    );
}

#[test]
fn an_existing_tag_stays_where_it_is_whatever_the_target_says() {
    countersign_sim::pins![A26];
    let sim = Simulator::start();
    let old = sim.ref_oid("refs/heads/main").unwrap();
    sim.tag("v1", &old);
    let new = sim.commit("main", &[("a", b"1")]);
    let body = json!({ "tag_name": "v1", "target_commitish": new });
    assert_eq!(Client::writer(&sim).post("/releases", &body).status, 201);
    assert_eq!(sim.ref_oid("refs/tags/v1"), Some(old));
}

#[test]
fn a_second_published_release_of_a_tag_is_refused_while_drafts_may_coexist() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    for _ in 0..2 {
        let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
        assert_eq!(draft.status, 201);
    }
    assert_eq!(
        client
            .post("/releases", &json!({ "tag_name": "v1" }))
            .status,
        201
    );
    let second = client.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(second.status, 422);
    assert_eq!(
        second.error(),
        json!({ "resource": "Release", "code": "already_exists", "field": "tag_name" })
    );
    assert_eq!(client.get("/releases").json().as_array().unwrap().len(), 3);
}

#[test]
fn drafts_are_hidden_from_readers() {
    countersign_sim::pins![A37, M2];
    let sim = Simulator::start();
    Client::writer(&sim).post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let reader = Client::with(&sim, Permissions::read());
    assert_eq!(reader.get("/releases").json(), json!([]));
    assert_eq!(reader.get("/releases/1").status, 404);
}

#[test]
fn an_asset_is_digested_renamed_and_refused_a_second_time() {
    countersign_sim::pins![A30, A31, A32, N8];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let asset = client.upload(&draft.json(), "my%20app.txt", b"hello");
    assert_eq!(asset.status, 201);
    assert_eq!(asset.text("name"), "my.app.txt");
    assert_eq!(
        asset.text("digest"),
        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
    let again = client.upload(&draft.json(), "my.app.txt", b"hello");
    assert_eq!(again.status, 422);
    assert_eq!(again.error()["code"], "already_exists");

    let url = asset.text("url");
    let accept = [("accept", "application/octet-stream")];
    let found = client.send("GET", &url, &accept, Vec::new()).unwrap();
    let stored = Client::bearing(&sim, "").get(found.header("location").unwrap());
    assert_eq!(stored.bytes, b"hello");
    assert_eq!(sim.releases()[0].assets.len(), 1);
}

#[test]
fn an_empty_asset_is_refused() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let base = draft.text("upload_url");
    let address = format!("{}?name=a", base.trim_end_matches("{?name,label}"));
    let headers = [("content-type", "text/plain"), ("content-length", "0")];
    let refused = client.send("POST", &address, &headers, Vec::new()).unwrap();
    assert_eq!(
        refused.error()["message"],
        "size must be greater than or equal to 1"
    );
}

#[test]
fn the_api_port_takes_no_uploads() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let refused = client.post("/releases/1/assets?name=a", &json!({}));
    assert_eq!(refused.status, 404);
}

#[test]
fn spoiled_uploads_are_stored_as_spoiled() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let draft = client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    for effect in [
        Effect::CorruptUpload,
        Effect::TruncatedUpload,
        Effect::NullDigest,
        Effect::StarterAsset,
    ] {
        sim.plan(Fault::on(Endpoint::UploadAsset).then(effect));
    }
    let statuses: Vec<u16> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| client.upload(&draft.json(), name, b"hello").status)
        .collect();
    assert_eq!(statuses, [201, 201, 201, 502]);
    let assets = sim.releases().remove(0).assets;
    assert_eq!(assets[0].bytes.as_deref(), Some(&b"\x97ello"[..]));
    assert_eq!(assets[1].bytes.as_deref(), Some(&b"hell"[..]));
    assert_eq!((assets[1].size, assets[2].digest.clone()), (4, None));
    assert_eq!((assets[3].state.as_str(), assets[3].size), ("starter", 0));
}

#[test]
fn notes_beyond_the_limit_are_refused_with_githubs_text() {
    let sim = Simulator::start();
    let body = json!({ "tag_name": "v1", "body": "x".repeat(125_001) });
    let refused = Client::writer(&sim).post("/releases", &body);
    assert_eq!(
        refused.error()["message"],
        "body is too long (maximum is 125000 characters)"
    );
}

#[test]
fn make_latest_is_a_string_and_no_boolean() {
    countersign_sim::pins![A25];
    let sim = Simulator::start();
    let body = json!({ "tag_name": "v1", "make_latest": true });
    let refused = Client::writer(&sim).post("/releases", &body);
    assert_eq!(refused.status, 422);
    assert!(refused.message().contains("is not a string"));
}

#[test]
fn a_rule_against_new_tags_refuses_the_publication_and_leaves_the_draft() {
    countersign_sim::pins![A73];
    let sim = Simulator::start();
    sim.disallow_tag_creation(true);
    let client = Client::writer(&sim);
    client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    let refused = client.call("PATCH", "/releases/1", &json!({ "draft": false }));
    assert_eq!(refused.status, 422);
    assert_eq!(refused.error()["field"], "pre_receive");
    assert_eq!(
        refused.json()["errors"][1]["message"],
        "Published releases must have a valid tag"
    );
    assert!(sim.releases()[0].draft);
}

#[test]
fn an_immutable_release_locks_its_assets_and_its_tag_name_forever() {
    countersign_sim::pins![A72];
    let sim = Simulator::start();
    sim.immutable_releases(true);
    let client = Client::writer(&sim);
    let release = client.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(release.json()["immutable"], true);
    let refused = client.upload(&release.json(), "late", b"x");
    assert_eq!(
        refused.message(),
        "Cannot upload assets to an immutable release."
    );
    let locked = client.call("DELETE", "/git/refs/tags/v1", &json!(null));
    assert_eq!(locked.status, 422);
    assert_eq!(
        client.call("DELETE", "/releases/1", &json!(null)).status,
        204
    );
    let again = client.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(
        again.error()["message"],
        "tag_name was used by an immutable release"
    );
}

#[test]
fn a_target_with_other_workflows_needs_the_workflows_permission() {
    countersign_sim::pins![A27, M4];
    let sim = Simulator::start();
    let target = sim.commit("side", &[(".github/workflows/new.yml", b"on: push\n")]);
    let body = json!({ "tag_name": "v1", "target_commitish": target });
    let refused = Client::writer(&sim).post("/releases", &body);
    assert_eq!(refused.status, 403);
    assert_eq!(refused.message(), "Resource not accessible by integration");
    let able = Permissions {
        workflows: true,
        ..Permissions::write()
    };
    assert_eq!(
        Client::with(&sim, able).post("/releases", &body).status,
        201
    );
}

#[test]
fn a_long_list_is_paged_with_links_by_repository_id() {
    countersign_sim::pins![B20];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    for _ in 0..31 {
        client.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    }
    let first = client.get("/releases");
    assert_eq!(first.json().as_array().unwrap().len(), 30);
    let link = first.header("link").unwrap().to_owned();
    let next = format!("{}/repositories/123456/releases?page=2", sim.api_url());
    assert!(link.starts_with(&format!("<{next}>; rel=\"next\"")));
    assert_eq!(client.get(&next).json().as_array().unwrap().len(), 1);
}

#[test]
fn a_missing_permission_is_named_in_a_header() {
    countersign_sim::pins![M3];
    let sim = Simulator::start();
    let reader = Client::with(&sim, Permissions::read());
    let refused = reader.post("/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        Some("contents=write; contents=write,workflows=write")
    );
    let blind = Permissions {
        contents: Access::None,
        pull_requests: Access::None,
        ..Permissions::none()
    };
    assert_eq!(Client::with(&sim, blind).get("/releases").status, 404);
}
