//! Refusals because GitHub does not show what a decision needs, and waiting does not change that.

use alloc::string::String;

/// Why GitHub shows nothing to decide by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// GitHub does not accept the token.
    #[error("GitHub does not accept the token: {reason}")]
    TokenInvalid {
        /// GitHub's words.
        reason: String,
    },
    /// The token lacks a permission.
    #[error("the token lacks the permission `{permission}`: {reason}")]
    PermissionMissing {
        /// The permission, as a workflow spells it.
        permission: String,
        /// GitHub's words.
        reason: String,
    },
    /// The token is kept out, and no permission would let it in.
    #[error("GitHub keeps the token out: {reason}")]
    AccessDenied {
        /// GitHub's words.
        reason: String,
    },
    /// There is no such repository, or the token does not see it.
    #[error(
        "GitHub shows no such repository: it does not exist, it was renamed or moved, or the token may not see it ({reason})"
    )]
    RepositoryUnseen {
        /// GitHub's words.
        reason: String,
    },
    /// The server does not know what is asked for.
    #[error("the server does not know what Countersign asks for: {reason}")]
    ServerTooOld {
        /// The server's words.
        reason: String,
    },
}

impl AccessRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TokenInvalid { .. } => "token_invalid",
            Self::PermissionMissing { .. } => "permission_missing",
            Self::AccessDenied { .. } => "access_denied",
            Self::RepositoryUnseen { .. } => "repository_unseen",
            Self::ServerTooOld { .. } => "server_too_old",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::TokenInvalid { .. } => {
                "The token is not valid, or no longer: hand over another one. A job's token ends with its job."
            }
            Self::PermissionMissing { .. } => {
                "Grant the job that permission under `permissions:`, or hand over a token that has it."
            }
            Self::AccessDenied { .. } => {
                "Do what GitHub's message says: the organization lets in certain addresses only, or wants the token to be authorized for single sign-on. No permission changes that."
            }
            Self::RepositoryUnseen { .. } => {
                "Use the repository's name as it is now, and a token that may read it. A plan for an old name must be made again."
            }
            Self::ServerTooOld { .. } => {
                "GitHub Enterprise Server 3.17 is the oldest version that works: update the server."
            }
        }
    }
}
