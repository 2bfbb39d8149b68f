//! Actions: runs, their approvals and artifacts, and workflows that are started by hand.

mod support;

use std::collections::BTreeMap;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator};
use serde_json::{Value, json};
use support::{Client, Reply};

const DISPATCHES: &str = "/actions/workflows/release.yml/dispatches";

fn actions(access: Access) -> Permissions {
    Permissions {
        actions: access,
        ..Permissions::none()
    }
}

fn reader(sim: &Simulator) -> Client {
    Client::with(sim, actions(Access::Read))
}

fn starter(sim: &Simulator) -> Client {
    Client::with(sim, actions(Access::Write))
}

fn dispatch(client: &Client, inputs: &Value) -> Reply {
    client.post(
        DISPATCHES,
        &json!({ "ref": "main", "inputs": inputs, "return_run_details": true }),
    )
}

#[test]
fn a_run_is_told_with_its_actors_and_a_re_run_is_its_next_attempt() {
    let sim = Simulator::start();
    let client = reader(&sim);
    assert_eq!(client.get("/actions/runs/77").status, 404);
    sim.run(77, "octocat", "octocat");
    sim.run(77, "octocat", "hubot");
    let run = client.get("/actions/runs/77").json();
    assert_eq!(
        (&run["id"], &run["run_attempt"], &run["run_number"]),
        (&json!(77), &json!(2), &json!(1))
    );
    assert_eq!(
        (&run["actor"]["login"], &run["triggering_actor"]["login"]),
        (&json!("octocat"), &json!("hubot"))
    );
    assert_ne!(run["actor"]["id"], run["triggering_actor"]["id"]);
    let attempt = |number: u64| client.get(&format!("/actions/runs/77/attempts/{number}"));
    let first = attempt(1).json();
    assert_eq!(
        (&first["run_attempt"], &first["triggering_actor"]["login"]),
        (&json!(1), &json!("octocat"))
    );
    assert_eq!(
        (
            attempt(2).json()["run_attempt"].as_u64(),
            attempt(3).status,
            attempt(0).status
        ),
        (Some(2), 404, 404)
    );
    assert_eq!(
        (&run["event"], &run["status"], &run["conclusion"]),
        (
            &json!("workflow_dispatch"),
            &json!("in_progress"),
            &Value::Null
        )
    );
    assert_eq!(
        (run["head_branch"].as_str(), run["head_sha"].as_str()),
        (Some("main"), sim.ref_oid("refs/heads/main").as_deref())
    );
    assert_eq!(
        (&run["path"], &run["workflow_id"]),
        (&json!(".github/workflows/release.yml"), &json!(1))
    );
    assert_eq!(
        run["html_url"],
        "https://github.com/octo/hello/actions/runs/77"
    );
    assert_eq!(
        (&run["repository"]["id"], &run["repository"]["full_name"]),
        (&json!(123_456), &json!("octo/hello"))
    );
}

#[test]
fn approvals_are_those_of_the_run_and_name_the_environment() {
    countersign_sim::pins![A44, A45, N1];
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    sim.run(2, "octocat", "octocat");
    sim.review(1, "hubot", "release to all", "rejected", "not yet");
    sim.review(1, "hubot", "release to all", "approved", "");
    let client = reader(&sim);
    assert_eq!(client.get("/actions/runs/2/approvals").json(), json!([]));
    assert_eq!(client.get("/actions/runs/3/approvals").status, 404);
    let approvals = client.get("/actions/runs/1/approvals").json();
    let states: Vec<&Value> = approvals
        .as_array()
        .unwrap()
        .iter()
        .map(|approval| &approval["state"])
        .collect();
    assert_eq!(states, ["rejected", "approved"]);
    let (first, second) = (&approvals[0], &approvals[1]);
    assert_eq!(
        (&first["user"]["login"], &first["comment"]),
        (&json!("hubot"), &json!("not yet"))
    );
    assert_eq!(first["environments"][0]["name"], "release to all");
    assert_eq!(
        first["environments"][0]["id"],
        second["environments"][0]["id"]
    );
    let url = format!(
        "{}/repos/octo/hello/environments/release%20to%20all",
        sim.api_url()
    );
    assert_eq!(first["environments"][0]["url"], url);
}

#[test]
fn actions_have_a_permission_of_their_own() {
    countersign_sim::pins![M7, M8];
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    let writer = Client::writer(&sim);
    for path in [
        "/actions/runs/1",
        "/actions/runs/1/approvals",
        "/actions/runs/1/artifacts",
        "/actions/artifacts/1/zip",
    ] {
        let refused = writer.get(path);
        assert_eq!(
            (
                refused.status,
                refused.header("x-accepted-github-permissions")
            ),
            (403, Some("actions=read")),
            "{path}"
        );
    }
    let refused = dispatch(&reader(&sim), &json!({}));
    assert_eq!(
        (
            refused.status,
            refused.header("x-accepted-github-permissions")
        ),
        (403, Some("actions=write"))
    );
    assert_eq!(refused.message(), "Resource not accessible by integration");
    assert_eq!(reader(&sim).get("/actions/runs/1").status, 200);
    assert_eq!(sim.dispatches(), []);
}

#[test]
fn artifacts_are_listed_newest_first_by_name_and_by_page() {
    countersign_sim::pins![A47, C6, N10];
    let sim = Simulator::start();
    sim.set_clock(784_111_777);
    sim.run(1, "octocat", "octocat");
    sim.run(2, "octocat", "octocat");
    for name in ["one", "two", "one"] {
        sim.artifact(1, name, b"zip");
    }
    sim.artifact(2, "one", b"other");
    let client = reader(&sim);
    let all = client.get("/actions/runs/1/artifacts");
    assert_eq!(
        (&all.json()["total_count"], all.header("link")),
        (&json!(3), None)
    );
    let first = &all.json()["artifacts"][0];
    assert_eq!(
        (&first["id"], &first["size_in_bytes"], &first["expired"]),
        (&json!(3), &json!(3), &json!(false))
    );
    let digest = "sha256:4a70fe9aa6436e02c2dea340fbd1e352e4ef2d8ce6ca52ad25d4b95471fc8bf2";
    assert_eq!(first["digest"], digest);
    assert_eq!(
        (&first["created_at"], &first["expires_at"]),
        (
            &json!("1994-11-06T08:49:37Z"),
            &json!("1995-02-04T08:49:37Z")
        )
    );
    let run = &first["workflow_run"];
    assert_eq!(
        (&run["id"], &run["repository_id"], &run["head_branch"]),
        (&json!(1), &json!(123_456), &json!("main"))
    );

    let named = client.get("/actions/runs/1/artifacts?name=one&per_page=1&page=2");
    assert_eq!(
        (
            &named.json()["total_count"],
            &named.json()["artifacts"][0]["id"]
        ),
        (&json!(2), &json!(1))
    );
    let previous = format!(
        "{}/repositories/123456/actions/runs/1/artifacts?name=one&per_page=1&page=1",
        sim.api_url()
    );
    assert!(
        named
            .header("link")
            .unwrap()
            .starts_with(&format!("<{previous}>; rel=\"prev\""))
    );
    assert_eq!(client.get(&previous).json()["artifacts"][0]["id"], 3);

    sim.plan(Fault::on(Endpoint::ListArtifacts).then(Effect::Lagging));
    let lagging = client.get("/actions/runs/1/artifacts").json();
    assert_eq!(
        (&lagging["total_count"], &lagging["artifacts"][0]["id"]),
        (&json!(2), &json!(2))
    );
}

#[test]
fn an_archive_comes_from_the_storage_to_whoever_has_its_address_but_no_token() {
    countersign_sim::pins![A48, R7];
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    let id = sim.artifact(1, "receipts", b"PK archive");
    let client = reader(&sim);
    let found = client.get(&format!("/actions/artifacts/{id}/zip"));
    assert_eq!((found.status, found.bytes.len()), (302, 0));
    let location = found.header("location").unwrap().to_owned();
    assert!(location.starts_with(&sim.uploads_url()), "{location}");

    let refused = client.get(&location);
    assert_eq!(
        (refused.status, refused.header("x-ms-error-code")),
        (400, Some("InvalidAuthenticationInfo"))
    );
    let nobody = Client::bearing(&sim, "");
    let stored = nobody.get(&location);
    assert_eq!(
        (stored.status, stored.bytes.as_slice()),
        (200, &b"PK archive"[..])
    );
    assert_eq!(
        (
            stored.header("content-type"),
            stored.header("x-ratelimit-limit")
        ),
        (Some("application/zip"), None)
    );
    assert_eq!(
        nobody
            .get(&format!("{}/artifacts/{id}", sim.uploads_url()))
            .status,
        404
    );
    assert_eq!(
        nobody
            .get(&location.replace(&sim.uploads_url(), &sim.api_url()))
            .status,
        404
    );

    let events = sim.events();
    let seen: Vec<(Endpoint, bool)> = events[..3]
        .iter()
        .map(|event| (event.endpoint, event.authorization))
        .collect();
    assert_eq!(
        seen,
        [
            (Endpoint::GetArtifact, true),
            (Endpoint::DownloadArtifact, true),
            (Endpoint::DownloadArtifact, false)
        ]
    );
}

#[test]
fn an_expired_artifact_is_listed_and_gone() {
    let sim = Simulator::start();
    sim.run(1, "octocat", "octocat");
    let (spent, kept) = (
        sim.artifact(1, "spent", b"1"),
        sim.artifact(1, "kept", b"2"),
    );
    let client = reader(&sim);
    let address = client
        .get(&format!("/actions/artifacts/{spent}/zip"))
        .header("location")
        .unwrap()
        .to_owned();
    sim.expire_artifact(spent);
    let gone = client.get(&format!("/actions/artifacts/{spent}/zip"));
    assert_eq!(
        (gone.status, gone.message().as_str()),
        (410, "Artifact has expired")
    );
    assert_eq!(Client::bearing(&sim, "").get(&address).status, 404);
    assert_eq!(
        client.get(&format!("/actions/artifacts/{kept}/zip")).status,
        302
    );
    assert_eq!(client.get("/actions/artifacts/9/zip").status, 404);
    let listed = client.get("/actions/runs/1/artifacts").json();
    assert_eq!(
        (
            &listed["artifacts"][0]["expired"],
            &listed["artifacts"][1]["expired"]
        ),
        (&json!(false), &json!(true))
    );
    sim.shift_clock(91 * 86_400);
    assert_eq!(
        client.get(&format!("/actions/artifacts/{kept}/zip")).status,
        410
    );
}

#[test]
fn a_dispatch_makes_a_run_and_tells_it() {
    countersign_sim::pins![A46, N11];
    let sim = Simulator::start();
    sim.workflow("release.yml", &["operation", "dry"]);
    let head = sim.commit("side", &[("a", b"1")]);
    let client = starter(&sim);
    let body = json!({
        "ref": "side",
        "inputs": { "operation": "tag", "dry": true },
        "return_run_details": true,
    });
    let started = client.post("/actions/workflows/1/dispatches", &body);
    assert_eq!(started.status, 200);
    let run_id = started.json()["workflow_run_id"].as_u64().unwrap();
    assert_eq!(
        started.text("html_url"),
        format!("https://github.com/octo/hello/actions/runs/{run_id}")
    );
    let run = client
        .get(
            &started
                .text("run_url")
                .replace(&format!("{}/repos/octo/hello", sim.api_url()), ""),
        )
        .json();
    assert_eq!(
        (&run["head_sha"], &run["head_branch"], &run["status"]),
        (&json!(head), &json!("side"), &json!("queued"))
    );
    let record = sim.dispatches().remove(0);
    assert_eq!(
        (
            record.workflow.as_str(),
            record.reference.as_str(),
            record.run_id
        ),
        ("release.yml", "side", run_id)
    );
    let inputs = [("operation", "tag"), ("dry", "true")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(record.inputs, BTreeMap::from(inputs));
    assert_eq!(
        sim.effects(),
        [format!("workflow release.yml dispatched as run {run_id}")]
    );

    sim.bare_dispatches(true);
    let bare = client.post(DISPATCHES, &json!({ "ref": "main" }));
    assert_eq!((bare.status, bare.bytes.len()), (204, 0));
    assert_ne!(sim.dispatches()[1].run_id, run_id);
    let newer = client.post(
        DISPATCHES,
        &json!({ "ref": "main", "return_run_details": true }),
    );
    assert_eq!(
        (newer.status, newer.message()),
        (
            422,
            "Invalid request.\n\n\"return_run_details\" is not a permitted key.".to_owned()
        )
    );
    assert_eq!(sim.dispatches().len(), 2);
}

#[test]
fn a_dispatch_is_refused_in_githubs_words() {
    countersign_sim::pins![B26];
    let sim = Simulator::start();
    let names: Vec<String> = (0..26).map(|number| format!("input{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    sim.workflow("release.yml", &names);
    let client = starter(&sim);
    let refused = |answer: Reply| (answer.status, answer.message());
    assert_eq!(
        client
            .post(
                "/actions/workflows/absent.yml/dispatches",
                &json!({ "ref": "main" })
            )
            .status,
        404
    );
    assert_eq!(
        refused(client.post(DISPATCHES, &json!({ "ref": "absent" }))),
        (422, "No ref found for: absent".to_owned())
    );
    assert_eq!(
        refused(client.post(DISPATCHES, &json!({}))),
        (
            422,
            "Invalid request.\n\n\"ref\" wasn't supplied.".to_owned()
        )
    );
    let unexpected = dispatch(&client, &json!({ "input0": "", "x": "", "y": "" }));
    assert_eq!(
        refused(unexpected),
        (422, "Unexpected inputs provided: [\"x\", \"y\"]".to_owned())
    );
    let all: BTreeMap<&str, &str> = names.iter().map(|name| (*name, "")).collect();
    assert_eq!(dispatch(&client, &json!(all)).status, 422);
    let most: BTreeMap<&str, &str> = names.iter().skip(1).map(|name| (*name, "")).collect();
    assert_eq!(dispatch(&client, &json!(most)).status, 200);
    // {"input0":"…"} is 13 characters around the text, however many bytes that has.
    assert_eq!(
        refused(dispatch(&client, &json!({ "input0": "é".repeat(65_523) }))),
        (422, "inputs are too large.".to_owned())
    );
    assert_eq!(
        dispatch(&client, &json!({ "input0": "é".repeat(65_522) })).status,
        200
    );
    assert_eq!(sim.dispatches().len(), 2);
}
