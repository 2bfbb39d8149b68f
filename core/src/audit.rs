//! The audit record: one attempt told whole, whatever came of it.

mod recorded;

use alloc::{string::String, vec::Vec};

use serde::Serialize;

pub use self::recorded::{Recorded, RecordedCheck};
use crate::{
    authority::Authority,
    binding::Check,
    digest::Digest,
    envelope::Signer,
    ledger::{EntryId, GithubResponse},
    name::OperationId,
    operation::Operation,
    receipt::Terms,
    timestamp::Timestamp,
};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Status {
    /// The operation stands as approved, and the ledger says so.
    Success,
    /// The world broke after the decision, or before there could be one; the message says what was done.
    Failed,
    /// It is not known whether the operation was done, or whether the ledger knows.
    Unknown,
    /// Refused by a rule or because of an input. Nothing was written.
    RejectedByAuth,
    /// Refused because of the mode. Nothing was written.
    RejectedByMode,
    /// A plan was made. Nothing was written.
    DryRun,
}

impl Status {
    /// Every status there is.
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Failed,
        Self::Unknown,
        Self::RejectedByAuth,
        Self::RejectedByMode,
        Self::DryRun,
    ];

    /// The word in records and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::RejectedByAuth => "rejected_by_auth",
            Self::RejectedByMode => "rejected_by_mode",
            Self::DryRun => "dry_run",
        }
    }
}

/// The record of one attempt. Members that are not known are null; none is left out.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// This attempt's own id.
    pub operation_id: OperationId,
    /// The run for which a receipt had to be issued, as given.
    pub run_id: String,
    /// The kind of operation, as given.
    pub operation_kind: String,
    /// The receipt's id, once its signatures held.
    pub receipt_id: Option<String>,
    /// The repository, as given.
    pub repository: String,
    /// How it ended.
    pub status: Status,
    /// The mode, as given.
    pub mode: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Timestamp,
    /// What was done, in one sentence.
    pub result: String,
    /// Why it did not go well: both sides, and what to do next.
    pub error_message: Option<String>,
    /// Stable code of the refusal or failure.
    pub error_code: Option<String>,
    /// What to do next, for refusals.
    pub remedy: Option<String>,
    /// What GitHub holds.
    pub github_response: Option<GithubResponse>,
    /// How many requests were repeated.
    pub retry_count: u64,
    /// Every binding rule with both sides.
    pub checks: Vec<Check>,
    /// Which trust file and which policy decided.
    pub authority: Authority,
    /// Who approved the deployment, if the receipts came from reviews.
    pub reviewers: Vec<String>,
    /// The campaign of which this operation is a part.
    pub campaign: Option<CampaignRecord>,
    /// The trusted keys that signed.
    pub signers: Vec<Signer>,
    /// The operation that the inputs describe.
    pub operation: Option<Operation>,
    /// Digest of its exact bytes.
    pub operation_digest: Option<Digest>,
    /// What was signed.
    #[cfg_attr(test, schemars(with = "Option<crate::receipt::Shown>"))]
    pub receipt: Option<Terms>,
    /// What was seen and written on the ledger.
    pub ledger: LedgerRecord,
    /// The run that acted.
    pub github: RunRecord,
    /// How many requests were sent to GitHub, retries included.
    pub requests: u64,
    /// Countersign's version.
    pub version: &'static str,
}

/// An operation's place in a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CampaignRecord {
    /// The campaign's name.
    pub name: String,
    /// The operation's id in it.
    pub id: String,
    /// Its place, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub position: usize,
    /// How many operations the plan holds.
    pub operations: usize,
}

/// The ledger's part of a record.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LedgerRecord {
    /// The newest entry at the preflight.
    pub seen: Option<EntryId>,
    /// The entry that spent the receipt.
    pub claim: Option<EntryId>,
    /// The entry with the outcome.
    pub outcome: Option<EntryId>,
    /// The types of the rules that protect the branch; null if GitHub did not show them.
    pub rules: Option<Vec<String>>,
}

impl LedgerRecord {
    /// The rules without which anybody who may write contents can rewrite or delete the ledger, as far as they are missing.
    #[must_use]
    pub fn unprotected_against(&self) -> Vec<&'static str> {
        let Some(rules) = &self.rules else {
            return Vec::new();
        };
        ["deletion", "non_fast_forward"]
            .into_iter()
            .filter(|needed| rules.iter().all(|rule| rule != needed))
            .collect()
    }
}

/// The run that acted, as the runner tells it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// `GITHUB_RUN_ID`.
    pub run_id: String,
    /// `GITHUB_RUN_ATTEMPT`.
    pub run_attempt: String,
    /// `GITHUB_WORKFLOW_REF`, or the workflow's name.
    pub workflow: String,
    /// `GITHUB_ACTOR`.
    pub actor: String,
    /// `GITHUB_TRIGGERING_ACTOR`: who pressed "re-run".
    pub triggering_actor: String,
    /// `GITHUB_EVENT_NAME`.
    pub event: String,
    /// `GITHUB_REF`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `GITHUB_SHA`.
    pub sha: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_unprotected_against_what_no_rule_forbids() {
        let missing = |rules: &[&str]| {
            let rules = rules.iter().map(|rule| String::from(*rule)).collect();
            LedgerRecord {
                rules: Some(rules),
                ..LedgerRecord::default()
            }
            .unprotected_against()
        };
        assert_eq!(missing(&["creation"]), ["deletion", "non_fast_forward"]);
        assert_eq!(missing(&["creation", "deletion"]), ["non_fast_forward"]);
        assert_eq!(missing(&["non_fast_forward", "creation"]), ["deletion"]);
        assert_eq!(
            missing(&["deletion", "non_fast_forward"]),
            Vec::<&str>::new()
        );
        assert_eq!(
            LedgerRecord::default().unprotected_against(),
            Vec::<&str>::new(),
            "nobody knows"
        );
    }
}
