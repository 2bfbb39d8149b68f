//! Refusals: why the answer is no, with a stable code, both sides of the mismatch, and what to do next.

mod access;
mod input;

use alloc::{string::String, vec::Vec};

pub use self::{access::AccessRefusal, input::InputRefusal};
pub use crate::world::WorldRefusal;
use crate::{
    authority::Pin,
    digest::Digest,
    json::Malformed,
    keys::{Fingerprint, Retirement},
    ledger::{Checkpoint, EntryId, MOST_TAIL_BYTES, MOST_TAIL_COMMITS, MOST_TAIL_ENTRIES},
    name::{CommitId, Repository, RunId},
    operation::{Kind, Target},
    policy::Denial,
    reach::Unreachable,
    timestamp::Timestamp,
    trigger::OtherEvent,
};

/// A decision against the operation. Nothing was written to GitHub.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The mode is neither `prod` nor `dry_run`, to the letter.
    #[error("the mode is `{found}`, expected exactly `prod` or `dry_run`")]
    ModeViolation {
        /// The mode that was given, made visible.
        found: String,
    },
    /// No receipt was given.
    #[error("there is no receipt; every operation in mode `prod` needs one")]
    ReceiptMissing,
    /// Nothing of a campaign can ship.
    #[error("nothing of the campaign can ship: of all {left} operation(s) the plan says why not")]
    NothingShips {
        /// How many were asked for.
        left: usize,
    },
    /// Receipts were given, but none for this operation.
    #[error("none of the {receipts} receipts is for the operation {operation}{}", list(.unusable))]
    ReceiptNotAmong {
        /// The operation, by its name in the campaign and its digest.
        operation: String,
        /// How many receipts there are.
        receipts: usize,
        /// What is wrong with those that cannot be used.
        unusable: Vec<String>,
    },
    /// The receipts were to come from reviews.
    #[error("{}", without_receipt(run, *.reviews))]
    ReceiptNotInReviews {
        /// The run.
        run: RunId,
        /// How many reviews approved it.
        reviews: usize,
    },
    /// The receipt is not a well-formed envelope or statement.
    #[error("the receipt cannot be read: {0}")]
    ReceiptMalformed(Malformed),
    /// Not one signature is by a trusted key.
    #[error("none of the {signatures} signature(s) on the receipt is by one of the {} trusted key(s), {}", .trusted.len(), quoted(.trusted))]
    SignatureUntrusted {
        /// Signatures on the envelope.
        signatures: usize,
        /// Names of the keys that are trusted.
        trusted: Vec<String>,
    },
    /// Keys of fewer people signed than must.
    #[error("{} person(s) signed the receipt with trusted keys, {threshold} must; signed by {}, still missing of {}", .signed.len(), quoted(.signed), quoted(.others))]
    ThresholdUnmet {
        /// Each person who signed, by the name of a key.
        signed: Vec<String>,
        /// Those who did not.
        others: Vec<String>,
        /// How many must.
        threshold: usize,
    },
    /// A key signed that is known, but no longer or not yet counts.
    #[error("the key of `{name}` signed the receipt, but it does not count: {why}")]
    KeyRetired {
        /// The key's name.
        name: String,
        /// Since or until when.
        why: Retirement,
    },
    /// A trusted key is one whose secret half everybody can read.
    #[error(
        "the trusted key `{name}` ({fingerprint}) is published in documentation or tests: everybody can sign with it"
    )]
    KeyPublished {
        /// The key's name.
        name: String,
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
    /// The receipt says of itself that it allows nothing.
    #[error("the receipt is advisory: its `enforceable` is false, expected true")]
    AdvisoryReceipt,
    /// The receipt is for another run.
    #[error(
        "the receipt is for run {receipt}, expected run {run} (this run, or the one that the input `run-id` or the plan names)"
    )]
    RunIdMismatch {
        /// The run that the receipt names.
        receipt: RunId,
        /// The run that asks.
        run: RunId,
    },
    /// The receipt is for another kind of operation.
    #[error("the receipt allows `{receipt}`, but this run asks for `{run}`")]
    OperationKindMismatch {
        /// The kind that the receipt names.
        receipt: Kind,
        /// The kind that was asked for.
        run: Kind,
    },
    /// The receipt is for another repository.
    #[error("the receipt is for {receipt}, but this run works on {run}")]
    RepositoryMismatch {
        /// The repository that the receipt names.
        receipt: Target,
        /// The repository of this operation.
        run: Target,
    },
    /// The receipt is for an operation with other parameters or files.
    #[error("the receipt allows operation {}, but this run asks for {}", .receipt.to_hex(), .run.to_hex())]
    OperationMismatch {
        /// Digest of the operation that was approved.
        receipt: Digest,
        /// Digest of this operation.
        run: Digest,
    },
    /// The receipt was used before.
    #[error("the receipt is spent: {by}")]
    ReceiptConsumed {
        /// Who spent it, or how we know.
        by: String,
    },
    /// Someone who signed the receipt took it back before it was used.
    #[error("the receipt was withdrawn with ledger {entry}: {by}")]
    ReceiptWithdrawn {
        /// The entry that holds the withdrawal.
        entry: EntryId,
        /// Who took it back, when and why.
        by: String,
    },
    /// The receipt is no longer valid.
    #[error("the receipt expired at {expires_at}; it is {now}")]
    ReceiptExpired {
        /// The first second at which it is no longer valid.
        expires_at: Timestamp,
        /// The later of our clock and GitHub's.
        now: Timestamp,
    },
    /// The receipt was issued too long ago.
    #[error("the receipt was issued at {issued_at}, over 24 hours before {now}")]
    ReceiptStale {
        /// When it was issued.
        issued_at: Timestamp,
        /// The later of our clock and GitHub's.
        now: Timestamp,
    },
    /// The receipt was issued in the future.
    #[error("the receipt was issued at {issued_at}, more than 60 seconds after {now}")]
    ReceiptNotYetValid {
        /// When it says that it was issued.
        issued_at: Timestamp,
        /// The earlier of our clock and GitHub's.
        now: Timestamp,
    },
    /// The receipt is valid for no time, or for too long.
    #[error(
        "the receipt is valid from {issued_at} to {expires_at}; expected more than 0 seconds and at most 24 hours"
    )]
    ReceiptLifetime {
        /// When it was issued.
        issued_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// Our clock and GitHub's differ, or GitHub tells no time.
    #[error("our clock says {ours}, GitHub's says {}; they may differ by at most 5 minutes", .github.map_or(String::from("nothing"), |time| alloc::format!("{time}")))]
    ClockSkew {
        /// Our clock.
        ours: Timestamp,
        /// GitHub's clock, from the answer's `Date`.
        github: Option<Timestamp>,
    },
    /// The repository has no ledger branch.
    #[error("{repository} has no branch `receipt-ledger`")]
    LedgerMissing {
        /// Where it was looked for.
        repository: Repository,
    },
    /// The ledger could not be read.
    #[error("the ledger cannot be read: {reason}")]
    LedgerUnavailable {
        /// What went wrong.
        reason: String,
    },
    /// The ledger does not hold the entry that the approver saw.
    #[error("the ledger held {checkpoint} when it was looked at, but now it {found}")]
    LedgerRolledBack {
        /// What the approver saw.
        checkpoint: Checkpoint,
        /// What is there.
        found: String,
    },
    /// A commit of the ledger's branch is not an append.
    #[error("commit {commit} of the ledger{} is not an append: {problem}", .author.as_ref().map_or(String::new(), |author| alloc::format!(" by {author}")))]
    LedgerTampered {
        /// The commit.
        commit: CommitId,
        /// Who made it, as GitHub says.
        author: Option<String>,
        /// Both sides.
        problem: String,
    },
    /// Too much happened on the ledger since the issuer looked.
    #[error(
        "the ledger has grown by {commits} commit(s) and {entries} entries since the receipt was issued, more than one decision reads ({MOST_TAIL_COMMITS} and {MOST_TAIL_ENTRIES})"
    )]
    LedgerTailTooLong {
        /// Commits above the checkpoint, as far as they were counted.
        commits: usize,
        /// Entries among them.
        entries: usize,
    },
    /// The entries to read are too large, counted over all looks of a process.
    #[error(
        "the ledger's entries since the receipt was issued have {bytes} bytes, as far as they were read, more than one process reads ({MOST_TAIL_BYTES})"
    )]
    LedgerEntriesTooLarge {
        /// Bytes that were read.
        bytes: usize,
    },
    /// Nothing shows that the branch was not rewound to the receipt's checkpoint.
    #[error(
        "the ledger may have been set back since the receipt's plan was made: its branch's rules do not forbid that, and {problem}"
    )]
    LedgerUnguarded {
        /// What GitHub's activity shows or lacks.
        problem: String,
    },
    /// No allowed branch contains the commit.
    #[error("{0}")]
    CommitUnreachable(Unreachable),
    /// An entry about this very operation cannot be read.
    #[error("{entry} is about this operation, and this version of Countersign cannot read it")]
    LedgerNewerVersion {
        /// The entry.
        entry: EntryId,
    },
    /// The operation was done in this run already, with other receipts.
    #[error("this run has done this operation already: {by}")]
    OperationDone {
        /// Which entries say so.
        by: String,
    },
    /// The ledger remembers a newer trust file or policy than this run has.
    #[error("{problem}")]
    AuthorityRolledBack {
        /// `trust` or `policy`.
        what: &'static str,
        /// Both sides.
        problem: String,
    },
    /// A version of the trust file that is new here was signed by keys that no longer count.
    #[error(
        "version {version} of the trust file was signed by keys that no longer count, and nothing was decided by it while they did"
    )]
    TrustStale {
        /// The version.
        version: u64,
    },
    /// The trust file fixes another policy.
    #[error("the trust file fixes the policy {fixed}, but this run has {}", .found.map_or(String::from("none"), |found| alloc::format!("{found}")))]
    PolicyMismatch {
        /// The policy that the trust file names.
        fixed: Pin,
        /// The policy of this run.
        found: Option<Pin>,
    },
    /// The policy gives no leave.
    #[error("{}", .0)]
    Policy(Denial),
    /// The policy excludes whoever asked for the run that `run-id` names, but that run has not planned this operation.
    #[error(
        "the policy excludes the requester of run {run}, but that run left no plan of the reported digest with this operation as an artifact"
    )]
    RunWithoutPlan {
        /// The run.
        run: RunId,
    },
    /// The policy excludes the requester, and it is not known which plan of a run its planning job made.
    #[error(
        "the policy excludes the requester, but any job of run {run} can leave a plan, and the input `plan-digest` does not say which one its dry run made"
    )]
    PlanUnreported {
        /// The run.
        run: RunId,
    },
    /// The policy excludes whoever asked for the run, and nobody could tell who that is.
    #[error("the policy excludes the requester, but who started run {run} is not known: {reason}")]
    RequesterUnknown {
        /// The run for which the receipt was issued.
        run: RunId,
        /// What went wrong.
        reason: String,
    },
    /// The policy excludes whoever asked for the run, and its actor need not have asked for what it does.
    #[error("the policy excludes the requester, but who asked for run {run} is not known: {event}")]
    RequesterOfEvent {
        /// The run that acts, or for which the receipt was issued.
        run: RunId,
        /// How it began.
        event: OtherEvent,
    },
    /// GitHub does not show what the decision needs.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// GitHub would not allow the operation, or not leave it as approved.
    #[error(transparent)]
    World(#[from] WorldRefusal),
    /// The inputs do not describe an operation.
    #[error(transparent)]
    Input(#[from] InputRefusal),
}

/// A job that started without any review did not wait for one.
fn without_receipt(run: &RunId, reviews: usize) -> String {
    if reviews == 0 {
        alloc::format!(
            "no one approved run {run}: the job's environment has no required reviewers, or the job names no environment"
        )
    } else {
        alloc::format!(
            "none of the {reviews} approving review(s) of run {run} holds a receipt in its comment"
        )
    }
}

/// Required reviewers are not available everywhere: GitHub, "Deployments and environments".
const fn review_advice(reviews: usize) -> &'static str {
    if reviews == 0 {
        "Add required reviewers to the job's environment, under Settings, Environments. GitHub offers them in public repositories, and in private ones only with GitHub Enterprise; elsewhere publish in a separate run and hand the receipt over as `receipt` (README, Two runs)."
    } else {
        "Paste the receipt, on a line of its own, into the comment when you approve the deployment; the summary of the dry run says how to make it."
    }
}

/// The first few of many names.
fn quoted(names: &[String]) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| alloc::format!("`{name}`"))
        .collect();
    let more = if names.len() > MOST {
        alloc::format!(" and {} more", names.len() - MOST)
    } else {
        String::new()
    };
    alloc::format!("{}{more}", shown.join(", "))
}

/// The first few of many problems.
fn list(problems: &[String]) -> String {
    const MOST: usize = 5;
    let more = if problems.len() > MOST {
        alloc::format!("; {} more", problems.len() - MOST)
    } else {
        String::new()
    };
    let first = problems
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ");
    if problems.is_empty() {
        String::new()
    } else {
        alloc::format!(" ({first}{more})")
    }
}

impl Refusal {
    /// The stable code: public API, listed in `docs/refusals.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ModeViolation { .. } => "mode_violation",
            Self::NothingShips { .. } => "nothing_ships",
            Self::ReceiptMissing
            | Self::ReceiptNotAmong { .. }
            | Self::ReceiptNotInReviews { .. } => "receipt_missing",
            Self::ReceiptMalformed(_) => "receipt_malformed",
            Self::SignatureUntrusted { .. } => "signature_untrusted",
            Self::ThresholdUnmet { .. } => "threshold_unmet",
            Self::KeyRetired {
                why: Retirement::Revoked(_),
                ..
            } => "key_revoked",
            Self::KeyRetired { .. } => "key_not_valid",
            Self::KeyPublished { .. } => "key_published",
            Self::AdvisoryReceipt => "advisory_receipt",
            Self::RunIdMismatch { .. } => "run_id_mismatch",
            Self::OperationKindMismatch { .. } => "operation_kind_mismatch",
            Self::RepositoryMismatch { .. } => "repository_mismatch",
            Self::OperationMismatch { .. } => "operation_mismatch",
            Self::ReceiptConsumed { .. } => "receipt_consumed",
            Self::ReceiptWithdrawn { .. } => "receipt_withdrawn",
            Self::ReceiptExpired { .. } => "receipt_expired",
            Self::ReceiptStale { .. } => "receipt_stale",
            Self::ReceiptNotYetValid { .. } => "receipt_not_yet_valid",
            Self::ReceiptLifetime { .. } => "receipt_lifetime",
            Self::ClockSkew { .. } => "clock_skew",
            Self::LedgerMissing { .. } => "ledger_missing",
            Self::LedgerUnavailable { .. } => "ledger_unavailable",
            Self::LedgerRolledBack { .. } => "ledger_rolled_back",
            Self::LedgerTampered { .. } => "ledger_tampered",
            Self::LedgerTailTooLong { .. } | Self::LedgerEntriesTooLarge { .. } => {
                "ledger_tail_too_long"
            }
            Self::LedgerUnguarded { .. } => "ledger_unguarded",
            Self::CommitUnreachable(_) => "commit_unreachable",
            Self::LedgerNewerVersion { .. } => "ledger_newer_version",
            Self::OperationDone { .. } => "operation_done",
            Self::AuthorityRolledBack { what, .. } if matches!(what.as_bytes(), b"trust") => {
                "trust_rolled_back"
            }
            Self::AuthorityRolledBack { .. } => "policy_rolled_back",
            Self::TrustStale { .. } => "trust_stale",
            Self::PolicyMismatch { .. } => "policy_mismatch",
            Self::Policy(denial) => denial.code(),
            Self::RequesterUnknown { .. }
            | Self::RequesterOfEvent { .. }
            | Self::RunWithoutPlan { .. }
            | Self::PlanUnreported { .. } => "requester_unknown",
            Self::Access(refusal) => refusal.code(),
            Self::World(refusal) => refusal.code(),
            Self::Input(refusal) => refusal.code(),
        }
    }

    /// What to do next, in one or two sentences.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "an arm for each refusal")]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::ModeViolation { .. } => {
                "Set the input `mode` to `prod` to publish, or to `dry_run` to make a plan. Other spellings are never guessed."
            }
            Self::ReceiptMissing => {
                "Make a plan with `mode: dry_run`, have it approved with `countersign authorize`, and hand the line that it prints to the input `receipt`."
            }
            Self::NothingShips { .. } => {
                "Look at the reasons in the summary or in plan.json, mend what is in the way, and plan again."
            }
            Self::ReceiptNotAmong { .. } => {
                "Each operation needs a receipt of its own: hand over every line that `countersign authorize` printed for this plan."
            }
            Self::ReceiptNotInReviews { reviews, .. } => review_advice(*reviews),
            Self::ReceiptMalformed(problem) if problem.is_cut_off() => {
                "The text was cut off while it was copied: paste the whole line that `countersign authorize` printed, or hand the file over with `receipt-file`."
            }
            Self::ReceiptMalformed(_) => {
                "Hand over the receipt exactly as `countersign authorize` printed it. Receipts of other issuers must follow docs/receipt.md."
            }
            Self::SignatureUntrusted { .. } => {
                "Have it signed with a key that is listed in `trusted-keys`, or add the approver's public key there after checking whose it is."
            }
            Self::ThresholdUnmet { .. } => {
                "Collect the missing signatures on the same receipt, or ask the maintainers whether the threshold is right."
            }
            Self::KeyRetired { .. } => {
                "Have the receipt signed with a key that counts now, or put a new version of the trust file in place (docs/trust.md)."
            }
            Self::KeyPublished { .. } => {
                "Take the key out of the trusted keys and make one of your own with `countersign keys generate`. Whatever it signed proves nothing."
            }
            Self::AdvisoryReceipt => {
                "An advisory receipt only shows what would be allowed. Ask an approver for an enforceable one."
            }
            Self::RunIdMismatch { .. } => {
                "A receipt counts in one run. Ask for a receipt for this run, or, if the plan was made in another run, set the input `run-id` to that run."
            }
            Self::OperationKindMismatch { .. } => {
                "Set the input `operation` to what was approved, or ask for a receipt for this kind of operation."
            }
            Self::RepositoryMismatch { .. } => {
                "Run the workflow in the repository that was approved. A renamed or re-created repository needs a new receipt."
            }
            Self::OperationMismatch { .. } => {
                "Some parameter or file differs from the approved plan: compare the operation in the summary with plan.json. Run the approved operation, or ask for a new receipt."
            }
            Self::ReceiptConsumed { .. } => {
                "A receipt works once. Look at the ledger entry named here for what it did; to do something again, ask for a new receipt."
            }
            Self::ReceiptWithdrawn { .. } => {
                "An approver gave this approval up: ask them why. To publish all the same, approve again: a receipt that is issued now is valid."
            }
            Self::ReceiptExpired { .. } => {
                "Ask for a new receipt; `countersign authorize --expires-in` sets how long it lasts."
            }
            Self::ReceiptStale { .. } => {
                "Ask for a new receipt: none counts for longer than 24 hours."
            }
            Self::ReceiptNotYetValid { .. } => {
                "Check the clock of the machine on which the receipt was issued, and issue it again."
            }
            Self::ReceiptLifetime { .. } => {
                "Issue the receipt again with an `expires_at` after `issued_at` and at most 24 hours later."
            }
            Self::ClockSkew { .. } => {
                "Set the runner's clock (NTP). A receipt must be valid by both clocks, so neither may be far off."
            }
            Self::LedgerMissing { .. } => {
                "Somebody who may write to the repository makes the ledger once with `countersign ledger init`. If there was one before, it was deleted: restore the branch and find out why."
            }
            Self::LedgerUnavailable { .. } => {
                "Nothing is published without a look at the ledger. Run the job again when GitHub answers; check that the token may read contents."
            }
            Self::LedgerRolledBack { .. } => {
                "The ledger does not hold what an approver saw: the branch was rewritten. Restore it from a clone and find out who did this before you publish anything."
            }
            Self::LedgerTampered { .. } => {
                "Someone with write access changed the ledger. Find out who and why. Receipts that are issued from now on do not depend on that commit: approve again."
            }
            Self::LedgerTailTooLong { .. } | Self::LedgerEntriesTooLarge { .. } => {
                "Approve again: a new receipt names the ledger as it is now. If no one published that much, find out who writes to the ledger."
            }
            Self::LedgerUnguarded { .. } => {
                "Protect the ledger once, as an administrator: countersign ledger init --repository OWNER/NAME --protect. If the message names a forced move, find out who made it first. If the record is only late, re-run the job in a minute."
            }
            Self::CommitUnreachable(_) => {
                "If you do not know the commit, it may be a fork's: do not publish it. Otherwise merge it, or list the branch that contains it: `reachable_from` in the policy's rule, or the input `reachable-from`. A branch other than the default one needs rules that forbid to delete and force-push it, and for a pattern to create it."
            }
            Self::LedgerNewerVersion { .. } => {
                "Use the newest version of Countersign in this workflow. If this is the newest, someone wrote the entry by hand: find out who, and start a new run."
            }
            Self::OperationDone { .. } => {
                "Look at what that run made. To do it again, approve again: a receipt that is issued now is valid."
            }
            Self::AuthorityRolledBack { .. } => {
                "Use the newest trust file and policy, from the branch where they are reviewed. If this is the newest, somebody put another one in place before: find out who."
            }
            Self::TrustStale { .. } => {
                "Find out who made that version. If it is right, have it signed by keys that count, or name its digest as `trust-root` in the workflow."
            }
            Self::PolicyMismatch { .. } => {
                "Hand over exactly the policy that the trust file names, or sign a new version of the trust file for this one (docs/trust.md)."
            }
            Self::Policy(denial) => denial.remedy(),
            Self::PlanUnreported { .. } => {
                "Hand over `plan-digest`: the output `plan-digest` of the dry run, in the same run as `needs.JOB.outputs`. The summary of the dry run shows it."
            }
            Self::RunWithoutPlan { .. } => {
                "Check that `run-id` is the run of the dry run, and that it uploaded plan.json (`upload-audit`). A run that did not plan this says nothing about who asked for it."
            }
            Self::RequesterOfEvent { .. } => {
                "Start the run by `workflow_dispatch`, `repository_dispatch`, a push or a release: then its actor asked for what it does."
            }
            Self::RequesterUnknown { .. } => {
                "Give the token `actions: read`, so that the run's actor can be looked up, and run the job again."
            }
            Self::Access(refusal) => refusal.remedy(),
            Self::World(refusal) => refusal.remedy(),
            Self::Input(refusal) => refusal.remedy(),
        }
    }
}

impl From<Malformed> for Refusal {
    fn from(problem: Malformed) -> Self {
        Self::ReceiptMalformed(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        envelope::Envelope,
        operation::{NotLatest, TooLong},
    };
    use std::string::ToString;

    fn numbers(count: usize) -> Vec<String> {
        (1..=count).map(|number| number.to_string()).collect()
    }

    #[test]
    fn of_many_names_or_problems_the_first_few_are_shown() {
        assert_eq!(quoted(&numbers(2)), "`1`, `2`");
        assert_eq!(
            quoted(&numbers(8)),
            "`1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`"
        );
        assert_eq!(
            quoted(&numbers(10)),
            "`1`, `2`, `3`, `4`, `5`, `6`, `7`, `8` and 2 more"
        );
        assert_eq!(list(&numbers(0)), "");
        assert_eq!(list(&numbers(5)), " (1; 2; 3; 4; 5)");
        assert_eq!(list(&numbers(7)), " (1; 2; 3; 4; 5; 2 more)");
    }

    #[test]
    fn whoever_clipped_a_receipt_is_told_to_paste_the_whole_line() {
        let remedy =
            |text: &str| Refusal::ReceiptMalformed(Envelope::parse(text).unwrap_err()).remedy();
        assert!(
            remedy("{\"payload\":\"eyJ")
                .starts_with("The text was cut off while it was copied: paste the whole line")
        );
        assert!(
            remedy("{\"payload\":1}").starts_with(
                "Hand over the receipt exactly as `countersign authorize` printed it."
            )
        );
    }

    #[test]
    fn what_to_do_comes_from_where_the_reason_does() {
        assert_eq!(
            Refusal::from(WorldRefusal::Archived).remedy(),
            WorldRefusal::Archived.remedy()
        );
        let input = InputRefusal::Missing {
            input: "body",
            needed_by: "a release".into(),
        };
        assert_eq!(
            input.remedy(),
            "Give the input under `with:` in the workflow."
        );
        assert_eq!(Refusal::from(input.clone()).remedy(), input.remedy());
    }

    #[test]
    fn a_refusal_names_the_input_that_is_to_be_mended() {
        let too_long = TooLong {
            what: "release body",
            found: 2,
            most: 1,
        };
        for (refusal, input) in [
            (
                InputRefusal::Missing {
                    input: "tag-name",
                    needed_by: "a release".into(),
                },
                Some("tag-name"),
            ),
            (InputRefusal::AssetTwice("a".into()), Some("files")),
            (InputRefusal::BodyTooLong(too_long), Some("body")),
            (InputRefusal::NotLatest(NotLatest), Some("make-latest")),
            (InputRefusal::TokenMissing, None),
        ] {
            assert_eq!(refusal.input(), input);
        }
    }
}
