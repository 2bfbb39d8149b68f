//! Branches that were set back, and the records that show it or do not.

use alloc::{format, vec, vec::Vec};

use super::*;
use crate::{
    ledger::{Base, Checkpoint},
    testing::{Branch, NOON, terms},
};

const LONG_AGO: Timestamp = NOON.minus(48 * 60 * 60);

fn zeros() -> CommitId {
    format!("{:040x}", 0).parse().unwrap()
}

/// The branch of a ledger, and GitHub's record of how it moved, the oldest move first.
struct Scene {
    branch: Branch,
    moves: Vec<Move>,
}

impl Scene {
    /// A branch that was made long ago.
    fn new() -> Self {
        let branch = Branch::empty();
        let moves = vec![Move {
            before: zeros(),
            after: branch.tip().id.clone(),
            kind: MoveKind::Creation,
            at: LONG_AGO,
        }];
        Self { branch, moves }
    }

    /// One more commit, by a plain push.
    fn push(&mut self, at: Timestamp) -> Checkpoint {
        let before = self.branch.tip().id.clone();
        let after = self.branch.stray();
        self.moved(before, after, MoveKind::Push, at);
        self.branch.checkpoint()
    }

    /// The branch is set back by so many commits.
    fn set_back(&mut self, commits: usize, at: Timestamp) {
        let before = self.branch.tip().id.clone();
        let left = self.branch.0.len() - commits;
        self.branch.0.truncate(left);
        let after = self.branch.tip().id.clone();
        self.moved(before, after, MoveKind::Other, at);
    }

    fn moved(&mut self, before: CommitId, after: CommitId, kind: MoveKind, at: Timestamp) {
        self.moves.push(Move {
            before,
            after,
            kind,
            at,
        });
    }

    fn shown(&self, complete: bool) -> Moves {
        Moves::Shown {
            moves: self.moves.iter().rev().cloned().collect(),
            complete,
        }
    }

    fn joins_for(&self, checkpoint: &Checkpoint) -> Result<(), Unjoined> {
        self.joins_in(&self.shown(true), checkpoint)
    }

    fn joins_in(&self, moves: &Moves, checkpoint: &Checkpoint) -> Result<(), Unjoined> {
        let tail = self.branch.tail(&Base::At(checkpoint.clone())).unwrap();
        let terms = Terms {
            ledger: checkpoint.clone(),
            ..terms()
        };
        moves.join(&tail, &terms)
    }
}

fn broken(problem: &str) -> Result<(), Unjoined> {
    Err(Unjoined::Broken(problem.into()))
}

#[test]
fn plain_pushes_from_the_root_join() {
    let mut scene = Scene::new();
    let seen = scene.push(LONG_AGO);
    assert_eq!(scene.joins_for(&seen), Ok(()));
    scene.push(NOON);
    assert_eq!(scene.joins_for(&seen), Ok(()));
}

#[test]
fn a_branch_that_was_set_back_to_the_checkpoint_is_rewound() {
    let mut scene = Scene::new();
    let seen = scene.push(LONG_AGO);
    scene.push(NOON);
    let dropped = scene.branch.tip().id.clone();
    scene.set_back(1, NOON);

    let rewound = broken(&format!(
        "the branch was deleted, or moved by force, from {dropped} to {}",
        seen.commit
    ));
    assert_eq!(scene.joins_for(&seen), rewound);
    // More on top of it hides nothing.
    scene.push(NOON);
    assert_eq!(scene.joins_for(&seen), rewound);
}

#[test]
fn a_branch_that_was_set_back_further_and_led_to_the_checkpoint_again_is_rewound() {
    let mut scene = Scene::new();
    let below = scene.push(LONG_AGO);
    let seen = scene.push(LONG_AGO);
    let kept = scene.branch.tip().clone();
    scene.push(NOON);
    let dropped = scene.branch.tip().id.clone();
    scene.set_back(2, NOON);
    scene.branch.0.push(kept);
    scene.moved(
        below.commit.clone(),
        seen.commit.clone(),
        MoveKind::Push,
        NOON,
    );

    let rewound = broken(&format!(
        "the branch was deleted, or moved by force, from {dropped} to {}",
        below.commit
    ));
    assert_eq!(scene.joins_for(&seen), rewound);

    // So is one whose last push leads past the checkpoint.
    scene.moves.pop();
    let past = scene.branch.stray();
    scene.moved(below.commit, past, MoveKind::Push, NOON);
    assert_eq!(scene.joins_for(&seen), rewound);
}

#[test]
fn what_was_forced_before_the_plan_does_not_matter() {
    let mut scene = Scene::new();
    scene.push(LONG_AGO);
    scene.push(LONG_AGO);
    scene.set_back(1, LONG_AGO);
    let seen = scene.push(LONG_AGO);
    assert_eq!(scene.joins_for(&seen), Ok(()));
}

#[test]
fn a_branch_that_was_made_anew_is_rewound() {
    let mut scene = Scene::new();
    let seen = scene.push(LONG_AGO);
    scene.moved(seen.commit.clone(), zeros(), MoveKind::Other, NOON);
    scene.moved(zeros(), seen.commit.clone(), MoveKind::Creation, NOON);
    let anew = broken(&format!("the branch was recreated at {}", seen.commit));
    assert_eq!(scene.joins_for(&seen), anew);

    // Also where the record of the old branch went with it.
    scene.moves.drain(..scene.moves.len() - 1);
    assert_eq!(scene.joins_for(&seen), anew);
}

#[test]
fn a_record_is_late_until_it_shows_what_was_seen() {
    let mut scene = Scene::new();
    let seen = scene.push(LONG_AGO);
    let last = scene.moves.pop().unwrap();
    assert_eq!(scene.joins_for(&seen), Err(Unjoined::Late(last.after)));
}

#[test]
fn a_record_may_show_pushes_that_came_after_the_look_and_nothing_else() {
    let mut scene = Scene::new();
    let seen = scene.push(LONG_AGO);
    let later: CommitId = format!("{:040x}", 0xabc).parse().unwrap();
    scene.moved(seen.commit.clone(), later.clone(), MoveKind::Push, NOON);
    assert_eq!(scene.joins_for(&seen), Ok(()));

    scene.moved(later.clone(), seen.commit.clone(), MoveKind::Other, NOON);
    assert_eq!(
        scene.joins_for(&seen),
        broken(&format!(
            "the branch was deleted, or moved by force, from {later} to {}",
            seen.commit
        ))
    );
}

#[test]
fn a_gap_does_not_join() {
    let mut scene = Scene::new();
    let seen = scene.push(NOON);
    scene.push(NOON);
    scene.moves.remove(1);
    assert_eq!(
        scene.joins_for(&seen),
        broken(&format!(
            "GitHub's activity has a gap below {}",
            seen.commit
        ))
    );
}

#[test]
fn more_is_needed_until_the_record_reaches_back_to_before_the_plan() {
    let mut scene = Scene::new();
    let seen = scene.push(NOON);
    scene.moves.remove(0);
    assert_eq!(
        scene.joins_in(&scene.shown(false), &seen),
        Err(Unjoined::MoreNeeded)
    );
    assert_eq!(
        scene.joins_in(&scene.shown(true), &seen),
        broken("GitHub's activity ends before it shows how the branch began")
    );
}

#[test]
fn rules_suffice_without_a_record_and_only_both_of_them() {
    let scene = Scene::new();
    let seen = scene.branch.checkpoint();
    let tail = scene.branch.tail(&Base::At(seen.clone())).unwrap();
    let terms = Terms {
        ledger: seen,
        ..terms()
    };
    let guard = |rules: &[&str]| Guard {
        rules: Some(rules.iter().map(|rule| (*rule).into()).collect()),
        moves: Moves::Unknown("there is no record".into()),
    };
    assert_eq!(
        guard(&["deletion", "non_fast_forward"]).keeps(&tail, &terms),
        Ok(Guarded::ByRules)
    );
    for rules in [&[][..], &["deletion"], &["non_fast_forward", "update"]] {
        assert_eq!(
            guard(rules).keeps(&tail, &terms),
            Err("there is no record".into())
        );
    }
}
