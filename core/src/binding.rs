//! The binding table: every rule that ties a receipt to this run, kind, repository, operation and moment.

use alloc::{format, string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    authorize::{Evidence, Mode, Preflight},
    digest::Digest,
    ledger::{Snapshot, Use},
    name::Executor,
    operation::{Operation, Target},
    receipt::Terms,
    refusal::Refusal,
    timestamp::Timestamp,
};

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
                match self { $(Self::$rule => $check(evidence)),* }
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
    /// Enough distinct trusted keys signed.
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
    /// Our clock and GitHub's agree.
    Clocks: "clocks agree", "clock_skew", clocks;
    /// The ledger exists, can be read, and holds the checkpoint.
    Ledger: "ledger holds the checkpoint", "ledger_missing", ledger;
    /// GitHub leaves room for the operation as approved.
    World: "GitHub has room for it", "preflight_tag_moved", world;
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

impl Check {
    /// Why the rule does not hold, if it is broken.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        if let Verdict::Broken(refusal) = &self.verdict { Some(refusal) } else { None }
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
        let Row { expected, found, verdict } = rule.check(evidence);
        Check { rule: *rule, expected, found, verdict }
    };
    Rule::ALL.iter().map(check).collect()
}

struct Row {
    expected: String,
    found: String,
    verdict: Verdict,
}

impl Row {
    fn new(expected: impl Into<String>, found: impl Into<String>, verdict: Result<(), Refusal>) -> Self {
        let verdict = verdict.map_or_else(Verdict::Broken, |()| Verdict::Holds);
        Self { expected: expected.into(), found: found.into(), verdict }
    }

    fn not_evaluated(expected: impl Into<String>, why: &str) -> Self {
        Self { expected: expected.into(), found: why.into(), verdict: Verdict::NotEvaluated }
    }
}

const UNREAD: &str = "not evaluated: no verified receipt";
const UNBUILT: &str = "not evaluated: the inputs describe no operation";
const UNSEEN: &str = "not evaluated: GitHub was not asked";

fn refuse_if(broken: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if broken { Err(refusal()) } else { Ok(()) }
}

/// A rule about the terms alone.
fn on_terms(evidence: &Evidence, expected: &str, row: impl FnOnce(&Terms) -> (String, Result<(), Refusal>)) -> Row {
    match &evidence.receipt {
        Ok(receipt) => {
            let (found, verdict) = row(receipt.terms());
            Row::new(expected, found, verdict)
        }
        Err(_) => Row::not_evaluated(expected, UNREAD),
    }
}

fn mode(evidence: &Evidence) -> Row {
    match &evidence.mode {
        Ok(Mode::Prod) => Row::new("prod", "prod", Ok(())),
        // A dry run never comes here; one that did would not be a publication either.
        Ok(Mode::DryRun) => Row::new("prod", "dry_run", Err(Refusal::ModeViolation { found: "dry_run".into() })),
        Err(refusal) => Row::new("prod", format!("{refusal}"), Err(refusal.clone())),
    }
}

fn receipt_present(evidence: &Evidence) -> Row {
    match &evidence.receipt {
        Err(refusal @ Refusal::ReceiptMissing) => Row::new("a receipt", "none", Err(refusal.clone())),
        _ => Row::new("a receipt", "a receipt", Ok(())),
    }
}

fn well_formed(evidence: &Evidence) -> Row {
    let expected = "a DSSE envelope with an in-toto statement";
    match &evidence.receipt {
        Ok(_) => Row::new(expected, "well formed", Ok(())),
        Err(Refusal::ReceiptMissing) => Row::not_evaluated(expected, "not evaluated: no receipt"),
        Err(refusal @ Refusal::ReceiptMalformed(problem)) => Row::new(expected, format!("{problem}"), Err(refusal.clone())),
        Err(_) => Row::not_evaluated(expected, "not evaluated: the statement is not read before its signatures hold"),
    }
}

fn signatures(evidence: &Evidence) -> Row {
    match &evidence.receipt {
        Ok(receipt) => Row::new(
            format!("{} distinct trusted key(s)", receipt.threshold().get()),
            receipt.signers().iter().map(|signer| signer.name.as_str()).collect::<Vec<_>>().join(", "),
            Ok(()),
        ),
        Err(Refusal::ReceiptMissing | Refusal::ReceiptMalformed(_)) => {
            Row::not_evaluated("trusted signatures", "not evaluated: no receipt that can be read")
        }
        Err(refusal) => Row::new("trusted signatures", format!("{refusal}"), Err(refusal.clone())),
    }
}

fn enforceable(evidence: &Evidence) -> Row {
    on_terms(evidence, "true", |terms| (format!("{}", terms.enforceable), refuse_if(!terms.enforceable, || Refusal::AdvisoryReceipt)))
}

fn run(evidence: &Evidence) -> Row {
    let run = &evidence.run_id;
    on_terms(evidence, run.as_str(), |terms| {
        let mismatch = || Refusal::RunIdMismatch { receipt: terms.run_id.clone(), run: run.clone() };
        (format!("{}", terms.run_id), refuse_if(terms.run_id != *run, mismatch))
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

fn kind(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let (receipt, run) = (terms.operation_kind, operation.kind());
        Row::new(run.as_str(), receipt.as_str(), refuse_if(receipt != run, || Refusal::OperationKindMismatch { receipt, run }))
    })
}

fn repository(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let run = operation.target();
        let mismatch = |receipt: &Target| Refusal::RepositoryMismatch { receipt: receipt.clone(), run: run.clone() };
        let verdict = match &evidence.preflight {
            // What GitHub says about itself decides over what the runner's variables say.
            Preflight::Seen(sighting) if sighting.target != *run => Err(mismatch(&sighting.target)),
            _ => refuse_if(terms.target != *run, || mismatch(&terms.target)),
        };
        Row::new(format!("{run}"), format!("{}", terms.target), verdict)
    })
}

fn operation(evidence: &Evidence) -> Row {
    on_both(evidence, |terms, operation| {
        let (receipt, run) = (terms.operation_digest, operation.digest());
        Row::new(format!("{run}"), format!("{receipt}"), refuse_if(receipt != run, || Refusal::OperationMismatch { receipt, run }))
    })
}

fn not_consumed(evidence: &Evidence) -> Row {
    let expected = "unused";
    let Ok(receipt) = &evidence.receipt else { return Row::not_evaluated(expected, UNREAD) };
    if receipt.terms().consumed {
        return Row::new(
            expected,
            "`consumed` is true",
            Err(Refusal::ReceiptConsumed { by: "it says so itself (`consumed` is true)".into() }),
        );
    }
    let Preflight::Seen(sighting) = &evidence.preflight else { return Row::not_evaluated(expected, UNSEEN) };
    let Ok(snapshot) = &sighting.ledger else { return Row::not_evaluated(expected, "not evaluated: the ledger was not read") };
    let verdict = unused(snapshot, &evidence.executor, receipt.terms().operation_digest);
    let found = match &verdict {
        Ok(Use::Unfinished) => "claimed by an earlier attempt of this run, without an outcome: to be resumed".into(),
        Ok(_) => expected.into(),
        Err(refusal) => format!("{refusal}"),
    };
    Row::new(expected, found, verdict.map(|_| ()))
}

/// Whether a receipt may be claimed, by its state on the ledger.
pub(crate) fn unused(snapshot: &Snapshot, executor: &Executor, operation: Digest) -> Result<Use, Refusal> {
    let Some(state) = snapshot.state() else { return Ok(Use::Free) };
    let standing = state.allows(executor, operation);
    if standing != Use::Spent {
        return Ok(standing);
    }
    let outcome = state.outcome_sequence.map_or("no outcome is known".into(), |outcome| format!("its outcome is entry {outcome}"));
    let by = format!("run {} attempt {} claimed it with ledger entry {}, {outcome}", state.run_id, state.run_attempt, state.claim_sequence);
    Err(Refusal::ReceiptConsumed { by })
}

/// Our clock and, if it is known, GitHub's: the earlier and the later of the two.
fn span(evidence: &Evidence) -> (Timestamp, Timestamp) {
    let github = match &evidence.preflight {
        Preflight::Seen(sighting) => sighting.date.unwrap_or(evidence.now),
        _ => evidence.now,
    };
    (evidence.now.min(github), evidence.now.max(github))
}

fn expiry(evidence: &Evidence) -> Row {
    let (_, latest) = span(evidence);
    on_terms(evidence, &format!("after {latest}"), |terms| (format!("{}", terms.expires_at), not_expired(terms, latest)))
}

/// A receipt counts until the second before it expires.
pub(crate) fn not_expired(terms: &Terms, now: Timestamp) -> Result<(), Refusal> {
    let expires_at = terms.expires_at;
    refuse_if(now >= expires_at, || Refusal::ReceiptExpired { expires_at, now })
}

fn issued(evidence: &Evidence) -> Row {
    let (earliest, latest) = span(evidence);
    let expected = format!("{} to {}", latest.minus(MOST_LIFETIME), earliest.plus(MOST_AHEAD));
    on_terms(evidence, &expected, |terms| {
        let issued_at = terms.issued_at;
        let verdict = refuse_if(latest.since(issued_at) > MOST_LIFETIME, || Refusal::ReceiptStale { issued_at, now: latest })
            .and_then(|()| refuse_if(issued_at.since(earliest) > MOST_AHEAD, || Refusal::ReceiptNotYetValid { issued_at, now: earliest }));
        (format!("{issued_at}"), verdict)
    })
}

fn lifetime(evidence: &Evidence) -> Row {
    on_terms(evidence, "1 second to 24 hours", |terms| {
        let (issued_at, expires_at) = (terms.issued_at, terms.expires_at);
        let seconds = expires_at.since(issued_at);
        (
            format!("{seconds} seconds"),
            refuse_if(seconds == 0 || seconds > MOST_LIFETIME, || Refusal::ReceiptLifetime { issued_at, expires_at }),
        )
    })
}

fn clocks(evidence: &Evidence) -> Row {
    let ours = evidence.now;
    let expected = format!("{ours} ± 5 minutes");
    let Preflight::Seen(sighting) = &evidence.preflight else { return Row::not_evaluated(expected, UNSEEN) };
    let github = sighting.date;
    let found = github.map_or(String::from("no `Date` in the answer"), |date| format!("{date}"));
    let apart = github.is_none_or(|date| date.distance(ours) > MOST_SKEW);
    Row::new(expected, found, refuse_if(apart, || Refusal::ClockSkew { ours, github }))
}

fn ledger(evidence: &Evidence) -> Row {
    let Ok(receipt) = &evidence.receipt else { return Row::not_evaluated("a ledger", UNREAD) };
    let look = receipt.terms().look();
    let expected = look.checkpoint.map_or(String::from("a ledger"), |checkpoint| format!("a ledger with {checkpoint}"));
    let seen = match &evidence.preflight {
        Preflight::NotAsked => return Row::not_evaluated(expected, UNSEEN),
        Preflight::Unavailable(refusal) => Err(refusal),
        Preflight::Seen(sighting) => sighting.ledger.as_ref(),
    };
    match seen {
        Err(refusal) => Row::new(expected, format!("{refusal}"), Err(refusal.clone())),
        Ok(snapshot) => {
            let found = snapshot.newest().map_or(String::from("an empty ledger"), |newest| format!("a ledger up to {newest}"));
            Row::new(expected, found, snapshot.holds(&look))
        }
    }
}

fn world(evidence: &Evidence) -> Row {
    let expected = "nothing in the way";
    match (&evidence.preflight, &evidence.operation) {
        (Preflight::Seen(sighting), Ok(operation)) => {
            // What an earlier attempt left is looked at before anything is done, not taken for an obstacle.
            let verdict = if resumes(evidence) {
                sighting.world.allows_resuming()
            } else {
                sighting.world.allows(operation, evidence.allow_workflow_changes)
            };
            let verdict = verdict.map_err(Refusal::from);
            let found = verdict.as_ref().map_or_else(|refusal| format!("{refusal}"), |()| expected.into());
            Row::new(expected, found, verdict)
        }
        _ => Row::not_evaluated(expected, UNSEEN),
    }
}

fn resumes(evidence: &Evidence) -> bool {
    let (Preflight::Seen(sighting), Ok(receipt)) = (&evidence.preflight, &evidence.receipt) else { return false };
    let digest = receipt.terms().operation_digest;
    sighting.ledger.as_ref().is_ok_and(|snapshot| unused(snapshot, &evidence.executor, digest) == Ok(Use::Unfinished))
}

#[cfg(test)]
mod tests;
