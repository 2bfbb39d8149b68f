//! `countersign report`: what the page holds, what it can never become, and what the command says of files and ledgers that are wrong.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    document::Document as _,
    ledger::{entry_path, operation_path},
};
use harness::Stage;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn report(stage: &Stage, arguments: &[&str]) -> (i32, String, String) {
    let output = stage
        .command(&[&["report", "--out", "report.html"], arguments].concat())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn page(stage: &Stage) -> String {
    fs::read_to_string(stage.folder.path().join("report.html")).unwrap()
}

/// What stands between two marks, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before)
        .unwrap()
        .1
        .split_once(after)
        .unwrap()
        .0
}

fn items(page: &str) -> Vec<Value> {
    serde_json::from_str(between(
        page,
        "<script type=\"application/json\" id=\"data\">",
        "</script>",
    ))
    .unwrap()
}

/// The record of docs/audit-record.md, which is the same on every machine.
fn example() -> String {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit-record.md")).unwrap();
    between(&page, "```json\n", "```").to_owned()
}

/// A stage with that record in the layout of an artifact.
fn with_example() -> (Stage, PathBuf) {
    let stage = Stage::without_ledger();
    let folder = stage
        .folder
        .path()
        .join("artifact/countersign-op-5e1f0c9a77204bd3");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("audit-record.json"), example()).unwrap();
    (stage, folder)
}

#[test]
fn the_data_of_a_record_are_the_record_and_where_it_lay() {
    let (stage, _) = with_example();
    let (exit, told, wrong) = report(&stage, &["--records", "artifact"]);
    assert_eq!(
        (exit, told.as_str(), wrong.as_str()),
        (
            0,
            "report.html: 0 ledger entries, 1 audit records, 0 plans\n",
            ""
        )
    );
    let mut items = items(&page(&stage));
    let mut record: Value = serde_json::from_str(&example()).unwrap();
    record["file"] = "artifact/countersign-op-5e1f0c9a77204bd3/audit-record.json".into();
    let made_at = items[1]["report"]["made_at"].take();
    assert_eq!(
        made_at.as_str().map(str::len),
        Some("2026-11-22T12:00:00Z".len())
    );
    assert_eq!(
        items,
        [
            json!({ "record": record }),
            json!({ "report": {
                "made_at": null, "version": env!("CARGO_PKG_VERSION"), "server": "https://github.com", "ledger": null, "left_out": [],
            } }),
        ]
    );
}

#[test]
fn the_data_of_a_ledger_are_its_entries_and_how_far_they_hold() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let clone = stage.sim.git_dir().display().to_string();
    let (exit, _, wrong) = report(&stage, &[&clone, "--trusted-keys", "keys"]);
    assert_eq!((exit, wrong.as_str()), (0, ""));
    let items = items(&page(&stage));
    let [claim, outcome] = stage.ledger().try_into().unwrap();
    let terms: Value = serde_json::to_value(
        claim
            .receipt
            .clone()
            .unwrap()
            .verify(&keys(&stage), countersign_core::keys::Threshold::ONE)
            .unwrap()
            .terms(),
    )
    .unwrap();
    let common = json!({
        "at": claim.timestamp, "operation_id": claim.operation_id, "run": "17231231", "acting_run": "17231231", "attempt": 1, "receipt_id": claim.receipt_id,
        "operation_kind": "tag_repo", "repository": "octo/hello", "operation_digest": claim.operation_digest, "signers": claim.signers,
    });
    let with = |more: Value| {
        let mut all = common.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "entry": all })
    };
    assert_eq!(
        items[..2],
        [
            with(
                json!({ "sequence": 1, "digest": claim.id().digest, "event": "claimed", "operation": claim.operation, "terms": terms })
            ),
            with(json!({
                "sequence": 2, "digest": outcome.id().digest, "event": "succeeded", "at": outcome.timestamp,
                "github_response": outcome.github_response,
            })),
        ]
    );
    let ledger = &items[2]["report"]["ledger"];
    assert_eq!(
        (&ledger["standing"], &ledger["entries"], &ledger["fault"]),
        (&json!("verified"), &json!(2), &Value::Null)
    );
    assert_eq!(ledger["newest"], json!(outcome.id()));
    let aspects: Vec<&str> = ledger["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["aspect"].as_str())
        .collect();
    assert_eq!(
        aspects,
        [
            "structure",
            "chain",
            "uses",
            "operations",
            "bindings",
            "signatures",
            "history",
            "dates",
            "authors"
        ]
    );
}

fn keys(stage: &Stage) -> countersign_core::keys::TrustedKeys {
    countersign_core::keys::TrustedKeys::parse(&stage.trusted()).unwrap()
}

#[test]
fn without_keys_nobody_reads_what_a_receipt_says() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let (exit, _, told) = report(&stage, &[&stage.sim.git_dir().display().to_string()]);
    assert_eq!(
        (exit, told.as_str()),
        (
            0,
            "note: signatures were not checked: give --trusted-keys\n"
        )
    );
    let items = items(&page(&stage));
    assert_eq!(
        (
            items[0]["entry"].get("terms"),
            &items[2]["report"]["ledger"]["standing"]
        ),
        (None, &json!("unsigned"))
    );
}

#[test]
fn nothing_that_comes_from_outside_ends_its_block() {
    let (stage, folder) = with_example();
    let evil = "</script><script>alert(1)</script><!--\\u2028\\u0000\u{202e}";
    fs::write(
        folder.join("audit-record.json"),
        example().replace("\"result\":\"", &format!("\"result\":\"{evil}")),
    )
    .unwrap();
    let (exit, _, told) = report(&stage, &["--records", "artifact"]);
    // U+2028 is not escaped by who writes records: this one was edited, and is not shown.
    assert!(
        exit == 1 && told.contains("the file was changed after Countersign wrote it"),
        "{told}"
    );
    let evil = evil.replace("\\u2028", "\u{2028}");
    fs::write(
        folder.join("audit-record.json"),
        example().replace("\"result\":\"", &format!("\"result\":\"{evil}")),
    )
    .unwrap();
    assert_eq!(report(&stage, &["--records", "artifact"]).0, 0);
    let page = page(&stage);
    assert_eq!(
        (
            page.matches("</script>").count(),
            page.matches("<script").count(),
            page.matches("<!--").count()
        ),
        (2, 2, 0)
    );
    let result = items(&page)[0]["record"]["result"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        result.starts_with("</script><script>alert(1)</script><!--\\u{2028}\\u{0}\\u{202e}Shipped"),
        "{result}"
    );
}

#[test]
fn the_policy_names_the_one_script_and_the_one_style_that_are_there() {
    let (stage, _) = with_example();
    assert_eq!(report(&stage, &["--records", "artifact"]).0, 0);
    let page = page(&stage);
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (style, script) = (
        between(&page, "<style>", "</style>"),
        between(&page, "<script type=\"module\">", "</script>"),
    );
    assert_eq!(
        between(
            &page,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"",
            "\">"
        ),
        format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
            hash(script),
            hash(style)
        )
    );
}

/// The folder as it must be after a command that fails before it has a page.
fn nothing_was_written(folder: &Path) {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let written: Vec<String> = names.filter(|name| name.contains("report.html")).collect();
    assert_eq!(written, Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_told_before_anything_is_written() {
    let (stage, _) = with_example();
    fs::create_dir(stage.folder.path().join("empty")).unwrap();
    for (arguments, code, wrong) in [
        (
            &[][..],
            2,
            "the following required arguments were not provided",
        ),
        (
            &["--records", "nowhere"],
            1,
            "countersign: `nowhere` cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            &["--records", "empty"],
            1,
            "countersign: there is no `audit-record.json` in the folder `empty`\n",
        ),
        (
            &["--plan", "empty"],
            1,
            "countersign: `empty` is no file that can be read\n",
        ),
        (&["nowhere"], 1, "countersign: `nowhere` does not exist\n"),
        (
            &["--repository", "octo/hello"],
            1,
            "countersign: there is no token: set GH_TOKEN, for example GH_TOKEN=$(gh auth token); docs/permissions.md lists what each command needs\n",
        ),
        (
            &["--records", "artifact", "--trusted-keys", "nowhere"],
            1,
            "countersign: the trusted keys: `nowhere` cannot be read: No such file or directory (os error 2)\n",
        ),
    ] {
        let (exit, _, told) = report(&stage, arguments);
        assert!(
            exit == code
                && if code == 2 {
                    told.contains(wrong)
                } else {
                    told == wrong
                },
            "{arguments:?}: {exit} {told}"
        );
        nothing_was_written(stage.folder.path());
    }
    fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let (exit, _, told) = report(&stage, &["--records", "artifact", "--trusted-keys", "keys"]);
    assert_eq!(
        (exit, told.as_str()),
        (
            1,
            "countersign: --trusted-keys verify a ledger: give its path or --repository too\n"
        )
    );
}

#[test]
fn a_file_of_somebody_else_is_named_and_makes_the_command_fail() {
    let (stage, folder) = with_example();
    fs::write(folder.join("plan.json"), "{}").unwrap();
    fs::write(
        stage.folder.path().join("foreign.json"),
        "{\"status\":\"success\"}\n",
    )
    .unwrap();
    let large = fs::File::create(stage.folder.path().join("large.json")).unwrap();
    large.set_len((4 << 20) + 1).unwrap();
    let (exit, told, wrong) = report(
        &stage,
        &[
            "--records",
            "artifact",
            "--records",
            "foreign.json",
            "--plan",
            "large.json",
        ],
    );
    assert_eq!(
        (exit, told.as_str()),
        (
            1,
            "report.html: 0 ledger entries, 1 audit records, 0 plans\n"
        )
    );
    let plan = "artifact/countersign-op-5e1f0c9a77204bd3/plan.json";
    assert_eq!(
        wrong,
        format!(
            "countersign: left out `{plan}`: it is no plan that this version writes: the member `mode` is missing (at $)\n\
             countersign: left out `foreign.json`: it is no audit record that this version writes: the member `operation_id` is missing (at $)\n\
             countersign: left out `large.json`: it is no plan that this version writes: expected value (at line 1 column 1)\n"
        )
    );
    let left: Vec<Value> = items(&page(&stage))[1]["report"]["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["file"].clone())
        .collect();
    assert_eq!(left, [plan, "foreign.json", "large.json"]);
}

#[test]
fn a_file_that_is_too_large_or_a_link_is_left_out() {
    let (stage, folder) = with_example();
    let large = folder.join("audit-record.json");
    fs::File::create(&large)
        .unwrap()
        .set_len((4 << 20) + 1)
        .unwrap();
    let link = stage.folder.path().join("artifact/audit-record.json");
    std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
    let (exit, _, wrong) = report(&stage, &["--records", "artifact"]);
    assert_eq!(exit, 1);
    assert!(
        wrong.contains("left out `artifact/audit-record.json`: it is no audit record that this version writes: it is a link\n"),
        "{wrong}"
    );
    assert!(
        wrong.contains("4194305 bytes are more than the 4194304 allowed"),
        "{wrong}"
    );
}

#[test]
fn the_same_record_is_shown_once_wherever_it_lies() {
    let (stage, _) = with_example();
    fs::write(stage.folder.path().join("copy.json"), example()).unwrap();
    let (_, told, _) = report(
        &stage,
        &[
            "--records",
            "artifact",
            "--records",
            "copy.json",
            "--records",
            "artifact",
        ],
    );
    assert_eq!(
        told,
        "report.html: 0 ledger entries, 1 audit records, 0 plans\n"
    );
}

#[test]
fn a_ledger_with_a_fault_is_shown_up_to_it_and_makes_the_command_fail() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    stage.release().approved().run().succeeded();
    let ledger = stage.folder.path().join("ledger");
    for entry in stage.ledger() {
        let path = ledger.join(entry_path(entry.sequence));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = String::from_utf8(entry.to_document()).unwrap();
        fs::write(
            path,
            if entry.sequence == 3 {
                text.replace(
                    "\"repository\":\"octo/hello\"",
                    "\"repository\":\"octo/other\"",
                )
            } else {
                text
            },
        )
        .unwrap();
        if let Some(operation) = &entry.operation {
            let path = ledger.join(operation_path(&operation.digest()));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, operation.to_bytes()).unwrap();
        }
    }
    fs::write(
        ledger.join("ledger.json"),
        stage
            .sim
            .read_file("receipt-ledger", "ledger.json")
            .unwrap(),
    )
    .unwrap();
    let (exit, told, wrong) = report(&stage, &["ledger"]);
    assert_eq!(
        (exit, told.as_str()),
        (
            1,
            "report.html: 2 ledger entries, 0 audit records, 0 plans\n"
        )
    );
    assert!(
        wrong.starts_with("countersign: the folder ledger: bindings: entry 3: "),
        "{wrong}"
    );
    assert!(
        wrong.ends_with("The page says so, and shows only the entries before it.\n"),
        "{wrong}"
    );
    let items = items(&page(&stage));
    assert_eq!(
        (items.len(), &items[2]["report"]["ledger"]["standing"]),
        (3, &json!("fault"))
    );
}

#[test]
fn the_page_takes_the_place_of_a_file_but_of_nothing_else() {
    let (stage, _) = with_example();
    let out = stage.folder.path().join("report.html");
    fs::write(&out, "before").unwrap();
    assert_eq!(report(&stage, &["--records", "artifact"]).0, 0);
    assert!(page(&stage).starts_with("<!doctype html>"));
    fs::remove_file(&out).unwrap();
    std::os::unix::fs::symlink("/dev/null", &out).unwrap();
    let (exit, _, told) = report(&stage, &["--records", "artifact"]);
    assert_eq!(
        (exit, told.as_str()),
        (
            1,
            "countersign: `report.html` is there already and is no plain file\n"
        )
    );
    assert_eq!(fs::read_link(&out).unwrap(), Path::new("/dev/null"));
}

#[test]
fn the_documentation_lists_the_arguments() {
    let stage = Stage::without_ledger();
    let help = stage.command(&["report", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.md")).unwrap();
    let rows: String = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .collect();
    let option = regex::Regex::new("--[a-z][a-z-]+").unwrap();
    let found = |text: &str| {
        option
            .find_iter(text)
            .map(|found| found.as_str().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let mut told = found(&rows);
    told.insert("--help".into());
    // Help mentions options of its own alone.
    assert_eq!(told, found(&help));
}

#[test]
fn an_empty_ledger_is_told_as_such() {
    let stage = Stage::new();
    let (exit, told, wrong) = report(&stage, &[&stage.sim.git_dir().display().to_string()]);
    assert_eq!(
        (exit, told.as_str(), wrong.as_str()),
        (
            0,
            "report.html: 0 ledger entries, 0 audit records, 0 plans\n",
            ""
        )
    );
    assert_eq!(
        items(&page(&stage))[0]["report"]["ledger"]["standing"],
        "empty"
    );
}
