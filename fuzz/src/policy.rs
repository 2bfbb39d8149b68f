//! `policy.toml`: what it allows, held against the plainest reading of its rules.

use std::{collections::BTreeSet, iter};

use countersign_core::{
    asset::Assets,
    digest::Digest,
    keys::MOST_KEYS,
    name::{Actor, CommitId},
    operation::{
        Kind, OpenPr, Operation, PublishRelease, PullBody, ReleaseBody, TagMessage, TagRepo,
        Visibility,
    },
    policy::{
        Approval, Decision, MOST_RULES, MOST_VERSION, Policy, Reason, Request, Rule, decide_one,
        lint,
    },
    timestamp::Lifetime,
};

use crate::can_be_shown;

/// So many rules are tried on names; the number of decisions grows with its square.
const TRIED: usize = 6;

/// Exactly one matching rule decides, by enough of its approvers, and the linter knows of every two that match one name.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(misplaced) => return can_be_shown(&misplaced),
    };
    assert_eq!(policy.pin().digest, Digest::of(data));
    assert!((1..=MOST_VERSION).contains(&policy.version) && policy.rules.len() <= MOST_RULES);
    let names: BTreeSet<&str> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names.len(), policy.rules.len());
    let rules = &policy.rules[..policy.rules.len().min(TRIED)];
    for rule in rules {
        assert!(rule.threshold > 0 && !rule.approvers.is_empty());
        for name in rules.iter().flat_map(names_of) {
            if let Some(operation) = operation(rule, &name) {
                is_decided_by_one_rule(&policy, &operation, &name);
            }
        }
    }
    for finding in lint(&policy, None).iter().take(MOST_KEYS) {
        can_be_shown(&finding.problem);
    }
}

fn names_of(rule: &Rule) -> [String; 3] {
    ["", "x", "1.0"].map(|filling| rule.pattern.to_string().replace('*', filling))
}

/// What the rule is about, under this name.
fn operation(rule: &Rule, name: &str) -> Option<Operation> {
    let (target, commit) = (rule.target.clone(), || {
        "1".repeat(40).parse::<CommitId>().expect("a commit")
    });
    Some(match rule.operation {
        Kind::PublishRelease => Operation::PublishRelease(PublishRelease {
            target,
            tag_name: name.parse().ok()?,
            target_sha: commit(),
            release_name: "x".parse().expect("a title"),
            body: ReleaseBody::new("body", "".parse().expect("text")).expect("it is short"),
            visibility: Visibility::new(false, false, None).expect("it is possible"),
            assets: Assets::default(),
        }),
        Kind::TagRepo => Operation::TagRepo(TagRepo {
            target,
            tag_name: name.parse().ok()?,
            target_sha: commit(),
            message: TagMessage::new("message", "x".parse().expect("text")).expect("it is short"),
        }),
        Kind::OpenPr => Operation::OpenPr(OpenPr {
            target,
            title: "x".parse().expect("a title"),
            body: PullBody::new("body", "".parse().expect("text")).expect("it is short"),
            head_branch: "x".parse().expect("a branch"),
            head_sha: commit(),
            base_branch: name.parse().ok()?,
            draft: false,
            labels: iter::empty().collect(),
            reviewers: iter::empty().collect(),
        }),
    })
}

fn is_decided_by_one_rule(policy: &Policy, operation: &Operation, name: &str) {
    let is_about = |rule: &&Rule| {
        let pattern = rule.pattern.to_string();
        rule.operation == operation.kind()
            && rule.target == *operation.target()
            && stands_for(&pattern, name)
    };
    let matching: Vec<&Rule> = policy.rules.iter().filter(is_about).collect();
    let approvers = matching
        .first()
        .map_or(&[][..], |rule| rule.approvers.as_slice());
    let everybody: Vec<Approval> = approvers
        .iter()
        .map(|name| Approval {
            name: name.clone(),
            login: None,
        })
        .collect();
    let decision = decided(policy, operation, &everybody);
    assert!(!decided(policy, operation, &[]).allows(), "nobody approved");
    match matching.as_slice() {
        [] => assert!(
            !decision.allows() && matches!(decision.reasons.as_slice(), [Reason::NoRule(_)])
        ),
        [rule] => {
            assert_eq!(decision.rule.as_ref(), Some(&rule.name));
            // Where the requester is excluded, somebody without a login could be the requester.
            assert_eq!(
                decision.allows(),
                rule.threshold <= rule.approvers.len() as u64 && !rule.exclude_requester
            );
            assert!(
                unreachable(policy).all(|name| name != rule.name),
                "{} is told to be unreachable",
                rule.name
            );
        }
        several => {
            assert!(
                !decision.allows()
                    && matches!(decision.reasons.as_slice(), [Reason::SeveralRules(_)])
            );
            let suspicious = lint(policy, None);
            let is_told = |rule: &&&Rule| {
                suspicious.iter().any(|finding| {
                    finding.rule == rule.name
                        && ["unreachable_rule", "overlapping_rules"].contains(&finding.code)
                })
            };
            // Of every two rules that match one name, one at least is told.
            assert!(
                several.iter().filter(is_told).count() + 1 >= several.len(),
                "`{name}` is a name of several rules"
            );
        }
    }
}

fn decided(policy: &Policy, operation: &Operation, approvals: &[Approval]) -> Decision {
    let requesters = ["requester".parse::<Actor>().expect("a login")];
    let lifetime = Lifetime::of_seconds(1).expect("a lifetime");
    decide_one(
        &Request {
            operation,
            approvals,
            requesters: &requesters,
            reviewers: &[],
            lifetime,
        },
        policy,
    )
}

fn unreachable(policy: &Policy) -> impl Iterator<Item = String> {
    lint(policy, None)
        .into_iter()
        .filter(|finding| finding.code == "unreachable_rule")
        .map(|finding| finding.rule)
}

/// The meaning of a pattern, character by character: `ways[i]` tells whether what is left of the pattern stands for the name from `i` on.
fn stands_for(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut ways = vec![false; name.len() + 1];
    ways[name.len()] = true;
    for character in pattern.chars().rev() {
        let mut before = vec![false; name.len() + 1];
        for at in (0..=name.len()).rev() {
            before[at] = match character {
                '*' => ways[at] || at < name.len() && before[at + 1],
                other => at < name.len() && name[at] == other && ways[at + 1],
            };
        }
        ways = before;
    }
    ways[0]
}
