//! The ledger's append: one commit on exactly one other, which GitHub signs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use countersign_core::{
    ledger::{Append, Appended, BRANCH, Rejection},
    name::{CommitId, Repository},
};

use super::{
    GitHub, Trouble,
    graphql::{GraphqlError, GraphqlReply, Kind},
};

const DOCUMENT: &str = include_str!("documents/append.graphql");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variables<'a> {
    input: Input<'a>,
    /// The same answer shows where this ref leads.
    watched_ref: &'a str,
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
    repository: Option<Surroundings>,
}

#[derive(Deserialize)]
struct Surroundings {
    watched: Option<WatchedRef>,
}

#[derive(Deserialize)]
struct WatchedRef {
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    oid: String,
    /// What an annotated tag leads to.
    target: Option<Peeled>,
}

#[derive(Deserialize)]
struct Peeled {
    oid: String,
}

impl Data {
    fn names_a_commit(&self) -> bool {
        self.create_commit_on_branch
            .as_ref()
            .is_some_and(|payload| payload.commit.is_some())
    }
}

impl Committed {
    /// The commit to which the ref leads.
    fn watched(&self) -> Option<CommitId> {
        let repository = self.repository.as_ref()?;
        let target = repository.watched.as_ref()?.target.as_ref()?;
        target
            .target
            .as_ref()
            .map_or(&target.oid, |peeled| &peeled.oid)
            .parse()
            .ok()
    }
}

impl GitHub {
    /// Adds the files to the ledger branch, if it stands where the append expects it.
    pub(crate) async fn append(
        &self,
        repository: &Repository,
        append: &Append,
        watched_ref: &str,
    ) -> Appended {
        let additions = append
            .files()
            .iter()
            .map(|(path, bytes)| Addition {
                path,
                contents: STANDARD.encode(bytes),
            })
            .collect();
        let input = Input {
            branch: Branch {
                repository_name_with_owner: repository,
                branch_name: BRANCH,
            },
            message: Message {
                headline: append.headline(),
            },
            expected_head_oid: append.expected(),
            file_changes: FileChanges { additions },
        };
        let variables = Variables { input, watched_ref };
        let trouble = match self.graphql::<Data>(DOCUMENT, &variables).await {
            Ok(reply) => match reply.trouble() {
                // A commit next to the error would mean that the work is done.
                Some(trouble @ Trouble::RateLimit { .. })
                    if !reply.data.as_ref().is_some_and(Data::names_a_commit)
                        && reply.errors.first().is_some_and(comes_before_the_work) =>
                {
                    trouble
                }
                _ => return classify(&reply),
            },
            Err(trouble) => trouble,
        };
        if trouble.leaves_open() {
            return Appended::Unknown(trouble.to_string());
        }
        // Nothing was written. After the wait the ledger, the receipt and the clocks must be looked at anew before the next try.
        let again = self.patience.waits(&trouble, 1).await;
        if again {
            Appended::Stale
        } else {
            rejected(&self.patience.given_up(trouble, 1))
        }
    }
}

/// What an answer says of the append, and of the ref on which the operation depends.
fn classify(reply: &GraphqlReply<Data>) -> Appended {
    if let Some(payload) = reply
        .data
        .as_ref()
        .and_then(|data| data.create_commit_on_branch.as_ref())
    {
        let Some(commit) = &payload.commit else {
            return without_commit(reply);
        };
        // An error next to the commit is about the fields that we asked for; the work is done.
        return match commit.oid.parse() {
            Ok(commit_id) => Appended::Done {
                commit: commit_id,
                observed_at: reply.date,
                watched: commit.watched(),
            },
            Err(error) => Appended::Unknown(format!("GitHub named no commit: {error}")),
        };
    }
    without_commit(reply)
}

/// A mutation that validates its input answers an error with an empty payload, others with none.
fn without_commit(reply: &GraphqlReply<Data>) -> Appended {
    match (reply.errors.first(), reply.trouble()) {
        (Some(error), Some(trouble)) => refused(error, &trouble),
        _ => Appended::Unknown("GitHub named neither a commit nor an error".into()),
    }
}

/// Only errors that are known to come before the work mean that nothing was written; after any other, look.
fn refused(error: &GraphqlError, trouble: &Trouble) -> Appended {
    if !comes_before_the_work(error) {
        return Appended::Unknown(trouble.to_string());
    }
    match error.kind() {
        Kind::Stale => Appended::Stale,
        Kind::Limit
        | Kind::UnknownToServer
        | Kind::Rules
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::Unprocessable => rejected(trouble),
        Kind::TooCostly | Kind::Untyped | Kind::Unknown => Appended::Unknown(trouble.to_string()),
    }
}

/// Whether GitHub stopped before it did anything: at the mutation as a whole, at a limit that it counts
/// before it looks at the request, or at a document that its schema does not know. An error inside
/// the payload is about what we asked to be shown.
fn comes_before_the_work(error: &GraphqlError) -> bool {
    match error.kind() {
        Kind::UnknownToServer => true,
        Kind::Limit if error.path().is_empty() => true,
        _ => error.is_about("createCommitOnBranch"),
    }
}

fn rejected(trouble: &Trouble) -> Appended {
    Appended::Rejected(Rejection {
        code: trouble.code(),
        message: trouble.to_string(),
        remedy: trouble.remedy(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(data: &str, errors: &str) -> String {
        let reply = GraphqlReply::of(
            serde_json::from_str(data).unwrap(),
            serde_json::from_str(errors).unwrap(),
        );
        match classify(&reply) {
            Appended::Done { commit, .. } => format!("done {}", commit.short()),
            Appended::Stale => "stale".into(),
            Appended::Rejected(rejection) => format!("rejected {}", rejection.code),
            Appended::Unknown(_) => "unknown".into(),
        }
    }

    fn error(kind: &str, path: &str) -> String {
        format!(r#"[{{"type":"{kind}","path":{path},"message":"m"}}]"#)
    }

    #[test]
    fn an_error_beside_a_commit_that_was_made_is_no_reason_to_say_it_was_not() {
        let made = format!(
            r#"{{"createCommitOnBranch":{{"commit":{{"oid":"{}","repository":null}}}}}}"#,
            "1".repeat(40)
        );
        assert_eq!(of(&made, "[]"), "done 111111111111");
        assert_eq!(
            of(
                &made,
                &error(
                    "FORBIDDEN",
                    r#"["createCommitOnBranch","commit","repository"]"#
                )
            ),
            "done 111111111111"
        );
    }

    #[test]
    fn only_a_known_error_about_the_append_itself_means_that_nothing_was_written() {
        let none = r#"{"createCommitOnBranch":null}"#;
        for (kind, path, expected) in [
            ("STALE_DATA", r#"["createCommitOnBranch"]"#, "stale"),
            (
                "FORBIDDEN",
                r#"["createCommitOnBranch"]"#,
                "rejected permission_denied",
            ),
            (
                "FORBIDDEN",
                r#"["createCommitOnBranch","commit"]"#,
                "unknown",
            ),
            ("FORBIDDEN", "[]", "unknown"),
            ("SOMETHING_NEW", r#"["createCommitOnBranch"]"#, "unknown"),
            (
                "BRANCH_PROTECTION_RULE_VIOLATION",
                r#"["createCommitOnBranch"]"#,
                "rejected ledger_protected",
            ),
            (
                "UNPROCESSABLE",
                r#"["createCommitOnBranch"]"#,
                "rejected github_rejected",
            ),
            ("RESOURCE_LIMITS_EXCEEDED", "[]", "unknown"),
            ("RATE_LIMIT", "[]", "rejected rate_limited"),
            (
                "RATE_LIMIT",
                r#"["createCommitOnBranch","commit"]"#,
                "unknown",
            ),
        ] {
            assert_eq!(of(none, &error(kind, path)), expected, "{kind} {path}");
        }
        assert_eq!(of(none, "[]"), "unknown");
        assert_eq!(of("null", "[]"), "unknown");
        assert_eq!(
            of(r#"{"createCommitOnBranch":{"commit":null}}"#, "[]"),
            "unknown"
        );
    }

    /// As GitHub answers mutations that validate their input.
    #[test]
    fn a_payload_without_a_commit_is_refused_with_the_error_next_to_it() {
        let empty = r#"{"createCommitOnBranch":{"commit":null}}"#;
        for (kind, path, expected) in [
            (
                "UNPROCESSABLE",
                r#"["createCommitOnBranch"]"#,
                "rejected github_rejected",
            ),
            ("STALE_DATA", r#"["createCommitOnBranch"]"#, "stale"),
            (
                "UNPROCESSABLE",
                r#"["createCommitOnBranch","commit"]"#,
                "unknown",
            ),
            ("UNPROCESSABLE", "[]", "unknown"),
        ] {
            assert_eq!(of(empty, &error(kind, path)), expected, "{kind} {path}");
        }
    }
}
