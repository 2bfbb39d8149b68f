//! Issues receipts from Rust, with countersign-core as a library: one for every operation of a plan, each verified again.
//!
//! `cargo run -p countersign-core --example issue -- plan.json [KEY]`, where KEY is an ed25519 key as PKCS#8 PEM
//! (`openssl genpkey -algorithm ed25519`). Without one, a key is made that nobody keeps. Receipts go to standard output, one a line;
//! what they allow goes to standard error. It asks nobody: a service decides before it calls `sign`.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints"
)]

use std::{
    env,
    error::Error,
    fs,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use countersign_core::{
    document::Document as _,
    envelope::Envelope,
    keys::{PublicKey, Threshold, TrustedKeys},
    plan::{Plan, PlannedOperation},
    receipt::Terms,
    text::{Lines, visible},
    timestamp::{Lifetime, Timestamp},
};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey as _};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let issued = match arguments.as_slice() {
        [plan] => issue(plan, None),
        [plan, key] => issue(plan, Some(key)),
        _ => Err("give a plan.json and, if you like, a file with a key".into()),
    };
    match issued {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("issue: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a receipt for every operation, or none at all.
fn issue(plan: &str, key: Option<&str>) -> Result<(), Box<dyn Error>> {
    // Refuses plans that are not, byte for byte, what a dry run writes; so the digests are those of the operations.
    let bytes = fs::read(plan).map_err(|error| format!("{plan}: {error}"))?;
    let plan = Plan::from_document(&bytes).map_err(|error| format!("{plan}: {error}"))?;
    let key = key.map_or_else(made_key, read_key)?;
    let public = PublicKey::new(key.verifying_key()).ok_or("the key is weak")?;
    let trusted = TrustedKeys::parse(&format!("{} issuer", public.to_openssh()))?;
    eprintln!("trusted key  {} issuer", public.to_openssh());

    let mut receipts = Vec::new();
    for planned in plan.operations() {
        show(&plan, planned);
        receipts.push(sign(&terms(&plan, planned)?, &key, &trusted)?);
    }
    for receipt in receipts {
        println!("{receipt}");
    }
    Ok(())
}

/// What whoever decides must see: every parameter, read back from the bytes that are hashed. Nothing in it can hide or move.
fn show(plan: &Plan, planned: &PlannedOperation) {
    eprintln!("\n{}  {}", planned.id(), planned.digest());
    for (name, value) in planned.operation().parameters() {
        eprintln!("  {name:<15}{}", visible(&value, Lines::One));
    }
    for warning in planned.warnings() {
        eprintln!(
            "  WARNING        {}: {}",
            visible(&warning.code, Lines::One),
            visible(&warning.message, Lines::One)
        );
    }
    eprintln!(
        "  for run        {}\n  ledger at      {}",
        plan.run_id,
        planned.ledger()
    );
}

/// Leave for one operation, for an hour from now.
fn terms(plan: &Plan, planned: &PlannedOperation) -> Result<Terms, Box<dyn Error>> {
    let issued_at = Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let lifetime: Lifetime = "1h".parse()?;
    let operation = planned.operation();
    Ok(Terms {
        receipt_id: format!("receipt-{:032x}", u128::from_be_bytes(random()?)).parse()?,
        run_id: plan.run_id.clone(),
        operation_kind: operation.kind(),
        target: operation.target().clone(),
        enforceable: true,
        issued_at,
        expires_at: issued_at.plus(lifetime.seconds()),
        consumed: false,
        ledger: planned.ledger().clone(),
        operation_digest: operation.digest(),
    })
}

/// Signs and reads the line again as the publisher will. Any [`Signs`](countersign_core::envelope::Signs) can stand in for the key:
/// one that a token or another service keeps.
fn sign(terms: &Terms, key: &SigningKey, trusted: &TrustedKeys) -> Result<String, Box<dyn Error>> {
    let receipt = Envelope::signed_by(terms, key)?.to_line();
    let verified = Envelope::parse(&receipt)?.verify(trusted, Threshold::ONE)?;
    if verified.terms() != terms {
        return Err("the receipt does not read as what was signed".into());
    }
    Ok(receipt)
}

fn read_key(path: &str) -> Result<SigningKey, Box<dyn Error>> {
    let pem = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    SigningKey::from_pkcs8_pem(&pem)
        .map_err(|error| format!("{path} is no ed25519 key in PKCS#8 PEM: {error}").into())
}

fn made_key() -> Result<SigningKey, Box<dyn Error>> {
    Ok(SigningKey::from_bytes(&random()?))
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| format!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}
