//! `countersign action`: one attempt, from inputs to outcome, as the Action calls it.

use std::path::Path;

use countersign_core::{
    asset::Asset,
    authorize::{Decision, Evidence, Grant, Mode, Preflight, authorize},
    document::Document as _,
    envelope::{Envelope, MOST_BYTES},
    keys::{Threshold, TrustedKeys},
    ledger::{self, Effect, NoClaim, Recorded},
    name::{Repository, RunId},
    operation::{Kind, Operation},
    plan::Plan,
    receipt::VerifiedReceipt,
    refusal::{InputRefusal, Refusal},
};

use super::guard;
use crate::{
    Clock,
    exit::Exit,
    github::{Endpoints, GitHub, PreflightQuery, Token, Trouble, encoded},
    ledger_store::LedgerBranch,
    publisher::{self, AssetFiles},
    random,
    report::{Complaint, Ending, Log, Phase, Recorder},
    runner::{Draft, Environment, Facts, Inputs, LocalAsset, RunContext, flag, from_plan, read_text, seconds},
};

/// A receipt file may hold base64 and a line feed.
const MOST_RECEIPT_FILE: u64 = 2 * MOST_BYTES as u64;

/// Makes one attempt and closes its record, whichever way it ends.
pub(crate) async fn run(environment: &Environment, clock: Clock, log: Log) -> Exit {
    let recorder = match Recorder::begin(environment, random::operation_id(), clock(), log.clone()) {
        Ok(recorder) => recorder,
        Err(error) => {
            log.line(&format!("countersign: no audit record can be written under RUNNER_TEMP: {error}. Nothing was done. Free the disk or set RUNNER_TEMP to a folder of yours."));
            return Exit::Failed;
        }
    };
    guard::on_panic(&recorder, clock);
    tokio::select! {
        biased;
        signal = guard::told_to_stop() => guard::stopped(&recorder, signal, clock),
        ending = attempt(environment, clock, &recorder) => recorder.close(&ending, clock()),
    }
}

async fn attempt(environment: &Environment, clock: Clock, recorder: &Recorder) -> Ending {
    match Attempt::begin(environment, clock, recorder) {
        Ok(attempt) => {
            let ending = attempt.run().await;
            recorder.note(|record| record.requests = attempt.github.requests());
            ending
        }
        Err(refusal) => Ending::Refused(refusal),
    }
}

/// What every step of one attempt needs.
struct Attempt<'a> {
    inputs: Inputs,
    mode: Result<Mode, Refusal>,
    run_id: RunId,
    context: RunContext,
    github: GitHub,
    clock: Clock,
    recorder: &'a Recorder,
}

impl<'a> Attempt<'a> {
    fn begin(environment: &Environment, clock: Clock, recorder: &'a Recorder) -> Result<Self, Refusal> {
        let inputs = Inputs::read(environment)?;
        let token = Token::new(&inputs.token);
        if let Some(token) = &token {
            recorder.log().mask(token);
        }
        recorder.note_inputs(&inputs);
        let mode = Mode::parse(&inputs.mode);
        let context = RunContext::read(environment, recorder.operation_id())?;
        let run_id = match inputs.run_id.as_str() {
            "" => context.executor.run_id.clone(),
            given => given.parse().map_err(|error| InputRefusal::Invalid { input: "run-id", problem: format!("{error}") })?,
        };
        let variable = |name: &str, default: &str| environment.get(name).unwrap_or(default).to_owned();
        let endpoints = Endpoints::new(
            &variable("GITHUB_API_URL", "https://api.github.com"),
            &variable("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
            &variable("GITHUB_SERVER_URL", "https://github.com"),
        )?;
        seconds("max-wait", &inputs.max_wait)?;
        let token = token.ok_or(InputRefusal::TokenMissing)?;
        let github = GitHub::new(endpoints, &token).ok_or(InputRefusal::TokenMissing)?;
        Ok(Self { inputs, mode, run_id, context, github, clock, recorder })
    }

    async fn run(&self) -> Ending {
        if matches!(self.mode, Ok(Mode::DryRun)) {
            return self.dry_run().await.unwrap_or_else(Ending::from);
        }
        self.prod().await
    }

    async fn dry_run(&self) -> Result<Ending, NoPlan> {
        let (operation, _) = self.operation(Mode::DryRun).await?;
        self.note_operation(&operation);
        let preflight = self.github.preflight(&PreflightQuery::new(&operation, None)).await;
        let Preflight::Seen(sighting) = preflight else {
            let Preflight::Unavailable(refusal) = preflight else { unreachable!("GitHub was asked") };
            return Err(NoPlan::Refused(refusal));
        };
        let head = sighting.ledger.as_ref().ok().and_then(ledger::Snapshot::newest);
        self.recorder.note(|record| record.ledger.seen = head);
        let obstacle = match (&sighting.ledger, sighting.world.allows(&operation, self.allow_workflow_changes()?)) {
            (Err(refusal), _) => format!(" As things stand it would be refused: {refusal}. {}", refusal.remedy()),
            (_, Err(refusal)) => format!(" As things stand it would be refused: {refusal}. {}", refusal.remedy()),
            _ => String::new(),
        };
        let digest = operation.digest();
        let plan = Plan::new(self.run_id.clone(), head, vec![operation]);
        let plan = self.recorder.write_plan(&plan.to_document());
        plan.map_err(|error| NoPlan::Failed(Complaint::new("plan_unwritten", format!("plan.json could not be written: {error}"))))?;
        Ok(Ending::Planned { result: format!("The plan holds one operation, {digest}, which waits for its approval.{obstacle}") })
    }

    async fn prod(&self) -> Ending {
        let built = self.operation(Mode::Prod).await;
        let (operation, files) = match built {
            Ok((operation, files)) => (Ok(operation), files),
            Err(NoPlan::Refused(refusal)) => (Err(refusal), AssetFiles::default()),
            Err(NoPlan::Failed(complaint)) => return Ending::Failed(complaint),
        };
        if let Ok(operation) = &operation {
            self.note_operation(operation);
        }
        let decision = match self.decide(operation).await {
            Ok(decision) => decision,
            Err(refusal) => return Ending::Refused(refusal),
        };
        self.recorder.note(|record| record.checks = decision.checks);
        match decision.verdict {
            Ok(grant) => self.publish(grant, &files).await,
            Err(refusal) => Ending::Refused(refusal),
        }
    }

    async fn decide(&self, operation: Result<Operation, Refusal>) -> Result<Decision, Refusal> {
        let receipt = self.receipt();
        if let Ok(receipt) = &receipt {
            self.note_receipt(receipt);
        }
        let preflight = match (&operation, &receipt) {
            // Without a mode that exists, GitHub is not even asked.
            (Ok(operation), Ok(receipt)) if self.mode.is_ok() => {
                self.github.preflight(&PreflightQuery::new(operation, Some(&receipt.terms().look()))).await
            }
            _ => Preflight::NotAsked,
        };
        if let Preflight::Seen(sighting) = &preflight {
            let seen = sighting.ledger.as_ref().ok().and_then(ledger::Snapshot::newest);
            self.recorder.note(|record| record.ledger.seen = seen);
        }
        Ok(authorize(Evidence {
            mode: self.mode.clone(),
            run_id: self.run_id.clone(),
            executor: self.context.executor.clone(),
            operation,
            receipt,
            now: (self.clock)(),
            preflight,
            allow_workflow_changes: self.allow_workflow_changes()?,
        }))
    }

    async fn publish(&self, grant: Grant, files: &AssetFiles) -> Ending {
        let branch = LedgerBranch::new(&self.github, grant.operation().clone());
        if let Err(ending) = self.enter(Phase::Claiming) {
            return ending;
        }
        let claim = match ledger::claim(grant, &branch, (self.clock)()).await {
            Ok(claim) => claim,
            Err(no_claim) => return unclaimed(no_claim),
        };
        let entry = claim.entry();
        self.recorder.note(|record| record.ledger.claim = Some(entry));
        if let Err(ending) = self.enter(Phase::Acting) {
            return ending;
        }
        let outcome = publisher::execute(claim, &self.github, files).await;
        let effect = outcome.effect().clone();
        self.recorder.note(|record| record.github_response = Some(effect.response().clone()));
        // The operation is over: that the disk is full now must not keep the outcome off the ledger.
        let provisional = self.recorder.enter(Phase::Recording);
        let recorded = ledger::record(outcome, &branch, (self.clock)()).await;
        if let Err(error) = provisional {
            self.recorder.log().line(&format!("countersign: the provisional audit record could not be written: {error}"));
        }
        self.ended(&effect, recorded)
    }

    fn enter(&self, phase: Phase) -> Result<(), Ending> {
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
                    "{} But the ledger does not hold the outcome: {reason}. Look at the ledger before anything else is done with this receipt.",
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

    /// The operation that the inputs describe, and where its files lie.
    async fn operation(&self, mode: Mode) -> Result<(Operation, AssetFiles), NoPlan> {
        let inputs = &self.inputs;
        let kind = if inputs.operation.is_empty() && !inputs.plan.is_empty() { None } else { Some(self.kind()?) };
        let workspace = &self.context.workspace;
        if !inputs.plan.is_empty() {
            let (assets, files) = local_assets(inputs, workspace)?;
            let operation = from_plan(inputs, workspace, assets)?;
            self.is_as_asked(&operation, kind)?;
            return Ok((operation, files));
        }
        let kind = kind.ok_or(InputRefusal::Missing { input: "operation", needed_by: "every call".into() })?;
        let draft = Draft::new(inputs, kind, mode, workspace)?;
        let (assets, files) = local_assets(inputs, workspace)?;
        let facts = self.facts(&draft, mode).await?;
        Ok((draft.build(facts, assets)?, files))
    }

    fn kind(&self) -> Result<Kind, InputRefusal> {
        self.inputs.operation.parse().map_err(InputRefusal::OperationUnknown)
    }

    /// A plan must be for what the inputs name beside it.
    fn is_as_asked(&self, operation: &Operation, kind: Option<Kind>) -> Result<(), InputRefusal> {
        let problem = |planned: String, asked: String| format!("the plan is for `{planned}`, but `{asked}` was asked for");
        if let Some(kind) = kind.filter(|kind| *kind != operation.kind()) {
            return Err(InputRefusal::Invalid { input: "operation", problem: problem(operation.kind().to_string(), kind.to_string()) });
        }
        let repository = self.repository()?;
        if operation.target().repository != repository {
            return Err(InputRefusal::Invalid {
                input: "repository",
                problem: problem(operation.target().repository.to_string(), repository.to_string()),
            });
        }
        Ok(())
    }

    fn repository(&self) -> Result<Repository, InputRefusal> {
        match self.inputs.repository.as_str() {
            "" => Ok(self.context.home.repository.clone()),
            given => given.parse().map_err(|error| InputRefusal::Invalid { input: "repository", problem: format!("{error}") }),
        }
    }

    /// In `prod` nothing is looked up but another repository's number; in a dry run names become commits.
    async fn facts(&self, draft: &Draft<'_>, mode: Mode) -> Result<Facts, NoPlan> {
        let repository = self.repository()?;
        let commitish = draft.commitish(&self.context.sha);
        if mode == Mode::Prod {
            let commit = Some(draft.literal_commit(&self.context.sha)?);
            let home = &self.context.home;
            let target = if repository == home.repository {
                home.clone()
            } else {
                self.github.resolve(&repository, "HEAD").await.map_err(NoPlan::trouble)?.target
            };
            return Ok(Facts { target, commit, default_branch: None, notes: None });
        }
        let resolved = self.github.resolve(&repository, commitish).await.map_err(NoPlan::trouble)?;
        let notes = if flag("generate-release-notes", &self.inputs.generate_release_notes)? {
            let question = serde_json::json!({ "tag_name": self.inputs.tag_name, "target_commitish": resolved.commit });
            let path = format!("/repos/{}/{}/releases/generate-notes", encoded(repository.parts().0), encoded(repository.parts().1));
            let notes: serde_json::Value = self.github.ask(&path, &question).await.map_err(NoPlan::trouble)?;
            Some(notes["body"].as_str().unwrap_or_default().to_owned())
        } else {
            None
        };
        Ok(Facts { target: resolved.target, commit: resolved.commit, default_branch: resolved.default_branch, notes })
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

    fn allow_workflow_changes(&self) -> Result<bool, InputRefusal> {
        flag("allow-workflow-changes", &self.inputs.allow_workflow_changes)
    }

    fn note_operation(&self, operation: &Operation) {
        self.recorder.note(|record| {
            record.operation_kind = operation.kind().to_string();
            record.repository = operation.target().repository.to_string();
            record.operation_digest = Some(operation.digest());
            record.operation = Some(operation.clone());
        });
    }

    fn note_receipt(&self, receipt: &VerifiedReceipt) {
        self.recorder.note(|record| {
            record.receipt_id = Some(receipt.terms().receipt_id.to_string());
            record.receipt = Some(receipt.terms().clone());
            record.signers = receipt.signers().into();
        });
    }
}

/// Why there is no operation: an input is wrong, or GitHub did not answer.
enum NoPlan {
    Refused(Refusal),
    Failed(Complaint),
}

impl NoPlan {
    #[expect(clippy::needless_pass_by_value, reason = "used where an error is mapped")]
    fn trouble(trouble: Trouble) -> Self {
        Self::Failed(Complaint::new(trouble.code(), format!("{trouble}. Nothing was written. {}", trouble.remedy())))
    }
}

impl From<InputRefusal> for NoPlan {
    fn from(refusal: InputRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<NoPlan> for Ending {
    fn from(no_plan: NoPlan) -> Self {
        match no_plan {
            NoPlan::Refused(refusal) => Self::Refused(refusal),
            NoPlan::Failed(complaint) => Self::Failed(complaint),
        }
    }
}

fn local_assets(inputs: &Inputs, workspace: &Path) -> Result<(Vec<Asset>, AssetFiles), InputRefusal> {
    let local = LocalAsset::find(&inputs.files, workspace)?;
    let assets = local.iter().map(|local| local.asset.clone()).collect();
    Ok((assets, AssetFiles::new(local.into_iter().map(|local| (local.asset.name, local.path)))))
}

fn unclaimed(no_claim: NoClaim) -> Ending {
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
        NoClaim::Unknown(reason) => Ending::Unknown(Complaint::new(
            "claim_unknown",
            format!(
                "it is not known whether the receipt was spent: {reason}. The operation was not begun. Look at the ledger, then run the job again."
            ),
        )),
    }
}

fn shipped(response: &ledger::GithubResponse) -> String {
    match (&response.html_url, response.release_id) {
        (Some(url), _) => format!("Shipped: {url}."),
        (None, Some(id)) => format!("Drafted: release {id}."),
        (None, None) => "Shipped.".into(),
    }
}
