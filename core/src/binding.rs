//! The binding table: every rule that ties a receipt to this run, kind, repository, operation and moment.

mod rows;

use alloc::{string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use self::rows::Row;
pub(crate) use self::rows::{in_time, not_expired};
use crate::{authorize::Evidence, refusal::Refusal};

/// A receipt counts for at most this many seconds after it was issued, whatever it says.
pub const MOST_LIFETIME: u64 = 24 * 60 * 60;
/// An issuer's clock may be ahead by this many seconds.
pub const MOST_AHEAD: u64 = 60;
/// Our clock and GitHub's may differ by this many seconds.
pub const MOST_SKEW: u64 = 5 * 60;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident: $name:literal, $code:literal, $check:ident;)*) => {
        /// A row of the binding table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// Every rule, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// What the rule asks for, in few words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),* }
            }

            /// The code of the refusal that the rule gives first.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$rule => $code),* }
            }

            fn check(self, evidence: &Evidence) -> Row {
                match self { $(Self::$rule => rows::$check(evidence)),* }
            }
        }
    };
}

rules! {
    /// Mode is exactly `prod`.
    Mode: "mode", "mode_violation", mode;
    /// A receipt is present.
    Receipt: "receipt is present", "receipt_missing", receipt_present;
    /// Envelope and statement are well formed.
    Form: "receipt is well formed", "receipt_malformed", well_formed;
    /// Enough people signed with trusted keys.
    Signatures: "enough trusted signatures", "signature_untrusted", signatures;
    /// `enforceable` is true.
    Enforceable: "enforceable", "advisory_receipt", enforceable;
    /// `run_id` is this run.
    Run: "run", "run_id_mismatch", run;
    /// `operation_kind` is this operation's.
    Kind: "kind of operation", "operation_kind_mismatch", kind;
    /// `repository` and `repository_id` are this target's.
    Repository: "repository", "repository_mismatch", repository;
    /// The subject's digest is this operation's.
    Operation: "operation", "operation_mismatch", operation;
    /// Not consumed, by its own word and by the ledger.
    Unused: "not used before", "receipt_consumed", not_consumed;
    /// Now is before `expires_at`, by both clocks.
    Expiry: "not expired", "receipt_expired", expiry;
    /// `issued_at` is not over 24 hours ago, nor over 60 seconds ahead.
    Issued: "issued recently", "receipt_stale", issued;
    /// The lifetime is over 0 and at most 24 hours.
    Lifetime: "lifetime", "receipt_lifetime", lifetime;
    /// Exactly one rule of the policy gives leave, if there is a policy.
    Policy: "policy gives leave", "policy_no_rule", policy;
    /// Our clock and GitHub's agree.
    Clocks: "clocks agree", "clock_skew", clocks;
    /// The ledger exists, can be read, and holds the checkpoint.
    Ledger: "ledger holds the checkpoint", "ledger_missing", ledger;
    /// The ledger's branch cannot have been rewound to the checkpoint.
    Guard: "ledger was not set back", "ledger_unguarded", guard;
    /// Trust file and policy are not older than those that decided before.
    Authority: "trust and policy are the newest", "trust_rolled_back", authority;
    /// GitHub leaves room for the operation as approved.
    World: "GitHub has room for it", "preflight_tag_moved", world;
    /// An allowed branch contains the commit of a release or tag.
    Reach: "an allowed branch contains the commit", "commit_unreachable", reach;
}

/// Whether a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not.
    Broken(Refusal),
    /// An earlier broken rule leaves nothing to look at.
    NotEvaluated,
}

/// One rule with both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// What it asks for.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Why the answer is no: the first broken rule's refusal. A wrong clock breaks the rules about time, so
/// it is told in their place.
#[must_use]
pub fn refusal(checks: &[Check]) -> Option<&Refusal> {
    let broken = |check: &&Check| check.refusal().is_some();
    let first = checks.iter().find(broken)?;
    let cause = match first.rule {
        Rule::Expiry | Rule::Issued => checks.iter().find(|check| check.rule == Rule::Clocks),
        _ => None,
    };
    cause.and_then(Check::refusal).or_else(|| first.refusal())
}

impl Check {
    /// Why the rule does not hold, if it is broken.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        if let Verdict::Broken(refusal) = &self.verdict {
            Some(refusal)
        } else {
            None
        }
    }

    /// Whether the rule holds; one that was not evaluated does not.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self.verdict, Verdict::Holds)
    }

    /// The code of the refusal, or of the rule's first one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.refusal().map_or(self.rule.code(), Refusal::code)
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut check = serializer.serialize_struct("Check", 5)?;
        check.serialize_field("rule", self.rule.name())?;
        check.serialize_field("code", self.code())?;
        check.serialize_field("expected", &self.expected)?;
        check.serialize_field("found", &self.found)?;
        let verdict = match &self.verdict {
            Verdict::Holds => "holds",
            Verdict::Broken(_) => "broken",
            Verdict::NotEvaluated => "not_evaluated",
        };
        check.serialize_field("verdict", verdict)?;
        check.end()
    }
}

/// Evaluates every rule, whatever the others say.
#[must_use]
pub fn evaluate(evidence: &Evidence) -> Vec<Check> {
    let check = |rule: &Rule| {
        let Row {
            expected,
            found,
            verdict,
        } = rule.check(evidence);
        Check {
            rule: *rule,
            expected,
            found,
            verdict,
        }
    };
    Rule::ALL.iter().map(check).collect()
}

#[cfg(test)]
mod tests;
