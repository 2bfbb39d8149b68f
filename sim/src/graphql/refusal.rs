//! GraphQL errors with GitHub's types and texts.

use async_graphql::{Error, ErrorExtensions as _};

use crate::permission::{Need, Permissions};

/// An error with a `type` beside its message.
pub(super) fn refusal(kind: &str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("type", kind))
}

/// Refuses a token that lacks a permission.
pub(super) fn require(permissions: Permissions, need: Need) -> Result<(), Error> {
    if permissions.grants(need) {
        Ok(())
    } else {
        Err(forbidden())
    }
}

pub(super) fn forbidden() -> Error {
    refusal("FORBIDDEN", "Resource not accessible by integration")
}

pub(super) fn no_repository(full_name: &str) -> Error {
    let message = format!("Could not resolve to a Repository with the name '{full_name}'.");
    refusal("NOT_FOUND", message)
}

/// Measured: two spaces before "Pull".
pub(super) fn stale(expected: &str) -> String {
    format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.")
}
