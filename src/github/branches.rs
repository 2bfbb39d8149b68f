//! Looks at the branches that may contain a commit, other than the default one, which the preflight shows.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use countersign_core::{
    name::{BranchName, CommitId, Repository},
    reach::{BranchSeen, Branches, Listed, Position, ReachableFrom},
    text::excerpt,
};

use super::{
    GitHub, Trouble,
    graphql::{PageInfo, Place, Query, WhenTooCostly, largest_page},
};

/// What GitHub does not show counts as not protected, or as not compared: never as allowed.
const BRANCH: Query<'_> = Query {
    dispensable: &[Place::at("repository.branch")],
    ..Query::new(include_str!("documents/branch.graphql"))
};

const BRANCHES: Query<'_> = Query {
    when_too_costly: WhenTooCostly::AskForLess,
    ..Query::new(include_str!("documents/branches.graphql"))
};

/// Branches that are compared with a commit because a pattern matches them.
const MOST_MATCHING: usize = 30;
/// Branches that are listed to find those.
const MOST_LISTED: usize = 2_000;
const AT_ONCE: usize = 8;

#[derive(Serialize)]
struct BranchVariables<'a> {
    owner: &'a str,
    name: &'a str,
    branch: String,
    head: &'a CommitId,
}

#[derive(Serialize)]
struct ListVariables<'a> {
    owner: &'a str,
    name: &'a str,
    first: usize,
    after: Option<&'a String>,
}

#[derive(Deserialize)]
struct BranchData {
    repository: Option<OneBranch>,
}

#[derive(Deserialize)]
struct OneBranch {
    branch: Option<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    rules: Option<Rules>,
    compare: Option<Comparison>,
}

#[derive(Deserialize)]
pub(super) struct Rules {
    nodes: Vec<Option<Rule>>,
}

#[derive(Deserialize)]
struct Rule {
    r#type: String,
}

impl Rules {
    /// The types of the active rules, in the words of REST.
    pub(super) fn types(&self) -> Vec<String> {
        let mut types: Vec<String> = self
            .nodes
            .iter()
            .flatten()
            .map(|rule| excerpt(&rule.r#type.to_ascii_lowercase(), 40))
            .collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}

/// A commit as a branch sees it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comparison {
    /// Where it was asked.
    #[serde(default)]
    pub(super) ahead_by: u64,
    /// Where it was asked.
    #[serde(default)]
    pub(super) behind_by: u64,
    /// Where it was asked.
    status: Option<String>,
    head_target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    oid: String,
}

impl Comparison {
    /// Where the commit is, if it is the one that was compared: a ref whose name looks like a commit
    /// id would be another.
    pub(super) fn position(comparison: Option<&Self>, commit: &CommitId) -> Position {
        let of_the_commit = comparison.filter(|comparison| {
            let target = comparison.head_target.as_ref();
            target.is_some_and(|target| target.oid == commit.as_str())
        });
        match of_the_commit.and_then(|comparison| comparison.status.as_deref()) {
            Some("IDENTICAL") => Position::Identical,
            Some("BEHIND") => Position::Behind,
            Some("AHEAD") => Position::Ahead,
            Some("DIVERGED") => Position::Diverged,
            _ => Position::NotCompared,
        }
    }
}

#[derive(Deserialize)]
struct ListData {
    repository: Option<List>,
}

#[derive(Deserialize)]
struct List {
    refs: Option<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Named>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl GitHub {
    /// The branches of a list, with where a commit is on each. Without a list nothing is asked.
    pub(super) async fn branches(
        &self,
        repository: &Repository,
        commit: &CommitId,
        allowed: &ReachableFrom,
    ) -> Result<Branches, Trouble> {
        let mut names: Vec<BranchName> = allowed.names().collect();
        let mut unseen = None;
        if allowed.has_patterns() {
            let matching = self.branches_matching(repository, allowed).await?;
            unseen = matching.unseen;
            names.extend(matching.names);
        }

        let looks = names
            .into_iter()
            .map(|name| self.branch(repository, commit, name));
        let branches = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(Branches { branches, unseen })
    }

    async fn branch(
        &self,
        repository: &Repository,
        commit: &CommitId,
        name: BranchName,
    ) -> Result<BranchSeen, Trouble> {
        let (owner, repository) = repository.parts();
        let variables = BranchVariables {
            owner,
            name: repository,
            branch: format!("refs/heads/{name}"),
            head: commit,
        };
        let reply = self.query::<BranchData>(&BRANCH, variables).await?;
        let branch = reply.data.and_then(|data| data.repository);
        let branch = branch.and_then(|repository| repository.branch);
        let position = branch.as_ref().map_or(Position::Absent, |branch| {
            Comparison::position(branch.compare.as_ref(), commit)
        });
        Ok(BranchSeen {
            name,
            is_default: false,
            position,
            rules: branch.and_then(|branch| branch.rules.as_ref().map(Rules::types)),
        })
    }

    /// The branches that only a pattern means.
    async fn branches_matching(
        &self,
        repository: &Repository,
        allowed: &ReachableFrom,
    ) -> Result<Matching, Trouble> {
        let mut matching = Matching::default();
        let (mut after, mut listed) = (None, 0);
        loop {
            let page = self.page_of_branches(repository, after.as_ref()).await?;
            listed += page.nodes.len();
            let names = page
                .nodes
                .iter()
                .filter_map(|node| node.name.parse().ok())
                .filter(|name| allowed.lists(name) == Some(Listed::ByPattern));
            matching.names.extend(names);

            if matching.names.len() > MOST_MATCHING {
                matching.names.truncate(MOST_MATCHING);
                matching.unseen = Some(format!(
                    "more than {MOST_MATCHING} branches match, and the others were not looked at"
                ));
                return Ok(matching);
            }
            let next = page.page_info.next()?;
            if next.is_none() {
                return Ok(matching);
            }
            if listed >= MOST_LISTED {
                matching.unseen = Some(format!(
                    "there are more than {MOST_LISTED} branches, and the others were not looked at"
                ));
                return Ok(matching);
            }
            after = next;
        }
    }

    async fn page_of_branches(
        &self,
        repository: &Repository,
        after: Option<&String>,
    ) -> Result<Connection, Trouble> {
        let (owner, name) = repository.parts();
        let ask = async |first| {
            let variables = ListVariables {
                owner,
                name,
                first,
                after,
            };
            self.query::<ListData>(&BRANCHES, variables).await
        };
        let data = largest_page(ask).await?.data;
        let repository = data.and_then(|data| data.repository);
        let refs = repository.and_then(|repository| repository.refs);
        refs.ok_or_else(|| Trouble::Garbage {
            reason: "the branches cannot be listed".into(),
        })
    }
}

#[derive(Default)]
struct Matching {
    names: Vec<BranchName>,
    unseen: Option<String>,
}
