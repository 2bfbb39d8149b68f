//! What a free plan does not have in a private repository.

use countersign_sim::{Access, Permissions, Simulator, Switch, pins};
use serde_json::{Value, json};

use crate::support::Client;

#[test]
fn rules_and_rulesets_need_a_paid_plan() {
    pins![F3, S8, A23];
    let sim = Simulator::start();
    sim.turn_on(Switch::FreePrivatePlan);
    let client = Client::with(
        &sim,
        Permissions {
            administration: Access::Write,
            ..Permissions::write()
        },
    );
    let ruleset = json!({ "name": "ledger", "target": "branch", "enforcement": "active" });

    for (method, path, body) in [
        ("GET", "/rules/branches/main", &Value::Null),
        ("GET", "/rulesets", &Value::Null),
        ("POST", "/rulesets", &ruleset),
    ] {
        let refused = client.call(method, path, body);
        let message =
            "Upgrade to GitHub Pro or make this repository public to enable this feature.";
        assert_eq!(
            (refused.status, refused.message().as_str()),
            (403, message),
            "{method} {path}"
        );
    }
}

#[test]
fn draft_pull_requests_need_a_paid_plan() {
    pins![A42, N15];
    let sim = Simulator::start();
    sim.turn_on(Switch::FreePrivatePlan);
    sim.commit("feature", &[("a", b"1")]);
    let client = Client::writer(&sim);
    let mut body = json!({ "title": "t", "head": "feature", "base": "main", "draft": true });
    let refused = client.post("/pulls", &body);

    assert_eq!(
        (refused.status, refused.message().as_str()),
        (
            422,
            "Draft pull requests are not supported in this repository."
        )
    );
    body["draft"] = json!(false);
    assert_eq!(client.post("/pulls", &body).status, 201);
}
