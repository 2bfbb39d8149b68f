//! Nothing twice, nothing lost: crashes, lost answers and races, with the real binary and real kills.
#![allow(clippy::unwrap_used, reason = "functions that tests share fail as loudly as tests")]

mod harness;

use std::process::Command;

use countersign_core::ledger::{entry_path, state_path};
use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Report, Stage};

/// The next attempt of the same run, as "re-run jobs" starts it.
fn second<'a>(attempt: &Attempt<'a>) -> Attempt<'a> {
    attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2")
}

/// Kills an attempt with SIGKILL while GitHub leaves it without an answer at one request; `after` lets the work be done first.
fn killed(stage: &Stage, attempt: &Attempt<'_>, endpoint: Endpoint, nth: usize) {
    let seen = stage.sim.events().iter().filter(|event| event.endpoint == endpoint).count();
    stage.sim.plan(Fault::on(endpoint).nth(nth).then(Effect::Stall));
    let (mut command, _surfaces) = attempt.process();
    let mut child = command.spawn().unwrap();
    stage.sim.wait_until(|events| {
        events.iter().filter(|event| event.endpoint == endpoint).nth(seen + nth - 1).is_some_and(|event| !event.finished)
    });
    assert!(Command::new("kill").args(["-KILL", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
    harness::tell(&format!("killed at {endpoint:?} {nth}"));
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
    killed(&stage, &attempt, Endpoint::Append, 1);
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
        killed(&stage, &attempt, endpoint, 1);
        settled(&stage, &second(&attempt).run(), &["claimed", "claimed", "succeeded"]);
        assert_eq!(stage.sim.releases().len() + stage.sim.pulls().len() + usize::from(kind == "tag"), 1);
    }
}

#[test]
fn killed_in_the_middle_of_its_uploads_attempt_2_adopts_the_draft_and_sends_what_is_missing() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa").file("b.zip", "bbb");
    let attempt = stage.release().input("files", "*.zip").approved();
    // The first upload comes through, the second is left without an answer.
    killed(&stage, &attempt, Endpoint::UploadAsset, 2);
    assert!(stage.sim.releases()[0].draft);
    let before = stage.writes().iter().filter(|write| write.contains("/assets?name=")).count();
    settled(&stage, &second(&attempt).run(), &["claimed", "claimed", "succeeded"]);
    let releases = stage.sim.releases();
    assert_eq!((releases.len(), releases[0].draft, releases[0].assets.len()), (1, false, 2));
    let after = stage.writes().iter().filter(|write| write.contains("/assets?name=")).count();
    assert!(after - before <= 2, "{before} {after}");
}

#[test]
fn killed_after_the_operation_attempt_2_records_what_was_done() {
    for attempt in 0..3 {
        let stage = Stage::new();
        stage.file("a.zip", "aaa");
        let attempt = [stage.release().input("files", "a.zip"), stage.tag(), stage.pull()][attempt].clone().approved();
        // The claim is the first append, the outcome the second.
        killed(&stage, &attempt, Endpoint::Append, 2);
        let effects = stage.sim.effects().len();
        let report = second(&attempt).run();
        settled(&stage, &report, &["claimed", "claimed", "succeeded"]);
        assert_eq!(report.record["github_response"]["already_existed"], true);
        // Two commits on the ledger and nothing else.
        assert_eq!(stage.sim.effects().len(), effects + 2, "{:?}", stage.sim.effects());
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
    for (kind, endpoint) in [(0, Endpoint::CreateRelease), (1, Endpoint::CreateRef), (2, Endpoint::CreatePull)] {
        let stage = Stage::new();
        let attempt = stage.each()[kind].clone().approved();
        stage.sim.plan(Fault::on(endpoint).then(Effect::ResetAfter));
        settled(&stage, &attempt.run(), &["claimed", "succeeded"]);
        assert_eq!(stage.sim.releases().len() + stage.sim.pulls().len() + usize::from(kind == 1), 1);
    }
}

#[test]
fn what_cannot_be_learnt_now_is_unknown_and_settled_by_the_next_attempt() {
    for (kind, endpoint) in [(0, Endpoint::CreateRelease), (1, Endpoint::CreateRef), (2, Endpoint::CreatePull)] {
        let stage = Stage::new();
        let attempt = stage.each()[kind].clone().approved();
        stage.sim.plan(Fault::on(endpoint).times(usize::MAX).then(Effect::ResetBefore));
        let report = attempt.run();
        assert_eq!((report.exit, report.status()), (4, "unknown"), "{}", report.message());
        stage.sim.forget_faults();
        settled(&stage, &second(&attempt).run(), &["claimed", "unknown", "claimed", "succeeded"]);
    }
}

#[test]
fn what_stands_otherwise_than_approved_is_recorded_as_a_failure() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    killed(&stage, &attempt, Endpoint::CreateRef, 1);
    let other = stage.sim.commit("other", &[("a", b"a")]);
    stage.sim.annotated_tag("v1.0.0", &other, "Version 1.0.0");
    let report = second(&attempt).run();
    assert_eq!((report.exit, report.code()), (1, "tag_mismatch"), "{}", report.message());
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "failed"]);
}

#[test]
fn another_run_never_resumes() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    killed(&stage, &attempt, Endpoint::CreateRef, 1);
    second(&attempt).variable("GITHUB_RUN_ID", "4").input("run-id", harness::RUN).run().refused("receipt_consumed");
    attempt.run().refused("receipt_consumed");
    assert_eq!(stage.ledger_events(), ["claimed"]);
}

/// Starts every attempt at once and waits for all of them.
fn race(attempts: &[Attempt<'_>]) -> Vec<Report> {
    let started: Vec<_> =
        attempts.iter().map(Attempt::process).map(|(mut command, surfaces)| (command.spawn().unwrap(), surfaces)).collect();
    started.into_iter().map(|(child, surfaces)| surfaces.report(&child.wait_with_output().unwrap())).collect()
}

#[test]
fn eight_processes_with_one_receipt_publish_once() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let reports = race(&vec![attempt; 8]);
    let mut codes: Vec<&str> = reports.iter().map(Report::code).collect();
    codes.sort_unstable();
    assert_eq!(codes.iter().filter(|code| **code == "-").count(), 1, "{codes:?}");
    // Whoever comes so late that the release is there already is told of the receipt all the same.
    assert!(codes[1..].iter().all(|code| *code == "receipt_consumed"), "{codes:?}");
    harness::tell("eight processes with one receipt: 1 published, 7 were refused with receipt_consumed");
    assert_eq!(stage.sim.releases().len(), 1);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn eight_receipts_at_once_all_get_through() {
    let stage = Stage::new();
    let attempts: Vec<_> = (0..8).map(|number| stage.tag().input("tag-name", &format!("v{number}")).approved()).collect();
    let reports = race(&attempts);
    for report in &reports {
        report.succeeded();
    }
    let events = stage.ledger_events();
    assert_eq!((events.len(), events.iter().filter(|event| *event == "claimed").count()), (16, 8));
    let appends = stage.events().iter().filter(|event| event.endpoint == Endpoint::Append).count();
    harness::tell(&format!("eight processes with a receipt each: 8 published, 16 entries in one chain, {appends} appends were tried"));
}

#[test]
fn a_draft_that_was_found_is_never_thrown_away() {
    let stage = Stage::new();
    stage.file("a.zip", "aaa");
    let attempt = stage.release().input("files", "a.zip").approved();
    killed(&stage, &attempt, Endpoint::UploadAsset, 1);
    stage.sim.plan(Fault::on(Endpoint::UploadAsset).then(Effect::CorruptUpload));
    let report = second(&attempt).run();
    assert_eq!((report.exit, report.code()), (1, "asset_mismatch"), "{}", report.message());
    assert_eq!((stage.sim.releases().len(), stage.sim.releases()[0].draft), (1, true));
    assert!(!stage.writes().iter().any(|write| write.starts_with("DELETE")), "{:?}", stage.writes());
}

#[test]
fn a_resumed_release_is_not_published_on_a_tag_that_somebody_set_meanwhile() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    killed(&stage, &attempt, Endpoint::CreateRelease, 1);
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    stage.sim.annotated_tag("v1.0.0", &evil, "v1.0.0");
    let report = second(&attempt).run();
    assert_eq!((report.exit, report.code()), (1, "tag_mismatch"), "{}", report.message());
    assert!(report.message().contains("nothing was published"), "{}", report.message());
    assert_eq!((stage.sim.releases().len(), stage.ledger_events()), (0, ["claimed", "claimed", "failed"].map(String::from).to_vec()));
}

#[test]
fn a_resumed_pull_request_is_not_opened_from_a_branch_that_moved_meanwhile() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    killed(&stage, &attempt, Endpoint::CreatePull, 1);
    stage.sim.commit("next", &[("more", b"more")]);
    let report = second(&attempt).run();
    assert_eq!((report.exit, report.code()), (1, "pull_mismatch"), "{}", report.message());
    assert_eq!(stage.sim.pulls().len(), 0);
}

#[test]
fn another_pull_request_of_the_same_title_is_not_taken_for_the_approved_one() {
    let stage = Stage::new();
    stage.pull().input("body", "The first one.").approved().run().succeeded();
    stage.sim.close_pull(1);
    let attempt = stage.pull().input("body", "The second one.").approved();
    stage.sim.plan(Fault::on(Endpoint::CreatePull).times(usize::MAX).then(Effect::StatusBefore(502)));
    let report = attempt.run();
    assert_eq!((report.exit, report.status()), (4, "unknown"), "{}", report.message());
    stage.sim.forget_faults();
    second(&attempt).run().succeeded();
    assert_eq!(stage.sim.pulls().len(), 2);
}

#[test]
fn a_look_that_fails_leaves_the_outcome_open() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    stage.sim.plan(Fault::on(Endpoint::CreateRelease).then(Effect::ResetAfter));
    stage.sim.plan(Fault::on(Endpoint::GetReleaseByTag).then(Effect::StatusBefore(403)));
    let report = attempt.run();
    assert_eq!((report.exit, report.status()), (4, "unknown"), "{}", report.message());
    let report = second(&attempt).run();
    settled(&stage, &report, &["claimed", "unknown", "claimed", "succeeded"]);
    assert_eq!(report.record["github_response"]["already_existed"], true);
}

#[test]
fn an_outcome_whose_answer_is_lost_is_held_against_the_tag_all_the_same() {
    let stage = Stage::new();
    stage.file("app.zip", "abc");
    let attempt = stage.release().input("files", "app.zip").approved();
    let evil = stage.sim.commit("evil", &[("evil", b"evil")]);
    stage.sim.plan(Fault::on(Endpoint::Append).nth(2).then(Effect::ResetAfter));
    let report = attempt.run_while_uploading(|| stage.sim.tag("v1.0.0", &evil));
    assert_eq!((report.exit, report.code()), (1, "tag_mismatch"), "{}", report.message());
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded", "failed"]);
}

/// Checks the ledger branch out into a folder.
fn checkout(stage: &Stage) -> std::path::PathBuf {
    let folder = stage.folder.path().join("ledger");
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tree = repository.find_branch("receipt-ledger", git2::BranchType::Local).unwrap().get().peel_to_tree().unwrap();
    std::fs::create_dir(&folder).unwrap();
    let mut options = git2::build::CheckoutBuilder::new();
    options.target_dir(&folder).force();
    repository.checkout_tree(tree.as_object(), Some(&mut options)).unwrap();
    folder
}

fn ledger(stage: &Stage, arguments: &[&str]) -> (i32, String) {
    let output = stage.command(&[&["ledger"], arguments].concat()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_checked_out_ledger_is_shown_and_verified() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    stage.pull().approved().run().succeeded();
    let folder = checkout(&stage);
    let folder = folder.to_str().unwrap();
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let (exit, told) = ledger(&stage, &["verify", folder, "--trusted-keys", "keys"]);
    let newest = format!("entry 4 ({})", stage.ledger()[3].checkpoint().digest);
    assert_eq!(
        (exit, told.strip_prefix(&format!("verified    the folder {folder}, {newest}\n")).unwrap()),
        (
            0,
            "structure   holds: 4 entries\nchain       holds: 4 entries\nstates      hold; 0 receipt(s) without a known outcome\n\
             bindings    hold: 2 claims, each with its receipt and operation\nsignatures  hold: 2 receipts, each by 1 trusted key(s)\n\
             history     not checked: these are the files of a folder; give a clone (of a checkout, its .git) or --repository\n"
        )
    );
    let (exit, told) = ledger(&stage, &["verify", folder]);
    assert!(exit == 0 && told.contains("signatures  not checked: give --trusted-keys"), "{told}");
    let (exit, told) = ledger(&stage, &["show", folder, "--kind", "tag_repo"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(
        exit == 0
            && lines.len() == 2
            && lines[0].contains("succeeded")
            && lines[1].contains("claimed")
            && lines[1].contains("by alice@example.org"),
        "{told}"
    );
}

#[test]
fn a_ledger_that_was_tampered_with_is_refused_by_name_of_the_first_bad_entry() {
    let stage = Stage::new();
    let empty = checkout(&stage);
    assert_eq!(ledger(&stage, &["verify", empty.to_str().unwrap()]), (1, "countersign: nothing to verify: the ledger is empty\n".into()));
    std::fs::remove_dir_all(&empty).unwrap();
    stage.tag().approved().run().succeeded();
    let folder = checkout(&stage);
    let entry = folder.join("entries/000/000000002.json");
    let text = std::fs::read_to_string(&entry).unwrap();
    let verify = || ledger(&stage, &["verify", folder.to_str().unwrap()]);
    for (edited, told) in [
        (text.replace("operation.succeeded", "operation.failed"), "chain: ledger.json: it does not name the last entry"),
        (text.replace(',', ", "), "structure: entry 2: the file was changed after Countersign wrote it"),
        (text.replace("\"sequence\":2", "\"sequence\":3"), "chain: entry 2: it says that it is entry 3"),
    ] {
        std::fs::write(&entry, edited).unwrap();
        let (exit, found) = verify();
        assert!(exit == 1 && found.contains(told), "{found}");
    }
    std::fs::write(&entry, text).unwrap();
    std::fs::write(folder.join("entries/000/000000003.json"), "{}\n").unwrap();
    let (exit, found) = verify();
    assert!(exit == 1 && found.contains("structure: `entries/000/000000003.json`: no entry accounts for this file"), "{found}");
}

/// A bare clone as `git clone --mirror` makes it, and the repository itself.
fn places(stage: &Stage) -> [Vec<String>; 2] {
    let mirror = stage.folder.path().join("mirror.git");
    git2::build::RepoBuilder::new().bare(true).clone(stage.sim.git_dir().to_str().unwrap(), &mirror).unwrap();
    [vec![mirror.display().to_string()], vec!["--repository".into(), stage.sim.repository().into()]]
}

fn at_place(stage: &Stage, verb: &str, place: &[String], more: &[&str]) -> (i32, String) {
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let mut command = stage.command(&[&["ledger", verb], place.as_slice(), more].concat());
    let output = command.env("GH_TOKEN", &stage.token).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_ledger_is_verified_and_shown_from_a_bare_clone_and_straight_from_the_repository() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    stage.pull().approved().run().succeeded();
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    for place in places(&stage) {
        let (exit, told) = at_place(&stage, "verify", &place, &["--trusted-keys", "keys"]);
        let (place_told, told) = told.split_once('\n').unwrap();
        let commit = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        let newest = stage.ledger()[3].checkpoint();
        assert!(place_told.ends_with(&format!("receipt-ledger at commit {commit}, {newest}")), "{place_told}");
        assert_eq!(
            (exit, told),
            (
                0,
                "structure   holds: 4 entries\nchain       holds: 4 entries\nstates      hold; 0 receipt(s) without a known outcome\n\
                 bindings    hold: 2 claims, each with its receipt and operation\nsignatures  hold: 2 receipts, each by 1 trusted key(s)\n\
                 history     holds: every commit's ledger.json names the next entry, 4 in all\n"
            ),
            "{place:?}"
        );
        let (exit, told) = at_place(&stage, "show", &place, &["--run", harness::RUN]);
        assert!(exit == 0 && told.lines().count() == 4 && told.trim_start().starts_with("4  "), "{told}");
    }
    let stranger = trusted_by_a_stranger(&stage);
    let (exit, told) = at_place(&stage, "verify", &["--repository".into(), stage.sim.repository().into()], &["--trusted-keys", &stranger]);
    assert!(exit == 1 && told.contains("signatures: entry 1: "), "{told}");
}

fn trusted_by_a_stranger(stage: &Stage) -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    std::fs::write(stage.folder.path().join("stranger"), harness::trusted_line(&key, "mallory")).unwrap();
    "stranger".into()
}

#[test]
fn entries_that_were_taken_back_leave_a_sound_ledger_but_not_a_sound_history() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let branch = |path: &str| stage.sim.read_file("receipt-ledger", path).unwrap();
    let before = branch("ledger.json");
    stage.pull().approved().run().succeeded();
    let gone = stage.ledger()[2].receipt_id.clone();
    // Somebody who may write contents adds a commit that looks like the ledger two entries earlier.
    stage.sim.commit("receipt-ledger", &[("ledger.json", &before)]);
    stage.sim.remove("receipt-ledger", &[&entry_path(3), &entry_path(4), &state_path(&gone)]);
    let (exit, told) = ledger(&stage, &["verify", checkout(&stage).to_str().unwrap()]);
    assert!(exit == 0 && told.contains("chain       holds: 2 entries"), "{told}");
    for place in places(&stage) {
        let (exit, told) = at_place(&stage, "verify", &place, &[]);
        assert!(
            exit == 1 && told.contains("history: commit ") && told.contains("a commit after it added no entry, or took one back"),
            "{told}"
        );
    }
}

#[test]
fn a_ledger_that_cannot_be_found_is_told_with_what_to_do() {
    let stage = Stage::without_ledger();
    let [mirror, repository] = places(&stage);
    let (exit, told) = at_place(&stage, "verify", &mirror, &[]);
    assert!(exit == 1 && told.contains("has no branch `receipt-ledger` here or under `origin`; fetch it with"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &repository, &[]);
    assert!(exit == 1 && told.contains("has no branch `receipt-ledger`"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &["nowhere".into()], &[]);
    assert!(exit == 1 && told.contains("`nowhere` does not exist"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &["nowhere".into()], &["--threshold", "2"]);
    assert!(exit == 2 && told.contains("--trusted-keys"), "{told}");
    let (exit, told) = at_place(&stage, "show", &["nowhere".into()], &["--kind", "tag"]);
    assert!(exit == 2 && told.contains("--kind"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &["/proc".into()], &[]);
    assert!(exit == 1 && told.contains("neither a checkout of the branch `receipt-ledger` nor a clone"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &[], &[]);
    assert!(exit == 2 && told.contains("<PATH|--repository <OWNER/NAME>>"), "{told}");
}

#[test]
fn a_claim_that_github_dates_after_the_expiry_is_never_acted_upon() {
    let stage = Stage::new();
    let attempt = stage.tag().approved_with(|terms| terms.expires_at = terms.issued_at.plus(240));
    // Within the five minutes that the clocks may differ, but after the receipt's end.
    let report = attempt.run_while(Endpoint::Append, || stage.sim.shift_clock(270));
    assert_eq!((report.exit, report.code()), (1, "receipt_expired"), "{}", report.message());
    assert!(report.message().contains("Nothing was done under it"), "{}", report.message());
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
    assert_eq!(stage.sim.ref_oid("refs/tags/v1.0.0"), None);
}

#[test]
fn a_clone_whose_branch_stayed_behind_is_not_taken_for_the_ledger() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let folder = stage.folder.path().join("clone");
    let clone = git2::build::RepoBuilder::new().clone(stage.sim.git_dir().to_str().unwrap(), &folder).unwrap();
    let old = clone.find_reference("refs/remotes/origin/receipt-ledger").unwrap().peel_to_commit().unwrap();
    clone.reference("refs/heads/receipt-ledger", old.id(), false, "").unwrap();
    let (exit, told) = at_place(&stage, "verify", &["clone".into()], &[]);
    assert_eq!(exit, 0, "{told}");
    stage.pull().approved().run().succeeded();
    clone.find_remote("origin").unwrap().fetch(&["refs/heads/*:refs/remotes/origin/*"], None, None).unwrap();
    let (exit, told) = at_place(&stage, "verify", &["clone".into()], &[]);
    assert!(exit == 1 && told.contains("was last fetched from `origin` at"), "{told}");
}

#[test]
fn what_somebody_put_into_a_ledger_gives_no_commands_and_hides_nothing() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let folder = checkout(&stage);
    let verify = || ledger(&stage, &["verify", folder.to_str().unwrap()]);
    let stray = folder.join("x\n::stop-commands::t");
    std::fs::write(&stray, "").unwrap();
    let (exit, told) = verify();
    assert!(exit == 1 && told.contains("no entry accounts for this file"), "{told}");
    assert!(told.lines().all(|line| !line.trim_start().starts_with("::")), "{told}");
    std::fs::remove_file(stray).unwrap();
    // A folder that no ledger has is told itself, and nobody walks through it.
    std::fs::create_dir_all(folder.join("entries/000/deep/er")).unwrap();
    let (exit, told) = verify();
    assert!(exit == 1 && told.contains("`entries/000/deep`: no entry accounts for this file"), "{told}");
    std::fs::remove_dir_all(folder.join("entries/000/deep")).unwrap();
    // An entry that is a link is no file of the ledger.
    let entry = folder.join("entries/000/000000002.json");
    std::fs::rename(&entry, stage.folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(stage.folder.path().join("elsewhere"), &entry).unwrap();
    let (exit, told) = verify();
    assert!(exit == 1 && told.contains("it is a link"), "{told}");
}

#[test]
fn a_pull_request_whose_branch_moved_after_it_was_opened_unseen_is_told_with_its_number() {
    let stage = Stage::new();
    let attempt = stage.pull().approved();
    stage.sim.plan(Fault::on(Endpoint::CreatePull).then(Effect::ResetAfter));
    stage.sim.plan(Fault::on(Endpoint::ListPulls).then(Effect::StatusBefore(403)));
    assert_eq!(attempt.run().status(), "unknown");
    stage.sim.commit("next", &[("more", b"more")]);
    let report = second(&attempt).run();
    assert_eq!((report.exit, report.code()), (1, "pull_mismatch"), "{}", report.message());
    assert_eq!(report.record["github_response"]["pull_number"], 1, "{}", report.message());
    assert_eq!(stage.sim.pulls().len(), 1);
}
