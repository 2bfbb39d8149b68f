//! What the page is told: entries, audit records, plans, and what is to be said of the whole.

use serde::Serialize;

use countersign_core::{
    authority::Authority,
    digest::Digest,
    envelope::Signer,
    ledger::{Entry, EntryId, GithubResponse},
    name::{OperationId, ReceiptId, Repository, RunAttempt, RunId},
    operation::{Kind, Operation},
    receipt::Terms,
    timestamp::Timestamp,
};

/// One item of the page's data.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Item<'a, T: Serialize> {
    /// An entry of the ledger.
    Entry(T),
    /// An audit record.
    Record {
        file: &'a str,
        #[serde(flatten)]
        record: T,
    },
    /// A plan, and the attempt that wrote it, if its record lay beside it.
    Plan {
        file: &'a str,
        operation_id: Option<&'a OperationId>,
        plan: T,
    },
    /// The whole; comes last.
    Report(&'a Summary),
}

/// What is to be said of the whole.
#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) made_at: Timestamp,
    pub(crate) version: &'static str,
    /// Where pages of runs and commits are.
    pub(crate) server: String,
    /// Null if no ledger was asked for.
    pub(crate) ledger: Option<LedgerTold>,
    /// Files that could not be shown.
    pub(crate) left_out: Vec<LeftOut>,
}

/// The ledger, and how far it was verified.
#[derive(Serialize)]
pub(crate) struct LedgerTold {
    pub(crate) place: String,
    /// How many entries its head tells of.
    pub(crate) entries: u64,
    /// The newest of the entries that are shown.
    pub(crate) newest: Option<EntryId>,
    pub(crate) standing: Standing,
    /// Where the verification stopped, and why.
    pub(crate) fault: Option<String>,
    pub(crate) findings: Vec<Finding>,
}

/// How far a ledger holds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// All that was checked holds, signatures too.
    Verified,
    /// All that was checked holds, but nobody looked at signatures.
    Unsigned,
    /// Something does not hold.
    Fault,
    /// There is no entry.
    Empty,
}

/// What was found of one aspect.
#[derive(Serialize)]
pub(crate) struct Finding {
    pub(crate) aspect: String,
    pub(crate) told: String,
}

/// A file that could not be shown, and why.
#[derive(Serialize)]
pub(crate) struct LeftOut {
    pub(crate) file: String,
    pub(crate) why: String,
}

/// An entry as the page needs it: without the envelope, which nobody reads there.
#[derive(Serialize)]
struct EntryTold<'a> {
    sequence: u64,
    digest: Digest,
    event: &'static str,
    at: Timestamp,
    operation_id: &'a OperationId,
    run: &'a RunId,
    acting_run: &'a RunId,
    attempt: RunAttempt,
    receipt_id: &'a ReceiptId,
    operation_kind: Kind,
    repository: &'a Repository,
    operation_digest: Digest,
    signers: &'a [Signer],
    #[serde(skip_serializing_if = "is_nothing")]
    authority: Authority,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    github_response: Option<&'a GithubResponse>,
    /// What the receipt says; only if its signatures were verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<&'a Terms>,
}

/// An entry with the digest of its file, and with what its receipt says.
pub(crate) fn entry<'a>(
    entry: &'a Entry,
    digest: Digest,
    terms: Option<&'a Terms>,
) -> impl Serialize + 'a {
    EntryTold {
        sequence: entry.sequence,
        digest,
        event: entry
            .event_type
            .as_str()
            .rsplit('.')
            .next()
            .unwrap_or_default(),
        at: entry.timestamp,
        operation_id: &entry.operation_id,
        run: &entry.run,
        acting_run: &entry.acting_run,
        attempt: entry.attempt,
        receipt_id: &entry.receipt_id,
        operation_kind: entry.operation_kind,
        repository: &entry.repository,
        operation_digest: entry.operation_digest,
        signers: &entry.signers,
        authority: entry.authority,
        operation: entry.operation.as_ref(),
        github_response: entry.github_response.as_ref(),
        terms,
    }
}

fn is_nothing(authority: &Authority) -> bool {
    *authority == Authority::default()
}
