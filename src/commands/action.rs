//! `countersign action`: one attempt, from inputs to outcome, as the Action calls it.

mod basis;
mod campaign;
mod dry_run;
mod publish;
mod receipts;
mod settle;

use countersign_core::{
    authorize::Mode,
    evidence::AttachReceipt,
    name::{Executor, InvalidName, RunId},
    operation::{Kind, Operation},
    plan::{Plan, PlannedOperation},
    policy::Policy,
    reach::{MOST_BRANCHES, ReachableFrom},
    refusal::{InputRefusal, Refusal},
};

use super::guard;
use crate::{
    Clock,
    exit::Exit,
    github::{Endpoints, GitHub, MAX_WAIT, Patience, Token},
    log::Log,
    planner::{Describer, Unplanned},
    random,
    report::{Complaint, Ending, Recorder},
    runner::{Environment, Inputs, RunContext, flag, from_plan, lines, seconds},
};

/// Makes one attempt and closes its record, whichever way it ends.
pub(crate) async fn run(environment: &Environment, clock: Clock, log: Log) -> Exit {
    let recorder = match Recorder::begin(environment, random::operation_id(), clock(), log.clone())
    {
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
            let ending = Box::pin(attempt.run()).await;
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
    fn begin(
        environment: &Environment,
        clock: Clock,
        recorder: &'a Recorder,
    ) -> Result<Self, Refusal> {
        let inputs = Inputs::read(environment)?;
        let token = Token::new(&inputs.token);
        if let Some(token) = &token {
            recorder.log().mask(token);
        }
        recorder.note_inputs(&inputs);
        let mode = Mode::parse(&inputs.mode);
        // The mode says whether anything is meant to happen at all, so it comes before everything else that may be wrong.
        Self::assemble(environment, inputs, mode.clone(), token, clock, recorder)
            .map_err(|refusal| mode.err().unwrap_or(refusal))
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
            given => given.parse().map_err(|error| InputRefusal::Invalid {
                input: "run-id",
                problem: format!("{error}"),
            })?,
        };
        let max_wait = seconds("max-wait", &inputs.max_wait)?.unwrap_or(MAX_WAIT);
        // Only action.yml reads this one, and takes anything but `true` for no.
        flag("upload-audit", &inputs.upload_audit)?;
        let token = token.ok_or(InputRefusal::TokenMissing)?;
        let endpoints = Endpoints::of(|name| environment.get(name))?.with_roots(&inputs.roots)?;
        let patience = Patience::new(environment.tempo(), max_wait, recorder.log());
        let github = GitHub::new(endpoints, &token, environment.tempo(), patience)
            .ok_or(InputRefusal::TokenMissing)?;
        Ok(Self {
            inputs,
            mode,
            run_id,
            context,
            github,
            clock,
            recorder,
        })
    }

    /// Requests and retries since the operation at hand began.
    fn note_requests(&self) {
        self.recorder
            .note_requests(self.github.requests(), self.github.patience().retries());
    }

    async fn run(&self) -> Ending {
        if matches!(self.mode, Ok(Mode::DryRun)) {
            return self.dry_run().await.unwrap_or_else(Ending::from);
        }
        for (input, value) in [
            ("campaign", &self.inputs.campaign),
            ("variables", &self.inputs.variables),
        ] {
            if !value.is_empty() && self.mode.is_ok() {
                let here =
                    "mode `prod`: a campaign becomes a plan in a dry run; hand that over as `plan`"
                        .into();
                return Ending::Refused(InputRefusal::Unused { input, here }.into());
            }
        }
        let ending = self.prod().await;
        match &self.mode {
            // Whatever else is wrong, the mode comes first.
            Err(refusal) => Ending::Refused(refusal.clone()),
            Ok(_) => ending,
        }
    }

    fn describer(&self) -> Describer<'_> {
        Describer {
            github: &self.github,
            workspace: &self.context.workspace,
            sha: &self.context.sha,
            home: Some(&self.context.home),
            log: self.recorder.log(),
        }
    }

    /// This attempt, as it works on the operation at hand.
    fn executor(&self) -> Executor {
        Executor {
            operation_id: self.recorder.operation_id(),
            ..self.context.executor.clone()
        }
    }

    fn kind(&self) -> Result<Kind, InputRefusal> {
        if self.inputs.operation.is_empty() {
            return Err(InputRefusal::Missing {
                input: "operation",
                needed_by: "every call without a `plan`".into(),
            });
        }
        self.inputs
            .operation
            .parse()
            .map_err(InputRefusal::OperationUnknown)
    }

    /// The plan that the inputs name, if they name one.
    fn plan(&self) -> Result<Option<Plan>, InputRefusal> {
        if self.inputs.plan.is_empty() {
            return Ok(None);
        }
        let kind = if self.inputs.operation.is_empty() {
            None
        } else {
            Some(self.kind()?)
        };
        let plan = from_plan(&self.inputs, &self.context.workspace)?;
        if plan.operations().is_empty() {
            return Err(InputRefusal::Invalid {
                input: "plan",
                problem: "the plan holds no operation: everything in it will not ship".into(),
            });
        }
        let alone = plan.operations().len() == 1 && plan.campaign.is_none();
        if !alone && !self.inputs.files.trim().is_empty() {
            return Err(InputRefusal::Unused {
                input: "files",
                here: "a plan of several operations, which names its files itself".into(),
            });
        }
        plan.operations()
            .iter()
            .try_for_each(|planned| self.is_as_asked(planned, kind, alone))?;
        self.attaches_to(
            plan.operations()
                .iter()
                .map(|planned| planned.operation().kind()),
        )?;
        plan.operations()
            .iter()
            .try_for_each(|planned| self.has_room(planned.operation()))?;
        Ok(Some(plan))
    }

    /// A plan must be for what the inputs name beside it. Only a campaign may span repositories.
    fn is_as_asked(
        &self,
        planned: &PlannedOperation,
        kind: Option<Kind>,
        alone: bool,
    ) -> Result<(), InputRefusal> {
        let operation = planned.operation();
        let problem = |planned: String, asked: String| {
            format!("the plan is for `{planned}`, but `{asked}` was asked for")
        };
        if let Some(kind) = kind.filter(|kind| *kind != operation.kind()) {
            return Err(InputRefusal::Invalid {
                input: "operation",
                problem: problem(operation.kind().to_string(), kind.to_string()),
            });
        }
        let repository = self.describer().repository(&self.inputs)?;
        if operation.target().repository != repository
            && (alone || !self.inputs.repository.is_empty())
        {
            return Err(InputRefusal::Invalid {
                input: "repository",
                problem: problem(
                    operation.target().repository.to_string(),
                    repository.to_string(),
                ),
            });
        }
        Ok(())
    }

    fn allow_workflow_changes(&self) -> Result<bool, InputRefusal> {
        flag(
            "allow-workflow-changes",
            &self.inputs.allow_workflow_changes,
        )
    }

    fn unguarded_ledger(&self) -> Result<bool, InputRefusal> {
        flag("unguarded-ledger", &self.inputs.unguarded_ledger)
    }

    /// The branches that the workflow lists. With a policy its rules say it.
    fn allowed_branches(&self, policy: Option<&Policy>) -> Result<ReachableFrom, InputRefusal> {
        let listed: Vec<&str> = lines(&self.inputs.reachable_from).collect();
        if listed.is_empty() {
            return Ok(ReachableFrom::default());
        }
        if policy.is_some() {
            return Err(InputRefusal::Unused {
                input: "reachable-from",
                here: "a call with a `policy-file`, in which each rule says it".into(),
            });
        }

        let invalid = |problem| InputRefusal::Invalid {
            input: "reachable-from",
            problem,
        };
        let patterns = listed.iter().map(|line| line.parse());
        let patterns = patterns.collect::<Result<_, InvalidName>>();
        let patterns = patterns.map_err(|error| invalid(error.to_string()))?;
        ReachableFrom::new(patterns).ok_or_else(|| {
            invalid(format!(
                "{} lines are more than the {MOST_BRANCHES} that are allowed",
                listed.len()
            ))
        })
    }

    fn attach_receipt(&self) -> Result<AttachReceipt, InputRefusal> {
        Ok(if flag("attach-receipt", &self.inputs.attach_receipt)? {
            AttachReceipt::Yes
        } else {
            AttachReceipt::No
        })
    }

    /// Of several operations the releases get their evidence; where there is none, whoever asks for it would wait in vain.
    fn attaches_to(
        &self,
        mut kinds: impl ExactSizeIterator<Item = Kind>,
    ) -> Result<(), InputRefusal> {
        let alone = kinds.len() == 1;
        let first = kinds.next();
        if self.attach_receipt()? == AttachReceipt::No
            || first
                .into_iter()
                .chain(kinds)
                .any(|kind| kind == Kind::PublishRelease)
        {
            return Ok(());
        }
        let here = first
            .filter(|_| alone)
            .map_or("operations of which none is a release".into(), |kind| {
                kind.to_string()
            });
        Err(InputRefusal::Unused {
            input: "attach-receipt",
            here,
        })
    }

    /// Whether a release has room for its evidence: told before a receipt is spent.
    fn has_room(&self, operation: &Operation) -> Result<(), InputRefusal> {
        self.attach_receipt()?
            .fits(operation)
            .map_err(|error| InputRefusal::AssetLimit(error.to_string()))
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

impl From<Unplanned> for Ending {
    fn from(unplanned: Unplanned) -> Self {
        match unplanned {
            Unplanned::Refused(refusal) => Self::Refused(refusal),
            Unplanned::Trouble(trouble) => Self::Failed(Complaint::new(
                trouble.code(),
                format!("{trouble}. Nothing was written. {}", trouble.remedy()),
            )),
        }
    }
}
