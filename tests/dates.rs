//! Entries that were written by hand, later than they say: `ledger verify`, `audit` and `verify-release` notice.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Permissions, Switch};
use harness::{
    Attempt, Stage,
    by_hand::{
        HOUR, LEDGER, Way, append, audited, guarded, line, publish, release_verified, told, unused,
        verified,
    },
};

fn release(stage: &Stage) -> Attempt<'_> {
    stage.release().input("attach-receipt", "true").approved()
}

/// A receipt for a release expired unused. 20 hours later someone publishes by hand and appends claim and outcome.
fn release_by_hand(way: Way) -> Stage {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &release(&stage));
    let outcome = publish(&stage, &claim, &outcome);
    append(&stage, way, &stage.token, &claim);
    append(&stage, way, &stage.token, &outcome);
    stage
}

#[test]
fn a_release_that_was_published_by_hand_and_entered_afterwards_is_found() {
    countersign_sim::pins![L3, L9];
    let stage = release_by_hand(Way::Mutation);
    let expected = [
        "entry_misdated 1",
        "entry_misdated 2",
        "claim_late 1",
        "effect_after_expiry v1.0.0",
    ];
    assert_eq!(audited(&stage, &[]), (5, expected.map(String::from).into()));

    let (exit, printed) = verified(&stage);
    let tip = git_parent(&stage);
    let fault = format!("dates: entry 1: commit {tip} by github-actions[bot]: it says ");
    assert!(exit == 1 && printed.contains(&fault), "{printed}");
    let (exit, dates) = release_verified(&stage);
    assert!(
        exit == 1
            && dates.starts_with("FAULT: GitHub published it at ")
            && dates.contains(", but its receipt was valid until "),
        "{dates}"
    );
}

/// The commit below the ledger's tip.
fn git_parent(stage: &Stage) -> String {
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tip = repository.refname_to_id(LEDGER).unwrap();
    let commit = repository.find_commit(tip).unwrap();
    commit.parent_id(0).unwrap().to_string()
}

#[test]
fn commits_whose_author_chose_their_dates_prove_nothing() {
    let stage = release_by_hand(Way::Objects);
    let expected = [
        "effect_after_expiry v1.0.0",
        "claim_unproven 1",
        "commit_date_unproven 1",
    ];
    assert_eq!(audited(&stage, &[]), (5, expected.map(String::from).into()));

    let (exit, printed) = verified(&stage);
    let fault = ": GitHub did not sign it, so nothing proves that its receipt was claimed before ";
    assert!(
        exit == 1 && printed.contains("dates: entry 1: commit ") && printed.contains(fault),
        "{printed}"
    );
    let (exit, dates) = release_verified(&stage);
    assert!(
        exit == 1 && dates.starts_with("FAULT: GitHub published it at "),
        "{dates}"
    );
}

#[test]
fn what_was_dated_back_is_not_left_out_as_old() {
    let stage = release_by_hand(Way::Objects);
    let since = harness::now().plus(10 * 3600).to_string();
    let (exit, found) = audited(&stage, &["--since", &since]);
    assert_eq!(exit, 5);
    assert!(
        found.contains(&"effect_after_expiry v1.0.0".to_owned())
            && found.contains(&"claim_unproven 1".to_owned()),
        "{found:?}"
    );
}

#[test]
fn entries_and_commits_of_other_accounts_are_reported() {
    countersign_sim::pins![L10];
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &release(&stage));
    stage.sim.shift_clock(-20 * HOUR);
    let person = stage.sim.person_token(Permissions::write());
    append(&stage, Way::Mutation, &person, &claim);
    let outcome = publish(&stage, &claim, &outcome);
    append(&stage, Way::Mutation, &person, &outcome);
    stage
        .sim
        .commit("receipt-ledger", &[("README.md", b"Hello\n")]);

    let expected = ["entry_by_other 1", "commit_by_other null"];
    assert_eq!(audited(&stage, &[]), (5, expected.map(String::from).into()));
    assert_eq!(
        audited(&stage, &["--ledger-by", "Octocat"]),
        (0, Vec::new())
    );
    let (exit, printed) = verified(&stage);
    let authors = line(&printed, "authors");
    assert!(
        exit == 0
            && authors.contains(" by octocat: this account appended entries")
            && authors.contains(" by octocat: this account made commits without an entry"),
        "{printed}"
    );
}

#[test]
fn where_the_server_signs_nothing_dates_are_reported_as_unproven_and_nothing_fails() {
    let stage = Stage::without_ledger();
    stage.sim.turn_on(Switch::WebCommitSigningIsOff);
    let made = stage
        .command(&["ledger", "init", "--repository", stage.sim.repository()])
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    assert!(made.status.success());
    stage
        .sim
        .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    release(&stage).run().succeeded();

    let expected = vec!["commit_date_unproven 1".to_owned()];
    assert_eq!(audited(&stage, &[]), (0, expected));
    let (exit, printed) = verified(&stage);
    let dates = line(&printed, "dates");
    assert!(
        exit == 0 && dates.starts_with("proven for 0 of 2 entries; commit_date_unproven: commit "),
        "{printed}"
    );
    let (exit, dates) = release_verified(&stage);
    assert!(
        exit == 0 && dates.starts_with("not checked: commit_date_unproven: "),
        "{dates}"
    );
}

#[test]
fn a_clone_compares_dates_but_proves_none() {
    let stage = release_by_hand(Way::Mutation);
    let mirror = stage.folder.path().join("mirror.git");
    git2::build::RepoBuilder::new()
        .bare(true)
        .clone(stage.sim.git_dir().to_str().unwrap(), &mirror)
        .unwrap();
    let (exit, printed) = told(&stage, &["ledger", "verify", "mirror.git"]);
    let dates = line(&printed, "dates");
    assert!(
        exit == 0
            && dates.starts_with(
                "not proven here, read through the API (--repository); by the commits' own word: commit "
            ),
        "{printed}"
    );
    let (_, printed) = told(&stage, &["audit", "mirror.git"]);
    let left_out = "not looked at  dates: a clone does not show which commits GitHub signed; use --repository\n";
    assert!(printed.contains(left_out), "{printed}");
}
