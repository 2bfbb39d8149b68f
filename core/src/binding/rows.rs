//! One function for each row of the binding table.

use alloc::{format, string::String, vec::Vec};

use super::{MOST_AHEAD, MOST_LIFETIME, MOST_SKEW, Verdict};
use crate::{
    authority::{Authority, Pin},
    authorize::{Evidence, Mode, Preflight, is_vouched},
    ledger::{Entry, Sent, Tail, Use},
    operation::{Operation, Target},
    policy::{Approval, Policy, Request, decide_one},
    receipt::{Terms, VerifiedReceipt},
    refusal::Refusal,
    timestamp::{Lifetime, Timestamp},
    world::CommitFact,
};

/// One rule's row: both sides and the verdict.
pub(super) struct Row {
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) verdict: Verdict,
}

impl Row {
    fn new(
        expected: impl Into<String>,
        found: impl Into<String>,
        verdict: Result<(), Refusal>,
    ) -> Self {
        let verdict = verdict.map_or_else(Verdict::Broken, |()| Verdict::Holds);
        Self {
            expected: expected.into(),
            found: found.into(),
            verdict,
        }
    }

    fn not_evaluated(expected: impl Into<String>, why: &str) -> Self {
        Self {
            expected: expected.into(),
            found: why.into(),
            verdict: Verdict::NotEvaluated,
        }
    }
}

const UNREAD: &str = "not evaluated: no verified receipt";
const UNBUILT: &str = "not evaluated: the inputs describe no operation";
const UNSEEN: &str = "not evaluated: GitHub was not asked";

fn refuse_if(broken: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if broken { Err(refusal()) } else { Ok(()) }
}

/// A rule about the terms alone.
fn on_terms(
    evidence: &Evidence,
    expected: &str,
    row: impl FnOnce(&Terms) -> (String, Result<(), Refusal>),
) -> Row {
    match &evidence.receipt {
        Ok(receipt) => {
            let (found, verdict) = row(receipt.terms());
            Row::new(expected, found, verdict)
        }
        Err(_) => Row::not_evaluated(expected, UNREAD),
    }
}

pub(super) fn mode(evidence: &Evidence) -> Row {
    match &evidence.mode {
        Ok(Mode::Prod) => Row::new("prod", "prod", Ok(())),
        // A dry run never comes here; one that did would not be a publication either.
        Ok(Mode::DryRun) => Row::new(
            "prod",
            "dry_run",
            Err(Refusal::ModeViolation {
                found: "dry_run".into(),
            }),
        ),
        Err(refusal) => Row::new("prod", format!("{refusal}"), Err(refusal.clone())),
    }
}

pub(super) fn receipt_present(evidence: &Evidence) -> Row {
    match &evidence.receipt {
        Err(refusal @ Refusal::ReceiptMissing) => {
            Row::new("a receipt", "none", Err(refusal.clone()))
        }
        _ => Row::new("a receipt", "a receipt", Ok(())),
    }
}

pub(super) fn well_formed(evidence: &Evidence) -> Row {
    let expected = "a DSSE envelope with an in-toto statement";
    match &evidence.receipt {
        Ok(_) => Row::new(expected, "well formed", Ok(())),
        Err(Refusal::ReceiptMissing) => Row::not_evaluated(expected, "not evaluated: no receipt"),
        Err(refusal @ Refusal::ReceiptMalformed(problem)) => {
            Row::new(expected, format!("{problem}"), Err(refusal.clone()))
        }
        Err(_) => Row::not_evaluated(
            expected,
            "not evaluated: the statement is not read before its signatures hold",
        ),
    }
}

pub(super) fn signatures(evidence: &Evidence) -> Row {
    match &evidence.receipt {
        Ok(receipt) => Row::new(
            format!("trusted keys of {} person(s)", receipt.threshold().get()),
            receipt
                .signers()
                .iter()
                .map(|signer| signer.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            Ok(()),
        ),
        Err(Refusal::ReceiptMissing | Refusal::ReceiptMalformed(_)) => Row::not_evaluated(
            "trusted signatures",
            "not evaluated: no receipt that can be read",
        ),
        Err(refusal) => Row::new(
            "trusted signatures",
            format!("{refusal}"),
            Err(refusal.clone()),
        ),
    }
}

pub(super) fn enforceable(evidence: &Evidence) -> Row {
    on_terms(evidence, "true", |terms| {
        (
            format!("{}", terms.enforceable),
            refuse_if(!terms.enforceable, || Refusal::AdvisoryReceipt),
        )
    })
}

pub(super) fn run(evidence: &Evidence) -> Row {
    let run = &evidence.run_id;
    on_terms(evidence, run.as_str(), |terms| {
        let mismatch = || Refusal::RunIdMismatch {
            receipt: terms.run_id.clone(),
            run: run.clone(),
        };
        (
            format!("{}", terms.run_id),
            refuse_if(terms.run_id != *run, mismatch),
        )
    })
}

/// A rule about the terms and the operation.
fn on_both(evidence: &Evidence, row: impl FnOnce(&Terms, &Operation) -> Row) -> Row {
    match (&evidence.operation, &evidence.receipt) {
        (Ok(operation), Ok(receipt)) => row(receipt.terms(), operation),
        (Err(_), _) => Row::not_evaluated("as approved", UNBUILT),
        (_, Err(_)) => Row::not_evaluated("as approved", UNREAD),
    }
}

pub(super) fn kind(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let (receipt, run) = (terms.operation_kind, operation.kind());
        Row::new(
            run.as_str(),
            receipt.as_str(),
            refuse_if(receipt != run, || Refusal::OperationKindMismatch {
                receipt,
                run,
            }),
        )
    })
}

pub(super) fn repository(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let run = operation.target();
        let mismatch = |receipt: &Target| Refusal::RepositoryMismatch {
            receipt: receipt.clone(),
            run: run.clone(),
        };
        let verdict = match &evidence.preflight {
            // What GitHub says about itself decides over what the runner's variables say.
            Preflight::Seen(sighting) if sighting.target != *run => Err(mismatch(&sighting.target)),
            _ => refuse_if(terms.target != *run, || mismatch(&terms.target)),
        };
        Row::new(format!("{run}"), format!("{}", terms.target), verdict)
    })
}

pub(super) fn operation(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let (receipt, run) = (terms.operation_digest, operation.digest());
        Row::new(
            format!("{run}"),
            format!("{receipt}"),
            refuse_if(receipt != run, || Refusal::OperationMismatch {
                receipt,
                run,
            }),
        )
    })
}

pub(super) fn not_consumed(evidence: &Evidence) -> Row {
    let expected = "unused";
    let Ok(receipt) = &evidence.receipt else {
        return Row::not_evaluated(expected, UNREAD);
    };
    if receipt.terms().consumed {
        return Row::new(
            expected,
            "`consumed` is true",
            Err(Refusal::ReceiptConsumed {
                by: "it says so itself (`consumed` is true)".into(),
            }),
        );
    }
    let Preflight::Seen(sighting) = &evidence.preflight else {
        return Row::not_evaluated(expected, UNSEEN);
    };
    let Ok(tail) = &sighting.ledger else {
        return Row::not_evaluated(expected, "not evaluated: the ledger was not read");
    };
    let verdict = standing(evidence, tail, receipt);
    let found = match &verdict {
        Ok(Use::Unfinished(_)) => {
            "claimed by an earlier attempt of this run, without an outcome: to be resumed".into()
        }
        Ok(_) => expected.into(),
        Err(refusal) => format!("{refusal}"),
    };
    Row::new(expected, found, verdict.map(|_| ()))
}

/// What the ledger allows to this attempt, which has sent nothing yet.
fn standing(evidence: &Evidence, tail: &Tail, receipt: &VerifiedReceipt) -> Result<Use, Refusal> {
    let keys = evidence.basis.keys.as_ref();
    let (trusted, host) = (keys.map(|(keys, _)| keys), evidence.basis.host.as_ref());
    tail.is_not_withdrawn(receipt, trusted, host)?;
    let vouched = |claim: &Entry| is_vouched(claim, receipt, keys);
    tail.standing(receipt, &evidence.executor, &Sent::new(), vouched)
}

/// Our clock and, if it is known, GitHub's: the earlier and the later of the two.
fn span(evidence: &Evidence) -> (Timestamp, Timestamp) {
    let github = match &evidence.preflight {
        Preflight::Seen(sighting) => sighting.date.unwrap_or(evidence.now),
        _ => evidence.now,
    };
    (evidence.now.min(github), evidence.now.max(github))
}

pub(super) fn expiry(evidence: &Evidence) -> Row {
    let (_, latest) = span(evidence);
    on_terms(evidence, &format!("after {latest}"), |terms| {
        (format!("{}", terms.expires_at), not_expired(terms, latest))
    })
}

/// A receipt counts until the second before it expires.
pub(crate) fn not_expired(terms: &Terms, now: Timestamp) -> Result<(), Refusal> {
    let expires_at = terms.expires_at;
    refuse_if(now >= expires_at, || Refusal::ReceiptExpired {
        expires_at,
        now,
    })
}

pub(super) fn issued(evidence: &Evidence) -> Row {
    let (earliest, latest) = span(evidence);
    let expected = format!(
        "{} to {}",
        latest.minus(MOST_LIFETIME),
        earliest.plus(MOST_AHEAD)
    );
    on_terms(evidence, &expected, |terms| {
        let issued_at = terms.issued_at;
        let verdict = refuse_if(latest.since(issued_at) > MOST_LIFETIME, || {
            Refusal::ReceiptStale {
                issued_at,
                now: latest,
            }
        })
        .and_then(|()| {
            refuse_if(issued_at.since(earliest) > MOST_AHEAD, || {
                Refusal::ReceiptNotYetValid {
                    issued_at,
                    now: earliest,
                }
            })
        });
        (format!("{issued_at}"), verdict)
    })
}

pub(super) fn lifetime(evidence: &Evidence) -> Row {
    on_terms(evidence, "1 second to 24 hours", |terms| {
        let (issued_at, expires_at) = (terms.issued_at, terms.expires_at);
        let seconds = expires_at.since(issued_at);
        (
            format!("{seconds} seconds"),
            refuse_if(seconds == 0 || seconds > MOST_LIFETIME, || {
                Refusal::ReceiptLifetime {
                    issued_at,
                    expires_at,
                }
            }),
        )
    })
}

pub(super) fn clocks(evidence: &Evidence) -> Row {
    let ours = evidence.now;
    let expected = format!("{ours} ± 5 minutes");
    let Preflight::Seen(sighting) = &evidence.preflight else {
        return Row::not_evaluated(expected, UNSEEN);
    };
    let github = sighting.date;
    let found = github.map_or(String::from("no `Date` in the answer"), |date| {
        format!("{date}")
    });
    Row::new(expected, found, clocks_agree(ours, github))
}

/// A clock that GitHub does not tell agrees with nothing.
fn clocks_agree(ours: Timestamp, github: Option<Timestamp>) -> Result<(), Refusal> {
    let apart = github.is_none_or(|date| date.distance(ours) > MOST_SKEW);
    refuse_if(apart, || Refusal::ClockSkew { ours, github })
}

/// Whether a claim came in time by both clocks: GitHub's is that of the answer which confirms it.
pub(crate) fn in_time(
    terms: &Terms,
    ours: Timestamp,
    github: Option<Timestamp>,
) -> Result<(), Refusal> {
    clocks_agree(ours, github)?;
    not_expired(terms, github.map_or(ours, |github| github.max(ours)))
}

pub(super) fn ledger(evidence: &Evidence) -> Row {
    let Ok(receipt) = &evidence.receipt else {
        return Row::not_evaluated("a ledger", UNREAD);
    };
    let checkpoint = &receipt.terms().ledger;
    let expected = format!("a ledger with {checkpoint}");
    let seen = match &evidence.preflight {
        Preflight::NotAsked => return Row::not_evaluated(expected, UNSEEN),
        Preflight::Unavailable(refusal) => Err(refusal),
        Preflight::Seen(sighting) => sighting.ledger.as_ref(),
    };
    match seen {
        Err(refusal) => Row::new(expected, format!("{refusal}"), Err(refusal.clone())),
        Ok(tail) => {
            let found = tail
                .newest()
                .map_or(String::from("an empty ledger"), |newest| {
                    format!("a ledger up to {newest}")
                });
            Row::new(expected, found, tail.above(checkpoint).map(|_| ()))
        }
    }
}

pub(super) fn guard(evidence: &Evidence) -> Row {
    let expected = "rules that forbid it, or a record of every move";
    let Ok(receipt) = &evidence.receipt else {
        return Row::not_evaluated(expected, UNREAD);
    };
    let (guard, tail) = match &evidence.preflight {
        Preflight::NotAsked | Preflight::Unavailable(_) => {
            return Row::not_evaluated(expected, UNSEEN);
        }
        Preflight::Seen(sighting) => match &sighting.ledger {
            Ok(tail) if tail.covers(&receipt.terms().ledger) => (&sighting.guard, tail),
            _ => {
                return Row::not_evaluated(expected, "not evaluated: the checkpoint was not found");
            }
        },
    };
    match guard.keeps(tail, receipt.terms()) {
        Ok(guarded) => Row::new(expected, guarded.as_str(), Ok(())),
        Err(problem) if evidence.unguarded_ledger => Row::new(
            expected,
            format!("{problem}; accepted by the input `unguarded-ledger`"),
            Ok(()),
        ),
        Err(problem) => Row::new(
            expected,
            problem.clone(),
            Err(Refusal::LedgerUnguarded { problem }),
        ),
    }
}

pub(super) fn policy(evidence: &Evidence) -> Row {
    let policy = match &evidence.basis.policy {
        Ok(Some(policy)) => policy,
        Ok(None) => return Row::new("no policy", "no policy", Ok(())),
        Err(refusal) => return Row::new("a policy", format!("{refusal}"), Err(refusal.clone())),
    };
    let expected = format!("exactly one rule of policy {} gives leave", policy.version);
    let (operation, receipt) = match (&evidence.operation, &evidence.receipt) {
        (Ok(operation), Ok(receipt)) => (operation, receipt),
        (Err(_), _) => return Row::not_evaluated(expected, UNBUILT),
        (_, Err(_)) => return Row::not_evaluated(expected, UNREAD),
    };
    let terms = receipt.terms();
    let Some(lifetime) = Lifetime::of_seconds(terms.expires_at.since(terms.issued_at)) else {
        return Row::not_evaluated(expected, "not evaluated: the receipt's lifetime is none");
    };
    let requesters = match &evidence.basis.requesters {
        Ok(requesters) => requesters.as_slice(),
        Err(refusal) if policy.rules.iter().any(|rule| rule.exclude_requester) => {
            return Row::new(expected, format!("{refusal}"), Err(refusal.clone()));
        }
        Err(_) => &[],
    };
    let approvals: Vec<Approval> = receipt.approvers().iter().map(Approval::from).collect();
    let decision = decide_one(
        &Request {
            operation,
            approvals: &approvals,
            requesters,
            reviewers: &evidence.basis.reviewers,
            lifetime,
        },
        policy,
    );
    let rule = decision.rule.clone();
    match decision.verdict() {
        Ok(()) => Row::new(expected, rule.unwrap_or_default(), Ok(())),
        Err(denial) => Row::new(expected, format!("{denial}"), Err(Refusal::Policy(denial))),
    }
}

/// A trust file that fixes a policy is obeyed, and nothing older decides than what decided before.
pub(super) fn authority(evidence: &Evidence) -> Row {
    let (trust, policy) = (
        evidence.basis.trust.as_ref(),
        evidence.basis.policy.as_ref().ok().and_then(Option::as_ref),
    );
    let shown = |authority: Authority| {
        let pin = |pin: Option<Pin>| pin.map_or(String::from("none"), |pin| format!("{pin}"));
        format!(
            "trust file: {}, policy: {}",
            pin(authority.trust),
            pin(authority.policy)
        )
    };
    let found = shown(Authority::of(trust, policy));
    if let Some(fixed) = trust.and_then(|trust| trust.newest().policy)
        && policy.map(Policy::pin) != Some(fixed)
    {
        let refusal = Refusal::PolicyMismatch {
            fixed,
            found: policy.map(Policy::pin),
        };
        return Row::new(format!("the policy {fixed}"), found, Err(refusal));
    }
    let Preflight::Seen(sighting) = &evidence.preflight else {
        return Row::not_evaluated("nothing older than what decided before", UNSEEN);
    };
    let Ok(tail) = &sighting.ledger else {
        return Row::not_evaluated(
            "nothing older than what decided before",
            "not evaluated: the ledger was not read",
        );
    };
    Row::new(
        format!("not before {}", shown(tail.authority())),
        found,
        sighting
            .reviewed
            .are_not_newer(trust, policy, evidence.now)
            .and_then(|()| tail.follows(trust, policy)),
    )
}

pub(super) fn world(evidence: &Evidence) -> Row {
    let expected = "nothing in the way";
    match (&evidence.preflight, &evidence.operation) {
        (Preflight::Seen(sighting), Ok(operation)) => {
            // What an earlier attempt left is looked at before anything is done, not taken for an obstacle.
            let verdict = if resumes(evidence) {
                sighting
                    .world
                    .allows_resuming(operation, evidence.allow_workflow_changes)
            } else {
                sighting.world.allows(
                    operation,
                    evidence.allow_workflow_changes,
                    evidence.attach_receipt,
                )
            };
            let verdict = verdict.map_err(Refusal::from);
            let found = verdict
                .as_ref()
                .map_or_else(|refusal| format!("{refusal}"), |()| expected.into());
            Row::new(expected, found, verdict)
        }
        _ => Row::not_evaluated(expected, UNSEEN),
    }
}

/// GitHub finds commits of forks by their ids too, and they are no one's who may push here.
pub(super) fn reach(evidence: &Evidence) -> Row {
    let Ok(operation) = &evidence.operation else {
        return Row::not_evaluated("a branch that contains the commit", UNBUILT);
    };
    if matches!(operation, Operation::OpenPr(_)) {
        let expected = "no branch: a pull request proposes its commits";
        return Row::new(expected, "a pull request", Ok(()));
    }
    let allowed = &evidence.basis.reachable_from;
    let expected = format!("on {allowed}");
    let Preflight::Seen(sighting) = &evidence.preflight else {
        return Row::not_evaluated(expected, UNSEEN);
    };
    if sighting.world.commit != CommitFact::Commit {
        return Row::not_evaluated(expected, "not evaluated: there is no commit");
    }
    match allowed.holds(operation.commit(), &sighting.branches) {
        Ok(branch) => Row::new(expected, format!("on {branch}"), Ok(())),
        Err(unreachable) => Row::new(
            expected,
            format!("{unreachable}"),
            Err(Refusal::CommitUnreachable(unreachable)),
        ),
    }
}

fn resumes(evidence: &Evidence) -> bool {
    let (Preflight::Seen(sighting), Ok(receipt)) = (&evidence.preflight, &evidence.receipt) else {
        return false;
    };
    let Ok(tail) = &sighting.ledger else {
        return false;
    };
    matches!(standing(evidence, tail, receipt), Ok(Use::Unfinished(_)))
}
