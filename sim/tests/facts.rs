//! The table of facts is complete: each row has a test or a reason, each doubt a probe, each switch
//! a row.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use countersign_sim::{Fact, Switch, Verdict};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/FACTS.md");

/// Where tests are: those of the simulator, of the product, and the unit tests next to its code.
const SOURCES: [&str; 3] = ["sim/tests", "tests", "src"];

/// The families of ids, with the heading of their table.
const FAMILIES: [(char, &str); 10] = [
    ('F', "What broke the product, or could"),
    ('U', "What was found wrong on a closer look"),
    ('R', "What recorded answers did to the product"),
    ('A', "What the product takes for granted"),
    ('B', "What became of the doubts about A and F"),
    ('M', "The least permission for a request"),
    ('S', "What recordings show"),
    ('N', "What no public recording shows"),
    ('C', "What public bug reports show"),
    ('L', "What following the ledger commit by commit relies on"),
];

/// Why some facts have no test here, and what covers them instead.
const OUTSIDE: &[(&str, &[Fact])] = &[
    (
        "GitHub's web pages and settings: the documentation says it",
        &[Fact::F5, Fact::B32, Fact::B33],
    ),
    (
        "no adequate source to imitate: a probe looks",
        &[
            Fact::F7,
            Fact::A28,
            Fact::B1,
            Fact::B15,
            Fact::B18,
            Fact::C5,
            Fact::N6,
            Fact::N9,
            Fact::N13,
            Fact::N14,
            Fact::N16,
            Fact::N17,
            Fact::N18,
            Fact::N19,
            Fact::N20,
        ],
    ),
    (
        "GitHub's speed and limits: a probe measures them",
        &[Fact::A6, Fact::B9, Fact::L4],
    ),
    (
        "tests/outside/github validates the documents against GitHub's schema",
        &[Fact::A1],
    ),
    (
        "tests/outside/github judges requests by the descriptions of Enterprise Server",
        &[Fact::A67, Fact::B35],
    ),
    (
        "tests/outside/github/recorded lists these members by name",
        &[Fact::S19],
    ),
    (
        "core/src/text.rs compares texts without line ends, and bounds titles",
        &[Fact::A33, Fact::B24],
    ),
    (
        "no workflow runs here by itself: GitHub's documentation promises it",
        &[Fact::A17],
    ),
    (
        "the product does not review deployments: GitHub's documentation says it",
        &[Fact::A45b, Fact::B16, Fact::B17, Fact::M9],
    ),
    (
        "the runner: tests/outside/runner runs action.yml",
        &[
            Fact::A49,
            Fact::A50,
            Fact::A51,
            Fact::A52,
            Fact::A54,
            Fact::A55,
            Fact::A57,
            Fact::A58,
            Fact::B30,
        ],
    ),
    (
        "the runner in container jobs, which README excludes",
        &[Fact::A53, Fact::B31],
    ),
    (
        "the runner's limits and signals: tests/surfaces.rs keeps to them",
        &[Fact::A59, Fact::A60],
    ),
    ("the kernel's limit: a probe looks", &[Fact::A56, Fact::B29]),
    (
        "other actions: tests/outside/lint looks at their pins",
        &[Fact::A61, Fact::A62],
    ),
    (
        "upload-artifact on Enterprise Server: the documentation says it",
        &[Fact::A63, Fact::B34],
    ),
];

const OPENING: &str = "\
# What is known of GitHub

This page is generated from `sim/src/facts.rs` by `BLESS_FACTS=1 cargo test -p countersign-sim --test facts`; do not edit it.
Each row is one fact about GitHub on which the product or this simulator relies, and a test names it by its id (`pins![F0]`).

| verdict | what it means |
|---|---|
| recorded | an exchange with the live service shows it |
| documented | GitHub's documentation, descriptions or published sources say it |
| inferred | independent clients depend on it, or it follows from recorded facts |
| unproven | no adequate source: the probe settles it |

A *switch* (`Simulator::turn_on`) changes the simulator's answer where GitHub's depends on server, plan, settings or replicas.
A *probe* is the part of `countersign rehearse` that comes nearest to the fact: it looks at it, or at something that depends on
it. Where a later row corrects an earlier one, the earlier one states the corrected fact and names the later one.
";

fn family(fact: Fact) -> char {
    fact.row().id.chars().next().unwrap()
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    for (letter, heading) in FAMILIES {
        write!(page, "\n## {heading}\n\n").unwrap();
        page.push_str(
            "| id | fact | verdict | source | switch | probe |\n|---|---|---|---|---|---|\n",
        );
        for fact in Fact::ALL.iter().filter(|fact| family(**fact) == letter) {
            page.push_str(&line(*fact));
        }
    }
    page
}

fn line(fact: Fact) -> String {
    let row = fact.row();
    let switches: Vec<&str> = row.switches.iter().map(|switch| switch.as_str()).collect();
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        row.id,
        row.statement.replace('|', "\\|"),
        row.verdict.as_str(),
        row.source.replace('|', "\\|"),
        switches.join(", "),
        row.probe.unwrap_or_default(),
    )
}

#[test]
fn facts_md_shows_the_table() {
    if std::env::var_os("BLESS_FACTS").is_some() {
        fs::write(PAGE, page()).unwrap();
    }
    assert_eq!(fs::read_to_string(PAGE).unwrap(), page());
}

#[test]
fn every_family_is_numbered_without_gaps() {
    let counts = [
        ('F', 10),
        ('U', 7),
        ('R', 8),
        ('A', 76),
        ('B', 35),
        ('M', 11),
        ('S', 20),
        ('N', 20),
        ('C', 6),
        ('L', 11),
    ];
    for (letter, count) in counts {
        let found = Fact::ALL.iter().filter(|fact| family(**fact) == letter);
        assert_eq!((letter, found.count()), (letter, count));
    }
    assert_eq!(
        Fact::ALL.len(),
        counts.iter().map(|(_, count)| count).sum::<usize>()
    );
}

#[test]
fn what_is_unproven_has_a_probe() {
    let left: Vec<Fact> = Fact::ALL
        .iter()
        .copied()
        .filter(|fact| fact.row().verdict == Verdict::Unproven && fact.row().probe.is_none())
        .collect();
    assert_eq!(left, []);
}

#[test]
fn every_switch_changes_a_fact_and_has_a_probe() {
    for switch in Switch::ALL {
        let row = Fact::ALL
            .iter()
            .map(|fact| fact.row())
            .find(|row| row.switches.contains(switch));
        assert!(row.is_some_and(|row| row.probe.is_some()), "{switch:?}");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What a source names outside of comments: `Fact::F0`, and the list of `pins![F0, F1]`.
fn named(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let after = |mark: &str, end: fn(char) -> bool| -> Vec<String> {
        let found = code.split(mark).skip(1);
        let found = found.filter_map(|rest| rest.split(end).next());
        found.map(str::to_owned).collect()
    };
    let lists = after("pins![", |letter| letter == ']');
    let listed = lists.iter().flat_map(|list| list.split(','));
    let single = after("Fact::", |letter| !letter.is_ascii_alphanumeric());
    single
        .into_iter()
        .chain(listed.map(|id| id.trim().to_owned()))
        .collect()
}

#[test]
fn every_fact_has_a_test_or_a_reason_why_it_has_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in SOURCES {
        sources(&root.join(folder), &mut files);
    }
    files.retain(|file| !file.ends_with("sim/tests/facts.rs"));
    let tested: BTreeSet<String> = files
        .iter()
        .flat_map(|file| named(&fs::read_to_string(file).unwrap()))
        .collect();
    let listed = OUTSIDE.iter().flat_map(|(_, facts)| *facts);
    let reasons: BTreeSet<&str> = listed.map(|fact| fact.row().id).collect();

    let ids = || Fact::ALL.iter().map(|fact| fact.row().id);
    let untested: Vec<&str> = ids()
        .filter(|id| !tested.contains(*id) && !reasons.contains(id))
        .collect();
    assert_eq!(untested, Vec::<&str>::new(), "no test names these facts");
    let twice: Vec<&str> = ids()
        .filter(|id| tested.contains(*id) && reasons.contains(id))
        .collect();
    assert_eq!(twice, Vec::<&str>::new(), "these have a test after all");
}
