//! What a rehearsal found, as a page for people: a line per probe, and what to do about it.

use std::collections::BTreeSet;

use countersign_core::rehearsal::{Probed, Rehearsal, Verdict};

use super::{
    report::Outcome,
    table::{Feature, Probe, table},
};
use crate::{cli::RehearseArguments, commands::Row};

/// The table: what differs with what was expected and what that means, everything else in a line.
/// Then the counts, and what to do.
pub(super) fn page(
    rehearsal: &Rehearsal,
    outcome: &Outcome<'_>,
    arguments: &RehearseArguments,
) -> Vec<Row> {
    let is_chosen = |probed: &&Probed| outcome.is_chosen(probed.id);
    let shown: Vec<&Probed> = rehearsal.probes.iter().filter(is_chosen).collect();
    let mut rows: Vec<Row> = shown.iter().flat_map(|probed| about(probed)).collect();

    let count = |verdict: Verdict| {
        let of_it = shown.iter().filter(|probed| probed.verdict == verdict);
        of_it.count()
    };
    let counts = [Verdict::Holds, Verdict::Differs, Verdict::NotTried]
        .map(|verdict| format!("{} {}", count(verdict), verdict.as_str()));

    let differing: Vec<&Probe> = shown
        .iter()
        .filter(|probed| probed.verdict == Verdict::Differs)
        .filter_map(|probed| probe(probed.id))
        .collect();
    let mut advice = advice(&differing, outcome, arguments);
    if outcome.signal.is_none() && count(Verdict::NotTried) > 0 {
        advice.push("What is not tried needs what its line names.".into());
    }
    rows.extend([
        Row::blank(),
        Row::words(counts.join(", ")),
        Row::blank(),
        Row::words(format!("What to do: {}", advice.join(" "))),
    ]);
    rows
}

fn about(probed: &Probed) -> Vec<Row> {
    let mut rows = vec![row(probed.verdict.as_str(), probed.id, &probed.found)];
    if probed.verdict == Verdict::Differs {
        let meaning = probe(probed.id).map_or("", |probe| probe.meaning);
        rows.push(row("expected", "", probed.expected));
        rows.push(row("meaning", "", meaning));
    }
    rows
}

fn row(verdict: &str, id: &str, text: &str) -> Row {
    Row::new(format!("{verdict:<10} {id:<23} "), text)
}

fn probe(id: &str) -> Option<&'static Probe> {
    table().find(|probe| probe.id == id)
}

/// What to do, in sentences.
fn advice(
    differing: &[&Probe],
    outcome: &Outcome<'_>,
    arguments: &RehearseArguments,
) -> Vec<String> {
    let mut sentences = Vec::new();
    if differing.is_empty() {
        sentences.push("Nothing differs, as far as it was tried.".into());
    } else {
        sentences.push(avoid(differing));
        sentences.push(send(arguments).into());
    }
    if let Some(signal) = outcome.signal {
        sentences.push(format!(
            "The rehearsal was interrupted by {signal}: run it again for what is not tried."
        ));
    }
    if !outcome.left_behind.is_empty() {
        sentences.push("Remove by hand what is listed as left behind.".into());
    }
    sentences
}

/// Which features not to use until the difference is settled.
fn avoid(differing: &[&Probe]) -> String {
    let affected: BTreeSet<Feature> = differing.iter().map(|probe| probe.affects).collect();
    if affected.contains(&Feature::Everything) {
        return "Do not rely on Countersign on this server until that is settled.".into();
    }
    let names: Vec<&str> = affected
        .iter()
        .filter_map(|feature| feature.as_str())
        .collect();
    if names.is_empty() {
        return "No feature has to be avoided for that.".into();
    }
    format!(
        "Until that is settled, do without {} on this server.",
        names.join(", ")
    )
}

/// How the findings become a bug report.
const fn send(arguments: &RehearseArguments) -> &'static str {
    match (&arguments.out, arguments.redact) {
        (Some(_), true) => "Attach the file of --out to a bug report: it names nobody.",
        _ => {
            "Run it again with `--out rehearsal.json --redact`, and attach that file to a bug \
             report."
        }
    }
}
