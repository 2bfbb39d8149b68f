//! The table of facts is whole: each doubt has a probe, each switch a row.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{fmt::Write as _, fs};

use countersign_sim::{Fact, Switch, Verdict};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/FACTS.md");

/// The families of ids, with the heading of their table.
const FAMILIES: [(char, &str); 9] = [
    ('F', "What broke the product, or could"),
    ('U', "What was found wrong on a closer look"),
    ('R', "What recorded answers did to the product"),
    ('A', "What the product takes for granted"),
    ('B', "What became of the doubts about A and F"),
    ('M', "The least permission for a request"),
    ('S', "What recordings show"),
    ('N', "What no public recording shows"),
    ('C', "What public bug reports show"),
];

const OPENING: &str = "\
# What is known of GitHub

This page is generated from `sim/src/facts.rs` by `BLESS_FACTS=1 cargo test -p countersign-sim --test facts`; do not edit it.
Each row is one fact about GitHub on which the product or this simulator relies, and a test names it by its id (`Fact::F0`).

| verdict | what it means |
|---|---|
| recorded | an exchange with the live service shows it |
| documented | GitHub's documentation, descriptions or published sources say it |
| inferred | independent clients depend on it, or it follows from recorded facts |
| unproven | no adequate source: the probe settles it |

A *switch* (`Simulator::turn_on`) changes the simulator's answer where GitHub's depends on server, plan, settings or replicas.
A *probe* is what `countersign rehearse` does to look for the fact on the real service. Where a later row corrects an
earlier one, the earlier one states the corrected fact and names the later one.
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
        ('A', 74),
        ('B', 35),
        ('M', 11),
        ('S', 20),
        ('N', 20),
        ('C', 6),
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
