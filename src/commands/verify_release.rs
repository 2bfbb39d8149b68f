//! `countersign verify-release`: a release, or files downloaded from it, against the receipt that it carries.

mod dates;
mod findings;
mod folder;
mod published;
mod witness;

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};

use countersign_core::{
    evidence::{ApprovedRelease, BadEvidence, HeldFile, NAME, Place, UnverifiedEvidence},
    keys::Threshold,
    ledger::BadLedger,
    refusal::Refusal,
    timestamp::Timestamp,
};

use self::{
    dates::Dated,
    findings::{Fault, Findings},
    folder::Folder,
    published::Published,
};
use super::{
    github,
    ledger::{Source, recomputed},
    trusted::Trusted,
};
use crate::{
    Clock, Environment,
    cli::{LedgerPlace, VerifyReleaseArguments},
    exit::Exit,
};

/// Why the folder's files alone tell nothing about the page of the release.
const OFFLINE: &str = "--folder asks nobody; run it without to compare with GitHub";

pub(crate) async fn run(
    arguments: &VerifyReleaseArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let now = clock();
    let trusted = arguments.trusted.read(now)?;
    if let Some(key) = trusted.keys.published() {
        let refusal = Refusal::KeyPublished {
            name: key.name.clone(),
            fingerprint: key.key.fingerprint(),
        };
        bail!("{refusal}. {}", refusal.remedy());
    }
    let threshold = match &arguments.threshold {
        Some(asked) => Threshold::parse(asked, &trusted.keys)?,
        // Of claims from before there was a trust file nobody asks for fewer without saying so.
        None => trusted.threshold,
    };
    let verification = Verification {
        arguments,
        trusted,
        threshold,
        now,
    };
    let mut findings = Findings::default();
    match &arguments.folder {
        Some(folder) => {
            verification
                .of_folder(&Folder::list(folder)?, environment, &mut findings)
                .await?;
        }
        None => verification.of_release(environment, &mut findings).await?,
    }
    findings.end(&format!("{} of {}", arguments.tag, arguments.repository))
}

/// What is asked, and by which keys.
struct Verification<'a> {
    arguments: &'a VerifyReleaseArguments,
    trusted: Trusted,
    threshold: Threshold,
    now: Timestamp,
}

impl Verification<'_> {
    async fn of_folder(
        &self,
        folder: &Folder,
        environment: &Environment,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let Some(bytes) = folder.evidence()? else {
            return findings.fault("evidence", &no_evidence(&folder.place()));
        };
        let place = Place::Named(&self.arguments.repository);
        let Some(approved) = self.approved(bytes, place, findings)? else {
            return Ok(());
        };
        let (held, unusable) = folder.files();
        for (name, error) in &unusable {
            findings.fault(
                "asset",
                &Fault::new(
                    format!("`{name}` cannot be read: {error}"),
                    "Download it anew, as a regular file.",
                ),
            )?;
        }
        let usable = |name: &str| unusable.iter().all(|(unusable, _)| unusable != name);
        assets(&approved, &held, usable, findings)?;
        findings.open("release", OFFLINE)?;
        findings.open("tag", OFFLINE)?;
        match &self.arguments.ledger {
            Some(_) => self.ledger(&approved, None, environment, findings).await,
            None if approved.evidence().rests_on_past() => {
                let problem =
                    "of the keys that count now too few signed it; whether it was used while that was enough, only the ledger tells";
                findings.fault("ledger", &Fault::new(problem, "Give --ledger with a clone of the branch `receipt-ledger`."))
            }
            None => findings.open("ledger", "give --ledger with a clone; until then nobody can tell whether the receipt was used twice"),
        }
    }

    async fn of_release(
        &self,
        environment: &Environment,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let github = github(environment)?;
        let published =
            Published::look(&github, &self.arguments.repository, &self.arguments.tag).await?;
        let Some(bytes) = published.evidence().await? else {
            return findings.fault("evidence", &no_evidence("the release"));
        };
        let place = Place::Numbered(published.repository_id());
        let Some(approved) = self.approved(bytes, place, findings)? else {
            return Ok(());
        };
        let held = published.files().await?;
        assets(&approved, &held, |_| true, findings)?;
        if let Some(fault) = published.shows_evidence_otherwise() {
            findings.fault("asset", &fault)?;
        }
        findings.told("release", published.has_words_of(&approved))?;
        findings.told("tag", published.tag_leads_to(&approved))?;
        let published_at = published.published_at();
        self.ledger(&approved, published_at, environment, findings)
            .await
    }

    /// Reads and verifies the evidence; without it there is nothing to compare with.
    fn approved(
        &self,
        bytes: Vec<u8>,
        place: Place<'_>,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<ApprovedRelease>> {
        let verified = UnverifiedEvidence::read(bytes)
            .and_then(|evidence| evidence.verify(self.trusted.of_ledger(self.threshold), self.now))
            .and_then(|evidence| evidence.release_of(place, &self.arguments.tag));
        let approved = match verified {
            Ok(approved) => approved,
            Err(error) => {
                findings.fault("evidence", &Fault::from(&error))?;
                return Ok(None);
            }
        };
        let (entry, release) = (approved.evidence().entry(), approved.release());
        findings.holds(
            "evidence",
            &format!(
                "{}, for `{}` of {}",
                approved.evidence().entry_id(),
                release.tag_name,
                release.target
            ),
        )?;
        let signers: Vec<&str> = entry
            .signers
            .iter()
            .map(|signer| signer.name.as_str())
            .collect();
        findings.holds(
            "receipt",
            &format!(
                "{}, signed by {}; used at {} by run {}",
                entry.receipt_id,
                signers.join(", "),
                entry.timestamp,
                entry.acting_run
            ),
        )?;
        Ok(Some(approved))
    }

    async fn ledger(
        &self,
        approved: &ApprovedRelease,
        published_at: Option<Timestamp>,
        environment: &Environment,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        let repository = self
            .arguments
            .ledger
            .is_none()
            .then(|| self.arguments.repository.clone());
        let place = LedgerPlace {
            path: self.arguments.ledger.clone(),
            repository,
        };
        let source = Source::open(&place, environment)
            .await
            .context("the ledger")?;
        // The evidence says itself by which version of a trust file it counts, and when: the chain as a whole shows that it did.
        let mut outcome = witness::Outcome::of(approved.evidence().entry());
        let walked = recomputed(&source, &Arc::new(None), |entry| outcome.take(entry)).await;
        let (verifier, commits) = match walked {
            Ok(walked) => walked,
            Err(error) => {
                let bad: BadLedger = error.downcast()?;
                return findings.fault(
                    "ledger",
                    &Fault::new(format!("{}: {bad}", source.place()), witness::DISAGREE),
                );
            }
        };
        findings.told("ledger", witness::holds(&source, approved, &outcome).await?)?;
        let keys = self.trusted.of_ledger(self.threshold);
        if let Some(fault) = outcome.withdrawn(approved, verifier.withdrawals(), keys) {
            findings.fault("withdrawn", &fault)?;
        }
        let claims = outcome.claims(self.trusted.of_ledger(self.threshold));
        let dated = Dated {
            claims: &claims,
            outcome: outcome.sequence(),
            published_at,
        };
        dated.judge(commits.as_ref(), findings)
    }
}

fn assets(
    approved: &ApprovedRelease,
    held: &[HeldFile],
    told: impl Fn(&str) -> bool,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    for (name, verdict) in approved
        .judge(held)
        .into_iter()
        .filter(|(name, _)| told(name))
    {
        let asset = approved
            .release()
            .assets
            .as_slice()
            .iter()
            .find(|asset| asset.name.as_str() == name);
        match (verdict, asset) {
            (Ok(()), Some(asset)) => findings.holds(
                "asset",
                &format!("`{name}`, {} bytes, {}", asset.size, asset.sha256),
            )?,
            (Ok(()), None) => {
                return Err(anyhow!("`{name}` was approved, but nothing is known of it"));
            }
            (Err(difference), _) => {
                let next = "Do not use it. Download the release anew into an empty folder; if it is the same then, ask the approvers.";
                findings.fault(
                    "asset",
                    &Fault::new(format!("`{name}`: {difference}"), next),
                )?;
            }
        }
    }
    if approved.release().assets.as_slice().is_empty() {
        findings.holds("asset", "none was approved")?;
    }
    Ok(())
}

fn no_evidence(place: &str) -> Fault {
    Fault::new(
        format!("{place} has no file `{NAME}`"),
        "It was published without `attach-receipt`, or somebody took the file away: `countersign ledger show` tells what was approved.",
    )
}

impl From<&BadEvidence> for Fault {
    fn from(error: &BadEvidence) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}
