//! What is suspicious about a policy that can be read: rules that never decide, and rules that nobody can satisfy.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{Policy, Rule};
use crate::{
    keys::TrustedKey,
    name::{Actor, KeyName},
    person::Person,
};

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
        findings.push(Finding {
            rule: "-".into(),
            code: "no_rules",
            problem: "a policy without rules allows nothing".into(),
        });
    }

    for (index, rule) in policy.rules.iter().enumerate() {
        let problems = threshold(rule)
            .into_iter()
            .chain(keys.and_then(|keys| same_login(rule, keys)))
            .chain(
                keys.into_iter()
                    .flat_map(|keys| unknown_approvers(rule, keys)),
            )
            .chain(overlaps(&policy.rules, index));
        findings.extend(problems.map(|(code, problem)| Finding {
            rule: rule.name.clone(),
            code,
            problem,
        }));
    }
    findings
}

/// A finding's code and problem.
type Problem = (&'static str, String);

/// A threshold that the rule's approvers cannot reach.
fn threshold(rule: &Rule) -> Option<Problem> {
    let approvers = rule.approvers.len() as u64;
    if rule.threshold > approvers {
        let problem = format!(
            "{} approvers must agree, but the rule names {approvers}",
            rule.threshold
        );
        return Some(("threshold_above_approvers", problem));
    }
    (rule.exclude_requester && rule.threshold == approvers).then(|| {
        let problem = format!(
            "all {approvers} approvers must agree, so what one of them asks for can never be approved"
        );
        ("threshold_without_requester", problem)
    })
}

/// Approvers whose logins are fewer people than the threshold requires.
fn same_login(rule: &Rule, keys: &[Owner]) -> Option<Problem> {
    let people: BTreeSet<Person> = rule
        .approvers
        .iter()
        .map(|name| person(name, keys))
        .collect();
    let wanted = rule.threshold.min(rule.approvers.len() as u64);
    ((people.len() as u64) < wanted).then(|| {
        let problem = format!(
            "{} approvers must agree, but by their logins they are {} people",
            rule.threshold,
            people.len()
        );
        ("same_login", problem)
    })
}

/// Approvers whose key is not trusted, or whose login would be needed.
fn unknown_approvers(rule: &Rule, keys: &[Owner]) -> Vec<Problem> {
    let problem = |name: &String| match keys.iter().find(|owner| KeyName::same(&owner.name, name)) {
        None => Some((
            "unknown_key",
            format!("no trusted key that counts now has the name `{name}`"),
        )),
        Some(owner) if rule.exclude_requester && owner.login.is_none() => Some((
            "unknown_login",
            format!("the rule excludes the requester, but the login of `{name}` is not known"),
        )),
        Some(_) => None,
    };
    rule.approvers.iter().filter_map(problem).collect()
}

/// Other rules that match what this one matches; if two rules match, neither applies.
fn overlaps(rules: &[Rule], index: usize) -> Vec<Problem> {
    let rule = &rules[index];
    let problem = |(position, other): (usize, &Rule)| {
        if position == index || !same_subject(rule, other) {
            return None;
        }
        // Wherever this rule matches, the other does too, so exactly one never does.
        if other.pattern.covers(&rule.pattern) {
            let problem = format!(
                "wherever it matches, `{}` matches too, and two are as good as none",
                other.name
            );
            return Some(("unreachable_rule", problem));
        }
        let overlaps = position > index
            && !rule.pattern.covers(&other.pattern)
            && rule.pattern.meets(&other.pattern);
        overlaps.then(|| {
            let problem = format!(
                "some names match `{}` too, and two are as good as none",
                other.name
            );
            ("overlapping_rules", problem)
        })
    };
    rules.iter().enumerate().filter_map(problem).collect()
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

/// Who is behind a name.
fn person(name: &str, keys: &[Owner]) -> Person {
    let mut named = keys.iter().filter(|owner| KeyName::same(&owner.name, name));
    let login = named.find_map(|owner| owner.login.as_ref());
    Person::of(name, login)
}

fn same_subject(rule: &Rule, other: &Rule) -> bool {
    rule.operation == other.operation && rule.target == other.target
}
