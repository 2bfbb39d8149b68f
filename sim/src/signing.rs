//! Which commits carry a signature of GitHub's own.
//!
//! GitHub signs what a bot makes through its API when the request names neither author nor
//! committer, and every `createCommitOnBranch`. What a person's token makes object by object, and
//! everything that is pushed with git, is unsigned here.

use git2::Oid;
use serde_json::{Value, json};

use crate::clock::iso8601;
use crate::switch::Switch;
use crate::world::World;

impl World {
    /// GitHub signs this commit, unless the server signs none.
    pub(crate) fn mark_verified(&mut self, oid: Oid) {
        if !self.is_on(Switch::WebCommitSigningIsOff) {
            self.verified.insert(oid);
        }
    }

    /// Whether the commit shows as "Verified".
    pub(crate) fn is_verified(&self, oid: Oid) -> bool {
        self.verified.contains(&oid)
    }

    /// The `verification` of a commit. The signature only looks like one.
    pub(crate) fn verification(&self, oid: Oid) -> Value {
        let commit = self.git.commit(oid).filter(|_| self.is_verified(oid));
        let Some(commit) = commit else {
            return unsigned();
        };
        let payload = format!(
            "{}\n{}",
            commit.raw_header().unwrap_or_default(),
            commit.message_raw().unwrap_or_default()
        );

        json!({
            "verified": true,
            "reason": "valid",
            "signature": "-----BEGIN PGP SIGNATURE-----\n\nsimulated\n-----END PGP SIGNATURE-----\n",
            "payload": payload,
            "verified_at": iso8601(commit.time().seconds()),
        })
    }
}

/// The `verification` of an unsigned commit.
pub(crate) fn unsigned() -> Value {
    json!({
        "verified": false,
        "reason": "unsigned",
        "signature": null,
        "payload": null,
        "verified_at": null,
    })
}
