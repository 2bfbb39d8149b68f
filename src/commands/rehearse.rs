//! `countersign rehearse`: tries on a scratch repository what the product relies on, and removes what it made.

mod facts;
mod finding;
mod pace;
mod probes;
mod report;
mod stage;
mod table;

use std::{
    cell::{Cell, OnceCell, RefCell},
    fs::File,
    io::Write as _,
};

use anyhow::{Context as _, Result, bail, ensure};
use ed25519_dalek::SigningKey;

use countersign_core::{
    document::to_json_line,
    name::Repository,
    rehearsal::{Rehearsal, Verdict},
};

use self::{
    finding::Finding,
    pace::{MAX_WRITES, Pace, minutes},
    report::{Names, Tried},
    stage::Stage,
    table::{Need, Probe, Way, table},
};
use super::{github, guard::told_to_stop, print, signing::agreed, tell, told};
use crate::{
    Clock, Environment, cli::RehearseArguments, exit::Exit, github::Scratch, log::harmless, random,
};

pub(crate) async fn run(
    arguments: &RehearseArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let chosen = chosen(&arguments.probe)?;
    if arguments.list {
        return list(&chosen);
    }
    let repository = named(arguments)?;
    let github = github(environment)?;
    let examined = github
        .examine(repository, arguments.really.is_some())
        .await
        .map_err(|trouble| told(&trouble))?;
    let scratch = match examined {
        Ok(scratch) => scratch,
        Err(used) => {
            tell(&harmless(&format!(
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

/// The repository; `--really` must name the same one.
fn named(arguments: &RehearseArguments) -> Result<&Repository> {
    let repository = arguments
        .repository
        .as_ref()
        .context("--repository is missing: which repository is there to be tried out on?")?;
    ensure!(
        arguments
            .really
            .as_ref()
            .is_none_or(|really| really == repository),
        "--really must repeat the name of --repository, {repository}"
    );
    Ok(repository)
}

/// Says what will be made, and asks.
fn is_wanted(stage: &Stage<'_>, chosen: &[&Probe], yes: bool) -> Result<bool> {
    let writes = planned_writes(stage, chosen);
    ensure!(
        writes <= MAX_WRITES || stage.heavy,
        "that would be {writes} content writes; more than {MAX_WRITES} only with --heavy"
    );
    tell(&announcement(stage, writes));
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
    let rehearsal = report::rehearsal(stage, &tried, started_at, &left_behind, signal, &names);
    print(&report::page(&rehearsal, &tried))?;
    if let Some(mut out) = out {
        out.write_all(&to_json_line(&rehearsal))
            .context("the report cannot be written")?;
    }
    Ok(exit(&rehearsal, signal))
}

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

/// The probes that were asked for; without any, all of them.
fn chosen(ids: &[String]) -> Result<Vec<&'static Probe>> {
    if let Some(id) = ids
        .iter()
        .find(|id| !table().any(|probe| probe.id == id.as_str()))
    {
        bail!("there is no probe `{id}`; `countersign rehearse --list` shows them all");
    }
    let is_chosen = |probe: &&Probe| ids.is_empty() || ids.iter().any(|id| id == probe.id);
    Ok(table().filter(is_chosen).collect())
}

fn list(chosen: &[&Probe]) -> Result<Exit> {
    for probe in chosen {
        print(&report::row(probe))?;
    }
    Ok(Exit::Success)
}

/// What a probe needs and is not there.
fn missing(stage: &Stage<'_>, probe: &Probe) -> Option<Need> {
    probe.needs.iter().copied().find(|need| !stage.has(*need))
}

fn planned_writes(stage: &Stage<'_>, chosen: &[&Probe]) -> usize {
    let asked = chosen
        .iter()
        .filter(|probe| missing(stage, probe).is_none());
    asked.map(|probe| probe.writes).sum()
}

fn announcement(stage: &Stage<'_>, writes: usize) -> String {
    let scratch: &Scratch = stage.scratch;
    let visible = if scratch.is_private() {
        "private"
    } else {
        "public"
    };
    let ledger = if scratch.has_ledger() {
        "It has the branch receipt-ledger, which is left alone: no whole operation is tried."
    } else {
        "For whole operations it makes the branch receipt-ledger too, and removes it."
    };
    format!(
        "A rehearsal on {} ({visible}).\n\
         It makes at most {writes} content writes, at most 60 in a minute, so it lasts {} minute(s) or more.\n\
         What it makes is called {}…: branches, tags, releases with files, pull requests, a label, rulesets, a protection of a branch, a comment on a commit.\n\
         {ledger}\n\
         All of it is removed at the end; pull requests can only be closed.",
        scratch.repository(),
        minutes(writes),
        stage.name("")
    )
}

async fn try_all(stage: &Stage<'_>, chosen: &[&'static Probe], tried: &RefCell<Vec<Tried>>) {
    for (number, probe) in chosen.iter().enumerate() {
        tell(&format!(
            "{}/{} {} ({} content writes so far)",
            number + 1,
            chosen.len(),
            probe.id,
            stage.pace.written()
        ));
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
        tell(&harmless(&format!("countersign: left behind: {left}")));
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
