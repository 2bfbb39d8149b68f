//! The ledger's append: one commit on exactly one other, which GitHub signs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Append, Appended, BRANCH, Rejection},
    name::{CommitId, Repository},
};

use super::{GitHub, Trouble, graphql::GraphqlError};

const DOCUMENT: &str = include_str!("documents/append.graphql");

#[derive(Serialize)]
struct Variables<'a> {
    input: Input<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    branch: Branch<'a>,
    message: Message<'a>,
    expected_head_oid: &'a CommitId,
    file_changes: FileChanges<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Branch<'a> {
    repository_name_with_owner: &'a Repository,
    branch_name: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    headline: &'a str,
}

#[derive(Serialize)]
struct FileChanges<'a> {
    additions: Vec<Addition<'a>>,
}

#[derive(Serialize)]
struct Addition<'a> {
    path: &'a str,
    contents: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    create_commit_on_branch: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    commit: Option<Committed>,
}

#[derive(Deserialize)]
struct Committed {
    oid: String,
}

impl GitHub {
    /// Adds the files to the ledger branch, if it stands where the append expects it.
    pub(crate) async fn append(&self, repository: &Repository, append: &Append) -> Appended {
        let additions = append.files().iter().map(|(path, bytes)| Addition { path, contents: STANDARD.encode(bytes) }).collect();
        let input = Input {
            branch: Branch { repository_name_with_owner: repository, branch_name: BRANCH },
            message: Message { headline: append.headline() },
            expected_head_oid: append.expected(),
            file_changes: FileChanges { additions },
        };
        let reply = match self.graphql::<Data>(DOCUMENT, Variables { input }).await {
            Ok(reply) => reply,
            Err(trouble) if trouble.leaves_open() => return Appended::Unknown(trouble.to_string()),
            Err(trouble) => return rejected(&trouble),
        };
        if let (Some(error), Some(trouble)) = (reply.errors.first(), reply.trouble()) {
            return refused(error, &trouble);
        }
        let commit = reply.data.and_then(|data| data.create_commit_on_branch).and_then(|payload| payload.commit);
        match commit.map(|commit| commit.oid.parse()) {
            Some(Ok(oid)) => Appended::Done(oid),
            _ => Appended::Unknown("GitHub named no commit".into()),
        }
    }
}

/// Only errors that are known to come before the work mean that nothing was written; after any other, look.
fn refused(error: &GraphqlError, trouble: &Trouble) -> Appended {
    match error.kind.as_str() {
        "STALE_DATA" => Appended::Stale,
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" | "NOT_FOUND" | "RATE_LIMITED" | "UNPROCESSABLE" => rejected(trouble),
        _ => Appended::Unknown(trouble.to_string()),
    }
}

fn rejected(trouble: &Trouble) -> Appended {
    Appended::Rejected(Rejection { code: trouble.code(), message: trouble.to_string(), remedy: trouble.remedy() })
}
