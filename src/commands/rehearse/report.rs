//! What a rehearsal found, as a document for a bug report.

use countersign_core::{
    name::Login,
    rehearsal::{Probed, Rehearsal, Verdict},
    text::excerpt,
    timestamp::Timestamp,
};

use super::{
    facts::settled_by,
    finding::Finding,
    stage::Stage,
    table::{Need, Probe, table},
};
use crate::log::harmless;

/// Characters of a finding in the report.
const MAX_FOUND: usize = 1_000;
/// Stands for a name of the owner's in a redacted report.
const REDACTED: &str = "REDACTED";

/// A probe and what it found.
pub(super) struct Tried {
    pub(super) probe: &'static Probe,
    pub(super) finding: Finding,
}

/// How a rehearsal went.
pub(super) struct Outcome<'a> {
    /// The probes that were asked for.
    pub(super) chosen: &'a [&'static Probe],
    /// Those that were reached.
    pub(super) tried: &'a [Tried],
    /// The signal that ended it early.
    pub(super) signal: Option<&'a str>,
    /// What could not be removed.
    pub(super) left_behind: &'a [String],
}

impl Outcome<'_> {
    pub(super) fn is_chosen(&self, id: &str) -> bool {
        self.chosen.iter().any(|probe| probe.id == id)
    }
}

/// Names that a redacted report does not hold.
pub(super) struct Names {
    names: Vec<String>,
    redact: bool,
}

impl Names {
    pub(super) fn of(stage: &Stage<'_>, redact: bool) -> Self {
        let (owner, name) = stage.scratch.repository().parts();
        let variables = ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"];
        let actors = variables
            .iter()
            .filter_map(|name| stage.environment.get(name));
        let reviewer = stage.reviewer.as_ref().map(Login::as_str);
        let mut names: Vec<String> = [owner, name]
            .into_iter()
            .chain(actors)
            .chain(reviewer)
            .map(str::to_ascii_lowercase)
            .collect();
        // A longer name may hold a shorter one.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { names, redact }
    }

    fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        if self.redact {
            for name in &self.names {
                shown = without(&shown, name);
            }
        }
        shown
    }
}

/// The text without a name, in whatever letters, where it is a word of its own.
fn without(text: &str, name: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let is_inside = |sign: Option<char>| {
        sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '-' || sign == '_')
    };
    let (mut shown, mut done) = (String::new(), 0);
    for (start, _) in lower.match_indices(name) {
        let end = start + name.len();
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        if is_inside(before) || is_inside(after) {
            continue;
        }
        shown.push_str(&text[done..start]);
        shown.push_str(REDACTED);
        done = end;
    }
    shown + &text[done..]
}

/// The document. Probes that were not reached or not asked for are in it too.
pub(super) fn rehearsal(
    stage: &Stage<'_>,
    outcome: &Outcome<'_>,
    started_at: Timestamp,
    names: &Names,
) -> Rehearsal {
    let probes = table().map(|probe| {
        let finding = outcome
            .tried
            .iter()
            .find(|tried| tried.probe.id == probe.id)
            .map(|tried| &tried.finding);
        let not_reached = match outcome.signal {
            Some(signal) if outcome.is_chosen(probe.id) => format!("interrupted by {signal}"),
            _ => "not asked for".into(),
        };
        probed(stage, probe, finding, &not_reached, names)
    });
    Rehearsal {
        repository: names.hide(&stage.scratch.repository().to_string()),
        private: stage.scratch.is_private(),
        server: names.hide(&stage.github.host()),
        started_at,
        completed_at: (stage.clock)(),
        probes: probes.collect(),
        left_behind: outcome
            .left_behind
            .iter()
            .map(|left| names.hide(left))
            .collect(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn probed(
    stage: &Stage<'_>,
    probe: &Probe,
    finding: Option<&Finding>,
    not_reached: &str,
    names: &Names,
) -> Probed {
    let exchange = finding.and_then(|finding| finding.exchange.as_ref());
    let found = finding.map_or(not_reached, |finding| &finding.found);
    let request_id = exchange.and_then(|exchange| exchange.request_id());
    Probed {
        id: probe.id,
        expected: probe.expected,
        found: names.hide(&excerpt(&harmless(found), MAX_FOUND)),
        verdict: finding.map_or(Verdict::NotTried, |finding| finding.verdict),
        ms: exchange.map(|exchange| stage.pace.thousandths(exchange.elapsed)),
        request_id: request_id.filter(|_| !names.redact).map(Into::into),
        status: exchange.map(|exchange| exchange.status),
        headers: finding.map_or(Vec::new(), Finding::headers),
        facts: settled_by(probe.id).to_vec(),
    }
}

/// A row of `--list`.
pub(super) fn row(probe: &Probe) -> String {
    let needs: Vec<&str> = probe.needs.iter().map(|need| Need::as_str(*need)).collect();
    let needs = if needs.is_empty() {
        "-".into()
    } else {
        needs.join(", ")
    };
    format!(
        "{:<23} {:<9} {:>3}  {} [{}]",
        probe.id,
        needs,
        probe.writes,
        probe.expected,
        settled_by(probe.id).join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hidden_where_it_is_a_word_of_its_own() {
        for (text, shown) in [
            ("octo/hello", "REDACTED/hello"),
            (
                "A pull request already exists for Octo:x.",
                "A pull request already exists for REDACTED:x.",
            ),
            (
                "octopus, octo-org and octo_x",
                "octopus, octo-org and octo_x",
            ),
            ("", ""),
        ] {
            assert_eq!(without(text, "octo"), shown);
        }
    }
}
