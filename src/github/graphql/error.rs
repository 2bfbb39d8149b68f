//! One error of a GraphQL answer, and what it is about.

use serde::Deserialize;
use serde_json::Value;

use crate::github::{
    Trouble,
    trouble::{is_limit, one_line},
};

/// An error as GitHub sends it. Its type is not in the schema; some errors have none, or null.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::github) struct GraphqlError {
    r#type: Option<String>,
    /// Only rate limits were seen with one.
    code: Option<Value>,
    message: Option<String>,
    path: Option<Vec<Value>>,
    extensions: Option<Value>,
}

/// What an error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::github) enum Kind {
    /// A primary or secondary rate limit: nothing was done.
    Limit,
    /// The query costs more than GitHub allows; its data may be cut anywhere.
    TooCostly,
    /// The server does not know what was asked for: it is older than the document.
    UnknownToServer,
    /// The branch's head is no longer the expected commit.
    Stale,
    /// A ruleset or a branch protection refuses the commit.
    Rules,
    Forbidden,
    NotFound,
    /// GitHub refuses a mutation's input.
    Unprocessable,
    /// No type: a timeout, or an error inside GitHub.
    Untyped,
    /// A type that is not known here.
    Unknown,
}

impl GraphqlError {
    pub(in crate::github) fn kind(&self) -> Kind {
        // Limits come with two types, with a code, or with nothing but their text.
        if self.is_limit() {
            return Kind::Limit;
        }
        if self.is_of_validation() {
            return Kind::UnknownToServer;
        }
        let breaks_rules = self.text().to_ascii_lowercase().contains("rule violation");
        match self.r#type.as_deref().unwrap_or_default() {
            "BRANCH_PROTECTION_RULE_VIOLATION" => Kind::Rules,
            "FORBIDDEN" | "UNPROCESSABLE" if breaks_rules => Kind::Rules,
            "RESOURCE_LIMITS_EXCEEDED" => Kind::TooCostly,
            "STALE_DATA" => Kind::Stale,
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Kind::Forbidden,
            "NOT_FOUND" => Kind::NotFound,
            "UNPROCESSABLE" => Kind::Unprocessable,
            "" => Kind::Untyped,
            _ => Kind::Unknown,
        }
    }

    /// GitHub renamed the type in 2025, and secondary limits have none.
    fn is_limit(&self) -> bool {
        matches!(self.r#type.as_deref(), Some("RATE_LIMIT" | "RATE_LIMITED"))
            || self
                .code
                .as_ref()
                .is_some_and(|code| code == "graphql_rate_limit")
            || is_limit(self.text())
    }

    /// A document that does not fit the schema is refused before anything is done; the path of such
    /// an error starts with the operation instead of a member.
    fn is_of_validation(&self) -> bool {
        let first = self
            .path()
            .first()
            .and_then(Value::as_str)
            .unwrap_or_default();
        let code = self
            .extensions
            .as_ref()
            .and_then(|extensions| extensions.get("code"));
        code.is_some_and(|code| code == "undefinedField")
            || ["query ", "mutation ", "fragment "]
                .iter()
                .any(|kind| first.starts_with(kind))
    }

    pub(in crate::github) fn path(&self) -> &[Value] {
        self.path.as_deref().unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.message.as_deref().unwrap_or("no message")
    }

    /// Whether it is about this member as a whole, and not about something inside it.
    pub(in crate::github) fn is_about(&self, member: &str) -> bool {
        matches!(self.path(), [only] if only == member)
    }

    /// The trouble that it reports; `pause` is how long a limit lasts.
    pub(in crate::github) fn trouble(&self, permissions: Option<String>, pause: u64) -> Trouble {
        let message = one_line(self.text(), 300);
        match self.kind() {
            Kind::Limit => Trouble::RateLimit {
                message,
                wait: Some(pause),
            },
            Kind::TooCostly => Trouble::TooCostly { message },
            Kind::UnknownToServer => Trouble::OldServer { message },
            Kind::Rules => Trouble::LedgerProtected { message },
            Kind::Forbidden => Trouble::Authorization {
                status: 200,
                message,
                permissions,
            },
            Kind::NotFound if self.is_about("repository") => Trouble::NoRepository { message },
            Kind::NotFound => Trouble::NotFound {
                asked: None,
                message,
                permissions,
            },
            Kind::Untyped => Trouble::Garbage { reason: message },
            Kind::Stale | Kind::Unprocessable | Kind::Unknown => Trouble::Validation {
                status: 200,
                message,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &str) -> (Kind, &'static str, String) {
        let error: GraphqlError = serde_json::from_str(error).unwrap();
        let trouble = error.trouble(None, 60);
        (error.kind(), trouble.code(), trouble.to_string())
    }

    #[test]
    fn a_rate_limit_is_known_by_each_of_its_names() {
        for error in [
            r#"{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 583231."}"#,
            r#"{"type":"RATE_LIMITED","message":"API rate limit exceeded for installation ID 1."}"#,
            r#"{"type":"SOMETHING_NEW","code":"graphql_rate_limit","message":"m"}"#,
            r#"{"type":"SOMETHING_NEW","message":"API rate limit already exceeded for installation ID 1."}"#,
            r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#,
            r#"{"type":"UNPROCESSABLE","path":["createPullRequest"],"message":"was submitted too quickly"}"#,
        ] {
            let (kind, code, _) = of(error);
            assert_eq!((kind, code), (Kind::Limit, "rate_limited"), "{error}");
        }
    }

    #[test]
    fn a_type_or_a_path_may_be_null_or_absent() {
        for error in [
            r#"{"message":"Something went wrong while executing your query. Please include `C0F2:1A` when reporting this issue."}"#,
            r#"{"type":null,"path":null,"code":null,"message":"Something went wrong"}"#,
        ] {
            let (kind, code, _) = of(error);
            assert_eq!((kind, code), (Kind::Untyped, "github_garbage"), "{error}");
        }
        assert_eq!(of(r#"{"type":null,"message":null}"#).0, Kind::Untyped);
    }

    #[test]
    fn rules_that_refuse_a_commit_are_not_a_missing_permission() {
        let prefix = "the rules of the branch `receipt-ledger` refuse the commit: ";
        assert_eq!(
            of(
                r#"{"type":"BRANCH_PROTECTION_RULE_VIOLATION","path":["createCommitOnBranch"],"locations":[{"line":2,"column":3}],"message":"protected branch 'main' check failed:\n  Changes must be made through a pull request."}"#
            ),
            (
                Kind::Rules,
                "ledger_protected",
                format!(
                    "{prefix}protected branch 'main' check failed: Changes must be made through a pull request"
                )
            )
        );
        assert_eq!(
            of(
                r#"{"type":"FORBIDDEN","path":["createCommitOnBranch"],"message":"Repository rule violations found\n\n3 of 3 required status checks are expected.\n\n"}"#
            ),
            (
                Kind::Rules,
                "ledger_protected",
                format!(
                    "{prefix}Repository rule violations found 3 of 3 required status checks are expected"
                )
            )
        );
    }

    #[test]
    fn a_member_that_an_old_server_does_not_know_is_reported_as_such() {
        let (kind, code, message) = of(
            r#"{"path":["query Preflight","repository","ledger","rules"],"extensions":{"code":"undefinedField","typeName":"Ref","fieldName":"rules"},"locations":[{"line":22,"column":7}],"message":"Field 'rules' doesn't exist on type 'Ref'"}"#,
        );
        assert_eq!((kind, code), (Kind::UnknownToServer, "github_rejected"));
        assert_eq!(
            message,
            "the server does not know what Countersign asks for: Field 'rules' doesn't exist on type 'Ref'"
        );
    }

    #[test]
    fn a_repository_that_is_not_found_names_every_possible_cause() {
        assert_eq!(
            of(
                r#"{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve to a Repository with the name 'octo/gone'."}"#
            )
            .2,
            "GitHub shows no such repository: it does not exist, it was renamed or moved, or the token may not see it (Could not resolve to a Repository with the name 'octo/gone')"
        );
        let (_, code, _) = of(
            r#"{"type":"NOT_FOUND","path":["repository","object","history","nodes",3,"file"],"message":"Could not resolve file for path 'ledger.json'."}"#,
        );
        assert_eq!(code, "not_found");
    }

    #[test]
    fn a_query_that_costs_too_much_is_unavailable_and_not_a_refusal() {
        let (kind, code, _) = of(
            r#"{"type":"RESOURCE_LIMITS_EXCEEDED","message":"Resource limits for this query exceeded."}"#,
        );
        assert_eq!((kind, code), (Kind::TooCostly, "github_unavailable"));
    }
}
