//! The signature of a commit that GitHub itself has signed.

use async_graphql::{Enum, Interface, Object};
use serde_json::Value;

/// Any signature.
#[derive(Interface)]
#[expect(
    clippy::duplicated_attributes,
    reason = "several fields have the same type"
)]
#[graphql(
    field(name = "email", ty = "String"),
    field(name = "is_valid", ty = "bool"),
    field(name = "payload", ty = "String"),
    field(name = "signature", ty = "String"),
    field(name = "state", ty = "GitSignatureState"),
    field(
        name = "wasSignedByGitHub",
        method = "was_signed_by_github",
        ty = "bool"
    )
)]
pub(super) enum GitSignature {
    Gpg(GpgSignature),
}

impl GitSignature {
    /// What REST calls a commit's `verification`, if it is verified.
    pub(super) fn of(verification: &Value) -> Option<Self> {
        if verification["verified"] != true {
            return None;
        }
        let text = |name: &str| verification[name].as_str().unwrap_or_default().to_owned();
        Some(Self::Gpg(GpgSignature {
            payload: text("payload"),
            signature: text("signature"),
        }))
    }
}

pub(super) struct GpgSignature {
    payload: String,
    signature: String,
}

#[derive(Clone, Copy, Enum, PartialEq, Eq)]
enum GitSignatureState {
    Valid,
}

#[Object]
impl GpgSignature {
    async fn email(&self) -> String {
        "noreply@github.com".to_owned()
    }

    async fn is_valid(&self) -> bool {
        true
    }

    async fn payload(&self) -> String {
        self.payload.clone()
    }

    async fn signature(&self) -> String {
        self.signature.clone()
    }

    async fn state(&self) -> GitSignatureState {
        GitSignatureState::Valid
    }

    #[graphql(name = "wasSignedByGitHub")]
    async fn was_signed_by_github(&self) -> bool {
        true
    }
}
