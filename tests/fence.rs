//! The last look before a write that becomes visible, and the time that such a write may take.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Report, Stage, now};

/// Each operation, and the request that makes it visible.
fn visible(stage: &Stage) -> [(Attempt<'_>, Endpoint); 5] {
    stage.file("a.zip", "aaa");
    let with_files = stage.release().input("files", "a.zip");
    let draft = stage.release().input("draft", "true");
    [
        (stage.release(), Endpoint::CreateRelease),
        (with_files, Endpoint::PublishRelease),
        (draft, Endpoint::CreateRelease),
        (stage.tag(), Endpoint::CreateRef),
        (stage.pull(), Endpoint::CreatePull),
    ]
}

/// A receipt that has as long to go as this.
fn for_a_minute(attempt: Attempt<'_>) -> Attempt<'_> {
    attempt.approved_with(|terms| terms.expires_at = terms.issued_at.plus(60))
}

#[track_caller]
fn ends(report: &Report, exit: i32, code: &str) {
    assert_eq!(
        (report.exit, report.code()),
        (exit, code),
        "{}\n{}",
        report.message(),
        report.log
    );
}

#[test]
fn no_write_that_becomes_visible_is_repeated_without_another_look() {
    for case in 0..5 {
        for effect in [
            Effect::StatusBefore(502),
            Effect::RetryAfter {
                status: 429,
                seconds: 1,
            },
        ] {
            let stage = Stage::new();
            let (attempt, endpoint) = visible(&stage)[case].clone();
            let attempt = attempt.approved();
            let seen = stage.sim.events().len();
            stage.sim.plan(Fault::on(endpoint).then(effect.clone()));
            attempt.run().succeeded();

            let events = stage.sim.events().split_off(seen);
            let at = |endpoint| {
                let places = events.iter().enumerate();
                let places = places.filter(|(_, event)| event.endpoint == endpoint);
                places.map(|(place, _)| place).collect::<Vec<_>>()
            };
            let [first, second] = at(endpoint)[..] else {
                panic!("{endpoint:?} was not sent twice")
            };
            let looked = at(Endpoint::Preflight)
                .iter()
                .any(|look| (first..second).contains(look));
            assert!(looked, "{endpoint:?} after {effect:?}");
        }
    }
}

#[test]
fn no_wait_goes_past_the_receipts_end() {
    for (case, endpoint) in [
        (0, Endpoint::CreateRelease),
        (1, Endpoint::UploadAsset),
        (1, Endpoint::PublishRelease),
        (3, Endpoint::CreateTagObject),
        (3, Endpoint::CreateRef),
        (4, Endpoint::CreatePull),
    ] {
        let stage = Stage::new();
        let attempt = for_a_minute(visible(&stage)[case].0.clone());
        // `max-wait` would allow it.
        let limit = Effect::RetryAfter {
            status: 429,
            seconds: 90,
        };
        stage.sim.plan(Fault::on(endpoint).then(limit));
        let report = attempt.run();
        ends(&report, 4, "receipt_ends_first");
        assert!(
            report.message().contains("after the receipt's end at"),
            "{}",
            report.message()
        );
        assert_eq!(stage.ledger_events(), ["claimed", "unknown"]);
        assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
        assert!(stage.sim.releases().iter().all(|release| release.draft));
        assert_eq!(stage.sim.pulls().len(), 0);
    }
}

#[test]
fn another_receipt_goes_on_with_what_ended_before_its_wait() {
    let stage = Stage::new();
    let attempt = for_a_minute(visible(&stage)[1].0.clone());
    let limit = Effect::RetryAfter {
        status: 429,
        seconds: 90,
    };
    stage.sim.plan(Fault::on(Endpoint::UploadAsset).then(limit));
    ends(&attempt.run(), 4, "receipt_ends_first");
    attempt
        .approved_with(|terms| terms.receipt_id = "receipt-again".parse().unwrap())
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run()
        .succeeded();
    assert_eq!(stage.sim.releases().len(), 1);
}

#[test]
fn a_claim_is_not_waited_for_past_the_receipts_end() {
    let stage = Stage::new();
    let attempt = for_a_minute(stage.tag());
    let limit = Effect::RetryAfter {
        status: 429,
        seconds: 90,
    };
    stage.sim.plan(Fault::on(Endpoint::Append).then(limit));
    ends(&attempt.run(), 1, "receipt_ends_first");
    assert_eq!(stage.ledger_events(), Vec::<String>::new());
}

#[test]
fn what_was_done_is_recorded_even_if_that_takes_longer_than_the_receipt_is_valid() {
    let stage = Stage::new();
    let attempt = for_a_minute(stage.tag());
    let limit = Effect::RetryAfter {
        status: 429,
        seconds: 90,
    };
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).nth(2).then(limit));
    attempt.run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn no_pull_request_is_opened_whose_head_branch_moved_before_the_claim_was_confirmed() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    let report = attempt.run_losing(Endpoint::Append, 1, || {
        stage.sim.commit("next", &[("more", b"more")]);
    });
    ends(&report, 1, "pull_mismatch");
    assert!(report.message().contains("nothing was done"));
    assert_eq!(stage.sim.pulls().len(), 0);
    assert!(!stage.writes().iter().any(|write| write.contains("/pulls")));
}

#[test]
fn no_pull_request_is_opened_whose_head_branch_moved_or_vanished_before_the_last_look() {
    let moves: [fn(&Stage); 2] = [
        |stage| {
            stage.sim.commit("next", &[("more", b"more")]);
        },
        |stage| assert!(stage.sim.delete_ref("refs/heads/next")),
    ];
    for moves in moves {
        let stage = Stage::new();
        let attempt = stage.pull().approved();
        // The first request is lost; the branch moves while it is looked for.
        stage
            .sim
            .plan(Fault::on(Endpoint::CreatePull).then(Effect::ResetBefore));
        let report = attempt.run_while(Endpoint::ListPulls, || moves(&stage));
        ends(&report, 4, "pull_mismatch");
        assert_eq!(stage.sim.pulls().len(), 0);
        let opened = stage.writes().into_iter();
        assert_eq!(
            opened.filter(|write| write.ends_with("/pulls")).count(),
            1,
            "it is not asked for again"
        );
    }
}

#[test]
fn a_receipts_last_minute_is_enough_where_nothing_is_in_the_way() {
    let stage = Stage::new();
    let attempt = for_a_minute(stage.tag());
    let last = now().plus(50).unix().to_string();
    stage.sim.shift_clock(50);
    attempt.variable("HURRIED_NOW", last).run().succeeded();
}
