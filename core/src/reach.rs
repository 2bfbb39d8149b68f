//! On which branches the commit of a release or tag must be, because GitHub also finds commits of forks.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    ledger,
    name::{BranchName, CommitId},
    policy::Pattern,
};

/// Most names and patterns of one list.
pub const MOST_BRANCHES: usize = 8;

/// Rules without which a branch could be led to any commit.
const UNMOVED: [&str; 2] = ["deletion", "non_fast_forward"];
/// Without this one, anyone who may push makes a branch of a name that a pattern matches.
const UNMADE: &str = "creation";

/// The branches that may hold the commit, by name or pattern. Without any, the default branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReachableFrom(Vec<Pattern>);

impl ReachableFrom {
    /// A list that is not empty, and not too long.
    #[must_use]
    pub fn new(listed: Vec<Pattern>) -> Option<Self> {
        (1..=MOST_BRANCHES)
            .contains(&listed.len())
            .then_some(Self(listed))
    }

    /// The branches that are listed by their names.
    pub fn names(&self) -> impl Iterator<Item = BranchName> {
        let named = self.0.iter().filter(|pattern| pattern.is_a_name());
        named.filter_map(|pattern| pattern.to_string().parse().ok())
    }

    /// Whether branches must be listed to know which are meant.
    #[must_use]
    pub fn has_patterns(&self) -> bool {
        self.0.iter().any(|pattern| !pattern.is_a_name())
    }

    /// How the branch is meant, if it is.
    #[must_use]
    pub fn lists(&self, branch: &BranchName) -> Option<Listed> {
        let mut matching = self
            .0
            .iter()
            .filter(|pattern| pattern.matches(branch.as_str()));
        let first = matching.next()?;
        let is_named = first.is_a_name() || matching.any(Pattern::is_a_name);
        Some(if is_named {
            Listed::ByName
        } else {
            Listed::ByPattern
        })
    }

    /// The branch that holds the commit, or why none of those that may does.
    pub fn holds(&self, commit: &CommitId, seen: &Branches) -> Result<BranchName, Unreachable> {
        let mut reasons = Vec::new();
        for branch in &seen.branches {
            match self.judge(branch) {
                None => {}
                Some(Ok(())) => return Ok(branch.name.clone()),
                Some(Err(reason)) => reasons.push(reason),
            }
        }
        reasons.extend(seen.unseen.clone());
        Err(Unreachable {
            commit: commit.clone(),
            reasons,
        })
    }

    /// Whether a branch holds the commit so that this counts; `None` if it is not meant.
    fn judge(&self, branch: &BranchSeen) -> Option<Result<(), String>> {
        let listed = match self.lists(&branch.name) {
            Some(listed) => listed,
            None if self.0.is_empty() && branch.is_default => Listed::ByName,
            None => return None,
        };
        let name = &branch.name;
        let missing = if branch.is_default {
            None
        } else {
            branch.lacks(listed)
        };
        Some(match (branch.position, missing) {
            // Every publication appends to it, and anyone who may push can.
            _ if name.as_str() == ledger::BRANCH => Err(format!("`{name}` is the ledger")),
            (Position::Absent, _) => Err(format!("there is no branch `{name}`")),
            (Position::Identical | Position::Behind, None) => Ok(()),
            (Position::Identical | Position::Behind, Some(rule)) => Err(format!(
                "`{name}` contains it, but has no rule `{rule}`, so it can be led to any commit"
            )),
            (Position::Ahead | Position::Diverged, _) => {
                Err(format!("`{name}` does not contain it"))
            }
            (Position::NotCompared, _) => Err(format!("GitHub did not compare it with `{name}`")),
        })
    }
}

impl fmt::Display for ReachableFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        match listed.as_slice() {
            [] => f.write_str("the default branch"),
            listed => f.write_str(&listed.join(", ")),
        }
    }
}

/// How a branch is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// By its name.
    ByName,
    /// By a pattern that its name matches.
    ByPattern,
}

/// What GitHub showed of the branches that may hold the commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branches {
    /// Those that were looked at.
    pub branches: Vec<BranchSeen>,
    /// Why others that are meant were not.
    pub unseen: Option<String>,
}

impl Branches {
    /// Takes in further branches. One that is here already is known better.
    pub fn add(&mut self, more: Self) {
        for branch in more.branches {
            if self.branches.iter().all(|known| known.name != branch.name) {
                self.branches.push(branch);
            }
        }
        self.unseen = self.unseen.take().or(more.unseen);
    }
}

/// A branch, and where the commit is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchSeen {
    /// Its name.
    pub name: BranchName,
    /// Whether it is the repository's default branch.
    pub is_default: bool,
    /// Where the commit is.
    pub position: Position,
    /// Types of its active rules, in the words of REST; `None` if GitHub does not show them.
    pub rules: Option<Vec<String>>,
}

impl BranchSeen {
    /// The first rule that would be needed and is not active.
    fn lacks(&self, listed: Listed) -> Option<&'static str> {
        let rules = self.rules.as_deref().unwrap_or_default();
        let needed = UNMOVED
            .iter()
            .chain((listed == Listed::ByPattern).then_some(&UNMADE));
        needed
            .copied()
            .find(|needed| rules.iter().all(|rule| rule != needed))
    }
}

/// Where a commit is, as a branch sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// It is the branch's newest.
    Identical,
    /// It is one of the branch's older ones.
    Behind,
    /// It comes after the branch's newest.
    Ahead,
    /// It has commits that the branch lacks, and lacks others.
    Diverged,
    /// GitHub did not compare them.
    NotCompared,
    /// There is no such branch.
    Absent,
}

/// Why none of the branches that may hold the commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    commit: CommitId,
    reasons: Vec<String>,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commit, reasons } = self;
        let reasons = if reasons.is_empty() {
            "there is no branch to look at".into()
        } else {
            reasons.join("; ")
        };
        write!(f, "no allowed branch contains {commit}: {reasons}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::commit;

    fn listed(patterns: &[&str]) -> ReachableFrom {
        let patterns = patterns.iter().map(|text| text.parse().unwrap());
        ReachableFrom::new(patterns.collect()).unwrap_or_default()
    }

    fn branch(name: &str, position: Position, rules: &[&str]) -> BranchSeen {
        BranchSeen {
            name: name.parse().unwrap(),
            is_default: name == "main",
            position,
            rules: Some(rules.iter().map(|rule| (*rule).into()).collect()),
        }
    }

    /// The branch that holds the commit, or the reasons.
    fn verdict(allowed: &[&str], branches: &[BranchSeen]) -> String {
        let seen = Branches {
            branches: branches.to_vec(),
            unseen: None,
        };
        match listed(allowed).holds(&commit('1'), &seen) {
            Ok(branch) => format!("on {branch}"),
            Err(Unreachable { reasons, .. }) => reasons.join("; "),
        }
    }

    const ALL: &[&str] = &["creation", "deletion", "non_fast_forward"];

    #[test]
    fn without_a_list_the_default_branch_must_contain_the_commit() {
        for (position, expected) in [
            (Position::Identical, "on main"),
            (Position::Behind, "on main"),
            (Position::Ahead, "`main` does not contain it"),
            (Position::Diverged, "`main` does not contain it"),
            (
                Position::NotCompared,
                "GitHub did not compare it with `main`",
            ),
        ] {
            assert_eq!(verdict(&[], &[branch("main", position, &[])]), expected);
        }
        assert_eq!(
            verdict(&[], &[branch("release/1", Position::Identical, ALL)]),
            ""
        );
    }

    #[test]
    fn another_branch_counts_while_rules_keep_it_from_being_rewritten() {
        let cases: [(&[&str], &str, &[&str], &str); 7] = [
            (
                &["release/1"],
                "release/1",
                &["deletion", "non_fast_forward"],
                "on release/1",
            ),
            (
                &["release/1"],
                "release/1",
                &["non_fast_forward"],
                "`release/1` contains it, but has no rule `deletion`, so it can be led to any commit",
            ),
            (
                &["release/*"],
                "release/1",
                &["deletion", "non_fast_forward"],
                "`release/1` contains it, but has no rule `creation`, so it can be led to any commit",
            ),
            (&["release/*"], "release/1", ALL, "on release/1"),
            (
                &["release/*", "release/1"],
                "release/1",
                &["deletion", "non_fast_forward"],
                "on release/1",
            ),
            (&["release/*"], "main", &[], ""),
            (
                &["receipt-ledger"],
                "receipt-ledger",
                ALL,
                "`receipt-ledger` is the ledger",
            ),
        ];
        for (allowed, name, rules, expected) in cases {
            assert_eq!(
                verdict(allowed, &[branch(name, Position::Behind, rules)]),
                expected,
                "{allowed:?} {name} {rules:?}"
            );
        }
    }

    #[test]
    fn rules_that_github_does_not_show_protect_nothing() {
        let unseen = BranchSeen {
            rules: None,
            ..branch("release/1", Position::Behind, &[])
        };
        assert_eq!(
            verdict(&["release/1"], &[unseen]),
            "`release/1` contains it, but has no rule `deletion`, so it can be led to any commit"
        );
    }

    #[test]
    fn a_refusal_names_every_branch_that_was_looked_at() {
        let seen = Branches {
            branches: [
                branch("main", Position::Diverged, &[]),
                branch("next", Position::Absent, &[]),
            ]
            .to_vec(),
            unseen: Some("more than 30 branches match".into()),
        };
        let refused = listed(&["main", "next", "x*"]).holds(&commit('1'), &seen);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "no allowed branch contains 1111111111111111111111111111111111111111: `main` does not contain it; there is no branch `next`; more than 30 branches match"
        );
        let nothing = listed(&[]).holds(&commit('1'), &Branches::default());
        assert_eq!(
            nothing.unwrap_err().to_string(),
            "no allowed branch contains 1111111111111111111111111111111111111111: there is no branch to look at"
        );
    }

    #[test]
    fn a_list_has_one_to_eight_names_or_patterns() {
        let patterns = |count| vec!["main".parse::<Pattern>().unwrap(); count];
        assert_eq!(ReachableFrom::new(patterns(0)), None);
        assert!(ReachableFrom::new(patterns(8)).is_some());
        assert_eq!(ReachableFrom::new(patterns(9)), None);
    }
}
