//! Mode `prod`: verify, decide, claim, execute, record.

use std::collections::VecDeque;

use countersign_core::{
    authorize::{Basis, Decision, Evidence, Grant, Mode, Preflight, authorize},
    binding::{Check, Rule},
    digest::Digest,
    evidence::AttachReceipt,
    ledger::{self, Effect, EntryId, GithubResponse, NoClaim, Outcome, Recorded, Tail},
    name::CommitId,
    operation::{Kind, Operation},
    plan::{Plan, PlannedOperation},
    receipt::VerifiedReceipt,
    refusal::Refusal,
};

use super::{
    Attempt,
    basis::Footing,
    receipts::{Candidate, Receipts},
};
use crate::{
    ledger_store::LedgerBranch,
    log::Log,
    planner::{Described, Unplanned},
    publisher::{self, AssetFiles},
    report::{Complaint, Ending, Phase},
};

/// What is to be published: being hashed, known, or not to be had.
pub(super) enum Subject {
    Described(Described),
    Whole(Operation, AssetFiles),
    None(Refusal),
}

/// What one call asks for.
enum Asked {
    /// An operation, and its digest if a plan tells it before its files are hashed.
    One(Subject, Option<Digest>),
    Several(Plan),
}

/// Rules that an operation breaks once it has shipped.
const IS_LATE: [Rule; 4] = [Rule::Unused, Rule::Expiry, Rule::Issued, Rule::World];

/// Rules that a receipt keeps which was issued for this very operation and has not ended.
const IS_ALIVE: [Rule; 5] = [
    Rule::Run,
    Rule::Kind,
    Rule::Repository,
    Rule::Operation,
    Rule::Expiry,
];

/// Whether the receipt may still allow the operation: what refuses it now may pass.
fn may_still_allow(checks: &[Check]) -> bool {
    let mut needed = checks.iter().filter(|check| IS_ALIVE.contains(&check.rule));
    needed.all(Check::holds)
}

/// One decision, and what another receipt would be decided about.
struct Decided {
    decision: Decision,
    subject: Subject,
    /// Where the ledger says that an earlier attempt shipped it, and what it made.
    shipped: Option<(EntryId, GithubResponse)>,
    attach: AttachReceipt,
}

impl Attempt<'_> {
    pub(super) async fn prod(&self) -> Ending {
        let (subject, digest) = match self.subject().await {
            Ok(Asked::One(subject, digest)) => (subject, digest),
            Ok(Asked::Several(plan)) => return self.publish_campaign(plan).await,
            Err(Unplanned::Refused(refusal)) => (Subject::None(refusal), None),
            Err(trouble @ Unplanned::Trouble(_)) => return trouble.into(),
        };
        let footing = self.footing().await;
        let mut receipts = match self.receipts(&footing.keys).await {
            Ok(receipts) => receipts,
            Err(Unplanned::Refused(refusal)) => Receipts::none(refusal),
            Err(trouble @ Unplanned::Trouble(_)) => return trouble.into(),
        };
        Box::pin(self.publish_with(subject, digest, &mut receipts, &footing, 1)).await
    }

    /// What the inputs ask for.
    async fn subject(&self) -> Result<Asked, Unplanned> {
        let Some(plan) = self.plan()? else {
            let kind = self.kind()?;
            self.attaches_to([kind].into_iter())?;
            if let Err(refusal) = &self.mode {
                // Describing may ask GitHub, which nobody does without a mode.
                return Err(Unplanned::Refused(refusal.clone()));
            }
            let described = self
                .describer()
                .describe(&self.inputs, kind, Mode::Prod)
                .await?;
            return Ok(Asked::One(Subject::Described(described), None));
        };
        match <[PlannedOperation; 1]>::try_from(plan.clone().into_operations()) {
            Ok([planned]) if plan.campaign.is_none() => {
                let digest = Some(planned.digest());
                Ok(Asked::One(
                    Subject::Described(self.describer().planned(planned, &self.inputs.files)),
                    digest,
                ))
            }
            _ => Ok(Asked::Several(plan)),
        }
    }

    /// Tries every receipt for an operation, the oldest first, until one is valid. So many operations
    /// of the plan are still open, this one included.
    pub(super) async fn publish_with(
        &self,
        subject: Subject,
        digest: Option<Digest>,
        receipts: &mut Receipts,
        footing: &Footing,
        open: usize,
    ) -> Ending {
        let (mut subject, mut digest) = (subject, digest);
        if digest.is_none() && receipts.are_several() {
            // Which of them is meant shows only when the files are hashed.
            subject = subject.whole(&self.recorder.log()).await;
            digest = if let Subject::Whole(operation, _) = &subject {
                Some(operation.digest())
            } else {
                None
            };
        }
        let mut candidates = match receipts.for_operation(digest) {
            Ok(candidates) => candidates.into_iter().map(Ok).collect::<VecDeque<_>>(),
            Err(refusal) => [Err(refusal)].into(),
        };
        let (mut settlement, mut is_over) = (None, true);
        loop {
            let candidate = candidates
                .pop_front()
                .unwrap_or(Err(Refusal::ReceiptMissing));
            let decided = match Box::pin(self.decide(subject, candidate, footing)).await {
                Ok(decided) => decided,
                Err(refusal) => return Ending::Refused(refusal),
            };
            let Decided {
                decision,
                subject: same,
                shipped,
                attach,
            } = decided;
            // What has shipped, or is too late for it, is told by these; every other rule must hold all the same.
            let only_late = decision
                .checks
                .iter()
                .all(|check| check.holds() || IS_LATE.contains(&check.rule));
            let shipped = shipped.filter(|_| only_late);
            settlement = settlement.or(decision.settlement);
            is_over &= !may_still_allow(&decision.checks);
            self.recorder.note(|record| record.checks = decision.checks);
            let refusal = match (decision.verdict, same) {
                (Ok(grant), Subject::Whole(_, files)) => {
                    // A plan that would outgrow what one decision reads is not started.
                    let checkpoint = &grant.receipt().terms().ledger;
                    if let Err(refusal) = grant.tail().has_room(checkpoint, 2 * open) {
                        return Ending::Refused(refusal);
                    }
                    return Box::pin(self.publish(grant, &files, attach)).await;
                }
                (Ok(_), _) => unreachable!("what was granted is whole"),
                (Err(refusal), same) => {
                    subject = same;
                    refusal
                }
            };
            if let Some(ending) = self.shipped_before(&subject, shipped).await {
                return ending;
            }
            // Another receipt would not mend what the workflow itself says.
            let beyond = matches!(refusal, Refusal::Input(_) | Refusal::ModeViolation { .. });
            if beyond || candidates.is_empty() {
                // What no receipt allows to be done any more may still be looked at.
                return match settlement.filter(|_| is_over) {
                    Some(settlement) => Box::pin(self.settle(settlement)).await,
                    None => Ending::Refused(refusal),
                };
            }
            self.recorder.log().line(&format!(
                "countersign: a receipt does not count, the next is tried: {}: {refusal}",
                refusal.code()
            ));
        }
    }

    /// Looks at GitHub while the files are hashed, then decides.
    async fn decide(
        &self,
        subject: Subject,
        candidate: Result<Candidate, Refusal>,
        footing: &Footing,
    ) -> Result<Decided, Refusal> {
        let (receipt, reviewers) = match candidate {
            Ok(Candidate { receipt, reviewers }) => (Ok(receipt), reviewers),
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        if let Ok(receipt) = &receipt {
            self.note_receipt(receipt);
        }
        let listed = self.allowed_branches(footing.policy())?;
        let reachable_from = match (footing.policy(), subject.bare()) {
            (Some(policy), Some(bare)) => policy.reachable_from(bare),
            _ => listed,
        };
        let query = match (subject.bare(), &receipt) {
            // Without a mode that exists, GitHub is not even asked.
            (Some(bare), Ok(receipt)) if self.mode.is_ok() => {
                let attaches = self.attach_receipt()? == AttachReceipt::Yes
                    && bare.kind() == Kind::PublishRelease;
                let uploads = subject.has_files() || attaches;
                let query = self
                    .query(bare)
                    .with_uploads(uploads)
                    .reachable_from(reachable_from.clone());
                Some((query, receipt.terms()))
            }
            _ => None,
        };
        let log = self.recorder.log();
        let look = async {
            let preflight = match &query {
                Some((query, terms)) => self.github.preflight_for(query, terms).await,
                None => Preflight::NotAsked,
            };
            // Both clocks are read at the same moment; hashing may last longer. The claim reads them again.
            (preflight, (self.clock)())
        };
        let ((preflight, now), subject) = tokio::join!(look, subject.whole(&log));
        let digest = subject.bare().map(Operation::digest);
        let operation = match &subject {
            Subject::Whole(operation, _) => self
                .has_room(operation)
                .map(|()| operation.clone())
                .map_err(Refusal::from),
            Subject::None(refusal) => Err(refusal.clone()),
            Subject::Described(_) => unreachable!("it was hashed"),
        };
        if let Ok(operation) = &operation {
            self.note_operation(operation);
        }
        let executor = self.executor();
        let mut shipped = None;
        if let Preflight::Seen(sighting) = &preflight {
            let tail = sighting.ledger.as_ref().ok();
            let (seen, rules) = (tail.and_then(Tail::newest), sighting.guard.rules.clone());
            self.recorder
                .note(|record| (record.ledger.seen, record.ledger.rules) = (seen, rules));
            self.report_strays(tail);
            if let (Some(tail), Ok(receipt)) = (tail, &receipt) {
                shipped = tail
                    .said_to_have_shipped(receipt, &executor)
                    .map(|(entry, response)| (entry, response.clone()));
            }
        }
        let attach = self.attach_receipt()?;
        let decision = authorize(Evidence {
            mode: self.mode.clone(),
            run_id: self.run_id.clone(),
            executor,
            operation,
            receipt,
            basis: Basis {
                reachable_from,
                ..footing.basis(&self.run_id, digest, reviewers, self.github.named_host())
            },
            now,
            preflight,
            allow_workflow_changes: self.allow_workflow_changes()?,
            unguarded_ledger: self.unguarded_ledger()?,
            attach_receipt: attach,
        });
        Ok(Decided {
            decision,
            subject,
            shipped,
            attach,
        })
    }

    /// Commits that added no entry change nothing here, but no append makes them.
    fn report_strays(&self, tail: Option<&Tail>) {
        let strays: Vec<&CommitId> = tail.into_iter().flat_map(Tail::strays).collect();
        if let Some(first) = strays.first() {
            self.recorder.log().line(&format!(
                "countersign: {} commit(s) of the ledger added no entry, the first of them {first}. They change nothing; find out who made them.",
                strays.len()
            ));
        }
    }

    async fn publish(&self, grant: Grant, files: &AssetFiles, attach: AttachReceipt) -> Ending {
        let branch = LedgerBranch::new(&self.github, grant.operation().clone());
        if let Err(ending) = self.enter(Phase::Claiming) {
            return ending;
        }
        let end = grant.receipt().terms().expires_at;
        self.github.patience().ends_at(end, self.clock);
        let claim = match ledger::claim(grant, &branch, self.clock).await {
            Ok(claim) => claim,
            Err(no_claim) => return self.unclaimed(no_claim, &branch).await,
        };
        let entry = claim.entry();
        self.recorder
            .note(|record| record.ledger.claim = Some(entry));
        if let Err(ending) = self.enter(Phase::Acting) {
            return ending;
        }
        // The answer that confirmed the claim shows the ref once more, after all that hashing and waiting.
        if let Some(effect) = branch.obstacle(&claim).filter(|_| !claim.resumes()) {
            return self.record(claim.conclude(effect), &branch).await;
        }
        self.record(
            publisher::execute(claim, &self.github, &branch, files, attach).await,
            &branch,
        )
        .await
    }

    async fn unclaimed(&self, no_claim: NoClaim, branch: &LedgerBranch<'_>) -> Ending {
        match no_claim {
            NoClaim::Refused(refusal) => Ending::Refused(refusal),
            NoClaim::Rejected(rejection) => Ending::Failed(Complaint::new(
                rejection.code,
                format!(
                    "the receipt could not be spent: {}. Nothing was done with it. {}",
                    rejection.message, rejection.remedy
                ),
            )),
            NoClaim::Contended => Ending::Failed(Complaint::new(
                "ledger_contended",
                "the receipt could not be spent: others wrote to the ledger every time. Nothing was done with it; run the job again.",
            )),
            NoClaim::Late { entry, outcome } => {
                self.recorder
                    .note(|record| record.ledger.claim = Some(entry));
                self.record(*outcome, branch).await
            }
            NoClaim::Unknown(reason) => Ending::Unknown(Complaint::new(
                "claim_unknown",
                format!(
                    "it is not known whether the receipt was spent: {reason}. The operation was not begun. Re-run the job: its next attempt looks at the ledger first."
                ),
            )),
        }
    }

    /// The operation is over, or will never be: what came of it goes to the ledger and into the record.
    async fn record(&self, mut outcome: Outcome, branch: &LedgerBranch<'_>) -> Ending {
        // What was done is recorded also after the receipt's end.
        self.github.patience().ends_no_more();
        let effect = outcome.effect().clone();
        self.recorder
            .note(|record| record.github_response = Some(effect.response().clone()));
        // The operation is over: that the disk is full now must not keep the outcome off the ledger.
        let provisional = self.recorder.enter(Phase::Recording);
        let mut recorded = ledger::record(&mut outcome, branch, self.clock).await;
        if let Err(error) = provisional {
            self.recorder.log().line(&format!(
                "countersign: the provisional audit record could not be written: {error}"
            ));
        }
        // The same answer that confirms the outcome shows where the tag leads now.
        if let Recorded::At { entry, watched } = &recorded
            && let Some(contradiction) = branch.contradiction(&effect, watched.clone()).await
        {
            self.recorder.note(|record| {
                record.ledger.outcome = Some(*entry);
                record.github_response = Some(contradiction.response().clone());
            });
            outcome.correct(contradiction.clone());
            recorded = ledger::record(&mut outcome, branch, self.clock).await;
            return self.ended(&contradiction, recorded);
        }
        self.ended(&effect, recorded)
    }

    pub(super) fn enter(&self, phase: Phase) -> Result<(), Ending> {
        self.note_requests();
        self.recorder.enter(phase).map_err(|error| {
            let message = format!(
                "the audit record can no longer be written ({error}), so nothing more is done"
            );
            let complaint = Complaint::new("record_unwritten", message);
            if phase == Phase::Claiming {
                Ending::Failed(complaint)
            } else {
                Ending::Unknown(complaint)
            }
        })
    }

    pub(super) fn ended(&self, effect: &Effect, recorded: Recorded) -> Ending {
        let response = effect.response();
        let lost = match recorded {
            Recorded::At { entry, .. } => {
                self.recorder
                    .note(|record| record.ledger.outcome = Some(entry));
                None
            }
            Recorded::Not(reason) => Some(reason),
        };
        let (code, message) = (
            response.error_code.clone().unwrap_or_default(),
            response.error_message.clone().unwrap_or_default(),
        );
        match (effect, lost) {
            (Effect::Succeeded(_), None) => Ending::Succeeded {
                result: shipped(response),
            },
            (Effect::Succeeded(_), Some(reason)) => Ending::Unknown(Complaint::new(
                "outcome_unrecorded",
                format!(
                    "{} But the ledger does not hold the outcome: {reason}. Re-run the job: its next attempt looks and records it.",
                    shipped(response)
                ),
            )),
            (Effect::Failed(_), None) => Ending::Failed(Complaint::new(code, message)),
            (Effect::Unknown(_), None) => Ending::Unknown(Complaint::new(code, message)),
            (_, Some(reason)) => Ending::Unknown(Complaint::new(
                code,
                format!("{message} And the ledger does not hold the outcome: {reason}."),
            )),
        }
    }

    fn note_receipt(&self, receipt: &VerifiedReceipt) {
        self.recorder.note(|record| {
            record.receipt_id = Some(receipt.terms().receipt_id.to_string());
            record.receipt = Some(receipt.terms().clone());
            record.signers = receipt.signers().into();
        });
    }
}

impl Subject {
    fn bare(&self) -> Option<&Operation> {
        match self {
            Self::Described(described) => Some(&described.bare),
            Self::Whole(operation, _) => Some(operation),
            Self::None(_) => None,
        }
    }

    fn has_files(&self) -> bool {
        match self {
            Self::Described(described) => described.has_files,
            Self::Whole(operation, _) => {
                matches!(operation, Operation::PublishRelease(release) if !release.assets.as_slice().is_empty())
            }
            Self::None(_) => false,
        }
    }

    /// The same, hashed.
    async fn whole(self, log: &Log) -> Self {
        match self {
            Self::Described(described) => match described.whole().await {
                Ok(whole) => {
                    for difference in &whole.differences {
                        log.line(&format!("countersign: {difference}"));
                    }
                    Self::Whole(whole.operation, whole.files)
                }
                Err(refusal) => Self::None(refusal.into()),
            },
            other => other,
        }
    }
}

fn shipped(response: &ledger::GithubResponse) -> String {
    match (&response.html_url, response.release_id) {
        (Some(url), _) if response.already_existed => {
            format!("An earlier attempt had shipped it: {url}.")
        }
        (Some(url), _) => format!("Shipped: {url}."),
        (None, Some(id)) => format!("Drafted: release {id}."),
        (None, None) => "Shipped.".into(),
    }
}
