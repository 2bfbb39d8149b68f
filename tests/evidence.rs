//! The receipt that travels with a release: attached, verified online and offline, and found out when anything about it is wrong.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use countersign_core::{
    digest::Digest,
    evidence::compose,
    ledger::{Entry, entry_path, operation_path},
    operation::Operation,
    timestamp::Timestamp,
};
use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Report, Stage};
use serde_json::json;

const NAME: &str = "countersign-receipt.json";

/// A release of two files with its receipt, not yet approved.
fn release(stage: &Stage) -> Attempt<'_> {
    stage
        .file("a.zip", "the first file")
        .file("b.zip", "the second");
    stage
        .release()
        .input("files", "*.zip")
        .input("attach-receipt", "true")
}

fn shipped() -> Stage {
    let stage = Stage::new();
    release(&stage).approved().run().succeeded();
    stage
}

/// The next attempt of the same run.
fn again<'a>(attempt: &Attempt<'a>, number: u64) -> Attempt<'a> {
    attempt
        .clone()
        .variable("GITHUB_RUN_ATTEMPT", number.to_string())
}

/// The bytes of an asset of the only release.
fn asset(stage: &Stage, name: &str) -> Vec<u8> {
    let releases = stage.sim.releases();
    let found = releases[0].assets.iter().find(|asset| asset.name == name);
    found
        .and_then(|asset| asset.bytes.clone())
        .unwrap_or_else(|| unreachable!("no asset {name}"))
}

/// What somebody has after downloading the release that stands first.
fn downloaded(stage: &Stage) -> PathBuf {
    let folder = tempfile::tempdir_in(stage.folder.path()).unwrap().keep();
    for asset in &stage.sim.releases()[0].assets {
        fs::write(folder.join(&asset.name), asset.bytes.as_ref().unwrap()).unwrap();
    }
    folder
}

/// The evidence of a claim: its entry and its operation, as they lie on the ledger.
fn evidence_of(stage: &Stage, sequence: u64) -> Option<Vec<u8>> {
    let read = |path: &str| stage.sim.read_file("receipt-ledger", path);
    let entry = read(&entry_path(sequence))?;
    let operation = read(&operation_path(&Entry::claimed_operation(&entry)?))?;
    Some(compose(&entry, &Operation::from_bytes(&operation).unwrap()))
}

/// `verify-release` of v1.0.0; gives exit status and what was printed.
fn verify(stage: &Stage, arguments: &[&str], token: bool) -> (i32, String) {
    fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let mut words = vec!["verify-release", stage.sim.repository(), "v1.0.0"];
    if !arguments.contains(&"--trusted-keys") {
        words.extend(["--trusted-keys", "keys"]);
    }
    words.extend(arguments);
    let mut command = stage.command(&words);
    if token {
        command.env("GH_TOKEN", &stage.token);
    }
    let output = command.output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    )
}

fn online(stage: &Stage) -> (i32, String) {
    verify(stage, &[], true)
}

/// Without token and without one request.
fn offline(stage: &Stage, folder: &Path, more: &[&str]) -> (i32, String) {
    let before = stage.sim.events().len();
    let verified = verify(
        stage,
        &[&["--folder", folder.to_str().unwrap()], more].concat(),
        false,
    );
    assert_eq!(stage.sim.events().len(), before, "a request was sent");
    verified
}

/// The lines that do not hold.
fn faults(told: &str) -> Vec<String> {
    let line = |line: &str| {
        line.split_once("FAULT: ")
            .map(|(check, fault)| format!("{}: {fault}", check.trim()))
    };
    told.lines().filter_map(line).collect()
}

#[track_caller]
fn holds((exit, told): &(i32, String)) {
    assert_eq!((*exit, faults(told)), (0, Vec::new()), "{told}");
}

#[track_caller]
fn fails((exit, told): &(i32, String), fault: &str) {
    let found = faults(told);
    assert!(
        *exit == 1 && found.iter().any(|found| found.starts_with(fault)),
        "{exit}: {found:?} lack {fault:?}\n{told}"
    );
}

#[test]
fn a_release_carries_the_ledgers_own_entry() {
    let stage = Stage::new();
    let attempt = release(&stage).approved();
    let before = stage.writes().len();
    let report = attempt.run();
    report.succeeded();
    assert_eq!(Some(asset(&stage, NAME)), evidence_of(&stage, 1));
    assert_eq!(stage.sim.releases()[0].assets.len(), 3);
    let mut writes = stage.writes().split_off(before);
    writes[2..5].sort();
    assert_eq!(
        writes[1..6],
        [
            "POST /repos/octo/hello/releases",
            "POST /repos/octo/hello/releases/1/assets?name=a.zip",
            "POST /repos/octo/hello/releases/1/assets?name=b.zip",
            "POST /repos/octo/hello/releases/1/assets?name=countersign-receipt.json",
            "PATCH /repos/octo/hello/releases/1"
        ]
    );
    let digest = Digest::of(&asset(&stage, NAME));
    let assets: serde_json::Value = serde_json::from_str(&report.outputs["assets"]).unwrap();
    let told = assets
        .as_array()
        .unwrap()
        .iter()
        .find(|asset| asset["name"] == NAME)
        .unwrap();
    assert_eq!(told["sha256"], digest.to_hex());
}

#[test]
fn without_the_input_nothing_is_attached() {
    for value in ["", "false"] {
        let stage = Stage::new();
        release(&stage)
            .input("attach-receipt", value)
            .approved()
            .run()
            .succeeded();
        assert_eq!(stage.sim.releases()[0].assets.len(), 2);
        fails(
            &online(&stage),
            "evidence: the release has no file `countersign-receipt.json`",
        );
    }
}

#[test]
fn a_release_without_assets_carries_it_too_and_is_a_draft_until_it_does() {
    let stage = Stage::new();
    let attempt = stage.release().input("attach-receipt", "true").approved();
    let seen = attempt.run_while_uploading(|| assert!(stage.sim.releases()[0].draft));
    seen.succeeded();
    let release = &stage.sim.releases()[0];
    assert_eq!((release.draft, release.assets.len()), (false, 1));
    let verified = online(&stage);
    holds(&verified);
    assert!(
        verified.1.contains("asset     ok: none was approved"),
        "{}",
        verified.1
    );
}

#[test]
fn a_draft_carries_it_and_stays_a_draft() {
    let stage = Stage::new();
    release(&stage)
        .input("draft", "true")
        .approved()
        .run()
        .succeeded();
    let release = &stage.sim.releases()[0];
    assert_eq!((release.draft, release.assets.len()), (true, 3));
}

#[test]
fn a_release_is_verified_at_github() {
    let stage = shipped();
    let (exit, told) = online(&stage);
    let entry = &stage.ledger()[0];
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let ledger = repository
        .find_branch("receipt-ledger", git2::BranchType::Local)
        .unwrap()
        .get()
        .target()
        .unwrap();
    let claim = repository.find_commit(ledger).unwrap().parent(0).unwrap();
    let committed = claim.time().seconds();
    let at = |seconds: i64| Timestamp::from_unix(u64::try_from(seconds).unwrap());
    let expected = format!(
        "evidence  ok: {}, for `v1.0.0` of octo/hello (id {})\n\
         receipt   ok: {}, signed by alice@example.org; used at {} by run 17231231\n\
         asset     ok: `a.zip`, 14 bytes, {}\n\
         asset     ok: `b.zip`, 10 bytes, {}\n\
         release   ok: title, text, draft and prerelease are as approved; https://github.com/octo/hello/releases/tag/v1.0.0\n\
         tag       ok: `v1.0.0` leads to {}\n\
         ledger    ok: octo/hello refs/heads/receipt-ledger at commit {ledger} holds it, and entry 2 says that it succeeded\n\
         dates     ok: claimed at {} by GitHub's date of the commit; published at {}\n\
         reading 2 asset(s), 24 bytes\n\
         v1.0.0 of octo/hello: all 8 checks hold.\n",
        entry.id(),
        stage.sim.repository_id(),
        entry.receipt_id,
        entry.timestamp,
        countersign_core::digest::Digest::of(b"the first file"),
        countersign_core::digest::Digest::of(b"the second"),
        stage.main(),
        at(committed),
        at(stage.sim.releases()[0].published_at.unwrap()),
    );
    assert_eq!((exit, told), (0, expected));
    // It only reads.
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

#[test]
fn downloaded_files_are_verified_without_network_and_the_output_says_what_was_left_out() {
    let stage = shipped();
    let folder = downloaded(&stage);
    let without = offline(&stage, &folder, &[]);
    holds(&without);
    for line in [
        "release   not checked: --folder asks nobody; run it without to compare with GitHub",
        "tag       not checked: --folder asks nobody; run it without to compare with GitHub",
        "ledger    not checked: give --ledger with a clone; until then nobody can tell whether the receipt was used twice",
        "v1.0.0 of octo/hello: all 4 checks hold; 3 were left out, see above.",
    ] {
        assert!(without.1.contains(line), "{}", without.1);
    }
    let clone = stage.sim.git_dir();
    let with = offline(&stage, &folder, &["--ledger", clone.to_str().unwrap()]);
    holds(&with);
    assert!(
        with.1
            .contains("holds it, and entry 2 says that it succeeded"),
        "{}",
        with.1
    );
}

#[test]
fn files_that_are_not_those_that_were_approved_are_found_out() {
    type Tampering = (fn(&Path), &'static str);
    let tamperings: [Tampering; 8] = [
        (
            |folder| fs::write(folder.join("a.zip"), "the first filf").unwrap(),
            "asset: `a.zip`: its bytes have sha256:",
        ),
        (
            |folder| fs::write(folder.join("a.zip"), "the first fil").unwrap(),
            "asset: `a.zip`: it has 13 bytes, but 14 were approved",
        ),
        (
            |folder| fs::remove_file(folder.join("b.zip")).unwrap(),
            "asset: `b.zip`: it is not there, but 10 bytes with sha256:",
        ),
        (
            |folder| fs::write(folder.join("evil.zip"), "evil").unwrap(),
            "asset: `evil.zip`: nobody approved it",
        ),
        (
            |folder| fs::create_dir(folder.join("folder")).unwrap(),
            "asset: `folder` cannot be read: it is no regular file",
        ),
        (
            |folder| {
                fs::rename(folder.join("a.zip"), folder.with_extension("a")).unwrap();
                symlink(folder.with_extension("a"), folder.join("a.zip")).unwrap();
            },
            "asset: `a.zip` cannot be read: it is a link",
        ),
        (
            |folder| {
                fs::remove_file(folder.join("a.zip")).unwrap();
                assert!(
                    Command::new("mkfifo")
                        .arg(folder.join("a.zip"))
                        .status()
                        .unwrap()
                        .success()
                );
            },
            "asset: `a.zip` cannot be read: it is no regular file",
        ),
        (
            |folder| fs::remove_file(folder.join(NAME)).unwrap(),
            "evidence: the folder ",
        ),
    ];
    let stage = shipped();
    for (tamper, fault) in tamperings {
        let folder = downloaded(&stage);
        tamper(&folder);
        let verified = offline(&stage, &folder, &[]);
        fails(&verified, fault);
        assert_eq!(faults(&verified.1).len(), 1, "{}", verified.1);
    }
}

#[test]
fn evidence_that_is_not_the_releases_own_is_found_out() {
    let stage = shipped();
    let folder = downloaded(&stage);
    let genuine = fs::read_to_string(folder.join(NAME)).unwrap();
    // Another release of the same repository, with a receipt of its own.
    stage
        .release()
        .input("tag-name", "v2.0.0")
        .input("attach-receipt", "true")
        .approved()
        .run()
        .succeeded();
    let other = String::from_utf8(evidence_of(&stage, 3).unwrap()).unwrap();
    let receipt = |text: &str| {
        let start = text.find("\"receipt\":").unwrap();
        text[start..text.find(",\"github_response\":").unwrap()].to_owned()
    };
    let outcome = stage
        .sim
        .read_file("receipt-ledger", &entry_path(2))
        .unwrap();
    let operation = stage.ledger()[0].operation.clone().unwrap();
    let outcome = String::from_utf8(compose(&outcome, &operation)).unwrap();
    for (text, fault) in [
        (
            other.clone(),
            "evidence: the evidence is for the tag `v2.0.0`, but `v1.0.0` is asked for",
        ),
        (
            genuine.replace(&receipt(&genuine), &receipt(&other)),
            "evidence: bindings: entry 1: it names another receipt than the one it holds",
        ),
        (
            genuine.replace("v1.0.0", "v1.0.1"),
            "evidence: operations: entry 1: its operation has the digest sha256:",
        ),
        (
            genuine.replace("\"attempt\":1", "\"attempt\": 1"),
            "evidence: `countersign-receipt.json` is not evidence as Countersign writes it",
        ),
        (
            outcome,
            "evidence: `countersign-receipt.json` holds entry 2, which is `github_publisher.operation.succeeded` and no claim",
        ),
        (
            String::new(),
            "evidence: `countersign-receipt.json` is not evidence as Countersign writes it",
        ),
    ] {
        fs::write(folder.join(NAME), text).unwrap();
        fails(&offline(&stage, &folder, &[]), fault);
    }
    // Signatures and bindings hold, but the ledger has another entry there.
    fs::write(
        folder.join(NAME),
        genuine.replace("\"attempt\":1", "\"attempt\":2"),
    )
    .unwrap();
    holds(&offline(&stage, &folder, &[]));
    let clone = stage.sim.git_dir();
    let forged = offline(&stage, &folder, &["--ledger", clone.to_str().unwrap()]);
    fails(&forged, "ledger: refs/heads/receipt-ledger at commit ");
    assert!(
        forged.1.contains("has entry 1 (sha256:")
            && forged.1.contains("but the evidence is entry 1 (sha256:"),
        "{}",
        forged.1
    );
    fs::write(
        folder.join(NAME),
        genuine.replace("\"sequence\":1,", "\"sequence\":9,"),
    )
    .unwrap();
    let beyond = offline(&stage, &folder, &["--ledger", clone.to_str().unwrap()]);
    assert!(
        faults(&beyond.1)[0].ends_with("has no entry 9, but the evidence claims to be that entry"),
        "{}",
        beyond.1
    );
    // And the files are for this repository alone.
    let words = [
        "verify-release",
        "octo/other",
        "v1.0.0",
        "--trusted-keys",
        "keys",
        "--folder",
    ];
    let elsewhere = stage
        .command(&[&words[..], &[downloaded(&stage).to_str().unwrap()]].concat())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&elsewhere.stdout).into_owned();
    assert!(
        told.contains("the evidence is for the repository octo/hello (id "),
        "{told}"
    );
    assert!(told.contains("but octo/other is asked for"), "{told}");
}

#[test]
fn what_was_changed_at_github_is_found_out() {
    type Change = (fn(&Stage), &'static str);
    let changes: [Change; 11] = [
        (
            |stage| exchange(stage, "a.zip", "the first filf"),
            "asset: `a.zip`: its bytes have sha256:",
        ),
        (
            |stage| dress_up(stage, "a.zip", "&label=a-signed.zip", "application/zip"),
            "asset: `a.zip`: its label is `a-signed.zip`, but `` was approved",
        ),
        (
            |stage| dress_up(stage, "a.zip", "", "text/html"),
            "asset: `a.zip`: its content type is `text/html`, but `application/zip` was approved",
        ),
        (
            |stage| dress_up(stage, NAME, "&label=installer.exe", "application/json"),
            "asset: `countersign-receipt.json`: its label is `installer.exe`, but it was attached with ``",
        ),
        (
            |stage| dress_up(stage, NAME, "", "text/html"),
            "asset: `countersign-receipt.json`: its content type is `text/html`, but it was attached with `application/json`",
        ),
        (
            |stage| stage.upload(1, "evil.zip", "evil"),
            "asset: `evil.zip`: nobody approved it",
        ),
        (
            |stage| exchange(stage, NAME, "{}"),
            "evidence: `countersign-receipt.json` is not evidence as Countersign writes it",
        ),
        (
            |stage| {
                drop(stage.patch(
                    "/repos/octo/hello/releases/1",
                    &json!({ "body": "Buy this." }),
                ));
            },
            "release: its text begins `Buy this.`, and is not the approved one, which begins `First.",
        ),
        (
            |stage| {
                drop(stage.patch(
                    "/repos/octo/hello/releases/1",
                    &json!({ "prerelease": true }),
                ));
            },
            "release: its prerelease is `true`, but `false` was approved",
        ),
        (
            |stage| {
                let other = stage.sim.commit("other", &[("a", b"a")]);
                stage.sim.set_ref("refs/tags/v1.0.0", &other);
            },
            "tag: `v1.0.0` leads to ",
        ),
        (
            |stage| drop(stage.sim.remove("receipt-ledger", &[&entry_path(1)])),
            "ledger: octo/hello refs/heads/receipt-ledger at commit ",
        ),
    ];
    for (change, fault) in changes {
        let stage = shipped();
        change(&stage);
        let verified = online(&stage);
        fails(&verified, fault);
        assert_eq!(faults(&verified.1).len(), 1, "{}", verified.1);
    }
}

/// Puts the same bytes in an asset's place, with a label or under another content type.
fn dress_up(stage: &Stage, name: &str, label: &str, content_type: &str) {
    let releases = stage.sim.releases();
    let asset = releases[0].assets.iter().find(|asset| asset.name == name);
    let asset = asset.unwrap();
    let text = String::from_utf8(asset.bytes.clone().unwrap()).unwrap();
    stage.dress_up(
        1,
        asset.id,
        &format!("name={name}{label}"),
        content_type,
        &text,
    );
}

#[test]
fn evidence_that_gets_a_label_between_two_attempts_stops_a_campaign() {
    let stage = Stage::new();
    let campaign = "name = \"Two\"\n\n[[operation]]\nid = \"release\"\noperation = \"publish_release\"\ntag-name = \"v1.0.0\"\n\n[[operation]]\nid = \"tag\"\noperation = \"tag_repo\"\nneeds = [\"release\"]\ntag-name = \"v1\"\nmessage = \"One\"\n";
    let attempt = stage
        .approved_campaign(campaign)
        .input("attach-receipt", "true");
    attempt.killed(Endpoint::CreateTagObject, 1);
    dress_up(&stage, NAME, "&label=installer.exe", "application/json");

    let report = again(&attempt, 2).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_mismatch"),
        "{}",
        report.message()
    );
    assert!(
        report.message().contains("label `installer.exe`"),
        "{}",
        report.message()
    );
    assert_eq!(stage.sim.ref_oid("refs/tags/v1"), None);
}

/// Puts another asset of the same name in an asset's place.
fn exchange(stage: &Stage, name: &str, text: &str) {
    let releases = stage.sim.releases();
    let asset = releases[0]
        .assets
        .iter()
        .find(|asset| asset.name == name)
        .unwrap();
    stage.exchange(releases[0].id, asset.id, name, text);
}

#[test]
fn other_keys_and_a_higher_threshold_do_not_verify_it() {
    let stage = shipped();
    let folder = downloaded(&stage);
    let other = harness::trusted_line(&harness::fresh_key(), "eve@example.org");
    fs::write(stage.folder.path().join("eve"), &other).unwrap();
    fails(
        &offline(&stage, &folder, &["--trusted-keys", "eve"]),
        "evidence: signatures: entry 1: ",
    );
    fs::write(
        stage.folder.path().join("both"),
        format!("{}\n{other}\n", stage.trusted()),
    )
    .unwrap();
    holds(&offline(&stage, &folder, &["--trusted-keys", "both"]));
    fails(
        &offline(
            &stage,
            &folder,
            &["--trusted-keys", "both", "--threshold", "2"],
        ),
        "evidence: signatures: entry 1: 1 person(s) signed the receipt with trusted keys, 2 must; signed by `alice@example.org`",
    );
    let (exit, told) = offline(&stage, &folder, &["--threshold", "2"]);
    assert_eq!(
        (exit, told.trim_end()),
        (
            1,
            "countersign: the threshold is `2`; with the trusted keys of 1 person(s) it must be a whole number from 1 to 1"
        )
    );
    let published = harness::trusted_line(
        &ed25519_dalek::SigningKey::from_bytes(&[1; 32]),
        "everybody",
    );
    fs::write(stage.folder.path().join("published"), published).unwrap();
    let (exit, told) = offline(&stage, &folder, &["--trusted-keys", "published"]);
    assert!(exit == 1 && told.contains("everybody"), "{told}");
}

#[test]
fn a_key_that_was_revoked_since_needs_the_ledger() {
    let stage = Stage::new();
    let (file, root) = stage.trust_file(&[stage.trust_version(1, "")], None);
    let attempt = release(&stage)
        .input("trusted-keys", "")
        .input("trust-file", &file)
        .input("trust-root", &root);
    attempt.approved().run().succeeded();
    let folder = downloaded(&stage);
    let by = [
        "--trusted-keys",
        "workspace/trust.json",
        "--trust-root",
        &root,
    ];
    holds(&offline(&stage, &folder, &by));
    // Whoever has the key now can date a claim back: only the ledger tells that this one is older.
    stage.revoke(&harness::now().plus(3600).to_string());
    fails(
        &offline(&stage, &folder, &by),
        "ledger: of the keys that count now too few signed it",
    );
    let clone = stage.sim.git_dir();
    holds(&offline(
        &stage,
        &folder,
        &[&by[..], &["--ledger", clone.to_str().unwrap()]].concat(),
    ));
    holds(&verify(&stage, &by, true));
    // Another history of keys is none of this root.
    let (exit, told) = offline(
        &stage,
        &folder,
        &[
            "--trusted-keys",
            "workspace/trust.json",
            "--trust-root",
            &format!("sha256:{}", "0".repeat(64)),
        ],
    );
    assert!(exit == 1 && told.contains("trust.json"), "{told}");
}

#[test]
fn a_release_whose_outcome_is_not_known_is_not_verified_yet() {
    let stage = Stage::new();
    let attempt = release(&stage).approved();
    attempt.killed(Endpoint::Append, 2);
    fails(
        &online(&stage),
        "ledger: octo/hello refs/heads/receipt-ledger at commit ",
    );
    again(&attempt, 2).run().succeeded();
    holds(&online(&stage));
}

/// The evidence says itself by which version of a trust file it counts, and when: only a chain that holds shows that it did.
#[test]
fn a_ledger_whose_chain_is_broken_elsewhere_is_no_witness() {
    let stage = Stage::new();
    stage
        .tag()
        .input("tag-name", "v0.9.0")
        .approved()
        .run()
        .succeeded();
    release(&stage).approved().run().succeeded();
    holds(&online(&stage));
    let path = entry_path(1);
    let entry = String::from_utf8(stage.sim.read_file("receipt-ledger", &path).unwrap()).unwrap();
    stage.sim.commit(
        "receipt-ledger",
        &[(
            &path,
            entry.replace("\"attempt\":1", "\"attempt\":2").as_bytes(),
        )],
    );
    let (exit, told) = online(&stage);
    assert!(
        exit == 1 && told.contains("chain: entry 2: it follows sha256:"),
        "{told}"
    );
    let clone = stage.sim.git_dir();
    let (exit, told) = offline(
        &stage,
        &downloaded(&stage),
        &["--ledger", clone.to_str().unwrap()],
    );
    assert!(
        exit == 1 && told.contains("chain: entry 2: it follows sha256:"),
        "{told}"
    );
}

#[track_caller]
fn settled(stage: &Stage, report: &Report, evidence: u64) {
    report.succeeded();
    let releases = stage.sim.releases();
    assert_eq!(
        (releases.len(), releases[0].draft, releases[0].assets.len()),
        (1, false, 3)
    );
    assert_eq!(Some(asset(stage, NAME)), evidence_of(stage, evidence));
    holds(&online(stage));
}

#[test]
fn a_draft_of_a_crashed_attempt_keeps_that_attempts_evidence() {
    let stage = Stage::new();
    let attempt = release(&stage).approved();
    attempt.killed(Endpoint::PublishRelease, 1);
    assert!(stage.sim.releases()[0].draft);
    let writes = stage.writes().len();
    settled(&stage, &again(&attempt, 2).run(), 1);
    assert_eq!(stage.ledger_events(), ["claimed", "claimed", "succeeded"]);
    // Nothing was sent twice, and nothing was taken away.
    let writes = stage.writes().split_off(writes);
    assert!(
        writes.iter().all(|write| !write.contains("/assets")),
        "{writes:?}"
    );
}

#[test]
fn a_crashed_attempt_that_had_attached_nothing_leaves_that_to_the_next() {
    let stage = Stage::new();
    let attempt = release(&stage).approved();
    attempt.killed(Endpoint::CreateRelease, 1);
    again(&attempt, 2).killed(Endpoint::UploadAsset, 1);
    let third = again(&attempt, 3).run();
    third.succeeded();
    let evidence = asset(&stage, NAME);
    let sent = (1..=3).find(|sequence| evidence_of(&stage, *sequence).as_ref() == Some(&evidence));
    assert!(sent.is_some_and(|sequence| sequence >= 2), "{sent:?}");
    settled(&stage, &third, sent.unwrap());
}

#[test]
fn what_an_earlier_attempt_published_counts_after_several_crashes() {
    let stage = Stage::new();
    let attempt = release(&stage).approved();
    attempt.killed(Endpoint::Append, 2);
    again(&attempt, 2).killed(Endpoint::GetReleaseByTag, 1);
    let third = again(&attempt, 3).run();
    settled(&stage, &third, 1);
    assert_eq!(third.record["github_response"]["already_existed"], true);
    assert_eq!(
        stage.ledger_events(),
        ["claimed", "claimed", "claimed", "succeeded"]
    );
}

#[test]
fn half_sent_evidence_is_sent_again() {
    let stage = Stage::new();
    let attempt = stage.release().input("attach-receipt", "true").approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::UploadAsset).then(Effect::StarterAsset));
    let report = attempt.run();
    report.succeeded();
    assert_eq!(Some(asset(&stage, NAME)), evidence_of(&stage, 1));
}

#[test]
fn foreign_evidence_in_a_draft_is_refused_and_nothing_is_published() {
    let stage = Stage::new();
    // A true claim of this ledger, but of another receipt.
    stage
        .release()
        .input("tag-name", "v0.9.0")
        .input("attach-receipt", "true")
        .approved()
        .run()
        .succeeded();
    let other = String::from_utf8(evidence_of(&stage, 1).unwrap()).unwrap();
    let attempt = release(&stage).approved();
    attempt.killed(Endpoint::PublishRelease, 1);
    let own = String::from_utf8(evidence_of(&stage, 3).unwrap()).unwrap();
    let draft = || {
        stage
            .sim
            .releases()
            .into_iter()
            .find(|release| release.draft)
            .unwrap()
    };
    for (number, text) in [
        (2, "{}".to_owned()),
        (3, other),
        (
            4,
            own.replace("\"operation_id\":\"op-", "\"operation_id\":\"op-0"),
        ),
    ] {
        let there = draft()
            .assets
            .into_iter()
            .find(|asset| asset.name == NAME)
            .unwrap();
        stage.exchange(draft().id, there.id, NAME, &text);
        // The outcome of a failed attempt would settle the receipt: each is judged on a ledger that does not learn it.
        stage.sim.plan(
            Fault::on(Endpoint::Append)
                .nth(2)
                .times(usize::MAX)
                .then(Effect::StatusBefore(403)),
        );
        let report = again(&attempt, number).run();
        assert_eq!(
            (report.exit, report.code()),
            (4, "asset_mismatch"),
            "{}",
            report.message()
        );
        assert!(
            report
                .message()
                .contains("the release has another `countersign-receipt.json` than the claim"),
            "{}",
            report.message()
        );
        stage.sim.forget_faults();
        assert!(draft().draft);
    }
    assert!(
        !stage
            .writes()
            .iter()
            .any(|write| write.starts_with("DELETE") && !write.contains("assets")),
        "{:?}",
        stage.writes()
    );
}

#[test]
fn evidence_that_is_exchanged_before_the_publication_is_noticed_after_it() {
    let stage = Stage::new();
    let attempt = stage.release().input("attach-receipt", "true").approved();
    let report = attempt.run_while_uploading(|| {
        while stage.sim.releases()[0].assets.is_empty() {
            std::thread::yield_now();
        }
        exchange(&stage, NAME, "{}");
    });
    assert_eq!(
        (report.exit, report.code()),
        (1, "asset_mismatch"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}

#[test]
fn an_input_that_nobody_could_meet_is_refused_before_anything_is_written() {
    let stage = Stage::new();
    stage
        .tag()
        .approved()
        .input("attach-receipt", "true")
        .run()
        .refused("input_unused");
    stage
        .pull()
        .approved()
        .input("attach-receipt", "true")
        .run()
        .refused("input_unused");
    stage
        .tag()
        .input("attach-receipt", "true")
        .dry_run()
        .refused("input_unused");
    stage
        .release()
        .approved()
        .input("attach-receipt", "yes")
        .run()
        .refused("input_invalid");
    for name in [NAME, "COUNTERSIGN-receipt.json"] {
        stage.file(name, "{}");
        stage
            .release()
            .input("files", name)
            .dry_run()
            .refused("asset_reserved");
        fs::remove_file(stage.workspace().join(name)).unwrap();
    }
    for number in 0..1000 {
        stage.file(&format!("{number}.bin"), "a");
    }
    let full = stage
        .release()
        .input("files", "*.bin")
        .approved()
        .input("attach-receipt", "true");
    let report = full.run();
    report.refused("asset_limit");
    assert!(
        report
            .message()
            .contains("1000 assets leave no room for `countersign-receipt.json`"),
        "{}",
        report.message()
    );
    full.dry_run().refused("asset_limit");
    assert_eq!(
        (stage.writes(), stage.ledger_events()),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn the_upload_of_the_evidence_is_counted_before_the_claim() {
    let stage = Stage::new();
    for number in 0..20 {
        stage.file(&format!("{number}.zip"), "abc");
    }
    let attempt = stage
        .release()
        .input("files", "*.zip")
        .input("attach-receipt", "true")
        .approved();
    stage.sim.rate_limit(1000, 121);
    let report = attempt.run();
    report.refused("preflight_rate_limit");
    assert!(
        report.message().contains("more REST requests until")
            && report.message().contains("may need 122"),
        "{}",
        report.message()
    );
    assert_eq!(stage.ledger_events(), Vec::<String>::new());
    // Without assets the limit is asked for the evidence alone.
    let alone = Stage::new();
    alone
        .release()
        .input("attach-receipt", "true")
        .approved()
        .run()
        .succeeded();
    assert!(
        alone.requests().contains(&"GET /rate_limit".to_owned()),
        "{:?}",
        alone.requests()
    );
}

#[test]
fn of_a_campaign_the_releases_carry_it() {
    let stage = Stage::new();
    let operation = |id: &str, rest: &str| format!("[[operation]]\nid = \"{id}\"\n{rest}\n");
    let tag = operation(
        "tag",
        "operation = \"tag_repo\"\ntag-name = \"v1.0.0\"\nmessage = \"One\"",
    );
    let release = operation(
        "release",
        "operation = \"publish_release\"\nneeds = [\"tag\"]\ntag-name = \"v1.0.0\"\nbody = \"First.\"",
    );
    stage.file("campaign.toml", format!("name = \"One\"\n{tag}{release}"));
    let plan = Attempt::new(&stage)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .input("attach-receipt", "true")
        .run();
    assert_eq!(plan.exit, 0, "{}", plan.log);
    fs::copy(plan.plan(), stage.workspace().join("plan.json")).unwrap();
    let receipts = stage.sign_all(&plan.plan());
    let attempt = Attempt::new(&stage)
        .input("plan", "plan.json")
        .input("receipt", &receipts)
        .input("attach-receipt", "true");
    attempt.run().succeeded();
    assert_eq!(stage.sim.releases()[0].assets.len(), 1);
    holds(&online(&stage));
    let other = Stage::new();
    other.file("campaign.toml", format!("name = \"One\"\n{tag}"));
    let alone = Attempt::new(&other)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .input("attach-receipt", "true")
        .run();
    alone.refused("input_unused");
}
