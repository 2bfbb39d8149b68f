//! `countersign action`: one attempt, from inputs to outcome, as the Action calls it.

mod describe;
mod publish;

use countersign_core::{
    authorize::{Mode, Preflight, Sighting},
    document::Document as _,
    name::RunId,
    operation::Operation,
    plan::Plan,
    refusal::{InputRefusal, Refusal},
};

use self::describe::NoPlan;
use super::guard;
use crate::{
    Clock,
    exit::Exit,
    github::{Endpoints, GitHub, MAX_WAIT, Patience, PreflightQuery, Token},
    log::Log,
    random,
    report::{Complaint, Ending, Recorder},
    runner::{Environment, Inputs, RunContext, flag, seconds},
};

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
            attempt.note_requests();
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
        // The mode says whether anything is meant to happen at all, so it comes before everything else that may be wrong.
        Self::assemble(environment, inputs, mode.clone(), token, clock, recorder).map_err(|refusal| mode.err().unwrap_or(refusal))
    }

    fn assemble(
        environment: &Environment,
        inputs: Inputs,
        mode: Result<Mode, Refusal>,
        token: Option<Token>,
        clock: Clock,
        recorder: &'a Recorder,
    ) -> Result<Self, Refusal> {
        let context = RunContext::read(environment, recorder.operation_id())?;
        let run_id = match inputs.run_id.as_str() {
            "" => context.executor.run_id.clone(),
            given => given.parse().map_err(|error| InputRefusal::Invalid { input: "run-id", problem: format!("{error}") })?,
        };
        let max_wait = seconds("max-wait", &inputs.max_wait)?.unwrap_or(MAX_WAIT);
        let token = token.ok_or(InputRefusal::TokenMissing)?;
        let endpoints = Endpoints::of(|name| environment.get(name))?;
        let patience = Patience::new(environment.tempo(), max_wait, recorder.log());
        let github = GitHub::new(endpoints, &token, environment.tempo(), patience).ok_or(InputRefusal::TokenMissing)?;
        Ok(Self { inputs, mode, run_id, context, github, clock, recorder })
    }

    /// Requests and retries so far.
    fn note_requests(&self) {
        let (requests, retries) = (self.github.requests(), self.github.patience().retries());
        self.recorder.note(|record| (record.requests, record.retry_count) = (requests, retries));
    }

    async fn run(&self) -> Ending {
        if matches!(self.mode, Ok(Mode::DryRun)) {
            return self.dry_run().await.unwrap_or_else(Ending::from);
        }
        self.prod().await
    }

    async fn dry_run(&self) -> Result<Ending, NoPlan> {
        let (operation, _) = self.describe(Mode::DryRun).await?.whole().await?;
        self.note_operation(&operation);
        let preflight = self.github.preflight(&PreflightQuery::new(&operation, None)).await;
        let Preflight::Seen(sighting) = preflight else {
            let Preflight::Unavailable(refusal) = preflight else { unreachable!("GitHub was asked") };
            return Err(NoPlan::Refused(refusal));
        };
        // A plan names the ledger's head, which the approver signs as its witness: without a ledger there is no plan.
        let Sighting { ledger, ledger_rules, world, .. } = *sighting;
        let head = ledger.map_err(NoPlan::Refused)?.newest();
        self.recorder.note(|record| (record.ledger.seen, record.ledger.rules) = (head, ledger_rules));
        let obstacle = match world.allows(&operation, self.allow_workflow_changes()?) {
            Err(refusal) => format!(" As things stand it would be refused: {refusal}. {}", refusal.remedy()),
            Ok(()) => String::new(),
        };
        let digest = operation.digest();
        let plan = Plan::new(self.run_id.clone(), head, vec![operation]);
        let plan = self.recorder.write_plan(&plan.to_document());
        plan.map_err(|error| NoPlan::Failed(Complaint::new("plan_unwritten", format!("plan.json could not be written: {error}"))))?;
        Ok(Ending::Planned { result: format!("The plan holds one operation, {digest}, which waits for its approval.{obstacle}") })
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
}
