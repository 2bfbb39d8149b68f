//! Outcomes that someone forged, so that a campaign goes on as if an operation had been done.

use countersign_core::ledger::{EventType, GithubResponse};
use countersign_sim::Endpoint;
use serde_json::json;

use crate::{
    Scene,
    harness::{Attempt, Stage, by_hand::path, strangers},
    judge::{Expected, attempted, attempted_as},
};

pub const SCENES: &[Scene] = &[
    (
        "a forged outcome says that a campaign's pull request was opened",
        || {
            of_nothing(
                "a forged outcome says that a campaign's pull request was opened",
                PULL,
                Endpoint::CreatePull,
            );
        },
    ),
    (
        "a forged outcome says that a campaign's draft was made",
        || {
            of_nothing(
                "a forged outcome says that a campaign's draft was made",
                DRAFT,
                Endpoint::CreateRelease,
            );
        },
    ),
    (
        "a forged outcome says that a campaign's tag was made, and a lightweight one is there",
        of_a_lightweight_tag,
    ),
    (
        "a forged outcome says that a campaign's release was published, and one with another file is there",
        of_a_release_with_another_file,
    ),
];

const PULL: &str = r#"
[[operation]]
id = "first"
operation = "open_pr"
title = "Next"
head-branch = "next"
"#;

const DRAFT: &str = r#"
[[operation]]
id = "first"
operation = "publish_release"
draft = true
tag-name = "v0.9.0"
"#;

const TAG: &str = r#"
[[operation]]
id = "first"
operation = "tag_repo"
tag-name = "v0.9.0"
message = "One"
"#;

const RELEASE: &str = r#"
[[operation]]
id = "first"
operation = "publish_release"
tag-name = "v0.9.0"
files = ["app.zip"]
"#;

/// What must not follow.
const THEN: &str = r#"
[[operation]]
id = "then"
operation = "tag_repo"
needs = ["first"]
tag-name = "v1.0.0"
message = "Two"
"#;

const LINK: &str = "https://evil.example/";

/// Kills the first attempt before its write, forges the outcome, and returns the second attempt.
fn forged<'a>(stage: &'a Stage, first: &str, at: Endpoint) -> Attempt<'a> {
    let attempt = stage.approved_campaign(&format!("name = \"Two\"\n{first}{THEN}"));
    attempt.killed(at, 1);
    let response = GithubResponse {
        html_url: Some(LINK.into()),
        pull_number: Some(1),
        release_id: Some(1),
        ..GithubResponse::default()
    };
    let claim = stage.ledger().remove(0);
    strangers::settle_with(stage, &claim, EventType::Succeeded, response);
    attempt.variable("GITHUB_RUN_ATTEMPT", "2")
}

fn of_nothing(name: &str, first: &str, at: Endpoint) {
    let stage = Stage::new();
    stage.sim.commit("next", &[("next.txt", b"next\n")]);
    let attempt = forged(&stage, first, at);
    let report = attempted(&stage, name, attempt, "receipt_consumed");
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    for surface in [
        &report.log,
        &report.summary,
        &report.record.to_string(),
        &format!("{:?}", report.outputs),
    ] {
        assert!(!surface.contains(LINK), "{surface}");
    }
}

/// What is there is compared with what was approved, whatever the ledger says of it.
fn of_something_else(stage: &Stage, name: &str, attempt: Attempt<'_>, code: &str) {
    let expected = Expected {
        exit: 1,
        says: Some("ledger entry 2 says that an earlier attempt shipped it, but "),
        ..Expected::refusal(code)
    };
    attempted_as(stage, name, attempt, &expected);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

fn of_a_lightweight_tag() {
    let stage = Stage::new();
    let attempt = forged(&stage, TAG, Endpoint::CreateRef);
    stage.sim.tag("v0.9.0", &stage.main());
    let name =
        "a forged outcome says that a campaign's tag was made, and a lightweight one is there";
    of_something_else(&stage, name, attempt, "tag_mismatch");
}

fn of_a_release_with_another_file() {
    let stage = Stage::new();
    stage.file("app.zip", "good bytes");
    let attempt = forged(&stage, RELEASE, Endpoint::CreateRelease);
    let release = json!({
        "tag_name": "v0.9.0", "target_commitish": stage.main(), "name": "v0.9.0", "body": "",
    });
    stage.post(&path(&stage, "releases"), &release);
    stage.upload(1, "app.zip", "evil bytes");
    let name = "a forged outcome says that a campaign's release was published, and one with another file is there";
    of_something_else(&stage, name, attempt, "asset_mismatch");
}
