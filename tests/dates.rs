//! Entries that were written by hand, later than they say: `ledger verify`, `audit` and `verify-release` notice.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    document::Document as _,
    ledger::{Entry, GithubResponse, Head, entry_path},
};
use countersign_sim::{Permissions, Switch};
use harness::{Attempt, Stage};
use serde_json::{Value, json};

const HOUR: i64 = 3600;
const LEDGER: &str = "refs/heads/receipt-ledger";

/// A stage whose ledger is guarded as the docs say.
fn guarded() -> Stage {
    let stage = Stage::new();
    stage
        .sim
        .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    stage
}

/// Exit status, and what was printed.
fn told(stage: &Stage, words: &[&str]) -> (i32, String) {
    let words = [words, &["--trusted-keys", "keys"]].concat();
    let mut command = stage.command(&words);
    let output = command.env("GH_TOKEN", &stage.token).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(printed).unwrap(),
    )
}

/// Exit status, and code and subject of each finding of an audit; a commit is not named.
fn audited(stage: &Stage, more: &[&str]) -> (i32, Vec<String>) {
    let repository = stage.sim.repository();
    let words = ["audit", "--repository", repository, "--format", "json"];
    let (exit, printed) = told(stage, &[&words, more].concat());
    let audit: Value = serde_json::from_str(&printed).unwrap();
    let named = |finding: &Value| {
        let code = finding["code"].as_str().unwrap();
        match finding["subject"]["kind"].as_str().unwrap() {
            "commit" => format!("{code} {}", finding["sequence"]),
            _ => format!("{code} {}", finding["subject"]["name"].as_str().unwrap()),
        }
    };
    let findings = audit["findings"].as_array().unwrap();
    (exit, findings.iter().map(named).collect())
}

fn verified(stage: &Stage) -> (i32, String) {
    let repository = stage.sim.repository();
    told(stage, &["ledger", "verify", "--repository", repository])
}

/// Exit status of `verify-release`, and its line about dates.
fn release_verified(stage: &Stage) -> (i32, String) {
    let repository = stage.sim.repository();
    let (exit, printed) = told(stage, &["verify-release", repository, "v1.0.0"]);
    (exit, line(&printed, "dates"))
}

/// The line of a check, without its name.
fn line(printed: &str, check: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(check));
    line.unwrap_or_default().trim().to_owned()
}

/// How somebody with `contents: write` appends by hand.
#[derive(Clone, Copy)]
enum Way {
    /// As Countersign does: GitHub dates and signs the commit.
    Mutation,
    /// Object by object, with the dates that the entries say.
    Objects,
}

fn path(stage: &Stage, rest: &str) -> String {
    format!("/repos/{}/{rest}", stage.sim.repository())
}

fn append(stage: &Stage, way: Way, token: &str, entry: &Entry) {
    let files = [
        (entry_path(entry.sequence), entry.to_document()),
        ("ledger.json".to_owned(), Head::at(entry.id()).to_document()),
    ];
    match way {
        Way::Mutation => by_mutation(stage, token, &files),
        Way::Objects => by_objects(stage, token, &files, entry),
    }
}

fn by_mutation(stage: &Stage, token: &str, files: &[(String, Vec<u8>)]) {
    let tip = stage.sim.ref_oid(LEDGER).unwrap();
    let addition = |(path, bytes): &(String, Vec<u8>)| json!({"path": path, "contents": STANDARD.encode(bytes)});
    let input = json!({
        "branch": {
            "repositoryNameWithOwner": stage.sim.repository(),
            "branchName": "receipt-ledger",
        },
        "expectedHeadOid": tip,
        "message": { "headline": "Entry" },
        "fileChanges": { "additions": files.iter().map(addition).collect::<Vec<_>>() },
    });
    let query = "mutation Append($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";
    let body = json!({"query": query, "variables": { "input": input }});
    let answer = stage.ask("POST", "/graphql", token, &body);
    assert_eq!(answer["errors"], Value::Null, "{answer:#}");
}

fn by_objects(stage: &Stage, token: &str, files: &[(String, Vec<u8>)], entry: &Entry) {
    let tip = stage.sim.ref_oid(LEDGER).unwrap();
    let file = |(path, bytes): &(String, Vec<u8>)| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        json!({"path": path, "mode": "100644", "type": "blob", "content": text})
    };
    let tree = json!({"base_tree": tip, "tree": files.iter().map(file).collect::<Vec<_>>()});
    let tree = stage.ask("POST", &path(stage, "git/trees"), token, &tree);
    let person = json!({
        "name": "github-actions[bot]",
        "email": "41898282+github-actions[bot]@users.noreply.github.com",
        "date": entry.timestamp,
    });
    let commit = json!({
        "message": "Entry",
        "tree": tree["sha"],
        "parents": [tip],
        "author": person,
        "committer": person,
    });
    let commit = stage.ask("POST", &path(stage, "git/commits"), token, &commit);
    let moved = json!({"sha": commit["sha"]});
    stage.ask(
        "PATCH",
        &path(stage, &format!("git/{LEDGER}")),
        token,
        &moved,
    );
}

/// What Countersign would have written, had it used the receipt: taken from an attempt that is then undone, so
/// that nothing but the receipt is left. The receipt has expired 19 hours ago when this returns.
fn unused(stage: &Stage, attempt: &Attempt<'_>) -> [Entry; 2] {
    let before = stage.sim.ref_oid(LEDGER).unwrap();
    attempt.run().succeeded();
    let entries = stage.ledger().try_into().unwrap();
    stage.sim.set_ref(LEDGER, &before);
    for release in stage.sim.releases() {
        stage.delete(&path(stage, &format!("releases/{}", release.id)));
    }
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    stage.sim.shift_clock(20 * HOUR);
    entries
}

/// Publishes the release by hand as it was approved, with its claim; gives the outcome that goes with it.
fn publish(stage: &Stage, claim: &Entry, outcome: &Entry) -> Entry {
    let release = json!({
        "tag_name": "v1.0.0", "target_commitish": stage.main(), "name": "v1.0.0", "body": "First.\n",
    });
    stage.post(&path(stage, "releases"), &release);
    let release_id = stage.sim.releases()[0].id;
    let claim = String::from_utf8(claim.to_document()).unwrap();
    stage.upload(release_id, "countersign-receipt.json", &claim);
    let answer = outcome.github_response.clone().unwrap();
    Entry {
        github_response: Some(GithubResponse {
            release_id: Some(release_id),
            ..answer
        }),
        ..outcome.clone()
    }
}

fn release(stage: &Stage) -> Attempt<'_> {
    stage.release().input("attach-receipt", "true").approved()
}

/// A receipt for a release expired unused. 20 hours later somebody publishes by hand and appends claim and outcome.
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
fn a_tag_made_by_hand_has_no_date_and_its_claim_is_found_all_the_same() {
    for (way, expected) in [
        (
            Way::Mutation,
            &["entry_misdated 1", "entry_misdated 2", "claim_late 1"][..],
        ),
        (
            Way::Objects,
            &["claim_unproven 1", "commit_date_unproven 1"],
        ),
    ] {
        let stage = guarded();
        let [claim, outcome] = unused(&stage, &stage.tag().approved());
        let tag = stage
            .sim
            .annotated_tag("v1.0.0", &stage.main(), "Version 1.0.0");
        let answer = outcome.github_response.clone().unwrap();
        let outcome = Entry {
            github_response: Some(GithubResponse {
                tag_sha: Some(tag.parse().unwrap()),
                ..answer
            }),
            ..outcome
        };
        append(&stage, way, &stage.token, &claim);
        append(&stage, way, &stage.token, &outcome);
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(audited(&stage, &[]), (5, expected));
        assert_eq!(verified(&stage).0, 1);
    }
}

#[test]
fn an_entry_above_a_commit_that_github_dated_later_is_as_young_as_that() {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &release(&stage));
    let outcome = publish(&stage, &claim, &outcome);
    by_mutation(
        &stage,
        &stage.token,
        &[("README.md".into(), b"Hello\n".to_vec())],
    );
    append(&stage, Way::Objects, &stage.token, &claim);
    append(&stage, Way::Objects, &stage.token, &outcome);
    let expected = [
        "entry_misdated 1",
        "entry_misdated 2",
        "claim_late 1",
        "commit_dates_fall 1",
        "commit_dates_fall 2",
        "effect_after_expiry v1.0.0",
        "commit_date_unproven 1",
    ];
    let (exit, found) = audited(&stage, &[]);
    assert_eq!((exit, found), (5, expected.map(String::from).into()));
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
fn a_release_that_was_published_before_its_claim_is_found() {
    let stage = guarded();
    let [claim, outcome] = unused(&stage, &release(&stage));
    stage.sim.shift_clock(-21 * HOUR);
    let outcome = publish(&stage, &claim, &outcome);
    stage.sim.shift_clock(HOUR);
    append(&stage, Way::Mutation, &stage.token, &claim);
    append(&stage, Way::Mutation, &stage.token, &outcome);

    let expected = vec!["effect_before_claim v1.0.0".to_owned()];
    assert_eq!(audited(&stage, &[]), (5, expected));
    let (exit, dates) = release_verified(&stage);
    assert!(
        exit == 1 && dates.contains(", but its receipt was claimed at "),
        "{dates}"
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
