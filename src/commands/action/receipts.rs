//! Where receipts come from: the inputs, one a line, a file, or the comments of those who let the run go on.

use std::collections::BTreeMap;

use countersign_core::{
    digest::Digest,
    envelope::{Envelope, MOST_BYTES, looks_like_a_receipt, receipts_in},
    keys::{Threshold, TrustedKeys},
    name::Actor,
    plan::{MOST_OPERATIONS, PlannedOperation},
    receipt::VerifiedReceipt,
    refusal::{InputRefusal, Refusal},
};

use super::Attempt;
use crate::{
    planner::Unplanned,
    runner::{lines, read_text},
};

/// A file may hold many receipts, each in base64 and with a line feed.
const MOST_RECEIPT_FILE: u64 = 64 * 2 * MOST_BYTES as u64;

/// Most receipts of one attempt: four for every operation of the largest plan. Only those count that
/// trusted keys signed, so that no one else can keep an attempt from looking at these.
const MOST_RECEIPTS: usize = 4 * MOST_OPERATIONS;
/// Most checks of a signature with a key: some three seconds of one core. All receipts that are allowed,
/// each with a few signatures, need fewer; what is left out is the oldest.
const MOST_CHECKS: usize = 1 << 16;
/// Texts of which the log says why they are not valid.
const MOST_EXPLAINED: usize = 20;

/// A receipt that enough trusted keys signed, and in whose review it was found.
pub(super) struct Candidate {
    pub(super) receipt: VerifiedReceipt,
    /// Everybody in whose review it was found; nobody if it came otherwise.
    pub(super) reviewers: Vec<Actor>,
}

/// A text that may be a receipt, and in whose reviews it was found.
struct Found {
    text: String,
    reviewers: Vec<Actor>,
}

/// All receipts of an attempt: those that hold, the oldest first, and why the others do not.
#[derive(Default)]
pub(super) struct Receipts {
    /// How many were handed over.
    total: usize,
    candidates: Vec<Candidate>,
    refusals: Vec<Refusal>,
}

impl Receipts {
    /// No receipt, for this reason.
    pub(super) fn none(refusal: Refusal) -> Self {
        Self {
            total: 0,
            candidates: Vec::new(),
            refusals: vec![refusal],
        }
    }

    /// Whether it must be told which of them is meant.
    pub(super) fn are_several(&self) -> bool {
        self.total > 1
    }

    /// The first of these operations for which there is no receipt at all, if there are others.
    pub(super) fn lacks(&self, operations: &[PlannedOperation]) -> Option<Refusal> {
        let has = |planned: &PlannedOperation| {
            self.candidates
                .iter()
                .any(|candidate| candidate.receipt.terms().operation_digest == planned.digest())
        };
        let first = operations
            .iter()
            .find(|planned| !has(planned))
            .filter(|_| !self.candidates.is_empty())?;
        Some(self.not_among(format!("`{}` ({})", first.id(), first.digest())))
    }

    fn not_among(&self, operation: String) -> Refusal {
        let unusable = self
            .refusals
            .iter()
            .map(|refusal| format!("{}: {refusal}", refusal.code()))
            .collect();
        Refusal::ReceiptNotAmong {
            operation,
            receipts: self.total,
            unusable,
        }
    }

    /// Takes out the receipts for an operation. Without any, the reason: what is wrong with the only receipt, or that there is none.
    pub(super) fn for_operation(
        &mut self,
        operation: Option<Digest>,
    ) -> Result<Vec<Candidate>, Refusal> {
        // A single receipt is judged by every rule, so that the record tells on which side it differs.
        if !self.are_several() || operation.is_none() {
            if self.candidates.is_empty() {
                return Err(self
                    .refusals
                    .first()
                    .cloned()
                    .unwrap_or(Refusal::ReceiptMissing));
            }
            return Ok(self.candidates.drain(..).collect());
        }
        let is_for = |candidate: &mut Candidate| {
            Some(candidate.receipt.terms().operation_digest) == operation
        };
        let found: Vec<Candidate> = self.candidates.extract_if(.., is_for).collect();
        match operation {
            // Not one of them holds: the reason is the same for every operation.
            Some(_) if found.is_empty() && self.refusals.len() == self.total => {
                Err(self.refusals[0].clone())
            }
            Some(operation) if found.is_empty() => Err(self.not_among(operation.to_string())),
            _ => Ok(found),
        }
    }
}

impl Attempt<'_> {
    /// Reads and verifies every receipt that was handed over.
    pub(super) async fn receipts(
        &self,
        keys: &Result<(TrustedKeys, Threshold), Refusal>,
    ) -> Result<Receipts, Unplanned> {
        let mut receipts = self.verified_of(distinct(self.found().await?), keys);
        let count = receipts.candidates.len();
        if count > MOST_RECEIPTS {
            let problem = format!(
                "{count} receipts are more than the {MOST_RECEIPTS} that one attempt reads"
            );
            return Err(InputRefusal::Invalid {
                input: "receipt",
                problem,
            }
            .into());
        }
        // What an earlier attempt began is finished before a newer receipt is spent.
        receipts
            .candidates
            .sort_by_key(|candidate| candidate.receipt.terms().issued_at);
        receipts.candidates.dedup_by(|later, earlier| {
            let same = later.receipt == earlier.receipt;
            if same {
                earlier.reviewers.append(&mut later.reviewers);
            }
            same
        });
        Ok(receipts)
    }

    /// The receipts among these texts that trusted keys signed, and why the others are not valid. The newest
    /// come first, until the checks of their signatures would take too long.
    fn verified_of(
        &self,
        found: Vec<Found>,
        keys: &Result<(TrustedKeys, Threshold), Refusal>,
    ) -> Receipts {
        let mut receipts = Receipts::default();
        let (mut checks, mut left_out) = (MOST_CHECKS, 0);
        for Found { text, reviewers } in found.into_iter().rev() {
            let envelope = match Envelope::parse(&text) {
                Ok(envelope) => envelope,
                Err(refusal) => {
                    self.refuse(&mut receipts, refusal.into(), &reviewers);
                    continue;
                }
            };
            let needed = keys.as_ref().map_or(0, |(keys, _)| envelope.checks(keys));
            let Some(rest) = checks.checked_sub(needed) else {
                left_out += 1;
                continue;
            };
            checks = rest;
            match verified(envelope, keys) {
                Ok(receipt) => receipts.candidates.push(Candidate { receipt, reviewers }),
                Err(refusal) => self.refuse(&mut receipts, refusal, &reviewers),
            }
        }

        if left_out > 0 {
            self.recorder.log().line(&format!(
                "countersign: {left_out} of the texts that may be receipts were not looked at: the signatures of the newer ones took {MOST_CHECKS} checks"
            ));
        }
        receipts.candidates.reverse();
        receipts.refusals.reverse();
        receipts.total = receipts.candidates.len() + receipts.refusals.len();
        receipts
    }

    /// Keeps and reports why a text is not valid. A flood of them must not hide the rest of the log.
    fn refuse(&self, receipts: &mut Receipts, refusal: Refusal, reviewers: &[Actor]) {
        self.explain(&refusal, reviewers, receipts.refusals.len());
        receipts.refusals.push(refusal);
    }

    fn explain(&self, refusal: &Refusal, reviewers: &[Actor], before: usize) {
        let log = self.recorder.log();
        if before == MOST_EXPLAINED {
            log.line(
                "countersign: there are more receipts that are not valid; they are not listed",
            );
        }
        if before >= MOST_EXPLAINED {
            return;
        }
        let place = reviewers.first().map_or(String::new(), |reviewer| {
            format!(" in the review of {reviewer}")
        });
        log.line(&format!(
            "countersign: a receipt{place} does not count: {}: {refusal}",
            refusal.code()
        ));
    }

    async fn found(&self) -> Result<Vec<Found>, Unplanned> {
        let inputs = &self.inputs;
        let given = |text: &str| {
            receipts_in(text)
                .into_iter()
                .map(|text| Found {
                    text: text.to_owned(),
                    reviewers: Vec::new(),
                })
                .collect()
        };
        match (
            inputs.receipt_from.as_str(),
            inputs.receipt.trim(),
            inputs.receipt_file.as_str(),
        ) {
            ("", text, "") => Ok(given(text)),
            ("", "", file) => Ok(given(&read_text(
                "receipt-file",
                &self.context.workspace.join(file),
                MOST_RECEIPT_FILE,
            )?)),
            ("", ..) => Err(InputRefusal::Unused {
                input: "receipt-file",
                here: "a call that has a `receipt` already".into(),
            }
            .into()),
            // Without a mode that exists, GitHub is not asked.
            ("approvals", "", "") if self.mode.is_err() => Ok(Vec::new()),
            ("approvals", "", "") => self.approvals().await,
            ("approvals", "", _) => Err(InputRefusal::Unused {
                input: "receipt-file",
                here: "`receipt-from: approvals`".into(),
            }
            .into()),
            ("approvals", ..) => Err(InputRefusal::Unused {
                input: "receipt",
                here: "`receipt-from: approvals`".into(),
            }
            .into()),
            (other, ..) => {
                let problem = format!(
                    "expected `approvals` or nothing, found `{}`",
                    countersign_core::text::excerpt(other, 40)
                );
                Err(InputRefusal::Invalid {
                    input: "receipt-from",
                    problem,
                }
                .into())
            }
        }
    }

    /// What the approving reviewers of this run wrote.
    async fn approvals(&self) -> Result<Vec<Found>, Unplanned> {
        let reviews = self
            .github
            .approvals(&self.context.home.repository, &self.context.executor.run_id)
            .await?;
        self.recorder.note(|record| {
            record.reviewers = reviews
                .iter()
                .map(|review| countersign_core::text::excerpt(&review.reviewer, 60))
                .collect();
        });
        let mut found = Vec::new();
        for review in &reviews {
            // Whoever cannot be told apart from the requester lets nothing go on.
            let Ok(reviewer) = review.reviewer.parse::<Actor>() else {
                self.recorder
                    .log()
                    .line("countersign: a review by an account without a login is passed over");
                continue;
            };
            let texts = lines(&review.comment)
                .map(|line| line.trim_matches(['`', ' ']))
                .filter(|line| looks_like_a_receipt(line));
            found.extend(texts.map(|text| Found {
                text: text.to_owned(),
                reviewers: vec![reviewer.clone()],
            }));
        }
        if found.is_empty() {
            let run = self.context.executor.run_id.clone();
            return Err(Unplanned::Refused(Refusal::ReceiptNotInReviews {
                run,
                reviews: reviews.len(),
            }));
        }
        Ok(found)
    }
}

/// Each text once, with everyone in whose review it was found.
fn distinct(found: Vec<Found>) -> Vec<Found> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut distinct: Vec<Found> = Vec::new();
    for mut found in found {
        let at = *places.entry(found.text.clone()).or_insert(distinct.len());
        match distinct.get_mut(at) {
            Some(known) => known.reviewers.append(&mut found.reviewers),
            None => distinct.push(found),
        }
    }
    distinct
}

fn verified(
    envelope: Envelope,
    keys: &Result<(TrustedKeys, Threshold), Refusal>,
) -> Result<VerifiedReceipt, Refusal> {
    let (keys, threshold) = keys.as_ref().map_err(Clone::clone)?;
    envelope.verify(keys, *threshold)
}
