//! One entry of the ledger, chained to the one before it by the digest of that one's file.

use alloc::vec::Vec;
use core::{fmt, str::FromStr};

use serde::Serialize;

use super::{Checkpoint, Effect, GithubResponse};
use crate::{
    authority::Authority,
    digest::Digest,
    document::Document,
    envelope::{Envelope, Signer},
    json::{Malformed, Object, Value},
    keys::Fingerprint,
    name::{InvalidName, OperationId, ReceiptId, Repository, RunAttempt, RunId},
    operation::{Kind, Operation},
    timestamp::Timestamp,
};

/// Largest entry: an operation and an envelope at their largest fit.
pub const MOST_ENTRY_BYTES: usize = 2 << 20;

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum EventType {
    /// A receipt was spent; the operation may follow.
    #[serde(rename = "github_publisher.operation.claimed")]
    Claimed,
    /// The operation stands as approved.
    #[serde(rename = "github_publisher.operation.succeeded")]
    Succeeded,
    /// The operation was not done, or not as approved.
    #[serde(rename = "github_publisher.operation.failed")]
    Failed,
    /// Nobody knows yet.
    #[serde(rename = "github_publisher.operation.unknown")]
    Unknown,
}

impl EventType {
    const ALL: [Self; 4] = [Self::Claimed, Self::Succeeded, Self::Failed, Self::Unknown];

    /// The name in entries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "github_publisher.operation.claimed",
            Self::Succeeded => "github_publisher.operation.succeeded",
            Self::Failed => "github_publisher.operation.failed",
            Self::Unknown => "github_publisher.operation.unknown",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let event = Self::ALL.into_iter().find(|event| event.as_str() == text);
        event.ok_or_else(|| {
            InvalidName::new(
                "event type",
                text,
                "`github_publisher.operation.` and claimed, succeeded, failed or unknown",
            )
        })
    }
}

/// One entry, a file of its own on the ledger branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = crate::schema::relations::claims_and_outcomes))]
pub struct Entry {
    /// From 1, without gaps.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Digest of the previous entry's file bytes; null in the first.
    pub previous: Option<Digest>,
    /// What it tells.
    pub event_type: EventType,
    /// When it was written, by the publisher's clock.
    pub timestamp: Timestamp,
    /// The attempt that wrote it.
    pub operation_id: OperationId,
    /// The workflow run that wrote it.
    pub run_id: RunId,
    /// And which attempt of that run.
    pub run_attempt: RunAttempt,
    /// The receipt that is spent.
    pub receipt_id: ReceiptId,
    /// The operation's kind.
    pub operation_kind: Kind,
    /// The repository.
    pub repository: Repository,
    /// Digest of the operation's exact bytes.
    pub operation_digest: Digest,
    /// The trusted keys that signed the receipt.
    pub signers: Vec<Signer>,
    /// Which trust file and which policy stood behind the claim.
    pub authority: Authority,
    /// The receipt itself; null in outcomes.
    pub receipt: Option<Envelope>,
    /// The operation, in its exact bytes; null in outcomes.
    pub operation: Option<Operation>,
    /// What GitHub answered; null in claims.
    pub github_response: Option<GithubResponse>,
}

impl Entry {
    /// Sequence and digest of this entry's file.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            sequence: self.sequence,
            digest: Digest::of(&self.to_document()),
        }
    }
}

impl Document for Entry {
    const MOST_BYTES: usize = MOST_ENTRY_BYTES;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            sequence: object.take("sequence")?.number()?,
            previous: object
                .take("previous")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            event_type: object.take("event_type")?.name()?,
            timestamp: object.take("timestamp")?.name()?,
            operation_id: object.take("operation_id")?.name()?,
            run_id: object.take("run_id")?.name()?,
            run_attempt: RunAttempt(object.take("run_attempt")?.number()?),
            receipt_id: object.take("receipt_id")?.name()?,
            operation_kind: object.take("operation_kind")?.name()?,
            repository: object.take("repository")?.name()?,
            operation_digest: object.take("operation_digest")?.name()?,
            signers: object
                .take("signers")?
                .list()?
                .into_iter()
                .map(Signer::from_json)
                .collect::<Result<_, _>>()?,
            authority: Authority::from_json(object.take("authority")?)?,
            receipt: object
                .take("receipt")?
                .nullable()
                .map(Envelope::from_json)
                .transpose()?,
            operation: object
                .take("operation")?
                .nullable()
                .map(Operation::from_json)
                .transpose()?,
            github_response: object
                .take("github_response")?
                .nullable()
                .map(GithubResponse::from_json)
                .transpose()?,
        })
    }
}

impl Signer {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let signer = Self {
            name: object.take("name")?.text()?,
            fingerprint: Fingerprint::recorded(object.take("fingerprint")?.text()?),
        };
        object.end()?;
        Ok(signer)
    }
}

impl From<&Effect> for EventType {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::Succeeded(_) => Self::Succeeded,
            Effect::Failed(_) => Self::Failed,
            Effect::Unknown(_) => Self::Unknown,
        }
    }
}
