//! What is suspicious about a policy that can be read: rules that never decide, and rules that nobody can satisfy.

use alloc::{format, string::String, vec::Vec};

use super::{Policy, Rule};
use crate::keys::TrustedKey;

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// A stable code.
    pub code: &'static str,
    /// Both sides.
    pub problem: String,
}

/// Everything suspicious, in the order of the rules. `keys` are those that approvers may sign with, if they are known.
#[must_use]
pub fn lint(policy: &Policy, keys: Option<&[Owner]>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rule) in policy.rules.iter().enumerate() {
        let mut found = |code, problem| findings.push(Finding { rule: rule.name.clone(), code, problem });
        let approvers = rule.approvers.len() as u64;
        if rule.threshold > approvers {
            found("threshold_above_approvers", format!("{} approvers must agree, but the rule names {approvers}", rule.threshold));
        } else if rule.exclude_requester && rule.threshold == approvers {
            found(
                "threshold_without_requester",
                format!("all {approvers} approvers must agree, so what one of them asks for can never be approved"),
            );
        }
        for name in &rule.approvers {
            let Some(keys) = keys else { continue };
            match keys.iter().find(|owner| owner.name == *name) {
                None => found("unknown_key", format!("no trusted key has the name `{name}`")),
                Some(owner) if rule.exclude_requester && !owner.has_login => {
                    found("unknown_login", format!("the rule excludes the requester, but the login of `{name}` is not known"));
                }
                Some(_) => {}
            }
        }
        for (other_index, other) in policy.rules.iter().enumerate().filter(|(other_index, _)| *other_index != index) {
            if !same_subject(rule, other) {
                continue;
            }
            // Wherever this rule matches, the other does too, so exactly one never does.
            if other.pattern.covers(&rule.pattern) {
                found("unreachable_rule", format!("wherever it matches, `{}` matches too, and two are as good as none", other.name));
            } else if other_index > index && !rule.pattern.covers(&other.pattern) && rule.pattern.meets(&other.pattern) {
                found("overlapping_rules", format!("some names match `{}` too, and two are as good as none", other.name));
            }
        }
    }
    findings
}

/// The owner of a trusted key, as far as a policy asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The key's name.
    pub name: String,
    /// Whether the login is known.
    pub has_login: bool,
}

impl From<&TrustedKey> for Owner {
    fn from(key: &TrustedKey) -> Self {
        Self { name: key.name.clone(), has_login: key.login.is_some() }
    }
}

fn same_subject(rule: &Rule, other: &Rule) -> bool {
    rule.operation == other.operation && rule.target == other.target
}
