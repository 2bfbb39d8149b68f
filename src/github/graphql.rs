//! GraphQL: errors come with HTTP 200, and their type decides.

mod error;
mod query;

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use countersign_core::timestamp::Timestamp;

use super::{
    GitHub, Trouble, json_request,
    trouble::{accepted_permissions, number, pause},
    unusable,
};

pub(super) use self::{
    error::{GraphqlError, Kind},
    query::{Absence, Place, Query, WhenTooCostly},
};

/// A GraphQL answer: data, errors, and when it was given.
#[derive(Debug)]
pub(super) struct GraphqlReply<T> {
    /// The operation's kind and name, for messages.
    asked: String,
    pub(super) data: Option<T>,
    pub(super) errors: Vec<GraphqlError>,
    pub(super) date: Option<Timestamp>,
    /// The permission that GitHub would have wanted.
    permissions: Option<String>,
    /// How long a rate limit would last.
    pause: u64,
    /// Whether this answer was the last one that the limit allows.
    is_exhausted: bool,
}

impl<T> GraphqlReply<T> {
    /// An answer without headers, for tests.
    #[cfg(test)]
    pub(super) const fn of(data: Option<T>, errors: Vec<GraphqlError>) -> Self {
        Self {
            asked: String::new(),
            data,
            errors,
            date: None,
            permissions: None,
            pause: 0,
            is_exhausted: false,
        }
    }

    /// The first error, as the same trouble that REST would report.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let error = self.errors.first()?;
        Some(error.trouble(self.permissions.clone(), self.pause))
    }
}

impl GraphqlReply<Value> {
    /// The first error that matters to the query. A member that is refused may null the whole
    /// answer, so that even expected absences are no longer found in it: the refusal is the cause,
    /// wherever it is listed.
    fn trouble_beyond(&self, query: &Query<'_>) -> Option<Trouble> {
        let matters = |error: &&GraphqlError| !query.can_do_without(error, self.data.as_ref());
        let is_cause = |error: &&GraphqlError| !query.expects_absence(error);
        let mut errors = self.errors.iter().filter(matters);
        let cause = errors.clone().find(is_cause).or_else(|| errors.next())?;

        let needed = || query.permission(cause).map(Into::into);
        let trouble = cause.trouble(self.permissions.clone().or_else(needed), self.pause);
        // Only for a query: a mutation may have spent the last point on its work.
        if self.data.is_none() && self.is_exhausted {
            return Some(Trouble::RateLimit {
                message: trouble.to_string(),
                wait: Some(self.pause),
            });
        }
        Some(trouble)
    }

    fn read<T: DeserializeOwned>(self) -> Result<GraphqlReply<T>, Trouble> {
        let Self {
            asked,
            data,
            errors,
            date,
            permissions,
            pause,
            is_exhausted,
        } = self;
        let data = data
            .map(serde_json::from_value)
            .transpose()
            .map_err(|error| unusable(&asked, &error))?;
        Ok(GraphqlReply {
            asked,
            data,
            errors,
            date,
            permissions,
            pause,
            is_exhausted,
        })
    }
}

/// Where a page of a connection ends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page begins, if there is one.
    pub(super) fn next(self) -> Result<Option<String>, Trouble> {
        match (self.has_next_page, self.end_cursor) {
            (false, _) => Ok(None),
            (true, Some(end)) => Ok(Some(end)),
            (true, None) => Err(Trouble::Garbage {
                reason: "a page without an end".into(),
            }),
        }
    }
}

/// Page sizes to try, in order, while GitHub finds the query too costly.
const PAGE_SIZES: [usize; 3] = [100, 50, 25];

/// Asks for a page of a hundred, or for the largest that GitHub answers.
pub(super) async fn largest_page<T>(
    ask: impl AsyncFn(usize) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let [most, .., least] = PAGE_SIZES;
    let mut size = most;
    loop {
        match ask(size).await {
            Err(Trouble::TooCostly { .. } | Trouble::TooLarge) if size > least => size /= 2,
            page => return page,
        }
    }
}

#[derive(Serialize)]
struct Question<'a, V> {
    query: &'a str,
    variables: V,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
}

impl GitHub {
    /// Asks a query, and retries transient errors.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        query: &Query<'_>,
        variables: impl Serialize,
    ) -> Result<GraphqlReply<T>, Trouble> {
        let mut tried = 0;
        loop {
            tried += 1;
            let trouble = match self.ask(query, &variables).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => trouble,
            };
            let is_for_the_caller = query.when_too_costly == WhenTooCostly::AskForLess
                && matches!(trouble, Trouble::TooCostly { .. });
            if is_for_the_caller {
                return Err(trouble);
            }
            if !self.patience.waits(&trouble, tried).await {
                return Err(self.patience.given_up(trouble, tried));
            }
        }
    }

    /// Asks once. Data next to an error may lack exactly what matters.
    async fn ask<T: DeserializeOwned>(
        &self,
        query: &Query<'_>,
        variables: &impl Serialize,
    ) -> Result<GraphqlReply<T>, Trouble> {
        let reply = self.sent(query.document, variables).await?;
        match reply.trouble_beyond(query) {
            Some(trouble) => Err(trouble),
            None => reply.read(),
        }
    }

    /// Sends a document once. Only the ledger's append writes this way.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        document: &str,
        variables: impl Serialize,
    ) -> Result<GraphqlReply<T>, Trouble> {
        self.sent(document, variables).await?.read()
    }

    async fn sent(
        &self,
        document: &str,
        variables: impl Serialize,
    ) -> Result<GraphqlReply<Value>, Trouble> {
        let question = Question {
            query: document,
            variables,
        };
        let address = self.endpoints.graphql().to_string();
        let mut reply = self
            .send(json_request(Method::POST, &address, &question)?)
            .await?;

        reply.asked = operation(document);
        let Answer { data, errors } = reply.json()?;
        Ok(GraphqlReply {
            asked: reply.asked.clone(),
            data,
            errors,
            date: reply.date(),
            permissions: accepted_permissions(&reply.headers),
            pause: pause(&reply.headers),
            is_exhausted: number(&reply.headers, "x-ratelimit-remaining") == Some(0),
        })
    }
}

/// What a document asks, by its first words: `the query Preflight`.
fn operation(document: &str) -> String {
    let head = document.split(['(', '{']).next().unwrap_or_default();
    format!(
        "the {}",
        head.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUERY: Query<'_> = Query {
        absences: &[Absence::at("repository.state")],
        needs: &[
            (Place::at("repository.pullRequests"), "pull-requests: read"),
            (Place::at("repository"), "contents: read"),
        ],
        ..Query::new("")
    };

    fn reply(answer: Value, remaining: u64) -> GraphqlReply<Value> {
        let Answer { data, errors } = serde_json::from_value(answer).unwrap();
        GraphqlReply {
            is_exhausted: remaining == 0,
            pause: 61,
            ..GraphqlReply::of(data, errors)
        }
    }

    fn reported(answer: Value, remaining: u64) -> Option<String> {
        reply(answer, remaining)
            .trouble_beyond(&QUERY)
            .map(|trouble| format!("{} {trouble}", trouble.code()))
    }

    #[test]
    fn an_absence_hides_no_other_error() {
        let absent = json!({ "type": "NOT_FOUND", "path": ["repository", "state"], "message": "Could not resolve file for path 'x'." });
        let answer =
            |errors| json!({ "data": { "repository": { "state": null } }, "errors": errors });
        assert_eq!(reported(answer(json!([absent])), 9), None);
        assert_eq!(
            reported(
                answer(json!([absent, { "message": "Something went wrong" }])),
                9
            )
            .as_deref(),
            Some("github_garbage GitHub's answer cannot be understood: Something went wrong")
        );
    }

    #[test]
    fn a_refusal_that_nulls_the_answer_is_reported_before_the_absences_in_it() {
        let absent = json!({ "type": "NOT_FOUND", "path": ["repository", "state"], "message": "Could not resolve file for path 'x'." });
        let refused = json!({ "type": "FORBIDDEN", "path": ["repository", "pulls"], "message": "Resource not accessible" });
        let nulled = |errors| json!({ "data": { "repository": null }, "errors": errors });
        let reported = |errors| reported(nulled(errors), 9).unwrap();
        assert!(reported(json!([absent, refused])).starts_with("permission_denied"));
        assert!(reported(json!([absent])).starts_with("not_found"));
    }

    #[test]
    fn a_member_names_the_permission_that_it_needs() {
        let answer = |path: &[&str]| {
            json!({ "data": { "repository": null }, "errors": [{
                "type": "FORBIDDEN", "path": path, "extensions": { "saml_failure": false },
                "message": "Resource not accessible by integration",
            }] })
        };
        for (path, permission) in [
            (["repository", "pullRequests"], "pull-requests: read"),
            (["repository", "ledger"], "contents: read"),
        ] {
            assert_eq!(
                reported(answer(&path), 9),
                Some(format!(
                    "permission_denied the token may not do this: Resource not accessible by integration (GitHub asks for the permission {permission})"
                ))
            );
        }
    }

    /// As GitHub answers when the token may read contents and no pull requests.
    #[test]
    fn a_refused_member_that_nulls_the_repository_is_the_cause_and_not_an_absent_file() {
        let answer = json!({ "data": { "repository": null }, "errors": [
            { "type": "NOT_FOUND", "path": ["repository", "state"], "message": "Could not resolve file for path 'x'." },
            { "type": "FORBIDDEN", "path": ["repository", "pullRequests"], "message": "Resource not accessible by integration" },
        ] });
        let reported = reported(answer, 9).unwrap();
        assert!(
            reported.contains("asks for the permission pull-requests: read"),
            "{reported}"
        );
        let alone = json!({ "data": { "repository": null }, "errors": [
            { "type": "NOT_FOUND", "path": ["repository", "state"], "message": "Could not resolve file for path 'x'." },
        ] });
        assert!(reply(alone, 9).trouble_beyond(&QUERY).is_some());
    }

    /// A query does nothing, so an error without data at the end of the budget is the budget's.
    #[test]
    fn an_error_without_data_when_nothing_is_left_is_a_rate_limit() {
        let error = json!([{ "message": "Something went wrong" }]);
        let none = json!({ "data": null, "errors": error });
        let trouble = reply(none.clone(), 0).trouble_beyond(&QUERY).unwrap();
        assert_eq!(
            (trouble.code(), trouble.asks_to_wait()),
            ("rate_limited", Some(61))
        );
        assert!(reported(none, 1).unwrap().starts_with("github_garbage "));
        let partial = json!({ "data": { "repository": {} }, "errors": error });
        assert!(reported(partial, 0).unwrap().starts_with("github_garbage "));
    }

    #[test]
    fn json_of_another_form_names_its_query_and_is_not_asked_for_again() {
        assert_eq!(
            operation("query Preflight($a: String!) {"),
            "the query Preflight"
        );
        let reply = GraphqlReply {
            asked: operation("query Preflight {"),
            ..reply(json!({ "data": { "repository": 7 } }), 9)
        };

        let trouble = reply
            .read::<std::collections::BTreeMap<String, String>>()
            .unwrap_err();

        assert!(!trouble.passes() && trouble.leaves_open());
        assert_eq!(
            trouble.to_string(),
            "GitHub's answer to the query Preflight is not of the form that Countersign knows: \
             invalid type: integer `7`, expected a string"
        );
    }
}
