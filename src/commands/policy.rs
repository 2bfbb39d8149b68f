//! `countersign policy check`: lints a policy, and explains what it decides about a plan.

use anyhow::{Context as _, ensure};

use countersign_core::{
    document::Document as _,
    name::KeyName,
    plan::Plan,
    policy::{Approval, Owner, Policy, decide, lint},
    tables,
};

use super::{Row, print, read, read_text, trusted};
use crate::{Clock, cli::PolicyCheckArguments, exit::Exit};

pub(crate) fn check(arguments: &PolicyCheckArguments, clock: Clock) -> anyhow::Result<Exit> {
    let text = read_text(&arguments.policy, tables::MOST_BYTES as u64)?;
    let policy =
        Policy::parse(&text).with_context(|| format!("`{}`", arguments.policy.display()))?;
    let trusted = arguments
        .trusted_keys
        .as_deref()
        .map(|path| trusted::read(path, arguments.trust_root, clock()))
        .transpose()?;
    let owners: Option<Vec<Owner>> = trusted
        .as_ref()
        .map(|trusted| trusted.keys.as_slice().iter().map(Owner::from).collect());
    print(Row::words(format!(
        "policy {} with {} rule(s)",
        policy.pin(),
        policy.rules.len()
    )))?;
    for retired in trusted.iter().flat_map(|trusted| trusted.keys.retired()) {
        print(Row::words(format!(
            "note: the key {} of `{}` is not valid now: {}",
            retired.key.fingerprint(),
            retired.name,
            retired.why
        )))?;
    }
    let findings = lint(&policy, owners.as_deref());
    for finding in &findings {
        print(Row::words(format!(
            "rule `{}`: {}: {}",
            finding.rule, finding.code, finding.problem
        )))?;
    }
    if owners.is_none() {
        print("note: without --trusted-keys nobody knows whether the approvers have keys")?;
    }
    let denied = match &arguments.plan {
        Some(path) => explain(&policy, path, arguments, trusted.as_ref())?,
        None => false,
    };
    Ok(if findings.is_empty() && !denied {
        Exit::Success
    } else {
        Exit::Refused
    })
}

/// Tells of each operation whether it is allowed; gives whether one is not.
fn explain(
    policy: &Policy,
    path: &std::path::Path,
    arguments: &PolicyCheckArguments,
    trusted: Option<&trusted::Trusted>,
) -> anyhow::Result<bool> {
    let plan = Plan::from_document(&read(path, Plan::MOST_BYTES as u64)?)
        .with_context(|| format!("`{}`", path.display()))?;
    ensure!(
        !plan.operations().is_empty(),
        "the plan holds no operation: there is nothing to decide"
    );
    let approval = |name: &String| {
        let key = trusted.and_then(|trusted| {
            trusted
                .keys
                .as_slice()
                .iter()
                .find(|key| KeyName::same(&key.name, name))
        });
        Approval {
            name: name.clone(),
            login: key.and_then(|key| key.login.clone()),
        }
    };
    let approvals: Vec<Approval> = arguments.approver.iter().map(approval).collect();
    let decisions = decide(&plan, &approvals, arguments.expires_in, policy);
    let mut denied = false;
    for (planned, decision) in plan.operations().iter().zip(decisions) {
        let verdict = match (decision.allows(), &decision.rule) {
            (true, Some(rule)) => format!("allowed by the rule `{rule}`"),
            (_, Some(rule)) => format!("not allowed; the rule `{rule}` decides"),
            (_, None) => "not allowed".into(),
        };
        print(Row::words(format!(
            "{}: {} in {}: {verdict}",
            planned.id(),
            planned.operation().kind(),
            planned.operation().target()
        )))?;
        for reason in &decision.reasons {
            print(Row::new(format!("  {}: ", reason.code()), reason))?;
        }
        denied |= !decision.allows();
    }
    Ok(denied)
}
