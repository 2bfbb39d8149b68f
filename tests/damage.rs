//! Known damage of a ledger: accepted by a signed statement, listed ever after, and nothing beside it.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::fs;

use countersign_core::{
    document::Document as _,
    ledger::{Entry, EventType, GithubResponse},
};
use harness::{
    Stage,
    by_hand::{LEDGER, Way, append, audited, guarded, told},
};

/// A stage with two further people, whose keys lie in files, and whose lines are trusted.
fn stage() -> Stage {
    let stage = guarded();
    let mut keys = stage.trusted();
    for name in ["bob", "carol"] {
        let words = [
            "keys",
            "generate",
            "--no-passphrase",
            "--out",
            name,
            "--name",
            name,
        ];
        assert!(stage.command(&words).output().unwrap().status.success());
        let line = fs::read_to_string(stage.folder.path().join(format!("{name}.pub"))).unwrap();
        keys = format!("{keys}\n{}", line.trim());
    }
    fs::write(stage.folder.path().join("keys"), keys).unwrap();
    stage
}

/// A published tag, then a commit that takes `ledger.json` back, and one that restores it.
fn taken_back(stage: &Stage) -> String {
    stage.tag().approved().run().succeeded();
    let head = stage
        .sim
        .read_file("receipt-ledger", "ledger.json")
        .unwrap();
    let damage = stage.sim.commit(
        "receipt-ledger",
        &[("ledger.json", b"{\"sequence\":0,\"digest\":null}\n")],
    );
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &head)]);
    damage
}

/// A published tag, and an outcome of nothing on top; returns the commit.
fn forged_outcome(stage: &Stage) -> String {
    stage.tag().approved().run().succeeded();
    let outcome = stage.ledger().pop().unwrap();
    let head = stage.tip().head;
    let forged = Entry {
        sequence: head.sequence() + 1,
        previous: head.newest().map(|newest| newest.digest),
        event_type: EventType::Failed,
        run: "99".parse().unwrap(),
        github_response: Some(GithubResponse::default()),
        ..outcome
    };
    append(stage, Way::Mutation, &stage.token, &forged);
    stage.sim.ref_oid(LEDGER).unwrap()
}

fn accept(stage: &Stage, more: &[&str]) -> (i32, String) {
    let repository = stage.sim.repository();
    let words = ["ledger", "accept", "--repository", repository, "--yes"];
    let words = [&words, more, &["--trusted-keys", "keys"]].concat();
    let output = stage
        .command(&words)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    if output.status.success() {
        harness::schema::fits_json("repair", &output.stdout);
        fs::write(stage.folder.path().join("accepted"), &output.stdout).unwrap();
    }
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Bob signs for this damage.
fn signed(stage: &Stage, damage: &str) {
    let reason = ["--reason", "a script pushed to the wrong branch"];
    let words = ["--damage", damage, "--key", "bob", reason[0], reason[1]];
    let (exit, printed) = accept(stage, &words);
    assert_eq!(exit, 0, "{printed}");
}

fn verified(stage: &Stage, more: &[&str]) -> (i32, String) {
    let repository = stage.sim.repository();
    let words = ["ledger", "verify", "--repository", repository];
    told(stage, &[&words, more].concat())
}

#[test]
fn damage_that_was_accepted_is_listed_and_nothing_else_is() {
    let stage = stage();
    let damage = taken_back(&stage);
    let (exit, printed) = verified(&stage, &[]);
    assert!(
        exit == 1 && printed.contains(&format!("history: commit {damage}: ")),
        "{printed}"
    );

    signed(&stage, &format!("{damage}:history"));
    let (exit, printed) = verified(&stage, &["--accepted", "accepted"]);
    assert_eq!(exit, 0, "{printed}");
    let listed = format!("accepted    commit {damage}: history: commit {damage}: ");
    assert!(printed.contains(&listed), "{printed}");
    assert!(printed.contains("; accepted by bob (SHA256:"), "{printed}");
    assert!(
        printed.contains(": a script pushed to the wrong branch\n"),
        "{printed}"
    );

    // That another account made those commits is a note of its own.
    let (exit, findings) = audited(&stage, &["--accepted", "accepted"]);
    assert_eq!(exit, 0);
    assert_eq!(findings, ["commit_by_other null", "damage_accepted null"]);
    let (exit, findings) = audited(&stage, &[]);
    assert_eq!(exit, 5);
    assert!(
        findings.contains(&"ledger_invalid receipt-ledger".into()),
        "{findings:?}"
    );

    // What is damaged later is not accepted with it.
    stage.sim.commit(
        "receipt-ledger",
        &[("ledger.json", b"{\"sequence\":0,\"digest\":null}\n")],
    );
    assert_eq!(verified(&stage, &["--accepted", "accepted"]).0, 1);
    assert_eq!(audited(&stage, &["--accepted", "accepted"]).0, 5);
}

#[test]
fn a_forged_entry_is_accepted_by_the_commit_that_added_it() {
    let stage = stage();
    let damage = forged_outcome(&stage);
    let next = stage.tag().input("tag-name", "v2").approved();
    next.run().succeeded();
    let (exit, printed) = verified(&stage, &[]);
    assert!(
        exit == 1 && printed.contains("uses: entry 3: "),
        "{printed}"
    );
    signed(&stage, &format!("{damage}:uses"));
    let (exit, printed) = verified(&stage, &["--accepted", "accepted"]);
    assert_eq!(exit, 0, "{printed}");
    assert!(
        printed.contains(&format!("accepted    commit {damage}: uses: entry 3: ")),
        "{printed}"
    );
    let (exit, findings) = audited(&stage, &["--accepted", "accepted"]);
    assert_eq!(
        (exit, findings),
        (0, vec!["damage_accepted null".to_owned()])
    );
}

#[test]
fn as_many_people_must_sign_as_must_sign_receipts() {
    let stage = stage();
    let damage = taken_back(&stage);
    signed(&stage, &format!("{damage}:history"));
    let by_two = ["--accepted", "accepted", "--threshold", "2"];
    let (exit, printed) = verified(&stage, &by_two);
    assert_eq!(exit, 1);
    assert!(
        printed.contains(
            "repair_threshold_unmet: 1 person(s) signed the acceptance of damage, 2 must"
        ),
        "{printed}"
    );

    let (exit, printed) = accept(&stage, &["--statement", "accepted", "--key", "carol"]);
    assert_eq!(exit, 0, "{printed}");
    // One approver signed the receipt: the threshold is that of the acceptance alone.
    let (_, printed) = verified(&stage, &by_two);
    assert!(!printed.contains("repair_"), "{printed}");
    let (exit, printed) = verified(&stage, &["--accepted", "accepted"]);
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("accepted by bob (SHA256:"), "{printed}");
    assert!(printed.contains(", carol (SHA256:"), "{printed}");
    let (exit, printed) = accept(&stage, &["--statement", "accepted", "--key", "carol"]);
    assert!(
        exit == 1 && printed.contains("has signed it already"),
        "{printed}"
    );
}

#[test]
fn an_acceptance_is_for_one_ledger_one_commit_and_one_fault() {
    let stage = stage();
    let damage = taken_back(&stage);
    signed(&stage, &format!("{damage}:history"));
    let other = self::stage();
    other.tag().approved().run().succeeded();
    for name in ["accepted", "keys"] {
        let text = fs::read(stage.folder.path().join(name)).unwrap();
        let trusted = [&text[..], b"\n", other.trusted().as_bytes()].concat();
        let text = if name == "keys" { trusted } else { text };
        fs::write(other.folder.path().join(name), text).unwrap();
    }
    let (exit, printed) = verified(&other, &["--accepted", "accepted"]);
    assert!(
        exit == 1 && printed.contains("repair_elsewhere: "),
        "{printed}"
    );

    // Nothing is there that it could be about.
    let tip = stage.sim.ref_oid(LEDGER).unwrap();
    for (named, says) in [
        (
            format!("{tip}:history"),
            "something is wrong that the statement does not name",
        ),
        (
            format!("{damage}:chain"),
            "something is wrong that the statement does not name",
        ),
    ] {
        let words = ["--damage", &named, "--key", "bob", "--reason", "why"];
        let (exit, printed) = accept(&stage, &words);
        assert!(exit == 1 && printed.contains(says), "{printed}");
    }
    let named = format!("{tip}:uses");
    let both = format!("{damage}:history");
    let words = [
        "--damage", &both, "--damage", &named, "--key", "bob", "--reason", "why",
    ];
    let (exit, printed) = accept(&stage, &words);
    assert!(
        exit == 1
            && printed.contains(&format!(
                "repair_not_there: the acceptance of damage names `uses` in commit {tip}"
            )),
        "{printed}"
    );
}

#[test]
fn a_stranger_accepts_nothing() {
    let stage = stage();
    let damage = taken_back(&stage);
    let words = [
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "mallory",
        "--name",
        "mallory",
    ];
    assert!(stage.command(&words).output().unwrap().status.success());
    let named = format!("{damage}:history");
    let words = [
        "--damage",
        &named,
        "--key",
        "mallory",
        "--reason",
        "nothing to see here",
    ];
    assert_eq!(accept(&stage, &words).0, 0, "anyone can sign a statement");
    let (exit, printed) = verified(&stage, &["--accepted", "accepted"]);
    assert!(
        exit == 1 && printed.contains("repair_unverified: "),
        "{printed}"
    );
    let (exit, printed) = told(
        &stage,
        &[
            "audit",
            "--repository",
            stage.sim.repository(),
            "--accepted",
            "accepted",
        ],
    );
    assert!(
        exit == 1 && printed.contains("repair_unverified: "),
        "{printed}"
    );
}

/// The publisher takes no such statement: it decides by the tail alone.
#[test]
fn an_acceptance_lets_no_attempt_act_on_a_damaged_tail() {
    let stage = stage();
    let attempt = stage.tag().input("tag-name", "v2").approved();
    let damage = taken_back(&stage);
    signed(&stage, &format!("{damage}:history"));
    fs::copy(
        stage.folder.path().join("accepted"),
        stage.workspace().join("countersign-repair.json"),
    )
    .unwrap();
    attempt.run().refused("ledger_tampered");
    let again = stage.tag().input("tag-name", "v2").approved();
    again.run().succeeded();
    assert!(!stage.ledger().last().unwrap().to_document().is_empty());
}
