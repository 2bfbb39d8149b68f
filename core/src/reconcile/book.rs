//! What a ledger says in the end: every receipt that was spent, on what, and what came of it.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Code, Finding, Subject};
use crate::{
    digest::Digest,
    document::Document,
    evidence::compose,
    ledger::{Dates, Entry, EventType, GithubResponse, MOST_APART, Pair},
    name::ReceiptId,
    operation::{OpenPr, Operation, PublishRelease, TagRepo},
    text::excerpt,
    timestamp::Timestamp,
};

/// The receipts of a ledger, entry by entry.
#[derive(Debug, Default)]
pub struct Book {
    spent: BTreeMap<ReceiptId, Spent>,
    index: BTreeMap<Thing, Vec<ReceiptId>>,
    /// The receipts of pull requests whose numbers are known.
    pulls: BTreeMap<u64, ReceiptId>,
    /// The claims of each operation of a run until its end.
    rounds: Vec<Round>,
    /// The newest round of each operation.
    newest: BTreeMap<Pair, usize>,
    /// When entries were appended, as far as GitHub proves it.
    dates: Dates,
    /// Claims whose receipts do not hold, and when they were made.
    flaws: Vec<(Timestamp, Finding)>,
}

/// Why a claim does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// As what it is reported.
    pub code: Code,
    /// Both sides.
    pub problem: String,
}

/// Its signatures do not hold.
impl From<&str> for Flaw {
    fn from(problem: &str) -> Self {
        Self {
            code: Code::ReceiptInvalid,
            problem: problem.into(),
        }
    }
}

/// By what a receipt is looked up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Release(String),
    Tag(String),
    PullFrom(String),
}

/// The claims of an operation until its end: any of their attempts may have done it.
#[derive(Debug)]
struct Round {
    /// The entry of the first claim, and what that says about time.
    first: u64,
    first_at: Timestamp,
    /// The latest end of the receipts that were claimed, if it is known.
    expires_at: Option<Timestamp>,
    has_ended: bool,
}

/// A receipt that was spent.
#[derive(Debug)]
pub struct Spent {
    /// Its id.
    pub receipt_id: ReceiptId,
    /// The entry with its last claim.
    pub sequence: u64,
    /// Digests of the evidence of the entries that claimed it: one of these files goes with a release.
    pub evidence: Vec<Digest>,
    /// When it was claimed first.
    pub claimed_at: Timestamp,
    /// What it allows.
    pub operation: Operation,
    /// Why it does not count.
    pub flaw: Option<String>,
    outcome: Option<(EventType, GithubResponse)>,
    /// Which of the book's rounds it belongs to.
    round: Option<usize>,
}

/// How a spent receipt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The operation stands as approved.
    Succeeded,
    /// No outcome is known.
    Open,
    /// The operation was not done, or not as approved.
    Failed,
}

impl Book {
    /// Takes in the next entry. A claim whose receipt does not hold is reported and otherwise ignored.
    pub fn take(&mut self, entry: Entry, expires_at: Option<Timestamp>, flaw: Option<Flaw>) {
        let round = self.round(&entry, expires_at, flaw.is_none());
        let evidence = entry
            .operation
            .as_ref()
            .map(|operation| Digest::of(&compose(&entry.to_document(), operation)));
        if let Some(operation) = entry.operation {
            let before = self
                .spent
                .get(&entry.receipt_id)
                .filter(|before| before.flaw.is_none());
            let spent = Spent {
                receipt_id: entry.receipt_id.clone(),
                sequence: entry.sequence,
                evidence: before
                    .into_iter()
                    .flat_map(|before| before.evidence.iter().copied())
                    .chain(evidence)
                    .collect(),
                claimed_at: before.map_or(entry.timestamp, |before| before.claimed_at),
                operation,
                flaw: flaw.as_ref().map(|flaw| flaw.problem.clone()),
                outcome: None,
                round,
            };
            if let Some(Flaw { code, problem }) = flaw {
                let subject = Subject::entry(spent.sequence);
                let finding = Finding::new(code, subject, Some(&spent), problem);
                self.flaws.push((entry.timestamp, finding));
                // A claim that does not count takes nothing from one that does.
                if before.is_some() {
                    return;
                }
            }
            if !self.spent.contains_key(&entry.receipt_id) {
                self.index
                    .entry(Thing::of(&spent.operation))
                    .or_default()
                    .push(entry.receipt_id.clone());
            }
            self.spent.insert(entry.receipt_id, spent);
        } else if let (Some(spent), Some(response)) =
            (self.spent.get_mut(&entry.receipt_id), entry.github_response)
        {
            if let Some(number) = response.pull_number {
                self.pulls.insert(number, entry.receipt_id);
            }
            spent.outcome = Some((entry.event_type, response));
        }
    }

    /// Takes in when the entries were appended.
    pub fn date(&mut self, dates: Dates) {
        self.dates = dates;
    }

    /// The round of an entry, with that entry.
    fn round(
        &mut self,
        entry: &Entry,
        expires_at: Option<Timestamp>,
        holds: bool,
    ) -> Option<usize> {
        let pair = Pair::named_by(entry);
        let newest = self.newest.get(&pair).copied();
        let open = newest.filter(|at| !self.rounds[*at].has_ended);
        match (entry.event_type, open) {
            (EventType::Claimed, _) if !holds => None,
            (EventType::Claimed, Some(at)) => {
                let round = &mut self.rounds[at];
                round.expires_at = round.expires_at.max(expires_at);
                Some(at)
            }
            (EventType::Claimed, None) => {
                let at = self.rounds.len();
                self.rounds.push(Round {
                    first: entry.sequence,
                    first_at: entry.timestamp,
                    expires_at,
                    has_ended: false,
                });
                self.newest.insert(pair, at);
                Some(at)
            }
            (EventType::Succeeded | EventType::Failed, Some(at)) => {
                self.rounds[at].has_ended = true;
                None
            }
            _ => None,
        }
    }

    /// How the time at which GitHub made something public does not fit the claims that allow it.
    pub(super) fn untimely(&self, spent: &Spent, public_at: Timestamp) -> Option<(Code, String)> {
        let round = self.rounds.get(spent.round?)?;
        let claimed_at = self.dates.claimed_at(round.first, round.first_at);
        if claimed_at.since(public_at) > MOST_APART {
            let told = format!(
                "GitHub made it public at {public_at}, but entry {} claimed the receipt at {claimed_at}",
                round.first
            );
            return Some((Code::EffectBeforeClaim, told));
        }
        let expires_at = round.expires_at?;
        (public_at.since(expires_at) > MOST_APART).then(|| {
            let told = format!(
                "GitHub made it public at {public_at}, but its receipt was valid until {expires_at}"
            );
            (Code::EffectAfterExpiry, told)
        })
    }

    pub(super) fn releases<'a>(
        &'a self,
        tag: &str,
    ) -> impl Iterator<Item = (&'a Spent, &'a PublishRelease)> + use<'a> {
        self.about(&Thing::Release(tag.into()))
            .filter_map(|spent| match &spent.operation {
                Operation::PublishRelease(release) => Some((spent, release)),
                _ => None,
            })
    }

    pub(super) fn tags<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a Spent, &'a TagRepo)> + use<'a> {
        self.about(&Thing::Tag(name.into()))
            .filter_map(|spent| match &spent.operation {
                Operation::TagRepo(tag) => Some((spent, tag)),
                _ => None,
            })
    }

    pub(super) fn pulls_from<'a>(
        &'a self,
        branch: &str,
    ) -> impl Iterator<Item = (&'a Spent, &'a OpenPr)> + use<'a> {
        self.about(&Thing::PullFrom(branch.into()))
            .filter_map(Spent::pull)
    }

    pub(super) fn pull(&self, number: u64) -> Option<(&Spent, &OpenPr)> {
        self.spent.get(self.pulls.get(&number)?)?.pull()
    }

    fn about<'a>(&'a self, thing: &Thing) -> impl Iterator<Item = &'a Spent> + use<'a> {
        self.index
            .get(thing)
            .into_iter()
            .flatten()
            .filter_map(|receipt| self.spent.get(receipt))
    }

    /// Every receipt, those that do not count too.
    pub fn spent(&self) -> impl Iterator<Item = &Spent> {
        self.spent.values()
    }

    /// The last good receipt for the same thing, if it came later.
    pub(super) fn successor(&self, spent: &Spent) -> Option<&Spent> {
        let later = self
            .about(&Thing::of(&spent.operation))
            .filter(|other| other.flaw.is_none() && other.sequence > spent.sequence);
        later.max_by_key(|other| other.sequence)
    }

    /// Whether a receipt allows a draft.
    #[must_use]
    pub fn allows_drafts(&self) -> bool {
        self.spent().any(|spent| matches!(&spent.operation, Operation::PublishRelease(release) if release.visibility.draft()))
    }

    pub(super) fn flaws(&self, since: Timestamp) -> Vec<Finding> {
        self.flaws
            .iter()
            .filter(|(at, _)| *at >= since)
            .map(|(_, finding)| finding.clone())
            .collect()
    }
}

impl Thing {
    fn of(operation: &Operation) -> Self {
        match operation {
            Operation::PublishRelease(release) => Self::Release(release.tag_name.as_str().into()),
            Operation::TagRepo(tag) => Self::Tag(tag.tag_name.as_str().into()),
            Operation::OpenPr(pull) => Self::PullFrom(pull.head_branch.as_str().into()),
        }
    }
}

impl Spent {
    fn pull(&self) -> Option<(&Self, &OpenPr)> {
        if let Operation::OpenPr(pull) = &self.operation {
            Some((self, pull))
        } else {
            None
        }
    }

    /// How it stands by the ledger's word.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.outcome {
            Some((EventType::Succeeded, _)) => Standing::Succeeded,
            Some((EventType::Failed, _)) => Standing::Failed,
            _ => Standing::Open,
        }
    }

    /// What GitHub held, as far as the ledger knows.
    #[must_use]
    pub fn answer(&self) -> Option<&GithubResponse> {
        self.outcome.as_ref().map(|(_, answer)| answer)
    }

    pub(super) fn error(&self) -> String {
        let told = self.answer().map(|answer| {
            (
                answer.error_code.as_deref(),
                answer.error_message.as_deref(),
            )
        });
        match told {
            Some((Some(code), Some(message))) => excerpt(&format!("{code}: {message}"), 300),
            Some((code, message)) => code.or(message).unwrap_or("no reason is given").to_string(),
            None => "no reason is given".into(),
        }
    }
}
