//! `countersign report`: writes one page over a ledger and audit records.

mod evidence;
mod replacement;

use std::{
    collections::HashSet,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, Result, ensure};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    ledger::{BadLedger, EntryId},
    plan::Plan,
};

use self::{
    evidence::{Evidence, Found},
    replacement::Replacement,
};
use super::{
    Row,
    ledger::{
        Accepted, PUBLISHER, logins,
        source::Source,
        verify::{By, findings, recomputed_with_terms},
    },
    print, tell,
};
use crate::{
    Clock, Environment,
    cli::{LedgerPlace, ReportArguments},
    exit::Exit,
    report::page::{self, Finding, Item, LedgerTold, LeftOut, Page, Standing, Summary},
};

pub(crate) async fn run(
    arguments: &ReportArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let now = clock();
    let trusted = Arc::new(arguments.keys.read(now)?);
    let place = arguments.place();
    ensure!(
        place.is_some() || trusted.is_none(),
        "--trusted-keys verify a ledger: give its path or --repository too"
    );
    // Whatever was mistyped is told before anything is written.
    let found = evidence::find(&arguments.records, &arguments.plan)?;
    let out = Replacement::of(&arguments.out)?;
    let written = || format!("`{}` cannot be written", arguments.out.display());
    let mut page = Page::begin(io::BufWriter::new(out)).with_context(written)?;
    let ledger = match place {
        Some(place) => Some(
            ledger(
                &mut page,
                &Source::open(&place, environment).await?,
                &trusted,
                written,
            )
            .await?,
        ),
        None => None,
    };
    let shown = evidence(&mut page, &found).with_context(written)?;
    let summary = Summary {
        made_at: now,
        version: env!("CARGO_PKG_VERSION"),
        server: server(environment),
        ledger,
        left_out: shown.left_out,
    };
    let out = page
        .end(&summary)
        .and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error))
        .with_context(written)?;
    out.put_in_place().with_context(written)?;
    say(&arguments.out, &summary, shown.records, shown.plans)
}

impl ReportArguments {
    fn place(&self) -> Option<LedgerPlace> {
        let place = LedgerPlace {
            path: self.path.clone(),
            repository: self.repository.clone(),
        };
        (place.path.is_some() || place.repository.is_some()).then_some(place)
    }
}

/// Where links lead: GitHub, or the server of this environment.
fn server(environment: &Environment) -> String {
    environment
        .get("GITHUB_SERVER_URL")
        .unwrap_or("https://github.com")
        .trim_end_matches('/')
        .into()
}

/// Every entry that holds, up to the first that does not. A bad ledger is a finding; one that could not be read, or a page that could not be
/// written, is an error.
async fn ledger<W: Write>(
    page: &mut Page<W>,
    source: &Source,
    trusted: &Arc<By>,
    cannot: impl FnOnce() -> String,
) -> Result<LedgerTold> {
    let (mut newest, mut written): (Option<EntryId>, io::Result<()>) = (None, Ok(()));
    let recomputed = recomputed_with_terms(source, trusted, |entry, terms| {
        let checkpoint = entry.id();
        newest = Some(checkpoint);
        if written.is_ok() {
            written = page.add(&Item::Entry(page::entry(
                &entry,
                checkpoint.digest,
                terms.as_ref(),
            )));
        }
    });
    let recomputed = recomputed.await;
    written.with_context(cannot)?;
    let told = |standing, fault, findings| LedgerTold {
        place: source.place(),
        entries: source.entries,
        newest,
        standing,
        fault,
        findings,
    };
    Ok(match recomputed {
        Err(error) => told(
            Standing::Fault,
            Some(error.downcast::<BadLedger>()?.to_string()),
            Vec::new(),
        ),
        Ok(_) if source.entries == 0 => told(Standing::Empty, None, Vec::new()),
        Ok((verifier, commits)) => {
            let by = logins(&[PUBLISHER.to_owned()]);
            let dates = commits.as_ref().map_or(Ok(()), |commits| {
                commits.judge(&by, &mut Accepted::default())
            });
            let findings = findings(verifier.tally(), trusted, commits.as_ref(), &by);
            let findings = findings
                .into_iter()
                .map(|(aspect, told)| Finding {
                    aspect: aspect.to_string(),
                    told,
                })
                .collect();
            let standing = match (&dates, trusted.is_some()) {
                (Err(_), _) => Standing::Fault,
                (Ok(()), true) => Standing::Verified,
                (Ok(()), false) => Standing::Unsigned,
            };
            told(standing, dates.err().map(|bad| bad.to_string()), findings)
        }
    })
}

/// How many files are shown, and which are not.
#[derive(Default)]
struct Shown {
    records: usize,
    plans: usize,
    left_out: Vec<LeftOut>,
}

/// Every record and plan that can be read, each once; the others are named.
fn evidence<W: Write>(page: &mut Page<W>, found: &[Found]) -> io::Result<Shown> {
    let mut shown = Shown::default();
    let mut seen = HashSet::new();
    let mut is_new = |bytes: &[u8]| seen.insert(Digest::of(bytes));
    for file in found {
        let name = file.path.display().to_string();
        match file.read() {
            Err(error) => shown.left_out.push(LeftOut {
                file: name,
                why: format!("{error:#}"),
            }),
            Ok(Evidence::Record(record)) if is_new(&record.to_document()) => {
                shown.records += 1;
                page.add(&Item::Record {
                    file: &name,
                    record: &*record,
                })?;
            }
            Ok(Evidence::Plan(plan, operation_id)) if is_new(&plan.to_document()) => {
                shown.plans += 1;
                page.add(&Item::Plan::<&Plan> {
                    file: &name,
                    operation_id: operation_id.as_ref(),
                    plan: &plan,
                })?;
            }
            Ok(_) => {}
        }
    }
    Ok(shown)
}

/// Says what the page shows; whatever it cannot vouch for makes the command fail, so that nobody overlooks it.
fn say(out: &Path, summary: &Summary, records: usize, plans: usize) -> Result<Exit> {
    let entries = summary
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.newest)
        .map_or(0, |newest| newest.sequence);
    print(Row::words(format!(
        "{}: {entries} ledger entries, {records} audit records, {plans} plans",
        out.display()
    )))?;
    for left in &summary.left_out {
        tell(Row::words(format!(
            "countersign: left out `{}`: {}",
            left.file, left.why
        )));
    }
    let mut exit = if summary.left_out.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    };
    if let Some(ledger) = &summary.ledger {
        if let Some(fault) = &ledger.fault {
            tell(Row::words(format!(
                "countersign: {}: {fault}. The page says so, and shows only the entries before it.",
                ledger.place
            )));
            exit = Exit::Failed;
        }
        if ledger.standing == Standing::Unsigned {
            tell("note: signatures were not checked: give --trusted-keys");
        }
    }
    Ok(exit)
}
