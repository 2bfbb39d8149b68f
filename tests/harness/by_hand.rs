//! Uses an unused receipt by hand, as anyone with `contents: write` can, and asks who notices.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    document::Document as _,
    evidence::compose,
    ledger::{Entry, GithubResponse, Head, entry_path, operation_path},
};
use serde_json::{Value, json};

use super::{Attempt, Stage};

pub const HOUR: i64 = 3600;
pub const LEDGER: &str = "refs/heads/receipt-ledger";
const BOT: (&str, &str) = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
);

/// A stage whose ledger is guarded as the docs say.
pub fn guarded() -> Stage {
    let stage = Stage::new();
    stage
        .sim
        .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    stage
}

/// Exit status, and what was printed.
pub fn told(stage: &Stage, words: &[&str]) -> (i32, String) {
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
pub fn audited(stage: &Stage, more: &[&str]) -> (i32, Vec<String>) {
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

pub fn verified(stage: &Stage) -> (i32, String) {
    let repository = stage.sim.repository();
    told(stage, &["ledger", "verify", "--repository", repository])
}

/// Exit status of `verify-release`, and its line about dates.
pub fn release_verified(stage: &Stage) -> (i32, String) {
    let repository = stage.sim.repository();
    let (exit, printed) = told(stage, &["verify-release", repository, "v1.0.0"]);
    (exit, line(&printed, "dates"))
}

/// The line of a check, without its name.
pub fn line(printed: &str, check: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(check));
    line.unwrap_or_default().trim().to_owned()
}

/// How someone with `contents: write` appends by hand.
#[derive(Clone, Copy)]
pub enum Way {
    /// As Countersign does: GitHub dates and signs the commit.
    Mutation,
    /// Object by object, with the dates that the entries say.
    Objects,
    /// The same with git.
    Push,
}

pub fn path(stage: &Stage, rest: &str) -> String {
    format!("/repos/{}/{rest}", stage.sim.repository())
}

pub fn append(stage: &Stage, way: Way, token: &str, entry: &Entry) {
    let mut files = vec![
        (entry_path(entry.sequence), entry.to_document()),
        ("ledger.json".to_owned(), Head::at(entry.id()).to_document()),
    ];
    if let Some(operation) = &entry.operation {
        files.push((operation_path(&operation.digest()), operation.to_bytes()));
    }
    match way {
        Way::Mutation => by_mutation(stage, token, &files),
        Way::Objects => by_objects(stage, token, &files, entry),
        Way::Push => by_push(stage, &files, entry),
    }
}

pub fn by_mutation(stage: &Stage, token: &str, files: &[(String, Vec<u8>)]) {
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
        "name": BOT.0,
        "email": BOT.1,
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
/// that nothing but the receipt is left. The receipt expired 19 hours before this returns.
pub fn unused(stage: &Stage, attempt: &Attempt<'_>) -> [Entry; 2] {
    let before = stage.sim.ref_oid(LEDGER).unwrap();
    attempt.run().succeeded();
    let entries = stage.ledger().try_into().unwrap();
    stage.sim.set_ref(LEDGER, &before);
    for release in stage.sim.releases() {
        stage.delete(&path(stage, &format!("releases/{}", release.id)));
    }
    stage.sim.delete_ref("refs/tags/v1.0.0");
    for pull in stage.sim.pulls() {
        stage.sim.close_pull(pull.number);
    }
    stage.sim.shift_clock(20 * HOUR);
    entries
}

/// Publishes the release by hand as it was approved, with its claim; returns the outcome that goes with it.
pub fn publish(stage: &Stage, claim: &Entry, outcome: &Entry) -> Entry {
    let release = json!({
        "tag_name": "v1.0.0", "target_commitish": stage.main(), "name": "v1.0.0", "body": "First.\n",
    });
    stage.post(&path(stage, "releases"), &release);
    let release_id = stage.sim.releases()[0].id;
    let operation = claim.operation.as_ref().unwrap();
    let claim = String::from_utf8(compose(&claim.to_document(), operation)).unwrap();
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

/// As `git push` leaves it, with committer and author dates set.
fn by_push(stage: &Stage, files: &[(String, Vec<u8>)], entry: &Entry) {
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tip = repository.refname_to_id(LEDGER).unwrap();
    let tip = repository.find_commit(tip).unwrap();
    let mut tree = git2::build::TreeUpdateBuilder::new();
    for (path, bytes) in files {
        tree.upsert(path, repository.blob(bytes).unwrap(), git2::FileMode::Blob);
    }
    let tree = tree
        .create_updated(&repository, &tip.tree().unwrap())
        .unwrap();
    let seconds = i64::try_from(entry.timestamp.unix()).unwrap();
    let person = git2::Signature::new(BOT.0, BOT.1, &git2::Time::new(seconds, 0)).unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let commit = repository
        .commit(None, &person, &person, "Entry", &tree, &[&tip])
        .unwrap();
    stage.sim.set_ref(LEDGER, &commit.to_string());
}
