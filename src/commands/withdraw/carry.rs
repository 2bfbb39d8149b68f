//! Takes a withdrawal to the ledger: one commit on exactly one other, as every entry.

use anyhow::{Context as _, Result, bail, ensure};

use countersign_core::{
    document::Document as _,
    ledger::{Appended, BRANCH, Base, EntryId, Sent, Tail, Withdrawing},
    operation::Target,
    receipt::VerifiedReceipt,
    refusal::Refusal,
    statement::{Signed, Verified},
    withdrawal::Withdrawal,
};

use crate::{Clock, commands::told, github::GitHub};

/// How often an append is tried on a busy ledger.
const MAX_TRIES: usize = 20;
/// About a second, as the retry of an append by hand.
const PAUSE: u64 = 1000;

/// The ledger of the repository that a receipt is for.
pub(super) struct Ledger<'a> {
    github: &'a GitHub,
    target: &'a Target,
}

impl<'a> Ledger<'a> {
    pub(super) const fn of(github: &'a GitHub, target: &'a Target) -> Self {
        Self { github, target }
    }

    /// Everything that was recorded since a receipt was issued; none if that is too much to read.
    pub(super) async fn tail_of(&self, receipt: &VerifiedReceipt) -> Result<Option<Tail>> {
        let base = Base::At(receipt.terms().ledger.clone());
        match self.look(&base).await? {
            Ok(tail) => Ok(Some(tail)),
            Err(Refusal::LedgerTailTooLong { .. }) => Ok(None),
            Err(refusal) => bail!("{}: {refusal}. {}", refusal.code(), refusal.remedy()),
        }
    }

    /// Appends the withdrawal. What is recorded needs no more than the tip.
    pub(super) async fn take(
        &self,
        signed: &Signed<Withdrawal>,
        verified: &Verified<Withdrawal>,
        clock: Clock,
    ) -> Result<Result<EntryId, Refusal>> {
        let mut sent = Sent::new();
        let mut lost = None;
        let mut base = Base::Tip;
        for _ in 0..MAX_TRIES {
            let tail = match self.look(&base).await? {
                Ok(tail) => tail,
                Err(refusal) => return Ok(Err(refusal)),
            };
            // A lost append went through.
            if let Some(entry) = tail.newest_of(&sent) {
                return Ok(Ok(entry));
            }

            let entry = Withdrawing::next(&tail, signed, verified, clock());
            let entry = entry.context("the ledger's head names the last number there is")?;
            let (id, append) = (entry.id(), entry.append(&tail));
            sent.insert(id.digest, entry.to_document());
            let branch = format!("refs/heads/{BRANCH}");
            let repository = &self.target.repository;
            match self.github.append(repository, &append, &branch).await {
                Appended::Done { .. } => return Ok(Ok(id)),
                Appended::Rejected(rejection) if lost.is_none() => {
                    bail!(
                        "{}: {}. {}",
                        rejection.code,
                        rejection.message,
                        rejection.remedy
                    )
                }
                Appended::Rejected(rejection) => lost = Some(rejection.message),
                Appended::Stale => {}
                Appended::Unknown(reason) => lost = Some(reason),
            }
            // From here on whatever is added is read: one of these entries may be ours.
            base = Base::At(tail.tip().clone());
            self.github.patience().stands_aside(PAUSE).await;
        }
        match lost {
            Some(lost) => bail!(
                "it is not known whether the withdrawal is on the ledger: {lost}. Look with `countersign ledger show`, and carry the statement again if it is not"
            ),
            None => bail!(
                "others were faster, {MAX_TRIES} times. Nothing was written; carry the statement again with --statement"
            ),
        }
    }

    async fn look(&self, base: &Base) -> Result<Result<Tail, Refusal>> {
        let found = self
            .github
            .ledger_above(&self.target.repository, base)
            .await;
        let found = found.map_err(|trouble| told(&trouble))?;
        let (number, tail) = found.with_context(|| {
            format!(
                "{} has no branch `{BRANCH}`: without a ledger its receipts allow nothing",
                self.target.repository
            )
        })?;
        ensure!(
            number == self.target.repository_id,
            "the receipt is for {}, but that repository's number is {number} now",
            self.target
        );
        Ok(tail)
    }
}
