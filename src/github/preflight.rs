//! One query that shows everything a decision rests on: the ledger, the tag, the release, the branches, the rate limit.

mod answer;

use serde::{Deserialize, Serialize};

use countersign_core::{
    authorize::{Preflight, Sighting},
    ledger::{LedgerView, Look, entry_path, state_path},
    name::CommitId,
    operation::Operation,
    refusal::{AccessRefusal, Refusal},
    timestamp::Timestamp,
    world::Budget,
};

use self::answer::Data;
use super::{
    GitHub, Trouble,
    graphql::{Absence, Place, Query},
};

const QUERY: Query<'_> = Query {
    absences: &[
        Absence::at("repository.ledger.target.head"),
        Absence::at("repository.ledger.target.state"),
        Absence::at("repository.ledger.target.checkpoint"),
        Absence::at("repository.ledger.target.authority"),
        Absence::at("repository.ledger.target.touched.nodes.*.state"),
    ],
    // Nothing is decided by the branch's rules, and not every token may see them.
    dispensable: &[Place::at("repository.ledger.rules")],
    needs: &[
        (Place::at("repository.pullRequests"), "pull-requests: read"),
        (Place::at("repository"), "contents: read"),
    ],
    ..Query::new(include_str!("documents/preflight.graphql"))
};

#[derive(Deserialize)]
struct RateLimits {
    resources: Resources,
}

#[derive(Deserialize)]
struct Resources {
    core: CoreBudget,
}

#[derive(Deserialize)]
struct CoreBudget {
    limit: u64,
    remaining: u64,
    reset: u64,
}

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
    /// Whether there are files to upload, which may need more REST requests than are left.
    #[serde(skip)]
    uploads: bool,
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
            checkpoint: checkpoint.map_or("entries/-".into(), |checkpoint| {
                entry_path(checkpoint.sequence)
            }),
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
            uploads: false,
        }
    }

    /// The same for an operation with files to upload.
    pub(crate) fn with_uploads(self, uploads: bool) -> Self {
        Self { uploads, ..self }
    }
}

impl GitHub {
    /// Looks at everything that the operation touches.
    pub(crate) async fn preflight(&self, query: &PreflightQuery) -> Preflight {
        let looked =
            async { tokio::try_join!(self.sight(query), self.requests_left(query.uploads)) };
        match looked.await {
            Ok((mut sighting, requests)) => {
                sighting.world.requests = requests;
                Preflight::Seen(sighting.into())
            }
            Err(trouble) => Preflight::Unavailable(unavailable(&trouble)),
        }
    }

    /// What is left of the REST budget, if that matters; asking costs nothing of it. A server of one's own may have no limits.
    async fn requests_left(&self, matters: bool) -> Result<Option<Budget>, Trouble> {
        if !matters {
            return Ok(None);
        }
        match self.read::<RateLimits>("/rate_limit").await {
            Ok(limits) => {
                let core = limits.resources.core;
                Ok(Some(Budget {
                    remaining: core.remaining,
                    limit: Some(core.limit),
                    resets_at: Some(Timestamp::from_unix(core.reset)),
                }))
            }
            Err(Trouble::NotFound { .. }) if !self.endpoints.is_public() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// The ledger by the same query, and where the operation's tag leads at that moment: one answer.
    pub(crate) async fn look(&self, query: &PreflightQuery) -> Result<LedgerView, Refusal> {
        let sighting = self
            .sight(query)
            .await
            .map_err(|trouble| unavailable(&trouble))?;
        Ok(LedgerView {
            snapshot: sighting.ledger?,
            observed_at: sighting.date,
            tag: sighting.world.tag.map(|tag| tag.commit),
        })
    }

    async fn sight(&self, query: &PreflightQuery) -> Result<Sighting, Trouble> {
        let reply = self.query::<Data>(&QUERY, query).await?;
        let mut data = reply.data.ok_or_else(|| Trouble::Garbage {
            reason: "neither data nor errors".into(),
        })?;
        if let (Some(commit), Ok(repository)) = (
            data.cut_checkpoint(),
            format!("{}/{}", query.owner, query.name).parse(),
        ) {
            data.put_checkpoint(
                self.ledger_file(&repository, &commit, &query.checkpoint)
                    .await?,
            );
        }
        data.sighting(query, reply.date, self.endpoints.is_public())
    }
}

/// Nothing is published without a preflight. What a retry cannot fix has its own code and advice;
/// everything else may be available the next time.
fn unavailable(trouble: &Trouble) -> Refusal {
    let refusal = match trouble {
        Trouble::InvalidToken { message } => AccessRefusal::TokenInvalid {
            reason: message.clone(),
        },
        Trouble::Authorization { message, .. } => match trouble.missing_permission() {
            Some(permission) => AccessRefusal::PermissionMissing {
                permission: permission.into(),
                reason: message.clone(),
            },
            None if trouble.may_lack_a_permission() => AccessRefusal::PermissionMissing {
                permission: "contents: read".into(),
                reason: message.clone(),
            },
            None => AccessRefusal::AccessDenied {
                reason: message.clone(),
            },
        },
        Trouble::NoRepository { message } => AccessRefusal::RepositoryUnseen {
            reason: message.clone(),
        },
        Trouble::OldServer { message } => AccessRefusal::ServerTooOld {
            reason: message.clone(),
        },
        _ => {
            return Refusal::LedgerUnavailable {
                reason: trouble.to_string(),
            };
        }
    };
    refusal.into()
}
