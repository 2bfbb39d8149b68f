//! What came of an operation, and how it is recorded after its claim.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::{
    Appended, Entry, EntryId, EventType, LedgerStore, Pair, Sent,
    claim::{TRIES, append, entry, exhausted},
};
use crate::{
    authorize::Grant,
    digest::{Digest, bare_hex},
    document::Document,
    json::{Malformed, Value},
    name::{AssetName, CommitId},
    timestamp::Timestamp,
};

/// What GitHub holds after the operation, and what went wrong. Members that have no meaning for a kind are null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GithubResponse {
    /// The page of the release, tag or pull request.
    pub html_url: Option<String>,
    /// Number of the release.
    pub release_id: Option<u64>,
    /// Id of the tag object.
    pub tag_sha: Option<CommitId>,
    /// Number of the pull request.
    pub pull_number: Option<u64>,
    /// The release's assets, as GitHub stores them.
    pub assets: Vec<PublishedAsset>,
    /// Whether it stood already, exactly as approved, when this attempt looked.
    pub already_existed: bool,
    /// Stable code of what went wrong.
    pub error_code: Option<String>,
    /// What went wrong, for people.
    pub error_message: Option<String>,
}

/// An asset as GitHub stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PublishedAsset {
    /// Its name.
    pub name: AssetName,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest, as GitHub computed it.
    #[serde(serialize_with = "bare_hex")]
    #[cfg_attr(test, schemars(with = "crate::schema::BareDigest"))]
    pub sha256: Digest,
    /// Where it is downloaded.
    pub url: String,
}

impl GithubResponse {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let response = Self {
            html_url: object
                .take("html_url")?
                .nullable()
                .map(Value::text)
                .transpose()?,
            release_id: object
                .take("release_id")?
                .nullable()
                .map(Value::number)
                .transpose()?,
            tag_sha: object
                .take("tag_sha")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            pull_number: object
                .take("pull_number")?
                .nullable()
                .map(Value::number)
                .transpose()?,
            assets: object
                .take("assets")?
                .list()?
                .into_iter()
                .map(PublishedAsset::from_json)
                .collect::<Result<_, _>>()?,
            already_existed: object.take("already_existed")?.flag()?,
            error_code: object
                .take("error_code")?
                .nullable()
                .map(Value::text)
                .transpose()?,
            error_message: object
                .take("error_message")?
                .nullable()
                .map(Value::text)
                .transpose()?,
        };
        object.end()?;
        Ok(response)
    }
}

impl PublishedAsset {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let asset = Self {
            name: object.take("name")?.name()?,
            size: object.take("size")?.number()?,
            sha256: object.take("sha256")?.bare_digest()?,
            url: object.take("url")?.text()?,
        };
        object.end()?;
        Ok(asset)
    }
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It stands as approved.
    Succeeded(GithubResponse),
    /// It does not, and nobody may try again with this receipt.
    Failed(GithubResponse),
    /// It may or may not have been done: a later attempt must look.
    Unknown(GithubResponse),
}

impl Effect {
    /// What GitHub holds, as far as it is known.
    #[must_use]
    pub const fn response(&self) -> &GithubResponse {
        match self {
            Self::Succeeded(response) | Self::Failed(response) | Self::Unknown(response) => {
                response
            }
        }
    }
}

/// A claim that has ended. Made by [`Claim::conclude`](super::Claim::conclude) and
/// [`Settlement::conclude`](super::Settlement::conclude) alone.
#[derive(Debug)]
pub struct Outcome {
    grant: Grant,
    effect: Effect,
    /// The claim of an earlier attempt, which this one settles without a claim of its own.
    settles: Option<Settling>,
}

/// What an outcome settles without a claim of its own.
#[derive(Debug)]
struct Settling {
    /// The claim that it ends.
    claim: Entry,
    /// The newest open claim when GitHub was looked at.
    newest: EntryId,
}

impl Outcome {
    pub(super) const fn new(grant: Grant, effect: Effect) -> Self {
        Self {
            grant,
            effect,
            settles: None,
        }
    }

    pub(super) const fn settling(
        grant: Grant,
        effect: Effect,
        claim: Entry,
        newest: EntryId,
    ) -> Self {
        Self {
            grant,
            effect,
            settles: Some(Settling { claim, newest }),
        }
    }

    /// What came of the operation.
    #[must_use]
    pub const fn effect(&self) -> &Effect {
        &self.effect
    }

    /// What came of the operation turned out otherwise: the next record corrects the one before it, which stays.
    pub fn correct(&mut self, effect: Effect) {
        self.effect = effect;
    }

    fn entry(&self, now: Timestamp) -> Option<Entry> {
        let mut entry = entry(&self.grant, EventType::from(&self.effect), now)?;
        entry.github_response = Some(self.effect.response().clone());
        // The outcome is that of the claim, whichever receipt allowed the look.
        if let Some(Settling { claim, .. }) = &self.settles {
            entry.receipts.clone_from(&claim.receipts);
            entry.receipt_id = claim.receipt_id.clone();
            entry.signers.clone_from(&claim.signers);
            entry.authority = claim.authority;
        }
        Some(entry)
    }

    /// Whether someone else has ended or taken over the claim that this outcome settles. The outcome
    /// of one's own claim is recorded in any case, because something was done.
    fn is_overtaken(&self) -> bool {
        let pair = Pair::of(self.grant.receipt());
        self.settles.as_ref().is_some_and(|settling| {
            let tail = self.grant.tail();
            tail.first_about(&pair, settling.newest).is_some()
        })
    }
}

/// Where the outcome stands on the ledger, or why it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is on the ledger.
    At {
        /// As this entry.
        entry: EntryId,
        /// Where the ref led when that was seen on which the operation depends; none if GitHub showed
        /// none.
        watched: Option<CommitId>,
    },
    /// It is not certain that it is there.
    Not(String),
}

/// Records an outcome. The operation has happened by now: whatever goes wrong here is told, never undone.
pub async fn record<S: LedgerStore>(
    outcome: &mut Outcome,
    store: &S,
    clock: impl Fn() -> Timestamp,
) -> Recorded {
    let mut sent = Sent::new();
    let mut reason = String::from("others were faster, every time");
    for round in 0..TRIES {
        let Some(entry) = outcome.entry(clock()) else {
            return Recorded::Not(alloc::format!("{}", exhausted()));
        };
        let id = entry.id();
        sent.insert(id.digest, entry.to_document());
        let append = append(outcome.grant.tail(), entry);

        match store.append(&append).await {
            Appended::Done {
                commit, watched, ..
            } => {
                outcome.grant.appended(&append, commit);
                return Recorded::At { entry: id, watched };
            }
            Appended::Rejected(rejection) => return Recorded::Not(rejection.message),
            Appended::Stale => {}
            Appended::Unknown(lost) => reason = lost,
        }

        store.pause(round).await;
        let view = match store.look(outcome.grant.tail()).await {
            Ok(view) => view,
            Err(refusal) => return Recorded::Not(alloc::format!("{reason}; then {refusal}")),
        };
        outcome.grant.sees(view.tail);
        // Our own append went through although its answer was lost: nobody else has sent these bytes.
        if let Some(entry) = outcome.grant.tail().newest_of(&sent) {
            return Recorded::At {
                entry,
                watched: view.watched,
            };
        }
        if outcome.is_overtaken() {
            return Recorded::Not(
                "another attempt has ended it, or taken it over, in the meantime".into(),
            );
        }
    }
    Recorded::Not(reason)
}
