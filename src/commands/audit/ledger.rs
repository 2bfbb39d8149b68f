//! The ledger as an audit reads it: a receipt that does not hold counts for nothing, and the rest is read all the same.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, pin_mut};

use countersign_core::{
    ledger::{
        Aspect, BadLedger, DateFinding, DateProblem, Entry, EntryId, Examined, Examiner, Verifier,
        WithdrawnUse,
    },
    name::CommitId,
    reconcile::{Book, Code, Finding, Flaw, Subject},
    timestamp::Timestamp,
};

use crate::commands::ledger::{
    AHEAD, Accepted, By, Commits, EntryFile, Source, about, beside_entries, by_keys, id,
};

/// What a ledger says, as far as it can be believed.
pub(super) struct Told {
    pub(super) book: Book,
    pub(super) findings: Vec<Finding>,
    pub(super) newest: Option<EntryId>,
    pub(super) entries: u64,
    pub(super) place: String,
    /// Why dates were not looked at, if they were not.
    pub(super) left_out: Option<&'static str>,
}

/// Which commits are reported.
pub(super) struct Watched<'a> {
    /// Those that are not by these accounts.
    pub(super) ledger_by: &'a BTreeSet<String>,
    /// Those that are not proven to be older.
    pub(super) since: Timestamp,
}

/// An entry, and what is wrong about its receipt, if anything is.
type Read = (EntryId, Result<Examined, BadLedger>, Option<BadLedger>);

/// Reads the whole ledger; faults of it are findings, and only what is in the way of reading is an error.
pub(super) async fn read(
    source: Option<&Source>,
    by: &Arc<By>,
    watched: &Watched<'_>,
    accepted: &mut Accepted,
) -> Result<Told> {
    let Some(source) = source else {
        let missing = Finding::new(
            Code::LedgerMissing,
            Subject::ledger(),
            None,
            "there is no branch `receipt-ledger`",
        );
        return Ok(Told {
            book: Book::default(),
            findings: vec![missing],
            newest: None,
            entries: 0,
            place: "no ledger".into(),
            left_out: None,
        });
    };
    let (mut verifier, mut book) = (Verifier::default(), Book::default());
    let mut findings = Vec::new();
    accepted.locate(source).await?;
    let walked = fault_of(
        walk(
            source,
            by,
            &mut verifier,
            &mut book,
            &mut findings,
            accepted,
        )
        .await,
    )?;
    let is_whole = walked.is_ok();
    match walked {
        Err(bad) => findings.push(Finding::new(
            Code::LedgerInvalid,
            Subject::ledger(),
            None,
            bad.to_string(),
        )),
        Ok(Some(commits)) if source.shows_signatures() => {
            let all = commits
                .dates
                .findings(watched.ledger_by, Timestamp::from_unix(0));
            for finding in all {
                accepted.covers(&finding.commit.clone(), &about(finding));
            }
            let mut found = commits.dates.findings(watched.ledger_by, watched.since);
            found.retain(|finding| !accepted.covers(&finding.commit, &about(finding.clone())));
            findings.extend(found.iter().map(about_date));
            book.date(commits.dates);
        }
        Ok(_) => {}
    }
    if is_whole {
        accepted.all_found(source.shows_signatures())?;
    }
    let listed = |(commit, told): (&CommitId, String)| {
        Finding::new(Code::DamageAccepted, Subject::commit(commit), None, told)
    };
    findings.extend(accepted.told().into_iter().map(listed));
    let (newest, entries) = (verifier.newest(), verifier.tally().entries);
    Ok(Told {
        book,
        findings,
        newest,
        entries,
        place: source.place(),
        left_out: (!source.shows_signatures()).then_some(UNPROVEN),
    })
}

/// What is wrong with the ledger is told; what kept us from looking is no answer.
fn fault_of(walked: Result<Option<Commits>>) -> Result<Result<Option<Commits>, BadLedger>> {
    match walked {
        Ok(commits) => Ok(Ok(commits)),
        Err(error) => error.downcast::<BadLedger>().map(Err),
    }
}

/// Why a clone says nothing about dates.
const UNPROVEN: &str = "dates: a clone does not show which commits GitHub signed; use --repository";

fn about_date(found: &DateFinding) -> Finding {
    let code = match found.problem {
        DateProblem::EntryMisdated => Code::EntryMisdated,
        DateProblem::ClaimLate => Code::ClaimLate,
        DateProblem::DatesFall => Code::CommitDatesFall,
        DateProblem::ClaimUnproven => Code::ClaimUnproven,
        DateProblem::Unproven => Code::CommitDateUnproven,
        DateProblem::EntryByOther => Code::EntryByOther,
        DateProblem::CommitByOther => Code::CommitByOther,
    };
    let subject = match (found.problem, found.sequence) {
        (DateProblem::EntryMisdated | DateProblem::ClaimLate, Some(sequence)) => {
            Subject::entry(sequence)
        }
        _ => Subject::commit(&found.commit),
    };
    Finding {
        sequence: found.sequence,
        ..Finding::new(code, subject, None, &found.told)
    }
}

async fn walk(
    source: &Source,
    by: &Arc<By>,
    verifier: &mut Verifier,
    book: &mut Book,
    findings: &mut Vec<Finding>,
    accepted: &mut Accepted,
) -> Result<Option<Commits>> {
    let read = source.chain().map_ok(|batch| {
        let by = Arc::clone(by);
        async move {
            Ok(tokio::task::spawn_blocking(move || {
                batch.iter().map(|file| examine(file, &by)).collect()
            })
            .await?)
        }
    });
    let read = read.try_buffered(AHEAD);
    pin_mut!(read);
    while let Some(batch) = read.next().await {
        let batch: Vec<Read> = batch?;
        for (id, examined, flaw) in batch {
            let is_accepted =
                |accepted: &mut Accepted, bad: &BadLedger| accepted.covers_entry(id, bad);
            if flaw.as_ref().is_some_and(|bad| is_accepted(accepted, bad)) {
                verifier.accept(id);
                continue;
            }
            let examined = match examined {
                Err(bad) if is_accepted(accepted, &bad) => {
                    verifier.accept(id);
                    continue;
                }
                examined => examined?,
            };
            let expires_at = examined.terms().map(|terms| terms.expires_at);
            let known = verifier.withdrawn_uses().len();
            let taken = match verifier.take(examined) {
                Err(bad) if is_accepted(accepted, &bad) => {
                    verifier.accept(id);
                    continue;
                }
                taken => taken?,
            };
            let used = verifier.withdrawn_uses().get(known);
            // What was accepted explains nothing that was published either.
            if used.is_some_and(|used| is_accepted(accepted, &BadLedger::from(used))) {
                continue;
            }
            if let Some(entry) = taken {
                if let Some(bad) = flaw.as_ref().filter(|bad| bad.aspect == Aspect::Operations) {
                    findings.push(without_operation(&entry, &bad.problem));
                }
                let flaw = flaw.map(|bad| Flaw::from(bad.problem.as_str()));
                book.take(entry, expires_at, flaw.or(used.map(taken_back)));
            }
        }
    }
    beside_entries(source, verifier, accepted).await
}

fn without_operation(entry: &Entry, problem: &str) -> Finding {
    Finding {
        receipt_id: Some(entry.receipt_id.clone()),
        sequence: Some(entry.sequence),
        ..Finding::new(
            Code::OperationMissing,
            Subject::entry(entry.sequence),
            None,
            problem,
        )
    }
}

/// A claim of a receipt that was taken back explains nothing that was published.
fn taken_back(used: &WithdrawnUse) -> Flaw {
    Flaw {
        code: Code::ReceiptWithdrawn,
        problem: BadLedger::from(used).problem,
    }
}

/// A receipt whose signatures or terms do not hold leaves its entry in the chain, but for nothing else.
fn examine(file: &EntryFile, by: &By) -> Read {
    let (number, bytes, operation) = (file.number, &file.bytes, file.operation.as_deref());
    let id = id(number, bytes);
    match by_keys(by.as_ref()).examine(number, bytes, operation) {
        Err(bad) if matches!(bad.aspect, Aspect::Signatures | Aspect::Bindings) => {
            let unsigned = Examiner::new(None).examine(number, bytes, operation);
            (id, unsigned, Some(bad))
        }
        Err(bad) if bad.aspect == Aspect::Operations => {
            let unknown = Examiner::examine_without_operation(number, bytes);
            (id, unknown, Some(bad))
        }
        examined => (id, examined, None),
    }
}
