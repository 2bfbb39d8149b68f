//! Several receipts for one operation: however many approvers sign, it is done once.

use countersign_core::{envelope::Envelope, receipt::Terms};
use countersign_sim::{Effect, Endpoint, Fault};

use crate::{
    Scene,
    harness::{Attempt, Stage, fresh_key, terms, trusted_line},
    judge::{attempted, tells_nothing_else},
};

pub const SCENES: &[Scene] = &[
    (
        "two approvers' receipts are used by two jobs at once, one before the other's claim",
        claimed_in_between,
    ),
    (
        "two approvers' receipts are used by two jobs at once, one under the other's claim",
        claimed_before,
    ),
    (
        "an operation that failed is tried again with another approver's receipt",
        tried_again,
    ),
];

/// An attempt whose plan two approvers signed, each by themselves, and their receipts.
fn approved_twice<'a>(stage: &'a Stage, attempt: Attempt<'a>) -> (Attempt<'a>, [String; 2]) {
    let bob = fresh_key();
    let plan = attempt.dry_run().plan();
    let signed = |key, id: &str| {
        let terms = Terms {
            receipt_id: id.parse().unwrap(),
            ..terms(&plan)
        };
        Envelope::sign(&terms, &[key]).to_line()
    };
    let receipts = [
        signed(stage.approver(), "receipt-of-alice"),
        signed(&bob, "receipt-of-bob"),
    ];
    let keys = format!(
        "{}\n{}",
        stage.trusted(),
        trusted_line(&bob, "bob@example.org")
    );
    (attempt.input("trusted-keys", &keys), receipts)
}

/// A job for each receipt. Of a draft GitHub itself would make a second one.
fn jobs(stage: &Stage) -> [Attempt<'_>; 2] {
    let (attempt, receipts) = approved_twice(stage, stage.release().input("draft", "true"));
    receipts.map(|receipt| attempt.clone().input("receipt", &receipt))
}

fn is_one_draft(stage: &Stage) {
    assert_eq!(stage.sim.releases().len(), 1);
    assert_eq!(stage.ledger_events(), ["claimed", "succeeded"]);
}

fn claimed_in_between() {
    let stage = Stage::new();
    let [alices, bobs] = jobs(&stage);
    let late = alices.run_while(Endpoint::Preflight, || bobs.run().succeeded());
    late.refused("operation_done");
    tells_nothing_else(&stage, &late);
    is_one_draft(&stage);
}

fn claimed_before() {
    let stage = Stage::new();
    let [alices, bobs] = jobs(&stage);
    let first = alices.run_while(Endpoint::CreateRelease, || {
        let name =
            "two approvers' receipts are used by two jobs at once, one under the other's claim";
        attempted(&stage, name, bobs, "receipt_consumed");
    });
    first.succeeded();
    is_one_draft(&stage);
}

fn tried_again() {
    let stage = Stage::new();
    let (attempt, receipts) = approved_twice(&stage, stage.release());
    let attempt = attempt.input("receipt", &receipts.join("\n"));
    let refused = Fault::on(Endpoint::CreateRelease).then(Effect::StatusBefore(422));
    stage.sim.plan(refused);
    assert_eq!(attempt.run().status(), "failed");

    attempted(
        &stage,
        "an operation that failed is tried again with another approver's receipt",
        attempt.variable("GITHUB_RUN_ATTEMPT", "2"),
        "operation_done",
    );
    assert!(stage.sim.releases().is_empty());
    assert_eq!(stage.ledger_events(), ["claimed", "failed"]);
}
