//! `countersign verify`: a receipt against a plan, offline. What only the ledger and GitHub know stays open and is said to be.

use std::fmt::Write as _;

use anyhow::Context as _;

use countersign_core::{
    authorize::{Evidence, Mode, Preflight, authorize},
    binding::{Check, Verdict},
    document::Document as _,
    envelope::{Envelope, MOST_BYTES},
    keys::{Threshold, TrustedKeys},
    name::{Executor, RunAttempt},
    plan::Plan,
    refusal::{InputRefusal, Refusal},
    text::{Lines, visible},
};

use super::{print, read, read_text, tell};
use crate::{Clock, cli::VerifyArguments, exit::Exit, random};

pub(crate) fn run(arguments: &VerifyArguments, clock: Clock) -> anyhow::Result<Exit> {
    let receipt = read_text(&arguments.receipt, 2 * MOST_BYTES as u64)?;
    let plan = read(&arguments.plan, Plan::MOST_BYTES as u64)?;
    let keys = read_text(&arguments.trusted_keys, MOST_BYTES as u64)?;
    let checks = offline(&receipt, &plan, &keys, &arguments.threshold, clock)?;
    print(&table(&checks)?)?;
    let Some(refusal) = checks.iter().find_map(Check::refusal) else {
        tell("The receipt fits the plan. Whether it was used, and what GitHub holds, is not known offline.");
        return Ok(Exit::Success);
    };
    tell(&format!("{}: {refusal}\n{}", refusal.code(), refusal.remedy()));
    Ok(Exit::Refused)
}

/// Every binding rule, as far as it can be evaluated without GitHub.
pub(super) fn offline(receipt: &str, plan: &[u8], keys: &str, threshold: &str, clock: Clock) -> anyhow::Result<Vec<Check>> {
    let plan = Plan::from_document(plan).context("this is no plan that can be approved; use plan.json exactly as the dry run wrote it")?;
    anyhow::ensure!(!receipt.trim().is_empty(), "the file with the receipt is empty");
    let run_id = plan.run_id.clone();
    let operation = plan.into_only_operation()?.into_operation();
    let verified = TrustedKeys::parse(keys).map_err(|error| Refusal::from(InputRefusal::TrustedKeys(error))).and_then(|trusted| {
        let threshold = Threshold::parse(threshold, &trusted).map_err(InputRefusal::Threshold)?;
        Envelope::parse(receipt)?.verify(&trusted, threshold)
    });
    let decision = authorize(Evidence {
        mode: Ok(Mode::Prod),
        executor: Executor { run_id: run_id.clone(), run_attempt: RunAttempt(1), operation_id: random::operation_id() },
        run_id,
        operation: Ok(operation),
        receipt: verified,
        now: clock(),
        preflight: Preflight::NotAsked,
        allow_workflow_changes: false,
    });
    Ok(decision.checks)
}

fn table(checks: &[Check]) -> anyhow::Result<String> {
    let mut table = String::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Holds => "holds ",
            Verdict::Broken(_) => "BROKEN",
            Verdict::NotEvaluated => "open  ",
        };
        writeln!(table, "{verdict}  {:<28}{}", check.rule.name(), visible(&check.found, Lines::One))?;
    }
    Ok(table.trim_end().into())
}
