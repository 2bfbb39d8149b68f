//! Evidence that goes with a release: the ledger's own entry that spent the receipt, and the operation that lies next to it, as one
//! more asset.
//!
//! Both stand there in their exact bytes, `{"entry":…,"operation":…}`, and the ledger knows each by the digest of these bytes. So anybody
//! can hold them against `entries/…/N.json` and `operations/…`.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use crate::{
    asset::{Asset, InvalidAssets, MOST_ASSETS, Outside},
    digest::Digest,
    document::Document,
    json::{Malformed, Object},
    ledger::{BadLedger, Claim, Entry, EntryId, EventType, Examiner, Keys, MOST_ENTRY_BYTES},
    name::{Repository, RepositoryId, TagName},
    operation::{self, Kind, Operation, PublishRelease},
    text::excerpt,
    timestamp::Timestamp,
};

/// The asset's name; none that somebody approves may have it.
pub const NAME: &str = "countersign-receipt.json";
/// The media type under which it is uploaded.
pub const CONTENT_TYPE: &str = "application/json";

/// Whether the evidence goes with a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachReceipt {
    /// The release has the approved assets and no other.
    #[default]
    No,
    /// The release has the evidence as one asset more.
    Yes,
}

impl AttachReceipt {
    /// Whether the evidence finds room beside the operation's assets.
    pub fn fits(self, operation: &Operation) -> Result<(), InvalidAssets> {
        match (self, operation) {
            (Self::Yes, Operation::PublishRelease(release))
                if release.assets.as_slice().len() >= MOST_ASSETS =>
            {
                Err(InvalidAssets::NoRoom(release.assets.as_slice().len()))
            }
            _ => Ok(()),
        }
    }
}

/// The largest evidence.
pub const MOST_BYTES: usize = MOST_ENTRY_BYTES + operation::MOST_BYTES;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// The claim, as it is on the ledger.
    entry: Entry,
    /// The operation that it claims, in its exact bytes.
    operation: Operation,
}

impl Document for Evidence {
    const MOST_BYTES: usize = MOST_BYTES;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let mut members = object.take("entry")?.object()?;
        let entry = Entry::from_members(&mut members)?;
        members.end()?;
        Ok(Self {
            entry,
            operation: Operation::from_json(object.take("operation")?)?,
        })
    }
}

/// The evidence of a claim, from the file of its entry.
#[must_use]
pub fn compose(entry: &[u8], operation: &Operation) -> Vec<u8> {
    let entry = entry.strip_suffix(b"\n").unwrap_or(entry);
    [
        b"{\"entry\":",
        entry,
        b",\"operation\":",
        &operation.to_bytes(),
        b"}\n",
    ]
    .concat()
}

/// A claim as somebody hands it over: well formed, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedEvidence {
    entry: Entry,
    bytes: Vec<u8>,
}

/// Evidence whose receipt enough trusted keys signed for exactly its operation, and that was claimed while the receipt counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEvidence {
    evidence: UnverifiedEvidence,
    rests_on_past: bool,
}

/// What was approved for one tag of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedRelease {
    evidence: VerifiedEvidence,
    release: PublishRelease,
}

/// A file as somebody has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFile {
    /// Its name, whatever it is.
    pub name: String,
    /// Its size in bytes, as measured.
    pub size: u64,
    /// The digest of its bytes, as measured.
    pub sha256: Digest,
    /// What GitHub shows next to its name; a file that was downloaded has no such sides.
    pub outside: Option<Outside>,
}

/// Which repository is meant.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The one with this number, whatever it is called by now.
    Numbered(RepositoryId),
    /// The one of this name: without GitHub nobody knows its number.
    Named(&'a Repository),
}

/// Why evidence is none for what is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvidence {
    /// The file is not what Countersign attaches.
    #[error("`{NAME}` is not evidence as Countersign writes it: {0}")]
    Malformed(Malformed),
    /// An entry that tells how an operation went proves no approval.
    #[error("`{NAME}` holds entry {sequence}, which is `{found}` and no claim")]
    NoClaim {
        /// The entry's number.
        sequence: u64,
        /// What it is.
        found: EventType,
    },
    /// The entry does not hold by itself.
    #[error(transparent)]
    Entry(BadLedger),
    /// Another kind of operation.
    #[error("the evidence is for `{found}`, but a release is asked for")]
    OtherKind {
        /// What was approved.
        found: Kind,
    },
    /// Another repository.
    #[error("the evidence is for the repository {found}, but {asked} is asked for")]
    OtherRepository {
        /// What was approved.
        found: String,
        /// What is asked for.
        asked: String,
    },
    /// Another release of the repository.
    #[error("the evidence is for the tag `{found}`, but `{asked}` is asked for")]
    OtherTag {
        /// What was approved.
        found: TagName,
        /// What is asked for.
        asked: TagName,
    },
}

impl BadEvidence {
    /// What to do next.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::NoClaim { .. } => {
                "Download the file again, unchanged; if it is the same then, the release carries no evidence: do not trust it for this."
            }
            Self::Entry(_) => {
                "Check --trusted-keys and --threshold: were these the approvers' keys then? If so, do not trust the release."
            }
            Self::OtherKind { .. } | Self::OtherRepository { .. } | Self::OtherTag { .. } => {
                "Take the evidence of this very release; if that is what the release carries, somebody put another one in its place."
            }
        }
    }
}

/// How a file differs from what was approved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// It is not there.
    #[error("it is not there, but {size} bytes with {sha256} were approved")]
    Missing {
        /// The approved size.
        size: u64,
        /// The approved digest.
        sha256: Digest,
    },
    /// It is longer or shorter.
    #[error("it has {found} bytes, but {approved} were approved")]
    Size {
        /// As measured.
        found: u64,
        /// As approved.
        approved: u64,
    },
    /// It has other bytes.
    #[error("its bytes have {found}, but {approved} was approved")]
    Bytes {
        /// As measured.
        found: Digest,
        /// As approved.
        approved: Digest,
    },
    /// GitHub shows something else next to its name.
    #[error("its {what} is `{found}`, but `{approved}` was approved")]
    Outside {
        /// Which side.
        what: &'static str,
        /// As shown.
        found: String,
        /// As approved.
        approved: String,
    },
    /// There is nothing to compare it with.
    #[error("nobody approved it")]
    Stranger,
}

impl UnverifiedEvidence {
    /// Reads the file of a claim: exactly the bytes that Countersign writes.
    pub fn read(bytes: Vec<u8>) -> Result<Self, BadEvidence> {
        let Evidence { entry, operation } =
            Evidence::from_document(&bytes).map_err(BadEvidence::Malformed)?;
        if entry.event_type != EventType::Claimed {
            return Err(BadEvidence::NoClaim {
                sequence: entry.sequence,
                found: entry.event_type,
            });
        }
        let entry = Entry {
            operation: Some(operation),
            ..entry
        };
        Ok(Self { entry, bytes })
    }

    /// Under which number and digest the ledger must hold its entry.
    #[must_use]
    pub fn entry_id(&self) -> EntryId {
        self.entry.id()
    }

    /// The file of its entry, as the ledger must hold it.
    #[must_use]
    pub fn entry_file(&self) -> Vec<u8> {
        self.entry.to_document()
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it claims the same operation for the same run as a claim, by the same acting run: an
    /// earlier attempt's.
    #[must_use]
    pub fn precedes(&self, claim: &Claim) -> bool {
        let Ok(ours) = Entry::from_document(claim.document()) else {
            return false;
        };
        let theirs = &self.entry;
        (&theirs.run, theirs.operation_digest, &theirs.acting_run)
            == (&ours.run, ours.operation_digest, &ours.acting_run)
            && theirs.sequence < ours.sequence
    }

    /// Verifies signatures, bindings and the time of the claim, as `ledger verify` does.
    pub fn verify(self, keys: Keys<'_>, now: Timestamp) -> Result<VerifiedEvidence, BadEvidence> {
        let operation = self.entry.operation.as_ref().map(Operation::to_bytes);
        Examiner::new(Some(keys))
            .examine(
                self.entry.sequence,
                &self.entry_file(),
                operation.as_deref(),
            )
            .map_err(BadEvidence::Entry)?;
        Ok(VerifiedEvidence {
            rests_on_past: !suffices_now(&self.entry, keys, now),
            evidence: self,
        })
    }
}

/// Whether enough of the keys signed that count now. The entry itself says which version of a trust file decided, and when: whoever forges
/// one says what suits them.
fn suffices_now(entry: &Entry, keys: Keys<'_>, now: Timestamp) -> bool {
    let Keys::Trust(trust, _) = keys else {
        return true;
    };
    let current = trust
        .keys_at(now)
        .map(|(keys, threshold)| (trust.unrevoked(&keys), threshold));
    matches!((current, &entry.receipt), (Ok((keys, threshold)), Some(receipt)) if receipt.clone().verify(&keys, threshold).is_ok())
}

impl VerifiedEvidence {
    /// The entry that spent the receipt.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.evidence.entry
    }

    /// Under which number and digest the ledger must hold it.
    #[must_use]
    pub fn entry_id(&self) -> EntryId {
        self.evidence.entry_id()
    }

    /// The file of its entry, as the ledger must hold it.
    #[must_use]
    pub fn entry_file(&self) -> Vec<u8> {
        self.evidence.entry_file()
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.evidence.bytes
    }

    /// Whether too few signed of the keys that count now: some were revoked, replaced or are over, or fewer had to sign then. Whoever has
    /// such a key can write any date: only the ledger tells that it signed while that did.
    #[must_use]
    pub const fn rests_on_past(&self) -> bool {
        self.rests_on_past
    }

    /// What it approves for this tag of this repository.
    pub fn release_of(
        self,
        place: Place<'_>,
        tag: &TagName,
    ) -> Result<ApprovedRelease, BadEvidence> {
        let release = match &self.evidence.entry.operation {
            Some(Operation::PublishRelease(release)) => release.clone(),
            _ => {
                return Err(BadEvidence::OtherKind {
                    found: self.evidence.entry.operation_kind,
                });
            }
        };
        let other = |asked: String| {
            Err(BadEvidence::OtherRepository {
                found: release.target.to_string(),
                asked,
            })
        };
        match place {
            Place::Numbered(number) if number != release.target.repository_id => {
                return other(alloc::format!("the one with the number {number}"));
            }
            // GitHub's names know no case.
            Place::Named(name)
                if !name
                    .as_str()
                    .eq_ignore_ascii_case(release.target.repository.as_str()) =>
            {
                return other(name.to_string());
            }
            Place::Numbered(_) | Place::Named(_) => {}
        }
        if *tag != release.tag_name {
            return Err(BadEvidence::OtherTag {
                found: release.tag_name,
                asked: tag.clone(),
            });
        }
        Ok(ApprovedRelease {
            evidence: self,
            release,
        })
    }
}

impl ApprovedRelease {
    /// The evidence from which it was read.
    #[must_use]
    pub const fn evidence(&self) -> &VerifiedEvidence {
        &self.evidence
    }

    /// Every parameter that was approved.
    #[must_use]
    pub const fn release(&self) -> &PublishRelease {
        &self.release
    }

    /// Every approved asset, held against the files that somebody has, then every file that nobody approved. The evidence itself is none.
    #[must_use]
    pub fn judge(&self, held: &[HeldFile]) -> Vec<(String, Result<(), Difference>)> {
        let approved = self.release.assets.as_slice();
        let verdict = |asset: &Asset| {
            (
                asset.name.to_string(),
                compare(
                    asset,
                    held.iter().find(|held| held.name == asset.name.as_str()),
                ),
            )
        };
        let names: BTreeSet<&str> = approved
            .iter()
            .map(|asset| asset.name.as_str())
            .chain([NAME])
            .collect();
        let strangers = held
            .iter()
            .filter(|held| !names.contains(held.name.as_str()));
        let strangers = strangers.map(|held| (excerpt(&held.name, 200), Err(Difference::Stranger)));
        approved.iter().map(verdict).chain(strangers).collect()
    }
}

fn compare(asset: &Asset, held: Option<&HeldFile>) -> Result<(), Difference> {
    match held {
        None => Err(Difference::Missing {
            size: asset.size,
            sha256: asset.sha256,
        }),
        Some(held) if held.size != asset.size => Err(Difference::Size {
            found: held.size,
            approved: asset.size,
        }),
        Some(held) if held.sha256 != asset.sha256 => Err(Difference::Bytes {
            found: held.sha256,
            approved: asset.sha256,
        }),
        Some(held) => same_outside(asset, held),
    }
}

fn same_outside(asset: &Asset, held: &HeldFile) -> Result<(), Difference> {
    let shown = held.outside.as_ref();
    let differs = shown.and_then(|shown| shown.difference(asset.content_type.as_str()));
    differs.map_or(Ok(()), |differs| {
        Err(Difference::Outside {
            what: differs.what,
            found: differs.found,
            approved: differs.approved,
        })
    })
}

#[cfg(test)]
mod tests;
