//! Nothing twice, nothing lost: crashes, lost answers and races, with the real binary and real kills.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Effect, Endpoint, Fault, Switch};
use harness::{Attempt, Report, Stage};

/// The next attempt of the same run, as "re-run jobs" starts it.
fn second<'a>(attempt: &Attempt<'a>) -> Attempt<'a> {
    attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2")
}

#[track_caller]
fn settled(stage: &Stage, report: &Report, events: &[&str]) {
    report.succeeded();
    assert_eq!(stage.ledger_events(), events);
}

#[test]
fn killed_before_the_claim_nothing_is_spent_and_attempt_2_ships() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::Append, 1);
    assert_eq!(stage.ledger_events(), Vec::<String>::new());
    settled(&stage, &second(&attempt).run(), &["claimed", "succeeded"]);
}

#[test]
fn killed_after_the_claim_attempt_2_does_what_is_left() {
    for (kind, endpoint) in [
        ("release", Endpoint::CreateRelease),
        ("tag", Endpoint::CreateTagObject),
        ("tag", Endpoint::CreateRef),
        ("pull", Endpoint::CreatePull),
    ] {
        let stage = Stage::new();
        let attempt = match kind {
            "release" => stage.release(),
            "tag" => stage.tag(),
            _ => stage.pull(),
        }
        .approved();
        attempt.killed(endpoint, 1);
        settled(
            &stage,
            &second(&attempt).run(),
            &["claimed", "claimed", "succeeded"],
        );
        assert_eq!(
            stage.sim.releases().len() + stage.sim.pulls().len() + usize::from(kind == "tag"),
            1
        );
    }
}

#[test]
fn killed_in_the_middle_of_its_uploads_attempt_2_adopts_the_draft_and_sends_what_is_missing() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa").file("b.zip", "bbb");
    let attempt = stage.release().input("files", "*.zip").approved();
    // The first upload comes through, the second is left without an answer.
    attempt.killed(Endpoint::UploadAsset, 2);
    assert!(stage.sim.releases()[0].draft);
    let before = stage
        .writes()
        .iter()
        .filter(|write| write.contains("/assets?name="))
        .count();
    settled(
        &stage,
        &second(&attempt).run(),
        &["claimed", "claimed", "succeeded"],
    );
    let releases = stage.sim.releases();
    assert_eq!(
        (releases.len(), releases[0].draft, releases[0].assets.len()),
        (1, false, 2)
    );
    let after = stage
        .writes()
        .iter()
        .filter(|write| write.contains("/assets?name="))
        .count();
    assert!(after - before <= 2, "{before} {after}");
}

#[test]
fn killed_after_the_operation_attempt_2_records_what_was_done() {
    for attempt in 0..3 {
        let stage = Stage::new();
        stage.file("a.zip", "aaa");
        let attempt = [
            stage.release().input("files", "a.zip"),
            stage.tag(),
            stage.pull(),
        ][attempt]
            .clone()
            .approved();
        // The claim is the first append, the outcome the second.
        attempt.killed(Endpoint::Append, 2);
        let effects = stage.sim.effects().len();
        let report = second(&attempt).run();
        settled(&stage, &report, &["claimed", "claimed", "succeeded"]);
        assert_eq!(report.record["github_response"]["already_existed"], true);
        // Two commits on the ledger and nothing else.
        assert_eq!(
            stage.sim.effects().len(),
            effects + 2,
            "{:?}",
            stage.sim.effects()
        );
    }
}

#[test]
fn killed_after_the_outcome_attempt_2_is_refused() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.run().succeeded();
    let report = second(&attempt).run();
    report.refused("receipt_consumed");
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn a_lost_answer_is_looked_after_at_once() {
    for (kind, endpoint) in [
        (0, Endpoint::CreateRelease),
        (1, Endpoint::CreateRef),
        (2, Endpoint::CreatePull),
    ] {
        let stage = Stage::new();
        let attempt = stage.each()[kind].clone().approved();
        stage.sim.plan(Fault::on(endpoint).then(Effect::ResetAfter));
        settled(&stage, &attempt.run(), &["claimed", "succeeded"]);
        assert_eq!(
            stage.sim.releases().len() + stage.sim.pulls().len() + usize::from(kind == 1),
            1
        );
    }
}

#[test]
fn what_cannot_be_learnt_now_is_unknown_and_settled_by_the_next_attempt() {
    for (kind, endpoint) in [
        (0, Endpoint::CreateRelease),
        (1, Endpoint::CreateRef),
        (2, Endpoint::CreatePull),
    ] {
        let stage = Stage::new();
        let attempt = stage.each()[kind].clone().approved();
        stage.sim.plan(
            Fault::on(endpoint)
                .times(usize::MAX)
                .then(Effect::ResetBefore),
        );
        let report = attempt.run();
        assert_eq!(
            (report.exit, report.status()),
            (4, "unknown"),
            "{}",
            report.message()
        );
        stage.sim.forget_faults();
        settled(
            &stage,
            &second(&attempt).run(),
            &["claimed", "unknown", "claimed", "succeeded"],
        );
    }
}

#[test]
fn what_stands_otherwise_than_approved_is_recorded_as_a_failure() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::CreateRef, 1);
    let other = stage.sim.commit("other", &[("a", b"a")]);
    stage.sim.annotated_tag("v1.0.0", &other, "Version 1.0.0");
    let report = second(&attempt).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "tag_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "failed"]);
}

#[test]
fn another_run_never_resumes() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::CreateRef, 1);
    second(&attempt)
        .variable("GITHUB_RUN_ID", "4")
        .input("run-id", harness::RUN)
        .run()
        .refused("receipt_consumed");
    attempt.run().refused("receipt_consumed");
    assert_eq!(stage.ledger_events(), ["claimed"]);
}

/// Starts every attempt at once and waits for all of them.
fn race(attempts: &[Attempt<'_>]) -> Vec<Report> {
    let started: Vec<_> = attempts
        .iter()
        .map(Attempt::process)
        .map(|(mut command, surfaces)| (command.spawn().unwrap(), surfaces))
        .collect();
    started
        .into_iter()
        .map(|(child, surfaces)| surfaces.report(&child.wait_with_output().unwrap()))
        .collect()
}

#[test]
fn eight_processes_with_one_receipt_publish_once() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let reports = race(&vec![attempt; 8]);
    let mut codes: Vec<&str> = reports.iter().map(Report::code).collect();
    codes.sort_unstable();
    assert_eq!(
        codes.iter().filter(|code| **code == "-").count(),
        1,
        "{codes:?}"
    );
    // Whoever comes so late that the release is there already is told of the receipt all the same.
    assert!(
        codes[1..].iter().all(|code| *code == "receipt_consumed"),
        "{codes:?}"
    );
    harness::tell(
        "eight processes with one receipt: 1 published, 7 were refused with receipt_consumed",
    );
    assert_eq!(stage.sim.releases().len(), 1);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn eight_receipts_at_once_all_get_through() {
    let stage = Stage::new();
    let attempts: Vec<_> = (0..8)
        .map(|number| {
            stage
                .tag()
                .input("tag-name", &format!("v{number}"))
                .approved()
        })
        .collect();
    let reports = race(&attempts);
    for report in &reports {
        report.succeeded();
    }
    let events = stage.ledger_events();
    assert_eq!(
        (
            events.len(),
            events.iter().filter(|event| *event == "claimed").count()
        ),
        (16, 8)
    );
    let appends = stage
        .events()
        .iter()
        .filter(|event| event.endpoint == Endpoint::Append)
        .count();
    harness::tell(&format!(
        "eight processes with a receipt each: 8 published, 16 entries in one chain, {appends} appends were tried"
    ));
}

#[test]
fn a_draft_that_was_found_is_never_thrown_away() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt = stage.release().input("files", "a.zip").approved();
    attempt.killed(Endpoint::UploadAsset, 1);
    stage
        .sim
        .plan(Fault::on(Endpoint::UploadAsset).then(Effect::CorruptUpload));
    let report = second(&attempt).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(
        (stage.sim.releases().len(), stage.sim.releases()[0].draft),
        (1, true)
    );
    assert!(
        !stage
            .writes()
            .iter()
            .any(|write| write.starts_with("DELETE")),
        "{:?}",
        stage.writes()
    );
}

#[test]
fn a_resumed_release_is_not_published_on_a_tag_that_somebody_set_meanwhile() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    attempt.killed(Endpoint::CreateRelease, 1);
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    stage.sim.annotated_tag("v1.0.0", &evil, "v1.0.0");
    let report = second(&attempt).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "tag_mismatch"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("nothing was published"),
        "{}",
        report.message()
    );
    assert_eq!(
        (stage.sim.releases().len(), stage.ledger_events()),
        (
            0,
            ["claimed", "claimed", "failed"].map(String::from).to_vec()
        )
    );
}

#[test]
fn a_resumed_pull_request_is_not_opened_from_a_branch_that_moved_meanwhile() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    attempt.killed(Endpoint::CreatePull, 1);
    stage.sim.commit("next", &[("more", b"more")]);
    let report = second(&attempt).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "pull_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.pulls().len(), 0);
}

#[test]
fn another_pull_request_of_the_same_title_is_not_taken_for_the_approved_one() {
    let stage = Stage::new();
    stage
        .pull()
        .input("body", "The first one.")
        .approved()
        .run()
        .succeeded();
    stage.sim.close_pull(1);
    let attempt = stage.pull().input("body", "The second one.").approved();
    stage.sim.plan(
        Fault::on(Endpoint::CreatePull)
            .times(usize::MAX)
            .then(Effect::StatusBefore(502)),
    );
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.status()),
        (4, "unknown"),
        "{}",
        report.message()
    );
    stage.sim.forget_faults();
    second(&attempt).run().succeeded();
    assert_eq!(stage.sim.pulls().len(), 2);
}

#[test]
fn a_look_that_fails_leaves_the_outcome_open() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::ResetAfter));
    stage
        .sim
        .plan(Fault::on(Endpoint::GetReleaseByTag).then(Effect::StatusBefore(403)));
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.status()),
        (4, "unknown"),
        "{}",
        report.message()
    );
    let report = second(&attempt).run();
    settled(
        &stage,
        &report,
        &["claimed", "unknown", "claimed", "succeeded"],
    );
    assert_eq!(report.record["github_response"]["already_existed"], true);
}

#[test]
fn an_outcome_whose_answer_is_lost_is_held_against_the_tag_all_the_same() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).nth(2).then(Effect::ResetAfter));
    let report = attempt.run_while_uploading(|| stage.sim.tag("v1.0.0", &evil));
    assert_eq!(
        (report.exit, report.code()),
        (1, "tag_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded", "failed"]);
}

#[test]
fn a_claim_that_github_dates_after_the_expiry_is_never_acted_upon() {
    let stage = Stage::new();
    let attempt = stage
        .tag()
        .approved_with(|terms| terms.expires_at = terms.issued_at.plus(240));
    // Within the five minutes that the clocks may differ, but after the receipt's end.
    let report = attempt.run_while(Endpoint::Append, || stage.sim.shift_clock(270));
    assert_eq!(
        (report.exit, report.code()),
        (1, "receipt_expired"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("Nothing was done under it"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

#[test]
fn a_pull_request_whose_branch_moved_after_it_was_opened_unseen_is_told_with_its_number() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreatePull).then(Effect::ResetAfter));
    stage
        .sim
        .plan(Fault::on(Endpoint::ListPulls).then(Effect::StatusBefore(403)));
    assert_eq!(attempt.run().status(), "unknown");
    stage.sim.commit("next", &[("more", b"more")]);
    let report = second(&attempt).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "pull_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(
        report.record["github_response"]["pull_number"],
        1,
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.pulls().len(), 1);
}

#[test]
fn a_pull_request_is_found_again_under_a_receipt_that_was_issued_after_it_was_opened() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    attempt.killed(Endpoint::Append, 2);
    // Merged or closed meanwhile, so that GitHub would open another one.
    stage.sim.close_pull(1);
    stage.sim.shift_clock(900);
    let at = harness::now().plus(900).unix().to_string();
    second(&attempt)
        .variable("HURRIED_NOW", at)
        .approved_with(|terms| {
            terms.receipt_id = "receipt-again".parse().unwrap();
            terms.issued_at = terms.issued_at.plus(900);
            terms.expires_at = terms.expires_at.plus(900);
        })
        .run()
        .succeeded();
    assert_eq!(stage.sim.pulls().len(), 1);
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "succeeded"]);
}

#[test]
fn an_attempt_that_lost_its_claim_while_it_waited_publishes_and_deletes_nothing() {
    let stage = Stage::new();
    stage.file("app.zip", "bytes");
    let attempt = stage.release().input("files", "app.zip").approved();
    let report = attempt.run_while_uploading(|| {
        stage.sleep(6);
        second(&attempt).run().succeeded();
    });
    assert_eq!(
        (report.exit, report.code()),
        (4, "claim_lost"),
        "{}",
        report.message()
    );
    let published: Vec<bool> = stage.sim.releases().iter().map(|one| !one.draft).collect();
    assert_eq!(published, [true]);
    assert_eq!(
        stage.ledger_events(),
        ["claimed", "claimed", "succeeded", "unknown"]
    );
    // Nobody has to settle anything: the successor did.
    second(&attempt).run().refused("receipt_consumed");
}

#[test]
fn nothing_is_published_that_became_ready_after_the_receipts_end() {
    let stage = Stage::new();
    stage.file("app.zip", "bytes");
    let attempt = stage.release().input("files", "app.zip").approved();
    let report = attempt.run_while_uploading(|| stage.sleep(3700));
    assert_eq!(
        (report.exit, report.code()),
        (1, "receipt_expired"),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.releases().len(), 0, "the draft was taken away");
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

#[test]
fn a_retry_makes_the_claim_be_looked_at_again() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    // GitHub fails once, and the receipt ends while the same request is answered the second time.
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateTagObject).then(Effect::StatusBefore(502)));
    let report = attempt.run_while_nth(Endpoint::CreateTagObject, 2, || {
        stage.sim.shift_clock(3700);
    });
    assert_eq!(
        (report.exit, report.code()),
        (1, "receipt_expired"),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

/// What the row about the ledger's branch shows.
fn guard(report: &Report) -> String {
    let checks = report.record["checks"].as_array().unwrap().iter();
    let mut guards = checks.filter(|check| check["code"] == "ledger_unguarded");
    guards.next().unwrap()["found"].as_str().unwrap().to_owned()
}

fn looks_at_activity(stage: &Stage) -> usize {
    let events = stage.events().into_iter();
    let looks = events.filter(|event| event.endpoint == Endpoint::ListActivity);
    looks.count()
}

#[test]
fn without_rules_githubs_activity_shows_that_the_ledger_was_not_set_back() {
    let stage = Stage::new();
    let report = stage.tag().approved().run();
    report.succeeded();
    assert_eq!(guard(&report), "rules forbid deletion and forced pushes");
    assert_eq!(looks_at_activity(&stage), 0);

    let stage = Stage::unprotected();
    for tag in ["v1", "v2"] {
        let report = stage.tag().input("tag-name", tag).approved().run();
        report.succeeded();
        assert_eq!(guard(&report), "GitHub's activity shows only plain pushes");
    }
    assert_eq!(looks_at_activity(&stage), 2);
}

#[test]
fn activity_that_shows_late_is_looked_at_again() {
    let stage = Stage::unprotected();
    let attempt = stage.tag().approved();
    stage.sim.turn_on(Switch::ActivityIsLate);
    attempt.run().succeeded();
    assert_eq!(looks_at_activity(&stage), 3);
}

#[test]
fn activity_is_read_page_by_page_back_to_before_the_plan() {
    let stage = Stage::unprotected();
    let attempt = stage.tag().approved();
    for _ in 0..150 {
        stage.sim.commit("receipt-ledger", &[("junk", b"junk")]);
    }
    attempt.run().succeeded();
    assert_eq!(looks_at_activity(&stage), 2);
}

#[test]
fn a_workflow_may_accept_a_ledger_that_nothing_keeps_from_being_set_back() {
    let stage = Stage::unprotected();
    stage.sim.turn_on(Switch::ActivityIsAbsent);
    let attempt = stage.tag().approved();
    assert_eq!(attempt.run().code(), "ledger_unguarded");
    let report = attempt.input("unguarded-ledger", "true").run();
    report.succeeded();
    let found = guard(&report);
    assert!(
        found.ends_with("; accepted by the input `unguarded-ledger`"),
        "{found}"
    );
}
