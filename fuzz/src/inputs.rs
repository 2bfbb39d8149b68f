//! The inputs of the Action, and the operation that they describe.

use std::{collections::BTreeMap, path::Path};

use countersign::fuzzing;
use countersign_core::{
    document::Document as _,
    operation::Operation,
    plan::{Plan, PlannedOperation, Surroundings},
};
use serde_json::{Map, Value};

use crate::can_be_shown;

/// The files that the input `files` may name here.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workspace");

/// Inputs are what any reader of JSON finds, and the operation that they describe is read again from its bytes.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    values_are_read_one_way(text);
    let inputs = match fuzzing::inputs(text) {
        Ok(inputs) => inputs,
        Err(refusal) => return can_be_shown(&refusal),
    };
    are_what_is_there(&inputs, text);
    // What lies elsewhere on the machine is not for a fuzzer to read.
    if ["files", "body-file"]
        .iter()
        .any(|input| inputs[input].contains("..") || inputs[input].lines().any(is_absolute))
    {
        return;
    }
    match fuzzing::operation(text, Path::new(WORKSPACE)) {
        Ok(operation) => is_read_again(&operation),
        Err(refusal) => can_be_shown(&refusal),
    }
}

fn is_absolute(line: &str) -> bool {
    line.trim_start().starts_with('/')
}

fn are_what_is_there(inputs: &BTreeMap<&'static str, String>, text: &str) {
    let given: Map<String, Value> = serde_json::from_str(text).expect("inputs are a JSON object");
    for (name, value) in &given {
        assert_eq!(
            Some(inputs[name.to_ascii_lowercase().as_str()].as_str()),
            value.as_str()
        );
    }
    assert_eq!(
        inputs.values().filter(|value| !value.is_empty()).count(),
        given.values().filter(|value| *value != "").count()
    );
}

fn values_are_read_one_way(text: &str) {
    match fuzzing::flag(text) {
        Ok(flag) => assert!(flag == (text == "true") && ["true", "false", ""].contains(&text)),
        Err(refusal) => can_be_shown(&refusal),
    }
    match fuzzing::seconds(text) {
        Ok(seconds) => assert_eq!(seconds, text.parse().ok()),
        Err(refusal) => can_be_shown(&refusal),
    }
    for line in fuzzing::lines(text) {
        assert!(
            !line.is_empty() && line.trim() == line && !line.contains('\n') && text.contains(line)
        );
    }
    for entry in fuzzing::entries(text) {
        assert!(
            !entry.is_empty()
                && entry.trim() == entry
                && !entry.contains(['\n', ','])
                && text.contains(entry)
        );
    }
}

fn is_read_again(operation: &Operation) {
    assert_eq!(
        Operation::from_bytes(&operation.to_bytes()).as_ref(),
        Ok(operation)
    );
    if let Operation::PublishRelease(release) = operation {
        for asset in release.assets.as_slice() {
            assert!(!asset.name.as_str().contains(['/', ' ']) && asset.size > 0);
        }
    }
    let run = "17231231".parse().expect("a run's number");
    let plan = Plan::new(
        run,
        [PlannedOperation::alone(
            operation.clone(),
            Surroundings::with_ledger(crate::checkpoint()),
        )]
        .into(),
    );
    assert_eq!(Plan::from_document(&plan.to_document()), Ok(plan));
}
