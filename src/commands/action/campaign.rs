//! Mode `prod` with a plan of several operations: one after the other, each claimed and recorded by itself.

use countersign_core::{
    document::Document as _,
    ledger::{Entry, EventType, GithubResponse, ReceiptState, entry_path},
    name::CommitId,
    operation::Operation,
    plan::{Plan, PlannedOperation},
};

use super::{Attempt, publish::Subject, receipts::Receipts};
use crate::{
    planner::Unplanned,
    random,
    report::{Complaint, Ending},
    runner::is_there,
};

impl Attempt<'_> {
    /// Publishes the operations in their order. After one that did not ship, none is begun.
    pub(super) async fn publish_campaign(&self, plan: Plan) -> Ending {
        if let Err(error) = self.recorder.begin_series(&plan, random::operation_id) {
            let message = format!(
                "the audit records cannot be written ({error}), so nothing was begun. Free the disk and run the job again"
            );
            return Ending::Failed(Complaint::new("record_unwritten", message));
        }
        let footing = self.footing().await;
        let mut receipts = match self.receipts(&footing.keys).await {
            Ok(receipts) => receipts,
            Err(Unplanned::Refused(refusal)) => Receipts::none(refusal),
            Err(trouble @ Unplanned::Trouble(_)) => return trouble.into(),
        };
        // A receipt or a file that is missing is told before the first operation begins.
        if let Some(refusal) = receipts.lacks(plan.operations()) {
            return Ending::Refused(refusal);
        }
        let files = plan
            .operations()
            .iter()
            .flat_map(PlannedOperation::artifacts);
        let missing = files
            .map(|file| is_there(&self.context.workspace.join(file.path.as_str())))
            .find_map(Result::err);
        if let Some(refusal) = missing {
            return Ending::Refused(refusal.into());
        }
        let mut left = plan.operations().len();
        for planned in plan.into_operations() {
            left -= 1;
            self.note_operation(planned.operation());
            let digest = planned.digest();
            let subject = Subject::Described(self.describer().planned(planned, ""));
            let ending =
                Box::pin(self.publish_with(subject, Some(digest), &mut receipts, &footing)).await;
            self.note_requests();
            if left == 0 || !matches!(ending, Ending::Succeeded { .. }) {
                return ending;
            }
            if let Err(error) = self.recorder.next(&ending, (self.clock)()) {
                let message = format!(
                    "the audit records cannot be written any more ({error}), so the next operation was not begun"
                );
                return Ending::Failed(Complaint::new("record_unwritten", message));
            }
        }
        Ending::Failed(Complaint::new(
            "plan_invalid",
            "the plan holds no operation",
        ))
    }

    /// In a campaign, what an earlier attempt has shipped with this receipt is done: the next operation follows.
    pub(super) async fn shipped_before(
        &self,
        subject: &Subject,
        state: Option<(ReceiptState, CommitId)>,
    ) -> Option<Ending> {
        if !self.recorder.is_series() {
            return None;
        }
        let (Subject::Whole(operation, _), Some((state, commit))) = (subject, state) else {
            return None;
        };
        // Only this run, or the run that acts for it, goes on where it stopped.
        let own = state.run_id == self.context.executor.run_id
            && state.run_attempt < self.context.executor.run_attempt;
        let outcome = state
            .outcome_sequence
            .filter(|_| own && state.operation_digest == operation.digest())?;
        match self.outcome(operation, &state, outcome, &commit).await {
            Ok(Some((entry, response))) => {
                let checkpoint = entry.checkpoint();
                self.recorder.note(|record| {
                    record.ledger.outcome = Some(checkpoint);
                    record.github_response = Some(GithubResponse {
                        already_existed: true,
                        ..response
                    });
                });
                Some(Ending::Succeeded {
                    result: format!(
                        "An earlier attempt had shipped it: ledger entry {outcome} says so."
                    ),
                })
            }
            Ok(None) => None,
            Err(ending) => Some(ending),
        }
    }

    /// The entry with the outcome, if it tells of a success of exactly this operation.
    async fn outcome(
        &self,
        operation: &Operation,
        state: &ReceiptState,
        sequence: u64,
        commit: &CommitId,
    ) -> Result<Option<(Entry, GithubResponse)>, Ending> {
        let target = operation.target();
        let bytes = self
            .github
            .ledger_file(&target.repository, commit, &entry_path(sequence))
            .await
            .map_err(Unplanned::from)?;
        let entry = bytes
            .and_then(|bytes| Entry::from_document(&bytes).ok())
            .filter(|entry| {
                let told = (
                    entry.sequence,
                    entry.event_type,
                    &entry.operation_id,
                    entry.operation_digest,
                );
                told == (
                    sequence,
                    EventType::Succeeded,
                    &state.operation_id,
                    operation.digest(),
                ) && (&entry.run_id, entry.run_attempt) == (&state.run_id, state.run_attempt)
            });
        Ok(entry.and_then(|entry| {
            entry
                .github_response
                .clone()
                .map(|response| (entry, response))
        }))
    }
}
