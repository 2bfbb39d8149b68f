//! GitHub's reads lag behind its writes: what does not show yet is looked for again before anything
//! is called failed or unknown, and nothing is done twice.

mod harness;

use countersign_sim::{Effect, Endpoint, Fault, Switch, pins};
use harness::{Attempt, Report, Stage};

/// More looks than any attempt makes.
const FOR_GOOD: usize = 1000;

#[track_caller]
fn ended(stage: &Stage, report: &Report, exit: i32, code: &str, events: &[&str]) {
    assert_eq!(
        (report.exit, report.code()),
        (exit, code),
        "{}\n{}",
        report.message(),
        report.log
    );
    assert_eq!(stage.ledger_events(), events);
}

#[track_caller]
fn shipped(stage: &Stage, report: &Report) {
    ended(stage, report, 0, "-", &["claimed", "succeeded"]);
}

/// A release of two files.
fn two_files(stage: &Stage) -> Attempt<'_> {
    stage.file("a.zip", "aaa").file("b.zip", "bb");
    stage.release().input("files", "*.zip")
}

fn asked(stage: &Stage, endpoint: Endpoint) -> usize {
    let events = stage.events();
    events
        .iter()
        .filter(|event| event.endpoint == endpoint)
        .count()
}

#[test]
fn a_tag_that_shows_late_is_looked_for_before_anything_is_called_unknown() {
    pins![F2];
    for attempt in [Stage::tag as fn(&Stage) -> Attempt<'_>, Stage::release] {
        let stage = Stage::new();
        stage.sim.turn_on(Switch::FreshRefsAreMissing);
        stage.sim.lag(4);
        let report = attempt(&stage).approved().run();
        shipped(&stage, &report);
        assert!(
            report
                .log
                .contains("GitHub does not show the tag `v1.0.0` yet"),
            "{}",
            report.log
        );
    }
}

#[test]
fn a_tag_that_does_not_show_within_half_a_minute_is_unknown() {
    pins![F2];
    let stage = Stage::new();
    stage.sim.turn_on(Switch::FreshRefsAreMissing);
    stage.sim.lag(FOR_GOOD);
    let report = stage.tag().approved().run();
    let events = ["claimed", "succeeded", "unknown"];
    ended(&stage, &report, 4, "tag_mismatch", &events);
    assert_eq!(asked(&stage, Endpoint::GetRef), 16);
}

#[test]
fn a_tag_object_that_github_does_not_find_yet_is_waited_for() {
    pins![U2];
    for switch in [
        Switch::FreshObjectsAreNotFound,
        Switch::FreshObjectsDoNotExist,
    ] {
        let stage = Stage::new();
        stage.sim.turn_on(switch);
        let report = stage.tag().approved().run();
        shipped(&stage, &report);
        assert_eq!(asked(&stage, Endpoint::CreateTagObject), 1, "{switch:?}");
        assert_eq!(asked(&stage, Endpoint::CreateRef), 3, "{switch:?}");
    }
}

#[test]
fn a_tag_object_that_github_does_not_find_is_left_to_the_next_attempt() {
    pins![U2];
    for switch in [
        Switch::FreshObjectsAreNotFound,
        Switch::FreshObjectsDoNotExist,
    ] {
        let stage = Stage::new();
        stage.sim.turn_on(switch);
        stage.sim.lag(FOR_GOOD);
        let attempt = stage.tag().approved();
        let report = attempt.run();
        ended(&stage, &report, 4, "not_found", &["claimed", "unknown"]);
        assert_eq!(asked(&stage, Endpoint::CreateRef), 4, "{switch:?}");

        stage.sim.turn_off(switch);
        let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
        let events = ["claimed", "unknown", "claimed", "succeeded"];
        ended(&stage, &second, 0, "-", &events);
    }
}

/// The answer said 404, and the ref was set all the same: the second try meets it.
#[test]
fn a_ref_that_exists_on_the_second_try_is_ours_if_it_leads_to_our_object() {
    pins![U2];
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    for endpoint in [Endpoint::CreateRef, Endpoint::GetRef] {
        stage
            .sim
            .plan(Fault::on(endpoint).then(Effect::StatusAfter(404)));
    }
    let report = attempt.run();
    shipped(&stage, &report);
    assert_eq!(asked(&stage, Endpoint::CreateRef), 2);
}

#[test]
fn assets_that_a_publications_answer_lacks_are_looked_for_in_their_list() {
    pins![U7];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage.sim.turn_on(Switch::FreshAssetsAreMissing);
    stage.sim.lag(4);
    let report = attempt.run();
    shipped(&stage, &report);

    assert!(
        report
            .log
            .contains("GitHub does not show every asset of the release yet"),
        "{}",
        report.log
    );
    assert!(
        report.outputs["assets"].contains("/releases/download/v1.0.0/b.zip"),
        "{}",
        report.outputs["assets"]
    );
}

#[test]
fn an_asset_that_stays_missing_is_left_to_the_next_attempt() {
    pins![U7];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage.sim.turn_on(Switch::FreshAssetsAreMissing);
    stage.sim.lag(FOR_GOOD);
    let report = attempt.run();
    ended(&stage, &report, 4, "asset_missing", &["claimed", "unknown"]);

    stage.sim.turn_off(Switch::FreshAssetsAreMissing);
    let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
    let events = ["claimed", "unknown", "claimed", "succeeded"];
    ended(&stage, &second, 0, "-", &events);
}

#[test]
fn a_publications_answer_that_still_shows_the_draft_is_read_again() {
    pins![U7];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::PublishRelease).then(Effect::StillDraft));
    stage.sim.plan(
        Fault::on(Endpoint::GetRelease)
            .times(2)
            .then(Effect::StillDraft),
    );
    let report = attempt.run();
    shipped(&stage, &report);

    assert_eq!(
        report.outputs["html-url"],
        "https://github.com/octo/hello/releases/tag/v1.0.0"
    );
    assert_eq!(asked(&stage, Endpoint::GetRelease), 3);
}

/// An approved release that exists must not be called failed: the next attempt settles it.
#[test]
fn a_publication_that_does_not_show_is_unknown_and_found_by_the_next_attempt() {
    pins![U7];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    for endpoint in [Endpoint::PublishRelease, Endpoint::GetRelease] {
        stage
            .sim
            .plan(Fault::on(endpoint).times(FOR_GOOD).then(Effect::StillDraft));
    }
    let report = attempt.run();
    let events = ["claimed", "unknown"];
    ended(&stage, &report, 4, "publication_unseen", &events);

    stage.sim.forget_faults();
    let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
    let events = ["claimed", "unknown", "claimed", "succeeded"];
    ended(&stage, &second, 0, "-", &events);
    assert_eq!(stage.sim.releases().len(), 1);
}

/// Killed when everything was done but the outcome; then GitHub shows the release neither by its tag
/// nor as published in the list.
#[test]
fn a_published_release_that_is_still_listed_as_a_draft_is_not_published_again() {
    pins![U7, A36];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage.sim.turn_on(Switch::PublishedStillListedAsDraft);
    attempt.killed(Endpoint::Append, 2);
    let before = stage.writes().len();
    stage.sim.plan(
        Fault::on(Endpoint::GetReleaseByTag)
            .times(2)
            .then(Effect::Lagging),
    );
    let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
    let events = ["claimed", "claimed", "succeeded"];
    ended(&stage, &second, 0, "-", &events);
    let writes = stage.writes().split_off(before);

    assert!(
        writes.iter().all(|write| write.ends_with("/graphql")),
        "{writes:?}"
    );
}

#[test]
fn a_draft_that_the_list_lacks_is_looked_for_before_another_is_made() {
    pins![A36];
    for (endpoint, nth) in [(Endpoint::UploadAsset, 1), (Endpoint::Append, 2)] {
        let stage = Stage::new();
        let attempt = two_files(&stage).input("draft", "true").approved();
        attempt.killed(endpoint, nth);
        stage.sim.plan(
            Fault::on(Endpoint::ListReleases)
                .times(3)
                .then(Effect::Lagging),
        );
        let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
        let events = ["claimed", "claimed", "succeeded"];
        ended(&stage, &second, 0, "-", &events);
        assert_eq!(stage.sim.releases().len(), 1, "{endpoint:?}");
    }
}

/// The list that says what an earlier attempt uploaded lacks a file: its second upload is refused.
#[test]
fn an_asset_that_the_list_lacks_is_found_when_github_refuses_a_second_one() {
    pins![U7];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    attempt.killed(Endpoint::PublishRelease, 1);
    stage.sim.plan(
        Fault::on(Endpoint::ListAssets)
            .times(2)
            .then(Effect::Lagging),
    );
    let second = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
    let events = ["claimed", "claimed", "succeeded"];
    ended(&stage, &second, 0, "-", &events);
    assert_eq!(stage.sim.releases()[0].assets.len(), 2);
}

#[test]
fn a_draft_that_the_upload_host_does_not_know_yet_is_waited_for() {
    pins![A35];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    for endpoint in [Endpoint::UploadAsset, Endpoint::ListAssets] {
        stage
            .sim
            .plan(Fault::on(endpoint).then(Effect::StatusBefore(404)));
    }
    shipped(&stage, &attempt.run());
}

#[test]
fn a_pull_request_that_does_not_show_yet_gets_its_labels_and_reviewers() {
    let stage = Stage::new();
    let attempt = stage
        .pull()
        .input("labels", "release")
        .input("reviewers", "hubot")
        .approved();
    for endpoint in [Endpoint::AddLabels, Endpoint::RequestReviewers] {
        stage
            .sim
            .plan(Fault::on(endpoint).then(Effect::StatusBefore(404)));
    }
    shipped(&stage, &attempt.run());
}

#[test]
fn a_label_or_reviewer_that_github_drops_is_a_failure_that_names_it() {
    pins![C1];
    for (switch, code, name) in [
        (Switch::LabelsAreDropped, "labels_missing", "`release`"),
        (Switch::ReviewersAreDropped, "reviewers_missing", "`hubot`"),
    ] {
        let stage = Stage::new();
        let attempt = stage
            .pull()
            .input("labels", "release")
            .input("reviewers", "hubot")
            .approved();
        stage.sim.turn_on(switch);
        let report = attempt.run();
        ended(&stage, &report, 1, code, &["claimed", "failed"]);
        let message = report.message();
        assert!(
            message.starts_with("the pull request is open, but ") && message.contains(name),
            "{message}"
        );
        assert_eq!(report.outputs["pull-number"], "1");
    }
}

#[test]
fn labels_and_reviewers_are_compared_without_regard_to_case() {
    let stage = Stage::new();
    let attempt = stage
        .pull()
        .input("labels", "Release")
        .input("reviewers", "Hubot")
        .approved();
    shipped(&stage, &attempt.run());
}

#[test]
fn a_draft_that_does_not_show_yet_is_still_deleted() {
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::UploadAsset).then(Effect::CorruptUpload));
    stage.sim.plan(
        Fault::on(Endpoint::GetRelease)
            .times(2)
            .then(Effect::Lagging),
    );
    let report = attempt.run();
    ended(&stage, &report, 1, "asset_mismatch", &["claimed", "failed"]);
    assert_eq!(stage.sim.releases().len(), 0, "{}", report.message());
}

/// A label comes back as "" and later as null, and the page of an odd tag is percent-encoded.
#[test]
fn an_odd_tag_is_published_with_the_page_that_github_names() {
    pins![C3, S20];
    let stage = Stage::new();
    let attempt = two_files(&stage).input("tag-name", "@scope/pkg@1.2.3+b#1");
    let report = attempt.approved().run();
    shipped(&stage, &report);
    let page = "https://github.com/octo/hello/releases/tag/%40scope%2Fpkg%401.2.3%2Bb%231";
    assert_eq!(report.outputs["html-url"], page);
    let download = page.replace("/tag/", "/download/") + "/a.zip";
    assert!(
        report.outputs["assets"].contains(&download),
        "{}",
        report.outputs["assets"]
    );
}

#[test]
fn assets_are_uploaded_to_a_host_that_reports_no_limits() {
    pins![S9];
    let stage = Stage::new();
    let attempt = two_files(&stage).approved();
    stage.sim.rate_limit(1000, 130);
    shipped(&stage, &attempt.run());
}
