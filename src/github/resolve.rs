//! Looks up what a dry run may leave open: a repository's number, its default branch, the commit behind a name.

use serde::{Deserialize, Serialize};

use countersign_core::{
    name::{CommitId, Repository, RepositoryId},
    operation::Target,
};

use super::{GitHub, Trouble};

const DOCUMENT: &str = include_str!("documents/resolve.graphql");

/// What a repository says about itself and about one name in it.
pub(crate) struct Resolved {
    pub(crate) target: Target,
    pub(crate) default_branch: Option<String>,
    /// The commit behind the name, if there is one.
    pub(crate) commit: Option<CommitId>,
}

#[derive(Serialize)]
struct Variables<'a> {
    owner: &'a str,
    name: &'a str,
    expression: String,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    database_id: Option<u64>,
    name_with_owner: String,
    default_branch_ref: Option<Named>,
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "__typename")]
    kind: String,
    oid: String,
}

impl GitHub {
    /// Resolves `commitish` (a branch, a tag, a commit id) to a commit of the repository.
    pub(crate) async fn resolve(
        &self,
        repository: &Repository,
        commitish: &str,
    ) -> Result<Resolved, Trouble> {
        let (owner, name) = repository.parts();
        let variables = Variables {
            owner,
            name,
            expression: format!("{commitish}^{{commit}}"),
        };
        let reply = self.query::<Data>(DOCUMENT, variables, &[]).await?;
        let missing = || Trouble::NotFound {
            message: format!("the repository {repository}"),
            permissions: None,
        };
        let answer = reply
            .data
            .and_then(|data| data.repository)
            .ok_or_else(missing)?;
        let garbage = |reason: &str| Trouble::Garbage {
            reason: reason.into(),
        };
        Ok(Resolved {
            target: Target {
                repository: answer
                    .name_with_owner
                    .parse()
                    .map_err(|_| garbage("the repository's name is none"))?,
                repository_id: RepositoryId(
                    answer
                        .database_id
                        .ok_or_else(|| garbage("the repository has no number"))?,
                ),
            },
            default_branch: answer.default_branch_ref.map(|branch| branch.name),
            commit: answer
                .object
                .filter(|object| object.kind == "Commit")
                .and_then(|object| object.oid.parse().ok()),
        })
    }
}
