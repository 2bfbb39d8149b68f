//! What an audit finds: a stable code, how much it matters, both sides, and what to do next.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use serde::{Serialize, Serializer};

use super::{FoundPull, FoundRelease, FoundTag, Spent};
use crate::{
    name::{CommitId, ReceiptId},
    operation::Operation,
    text::{Lines, excerpt, visible},
};

/// One thing that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable code.
    pub code: Code,
    /// How much it matters.
    pub level: Level,
    /// What it is about.
    pub subject: Subject,
    /// The receipt, if there is one.
    pub receipt_id: Option<ReceiptId>,
    /// The entry that spent it.
    pub sequence: Option<u64>,
    /// Both sides.
    pub problem: String,
    /// What to do next.
    pub remedy: &'static str,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// `release`, `draft`, `tag`, `pull request`, `entry`, `commit` or `ledger`.
    pub kind: &'static str,
    /// Its name, made visible.
    pub name: String,
    /// Its page, if it has one.
    pub url: Option<String>,
}

/// How much a finding matters, in the words of SARIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something happened that nobody approved, or the ledger cannot be believed.
    Error,
    /// Something is left open, or unguarded.
    Warning,
    /// Worth to know; no reason to act by itself.
    Note,
}

impl Level {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $level:ident $meaning:literal $remedy:literal)*) => {
        /// What can be found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// How much it matters.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What to do next.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    LedgerMissing "ledger_missing" Error
        "The repository has no ledger branch."
        "If there was one, somebody deleted it: find out who (the repository's activity shows it) and restore it from a clone. Else begin one with `countersign ledger init`."
    LedgerInvalid "ledger_invalid" Error
        "The ledger was changed other than by adding entries; what follows the fault is not believed."
        "Compare the branch with an older clone, and find out who wrote the commit. Publish nothing until it is restored."
    ReceiptInvalid "receipt_invalid" Error
        "The ledger holds a claim whose receipt was not signed by the keys that were trusted then."
        "Add the key that signed then to the trusted keys if it was one; else somebody wrote the entry around Countersign: find out who."
    OperationMissing "operation_missing" Error
        "The ledger holds a claim, but not the operation that it claims."
        "Somebody with write access made the commit around Countersign, or took the file away: find out who. The plan and the audit record of that run hold the operation; what was published with it counts as approved by nobody until the file is there again."
    ReceiptWithdrawn "receipt_withdrawn" Error
        "The ledger holds a claim of a receipt that an approver had taken back."
        "Countersign does nothing with such a receipt: find out who wrote the entry, and what was published under it."
    ReleaseWithoutReceipt "release_without_receipt" Error
        "A release was published that no receipt allows."
        "Ask who published it. If nobody should have, take it down, and look for the token or account that did."
    ReleaseDiffers "release_differs" Error
        "A release is not what was approved."
        "Find out who changed it. If it is not to stay, take it down and publish what was approved with a new receipt."
    TagWithoutReceipt "tag_without_receipt" Error
        "A tag was made that no receipt allows."
        "Ask who made it. Tags that stood before the ledger: list them once with `git show-ref --tags`, and hand the list over with --known-tags."
    TagDiffers "tag_differs" Error
        "A tag is not what was approved."
        "Somebody moved it or made it anew: find out who, and protect tags with a ruleset against update and deletion."
    PullWithoutReceipt "pull_without_receipt" Error
        "A pull request was opened with the job token, and no receipt allows it."
        "Find out which workflow opened it, and close it if it is not wanted."
    EffectMissing "effect_missing" Error
        "What was published with a receipt is gone."
        "Find out who deleted it. It cannot be published again without a new receipt."
    EntryMisdated "entry_misdated" Error
        "An entry about something that was done says another time than the commit that added it."
        "Somebody wrote it around Countersign, or changed its clock: find out who made the commit, and what was published under it."
    ClaimLate "claim_late" Error
        "Something was done with a receipt that was claimed only after its end."
        "Countersign does nothing with such a claim: find out who made the commit, and what was published under it."
    EffectBeforeClaim "effect_before_claim" Error
        "Something was published before the receipt that allows it was claimed."
        "Somebody published it by hand and wrote the entries afterwards: find out who made the commit."
    EffectAfterExpiry "effect_after_expiry" Error
        "Something was published after the end of the receipt that allows it."
        "Countersign publishes nothing then: find out who did, or who took it back and published it again."
    CommitDatesFall "commit_dates_fall" Error
        "A commit of the ledger is dated before one below it."
        "Whoever made the commit chose its date: find out who, and what they appended."
    ClaimUnproven "claim_unproven" Warning
        "Something was done under a claim whose commit GitHub did not sign, though it signed commits below."
        "Countersign appends through GitHub, which signs: find out who pushed the commit, unless the server has stopped to sign."
    EntryByOther "entry_by_other" Warning
        "Another account than the publisher's appended entries to the ledger."
        "If a workflow appends with that account's token, name it with --ledger-by; else ask who did that, and look at those entries."
    ReceiptWithoutEffect "receipt_without_effect" Warning
        "A receipt was spent, no outcome is known, and nothing is there."
        "Re-run the job that spent it: its next attempt looks first, and does what is missing; after the receipt's end it only records that nothing was done."
    EffectWithoutOutcome "effect_without_outcome" Warning
        "Something stands as approved, but the ledger does not say so."
        "Re-run the job that spent the receipt: its next attempt records the outcome, also after the receipt's end."
    EffectAfterFailure "effect_after_failure" Warning
        "Something stands as approved, but the ledger says that it failed."
        "Read the entry's message: most likely the operation was done in the end. Decide whether it stays."
    LedgerUnprotected "ledger_unprotected" Warning
        "Whoever may write contents can delete or rewrite the ledger."
        "Set the ruleset that docs/ledger.md shows, or run `countersign ledger init --protect` with an administrator's token."
    CommitDateUnproven "commit_date_unproven" Note
        "Entries lie in commits that GitHub did not sign, so their dates are their authors' word."
        "Nothing on a server that does not sign web commits; else find out who pushed them."
    CommitByOther "commit_by_other" Note
        "Another account than the publisher's made commits on the ledger that added no entry."
        "They change nothing; ask that account what it is doing there, and protect the branch."
    DamageAccepted "damage_accepted" Note
        "The ledger has damage that enough people of the trust file accepted."
        "Nothing, if you know of it: the statement that was given with --accepted says why."
    PullDiffers "pull_differs" Note
        "A pull request was changed after it was opened as approved."
        "People may do that; look at what they changed before it is merged."
    EffectSuperseded "effect_superseded" Note
        "What was published with a receipt is gone, and was published anew with a later one."
        "Nothing, if you know of it."
    DraftWithoutReceipt "draft_without_receipt" Note
        "A draft exists that no receipt allows; nobody but those who may write sees it."
        "Nothing, unless you do not know who made it: it can be published by hand."
    ReceiptSpentInVain "receipt_spent_in_vain" Note
        "A receipt was spent, and the operation failed; nothing is there."
        "Nothing, if you know of it: a new receipt is needed to try again."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Finding {
    /// A finding; untrusted text in it is made visible.
    #[must_use]
    pub fn new(
        code: Code,
        subject: Subject,
        spent: Option<&Spent>,
        problem: impl AsRef<str>,
    ) -> Self {
        Self {
            code,
            level: code.level(),
            subject,
            receipt_id: spent.map(|spent| spent.receipt_id.clone()),
            sequence: spent.map(|spent| spent.sequence),
            problem: visible(problem.as_ref(), Lines::One),
            remedy: code.remedy(),
        }
    }
}

impl Subject {
    /// The ledger as a whole.
    #[must_use]
    pub fn ledger() -> Self {
        Self {
            kind: "ledger",
            name: crate::ledger::BRANCH.into(),
            url: None,
        }
    }

    /// One entry of it.
    #[must_use]
    pub fn entry(sequence: u64) -> Self {
        Self {
            kind: "entry",
            name: sequence.to_string(),
            url: None,
        }
    }

    /// A commit of its branch.
    #[must_use]
    pub fn commit(id: &CommitId) -> Self {
        Self {
            kind: "commit",
            name: id.to_string(),
            url: None,
        }
    }

    pub(super) fn release(found: &FoundRelease) -> Self {
        let kind = if found.draft { "draft" } else { "release" };
        Self {
            kind,
            name: excerpt(&found.tag_name, 100),
            url: Some(visible(&found.url, Lines::One)),
        }
    }

    pub(super) fn tag(found: &FoundTag) -> Self {
        Self {
            kind: "tag",
            name: excerpt(&found.name, 100),
            url: None,
        }
    }

    pub(super) fn pull(found: &FoundPull) -> Self {
        let name = excerpt(
            &format!("#{} by {}: {}", found.number, found.author, found.title),
            120,
        );
        Self {
            kind: "pull request",
            name,
            url: Some(visible(&found.url, Lines::One)),
        }
    }

    /// What an operation would have made.
    pub(super) fn approved(operation: &Operation) -> Self {
        let (kind, name) = match operation {
            Operation::PublishRelease(release) if release.visibility.draft() => {
                ("draft", release.tag_name.as_str())
            }
            Operation::PublishRelease(release) => ("release", release.tag_name.as_str()),
            Operation::TagRepo(tag) => ("tag", tag.tag_name.as_str()),
            Operation::OpenPr(pull) => ("pull request", pull.title.as_str()),
        };
        Self {
            kind,
            name: excerpt(name, 100),
            url: None,
        }
    }
}
