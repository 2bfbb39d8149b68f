//! `countersign sign`: one more approver signs a receipt that another one issued, after a look at the same bytes.

use anyhow::{Context as _, ensure};

use countersign_core::{
    binding::Check,
    document::Document as _,
    envelope::{Envelope, MOST_BYTES},
    keys::{PublicKey, Threshold, TrustedKeys},
    plan::Plan,
};

use super::{
    authorize::{agreed, read_key, shown},
    print, read, read_text, tell,
    verify::offline,
};
use crate::{Clock, cli::SignArguments, exit::Exit};

pub(crate) fn run(arguments: &SignArguments, clock: Clock) -> anyhow::Result<Exit> {
    let receipt = read_text(&arguments.receipt, 2 * MOST_BYTES as u64)?;
    let plan = read(&arguments.plan, Plan::MOST_BYTES as u64)?;
    let keys = read_text(&arguments.trusted_keys, MOST_BYTES as u64)?;
    let key = read_key(&arguments.key)?;
    let public = PublicKey::new(key.verifying_key()).context("the key is weak")?;

    // Nothing of the receipt is shown or signed before a trusted key is known to have signed it, and before it fits the plan.
    let checks = offline(&receipt, &plan, &keys, "1", clock)?;
    if let Some(refusal) = checks.iter().find_map(Check::refusal) {
        tell(&format!("{}: {refusal}\n{}", refusal.code(), refusal.remedy()));
        return Ok(Exit::Refused);
    }
    let verified = Envelope::parse(&receipt)?.verify(&TrustedKeys::parse(&keys)?, Threshold::ONE)?;
    let plan = Plan::from_document(&plan)?;
    let (terms, seen) = (verified.terms(), plan.ledger);
    ensure!(
        terms.ledger == seen,
        "the receipt was issued for another ledger head than the plan's ({}, {}); ask the first approver which plan was signed",
        terms.ledger.map_or("none".into(), |ledger| ledger.to_string()),
        seen.map_or("none".into(), |ledger| ledger.to_string())
    );
    let operation = plan.into_only_operation()?.into_operation();
    tell(&shown(&operation.to_bytes())?);
    let signers: Vec<String> = verified.signers().iter().map(|signer| format!("{} {}", signer.name, signer.fingerprint)).collect();
    tell(&format!(
        "receipt       {}\nfor run       {}\nvalid         {} to {}\nledger at     {}\nsigned by     {}\nand now by    {}\n",
        terms.receipt_id,
        terms.run_id,
        terms.issued_at,
        terms.expires_at,
        seen.map_or("empty".into(), |ledger| ledger.to_string()),
        signers.join(", "),
        public.fingerprint()
    ));
    let countersigned = verified.countersign(&key).context("this key has signed the receipt already, or the receipt has 32 signatures")?;
    if !arguments.yes && !agreed()? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    print(&countersigned.to_line())?;
    Ok(Exit::Success)
}
