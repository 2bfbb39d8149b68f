//! Dispatches and artifacts, as old and new versions of the API have them.

use countersign_sim::{Access, Permissions, Simulator, pins};
use serde_json::{Value, json};

use crate::support::{Client, Reply};

fn actions(sim: &Simulator) -> Client {
    Client::with(
        sim,
        Permissions {
            actions: Access::Write,
            ..Permissions::none()
        },
    )
}

fn dispatch(sim: &Simulator, version: &str, body: &Value) -> Reply {
    let address = format!(
        "{}/repos/octo/hello/actions/workflows/release.yml/dispatches",
        sim.api_url()
    );
    let headers = [("x-github-api-version", version)];
    let body = body.to_string().into_bytes();
    actions(sim).send("POST", &address, &headers, body).unwrap()
}

#[test]
fn a_dispatch_names_its_run_only_where_it_is_asked_to_or_the_version_always_does() {
    pins![S16, A46];
    let sim = Simulator::start();
    let bare = json!({ "ref": "main" });
    let asking = json!({ "ref": "main", "return_run_details": true });
    let answer = dispatch(&sim, "2022-11-28", &bare);
    assert_eq!((answer.status, answer.bytes.len()), (204, 0));
    assert_eq!(dispatch(&sim, "2022-11-28", &asking).status, 200);
    assert_eq!(dispatch(&sim, "2026-03-10", &bare).status, 200);
    assert_eq!(sim.dispatches().len(), 3);
}

#[test]
fn a_run_may_have_more_artifacts_of_one_name_than_a_page_holds() {
    pins![C6];
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    for _ in 0..101 {
        sim.artifact(1, "plan", b"zip");
    }
    let client = actions(&sim);
    let page = |number: u64| {
        let path = format!("/actions/runs/1/artifacts?name=plan&per_page=100&page={number}");
        client.get(&path).json()
    };

    for (number, shown) in [(1, 100), (2, 1)] {
        let page = page(number);
        assert_eq!(page["total_count"], 101);
        assert_eq!(page["artifacts"].as_array().unwrap().len(), shown);
    }
}
