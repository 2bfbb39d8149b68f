//! The main job on real input: dry run, approval, publication, record.

mod harness;

use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, RUN, Stage, terms};

#[test]
fn a_release_is_published_as_approved_in_four_requests() {
    countersign_sim::pins![A25, M3];
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let before = stage.requests().len();
    let report = attempt.run();
    report.succeeded();
    assert_eq!(
        stage.requests()[before..],
        [
            "Preflight",
            "Append",
            "POST /repos/octo/hello/releases",
            "Append"
        ]
    );
    let releases = stage.sim.releases();
    assert_eq!(releases.len(), 1);
    assert_eq!(
        (
            releases[0].tag_name.as_str(),
            releases[0].body.as_deref(),
            releases[0].draft
        ),
        ("v1.0.0", Some("First.\n"), false)
    );
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), Some(stage.main()));
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
    assert_eq!(report.outputs["release-id"], releases[0].id.to_string());
    assert_eq!(
        report.outputs["html-url"],
        "https://github.com/octo/hello/releases/tag/v1.0.0"
    );
    assert_eq!(report.outputs["ledger-sequence"], "2");
}

#[test]
fn a_release_with_assets_becomes_visible_only_when_all_of_them_are_right() {
    countersign_sim::pins![A29, A35];
    let stage = Stage::new();
    stage.file("app.tar.gz", "abc").file("app.zip", "defg");
    let attempt = stage.release().input("files", "app.*").approved();
    let before = stage.requests().len();
    let report = attempt.run();
    report.succeeded();
    let mut requests = stage.requests().split_off(before);
    // What is left of the REST budget is asked beside the preflight.
    requests.remove(
        requests
            .iter()
            .position(|request| request == "GET /rate_limit")
            .unwrap(),
    );
    assert_eq!(
        requests[..3],
        ["Preflight", "Append", "POST /repos/octo/hello/releases"]
    );
    // The look for strangers' assets is under way beside the uploads.
    let mut uploads = requests[3..6].to_vec();
    uploads.sort();
    assert_eq!(
        uploads,
        [
            "GET /repos/octo/hello/releases/1/assets?per_page=100&page=1",
            "POST /repos/octo/hello/releases/1/assets?name=app.tar.gz",
            "POST /repos/octo/hello/releases/1/assets?name=app.zip"
        ]
    );
    assert_eq!(
        requests[6..],
        ["PATCH /repos/octo/hello/releases/1", "Append"]
    );
    let release = &stage.sim.releases()[0];
    assert!(!release.draft);
    let assets: Vec<_> = release
        .assets
        .iter()
        .map(|asset| (asset.name.as_str(), asset.size, asset.state.as_str()))
        .collect();
    assert_eq!(assets.len(), 2);
    assert!(
        assets.contains(&("app.tar.gz", 3, "uploaded"))
            && assets.contains(&("app.zip", 4, "uploaded"))
    );
    assert!(
        report.outputs["assets"]
            .contains("https://github.com/octo/hello/releases/download/v1.0.0/app.zip"),
        "{}",
        report.outputs["assets"]
    );
}

#[test]
fn a_draft_release_stays_a_draft() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let report = stage
        .release()
        .input("files", "app.zip")
        .input("draft", "true")
        .approved()
        .run();
    report.succeeded();
    assert!(stage.sim.releases()[0].draft);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
    assert_eq!(
        report.outputs["html-url"], "",
        "a draft's address leads nowhere later"
    );
}

#[test]
fn a_tag_is_made_as_approved_in_five_requests() {
    countersign_sim::pins![A38];
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let before = stage.requests().len();
    let report = attempt.run();
    report.succeeded();
    assert_eq!(
        stage.requests()[before..],
        [
            "Preflight",
            "Append",
            "POST /repos/octo/hello/git/tags",
            "POST /repos/octo/hello/git/refs",
            "Append"
        ]
    );
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tag = repository
        .find_reference("refs/tags/v1.0.0")
        .unwrap()
        .peel_to_tag()
        .unwrap();
    assert_eq!(
        (tag.name(), tag.message(), tag.target_id().to_string()),
        (Some("v1.0.0"), Some("Version 1.0.0"), stage.main())
    );
    assert_eq!(report.outputs["tag-sha"], tag.id().to_string());
}

#[test]
fn a_pull_request_is_opened_as_approved_in_four_requests() {
    countersign_sim::pins![M10];
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    let before = stage.requests().len();
    let report = attempt.run();
    report.succeeded();
    assert_eq!(
        stage.requests()[before..],
        [
            "Preflight",
            "Append",
            "POST /repos/octo/hello/pulls",
            "Append"
        ]
    );
    let pulls = stage.sim.pulls();
    assert_eq!((pulls.len(), pulls[0].title.as_str()), (1, "Next"));
    assert_eq!(report.outputs["pull-number"], pulls[0].number.to_string());
}

#[test]
fn labels_and_reviewers_are_set_as_approved() {
    countersign_sim::pins![A43];
    let stage = Stage::new();
    stage
        .pull()
        .input("labels", "release, bug")
        .input("reviewers", "octocat\nhubot")
        .approved()
        .run()
        .succeeded();
    let pull = &stage.sim.pulls()[0];
    assert_eq!(
        (pull.labels.join(","), pull.reviewers.join(",")),
        ("bug,release".into(), "hubot,octocat".into())
    );
}

#[test]
fn a_dry_run_writes_a_plan_and_nothing_to_github() {
    let stage = Stage::new();
    for attempt in stage.each() {
        let report = attempt.dry_run();
        assert_eq!(
            (report.exit, report.status()),
            (0, "dry_run"),
            "{}",
            report.log
        );
        let plan = std::fs::read_to_string(report.plan()).unwrap();
        assert!(
            plan.starts_with(&format!(
                r#"{{"mode":"dry_run","run_id":"{RUN}","campaign":null,"requested_by":["octocat"],"operations":[{{"id":""#
            )),
            "{plan}"
        );
        assert!(
            plan.ends_with("\"blocked_by_mode\":true}],\"not_shipped\":[]}\n"),
            "{plan}"
        );
        assert!(
            report.summary.contains("DRY RUN") && report.summary.contains("countersign authorize")
        );
    }
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_dry_run_resolves_names_and_tells_what_is_in_the_way() {
    let stage = Stage::new();
    let report = stage.tag().input("target-sha", "main").dry_run();
    assert_eq!(report.record["operation"]["target_sha"], stage.main());
    stage.sim.tag("v1.0.0", &stage.main());
    let report = stage.tag().dry_run();
    assert_eq!(report.exit, 0);
    assert!(
        report.record["result"]
            .as_str()
            .unwrap()
            .contains("the tag `v1.0.0` exists already"),
        "{}",
        report.record["result"]
    );
    let report = stage
        .pull()
        .input("head-sha", "")
        .input("base-branch", "")
        .dry_run();
    assert_eq!(report.record["operation"]["base_branch"], "main");
}

#[test]
fn generated_notes_enter_the_plan_and_are_published_from_it() {
    countersign_sim::pins![F6];
    let stage = Stage::new();
    let plan = stage
        .release()
        .input("generate-release-notes", "true")
        .dry_run();
    let body = plan.record["operation"]["body"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        body.starts_with("First.\n\n\n") && body.len() > 20,
        "{body}"
    );
    let receipt = stage.sign(&terms(&plan.plan()));
    let publish = Attempt::new(&stage)
        .input("plan", &plan.plan().display().to_string())
        .input("receipt", &receipt);
    publish.run().succeeded();
    assert_eq!(stage.sim.releases()[0].body.as_deref(), Some(body.as_str()));
}

#[test]
fn a_plan_is_published_with_the_files_that_were_approved() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let plan = stage.release().input("files", "app.zip").dry_run();
    let receipt = stage.sign(&terms(&plan.plan()));
    let publish = Attempt::new(&stage)
        .input("plan", &plan.plan().display().to_string())
        .input("receipt", &receipt)
        .input("files", "*.zip");
    stage.file("app.zip", "abd");
    publish.run().refused("operation_mismatch");
    stage.file("app.zip", "abc");
    publish.run().succeeded();
}

#[test]
fn a_receipt_from_another_run_counts_where_that_run_is_named() {
    let stage = Stage::new();
    let attempt = stage.tag().approved().variable("GITHUB_RUN_ID", "99");
    attempt.run().refused("run_id_mismatch");
    attempt.input("run-id", RUN).run().succeeded();
    assert_eq!(
        stage.ledger()[0].acting_run.as_str(),
        "99",
        "the ledger names the run that acted"
    );
}

#[test]
fn a_success_is_recorded_whole() {
    let stage = Stage::new();
    let report = stage.release().approved().run();
    report.succeeded();
    for name in [
        "operation_id",
        "run_id",
        "operation_kind",
        "receipt_id",
        "repository",
        "status",
        "mode",
        "started_at",
        "completed_at",
        "result",
        "error_message",
        "error_code",
        "github_response",
        "retry_count",
        "checks",
        "signers",
        "operation",
        "operation_digest",
        "receipt",
        "ledger",
        "github",
        "requests",
        "version",
    ] {
        assert!(report.record.get(name).is_some(), "{name}");
    }
    assert_eq!(report.record["requests"], 4);
    assert_eq!(report.record["signers"][0]["name"], "alice@example.org");
    assert_eq!(report.record["ledger"]["claim"]["sequence"], 1);
    assert_eq!(report.record["ledger"]["outcome"]["sequence"], 2);
    assert!(
        report.record["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["verdict"] == "holds")
    );
}

#[test]
fn a_failure_is_recorded_with_what_was_done_and_what_was_not() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRef).then(Effect::StatusBefore(422)));
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.status(), report.code()),
        (1, "failed", "github_rejected")
    );
    assert_eq!(report.record["ledger"]["outcome"]["sequence"], 2);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
    assert_eq!(
        stage.ledger()[1]
            .github_response
            .as_ref()
            .unwrap()
            .error_code
            .as_deref(),
        Some("github_rejected")
    );
}

#[test]
fn several_operations_leave_a_record_each() {
    let stage = Stage::new();
    let release = stage.release().approved();
    let reports = [
        release.run(),
        release.run(),
        stage.tag().input("tag-name", "v2").approved().run(),
        stage.pull().approved().run(),
    ];
    let told = reports
        .each_ref()
        .map(|report| (report.exit, report.status(), report.code()));
    assert_eq!(
        told,
        [
            (0, "success", "-"),
            (3, "rejected_by_auth", "receipt_consumed"),
            (0, "success", "-"),
            (0, "success", "-")
        ]
    );
    let ids: std::collections::BTreeSet<String> = reports
        .iter()
        .map(|report| report.record["operation_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"].repeat(3));
}

#[test]
fn a_file_that_changes_after_its_approval_is_not_published() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    stage.file("app.zip", "abd");
    attempt.run().refused("operation_mismatch");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_corrupted_upload_is_never_published_and_its_draft_is_taken_away() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::UploadAsset).then(Effect::CorruptUpload));
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_mismatch"),
        "{}",
        report.message()
    );
    assert!(
        report
            .message()
            .contains("the draft was taken away, nothing was published"),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.releases().len(), 0);
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

#[test]
fn an_operation_that_cannot_be_looked_after_is_unknown_and_says_so() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::ResetAfter));
    stage.sim.plan(
        Fault::on(Endpoint::GetReleaseByTag)
            .times(usize::MAX)
            .then(Effect::StatusBefore(503)),
    );
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.status(), report.code()),
        (4, "unknown", "github_unavailable")
    );
    assert_eq!(stage.ledger_events(), ["claimed", "unknown"]);
}

#[test]
fn a_lost_claim_is_found_and_the_operation_done_once() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).then(Effect::ResetAfter));
    attempt.run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn a_token_that_may_not_write_is_told_which_permission_it_lacks() {
    countersign_sim::pins![A14, M3];
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let reader = stage.sim.token(countersign_sim::Permissions::read());
    let report = attempt.input("token", &reader).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "permission_denied"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("contents: write"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), Vec::<String>::new());

    let no_pulls = stage.sim.token(countersign_sim::Permissions {
        pull_requests: countersign_sim::Access::Read,
        ..countersign_sim::Permissions::write()
    });
    let report = stage.pull().approved().input("token", &no_pulls).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "permission_denied"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("pull-requests: write"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

#[test]
fn a_draft_that_somebody_edits_is_published_with_the_approved_words() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    let report = attempt.run_while_uploading(|| {
        let edit = serde_json::json!({ "name": "Evil", "body": "evil", "prerelease": true, "target_commitish": evil });
        assert_eq!(stage.patch("/repos/octo/hello/releases/1", &edit), "HTTP/1.1 200 OK");
        assert_eq!(stage.sim.releases()[0].body.as_deref(), Some("evil"));
    });
    report.succeeded();
    let release = &stage.sim.releases()[0];
    let words = (
        release.name.as_deref(),
        release.body.as_deref(),
        release.draft,
        release.prerelease,
    );
    assert_eq!(words, (Some("v1.0.0"), Some("First.\n"), false, false));
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), Some(stage.main()));
}

#[test]
fn a_tag_that_somebody_sets_meanwhile_is_a_failure_although_the_release_stands() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    let report = attempt.run_while_uploading(|| stage.sim.tag("v1.0.0", &evil));
    assert_eq!(
        (report.exit, report.code()),
        (1, "tag_mismatch"),
        "{}",
        report.message()
    );
    assert!(report.message().contains(&evil), "{}", report.message());
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded", "failed"]);
    assert_eq!(report.record["ledger"]["outcome"]["sequence"], 3);
}

#[test]
fn a_dry_run_makes_no_plan_without_a_ledger() {
    let stage = Stage::without_ledger();
    stage.tag().dry_run().refused("ledger_missing");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_claim_whose_answer_is_cut_short_is_found() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).then(Effect::TruncatedReply));
    attempt.run().succeeded();
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

/// What happens to a file between its hash and its upload.
type Change = (&'static str, fn(&std::path::Path));

#[test]
fn a_file_that_gets_another_name_or_mode_while_it_is_published_is_still_the_approved_one() {
    for endpoint in [Endpoint::CreateRelease, Endpoint::UploadAsset] {
        let stage = Stage::new();
        stage.file("app.zip", "abc");
        let attempt = stage.release().input("files", "app.zip").approved();
        let report = attempt.run_while(endpoint, || {
            let path = stage.workspace().join("app.zip");
            std::fs::hard_link(&path, path.with_extension("backup")).unwrap();
        });
        report.succeeded();
    }
}

#[test]
fn a_file_that_changes_between_its_hash_and_its_upload_is_a_failure_before_publication() {
    let changes: [Change; 6] = [
        ("other bytes", |path| std::fs::write(path, "xyz").unwrap()),
        ("shorter", |path| std::fs::write(path, "a").unwrap()),
        ("longer", |path| std::fs::write(path, "abcd").unwrap()),
        ("replaced", |path| {
            std::fs::write(path.with_extension("new"), "abc").unwrap();
            std::fs::rename(path.with_extension("new"), path).unwrap();
        }),
        ("a link", |path| {
            std::fs::rename(path, path.with_extension("old")).unwrap();
            std::os::unix::fs::symlink(path.with_extension("old"), path).unwrap();
        }),
        ("gone", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (name, change) in changes {
        let stage = Stage::new();
        stage.file("app.zip", "abc");
        let attempt = stage.release().input("files", "app.zip").approved();
        // The draft is being made: the files are hashed, no upload has begun.
        let report = attempt.run_while(Endpoint::CreateRelease, || {
            change(&stage.workspace().join("app.zip"));
        });
        assert_eq!(
            (report.exit, report.code()),
            (1, "file_changed"),
            "{name}: {}",
            report.message()
        );
        assert!(
            report
                .message()
                .contains("the draft was taken away, nothing was published"),
            "{name}: {}",
            report.message()
        );
        assert_eq!(
            (stage.sim.releases().len(), stage.ledger_events()),
            (0, ["claimed", "failed"].map(String::from).to_vec()),
            "{name}"
        );
    }
}

#[test]
fn an_asset_that_somebody_adds_to_the_draft_is_found_before_publication() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    // While GitHub holds its answer to the claim's draft, somebody else uploads to it.
    let report = attempt.run_while(Endpoint::CreateRelease, || {
        stage.upload(1, "evil.zip", "evil");
    });
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_extra"),
        "{}",
        report.message()
    );
    assert!(
        stage.sim.releases().iter().all(|release| release.draft),
        "it was published"
    );
}

#[test]
fn what_is_waited_for_is_told_and_counted() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::RetryAfter {
            status: 429,
            seconds: 7,
        }));
    let report = attempt.run();
    report.succeeded();
    assert_eq!(report.record["retry_count"], 1);
    assert!(
        report.log.contains("Trying again in 7 s (retry 1 of 3)."),
        "{}",
        report.log
    );
    assert!(
        report.log.contains("secondary rate limit"),
        "{}",
        report.log
    );
}

#[test]
fn nobody_waits_longer_than_max_wait_allows() {
    let stage = Stage::new();
    let attempt = stage.release().input("max-wait", "5").approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::RetryAfter {
            status: 429,
            seconds: 7,
        }));
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.code()),
        (4, "rate_limited"),
        "{}",
        report.message()
    );
    assert!(
        report
            .log
            .contains("The next try would come in 7 s, but max-wait leaves 5 s."),
        "{}",
        report.log
    );
    assert_eq!(report.record["retry_count"], 0);
}

#[test]
fn an_operation_that_may_need_more_requests_than_are_left_is_refused_before_its_claim() {
    countersign_sim::pins![A64, B27];
    let stage = Stage::new();
    for number in 0..40 {
        stage.file(&format!("{number}.zip"), "abc");
    }
    let attempt = stage.release().input("files", "*.zip").approved();
    // 160 may be needed: enough GraphQL points, too few REST requests.
    stage.sim.rate_limit(1000, 159);
    let report = attempt.run();
    report.refused("preflight_rate_limit");
    assert!(
        report
            .message()
            .contains("GitHub allows 159 more REST requests"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), Vec::<String>::new());
    stage.sim.rate_limit(1000, 200);
    attempt.run().succeeded();
}

#[test]
fn every_upload_has_a_line_in_the_log() {
    let stage = Stage::new();
    stage.file("a.zip", "abc").file("b.zip", [7; 2048]);
    let report = stage.release().input("files", "*.zip").approved().run();
    report.succeeded();
    assert!(
        report.log.contains("uploaded a.zip: 3 bytes in "),
        "{}",
        report.log
    );
    assert!(
        report.log.contains("uploaded b.zip: 2.0 KiB in "),
        "{}",
        report.log
    );
}

#[test]
fn on_a_terminal_there_are_bars_for_files_and_one_for_the_whole() {
    let stage = Stage::new();
    stage
        .file("a.bin", vec![1; 24 << 20])
        .file("b.bin", vec![2; 8 << 20]);
    let attempt = stage.release().input("files", "*.bin").approved();
    // While the uploads are held, their bars stand.
    stage.sim.plan(
        Fault::on(Endpoint::UploadAsset)
            .times(2)
            .then(Effect::Late(std::time::Duration::from_millis(300))),
    );
    let (command, surfaces) = attempt.process();
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    // `script` gives the program a terminal.
    let mut terminal = std::process::Command::new("script");
    terminal
        .args([
            "-qec",
            &format!("{} action /dev/null", harness::hurried()),
            "/dev/null",
        ])
        .env_clear()
        .envs(set);
    terminal
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null());
    let report = surfaces.report(&terminal.output().unwrap());
    report.succeeded();
    // A file that is done between two frames is never drawn.
    let drawn = |bar: &str| report.log.contains(&format!("{bar:<24} "));
    assert!(
        (drawn("a.bin") || drawn("b.bin")) && drawn("total"),
        "{}",
        report.log
    );
    assert!(report.log.contains("/32.00 MiB"), "{}", report.log);
    assert!(
        !report.log.contains("uploaded a.bin"),
        "bars and lines: {}",
        report.log
    );
}

#[test]
fn an_asset_that_is_added_to_a_draft_during_its_uploads_is_found_although_nothing_is_published() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage
        .release()
        .input("files", "app.zip")
        .input("draft", "true")
        .approved();
    let report = attempt.run_while_uploading(|| stage.upload(1, "evil.zip", "evil"));
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_extra"),
        "{}",
        report.message()
    );
}

#[test]
fn where_github_tells_no_digests_an_asset_that_was_exchanged_is_read_again() {
    countersign_sim::pins![A30];
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    for endpoint in [Endpoint::UploadAsset, Endpoint::PublishRelease] {
        stage.sim.plan(
            Fault::on(endpoint)
                .times(usize::MAX)
                .then(Effect::NullDigest),
        );
    }
    // The upload was read back and is right; then somebody puts another file of the same name and size in its place.
    let report = attempt.run_while(Endpoint::DownloadAsset, || {
        stage.exchange(1, 1, "app.zip", "xyz");
    });
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_mismatch"),
        "{}",
        report.message()
    );
    assert!(
        report
            .message()
            .contains("GitHub stored the asset `app.zip` with digest"),
        "{}",
        report.message()
    );
}

#[test]
fn a_tag_that_is_set_between_the_preflight_and_the_claim_is_noticed_before_anything_is_done() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    // Somebody else's entry came first: the tag is set while the ledger is looked at once more.
    stage
        .sim
        .plan(Fault::on(Endpoint::Append).then(Effect::StaleData));
    let report = attempt.run_while_nth(Endpoint::Preflight, 2, || stage.sim.tag("v1.0.0", &evil));
    assert_eq!(
        (report.exit, report.code()),
        (1, "tag_mismatch"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("nothing was done"),
        "{}",
        report.message()
    );
    assert_eq!(
        (stage.sim.releases().len(), stage.ledger_events()),
        (0, ["claimed", "failed"].map(String::from).to_vec())
    );
}

#[test]
fn an_asset_that_would_be_shown_under_another_name_or_type_is_not_published() {
    for (query, content_type, problem) in [
        (
            "name=app.zip&label=app-signed.zip",
            "application/zip",
            "GitHub stored the asset `app.zip` with label `app-signed.zip`, but `` was approved",
        ),
        (
            "name=app.zip",
            "text/html",
            "GitHub stored the asset `app.zip` with content type `text/html`, but `application/zip` was approved",
        ),
    ] {
        let stage = Stage::new();
        stage.file("app.zip", "abc").file("b.zip", "def");
        let attempt = stage.release().input("files", "*.zip").approved();
        let app = || {
            let releases = stage.sim.releases();
            let assets = releases.first().map(|release| release.assets.clone());
            let found = assets.into_iter().flatten();
            found
                .filter(|asset| asset.name == "app.zip")
                .map(|asset| asset.id)
                .next()
        };
        let report = attempt.run_while_uploading(|| {
            let app = loop {
                match app() {
                    Some(app) => break app,
                    None => std::thread::yield_now(),
                }
            };
            stage.dress_up(1, app, query, content_type, "abc");
        });
        assert_eq!(
            (report.exit, report.code()),
            (1, "asset_mismatch"),
            "{}",
            report.message()
        );
        assert!(report.message().contains(problem), "{}", report.message());
    }
}
