//! Refs, objects, comparisons and releases, which may be absent or hidden.

use countersign_sim::{Access, Permissions, Simulator, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

fn ask(client: &Client, members: &str) -> Reply {
    let query = format!(r#"{{ repository(owner: "octo", name: "hello") {{ {members} }} }}"#);
    client.graphql(&query, &json!({}))
}

#[test]
fn a_comparison_with_an_unknown_head_is_null_and_an_error() {
    pins![A10, B6];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    for head in ["nowhere", "stranger:main"] {
        let members =
            format!(r#"base: defaultBranchRef {{ compare(headRef: "{head}") {{ aheadBy }} }}"#);
        let answer = ask(&client, &members);
        let base = &answer.json()["data"]["repository"]["base"];
        assert_eq!(base, &json!({ "compare": null }));
        let error = answer.error();
        assert_eq!(error["type"], "NOT_FOUND");
        assert_eq!(error["path"], json!(["repository", "base", "compare"]));
        let text = format!("Could not resolve to a Ref with the name '{head}'.");
        assert_eq!(error["message"], text);
    }
}

#[test]
fn a_comparison_says_whether_the_branch_contains_the_commit_of_a_fork_too() {
    pins![A74, A75];
    let sim = Simulator::start();
    let old = sim.ref_oid("refs/heads/main").unwrap();
    let new = sim.commit("main", &[("a", b"a")]);
    let ahead = sim.commit("next", &[("b", b"b")]);
    sim.set_ref("refs/heads/aside", &old);
    let aside = sim.commit("aside", &[("c", b"c")]);
    for branch in ["next", "aside"] {
        assert!(sim.delete_ref(&format!("refs/heads/{branch}")));
    }

    for (commit, status) in [
        (&old, "BEHIND"),
        (&new, "IDENTICAL"),
        (&ahead, "AHEAD"),
        (&aside, "DIVERGED"),
    ] {
        let members = format!(
            r#"defaultBranchRef {{ compare(headRef: "{commit}") {{ status headTarget {{ oid }} }} }}"#
        );
        let answer = ask(&Client::writer(&sim), &members);
        assert_eq!(
            answer.json()["data"]["repository"]["defaultBranchRef"]["compare"],
            json!({ "status": status, "headTarget": { "oid": commit } })
        );
    }
}

#[test]
fn a_comparison_with_another_root_is_null_and_no_error() {
    pins![A10];
    let sim = Simulator::start();
    sim.orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    let members = r#"defaultBranchRef { compare(headRef: "receipt-ledger") { aheadBy } }"#;
    let answer = ask(&Client::writer(&sim), members);
    let repository = &answer.json()["data"]["repository"];
    assert_eq!(repository["defaultBranchRef"], json!({ "compare": null }));
    assert_eq!(answer.error_paths(), Vec::<Value>::new());
}

#[test]
fn absent_refs_objects_and_releases_are_null_and_no_error() {
    pins![A2, A3, A4, B3, B4, B5];
    let sim = Simulator::start();
    let oid = "0123456789012345678901234567890123456789";
    let members = format!(
        r#"ref(qualifiedName: "refs/tags/none") {{ name }}
           byId: object(oid: "{oid}") {{ oid }}
           byName: object(expression: "none") {{ oid }}
           file: object(expression: "main:none") {{ oid }}
           release(tagName: "none") {{ name }}"#
    );
    let answer = ask(&Client::writer(&sim), &members);

    assert_eq!(
        answer.json(),
        json!({ "data": { "repository": {
            "ref": null, "byId": null, "byName": null, "file": null, "release": null,
        } } })
    );
}

#[test]
fn head_is_not_a_ref_by_that_name() {
    pins![B2];
    let sim = Simulator::start();
    let members = r#"ref(qualifiedName: "HEAD") { name } object(expression: "HEAD") { oid }"#;
    let answer = ask(&Client::writer(&sim), members).json();
    let repository = &answer["data"]["repository"];
    assert_eq!(repository["ref"], Value::Null);
    assert!(repository["object"]["oid"].is_string());
}

#[test]
fn an_expression_that_names_a_tag_and_a_branch_is_the_tag() {
    pins![F9];
    let sim = Simulator::start();
    let main = sim.ref_oid("refs/heads/main").unwrap();
    sim.tag("both", &main);
    sim.commit("both", &[("a", b"1")]);
    let answer = ask(
        &Client::writer(&sim),
        r#"object(expression: "both") { oid }"#,
    );
    let object = &answer.json()["data"]["repository"]["object"];
    assert_eq!(object["oid"], main.as_str());
}

#[test]
fn a_draft_shows_to_writers_alone() {
    pins![A9];
    let sim = Simulator::start();
    let writer = Client::writer(&sim);
    let draft = json!({ "tag_name": "v1", "draft": true });
    assert_eq!(writer.post("/releases", &draft).status, 201);
    let release = r#"release(tagName: "v1") { isDraft }"#;
    let shown = ask(&writer, release).json();
    assert_eq!(shown["data"]["repository"]["release"]["isDraft"], true);
    let reader = Client::with(&sim, Permissions::read());
    let hidden = ask(&reader, release).json();
    assert_eq!(
        hidden,
        json!({ "data": { "repository": { "release": null } } })
    );
}

#[test]
fn what_is_forbidden_says_that_single_sign_on_is_not_the_reason() {
    pins![S12];
    let sim = Simulator::start();
    let blind = Permissions {
        pull_requests: Access::Read,
        ..Permissions::none()
    };
    let answer = ask(
        &Client::with(&sim, blind),
        r#"ref(qualifiedName: "main") { name }"#,
    );
    let repository = &answer.json()["data"]["repository"];
    assert_eq!(repository, &json!({ "ref": null }));
    let error = answer.error();
    assert_eq!(error["type"], "FORBIDDEN");
    assert_eq!(error["extensions"], json!({ "saml_failure": false }));
}

#[test]
fn an_error_at_a_member_that_may_not_be_null_takes_the_repository_away() {
    pins![S12];
    let sim = Simulator::start();
    let reader = Permissions {
        contents: Access::Read,
        ..Permissions::none()
    };
    let members = "name pullRequests(first: 1) { nodes { number } }";
    let answer = ask(&Client::with(&sim, reader), members);
    assert_eq!(answer.json()["data"], json!({ "repository": null }));
    let path = json!(["repository", "pullRequests"]);
    assert_eq!(answer.error_paths(), [path]);
    assert_eq!(answer.error()["type"], "FORBIDDEN");
}

const UNDER_OLD_NAME: &str = r#"query Look($follow: Boolean) {
  repository(owner: "octo", name: "hello", followRenames: $follow) { nameWithOwner }
}"#;

#[test]
fn a_renamed_repository_is_found_by_its_old_name_only_if_renames_are_followed() {
    pins![B21, N7, S5, R4];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    sim.rename("octo/world");
    for follow in [Value::Null, json!(true)] {
        let answer = client.graphql(UNDER_OLD_NAME, &json!({ "follow": follow }));
        let repository = &answer.json()["data"]["repository"];
        assert_eq!(repository["nameWithOwner"], "octo/world");
    }
    let answer = client.graphql(UNDER_OLD_NAME, &json!({ "follow": false }));
    assert_eq!(answer.json()["data"], json!({ "repository": null }));
    assert_eq!(answer.error_paths(), [json!(["repository"])]);
    assert_eq!(answer.error()["type"], "NOT_FOUND");
    let text = "Could not resolve to a Repository with the name 'octo/hello'.";
    assert_eq!(answer.error()["message"], text);
}
