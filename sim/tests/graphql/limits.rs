//! Limits and timeouts: what GraphQL answers when it does not do the work, or not all of it.

use countersign_sim::{Effect, Endpoint, Fault, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::Client;

const VIEW: &str = r#"{ repository(owner: "octo", name: "hello") { name } }"#;

#[test]
fn a_spent_budget_is_an_error_at_http_200_without_data_and_without_a_path() {
    pins![U1, R1, S3];
    let sim = Simulator::start();
    sim.rate_limit(10, 0);
    let answer = Client::writer(&sim).graphql(VIEW, &json!({}));

    assert_eq!(answer.status, 200);
    let id = sim.repository_id();
    assert_eq!(
        answer.json(),
        json!({ "errors": [{
            "type": "RATE_LIMIT",
            "code": "graphql_rate_limit",
            "message": format!("API rate limit already exceeded for installation ID {id}."),
        }] })
    );
    assert_eq!(answer.header("x-ratelimit-resource"), Some("graphql"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
}

#[test]
fn older_servers_name_the_limit_with_another_word_and_text() {
    pins![U1, R1];
    let sim = Simulator::start();
    sim.turn_on(Switch::OldRateLimitWord);
    sim.rate_limit(10, 0);
    let answer = Client::writer(&sim).graphql(VIEW, &json!({}));
    let id = sim.repository_id();
    assert_eq!(
        answer.json(),
        json!({ "errors": [{
            "type": "RATE_LIMITED",
            "message": format!("API rate limit exceeded for installation ID {id}."),
        }] })
    );
}

#[test]
fn the_limit_may_be_met_while_the_headers_still_show_a_budget() {
    pins![R1];
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::GraphQl).then(Effect::GraphQlRateLimit));
    let client = Client::writer(&sim);
    let answer = client.graphql(VIEW, &json!({}));
    assert_eq!(answer.error()["type"], "RATE_LIMIT");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("1000"));
    let again = client.graphql(VIEW, &json!({})).json();
    assert_eq!(again["data"]["repository"]["name"], "hello");
}

#[test]
fn the_secondary_limit_may_come_with_http_200_without_a_type_and_without_a_path() {
    pins![U6];
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::GraphQl).then(Effect::SecondaryLimitAsOk));
    let answer = Client::writer(&sim).graphql(VIEW, &json!({}));
    assert_eq!(answer.status, 200);
    let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you \
                   try again.";
    assert_eq!(answer.json(), json!({ "errors": [{ "message": message }] }));
}

#[test]
fn a_timeout_comes_with_http_200_or_502_and_null_data() {
    pins![B7];
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    for status in [200, 502] {
        sim.plan(Fault::on(Endpoint::GraphQl).then(Effect::GraphQlTimeout { status }));
        let answer = client.graphql(VIEW, &json!({}));
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["data"], Value::Null);
        let error = answer.error();
        let members: Vec<&String> = error.as_object().unwrap().keys().collect();
        assert_eq!(members, ["message"]);
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("Something went wrong while executing your query."));
    }
}

const COMMITS: &str = r#"query Commits($first: Int!) {
  repository(owner: "octo", name: "hello") {
    pullRequests(first: 1) { nodes { number } }
    defaultBranchRef { target { ... on Commit { history(first: $first) { nodes { oid } } } } }
  }
}"#;

#[test]
fn what_costs_too_much_is_cut_short_and_a_smaller_page_is_not() {
    pins![U5];
    let sim = Simulator::start();
    for number in 0..4_u8 {
        sim.commit("main", &[("count", &[number])]);
    }
    let cut = Effect::ResourceLimits { nodes: 3 };
    sim.plan(Fault::on(Endpoint::GraphQl).times(usize::MAX).then(cut));

    let client = Client::writer(&sim);
    let answer = client.graphql(COMMITS, &json!({ "first": 4 }));
    assert_eq!(answer.status, 200);
    let branch = &answer.json()["data"]["repository"]["defaultBranchRef"];
    let nodes = branch["target"]["history"]["nodes"].as_array().unwrap();
    let shown: Vec<bool> = nodes.iter().map(|node| !node.is_null()).collect();
    assert_eq!(shown, [true, true, false, false]);
    let error = answer.error();
    assert_eq!(error["type"], "RESOURCE_LIMITS_EXCEEDED");
    let path = [
        "repository",
        "defaultBranchRef",
        "target",
        "history",
        "nodes",
    ];
    let mut path: Vec<Value> = path.iter().map(|key| json!(key)).collect();
    path.push(json!(2));
    assert_eq!(error["path"], Value::Array(path));

    let half = client.graphql(COMMITS, &json!({ "first": 2 }));
    assert_eq!(half.error_paths(), Vec::<Value>::new());
}

#[test]
fn a_query_of_many_members_is_cut_short_as_well() {
    pins![U5];
    let sim = Simulator::start();
    let cut = Effect::ResourceLimits { nodes: 1 };
    sim.plan(Fault::on(Endpoint::GraphQl).then(cut));
    let query = r#"{ repository(owner: "octo", name: "hello") {
        name
        o0: object(expression: "main") { oid }
        o1: object(expression: "main") { oid }
    } }"#;
    let answer = Client::writer(&sim).graphql(query, &json!({}));
    assert_eq!(answer.error_paths(), [json!(["repository", "o1"])]);
    let repository = &answer.json()["data"]["repository"];
    assert_eq!(repository["name"], "hello");
    assert_eq!(repository["o1"], Value::Null);
    assert!(repository["o0"]["oid"].is_string());
}
