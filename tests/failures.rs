//! Failures: each by what brings it about, with its code, its exit status, and what the ledger knows afterwards.

mod harness;

use std::{fs, path::PathBuf};

use countersign_sim::{Effect, Endpoint, Fault, Hold};
use harness::{Attempt, Report, Stage};
use serde_json::json;

#[track_caller]
fn failed(stage: &Stage, report: &Report, exit: i32, code: &str, events: &[&str]) {
    assert_eq!(
        (
            report.exit,
            report.code(),
            report.outputs["error-code"].as_str()
        ),
        (exit, code, code),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), events);
}

/// Nothing is said to have failed that may have been done.
#[test]
fn a_write_whose_answer_says_nothing_is_unknown() {
    for (effect, code) in [
        (Effect::ResetBefore, "github_no_answer"),
        (Effect::ResetAfter, "github_no_answer"),
        (Effect::Garbage, "github_garbage"),
        (Effect::StatusBefore(502), "github_unavailable"),
    ] {
        let stage = Stage::new();
        let attempt = stage.tag().approved();
        stage.sim.plan(
            Fault::on(Endpoint::CreateRef)
                .times(usize::MAX)
                .then(effect.clone()),
        );
        stage.sim.plan(
            Fault::on(Endpoint::GetRef)
                .times(usize::MAX)
                .then(effect.clone()),
        );
        let report = attempt.run();
        assert!(
            report.exit == 4 && report.status() == "unknown",
            "{effect:?}: {}",
            report.message()
        );
        failed(&stage, &report, 4, code, &["claimed", "unknown"]);
    }
}

#[test]
fn an_outcome_that_could_not_be_written_down_is_told() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.sim.plan(
        Fault::on(Endpoint::Append)
            .nth(2)
            .times(usize::MAX)
            .then(Effect::ResetBefore),
    );
    failed(
        &stage,
        &attempt.run(),
        4,
        "outcome_unrecorded",
        &["claimed"],
    );
    assert!(stage.sim.ref_oid("refs/tags/v1.0.0").is_some());
}

#[test]
fn a_ledger_that_others_write_to_all_the_time_is_given_up() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.sim.plan(
        Fault::on(Endpoint::Append)
            .times(usize::MAX)
            .then(Effect::StaleData),
    );
    failed(&stage, &attempt.run(), 1, "ledger_contended", &[]);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

#[test]
fn a_claim_that_may_be_there_is_unknown_and_nothing_is_begun() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.sim.plan(
        Fault::on(Endpoint::Append)
            .times(usize::MAX)
            .then(Effect::ResetAfter),
    );
    stage.sim.plan(
        Fault::on(Endpoint::Preflight)
            .nth(2)
            .times(usize::MAX)
            .then(Effect::StatusBefore(502)),
    );
    failed(&stage, &attempt.run(), 4, "claim_unknown", &["claimed"]);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

/// A published release that somebody changed before the next attempt looks is no success.
#[test]
fn a_release_that_is_another_one_by_now_is_a_failure() {
    let killed = || {
        let stage = Stage::new();
        stage.file("a.zip", "aaa");
        let receipt = stage.release().input("files", "a.zip").approved().receipt();
        with(&stage, &receipt, "1").killed(Endpoint::Append, 2);
        let release = stage.sim.releases()[0].id;
        (stage, receipt, release)
    };
    let (stage, receipt, release) = killed();
    stage.patch(
        &format!("/repos/octo/hello/releases/{release}"),
        &json!({ "prerelease": true }),
    );
    failed(
        &stage,
        &with(&stage, &receipt, "2").run(),
        1,
        "release_mismatch",
        &["claimed", "claimed", "failed"],
    );

    let (stage, receipt, release) = killed();
    let asset = stage.sim.releases()[0].assets[0].id;
    stage.delete(&format!("/repos/octo/hello/releases/assets/{asset}"));
    failed(
        &stage,
        &with(&stage, &receipt, "2").run(),
        1,
        "asset_missing",
        &["claimed", "claimed", "failed"],
    );
    assert_eq!(
        stage
            .sim
            .releases()
            .iter()
            .map(|release| release.id)
            .collect::<Vec<_>>(),
        [release]
    );
}

fn with<'a>(stage: &'a Stage, receipt: &str, attempt: &str) -> Attempt<'a> {
    stage
        .release()
        .input("files", "a.zip")
        .input("receipt", receipt)
        .variable("GITHUB_RUN_ATTEMPT", attempt)
}

/// Without a place for the record nothing is done.
#[test]
fn what_cannot_be_written_down_is_not_done() {
    for (attempt, code) in [
        (Stage::tag as fn(&Stage) -> Attempt<'_>, "record_unwritten"),
        (
            |stage| stage.tag().input("mode", "dry_run"),
            "plan_unwritten",
        ),
    ] {
        let stage = Stage::new();
        let attempt = if code == "plan_unwritten" {
            attempt(&stage)
        } else {
            attempt(&stage).approved()
        };
        let hold = Hold::default();
        stage
            .sim
            .plan(Fault::on(Endpoint::Preflight).then(Effect::Held(hold.clone())));
        let (mut command, _surfaces) = attempt.process();
        let variable = |name: &str| {
            let found = command
                .get_envs()
                .find(|(variable, _)| variable.to_str() == Some(name));
            PathBuf::from(found.and_then(|(_, value)| value).unwrap())
        };
        let (temp, outputs) = (variable("RUNNER_TEMP"), variable("GITHUB_OUTPUT"));
        let child = command.spawn().unwrap();
        hold.reached();
        fs::remove_dir_all(&temp).unwrap();
        hold.release();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            fs::read_to_string(outputs).unwrap().contains(code) && told.contains(code),
            "{code}: {told}"
        );
        assert_eq!(
            (stage.ledger_events(), stage.sim.ref_oid("refs/tags/v1.0.0")),
            (vec![], None)
        );
    }
}
