//! Attacks on files: bytes that change after the approval, and files that are none.

use std::{fs, os::unix::fs::symlink, process::Command};

use countersign_sim::Endpoint;

use crate::{
    Scene,
    harness::{Attempt, Stage},
    judge::{attempted, tells_nothing_else},
};

pub const SCENES: &[Scene] = &[
    ("one byte of an asset changes after the approval", || {
        changed(
            "one byte of an asset changes after the approval",
            "a.zip",
            "aab",
        );
    }),
    ("an asset grows after the approval", || {
        changed("an asset grows after the approval", "a.zip", "aaaa");
    }),
    ("a file more matches the pattern", || {
        changed("a file more matches the pattern", "c.zip", "ccc");
    }),
    ("two files change names", exchanged),
    ("a file is gone", gone),
    ("a file is taken from two folders", from_two_folders),
    ("a file comes from above the workspace", from_above),
    ("a link stands where the file was", || {
        unusable("a link stands where the file was", |stage| {
            symlink("/etc/hostname", stage.workspace().join("a.zip")).unwrap();
        });
    }),
    ("a pipe stands where the file was", || {
        unusable("a pipe stands where the file was", |stage| {
            pipe(stage, "a.zip");
        });
    }),
    ("a folder stands where the file was", || {
        unusable("a folder stands where the file was", |stage| {
            fs::create_dir(stage.workspace().join("a.zip")).unwrap();
        });
    }),
    ("a device is to be an asset", a_device),
    (
        "a file is exchanged between its hash and its upload",
        exchanged_before_the_upload,
    ),
    (
        "a file is exchanged while it is uploaded",
        exchanged_while_uploading,
    ),
    ("the plan is edited", an_edited_plan),
    (
        "a well-made plan of something else takes the plan's place",
        another_plan,
    ),
    ("a draft is approved and a release is asked for", a_draft),
    (
        "a later attempt resumes with another file",
        another_file_in_a_later_attempt,
    ),
    (
        "a later attempt resumes with another tag",
        another_tag_in_a_later_attempt,
    ),
    ("the plan is a link", a_linked_plan),
    ("the receipt's file is a pipe", a_piped_receipt),
];

fn with_files(stage: &Stage) -> Attempt<'_> {
    stage
        .file("a.zip", "aaa")
        .file("b.zip", "bbb")
        .release()
        .input("files", "*.zip")
}

fn changed(case: &str, name: &str, bytes: &str) {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    stage.file(name, bytes);
    attempted(&stage, case, attempt, "operation_mismatch");
}

fn exchanged() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    stage.file("a.zip", "bbb").file("b.zip", "aaa");
    attempted(
        &stage,
        "two files change names",
        attempt,
        "operation_mismatch",
    );
}

fn gone() {
    let stage = Stage::new();
    let attempt = with_files(&stage).input("files", "a.zip\nb.zip").approved();
    fs::remove_file(stage.workspace().join("b.zip")).unwrap();
    attempted(&stage, "a file is gone", attempt, "file_missing");
}

fn from_two_folders() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    fs::create_dir(stage.workspace().join("more")).unwrap();
    stage.file("more/a.zip", "aaa");
    attempted(
        &stage,
        "a file is taken from two folders",
        attempt.input("files", "*.zip\nmore/a.zip"),
        "asset_twice",
    );
}

/// Where a file lies is no part of the approval, its bytes are.
fn from_above() {
    let stage = Stage::new();
    let attempt = with_files(&stage).input("files", "a.zip").approved();
    stage.file("../a.zip", "evil");
    attempted(
        &stage,
        "a file comes from above the workspace",
        attempt.input("files", "../a.zip"),
        "operation_mismatch",
    );
}

fn unusable(case: &str, put: fn(&Stage)) {
    let stage = Stage::new();
    let attempt = with_files(&stage).input("files", "a.zip").approved();
    fs::remove_file(stage.workspace().join("a.zip")).unwrap();
    put(&stage);
    attempted(&stage, case, attempt, "file_unusable");
}

fn pipe(stage: &Stage, name: &str) {
    assert!(
        Command::new("mkfifo")
            .arg(stage.workspace().join(name))
            .status()
            .unwrap()
            .success()
    );
}

fn a_device() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    attempted(
        &stage,
        "a device is to be an asset",
        attempt.input("files", "/dev/zero"),
        "file_unusable",
    );
}

/// The receipt is spent by then: what must not come of it is a release with other bytes.
fn exchanged_before_the_upload() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    let report = attempt.run_while(Endpoint::CreateRelease, || {
        stage.file("b.zip", "evi");
    });
    assert_eq!(
        (report.exit, report.code()),
        (1, "file_changed"),
        "{}",
        report.message()
    );
    assert_eq!(
        (stage.sim.releases().len(), stage.ledger_events()),
        (0, vec!["claimed".to_owned(), "failed".to_owned()])
    );
    tells_nothing_else(&stage, &report);
}

/// Even while it is being sent: GitHub's digest of what it stored decides.
fn exchanged_while_uploading() {
    let stage = Stage::new();
    let large = "a".repeat(3 << 20);
    let attempt = stage
        .file("a.zip", "aaa")
        .file("b.zip", &large)
        .release()
        .input("files", "*.zip")
        .approved();
    let report = attempt.run_while_uploading(|| {
        stage.file("b.zip", large.replace('a', "b"));
    });
    let digest = countersign_core::digest::Digest::of(large.as_bytes()).to_string();
    let published: Vec<_> = stage
        .sim
        .releases()
        .into_iter()
        .filter(|release| !release.draft)
        .collect();
    let is_right = |digests: &[Option<&str>]| digests.contains(&Some(&digest));
    let digests: Vec<Option<&str>> = published
        .iter()
        .flat_map(|release| &release.assets)
        .map(|asset| asset.digest.as_deref())
        .collect();
    match report.status() {
        "failed" => assert_eq!(
            (published.len(), report.code()),
            (0, "file_changed"),
            "{}",
            report.message()
        ),
        status => assert!(
            status == "success" && is_right(&digests),
            "{}",
            report.message()
        ),
    }
    tells_nothing_else(&stage, &report);
}

fn an_edited_plan() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run().plan();
    let receipt = stage.tag().approved().receipt();
    let edited = fs::read_to_string(&plan)
        .unwrap()
        .replace("v1.0.0", "v6.6.6");
    fs::write(&plan, edited).unwrap();
    let attempt = Attempt::new(&stage)
        .input("plan", plan.to_str().unwrap())
        .input("receipt", &receipt);
    attempted(&stage, "the plan is edited", attempt, "plan_invalid");
}

fn another_plan() {
    let stage = Stage::new();
    let receipt = stage.tag().approved().receipt();
    let plan = stage.tag().input("tag-name", "v6.6.6").dry_run().plan();
    let attempt = Attempt::new(&stage)
        .input("plan", plan.to_str().unwrap())
        .input("receipt", &receipt);
    attempted(
        &stage,
        "a well-made plan of something else takes the plan's place",
        attempt,
        "operation_mismatch",
    );
}

fn a_draft() {
    let stage = Stage::new();
    let attempt = with_files(&stage)
        .input("draft", "true")
        .input("make-latest", "false")
        .approved();
    let attempt = attempt.input("draft", "").input("make-latest", "");
    attempted(
        &stage,
        "a draft is approved and a release is asked for",
        attempt,
        "operation_mismatch",
    );
}

/// The first attempt dies with the claim in its hand: the next one may finish it, and do nothing else.
fn another_file_in_a_later_attempt() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    attempt.killed(Endpoint::UploadAsset, 1);
    stage.file("a.zip", "evil");
    let attempt = attempt.variable("GITHUB_RUN_ATTEMPT", "2");
    attempted(
        &stage,
        "a later attempt resumes with another file",
        attempt,
        "operation_mismatch",
    );
}

fn another_tag_in_a_later_attempt() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    attempt.killed(Endpoint::CreateRef, 1);
    let attempt = attempt
        .input("tag-name", "v6.6.6")
        .variable("GITHUB_RUN_ATTEMPT", "2");
    attempted(
        &stage,
        "a later attempt resumes with another tag",
        attempt,
        "operation_mismatch",
    );
}

fn a_linked_plan() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run().plan();
    let receipt = stage.tag().approved().receipt();
    symlink(&plan, stage.workspace().join("plan.json")).unwrap();
    let attempt = Attempt::new(&stage)
        .input("plan", "plan.json")
        .input("receipt", &receipt);
    attempted(&stage, "the plan is a link", attempt, "file_unusable");
}

fn a_piped_receipt() {
    let stage = Stage::new();
    pipe(&stage, "receipt.json");
    attempted(
        &stage,
        "the receipt's file is a pipe",
        stage.tag().input("receipt-file", "receipt.json"),
        "file_unusable",
    );
}
