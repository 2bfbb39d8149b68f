//! Addresses of pages, folders, drafts and the texts of refusals.

use countersign_sim::{Permissions, Simulator, pins};
use serde_json::json;

use crate::support::Client;

#[test]
fn the_address_of_a_release_escapes_what_its_tag_holds() {
    pins![C3];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    for (tag, escaped) in [
        ("@primer/react@36.9.0", "%40primer%2Freact%4036.9.0"),
        ("v1#2", "v1%232"),
        ("v1.0-rc_1", "v1.0-rc_1"),
    ] {
        let release = client.post("/releases", &json!({ "tag_name": tag }));
        assert_eq!(
            release.text("html_url"),
            format!("https://github.com/octo/hello/releases/tag/{escaped}")
        );
    }
}

#[test]
fn the_contents_of_a_folder_are_a_list() {
    pins![S14];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let folder = client.get("/contents/.github");
    assert_eq!(folder.status, 200);
    assert_eq!(
        (&folder.json()[0]["name"], &folder.json()[0]["type"]),
        (&json!("workflows"), &json!("dir"))
    );
    let inner = client.get("/contents/.github/workflows").json();
    assert_eq!(inner[0]["path"], ".github/workflows/release.yml");
}

#[test]
fn a_commit_of_a_malformed_tree_is_refused_in_the_trees_name() {
    pins![S15];
    let sim = Simulator::start();
    let body = json!({ "message": "m", "tree": "abc" });
    let refused = Client::writer(&sim).post("/git/commits", &body);
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (
            422,
            "The tree parameter must be exactly 40 characters and contain only [0-9a-f]."
        )
    );
}

#[test]
fn drafts_are_invisible_to_readers() {
    pins![M2, A9];
    let sim = Simulator::start();
    let writer = Client::writer(&sim);
    let draft = writer.post("/releases", &json!({ "tag_name": "v1", "draft": true }));
    writer.upload(&draft.json(), "a", b"1");
    let reader = Client::with(&sim, Permissions::read());
    assert_eq!(reader.get("/releases").json(), json!([]));
    for path in ["/releases/1", "/releases/1/assets", "/releases/assets/1"] {
        assert_eq!(reader.get(path).status, 404, "{path}");
        assert_eq!(writer.get(path).status, 200, "{path}");
    }
}
