//! Looks at the ledgers of a plan on the approver's behalf, because the plan says only what its job saw.
//!
//! A receipt is judged by everything that was recorded above the commit that it names. So that commit
//! is the one found here, never the one that the plan names.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use countersign_core::{
    ledger::{Checkpoint, Pair, Past},
    name::{CommitId, RepositoryId, RunId},
    plan::{Plan, PlannedOperation},
    refusal::Refusal,
    timestamp::Timestamp,
};

use super::heads::{Heads, Remembered, SeenHead};
use crate::{
    commands::{
        Row,
        signing::{is_asked_on_a_terminal, typed},
        tell, told,
    },
    github::{Extent, GitHub, LookedBack},
};

/// Shown for an operation, and asked about separately.
const NOT_KNOWN: &str = "whether this run did it already: not known";

/// What was found on the ledgers before anything is signed.
pub(super) struct Witness {
    heads: Heads,
    looks: BTreeMap<RepositoryId, Look>,
    run: RunId,
    /// When the run that the receipts are for started, if GitHub shows it.
    created_at: Option<Timestamp>,
}

struct Look {
    found: LookedBack,
    remembered: Option<Remembered>,
}

/// Something that a person must know before signing, and that only a person can answer.
struct Doubt {
    /// Both sides.
    about: String,
    question: String,
    answer: String,
}

impl Witness {
    /// Looks at the ledger of each repository of a plan. Refuses the plan if a ledger does not hold the
    /// commit that the plan's job claims to have seen.
    pub(super) async fn look(
        github: &GitHub,
        heads: Heads,
        plan: &Plan,
        created_at: Option<Timestamp>,
    ) -> Result<Result<Self, Refusal>> {
        let mut looks = BTreeMap::new();
        for planned in plan.operations() {
            let id = planned.operation().target().repository_id;
            if looks.contains_key(&id) {
                continue;
            }

            let remembered = heads.remembered(id)?;
            let past = to_be_found(plan, id, remembered.as_ref());
            let extent = Extent {
                whole: remembered.is_none(),
                since: created_at,
                past: &past,
            };
            let found = github.look_back(planned.operation(), &extent).await;
            let found = match found.map_err(|trouble| told(&trouble))? {
                Ok(found) => found,
                Err(refusal) => return Ok(Err(refusal)),
            };
            ensure!(
                found.target.repository_id == id,
                "the plan is for {}, but that repository's number is {} now",
                planned.operation().target(),
                found.target.repository_id
            );
            looks.insert(id, Look { found, remembered });
        }

        let witness = Self {
            heads,
            looks,
            run: plan.run_id.clone(),
            created_at,
        };
        Ok(witness.holds_what_the_plan_saw(plan).map(|()| witness))
    }

    fn holds_what_the_plan_saw(&self, plan: &Plan) -> Result<(), Refusal> {
        let mut operations = plan.operations().iter();
        operations.try_for_each(|planned| self.look_for(planned).holds(planned.ledger()))
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "there is a look for each operation of the plan"
    )]
    fn look_for(&self, planned: &PlannedOperation) -> &Look {
        &self.looks[&planned.operation().target().repository_id]
    }

    fn pair(&self, planned: &PlannedOperation) -> Pair {
        Pair {
            run: self.run.clone(),
            operation: planned.operation().digest(),
        }
    }

    /// The commit that a receipt for an operation names: the tip, or the one below its open claim.
    pub(super) fn checkpoint(&self, planned: &PlannedOperation) -> &Checkpoint {
        let tail = &self.look_for(planned).found.sound.tail;
        tail.checkpoint_for(&self.pair(planned))
    }

    /// What was looked at, ledger by ledger.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.looks.values().flat_map(Look::rows).collect()
    }

    /// What became of an operation according to the ledger, for the recap.
    pub(super) fn notes(&self, planned: &PlannedOperation) -> Vec<String> {
        let past = self.past(planned);
        let mut notes = match past {
            Past {
                done: Some(entry), ..
            } => {
                vec![format!(
                    "AGAIN: this run has done this already, entry {}",
                    entry.sequence
                )]
            }
            Past {
                failed: Some(entry),
                ..
            } => {
                vec![format!(
                    "AGAIN: this run has tried this and failed, entry {}",
                    entry.sequence
                )]
            }
            _ => Vec::new(),
        };
        if let Some(claim) = past.open {
            notes.push(format!(
                "OPEN: entry {} claims this and has no outcome; the receipt only lets that run go on",
                claim.sequence
            ));
        }
        if let Some(entry) = past.unreadable {
            notes.push(format!(
                "OPEN: entry {} is about this, and this version cannot read it",
                entry.sequence
            ));
        }
        if !self.is_known(planned) {
            notes.push(NOT_KNOWN.into());
        }
        notes
    }

    fn past(&self, planned: &PlannedOperation) -> Past {
        let tail = &self.look_for(planned).found.sound.tail;
        tail.past_of(&self.pair(planned))
    }

    /// Whether the ledger was read back to where the run started, or far enough to see that it is done.
    fn is_known(&self, planned: &PlannedOperation) -> bool {
        let found = &self.look_for(planned).found;
        found.sound.reaches(self.created_at) || self.past(planned).done.is_some()
    }

    /// Asks about everything that `--yes` does not answer.
    pub(super) fn doubts_are_answered(&self, plan: &Plan) -> Result<bool> {
        let mut doubts: Vec<Doubt> = self.looks.values().flat_map(Look::doubts).collect();
        let unknown = plan
            .operations()
            .iter()
            .filter(|planned| !self.is_known(planned));
        let unknown: Vec<&str> = unknown.map(|planned| planned.id().as_str()).collect();
        if !unknown.is_empty() {
            doubts.push(Doubt {
                about: format!(
                    "{NOT_KNOWN} (`{}`): of the commits that were read, GitHub signed none that is older than the run",
                    unknown.join("`, `")
                ),
                question: "It may be done twice. Sign all the same? Type yes:".into(),
                answer: "yes".into(),
            });
        }
        for doubt in doubts {
            if !doubt.is_answered()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Remembers what was signed for. A failure to do so is only a warning: it undoes no signature.
    pub(super) fn remember(&self, now: Timestamp) {
        for (id, look) in &self.looks {
            let kept = self.heads.remember(*id, |before| look.merged(before, now));
            if let Err(error) = kept {
                tell(Row::words(format!(
                    "WARNING: this machine does not remember the head of the ledger of {}: {error:#}",
                    look.found.target
                )));
            }
        }
    }
}

/// The commits that a look must find: what the plan's job saw, and what this machine remembers.
fn to_be_found(plan: &Plan, id: RepositoryId, remembered: Option<&Remembered>) -> Vec<CommitId> {
    let of_this = |planned: &&PlannedOperation| planned.operation().target().repository_id == id;
    let of_plan = plan.operations().iter().filter(of_this);
    let mut commits: Vec<CommitId> = of_plan
        .map(|planned| planned.ledger().commit.clone())
        .collect();
    commits.extend(remembered.map(|seen| seen.head.at.commit.clone()));
    commits
}

impl Look {
    fn holds(&self, named: &Checkpoint) -> Result<(), Refusal> {
        if self.found.sound.tail.covers(named) {
            return Ok(());
        }
        let damage = self.found.sound.damage.clone();
        Err(damage.unwrap_or(Refusal::LedgerRolledBack {
            checkpoint: named.clone(),
            found: self.reach(),
        }))
    }

    /// How far back a missing commit was looked for.
    fn reach(&self) -> String {
        if self.found.sound.is_whole {
            return "does not hold that commit".into();
        }
        let tail = &self.found.sound.tail;
        let (tip, base) = (&tail.tip().commit, &tail.base().commit);
        format!("does not hold that commit from {tip} down to {base}, where this look ended")
    }

    /// The head that this machine remembers, if what was verified does not hold it.
    fn missing(&self) -> Option<&SeenHead> {
        let seen = &self.remembered.as_ref()?.head;
        (!self.found.sound.tail.covers(&seen.at)).then_some(seen)
    }

    fn rows(&self) -> Vec<Row> {
        let tip = self.found.sound.tail.tip();
        let mut rows = vec![
            Row::new("ledger of     ", &self.found.target),
            Row::new("  newest      ", tip),
            Row::new("  verified    ", self.verified()),
        ];
        let lost = self.remembered.iter().flat_map(|seen| &seen.lost);
        rows.extend(lost.map(|seen| {
            let seen = format!("{}, which this machine saw at {}", seen.at, seen.seen_at);
            Row::new("  lost before ", seen)
        }));
        if let Some(damage) = &self.found.sound.damage {
            rows.push(Row::new("  DAMAGE      ", damage));
        }
        rows
    }

    fn verified(&self) -> String {
        let base = self.found.sound.tail.base();
        match &self.remembered {
            None if self.found.sound.is_whole => "first look on this machine: every commit".into(),
            None => format!("first look on this machine: every commit since {base}"),
            Some(seen) if self.missing().is_none() => format!(
                "every commit since {}, which this machine saw at {}",
                seen.head.at, seen.head.seen_at
            ),
            Some(_) => format!("every commit since {base}, but not what this machine saw"),
        }
    }

    fn doubts(&self) -> impl Iterator<Item = Doubt> {
        self.damage().into_iter().chain(self.loss())
    }

    fn damage(&self) -> Option<Doubt> {
        let target = &self.found.target;
        let damage = self.found.sound.damage.as_ref()?;
        let Refusal::LedgerTampered { commit, .. } = damage else {
            return None;
        };
        Some(Doubt {
            about: format!("ledger of {target}: {damage}; nothing below it was verified"),
            question: "Sign above it all the same? Type the first 12 characters of that commit:"
                .into(),
            answer: commit.short().to_string(),
        })
    }

    /// A head that this machine saw and that is gone. Below damage, GitHub's list alone shows it.
    fn loss(&self) -> Option<Doubt> {
        let target = &self.found.target;
        let seen = self.missing()?;
        if self.found.sound.damage.is_some() && self.found.sound.listed.contains(&seen.at.commit) {
            return None;
        }
        let found = self.found.sound.tail.tip();
        let (SeenHead { at, seen_at }, reach) = (seen, self.reach());
        Some(Doubt {
            about: format!(
                "ledger of {target}: this machine saw {at} at {seen_at}; now its newest is {found}, \
                 and it {reach}. Entries may have been taken back"
            ),
            question: "Sign all the same? Type the number of the entry that this machine saw:"
                .into(),
            answer: seen.at.head.sequence().to_string(),
        })
    }

    /// What to keep after signing, given what is remembered by then.
    fn merged(&self, before: Option<Remembered>, now: Timestamp) -> Remembered {
        let head = SeenHead {
            at: self.found.sound.tail.tip().clone(),
            seen_at: now,
        };
        match before {
            Some(before) if self.found.sound.tail.covers(&before.head.at) => {
                Remembered::grown(head, Some(before))
            }
            // Another command has signed since, above what was seen here.
            Some(before) if Some(&before) != self.remembered.as_ref() => before,
            Some(before) => Remembered::replaced(head, before),
            None => Remembered::grown(head, None),
        }
    }
}

impl Doubt {
    fn is_answered(&self) -> Result<bool> {
        if !is_asked_on_a_terminal() {
            bail!(
                "{}. Only a person can answer this, not --yes, and standard input is not a terminal",
                self.about
            );
        }
        tell(Row::new("WARNING       ", &self.about));
        typed(&self.question, &self.answer)
    }
}
