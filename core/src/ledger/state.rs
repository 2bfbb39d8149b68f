//! The state of one receipt on the ledger: who claimed it, and whether the outcome is known.

use serde::Serialize;

use super::Entry;
use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
    name::{Executor, OperationId, RunAttempt, RunId},
};

/// `receipts/ab/<receipt_id>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReceiptState {
    /// Sequence number of the claim.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub claim_sequence: u64,
    /// The run that claimed.
    pub run_id: RunId,
    /// Its attempt.
    pub run_attempt: RunAttempt,
    /// That attempt's id: two jobs of one run and attempt may race, and only this tells whose claim it is.
    pub operation_id: OperationId,
    /// Digest of the operation that was claimed.
    pub operation_digest: Digest,
    /// Sequence number of the outcome; null while there is none, or none but `unknown`.
    pub outcome_sequence: Option<u64>,
}

/// What a receipt's state allows to one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nobody claimed it.
    Free,
    /// This very attempt claimed it.
    Ours,
    /// An earlier attempt of the same run claimed it and left no outcome.
    Unfinished,
    /// It is used up, or in the hands of somebody else.
    Spent,
}

impl ReceiptState {
    /// The state of a receipt right after this claim.
    #[must_use]
    pub(super) fn claimed_by(entry: &Entry) -> Self {
        Self {
            claim_sequence: entry.sequence,
            run_id: entry.run_id.clone(),
            run_attempt: entry.run_attempt,
            operation_id: entry.operation_id.clone(),
            operation_digest: entry.operation_digest,
            outcome_sequence: None,
        }
    }

    /// What this state allows to an attempt at an operation.
    #[must_use]
    pub fn allows(&self, executor: &Executor, operation: Digest) -> Use {
        if self.outcome_sequence.is_some() {
            return Use::Spent;
        }
        if self.operation_id == executor.operation_id {
            return Use::Ours;
        }
        let earlier = self.run_id == executor.run_id && self.run_attempt < executor.run_attempt;
        if earlier && self.operation_digest == operation {
            Use::Unfinished
        } else {
            Use::Spent
        }
    }
}

impl Document for ReceiptState {
    const MOST_BYTES: usize = 4096;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            claim_sequence: object.take("claim_sequence")?.number()?,
            run_id: object.take("run_id")?.name()?,
            run_attempt: RunAttempt(object.take("run_attempt")?.number()?),
            operation_id: object.take("operation_id")?.name()?,
            operation_digest: object.take("operation_digest")?.name()?,
            outcome_sequence: object
                .take("outcome_sequence")?
                .nullable()
                .map(Value::number)
                .transpose()?,
        })
    }
}
