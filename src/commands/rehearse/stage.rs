//! What every probe works with: the server, the scratch repository, the pace, and what was made for several probes.

use std::{
    cell::{Cell, OnceCell},
    time::Instant,
};

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use countersign_core::name::Login;

use super::{finding::Stopped, pace::Pace, table::Need};
use crate::{
    Clock, Environment,
    github::{Ask, Exchange, GitHub, PREFIX, Scratch, encoded},
};

/// Tries for what was made a moment ago and may not be there everywhere, with a growing wait between them.
const FRESH_TRIES: u32 = 5;

/// Thousandths of a second between two looks, and for how long it is looked.
const LOOK: u32 = 100;
const PATIENCE: u64 = 30_000;

pub(super) struct Stage<'a> {
    pub(super) github: &'a GitHub,
    pub(super) scratch: &'a Scratch,
    pub(super) environment: &'a Environment,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    pub(super) reviewer: Option<Login>,
    pub(super) heavy: bool,
    /// Signs the receipts of the whole operations; it never leaves memory.
    pub(super) key: SigningKey,
    /// Tells one rehearsal's names from another's.
    pub(super) word: String,
    pub(super) branches: OnceCell<Branches>,
    /// The pull request between them, once it is open.
    pub(super) opened: Cell<Option<u64>>,
    /// Whether the ledger was begun for the whole operations.
    pub(super) has_begun_ledger: Cell<bool>,
}

/// Two branches of which one is ahead by a commit, made at the default branch's head.
#[derive(Clone)]
pub(super) struct Branches {
    pub(super) base: String,
    pub(super) head: String,
    pub(super) head_commit: String,
}

impl Stage<'_> {
    /// A name of this rehearsal's.
    pub(super) fn name(&self, what: &str) -> String {
        format!("{PREFIX}{}-{what}", self.word)
    }

    pub(super) fn has(&self, need: Need) -> bool {
        match need {
            Need::Private => self.scratch.is_private(),
            Need::Admin => self.scratch.is_admin(),
            Need::Job => self.run().is_some(),
            Need::Reviewer => self.reviewer.is_some(),
            Need::Empty => self.scratch.head().is_none(),
            Need::ByHand => false,
            Need::Heavy => self.heavy,
        }
    }

    /// The run in which we are, if it is one of this repository's.
    pub(super) fn run(&self) -> Option<&str> {
        let here = self.environment.get("GITHUB_REPOSITORY")?;
        let is_here = here.eq_ignore_ascii_case(&self.scratch.repository().to_string());
        let in_job = self.environment.get("GITHUB_ACTIONS") == Some("true");
        self.environment
            .get("GITHUB_RUN_ID")
            .filter(|_| is_here && in_job)
    }

    /// The default branch's commit.
    pub(super) fn commit(&self) -> Result<&str, Stopped> {
        self.scratch
            .head()
            .ok_or_else(|| Stopped::Needs("a first commit in the repository".into()))
    }

    /// Sends a request once, after waiting for its place if it makes content.
    pub(super) async fn send(&self, ask: Ask) -> Result<Exchange, Stopped> {
        if ask.creates() {
            self.pace.admit(1).await;
        }
        Ok(self.github.probe(self.scratch, ask).await?)
    }

    /// The same where everything else would be pointless without success.
    pub(super) async fn prepare(&self, ask: Ask) -> Result<Exchange, Stopped> {
        let name = ask.name();
        let exchange = self.send(ask).await?;
        if exchange.is_success() {
            Ok(exchange)
        } else {
            Err(Stopped::Preparation(name, exchange.into()))
        }
    }

    /// Asks a query about the repository; `$owner` and `$name` are filled in.
    pub(super) async fn query(
        &self,
        document: &str,
        mut variables: Value,
    ) -> Result<Exchange, Stopped> {
        let (owner, name) = self.scratch.repository().parts();
        variables["owner"] = json!(owner);
        variables["name"] = json!(name);
        self.send(Ask::graphql(document, &variables)).await
    }

    /// Sets a ref to an object.
    pub(super) async fn set_ref(&self, name: &str, object: &str) -> Result<Exchange, Stopped> {
        let set = self.try_ref(name, object).await?;
        if set.is_success() {
            Ok(set)
        } else {
            Err(Stopped::Preparation("POST git/refs".into(), set.into()))
        }
    }

    /// The same where a refusal is an answer. An object that was made a moment ago may not be
    /// known everywhere yet.
    pub(super) async fn try_ref(&self, name: &str, object: &str) -> Result<Exchange, Stopped> {
        let ask = || Ask::post("git/refs", json!({ "ref": name, "sha": object }));
        for tried in 1.. {
            let exchange = self.send(ask()).await?;
            let is_fresh = exchange.status == 404
                || exchange.body["message"]
                    .as_str()
                    .is_some_and(|message| message.starts_with("Object does not exist"));
            if !is_fresh || tried > FRESH_TRIES {
                return Ok(exchange);
            }
            self.pace.sleep(1000 << tried).await;
        }
        unreachable!("the last try returns")
    }

    /// Reads until what is wanted is there, and returns how long that lasted: 0 if it was there at once.
    pub(super) async fn until(
        &self,
        path: &str,
        there: impl Fn(&Exchange) -> bool,
    ) -> Result<(u64, Exchange), Stopped> {
        let started = Instant::now();
        let mut looked = self.send(Ask::get(path)).await?;
        if there(&looked) {
            return Ok((0, looked));
        }
        loop {
            self.pace.sleep(LOOK).await;
            looked = self.send(Ask::get(path)).await?;
            let lasted = self.pace.thousandths(started.elapsed()).max(1);
            if there(&looked) || lasted > PATIENCE {
                return Ok((lasted, looked));
            }
        }
    }

    /// Where a ref leads, looked for until it is there or patience ends.
    pub(super) async fn found_ref(&self, short: &str) -> Result<Option<String>, Stopped> {
        for tried in 0..FRESH_TRIES {
            let looked = self.send(Ask::get(format!("git/ref/{short}"))).await?;
            if let Some(oid) = looked.body["object"]["sha"].as_str() {
                return Ok(Some(oid.to_owned()));
            }
            self.pace.sleep(1000 << tried).await;
        }
        Ok(None)
    }

    /// Makes a commit with one file: on a parent, or a root without one.
    pub(super) async fn make_commit(
        &self,
        parent: Option<&str>,
        path: &str,
        text: &str,
    ) -> Result<String, Stopped> {
        let file = json!({ "path": path, "mode": "100644", "type": "blob", "content": text });
        let mut tree = json!({ "tree": [file] });
        if let Some(parent) = parent {
            let parent = self
                .prepare(Ask::get(format!("git/commits/{parent}")))
                .await?;
            tree["base_tree"] = parent.body["tree"]["sha"].clone();
        }
        let tree = self.prepare(Ask::post("git/trees", tree)).await?;
        let parents: Vec<&str> = parent.into_iter().collect();
        let commit = json!({ "message": "Rehearse", "tree": tree.body["sha"], "parents": parents });
        let commit = self.prepare(Ask::post("git/commits", commit)).await?;
        Ok(text_of(&commit.body["sha"]))
    }

    /// The two branches, made when a probe first needs them.
    pub(super) async fn branches(&self) -> Result<Branches, Stopped> {
        if let Some(branches) = self.branches.get() {
            return Ok(branches.clone());
        }
        let branches = self.make_branches("base", "head").await?;
        Ok(self.branches.get_or_init(|| branches).clone())
    }

    /// Two branches at the default branch's head, of which the second is ahead by a commit.
    pub(super) async fn make_branches(&self, base: &str, head: &str) -> Result<Branches, Stopped> {
        let start = self.commit()?.to_owned();
        let (base, head) = (self.name(base), self.name(head));
        self.set_ref(&format!("refs/heads/{base}"), &start).await?;
        let head_commit = self
            .make_commit(Some(&start), "countersign-rehearsal.txt", "Rehearsed.\n")
            .await?;
        self.set_ref(&format!("refs/heads/{head}"), &head_commit)
            .await?;
        Ok(Branches {
            base,
            head,
            head_commit,
        })
    }

    /// Makes a draft and returns the answer that made it.
    pub(super) async fn draft(&self, tag: &str, body: &str) -> Result<Exchange, Stopped> {
        let release = json!({
            "tag_name": tag,
            "target_commitish": self.commit()?,
            "name": tag,
            "body": body,
            "draft": true,
            "make_latest": "false",
        });
        self.prepare(Ask::post("releases", release)).await
    }

    /// Makes a draft public.
    pub(super) async fn publish(&self, draft: &Exchange) -> Result<Exchange, Stopped> {
        let id = draft.body["id"].as_u64().unwrap_or_default();
        let body = json!({ "draft": false, "make_latest": "false" });
        self.send(Ask::patch(format!("releases/{id}"), body)).await
    }

    /// Uploads an asset to a draft, at the address that its answer names.
    pub(super) async fn send_upload(
        &self,
        draft: &Exchange,
        name: &str,
        bytes: &[u8],
    ) -> Result<Exchange, Stopped> {
        let address = text_of(&draft.body["upload_url"]);
        let address = address.split('{').next().unwrap_or_default();
        let ask = Ask::upload(format!("{address}?name={}", encoded(name)), bytes);
        self.send(ask).await
    }

    /// The same where everything else would be pointless without success.
    pub(super) async fn upload(
        &self,
        draft: &Exchange,
        name: &str,
        bytes: &[u8],
    ) -> Result<Exchange, Stopped> {
        let upload = self.send_upload(draft, name, bytes).await?;
        if upload.is_success() {
            Ok(upload)
        } else {
            Err(Stopped::Preparation("the upload".into(), upload.into()))
        }
    }

    /// Opens a pull request between the two branches.
    pub(super) async fn pull(&self) -> Result<Exchange, Stopped> {
        let Branches { base, head, .. } = self.branches().await?;
        let pull = json!({ "title": self.name("pull"), "head": head, "base": base, "body": "" });
        self.send(Ask::post("pulls", pull)).await
    }

    /// Appends one file to a branch with `createCommitOnBranch`, and asks where a tag leads.
    pub(super) async fn append(
        &self,
        branch: &str,
        expected: &str,
        path: &str,
        tag: &str,
    ) -> Result<Exchange, Stopped> {
        let addition = json!({ "path": path, "contents": "e30=" });
        self.append_file(branch, expected, addition, tag).await
    }

    /// The same with contents of one's own, in base64.
    pub(super) async fn append_file(
        &self,
        branch: &str,
        expected: &str,
        addition: Value,
        tag: &str,
    ) -> Result<Exchange, Stopped> {
        let input = json!({
            "branch": {
                "repositoryNameWithOwner": self.scratch.repository(),
                "branchName": branch,
            },
            "message": { "headline": "Rehearse" },
            "expectedHeadOid": expected,
            "fileChanges": { "additions": [addition] },
        });
        let variables = json!({ "input": input, "tagRef": format!("refs/tags/{tag}") });
        self.send(Ask::graphql(APPEND, &variables)).await
    }

    /// An orphan branch with one file, as the ledger is; gives its commit.
    pub(super) async fn orphan(&self, branch: &str, path: &str) -> Result<String, Stopped> {
        self.commit()?;
        let root = self.make_commit(None, path, "{}\n").await?;
        self.set_ref(&format!("refs/heads/{branch}"), &root).await?;
        Ok(root)
    }
}

/// The ledger's own append, on another branch.
const APPEND: &str = "\
mutation Append($input: CreateCommitOnBranchInput!, $tagRef: String!) {
  createCommitOnBranch(input: $input) {
    commit {
      oid
      repository { tag: ref(qualifiedName: $tagRef) { target { oid } } }
    }
  }
}";

/// The commit that an append made.
pub(super) fn appended(exchange: &Exchange) -> Result<String, Stopped> {
    let oid = &exchange.body["data"]["createCommitOnBranch"]["commit"]["oid"];
    match oid.as_str() {
        Some(oid) => Ok(oid.to_owned()),
        None => Err(Stopped::Preparation(
            "the append".into(),
            exchange.clone().into(),
        )),
    }
}

/// A member that holds text; an absent one is empty.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
