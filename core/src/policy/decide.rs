//! The decision: pure, and with every reason.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{Policy, Rule};
use crate::{
    digest::Digest, keys::TrustedKey, name::Actor, operation::Operation, person::Person,
    plan::Plan, timestamp::Lifetime,
};

/// Who says yes: a trusted key's name, and its owner's login if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The key's name.
    pub name: String,
    /// Its owner's login.
    pub login: Option<Actor>,
}

impl From<&TrustedKey> for Approval {
    fn from(key: &TrustedKey) -> Self {
        Self {
            name: key.name.clone(),
            login: key.login.clone(),
        }
    }
}

/// Everything that one decision is about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Who approved it.
    pub approvals: &'a [Approval],
    /// Who started the run that asks for it; whoever pressed "re-run" too.
    pub requesters: &'a [Actor],
    /// Who let the run go on, where that is known: they must not be the requester either.
    pub reviewers: &'a [Actor],
    /// How long the receipt lasts.
    pub lifetime: Lifetime,
}

/// What the policy says about one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Digest of the operation.
    pub operation: Digest,
    /// The one rule that matches.
    pub rule: Option<String>,
    /// Everything that speaks against it; nothing if it is allowed.
    pub reasons: Vec<Reason>,
}

/// One thing that speaks against an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule matches: each with the first side on which it differs.
    NoRule(Vec<(String, String)>),
    /// More than one rule matches.
    SeveralRules(Vec<String>),
    /// The receipt would last too long.
    LifetimeTooLong {
        /// How long it lasts.
        found: Lifetime,
        /// How long it may.
        longest: Lifetime,
    },
    /// The requester is excluded, but nobody knows who that is.
    RequesterUnknown,
    /// The requester approved, which does not count.
    RequesterApproved(String),
    /// The receipt stands in the requester's own review alone.
    RequesterReviewed(String),
    /// Of an approver no login is known, so that nobody can tell whether it is the requester.
    LoginUnknown(String),
    /// Somebody approved whom the rule does not name.
    NotAnApprover(String),
    /// Fewer approvers than must.
    ThresholdUnmet {
        /// Distinct approvers that count.
        counted: u64,
        /// How many must.
        threshold: u64,
        /// Who may.
        approvers: Vec<String>,
    },
}

/// A decision against an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    rule: Option<String>,
    reasons: Vec<Reason>,
}

impl Decision {
    /// Whether everything speaks for it.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.rule.is_some() && self.reasons.is_empty()
    }

    /// Whether nothing is missing but more approvers: one at least counts already.
    #[must_use]
    pub fn waits_for_others(&self) -> bool {
        let [
            Reason::ThresholdUnmet {
                counted,
                threshold,
                approvers,
            },
        ] = self.reasons.as_slice()
        else {
            return false;
        };
        self.rule.is_some() && *counted > 0 && *threshold <= approvers.len() as u64
    }

    /// The decision as an error, if it is one.
    pub fn verdict(self) -> Result<(), Denial> {
        if self.allows() {
            Ok(())
        } else {
            Err(Denial {
                rule: self.rule,
                reasons: self.reasons,
            })
        }
    }
}

/// Decides about every operation of a plan, in its order.
#[must_use]
pub fn decide(
    plan: &Plan,
    approvals: &[Approval],
    lifetime: Lifetime,
    policy: &Policy,
) -> Vec<Decision> {
    plan.operations()
        .iter()
        .map(|planned| {
            decide_one(
                &Request {
                    operation: planned.operation(),
                    approvals,
                    requesters: &plan.requested_by,
                    reviewers: &[],
                    lifetime,
                },
                policy,
            )
        })
        .collect()
}

/// Decides about one operation.
#[must_use]
pub fn decide_one(request: &Request<'_>, policy: &Policy) -> Decision {
    let (matching, others): (Vec<_>, Vec<_>) = policy
        .rules
        .iter()
        .map(|rule| (rule, rule.matches(request.operation)))
        .partition(|(_, verdict)| verdict.is_ok());
    let decision = |rule: Option<&Rule>, reasons| Decision {
        operation: request.operation.digest(),
        rule: rule.map(|rule| rule.name.clone()),
        reasons,
    };
    match matching.as_slice() {
        [(rule, _)] => decision(Some(rule), against(request, rule)),
        [] => {
            let near = others
                .into_iter()
                .map(|(rule, verdict)| (rule.name.clone(), verdict.err().unwrap_or_default()))
                .collect();
            decision(None, [Reason::NoRule(near)].into())
        }
        several => decision(
            None,
            [Reason::SeveralRules(
                several.iter().map(|(rule, _)| rule.name.clone()).collect(),
            )]
            .into(),
        ),
    }
}

/// The login under which GitHub keeps what a job token did.
const JOB_TOKEN: &str = "github-actions[bot]";

fn against(request: &Request<'_>, rule: &Rule) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if request.lifetime > rule.longest_lifetime {
        reasons.push(Reason::LifetimeTooLong {
            found: request.lifetime,
            longest: rule.longest_lifetime,
        });
    }
    // A run that a workflow started with its job token was asked for by whoever wrote the workflow.
    let hides_somebody = |requester: &Actor| requester.as_str().eq_ignore_ascii_case(JOB_TOKEN);
    if rule.exclude_requester
        && (request.requesters.is_empty() || request.requesters.iter().any(hides_somebody))
    {
        reasons.push(Reason::RequesterUnknown);
    }
    let asked = |login: &Actor| {
        request
            .requesters
            .iter()
            .any(|requester| requester.is(login))
    };
    if rule.exclude_requester {
        // One review by somebody else is enough.
        if let (Some(first), true) = (
            request.reviewers.first(),
            request.reviewers.iter().all(asked),
        ) {
            reasons.push(Reason::RequesterReviewed(first.to_string()));
        }
    }
    let (mut counted, mut passed_over) = (BTreeSet::new(), Vec::new());
    for Approval { name, login } in request.approvals {
        let reason = match login {
            _ if !rule.names(name) => Reason::NotAnApprover(name.clone()),
            Some(login) if rule.exclude_requester && asked(login) => {
                Reason::RequesterApproved(name.clone())
            }
            None if rule.exclude_requester => Reason::LoginUnknown(name.clone()),
            _ => {
                counted.insert(Person::of(name, login.as_ref()));
                continue;
            }
        };
        passed_over.push(reason);
    }
    if (counted.len() as u64) < rule.threshold {
        // Why somebody's word does not count matters only where it is missed.
        reasons.extend(passed_over);
        let approvers = rule.approvers.clone();
        reasons.push(Reason::ThresholdUnmet {
            counted: counted.len() as u64,
            threshold: rule.threshold,
            approvers,
        });
    }
    reasons
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRule(_) => "policy_no_rule",
            Self::SeveralRules(_) => "policy_several_rules",
            Self::LifetimeTooLong { .. } => "policy_lifetime",
            Self::RequesterUnknown => "requester_unknown",
            Self::RequesterApproved(_) | Self::RequesterReviewed(_) => "policy_requester_approved",
            Self::LoginUnknown(_) => "policy_login_unknown",
            Self::NotAnApprover(_) => "policy_not_an_approver",
            Self::ThresholdUnmet { .. } => "policy_threshold_unmet",
        }
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::NoRule(_) => {
                "What no rule is about is not allowed. Add a rule for it to the policy, or correct the operation."
            }
            Self::SeveralRules(_) => {
                "Exactly one rule must match: narrow the others. `countersign policy check` finds rules that overlap."
            }
            Self::LifetimeTooLong { .. } => {
                "Ask for a receipt that lasts no longer than the policy allows: `countersign authorize --expires-in`."
            }
            Self::RequesterUnknown => {
                "Have a person start the run that makes the plan, or say who asks: `countersign plan --requested-by`."
            }
            Self::RequesterApproved(_) => {
                "Somebody other than whoever started the run must approve."
            }
            Self::RequesterReviewed(_) => {
                "Somebody other than whoever started the run must approve the deployment with the receipt in the comment."
            }
            Self::LoginUnknown(_) => {
                "Write the approver's login beside the key: `login` in the trust file, or `github:LOGIN` behind the name."
            }
            Self::NotAnApprover(_) => {
                "An approver of the rule must issue the receipt with `countersign authorize`; other approvers add signatures with `countersign sign`."
            }
            Self::ThresholdUnmet { .. } => {
                "Collect signatures of enough approvers of the rule on the same receipt: `countersign sign`."
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule(near) if near.is_empty() => f.write_str("the policy has no rules"),
            Self::NoRule(near) => {
                let near: Vec<String> = near.iter().map(|(rule, why)| format!("`{rule}`: {why}")).collect();
                write!(f, "no rule of the policy matches ({})", near.join("; "))
            }
            Self::SeveralRules(rules) => write!(f, "{} rules match, expected exactly one: {}", rules.len(), quoted(rules)),
            Self::LifetimeTooLong { found, longest } => write!(f, "the receipt lasts {found}, the rule allows {longest}"),
            Self::RequesterUnknown => f.write_str("the rule excludes the requester, and nobody can tell who that is: none is named, or `github-actions[bot]`, behind whom anybody may stand who can edit a workflow"),
            Self::RequesterApproved(name) => write!(f, "`{name}` started the run, so their approval does not count"),
            Self::RequesterReviewed(login) => write!(f, "the receipt stands in the review of `{login}` alone, who started the run"),
            Self::LoginUnknown(name) => write!(f, "the rule excludes the requester, but the login of `{name}` is not known"),
            Self::NotAnApprover(name) => write!(f, "`{name}` is no approver of this rule"),
            Self::ThresholdUnmet { counted, threshold, approvers } => {
                write!(f, "{counted} approver(s) of {} signed, {threshold} must", quoted(approvers))
            }
        }
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Denial {
    /// The code of the first reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.reasons.as_slice() {
            [first, ..] => first.code(),
            [] => "policy_no_rule",
        }
    }

    /// What to do about the first reason.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self.reasons.as_slice() {
            [first, ..] => first.remedy(),
            [] => "",
        }
    }

    /// Every reason.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = &self.rule {
            write!(f, "the policy's rule `{rule}` gives no leave: ")?;
        }
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        f.write_str(&reasons.join("; "))
    }
}
