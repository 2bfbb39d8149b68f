//! Looks up what a dry run may leave open: a repository's number, its default branch, the commit
//! behind a name.

use serde::{Deserialize, Serialize};

use countersign_core::{
    commit_name::CommitName,
    name::{CommitId, Repository, RepositoryId},
    operation::Target,
};

use super::{GitHub, Trouble, graphql::Query};

const QUERY: Query<'_> = Query::new(include_str!("documents/resolve.graphql"));

/// What a repository says about itself and about one name in it.
pub(crate) struct Resolved {
    pub(crate) target: Target,
    pub(crate) default_branch: Option<String>,
    pub(crate) commit: Named,
}

/// What is behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Commit(CommitId),
    Nothing,
    /// A branch and a tag have the name. Either may lead to no commit.
    Both {
        branch: Option<CommitId>,
        tag: Option<CommitId>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variables<'a> {
    owner: &'a str,
    name: &'a str,
    is_id: bool,
    id: String,
    may_be_branch: bool,
    branch: String,
    may_be_tag: bool,
    tag: String,
}

impl<'a> Variables<'a> {
    fn new(repository: &'a Repository, name: &CommitName) -> Self {
        let (owner, repository) = repository.parts();
        let (branch, tag) = match name {
            CommitName::DefaultBranch | CommitName::Id(_) => (None, None),
            CommitName::Branch(branch) => (Some(branch.as_str()), None),
            CommitName::Tag(tag) => (None, Some(tag.as_str())),
            CommitName::BranchOrTag(name) => (Some(name.as_str()), Some(name.as_str())),
        };
        let id = if let CommitName::Id(id) = name {
            Some(id)
        } else {
            None
        };
        // Variables that no part of the query uses still need a value.
        Self {
            owner,
            name: repository,
            is_id: id.is_some(),
            id: id.map_or_else(|| "0".repeat(40), ToString::to_string),
            may_be_branch: branch.is_some(),
            branch: format!("refs/heads/{}", branch.unwrap_or("-")),
            may_be_tag: tag.is_some(),
            tag: format!("refs/tags/{}", tag.unwrap_or("-")),
        }
    }
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
    default_branch_ref: Option<DefaultBranch>,
    object: Option<Object>,
    branch: Option<Ref>,
    tag: Option<Ref>,
}

#[derive(Deserialize)]
struct DefaultBranch {
    name: String,
    target: Option<Object>,
}

#[derive(Deserialize)]
struct Ref {
    target: Option<Object>,
}

/// A git object; a tag names another.
#[derive(Deserialize)]
struct Object {
    #[serde(rename = "__typename")]
    kind: String,
    oid: String,
    target: Option<Box<Object>>,
}

impl Object {
    /// The commit to which it leads in the end. Tags nested deeper than the query looks lead nowhere.
    fn commit(&self) -> Option<CommitId> {
        let mut last = self;
        while let Some(next) = &last.target {
            last = next;
        }
        last.oid.parse().ok().filter(|_| last.kind == "Commit")
    }
}

impl Answer {
    fn named(&self, name: &CommitName) -> Named {
        let commit = |object: Option<&Object>| object.and_then(Object::commit);
        let of = |found: Option<&Ref>| commit(found.and_then(|found| found.target.as_ref()));
        let found = match name {
            CommitName::DefaultBranch => {
                let default = self.default_branch_ref.as_ref();
                commit(default.and_then(|branch| branch.target.as_ref()))
            }
            CommitName::Id(_) => commit(self.object.as_ref()),
            CommitName::Branch(_) | CommitName::Tag(_) | CommitName::BranchOrTag(_) => {
                match (self.branch.as_ref(), self.tag.as_ref()) {
                    (branch @ Some(_), tag @ Some(_)) => {
                        return Named::Both {
                            branch: of(branch),
                            tag: of(tag),
                        };
                    }
                    (branch, tag) => of(branch.or(tag)),
                }
            }
        };
        found.map_or(Named::Nothing, Named::Commit)
    }
}

impl GitHub {
    /// Asks what a name leads to in a repository.
    pub(crate) async fn resolve(
        &self,
        repository: &Repository,
        name: &CommitName,
    ) -> Result<Resolved, Trouble> {
        let reply = self
            .query::<Data>(&QUERY, Variables::new(repository, name))
            .await?;
        let missing = || Trouble::NoRepository {
            message: repository.to_string(),
        };
        let answer = reply
            .data
            .and_then(|data| data.repository)
            .ok_or_else(missing)?;

        let garbage = |reason: &str| Trouble::Garbage {
            reason: reason.into(),
        };
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
        Ok(Resolved {
            target,
            commit: answer.named(name),
            default_branch: answer.default_branch_ref.map(|branch| branch.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(text: &str) -> CommitName {
        text.parse().unwrap()
    }

    fn commit(digit: &str) -> CommitId {
        digit.repeat(40).parse().unwrap()
    }

    fn object(kind: &str, digit: &str) -> serde_json::Value {
        json!({ "__typename": kind, "oid": digit.repeat(40) })
    }

    fn named(members: &serde_json::Value, name: &CommitName) -> Named {
        let mut answer = json!({ "databaseId": 1, "nameWithOwner": "octo/hello" });
        answer
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        serde_json::from_value::<Answer>(answer)
            .unwrap()
            .named(name)
    }

    #[test]
    fn a_name_is_asked_for_by_what_it_is() {
        let repository = "octo/hello".parse().unwrap();
        let asked = |name: &CommitName| {
            let asked = Variables::new(&repository, name);
            let only = |is, text: String| Some(text).filter(|_| is);
            (
                only(asked.is_id, asked.id),
                only(asked.may_be_branch, asked.branch),
                only(asked.may_be_tag, asked.tag),
            )
        };
        let (branch, tag) = ("refs/heads/next".to_owned(), "refs/tags/next".to_owned());

        assert_eq!(asked(&CommitName::DefaultBranch), (None, None, None));
        assert_eq!(
            asked(&CommitName::Id(commit("1"))),
            (Some("1".repeat(40)), None, None)
        );
        assert_eq!(
            asked(&name("refs/heads/next")),
            (None, Some(branch.clone()), None)
        );
        assert_eq!(
            asked(&name("refs/tags/next")),
            (None, None, Some(tag.clone()))
        );
        assert_eq!(asked(&name("next")), (None, Some(branch), Some(tag)));
    }

    #[test]
    fn a_name_that_a_branch_and_a_tag_share_leads_to_neither() {
        let both = name("next");
        let (branch, tag) = (
            json!({ "target": object("Commit", "1") }),
            json!({ "target": object("Commit", "2") }),
        );

        assert_eq!(
            named(&json!({ "branch": branch, "tag": tag }), &both),
            Named::Both {
                branch: Some(commit("1")),
                tag: Some(commit("2"))
            }
        );
        assert_eq!(
            named(&json!({ "branch": branch, "tag": null }), &both),
            Named::Commit(commit("1"))
        );
        assert_eq!(
            named(&json!({ "branch": null, "tag": tag }), &both),
            Named::Commit(commit("2"))
        );
        assert_eq!(
            named(&json!({ "branch": null, "tag": null }), &both),
            Named::Nothing
        );
    }

    #[test]
    fn tags_are_followed_to_a_commit_and_other_objects_are_not_commits() {
        let tag = name("refs/tags/v1");
        let nested = json!({ "__typename": "Tag", "oid": "3".repeat(40), "target": {
            "__typename": "Tag", "oid": "2".repeat(40), "target": object("Commit", "1"),
        } });
        assert_eq!(
            named(&json!({ "tag": { "target": nested } }), &tag),
            Named::Commit(commit("1"))
        );
        for kind in ["Blob", "Tree", "Tag"] {
            assert_eq!(
                named(&json!({ "tag": { "target": object(kind, "1") } }), &tag),
                Named::Nothing,
                "{kind}"
            );
            assert_eq!(
                named(
                    &json!({ "object": object(kind, "1") }),
                    &CommitName::Id(commit("1"))
                ),
                Named::Nothing,
                "{kind}"
            );
        }
        assert_eq!(
            named(&json!({ "object": null }), &CommitName::Id(commit("1"))),
            Named::Nothing
        );
    }

    #[test]
    fn the_default_branch_is_read_from_its_own_field() {
        let default = json!({ "name": "main", "target": object("Commit", "1") });
        assert_eq!(
            named(
                &json!({ "defaultBranchRef": default }),
                &CommitName::DefaultBranch
            ),
            Named::Commit(commit("1"))
        );
        let empty = json!({ "defaultBranchRef": null });
        assert_eq!(named(&empty, &CommitName::DefaultBranch), Named::Nothing);
    }
}
