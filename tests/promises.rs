//! Every promise of the documentation names what shows it, and what it names is there and is about that.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

#[path = "promises/proof.rs"]
mod proof;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proof::{Proof, items, named, page, root};
use regex::Regex;

fn text(name: &str) -> String {
    page(name).unwrap()
}

/// A table: what its first row says, and the cells of the others.
struct Table {
    head: String,
    rows: Vec<Vec<String>>,
}

fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut before = "";
    for line in text.lines() {
        if line.starts_with('|') {
            if before.starts_with('|') {
                let cells = line
                    .trim_matches('|')
                    .split('|')
                    .map(|cell| cell.trim().to_owned())
                    .collect::<Vec<_>>();
                tables
                    .last_mut()
                    .unwrap()
                    .rows
                    .extend((!line.starts_with("|---")).then_some(cells));
            } else {
                tables.push(Table {
                    head: line.into(),
                    rows: Vec::new(),
                });
            }
        }
        before = line;
    }
    tables
}

/// A section, from its heading to the next of the same rank.
fn section(name: &str, heading: &str) -> String {
    let page = text(name);
    let rest = page
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("{name} has no section {heading}"))
        .1;
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The codes in the first column of the tables of a text, each once.
fn codes(text: &str) -> BTreeSet<String> {
    let code = Regex::new(r"^`([a-z_0-9]+)`$").unwrap();
    tables(text)
        .into_iter()
        .flat_map(|table| table.rows)
        .filter_map(|row| Some(code.captures(&row[0])?[1].to_owned()))
        .collect()
}

/// The assumptions that a cell names.
fn assumed(cell: &str) -> BTreeSet<String> {
    Regex::new(r"(?-u:\b)A[0-9]+(?-u:\b)")
        .unwrap()
        .find_iter(cell)
        .map(|found| found.as_str().to_owned())
        .collect()
}

fn assumptions() -> BTreeSet<String> {
    tables(&section("docs/threat-model.md", "Assumptions"))
        .remove(0)
        .rows
        .into_iter()
        .map(|row| row[0].clone())
        .collect()
}

/// What is wrong with a row: one proof at least, each in its place and about the code; or nothing but known assumptions, where these do.
fn faults(cell: &str, code: Option<&str>, assumptions_do: bool) -> Vec<String> {
    let (proofs, assumed) = (named(cell), assumed(cell));
    let mut faults: Vec<String> = proofs
        .iter()
        .filter_map(|proof| proof.holds(code).err())
        .collect();
    faults
        .extend((!proof::is_read(cell)).then(|| "some of it is not written as proofs are".into()));
    faults.extend(
        assumed
            .difference(&assumptions())
            .map(|unknown| format!("{unknown} is no assumption")),
    );
    let is_assumed = assumptions_do && !assumed.is_empty();
    if proofs.is_empty() && !is_assumed {
        faults.push("nothing shows it".into());
    }
    faults
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} promise(s) without a proof:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_code_is_shown_by_what_asserts_it() {
    let page = section("docs/assurance.md", "Codes");
    assert_eq!(codes(&page), codes(&text("docs/refusals.md")));
    let mut found = Vec::new();
    for row in tables(&page).iter().flat_map(|table| &table.rows) {
        let code = row[0].trim_matches('`');
        found.extend(
            faults(&row[1], Some(code), false)
                .into_iter()
                .map(|fault| format!("{code}: {fault}")),
        );
    }
    none(&found);
}

/// Refusals are held against their page by `tests/refusals.rs`; these are the codes of failures.
#[test]
fn every_code_of_a_failure_is_explained() {
    let code = Regex::new(
        r#"(?:Setback::fault|Complaint::new|\.interrupt|\.interrupted)\([ \n]*"([a-z_]+)"|code: (?:Some\()?"([a-z_]+_[a-z_]+)""#,
    );
    let (code, explained, mut failures) = (
        code.unwrap(),
        codes(&text("docs/refusals.md")),
        BTreeSet::new(),
    );
    for (path, source) in sources(&root().join("src")) {
        // A plan's warnings and reasons are told in docs/plan.md.
        let product = source
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        if !path.contains("planner") {
            failures.extend(code.captures_iter(product).map(|found| {
                found
                    .get(1)
                    .or_else(|| found.get(2))
                    .unwrap()
                    .as_str()
                    .to_owned()
            }));
        }
    }
    let trouble = items(&text("src/github/trouble.rs"))
        .into_iter()
        .find(|item| item.name == "code")
        .unwrap();
    let arm = Regex::new(r#"=> "([a-z_]+)""#).unwrap();
    failures.extend(
        arm.captures_iter(&trouble.text)
            .map(|found| found[1].to_owned()),
    );
    assert!(failures.len() > 20, "{failures:?}");
    assert_eq!(
        failures.difference(&explained).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((
                path.display().to_string(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    found
}

#[test]
fn every_invariant_names_its_guard() {
    let file = Regex::new(r"`([a-z][A-Za-z0-9_./-]+\.(?:rs|mjs|py))`").unwrap();
    let rows = tables(&section("ARCHITECTURE.md", "Invariants"))
        .remove(0)
        .rows;
    let mut found = Vec::new();
    for row in &rows {
        let missing = file
            .captures_iter(&row[1])
            .filter_map(|named| page(&named[1]).err());
        found.extend(
            faults(&row[1], None, false)
                .into_iter()
                .chain(missing)
                .map(|fault| format!("no {}: {fault}", row[0])),
        );
    }
    assert!(rows.len() > 30, "{}", rows.len());
    none(&found);
}

/// The sentences of a section, one line each, links by their words.
fn sentences(section: &str) -> Vec<String> {
    let link = Regex::new(r"\[([^\]]+)\]\([^)]+\)").unwrap();
    let end = Regex::new(r"([.:;]) ([A-Z])").unwrap();
    let blocks = section.replace("\n- ", "\n\n");
    let blocks = blocks
        .split("\n\n")
        .map(|block| block.split_whitespace().collect::<Vec<_>>().join(" "));
    let plain = blocks.map(|block| link.replace_all(&block, "$1").into_owned());
    let lines = plain
        .map(|block| end.replace_all(&block, "$1\n$2").into_owned())
        .collect::<Vec<_>>()
        .join("\n");
    lines
        .lines()
        .filter(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn every_sentence_about_security_has_its_row() {
    let rows = tables(&section("docs/assurance.md", "What the README promises"))
        .remove(0)
        .rows;
    let told: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        told,
        sentences(&section(
            "README.md",
            "What it protects against, and what not"
        ))
    );
    let promises = rows.iter().filter(|row| row[1] != "advice");
    let found = promises.flat_map(|row| {
        faults(&row[1], None, true)
            .into_iter()
            .map(|fault| format!("{}: {fault}", row[0]))
    });
    none(&found.collect::<Vec<_>>());
}

/// The rows that say what comes of an attempt.
fn attempts() -> Vec<Vec<String>> {
    let known = ["| word |", "| asset |", "| who |", "| assumption |"];
    let rows = tables(&text("docs/threat-model.md"))
        .into_iter()
        .filter(|table| !known.iter().any(|head| table.head.starts_with(head)));
    rows.flat_map(|table| {
        assert_eq!(
            table.head,
            "| what they try | what comes of it | how | shown by |"
        );
        table.rows
    })
    .collect()
}

#[test]
fn every_row_of_the_threat_model_names_what_shows_it() {
    let mut found = Vec::new();
    for row in attempts() {
        let comes = |word: &str| row[1].contains(word);
        let mut wrong = faults(&row[3], None, true);
        if (comes("**stopped**") || comes("**detected**")) && named(&row[3]).is_empty() {
            wrong.push("nothing but an assumption shows what is stopped or detected".into());
        }
        if comes("**out of reach**") && assumed(&row[3]).is_empty() {
            wrong.push("what is out of reach rests on no assumption".into());
        }
        if !["**stopped**", "**detected**", "**out of reach**"]
            .into_iter()
            .any(comes)
        {
            wrong.push("it does not say what comes of it".into());
        }
        found.extend(
            wrong
                .into_iter()
                .map(|fault| format!("{}: {fault}", row[0])),
        );
    }
    none(&found);
}

#[test]
fn every_assumption_is_used() {
    let used: BTreeSet<String> = attempts().iter().flat_map(|row| assumed(&row[3])).collect();
    assert_eq!(used, assumptions());
}

/// A check that cannot fail shows nothing.
#[test]
fn a_row_that_names_nothing_or_another_thing_is_found() {
    let test = |name: &str, file: &str| format!("`{name}` in `{file}`");
    let cases = BTreeMap::from([
        (
            test("a_replay_in_the_same_run_is_detected", "tests/refusals.rs"),
            None,
        ),
        (
            test("a_refusal_writes_nothing_to_github", "tests/refusals.rs"),
            None,
        ),
        (
            test(
                "killed_after_the_outcome_attempt_2_is_refused",
                "tests/ledger.rs",
            ),
            None,
        ),
        ("none yet".into(), Some("nothing shows it")),
        ("A1".into(), Some("nothing shows it")),
        ("A99".into(), Some("A99 is no assumption")),
        (
            test("a_replay_in_the_same_run_is_detected", "tests/nowhere.rs"),
            Some("tests/nowhere.rs: "),
        ),
        (
            test("a_replay_is_detected", "tests/refusals.rs"),
            Some("tests/refusals.rs has no `a_replay_is_detected`"),
        ),
        (
            test("needs_a_receipt", "tests/refusals.rs"),
            Some("`needs_a_receipt` in tests/refusals.rs is no test"),
        ),
        (
            test("a_release_needs_a_receipt", "tests/refusals.rs"),
            Some(
                "`a_release_needs_a_receipt` in tests/refusals.rs never says \"receipt_consumed\"",
            ),
        ),
        // The product's own table of codes is no test.
        (
            test("every_answer_falls_into_one_class", "src/github/trouble.rs"),
            Some(
                "`every_answer_falls_into_one_class` in src/github/trouble.rs never says \"receipt_consumed\"",
            ),
        ),
        (
            "attack \"the receipt is used twice in one run\"".into(),
            None,
        ),
        ("attack \"a used receipt's state is set free\"".into(), None),
        (
            "attack \"nobody ever did this\"".into(),
            Some("there is no attack \"nobody ever did this\""),
        ),
        (
            "attack \"the tag's message is changed\"".into(),
            Some("attack \"the tag's message is changed\" never says \"receipt_consumed\""),
        ),
        (
            "attack \"two files change names\"".into(),
            Some("attack \"two files change names\" never says \"receipt_consumed\""),
        ),
        (
            "check \"nothing\" in `tests/outside/github/emulate.mjs`".into(),
            Some("tests/outside/github/emulate.mjs has no check \"nothing\""),
        ),
        (
            "`a test in words` in `tests/refusals.rs`".into(),
            Some("some of it is not written as proofs are"),
        ),
        (
            "step `scripts/nothing` in `.ci/run`".into(),
            Some(".ci/run does not run `scripts/nothing`"),
        ),
    ]);
    for (cell, expected) in cases {
        let found = faults(&cell, Some("receipt_consumed"), false);
        match expected {
            None => assert_eq!(found, Vec::<String>::new(), "{cell}"),
            Some(fault) => assert!(
                found.first().is_some_and(|found| found.starts_with(fault)),
                "{cell}: {found:?}"
            ),
        }
    }
    let verifies = |proof: &Proof| proof.holds(None).is_ok();
    assert!(
        named("step `scripts/check-dist` in `.ci/run`")
            .iter()
            .all(verifies)
    );
    assert_eq!(
        sentences("It is. It is not\nby a [link](x.md). So:\n- one;\n- two. Three.\n"),
        [
            "It is.",
            "It is not by a link.",
            "So:",
            "one;",
            "two.",
            "Three."
        ]
    );
}
