//! What surrounds every request: headers, the log and planned faults.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails on the spot"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use countersign_sim::{Effect, Endpoint, Fault, Kind, Matcher, Simulator};
use serde_json::{Value, json};
use support::Client;

fn create(client: &Client) -> Result<support::Reply, ureq::Error> {
    client.attempt(
        "POST",
        "/releases",
        &json!({ "tag_name": "v1", "draft": true }),
    )
}

#[test]
fn the_date_follows_the_set_clock() {
    countersign_sim::pins![A71];
    let sim = Simulator::start();
    sim.set_clock(784_111_777);
    sim.shift_clock(1);
    let answer = Client::writer(&sim).get("");
    assert_eq!(answer.header("date"), Some("Sun, 06 Nov 1994 08:49:38 GMT"));
    assert_eq!(
        answer.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("999"));
    sim.plan(Fault::on(Endpoint::GetRepository).then(Effect::OmitDate));
    assert_eq!(Client::writer(&sim).get("").header("date"), None);
}

#[test]
fn a_reset_before_the_work_leaves_nothing_and_one_after_it_everything() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::ResetBefore));
    assert!(
        create(&client).is_err(),
        "the connection should have dropped"
    );
    assert_eq!(sim.releases().len(), 0);
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::ResetAfter));
    assert!(
        create(&client).is_err(),
        "the connection should have dropped"
    );
    assert_eq!(sim.releases().len(), 1);
    let writes = sim.writes();
    assert_eq!(writes.len(), 2);
    assert_eq!((writes[1].status, writes[1].finished), (None, true));
    assert_eq!(writes[1].effect.as_deref(), Some("draft release 1 created"));
}

#[test]
fn a_truncated_reply_breaks_off_in_the_middle() {
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::TruncatedReply));
    let broken = create(&Client::writer(&sim));
    assert!(
        matches!(broken, Err(ureq::Error::Io(_))),
        "half an answer should not be read whole"
    );
    assert_eq!(sim.releases().len(), 1);
}

#[test]
fn statuses_come_before_or_after_the_work() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let on = || Fault::on(Matcher::method("POST").path_suffix("/releases"));
    sim.plan(on().then(Effect::StatusBefore(502)));
    sim.plan(on().then(Effect::RetryAfter {
        status: 429,
        seconds: 7,
    }));
    assert_eq!(create(&client).unwrap().status, 502);
    assert_eq!(sim.releases().len(), 0);
    let limited = create(&client).unwrap();
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, Some("7"))
    );
    sim.plan(on().then(Effect::StatusAfter(504)));
    assert_eq!(create(&client).unwrap().status, 504);
    assert_eq!(sim.releases().len(), 1);
}

#[test]
fn a_stalled_request_is_in_the_log_before_it_is_answered() {
    let sim = Simulator::start();
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::Stall));
    let stream = raw(
        &sim,
        "POST /repos/octo/hello/releases HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
    );
    sim.wait_until(|events| events.iter().any(|event| event.body_bytes == 2));
    let event = sim.events().remove(0);
    assert_eq!(
        (event.endpoint, event.status, event.finished),
        (Endpoint::CreateRelease, None, false)
    );
    drop(stream);
}

/// Sends these bytes as they are.
fn raw(sim: &Simulator, request: &str) -> TcpStream {
    let address = sim.api_url();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn reads_and_writes_are_told_apart() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    client.get("/releases");
    client.post("/releases/generate-notes", &json!({ "tag_name": "v1" }));
    client.graphql("query Look { rateLimit { limit } }", &Value::Null);
    client.post("/git/refs", &json!({}));
    let kinds: Vec<Kind> = sim.events().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Read, Kind::Read, Kind::Read, Kind::Write]);
    assert_eq!(sim.events()[2].operation.as_deref(), Some("Look"));
    assert_eq!(sim.writes()[0].status, Some(422));
}

#[test]
fn a_request_without_a_user_agent_is_refused() {
    let sim = Simulator::start();
    let mut stream = raw(
        &sim,
        "GET /rate_limit HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "));
    assert!(answer.contains("Please make sure your request has a User-Agent header"));
}

#[test]
fn a_spent_budget_is_403_with_nothing_remaining() {
    countersign_sim::pins![A64];
    let sim = Simulator::start();
    sim.rate_limit(60, 1);
    let client = Client::writer(&sim);
    assert_eq!(client.get("").status, 200);
    let refused = client.get("");
    assert_eq!(refused.status, 403);
    assert!(refused.message().starts_with("API rate limit exceeded"));
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
}

#[test]
fn a_redirect_a_foreign_upload_url_and_garbage_come_as_planned() {
    let sim = Simulator::start();
    let client = Client::writer(&sim);
    let to = "http://127.0.0.1:1/elsewhere".to_owned();
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::Redirect(to.clone())));
    let redirected = create(&client).unwrap();
    assert_eq!(
        (redirected.status, redirected.header("location")),
        (307, Some(to.as_str()))
    );
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::ForeignUploadUrl));
    let foreign = create(&client).unwrap().text("upload_url");
    assert_eq!(
        foreign,
        "https://uploads.invalid/repos/octo/hello/releases/1/assets{?name,label}"
    );
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::Garbage));
    let garbage = create(&client).unwrap();
    assert!(
        serde_json::from_slice::<Value>(&garbage.bytes).is_err(),
        "HTML is no JSON"
    );
}

#[test]
fn a_late_answer_is_late() {
    let sim = Simulator::start();
    sim.delay(Duration::from_millis(30));
    let start = std::time::Instant::now();
    Client::writer(&sim).get("");
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn the_transcript_has_every_rest_exchange_that_no_fault_met() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("transcript");
    let sim = Simulator::builder().transcript(&path).start();
    let client = Client::writer(&sim);
    sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::StatusAfter(502)));
    assert_eq!(create(&client).unwrap().status, 502);
    let release = create(&client).unwrap().json();
    client.upload(&release, "a.bin", b"\xff\xfe");
    client.graphql("{ rateLimit { limit } }", &Value::Null);
    client.get("/releases?per_page=1");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line["method"], line["path"], line["status"]))
        .collect();
    let (create, upload) = (
        "\"POST\" \"/repos/octo/hello/releases\" 201",
        "\"POST\" \"/repos/octo/hello/releases/2/assets?name=a.bin\" 201",
    );
    assert_eq!(
        told,
        [
            create,
            upload,
            "\"GET\" \"/repos/octo/hello/releases?per_page=1\" 200"
        ]
    );
    assert_eq!(
        (&lines[0]["body"], &lines[0]["uploads"]),
        (
            &json!("{\"draft\":true,\"tag_name\":\"v1\"}"),
            &json!(false)
        )
    );
    assert_eq!(
        (
            &lines[1]["body"],
            &lines[1]["body_bytes"],
            &lines[1]["uploads"]
        ),
        (&Value::Null, &json!(2), &json!(true))
    );
    assert_eq!(
        lines[2]["answer_headers"]["content-type"],
        "application/json; charset=utf-8"
    );
    let answer: Value = serde_json::from_str(lines[2]["answer"].as_str().unwrap()).unwrap();
    assert_eq!(answer[0]["id"], 2);
    assert!(!text.contains("ghs_"), "a token was written down");
}
