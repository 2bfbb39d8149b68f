//! What a rehearsal says before it begins: what it will make, and how long that lasts at least.

use super::{
    pace::{PER_MINUTE, minutes},
    stage::Stage,
};
use crate::commands::Row;

/// The announcement of at most so many content writes.
pub(super) fn of(stage: &Stage<'_>, planned: usize) -> Vec<Row> {
    sentences(stage, planned)
        .into_iter()
        .map(Row::words)
        .collect()
}

fn sentences(stage: &Stage<'_>, planned: usize) -> Vec<String> {
    let scratch = stage.scratch;
    let visible = if scratch.is_private() {
        "private"
    } else {
        "public"
    };
    let head = format!("A rehearsal on {} ({visible}).", scratch.repository());
    if scratch.head().is_none() {
        let only = if planned == 0 {
            "It only reads; nothing is made.".into()
        } else {
            format!("It tries {}, which GitHub should refuse.", writes(planned))
        };
        let empty = "The repository is empty: only the probe empty-repository can be tried there. \
                     Push a first commit (a README will do) for all others.";
        return vec![head, empty.into(), only];
    }
    if planned == 0 {
        return vec![head, "It only reads; nothing is made.".into()];
    }

    let ledger = if scratch.has_ledger() {
        "It has the branch receipt-ledger, which is left alone: no whole operation is tried."
    } else {
        "For whole operations it makes the branch receipt-ledger too, and removes it."
    };
    vec![
        head,
        format!("It makes at most {}{}.", writes(planned), duration(planned)),
        format!(
            "What it makes is called {}…: branches, tags, releases with files, pull requests, a \
             label, rulesets, a protection of a branch, a comment on a commit.",
            stage.name("")
        ),
        ledger.into(),
        "All of it is removed at the end; pull requests can only be closed.".into(),
    ]
}

/// So many content writes, in words.
pub(super) fn writes(count: usize) -> String {
    match count {
        1 => "1 content write".into(),
        count => format!("{count} content writes"),
    }
}

fn duration(planned: usize) -> String {
    match minutes(planned) {
        0 => String::new(),
        1 => format!(", at most {PER_MINUTE} in a minute, so it lasts a minute or more"),
        minutes => {
            format!(", at most {PER_MINUTE} in a minute, so it lasts {minutes} minutes or more")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_write_is_not_called_writes() {
        assert_eq!(
            [0, 1, 2].map(writes),
            ["0 content writes", "1 content write", "2 content writes"]
        );
    }

    #[test]
    fn a_duration_is_named_only_if_there_is_one() {
        assert_eq!(duration(60), "");
        assert!(duration(61).ends_with("so it lasts a minute or more"));
        assert!(duration(121).ends_with("so it lasts 2 minutes or more"));
    }
}
