//! How Countersign handles the answers that GitHub is recorded to give: each test names the facts
//! that it pins.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::fs;

use countersign_sim::{Access, Effect, Endpoint, Fault, Matcher, Permissions, Switch, pins};
use harness::{Report, Stage, hurried};

/// Exit status and everything that a command prints.
fn command(stage: &Stage, token: &str, arguments: &[&str]) -> (i32, String) {
    let output = stage
        .command_of(hurried(), arguments)
        .env("GH_TOKEN", token)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(printed).unwrap(),
    )
}

fn audit(stage: &Stage) -> (i32, String) {
    fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let place = [
        "--trusted-keys",
        "keys",
        "--repository",
        stage.sim.repository(),
    ];
    command(stage, &stage.token, &[&["audit"], &place[..]].concat())
}

/// Asserts that the attempt failed with this code.
#[track_caller]
fn failed(report: &Report, exit: i32, code: &str, message: &str) {
    assert_eq!(
        (report.exit, report.code()),
        (exit, code),
        "{}",
        report.message()
    );
    assert!(report.message().contains(message), "{}", report.message());
}

fn appends(stage: &Stage) -> usize {
    stage
        .requests()
        .iter()
        .filter(|request| *request == "Append")
        .count()
}

/// Every request of this kind, from now on.
fn always(stage: &Stage, on: impl Into<Matcher>, effect: Effect) {
    stage.sim.plan(Fault::on(on).times(usize::MAX).then(effect));
}

/// Each dry run and each claim asks for files of the ledger that are not there.
#[test]
fn absent_files_are_accepted_with_or_without_an_error_next_to_them() {
    pins![F0];
    for silent in [false, true] {
        let stage = Stage::new();
        if silent {
            stage.sim.turn_on(Switch::AbsentFilesAreSilent);
        }
        stage.tag().approved().run().succeeded();
        stage.release().approved().run().succeeded();
        assert_eq!(audit(&stage).0, 0, "nothing is wrong");
    }
}

/// Anyone who may write contents can append a commit without `ledger.json`, and restore the file.
#[test]
fn the_commit_that_removed_the_head_of_the_ledger_is_named() {
    pins![F0];
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let head = stage
        .sim
        .read_file("receipt-ledger", "ledger.json")
        .unwrap();
    let removed = stage.sim.remove("receipt-ledger", &["ledger.json"]);
    let repository = ["--repository", stage.sim.repository()];
    let verify = || {
        command(
            &stage,
            &stage.token,
            &[&["ledger", "verify"], &repository[..]].concat(),
        )
    };

    for (exit, printed) in [verify(), audit(&stage)] {
        assert_eq!(exit, 1, "{printed}");
        assert!(
            printed.contains(&removed) && printed.contains("there is no `ledger.json`"),
            "{printed}"
        );
    }

    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &head)]);
    for ((exit, printed), expected) in [(verify(), 1), (audit(&stage), 5)] {
        assert_eq!(exit, expected, "{printed}");
        assert!(printed.contains("commit "), "{printed}");
        assert!(!printed.contains("GitHub found nothing there"), "{printed}");
    }
}

/// Each form of the limit is waited for, with at most one append per wait.
#[test]
fn an_append_is_sent_at_most_once_per_wait_while_a_rate_limit_lasts() {
    pins![U1, R1, U6];
    for limit in [
        Effect::GraphQlRateLimit,
        Effect::SecondaryLimitAsOk,
        Effect::SecondaryLimit,
    ] {
        let stage = Stage::new();
        let attempt = stage.tag().approved();
        always(&stage, Endpoint::Append, limit.clone());
        let report = attempt.run();
        failed(&report, 1, "rate_limited", "Nothing was done with it");
        assert_eq!(
            (appends(&stage), stage.ledger_events().len()),
            (3, 0),
            "{limit:?}"
        );
    }
}

#[test]
fn a_rate_limit_that_passes_is_waited_for() {
    pins![U1, R1, U6];
    for (endpoint, limit) in [
        (Endpoint::Preflight, Effect::GraphQlRateLimit),
        (Endpoint::Append, Effect::GraphQlRateLimit),
        (Endpoint::Preflight, Effect::SecondaryLimitAsOk),
        (Endpoint::Append, Effect::SecondaryLimitAsOk),
        (Endpoint::CreatePull, Effect::SubmittedTooQuickly),
    ] {
        let stage = Stage::new();
        let attempt = stage.pull().approved();
        stage.sim.plan(Fault::on(endpoint).then(limit.clone()));
        let report = attempt.run();
        report.succeeded();
        assert!(
            report.log.contains("Trying again in 60 s"),
            "{limit:?}: {}",
            report.log
        );
    }
}

/// The rules of organizations cover every branch, the ledger's too.
#[test]
fn a_ledger_that_rules_cover_is_refused_once_as_ledger_protected() {
    pins![F4, R2];
    let protections: [fn(&Stage); 2] = [
        |stage| stage.sim.protect_classically("receipt-ledger"),
        |stage| {
            stage
                .sim
                .branch_rules_everywhere(&["required_status_checks"]);
        },
    ];
    for protect in protections {
        let stage = Stage::new();
        let attempt = stage.tag().approved();
        protect(&stage);
        let report = attempt.run();
        failed(
            &report,
            1,
            "ledger_protected",
            "Exempt the branch `receipt-ledger`",
        );
        assert!(!report.message().contains("\\u{a}"), "{}", report.message());
        assert_eq!((appends(&stage), stage.ledger_events().len()), (1, 0));
    }
}

#[test]
fn a_payload_without_a_commit_is_refused_with_its_cause() {
    pins![R3];
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let (kind, message) = (
        Some("UNPROCESSABLE".into()),
        "A path was specified twice.".into(),
    );
    always(
        &stage,
        Endpoint::Append,
        Effect::NullMembers { kind, message },
    );
    failed(
        &attempt.run(),
        1,
        "github_rejected",
        "A path was specified twice",
    );

    assert_eq!((appends(&stage), stage.ledger_events().len()), (1, 0));
}

/// One query gets a part of its answer, so a smaller one is sent.
#[test]
fn a_query_that_costs_too_much_is_asked_again_with_smaller_pages() {
    pins![U5];
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    for number in 1..60 {
        stage.sim.tag(&format!("v0.{number}"), &stage.main());
    }
    let complete = audit(&stage);
    always(
        &stage,
        Endpoint::GraphQl,
        Effect::ResourceLimits { nodes: 30 },
    );
    assert_eq!(audit(&stage), complete);
}

#[test]
fn a_plan_is_made_without_a_comparison_that_github_gives_up_on() {
    pins![B10];
    let stage = Stage::new();
    always(
        &stage,
        Endpoint::Discover,
        Effect::GraphQlTimeout { status: 200 },
    );
    let report = stage.tag().dry_run();

    assert_eq!(
        (report.exit, report.status()),
        (0, "dry_run"),
        "{}",
        report.log
    );
    let plan = fs::read_to_string(report.plan()).unwrap();
    assert!(plan.contains("branch_not_compared"), "{plan}");
}

/// A tag with a branch's name must not decide what the branch is.
#[test]
fn a_branch_is_requested_by_its_full_ref() {
    pins![F9];
    let stage = Stage::new();
    let pull = stage.pull().input("head-sha", "");
    let (branch, main) = (stage.sim.ref_oid("refs/heads/next").unwrap(), stage.main());
    stage.sim.annotated_tag("next", &main, "not the branch");
    let report = pull.dry_run();

    assert_eq!(
        report.record["operation"]["head_sha"],
        branch,
        "{}",
        report.message()
    );
    assert!(
        !report.log.contains("preflight_branch_moved"),
        "{}",
        report.log
    );
}

#[test]
fn a_name_must_not_be_both_a_branch_and_a_tag() {
    pins![F9];
    let stage = Stage::new();
    let main = stage.main();
    let branch = stage.sim.commit("both", &[("b", b"b")]);
    stage.sim.annotated_tag("both", &main, "the same name");
    stage.sim.annotated_tag("alone", &branch, "another");
    let planned = |target: &str| stage.tag().input("target-sha", target).dry_run();

    for (target, commit) in [
        ("refs/heads/both", &branch),
        ("refs/tags/both", &main),
        ("alone", &branch),
        ("main", &main),
        ("HEAD", &main),
        (&branch.to_uppercase(), &branch),
    ] {
        let report = planned(target);
        assert_eq!(
            report.record["operation"]["target_sha"], **commit,
            "{target}"
        );
    }

    let report = planned("both");
    report.refused("ref_ambiguous");
    assert!(report.message().contains(&branch) && report.message().contains(&main));

    for (target, code) in [
        (&main[..12], "commit_unknown"),
        ("refs/heads/alone", "commit_unknown"),
        ("refs/tags/main", "commit_unknown"),
        ("main~1", "input_invalid"),
        ("main^{commit}", "input_invalid"),
        ("refs/pull/1/merge", "input_invalid"),
    ] {
        planned(target).refused(code);
    }
}

/// "Check the token" would be the wrong advice for a renamed repository or an expired artifact.
#[test]
fn the_advice_fits_what_github_says() {
    pins![R4];
    let advice = |effect: Effect, endpoint: Endpoint| {
        let stage = Stage::new();
        let attempt = stage.tag().approved();
        stage.sim.plan(Fault::on(endpoint).then(effect));
        let report = attempt.run();
        assert_eq!(report.exit, 1, "{}", report.message());
        report.message().to_owned()
    };
    let moved = Effect::Redirect("https://api.github.com/repositories/1296269/git/tags".into());
    let printed = advice(moved, Endpoint::CreateTagObject);

    assert!(
        printed.contains("(HTTP 307) to the repository with the number 1296269"),
        "{printed}"
    );
    assert!(printed.contains("use its new name"), "{printed}");
    let printed = advice(Effect::StatusBefore(401), Endpoint::CreateTagObject);
    assert!(
        printed.contains("The token is invalid or has expired"),
        "{printed}"
    );
    let printed = advice(Effect::StatusBefore(410), Endpoint::CreateTagObject);
    assert!(
        printed.contains("What GitHub stored has expired"),
        "{printed}"
    );
}

#[test]
fn a_renamed_repository_is_named_by_its_number() {
    pins![R4];
    let stage = Stage::new();
    stage.sim.rename("octo/renamed");
    let (exit, printed) = audit(&stage);

    assert_eq!(exit, 1, "{printed}");
    assert!(printed.contains("it was renamed or moved"), "{printed}");
    let run = [
        "authorize",
        "--run",
        "1",
        "--repository",
        "octo/hello",
        "--key",
        "none",
    ];
    let (_, printed) = command(&stage, &stage.token, &run);
    let number = format!(
        "the repository with the number {}",
        stage.sim.repository_id()
    );
    assert!(
        printed.contains(&number) && printed.contains("use its new name"),
        "{printed}"
    );
}

/// Without rulesets there are none to show; everything else is audited all the same.
#[test]
fn an_audit_goes_on_where_rulesets_need_a_paid_plan() {
    pins![F3];
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    stage.sim.turn_on(Switch::FreePrivatePlan);
    let (exit, printed) = audit(&stage);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains("rulesets need a paid plan here"),
        "{printed}"
    );
}

/// The archive's address lives for a minute; the storage never saw a token.
#[test]
fn a_download_that_the_storage_refuses_is_retried_at_a_new_address() {
    pins![R7, F1];
    let stage = Stage::new();
    stage.sim.run(1, "octocat", "octocat");
    stage.sim.artifact(1, "plan", b"no archive");
    let token = stage.sim.token(Permissions {
        actions: Access::Read,
        ..Permissions::read()
    });
    stage
        .sim
        .plan(Fault::on(Endpoint::DownloadArtifact).then(Effect::StatusBefore(403)));
    let run = [
        "authorize",
        "--run",
        "1",
        "--repository",
        "octo/hello",
        "--key",
        "none",
    ];
    let (_, printed) = command(&stage, &token, &run);

    assert!(
        printed.contains("HTTP 403 Forbidden, from its storage at "),
        "{printed}"
    );
    assert!(!printed.contains("the token may not do this"), "{printed}");
    let of = |endpoint: Endpoint| {
        stage
            .sim
            .events()
            .iter()
            .filter(|event| event.endpoint == endpoint)
            .count()
    };
    assert_eq!(
        (of(Endpoint::GetArtifact), of(Endpoint::DownloadArtifact)),
        (2, 2),
        "{printed}"
    );
}

/// A retired version would be refused on every request, so nothing is retried.
#[test]
fn an_api_version_that_github_does_not_know_is_reported_at_once() {
    pins![A66];
    let stage = Stage::new();
    stage.sim.retire_api_version("2022-11-28");
    let report = stage.tag().dry_run();
    failed(
        &report,
        1,
        "github_rejected",
        "Use a newer version of Countersign",
    );
    assert!(!report.log.contains("Trying again"), "{}", report.log);
}
