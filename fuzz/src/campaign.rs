//! `campaign.toml`, behind the variables that are given beside it.

use std::collections::BTreeMap;

use countersign::fuzzing;
use countersign_core::{plan::MOST_OPERATIONS, tables::MOST_BYTES};

use crate::can_be_shown;

/// Before the first NUL stand variables, `name=value` one a line; behind it, or if there is none, the file. Operations come after what they
/// need, each once, and variables make no text larger than a file may be.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (given, file) = text.split_once('\0').unwrap_or(("", text));
    let given: BTreeMap<String, String> = given
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let steps = match fuzzing::campaign(file, &given) {
        Ok(steps) => steps,
        Err(misplaced) => return can_be_shown(&misplaced),
    };
    assert!((1..=MOST_OPERATIONS).contains(&steps.len()));
    for (index, step) in steps.iter().enumerate() {
        let before = &steps[..index];
        assert!(before.iter().all(|other| other.id != step.id));
        assert!(
            step.needs
                .iter()
                .all(|need| before.iter().any(|other| other.id == *need))
        );
        for (input, value) in &step.inputs {
            assert!(
                value.len() <= MOST_BYTES,
                "{input} has {} bytes",
                value.len()
            );
        }
        for flag in [
            "draft",
            "prerelease",
            "generate-release-notes",
            "allow-workflow-changes",
        ] {
            assert!(["", "true", "false"].contains(&step.inputs[flag].as_str()));
        }
    }
}
