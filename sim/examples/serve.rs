//! The simulator as a program, for judges in other languages: it tells its addresses, obeys one command a line, and ends with its input.
//!
//! `cargo run -p countersign-sim --example serve` prints one JSON line with addresses and a token. Every line that it reads is a JSON
//! object such as `{"do":"commit","branch":"next","path":"a.txt","text":"a"}`; every answer is one JSON line.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for tests prints, and stops loudly"
)]

use std::io::{BufRead as _, stdin};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator, Switch};
use serde_json::{Value, json};

fn main() {
    let sim = Simulator::start();
    let hello = json!({
        "api_url": sim.api_url(),
        "graphql_url": sim.graphql_url(),
        "uploads_url": sim.uploads_url(),
        "repository": sim.repository(),
        "repository_id": sim.repository_id(),
        "git_dir": sim.git_dir(),
        "sha": sim.ref_oid("refs/heads/main"),
        "token": sim.token(permissions("write", "read")),
    });
    println!("{hello}");
    for line in stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        println!("{}", obey(&sim, &command));
    }
}

fn access(word: &str) -> Access {
    match word {
        "write" => Access::Write,
        "read" => Access::Read,
        _ => Access::None,
    }
}

/// Pull requests as far as contents, unless a command says otherwise.
fn permissions(contents: &str, actions: &str) -> Permissions {
    Permissions {
        contents: access(contents),
        pull_requests: access(contents),
        actions: access(actions),
        ..Permissions::none()
    }
}

#[expect(clippy::too_many_lines, reason = "one arm per command")]
fn obey(sim: &Simulator, command: &Value) -> Value {
    let text = |member: &str| command[member].as_str().unwrap_or_default();
    let number = |member: &str| command[member].as_u64().unwrap_or_default();
    match text("do") {
        "commit" => json!(sim.commit(text("branch"), &[(text("path"), text("text").as_bytes())])),
        "tag" => {
            sim.tag(text("name"), text("sha"));
            Value::Null
        }
        "rules" => {
            let rules: Vec<&str> = command["rules"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            sim.branch_rules(text("branch"), &rules);
            Value::Null
        }
        "switch" => {
            let named = |switch: &&Switch| switch.as_str() == text("name");
            sim.turn_on(*Switch::ALL.iter().find(named).unwrap());
            Value::Null
        }
        "rename" => {
            sim.rename(text("to"));
            Value::Null
        }
        "protect_classically" => {
            sim.protect_classically(text("branch"));
            Value::Null
        }
        "archive" => {
            sim.archive(true);
            Value::Null
        }
        "shift_clock" => {
            sim.shift_clock(command["seconds"].as_i64().unwrap());
            Value::Null
        }
        "rate_limit" => {
            sim.rate_limit(number("limit"), number("remaining"));
            Value::Null
        }
        "graphql_error" => {
            let (kind, message) = (text("kind").to_owned(), text("message").to_owned());
            let refused = Effect::GraphQlError { kind, message };
            sim.plan(Fault::on(Endpoint::Preflight).then(refused));
            Value::Null
        }
        "undefined_field" => {
            let (type_name, field) = (text("type").to_owned(), text("field").to_owned());
            let undefined = Effect::UndefinedField { type_name, field };
            sim.plan(Fault::on(Endpoint::Preflight).then(undefined));
            Value::Null
        }
        "delete_ref" => json!(sim.delete_ref(text("name"))),
        "set_ref" => {
            sim.set_ref(text("name"), text("sha"));
            Value::Null
        }
        "token" => {
            let administration = if text("administration") == "write" {
                Access::Write
            } else {
                Access::None
            };
            let mut permissions = permissions(text("contents"), text("actions"));
            if let Some(access) = command["pull-requests"].as_str() {
                permissions.pull_requests = self::access(access);
            }
            json!(sim.token(Permissions {
                administration,
                ..permissions
            }))
        }
        "run" => {
            sim.run(number("id"), text("actor"), text("actor"));
            Value::Null
        }
        "review" => {
            sim.review(
                number("run"),
                text("reviewer"),
                text("environment"),
                text("state"),
                text("comment"),
            );
            Value::Null
        }
        "artifact" => {
            let zip = BASE64.decode(text("zip")).unwrap();
            json!(sim.artifact(number("run"), text("name"), &zip))
        }
        "workflow" => {
            let inputs: Vec<&str> = command["inputs"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            sim.workflow(text("file"), &inputs);
            Value::Null
        }
        "dispatches" => {
            let told = |dispatch: &countersign_sim::DispatchRecord| json!({ "workflow": dispatch.workflow, "reference": dispatch.reference, "inputs": dispatch.inputs });
            sim.dispatches().iter().map(told).collect()
        }
        "ref" => json!(sim.ref_oid(text("name"))),
        "file" => json!(
            sim.read_file(text("branch"), text("path"))
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        ),
        "effects" => json!(sim.effects()),
        "requests" => {
            let told = |event: &countersign_sim::Event| {
                json!({
                    "method": event.method, "path": event.path, "operation": event.operation, "status": event.status,
                    "write": event.kind == countersign_sim::Kind::Write, "authorization": event.authorization,
                })
            };
            sim.events().iter().map(told).collect()
        }
        "releases" => {
            let asset = |asset: &countersign_sim::AssetRecord| json!({ "name": asset.name, "size": asset.size, "state": asset.state });
            let release = |release: &countersign_sim::ReleaseRecord| {
                json!({
                    "id": release.id, "tag_name": release.tag_name, "draft": release.draft, "body": release.body,
                    "assets": release.assets.iter().map(asset).collect::<Vec<_>>(),
                })
            };
            sim.releases().iter().map(release).collect()
        }
        "pulls" => sim
            .pulls()
            .iter()
            .map(|pull| json!({ "number": pull.number, "title": pull.title, "state": pull.state }))
            .collect(),
        other => panic!("there is no command `{other}`"),
    }
}
