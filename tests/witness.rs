//! The approver's own look at the ledger: what it shows, what it signs, and what a machine remembers of it.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{fs, os::unix::fs::PermissionsExt as _};

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions};
use harness::{Attempt, RUN, Stage};
use serde_json::{Value, json};

fn with_plan() -> (Stage, String) {
    let stage = Stage::new();
    let key = stage.with_approver();
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    (stage, key)
}

/// `heads` with these words; exit status, and what was printed.
fn heads(stage: &Stage, machine: &str, words: &[&str]) -> (i32, String, String) {
    let output = stage
        .command(&[&["heads"], words].concat())
        .env("XDG_STATE_HOME", stage.folder.path().join(machine))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn remembered(stage: &Stage, machine: &str) -> Option<String> {
    let path = stage
        .folder
        .path()
        .join(machine)
        .join("countersign/heads.json");
    fs::read_to_string(path).ok()
}

#[test]
fn what_a_machine_remembers_is_taken_to_another_one_and_replaces_nothing_there() {
    let (stage, _) = with_plan();
    stage.authorize(&["--yes"]).ledgers();
    let own = remembered(&stage, "state").unwrap();
    let (exit, exported, _) = heads(&stage, "state", &["export"]);
    assert_eq!((exit, &exported), (0, &own));
    let file = stage.folder.path().join("exported");
    fs::write(&file, &exported).unwrap();

    let (exit, _, told) = heads(&stage, "other", &["import", "exported"]);
    assert_eq!(exit, 1, "there is no one to ask: {told}");
    assert_eq!(remembered(&stage, "other"), None);
    let (exit, printed, told) = heads(&stage, "other", &["import", "exported", "--yes"]);
    assert_eq!((exit, printed.as_str()), (0, ""), "{told}");
    assert!(told.contains("new         repository "), "{told}");
    assert_eq!(remembered(&stage, "other").as_ref(), Some(&own));
    let path = stage.folder.path().join("other/countersign/heads.json");
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // The machine that signed has seen more by now, and keeps that.
    let other_repository = exported
        .replace("\"sequence\":0", "\"sequence\":1")
        .replace(
            "\"digest\":null",
            &format!("\"digest\":\"sha256:{}\"", "1".repeat(64)),
        );
    fs::write(&file, &other_repository).unwrap();
    let (exit, _, told) = heads(&stage, "state", &["import", "exported", "--yes"]);
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("this machine saw it itself"), "{told}");
    assert_eq!(remembered(&stage, "state").as_ref(), Some(&own));
}

#[test]
fn a_head_that_contradicts_what_this_machine_saw_is_not_imported_and_neither_is_the_rest() {
    let (stage, _) = with_plan();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    stage.authorize(&["--yes"]).ledgers();
    let own = remembered(&stage, "state").unwrap();
    let mut other: Value = serde_json::from_str(&own).unwrap();
    other["ledgers"][0]["head"]["digest"] = json!(format!("sha256:{}", "1".repeat(64)));
    let mut new = other["ledgers"][0].clone();
    new["repository_id"] = json!(7);
    other["ledgers"].as_array_mut().unwrap().insert(0, new);
    fs::write(stage.folder.path().join("exported"), other.to_string()).unwrap();

    let (exit, _, told) = heads(&stage, "state", &["import", "exported", "--yes"]);
    assert_eq!(exit, 3, "{told}");
    assert!(told.contains("CONTRADICTS repository "), "{told}");
    assert_eq!(remembered(&stage, "state"), Some(own));
}

#[test]
fn a_file_that_no_export_wrote_is_not_imported() {
    let (stage, _) = with_plan();
    for text in ["", "{}", "[]", "{\"version\":2,\"ledgers\":[]}"] {
        fs::write(stage.folder.path().join("exported"), text).unwrap();
        let (exit, _, told) = heads(&stage, "other", &["import", "exported", "--yes"]);
        assert_eq!(exit, 1, "{told}");
        assert!(
            told.contains("is no file of `countersign heads export`"),
            "{told}"
        );
    }
    assert_eq!(remembered(&stage, "other"), None);
}

#[test]
fn the_first_look_reads_from_the_root_and_the_next_from_what_was_signed_for() {
    let (stage, _) = with_plan();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let first = stage.authorize(&["--yes"]);
    first.says("  verified    first look on this machine: every commit\n");
    assert_eq!(first.ledgers(), [json!(stage.tip())]);
    let seen = stage.tip();

    let file = stage.state().join("countersign/heads.json");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let kept = &stage.heads()["ledgers"][0];
    assert_eq!(kept["repository_id"], stage.sim.repository_id());
    assert_eq!(
        kept["host"],
        stage.sim.api_url().trim_start_matches("http://")
    );

    stage
        .tag()
        .input("tag-name", "v0.1")
        .approved()
        .run()
        .succeeded();
    let next = stage.authorize(&["--yes"]);
    next.says(&format!(
        "every commit since {seen}, which this machine saw at "
    ));
    assert_eq!(next.ledgers(), [json!(stage.tip())]);
    assert_eq!(stage.heads()["ledgers"][0]["head"]["sequence"], 4);
}

/// What a machine saw already is read again as far back as the run began, through all its attempts.
#[test]
fn what_an_earlier_attempt_of_the_run_did_is_shown_however_much_was_seen_since() {
    countersign_sim::pins![L11];
    let (stage, _) = with_plan();
    stage.tag().approved().run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    stage.sim.shift_clock(60);
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    stage
        .authorize(&["--yes"])
        .says("AGAIN: this run has done this already, entry 2\n");

    stage.sim.shift_clock(120);
    stage.sim.run(RUN.parse().unwrap(), "dana", "erin");
    stage
        .tag()
        .input("tag-name", "v0.1")
        .approved()
        .run()
        .succeeded();
    let again = stage.authorize(&["--yes"]);
    again.says("AGAIN: this run has done this already, entry 2\n");
    again.says("every commit since entry 4 ");
}

#[test]
fn nothing_is_remembered_unless_someone_signed() {
    let (stage, _) = with_plan();
    stage.authorize_on_terminal(&["no"]).signed_nothing(3);
    stage.authorize(&[]).signed_nothing(1);
    assert_eq!(stage.heads(), Value::Null);
    assert_eq!(stage.authorize_on_terminal(&["yes"]).ledgers().len(), 1);
    assert_eq!(stage.heads()["ledgers"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_remembered_in_another_form_is_refused_and_not_repaired() {
    let (stage, _) = with_plan();
    assert_eq!(stage.authorize(&["--yes"]).ledgers().len(), 1);
    let file = stage.state().join("countersign/heads.json");
    let text = fs::read_to_string(&file).unwrap();
    let newer = text.replace("\"version\":1", "\"version\":2");
    fs::write(&file, &newer).unwrap();

    stage
        .authorize(&["--yes"])
        .signed_nothing(1)
        .says("is never replaced");
    assert_eq!(fs::read_to_string(&file).unwrap(), newer);
}

#[test]
fn without_a_place_to_remember_nothing_is_signed() {
    let (stage, _) = with_plan();
    let words = [
        "authorize",
        "--run",
        RUN,
        "--repository",
        "octo/hello",
        "--key",
        "approver",
        "--yes",
    ];
    let mut command = stage.command(&words);
    let output = command
        .env_remove("XDG_STATE_HOME")
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && told.contains("set HOME or XDG_STATE_HOME"),
        "{told}"
    );
}

#[test]
fn after_a_failure_the_same_plan_can_be_approved_again() {
    let stage = Stage::new();
    let key = stage.with_approver();
    let attempt = stage.release().input("trusted-keys", &key);
    stage.leave_plan(&attempt.dry_run(), |text| text);
    let first = stage.authorize(&["--yes"]);
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::StatusBefore(422)));
    let failed = attempt.clone().input("receipt", &first.receipts).run();
    assert_eq!(failed.status(), "failed", "{}", failed.log);

    let second = stage.authorize(&["--yes"]);
    second.says("AGAIN: this run has tried this and failed, entry 2\n");
    assert_eq!(second.ledgers(), [json!(stage.tip())]);
    let attempt = attempt.variable("GITHUB_RUN_ATTEMPT", "2");
    attempt.input("receipt", &second.receipts).run().succeeded();
}

#[test]
fn a_plan_that_no_run_left_is_signed_for_the_ledger_that_it_names() {
    let (stage, _) = with_plan();
    let plan = stage.tag().dry_run().plan();
    let named = stage.tip();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let plan = plan.display().to_string();
    let words = ["authorize", &plan, "--key", "approver", "--yes"];
    let output = stage.command(&words).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let rows = format!(
        "ledger at     {named}\n              as the plan says; this command did not look\n"
    );
    assert!(told.contains(&rows), "{told}");
    assert_eq!(stage.heads(), Value::Null);
}

#[test]
fn a_second_approver_sees_that_the_first_looked_later_than_the_plans_job() {
    let (stage, key) = with_plan();
    let named = stage.tip();
    let plan = stage.tag().dry_run().plan();
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
    let signed = stage.authorize(&["--yes"]);
    let folder = stage.folder.path();
    fs::write(folder.join("receipts"), &signed.receipts).unwrap();
    fs::write(folder.join("keys"), format!("{key}\n{}", stage.trusted())).unwrap();
    let second = [
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "second",
        "--name",
        "second",
    ];
    assert!(stage.command(&second).output().unwrap().status.success());

    let plan = plan.display().to_string();
    let by = [
        "--plan",
        &plan,
        "--trusted-keys",
        "keys",
        "--key",
        "second",
        "--yes",
    ];
    let words = [&["sign", "receipts"], &by[..]].concat();
    let output = stage.command(&words).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let rows = format!("ledger at     {}\n  plan saw    {named}\n", stage.tip());
    assert!(output.status.success() && told.contains(&rows), "{told}");
}

const CAMPAIGN: &str = r#"
name = "Both"

[[operation]]
id = "here"
operation = "tag_repo"
tag-name = "v1"

[[operation]]
id = "there"
operation = "tag_repo"
repository = "octo/other"
tag-name = "v1"
"#;

#[test]
fn each_receipt_of_a_campaign_names_the_ledger_of_its_own_repository() {
    let stage = Stage::new();
    stage.with_approver();
    let other = stage.sim.beside("octo/other", 7_654_321);
    let writer = other.token_everywhere(Permissions::write());
    let init = ["ledger", "init", "--repository", "octo/other"];
    let made = stage.command(&init).env("GH_TOKEN", &writer).output();
    assert!(made.unwrap().status.success());
    stage.file("campaign.toml", CAMPAIGN);
    let plan = || {
        let attempt = Attempt::new(&stage).input("campaign", "campaign.toml");
        attempt.input("token", &writer).dry_run()
    };
    stage.leave_plan(&plan(), |text| text);

    let reader = other.token_everywhere(Permissions {
        actions: Access::Read,
        ..Permissions::read()
    });
    let there = || other.ref_oid("refs/heads/receipt-ledger").unwrap();
    let root = there();
    other.commit("receipt-ledger", &[("README.md", b"Moved.\n")]);
    let signed = stage.authorize_with(&reader, &["--yes"]).ledgers();
    assert_eq!(signed[0]["commit"], json!(stage.tip().commit));
    assert_eq!(signed[1]["commit"], there());
    assert_eq!(stage.heads()["ledgers"].as_array().unwrap().len(), 2);

    // One ledger that lost its head is enough to ask.
    other.set_ref("refs/heads/receipt-ledger", &root);
    stage.leave_plan(&plan(), |text| text);
    let refused = stage.authorize_with(&reader, &["--yes"]);
    refused
        .signed_nothing(1)
        .says("ledger of octo/other (id 7654321): this machine saw");
}

/// What anyone with write access can put where an entry belongs: a folder, or a file that is too long.
#[test]
fn what_is_no_entry_keeps_no_one_from_approving_above_it() {
    let long = vec![b'a'; 3 << 20];
    let head = format!(
        "{{\"sequence\":1,\"digest\":\"sha256:{}\"}}\n",
        "a".repeat(64)
    );
    for (path, content) in [
        ("entries/000/000000001.json/folder", b"x".as_slice()),
        ("entries/000/000000001.json", &long),
    ] {
        let stage = Stage::new();
        stage.with_approver();
        let before = stage.tag().approved();
        let files = [("ledger.json", head.as_bytes()), (path, content)];
        let damaged = stage.sim.commit("receipt-ledger", &files);
        assert_eq!(before.run().code(), "ledger_tampered");

        stage.leave_plan(&stage.tag().dry_run(), |text| text);
        stage
            .authorize(&["--yes"])
            .signed_nothing(1)
            .says(&format!("commit {damaged} of the ledger"));
        let signed = stage.authorize_on_terminal(&["yes", &damaged[..12], "yes"]);
        assert_eq!(signed.ledgers(), [json!(stage.tip())]);
    }
}

#[test]
fn many_damaged_commits_end_the_look_at_the_tip() {
    let stage = Stage::new();
    stage.with_approver();
    for number in 1..=60 {
        let head = format!("{{\"sequence\":{number},\"digest\":\"sha256:{number:064x}\"}}\n");
        let files = [("ledger.json", head.as_bytes())];
        stage.sim.commit("receipt-ledger", &files);
    }
    stage.leave_plan(&stage.tag().dry_run(), |text| text);

    let before = stage.events().len();
    stage
        .authorize(&["--yes"])
        .signed_nothing(1)
        .says("nothing below it was verified");
    let asked = stage.events().len() - before;
    assert!(asked < 40, "{asked} requests");
}

#[test]
fn a_dry_run_makes_a_plan_above_more_commits_than_a_decision_reads() {
    let stage = Stage::new();
    for _ in 0..1100 {
        stage.sim.commit("receipt-ledger", &[("junk", b"junk")]);
    }
    assert_eq!(stage.tag().dry_run().status(), "dry_run");
    stage.tag().approved().run().succeeded();
}

/// A re-run of the planning job leaves a second artifact of the same name.
#[test]
fn of_two_plans_of_one_name_the_newest_is_signed_unless_the_other_is_named() {
    let (stage, _) = with_plan();
    stage.sim.shift_clock(60);
    let newer = stage.tag().input("tag-name", "v2.0.0").dry_run();
    assert_eq!(stage.leave_another_plan(&newer, |text| text), 2);

    let signed = stage.authorize(&["--yes"]);
    signed.says("Tag v2.0.0 of octo/hello");
    signed
        .says("  artifact    plan, number 2, of ")
        .says("  older plan  plan, number 1, of ")
        .says("--artifact-id 1 takes that one")
        .says(&format!("  plan        {}", newer.outputs["plan-digest"]));
    assert_eq!(signed.ledgers().len(), 1);
    stage
        .authorize(&["--yes", "--artifact-id", "1"])
        .says("Tag v1.0.0 of octo/hello");
    stage
        .authorize(&["--yes", "--artifact-id", "3"])
        .signed_nothing(1);
}

#[test]
fn an_approver_sees_on_which_branch_a_commit_is_and_that_none_contains_it() {
    let (stage, _) = with_plan();
    stage.authorize(&["--yes"]).says("on branch     main\n");

    let commit = stage.sim.commit("fork", &[("evil.txt", b"evil\n")]);
    assert!(stage.sim.delete_ref("refs/heads/fork"));
    let forked = stage.tag().input("target-sha", &commit).dry_run();
    stage.leave_plan(&forked, |text| text);
    stage
        .authorize(&["--yes"])
        .says("on branch     NOT FOUND: no allowed branch contains ")
        .says("NO BRANCH: no allowed branch contains ");

    stage.sim.set_ref("refs/heads/release/1", &commit);
    let listed = ["--yes", "--reachable-from", "release/1"];
    stage.authorize(&listed).says("but has no rule `deletion`");
    let rules = ["deletion", "non_fast_forward"];
    stage.sim.branch_rules("release/1", &rules);
    stage.authorize(&listed).says("on branch     release/1\n");
}
