//! Looks up what a plan tells beside the operation: the latest release, and how far a commit is behind a branch.

use serde::{Deserialize, Serialize};

use countersign_core::{
    name::{CommitId, TagName},
    operation::Operation,
};

use super::{GitHub, Trouble};

const DOCUMENT: &str = include_str!("documents/discover.graphql");

/// What stands around an operation.
pub(crate) struct Discovered {
    /// The tag of the release that GitHub shows as the latest.
    pub(crate) latest: Option<TagName>,
    /// The branch that has commits which the operation's commit lacks, and how many.
    pub(crate) behind: Option<(String, u64)>,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comparison {
    behind_by: u64,
}

impl GitHub {
    /// Looks around an operation. What GitHub cannot compare is not told.
    pub(crate) async fn discover(&self, operation: &Operation) -> Result<Discovered, Trouble> {
        let (owner, name) = operation.target().repository.parts();
        let base = match operation {
            Operation::OpenPr(pull) => Some(pull.base_branch.as_str()),
            Operation::PublishRelease(_) | Operation::TagRepo(_) => None,
        };
        let variables = Variables { owner, name, base: format!("refs/heads/{}", base.unwrap_or("-")), head: operation.commit() };
        // Nothing is decided by this: an answer with errors counts for what it holds.
        let reply = self.query::<Data>(DOCUMENT, variables, &["repository"]).await?;
        let Some(answer) = reply.data.and_then(|data| data.repository) else { return Ok(Discovered { latest: None, behind: None }) };
        let branch = if base.is_some() { answer.base } else { answer.default_branch_ref };
        let behind = branch.and_then(|branch| {
            let by = branch.compare.filter(|comparison| comparison.behind_by > 0)?.behind_by;
            Some((base.map(ToOwned::to_owned).or(branch.name)?, by))
        });
        Ok(Discovered { latest: answer.latest_release.and_then(|release| release.tag_name.parse().ok()), behind })
    }
}
