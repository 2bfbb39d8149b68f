//! What an open claim left after its receipt's end is looked at and recorded, and nothing else is done.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Report, Stage, now};
use serde_json::Value;

/// Longer than every receipt of these tests is valid.
const LATER: u64 = 3700;

/// The world an hour later, for GitHub.
fn after_the_end(stage: &Stage) {
    stage.sim.shift_clock(LATER.try_into().unwrap());
}

/// The next attempt of the same run, an hour later.
fn late<'a>(attempt: &Attempt<'a>) -> Attempt<'a> {
    let at = now().plus(LATER).unix();
    attempt
        .clone()
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .variable("HURRIED_NOW", at.to_string())
}

fn approved(stage: &Stage, kind: usize) -> Attempt<'_> {
    stage.file("a.zip", "aaa");
    let release = stage
        .release()
        .input("files", "a.zip")
        .input("attach-receipt", "true");
    [release, stage.tag(), stage.pull()][kind]
        .clone()
        .approved()
}

/// The findings of an audit, and its exit status.
fn audited(stage: &Stage) -> (i32, Vec<String>) {
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let repository = stage.sim.repository();
    let arguments = [
        "audit",
        "--trusted-keys",
        "keys",
        "--repository",
        repository,
        "--format",
        "json",
    ];
    let output = stage
        .command(&arguments)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes = audit["findings"].as_array().unwrap().iter();
    (
        output.status.code().unwrap(),
        codes
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect(),
    )
}

fn guarded() -> Stage {
    let stage = Stage::new();
    stage
        .sim
        .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
    stage
}

fn verified(stage: &Stage) {
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let repository = stage.sim.repository();
    let arguments = [
        "ledger",
        "verify",
        "--trusted-keys",
        "keys",
        "--repository",
        repository,
    ];
    let output = stage
        .command(&arguments)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}

/// The writes since so many, of which only appends to the ledger are allowed.
#[track_caller]
fn only_appended(stage: &Stage, before: usize, appends: usize) {
    let writes = stage.writes().split_off(before);
    assert_eq!(writes, vec!["POST /graphql"; appends], "{writes:?}");
}

#[track_caller]
fn ends(report: &Report, exit: i32, code: &str, says: &str) {
    assert_eq!(
        (report.exit, report.code()),
        (exit, code),
        "{}\n{}",
        report.message(),
        report.log
    );
    assert!(report.message().contains(says), "{}", report.message());
}

#[test]
fn a_lost_outcome_is_recorded_after_the_receipts_end_as_the_audit_advises() {
    for kind in 0..3 {
        let stage = guarded();
        let attempt = approved(&stage, kind);
        // The claim is the first append, the outcome the second.
        attempt.killed(Endpoint::Append, 2);
        after_the_end(&stage);
        assert_eq!(
            audited(&stage),
            (5, vec!["effect_without_outcome".to_owned()])
        );

        let before = stage.writes().len();
        let report = late(&attempt).run();
        report.succeeded();
        only_appended(&stage, before, 1);
        assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
        assert_eq!(report.record["github_response"]["already_existed"], true);
        assert_eq!(report.record["ledger"]["claim"]["sequence"], 1);
        assert_eq!(report.record["ledger"]["outcome"]["sequence"], 2);
        assert!(report.broken().contains(&"receipt_expired"));
        let result = report.record["result"].as_str().unwrap();
        assert!(
            result.contains("this attempt only looked, and recorded it"),
            "{result}"
        );
        assert_eq!(audited(&stage), (0, Vec::new()));
        verified(&stage);

        // And that was the end of it.
        late(&attempt).run().refused("receipt_consumed");
    }
}

#[test]
fn a_claim_of_which_nothing_came_is_closed_as_failed_after_the_receipts_end() {
    for (kind, endpoint) in [
        (0, Endpoint::CreateRelease),
        (1, Endpoint::CreateRef),
        (2, Endpoint::CreatePull),
    ] {
        let stage = guarded();
        let attempt = approved(&stage, kind);
        attempt.killed(endpoint, 1);
        after_the_end(&stage);
        assert_eq!(
            audited(&stage),
            (5, vec!["receipt_without_effect".to_owned()])
        );

        let before = stage.writes().len();
        let report = late(&attempt).run();
        ends(
            &report,
            1,
            "receipt_expired",
            "GitHub holds nothing that was done with it",
        );
        only_appended(&stage, before, 1);
        assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
        assert_eq!(
            audited(&stage),
            (0, vec!["receipt_spent_in_vain".to_owned()])
        );
        verified(&stage);
    }
}

#[test]
fn a_draft_that_nobody_may_publish_any_more_is_named_and_left_alone() {
    let stage = guarded();
    let attempt = approved(&stage, 0);
    attempt.killed(Endpoint::PublishRelease, 1);
    after_the_end(&stage);

    let before = stage.writes().len();
    let report = late(&attempt).run();
    let id = stage.sim.releases()[0].id;
    ends(
        &report,
        1,
        "receipt_expired",
        &format!("release {id}: delete it by hand"),
    );
    only_appended(&stage, before, 1);
    assert_eq!(report.record["github_response"]["release_id"], id);
    assert!(stage.sim.releases()[0].draft);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

#[test]
fn what_is_there_otherwise_than_approved_is_not_settled() {
    let stage = guarded();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::CreateRef, 1);
    let other = stage.sim.commit("other", &[("a", b"a")]);
    stage.sim.annotated_tag("v1.0.0", &other, "Version 1.0.0");
    after_the_end(&stage);
    let before = stage.writes().len();
    ends(&late(&attempt).run(), 4, "tag_mismatch", "only looked");
    only_appended(&stage, before, 0);

    // Nor is a release with other words, or with a claim of others attached.
    let stage = guarded();
    let attempt = approved(&stage, 0);
    attempt.killed(Endpoint::Append, 2);
    let release = stage.sim.releases()[0].clone();
    let evidence = release
        .assets
        .iter()
        .find(|asset| asset.name == "countersign-receipt.json")
        .unwrap();
    stage.exchange(release.id, evidence.id, "countersign-receipt.json", "{}\n");
    after_the_end(&stage);
    ends(&late(&attempt).run(), 4, "asset_mismatch", "only looked");
    let path = format!("/repos/{}/releases/{}", stage.sim.repository(), release.id);
    stage.patch(&path, &serde_json::json!({"name": "Other"}));
    ends(&late(&attempt).run(), 4, "release_mismatch", "only looked");
    assert_eq!(stage.ledger_events(), ["claimed"]);

    // Nor is a pull request whose labels were never set.
    let stage = guarded();
    let attempt = stage.pull().input("labels", "release").approved();
    attempt.killed(Endpoint::AddLabels, 1);
    after_the_end(&stage);
    ends(&late(&attempt).run(), 4, "labels_missing", "only looked");
    assert_eq!(stage.ledger_events(), ["claimed"]);
}

#[test]
fn evidence_that_is_shown_under_another_name_or_type_is_not_settled() {
    for (label, content_type) in [
        ("&label=installer.exe", "application/json"),
        ("", "text/html"),
    ] {
        let stage = guarded();
        let attempt = approved(&stage, 0);
        attempt.killed(Endpoint::Append, 2);
        let release = stage.sim.releases().remove(0);
        let name = "countersign-receipt.json";
        let evidence = release.assets.iter().find(|asset| asset.name == name);
        let evidence = evidence.unwrap();
        let text = String::from_utf8(evidence.bytes.clone().unwrap()).unwrap();
        let query = format!("name={name}{label}");
        stage.dress_up(release.id, evidence.id, &query, content_type, &text);

        after_the_end(&stage);
        ends(&late(&attempt).run(), 4, "asset_mismatch", "only looked");
        assert_eq!(stage.ledger_events(), ["claimed"]);
    }
}

#[test]
fn what_cannot_be_seen_is_not_settled() {
    for (kind, endpoint) in [
        (0, Endpoint::GetReleaseByTag),
        (1, Endpoint::GetRef),
        (2, Endpoint::ListPulls),
    ] {
        let stage = guarded();
        let attempt = approved(&stage, kind);
        attempt.killed(Endpoint::Append, 2);
        after_the_end(&stage);
        let refused = Fault::on(endpoint).times(usize::MAX);
        stage.sim.plan(refused.then(Effect::StatusBefore(403)));
        let before = stage.writes().len();
        let report = late(&attempt).run();
        ends(&report, 4, "permission_denied", "only looked");
        only_appended(&stage, before, 0);

        stage.sim.forget_faults();
        late(&attempt).run().succeeded();
    }
}

#[test]
fn what_shows_late_is_not_taken_for_nothing() {
    let stage = guarded();
    let attempt = approved(&stage, 0);
    attempt.killed(Endpoint::Append, 2);
    after_the_end(&stage);
    let hidden = Fault::on(Endpoint::GetReleaseByTag).times(12);
    stage.sim.plan(hidden.then(Effect::StatusBefore(404)));
    late(&attempt).run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn an_expired_receipt_of_an_operation_that_is_not_open_is_refused() {
    let stage = guarded();
    let attempt = stage.tag().approved();
    after_the_end(&stage);
    let before = stage.writes().len();
    late(&attempt).run().refused("receipt_expired");
    only_appended(&stage, before, 0);
}

#[test]
fn another_run_settles_nothing() {
    let stage = guarded();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::Append, 2);
    after_the_end(&stage);
    late(&attempt)
        .variable("GITHUB_RUN_ID", "4")
        .input("run-id", harness::RUN)
        .run()
        .refused("receipt_consumed");
    assert_eq!(stage.ledger_events(), ["claimed"]);
}

#[test]
fn a_valid_receipt_is_used_before_anything_is_settled_with_an_expired_one() {
    let stage = guarded();
    let short = stage
        .tag()
        .approved_with(|terms| terms.expires_at = terms.issued_at.plus(60));
    short.killed(Endpoint::CreateRef, 1);
    let long = stage.tag().approved_with(|terms| {
        terms.receipt_id = "receipt-longer".parse().unwrap();
        terms.expires_at = terms.issued_at.plus(6 * 3600);
    });
    after_the_end(&stage);
    let both = format!("{}\n{}", short.receipt(), long.receipt());
    late(&short).input("receipt", &both).run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "succeeded"]);
}

const CAMPAIGN: &str = r#"
name = "v1.0.0"

[[operation]]
id = "first"
operation = "tag_repo"
tag-name = "v1.0.0"
message = "One"

[[operation]]
id = "second"
operation = "tag_repo"
tag-name = "v2.0.0"
message = "Two"
"#;

#[test]
fn a_campaigns_lost_outcome_is_settled_and_nothing_is_begun_after_it() {
    let stage = guarded();
    stage.file("campaign.toml", CAMPAIGN);
    let planned = Attempt::new(&stage)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .run();
    assert_eq!(planned.exit, 0, "{}", planned.log);
    std::fs::copy(planned.plan(), stage.workspace().join("plan.json")).unwrap();
    let attempt = Attempt::new(&stage)
        .input("plan", "plan.json")
        .input("receipt", &stage.sign_all(&planned.plan()));
    attempt.killed(Endpoint::Append, 2);
    after_the_end(&stage);

    let before = stage.writes().len();
    let report = late(&attempt).run();
    ends(&report, 1, "receipt_expired", "");
    let results: Value = serde_json::from_str(&report.outputs["results"]).unwrap();
    assert_eq!(results[0]["status"], "success", "{results}");
    assert_eq!(results[1]["status"], "rejected_by_auth", "{results}");
    only_appended(&stage, before, 1);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
    assert_eq!(stage.sim.ref_oid("refs/tags/v2.0.0"), None);
}
