//! What an approver reads before the questions: each operation with its surroundings, where the plan comes from, and the recap.

use countersign_core::{
    envelope::Signs,
    keys::PublicKey,
    ledger::Checkpoint,
    name::{Actor, Title},
    plan::{Plan, PlannedOperation},
    timestamp::Timestamp,
};

use super::{judgement::Judgement, provenance::Origin, reach::Reached, sign, witness::Witness};
use crate::{
    Clock,
    cli::AuthorizeArguments,
    commands::{
        Row,
        recap::{self, MAX_OF_A_QUESTION},
        signing::{agreed, shown},
        tell,
    },
};

/// For whoever signs and also starts the run that publishes.
const STARTER_IS_REQUESTER: &str = "the policy excludes the requester, and whoever starts the run \
    that publishes is one: with your own token your approval will not be valid in it \
    (policy_requester_approved). Have someone else start it.";

/// Everything that the receipts will allow, as it is read before the questions.
pub(super) struct Review<'a> {
    pub(super) plan: &'a Plan,
    pub(super) judged: &'a [Judgement],
    pub(super) requesters: &'a [Actor],
    /// The run from which it comes, if GitHub was asked for it.
    pub(super) origin: Option<&'a Origin>,
    /// The ledgers, if GitHub was asked for them.
    pub(super) witness: Option<&'a Witness>,
    /// Where the commits are, if GitHub was asked.
    pub(super) reached: Option<&'a Reached>,
    pub(super) public: &'a PublicKey,
    pub(super) arguments: &'a AuthorizeArguments,
    /// Whether a rule that decides leaves out whoever asked.
    pub(super) excludes_requester: bool,
    pub(super) clock: Clock,
}

impl Review<'_> {
    /// Shows and asks, some receipts at a time. Gives the moment from which each is valid: the one that was shown.
    pub(super) fn agreed(&self) -> anyhow::Result<Option<Vec<Timestamp>>> {
        let all = self.judged.len();
        let mut moments = Vec::with_capacity(all);
        let operations = self.plan.operations();
        let rounds = operations
            .chunks(MAX_OF_A_QUESTION)
            .zip(self.judged.chunks(MAX_OF_A_QUESTION));
        for (round, judged) in rounds {
            let before = moments.len();
            for (planned, judgement) in round.iter().zip(judged) {
                self.show(planned, judgement)?;
            }
            tell(self.origin());

            let now = (self.clock)();
            let until = now.plus(self.arguments.expires_in.seconds());
            let lines = round.iter().zip(judged).map(|(planned, judgement)| {
                let line = recap::line(planned.operation(), &self.plan.run_id, now, until);
                recap::Line {
                    text: format!("{}{line}", judgement.caveat()),
                    notes: self.notes(planned),
                }
            });
            tell(recap::rows(lines.collect(), before, all));
            let question = recap::question(round.len(), before, all);
            if !self.arguments.yes && !agreed(&question)? {
                return Ok(None);
            }
            moments.extend(round.iter().map(|_| now));
        }
        let witness = self.witness;
        let is_certain = witness.map_or(Ok(true), |seen| seen.doubts_are_answered(self.plan))?;
        Ok(is_certain.then_some(moments))
    }

    /// A receipt for each operation, one per line, valid from these moments on.
    pub(super) fn signed(
        &self,
        moments: &[Timestamp],
        signer: &dyn Signs,
    ) -> anyhow::Result<String> {
        let operations = self.plan.operations().iter();
        let receipts =
            operations
                .zip(self.judged)
                .zip(moments)
                .map(|((planned, judgement), issued_at)| {
                    let moment = (*issued_at, self.arguments.expires_in);
                    let (ledger, _) = self.ledger(planned);
                    sign(self.plan, planned, judgement, &ledger, moment, signer)
                        .map(|envelope| envelope.to_line())
                });
        Ok(receipts.collect::<anyhow::Result<Vec<_>>>()?.join("\n"))
    }

    /// What must be read next to the question.
    fn notes(&self, planned: &PlannedOperation) -> Vec<String> {
        let mut notes = self.witness.map_or(Vec::new(), |seen| seen.notes(planned));
        notes.extend(self.reached.and_then(|reached| reached.note(planned)));
        notes
    }

    /// The ledger that a receipt names, and who saw it so.
    fn ledger(&self, planned: &PlannedOperation) -> (Checkpoint, &'static str) {
        match self.witness {
            Some(seen) => (seen.checkpoint(planned).clone(), "as this command saw it"),
            None => (
                planned.ledger().clone(),
                "as the plan says; this command did not look",
            ),
        }
    }

    fn show(&self, planned: &PlannedOperation, judgement: &Judgement) -> anyhow::Result<()> {
        let (ledger, by) = self.ledger(planned);
        tell(Row::words(judgement.heading(planned)));
        tell(Row::blank());
        tell(shown(planned)?);
        tell(vec![Row::blank()]);
        let branch = self.reached.and_then(|reached| reached.row(planned));
        tell(Vec::from_iter(branch));
        tell(vec![
            Row::new("for run       ", &self.plan.run_id),
            Row::new("valid for     ", self.arguments.expires_in),
            Row::new("ledger at     ", ledger),
            Row::new("              ", by),
            Row::new("signed by     ", self.public.fingerprint()),
            Row::blank(),
        ]);
        Ok(())
    }

    /// Where the plan comes from.
    fn origin(&self) -> Vec<Row> {
        let people: Vec<&str> = self.requesters.iter().map(Actor::as_str).collect();
        let people = if people.is_empty() {
            "unknown".into()
        } else {
            people.join(", ")
        };
        let campaign = self.plan.campaign.as_ref().map_or("none", Title::as_str);
        let mut rows = self.origin.map_or(Vec::new(), Origin::rows);
        rows.extend(self.witness.map_or(Vec::new(), Witness::rows));
        rows.push(Row::new("asked for by  ", people));
        rows.push(Row::new("campaign      ", campaign));
        if self.excludes_requester && self.arguments.dispatch.is_some() {
            rows.push(Row::new("WARNING       ", STARTER_IS_REQUESTER));
        }
        rows.push(Row::blank());
        rows
    }
}
