//! Looks up what a plan tells beside the operation: the latest release, and how far a commit is from a branch.

use serde::{Deserialize, Serialize};

use countersign_core::{
    name::{CommitId, TagName},
    operation::Operation,
    reach::{BranchSeen, Branches, ReachableFrom},
};

use super::{
    GitHub, Trouble,
    branches::Comparison,
    graphql::{Place, Query},
};

/// No decision depends on this, so an answer with errors is used for the data that it has.
const QUERY: Query<'_> = Query {
    dispensable: &[Place::at("repository")],
    ..Query::new(include_str!("documents/discover.graphql"))
};

/// What stands around an operation.
pub(crate) struct Discovered {
    /// The tag of the release that GitHub shows as the latest.
    pub(crate) latest: Option<TagName>,
    /// The branch that has commits which the operation's commit lacks, and how many.
    pub(crate) behind: Option<(String, u64)>,
    /// The default branch, if it lacks the operation's commit or commits before it, and how many. Of a pull request nothing else is expected.
    pub(crate) ahead: Option<(String, u64)>,
    /// Whether GitHub compared the commit with the branch at all.
    pub(crate) is_compared: bool,
    /// The default branch, with where the commit of a release or tag is on it.
    pub(crate) default_branch: Option<BranchSeen>,
}

#[derive(Serialize)]
struct Variables<'a> {
    owner: &'a str,
    name: &'a str,
    base: String,
    head: &'a CommitId,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    latest_release: Option<Release>,
    base: Option<Branch>,
    default_branch_ref: Option<Branch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    tag_name: String,
}

#[derive(Deserialize)]
struct Branch {
    name: Option<String>,
    compare: Option<Comparison>,
}

impl GitHub {
    /// Looks around an operation. A plan can be made without an answer: comparing two commits that
    /// are far apart may take longer than GitHub allows.
    pub(crate) async fn discover(&self, operation: &Operation) -> Discovered {
        let (owner, name) = operation.target().repository.parts();
        let base = match operation {
            Operation::OpenPr(pull) => Some(pull.base_branch.as_str()),
            Operation::PublishRelease(_) | Operation::TagRepo(_) => None,
        };
        let variables = Variables {
            owner,
            name,
            base: format!("refs/heads/{}", base.unwrap_or("-")),
            head: operation.commit(),
        };
        let answered = self.query::<Data>(&QUERY, variables).await;
        let Some(answer) = answered
            .ok()
            .and_then(|reply| reply.data)
            .and_then(|data| data.repository)
        else {
            return Discovered {
                latest: None,
                behind: None,
                ahead: None,
                is_compared: false,
                default_branch: None,
            };
        };
        let default_branch = answer.default_branch_ref.as_ref().and_then(|branch| {
            let name = branch.name.as_ref()?.parse().ok()?;
            Some(BranchSeen {
                name,
                is_default: true,
                position: Comparison::position(branch.compare.as_ref(), operation.commit()),
                rules: None,
            })
        });
        let branch = if base.is_some() {
            answer.base
        } else {
            answer.default_branch_ref
        };
        let name = branch
            .as_ref()
            .and_then(|branch| base.map(ToOwned::to_owned).or_else(|| branch.name.clone()));
        let comparison = branch.and_then(|branch| branch.compare);
        let is_compared = comparison.is_some();
        let (behind, ahead) = comparison.map_or((0, 0), |comparison| {
            (comparison.behind_by, comparison.ahead_by)
        });
        let told = |by: u64| name.clone().filter(|_| by > 0).map(|name| (name, by));
        let latest = answer
            .latest_release
            .and_then(|release| release.tag_name.parse().ok());
        Discovered {
            latest,
            behind: told(behind),
            ahead: if base.is_none() { told(ahead) } else { None },
            is_compared,
            default_branch,
        }
    }

    /// Where the commit of a release or tag is on the branches that may contain it.
    pub(crate) async fn reach(
        &self,
        operation: &Operation,
        allowed: &ReachableFrom,
    ) -> Result<Branches, Trouble> {
        let repository = &operation.target().repository;
        let (discovered, listed) = tokio::join!(
            self.discover(operation),
            self.branches(repository, operation.commit(), allowed)
        );
        let mut branches = Branches {
            branches: discovered.default_branch.into_iter().collect(),
            unseen: None,
        };
        branches.add(listed?);
        Ok(branches)
    }
}
