//! GraphQL errors with GitHub's types and texts.

use async_graphql::{Error, ErrorExtensions as _};

use crate::permission::{Need, Permissions};

/// The name under which the kind of an error travels through the library.
pub(super) const TYPE: &str = "type";
const SAML_FAILURE: &str = "saml_failure";

/// An error with a `type` beside its message.
pub(super) fn refusal(kind: &str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set(TYPE, kind))
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
    forbidden_because("Resource not accessible by integration")
}

/// `FORBIDDEN` always shows whether single sign-on was the reason.
pub(super) fn forbidden_because(message: &str) -> Error {
    refusal("FORBIDDEN", message).extend_with(|_, extensions| extensions.set(SAML_FAILURE, false))
}

pub(super) fn no_repository(full_name: &str) -> Error {
    let message = format!("Could not resolve to a Repository with the name '{full_name}'.");
    refusal("NOT_FOUND", message)
}

pub(super) fn no_ref(name: &str) -> Error {
    let message = format!("Could not resolve to a Ref with the name '{name}'.");
    refusal("NOT_FOUND", message)
}

pub(super) fn no_file(path: &str) -> Error {
    refusal(
        "NOT_FOUND",
        format!("Could not resolve file for path '{path}'."),
    )
}

/// Measured: two spaces before "Pull".
pub(super) fn stale(expected: &str) -> String {
    format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.")
}
