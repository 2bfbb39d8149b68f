//! What GitHub holds right now, and whether it leaves room for the operation as approved.

use alloc::{string::String, vec::Vec};

use crate::{
    evidence::AttachReceipt,
    name::{BranchName, CommitId, TagName},
    operation::{OpenPr, Operation, PublishRelease, TagRepo},
    timestamp::Timestamp,
};

/// REST requests that one attempt may need at worst, apart from its uploads: some thirty looks for
/// what shows late, repeats (GitHub was seen to count a refused duplicate three times), pages of assets.
const REQUESTS_NEEDED: u64 = 80;

/// Files that an operation uploads, the evidence included.
#[must_use]
pub fn uploads(operation: &Operation, attach: AttachReceipt) -> u64 {
    match operation {
        Operation::PublishRelease(release) => {
            release.assets.as_slice().len() as u64 + u64::from(attach == AttachReceipt::Yes)
        }
        Operation::TagRepo(_) | Operation::OpenPr(_) => 0,
    }
}

/// REST requests that an operation may need at worst. GitHub was seen to count an upload twice.
#[must_use]
pub fn requests_needed(operation: &Operation, attach: AttachReceipt) -> u64 {
    REQUESTS_NEEDED + 2 * uploads(operation, attach)
}

/// GraphQL points that must be left: enough for twenty tries each of claim, outcome and its
/// correction, with a look between.
pub const POINTS_NEEDED: u64 = 3 * 20 * 2;

/// The facts of one preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Whether the repository is archived, hence read-only.
    pub archived: bool,
    /// Whether the operation's commit exists in the repository and is a commit.
    pub commit: CommitFact,
    /// Tree id of `.github/workflows` at the operation's commit, if there is one.
    pub workflows: Option<CommitId>,
    /// Tree id of `.github/workflows` at the default branch's head, if there is one.
    pub default_workflows: Option<CommitId>,
    /// The tag of that name, if there is one.
    pub tag: Option<TagFact>,
    /// URL of the published release of that tag, if there is one.
    pub release: Option<String>,
    /// Head of the branch to merge, if it exists.
    pub head: Option<CommitId>,
    /// Head of the branch into which to merge, if it exists.
    pub base: Option<CommitId>,
    /// URLs of open pull requests from that head into that base.
    pub pulls: Vec<String>,
    /// GraphQL points left, and when there are new ones.
    pub budget: Budget,
    /// REST requests left, where that was asked; a server may have no limit.
    pub requests: Option<Budget>,
}

/// What stands under a commit id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFact {
    /// A commit.
    Commit,
    /// Something else: a tree, a blob, a tag object.
    Other,
    /// Nothing.
    Missing,
}

/// A tag that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFact {
    /// The commit to which it leads in the end.
    pub commit: CommitId,
}

/// What the rate limit leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Points left in this hour.
    pub remaining: u64,
    /// What an hour gives, if it is known.
    pub limit: Option<u64>,
    /// When the next hour begins.
    pub resets_at: Option<Timestamp>,
}

impl Budget {
    const fn covers(self, what: &'static str, needed: u64) -> Result<(), WorldRefusal> {
        let Self {
            remaining,
            limit,
            resets_at,
        } = self;
        match limit {
            _ if remaining >= needed => Ok(()),
            Some(limit) if limit < needed => Err(WorldRefusal::RateTooLow {
                what,
                needed,
                limit,
            }),
            _ => Err(WorldRefusal::RateLimit {
                what,
                needed,
                remaining,
                resets_at,
            }),
        }
    }
}

/// Why the world leaves no room for the operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldRefusal {
    /// The repository is read-only.
    #[error("the repository is archived, so nothing can be written to it")]
    Archived,
    /// The commit does not exist there.
    #[error("the repository has no commit {commit}{}", if *.other { "; the id belongs to another kind of object" } else { "" })]
    CommitMissing {
        /// The commit that was approved.
        commit: CommitId,
        /// Whether another object has the id.
        other: bool,
    },
    /// The tag exists and leads elsewhere.
    #[error("the tag `{tag}` points to {found}, but {approved} was approved")]
    TagMoved {
        /// The tag.
        tag: TagName,
        /// Where it leads.
        found: CommitId,
        /// Where it should lead.
        approved: CommitId,
    },
    /// The tag exists already.
    #[error("the tag `{tag}` exists already, at {found}")]
    TagExists {
        /// The tag.
        tag: TagName,
        /// Where it leads.
        found: CommitId,
    },
    /// The release exists already.
    #[error("the tag `{tag}` has a published release already: {url}")]
    ReleaseExists {
        /// The tag.
        tag: TagName,
        /// The release's page.
        url: String,
    },
    /// A branch is missing.
    #[error("the repository has no branch `{branch}`")]
    BranchMissing {
        /// The branch.
        branch: BranchName,
    },
    /// The head branch stands at another commit.
    #[error("the branch `{branch}` is at {found}, but {approved} was approved")]
    BranchMoved {
        /// The branch.
        branch: BranchName,
        /// Where it is.
        found: CommitId,
        /// Where it was approved.
        approved: CommitId,
    },
    /// Head and base are the same commit.
    #[error(
        "the branches `{head}` and `{base}` are at the same commit {commit}: there is nothing to merge"
    )]
    NothingToMerge {
        /// The head branch.
        head: BranchName,
        /// The base branch.
        base: BranchName,
        /// Their commit.
        commit: CommitId,
    },
    /// The same pull request is open.
    #[error("a pull request from `{head}` into `{base}` is open already: {url}")]
    PullExists {
        /// The head branch.
        head: BranchName,
        /// The base branch.
        base: BranchName,
        /// Its page.
        url: String,
    },
    /// The job token may not create a ref for that commit.
    #[error("`.github/workflows` at {commit} differs from the default branch's (tree {} ≠ {})", short(.found.as_ref()), short(.default.as_ref()))]
    WorkflowsDiffer {
        /// The operation's commit.
        commit: CommitId,
        /// Its tree of workflows.
        found: Option<CommitId>,
        /// The default branch's.
        default: Option<CommitId>,
    },
    /// The token can never do it.
    #[error("GitHub allows this token {limit} {what} an hour, this operation may need {needed}")]
    RateTooLow {
        /// Of what there is too little.
        what: &'static str,
        /// How many may be needed.
        needed: u64,
        /// How many there are in an hour.
        limit: u64,
    },
    /// The rate limit leaves too little.
    #[error("GitHub allows {remaining} more {what} until {}, this operation may need {needed}", .resets_at.map_or(String::from("the next hour"), |time| alloc::format!("{time}")))]
    RateLimit {
        /// Of what there is too little.
        what: &'static str,
        /// How many may be needed.
        needed: u64,
        /// Points left.
        remaining: u64,
        /// When there are new ones.
        resets_at: Option<Timestamp>,
    },
}

fn short(tree: Option<&CommitId>) -> &str {
    tree.map_or("none", CommitId::short)
}

impl WorldRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Archived => "preflight_archived",
            Self::CommitMissing { .. } => "preflight_commit_missing",
            Self::TagMoved { .. } => "preflight_tag_moved",
            Self::TagExists { .. } => "preflight_tag_exists",
            Self::ReleaseExists { .. } => "preflight_release_exists",
            Self::BranchMissing { .. } => "preflight_branch_missing",
            Self::BranchMoved { .. } => "preflight_branch_moved",
            Self::NothingToMerge { .. } => "preflight_nothing_to_merge",
            Self::PullExists { .. } => "preflight_pull_exists",
            Self::WorkflowsDiffer { .. } => "preflight_workflows_differ",
            Self::RateLimit { .. } | Self::RateTooLow { .. } => "preflight_rate_limit",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Archived => "Unarchive the repository first; the receipt is not spent.",
            Self::CommitMissing { .. } => {
                "Push the commit to this repository, or make a new plan for one that is there."
            }
            Self::TagMoved { .. } => {
                "Somebody set the tag to another commit: find out who. Make a new plan under a new name, or for the commit that the tag marks."
            }
            Self::TagExists { .. } => {
                "Nothing is left to do if it is the tag that you want; otherwise plan a new name. Tags are never moved."
            }
            Self::ReleaseExists { .. } => {
                "Look at that release; to publish again, plan a new version."
            }
            Self::BranchMissing { .. } => {
                "Push the branch, or correct its name and make a new plan."
            }
            Self::BranchMoved { .. } => {
                "Commits came after the approval, or `head-sha` names an older one: make a new plan without `head-sha`, which takes the branch as it is now, and have it approved."
            }
            Self::NothingToMerge { .. } => "Push the commits that the pull request is to propose.",
            Self::PullExists { .. } => "Use that pull request, or close it first.",
            Self::WorkflowsDiffer { .. } => {
                "GitHub forbids the job token to create a ref there. Merge the workflow changes first, or use a token with the workflows permission and set `allow-workflow-changes: true`."
            }
            Self::RateLimit { .. } => {
                "Run the job again after that time; this attempt wrote nothing."
            }
            Self::RateTooLow { .. } => {
                "Waiting does not help. Use a token with a higher limit, for instance a GitHub App's, or publish fewer assets."
            }
        }
    }
}

impl World {
    /// The first reason for which GitHub would reject the operation, or not leave it as approved.
    pub fn allows(
        &self,
        operation: &Operation,
        allow_workflow_changes: bool,
        attach: AttachReceipt,
    ) -> Result<(), WorldRefusal> {
        if self.archived {
            return Err(WorldRefusal::Archived);
        }
        self.has_commit(operation.commit())?;
        match operation {
            Operation::PublishRelease(release) => {
                self.allows_release(release, allow_workflow_changes)?;
            }
            Operation::TagRepo(tag) => self.allows_tag(tag, allow_workflow_changes)?,
            Operation::OpenPr(pull) => self.allows_pull(pull)?,
        }
        self.has_budget(operation, attach)
    }

    /// The first reason for which an unfinished operation cannot be resumed. What it made already is
    /// no obstacle: whether that is as approved is looked at before anything is done.
    pub fn allows_resuming(
        &self,
        operation: &Operation,
        allow_workflow_changes: bool,
    ) -> Result<(), WorldRefusal> {
        if self.archived {
            return Err(WorldRefusal::Archived);
        }
        self.has_commit(operation.commit())?;
        // GitHub looks at the workflows when it makes the ref; one that is there needs no leave.
        if !matches!(operation, Operation::OpenPr(_)) && self.tag.is_none() {
            self.same_workflows(operation.commit(), allow_workflow_changes)?;
        }
        self.budget.covers("GraphQL points", POINTS_NEEDED)?;
        // How many of the uploads are done already shows only later.
        self.requests.map_or(Ok(()), |requests| {
            requests.covers("REST requests", REQUESTS_NEEDED)
        })
    }

    fn has_commit(&self, commit: &CommitId) -> Result<(), WorldRefusal> {
        if self.commit == CommitFact::Commit {
            return Ok(());
        }
        Err(WorldRefusal::CommitMissing {
            commit: commit.clone(),
            other: self.commit == CommitFact::Other,
        })
    }

    fn allows_release(
        &self,
        release: &PublishRelease,
        allow_workflow_changes: bool,
    ) -> Result<(), WorldRefusal> {
        self.tag_free_or_at(&release.tag_name, &release.target_sha)?;
        if let Some(url) = &self.release {
            return Err(WorldRefusal::ReleaseExists {
                tag: release.tag_name.clone(),
                url: url.clone(),
            });
        }
        self.same_workflows(&release.target_sha, allow_workflow_changes)
    }

    fn allows_tag(&self, tag: &TagRepo, allow_workflow_changes: bool) -> Result<(), WorldRefusal> {
        self.tag_free_or_at(&tag.tag_name, &tag.target_sha)?;
        if let Some(found) = &self.tag {
            return Err(WorldRefusal::TagExists {
                tag: tag.tag_name.clone(),
                found: found.commit.clone(),
            });
        }
        self.same_workflows(&tag.target_sha, allow_workflow_changes)
    }

    fn allows_pull(&self, pull: &OpenPr) -> Result<(), WorldRefusal> {
        let missing = |branch: &BranchName| WorldRefusal::BranchMissing {
            branch: branch.clone(),
        };
        let head = self
            .head
            .as_ref()
            .ok_or_else(|| missing(&pull.head_branch))?;
        let base = self
            .base
            .as_ref()
            .ok_or_else(|| missing(&pull.base_branch))?;
        if *head != pull.head_sha {
            return Err(WorldRefusal::BranchMoved {
                branch: pull.head_branch.clone(),
                found: head.clone(),
                approved: pull.head_sha.clone(),
            });
        }
        if head == base {
            return Err(WorldRefusal::NothingToMerge {
                head: pull.head_branch.clone(),
                base: pull.base_branch.clone(),
                commit: head.clone(),
            });
        }
        match self.pulls.first() {
            Some(url) => Err(WorldRefusal::PullExists {
                head: pull.head_branch.clone(),
                base: pull.base_branch.clone(),
                url: url.clone(),
            }),
            None => Ok(()),
        }
    }

    fn tag_free_or_at(&self, tag: &TagName, approved: &CommitId) -> Result<(), WorldRefusal> {
        match &self.tag {
            Some(found) if found.commit != *approved => Err(WorldRefusal::TagMoved {
                tag: tag.clone(),
                found: found.commit.clone(),
                approved: approved.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// GitHub refuses the job token a ref whose commit "adds or modifies any file under `.github/workflows`".
    fn same_workflows(&self, commit: &CommitId, allow_changes: bool) -> Result<(), WorldRefusal> {
        if allow_changes || self.workflows.is_none() || self.workflows == self.default_workflows {
            return Ok(());
        }
        Err(WorldRefusal::WorkflowsDiffer {
            commit: commit.clone(),
            found: self.workflows.clone(),
            default: self.default_workflows.clone(),
        })
    }

    fn has_budget(&self, operation: &Operation, attach: AttachReceipt) -> Result<(), WorldRefusal> {
        self.budget.covers("GraphQL points", POINTS_NEEDED)?;
        self.requests.map_or(Ok(()), |requests| {
            requests.covers("REST requests", requests_needed(operation, attach))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commit, pull, pull_world, release, tag, world};

    /// The code of the refusal, or `-`.
    fn verdict(operation: &Operation, edit: impl Fn(&mut World)) -> &'static str {
        let mut world = if matches!(operation, Operation::OpenPr(_)) {
            pull_world()
        } else {
            world()
        };
        edit(&mut world);
        world
            .allows(operation, false, AttachReceipt::No)
            .map_or_else(|refusal| refusal.code(), |()| "-")
    }

    #[test]
    fn a_tag_must_be_free_or_at_the_approved_commit() {
        let at = |digit: char| {
            move |world: &mut World| {
                world.tag = Some(TagFact {
                    commit: commit(digit),
                });
            }
        };
        assert_eq!(verdict(&release(), |_| ()), "-");
        assert_eq!(verdict(&release(), at('1')), "-");
        assert_eq!(verdict(&release(), at('2')), "preflight_tag_moved");
        assert_eq!(verdict(&tag(), |_| ()), "-");
        assert_eq!(verdict(&tag(), at('1')), "preflight_tag_exists");
        assert_eq!(verdict(&tag(), at('2')), "preflight_tag_moved");
    }

    #[test]
    fn a_release_must_not_exist() {
        assert_eq!(
            verdict(&release(), |world| world.release =
                Some("https://github.com/…".into())),
            "preflight_release_exists"
        );
    }

    #[test]
    fn the_commit_must_exist_and_be_a_commit() {
        for operation in [release(), tag(), pull()] {
            assert_eq!(
                verdict(&operation, |world| world.commit = CommitFact::Missing),
                "preflight_commit_missing"
            );
            assert_eq!(
                verdict(&operation, |world| world.commit = CommitFact::Other),
                "preflight_commit_missing"
            );
            assert_eq!(
                verdict(&operation, |world| world.archived = true),
                "preflight_archived"
            );
        }
    }

    #[test]
    fn a_pull_request_needs_both_branches_the_approved_head_and_no_twin() {
        assert_eq!(verdict(&pull(), |_| ()), "-");
        assert_eq!(
            verdict(&pull(), |world| world.head = None),
            "preflight_branch_missing"
        );
        assert_eq!(
            verdict(&pull(), |world| world.base = None),
            "preflight_branch_missing"
        );
        assert_eq!(
            verdict(&pull(), |world| world.head = Some(commit('3'))),
            "preflight_branch_moved"
        );
        assert_eq!(
            verdict(&pull(), |world| world.base = Some(commit('1'))),
            "preflight_nothing_to_merge"
        );
        assert_eq!(
            verdict(&pull(), |world| world
                .pulls
                .push("https://github.com/…".into())),
            "preflight_pull_exists"
        );
    }

    #[test]
    fn workflows_must_be_those_of_the_default_branch_unless_the_token_may_change_them() {
        let differ = |world: &mut World| world.workflows = Some(commit('8'));
        for operation in [release(), tag()] {
            assert_eq!(verdict(&operation, differ), "preflight_workflows_differ");
            assert_eq!(verdict(&operation, |world| world.workflows = None), "-");
        }
        assert_eq!(verdict(&pull(), differ), "-");
        let mut changed = world();
        differ(&mut changed);
        assert_eq!(changed.allows(&release(), true, AttachReceipt::No), Ok(()));
    }

    #[test]
    fn what_is_unfinished_can_be_looked_after_while_the_repository_takes_writes() {
        assert_eq!(world().allows_resuming(&release(), false), Ok(()));
        assert_eq!(
            World {
                archived: true,
                ..world()
            }
            .allows_resuming(&release(), false),
            Err(WorldRefusal::Archived)
        );
        let poor = World {
            budget: Budget {
                remaining: 71,
                ..world().budget
            },
            ..world()
        };
        assert_eq!(
            poor.allows_resuming(&release(), false).unwrap_err().code(),
            "preflight_rate_limit"
        );
    }

    #[test]
    fn what_an_earlier_attempt_made_is_no_obstacle_and_everything_else_is_one_still() {
        let resumed = |operation: &Operation, edit: &dyn Fn(&mut World)| {
            let mut world = world();
            edit(&mut world);
            let verdict = world.allows_resuming(operation, false);
            verdict.map_or_else(|refusal| refusal.code(), |()| "-")
        };
        let made = |world: &mut World| {
            world.tag = Some(TagFact {
                commit: commit('1'),
            });
            world.release = Some("https://github.com/…".into());
            world.pulls.push("https://github.com/…".into());
        };
        let differ = |world: &mut World| world.workflows = Some(commit('8'));
        for operation in [release(), tag(), pull()] {
            assert_eq!(resumed(&operation, &made), "-");
            assert_eq!(
                resumed(&operation, &|world| world.commit = CommitFact::Missing),
                "preflight_commit_missing"
            );
        }
        for operation in [release(), tag()] {
            assert_eq!(resumed(&operation, &differ), "preflight_workflows_differ");
            assert_eq!(
                resumed(&operation, &|world| {
                    differ(world);
                    made(world);
                }),
                "-",
                "the ref was made before"
            );
        }
        assert_eq!(resumed(&pull(), &differ), "-");
        let mut changed = world();
        differ(&mut changed);
        assert_eq!(changed.allows_resuming(&release(), true), Ok(()));
    }

    #[test]
    fn a_limit_that_no_hour_meets_is_told_apart_from_one_that_the_next_hour_meets() {
        let told = |limit: Option<u64>| {
            Budget {
                remaining: 9,
                limit,
                resets_at: None,
            }
            .covers("points", 10)
            .unwrap_err()
        };
        assert_eq!(
            told(Some(9)),
            WorldRefusal::RateTooLow {
                what: "points",
                needed: 10,
                limit: 9
            }
        );
        for limit in [Some(10), None] {
            assert_eq!(
                told(limit),
                WorldRefusal::RateLimit {
                    what: "points",
                    needed: 10,
                    remaining: 9,
                    resets_at: None
                }
            );
        }
        assert_eq!(
            told(Some(9)).remedy(),
            "Waiting does not help. Use a token with a higher limit, for instance a GitHub App's, or publish fewer assets."
        );
    }

    #[test]
    fn a_refusal_tells_both_sides() {
        let told = |operation: &Operation, edit: &dyn Fn(&mut World)| {
            let mut world = world();
            edit(&mut world);
            std::format!(
                "{}",
                world
                    .allows(operation, false, AttachReceipt::No)
                    .unwrap_err()
            )
        };
        let missing = "the repository has no commit 1111111111111111111111111111111111111111";
        assert_eq!(
            told(&tag(), &|world| world.commit = CommitFact::Missing),
            missing
        );
        let other = alloc::format!("{missing}; the id belongs to another kind of object");
        assert_eq!(
            told(&tag(), &|world| world.commit = CommitFact::Other),
            other
        );
        assert_eq!(
            told(&tag(), &|world| (
                world.workflows,
                world.default_workflows
            ) = (Some(commit('8')), None)),
            "`.github/workflows` at 1111111111111111111111111111111111111111 differs from the default branch's (tree 888888888888 ≠ none)"
        );
    }

    #[test]
    fn the_budget_must_cover_the_worst_case() {
        let left = |remaining: u64| move |world: &mut World| world.budget.remaining = remaining;
        assert_eq!(verdict(&tag(), left(120)), "-");
        assert_eq!(verdict(&tag(), left(119)), "preflight_rate_limit");
        let requests = |remaining: u64| {
            move |world: &mut World| {
                world.requests = Some(Budget {
                    remaining,
                    limit: Some(1000),
                    resets_at: None,
                });
            }
        };
        assert_eq!(verdict(&tag(), requests(80)), "-");
        assert_eq!(verdict(&tag(), requests(79)), "preflight_rate_limit");
        let mut resumed = world();
        requests(80)(&mut resumed);
        assert_eq!(
            resumed.allows_resuming(&tag(), false),
            Ok(()),
            "the uploads may be done already"
        );
        requests(79)(&mut resumed);
        assert_eq!(
            resumed.allows_resuming(&tag(), false).unwrap_err().code(),
            "preflight_rate_limit"
        );
        // One asset and the evidence: two uploads, each counted twice.
        assert_eq!(
            (
                requests_needed(&release(), AttachReceipt::No),
                requests_needed(&release(), AttachReceipt::Yes)
            ),
            (82, 84)
        );
        assert_eq!(requests_needed(&tag(), AttachReceipt::Yes), 80);
    }
}
