//! Decides whether the branch can have been rewound to where a receipt's issuer saw it.
//!
//! A branch that was set back exactly to the checkpoint looks as if nothing had happened since. Its
//! commits cannot show that. GitHub can: by rules that forbid it, or by its record of every move.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use super::Tail;
use crate::{name::CommitId, receipt::Terms, timestamp::Timestamp};

/// How long before a receipt was issued its plan may have been made: 24 hours, and what clocks may
/// differ by.
const PLAN_AGE: u64 = 24 * 60 * 60 + 5 * 60;

/// A move of the branch, as GitHub recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where the branch was; all zeros if it did not exist.
    pub before: CommitId,
    /// Where it was then.
    pub after: CommitId,
    /// What happened.
    pub kind: MoveKind,
    /// When.
    pub at: Timestamp,
}

/// What a move was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// New commits on top.
    Push,
    /// The branch was made.
    Creation,
    /// Anything else: it was forced, deleted, or moved in a way that this version does not know.
    Other,
}

/// GitHub's record of the branch's moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moves {
    /// The newest moves, the newest first.
    Shown {
        /// The moves.
        moves: Vec<Move>,
        /// Whether the oldest of them is the branch's first.
        complete: bool,
    },
    /// There is none, for this reason.
    Unknown(String),
}

/// Why recorded moves do not show that the branch was not rewound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unjoined {
    /// The record does not show yet how the branch came to this commit.
    Late(CommitId),
    /// Older moves are needed.
    MoreNeeded,
    /// It was rewound, or the record has a gap, or there is none.
    Broken(String),
}

impl fmt::Display for Unjoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(commit) => write!(f, "GitHub's activity shows no move to {commit}"),
            Self::MoreNeeded => {
                f.write_str("GitHub's activity does not reach back to before the receipt's plan")
            }
            Self::Broken(problem) => f.write_str(problem),
        }
    }
}

/// What keeps the branch from having been rewound unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The types of the branch's active rules, if GitHub shows them.
    pub rules: Option<Vec<String>>,
    /// Its recorded moves.
    pub moves: Moves,
}

/// What the guard showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    /// Rules forbid it.
    ByRules,
    /// Every move since the receipt's plan is recorded, and none was forced.
    ByMoves,
}

impl Guarded {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByRules => "rules forbid deletion and forced pushes",
            Self::ByMoves => "GitHub's activity shows only plain pushes",
        }
    }
}

impl Guard {
    /// Whether the branch cannot have been rewound since a receipt's plan was made; if it can, why.
    pub fn keeps(&self, tail: &Tail, terms: &Terms) -> Result<Guarded, String> {
        if self.forbids_rewinding() {
            return Ok(Guarded::ByRules);
        }
        let joined = self.moves.join(tail, terms).map(|()| Guarded::ByMoves);
        joined.map_err(|problem| format!("{problem}"))
    }

    /// Whether the branch's rules forbid to delete and to rewrite it.
    #[must_use]
    pub fn forbids_rewinding(&self) -> bool {
        let rules = self.rules.as_deref().unwrap_or_default();
        ["deletion", "non_fast_forward"]
            .iter()
            .all(|needed| rules.iter().any(|rule| rule == needed))
    }
}

impl Moves {
    /// Whether the branch came to be what it is by plain pushes alone, since before the receipt's plan.
    ///
    /// It is not enough to find the move that led to the checkpoint: a branch that was rewound further
    /// can reach the checkpoint again by a plain push.
    pub fn join(&self, tail: &Tail, terms: &Terms) -> Result<(), Unjoined> {
        let (moves, complete) = match self {
            Self::Shown { moves, complete } => (moves.as_slice(), *complete),
            Self::Unknown(reason) => return Err(Unjoined::Broken(reason.clone())),
        };
        let chain = tail.commits_from(&terms.ledger);
        let seen = newest_seen(moves, tail, &chain)?;
        let long_ago = terms.issued_at.minus(PLAN_AGE);

        let mut above: Option<&Move> = None;
        for (at, step) in moves.iter().enumerate() {
            if let Some(above) = above
                && above.before != step.after
            {
                return Err(Unjoined::Broken(format!(
                    "GitHub's activity has a gap below {}",
                    above.before
                )));
            }
            let is_first = complete && at + 1 == moves.len();
            match step.kind {
                MoveKind::Push => {}
                MoveKind::Creation if is_first && tail.root() == Some(&step.after) => {
                    return Ok(());
                }
                MoveKind::Creation | MoveKind::Other => return Err(rewound(step)),
            }
            if at >= seen && step.at < long_ago && !chain.contains(&&step.before) {
                return Ok(());
            }
            above = Some(step);
        }
        Err(if complete {
            Unjoined::Broken("GitHub's activity ends before it shows how the branch began".into())
        } else {
            Unjoined::MoreNeeded
        })
    }
}

/// The place of the move that made the branch what was seen of it; moves above it came later. The
/// record may not show yet what this process appended itself.
fn newest_seen(moves: &[Move], tail: &Tail, chain: &[&CommitId]) -> Result<usize, Unjoined> {
    for commit in chain {
        if let Some(at) = moves.iter().position(|step| step.after == **commit) {
            return Ok(at);
        }
        if !tail.is_own_append(commit) {
            break;
        }
    }
    Err(Unjoined::Late(tail.tip().commit.clone()))
}

fn rewound(step: &Move) -> Unjoined {
    let Move { before, after, .. } = step;
    Unjoined::Broken(match step.kind {
        MoveKind::Creation => format!("the branch was recreated at {after}"),
        _ => format!("the branch was deleted, or moved by force, from {before} to {after}"),
    })
}

#[cfg(test)]
mod tests;
