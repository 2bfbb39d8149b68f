//! Turns evidence into a decision: every binding rule is evaluated, and only if all hold there is a grant.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    authority::{Authority, Reviewed},
    binding::{self, Check, Rule},
    evidence::AttachReceipt,
    keys::{Threshold, TrustedKeys},
    ledger::{Append, Entry, EntryId, Guard, Pair, Sent, Settlement, Tail, Use},
    name::{Actor, CommitId, Executor, Host, RunId},
    operation::{Operation, Target},
    policy::Policy,
    reach::{Branches, ReachableFrom},
    receipt::{Terms, VerifiedReceipt},
    refusal::Refusal,
    timestamp::Timestamp,
    trust::Trust,
    world::World,
};

/// What the workflow asked for, to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Make a plan, write nothing to GitHub.
    DryRun,
    /// Publish.
    Prod,
}

impl Mode {
    /// `prod` or `dry_run`, to the letter.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "prod" => Ok(Self::Prod),
            "dry_run" => Ok(Self::DryRun),
            other => Err(Refusal::ModeViolation {
                found: crate::text::excerpt(other, 40),
            }),
        }
    }

    /// The word in inputs and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::Prod => "prod",
        }
    }
}

/// Everything on which a decision rests. What could not be had carries the reason.
#[derive(Debug)]
pub struct Evidence {
    /// The mode, exactly as given.
    pub mode: Result<Mode, Refusal>,
    /// The run for which a receipt must be issued.
    pub run_id: RunId,
    /// Who acts.
    pub executor: Executor,
    /// The operation that the inputs describe.
    pub operation: Result<Operation, Refusal>,
    /// The receipt, verified; or why there is none.
    pub receipt: Result<VerifiedReceipt, Refusal>,
    /// What the decision goes by beside the receipt.
    pub basis: Basis,
    /// Our clock.
    pub now: Timestamp,
    /// What GitHub showed; or why nothing was seen.
    pub preflight: Preflight,
    /// Whether the token may create refs whose workflows differ from the default branch's.
    pub allow_workflow_changes: bool,
    /// Whether the workflow accepts a ledger that may have been rewound.
    pub unguarded_ledger: bool,
    /// Whether a release gets its evidence, which is one upload more.
    pub attach_receipt: AttachReceipt,
}

/// What a decision goes by beside the receipt.
#[derive(Debug)]
pub struct Basis {
    /// The keys that are trusted now, and how many of them must sign: by these an earlier attempt's
    /// claim is judged. Without them only a claim of the receipt at hand is taken over.
    pub keys: Option<(TrustedKeys, Threshold)>,
    /// The trust file from which the keys come; without one the workflow lists them.
    pub trust: Option<Trust>,
    /// The policy, if there is one; or why it cannot be used.
    pub policy: Result<Option<Policy>, Refusal>,
    /// Who started the run for which the receipt is, if a policy asks.
    pub requesters: Result<Vec<Actor>, Refusal>,
    /// Who let the run go on, if that is known.
    pub reviewers: Vec<Actor>,
    /// The branches of which one must contain the commit of a release or tag.
    pub reachable_from: ReachableFrom,
    /// The server that is asked, if it is known: a withdrawal for another one takes nothing back.
    pub host: Option<Host>,
}

impl Default for Basis {
    /// Keys that the workflow lists, and no policy.
    fn default() -> Self {
        Self {
            keys: None,
            trust: None,
            policy: Ok(None),
            requesters: Ok(Vec::new()),
            reviewers: Vec::new(),
            reachable_from: ReachableFrom::default(),
            host: None,
        }
    }
}

/// What one look at GitHub showed.
#[derive(Debug)]
pub enum Preflight {
    /// GitHub was not asked: without an operation and a verified receipt there is no question.
    NotAsked,
    /// GitHub gave no usable answer.
    Unavailable(Refusal),
    /// GitHub answered.
    Seen(Box<Sighting>),
}

/// GitHub's answer to the preflight.
#[derive(Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The repository as GitHub names and numbers it.
    pub target: Target,
    /// GitHub's clock.
    pub date: Option<Timestamp>,
    /// The ledger.
    pub ledger: Result<Tail, Refusal>,
    /// What keeps its branch from being rewound.
    pub guard: Guard,
    /// Trust file and policy at the head of the default branch.
    pub reviewed: Reviewed,
    /// Everything that the operation touches.
    pub world: World,
    /// The branches that may contain its commit.
    pub branches: Branches,
}

/// The answer, with the whole picture for the record.
#[derive(Debug)]
pub struct Decision {
    /// Every rule of the binding table, in its order.
    pub checks: Vec<Check>,
    /// Leave to spend the receipt, or the first reason against it.
    pub verdict: Result<Grant, Refusal>,
    /// For a receipt that has expired while its operation was claimed and without an outcome:
    /// permission to look at what was done, and to record it.
    pub settlement: Option<Settlement>,
}

/// Rules that an operation may break whose outcome is only looked up and recorded: they say who may
/// act, and when.
const NEEDED_TO_ACT: [Rule; 7] = [
    Rule::Unused,
    Rule::Expiry,
    Rule::Issued,
    Rule::Policy,
    Rule::Guard,
    Rule::World,
    Rule::Reach,
];

/// Decides. The answer is no unless every rule holds.
#[must_use]
pub fn authorize(evidence: Evidence) -> Decision {
    let checks = binding::evaluate(&evidence);
    let refusal = binding::refusal(&checks);
    let (verdict, settlement) = match refusal {
        Some(refusal) if may_settle(&checks) => {
            let refusal = refusal.clone();
            (Err(refusal), settlement(evidence))
        }
        _ => (grant(evidence, &checks), None),
    };
    Decision {
        checks,
        verdict,
        settlement,
    }
}

/// Whether the receipt has expired, and is valid in every respect that does not depend on time.
fn may_settle(checks: &[Check]) -> bool {
    checks.iter().all(|check| match check.rule {
        Rule::Expiry => check.refusal().is_some(),
        rule => check.holds() || NEEDED_TO_ACT.contains(&rule),
    })
}

fn settlement(evidence: Evidence) -> Option<Settlement> {
    let (Ok(receipt), Ok(operation), Preflight::Seen(sighting)) =
        (evidence.receipt, evidence.operation, evidence.preflight)
    else {
        return None;
    };
    // By GitHub's clock, which decides whether another attempt may still act; and a receipt that
    // calls itself used never allowed anything.
    let terms = receipt.terms();
    let now = sighting.date.filter(|date| *date >= terms.expires_at)?;
    if terms.consumed {
        return None;
    }
    let grant = Grant {
        receipt,
        operation,
        executor: evidence.executor,
        keys: evidence.basis.keys,
        trust: evidence.basis.trust,
        policy: evidence.basis.policy.ok().flatten(),
        host: evidence.basis.host,
        tail: sighting.ledger.ok()?,
    };
    Settlement::of(grant, now)
}

fn grant(evidence: Evidence, checks: &[Check]) -> Result<Grant, Refusal> {
    // A mode that does not exist, then inputs that describe nothing: whoever asks must mend these before any receipt can fit.
    evidence.mode?;
    let operation = evidence.operation?;
    if let Some(refusal) = binding::refusal(checks) {
        return Err(refusal.clone());
    }
    let receipt = evidence.receipt?;
    let sighting = match evidence.preflight {
        Preflight::Seen(sighting) => sighting,
        Preflight::Unavailable(refusal) => return Err(refusal),
        Preflight::NotAsked => {
            return Err(Refusal::LedgerUnavailable {
                reason: "GitHub was not asked".into(),
            });
        }
    };
    if let Some(open) = checks.iter().find(|check| !check.holds()) {
        return Err(Refusal::LedgerUnavailable {
            reason: alloc::format!("the rule `{}` could not be evaluated", open.rule.name()),
        });
    }
    let (trust, policy) = (evidence.basis.trust, evidence.basis.policy?);
    Ok(Grant {
        receipt,
        operation,
        executor: evidence.executor,
        keys: evidence.basis.keys,
        trust,
        policy,
        host: evidence.basis.host,
        tail: sighting.ledger?,
    })
}

/// Leave to spend one receipt for one operation. Made by [`authorize`] alone, used up by [`claim`](crate::ledger::claim).
#[derive(Debug)]
pub struct Grant {
    receipt: VerifiedReceipt,
    operation: Operation,
    executor: Executor,
    trust: Option<Trust>,
    policy: Option<Policy>,
    keys: Option<(TrustedKeys, Threshold)>,
    host: Option<Host>,
    tail: Tail,
}

impl Grant {
    /// What may be claimed.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The receipt to be spent.
    #[must_use]
    pub const fn receipt(&self) -> &VerifiedReceipt {
        &self.receipt
    }

    pub(crate) const fn executor(&self) -> &Executor {
        &self.executor
    }

    pub(crate) const fn keys(&self) -> Option<&(TrustedKeys, Threshold)> {
        self.keys.as_ref()
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::of(self.trust.as_ref(), self.policy.as_ref())
    }

    /// The ledger above the receipt's checkpoint, as far as it was seen.
    #[must_use]
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }

    /// What the tail allows to this attempt.
    pub(crate) fn standing(&self, sent: &Sent) -> Result<Use, Refusal> {
        let keys = self.keys.as_ref();
        let trusted = keys.map(|(keys, _)| keys);
        self.tail
            .is_not_withdrawn(&self.receipt, trusted, self.host.as_ref())?;
        let vouched = |claim: &Entry| is_vouched(claim, &self.receipt, keys);
        self.tail
            .standing(&self.receipt, &self.executor, sent, vouched)
    }

    /// Takes in a newer view of the ledger, if the receipt is still valid by it.
    pub(crate) fn look_again(
        &mut self,
        tail: Tail,
        observed_at: Timestamp,
        sent: &Sent,
    ) -> Result<Use, Refusal> {
        self.tail = tail;
        let standing = self.standing(sent)?;
        // What this attempt has claimed already cannot be unclaimed by the clock.
        if !matches!(standing, Use::Ours(_)) {
            self.tail
                .follows(self.trust.as_ref(), self.policy.as_ref())?;
            binding::not_expired(self.receipt.terms(), observed_at)?;
        }
        Ok(standing)
    }

    /// The first entry about the operation above this process's claim, which it did not send.
    pub(crate) fn overtaken_since(&self, tail: &Tail, claim: EntryId) -> Option<EntryId> {
        tail.first_about(&Pair::of(&self.receipt), claim)
    }

    /// Takes in a newer view of the ledger for what is still to be recorded.
    pub(crate) fn sees(&mut self, tail: Tail) {
        self.tail = tail;
    }

    /// Takes in an append of this process.
    pub(crate) fn appended(&mut self, append: &Append, commit: CommitId) {
        self.tail = self.tail.appended(append, commit);
    }
}

/// Whether the receipt in a claim is valid by the keys that are trusted now, for the same pair.
pub(crate) fn is_vouched(
    claim: &Entry,
    receipt: &VerifiedReceipt,
    keys: Option<&(TrustedKeys, Threshold)>,
) -> bool {
    vouched(claim, receipt, keys).is_some()
}

/// The terms of the receipt in a claim, if it is valid so.
pub(crate) fn vouched(
    claim: &Entry,
    receipt: &VerifiedReceipt,
    keys: Option<&(TrustedKeys, Threshold)>,
) -> Option<Terms> {
    let (keys, threshold) = keys?;
    let envelope = claim.receipt.clone()?;
    let other = envelope.verify(keys, *threshold).ok()?;
    let is_valid = Pair::of(&other) == Pair::of(receipt) && other.terms().enforceable;
    is_valid.then(|| other.terms().clone())
}
