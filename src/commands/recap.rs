//! The recap: what is about to be signed, one line per receipt with what the ledger says of it, directly above the question.
//!
//! Everything else may scroll away: a body has up to 125,000 characters, and a campaign many operations.

use countersign_core::{
    name::RunId,
    operation::{MakeLatest, Operation, PublishRelease},
    timestamp::Timestamp,
};

use super::Row;

/// Most receipts of one question: with these a terminal of 24 lines shows recap and question together.
pub(super) const MAX_OF_A_QUESTION: usize = 20;

/// One receipt, in words.
pub(super) fn line(operation: &Operation, run: &RunId, now: Timestamp, until: Timestamp) -> String {
    let repository = &operation.target().repository;
    let at = operation.commit().short();
    let what = match operation {
        Operation::PublishRelease(release) => format!(
            "{} {} of {repository} at {at} ({})",
            if release.visibility.draft() {
                "Draft"
            } else {
                "Publish"
            },
            release.tag_name,
            outside(release)
        ),
        Operation::TagRepo(tag) => format!("Tag {} of {repository} at {at}", tag.tag_name),
        Operation::OpenPr(pull) => format!(
            "Open a pull request of {repository} from {} at {at} into {}",
            pull.head_branch, pull.base_branch
        ),
    };
    format!("{what} for run {run}, until {}", moment(now, until))
}

/// What a release looks like from outside.
fn outside(release: &PublishRelease) -> String {
    let assets = match release.assets.as_slice().len() {
        0 => "no assets".into(),
        1 => "1 asset".into(),
        many => format!("{many} assets"),
    };
    let latest = match release.visibility.make_latest() {
        MakeLatest::True => "latest",
        MakeLatest::Legacy => "latest if GitHub finds it the newest",
        MakeLatest::False if release.visibility.prerelease() => "prerelease",
        MakeLatest::False => "not the latest",
    };
    format!("{assets}, {latest}")
}

/// The time of day; with the day if it is another one.
fn moment(now: Timestamp, until: Timestamp) -> String {
    let (today, then) = (now.to_string(), until.to_string());
    // Both are `YYYY-MM-DDTHH:MM:SSZ`. Seconds are left out, so the end is never shown too late.
    let minute = then
        .rsplit_once(':')
        .map_or(then.as_str(), |(minute, _)| minute);
    let (day, time) = minute.split_once('T').unwrap_or(("", minute));
    if today.starts_with(day) {
        format!("{time}Z")
    } else {
        format!("{minute}Z")
    }
}

/// A receipt in words, and what a person must know of it.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        let notes = Vec::new();
        Self { text, notes }
    }
}

/// The lines of one question, numbered from the receipts before it on if there are several.
pub(super) fn rows(lines: Vec<Line>, before: usize, all: usize) -> Vec<Row> {
    let numbered = lines.into_iter().enumerate().map(|(index, line)| {
        let head = match all {
            1 => String::new(),
            _ => format!("{:>3}. ", before + index + 1),
        };
        let notes = line.notes.into_iter().map(|note| Row::new("     ", note));
        std::iter::once(Row::new(head, line.text)).chain(notes)
    });
    numbered.flatten().collect()
}

/// What is asked about so many receipts.
pub(super) fn question(asked: usize, before: usize, all: usize) -> String {
    match (asked, all) {
        (_, 1) => "Sign it?".into(),
        (asked, all) if asked == all => format!("Sign these {all} receipts?"),
        (asked, all) => format!(
            "Sign these receipts, {} to {} of {all}?",
            before + 1,
            before + asked
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_a_time_of_day_and_has_its_day_if_that_is_another_one() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-21T23:30:00Z");
        assert_eq!(moment(now, at("2026-11-21T23:59:59Z")), "23:59Z");
        assert_eq!(moment(now, at("2026-11-22T00:30:00Z")), "2026-11-22T00:30Z");
    }

    #[test]
    fn more_receipts_than_one_question_takes_are_counted_through() {
        assert_eq!(question(1, 0, 1), "Sign it?");
        assert_eq!(question(3, 0, 3), "Sign these 3 receipts?");
        assert_eq!(question(2, 20, 22), "Sign these receipts, 21 to 22 of 22?");
        let lines = ["one", "two", "three"].map(|line| Line::from(line.to_owned()));
        assert_eq!(rows(lines.into(), 0, 3).len(), 3);
    }
}
