//! Recorded details of single answers that no other test covers.

mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_sim::{Access, Permissions, Simulator, pins};
use serde_json::{Value, json};
use support::Client;

fn repository(client: &Client, selection: &str) -> Value {
    let query = format!("{{ repository(owner: \"octo\", name: \"hello\") {{ {selection} }} }}");
    let answer = client.graphql(&query, &Value::Null).json();
    assert_eq!(answer["errors"], Value::Null);
    answer["data"]["repository"].clone()
}

#[test]
fn a_connection_whose_items_are_counted_alone_needs_no_page() {
    pins![A8];
    let sim = Simulator::start();
    let head = sim.commit("main", &[("a", b"1")]);
    let selection =
        format!("object(oid: \"{head}\") {{ ... on Commit {{ parents {{ totalCount }} }} }}");
    let found = repository(&Client::writer(&sim), &selection);
    assert_eq!(found["object"]["parents"], json!({ "totalCount": 1 }));
}

#[test]
fn a_text_is_cut_at_512_kib_and_marked_as_truncated() {
    pins![A11];
    let sim = Simulator::start();
    let long = vec![b'a'; 512 * 1024 + 1];
    sim.commit("main", &[("long", &long), ("short", &long[1..])]);
    let selection = |name: &str| {
        format!(
            "{name}: object(expression: \"main:{name}\") {{ ... on Blob {{ text isTruncated }} }}"
        )
    };
    let both = format!("{} {}", selection("long"), selection("short"));
    let found = repository(&Client::writer(&sim), &both);
    let shown = |name: &str| {
        let text = found[name]["text"].as_str().unwrap();
        (text.len(), found[name]["isTruncated"].clone())
    };

    assert_eq!(shown("long"), (512 * 1024, json!(true)));
    assert_eq!(shown("short"), (512 * 1024, json!(false)));
}

const APPEND: &str = "mutation ($input: CreateCommitOnBranchInput!) {
    createCommitOnBranch(input: $input) { commit { oid } }
}";

fn append(head: &str, bytes: &[u8]) -> Value {
    json!({ "input": {
        "branch": { "repositoryNameWithOwner": "octo/hello", "branchName": "receipt-ledger" },
        "message": { "headline": "Claim" },
        "expectedHeadOid": head,
        "fileChanges": { "additions": [{ "path": "a", "contents": STANDARD.encode(bytes) }] },
    } })
}

#[test]
fn an_append_takes_more_than_a_mebibyte_and_costs_one_point() {
    pins![A18, A65];
    let sim = Simulator::start();
    let head = sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    let client = Client::writer(&sim);
    let remaining = |reply: &support::Reply| -> u64 {
        reply
            .header("x-ratelimit-remaining")
            .unwrap()
            .parse()
            .unwrap()
    };
    let before = remaining(&client.graphql("{ rateLimit { cost } }", &Value::Null));
    let entry = vec![b'a'; 1024 * 1024 + 1];
    let answer = client.graphql(APPEND, &append(&head, &entry));

    assert_eq!(remaining(&answer), before - 1);
    assert_eq!(sim.read_file("receipt-ledger", "a").unwrap(), entry);
}

#[test]
fn the_name_of_a_release_comes_back_byte_for_byte() {
    pins![A34];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let name = "Version  1 \u{1f680}, \u{201c}the first\u{201d}";
    let made = client.post("/releases", &json!({ "tag_name": "v1", "name": name }));
    assert_eq!(made.text("name"), name);
    assert_eq!(client.get("/releases/tags/v1").text("name"), name);
}

#[test]
fn a_target_is_a_branch_or_a_full_commit_id() {
    pins![B23];
    let sim = Simulator::start();
    let main = sim.ref_oid("refs/heads/main").unwrap();
    let client = Client::writer(&sim);
    let draft = |target: &str| {
        let body = json!({ "tag_name": "v1", "draft": true, "target_commitish": target });
        client.post("/releases", &body)
    };

    assert_eq!(draft("main").status, 201);
    assert_eq!(draft(&main).status, 201);
    for target in [&main[..8], "absent", "refs/heads/main~0"] {
        let refused = draft(target);
        assert_eq!(refused.status, 422, "{target}");
        assert_eq!(refused.error()["code"], "invalid", "{target}");
        assert_eq!(refused.error()["field"], "target_commitish", "{target}");
    }
}

#[test]
fn a_prerelease_cannot_be_made_the_latest_release() {
    pins![B25];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let body = json!({ "tag_name": "v1", "prerelease": true, "make_latest": "true" });
    let refused = client.post("/releases", &body);

    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.error(),
        json!({
            "resource": "Release",
            "code": "custom",
            "message": "Latest release cannot be draft or prerelease.",
        })
    );
    let body = json!({ "tag_name": "v1", "prerelease": true });
    assert_eq!(client.post("/releases", &body).status, 201);
    assert_eq!(client.get("/releases/latest").status, 404);
}

#[test]
fn a_published_release_lists_all_its_assets() {
    pins![A29];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let draft = client
        .post("/releases", &json!({ "tag_name": "v1", "draft": true }))
        .json();
    for number in 0..54 {
        client.upload(&draft, &format!("{number}.txt"), b"abc");
    }
    let published = client.call("PATCH", "/releases/1", &json!({ "draft": false }));
    assert_eq!(published.json()["assets"].as_array().unwrap().len(), 54);
}

#[test]
fn what_was_made_is_named_in_a_header() {
    let sim = Simulator::start();
    let main = sim.ref_oid("refs/heads/main").unwrap();
    let client = Client::writer(&sim);
    let tag = json!({ "tag": "v2", "message": "m", "object": main, "type": "commit" });
    for (path, body) in [
        ("/releases", json!({ "tag_name": "v1" })),
        ("/git/refs", json!({ "ref": "refs/tags/v2", "sha": main })),
        ("/git/tags", tag),
    ] {
        let made = client.post(path, &body);
        assert_eq!(made.status, 201, "{path}");
        assert_eq!(made.header("location"), Some(&*made.text("url")), "{path}");
    }
}

#[test]
fn a_folder_is_a_list_of_what_is_in_it_also_at_the_root() {
    pins![S14];
    let sim = Simulator::start();
    sim.commit("main", &[("docs/a.md", b"a")]);
    let client = Client::writer(&sim);
    let paths = |folder: &str| -> Vec<String> {
        let listed = client.get(folder).json();
        let items = listed.as_array().unwrap().iter();
        items
            .map(|item| item["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(paths("/contents/docs"), ["docs/a.md"]);
    assert!(paths("/contents/").contains(&"docs".to_owned()));
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    pins![N12];
    let sim = Simulator::start();
    let changed = Client::writer(&sim).call("PATCH", "/releases/9", &json!({ "draft": false }));
    assert_eq!(changed.status, 404);
}

#[test]
fn actions_may_be_forbidden_to_open_pull_requests() {
    pins![A41];
    let sim = Simulator::start();
    sim.commit("next", &[("a", b"1")]);
    sim.allow_actions_pull_requests(false);
    let body = json!({ "title": "Next", "head": "next", "base": "main" });
    let refused = Client::writer(&sim).post("/pulls", &body);
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.message(),
        "GitHub Actions is not permitted to create or approve pull requests."
    );
}

#[test]
fn each_request_needs_its_least_permission_and_no_more() {
    pins![F6, M1, M3, M5, M6, M11];
    let sim = Simulator::start();
    sim.tag("v1", &sim.ref_oid("refs/heads/main").unwrap());
    let with = |permissions| Client::with(&sim, permissions);
    let reader = with(Permissions {
        contents: Access::Read,
        ..Permissions::none()
    });
    assert_eq!(reader.get("/git/ref/tags/v1").status, 200);
    assert_eq!(reader.get("/releases").status, 200);
    assert_eq!(reader.get("/rules/branches/main").status, 200);
    assert_eq!(reader.get("/pulls").status, 403);
    let notes = json!({ "tag_name": "v2" });
    assert_eq!(reader.post("/releases/generate-notes", &notes).status, 403);

    let writer = Client::writer(&sim);
    assert_eq!(writer.post("/releases/generate-notes", &notes).status, 200);
    assert_eq!(
        writer.post("/rulesets", &json!({ "name": "one" })).status,
        403
    );

    let pulls = with(Permissions {
        pull_requests: Access::Read,
        ..Permissions::none()
    });
    assert_eq!(pulls.get("/pulls").status, 200);
    assert_eq!(pulls.get("/rules/branches/main").status, 200);
}
