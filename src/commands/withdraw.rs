//! `countersign withdraw`: someone who signed receipts takes them back, so that no one can use them any more.

mod carry;

use anyhow::{Context as _, Result, bail, ensure};

use countersign_core::{
    envelope::{Envelope, Signs},
    keys::{PublicKey, Threshold, TrustedKeys},
    ledger::Tail,
    name::{Host, Title},
    plan::MOST_OPERATIONS,
    receipt::VerifiedReceipt,
    statement::{Signed, Verified},
    timestamp::Timestamp,
    withdrawal::{Withdrawal, may_take_back},
};

use self::carry::Ledger;
use super::{
    Row, github, print_document, read_text,
    recap::MAX_OF_A_QUESTION,
    refused, server,
    signing::{agreed, signer},
    tell,
    trusted::Trusted,
    verify::receipts,
};
use crate::{Clock, Environment, cli::WithdrawArguments, exit::Exit};

/// Largest text with receipts or statements.
const MAX_TEXT: u64 = (MOST_OPERATIONS * 2 * countersign_core::envelope::MOST_BYTES) as u64;

pub(crate) async fn run(
    arguments: &WithdrawArguments,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let trusted = arguments.trusted.read(clock())?;
    match (&arguments.receipt, &arguments.statement) {
        (Some(_), None) => withdraw(arguments, &trusted, environment, clock).await,
        (None, Some(path)) => {
            let text = read_text(path, MAX_TEXT)?;
            let mut statements = Vec::new();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let signed = Signed::parse(line).context("this is no withdrawal")?;
                let verified = signed.verify(trusted.keys.as_slice());
                let verified = verified.context("nothing was written to the ledger")?;
                statements.push((signed, verified));
            }
            carried(&statements, environment, clock).await
        }
        _ => bail!("give the receipt, or with --statement a withdrawal of it"),
    }
}

/// Shows the receipts, asks, signs, and takes the statements to the ledger unless that is not wanted.
async fn withdraw(
    arguments: &WithdrawArguments,
    trusted: &Trusted,
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let path = arguments.receipt.as_ref().context("give the receipt")?;
    let key = arguments.key.as_ref().context("give --key")?;
    let reason = arguments.reason.as_ref().context("give --reason")?;
    let text = read_text(path, MAX_TEXT)?;
    let signer = signer(key, environment)?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;
    let host = server(environment)?;

    let mut taken_back = Vec::new();
    for receipt in receipts(&text)? {
        // Nothing of a receipt is shown before a trusted key is known to have signed it.
        let verified = Envelope::parse(receipt)
            .map_err(Into::into)
            .and_then(|envelope| envelope.verify(&trusted.keys, Threshold::ONE));
        match verified {
            Ok(verified) => taken_back.push(verified),
            Err(refusal) => {
                tell(refused(&refusal));
                return Ok(Exit::Refused);
            }
        }
    }
    for receipt in &taken_back {
        ensure!(
            may_take_back(receipt, &trusted.keys, &public),
            "{} is no key of anyone who signed the receipt {}: only they can take it back",
            public.fingerprint(),
            receipt.terms().receipt_id
        );
    }

    let asking = Asking {
        arguments,
        host: &host,
        reason,
        public: &public,
    };
    if !asking.agreed(&taken_back, environment).await? {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    }
    let statements = taken_back
        .iter()
        .map(|receipt| {
            signed(
                receipt,
                &trusted.keys,
                &host,
                reason,
                signer.as_ref(),
                clock(),
            )
        })
        .collect::<Result<Vec<_>>>()?;
    // Printed before anything is sent: whoever may write to the ledger can carry it there later.
    let lines = statements.iter().map(|(signed, _)| signed.to_line());
    let lines = lines.collect::<Vec<_>>().join("\n");
    print_document(format!("{lines}\n").as_bytes())?;
    if arguments.no_post {
        tell(
            "Nothing was written to the ledger. The receipt can be used until someone carries this there: countersign withdraw --statement FILE",
        );
        return Ok(Exit::Success);
    }
    carried(&statements, environment, clock).await
}

/// A statement and what it says.
type Statement = (Signed<Withdrawal>, Verified<Withdrawal>);

fn signed(
    receipt: &VerifiedReceipt,
    trusted: &TrustedKeys,
    host: &Host,
    reason: &Title,
    signer: &dyn Signs,
    now: Timestamp,
) -> Result<Statement> {
    let withdrawal = Withdrawal::of(receipt, host.clone(), now, reason.clone());
    let statement = Signed::signed_by(&withdrawal, signer).context("nothing was signed")?;
    let verified = statement
        .takes_back(receipt, Some(trusted), Some(host))
        .context("what was signed does not take the receipt back")?;
    Ok((statement, verified))
}

/// Takes statements to the ledger of each repository that they name.
async fn carried(
    statements: &[Statement],
    environment: &Environment,
    clock: Clock,
) -> Result<Exit> {
    let github = github(environment)?;
    let host = server(environment)?;
    for (signed, verified) in statements {
        let said = verified.statement();
        ensure!(
            said.host == host,
            "the withdrawal is for a repository of {}, but this command asks {host}",
            said.host
        );
        let ledger = Ledger::of(&github, &said.target);
        match ledger.take(signed, verified, clock).await? {
            Ok(entry) => tell(Row::words(format!(
                "withdrawn with ledger {entry} of {}",
                said.target.repository
            ))),
            Err(refusal) => {
                tell(refused(&refusal));
                return Ok(Exit::Refused);
            }
        }
    }
    Ok(Exit::Success)
}

/// What is asked about.
struct Asking<'a> {
    arguments: &'a WithdrawArguments,
    host: &'a Host,
    reason: &'a Title,
    public: &'a PublicKey,
}

impl Asking<'_> {
    async fn agreed(
        &self,
        receipts: &[VerifiedReceipt],
        environment: &Environment,
    ) -> Result<bool> {
        let all = receipts.len();
        for (round, receipts) in receipts.chunks(MAX_OF_A_QUESTION).enumerate() {
            let before = round * MAX_OF_A_QUESTION;
            let mut recap = Vec::new();
            for (index, receipt) in receipts.iter().enumerate() {
                tell(self.rows(receipt));
                recap.push(
                    self.line(receipt, (before + index + 1, all), environment)
                        .await?,
                );
            }
            tell(recap.into_iter().flatten().collect::<Vec<_>>());
            let question = question((before + 1, before + receipts.len(), all));
            if !self.arguments.yes && !agreed(&question)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rows(&self, receipt: &VerifiedReceipt) -> Vec<Row> {
        let terms = receipt.terms();
        let mut rows = vec![
            Row::words("This receipt will be taken back, for good:"),
            Row::blank(),
            Row::new("receipt       ", &terms.receipt_id),
            Row::new("digest        ", receipt.digest()),
            Row::new("allows        ", terms.operation_kind),
            Row::new("operation     ", terms.operation_digest),
            Row::new(
                "repository    ",
                format!("{} on {}", terms.target, self.host),
            ),
            Row::new("for run       ", &terms.run_id),
            Row::new(
                "valid         ",
                format!("{} to {}", terms.issued_at, terms.expires_at),
            ),
            Row::new("ledger at     ", &terms.ledger),
        ];
        rows.extend(receipt.signers().iter().map(|signer| {
            Row::new(
                "signed by     ",
                format!("{} {}", signer.fingerprint, signer.name),
            )
        }));
        rows.push(Row::new("taken back by ", self.public.fingerprint()));
        rows.push(Row::new("reason        ", self.reason));
        rows.push(Row::blank());
        rows
    }

    /// One receipt in one line, with what the ledger says of it.
    async fn line(
        &self,
        receipt: &VerifiedReceipt,
        (number, all): (usize, usize),
        environment: &Environment,
    ) -> Result<Vec<Row>> {
        let terms = receipt.terms();
        let head = if all == 1 {
            String::new()
        } else {
            format!("{number:>3}. ")
        };
        let line = format!(
            "Withdraw {} of {} ({} for run {}, until {})",
            terms.receipt_id,
            terms.target.repository,
            terms.operation_kind,
            terms.run_id,
            terms.expires_at
        );
        let mut rows = vec![Row::new(head, line)];
        if !self.arguments.no_post {
            let github = github(environment)?;
            let tail = Ledger::of(&github, &terms.target).tail_of(receipt).await?;
            rows.push(Row::new(
                "     ",
                tail.map_or_else(not_known, |tail| used(&tail, receipt)),
            ));
        }
        Ok(rows)
    }
}

fn not_known() -> String {
    "whether it was used: not known, the ledger is too long to be read from there".into()
}

fn used(tail: &Tail, receipt: &VerifiedReceipt) -> String {
    tail.first_claim_of(receipt).map_or_else(
        || "the ledger knows no use of it".into(),
        |claim| {
            format!(
                "USED: entry {} claims it for run {} attempt {}; the withdrawal is only recorded",
                claim.sequence, claim.acting_run, claim.attempt
            )
        },
    )
}

fn question((first, last, all): (usize, usize, usize)) -> String {
    if all == 1 {
        "Take it back?".into()
    } else {
        format!("Take these receipts back, {first} to {last} of {all}?")
    }
}
