//! Commits that no one who may push has put on a branch: those of forks, which GitHub finds by their ids too.

use std::fs;

use crate::{
    Scene,
    harness::{Attempt, Stage},
    judge::attempted,
};

const CODE: &str = "commit_unreachable";
const MAIN: &str = "refs/heads/main";
const UNMOVED: &[&str] = &["deletion", "non_fast_forward"];

pub const SCENES: &[Scene] = &[
    ("a commit of a fork is tagged", a_forks_tag),
    ("a commit of a fork is released", a_forks_release),
    (
        "a commit of a fork is released under a tag that was set there before",
        a_forks_tag_that_exists,
    ),
    (
        "a commit is tagged that is only on a branch which anyone may push",
        an_unprotected_branch,
    ),
    (
        "a branch that may be rewritten has the name that the workflow lists",
        a_listed_branch_without_rules,
    ),
    (
        "a branch is made whose name a pattern of the workflow matches",
        a_branch_made_for_a_pattern,
    ),
    (
        "a tag has the name of a branch that the workflow lists",
        a_tag_named_like_the_branch,
    ),
    (
        "the branch is deleted between the dry run and the publication",
        a_deleted_branch,
    ),
    (
        "the default branch is rewritten between the dry run and the publication",
        || a_rewritten_default_branch(Stage::tag),
    ),
    (
        "the default branch is rewritten before a release is published",
        || a_rewritten_default_branch(Stage::release),
    ),
    (
        "the default branch is rewritten before an unfinished tag is resumed",
        a_rewritten_branch_before_a_resume,
    ),
    (
        "a commit is tagged that has no history in common with the default branch",
        a_commit_of_another_root,
    ),
    ("a campaign takes a commit of a fork along", a_campaign),
    (
        "the default branch is rewritten before a campaign is published",
        a_campaign_after_a_rewrite,
    ),
    (
        "the workflow lists more branches than the policy's rule",
        a_list_beside_a_policy,
    ),
    (
        "the policy's rule lists a branch that does not contain the commit",
        a_rule_for_another_branch,
    ),
    ("the ledger is taken for a branch of the code", the_ledger),
];

/// A commit that no ref leads to, as GitHub shows one that was pushed to a fork.
fn forked(stage: &Stage) -> String {
    let commit = stage.sim.commit("fork", &[("evil.txt", b"evil\n")]);
    assert!(stage.sim.delete_ref("refs/heads/fork"));
    commit
}

fn at<'a>(attempt: Attempt<'a>, commit: &str) -> Attempt<'a> {
    attempt.input("target-sha", commit)
}

/// The dry run says what would come of it.
#[track_caller]
fn warned(attempt: &Attempt<'_>) {
    let plan = attempt.dry_run();
    let text = fs::read_to_string(plan.plan()).unwrap();
    assert!(text.contains(CODE), "{text}");
}

fn a_forks_tag() {
    let stage = Stage::new();
    let attempt = at(stage.tag(), &forked(&stage));
    warned(&attempt);
    let report = attempted(
        &stage,
        "a commit of a fork is tagged",
        attempt.approved(),
        CODE,
    );
    assert!(
        report.message().contains("`main` does not contain it"),
        "{}",
        report.message()
    );
}

fn a_forks_release() {
    let stage = Stage::new();
    let attempt = at(stage.release(), &forked(&stage));
    warned(&attempt);
    attempted(
        &stage,
        "a commit of a fork is released",
        attempt.approved(),
        CODE,
    );
}

/// Anyone who may push can set a tag, also at a fork's commit.
fn a_forks_tag_that_exists() {
    let stage = Stage::new();
    let commit = forked(&stage);
    stage.sim.tag("v1.0.0", &commit);
    attempted(
        &stage,
        "a commit of a fork is released under a tag that was set there before",
        at(stage.release(), &commit).approved(),
        CODE,
    );
}

fn an_unprotected_branch() {
    let stage = Stage::new();
    let commit = stage.sim.commit("next", &[("next.txt", b"next\n")]);
    attempted(
        &stage,
        "a commit is tagged that is only on a branch which anyone may push",
        at(stage.tag(), &commit).approved(),
        CODE,
    );
}

fn a_listed_branch_without_rules() {
    let stage = Stage::new();
    let commit = stage.sim.commit("release/1", &[("next.txt", b"next\n")]);
    let attempt = at(stage.tag(), &commit).input("reachable-from", "main\nrelease/1");
    let attempt = attempt.approved();
    for rules in [&[][..], &["non_fast_forward"], &["deletion", "update"]] {
        stage.sim.branch_rules("release/1", rules);
        attempted(
            &stage,
            "a branch that may be rewritten has the name that the workflow lists",
            attempt.clone(),
            CODE,
        );
    }
    stage.sim.branch_rules("release/1", UNMOVED);
    attempt.run().succeeded();
}

/// Rules against rewriting keep no one from making another branch that the pattern matches.
fn a_branch_made_for_a_pattern() {
    let stage = Stage::new();
    let commit = stage.sim.commit("release/evil", &[("x", b"x")]);
    stage.sim.branch_rules("release/evil", UNMOVED);
    let attempt = at(stage.tag(), &commit).input("reachable-from", "release/*");
    let attempt = attempt.approved();
    let report = attempted(
        &stage,
        "a branch is made whose name a pattern of the workflow matches",
        attempt.clone(),
        CODE,
    );
    assert!(
        report.message().contains("no rule `creation`"),
        "{}",
        report.message()
    );
    let all = [UNMOVED, &["creation"]].concat();
    stage.sim.branch_rules("release/evil", &all);
    attempt.run().succeeded();
}

fn a_tag_named_like_the_branch() {
    let stage = Stage::new();
    let commit = forked(&stage);
    stage.sim.tag("release/1", &commit);
    let report = attempted(
        &stage,
        "a tag has the name of a branch that the workflow lists",
        at(stage.tag(), &commit)
            .input("reachable-from", "release/1")
            .approved(),
        CODE,
    );
    assert!(
        report.message().contains("there is no branch `release/1`"),
        "{}",
        report.message()
    );
}

fn a_deleted_branch() {
    let stage = Stage::new();
    let commit = stage.sim.commit("release/1", &[("x", b"x")]);
    stage.sim.branch_rules("release/1", UNMOVED);
    let attempt = at(stage.tag(), &commit).input("reachable-from", "release/1");
    let attempt = attempt.approved();
    stage.sim.delete_ref("refs/heads/release/1");
    attempted(
        &stage,
        "the branch is deleted between the dry run and the publication",
        attempt,
        CODE,
    );
}

fn a_rewritten_default_branch(operation: for<'a> fn(&'a Stage) -> Attempt<'a>) {
    let stage = Stage::new();
    let before = stage.main();
    stage.sim.commit("main", &[("x", b"x")]);
    let attempt = operation(&stage).approved();
    stage.sim.set_ref(MAIN, &before);
    stage.sim.commit("main", &[("y", b"y")]);
    attempted(
        &stage,
        "the default branch is rewritten between the dry run and the publication",
        attempt,
        CODE,
    );
}

/// Nothing more is done, and what the claim left is settled by looking after the receipt's end.
fn a_rewritten_branch_before_a_resume() {
    let stage = Stage::new();
    let before = stage.main();
    stage.sim.commit("main", &[("x", b"x")]);
    let attempt = stage.tag().approved();
    attempt.killed(countersign_sim::Endpoint::CreateTagObject, 1);
    stage.sim.set_ref(MAIN, &before);
    attempted(
        &stage,
        "the default branch is rewritten before an unfinished tag is resumed",
        attempt.variable("GITHUB_RUN_ATTEMPT", "2"),
        CODE,
    );
}

/// GitHub compares nothing then, and gives no error either.
fn a_commit_of_another_root() {
    let stage = Stage::new();
    let commit = stage.sim.orphan("other", &[("evil.txt", b"evil\n")]);
    let report = attempted(
        &stage,
        "a commit is tagged that has no history in common with the default branch",
        at(stage.tag(), &commit).approved(),
        CODE,
    );
    assert!(
        report
            .message()
            .contains("GitHub did not compare it with `main`"),
        "{}",
        report.message()
    );
}

fn campaign<'a>(stage: &'a Stage, commits: [&str; 2]) -> Attempt<'a> {
    let step = |(id, commit): (&str, &str)| {
        format!(
            "[[operation]]\nid = \"{id}\"\noperation = \"tag_repo\"\ntag-name = \"{id}\"\ntarget-sha = \"{commit}\"\nmessage = \"{id}\"\n\n"
        )
    };
    let steps: String = ["one", "two"].into_iter().zip(commits).map(step).collect();
    stage.file("campaign.toml", format!("name = \"Both\"\n\n{steps}"));
    Attempt::new(stage).input("campaign", "campaign.toml")
}

fn a_campaign() {
    let stage = Stage::new();
    let commit = forked(&stage);
    let planned = campaign(&stage, [&stage.main(), &commit]).dry_run();
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(planned.plan()).unwrap()).unwrap();
    assert_eq!(plan["operations"].as_array().unwrap().len(), 1);
    assert_eq!(plan["not_shipped"][0]["code"], CODE);
}

fn a_campaign_after_a_rewrite() {
    let stage = Stage::new();
    let before = stage.main();
    let commit = stage.sim.commit("main", &[("x", b"x")]);
    let planned = campaign(&stage, [&before, &commit]).dry_run();
    let receipts = stage.sign_all(&planned.plan());
    stage.sim.set_ref(MAIN, &before);
    stage.file("plan.json", fs::read(planned.plan()).unwrap());
    let attempt = Attempt::new(&stage)
        .input("plan", "plan.json")
        .input("receipt", &receipts);
    // What was approved for a commit that is still there has shipped before.
    let report = attempt.run();
    assert_eq!((report.exit, report.code()), (1, CODE), "{}", report.log);
    assert!(stage.sim.ref_oid("refs/tags/one").is_some());
    assert_eq!(stage.sim.ref_oid("refs/tags/two"), None);
}

fn policy(stage: &Stage, more: &str) -> String {
    stage.policy(&format!("{}{more}\n", stage.policy_for_tags()))
}

fn a_list_beside_a_policy() {
    let stage = Stage::new();
    let commit = stage.sim.commit("next", &[("x", b"x")]);
    stage.sim.branch_rules("next", UNMOVED);
    let attempt = at(stage.tag(), &commit).input("policy-file", &policy(&stage, ""));
    attempted(
        &stage,
        "the workflow lists more branches than the policy's rule",
        attempt.approved().input("reachable-from", "next"),
        "input_unused",
    );
}

fn a_rule_for_another_branch() {
    let stage = Stage::new();
    let name = policy(&stage, "reachable_from = [\"release/*\", \"stable\"]");
    let attempt = stage.tag().input("policy-file", &name).approved();
    let report = attempted(
        &stage,
        "the policy's rule lists a branch that does not contain the commit",
        attempt.clone(),
        CODE,
    );
    assert!(
        report.message().contains("there is no branch `stable`"),
        "{}",
        report.message()
    );
    stage.sim.set_ref("refs/heads/stable", &stage.main());
    stage.sim.branch_rules("stable", UNMOVED);
    attempt.run().succeeded();
}

/// Whoever may push can append to it what they like.
fn the_ledger() {
    let stage = Stage::new();
    let attempt = at(stage.tag(), &stage.tip().commit.to_string());
    attempted(
        &stage,
        "the ledger is taken for a branch of the code",
        attempt
            .input("reachable-from", "receipt-ledger")
            .input("allow-workflow-changes", "true")
            .approved(),
        CODE,
    );
}
