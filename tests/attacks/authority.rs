//! Attacks on what the ledger remembers of trust files and policies: an older one is to decide again.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    authority::Authority, document::Document as _, policy::Policy, trust::TrustFile,
};

use crate::{
    Scene,
    harness::{Stage, now},
    judge::attempted,
};

pub const SCENES: &[Scene] = &[
    (
        "a revoked key signs above a commit that restores the old trust file's version",
        a_revoked_key_above_an_old_authority,
    ),
    (
        "a revoked key signs with the trust file of an old branch, of which no ledger knows",
        a_revoked_key_on_an_old_branch,
    ),
    (
        "a version of the trust file that nobody signed is pushed to block every publication",
        a_forged_trust_file_on_the_default_branch,
    ),
    (
        "a run from an old branch brings the policy from before",
        an_old_policy_of_an_old_branch,
    ),
    (
        "a revoked key signs above a commit that takes the trust file's version away",
        a_revoked_key_above_no_authority,
    ),
    (
        "a policy that was replaced decides again above a commit that restores its version",
        a_replaced_policy,
    ),
];

/// Trust file versions 1 and 2, of which the second revokes the approver and has decided; the older
/// one is handed over again. Gives its root, and what the ledger said while it was the newest.
fn a_revoked_approver(stage: &Stage) -> (String, Authority) {
    let path = stage.workspace().join("trust.json");
    let pinned = || {
        let file = TrustFile::from_document(&fs::read(&path).unwrap()).unwrap();
        Authority {
            trust: Some(file.verify(None, now()).unwrap().pin()),
            policy: None,
        }
    };
    let (_, root) = stage.trust_file(&[stage.trust_version(1, "")], None);
    let (old, before) = (fs::read(&path).unwrap(), pinned());
    stage.revoke("2026-01-01T00:00:00Z");
    stage.remember(&pinned());

    fs::write(&path, old).unwrap();
    (root, before)
}

/// The receipt names the commit that the thief has just made, so that nothing lies above it.
fn signed_by_a_revoked_key(stage: &Stage, root: &str, name: &str) {
    let attempt = stage
        .tag()
        .approved()
        .input("trusted-keys", "")
        .input("trust-file", "trust.json")
        .input("trust-root", root);
    attempted(stage, name, attempt, "trust_rolled_back");
}

fn a_revoked_key_above_an_old_authority() {
    let stage = Stage::new();
    let (root, before) = a_revoked_approver(&stage);
    stage.remember(&before);
    let name = "a revoked key signs above a commit that restores the old trust file's version";
    signed_by_a_revoked_key(&stage, &root, name);
}

fn a_revoked_key_above_no_authority() {
    let stage = Stage::new();
    let (root, _) = a_revoked_approver(&stage);
    stage.sim.remove("receipt-ledger", &["authority.json"]);
    let name = "a revoked key signs above a commit that takes the trust file's version away";
    signed_by_a_revoked_key(&stage, &root, name);
}

/// The newer trust file has decided nothing yet: only the default branch holds it.
fn a_revoked_key_on_an_old_branch() {
    let stage = Stage::new();
    let path = stage.workspace().join("trust.json");
    let (_, root) = stage.trust_file(&[stage.trust_version(1, "")], None);
    let old = fs::read(&path).unwrap();
    stage.revoke("2026-01-01T00:00:00Z");
    let newer = fs::read(&path).unwrap();
    stage.sim.commit("main", &[("trust.json", &newer)]);

    fs::write(&path, old).unwrap();
    let name = "a revoked key signs with the trust file of an old branch, of which no ledger knows";
    signed_by_a_revoked_key(&stage, &root, name);
}

/// It counts only if it verifies, so it blocks no one.
fn a_forged_trust_file_on_the_default_branch() {
    let stage = Stage::new();
    let path = stage.workspace().join("trust.json");
    let (_, root) = stage.trust_file(&[stage.trust_version(1, "")], None);
    let file = String::from_utf8(fs::read(&path).unwrap()).unwrap();
    let mut versions: serde_json::Value = serde_json::from_str(&file).unwrap();
    let mut forged = versions["versions"][0].clone();
    let payload = STANDARD
        .decode(forged["payload"].as_str().unwrap())
        .unwrap();
    let payload = String::from_utf8(payload)
        .unwrap()
        .replacen("\"version\":1", "\"version\":2", 1);
    forged["payload"] = STANDARD.encode(payload).into();
    versions["versions"].as_array_mut().unwrap().push(forged);
    let forged = format!("{versions}\n");
    stage
        .sim
        .commit("main", &[("trust.json", forged.as_bytes())]);

    let attempt = stage
        .tag()
        .approved()
        .input("trusted-keys", "")
        .input("trust-file", "trust.json")
        .input("trust-root", &root);
    attempt.run().succeeded();
}

fn an_old_policy_of_an_old_branch() {
    let stage = Stage::new();
    let policy = stage.policy_for_tags();
    stage.policy(&policy);
    let newer = policy.replacen("version = 1", "version = 2", 1);
    stage
        .sim
        .commit("main", &[("policy.toml", newer.as_bytes())]);
    let attempt = stage.tag().approved().input("policy-file", "./policy.toml");
    let name = "a run from an old branch brings the policy from before";
    attempted(&stage, name, attempt, "policy_rolled_back");
}

/// Policy 2 allows no tag `v*` any more; the receipt is from before it decided.
fn a_replaced_policy() {
    let stage = Stage::new();
    let old = stage.policy_for_tags();
    let approved = stage.tag().approved();
    let new = old
        .replace("version = 1", "version = 2")
        .replace("tag = \"v*\"", "tag = \"nightly*\"");
    stage
        .tag()
        .input("tag-name", "nightly1")
        .approved()
        .input("policy-file", &stage.policy(&new))
        .run()
        .succeeded();

    let pin = Policy::parse(&old).unwrap().pin();
    stage.remember(&Authority {
        trust: None,
        policy: Some(pin),
    });
    attempted(
        &stage,
        "a policy that was replaced decides again above a commit that restores its version",
        approved.input("policy-file", &stage.policy(&old)),
        "policy_rolled_back",
    );
}
