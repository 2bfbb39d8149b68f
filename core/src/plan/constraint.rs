//! What must still hold when the operation is published: looked at again then, whatever the plan says.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use serde::Serialize;

use crate::{ledger::Checkpoint, operation::Operation};

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Constraint {
    /// The condition's name.
    #[cfg_attr(test, schemars(extend("enum" = crate::schema::CONSTRAINTS)))]
    pub constraint: &'static str,
    /// What it is about.
    pub subject: String,
    /// What must stand there.
    pub value: String,
}

fn constraint(
    constraint: &'static str,
    subject: impl Into<String>,
    value: impl Into<String>,
) -> Constraint {
    Constraint {
        constraint,
        subject: subject.into(),
        value: value.into(),
    }
}

/// Every condition of an operation.
#[must_use]
pub fn constraints(operation: &Operation, ledger: &Checkpoint) -> Vec<Constraint> {
    let commit = operation.commit().as_str();
    let mut all = Vec::from([
        constraint(
            "repository_is",
            operation.target().repository.as_str(),
            operation.target().repository_id.to_string(),
        ),
        constraint("ledger_holds", "receipt-ledger", ledger.to_string()),
        constraint(
            "commit_exists",
            operation.target().repository.as_str(),
            commit,
        ),
    ]);
    match operation {
        Operation::PublishRelease(release) => {
            let tag = release.tag_name.as_str();
            all.push(constraint(
                "tag_free_or_at",
                format!("refs/tags/{tag}"),
                commit,
            ));
            all.push(constraint("release_free", tag, "no published release"));
            all.push(constraint(
                "workflows_as_on_default_branch",
                ".github/workflows",
                commit,
            ));
            all.extend(release.assets.as_slice().iter().map(|asset| {
                constraint(
                    "file_has_digest",
                    asset.name.as_str(),
                    asset.sha256.to_string(),
                )
            }));
        }
        Operation::TagRepo(tag) => {
            all.push(constraint(
                "tag_free",
                format!("refs/tags/{}", tag.tag_name),
                "no tag of that name",
            ));
            all.push(constraint(
                "workflows_as_on_default_branch",
                ".github/workflows",
                commit,
            ));
        }
        Operation::OpenPr(pull) => {
            all.push(constraint(
                "branch_at",
                format!("refs/heads/{}", pull.head_branch),
                commit,
            ));
            all.push(constraint(
                "branch_exists",
                format!("refs/heads/{}", pull.base_branch),
                "any commit but the head's",
            ));
            all.push(constraint(
                "pull_request_free",
                format!("{} → {}", pull.head_branch, pull.base_branch),
                "no open pull request",
            ));
        }
    }
    all
}
