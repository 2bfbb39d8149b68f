//! What the core needs of the world to keep a ledger: a look, and a compare-and-swap append.

use alloc::{format, string::String, vec::Vec};

use super::{Entry, README, Tail, entry_path};
use crate::{name::CommitId, refusal::Refusal, timestamp::Timestamp};

/// What a look at the ledger showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    /// The tail that was known before, and everything above it.
    pub tail: Tail,
    /// GitHub's clock when it answered.
    pub observed_at: Option<Timestamp>,
    /// Where the ref on which the operation depends ([`Operation::watched_ref`]) led at that moment;
    /// none if GitHub showed none.
    ///
    /// [`Operation::watched_ref`]: crate::operation::Operation::watched_ref
    pub watched: Option<CommitId>,
}

/// One append: files to add in one commit on top of exactly one other. Made by the core alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub(super) expected: CommitId,
    pub(super) headline: String,
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// The entry among the files; none in a trial.
    pub(super) entry: Option<Entry>,
}

impl Append {
    /// A commit without an entry, on top of an empty ledger: it shows whether GitHub lets appends
    /// through before a receipt depends on it. It writes `README.md` and nothing else, so it
    /// cannot change what the ledger records. The file names the previous commit, so no two trials
    /// are alike and each commit has a change.
    #[must_use]
    pub fn trial(expected: CommitId) -> Self {
        let page = format!("{README}\nAn append was tried on top of commit {expected}.\n");
        Self {
            expected,
            headline: "Try an append".into(),
            files: [("README.md".into(), page.into_bytes())].into(),
            entry: None,
        }
    }

    /// The commit at which the branch must stand.
    #[must_use]
    pub const fn expected(&self) -> &CommitId {
        &self.expected
    }

    /// First line of the commit's message.
    #[must_use]
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// The file of the entry, if it adds one.
    #[must_use]
    pub fn entry_file(&self) -> Option<&[u8]> {
        let path = entry_path(self.entry.as_ref()?.sequence);
        let mut files = self.files.iter();
        let (_, bytes) = files.find(|(name, _)| *name == path)?;
        Some(bytes)
    }

    /// Paths and contents.
    #[must_use]
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on the branch.
    Done {
        /// As this commit.
        commit: CommitId,
        /// GitHub's clock when it said so.
        observed_at: Option<Timestamp>,
        /// Where the ref on which the operation depends led at that moment; none if GitHub showed none.
        watched: Option<CommitId>,
    },
    /// The branch stands at another commit; nothing was written.
    Stale,
    /// GitHub refused it; nothing was written.
    Rejected(Rejection),
    /// No answer: it may be on the branch or not.
    Unknown(String),
}

/// Why GitHub refused a write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The stable code of the failure.
    pub code: &'static str,
    /// What GitHub said.
    pub message: String,
    /// What to do next.
    pub remedy: &'static str,
}

/// A place that keeps a ledger.
#[expect(
    async_fn_in_trait,
    reason = "the publisher runs on one thread; no caller needs `Send`"
)]
pub trait LedgerStore {
    /// Reads what was added above a tail, and verifies it. A branch that no longer holds the tail
    /// was rolled back.
    async fn look(&self, known: &Tail) -> Result<LedgerView, Refusal>;

    /// Waits a little, longer with each round and never as long as others do, so that many publishers get through.
    async fn pause(&self, round: usize);

    /// Adds the files in one commit, if the branch stands where the append expects it.
    async fn append(&self, append: &Append) -> Appended;
}
