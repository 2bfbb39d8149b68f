//! How an attempt ends, and what an interruption means at each point of the way.

use countersign_core::{
    audit::{AuditRecord, Status},
    refusal::Refusal,
};

use crate::exit::Exit;

/// How far an attempt has come: what an interruption means depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was written yet.
    Deciding,
    /// The receipt may be spent.
    Claiming,
    /// The receipt is spent; the operation may be done.
    Acting,
    /// The operation has ended; its outcome may be on the ledger.
    Recording,
}

/// How an attempt ends.
#[derive(Debug)]
pub(crate) enum Ending {
    Planned { result: String },
    Succeeded { result: String },
    Refused(Refusal),
    Failed(Complaint),
    Unknown(Complaint),
}

/// What went wrong after the decision, or before there was one.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Complaint {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

impl Phase {
    /// What it means if the attempt ends here without a word of its own.
    pub(super) fn interrupted(self, code: &str, what: &str) -> Ending {
        let complaint = |consequence: &str| Complaint::new(code, format!("{what} {consequence}"));
        match self {
            Phase::Deciding => Ending::Failed(complaint(
                "before anything was written to GitHub. Run the job again.",
            )),
            Phase::Claiming | Phase::Acting => Ending::Unknown(complaint(
                "after the receipt may have been spent. It is not known whether the operation was done: re-run the job, its next attempt looks first and finishes.",
            )),
            Phase::Recording => Ending::Unknown(complaint(
                "after the operation, before its outcome was known to be on the ledger: re-run the job, its next attempt records it.",
            )),
        }
    }
}

impl Ending {
    /// The word in the record and the exit code.
    pub(super) const fn meaning(&self) -> (Status, Exit) {
        match self {
            Self::Planned { .. } => (Status::DryRun, Exit::Success),
            Self::Succeeded { .. } => (Status::Success, Exit::Success),
            Self::Refused(Refusal::ModeViolation { .. }) => (Status::RejectedByMode, Exit::Refused),
            Self::Refused(_) => (Status::RejectedByAuth, Exit::Refused),
            Self::Failed(_) => (Status::Failed, Exit::Failed),
            Self::Unknown(_) => (Status::Unknown, Exit::Unknown),
        }
    }

    /// Writes the ending into the record and returns the remedy, which the surfaces show apart from the message.
    pub(super) fn tell(&self, record: &mut AuditRecord) -> Option<&'static str> {
        match self {
            Self::Planned { result } | Self::Succeeded { result } => {
                record.result.clone_from(result);
                None
            }
            Self::Refused(refusal) => {
                record.result = "refused; nothing was written to GitHub".into();
                record.error_code = Some(refusal.code().into());
                record.error_message = Some(refusal.to_string());
                record.remedy = Some(refusal.remedy().into());
                Some(refusal.remedy())
            }
            Self::Failed(complaint) | Self::Unknown(complaint) => {
                record.result = if matches!(self, Self::Failed(_)) {
                    "failed".into()
                } else {
                    "unknown".into()
                };
                record.error_code = Some(complaint.code.clone());
                record.error_message = Some(complaint.message.clone());
                None
            }
        }
    }
}
