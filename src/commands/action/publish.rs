//! Mode `prod`: verify, decide, claim, execute, record.

use countersign_core::{
    authorize::{Decision, Evidence, Grant, Mode, Preflight, authorize},
    envelope::{Envelope, MOST_BYTES},
    keys::{Threshold, TrustedKeys},
    ledger::{self, Effect, NoClaim, Outcome, Recorded},
    receipt::VerifiedReceipt,
    refusal::{InputRefusal, Refusal},
};

use super::{
    Attempt,
    describe::{Described, NoPlan},
};
use crate::{
    github::PreflightQuery,
    ledger_store::LedgerBranch,
    publisher::{self, AssetFiles},
    report::{Complaint, Ending, Phase},
    runner::read_text,
};

/// A receipt file may hold base64 and a line feed.
const MOST_RECEIPT_FILE: u64 = 2 * MOST_BYTES as u64;

impl Attempt<'_> {
    pub(super) async fn prod(&self) -> Ending {
        let described = match self.describe(Mode::Prod).await {
            Err(NoPlan::Failed(complaint)) => return Ending::Failed(complaint),
            Err(NoPlan::Refused(refusal)) => Err(refusal),
            Ok(described) => Ok(described),
        };
        let (decision, files) = match self.decide(described).await {
            Ok(decided) => decided,
            Err(refusal) => return Ending::Refused(refusal),
        };
        self.recorder.note(|record| record.checks = decision.checks);
        match decision.verdict {
            Ok(grant) => self.publish(grant, &files).await,
            Err(refusal) => Ending::Refused(refusal),
        }
    }

    /// Looks at GitHub while the files are hashed, then decides.
    async fn decide(&self, described: Result<Described, Refusal>) -> Result<(Decision, AssetFiles), Refusal> {
        let receipt = self.receipt();
        if let Ok(receipt) = &receipt {
            self.note_receipt(receipt);
        }
        let query = match (&described, &receipt) {
            // Without a mode that exists, GitHub is not even asked.
            (Ok(described), Ok(receipt)) if self.mode.is_ok() => {
                let query = PreflightQuery::new(&described.bare, Some(&receipt.terms().look()));
                Some(query.with_uploads(!self.inputs.files.trim().is_empty()))
            }
            _ => None,
        };
        let look = async {
            let preflight = match &query {
                Some(query) => self.github.preflight(query).await,
                None => Preflight::NotAsked,
            };
            // Both clocks are read at the same moment; hashing may last longer. The claim reads them again.
            (preflight, (self.clock)())
        };
        let hash = async {
            match described {
                Ok(described) => described.whole().await.map_err(Refusal::from),
                Err(refusal) => Err(refusal),
            }
        };
        let ((preflight, now), hashed) = tokio::join!(look, hash);
        let (operation, files) = hashed.map_or_else(|refusal| (Err(refusal), AssetFiles::default()), |(whole, files)| (Ok(whole), files));
        if let Ok(operation) = &operation {
            self.note_operation(operation);
        }
        if let Preflight::Seen(sighting) = &preflight {
            let seen = sighting.ledger.as_ref().ok().and_then(ledger::Snapshot::newest);
            let rules = sighting.ledger_rules.clone();
            self.recorder.note(|record| (record.ledger.seen, record.ledger.rules) = (seen, rules));
        }
        let decision = authorize(Evidence {
            mode: self.mode.clone(),
            run_id: self.run_id.clone(),
            executor: self.context.executor.clone(),
            operation,
            receipt,
            now,
            preflight,
            allow_workflow_changes: self.allow_workflow_changes()?,
        });
        Ok((decision, files))
    }

    async fn publish(&self, grant: Grant, files: &AssetFiles) -> Ending {
        let branch = LedgerBranch::new(&self.github, grant.operation().clone());
        if let Err(ending) = self.enter(Phase::Claiming) {
            return ending;
        }
        let claim = match ledger::claim(grant, &branch, self.clock).await {
            Ok(claim) => claim,
            Err(no_claim) => return self.unclaimed(no_claim, &branch).await,
        };
        let entry = claim.entry();
        self.recorder.note(|record| record.ledger.claim = Some(entry));
        if let Err(ending) = self.enter(Phase::Acting) {
            return ending;
        }
        // The answer that confirmed the claim shows the tag once more, after all that hashing and waiting.
        if let Some(effect) = branch.obstacle().filter(|_| !claim.resumes()) {
            return self.record(claim.conclude(effect), &branch).await;
        }
        self.record(publisher::execute(claim, &self.github, files).await, &branch).await
    }

    async fn unclaimed(&self, no_claim: NoClaim, branch: &LedgerBranch<'_>) -> Ending {
        match no_claim {
            NoClaim::Refused(refusal) => Ending::Refused(refusal),
            NoClaim::Rejected(rejection) => Ending::Failed(Complaint::new(
                rejection.code,
                format!("the receipt could not be spent: {}. Nothing was done with it. {}", rejection.message, rejection.remedy),
            )),
            NoClaim::Contended => Ending::Failed(Complaint::new(
                "ledger_contended",
                "the receipt could not be spent: others wrote to the ledger every time. Nothing was done with it; run the job again.",
            )),
            NoClaim::Late { entry, outcome } => {
                self.recorder.note(|record| record.ledger.claim = Some(entry));
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
        let effect = outcome.effect().clone();
        self.recorder.note(|record| record.github_response = Some(effect.response().clone()));
        // The operation is over: that the disk is full now must not keep the outcome off the ledger.
        let provisional = self.recorder.enter(Phase::Recording);
        let mut recorded = ledger::record(&mut outcome, branch, (self.clock)()).await;
        if let Err(error) = provisional {
            self.recorder.log().line(&format!("countersign: the provisional audit record could not be written: {error}"));
        }
        // The same answer that confirms the outcome shows where the tag leads now.
        if let (Recorded::At(entry), Some(contradiction)) = (&recorded, branch.contradiction(&effect)) {
            self.recorder.note(|record| record.ledger.outcome = Some(*entry));
            self.recorder.note(|record| record.github_response = Some(contradiction.response().clone()));
            outcome.correct(contradiction.clone());
            recorded = ledger::record(&mut outcome, branch, (self.clock)()).await;
            return self.ended(&contradiction, recorded);
        }
        self.ended(&effect, recorded)
    }

    fn enter(&self, phase: Phase) -> Result<(), Ending> {
        self.note_requests();
        self.recorder.enter(phase).map_err(|error| {
            let message = format!("the audit record can no longer be written ({error}), so nothing more is done");
            let complaint = Complaint::new("record_unwritten", message);
            if phase == Phase::Claiming { Ending::Failed(complaint) } else { Ending::Unknown(complaint) }
        })
    }

    fn ended(&self, effect: &Effect, recorded: Recorded) -> Ending {
        let response = effect.response();
        let lost = match recorded {
            Recorded::At(entry) => {
                self.recorder.note(|record| record.ledger.outcome = Some(entry));
                None
            }
            Recorded::Not(reason) => Some(reason),
        };
        let (code, message) = (response.error_code.clone().unwrap_or_default(), response.error_message.clone().unwrap_or_default());
        match (effect, lost) {
            (Effect::Succeeded(_), None) => Ending::Succeeded { result: shipped(response) },
            (Effect::Succeeded(_), Some(reason)) => Ending::Unknown(Complaint::new(
                "outcome_unrecorded",
                format!(
                    "{} But the ledger does not hold the outcome: {reason}. Re-run the job: its next attempt looks and records it.",
                    shipped(response)
                ),
            )),
            (Effect::Failed(_), None) => Ending::Failed(Complaint::new(code, message)),
            (Effect::Unknown(_), None) => Ending::Unknown(Complaint::new(code, message)),
            (_, Some(reason)) => {
                Ending::Unknown(Complaint::new(code, format!("{message} And the ledger does not hold the outcome: {reason}.")))
            }
        }
    }

    fn receipt(&self) -> Result<VerifiedReceipt, Refusal> {
        let inputs = &self.inputs;
        let text = match (inputs.receipt.trim(), inputs.receipt_file.as_str()) {
            ("", "") => return Err(Refusal::ReceiptMissing),
            (text, "") => text.to_owned(),
            ("", file) => read_text("receipt-file", &self.context.workspace.join(file), MOST_RECEIPT_FILE)?,
            _ => return Err(InputRefusal::Unused { input: "receipt-file", here: "a call that has a `receipt` already".into() }.into()),
        };
        if text.trim().is_empty() {
            return Err(Refusal::ReceiptMissing);
        }
        let envelope = Envelope::parse(&text)?;
        let trusted = TrustedKeys::parse(&inputs.trusted_keys).map_err(InputRefusal::TrustedKeys)?;
        let threshold = if inputs.threshold.is_empty() {
            Threshold::ONE
        } else {
            Threshold::parse(&inputs.threshold, &trusted).map_err(InputRefusal::Threshold)?
        };
        envelope.verify(&trusted, threshold)
    }

    fn note_receipt(&self, receipt: &VerifiedReceipt) {
        self.recorder.note(|record| {
            record.receipt_id = Some(receipt.terms().receipt_id.to_string());
            record.receipt = Some(receipt.terms().clone());
            record.signers = receipt.signers().into();
        });
    }
}

fn shipped(response: &ledger::GithubResponse) -> String {
    match (&response.html_url, response.release_id) {
        (Some(url), _) if response.already_existed => format!("An earlier attempt had shipped it: {url}."),
        (Some(url), _) => format!("Shipped: {url}."),
        (None, Some(id)) => format!("Drafted: release {id}."),
        (None, None) => "Shipped.".into(),
    }
}
