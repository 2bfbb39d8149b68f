//! One query that shows everything a decision rests on: the ledger, the tag, the release, the branches, the rate limit.

mod answer;

use serde::Serialize;

use countersign_core::{
    authorize::{Preflight, Sighting},
    ledger::{LedgerView, Look, entry_path, state_path},
    name::CommitId,
    operation::Operation,
    refusal::Refusal,
};

use self::answer::Data;
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

impl GitHub {
    /// Looks at everything that the operation touches.
    pub(crate) async fn preflight(&self, query: &PreflightQuery) -> Preflight {
        match self.sight(query).await {
            Ok(sighting) => Preflight::Seen(sighting.into()),
            Err(trouble) => Preflight::Unavailable(unavailable(&trouble)),
        }
    }

    /// The ledger by the same query, and where the operation's tag leads at that moment: one answer.
    pub(crate) async fn look(&self, query: &PreflightQuery) -> Result<(LedgerView, Option<CommitId>), Refusal> {
        let sighting = self.sight(query).await.map_err(|trouble| unavailable(&trouble))?;
        Ok((LedgerView { snapshot: sighting.ledger?, observed_at: sighting.date }, sighting.world.tag.map(|tag| tag.commit)))
    }

    async fn sight(&self, query: &PreflightQuery) -> Result<Sighting, Trouble> {
        let reply = self.graphql::<Data>(DOCUMENT, query).await?;
        // Data beside an error may lack exactly what would have refused the operation.
        // Only the branch's rules are dispensable: nothing is decided by them, and not every token may see them.
        if let Some(trouble) = reply.trouble_beyond(&["repository", "ledger", "rules"]) {
            return Err(trouble);
        }
        let data = reply.data.ok_or_else(|| Trouble::Garbage { reason: "neither data nor errors".into() })?;
        data.sighting(query, reply.date, self.endpoints.is_public())
    }
}

fn unavailable(trouble: &Trouble) -> Refusal {
    Refusal::LedgerUnavailable { reason: trouble.to_string() }
}
