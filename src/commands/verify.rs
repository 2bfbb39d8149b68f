//! `countersign verify`: receipts against a plan, offline. What only the ledger and GitHub know stays open and is said to be.

use anyhow::{Context as _, ensure};

use countersign_core::{
    authorize::{Basis, Evidence, Mode, Preflight, authorize},
    binding::{self, Check, Verdict},
    document::Document as _,
    envelope::{Envelope, MOST_BYTES, receipts_in},
    evidence::AttachReceipt,
    keys::{Threshold, TrustedKeys},
    name::{Executor, RunAttempt},
    plan::{MOST_OPERATIONS, Plan, PlannedOperation},
    policy::Policy,
    reach::ReachableFrom,
    refusal::Refusal,
    tables,
    trust::Trust,
};

use super::{Row, print, read, read_text, refused, tell};
use crate::{Clock, cli::VerifyArguments, exit::Exit, random};

pub(crate) fn run(arguments: &VerifyArguments, clock: Clock) -> anyhow::Result<Exit> {
    let text = read_text(
        &arguments.receipt,
        (MOST_OPERATIONS * 2 * MOST_BYTES) as u64,
    )?;
    let plan = read(&arguments.plan, Plan::MOST_BYTES as u64)?;
    let plan = Plan::from_document(&plan).context(
        "this is no plan that can be approved; use plan.json exactly as the dry run wrote it",
    )?;
    let trusted = arguments.trusted.read(clock())?;
    let threshold = trusted.threshold(arguments.threshold.as_deref())?;
    let policy = arguments.policy.as_deref().map(|path| {
        let text = read_text(path, tables::MOST_BYTES as u64)?;
        Policy::parse(&text).with_context(|| format!("`{}`", path.display()))
    });
    let offline = Offline {
        plan: &plan,
        keys: &trusted.keys,
        trust: trusted.trust.as_ref(),
        threshold,
        policy: policy.transpose()?,
    };
    let mut without: Vec<String> = plan
        .operations()
        .iter()
        .map(|planned| planned.id().to_string())
        .collect();
    for receipt in receipts(&text)? {
        let (planned, checks) = offline.check(receipt, clock)?;
        without.retain(|id| id != planned.id().as_str());
        if plan.operations().len() > 1 {
            print(Row::words(format!(
                "{} ({})",
                planned.id(),
                planned.digest()
            )))?;
        }
        print(table(&checks))?;
        if let Some(refusal) = binding::refusal(&checks) {
            tell(refused(refusal));
            return Ok(Exit::Refused);
        }
    }
    if !without.is_empty() {
        tell(Row::words(format!(
            "Operations of the plan without a receipt here: {}.",
            without.join(", ")
        )));
    }
    tell(
        "The receipt fits the plan. Whether it was used, and what GitHub holds, is not known offline.",
    );
    Ok(Exit::Success)
}

/// What can be known without GitHub.
pub(super) struct Offline<'a> {
    pub(super) plan: &'a Plan,
    pub(super) keys: &'a TrustedKeys,
    /// The trust file from which they come; `None` where nothing is decided by the policy that it fixes.
    pub(super) trust: Option<&'a Trust>,
    pub(super) threshold: Threshold,
    pub(super) policy: Option<Policy>,
}

impl Offline<'_> {
    /// Every binding rule, as far as it can be evaluated, for the operation that the receipt means.
    pub(super) fn check(
        &self,
        receipt: &str,
        clock: Clock,
    ) -> anyhow::Result<(&PlannedOperation, Vec<Check>)> {
        let published = self.keys.published().map(|key| Refusal::KeyPublished {
            name: key.name.clone(),
            fingerprint: key.key.fingerprint(),
        });
        let verified = Envelope::parse(receipt)
            .map_err(Refusal::from)
            .and_then(|envelope| {
                published.map_or_else(|| envelope.verify(self.keys, self.threshold), Err)
            });
        let digest = verified
            .as_ref()
            .ok()
            .map(|receipt| receipt.terms().operation_digest);
        // A receipt for none of them is judged by the first: the rule `operation` tells both sides.
        let meant = self
            .plan
            .operations()
            .iter()
            .find(|planned| Some(planned.digest()) == digest);
        let planned = meant
            .or(self.plan.operations().first())
            .context("the plan holds no operation")?;
        let run_id = self.plan.run_id.clone();
        let decision = authorize(Evidence {
            mode: Ok(Mode::Prod),
            executor: Executor {
                run_id: run_id.clone(),
                run_attempt: RunAttempt(1),
                operation_id: random::operation_id(),
            },
            run_id,
            operation: Ok(planned.operation().clone()),
            receipt: verified,
            basis: Basis {
                keys: None,
                trust: self.trust.cloned(),
                policy: Ok(self.policy.clone()),
                requesters: Ok(self.plan.requested_by.clone()),
                reviewers: Vec::new(),
                reachable_from: self
                    .policy
                    .as_ref()
                    .map_or_else(ReachableFrom::default, |policy| {
                        policy.reachable_from(planned.operation())
                    }),
                host: None,
            },
            now: clock(),
            preflight: Preflight::NotAsked,
            allow_workflow_changes: false,
            unguarded_ledger: false,
            attach_receipt: AttachReceipt::No,
        });
        Ok((planned, decision.checks))
    }
}

/// The receipts of a file.
pub(super) fn receipts(text: &str) -> anyhow::Result<Vec<&str>> {
    let receipts = receipts_in(text);
    ensure!(!receipts.is_empty(), "the file with the receipt is empty");
    Ok(receipts)
}

fn table(checks: &[Check]) -> Vec<Row> {
    let row = |check: &Check| {
        let verdict = match check.verdict {
            Verdict::Holds => "holds ",
            Verdict::Broken(_) => "BROKEN",
            Verdict::NotEvaluated => "open  ",
        };
        Row::new(
            format!("{verdict}  {:<32}", check.rule.name()),
            &check.found,
        )
    };
    checks.iter().map(row).collect()
}
