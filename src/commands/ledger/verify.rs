//! `countersign ledger verify`: recomputes a whole ledger and says what was checked.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, pin_mut};

use countersign_core::{
    digest::Digest,
    keys::Threshold,
    ledger::{
        AUTHORITY_PATH, Aspect, BadLedger, Entry, EntryId, Examined, Examiner, HEAD_PATH, Tally,
        Verifier, Withdrawing, entry_path, operation_path,
    },
    name::Host,
    receipt::Terms,
    timestamp::Timestamp,
};

use super::{
    accepted::Accepted,
    dates::{Commits, logins},
    source::{AHEAD, EntryFile, Source},
};
use crate::{
    Clock, Environment,
    cli::{LedgerKeys, LedgerPlace, LedgerVerifyArguments},
    commands::{
        Row, print, server,
        trusted::{self, Trusted},
    },
    exit::Exit,
};

/// Why nothing is known of commits.
const FOLDER: &str = "not checked: these are the files of a folder";

/// By whom receipts must be signed; nobody looks at signatures without.
pub(in crate::commands) type By = Option<(Trusted, Threshold)>;

pub(crate) async fn verify(
    arguments: &LedgerVerifyArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let trusted = Arc::new(arguments.keys.read(clock())?);
    let source = Source::open(&arguments.place, environment).await?;
    if source.entries == 0 {
        bail!("nothing to verify: the ledger is empty");
    }
    let ledger_by = logins(&arguments.ledger_by);
    let host = arguments.place.host(environment)?;
    let path = arguments.accepted.as_deref();
    let mut accepted = Accepted::read(path, &trusted, &source, host.as_ref())?;
    // Whoever reads of a fault must know where it is.
    let (verifier, commits) = recomputed_but(&source, &trusted, &mut accepted, |_, _| {})
        .await
        .with_context(|| source.place())?;
    if let Some(commits) = &commits {
        commits
            .judge(&ledger_by, &mut accepted)
            .with_context(|| source.place())?;
    }
    accepted.all_found(source.shows_signatures())?;
    let newest = verifier
        .newest()
        .map_or("empty".into(), |newest| newest.to_string());
    print(Row::new(
        "verified    ",
        format!("{}, {newest}", source.place()),
    ))?;
    for (aspect, told) in findings(verifier.tally(), &trusted, commits.as_ref(), &ledger_by) {
        print(Row::new(format!("{:<11} ", aspect.to_string()), told))?;
    }
    for entry in verifier.withdrawals() {
        print(Row::new("withdrawn   ", withdrawn(entry, &trusted)))?;
    }
    for (_, told) in accepted.told() {
        print(Row::new("accepted    ", told))?;
    }
    Ok(Exit::Success)
}

/// A withdrawal: who signed it if a trusted key did, and what it is about by its own word otherwise.
fn withdrawn(entry: &Withdrawing, trusted: &By) -> String {
    let keys = trusted.as_ref().map(|(trusted, _)| trusted.keys.as_slice());
    let told = match entry.withdrawal.verify(keys.unwrap_or_default()) {
        Ok(verified) => verified.told(),
        Err(_) if keys.is_none() => "signature not checked: give --trusted-keys".into(),
        Err(problem) => format!("takes nothing back: {problem}"),
    };
    let receipts = entry.receipts.iter().map(ToString::to_string);
    format!(
        "entry {}, receipt {} for run {}: {told}",
        entry.sequence,
        receipts.collect::<String>(),
        entry.run
    )
}

/// What was checked of a ledger that holds, and what was not.
pub(in crate::commands) fn findings(
    tally: Tally,
    trusted: &By,
    commits: Option<&Commits>,
    ledger_by: &BTreeSet<String>,
) -> [(Aspect, String); 9] {
    let Tally {
        entries,
        claims,
        signed,
        unfinished,
        withdrawals,
    } = tally;
    let withdrawn = match withdrawals {
        0 => String::new(),
        many => format!("; {many} withdrawal(s) of receipts"),
    };
    let (bindings, signatures) = if trusted.is_none() {
        let bindings =
            "hold between entries and operations; receipts are not read without --trusted-keys";
        (bindings.into(), "not checked: give --trusted-keys".into())
    } else {
        let bindings = format!("hold: {claims} claims, each with its receipt and operation");
        (
            bindings,
            format!("hold: {signed} receipts, each by {}", many(trusted)),
        )
    };
    let history = match commits {
        Some(Commits { strays: 0, .. }) => {
            format!("holds: every commit's ledger.json names the next entry, {entries} in all")
        }
        Some(Commits { strays, .. }) => format!(
            "holds: {entries} entries in all; {strays} commit(s) added none, which changes nothing here"
        ),
        None => format!("{FOLDER}; give a clone (of a checkout, its .git) or --repository"),
    };
    let (dates, authors) = commits.map_or_else(
        || {
            [FOLDER; 2]
                .map(|folder| format!("{folder}; give --repository"))
                .into()
        },
        |commits| {
            (
                commits.dates_line(trusted.is_some()),
                commits.authors_line(ledger_by),
            )
        },
    );
    [
        (Aspect::Structure, format!("holds: {entries} entries")),
        (Aspect::Chain, format!("holds: {entries} entries")),
        (
            Aspect::Uses,
            format!("hold; {unfinished} operation(s) without a known outcome{withdrawn}"),
        ),
        (
            Aspect::Operations,
            format!("hold: {claims} claims, each with the operation of its digest"),
        ),
        (Aspect::Bindings, bindings),
        (Aspect::Signatures, signatures),
        (Aspect::History, history),
        (Aspect::Dates, dates),
        (Aspect::Authors, authors),
    ]
}

/// Verifies all there is, and hands over each entry once it holds; gives also whether there are commits to tell of it.
pub(in crate::commands) async fn recomputed(
    source: &Source,
    trusted: &Arc<By>,
    mut keep: impl FnMut(Entry),
) -> Result<(Verifier, Option<Commits>)> {
    recomputed_with_terms(source, trusted, |entry, _| keep(entry)).await
}

/// The same; a claim comes with what its receipt says, if signatures are verified.
pub(in crate::commands) async fn recomputed_with_terms(
    source: &Source,
    trusted: &Arc<By>,
    keep: impl FnMut(Entry, Option<Terms>),
) -> Result<(Verifier, Option<Commits>)> {
    recomputed_but(source, trusted, &mut Accepted::default(), keep).await
}

/// The same where some damage was accepted.
pub(in crate::commands) async fn recomputed_but(
    source: &Source,
    trusted: &Arc<By>,
    accepted: &mut Accepted,
    keep: impl FnMut(Entry, Option<Terms>),
) -> Result<(Verifier, Option<Commits>)> {
    accepted.locate(source).await?;
    let verifier = entries(source, trusted, accepted, keep).await?;
    let commits = beside_entries(source, &verifier, accepted).await?;
    Ok((verifier, commits))
}

/// Verifies all there is beside the entries; gives also whether there are commits to tell of it.
pub(in crate::commands) async fn beside_entries(
    source: &Source,
    verifier: &Verifier,
    accepted: &mut Accepted,
) -> Result<Option<Commits>> {
    verifier.is_head(&source.head)?;
    let authority = source
        .read(vec![AUTHORITY_PATH.into()])
        .await?
        .pop()
        .flatten();
    verifier.is_authority(authority.as_deref())?;
    no_strays(source, verifier).await?;
    let commits = history(source, verifier, accepted).await?;
    if let (Some(found), Some(expected)) = (verifier.repository_id(), source.repository_id())
        && found != expected
    {
        let problem = format!(
            "the entries are for the repository with the number {found}, but this one is {expected}"
        );
        bail!(BadLedger {
            aspect: Aspect::Bindings,
            place: source.place(),
            problem
        });
    }
    Ok(commits)
}

impl LedgerPlace {
    /// The server that is asked; a clone or folder does not know whose it is.
    pub(in crate::commands) fn host(&self, environment: &Environment) -> Result<Option<Host>> {
        self.repository
            .as_ref()
            .map(|_| server(environment))
            .transpose()
    }
}

impl LedgerKeys {
    pub(in crate::commands) fn read(&self, now: Timestamp) -> Result<By> {
        let Some(path) = &self.trusted_keys else {
            return Ok(None);
        };
        let trusted = trusted::read(path, self.trust_root, now).context("the trusted keys")?;
        // Of a trust file each claim's own version says how many; the number is for claims from before there was one.
        let threshold = match &self.threshold {
            Some(asked) => Threshold::parse(asked, &trusted.keys)?,
            None => Threshold::ONE,
        };
        Ok(Some((trusted, threshold)))
    }
}

fn many(by: &By) -> String {
    match by {
        Some((Trusted { trust: Some(_), .. }, _)) => {
            "as many keys as the trust file asked for at that time".into()
        }
        Some((_, threshold)) => format!("{} trusted key(s)", threshold.get()),
        None => "nobody".into(),
    }
}

/// Examines entries on every core, and chains them in their order.
async fn entries(
    source: &Source,
    trusted: &Arc<By>,
    accepted: &mut Accepted,
    mut keep: impl FnMut(Entry, Option<Terms>),
) -> Result<Verifier> {
    let mut verifier = Verifier::default();
    let examined = source.chain().map_ok(|batch| {
        let trusted = Arc::clone(trusted);
        async move {
            Ok(tokio::task::spawn_blocking(move || examine(&batch, (*trusted).as_ref())).await?)
        }
    });
    let examined = examined.try_buffered(AHEAD);
    pin_mut!(examined);
    while let Some(batch) = examined.next().await {
        for (id, examined) in batch? {
            let terms = examined.as_ref().ok().and_then(Examined::terms).cloned();
            match examined.and_then(|examined| verifier.take(examined)) {
                Ok(Some(entry)) => keep(entry, terms),
                Ok(None) => {}
                Err(bad) if accepted.covers_entry(id, &bad) => verifier.accept(id),
                Err(bad) => bail!(explained(bad)),
            }
        }
    }
    for used in verifier.withdrawn_uses() {
        let bad = BadLedger::from(used);
        let id = verifier.entry(used.claim);
        if !id.is_some_and(|id| accepted.covers_entry(id, &bad)) {
            bail!(bad);
        }
    }
    Ok(verifier)
}

/// Up to the first bad entry; what stands after it does not matter.
fn examine(
    batch: &[EntryFile],
    by: Option<&(Trusted, Threshold)>,
) -> Vec<(EntryId, Result<Examined, BadLedger>)> {
    let examiner = by_keys(by);
    batch
        .iter()
        .map(|file| {
            let operation = file.operation.as_deref();
            let found = examiner.examine(file.number, &file.bytes, operation);
            (id(file.number, &file.bytes), found)
        })
        .collect()
}

/// An entry by its number and the bytes of its file.
pub(in crate::commands) fn id(sequence: u64, bytes: &[u8]) -> EntryId {
    EntryId {
        sequence,
        digest: Digest::of(bytes),
    }
}

/// Examines by these keys; without them signatures stay unchecked.
pub(in crate::commands) fn by_keys(by: Option<&(Trusted, Threshold)>) -> Examiner<'_> {
    Examiner::new(by.map(|(trusted, threshold)| trusted.of_ledger(*threshold)))
}

/// A receipt that no trusted key signed may be a forged one, or one of a key that is no longer in the list.
fn explained(bad: BadLedger) -> BadLedger {
    // Too few signatures are no missing key.
    let signed = bad.aspect != Aspect::Signatures || bad.problem.contains(" must; signed by ");
    if signed {
        return bad;
    }
    let problem = format!(
        "{}; add the key that signed then to --trusted-keys, or find out who wrote the entry",
        bad.problem
    );
    BadLedger { problem, ..bad }
}

/// Refuses files that no entry accounts for.
async fn no_strays(source: &Source, verifier: &Verifier) -> Result<()> {
    let operations: BTreeSet<String> = verifier.operations().iter().map(operation_path).collect();
    let known = |path: &str| {
        let name = path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .strip_suffix(".json")
            .unwrap_or_default();
        let entry =
            |number: u64| (1..=source.entries).contains(&number) && entry_path(number) == path;
        [HEAD_PATH, AUTHORITY_PATH, "README.md"].contains(&path)
            || operations.contains(path)
            || name.parse().is_ok_and(entry)
    };
    let paths = source.paths().await?;
    match paths.iter().filter(|path| !known(path)).min() {
        Some(stray) => {
            bail!(BadLedger {
                aspect: Aspect::Structure,
                place: format!("`{stray}`"),
                problem: "no entry accounts for this file".into()
            })
        }
        None => Ok(()),
    }
}

/// Walks the commits from the newest to the root. `None` if there are no commits to walk.
async fn history(
    source: &Source,
    verifier: &Verifier,
    accepted: &mut Accepted,
) -> Result<Option<Commits>> {
    let (mut commits, mut walk) = (0, verifier.history());
    let checked = source.commits(|behind, seen| {
        commits = behind + 1;
        let making = seen.making.clone();
        match walk.take(seen.id, seen.parents, seen.head, making) {
            Err(bad) if accepted.covers(seen.id, &bad) => {
                walk.accept(seen.id, seen.head, seen.making);
                Ok(())
            }
            taken => Ok(taken?),
        }
    });
    if !checked.await? {
        return Ok(None);
    }
    if commits <= source.entries {
        let problem = format!(
            "{commits} commits made {} entries: one of them added several at once",
            source.entries
        );
        bail!(BadLedger {
            aspect: Aspect::History,
            place: source.place(),
            problem
        });
    }
    Ok(Some(Commits {
        strays: walk.strays(),
        dates: walk.dates(),
        shows_signatures: source.shows_signatures(),
    }))
}
