//! One query that shows everything a decision rests on: the ledger, the tag, the release, the branches, the rate limit.

use serde::{Deserialize, Serialize};

use countersign_core::{
    authorize::{Preflight, Sighting},
    ledger::{LedgerView, Look, RawSnapshot, Snapshot, entry_path, state_path},
    name::{CommitId, RepositoryId},
    operation::{Operation, Target},
    refusal::Refusal,
    world::{Budget, CommitFact, TagFact, World},
};

use super::{GitHub, Trouble};

const DOCUMENT: &str = include_str!("documents/preflight.graphql");

/// What to look for: an operation's surroundings and one receipt's place on the ledger.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreflightQuery {
    owner: String,
    name: String,
    state: String,
    checkpoint: String,
    commit: CommitId,
    workflows: String,
    tagged: bool,
    tag_name: String,
    tag_ref: String,
    pull: bool,
    head_name: String,
    head_ref: String,
    base_name: String,
    base_ref: String,
}

impl PreflightQuery {
    /// The query for an operation and, unless it is a dry run, a receipt.
    pub(crate) fn new(operation: &Operation, look: Option<&Look>) -> Self {
        let (owner, name) = operation.target().repository.parts();
        let tag = match operation {
            Operation::PublishRelease(release) => Some(release.tag_name.as_str()),
            Operation::TagRepo(tag) => Some(tag.tag_name.as_str()),
            Operation::OpenPr(_) => None,
        };
        let branches = match operation {
            Operation::OpenPr(pull) => Some((pull.head_branch.as_str(), pull.base_branch.as_str())),
            _ => None,
        };
        // Variables that no part of the query uses still need a value.
        let (head, base) = branches.unwrap_or(("-", "-"));
        let checkpoint = look.and_then(|look| look.checkpoint);
        Self {
            owner: owner.into(),
            name: name.into(),
            state: look.map_or("receipts/-".into(), |look| state_path(&look.receipt_id)),
            checkpoint: checkpoint.map_or("entries/-".into(), |checkpoint| entry_path(checkpoint.sequence)),
            commit: operation.commit().clone(),
            workflows: format!("{}:.github/workflows", operation.commit()),
            tagged: tag.is_some(),
            tag_name: tag.unwrap_or("-").into(),
            tag_ref: format!("refs/tags/{}", tag.unwrap_or("-")),
            pull: branches.is_some(),
            head_name: head.into(),
            head_ref: format!("refs/heads/{head}"),
            base_name: base.into(),
            base_ref: format!("refs/heads/{base}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    repository: Option<Answer>,
    rate_limit: Option<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    database_id: Option<u64>,
    name_with_owner: String,
    is_archived: bool,
    ledger: Option<LedgerRef>,
    commit: Option<Typed>,
    workflows: Option<Oid>,
    default_workflows: Option<Oid>,
    tag: Option<TagRef>,
    release: Option<Release>,
    head: Option<BranchRef>,
    base: Option<BranchRef>,
    pull_requests: Option<Pulls>,
}

#[derive(Deserialize)]
struct LedgerRef {
    target: Option<LedgerCommit>,
}

#[derive(Deserialize)]
struct LedgerCommit {
    oid: Option<CommitText>,
    head: Option<File>,
    state: Option<File>,
    checkpoint: Option<File>,
}

#[derive(Deserialize)]
struct File {
    object: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    text: Option<String>,
    is_truncated: Option<bool>,
}

#[derive(Deserialize)]
struct Oid {
    oid: CommitText,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "__typename")]
    kind: String,
}

#[derive(Deserialize)]
struct TagRef {
    target: Option<TagTarget>,
}

#[derive(Deserialize)]
struct TagTarget {
    oid: CommitText,
    /// What an annotated tag leads to.
    target: Option<Oid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    is_draft: bool,
    url: String,
}

#[derive(Deserialize)]
struct BranchRef {
    target: Option<Oid>,
}

#[derive(Deserialize)]
struct Pulls {
    nodes: Vec<Option<Pull>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    url: String,
    head_repository: Option<HeadRepository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadRepository {
    name_with_owner: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    remaining: u64,
    reset_at: String,
}

/// An object id that GitHub sent, checked while it is read.
struct CommitText(CommitId);

impl<'de> Deserialize<'de> for CommitText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl GitHub {
    /// Looks at everything that the operation touches.
    pub(crate) async fn preflight(&self, query: &PreflightQuery) -> Preflight {
        match self.sight(query).await {
            Ok(sighting) => Preflight::Seen(sighting.into()),
            Err(trouble) => Preflight::Unavailable(unavailable(&trouble)),
        }
    }

    /// The ledger alone, by the same query: one commit, one answer.
    pub(crate) async fn look(&self, query: &PreflightQuery) -> Result<LedgerView, Refusal> {
        let sighting = self.sight(query).await.map_err(|trouble| unavailable(&trouble))?;
        Ok(LedgerView { snapshot: sighting.ledger?, observed_at: sighting.date })
    }

    async fn sight(&self, query: &PreflightQuery) -> Result<Sighting, Trouble> {
        let reply = self.graphql::<Data>(DOCUMENT, query).await?;
        // Data beside an error may lack exactly what would have refused the operation.
        if let Some(trouble) = reply.trouble() {
            return Err(trouble);
        }
        let garbage = |reason: &str| Trouble::Garbage { reason: reason.into() };
        let data = reply.data.ok_or_else(|| garbage("neither data nor errors"))?;
        let mut answer = data
            .repository
            .ok_or_else(|| Trouble::NotFound { message: format!("the repository {}/{}", query.owner, query.name), permissions: None })?;
        let target = Target {
            repository: answer.name_with_owner.parse().map_err(|_| garbage("the repository's name is none"))?,
            repository_id: RepositoryId(answer.database_id.ok_or_else(|| garbage("the repository has no number"))?),
        };
        let ledger = snapshot(answer.ledger.take(), &target);
        // A server without rate limits says null.
        let unlimited = Budget { remaining: u64::MAX, resets_at: None };
        let budget =
            data.rate_limit.map_or(unlimited, |limit| Budget { remaining: limit.remaining, resets_at: limit.reset_at.parse().ok() });
        Ok(Sighting { ledger, date: reply.date, world: world(answer, &target, budget), target })
    }
}

fn unavailable(trouble: &Trouble) -> Refusal {
    Refusal::LedgerUnavailable { reason: trouble.to_string() }
}

fn snapshot(ledger: Option<LedgerRef>, target: &Target) -> Result<Snapshot, Refusal> {
    let missing = || Refusal::LedgerMissing { repository: target.repository.clone() };
    let commit = ledger.ok_or_else(missing)?.target.ok_or_else(missing)?;
    let not_a_commit = || Refusal::LedgerUnavailable { reason: "the branch `receipt-ledger` does not point to a commit".into() };
    let raw = RawSnapshot { head: text(commit.head)?, state: text(commit.state)?, checkpoint: text(commit.checkpoint)? };
    Snapshot::read(commit.oid.ok_or_else(not_a_commit)?.0, &raw)
}

/// A path that is there but whose text is not is an unreadable ledger, never an absent file.
fn text(file: Option<File>) -> Result<Option<String>, Refusal> {
    let Some(file) = file else { return Ok(None) };
    let unreadable = |reason: &str| Refusal::LedgerUnavailable { reason: reason.into() };
    let blob = file.object.ok_or_else(|| unreadable("a path of the ledger is no file"))?;
    if blob.is_truncated != Some(false) {
        return Err(unreadable("GitHub cut a file of the ledger short"));
    }
    blob.text.map(Some).ok_or_else(|| unreadable("a file of the ledger is not text"))
}

fn world(answer: Answer, target: &Target, budget: Budget) -> World {
    let ours = |pull: &Pull| {
        pull.head_repository.as_ref().is_some_and(|head| head.name_with_owner.eq_ignore_ascii_case(target.repository.as_str()))
    };
    let branch = |branch: Option<BranchRef>| branch.and_then(|branch| branch.target).map(|target| target.oid.0);
    World {
        archived: answer.is_archived,
        commit: match answer.commit.as_ref().map(|object| object.kind.as_str()) {
            Some("Commit") => CommitFact::Commit,
            Some(_) => CommitFact::Other,
            None => CommitFact::Missing,
        },
        workflows: answer.workflows.map(|tree| tree.oid.0),
        default_workflows: answer.default_workflows.map(|tree| tree.oid.0),
        tag: answer.tag.and_then(|tag| tag.target).map(|target| TagFact { commit: target.target.unwrap_or(Oid { oid: target.oid }).oid.0 }),
        release: answer.release.filter(|release| !release.is_draft).map(|release| release.url),
        head: branch(answer.head),
        base: branch(answer.base),
        pulls: answer
            .pull_requests
            .map_or(Vec::new(), |pulls| pulls.nodes.into_iter().flatten().filter(ours).map(|pull| pull.url).collect()),
        budget,
    }
}
