//! Invalid documents, and the headers of every answer.

use countersign_sim::{Effect, Endpoint, Fault, Simulator, pins};
use serde_json::{Value, json};

use crate::support::Client;

#[test]
fn a_field_that_the_schema_lacks_is_named_as_graphql_ruby_does() {
    pins![S13];
    let sim = Simulator::start();
    let query = "query Look {
  repository(owner: \"octo\", name: \"hello\") {
    main: defaultBranchRef { target { ... on Commit { nope } } }
  }
}";
    let answer = Client::writer(&sim).graphql(query, &json!({}));

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "errors": [{
            "path": ["query Look", "repository", "main", "target", "... on Commit", "nope"],
            "extensions": {
                "code": "undefinedField",
                "typeName": "Commit",
                "fieldName": "nope",
            },
            "locations": [{ "line": 3, "column": 55 }],
            "message": "Field 'nope' doesn't exist on type 'Commit'",
        }] })
    );
}

#[test]
fn a_server_with_an_older_schema_lacks_a_field_of_a_document_that_is_valid_here() {
    pins![A68, S13];
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::Preflight).then(Effect::UndefinedField {
        type_name: "Ref".to_owned(),
        field: "rules".to_owned(),
    }));
    let query = r#"query Preflight { repository(owner: "octo", name: "hello") {
        ledger: ref(qualifiedName: "main") { rules(first: 1) { nodes { type } } }
    } }"#;
    let client = Client::writer(&sim);
    let answer = client.graphql(query, &json!({}));
    let path = json!(["query Preflight", "repository", "ledger", "rules"]);

    assert_eq!(answer.error_paths(), [path]);
    let message = "Field 'rules' doesn't exist on type 'Ref'";
    assert_eq!(answer.error()["message"], message);
    let again = client.graphql(query, &json!({}));
    assert_eq!(again.error_paths(), Vec::<Value>::new());
}

#[test]
fn an_answer_names_version_4_and_neither_a_rest_version_nor_permissions() {
    pins![A64];
    let sim = Simulator::start();
    let answer = Client::writer(&sim).graphql("{ rateLimit { limit } }", &json!({}));
    assert_eq!(
        answer.header("x-github-media-type"),
        Some("github.v4; format=json")
    );
    assert_eq!(answer.header("x-ratelimit-resource"), Some("graphql"));
    for absent in [
        "x-github-api-version-selected",
        "x-accepted-github-permissions",
    ] {
        assert_eq!(answer.header(absent), None);
    }
}
