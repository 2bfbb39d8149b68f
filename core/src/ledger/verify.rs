//! Verifies a whole ledger anew, entry by entry: nothing that is stored is trusted, and the first bad entry is named.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::Serialize;

use super::{
    Dates, Entry, EntryId, EventType, Head, Making, Pair, Withdrawing,
    dates::{DatedCommit, Ending, Moment, Moments},
    operation_path,
};
use crate::{
    authority::Authority,
    binding::MOST_SKEW,
    digest::Digest,
    document::Document,
    keys::{Fingerprint, Threshold, TrustedKeys},
    name::{CommitId, InvalidName, OperationId, Repository, RepositoryId, RunAttempt, RunId},
    operation::{Kind, Operation},
    receipt::Terms,
    timestamp::Timestamp,
    trust::Trust,
    withdrawal::Revocable,
};

/// What a check is about; each is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Aspect {
    /// Files are what Countersign writes, and no other files are there.
    Structure,
    /// Sequence numbers and digests link every entry to the one before it, and the head to the last.
    Chain,
    /// Enough trusted keys signed the receipt of every claim.
    Signatures,
    /// Every receipt is claimed once, or again only by a later attempt of the same run, and every
    /// operation of a run ends once.
    Uses,
    /// The operation of every claim lies next to it.
    Operations,
    /// Receipt, entry and operation belong together.
    Bindings,
    /// No commit of the branch took anything back, or merged another one.
    History,
    /// Entries were appended when they say, and claims before the end of their receipts.
    Dates,
    /// No account but the publisher's made commits.
    Authors,
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structure => "structure",
            Self::Chain => "chain",
            Self::Signatures => "signatures",
            Self::Uses => "uses",
            Self::Operations => "operations",
            Self::Bindings => "bindings",
            Self::History => "history",
            Self::Dates => "dates",
            Self::Authors => "authors",
        })
    }
}

impl Aspect {
    const ALL: [Self; 8] = [
        Self::Structure,
        Self::Chain,
        Self::Signatures,
        Self::Uses,
        Self::Bindings,
        Self::History,
        Self::Dates,
        Self::Authors,
    ];
}

impl FromStr for Aspect {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let known = Self::ALL
            .into_iter()
            .find(|aspect| format!("{aspect}") == text);
        known.ok_or_else(|| {
            InvalidName::new(
                "aspect",
                text,
                "structure, chain, signatures, uses, bindings, history, dates or authors",
            )
        })
    }
}

/// The first thing that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{aspect}: {place}: {problem}")]
pub struct BadLedger {
    /// Which check found it.
    pub aspect: Aspect,
    /// Which entry or file.
    pub place: String,
    /// Both sides.
    pub problem: String,
}

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries, all of them structured, chained and bound.
    pub entries: u64,
    /// Claims among them.
    pub claims: u64,
    /// Receipts whose signatures were verified; fewer than claims only if no keys were given.
    pub signed: u64,
    /// Receipts whose outcome is not known.
    pub unfinished: u64,
    /// Withdrawals of receipts, whoever wrote them.
    pub withdrawals: u64,
}

/// A claim of a receipt that someone who signed it had taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawnUse {
    /// The entry that claims it.
    pub claim: u64,
    /// The entry that took it back, who did that, when and why.
    pub told: String,
}

impl From<&WithdrawnUse> for BadLedger {
    fn from(used: &WithdrawnUse) -> Self {
        Self {
            aspect: Aspect::Uses,
            place: place(used.claim),
            problem: format!("it claims a receipt that was withdrawn: {}", used.told),
        }
    }
}

/// Verifies what one entry tells by itself. Entries can be examined in any order and on several threads.
#[derive(Clone, Copy)]
pub struct Examiner<'a> {
    trusted: Option<Keys<'a>>,
}

/// By which keys receipts must be signed.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// By these, whenever they were claimed.
    Listed(&'a TrustedKeys, Threshold),
    /// By those that the trust file held when they were claimed; before it decided, by so many of its first version's.
    Trust(&'a Trust, usize),
}

/// An entry that holds by itself: its structure, its receipt's signatures, its bindings.
pub struct Examined {
    content: Content,
    digest: Digest,
    terms: Option<Terms>,
    /// By which keys the receipt of a claim can have been taken back.
    revocable: Option<Revocable>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "nearly every entry is about an operation"
)]
enum Content {
    Operation(Entry),
    /// And whether a trusted key signed it, by which alone it takes nothing back yet.
    Withdrawing(Withdrawing, bool),
}

impl Examined {
    /// What the receipt of a claim says, if its signatures were verified.
    #[must_use]
    pub const fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// How a withdrawal takes the receipt of this claim back, if it does.
    #[must_use]
    pub fn withdrawn_by(&self, entry: &Withdrawing) -> Option<String> {
        withdrawn_by(entry, self.revocable.as_ref()?)
    }
}

fn withdrawn_by(entry: &Withdrawing, receipt: &Revocable) -> Option<String> {
    let withdrawal = entry.withdrawal.revokes(receipt, None)?;
    Some(format!("entry {}: {}", entry.sequence, withdrawal.told()))
}

impl<'a> Examiner<'a> {
    /// Without trusted keys signatures stay unchecked, and so does what only a signed receipt can tell.
    #[must_use]
    pub const fn new(trusted: Option<Keys<'a>>) -> Self {
        Self { trusted }
    }

    /// Verifies the file of the entry with this number, by itself, with the operation that lies next to
    /// a claim.
    pub fn examine(
        &self,
        number: u64,
        bytes: &[u8],
        operation: Option<&[u8]>,
    ) -> Result<Examined, BadLedger> {
        if let Ok(entry) = Withdrawing::from_document(bytes) {
            in_place(number, entry.sequence)?;
            return Ok(self.withdrawing(entry, bytes));
        }
        let entry = read(number, bytes)?;
        let entry = if entry.event_type == EventType::Claimed {
            let digest = entry.operation_digest;
            entry.with_operation(operation).map_err(|error| BadLedger {
                aspect: Aspect::Operations,
                place: place(number),
                problem: format!("{error}: `{}`", operation_path(&digest)),
            })?
        } else {
            entry
        };
        self.examined(entry, bytes)
    }

    /// The same for a claim whose operation is lost: it keeps its place in the chain, and nothing else
    /// is known of it.
    pub fn examine_without_operation(number: u64, bytes: &[u8]) -> Result<Examined, BadLedger> {
        Ok(Examined {
            content: Content::Operation(read(number, bytes)?),
            digest: Digest::of(bytes),
            terms: None,
            revocable: None,
        })
    }

    fn examined(&self, entry: Entry, bytes: &[u8]) -> Result<Examined, BadLedger> {
        let number = entry.sequence;
        let bad = |aspect, problem: String| BadLedger {
            aspect,
            place: place(number),
            problem,
        };
        let read = match entry.event_type {
            EventType::Claimed => self
                .claim(&entry)
                .map_err(|(aspect, problem)| bad(aspect, problem))?,
            _ if entry.receipt.is_some() || entry.github_response.is_none() => {
                return Err(bad(
                    Aspect::Structure,
                    "an outcome holds GitHub's answer, and no receipt".into(),
                ));
            }
            _ => None,
        };
        let (terms, revocable) = read.unzip();
        Ok(Examined {
            content: Content::Operation(entry),
            digest: Digest::of(bytes),
            terms,
            revocable,
        })
    }

    fn withdrawing(&self, entry: Withdrawing, bytes: &[u8]) -> Examined {
        let signed_by = |keys: &TrustedKeys| entry.withdrawal.verify(keys.as_slice()).is_ok();
        let is_signed = match self.trusted {
            None => false,
            Some(Keys::Listed(keys, _)) => signed_by(keys),
            Some(Keys::Trust(trust, _)) => trust
                .keys_of(Some(&trust.pin()), entry.timestamp)
                .is_ok_and(|(keys, _)| signed_by(&keys)),
        };
        Examined {
            content: Content::Withdrawing(entry, is_signed),
            digest: Digest::of(bytes),
            terms: None,
            revocable: None,
        }
    }

    fn claim(&self, entry: &Entry) -> Result<Option<(Terms, Revocable)>, (Aspect, String)> {
        let (Some(envelope), Some(operation), None) =
            (&entry.receipt, &entry.operation, &entry.github_response)
        else {
            return Err((
                Aspect::Structure,
                "a claim holds the receipt, and no answer".into(),
            ));
        };
        about_operation(entry, operation).map_err(|problem| (Aspect::Bindings, problem))?;
        if entry.receipts != [envelope.payload_digest()] {
            return Err((
                Aspect::Bindings,
                "it names another receipt than the one it holds".into(),
            ));
        }
        let bad = |problem: String| (Aspect::Signatures, problem);
        let dated;
        let (keys, threshold) = match self.trusted {
            None => return Ok(None),
            Some(Keys::Listed(keys, threshold)) => (keys, threshold),
            Some(Keys::Trust(trust, before)) => {
                let pin = entry.authority.trust.as_ref();
                let (then, threshold) = trust
                    .keys_of(pin, entry.timestamp)
                    .map_err(|error| bad(format!("{error}")))?;
                let listed = || {
                    Threshold::parse(&format!("{before}"), &then)
                        .map_err(|error| bad(format!("{error}")))
                };
                let threshold = if pin.is_some() { threshold } else { listed()? };
                dated = then;
                (&dated, threshold)
            }
        };
        let receipt = envelope.clone().verify(keys, threshold);
        let receipt = receipt.map_err(|refusal| (Aspect::Signatures, format!("{refusal}")))?;
        about_terms(entry, operation, receipt.terms())
            .map_err(|problem| (Aspect::Bindings, problem))?;
        // Names may have been given anew since; keys may not.
        let signed: Vec<_> = receipt
            .signers()
            .iter()
            .map(|signer| &signer.fingerprint)
            .collect();
        let told: Vec<_> = entry
            .signers
            .iter()
            .map(|signer| &signer.fingerprint)
            .collect();
        if told.iter().any(|fingerprint| !signed.contains(fingerprint)) {
            return Err((
                Aspect::Bindings,
                "it names a signer who did not sign its receipt".into(),
            ));
        }
        let revocable = Revocable::of(&receipt, Some(keys));
        Ok(Some((receipt.terms().clone(), revocable)))
    }
}

/// Takes the examined entries in their order, then the head and the commits.
#[derive(Default)]
pub struct Verifier {
    chain: Vec<Digest>,
    pairs: BTreeMap<Pair, Claims>,
    /// By which entry a receipt was claimed, and for what.
    spent: BTreeMap<Digest, Pair>,
    /// The repository that the first claim is for; it may be renamed, but keeps its number.
    repository_id: Option<RepositoryId>,
    /// The latest time of an entry: two clocks may each be off by the skew that is allowed, and no more.
    newest_at: Timestamp,
    /// What stood behind the newest claim.
    authority: Authority,
    moments: Moments,
    tally: Tally,
    withdrawals: Vec<Withdrawing>,
    withdrawn_uses: Vec<WithdrawnUse>,
}

/// The claims of an operation in a run. Attempts take over from each other, and one that lost its
/// claim still records what it did: an outcome may belong to any of them.
struct Claims {
    newest: Claimed,
    earlier: Vec<Claimed>,
    /// The entry that ended the newest one.
    outcome: Option<u64>,
    /// Its place among the rounds of [`Moments`].
    round: usize,
}

/// A claim: its outcome must say the same.
struct Claimed {
    claim: u64,
    acting_run: RunId,
    attempt: RunAttempt,
    operation_id: OperationId,
    receipts: Vec<Digest>,
    kind: Kind,
    repository: Repository,
    signers: Vec<Fingerprint>,
    authority: Authority,
}

impl Claimed {
    fn by(entry: &Entry) -> Self {
        Self {
            claim: entry.sequence,
            acting_run: entry.acting_run.clone(),
            attempt: entry.attempt,
            operation_id: entry.operation_id.clone(),
            receipts: entry.receipts.clone(),
            kind: entry.operation_kind,
            repository: entry.repository.clone(),
            signers: fingerprints(entry),
            authority: entry.authority,
        }
    }

    /// Whether an outcome is that of the attempt which wrote the claim.
    fn is_ended_by(&self, outcome: &Entry) -> bool {
        (&self.operation_id, self.attempt) == (&outcome.operation_id, outcome.attempt)
            && self.is_meant_by(outcome)
    }

    fn is_meant_by(&self, outcome: &Entry) -> bool {
        (&self.acting_run, &self.receipts) == (&outcome.acting_run, &outcome.receipts)
            && (self.kind, &self.repository) == (outcome.operation_kind, &outcome.repository)
            && (&self.signers, self.authority) == (&fingerprints(outcome), outcome.authority)
    }
}

impl Claims {
    /// The newest claim, if this one may not follow it: what is open is taken over by a later attempt
    /// of the same run, and what has ended begins again under a receipt that was issued afterwards.
    fn obstacle(&self, entry: &Entry, terms: Option<&Terms>) -> Option<&Claimed> {
        let newest = &self.newest;
        let may_follow = match self.outcome {
            None => newest.acting_run == entry.acting_run && newest.attempt < entry.attempt,
            Some(outcome) => terms.is_none_or(|terms| terms.ledger.head.sequence() >= outcome),
        };
        (!may_follow).then_some(newest)
    }

    fn all(&self) -> impl Iterator<Item = &Claimed> {
        self.earlier.iter().chain([&self.newest])
    }

    /// Whether an outcome is that of an attempt of the same run without a claim of its own, which
    /// settled them by looking. Only what is open can be settled so.
    fn are_settled_by(&self, outcome: &Entry) -> bool {
        let claimed_itself = |claimed: &Claimed| claimed.operation_id == outcome.operation_id;
        self.outcome.is_none()
            && !self.all().any(claimed_itself)
            && self.all().any(|claimed| claimed.is_meant_by(outcome))
    }

    /// Whether a receipt was claimed before the end, which spends it for good.
    fn has_spent(&self, receipt: &Digest) -> bool {
        self.outcome.is_some() && self.all().any(|claimed| claimed.receipts.contains(receipt))
    }
}

fn fingerprints(entry: &Entry) -> Vec<Fingerprint> {
    entry
        .signers
        .iter()
        .map(|signer| signer.fingerprint.clone())
        .collect()
}

impl Verifier {
    /// Takes in the next entry, and returns it if it is about an operation. Withdrawals are kept.
    pub fn take(&mut self, examined: Examined) -> Result<Option<Entry>, BadLedger> {
        let Examined {
            content,
            digest,
            terms,
            revocable,
        } = examined;
        let number = self.tally.entries + 1;
        let bad = |(aspect, problem)| BadLedger {
            aspect,
            place: place(number),
            problem,
        };

        let (at, round, is_signed) = match &content {
            Content::Operation(entry) => {
                self.follows(entry.sequence, entry.previous, entry.timestamp)
                    .map_err(bad)?;
                let round = self.operation(entry, terms.as_ref(), revocable.as_ref());
                (entry.timestamp, Some(round.map_err(bad)?), false)
            }
            Content::Withdrawing(entry, is_signed) => {
                self.follows(entry.sequence, entry.previous, entry.timestamp)
                    .map_err(bad)?;
                (entry.timestamp, None, *is_signed)
            }
        };
        self.moments.entries.push(Moment {
            at,
            round,
            is_signed,
            expires_at: terms.map(|terms| terms.expires_at),
        });
        self.chain.push(digest);
        self.tally.entries += 1;

        match content {
            Content::Operation(entry) => Ok(Some(entry)),
            Content::Withdrawing(entry, _) => {
                self.tally.withdrawals += 1;
                self.withdrawals.push(entry);
                Ok(None)
            }
        }
    }

    /// Takes in an entry that is known to be bad, and that people accepted: its file stays in the chain,
    /// and what it says is not believed.
    pub fn accept(&mut self, entry: EntryId) {
        self.moments.entries.push(Moment {
            at: self.newest_at,
            round: None,
            is_signed: true,
            expires_at: None,
        });
        self.chain.push(entry.digest);
        self.tally.entries += 1;
    }

    /// Whether an entry of any kind follows the last one.
    fn follows(
        &mut self,
        sequence: u64,
        previous: Option<Digest>,
        at: Timestamp,
    ) -> Result<(), (Aspect, String)> {
        let bad = |problem: String| Err((Aspect::Chain, problem));
        if sequence != self.tally.entries + 1 {
            return bad(format!("it says that it is entry {sequence}"));
        }
        if self.newest_at.since(at) > 2 * MOST_SKEW {
            return bad(format!(
                "it was written at {at}, but an entry before it at {}",
                self.newest_at
            ));
        }
        self.newest_at = self.newest_at.max(at);
        let before = self.chain.last().copied();
        if previous != before {
            return bad(format!(
                "it follows {}, but the entry before it is {}",
                shown(previous),
                shown(before)
            ));
        }
        Ok(())
    }

    /// Takes in a claim or an outcome, and returns its round.
    fn operation(
        &mut self,
        entry: &Entry,
        terms: Option<&Terms>,
        revocable: Option<&Revocable>,
    ) -> Result<usize, (Aspect, String)> {
        if entry.event_type != EventType::Claimed {
            return self.outcome(entry);
        }
        let is_begun = self
            .pairs
            .get(&Pair::named_by(entry))
            .is_some_and(|claims| claims.outcome.is_none());
        let round = self.claim(entry, terms)?;
        self.tally.claims += 1;
        self.tally.signed += u64::from(terms.is_some());
        // What is begun already is finished.
        let withdrawn = revocable.filter(|_| !is_begun);
        if let Some(told) = withdrawn.and_then(|receipt| self.withdrawn(entry, receipt)) {
            let claim = entry.sequence;
            self.withdrawn_uses.push(WithdrawnUse { claim, told });
        }
        Ok(round)
    }

    /// How the receipt of a claim was taken back before.
    fn withdrawn(&self, claim: &Entry, receipt: &Revocable) -> Option<String> {
        let about = |entry: &&Withdrawing| entry.receipts == claim.receipts;
        let mut withdrawals = self.withdrawals.iter().filter(about);
        withdrawals.find_map(|entry| withdrawn_by(entry, receipt))
    }

    /// The withdrawals, whoever wrote them, in their order.
    #[must_use]
    pub fn withdrawals(&self) -> &[Withdrawing] {
        &self.withdrawals
    }

    /// Claims of receipts that had been taken back by someone who signed them. Countersign makes none.
    #[must_use]
    pub fn withdrawn_uses(&self) -> &[WithdrawnUse] {
        &self.withdrawn_uses
    }

    /// Takes in a claim and returns its round.
    fn claim(&mut self, entry: &Entry, terms: Option<&Terms>) -> Result<usize, (Aspect, String)> {
        let repository = entry
            .operation
            .as_ref()
            .map(|operation| operation.target().repository_id);
        if let (Some(expected), Some(found)) = (self.repository_id, repository)
            && expected != found
        {
            return Err((
                Aspect::Bindings,
                format!(
                    "it is for the repository with the number {found}, but the ledger is that of {expected}"
                ),
            ));
        }
        self.repository_id = self.repository_id.or(repository);
        entry
            .authority
            .follows(&self.authority)
            .map_err(|problem| (Aspect::Bindings, problem))?;
        self.authority = entry.authority;
        if let Some(terms) = terms {
            self.holds(terms.ledger.head)
                .map_err(|problem| (Aspect::Bindings, problem))?;
        }
        let pair = Pair::named_by(entry);
        let again = |claimed: &Claimed| {
            let problem = format!(
                "entry {} claimed operation {} for run {} already",
                claimed.claim, entry.operation_digest, entry.run
            );
            (Aspect::Uses, problem)
        };
        let before = self.pairs.get(&pair);
        if let Some(claimed) = before.and_then(|claims| claims.obstacle(entry, terms)) {
            return Err(again(claimed));
        }

        for receipt in &entry.receipts {
            let before = self.spent.insert(*receipt, pair.clone());
            let is_spent = before.is_some_and(|before| before != pair)
                || self
                    .pairs
                    .get(&pair)
                    .is_some_and(|claims| claims.has_spent(receipt));
            if is_spent {
                return Err((
                    Aspect::Uses,
                    format!("the receipt {} was claimed already", entry.receipt_id),
                ));
            }
        }
        Ok(self.keep(pair, entry))
    }

    /// Remembers a claim that may follow what is there, and returns its round.
    fn keep(&mut self, pair: Pair, entry: &Entry) -> usize {
        let mut earlier = Vec::new();
        let mut round = self.moments.rounds.len();
        if let Some(claims) = self.pairs.remove(&pair) {
            earlier = claims.earlier;
            earlier.push(claims.newest);
            if claims.outcome.is_none() {
                round = claims.round;
            }
        }
        if round == self.moments.rounds.len() {
            self.moments.rounds.push(None);
        }

        let claims = Claims {
            newest: Claimed::by(entry),
            earlier,
            outcome: None,
            round,
        };
        self.pairs.insert(pair, claims);
        round
    }

    /// Whether the entries so far hold what an issuer saw. Who signs chooses the number: one that is
    /// not reached yet would make any claim look as if it had been approved after the last one.
    fn holds(&self, seen: Head) -> Result<(), String> {
        let below = usize::try_from(seen.sequence()).map(|entries| self.head_at(entries));
        if below == Ok(seen) {
            return Ok(());
        }
        Err(format!(
            "its receipt was issued when the ledger held {}, which is not below it",
            seen.newest()
                .map_or("no entry".into(), |newest| format!("{newest}"))
        ))
    }

    /// Takes in an outcome and returns the round to which it belongs.
    fn outcome(&mut self, entry: &Entry) -> Result<usize, (Aspect, String)> {
        let claims = self.pairs.get_mut(&Pair::named_by(entry));
        let Some(claims) = claims else {
            return Err((
                Aspect::Uses,
                format!(
                    "no entry before it claims operation {} for run {}",
                    entry.operation_digest, entry.run
                ),
            ));
        };
        let is_ended = claims.all().any(|claimed| claimed.is_ended_by(entry));
        if !is_ended && !claims.are_settled_by(entry) {
            return Err((
                Aspect::Bindings,
                format!("it is not about what entry {} claimed", claims.newest.claim),
            ));
        }
        if entry.event_type != EventType::Unknown && claims.outcome.is_none() {
            claims.outcome = Some(entry.sequence);
            self.moments.rounds[claims.round] = Some(Ending {
                sequence: entry.sequence,
                event_type: entry.event_type,
            });
        }
        Ok(claims.round)
    }

    /// The head after the entries so far.
    fn head(&self) -> Head {
        self.head_at(self.chain.len())
    }

    fn head_at(&self, entries: usize) -> Head {
        let newest = entries.checked_sub(1).and_then(|last| self.chain.get(last));
        newest.map_or(Head::EMPTY, |digest| {
            Head::at(EntryId {
                sequence: entries as u64,
                digest: *digest,
            })
        })
    }

    /// Verifies `ledger.json`.
    pub fn is_head(&self, found: &[u8]) -> Result<(), BadLedger> {
        let head = self.head();
        if found == head.to_document() {
            return Ok(());
        }
        let problem = format!(
            "it does not name the last entry, {}",
            head.newest()
                .map_or("none".into(), |newest| format!("{newest}"))
        );
        Err(BadLedger {
            aspect: Aspect::Chain,
            place: super::HEAD_PATH.into(),
            problem,
        })
    }

    /// Verifies `authority.json`, which is there as soon as a trust file or a policy decided.
    pub fn is_authority(&self, found: Option<&[u8]>) -> Result<(), BadLedger> {
        let expected =
            (self.authority != Authority::default()).then(|| self.authority.to_document());
        if found == expected.as_deref() {
            return Ok(());
        }
        let problem = "it does not say what stood behind the newest claim";
        Err(BadLedger {
            aspect: Aspect::Uses,
            place: super::AUTHORITY_PATH.into(),
            problem: problem.into(),
        })
    }

    /// The operations that the entries claim.
    #[must_use]
    pub fn operations(&self) -> BTreeSet<Digest> {
        self.pairs.keys().map(|pair| pair.operation).collect()
    }

    /// The number of the repository that the ledger is about, once there is a claim.
    #[must_use]
    pub const fn repository_id(&self) -> Option<RepositoryId> {
        self.repository_id
    }

    /// The entry with this number.
    #[must_use]
    pub fn entry(&self, number: u64) -> Option<EntryId> {
        self.head_at(usize::try_from(number).ok()?).newest()
    }

    /// The newest entry.
    #[must_use]
    pub fn newest(&self) -> Option<EntryId> {
        self.head().newest()
    }

    /// Begins to walk the branch's commits, newest first.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        History {
            verifier: self,
            entries: self.chain.len(),
            is_below_the_tip: false,
            strays: 0,
            commits: Vec::new(),
        }
    }

    /// What was verified.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let unfinished = self
            .pairs
            .values()
            .filter(|claims| claims.outcome.is_none())
            .count() as u64;
        Tally {
            unfinished,
            ..self.tally
        }
    }
}

/// A walk over the commits of the branch, newest first.
pub struct History<'a> {
    verifier: &'a Verifier,
    /// How many entries the next commit may hold, or one less.
    entries: usize,
    is_below_the_tip: bool,
    strays: u64,
    /// The newest first.
    commits: Vec<DatedCommit>,
}

impl History<'_> {
    /// Verifies `ledger.json` of the next older commit. It holds what the commit above it holds, which
    /// then added no entry, or one entry less. A commit that removed entries, or that merges another
    /// one, is refused.
    pub fn take(
        &mut self,
        commit: &CommitId,
        parents: usize,
        found: &[u8],
        making: Making,
    ) -> Result<(), BadLedger> {
        let bad = |problem| {
            Err(BadLedger {
                aspect: Aspect::History,
                place: format!("commit {commit}"),
                problem,
            })
        };
        if parents > 1 {
            return bad("it merges other commits into the ledger".into());
        }

        let expected = self.verifier.head_at(self.entries);
        let before = self
            .entries
            .checked_sub(1)
            .map(|entries| self.verifier.head_at(entries));
        let dated = |added| DatedCommit {
            id: commit.clone(),
            making,
            added,
        };
        match Head::from_document(found) {
            Ok(head) if head == expected => {
                self.commits.push(dated(None));
                // Below the first entry are the root and the trial appends of `ledger init`.
                self.strays += u64::from(self.is_below_the_tip && self.entries > 0);
                self.is_below_the_tip = true;
                Ok(())
            }
            Ok(head) if Some(head) == before => {
                // The commit above holds one entry more: it added that.
                if let Some(above) = self.commits.last_mut() {
                    above.added = Some(self.entries as u64);
                }
                self.commits.push(dated(None));
                self.entries -= 1;
                Ok(())
            }
            Ok(head) => bad(format!(
                "counted back from the newest entry it should hold {}, but it holds {}: a commit took an entry back, or skipped one",
                expected
                    .newest()
                    .map_or("no entry".into(), |newest| format!("{newest}")),
                head.newest()
                    .map_or("no entry".into(), |newest| format!("{newest}"))
            )),
            Err(error) => bad(format!("{}: {error}", super::HEAD_PATH)),
        }
    }

    /// Takes in a commit that is known to be bad, and that people accepted. What it holds is passed
    /// over, unless it is what belongs there.
    pub fn accept(&mut self, commit: &CommitId, found: &[u8], making: Making) {
        // Whatever it merges is judged as commits of their own.
        let taken = self.take(commit, 1, found, making);
        self.is_below_the_tip |= taken.is_err();
    }

    /// How many commits above the first entry added none.
    #[must_use]
    pub const fn strays(&self) -> u64 {
        self.strays
    }

    /// The commits with their dates, once all of them were taken in.
    #[must_use]
    pub fn dates(self) -> Dates {
        Dates::new(self.commits, self.verifier.moments.clone())
    }
}

/// Reads the file of the entry with this number.
fn read(number: u64, bytes: &[u8]) -> Result<Entry, BadLedger> {
    let entry = Entry::from_document(bytes).map_err(|error| BadLedger {
        aspect: Aspect::Structure,
        place: place(number),
        problem: format!("{error}"),
    })?;
    in_place(number, entry.sequence)?;
    Ok(entry)
}

/// Whether an entry calls itself by the number of its file.
fn in_place(number: u64, sequence: u64) -> Result<(), BadLedger> {
    if sequence == number {
        return Ok(());
    }
    Err(BadLedger {
        aspect: Aspect::Chain,
        place: place(number),
        problem: format!("it says that it is entry {sequence}"),
    })
}

fn place(number: u64) -> String {
    format!("entry {number}")
}

fn shown(digest: Option<Digest>) -> String {
    digest.map_or("nothing".into(), |digest| format!("{digest}"))
}

fn about_operation(entry: &Entry, operation: &Operation) -> Result<(), String> {
    if (operation.kind(), &operation.target().repository)
        != (entry.operation_kind, &entry.repository)
    {
        return Err(format!(
            "its operation is {} in {}, but it says {} in {}",
            operation.kind(),
            operation.target(),
            entry.operation_kind,
            entry.repository
        ));
    }
    Ok(())
}

fn about_terms(entry: &Entry, operation: &Operation, terms: &Terms) -> Result<(), String> {
    let sides = [
        (
            "receipt",
            format!("{}", terms.receipt_id),
            format!("{}", entry.receipt_id),
        ),
        ("run", format!("{}", terms.run_id), format!("{}", entry.run)),
        (
            "operation",
            format!("{}", terms.operation_digest),
            format!("{}", entry.operation_digest),
        ),
        (
            "kind",
            format!("{}", terms.operation_kind),
            format!("{}", operation.kind()),
        ),
        (
            "repository",
            format!("{}", terms.target),
            format!("{}", operation.target()),
        ),
    ];
    if let Some((what, receipt, found)) = sides.iter().find(|(_, receipt, found)| receipt != found)
    {
        return Err(format!(
            "its receipt is for {what} {receipt}, but it says {found}"
        ));
    }
    if !terms.enforceable || terms.consumed {
        return Err(
            "its receipt allows nothing: it is advisory, or consumed by its own word".into(),
        );
    }
    if entry.timestamp >= terms.expires_at
        || terms.issued_at.since(entry.timestamp) > crate::binding::MOST_AHEAD
    {
        return Err(format!(
            "it was claimed at {}, but its receipt counts from {} until {}",
            entry.timestamp, terms.issued_at, terms.expires_at
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
