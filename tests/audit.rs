//! `audit`: every finding, planted in a repository by those who go around the gate, and nothing found where nothing is wrong.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::process::Command;

use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    ledger::{Entry, Head, entry_path, operation_path},
};
use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Stage, fresh_key, terms, trusted_line};
use serde_json::{Value, json};

/// A stage whose ledger is guarded as the docs say.
fn guarded() -> Stage {
    let stage = Stage::new();
    stage
        .sim
        .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
    std::fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    stage
}

fn command(stage: &Stage, arguments: &[&str]) -> Command {
    command_of(harness::BINARY, stage, arguments)
}

fn command_of(binary: &str, stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = stage.command_of(
        binary,
        &[&["audit", "--trusted-keys", "keys"], arguments].concat(),
    );
    command.env("GH_TOKEN", &stage.token);
    command
}

/// Exit status, standard output, standard error.
fn told(stage: &Stage, arguments: &[&str]) -> (i32, String, String) {
    let output = command(stage, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn audited(stage: &Stage, more: &[&str]) -> (i32, Value) {
    let (exit, out, errors) = told(
        stage,
        &[
            &["--repository", stage.sim.repository(), "--format", "json"],
            more,
        ]
        .concat(),
    );
    assert_eq!(errors, "");
    (exit, serde_json::from_str(&out).unwrap())
}

/// Code and subject of each finding.
fn codes(audit: &Value) -> Vec<String> {
    let findings = audit["findings"].as_array().unwrap();
    let named = |finding: &Value| {
        format!(
            "{} {}",
            finding["code"].as_str().unwrap(),
            finding["subject"]["name"].as_str().unwrap()
        )
    };
    findings.iter().map(named).collect()
}

/// The one finding of an audit, which must be the only one.
#[track_caller]
fn only(stage: &Stage, code: &str, subject: &str, problem: &str) {
    let (exit, audit) = audited(stage, &[]);
    assert_eq!(codes(&audit), [format!("{code} {subject}")], "{audit:#}");
    let finding = &audit["findings"][0];
    assert_eq!(finding["problem"].as_str().unwrap(), problem);
    assert_eq!(exit, if finding["level"] == "note" { 0 } else { 5 });
}

fn repository(stage: &Stage, path: &str) -> String {
    format!("/repos/{}/{path}", stage.sim.repository())
}

#[test]
fn where_all_has_its_receipt_nothing_is_found() {
    let stage = guarded();
    stage.file("a.zip", "aaa");
    stage
        .release()
        .input("files", "a.zip")
        .approved()
        .run()
        .succeeded();
    stage
        .tag()
        .input("tag-name", "v1.1.0")
        .approved()
        .run()
        .succeeded();
    stage.pull().approved().run().succeeded();
    stage
        .release()
        .input("tag-name", "v2.0.0")
        .input("draft", "true")
        .approved()
        .run()
        .succeeded();
    let writes = stage.writes().len();
    let (exit, out, errors) = told(&stage, &["--repository", stage.sim.repository()]);
    let commit = stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let newest = stage.ledger()[7].id();
    assert_eq!(
        (exit, out.as_str(), errors.as_str()),
        (
            0,
            format!(
                "audited        octo/hello refs/heads/receipt-ledger at commit {commit}, {newest}\n\
                 since          1970-01-01T00:00:00Z; tags whatever their age\n\
                 looked at      2 releases, 2 tags, 1 pull request, 8 entries, 4 receipts\n\n\
                 found          nothing: everything has its receipt, and every receipt its effect\n"
            )
            .as_str(),
            ""
        )
    );
    assert_eq!(stage.writes().len(), writes);
}

#[test]
fn a_release_without_a_receipt_is_found() {
    let stage = guarded();
    stage.post(
        &repository(&stage, "releases"),
        &json!({"tag_name": "v6.6.6", "name": "Trust me", "body": "", "draft": false}),
    );
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "release_without_receipt v6.6.6".into(),
                "tag_without_receipt v6.6.6".into()
            ]
        )
    );
    assert_eq!(
        audit["findings"][0]["problem"],
        "no receipt on the ledger allows it"
    );
    assert_eq!(
        audit["findings"][1]["problem"],
        format!(
            "it leads to {}; no receipt on the ledger allows it",
            stage.main()
        )
    );
}

#[test]
fn a_draft_without_a_receipt_is_a_note() {
    let stage = guarded();
    stage.post(
        &repository(&stage, "releases"),
        &json!({"tag_name": "v0.9.0", "name": "Soon", "body": "", "draft": true}),
    );
    only(
        &stage,
        "draft_without_receipt",
        "v0.9.0",
        "no receipt on the ledger allows it",
    );
}

#[test]
fn a_release_that_was_changed_afterwards_is_found_with_both_sides() {
    let stage = guarded();
    stage.file("a.zip", "aaa").file("b.zip", "bbb");
    stage
        .release()
        .input("files", "*.zip")
        .approved()
        .run()
        .succeeded();
    let release = &stage.sim.releases()[0];
    let path = repository(&stage, &format!("releases/{}", release.id));
    assert!(
        stage
            .patch(
                &path,
                &json!({"name": "Better", "body": "First.\nSecond.\n", "prerelease": true})
            )
            .contains(" 200 ")
    );
    stage.exchange(release.id, release.assets[0].id, "a.zip", "aab");
    stage.delete(&repository(
        &stage,
        &format!("releases/assets/{}", release.assets[1].id),
    ));
    stage.upload(release.id, "c.zip", "ccc");
    let digest = |text: &str| countersign_core::digest::Digest::of(text.as_bytes());
    let (aaa, aab, bbb) = (digest("aaa"), digest("aab"), digest("bbb"));
    only(
        &stage,
        "release_differs",
        "v1.0.0",
        &format!(
            "title: approved `v1.0.0`, found `Better`; text: approved `First.\\u{{a}}`, found `First.\\u{{a}}Second.\\u{{a}}`; \
             kind: approved `a full release`, found `a prerelease`; \
             asset: approved `a.zip (3 bytes, {aaa})`, found `a.zip (3 bytes, {aab})`; \
             asset: approved `b.zip (3 bytes, {bbb})`, found `no such asset`; asset: approved `no such asset`, found `c.zip`"
        ),
    );
}

#[test]
fn the_claim_that_goes_with_its_release_is_no_stranger_and_any_other_is() {
    let stage = guarded();
    stage.file("a.zip", "aaa");
    stage
        .release()
        .input("files", "a.zip")
        .input("attach-receipt", "true")
        .approved()
        .run()
        .succeeded();
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!((exit, codes(&audit)), (0, vec![]));
    let release = &stage.sim.releases()[0];
    let evidence = release
        .assets
        .iter()
        .find(|asset| asset.name == "countersign-receipt.json")
        .unwrap();
    stage.exchange(release.id, evidence.id, "countersign-receipt.json", "{}");
    let digest = countersign_core::digest::Digest::of(b"{}");
    only(
        &stage,
        "release_differs",
        "v1.0.0",
        &format!(
            "asset: approved `countersign-receipt.json of entry 1`, found `countersign-receipt.json with {digest}`"
        ),
    );
}

#[test]
fn a_release_that_was_deleted_and_made_anew_is_found() {
    let stage = guarded();
    stage.release().approved().run().succeeded();
    let old = stage.sim.releases()[0].clone();
    stage.delete(&repository(&stage, &format!("releases/{}", old.id)));
    stage.post(
        &repository(&stage, "releases"),
        &json!({"tag_name": "v1.0.0", "name": old.name, "body": old.body}),
    );
    let new = stage.sim.releases()[0].id;
    only(
        &stage,
        "release_differs",
        "v1.0.0",
        &format!(
            "release number (it was deleted and made anew): approved `{}`, found `{new}`",
            old.id
        ),
    );
}

#[test]
fn a_draft_that_was_approved_as_one_and_published_by_hand_is_found() {
    let stage = guarded();
    stage
        .release()
        .input("draft", "true")
        .approved()
        .run()
        .succeeded();
    let path = repository(&stage, &format!("releases/{}", stage.sim.releases()[0].id));
    assert!(
        stage
            .patch(&path, &json!({"draft": false}))
            .contains(" 200 ")
    );
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "release_differs v1.0.0".into(),
                "tag_without_receipt v1.0.0".into()
            ]
        )
    );
    assert_eq!(
        audit["findings"][0]["problem"],
        "visibility: approved `a draft`, found `published`"
    );
}

#[test]
fn a_token_that_sees_no_drafts_finds_none_missing() {
    countersign_sim::pins![A37, M2];
    let stage = guarded();
    stage
        .release()
        .input("draft", "true")
        .approved()
        .run()
        .succeeded();
    let reader = stage.sim.token(countersign_sim::Permissions::read());
    let mut command = command(&stage, &["--repository", stage.sim.repository()]);
    let output = command.env("GH_TOKEN", reader).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(
        out.contains("not looked at  approved drafts: GitHub lists no draft; it shows them only to a token that may write contents\n"),
        "{out}"
    );
}

#[test]
fn a_tag_that_was_moved_or_made_anew_is_found() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    let made = stage.sim.ref_oid("refs/tags/v1.0.0").unwrap();
    let main = stage.main();
    // The same commit and the same words, but not the tag that was approved.
    stage.sim.set_clock(1_900_000_000);
    let anew = stage.sim.annotated_tag("v1.0.0", &main, "Version 1.0.0");
    only(
        &stage,
        "tag_differs",
        "v1.0.0",
        &format!("tag object: approved `{made}`, found `{anew}`"),
    );
    stage.sim.tag("v1.0.0", &main);
    let light = "tag object: approved `a tag with a message`, found `a name for the commit alone`";
    only(
        &stage,
        "tag_differs",
        "v1.0.0",
        &format!("{light}; tag object: approved `{made}`, found `{main}`"),
    );
    let other = stage.sim.commit("main", &[("evil.txt", b"evil")]);
    stage.sim.tag("v1.0.0", &other);
    let moved = format!("commit: approved `{main}`, found `{other}`");
    only(
        &stage,
        "tag_differs",
        "v1.0.0",
        &format!("{moved}; {light}; tag object: approved `{made}`, found `{other}`"),
    );
}

#[test]
fn the_tag_of_a_release_that_was_moved_is_found_as_such() {
    let stage = guarded();
    stage.release().approved().run().succeeded();
    let main = stage.main();
    let other = stage.sim.commit("main", &[("evil.txt", b"evil")]);
    stage.sim.tag("v1.0.0", &other);
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec!["release_differs v1.0.0".into(), "tag_differs v1.0.0".into()]
        )
    );
    let moved = format!("commit: approved `{main}`, found `{other}`");
    assert_eq!(
        (
            &audit["findings"][0]["problem"],
            &audit["findings"][1]["problem"]
        ),
        (&json!(moved), &json!(moved))
    );
}

#[test]
fn tags_need_a_receipt_unless_they_are_known_to_stand_where_they_stood() {
    let stage = guarded();
    let (main, other) = (stage.main(), stage.sim.commit("main", &[("a.txt", b"a")]));
    stage.sim.tag("v0.1.0", &main);
    let annotated = stage.sim.annotated_tag("v0.2.0", &main, "Old");
    let listed = format!(
        "{main} refs/tags/v0.1.0\n{annotated} refs/tags/v0.2.0\n{main} refs/tags/v0.2.0^{{}}\n"
    );
    std::fs::write(stage.folder.path().join("known"), listed).unwrap();
    // A tag cannot be left out by its age: its date is what its maker wrote.
    let (_, audit) = audited(&stage, &["--since", "2100-01-01"]);
    assert_eq!(
        codes(&audit),
        ["tag_without_receipt v0.1.0", "tag_without_receipt v0.2.0"]
    );
    let (exit, audit) = audited(&stage, &["--known-tags", "known"]);
    assert_eq!(
        (exit, codes(&audit), &audit["looked_at"]["tags"]),
        (0, vec![], &json!(2))
    );
    stage.sim.tag("v0.1.0", &other);
    let (exit, audit) = audited(&stage, &["--known-tags", "known"]);
    assert_eq!(
        (exit, codes(&audit)),
        (5, vec!["tag_without_receipt v0.1.0".into()])
    );
    std::fs::write(stage.folder.path().join("known"), "v0.1.0\n").unwrap();
    let (exit, _, errors) = told(
        &stage,
        &[
            "--repository",
            stage.sim.repository(),
            "--known-tags",
            "known",
        ],
    );
    assert_eq!(
        (exit, errors.as_str()),
        (
            1,
            "countersign: `known`: line 1: expected an object id, a blank and `refs/tags/NAME`, as `git show-ref --tags` writes\n"
        )
    );
}

#[test]
fn pull_requests_of_the_job_token_need_a_receipt_and_those_of_people_do_not() {
    let stage = guarded();
    for branch in ["one", "two"] {
        stage.sim.commit(branch, &[(branch, b"x")]);
        stage.post(
            &repository(&stage, "pulls"),
            &json!({"title": branch, "head": branch, "base": "main"}),
        );
    }
    stage.sim.open_pull_as("octocat", 2);
    only(
        &stage,
        "pull_without_receipt",
        "#1 by github-actions[bot]: one",
        "no receipt on the ledger allows it",
    );
    let (exit, audit) = audited(&stage, &["--pulls-by", "octocat"]);
    assert_eq!(
        (exit, codes(&audit)),
        (5, vec!["pull_without_receipt #2 by octocat: two".into()])
    );
    let (exit, audit) = audited(&stage, &["--since", "2100-01-01"]);
    assert_eq!((exit, codes(&audit)), (0, vec![]));
}

#[test]
fn what_people_change_in_an_approved_pull_request_is_a_note() {
    let stage = guarded();
    let attempt = stage.pull();
    attempt.approved().run().succeeded();
    let approved = stage.sim.ref_oid("refs/heads/next").unwrap();
    let pushed = stage.sim.commit("next", &[("more.txt", b"more")]);
    assert!(
        stage
            .patch(
                &repository(&stage, "pulls/1"),
                &json!({"title": "Next, and more"})
            )
            .contains(" 200 ")
    );
    only(
        &stage,
        "pull_differs",
        "#1 by github-actions[bot]: Next, and more",
        &format!(
            "commit: approved `{approved}`, found `{pushed}`; title: approved `Next`, found `Next, and more`"
        ),
    );
}

#[test]
fn a_pull_request_that_is_older_than_its_claim_is_looked_up_by_its_number() {
    let stage = guarded();
    let now = harness::now();
    // GitHub's clock is behind ours, by less than is too much.
    stage
        .sim
        .set_clock(i64::try_from(now.minus(50).unix()).unwrap());
    stage.pull().approved().run().succeeded();
    let (exit, audit) = audited(&stage, &["--since", &now.minus(25).to_string()]);
    assert_eq!(
        (exit, codes(&audit), &audit["looked_at"]["pull_requests"]),
        (0, vec![], &json!(1))
    );
    assert!(
        stage
            .requests()
            .contains(&"GET /repos/octo/hello/pulls/1".to_owned()),
        "{:?}",
        stage.requests()
    );
}

#[test]
fn what_was_published_with_a_receipt_and_is_gone_is_found() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    only(
        &stage,
        "effect_missing",
        "v1.0.0",
        "the ledger says that it succeeded, but it is not there",
    );
}

#[test]
fn receipts_without_an_effect_are_told_apart_by_what_the_ledger_knows() {
    let stage = guarded();
    stage.sim.plan(
        Fault::on(Endpoint::CreateRef)
            .times(usize::MAX)
            .then(Effect::ResetBefore),
    );
    let report = stage.tag().approved().run();
    assert_eq!(report.status(), "unknown");
    only(
        &stage,
        "receipt_without_effect",
        "v1.0.0",
        "the receipt was spent, no outcome is known, and nothing is there that it made",
    );
    let stage = guarded();
    stage.sim.disallow_tag_creation(true);
    let report = stage.tag().approved().run();
    assert_eq!(report.status(), "failed");
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (0, vec!["receipt_spent_in_vain v1.0.0".into()])
    );
    let problem = audit["findings"][0]["problem"].as_str().unwrap();
    assert!(
        problem.starts_with("it failed, and nothing is there that it made: github_rejected: GitHub refused the request: HTTP 422 "),
        "{problem}"
    );
    // A person makes it by hand, exactly as it was approved.
    stage
        .sim
        .annotated_tag("v1.0.0", &stage.main(), "Version 1.0.0");
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (5, vec!["effect_after_failure v1.0.0".into()])
    );
}

#[test]
fn an_effect_without_an_outcome_is_found() {
    let stage = guarded();
    stage.file("a.zip", "aaa");
    stage.sim.plan(
        Fault::on(Endpoint::Append)
            .nth(2)
            .times(usize::MAX)
            .then(Effect::ResetBefore),
    );
    let report = stage.release().input("files", "a.zip").approved().run();
    assert_eq!(
        (report.exit, stage.ledger_events()),
        (4, vec!["claimed".to_owned()])
    );
    only(
        &stage,
        "effect_without_outcome",
        "v1.0.0",
        "it stands as approved, but the ledger knows no outcome",
    );
    // The pull request's number is not on the ledger either: its branches tell.
    let stage = guarded();
    stage.sim.plan(
        Fault::on(Endpoint::Append)
            .nth(2)
            .times(usize::MAX)
            .then(Effect::ResetBefore),
    );
    stage.pull().approved().run();
    only(
        &stage,
        "effect_without_outcome",
        "#1 by github-actions[bot]: Next",
        "it stands as approved, but the ledger knows no outcome",
    );
}

#[test]
fn a_workflow_that_was_edited_to_trust_another_key_is_found() {
    let stage = guarded();
    let (mallory, attempt) = (fresh_key(), stage.tag());
    let receipt = Envelope::sign(&terms(&attempt.dry_run().plan()), &[&mallory]).to_line();
    let line = trusted_line(&mallory, "mallory");
    attempt
        .input("trusted-keys", &line)
        .input("receipt", &receipt)
        .run()
        .succeeded();
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "receipt_invalid 1".into(),
                "tag_without_receipt v1.0.0".into()
            ]
        )
    );
    let problem = |index: usize| audit["findings"][index]["problem"].as_str().unwrap();
    assert!(problem(0).contains("signature"), "{}", problem(0));
    let main = stage.main();
    assert_eq!(
        problem(1),
        format!("it leads to {main}; entry 1 names a receipt for it that does not count")
    );
}

#[test]
fn an_operation_that_was_taken_away_since_is_read_where_its_claim_was_added() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    let path = operation_path(&stage.ledger()[0].operation_digest);
    for change in [None, Some(b"{}".as_slice())] {
        match change {
            None => stage.sim.remove("receipt-ledger", &[&path]),
            Some(bytes) => stage.sim.commit("receipt-ledger", &[(&path, bytes)]),
        };
        let (exit, audit) = audited(&stage, &[]);
        let found = codes(&audit);
        let by_other = |code: &String| code.starts_with("commit_by_other ");
        assert!(
            exit == 0 && found.iter().all(by_other),
            "{change:?}: {found:?}"
        );
    }
}

#[test]
fn a_claim_whose_operation_nobody_has_is_found_and_allows_nothing() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    let claim = stage.ledger()[0].clone();
    // Written around Countersign: the release claims what no file tells.
    let forged = Entry {
        sequence: 3,
        previous: Some(stage.ledger()[1].id().digest),
        operation_digest: Digest::of(b"an operation that nobody has"),
        receipts: vec![Digest::of(b"a receipt")],
        receipt_id: "receipt-forged".parse().unwrap(),
        operation: None,
        ..claim
    };
    let commit = stage.sim.commit(
        "receipt-ledger",
        &[
            (&entry_path(3), &forged.to_document()),
            ("ledger.json", &Head::at(forged.id()).to_document()),
        ],
    );
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "operation_missing 3".into(),
                format!("entry_by_other {commit}"),
                format!("commit_date_unproven {commit}")
            ]
        )
    );
    let ledger = ["ledger", "verify", "--repository", stage.sim.repository()];
    let output = stage
        .command(&ledger)
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    let (exit, told) = (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    let problem = format!(
        "operations: entry 3: its operation is not there: `{}`",
        operation_path(&forged.operation_digest)
    );
    assert!(exit == 1 && told.contains(&problem), "{told}");
}

#[test]
fn a_ledger_that_was_rewritten_is_believed_up_to_the_fault() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    stage
        .tag()
        .input("tag-name", "v1.1.0")
        .approved()
        .run()
        .succeeded();
    let path = entry_path(3);
    let entry = String::from_utf8(stage.sim.read_file("receipt-ledger", &path).unwrap()).unwrap();
    stage.sim.commit(
        "receipt-ledger",
        &[(
            &path,
            entry.replace("\"attempt\":1", "\"attempt\":2").as_bytes(),
        )],
    );
    let (exit, audit) = audited(&stage, &[]);
    // Entry 3 still stands by itself; entry 4 no longer follows it.
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "ledger_invalid receipt-ledger".into(),
                "effect_without_outcome v1.1.0".into()
            ]
        )
    );
    assert!(
        audit["findings"][0]["problem"]
            .as_str()
            .unwrap()
            .starts_with("chain: entry 4: it follows sha256:"),
        "{audit:#}"
    );
    assert_eq!(
        (&audit["looked_at"]["entries"], &audit["ledger"]["sequence"]),
        (&json!(3), &json!(3))
    );
}

#[test]
fn a_ledger_that_was_emptied_by_a_commit_is_no_fresh_one() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    let empty =
        countersign_core::document::Document::to_document(&countersign_core::ledger::Head::EMPTY);
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &empty)]);
    let (exit, audit) = audited(&stage, &[]);
    assert_eq!(
        (exit, codes(&audit)),
        (
            5,
            vec![
                "ledger_invalid receipt-ledger".into(),
                "tag_without_receipt v1.0.0".into()
            ]
        )
    );
    assert!(
        audit["findings"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("no entry accounts for this file"),
        "{audit:#}"
    );
}

#[test]
fn a_release_that_was_taken_down_and_published_anew_with_a_receipt_is_a_note() {
    let stage = guarded();
    stage.release().approved().run().succeeded();
    stage.delete(&repository(
        &stage,
        &format!("releases/{}", stage.sim.releases()[0].id),
    ));
    stage
        .release()
        .approved_with(|terms| terms.receipt_id = "again".parse().unwrap())
        .run()
        .succeeded();
    only(
        &stage,
        "effect_superseded",
        "v1.0.0",
        "it is gone, and entry 3 made it anew",
    );
}

#[test]
fn a_ledger_that_is_gone_or_unguarded_is_found() {
    countersign_sim::pins![M5];
    let stage = guarded();
    stage.sim.branch_rules("receipt-ledger", &["deletion"]);
    only(
        &stage,
        "ledger_unprotected",
        "receipt-ledger",
        "no rule forbids: non_fast_forward",
    );
    stage
        .sim
        .branch_rules("receipt-ledger", &["non_fast_forward"]);
    stage.tag().approved().run().succeeded();
    assert!(stage.sim.delete_ref("refs/heads/receipt-ledger"));
    let (exit, audit) = audited(&stage, &[]);
    let expected = [
        "ledger_missing receipt-ledger",
        "tag_without_receipt v1.0.0",
        "ledger_unprotected receipt-ledger",
    ];
    assert_eq!(
        (exit, codes(&audit)),
        (5, expected.map(String::from).to_vec())
    );
}

#[test]
fn a_clone_is_audited_without_a_network_for_its_tags() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    stage
        .release()
        .input("tag-name", "v2.0.0")
        .approved()
        .run()
        .succeeded();
    stage.sim.tag("v6.6.6", &stage.main());
    let mirror = stage.folder.path().join("mirror.git");
    git2::build::RepoBuilder::new()
        .bare(true)
        .clone(stage.sim.git_dir().to_str().unwrap(), &mirror)
        .unwrap();
    let requests = stage.sim.events().len();
    let mut command = command(&stage, &["mirror.git"]);
    let output = command.env_remove("GH_TOKEN").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{out}");
    let found = out.split_once("\n\n").unwrap();
    assert!(found.0.contains("not looked at  releases, pull requests and the rules that guard the ledger: a clone does not hold them"));
    assert_eq!(
        found.1,
        format!(
            "error    tag_without_receipt  tag v6.6.6\n         it leads to {}; no receipt on the ledger allows it\n         \
             → Ask who made it. Tags that stood before the ledger: list them once with `git show-ref --tags`, and hand the list over with \
             --known-tags.\n\nfound          1 error, 0 warnings, 0 notes\n",
            stage.main()
        )
    );
    assert_eq!(stage.sim.events().len(), requests);
}

#[test]
fn pages_are_followed_and_a_rate_limit_is_waited_for() {
    let stage = guarded();
    for number in 0..120 {
        stage.sim.tag(&format!("v0.0.{number}"), &stage.main());
        stage.post(
            &repository(&stage, "releases"),
            &json!({"tag_name": format!("v0.0.{number}")}),
        );
    }
    for number in 0..40 {
        let branch = format!("b{number}");
        stage.sim.commit(&branch, &[(&branch, b"x")]);
        stage.post(
            &repository(&stage, "pulls"),
            &json!({"title": branch, "head": branch, "base": "main"}),
        );
    }
    stage.sim.plan(
        Fault::on(Endpoint::ListReleases)
            .nth(2)
            .then(Effect::RetryAfter {
                status: 429,
                seconds: 1,
            }),
    );
    let mut command = command_of(
        harness::hurried(),
        &stage,
        &["--repository", stage.sim.repository(), "--format", "json"],
    );
    let output = command.output().unwrap();
    let (exit, errors) = (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |code: &str| {
        codes(&audit)
            .iter()
            .filter(|found| found.starts_with(code))
            .count()
    };
    assert_eq!(
        (
            exit,
            of("tag_without_receipt"),
            of("release_without_receipt"),
            of("pull_without_receipt")
        ),
        (5, 120, 120, 40)
    );
    assert!(
        errors.contains("GitHub's rate limit is used up")
            && errors.contains("Trying again in 2 s (retry 1 of 3)"),
        "{errors}"
    );
}

#[test]
fn hostile_names_stay_text_on_every_surface() {
    let stage = guarded();
    let title = "x\u{202e}\n::error::boo ##[add-mask]y";
    stage.post(
        &repository(&stage, "releases"),
        &json!({"tag_name": "v1", "name": title, "body": title}),
    );
    stage.sim.commit("b", &[("b", b"b")]);
    stage.post(
        &repository(&stage, "pulls"),
        &json!({"title": title, "head": "b", "base": "main"}),
    );
    let mut command = command(&stage, &["--repository", stage.sim.repository()]);
    let output = command.env("GITHUB_ACTIONS", "true").output().unwrap();
    let (out, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(
        out.contains("#1 by github-actions[bot]: x\\u{202e}\\u{a}::error::boo # #[add-mask]y"),
        "{out}"
    );
    let (_, json, _) = told(
        &stage,
        &["--repository", stage.sim.repository(), "--format", "json"],
    );
    assert!(
        !json.contains("##[") && json.contains("#\\u0023[add-mask]"),
        "{json}"
    );
    let annotations: Vec<&str> = errors.lines().collect();
    assert_eq!(annotations.len(), 3, "{errors}");
    for annotation in annotations {
        assert!(
            annotation.starts_with("::error title=Countersign audit%3A "),
            "{annotation}"
        );
        assert!(!annotation.contains("##["), "{annotation}");
    }
}

#[test]
fn sarif_names_a_rule_and_a_place_for_each_finding() {
    let stage = guarded();
    stage.tag().approved().run().succeeded();
    stage.sim.delete_ref("refs/tags/v1.0.0");
    stage.sim.tag("v6.6.6", &stage.main());
    let (exit, out, _) = told(
        &stage,
        &["--repository", stage.sim.repository(), "--format", "sarif"],
    );
    let log: Value = serde_json::from_str(&out).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let place = |result: &Value| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let told: Vec<(String, String)> = results
        .iter()
        .map(|result| (result["ruleId"].as_str().unwrap().into(), place(result)))
        .collect();
    let pair = |code: &str, place: &str| (code.to_owned(), place.to_owned());
    assert_eq!(
        (exit, told),
        (
            5,
            vec![
                pair("tag_without_receipt", "ledger.json"),
                pair("effect_missing", "entries/000/000000001.json")
            ]
        )
    );
    for result in results {
        let rule = &run["tool"]["driver"]["rules"]
            [usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(
            (&rule["id"], &rule["defaultConfiguration"]["level"]),
            (&result["ruleId"], &result["level"])
        );
    }
    // The next audit finds the same, whatever else there is by then.
    stage.sim.tag("v0.0.1", &stage.main());
    let (_, later, _) = told_again(&stage);
    let prints = |log: &Value| -> Vec<Value> {
        log["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["partialFingerprints"].clone())
            .collect()
    };
    let later = prints(&serde_json::from_str(&later).unwrap());
    assert!(prints(&log).iter().all(|print| later.contains(print)) && later.len() == 3);
}

fn told_again(stage: &Stage) -> (i32, String, String) {
    told(
        stage,
        &["--repository", stage.sim.repository(), "--format", "sarif"],
    )
}

#[test]
fn what_an_audit_cannot_do_is_told_and_is_no_finding() {
    let stage = guarded();
    let without_keys = stage
        .command(&["audit", "--repository", stage.sim.repository()])
        .env("GH_TOKEN", &stage.token)
        .output()
        .unwrap();
    assert_eq!(
        (without_keys.status.code(), String::from_utf8(without_keys.stderr).unwrap()),
        (
            Some(1),
            "countersign: --trusted-keys is missing: without them anybody could have written the receipts that an audit goes by\n".into()
        )
    );
    stage.sim.plan(
        Fault::on(Endpoint::ListPulls)
            .times(usize::MAX)
            .then(Effect::StatusBefore(404)),
    );
    let (exit, out, errors) = told(&stage, &["--repository", stage.sim.repository()]);
    assert_eq!((exit, out.as_str()), (1, ""));
    assert!(
        errors.starts_with("countersign: GitHub found nothing at /repos/octo/hello/pulls: "),
        "{errors}"
    );
    let (exit, _, errors) = told(
        &stage,
        &[
            "--repository",
            stage.sim.repository(),
            "--since",
            "yesterday",
        ],
    );
    assert!(
        exit == 2
            && errors
                .contains("expected a day like 2026-11-01 or a moment like 2026-11-01T12:00:00Z"),
        "{errors}"
    );
    let folder = stage.folder.path().join("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("ledger.json"),
        stage
            .sim
            .read_file("receipt-ledger", "ledger.json")
            .unwrap(),
    )
    .unwrap();
    let (exit, _, errors) = told(&stage, &["files"]);
    assert_eq!(
        (exit, errors.as_str()),
        (
            1,
            "countersign: this is a folder with the ledger's files alone; give the clone that holds the tags too\n"
        )
    );
}

#[test]
fn an_asset_that_is_shown_under_another_name_or_type_is_found() {
    for (query, content_type, found) in [
        (
            "name=a.zip&label=a-signed.zip",
            "application/zip",
            "label `a-signed.zip`",
        ),
        ("name=a.zip", "text/html", "content type `text/html`"),
    ] {
        let stage = guarded();
        stage.file("a.zip", "aaa");
        let attempt = stage.release().input("files", "a.zip").approved();
        attempt.run().succeeded();
        let asset = stage.sim.releases()[0].assets[0].id;
        stage.dress_up(1, asset, query, content_type, "aaa");

        let (exit, audit) = audited(&stage, &[]);
        assert_eq!(
            (exit, codes(&audit)),
            (5, vec!["release_differs v1.0.0".into()])
        );
        let problem = audit["findings"][0]["problem"].as_str().unwrap();
        assert!(
            problem.contains(&format!("a.zip with the {found}")),
            "{problem}"
        );
    }
}
