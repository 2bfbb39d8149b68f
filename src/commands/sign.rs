//! `countersign sign`: one more approver signs receipts that another one issued, after a look at the same bytes.

use anyhow::{Context as _, ensure};

use countersign_core::{
    binding::Check,
    document::Document as _,
    envelope::{Envelope, MOST_BYTES},
    keys::{PublicKey, Threshold},
    plan::{MOST_OPERATIONS, Plan},
    receipt::VerifiedReceipt,
};

use super::{
    Row, print_document, read, read_text, refused,
    signing::{agreed, shown, signer},
    tell,
    verify::{Offline, receipts},
};
use crate::{Clock, Environment, cli::SignArguments, exit::Exit};

pub(crate) fn run(
    arguments: &SignArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let text = read_text(
        &arguments.receipt,
        (MOST_OPERATIONS * 2 * MOST_BYTES) as u64,
    )?;
    let plan = read(&arguments.plan, Plan::MOST_BYTES as u64)?;
    let plan = Plan::from_document(&plan).context(
        "this is no plan that can be approved; use plan.json exactly as the dry run wrote it",
    )?;
    let trusted = arguments.trusted.read(clock())?;
    let signer = signer(&arguments.key, environment)?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;
    let offline = Offline {
        plan: &plan,
        keys: &trusted.keys,
        trust: None,
        threshold: Threshold::ONE,
        policy: None,
    };

    if trusted.keys.as_slice().iter().all(|key| key.key != public) {
        tell(
            "WARNING: this key is none of the trusted keys, so its signature will not count with them.",
        );
    }
    let mut approved = Vec::new();
    for receipt in receipts(&text)? {
        // Nothing of a receipt is shown or signed before a trusted key is known to have signed it, and before it fits the plan.
        let (planned, checks) = offline.check(receipt, clock)?;
        if let Some(refusal) = checks.iter().find_map(Check::refusal) {
            tell(refused(&refusal));
            return Ok(Exit::Refused);
        }
        let verified = Envelope::parse(receipt)?.verify(&trusted.keys, Threshold::ONE)?;
        let (terms, seen) = (verified.terms(), planned.ledger());
        ensure!(
            terms.ledger == seen,
            "the receipt was issued for another ledger head than the plan's ({}, {}); ask the first approver which plan was signed",
            terms
                .ledger
                .map_or("none".into(), |ledger| ledger.to_string()),
            seen.map_or("none".into(), |ledger| ledger.to_string())
        );
        tell(Row::words(format!(
            "This receipt will allow, once (`{}`):",
            planned.id()
        )));
        tell(Row::blank());
        tell(shown(planned)?);
        tell(Row::blank());
        tell(terms_of(&verified, &public));
        approved.push(verified);
    }
    let question = if approved.len() == 1 {
        "Sign it?".to_owned()
    } else {
        format!("Sign these {} receipts?", approved.len())
    };
    if !arguments.yes && !agreed(&question)? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    let lines = approved.iter().map(|verified| {
        verified
            .countersign(signer.as_ref())
            .map(|envelope| envelope.to_line())
    });
    let lines = lines
        .collect::<Result<Vec<_>, _>>()
        .context("nothing was signed")?;
    print_document(format!("{}\n", lines.join("\n")).as_bytes())?;
    Ok(Exit::Success)
}

fn terms_of(verified: &VerifiedReceipt, public: &PublicKey) -> Vec<Row> {
    let terms = verified.terms();
    let ledger = terms
        .ledger
        .map_or("empty".into(), |ledger| ledger.to_string());
    let mut rows = vec![
        Row::new("receipt       ", &terms.receipt_id),
        Row::new("for run       ", &terms.run_id),
        Row::new(
            "valid         ",
            format!("{} to {}", terms.issued_at, terms.expires_at),
        ),
        Row::new("ledger at     ", ledger),
    ];
    rows.extend(verified.signers().iter().map(|signer| {
        Row::new(
            "signed by     ",
            format!("{} {}", signer.fingerprint, signer.name),
        )
    }));
    rows.push(Row::new("and now by    ", public.fingerprint()));
    rows.push(Row::blank());
    rows
}
