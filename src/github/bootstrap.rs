//! What POSTs without a claim: release notes, which change nothing, and an administrator's beginning and protection of the ledger.

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use countersign_core::{
    ledger::{BRANCH, empty_ledger},
    name::{CommitId, Repository},
};

use super::{GitHub, Trouble, encoded, json_request};

/// What became of the ledger's beginning.
pub(crate) enum Begun {
    /// The branch begins with this commit.
    With(String),
    /// The branch was there already, and was left as it is.
    Before,
}

#[derive(Deserialize)]
struct Made {
    sha: String,
}

#[derive(Deserialize)]
struct Ruleset {
    id: u64,
}

/// The ruleset for the ledger: nobody deletes or rewrites it, every commit is signed, nobody bypasses that.
pub(crate) fn ruleset() -> serde_json::Value {
    let rules = [
        "deletion",
        "non_fast_forward",
        "required_linear_history",
        "required_signatures",
    ]
    .map(|rule| json!({ "type": rule }));
    json!({
        "name": "Receipt ledger",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": { "ref_name": { "include": [format!("refs/heads/{BRANCH}")], "exclude": [] } },
        "rules": rules,
    })
}

#[derive(Deserialize)]
struct Notes {
    body: String,
}

impl GitHub {
    /// The release notes that GitHub would write; it writes nothing by that.
    pub(crate) async fn release_notes(
        &self,
        repository: &Repository,
        tag: &str,
        commit: Option<&CommitId>,
    ) -> Result<String, Trouble> {
        let question = json!({ "tag_name": tag, "target_commitish": commit });
        let notes: Notes = self
            .post(repository, "releases/generate-notes", &question)
            .await?;
        Ok(notes.body)
    }

    /// Makes the ledger's orphan branch: a tree, a root commit, a ref. For an administrator; the publisher never calls it.
    pub(crate) async fn begin_ledger(&self, repository: &Repository) -> Result<Begun, Trouble> {
        let (owner, name) = repository.parts();
        let path = format!(
            "/repos/{}/{}/git/ref/heads/{BRANCH}",
            encoded(owner),
            encoded(name)
        );
        match self.read::<serde_json::Value>(&path).await {
            Ok(_) => return Ok(Begun::Before),
            Err(Trouble::NotFound { .. }) => {}
            Err(trouble) => return Err(trouble),
        }
        let file = |(path, bytes): (&str, Vec<u8>)| json!({ "path": path, "mode": "100644", "type": "blob", "content": String::from_utf8_lossy(&bytes) });
        let files: Vec<_> = empty_ledger().into_iter().map(file).collect();
        let tree: Made = self
            .post(repository, "git/trees", &json!({ "tree": files }))
            .await?;
        let commit =
            json!({ "message": "Begin the receipt ledger", "tree": tree.sha, "parents": [] });
        let commit: Made = self
            .repeat_while_fresh(async || self.post(repository, "git/commits", &commit).await)
            .await?;
        let reference = json!({ "ref": format!("refs/heads/{BRANCH}"), "sha": commit.sha });
        // GitHub creates a ref only if there is none, so a second try moves nothing.
        let made = self.repeat_while_fresh(async || {
            self.post::<serde_json::Value>(repository, "git/refs", &reference)
                .await
        });
        match made.await {
            Ok(_) => Ok(Begun::With(commit.sha)),
            Err(Trouble::Validation { message, .. })
                if message.starts_with("Reference already exists") =>
            {
                Ok(Begun::Before)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Sets the ruleset, and gives its number. Needs the permission administration: write, which no job token has.
    pub(crate) async fn protect_ledger(&self, repository: &Repository) -> Result<u64, Trouble> {
        let made: Ruleset = self.post(repository, "rulesets", &ruleset()).await?;
        Ok(made.id)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        place: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        let (owner, name) = repository.parts();
        let path = format!("/repos/{}/{}/{place}", encoded(owner), encoded(name));
        self.send(json_request(
            Method::POST,
            &self.endpoints.rest(&path),
            body,
        )?)
        .await?
        .json()
    }
}
