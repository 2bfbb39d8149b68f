//! Mode `dry_run`: makes a plan of one operation or of a campaign; writes nothing to GitHub.

use std::collections::BTreeMap;

use countersign_core::{
    authorize::Mode,
    name::Actor,
    plan::{Plan, PlannedOperation, Surroundings, Warning},
    policy::Policy,
    reach::ReachableFrom,
    refusal::{InputRefusal, Refusal},
    tables,
};

use super::Attempt;
use crate::{
    planner::{Campaign, CampaignError, Occasion, Reach, Sighted, Unmade, Unplanned, look, plan},
    report::{Complaint, Ending},
    runner::{described_by, lines, read_text},
};

impl Attempt<'_> {
    pub(super) async fn dry_run(&self) -> Result<Ending, Ending> {
        if !self.inputs.campaign.is_empty() {
            return self.plan_campaign().await;
        }
        if !self.inputs.variables.is_empty() {
            let here = "a call without a `campaign`".into();
            return Err(Ending::Refused(
                InputRefusal::Unused {
                    input: "variables",
                    here,
                }
                .into(),
            ));
        }
        let (described, before) = if let Some(plan) = self.plan().map_err(refused)? {
            // A plan is looked at anew: it keeps its place in the campaign.
            let several = || InputRefusal::Invalid {
                input: "plan",
                problem: "a dry run takes a plan of one operation".into(),
            };
            let mut operations = plan.into_operations().into_iter();
            let (Some(only), None) = (operations.next(), operations.next()) else {
                return Err(refused(several()));
            };
            (
                self.describer().planned(only.clone(), &self.inputs.files),
                Some(only),
            )
        } else {
            let kind = self.kind().map_err(refused)?;
            self.attaches_to([kind].into_iter()).map_err(refused)?;
            (
                self.describer()
                    .describe(&self.inputs, kind, Mode::DryRun)
                    .await?,
                None,
            )
        };
        let policy = self.policy().map_err(refused)?;
        let allowed = self.allowed_branches(policy.as_ref()).map_err(refused)?;
        let whole = described.whole().await.map_err(refused)?;
        self.note_operation(&whole.operation);
        self.has_room(&whole.operation).map_err(refused)?;
        let home = Some(&self.context.home.repository);
        let Sighted {
            operation,
            mut around,
            obstacle,
            ledger_rules,
        } = Box::pin(look(
            &self.github,
            whole,
            home,
            self.allow_workflow_changes().map_err(refused)?,
            self.attach_receipt().map_err(refused)?,
            0,
            Occasion {
                run: &self.run_id,
                now: (self.clock)(),
                reach: reach(policy.as_ref(), &allowed),
            },
        ))
        .await?;
        self.recorder.note(|record| {
            (record.ledger.seen, record.ledger.rules) = (around.ledger.head.newest(), ledger_rules);
        });
        let told = match obstacle {
            Some(refusal) => {
                let told = format!(
                    " As things stand it would be refused: {refusal}. {}",
                    refusal.remedy()
                );
                around.warnings.push(Warning {
                    code: refusal.code().into(),
                    message: refusal.to_string(),
                });
                told
            }
            None => String::new(),
        };
        let digest = operation.digest();
        let planned = match before {
            Some(before) => PlannedOperation::new(
                before.id().clone(),
                operation,
                Surroundings {
                    needs: Vec::new(),
                    ..around
                },
            ),
            None => PlannedOperation::alone(operation, around),
        };
        let mut plan = Plan::new(self.run_id.clone(), vec![planned]);
        plan.requested_by = self.plan_requesters();
        self.write(plan)?;
        Ok(Ending::Planned {
            result: format!(
                "The plan holds one operation, {digest}, which waits for its approval.{told}"
            ),
        })
    }

    async fn plan_campaign(&self) -> Result<Ending, Ending> {
        let inputs = &self.inputs;
        let beside = [
            ("operation", &inputs.operation),
            ("plan", &inputs.plan),
            ("repository", &inputs.repository),
            ("allow-workflow-changes", &inputs.allow_workflow_changes),
        ];
        let beside = beside
            .into_iter()
            .find(|(_, value)| !value.is_empty())
            .map(|(input, _)| input);
        if let Some(input) = beside.or_else(|| described_by(inputs)) {
            let here = "a dry run of a `campaign`, which says everything itself".into();
            return Err(refused(InputRefusal::Unused { input, here }));
        }
        self.recorder
            .note(|record| record.operation_kind = "campaign".into());
        let wrong = |error: CampaignError| {
            let file = countersign_core::text::excerpt(&inputs.campaign, 200);
            refused(InputRefusal::Campaign(format!("`{file}`, {error}")))
        };
        let text = read_text(
            "campaign",
            &self.context.workspace.join(&inputs.campaign),
            tables::MOST_BYTES as u64,
        )
        .map_err(refused)?;
        let campaign =
            Campaign::parse(&text, &self.variables().map_err(refused)?).map_err(wrong)?;
        self.attaches_to(campaign.steps.iter().map(|step| step.kind))
            .map_err(refused)?;
        let attach = self.attach_receipt().map_err(refused)?;
        let policy = self.policy().map_err(refused)?;
        let allowed = self.allowed_branches(policy.as_ref()).map_err(refused)?;
        let made = plan(
            campaign,
            Occasion {
                run: &self.run_id,
                now: (self.clock)(),
                reach: reach(policy.as_ref(), &allowed),
            },
            self.plan_requesters(),
            &self.describer(),
            attach,
        )
        .await;
        let plan = made.map_err(|unmade| match unmade {
            Unmade::Misplaced(error) => wrong(error),
            Unmade::Trouble(trouble) => Unplanned::Trouble(trouble).into(),
        })?;
        plan.operations()
            .iter()
            .try_for_each(|planned| self.has_room(planned.operation()))
            .map_err(refused)?;
        let (count, left) = (plan.operations().len(), plan.not_shipped.len());
        self.write(plan)?;
        if count == 0 {
            return Err(Ending::Refused(Refusal::NothingShips { left }));
        }
        let left = if left == 0 {
            String::new()
        } else {
            format!(" {left} will not ship: the summary says why not.")
        };
        Ok(Ending::Planned {
            result: format!(
                "The plan holds {count} operation(s), which wait for their approval.{left}"
            ),
        })
    }

    /// `name=value`, one a line.
    fn variables(&self) -> Result<BTreeMap<String, String>, InputRefusal> {
        let variable = |line: &str| {
            let problem = || {
                format!(
                    "expected `name=value`, found `{}`",
                    countersign_core::text::excerpt(line, 80)
                )
            };
            let (name, value) = line.split_once('=').ok_or_else(|| InputRefusal::Invalid {
                input: "variables",
                problem: problem(),
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        lines(&self.inputs.variables).map(variable).collect()
    }

    /// Who started this run and who re-ran it, as far as the runner says so.
    fn plan_requesters(&self) -> Vec<Actor> {
        self.context
            .actors
            .iter()
            .filter_map(|actor| actor.parse().ok())
            .collect()
    }

    fn write(&self, plan: Plan) -> Result<(), Ending> {
        let written = self.recorder.write_plan(plan);
        written.map_err(|error| {
            Ending::Failed(Complaint::new(
                "plan_unwritten",
                format!("plan.json could not be written: {error}"),
            ))
        })
    }
}

const fn reach<'a>(policy: Option<&'a Policy>, listed: &'a ReachableFrom) -> Reach<'a> {
    match policy {
        Some(policy) => Reach::Policy(policy),
        None => Reach::Listed(listed),
    }
}

fn refused(refusal: InputRefusal) -> Ending {
    Ending::Refused(Refusal::from(refusal))
}
