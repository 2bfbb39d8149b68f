//! `countersign audit`: what was published around the gate, what is not as approved, and receipts that are left open.

mod annotations;
mod inventory;
mod ledger;
mod sarif;
mod table;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use countersign_core::{
    document::to_json_line,
    ledger::EntryId,
    name::Repository,
    reconcile::{Finding, KnownTags, Level, reconcile},
    timestamp::Timestamp,
};

use super::{
    ledger::{Accepted, Source, logins},
    print_document, read_text,
};
use crate::{
    Clock, Environment,
    cli::{AuditArguments, AuditFormat},
    exit::Exit,
};

/// A list of some 100,000 tags.
const MOST_KNOWN_TAGS: u64 = 16 << 20;

/// What an audit looked at, and what it found. Written as JSON as it stands.
#[derive(Serialize)]
struct Audit {
    /// What was read, for people.
    place: String,
    /// The repository, if it was asked at GitHub.
    repository: Option<Repository>,
    /// What was done before is left out, save tags.
    since: Timestamp,
    /// When it was looked at.
    at: Timestamp,
    /// The newest entry of the ledger that could be believed.
    ledger: Option<EntryId>,
    looked_at: LookedAt,
    /// What was not looked at, and why.
    not_looked_at: Vec<&'static str>,
    findings: Vec<Finding>,
    /// Countersign's version.
    version: &'static str,
}

/// How much was looked at; null for what was not.
#[derive(Serialize)]
struct LookedAt {
    entries: u64,
    receipts: usize,
    releases: Option<usize>,
    tags: usize,
    pull_requests: Option<usize>,
}

pub(crate) async fn run(
    arguments: &AuditArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let audit = look(arguments, environment, clock).await?;
    tell(&audit, arguments.format, environment)
}

/// What an audit finds, without printing it.
pub(super) async fn findings(
    arguments: &AuditArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Vec<Finding>> {
    Ok(look(arguments, environment, clock).await?.findings)
}

async fn look(
    arguments: &AuditArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Audit> {
    let now = clock();
    let keys = arguments.keys.read(now)?;
    ensure!(
        keys.is_some(),
        "--trusted-keys is missing: without them anybody could have written the receipts that an audit goes by"
    );
    let known = known_tags(arguments)?;
    let source = Source::find(&arguments.place, environment).await?;
    let watched = ledger::Watched {
        ledger_by: &logins(&arguments.ledger_by),
        since: arguments.since,
    };
    let host = arguments.place.host(environment)?;
    let path = arguments.accepted.as_deref();
    let mut accepted = match &source {
        Some(source) => Accepted::read(path, &keys, source, host.as_ref())?,
        None => Accepted::default(),
    };
    let mut told = ledger::read(source.as_ref(), &keys.into(), &watched, &mut accepted).await?;
    let by = logins(&arguments.pulls_by);
    let wanted = inventory::Wanted {
        since: arguments.since,
        pulls_by: &by,
        book: &told.book,
    };
    let mut looked = match (&source, &arguments.place.repository) {
        (_, Some(repository)) => inventory::on_github(repository, &wanted, environment).await?,
        (Some(source), None) => inventory::in_clone(source)?,
        (None, None) => bail!("a path or --repository is needed"),
    };
    for tag in &mut looked.found.tags {
        tag.is_known = known.holds(tag);
    }
    looked.left_out.extend(told.left_out);
    let mut findings = std::mem::take(&mut told.findings);
    findings.append(&mut looked.findings);
    findings.extend(reconcile(&told.book, &looked.found, arguments.since));
    findings.sort_by_key(|finding| finding.level);
    Ok(Audit {
        place: told.place,
        repository: arguments.place.repository.clone(),
        since: arguments.since,
        at: now,
        ledger: told.newest,
        looked_at: LookedAt {
            entries: told.entries,
            receipts: told.book.spent().count(),
            releases: looked.found.releases.as_ref().map(Vec::len),
            tags: looked.found.tags.len(),
            pull_requests: looked.found.pulls.as_ref().map(Vec::len),
        },
        not_looked_at: looked.left_out,
        findings,
        version: env!("CARGO_PKG_VERSION"),
    })
}

fn known_tags(arguments: &AuditArguments) -> Result<KnownTags> {
    let Some(path) = &arguments.known_tags else {
        return Ok(KnownTags::default());
    };
    KnownTags::parse(&read_text(path, MOST_KNOWN_TAGS)?)
        .with_context(|| format!("`{}`", path.display()))
}

fn tell(audit: &Audit, format: AuditFormat, environment: &Environment) -> Result<Exit> {
    match format {
        AuditFormat::Table => table::show(audit)?,
        AuditFormat::Json => print_json(audit)?,
        AuditFormat::Sarif => print_json(&sarif::log(audit))?,
    }
    if environment.get("GITHUB_ACTIONS") == Some("true") {
        annotations::show(&audit.findings);
    }
    let matters = audit
        .findings
        .iter()
        .any(|finding| finding.level != Level::Note);
    Ok(if matters { Exit::Found } else { Exit::Success })
}

/// In JSON text `#` may be escaped: the runner takes `##[command]` anywhere in a line of the log.
fn print_json(document: &impl Serialize) -> Result<()> {
    print_document(
        String::from_utf8(to_json_line(document))?
            .replace("##[", "#\\u0023[")
            .as_bytes(),
    )
}
