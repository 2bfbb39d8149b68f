//! POST requests without a claim: release notes, which change nothing, and a person's setup of the
//! ledger.

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use countersign_core::{
    ledger::{BRANCH, empty_ledger},
    name::{CommitId, Repository},
};

use super::{GitHub, Trouble, encoded, json_request, rules::BranchRule};

/// What became of the ledger's branch.
pub(crate) enum Begun {
    /// The branch is made and begins with this commit.
    With(CommitId),
    /// The branch exists already; nothing was written to it.
    Before,
    /// The repository has no commit yet: GitHub stores nothing in it.
    EmptyRepository,
    /// The root commit is made, but GitHub does not create the branch.
    Refused(Trouble),
}

/// What became of the ruleset.
pub(crate) enum Protected {
    /// It is made.
    Made {
        id: u64,
        /// The rules that GitHub lists in its answer.
        rules: Vec<String>,
        /// GitHub's message about the rules that were left out, if any were.
        without: Option<String>,
    },
    /// A ruleset of this name exists already, or GitHub refuses this one.
    Refused(Trouble),
}

#[derive(Deserialize)]
struct Made {
    sha: String,
}

#[derive(Deserialize)]
struct Ruleset {
    id: u64,
    rules: Vec<BranchRule>,
}

#[derive(Deserialize)]
struct Commit {
    verification: Verification,
}

#[derive(Deserialize)]
struct Verification {
    verified: bool,
}

/// Without these the ledger is not protected.
const NEEDED: [&str; 2] = ["deletion", "non_fast_forward"];
/// `ledger verify` checks the same; a server or a repository may not support them.
const OPTIONAL: [&str; 2] = ["required_linear_history", SIGNATURES];
const SIGNATURES: &str = "required_signatures";
const RULESET: &str = "Receipt ledger";

/// The rules that the ledger can have on a server that signs commits, or on one that signs none.
pub(crate) fn wanted_rules(signs: bool) -> Vec<&'static str> {
    let optional = OPTIONAL
        .into_iter()
        .filter(|rule| signs || *rule != SIGNATURES);
    NEEDED.into_iter().chain(optional).collect()
}

/// The ruleset for the ledger: no one deletes or rewrites it, and no one bypasses that.
pub(crate) fn ruleset(rules: &[&str]) -> serde_json::Value {
    let rules: Vec<_> = rules.iter().map(|rule| json!({ "type": rule })).collect();
    json!({
        "name": RULESET,
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

    /// Makes the ledger's orphan branch: a tree, a root commit, a ref. For people at the command
    /// line; the publisher never calls it.
    ///
    /// The commit names no author, because GitHub signs a bot's commit only without one.
    pub(crate) async fn begin_ledger(&self, repository: &Repository) -> Result<Begun, Trouble> {
        let path = place(repository, &format!("git/ref/heads/{BRANCH}"));
        match self.read::<serde_json::Value>(&path).await {
            Ok(_) => return Ok(Begun::Before),
            Err(Trouble::NotFound { .. }) => {}
            Err(trouble) => return empty_repository(trouble),
        }

        let tree = json!({ "tree": empty_ledger().iter().map(file).collect::<Vec<_>>() });
        let tree: Made = match self.post(repository, "git/trees", &tree).await {
            Ok(tree) => tree,
            Err(trouble) => return empty_repository(trouble),
        };
        let commit =
            json!({ "message": "Begin the receipt ledger", "tree": tree.sha, "parents": [] });
        let commit: Made = self
            .repeat_while_fresh(async || self.post(repository, "git/commits", &commit).await)
            .await?;

        let reference = json!({ "ref": format!("refs/heads/{BRANCH}"), "sha": commit.sha });
        // GitHub creates a ref only if there is none, so a second try moves nothing.
        let made: Result<serde_json::Value, _> = self
            .repeat_while_fresh(async || self.post(repository, "git/refs", &reference).await)
            .await;
        match made {
            Ok(_) => Ok(Begun::With(commit.id()?)),
            Err(Trouble::Validation { message, .. })
                if message.starts_with("Reference already exists") =>
            {
                Ok(Begun::Before)
            }
            Err(trouble @ (Trouble::Validation { .. } | Trouble::Authorization { .. })) => {
                Ok(Begun::Refused(trouble))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether the server signs every commit that it makes itself. GitHub Enterprise Server does so
    /// only if its administrator has turned that on: a commit's own signature shows it.
    pub(crate) fn always_signs(&self) -> bool {
        self.endpoints.is_public()
    }

    /// Whether GitHub vouches for the signature of a commit.
    pub(crate) async fn is_verified(
        &self,
        repository: &Repository,
        commit: &CommitId,
    ) -> Result<bool, Trouble> {
        let path = place(repository, &format!("git/commits/{commit}"));
        let commit: Commit = self
            .repeat_while_fresh(async || self.read(&path).await)
            .await?;
        Ok(commit.verification.verified)
    }

    /// Sets the ruleset, with as many of these rules as the server accepts. Needs the permission
    /// administration: write, which no job's token has.
    ///
    /// A server may refuse a rule that its settings do not allow, such as linear history in a
    /// repository that merges by merge commits alone. No record shows the refusal's text, so it
    /// does not decide which rules are left out: every optional one is.
    pub(crate) async fn protect_ledger(
        &self,
        repository: &Repository,
        rules: &[&str],
    ) -> Result<Protected, Trouble> {
        let refused = match self.set_ruleset(repository, rules).await {
            Ok(made) => return Ok(made.with(None)),
            Err(trouble @ Trouble::Validation { status: 422, .. }) => trouble,
            Err(trouble) => return Err(trouble),
        };
        match self.set_ruleset(repository, &NEEDED).await {
            Ok(made) => Ok(made.with(Some(refused.to_string()))),
            Err(trouble @ Trouble::Validation { status: 422, .. }) => {
                Ok(Protected::Refused(trouble))
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn set_ruleset(
        &self,
        repository: &Repository,
        rules: &[&str],
    ) -> Result<Ruleset, Trouble> {
        self.post(repository, "rulesets", &ruleset(rules)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        below: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        let uri = self.endpoints.rest(&place(repository, below));
        let request = json_request(Method::POST, &uri, body)?;
        self.send(request).await?.json()
    }
}

impl Made {
    fn id(&self) -> Result<CommitId, Trouble> {
        self.sha.parse().map_err(|_| Trouble::Garbage {
            reason: "a commit without an id".into(),
        })
    }
}

impl Ruleset {
    fn with(self, without: Option<String>) -> Protected {
        Protected::Made {
            id: self.id,
            rules: self.rules.into_iter().map(|rule| rule.r#type).collect(),
            without,
        }
    }
}

fn place(repository: &Repository, below: &str) -> String {
    let (owner, name) = repository.parts();
    format!("/repos/{}/{}/{below}", encoded(owner), encoded(name))
}

fn file((path, bytes): &(&str, Vec<u8>)) -> serde_json::Value {
    let content = String::from_utf8_lossy(bytes);
    json!({ "path": path, "mode": "100644", "type": "blob", "content": content })
}

/// GitHub answers 409 to requests for objects and refs of a repository without a commit.
fn empty_repository(trouble: Trouble) -> Result<Begun, Trouble> {
    match trouble {
        Trouble::Validation { status: 409, .. } => Ok(Begun::EmptyRepository),
        trouble => Err(trouble),
    }
}
