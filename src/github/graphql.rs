//! GraphQL: errors come with HTTP 200, and their type decides.

use http::Method;
use serde::{Deserialize, Serialize};

use countersign_core::{text::excerpt, timestamp::Timestamp};

use super::{GitHub, Trouble, json_request, trouble::header};

/// A GraphQL answer: data, errors, and when it was given.
pub(crate) struct GraphqlReply<T> {
    pub(crate) data: Option<T>,
    pub(crate) errors: Vec<GraphqlError>,
    pub(crate) date: Option<Timestamp>,
    /// The permission that GitHub would have wanted.
    permissions: Option<String>,
}

impl<T> GraphqlReply<T> {
    /// The first error, as the same trouble that REST would tell of.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.errors.first().map(|error| error.trouble(self.permissions.clone()))
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

    /// The same trouble as REST would tell of.
    pub(super) fn trouble(&self, permissions: Option<String>) -> Trouble {
        let message = excerpt(&self.message, 300);
        match self.kind.as_str() {
            "RATE_LIMITED" => Trouble::RateLimit { message },
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Trouble::Authorization { status: 200, message, permissions },
            "NOT_FOUND" => Trouble::NotFound { message, permissions },
            "" => Trouble::Garbage { reason: message },
            _ => Trouble::Validation { status: 200, message },
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
    /// Sends a document of `documents/`. Whether it writes is for the two callers to say: `preflight` and the ledger's append.
    pub(super) async fn graphql<T: for<'de> Deserialize<'de>>(
        &self,
        document: &str,
        variables: impl Serialize,
    ) -> Result<GraphqlReply<T>, Trouble> {
        let question = Question { query: document, variables };
        let request = json_request(Method::POST, &self.endpoints.graphql().to_string(), &question)?;
        let reply = self.send(request).await?;
        let (date, permissions) = (reply.date(), header(&reply.headers, "x-accepted-github-permissions"));
        let Answer { data, errors } = reply.json()?;
        Ok(GraphqlReply { data, errors, date, permissions })
    }
}
