//! GraphQL: errors come with HTTP 200, and their type decides.

use http::Method;
use serde::{Deserialize, Serialize};

use countersign_core::{text::excerpt, timestamp::Timestamp};

use super::{
    GitHub, Trouble, json_request,
    trouble::{header, pause},
};

/// A GraphQL answer: data, errors, and when it was given.
pub(crate) struct GraphqlReply<T> {
    pub(crate) data: Option<T>,
    pub(crate) errors: Vec<GraphqlError>,
    pub(crate) date: Option<Timestamp>,
    /// The permission that GitHub would have wanted.
    permissions: Option<String>,
    /// How long a rate limit would last.
    pause: u64,
}

impl<T> GraphqlReply<T> {
    /// An answer without headers, for tests.
    #[cfg(test)]
    pub(super) const fn of(data: Option<T>, errors: Vec<GraphqlError>) -> Self {
        Self {
            data,
            errors,
            date: None,
            permissions: None,
            pause: 0,
        }
    }

    /// The first error, as the same trouble that REST would tell of.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble_beyond(&[])
    }

    /// The first error that is not about one member that may be missing.
    pub(super) fn trouble_beyond(&self, dispensable: &[&str]) -> Option<Trouble> {
        let matters =
            |error: &&GraphqlError| dispensable.is_empty() || !error.is_below(dispensable);
        self.errors
            .iter()
            .find(matters)
            .map(|error| error.trouble(self.permissions.clone(), self.pause))
    }
}

/// One error. `kind` is not in the schema, but GitHub sends it: `STALE_DATA`, `NOT_FOUND`, `FORBIDDEN`, `RATE_LIMITED`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GraphqlError {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    path: Vec<serde_json::Value>,
}

impl GraphqlError {
    /// Whether it is about this member as a whole, and not about something inside it.
    pub(super) fn is_about(&self, member: &str) -> bool {
        matches!(self.path.as_slice(), [only] if only == member)
    }

    /// Whether it is about this member or something inside it.
    fn is_below(&self, member: &[&str]) -> bool {
        self.path.len() >= member.len()
            && self
                .path
                .iter()
                .zip(member)
                .all(|(found, expected)| found == expected)
    }

    /// The same trouble as REST would tell of.
    pub(super) fn trouble(&self, permissions: Option<String>, pause: u64) -> Trouble {
        let message = excerpt(self.message.trim_end_matches('.'), 300);
        match self.kind.as_str() {
            "RATE_LIMITED" => Trouble::RateLimit {
                message,
                wait: Some(pause),
            },
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Trouble::Authorization {
                status: 200,
                message,
                permissions,
            },
            "NOT_FOUND" => Trouble::NotFound {
                message,
                permissions,
            },
            "" => Trouble::Garbage { reason: message },
            _ => Trouble::Validation {
                status: 200,
                message,
            },
        }
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

#[derive(Serialize)]
struct Question<'a, V> {
    query: &'a str,
    variables: V,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
}

impl GitHub {
    /// Asks a query, again and again if what is in the way passes. An error that a query can do without is none.
    pub(super) async fn query<T: for<'de> Deserialize<'de>>(
        &self,
        document: &str,
        variables: impl Serialize,
        dispensable: &[&str],
    ) -> Result<GraphqlReply<T>, Trouble> {
        let ask = async || {
            let reply = self.graphql::<T>(document, &variables).await?;
            // Data beside an error may lack exactly what matters.
            reply.trouble_beyond(dispensable).map_or(Ok(reply), Err)
        };
        self.again(ask).await
    }

    /// Sends a document once. Only the ledger's append writes this way.
    pub(super) async fn graphql<T: for<'de> Deserialize<'de>>(
        &self,
        document: &str,
        variables: impl Serialize,
    ) -> Result<GraphqlReply<T>, Trouble> {
        let question = Question {
            query: document,
            variables,
        };
        let request = json_request(
            Method::POST,
            &self.endpoints.graphql().to_string(),
            &question,
        )?;
        let reply = self.send(request).await?;
        let (date, permissions) = (
            reply.date(),
            header(&reply.headers, "x-accepted-github-permissions"),
        );
        let pause = pause(&reply.headers);
        let Answer { data, errors } = reply.json()?;
        Ok(GraphqlReply {
            data,
            errors,
            date,
            permissions,
            pause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(errors: &str) -> Option<String> {
        let errors = serde_json::from_str(errors).unwrap();
        let reply = GraphqlReply::<()>::of(None, errors);
        reply
            .trouble_beyond(&["repository", "ledger", "rules"])
            .map(|trouble| trouble.to_string())
    }

    #[test]
    fn only_an_error_about_the_dispensable_member_is_overlooked() {
        let rules =
            r#"{"type":"FORBIDDEN","path":["repository","ledger","rules"],"message":"no rules"}"#;
        assert_eq!(beyond(&format!("[{rules}]")), None);
        for (path, told) in [
            (r#"["repository","ledger"]"#, true),
            (r#"["repository"]"#, true),
            ("[]", true),
            (r#"["repository","tag","rules"]"#, true),
        ] {
            let other = format!(r#"[{rules},{{"type":"FORBIDDEN","path":{path},"message":"no"}}]"#);
            assert_eq!(beyond(&other).is_some(), told, "{path}");
        }
        assert!(beyond(r#"[{"message":"Something went wrong"}]"#).is_some());
    }
}
