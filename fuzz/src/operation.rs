//! `operation.json`: the exact bytes that approvers sign for.

use std::fmt::Write as _;

use countersign_core::{
    digest::Digest,
    document::Document as _,
    operation::{MOST_BYTES, Operation},
    plan::{Plan, PlannedOperation, Surroundings},
};
use serde_json::{Map, Value};

use crate::can_be_shown;

/// An operation has one notation, its digest is that of these bytes, and every parameter is shown.
pub fn holds(data: &[u8]) {
    let operation = match Operation::from_bytes(data) {
        Ok(operation) => operation,
        Err(malformed) => return can_be_shown(&malformed),
    };
    assert!(data.len() <= MOST_BYTES);
    assert_eq!(operation.to_bytes(), data);
    assert_eq!(operation.digest(), Digest::of(data));
    every_parameter_is_shown(&operation, data);
    for other in [b" ".as_slice(), b"\n", b"\0"] {
        assert!(
            Operation::from_bytes(&[data, other].concat()).is_err()
                && Operation::from_bytes(&[other, data].concat()).is_err()
        );
    }
    is_planned_as_it_is(&operation);
}

fn every_parameter_is_shown(operation: &Operation, data: &[u8]) {
    let mut told = String::new();
    for (name, value) in operation.parameters() {
        write!(
            told,
            "{}{}:{value}",
            if told.is_empty() { "{" } else { "," },
            Value::from(name)
        )
        .expect("a string takes everything");
    }
    let value =
        |text: &str| serde_json::from_str::<Map<String, Value>>(text).expect("parameters are JSON");
    assert_eq!(
        value(&format!("{told}}}")),
        value(std::str::from_utf8(data).expect("JSON is UTF-8"))
    );
}

fn is_planned_as_it_is(operation: &Operation) {
    let run = "17231231".parse().expect("a run's number");
    let plan = Plan::new(
        run,
        [PlannedOperation::alone(
            operation.clone(),
            Surroundings::with_ledger(crate::checkpoint()),
        )]
        .into(),
    );
    let read = Plan::from_document(&plan.to_document()).expect("a plan that is written is read");
    assert_eq!(read, plan);
    assert_eq!(
        (
            read.operations()[0].operation(),
            read.operations()[0].digest()
        ),
        (operation, operation.digest())
    );
}
