//! Mode `prod` with a plan of several operations: one after the other, each claimed and recorded by itself.

use countersign_core::{
    ledger::{EntryId, GithubResponse},
    plan::{Plan, PlannedOperation},
};

use super::{Attempt, publish::Subject, receipts::Receipts};
use crate::{
    planner::Unplanned,
    publisher::{self, Setback},
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
            let ending = Box::pin(self.publish_with(
                subject,
                Some(digest),
                &mut receipts,
                &footing,
                left + 1,
            ))
            .await;
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

    /// In a campaign, what an earlier attempt has shipped with this receipt is done: the next
    /// operation follows. The ledger says where to look; that it is there as approved is GitHub's word.
    pub(super) async fn shipped_before(
        &self,
        subject: &Subject,
        shipped: Option<(EntryId, GithubResponse)>,
    ) -> Option<Ending> {
        if !self.recorder.is_series() {
            return None;
        }
        let (Subject::Whole(operation, _), Some((entry, told))) = (subject, shipped) else {
            return None;
        };
        let response = match publisher::shipped(operation, &told, &self.github).await {
            Ok(held) => held?,
            Err(setback) => return Some(not_as_told(entry, &setback)),
        };
        self.recorder.note(|record| {
            record.ledger.outcome = Some(entry);
            record.github_response = Some(response);
        });
        Some(Ending::Succeeded {
            result: format!(
                "An earlier attempt had shipped it: ledger entry {} says so, and GitHub shows it as approved.",
                entry.sequence
            ),
        })
    }
}

/// How an attempt ends that could not see, or did not find as approved, what an earlier one is said to
/// have shipped.
fn not_as_told(entry: EntryId, setback: &Setback) -> Ending {
    let message = format!(
        "ledger entry {} says that an earlier attempt shipped it, but {}. {}",
        entry.sequence, setback.message, setback.remedy
    );
    let complaint = Complaint::new(setback.code, message);
    if setback.open {
        Ending::Unknown(complaint)
    } else {
        Ending::Failed(complaint)
    }
}
