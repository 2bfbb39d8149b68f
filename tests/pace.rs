//! How fast files are uploaded, and what happens when GitHub finds it too fast.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Effect, Endpoint, Fault, pins};
use harness::{Attempt, Report, Stage};
use serde_json::Value;

fn files(stage: &Stage, count: usize) -> Attempt<'_> {
    for number in 0..count {
        stage.file(&format!("file-{number:03}.zip"), number.to_string());
    }
    stage.release().input("files", "*.zip")
}

fn warnings(report: &Report) -> Vec<(String, String)> {
    let plan: Value = serde_json::from_slice(&std::fs::read(report.plan()).unwrap()).unwrap();
    let warnings = plan["operations"][0]["warnings"].as_array().unwrap();
    let text = |warning: &Value, member: &str| warning[member].as_str().unwrap().to_owned();
    warnings
        .iter()
        .map(|warning| (text(warning, "code"), text(warning, "message")))
        .collect()
}

const PACED: &str = "countersign: 62 files are uploaded one per second after the first 60";

#[test]
fn files_after_the_first_sixty_are_uploaded_one_per_second() {
    pins![F8];
    let stage = Stage::new();
    let report = files(&stage, 62).approved().run();
    report.succeeded();
    assert!(report.log.contains(PACED), "{}", report.log);
    // `max-wait` does not limit this: nothing was wrong.
    assert_eq!(report.record["retry_count"], 0);
}

#[test]
fn an_enterprise_server_gets_all_files_at_once() {
    pins![F8];
    let stage = Stage::new();
    let attempt = files(&stage, 62).variable("GITHUB_SERVER_URL", "https://ghes.example");
    let plan = attempt.dry_run();
    assert_eq!(warnings(&plan), []);
    let report = attempt.approved().run();
    report.succeeded();
    assert!(!report.log.contains(PACED), "{}", report.log);
}

#[test]
fn a_plan_says_how_long_the_uploads_take_and_when_github_may_stop_them() {
    pins![F8];
    let stage = Stage::new();
    assert_eq!(warnings(&files(&stage, 60).dry_run()), []);

    let [(code, message)] = &warnings(&files(&stage, 61).dry_run())[..] else {
        panic!("one warning");
    };
    assert_eq!(code, "uploads_take_time");
    assert!(
        message.starts_with("its 61 uploads take at least 1 min 0 s: "),
        "{message}"
    );

    let warnings = warnings(&files(&stage, 481).dry_run());
    let codes: Vec<&str> = warnings.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(
        codes,
        ["rate_limit_likely", "uploads_take_time", "uploads_may_stop"]
    );
    assert!(
        warnings[2].1.contains("`--expires-in 2h` at least"),
        "{}",
        warnings[2].1
    );
}

#[test]
fn a_secondary_limit_on_uploads_is_waited_for() {
    pins![F8];
    let stage = Stage::new();
    let attempt = files(&stage, 12).input("max-wait", "600").approved();
    stage.sim.plan(
        Fault::on(Endpoint::UploadAsset)
            .nth(3)
            .times(6)
            .then(Effect::SecondaryLimit),
    );
    let report = attempt.run();
    report.succeeded();

    assert_eq!(stage.sim.releases()[0].assets.len(), 12);
    assert!(
        report.log.contains("Trying again in 60 s"),
        "{}",
        report.log
    );
}

/// Nothing is in doubt then, but a failure would spend the receipt for good: the outcome stays open,
/// so that a re-run can continue.
#[test]
fn a_limit_that_outlasts_max_wait_leaves_the_operation_to_a_re_run() {
    pins![F8];
    for endpoint in [Endpoint::UploadAsset, Endpoint::PublishRelease] {
        let stage = Stage::new();
        let attempt = files(&stage, 3).approved();
        stage.sim.plan(
            Fault::on(endpoint)
                .times(usize::MAX)
                .then(Effect::SecondaryLimit),
        );
        let report = attempt.run();
        assert_eq!(
            (report.exit, report.code()),
            (4, "rate_limited"),
            "{}",
            report.message()
        );
        assert_eq!(stage.ledger_events(), ["claimed", "unknown"]);

        stage.sim.forget_faults();
        let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
        second.succeeded();
        assert_eq!(stage.sim.releases().len(), 1);
    }
}
