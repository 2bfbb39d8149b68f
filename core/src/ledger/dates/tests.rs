//! Branches whose commits GitHub dated, and branches whose authors did.

use alloc::{vec, vec::Vec};

use super::*;
use crate::testing::{NOON, commit};

/// A commit `minutes` after noon; `+` signed by GitHub, `-` not.
fn made(minutes: u64, signed: char, author: &str) -> Making {
    Making {
        at: Some(NOON.plus(minutes * 60)),
        is_proven: signed == '+',
        author: Some(author.into()),
    }
}

/// A branch, the oldest commit first: when it was made, how, by whom, and the entry that it added.
fn dates(commits: &[(u64, char, &str, Option<u64>)], moments: Moments) -> Dates {
    let dated =
        commits
            .iter()
            .zip("123456789abcdef".chars())
            .map(|((at, signed, author, added), name)| DatedCommit {
                id: commit(name),
                making: made(*at, *signed, author),
                added: *added,
            });
    let mut newest_first: Vec<_> = dated.collect();
    newest_first.reverse();
    Dates::new(newest_first, moments)
}

/// A claim and its outcome, at these minutes, under a receipt that is valid until an hour after noon.
fn moments(claim: u64, outcome: u64, ended: Option<EventType>) -> Moments {
    let moment = |minutes: u64, expires_at| Moment {
        at: NOON.plus(minutes * 60),
        round: Some(0),
        is_signed: false,
        expires_at,
    };
    Moments {
        entries: vec![moment(claim, Some(NOON.plus(3600))), moment(outcome, None)],
        rounds: vec![ended.map(|event_type| Ending {
            sequence: 2,
            event_type,
        })],
    }
}

const BOT: &str = "github-actions[bot]";
const SUCCEEDED: Option<EventType> = Some(EventType::Succeeded);

fn problems(dates: &Dates) -> Vec<(DateProblem, Option<u64>)> {
    let by = BTreeSet::from([BOT.into()]);
    let found = dates.findings(&by, Timestamp::from_unix(0));
    found
        .iter()
        .map(|found| (found.problem, found.sequence))
        .collect()
}

type Row = (
    &'static str,
    &'static [(u64, char, &'static str, Option<u64>)],
    (u64, u64, Option<EventType>),
    &'static [(DateProblem, Option<u64>)],
);

const ROWS: [Row; 14] = [
    (
        "appended by the publisher",
        &[
            (0, '+', BOT, None),
            (10, '+', BOT, Some(1)),
            (11, '+', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[],
    ),
    (
        "the last minute of the receipt, and the most that an entry may be away",
        &[
            (0, '+', BOT, None),
            (59, '+', BOT, Some(1)),
            (65, '+', BOT, Some(2)),
        ],
        (54, 60, SUCCEEDED),
        &[],
    ),
    (
        "appended by hand 20 hours later, dated back",
        &[
            (0, '+', BOT, None),
            (1200, '+', BOT, Some(1)),
            (1201, '+', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[
            (DateProblem::EntryMisdated, Some(1)),
            (DateProblem::EntryMisdated, Some(2)),
            (DateProblem::ClaimLate, Some(1)),
        ],
    ),
    (
        "the same under a person's account",
        &[
            (0, '+', BOT, None),
            (20, '+', "mallory", Some(1)),
            (21, '+', "mallory", Some(2)),
        ],
        (20, 21, SUCCEEDED),
        &[(DateProblem::EntryByOther, Some(1))],
    ),
    (
        "commits whose author chose their dates",
        &[
            (0, '+', BOT, None),
            (10, '-', BOT, Some(1)),
            (11, '-', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[
            (DateProblem::ClaimUnproven, Some(1)),
            (DateProblem::Unproven, Some(1)),
        ],
    ),
    (
        "the same above a commit that GitHub dated later",
        &[
            (1200, '+', BOT, None),
            (10, '-', BOT, Some(1)),
            (11, '-', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[
            (DateProblem::EntryMisdated, Some(1)),
            (DateProblem::EntryMisdated, Some(2)),
            (DateProblem::ClaimLate, Some(1)),
            (DateProblem::DatesFall, Some(1)),
            (DateProblem::DatesFall, Some(2)),
            (DateProblem::Unproven, Some(1)),
        ],
    ),
    (
        "an unproven date makes no later commit fall",
        &[
            (0, '+', BOT, None),
            (900, '-', BOT, None),
            (10, '+', BOT, Some(1)),
            (11, '+', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[],
    ),
    (
        "an unsigned claim below a commit that proves it to be in time",
        &[
            (0, '+', BOT, None),
            (10, '-', BOT, Some(1)),
            (11, '+', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[(DateProblem::Unproven, Some(1))],
    ),
    (
        "an unsigned claim below a commit that proves nothing",
        &[
            (0, '+', BOT, None),
            (10, '-', BOT, Some(1)),
            (61, '+', BOT, Some(2)),
        ],
        (10, 61, SUCCEEDED),
        &[
            (DateProblem::ClaimUnproven, Some(1)),
            (DateProblem::Unproven, Some(1)),
        ],
    ),
    (
        "a server that signs nothing",
        &[
            (0, '-', BOT, None),
            (10, '-', BOT, Some(1)),
            (11, '-', BOT, Some(2)),
        ],
        (10, 11, SUCCEEDED),
        &[(DateProblem::Unproven, Some(1))],
    ),
    (
        "a claim that came too late and was not acted upon",
        &[
            (0, '+', BOT, None),
            (60, '+', BOT, Some(1)),
            (61, '+', BOT, Some(2)),
        ],
        (60, 61, Some(EventType::Failed)),
        &[],
    ),
    (
        "a machine with a wrong clock, which did nothing",
        &[
            (0, '+', BOT, None),
            (10, '+', BOT, Some(1)),
            (11, '+', BOT, Some(2)),
        ],
        (30, 31, Some(EventType::Failed)),
        &[],
    ),
    (
        "a claim that came too late and was acted upon",
        &[
            (0, '+', BOT, None),
            (60, '+', BOT, Some(1)),
            (61, '+', BOT, Some(2)),
        ],
        (59, 60, SUCCEEDED),
        &[(DateProblem::ClaimLate, Some(1))],
    ),
    (
        "strays by others, above the first entry",
        &[
            (0, '+', "octocat", None),
            (10, '+', BOT, Some(1)),
            (11, '+', BOT, Some(2)),
            (12, '-', "octocat", None),
        ],
        (10, 11, SUCCEEDED),
        &[(DateProblem::CommitByOther, None)],
    ),
];

#[test]
fn entries_are_held_against_what_github_proves_of_their_commits() {
    for (what, commits, (claim, outcome, ended), expected) in ROWS {
        let dates = dates(commits, moments(claim, outcome, ended));
        assert_eq!(problems(&dates), expected, "{what}");
    }
}

#[test]
fn of_several_claims_of_an_operation_one_in_time_is_enough() {
    let mut moments = moments(10, 62, SUCCEEDED);
    let resumed = Moment {
        at: NOON.plus(61 * 60),
        ..moments.entries[0]
    };
    moments.entries.insert(1, resumed);
    let commits = [
        (0, '+', BOT, None),
        (10, '+', BOT, Some(1)),
        (61, '+', BOT, Some(2)),
        (62, '+', BOT, Some(3)),
    ];
    assert_eq!(problems(&dates(&commits, moments.clone())), []);

    // What is appended after the end only informs, and is not judged.
    let mut informed = moments.clone();
    informed.rounds = vec![Some(Ending {
        sequence: 3,
        event_type: EventType::Succeeded,
    })];
    informed.entries.push(Moment {
        at: NOON,
        ..informed.entries[2]
    });
    let forged = [&commits[..], &[(90, '+', BOT, Some(4))]].concat();
    assert_eq!(problems(&dates(&forged, informed)), []);

    let [_, first, ..] = commits;
    let late = [commits[0], (60, '+', BOT, first.3), commits[2], commits[3]];
    moments.entries[0].at = NOON.plus(60 * 60);
    let late = dates(&late, moments);
    assert_eq!(problems(&late), [(DateProblem::ClaimLate, Some(1))]);
}

#[test]
fn only_what_github_proves_to_be_older_is_left_out() {
    let by = BTreeSet::from([BOT.into()]);
    let commits = [
        (0, '+', BOT, None),
        (10, '-', "mallory", Some(1)),
        (11, '-', "mallory", Some(2)),
    ];
    let unproven = dates(&commits, moments(10, 11, SUCCEEDED));
    let later = NOON.plus(86_400);
    assert_eq!(unproven.findings(&by, later).len(), 3);

    let known = [&commits[..], &[(20, '+', BOT, None)]].concat();
    let known = dates(&known, moments(10, 11, SUCCEEDED));
    assert_eq!(known.findings(&by, later), []);
}

#[test]
fn a_finding_names_the_commit_its_author_and_both_sides() {
    let commits = [
        (0, '+', BOT, None),
        (1200, '+', "mallory\u{1b}[2J", Some(1)),
        (1201, '+', "mallory\u{1b}[2J", Some(2)),
    ];
    let dates = dates(&commits, moments(10, 11, SUCCEEDED));
    let found = dates.findings(&BTreeSet::new(), Timestamp::from_unix(0));
    assert_eq!(
        found[0].told,
        format!(
            "commit {} by mallory\\u{{1b}}[2J: it says {}, but its commit is of {}",
            commit('2'),
            NOON.plus(600),
            NOON.plus(1200 * 60)
        )
    );
}
