//! Refusals because GitHub does not show what a decision needs, and waiting does not change that.

use alloc::string::String;

/// Why GitHub does not show what a decision needs.
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
    /// GitHub denies the token access, and no permission would change that.
    #[error("GitHub denies the token access: {reason}")]
    AccessDenied {
        /// GitHub's words.
        reason: String,
    },
    /// The repository does not exist, or the token does not see it.
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
                "The token is invalid or has expired: hand over another one. A job's token expires with its job."
            }
            Self::PermissionMissing { .. } => {
                "Grant the job that permission under `permissions:`, or hand over a token that has it."
            }
            Self::AccessDenied { .. } => {
                "Follow GitHub's message: the organization allows only certain addresses, or requires the token to be authorized for single sign-on. No permission changes that."
            }
            Self::RepositoryUnseen { .. } => {
                "Use the repository's current name, and a token that may read it. A plan for an old name must be made again."
            }
            Self::ServerTooOld { .. } => {
                "GitHub Enterprise Server 3.17 is the oldest version that works: update the server."
            }
        }
    }
}
