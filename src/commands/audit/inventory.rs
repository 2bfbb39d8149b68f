//! What the repository holds: asked at GitHub, or read from a clone, which has tags alone.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use countersign_core::{
    audit::LedgerRecord,
    name::Repository,
    operation::Operation,
    reconcile::{Book, Code, Finding, Found, Subject},
    timestamp::Timestamp,
};

use crate::{
    Environment,
    commands::{github, ledger::Source, told},
    github::{LedgerRules, WantedPulls},
};

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) since: Timestamp,
    pub(super) pulls_by: &'a BTreeSet<String>,
    pub(super) book: &'a Book,
}

/// What there is, and what that shows by itself.
pub(super) struct Looked {
    pub(super) found: Found,
    pub(super) findings: Vec<Finding>,
    pub(super) left_out: Vec<&'static str>,
}

pub(super) async fn on_github(
    repository: &Repository,
    wanted: &Wanted<'_>,
    environment: &Environment,
) -> Result<Looked> {
    let github = github(environment)?;
    let rules = github
        .ledger_rules(repository)
        .await
        .map_err(|trouble| told(&trouble))?;
    let tags = github
        .tags(repository)
        .await
        .map_err(|trouble| told(&trouble))?;
    let releases = github
        .releases(repository, &tags)
        .await
        .map_err(|trouble| told(&trouble))?;
    let (numbers, branches) = pulls_of(wanted.book, wanted.since);
    let pulls = WantedPulls {
        since: wanted.since,
        by: wanted.pulls_by,
        numbers: &numbers,
        branches: &branches,
    };
    let pulls = github
        .pulls(repository, &pulls)
        .await
        .map_err(|trouble| told(&trouble))?;
    let found = Found {
        releases: Some(releases),
        tags,
        pulls: Some(pulls),
    };
    let mut left_out = Vec::new();
    let rules = match rules {
        LedgerRules::Shown(rules) => Some(rules),
        LedgerRules::NotByThisServer => {
            left_out.push("the rules that guard the ledger: this server does not show them");
            None
        }
        LedgerRules::NotOnThisPlan => {
            left_out.push("the rules that guard the ledger: rulesets need a paid plan here, or a public repository");
            None
        }
    };
    if !found.shows_drafts() && wanted.book.allows_drafts() {
        left_out.push("approved drafts: GitHub lists no draft; it shows them only to a token that may write contents");
    }
    Ok(Looked {
        found,
        findings: unprotected(rules),
        left_out,
    })
}

pub(super) fn in_clone(source: &Source) -> Result<Looked> {
    let tags = source.tags().context(
        "this is a folder with the ledger's files alone; give the clone that holds the tags too",
    )??;
    Ok(Looked {
        found: Found {
            releases: None,
            tags,
            pulls: None,
        },
        findings: Vec::new(),
        left_out: vec![
            "releases, pull requests and the rules that guard the ledger: a clone does not hold them; use --repository",
        ],
    })
}

/// The pull requests that the ledger names, and the branches of those whose numbers it does not know.
fn pulls_of(book: &Book, since: Timestamp) -> (BTreeSet<u64>, BTreeSet<String>) {
    let (mut numbers, mut branches) = (BTreeSet::new(), BTreeSet::new());
    for spent in book.spent().filter(|spent| spent.claimed_at >= since) {
        let Operation::OpenPr(pull) = &spent.operation else {
            continue;
        };
        match spent.answer().and_then(|answer| answer.pull_number) {
            Some(number) => numbers.insert(number),
            None => branches.insert(pull.head_branch.as_str().to_owned()),
        };
    }
    (numbers, branches)
}

fn unprotected(rules: Option<Vec<String>>) -> Vec<Finding> {
    let missing = LedgerRecord {
        rules,
        ..LedgerRecord::default()
    }
    .unprotected_against();
    if missing.is_empty() {
        return Vec::new();
    }
    let problem = format!("no rule forbids: {}", missing.join(", "));
    vec![Finding::new(
        Code::LedgerUnprotected,
        Subject::ledger(),
        None,
        problem,
    )]
}
