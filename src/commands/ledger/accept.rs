//! `countersign ledger accept`: people sign that they know of damage, and why it is there.

use std::{str::FromStr, sync::Arc};

use anyhow::{Context as _, Result, bail};

use countersign_core::{
    envelope::{MOST_BYTES, Signs},
    keys::PublicKey,
    name::Host,
    operation::Target,
    repair::{Damage, Repair},
    statement::Signed,
    timestamp::Timestamp,
};

use super::{
    accepted::{Accepted, coded},
    source::Source,
    verify::{By, recomputed_but},
};
use crate::{
    Clock, Environment,
    cli::{LedgerAcceptArguments, LedgerPlace},
    commands::{
        Row, print_document, read_text, server,
        signing::{agreed, signer},
        tell,
    },
    exit::Exit,
};

/// Damage as it is named on the command line.
#[derive(Clone)]
pub(crate) struct NamedDamage(Damage);

impl FromStr for NamedDamage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (commit, code) = text.split_once(':').ok_or("expected COMMIT:ASPECT")?;
        Ok(Self(Damage {
            commit: commit.parse().map_err(|error| format!("{error}"))?,
            code: code.parse().map_err(|error| format!("{error}"))?,
        }))
    }
}

pub(crate) async fn accept(
    arguments: &LedgerAcceptArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let by = Arc::new(arguments.keys.read(clock())?);
    let place = LedgerPlace {
        path: None,
        repository: Some(arguments.repository.clone()),
    };
    let source = Source::open(&place, environment).await?;
    let host = server(environment)?;
    let signer = signer(&arguments.key, environment)?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;

    let (repair, before) = statement(arguments, &by, &source, &host, clock())?;
    let mut accepted = Accepted::proposed(&repair, "this statement".into());
    // Everything that is wrong must be named: a statement that leaves damage out repairs nothing.
    let verified = recomputed_but(&source, &by, &mut accepted, |_, _| {}).await;
    let (_, commits) = verified.with_context(|| {
        format!(
            "{}: something is wrong that the statement does not name",
            source.place()
        )
    })?;
    if let Some(commits) = &commits {
        commits.judge(&super::logins(&[]), &mut accepted)?;
    }
    accepted.all_found(source.shows_signatures())?;

    tell(rows(&repair, &accepted, &public));
    if !arguments.yes && !agreed("Accept this damage for good?")? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    let statement = sign(&repair, before.as_ref(), signer.as_ref())?;
    print_document(format!("{}\n", statement.to_line()).as_bytes())?;
    Ok(Exit::Success)
}

/// What is to be signed: a new statement, or one that someone else signed first.
fn statement(
    arguments: &LedgerAcceptArguments,
    by: &By,
    source: &Source,
    host: &Host,
    now: Timestamp,
) -> Result<(Repair, Option<Signed<Repair>>)> {
    let repository_id = source.repository_id();
    if let Some(path) = &arguments.statement {
        let (trusted, _) = by.as_ref().context("--trusted-keys is missing")?;
        let signed: Signed<Repair> = Signed::parse(&read_text(path, MOST_BYTES as u64)?)?;
        // Nothing of it is shown before a trusted key is known to have signed it.
        let verified = signed.verify(trusted.keys.as_slice())?;
        let repair = verified.statement().clone();
        repair
            .is_of(Some(host), repository_id)
            .map_err(|bad| coded(&bad))?;
        return Ok((repair, Some(signed)));
    }

    let reason = arguments.reason.clone().context("give --reason")?;
    let Some(repository_id) = repository_id else {
        bail!("the repository's number is not known");
    };
    let repair = Repair {
        host: host.clone(),
        target: Target {
            repository: arguments.repository.clone(),
            repository_id,
        },
        damages: arguments
            .damage
            .iter()
            .map(|named| named.0.clone())
            .collect(),
        issued_at: now,
        reason,
    };
    Ok((repair, None))
}

fn sign(
    repair: &Repair,
    before: Option<&Signed<Repair>>,
    signer: &dyn Signs,
) -> Result<Signed<Repair>> {
    let statement = before.map_or_else(
        || Signed::signed_by(repair, signer),
        |before| before.countersigned(signer),
    );
    statement.context("nothing was signed")
}

fn rows(repair: &Repair, accepted: &Accepted, public: &PublicKey) -> Vec<Row> {
    let mut rows = vec![
        Row::words("This damage of the ledger will be accepted. It is listed ever after:"),
        Row::blank(),
    ];
    let told = accepted.told().into_iter();
    rows.extend(told.map(|(_, told)| Row::new("damage        ", told)));
    rows.push(Row::new(
        "repository    ",
        format!("{} on {}", repair.target, repair.host),
    ));
    rows.push(Row::new("reason        ", &repair.reason));
    rows.push(Row::new("since         ", repair.issued_at));
    rows.push(Row::new("and now by    ", public.fingerprint()));
    rows.push(Row::blank());
    rows
}
