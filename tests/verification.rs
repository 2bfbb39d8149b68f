//! `ledger show` and `ledger verify`: on a folder, in a clone, through the API, and on ledgers that somebody tampered with.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_core::ledger::{entry_path, operation_path};
use harness::Stage;

/// Checks the ledger branch out into a folder.
fn checkout(stage: &Stage) -> std::path::PathBuf {
    let folder = stage.folder.path().join("ledger");
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tree = repository
        .find_branch("receipt-ledger", git2::BranchType::Local)
        .unwrap()
        .get()
        .peel_to_tree()
        .unwrap();
    std::fs::create_dir(&folder).unwrap();
    let mut options = git2::build::CheckoutBuilder::new();
    options.target_dir(&folder).force();
    repository
        .checkout_tree(tree.as_object(), Some(&mut options))
        .unwrap();
    folder
}

fn ledger(stage: &Stage, arguments: &[&str]) -> (i32, String) {
    let output = stage
        .command(&[&["ledger"], arguments].concat())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    )
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
    let newest = format!("entry 4 ({})", stage.ledger()[3].id().digest);
    assert_eq!(
        (
            exit,
            told.strip_prefix(&format!("verified    the folder {folder}, {newest}\n"))
                .unwrap()
        ),
        (
            0,
            "structure   holds: 4 entries\nchain       holds: 4 entries\nuses        hold; 0 operation(s) without a known outcome\n\
             operations  hold: 2 claims, each with the operation of its digest\nbindings    hold: 2 claims, each with its receipt and operation\nsignatures  hold: 2 receipts, each by 1 trusted key(s)\n\
             history     not checked: these are the files of a folder; give a clone (of a checkout, its .git) or --repository\n\
             dates       not checked: these are the files of a folder; give --repository\n\
             authors     not checked: these are the files of a folder; give --repository\n"
        )
    );
    let (exit, told) = ledger(&stage, &["verify", folder]);
    assert!(
        exit == 0 && told.contains("signatures  not checked: give --trusted-keys"),
        "{told}"
    );
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
    assert_eq!(
        ledger(&stage, &["verify", empty.to_str().unwrap()]),
        (
            1,
            "countersign: nothing to verify: the ledger is empty\n".into()
        )
    );
    std::fs::remove_dir_all(&empty).unwrap();
    stage.tag().approved().run().succeeded();
    let folder = checkout(&stage);
    let entry = folder.join("entries/000/000000002.json");
    let text = std::fs::read_to_string(&entry).unwrap();
    let verify = || ledger(&stage, &["verify", folder.to_str().unwrap()]);
    for (edited, told) in [
        (
            text.replace("operation.succeeded", "operation.failed"),
            "chain: ledger.json: it does not name the last entry",
        ),
        (
            text.replace(',', ", "),
            "structure: entry 2: the file was changed after Countersign wrote it",
        ),
        (
            text.replace("\"sequence\":2", "\"sequence\":3"),
            "chain: entry 2: it says that it is entry 3",
        ),
    ] {
        std::fs::write(&entry, edited).unwrap();
        let (exit, found) = verify();
        assert!(exit == 1 && found.contains(told), "{found}");
    }
    std::fs::write(&entry, text).unwrap();
    std::fs::write(folder.join("entries/000/000000003.json"), "{}\n").unwrap();
    let (exit, found) = verify();
    assert!(
        exit == 1
            && found.contains(
                "structure: `entries/000/000000003.json`: no entry accounts for this file"
            ),
        "{found}"
    );
}

/// A bare clone as `git clone --mirror` makes it, and the repository itself.
fn places(stage: &Stage) -> [Vec<String>; 2] {
    let mirror = stage.folder.path().join("mirror.git");
    git2::build::RepoBuilder::new()
        .bare(true)
        .clone(stage.sim.git_dir().to_str().unwrap(), &mirror)
        .unwrap();
    [
        vec![mirror.display().to_string()],
        vec!["--repository".into(), stage.sim.repository().into()],
    ]
}

fn at_place(stage: &Stage, verb: &str, place: &[String], more: &[&str]) -> (i32, String) {
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let mut command = stage.command(&[&["ledger", verb], place.as_slice(), more].concat());
    let output = command.env("GH_TOKEN", &stage.token).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    )
}

#[test]
fn a_ledger_is_verified_and_shown_from_a_bare_clone_and_straight_from_the_repository() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    stage.pull().approved().run().succeeded();
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let dates = [
        "not proven here, read through the API (--repository); by the commits' own word they agree with the entries",
        "hold: GitHub signed the commits of 4 entries; what succeeded was claimed before its receipt's end",
    ];
    for (place, dates) in places(&stage).into_iter().zip(dates) {
        let (exit, told) = at_place(&stage, "verify", &place, &["--trusted-keys", "keys"]);
        let (place_told, told) = told.split_once('\n').unwrap();
        let commit = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        let newest = stage.ledger()[3].id();
        assert!(
            place_told.ends_with(&format!("receipt-ledger at commit {commit}, {newest}")),
            "{place_told}"
        );
        assert_eq!(
            (exit, told),
            (
                0,
                format!(
                    "structure   holds: 4 entries\nchain       holds: 4 entries\nuses        hold; 0 operation(s) without a known outcome\n\
                     operations  hold: 2 claims, each with the operation of its digest\nbindings    hold: 2 claims, each with its receipt and operation\nsignatures  hold: 2 receipts, each by 1 trusted key(s)\n\
                     history     holds: every commit's ledger.json names the next entry, 4 in all\ndates       {dates}\n\
                     authors     every commit from the first entry on names github-actions[bot]\n"
                )
                .as_str()
            ),
            "{place:?}"
        );
        let (exit, told) = at_place(&stage, "show", &place, &["--run", harness::RUN]);
        assert!(
            exit == 0 && told.lines().count() == 4 && told.trim_start().starts_with("4  "),
            "{told}"
        );
    }
    let stranger = trusted_by_a_stranger(&stage);
    let (exit, told) = at_place(
        &stage,
        "verify",
        &["--repository".into(), stage.sim.repository().into()],
        &["--trusted-keys", &stranger],
    );
    assert!(
        exit == 1 && told.contains("signatures: entry 1: "),
        "{told}"
    );
}

fn trusted_by_a_stranger(stage: &Stage) -> String {
    let key = harness::fresh_key();
    std::fs::write(
        stage.folder.path().join("stranger"),
        harness::trusted_line(&key, "mallory"),
    )
    .unwrap();
    "stranger".into()
}

#[test]
fn entries_that_were_taken_back_leave_a_sound_ledger_but_not_a_sound_history() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let branch = |path: &str| stage.sim.read_file("receipt-ledger", path).unwrap();
    let before = branch("ledger.json");
    stage.pull().approved().run().succeeded();
    let operation = operation_path(&stage.ledger()[2].operation_digest);
    // Somebody who may write contents adds a commit that looks like the ledger two entries earlier.
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &before)]);
    stage.sim.remove(
        "receipt-ledger",
        &[&entry_path(3), &entry_path(4), &operation],
    );
    let (exit, told) = ledger(&stage, &["verify", checkout(&stage).to_str().unwrap()]);
    assert!(
        exit == 0 && told.contains("chain       holds: 2 entries"),
        "{told}"
    );
    for place in places(&stage) {
        let (exit, told) = at_place(&stage, "verify", &place, &[]);
        assert!(
            exit == 1
                && told.contains("history: commit ")
                && told.contains("a commit took an entry back, or skipped one"),
            "{told}"
        );
    }
}

#[test]
fn a_ledger_that_cannot_be_found_is_told_with_what_to_do() {
    let stage = Stage::without_ledger();
    let [mirror, repository] = places(&stage);
    let (exit, told) = at_place(&stage, "verify", &mirror, &[]);
    assert!(
        exit == 1
            && told
                .contains("has no branch `receipt-ledger` here or under `origin`; fetch it with"),
        "{told}"
    );
    let (exit, told) = at_place(&stage, "verify", &repository, &[]);
    assert!(
        exit == 1 && told.contains("has no branch `receipt-ledger`"),
        "{told}"
    );
    let (exit, told) = at_place(&stage, "verify", &["nowhere".into()], &[]);
    assert!(
        exit == 1 && told.contains("`nowhere` does not exist"),
        "{told}"
    );
    let (exit, told) = at_place(&stage, "verify", &["nowhere".into()], &["--threshold", "2"]);
    assert!(exit == 2 && told.contains("--trusted-keys"), "{told}");
    let (exit, told) = at_place(&stage, "show", &["nowhere".into()], &["--kind", "tag"]);
    assert!(exit == 2 && told.contains("--kind"), "{told}");
    let (exit, told) = at_place(&stage, "verify", &["/proc".into()], &[]);
    assert!(
        exit == 1 && told.contains("neither a checkout of the branch `receipt-ledger` nor a clone"),
        "{told}"
    );
    let (exit, told) = at_place(&stage, "verify", &[], &[]);
    assert!(
        exit == 2 && told.contains("<PATH|--repository <OWNER/NAME>>"),
        "{told}"
    );
}

#[test]
fn a_clone_whose_branch_stayed_behind_is_not_taken_for_the_ledger() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let folder = stage.folder.path().join("clone");
    let clone = git2::build::RepoBuilder::new()
        .clone(stage.sim.git_dir().to_str().unwrap(), &folder)
        .unwrap();
    let old = clone
        .find_reference("refs/remotes/origin/receipt-ledger")
        .unwrap()
        .peel_to_commit()
        .unwrap();
    clone
        .reference("refs/heads/receipt-ledger", old.id(), false, "")
        .unwrap();
    let (exit, told) = at_place(&stage, "verify", &["clone".into()], &[]);
    assert_eq!(exit, 0, "{told}");
    stage.pull().approved().run().succeeded();
    clone
        .find_remote("origin")
        .unwrap()
        .fetch(&["refs/heads/*:refs/remotes/origin/*"], None, None)
        .unwrap();
    let (exit, told) = at_place(&stage, "verify", &["clone".into()], &[]);
    assert!(
        exit == 1 && told.contains("was last fetched from `origin` at"),
        "{told}"
    );
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
    assert!(
        exit == 1 && told.contains("no entry accounts for this file"),
        "{told}"
    );
    assert!(
        told.lines()
            .all(|line| !line.trim_start().starts_with("::")),
        "{told}"
    );
    std::fs::remove_file(stray).unwrap();
    // A folder that no ledger has is told itself, and nobody walks through it.
    std::fs::create_dir_all(folder.join("entries/000/deep/er")).unwrap();
    let (exit, told) = verify();
    assert!(
        exit == 1 && told.contains("`entries/000/deep`: no entry accounts for this file"),
        "{told}"
    );
    std::fs::remove_dir_all(folder.join("entries/000/deep")).unwrap();
    // An entry that is a link is no file of the ledger.
    let entry = folder.join("entries/000/000000002.json");
    std::fs::rename(&entry, stage.folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(stage.folder.path().join("elsewhere"), &entry).unwrap();
    let (exit, told) = verify();
    assert!(exit == 1 && told.contains("it is a link"), "{told}");
}
