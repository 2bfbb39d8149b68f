//! What others do, and what clocks and machines do, while one request of an attempt waits for its answer.

use std::collections::BTreeMap;

use countersign_core::ledger::{Entry, EventType};
use countersign_sim::Endpoint;

use crate::{
    OPERATIONS, Operation, State, caught, each,
    harness::{Attempt, Report, Stage, strangers, tell},
};

/// Longer than a look at the ledger is taken for recent.
const A_MOMENT: u32 = 6;
/// Longer than the receipt lasts.
const AN_HOUR: u32 = 3700;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// A commit that adds no entry is pushed to the ledger.
    Stray,
    /// The ledger's first tree is merged into it.
    Merge,
    /// A claim is forged in the name of another run.
    ForgedClaim,
    /// An outcome is forged: it failed.
    ForgedFailure,
    /// An outcome is forged: it succeeded.
    ForgedSuccess,
    /// The machine sleeps for a moment.
    Moment,
    /// The machine sleeps until the receipt is over.
    Hour,
    /// GitHub's clock goes forward.
    Ahead,
    /// GitHub's clock goes back.
    Behind,
    /// The next attempt of the run does everything.
    Overtaken,
}

const BETWEEN: [Between; 10] = [
    Between::Stray,
    Between::Merge,
    Between::ForgedClaim,
    Between::ForgedFailure,
    Between::ForgedSuccess,
    Between::Moment,
    Between::Hour,
    Between::Ahead,
    Between::Behind,
    Between::Overtaken,
];

/// How far GitHub's clock may go forward or back without an attempt minding, nearly.
const AHEAD: i64 = 240;
const BEHIND: i64 = -50;

struct Cell {
    operation: Operation,
    endpoint: Endpoint,
    between: Between,
}

impl Cell {
    fn row(&self) -> String {
        format!("{:?}: {:?}", self.endpoint, self.between)
    }

    fn run(&self) -> String {
        let stage = Stage::new();
        let attempt = self.operation.attempt(&stage).approved();
        let mut before = (State::Nothing, None);
        let report = attempt.run_while(self.endpoint, || {
            let claim = stage.ledger().into_iter().next();
            self.happen(&stage, &attempt, claim.as_ref());
            before = (self.operation.state(&stage), claim);
        });

        self.judge(&stage, &before, &report);
        match report.exit {
            0 => "done".into(),
            _ => format!("{}: {}", report.exit, report.code()),
        }
    }

    fn happen(&self, stage: &Stage, attempt: &Attempt<'_>, claim: Option<&Entry>) {
        let forge = |append: &dyn Fn(&Entry)| {
            if let Some(claim) = claim {
                append(claim);
                stage.sleep(A_MOMENT);
            }
        };
        let settle = |outcome| forge(&|claim| strangers::settle(stage, claim, outcome));
        match self.between {
            Between::Stray => strangers::strays(stage),
            Between::Merge => {
                strangers::merge_the_first_tree(stage);
                stage.sleep(A_MOMENT);
            }
            Between::ForgedClaim => forge(&|claim| strangers::claim_for_another_run(stage, claim)),
            Between::ForgedFailure => settle(EventType::Failed),
            Between::ForgedSuccess => settle(EventType::Succeeded),
            Between::Moment => stage.sleep(A_MOMENT),
            Between::Hour => stage.sleep(AN_HOUR),
            Between::Ahead => stage.sim.shift_clock(AHEAD),
            Between::Behind => stage.sim.shift_clock(BEHIND),
            Between::Overtaken => {
                stage.sleep(A_MOMENT);
                let next = attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2");
                next.run().succeeded();
            }
        }
    }

    fn judge(&self, stage: &Stage, before: &(State, Option<Entry>), report: &Report) {
        let (before, claim) = before;
        let after = self.operation.state(stage);
        match self.between {
            Between::Stray | Between::Moment | Between::Ahead | Between::Behind => {
                assert_eq!(
                    (report.exit, after),
                    (0, State::Complete),
                    "{}",
                    report.message()
                );
            }
            Between::Overtaken => {
                assert_eq!((*before, after), (State::Complete, State::Complete));
            }
            // Without a claim there is nothing to forge an entry of.
            Between::ForgedClaim | Between::ForgedFailure | Between::ForgedSuccess
                if claim.is_none() =>
            {
                assert_eq!(report.exit, 0, "{}", report.message());
            }
            Between::Merge
            | Between::ForgedClaim
            | Between::ForgedFailure
            | Between::ForgedSuccess
            | Between::Hour => {
                let is_allowed = match (before, after) {
                    // Its holder takes a draft away that may not be published any more.
                    (State::Hidden, State::Nothing) => self.between == Between::Hour,
                    // The draft that was approved as one is there already; its files may follow.
                    (State::Hidden, State::Complete) => self.operation == Operation::Draft,
                    // So is the pull request; its labels may follow.
                    (State::Visible, State::Complete) => self.operation == Operation::Pull,
                    (before, after) => *before == after,
                };
                assert!(
                    is_allowed,
                    "{before:?}, then {after:?}: {}",
                    report.message()
                );
            }
        }
    }
}

/// Every kind of request that an undisturbed attempt makes, met by everything.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for operation in OPERATIONS {
        let stage = Stage::new();
        let attempt = operation.attempt(&stage).approved();
        let before = stage.events().len();
        attempt.run().succeeded();

        let mut endpoints = Vec::new();
        for event in &stage.events()[before..] {
            if !endpoints.contains(&event.endpoint) {
                endpoints.push(event.endpoint);
            }
        }
        let cell = |endpoint| {
            BETWEEN.map(|between| Cell {
                operation,
                endpoint,
                between,
            })
        };
        cells.extend(endpoints.into_iter().flat_map(cell));
    }
    cells
}

#[test]
fn nothing_that_happens_between_two_requests_makes_an_attempt_do_what_it_may_not() {
    let cells = cells();
    let ends = each(&cells, |cell| {
        caught(&|| cell.run())
            .map_err(|panic| format!("{:?} {}: {panic}", cell.operation, cell.row()))
    });

    let mut matrix: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (cell, end) in cells.iter().zip(ends) {
        match end {
            Ok(end) => matrix
                .entry(cell.row())
                .or_default()
                .push(format!("{:?} {end}", cell.operation)),
            Err(panic) => wrong.push(panic),
        }
    }
    let mut lines: Vec<String> = matrix
        .iter()
        .map(|(row, ends)| format!("{row} | {}", ends.join(" | ")))
        .collect();
    lines.push(format!(
        "{} disturbances, {} of them ended badly",
        cells.len(),
        wrong.len()
    ));
    tell(&lines.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
