//! What is suspicious about a policy that can be read: rules that never decide, and rules that nobody can satisfy.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{Policy, Rule};
use crate::{keys::TrustedKey, name::Actor};

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
    if policy.rules.is_empty() {
        let problem = "a policy without rules allows nothing".into();
        findings.push(Finding {
            rule: "-".into(),
            code: "no_rules",
            problem,
        });
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        let mut found = |code, problem| {
            findings.push(Finding {
                rule: rule.name.clone(),
                code,
                problem,
            })
        };
        let approvers = rule.approvers.len() as u64;
        if rule.threshold > approvers {
            found(
                "threshold_above_approvers",
                format!(
                    "{} approvers must agree, but the rule names {approvers}",
                    rule.threshold
                ),
            );
        } else if rule.exclude_requester && rule.threshold == approvers {
            found(
                "threshold_without_requester",
                format!(
                    "all {approvers} approvers must agree, so what one of them asks for can never be approved"
                ),
            );
        }
        let people: Option<BTreeSet<String>> = keys.map(|keys| {
            rule.approvers
                .iter()
                .map(|name| person(name, keys))
                .collect()
        });
        if let Some(people) =
            people.filter(|people| (people.len() as u64) < rule.threshold.min(approvers))
        {
            found(
                "same_login",
                format!(
                    "{} approvers must agree, but by their logins they are {} people",
                    rule.threshold,
                    people.len()
                ),
            );
        }
        for name in &rule.approvers {
            let Some(keys) = keys else { continue };
            match keys.iter().find(|owner| owner.name == *name) {
                None => found(
                    "unknown_key",
                    format!("no trusted key that counts now has the name `{name}`"),
                ),
                Some(owner) if rule.exclude_requester && owner.login.is_none() => {
                    found(
                        "unknown_login",
                        format!(
                            "the rule excludes the requester, but the login of `{name}` is not known"
                        ),
                    );
                }
                Some(_) => {}
            }
        }
        let (earlier, later) = (&policy.rules[..index], &policy.rules[index + 1..]);
        for (other, is_later) in earlier
            .iter()
            .map(|rule| (rule, false))
            .chain(later.iter().map(|rule| (rule, true)))
        {
            if !same_subject(rule, other) {
                continue;
            }
            // Wherever this rule matches, the other does too, so exactly one never does.
            if other.pattern.covers(&rule.pattern) {
                found(
                    "unreachable_rule",
                    format!(
                        "wherever it matches, `{}` matches too, and two are as good as none",
                        other.name
                    ),
                );
            } else if is_later
                && !rule.pattern.covers(&other.pattern)
                && rule.pattern.meets(&other.pattern)
            {
                found(
                    "overlapping_rules",
                    format!(
                        "some names match `{}` too, and two are as good as none",
                        other.name
                    ),
                );
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
    /// The login, if it is known.
    pub login: Option<Actor>,
}

impl From<&TrustedKey> for Owner {
    fn from(key: &TrustedKey) -> Self {
        Self {
            name: key.name.clone(),
            login: key.login.clone(),
        }
    }
}

/// Who stands behind a name: the login, where it is known.
fn person(name: &str, keys: &[Owner]) -> String {
    let login = keys
        .iter()
        .find(|owner| owner.name == name)
        .and_then(|owner| owner.login.as_ref());
    login.map_or_else(
        || name.into(),
        |login| format!("github:{}", login.as_str().to_ascii_lowercase()),
    )
}

fn same_subject(rule: &Rule, other: &Rule) -> bool {
    rule.operation == other.operation && rule.target == other.target
}
