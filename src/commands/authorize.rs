//! `countersign authorize`: shows each operation from the very bytes that are hashed, asks, and signs one receipt for each.

pub(in crate::commands) mod heads;
mod judgement;
mod provenance;
mod reach;
mod review;
mod run;
mod witness;

use anyhow::{Context as _, bail, ensure};

use countersign_core::{
    binding,
    digest::Digest,
    document::Document as _,
    envelope::{Envelope, Signs},
    keys::PublicKey,
    ledger::Checkpoint,
    name::Actor,
    plan::{Plan, PlannedOperation},
    receipt::Terms,
    timestamp::{Lifetime, Timestamp},
};

use self::{
    judgement::{Judgement, Leave},
    provenance::Origin,
    review::Review,
    run::Run,
};
use super::{
    Row, print_document, read, refused,
    signing::{not_shipped, signer},
    tell,
};
use crate::{Clock, Environment, cli::AuthorizeArguments, exit::Exit, random};

pub(crate) async fn run(
    arguments: &AuthorizeArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let run = Run::of(arguments, environment)?;
    ensure!(
        arguments.dispatch.is_none() || run.is_some(),
        "--dispatch starts a workflow for a run: give --run and --repository too"
    );
    let (plan, requesters, origin) = asked(run.as_ref(), arguments).await?;
    let witness = match (&run, &origin) {
        (Some(run), Some(origin)) => match run.witness(&plan, origin).await? {
            Ok(witness) => Some(witness),
            Err(refusal) => {
                tell(refused(&refusal));
                return Ok(Exit::Refused);
            }
        },
        _ => None,
    };

    let policy = Leave::read(arguments, clock)?;
    let reached = match &run {
        Some(run) => Some(run.reached(&plan, &policy, arguments).await?),
        None => None,
    };
    let signer = signer(&arguments.key, environment)?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;
    let operations = plan.operations().iter();
    let judged = operations.map(|planned| policy.judge(arguments, planned, &public, &requesters));
    let judged = judged.collect::<anyhow::Result<Vec<_>>>()?;
    let review = Review {
        plan: &plan,
        judged: &judged,
        requesters: &requesters,
        origin: origin.as_ref(),
        witness: witness.as_ref(),
        reached: reached.as_ref(),
        public: &public,
        arguments,
        excludes_requester: policy.excludes_requester(&judged),
        clock,
    };
    let Some(moments) = review.agreed()? else {
        tell("Nothing was signed. The answer was not the one that was asked for.");
        return Ok(Exit::Refused);
    };

    let receipts = review.signed(&moments, signer.as_ref())?;
    print_document(format!("{receipts}\n").as_bytes())?;
    if let Some(witness) = &witness {
        witness.remember(clock());
    }
    handed_over(run.as_ref(), &review, &receipts).await
}

/// The plan, who asked for it, and where it comes from if GitHub was asked for it.
async fn asked(
    run: Option<&Run>,
    arguments: &AuthorizeArguments,
) -> anyhow::Result<(Plan, Vec<Actor>, Option<Origin>)> {
    let (plan, requesters, origin) = match (run, &arguments.plan) {
        (Some(run), None) => {
            let (plan, requesters, origin) = run.plan(arguments).await?;
            (plan, requesters, Some(origin))
        }
        (None, Some(path)) => {
            let bytes = read(path, Plan::MOST_BYTES as u64)?;
            let plan = Plan::from_document(&bytes).with_context(|| {
                format!(
                    "`{}` is no plan that can be signed; use plan.json exactly as the dry run wrote it",
                    path.display()
                )
            })?;
            let requesters = plan.requested_by.clone();
            (plan, requesters, None)
        }
        _ => bail!("give a plan.json, or --run and --repository to fetch it from a run"),
    };
    tell(not_shipped(&plan));
    ensure!(
        !plan.operations().is_empty(),
        "the plan holds no operation that could be signed"
    );
    Ok((plan, requesters, origin))
}

/// Says why the receipts are as they are, and starts the workflow that publishes if that was asked.
async fn handed_over(
    run: Option<&Run>,
    review: &Review<'_>,
    receipts: &str,
) -> anyhow::Result<Exit> {
    let Review {
        plan,
        judged,
        arguments,
        ..
    } = review;
    for (planned, judgement) in plan.operations().iter().zip(*judged) {
        judgement.tell(planned);
    }
    let is_denied = |judgement: &Judgement| matches!(judgement, Judgement::Denied(_));
    if judged.iter().any(is_denied) {
        return Ok(Exit::Refused);
    }
    match (run, &arguments.dispatch) {
        (Some(_), Some(workflow)) if judged.iter().any(Judgement::waits) => {
            tell(Row::words(format!(
                "{workflow} was not started: the policy waits for others. Start it when they have signed."
            )));
            Ok(Exit::Refused)
        }
        (Some(run), Some(workflow)) => {
            run.dispatch(workflow, arguments, &plan.run_id, receipts)
                .await
        }
        _ => Ok(Exit::Success),
    }
}

/// A receipt that the signer alone allows, without a policy.
pub(super) fn sign_freely(
    plan: &Plan,
    planned: &PlannedOperation,
    lifetime: Lifetime,
    signer: &dyn Signs,
    clock: Clock,
) -> anyhow::Result<Envelope> {
    let (ledger, moment) = (planned.ledger(), (clock(), lifetime));
    sign(plan, planned, &Judgement::Free, ledger, moment, signer)
}

fn sign(
    plan: &Plan,
    planned: &PlannedOperation,
    judgement: &Judgement,
    ledger: &Checkpoint,
    (issued_at, lifetime): (Timestamp, Lifetime),
    signer: &dyn Signs,
) -> anyhow::Result<Envelope> {
    // Only these bytes count: they were shown, and their digest is signed.
    let operation = planned.operation();
    let terms = Terms {
        receipt_id: format!("receipt-{}", random::hex::<8>()).parse()?,
        run_id: plan.run_id.clone(),
        operation_kind: operation.kind(),
        target: operation.target().clone(),
        enforceable: judgement.is_leave(),
        issued_at,
        expires_at: issued_at.plus(lifetime.seconds()),
        consumed: false,
        ledger: ledger.clone(),
        operation_digest: Digest::of(&operation.to_bytes()),
    };
    Ok(Envelope::signed_by(&terms, signer)?)
}

const _: () = assert!(
    Lifetime::MOST.seconds() == binding::MOST_LIFETIME,
    "a lifetime that can be asked for is one that counts"
);
