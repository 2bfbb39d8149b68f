//! `countersign rehearse`: tries on a scratch repository what the product relies on, and removes what it made.

mod announcement;
mod facts;
mod finding;
mod pace;
mod page;
mod probes;
mod report;
mod stage;
mod table;

use std::{
    cell::{Cell, OnceCell, RefCell},
    fs::File,
    io::Write as _,
};

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::SigningKey;

use countersign_core::{
    document::to_json_line,
    name::Repository,
    rehearsal::{Rehearsal, Verdict},
};

use self::{
    announcement::writes,
    finding::Finding,
    pace::{MAX_WRITES, Pace},
    report::{Names, Outcome, Tried},
    stage::Stage,
    table::{Need, Probe, Way, table},
};
use super::{Row, github, guard::told_to_stop, print, signing::agreed, tell, told};
use crate::{Clock, Environment, cli::RehearseArguments, exit::Exit, random};

pub(crate) async fn run(
    arguments: &RehearseArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let chosen = chosen(&arguments.probe);
    if arguments.list {
        return list(&chosen);
    }
    let Some(repository) = named(arguments)? else {
        return Ok(Exit::Usage);
    };
    let github = github(environment)?;
    let examined = github
        .examine(repository, arguments.really.is_some())
        .await
        .map_err(|trouble| told(&trouble))?;
    let scratch = match examined {
        Ok(scratch) => scratch,
        Err(used) => {
            tell(Row::words(format!(
                "countersign: {used}. Nothing was written. Use a new repository with nothing but a first commit, or add `--really {repository}` if this one is there to be tried out on."
            )));
            return Ok(Exit::Refused);
        }
    };
    let stage = Stage {
        github: &github,
        scratch: &scratch,
        environment,
        clock,
        pace: Pace::new(environment.tempo()),
        reviewer: arguments.reviewer.clone(),
        heavy: arguments.heavy,
        key: SigningKey::from_bytes(&random::bytes()),
        word: random::hex::<4>(),
        branches: OnceCell::new(),
        opened: Cell::new(None),
        has_begun_ledger: Cell::new(false),
    };
    if is_wanted(&stage, &chosen, arguments.yes)? {
        rehearse(&stage, &chosen, arguments).await
    } else {
        tell("Nothing was written. The answer was not `yes`.");
        Ok(Exit::Refused)
    }
}

/// The repository; `--really` must name the same one, or the command line is wrong.
fn named(arguments: &RehearseArguments) -> Result<Option<&Repository>> {
    let repository = arguments
        .repository
        .as_ref()
        .context("--repository is missing: which repository is there to be tried out on?")?;
    match &arguments.really {
        Some(really) if really != repository => {
            tell(Row::words(format!(
                "countersign: --really must repeat the name of --repository, {repository}, but \
                 names {really}"
            )));
            Ok(None)
        }
        _ => Ok(Some(repository)),
    }
}

/// Says what will be made, and asks.
fn is_wanted(stage: &Stage<'_>, chosen: &[&Probe], yes: bool) -> Result<bool> {
    let writes = planned_writes(stage, chosen);
    ensure!(
        writes <= MAX_WRITES || stage.heavy,
        "that would be {writes} content writes; more than {MAX_WRITES} only with --heavy"
    );
    tell(announcement::of(stage, writes));
    Ok(yes || agreed("Go on?")?)
}

/// Tries the probes, removes what they made, and reports.
async fn rehearse(
    stage: &Stage<'_>,
    chosen: &[&'static Probe],
    arguments: &RehearseArguments,
) -> Result<Exit> {
    // Before anything is made: a report that cannot be written must not be found out at the end.
    let out = arguments.out.as_ref().map(|path| {
        File::create(path).with_context(|| format!("`{}` cannot be written", path.display()))
    });
    let out = out.transpose()?;

    let started_at = (stage.clock)();
    let tried = RefCell::new(Vec::new());
    let signal = tokio::select! {
        biased;
        signal = told_to_stop() => Some(signal),
        () = try_all(stage, chosen, &tried) => None,
    };
    // Whoever only read has nothing to remove, and may not be allowed to list it.
    let left_behind = if stage.pace.written() == 0 {
        Vec::new()
    } else {
        clean_up(stage).await
    };

    let tried = tried.into_inner();
    let names = Names::of(stage, arguments.redact);
    let outcome = Outcome {
        chosen,
        tried: &tried,
        signal,
        left_behind: &left_behind,
    };
    let rehearsal = report::rehearsal(stage, &outcome, started_at, &names);
    print(page::page(&rehearsal, &outcome, arguments))?;
    if let Some(mut out) = out {
        out.write_all(&to_json_line(&rehearsal))
            .context("the report cannot be written")?;
    }
    Ok(exit(&rehearsal, signal))
}

/// What differs outweighs everything else: an interrupt or something left behind does not hide it,
/// and the page names those too.
fn exit(rehearsal: &Rehearsal, signal: Option<&str>) -> Exit {
    let differs = rehearsal
        .probes
        .iter()
        .any(|probed| probed.verdict == Verdict::Differs);
    if differs {
        Exit::Found
    } else if signal.is_some() || !rehearsal.left_behind.is_empty() {
        Exit::Failed
    } else {
        Exit::Success
    }
}

/// The id of a probe, for the command line.
pub(crate) fn probe_id(text: &str) -> Result<&'static str, String> {
    let found = table().find(|probe| probe.id == text);
    found.map(|probe| probe.id).ok_or_else(|| {
        format!("there is no probe `{text}`; `countersign rehearse --list` shows them all")
    })
}

/// The probes that were asked for; without any, all of them.
fn chosen(ids: &[&str]) -> Vec<&'static Probe> {
    let is_chosen = |probe: &&Probe| ids.is_empty() || ids.contains(&probe.id);
    table().filter(is_chosen).collect()
}

fn list(chosen: &[&Probe]) -> Result<Exit> {
    for probe in chosen {
        print(Row::words(report::row(probe)))?;
    }
    Ok(Exit::Success)
}

/// What a probe needs and is not there.
fn missing(stage: &Stage<'_>, probe: &Probe) -> Option<Need> {
    probe.needs.iter().copied().find(|need| !stage.has(*need))
}

/// Content writes at most. In an empty repository every other probe stops before its first one.
fn planned_writes(stage: &Stage<'_>, chosen: &[&Probe]) -> usize {
    let is_empty = stage.scratch.head().is_none();
    let asked = chosen.iter().filter(|probe| {
        let can_write = !is_empty || probe.needs.contains(&Need::Empty);
        can_write && missing(stage, probe).is_none()
    });
    asked.map(|probe| probe.writes).sum()
}

async fn try_all(stage: &Stage<'_>, chosen: &[&'static Probe], tried: &RefCell<Vec<Tried>>) {
    for (number, probe) in chosen.iter().enumerate() {
        tell(Row::words(format!(
            "{}/{} {} ({} so far)",
            number + 1,
            chosen.len(),
            probe.id,
            writes(stage.pace.written())
        )));
        let finding = match (missing(stage, probe), &probe.way) {
            (_, Way::ByHand(way)) => Finding::not_tried(&format!("needs by hand: {way}")),
            (Some(need), _) => Finding::not_tried(&format!("needs {}", need.missing())),
            (None, Way::Asks(ask)) => ask(stage).await.unwrap_or_else(Finding::from),
        };
        tried.borrow_mut().push(Tried { probe, finding });
    }
}

/// Removes everything; a second signal ends that too, and what is left is listed.
async fn clean_up(stage: &Stage<'_>) -> Vec<String> {
    tell("Removing what was made.");
    let mut left = tokio::select! {
        biased;
        signal = told_to_stop() => vec![format!("{signal} stopped the removal")],
        left = stage.github.remove_rehearsed(stage.scratch) => left,
    };
    left.sort_unstable();
    for left in &left {
        tell(Row::words(format!("countersign: left behind: {left}")));
    }
    left
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_probe_has_an_id_of_its_own() {
        let ids: BTreeSet<&str> = table().map(|probe| probe.id).collect();
        assert_eq!(ids.len(), table().count());
    }

    #[test]
    fn without_heavy_at_most_300_content_writes_are_made() {
        let light = table().filter(|probe| !probe.needs.contains(&Need::Heavy));
        let writes: usize = light.map(|probe| probe.writes).sum();
        assert!(writes <= MAX_WRITES, "{writes}");
    }
}
