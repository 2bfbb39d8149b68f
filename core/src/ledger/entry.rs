//! One entry of the ledger, chained to the one before it by the digest of that one's file.

use alloc::vec::Vec;
use core::{fmt, str::FromStr};

use serde::Serialize;

use super::{Effect, EntryId, GithubResponse};
use crate::{
    authority::Authority,
    digest::Digest,
    document::Document,
    envelope::{Envelope, Signer},
    json::{self, Malformed, Object, Value},
    keys::Fingerprint,
    name::{InvalidName, OperationId, ReceiptId, Repository, RunAttempt, RunId},
    operation::{Kind, Operation},
    timestamp::Timestamp,
};

/// Largest entry: an envelope, or the answer about a thousand assets, fits at its largest.
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

/// The version of the format that this program writes, and the newest that it reads in full.
pub const VERSION: u64 = 1;

/// `v` of an entry in this format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct V1;

impl Serialize for V1 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(VERSION)
    }
}

/// One entry, a file of its own on the ledger branch. It begins with the members of [`Header`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = crate::schema::relations::claims_and_outcomes))]
pub struct Entry {
    /// Version of this format.
    #[cfg_attr(test, schemars(with = "u64", extend("const" = VERSION)))]
    pub v: V1,
    /// From 1, without gaps.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sequence: u64,
    /// Digest of the previous entry's file bytes; null in the first.
    pub previous: Option<Digest>,
    /// What it records.
    pub event_type: EventType,
    /// The workflow run that the receipts name.
    pub run: RunId,
    /// The workflow run that wrote it.
    pub acting_run: RunId,
    /// And which attempt of that run.
    pub attempt: RunAttempt,
    /// Digest of the operation's exact bytes.
    pub operation_digest: Digest,
    /// Digests of the payloads of the receipts that are spent.
    #[cfg_attr(test, schemars(length(min = 1, max = 1)))]
    pub receipts: Vec<Digest>,
    /// When it was written, by the publisher's clock.
    pub timestamp: Timestamp,
    /// The attempt that wrote it.
    pub operation_id: OperationId,
    /// The receipt that is spent.
    pub receipt_id: ReceiptId,
    /// The operation's kind.
    pub operation_kind: Kind,
    /// The repository.
    pub repository: Repository,
    /// The trusted keys that signed the receipt.
    pub signers: Vec<Signer>,
    /// Which trust file and which policy stood behind the claim.
    pub authority: Authority,
    /// The receipt itself; null in outcomes.
    pub receipt: Option<Envelope>,
    /// What GitHub answered; null in claims.
    pub github_response: Option<GithubResponse>,
    /// The operation of a claim, once it was read. It lies next to the entry, under its digest
    /// ([`super::operation_path`]), so that those who only count claims need not read it.
    #[serde(skip)]
    pub operation: Option<Operation>,
}

/// Why a claim has no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOperation {
    /// There is no such file.
    #[error("its operation is not there")]
    Missing,
    /// The file has other bytes.
    #[error("its operation has the digest {0}")]
    Other(Digest),
    /// No operation has this digest: the entry was made up.
    #[error("its operation is none that Countersign writes")]
    Malformed,
}

impl Entry {
    /// The same claim with its operation, from the bytes that lie next to it.
    pub fn with_operation(self, bytes: Option<&[u8]>) -> Result<Self, NoOperation> {
        let bytes = bytes.ok_or(NoOperation::Missing)?;
        let found = Digest::of(bytes);
        if found != self.operation_digest {
            return Err(NoOperation::Other(found));
        }
        let operation = Operation::from_bytes(bytes).map_err(|_| NoOperation::Malformed)?;
        Ok(Self {
            operation: Some(operation),
            ..self
        })
    }

    /// The operation that a file of an entry claims, if it is a claim.
    #[must_use]
    pub fn claimed_operation(bytes: &[u8]) -> Option<Digest> {
        let entry = Self::from_document(bytes).ok()?;
        (entry.event_type == EventType::Claimed).then_some(entry.operation_digest)
    }

    /// Sequence and digest of this entry's file.
    #[must_use]
    pub fn id(&self) -> EntryId {
        EntryId {
            sequence: self.sequence,
            digest: Digest::of(&self.to_document()),
        }
    }
}

impl Document for Entry {
    const MOST_BYTES: usize = MOST_ENTRY_BYTES;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let version = object.take("v")?;
        let unknown = version.refuse("this program writes version 1");
        if version.number()? != VERSION {
            return Err(unknown);
        }

        Ok(Self {
            v: V1,
            sequence: object.take("sequence")?.number()?,
            previous: object
                .take("previous")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            event_type: object.take("event_type")?.name()?,
            run: object.take("run")?.name()?,
            acting_run: object.take("acting_run")?.name()?,
            attempt: attempt(object.take("attempt")?)?,
            operation_digest: object.take("operation_digest")?.name()?,
            receipts: only_receipt(object.take("receipts")?)?,
            timestamp: object.take("timestamp")?.name()?,
            operation_id: object.take("operation_id")?.name()?,
            receipt_id: object.take("receipt_id")?.name()?,
            operation_kind: object.take("operation_kind")?.name()?,
            repository: object.take("repository")?.name()?,
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
            github_response: object
                .take("github_response")?
                .nullable()
                .map(GithubResponse::from_json)
                .transpose()?,
            operation: None,
        })
    }
}

/// Attempts are numbered from 1: an entry with another number would make a first attempt resume.
fn attempt(value: Value) -> Result<RunAttempt, Malformed> {
    let first = value.refuse("attempts are numbered from 1");
    match value.number()? {
        0 => Err(first),
        number => Ok(RunAttempt(number)),
    }
}

pub(super) fn only_receipt(value: Value) -> Result<Vec<Digest>, Malformed> {
    let wrong = value.refuse("expected the digest of one receipt");
    let receipts: Vec<Digest> = value
        .list()?
        .into_iter()
        .map(Value::name)
        .collect::<Result<_, _>>()?;

    if receipts.len() == 1 {
        Ok(receipts)
    } else {
        Err(wrong)
    }
}

/// The members with which an entry of any version begins. A reader that does not know the rest
/// checks the chain by them, and takes the operation and the receipts that they name for spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of the entry.
    pub sequence: u64,
    /// Digest of the previous entry's file bytes.
    pub previous: Option<Digest>,
    /// The workflow run that the receipts name, if it is about one.
    pub run: Option<RunId>,
    /// Digest of the operation, if it is about one.
    pub operation_digest: Option<Digest>,
    /// Digests of the payloads of receipts.
    pub receipts: Vec<Digest>,
}

impl Header {
    /// Reads the common members, whatever follows them.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut object = json::parse(bytes, MOST_ENTRY_BYTES)?.object()?;
        object.take("v")?.number()?;
        let header = Self {
            sequence: object.take("sequence")?.number()?,
            previous: optional(object.take("previous")?)?,
            run: optional(object.take("run")?)?,
            operation_digest: optional(object.take("operation_digest")?)?,
            receipts: object
                .take("receipts")?
                .list()?
                .into_iter()
                .map(Value::name)
                .collect::<Result<_, _>>()?,
        };
        for member in ["event_type", "acting_run", "attempt"] {
            object.take(member)?;
        }
        Ok(header)
    }
}

fn optional<T: FromStr<Err: fmt::Display>>(value: Value) -> Result<Option<T>, Malformed> {
    value.nullable().map(Value::name).transpose()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{claim_of, release, terms};
    use alloc::{format, string::String};

    fn text() -> String {
        String::from_utf8(claim_of(&release(), &terms()).to_document()).unwrap()
    }

    #[test]
    fn an_entry_begins_with_what_every_version_reads() {
        let text = text();
        let header = Header::read(text.as_bytes()).unwrap();
        let receipt = header.receipts[0];
        assert_eq!(
            header,
            Header {
                sequence: 1,
                previous: None,
                run: Some(terms().run_id),
                operation_digest: Some(release().digest()),
                receipts: [receipt].into(),
            }
        );
        let begins = format!(
            r#"{{"v":1,"sequence":1,"previous":null,"event_type":"github_publisher.operation.claimed","run":"17231231","acting_run":"17231231","attempt":1,"operation_digest":"{}","receipts":["{receipt}"],"#,
            release().digest()
        );
        assert!(text.starts_with(&begins), "{text}");
    }

    #[test]
    fn an_entry_in_another_form_is_refused_with_the_place() {
        let receipt = format!("{}", Header::read(text().as_bytes()).unwrap().receipts[0]);
        let two = format!("[\"{receipt}\",\"{receipt}\"]");
        for (from, to, problem) in [
            (
                "\"v\":1",
                "\"v\":2",
                "this program writes version 1 (at $.v)",
            ),
            (
                "\"v\":1",
                "\"v\":0",
                "this program writes version 1 (at $.v)",
            ),
            (
                "\"attempt\":1",
                "\"attempt\":0",
                "attempts are numbered from 1 (at $.attempt)",
            ),
            (
                &format!("[\"{receipt}\"]"),
                "[]",
                "expected the digest of one receipt (at $.receipts)",
            ),
            (
                &format!("[\"{receipt}\"]"),
                &two,
                "expected the digest of one receipt (at $.receipts)",
            ),
            (
                "operation.claimed",
                "operation.started",
                "`github_publisher.operation.started` is no event type: expected `github_publisher.operation.` and claimed, succeeded, failed or unknown (at $.event_type)",
            ),
        ] {
            let edited = text().replacen(from, to, 1);
            assert_eq!(
                Entry::from_document(edited.as_bytes()).map_err(|error| format!("{error}")),
                Err(problem.into())
            );
        }
    }

    #[test]
    fn a_header_has_all_of_its_members_whatever_follows_them() {
        let minimal = r#"{"v":9,"sequence":7,"previous":null,"event_type":1,"run":null,"acting_run":{},"attempt":[],"operation_digest":null,"receipts":[],"more":true}"#;
        let read = |text: &str| {
            Header::read(text.as_bytes())
                .map(|header| header.sequence)
                .map_err(|error| format!("{error}"))
        };
        assert_eq!(read(minimal), Ok(7));
        for member in [
            "v",
            "sequence",
            "previous",
            "event_type",
            "run",
            "acting_run",
            "attempt",
            "operation_digest",
            "receipts",
        ] {
            let without = minimal.replacen(&format!("\"{member}\":"), "\"other\":", 1);
            assert_eq!(
                read(&without),
                Err(format!("the member `{member}` is missing (at $)"))
            );
        }
    }
}
