//! `countersign sign`: one more approver signs receipts that another one issued, after a look at the same bytes.

use anyhow::Context as _;

use countersign_core::{
    binding,
    document::Document as _,
    envelope::{Envelope, MOST_BYTES},
    keys::{PublicKey, Threshold},
    plan::{MOST_OPERATIONS, Plan, PlannedOperation},
    receipt::VerifiedReceipt,
};

use super::{
    Row, print_document, read, read_text,
    recap::{self, MAX_OF_A_QUESTION},
    refused,
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
    let receipts = receipts(&text)?;
    let mut approved = Vec::with_capacity(receipts.len());
    for round in receipts.chunks(MAX_OF_A_QUESTION) {
        let before = approved.len();
        let mut lines = Vec::with_capacity(round.len());
        for receipt in round {
            let (planned, checks) = offline.check(receipt, clock)?;
            // Nothing of a receipt is shown or signed before a trusted key is known to have signed it, and before it fits the plan.
            if let Some(refusal) = binding::refusal(&checks) {
                tell(refused(refusal));
                return Ok(Exit::Refused);
            }
            let verified = Envelope::parse(receipt)?.verify(&trusted.keys, Threshold::ONE)?;
            tell(review(&verified, planned, &public)?);
            let terms = verified.terms();
            let (operation, until) = (planned.operation(), terms.expires_at);
            let line = recap::line(operation, &terms.run_id, clock(), until);
            lines.push(recap::Line::from(line));
            approved.push(verified);
        }
        tell(recap::rows(lines, before, receipts.len()));
        let question = recap::question(round.len(), before, receipts.len());
        if !arguments.yes && !agreed(&question)? {
            tell("Nothing was signed. The answer was not `yes`.");
            return Ok(Exit::Refused);
        }
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

/// What a receipt allows, for whom and how long, and who signed it.
fn review(
    verified: &VerifiedReceipt,
    planned: &PlannedOperation,
    public: &PublicKey,
) -> anyhow::Result<Vec<Row>> {
    let heading = format!("This receipt will allow, once (`{}`):", planned.id());
    let mut rows = vec![Row::words(heading), Row::blank()];
    rows.extend(shown(planned)?);
    rows.push(Row::blank());
    rows.extend(terms_of(verified, planned, public));
    Ok(rows)
}

fn terms_of(
    verified: &VerifiedReceipt,
    planned: &PlannedOperation,
    public: &PublicKey,
) -> Vec<Row> {
    let terms = verified.terms();
    let mut rows = vec![
        Row::new("receipt       ", &terms.receipt_id),
        Row::new("for run       ", &terms.run_id),
        Row::new(
            "valid         ",
            format!("{} to {}", terms.issued_at, terms.expires_at),
        ),
        Row::new("ledger at     ", &terms.ledger),
    ];
    // Whoever issued it looked at another moment than the plan's job, or wants another ledger.
    if terms.ledger != *planned.ledger() {
        rows.push(Row::new("  plan saw    ", planned.ledger()));
    }
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
