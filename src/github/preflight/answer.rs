//! The preflight's answer: read whole or not at all, and turned into the facts on which the core decides.

use serde::Deserialize;

use countersign_core::{
    name::{CommitId, RepositoryId},
    operation::Target,
    reach::{BranchSeen, Branches},
    refusal::Refusal,
    timestamp::Timestamp,
    world::{Budget, CommitFact, TagFact, World},
};

use super::PreflightQuery;
use crate::github::{
    Trouble,
    branches::{Comparison, Rules},
    ledger::Blob,
    tail::HistoryPage,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    repository: Option<serde_json::Value>,
    rate_limit: Option<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    database_id: Option<u64>,
    name_with_owner: String,
    is_archived: bool,
    ledger: Option<LedgerRef>,
    commit: Option<Typed>,
    workflows: Option<Oid>,
    default_workflows: Option<Oid>,
    default_branch: Option<DefaultBranch>,
    trust_file: Option<Blob>,
    policy_file: Option<Blob>,
    tag: Option<TagRef>,
    release: Option<Release>,
    head: Option<BranchRef>,
    base: Option<BranchRef>,
    pull_requests: Option<Pulls>,
}

#[derive(Deserialize)]
struct LedgerRef {
    rules: Option<Rules>,
    target: Option<LedgerCommit>,
}

#[derive(Deserialize)]
struct DefaultBranch {
    name: String,
    compare: Option<Comparison>,
}

#[derive(Deserialize)]
struct LedgerCommit {
    oid: Option<CommitText>,
    history: Option<HistoryPage>,
}

/// The ledger's branch: its tip and its newest commits, of which nothing has been verified.
pub(super) struct Ledger {
    pub(super) tip: CommitId,
    pub(super) history: HistoryPage,
}

/// Everything that the answer shows.
pub(super) struct Found {
    pub(super) target: Target,
    pub(super) date: Option<Timestamp>,
    pub(super) ledger: Result<Ledger, Refusal>,
    pub(super) ledger_rules: Option<Vec<String>>,
    /// The trust file at the head of the default branch, if it was asked for and is there.
    pub(super) trust_file: Option<Blob>,
    /// And the policy.
    pub(super) policy_file: Option<Blob>,
    pub(super) world: World,
    pub(super) branches: Branches,
}

#[derive(Deserialize)]
struct Oid {
    oid: CommitText,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "__typename")]
    kind: String,
}

#[derive(Deserialize)]
struct TagRef {
    target: Option<TagTarget>,
}

#[derive(Deserialize)]
struct TagTarget {
    oid: CommitText,
    /// What an annotated tag leads to.
    target: Option<Oid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    is_draft: bool,
    url: String,
}

#[derive(Deserialize)]
struct BranchRef {
    target: Option<Oid>,
}

#[derive(Deserialize)]
struct Pulls {
    nodes: Vec<Option<Pull>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    url: String,
    head_repository: Option<HeadRepository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadRepository {
    name_with_owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    limit: u64,
    remaining: u64,
    reset_at: String,
}

/// An object id that GitHub sent, checked while it is read.
struct CommitText(CommitId);

impl<'de> Deserialize<'de> for CommitText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

fn garbage(reason: impl Into<String>) -> Trouble {
    Trouble::Garbage {
        reason: reason.into(),
    }
}

impl Data {
    pub(super) fn found(
        self,
        query: &PreflightQuery,
        date: Option<Timestamp>,
        public: bool,
    ) -> Result<Found, Trouble> {
        let missing = || Trouble::NoRepository {
            message: format!("{}/{}", query.owner, query.name),
        };
        let mut answer = query.complete(self.repository.ok_or_else(missing)?)?;
        let target = Target {
            repository: answer
                .name_with_owner
                .parse()
                .map_err(|_| garbage("the repository's name is none"))?,
            repository_id: RepositoryId(
                answer
                    .database_id
                    .ok_or_else(|| garbage("the repository has no number"))?,
            ),
        };
        if answer.tag.as_ref().is_some_and(|tag| tag.target.is_none()) {
            return Err(garbage("a tag that leads nowhere"));
        }
        let budget = match self.rate_limit {
            Some(limit) => Budget {
                remaining: limit.remaining,
                limit: Some(limit.limit),
                resets_at: limit.reset_at.parse().ok(),
            },
            // Only a server of one's own may have no limits.
            None if public => return Err(garbage("no rate limit")),
            None => Budget {
                remaining: u64::MAX,
                limit: None,
                resets_at: None,
            },
        };
        let ledger_rules = answer
            .ledger
            .as_ref()
            .and_then(|ledger| ledger.rules.as_ref().map(Rules::types));
        let branches = branches(answer.default_branch.take(), &query.commit)?;
        let ledger = ledger(answer.ledger.take(), &target);
        Ok(Found {
            trust_file: answer.trust_file.take(),
            policy_file: answer.policy_file.take(),
            ledger,
            ledger_rules,
            date,
            world: world(answer, &target, budget),
            target,
            branches,
        })
    }
}

impl PreflightQuery {
    /// Reads the answer if every member that was asked for is there: one that is absent must not read as "nothing is in the way".
    fn complete(&self, answer: serde_json::Value) -> Result<Answer, Trouble> {
        let mut asked = vec!["ledger", "commit", "workflows", "defaultWorkflows"];
        asked.extend(if self.tagged {
            ["tag", "release"].as_slice()
        } else {
            &[]
        });
        asked.extend(self.compared.then_some("defaultBranch"));
        asked.extend(self.reviewed.trusts.then_some("trustFile"));
        asked.extend(self.reviewed.rules.then_some("policyFile"));
        asked.extend(if self.pull {
            ["head", "base", "pullRequests"].as_slice()
        } else {
            &[]
        });
        if let Some(absent) = asked.iter().find(|member| answer.get(member).is_none()) {
            return Err(garbage(format!("the answer lacks `{absent}`")));
        }
        serde_json::from_value(answer).map_err(|error| garbage(error.to_string()))
    }
}

fn ledger(ledger: Option<LedgerRef>, target: &Target) -> Result<Ledger, Refusal> {
    let missing = || Refusal::LedgerMissing {
        repository: target.repository.clone(),
    };
    let not_a_commit = || Refusal::LedgerUnavailable {
        reason: "the branch `receipt-ledger` does not point to a commit".into(),
    };
    let commit = ledger.ok_or_else(missing)?.target.ok_or_else(missing)?;
    Ok(Ledger {
        tip: commit.oid.ok_or_else(not_a_commit)?.0,
        history: commit.history.ok_or_else(not_a_commit)?,
    })
}

/// The default branch, if there is one.
fn branches(branch: Option<DefaultBranch>, commit: &CommitId) -> Result<Branches, Trouble> {
    let seen = branch.map(|branch| {
        let name = branch.name.parse();
        name.map(|name| BranchSeen {
            name,
            is_default: true,
            position: Comparison::position(branch.compare.as_ref(), commit),
            rules: None,
        })
    });
    let seen = seen.transpose();
    let seen = seen.map_err(|_| garbage("the name of the default branch is not valid"))?;
    Ok(Branches {
        branches: seen.into_iter().collect(),
        unseen: None,
    })
}

fn world(answer: Answer, target: &Target, budget: Budget) -> World {
    let ours = |pull: &Pull| {
        pull.head_repository.as_ref().is_some_and(|head| {
            head.name_with_owner
                .eq_ignore_ascii_case(target.repository.as_str())
        })
    };
    let branch = |branch: Option<BranchRef>| {
        branch
            .and_then(|branch| branch.target)
            .map(|target| target.oid.0)
    };
    World {
        archived: answer.is_archived,
        commit: match answer.commit.as_ref().map(|object| object.kind.as_str()) {
            Some("Commit") => CommitFact::Commit,
            Some(_) => CommitFact::Other,
            None => CommitFact::Missing,
        },
        workflows: answer.workflows.map(|tree| tree.oid.0),
        default_workflows: answer.default_workflows.map(|tree| tree.oid.0),
        tag: answer.tag.and_then(|tag| tag.target).map(|target| TagFact {
            commit: target.target.unwrap_or(Oid { oid: target.oid }).oid.0,
        }),
        release: answer
            .release
            .filter(|release| !release.is_draft)
            .map(|release| release.url),
        head: branch(answer.head),
        base: branch(answer.base),
        pulls: answer.pull_requests.map_or(Vec::new(), |pulls| {
            pulls
                .nodes
                .into_iter()
                .flatten()
                .filter(ours)
                .map(|pull| pull.url)
                .collect()
        }),
        budget,
        requests: None,
    }
}
