//! Attacks on files: bytes that change after the approval, and files that are none.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::{
    Scene,
    harness::{Attempt, Stage},
    judge::{attempted, tells_nothing_else},
};

pub const SCENES: &[Scene] = &[
    ("one byte of an asset changes after the approval", || changed("a.zip", "aab")),
    ("an asset grows after the approval", || changed("a.zip", "aaaa")),
    ("a file more matches the pattern", || changed("c.zip", "ccc")),
    ("two files change names", exchanged),
    ("a file is gone", gone),
    ("a file is taken from two folders", from_two_folders),
    ("a file comes from above the workspace", from_above),
    ("a link stands where the file was", || unusable(|stage| symlink("/etc/hostname", stage.workspace().join("a.zip")).unwrap())),
    ("a pipe stands where the file was", || unusable(|stage| pipe(stage, "a.zip"))),
    ("a folder stands where the file was", || unusable(|stage| fs::create_dir(stage.workspace().join("a.zip")).unwrap())),
    ("a device is to be an asset", a_device),
    ("a file is exchanged between its hash and its upload", exchanged_while_uploading),
    ("the plan is edited", an_edited_plan),
    ("the plan is a link", a_linked_plan),
    ("the receipt's file is a pipe", a_piped_receipt),
];

fn with_files(stage: &Stage) -> Attempt<'_> {
    stage.file("a.zip", "aaa").file("b.zip", "bbb").release().input("files", "*.zip")
}

fn changed(name: &str, bytes: &str) {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    stage.file(name, bytes);
    attempted(&stage, "a file changes after the approval", attempt, "operation_mismatch");
}

fn exchanged() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    stage.file("a.zip", "bbb").file("b.zip", "aaa");
    attempted(&stage, "two files change names", attempt, "operation_mismatch");
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
    attempted(&stage, "a file is taken from two folders", attempt.input("files", "*.zip\nmore/a.zip"), "asset_twice");
}

/// Where a file lies is no part of the approval, its bytes are.
fn from_above() {
    let stage = Stage::new();
    let attempt = with_files(&stage).input("files", "a.zip").approved();
    stage.file("../a.zip", "evil");
    attempted(&stage, "a file comes from above the workspace", attempt.input("files", "../a.zip"), "operation_mismatch");
}

fn unusable(put: fn(&Stage)) {
    let stage = Stage::new();
    let attempt = with_files(&stage).input("files", "a.zip").approved();
    fs::remove_file(stage.workspace().join("a.zip")).unwrap();
    put(&stage);
    attempted(&stage, "something else stands where the file was", attempt, "file_unusable");
}

fn pipe(stage: &Stage, name: &str) {
    assert!(Command::new("mkfifo").arg(stage.workspace().join(name)).status().unwrap().success());
}

fn a_device() {
    let stage = Stage::new();
    let attempt = with_files(&stage).approved();
    attempted(&stage, "a device is to be an asset", attempt.input("files", "/dev/zero"), "file_unusable");
}

/// The receipt is spent by then: what must not come of it is a release with other bytes.
fn exchanged_while_uploading() {
    let stage = Stage::new();
    let large = "a".repeat(3 << 20);
    let attempt = stage.file("a.zip", "aaa").file("b.zip", &large).release().input("files", "*.zip").approved();
    let report = attempt.run_while_uploading(|| {
        stage.file("b.zip", large.replace('a', "b"));
    });
    let published = stage.sim.releases().into_iter().filter(|release| !release.draft).count();
    assert!(report.status() == "failed" && published == 0 || report.status() == "success", "{}", report.message());
    let digest = countersign_core::digest::Digest::of(large.as_bytes()).to_string();
    for release in stage.sim.releases().iter().filter(|release| !release.draft) {
        assert!(release.assets.iter().any(|asset| asset.digest.as_deref() == Some(&digest)));
    }
    tells_nothing_else(&stage, &report);
}

fn an_edited_plan() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run().plan();
    let receipt = stage.tag().approved().receipt();
    let edited = fs::read_to_string(&plan).unwrap().replace("v1.0.0", "v6.6.6");
    fs::write(&plan, edited).unwrap();
    let attempt = Attempt::new(&stage).input("plan", plan.to_str().unwrap()).input("receipt", &receipt);
    attempted(&stage, "the plan is edited", attempt, "plan_invalid");
}

fn a_linked_plan() {
    let stage = Stage::new();
    let plan = stage.tag().dry_run().plan();
    let receipt = stage.tag().approved().receipt();
    symlink(&plan, stage.workspace().join("plan.json")).unwrap();
    let attempt = Attempt::new(&stage).input("plan", "plan.json").input("receipt", &receipt);
    attempted(&stage, "the plan is a link", attempt, "file_unusable");
}

fn a_piped_receipt() {
    let stage = Stage::new();
    pipe(&stage, "receipt.json");
    attempted(&stage, "the receipt's file is a pipe", stage.tag().input("receipt-file", "receipt.json"), "file_unusable");
}
