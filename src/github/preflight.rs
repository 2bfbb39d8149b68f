//! One query that shows everything a decision rests on: the ledger, the tag, the release, the branches, the rate limit.

mod answer;

use serde::{Deserialize, Serialize};

use countersign_core::{
    authority::Reviewed,
    authorize::{Preflight, Sighting},
    ledger::{Guard, LedgerView, Moves, Tail},
    name::{CommitId, Repository},
    operation::{Operation, Target},
    reach::{Branches, ReachableFrom},
    receipt::Terms,
    refusal::{AccessRefusal, Refusal},
    timestamp::Timestamp,
    world::Budget,
};

use self::answer::{Data, Found, Ledger};
use super::{
    GitHub, Trouble,
    graphql::{Absence, Place, Query, WhenTooCostly, largest_page},
    ledger::file_bytes,
    tail::{Depth, HistoryPage},
};

const QUERY: Query<'_> = Query {
    absences: &[
        Absence::at("repository.ledger.target.history.nodes.*.head"),
        Absence::at("repository.ledger.target.history.nodes.*.authority"),
    ],
    // Not every token may see the rules, and what was not compared is on no branch: nothing is allowed
    // by their absence.
    dispensable: &[
        Place::at("repository.ledger.rules"),
        Place::at("repository.defaultBranch.compare"),
    ],
    needs: &[
        (Place::at("repository.pullRequests"), "pull-requests: read"),
        (Place::at("repository"), "contents: read"),
    ],
    when_too_costly: WhenTooCostly::AskForLess,
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

/// What to look for: an operation's surroundings, and the newest commits of the ledger.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "three of them are variables of the query"
)]
pub(crate) struct PreflightQuery {
    owner: String,
    name: String,
    commit: CommitId,
    /// The same commit, to be compared with the default branch.
    head: CommitId,
    compared: bool,
    workflows: String,
    tagged: bool,
    tag_name: String,
    tag_ref: String,
    pull: bool,
    head_name: String,
    head_ref: String,
    base_name: String,
    base_ref: String,
    #[serde(flatten)]
    reviewed: ReviewedAt,
    /// Whether there are files to upload, which may need more REST requests than are left.
    #[serde(skip)]
    uploads: bool,
    /// The branches that may contain the commit.
    #[serde(skip)]
    reachable_from: ReachableFrom,
    #[serde(skip)]
    repository: Repository,
}

/// Whether trust file and policy of the default branch are asked for, and where they lie.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewedAt {
    trusts: bool,
    trust_file: String,
    rules: bool,
    policy_file: String,
}

impl ReviewedAt {
    fn new(trust: Option<&str>, policy: Option<&str>) -> Self {
        let at = |path: Option<&str>| format!("HEAD:{}", path.unwrap_or("-"));
        Self {
            trusts: trust.is_some(),
            trust_file: at(trust),
            rules: policy.is_some(),
            policy_file: at(policy),
        }
    }
}

impl PreflightQuery {
    /// The query for an operation.
    pub(crate) fn new(operation: &Operation) -> Self {
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
        Self {
            owner: owner.into(),
            name: name.into(),
            commit: operation.commit().clone(),
            head: operation.commit().clone(),
            compared: tag.is_some(),
            workflows: format!("{}:.github/workflows", operation.commit()),
            tagged: tag.is_some(),
            tag_name: tag.unwrap_or("-").into(),
            tag_ref: format!("refs/tags/{}", tag.unwrap_or("-")),
            pull: branches.is_some(),
            head_name: head.into(),
            head_ref: format!("refs/heads/{head}"),
            base_name: base.into(),
            base_ref: format!("refs/heads/{base}"),
            reviewed: ReviewedAt::new(None, None),
            uploads: false,
            reachable_from: ReachableFrom::default(),
            repository: operation.target().repository.clone(),
        }
    }

    /// Asks for trust file and policy at the head of the default branch too; each where it lies in the
    /// checkout.
    pub(crate) fn with_reviewed(self, trust: Option<&str>, policy: Option<&str>) -> Self {
        Self {
            reviewed: ReviewedAt::new(trust, policy),
            ..self
        }
    }

    /// The query for the ledger of an operation's repository alone.
    fn of_ledger(operation: &Operation) -> Self {
        Self {
            tagged: false,
            pull: false,
            ..Self::once_more(operation)
        }
    }

    /// The same for another look: where the commit is has been decided.
    pub(crate) fn once_more(operation: &Operation) -> Self {
        Self {
            compared: false,
            ..Self::new(operation)
        }
    }

    /// The same for an operation whose commit must be on one of these branches.
    pub(crate) fn reachable_from(self, reachable_from: ReachableFrom) -> Self {
        Self {
            reachable_from,
            ..self
        }
    }

    /// The same for an operation with files to upload.
    pub(crate) fn with_uploads(self, uploads: bool) -> Self {
        Self { uploads, ..self }
    }
}

/// The query's variables.
#[derive(Serialize)]
struct Variables<'a> {
    #[serde(flatten)]
    query: &'a PreflightQuery,
    /// How many commits of the ledger are shown.
    commits: usize,
}

impl GitHub {
    /// Looks at everything that the operation touches, and at the ledger as far down as it is to be read.
    pub(crate) async fn preflight(&self, query: &PreflightQuery, depth: &Depth) -> Preflight {
        let looked = async {
            tokio::try_join!(
                self.sight(query, depth),
                self.requests_left(query.uploads),
                Box::pin(self.listed_branches(query)),
            )
        };
        match looked.await {
            Ok((mut sighting, requests, branches)) => {
                sighting.world.requests = requests;
                sighting.branches.add(branches);
                Preflight::Seen(sighting.into())
            }
            Err(trouble) => Preflight::Unavailable(unavailable(&trouble)),
        }
    }

    /// The same for a receipt. Where no rules keep the ledger's branch from being set back, GitHub is
    /// asked how it moved since the receipt's plan.
    pub(crate) async fn preflight_for(&self, query: &PreflightQuery, terms: &Terms) -> Preflight {
        let depth = Depth::Above(terms.ledger.clone());
        let mut preflight = self.preflight(query, &depth).await;

        if let Preflight::Seen(sighting) = &mut preflight
            && !sighting.guard.forbids_rewinding()
            && let Ok(tail) = &sighting.ledger
        {
            let repository = &sighting.target.repository;
            sighting.guard.moves = self.moves_since(repository, tail, terms).await;
        }
        preflight
    }

    /// The branches that are listed. Asked next to the preflight, so that nothing waits for it longer.
    async fn listed_branches(&self, query: &PreflightQuery) -> Result<Branches, Trouble> {
        if !query.compared {
            return Ok(Branches::default());
        }
        self.branches(&query.repository, &query.commit, &query.reachable_from)
            .await
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

    /// The repository of an operation, and the newest commits of its ledger, unverified.
    pub(super) async fn newest_of_ledger(
        &self,
        operation: &Operation,
    ) -> Result<(Target, Result<(CommitId, HistoryPage), Refusal>), Trouble> {
        let (found, _) = self.found(&PreflightQuery::of_ledger(operation)).await?;
        let ledger = found.ledger.map(|ledger| (ledger.tip, ledger.history));
        Ok((found.target, ledger))
    }

    /// What was added to the ledger above a known tail, by the same query, and where the ref on which
    /// the operation depends leads at that moment.
    pub(crate) async fn look(
        &self,
        query: &PreflightQuery,
        known: &Tail,
    ) -> Result<LedgerView, Refusal> {
        let looked = async {
            let (found, repository) = self.found(query).await?;
            let tail = match found.ledger {
                Ok(Ledger { tip, history }) => {
                    self.grown(&repository, &tip, history, known).await?
                }
                Err(refusal) => Err(refusal),
            };
            Ok((tail, found.date, found.world))
        };
        let (tail, observed_at, world) = looked.await.map_err(|trouble| unavailable(&trouble))?;
        Ok(LedgerView {
            tail: tail?,
            observed_at,
            watched: if query.pull {
                world.head
            } else {
                world.tag.map(|tag| tag.commit)
            },
        })
    }

    async fn sight(&self, query: &PreflightQuery, depth: &Depth) -> Result<Sighting, Trouble> {
        let (found, repository) = self.found(query).await?;
        let ledger = match found.ledger {
            Ok(Ledger { tip, history }) => self.tail(&repository, &tip, history, depth).await?,
            Err(refusal) => Err(refusal),
        };
        let reviewed = Reviewed {
            trust: file_bytes(self, &repository, found.trust_file).await?,
            policy: file_bytes(self, &repository, found.policy_file).await?,
        };
        Ok(Sighting {
            target: found.target,
            date: found.date,
            ledger,
            guard: Guard {
                rules: found.ledger_rules,
                moves: Moves::Unknown("GitHub's activity was not asked for".into()),
            },
            reviewed,
            world: found.world,
            branches: found.branches,
        })
    }

    async fn found(&self, query: &PreflightQuery) -> Result<(Found, Repository), Trouble> {
        let ask = async |commits| {
            self.query::<Data>(&QUERY, Variables { query, commits })
                .await
        };
        let reply = largest_page(ask).await?;
        let data = reply.data.ok_or_else(|| Trouble::Garbage {
            reason: "neither data nor errors".into(),
        })?;
        let found = data.found(query, reply.date, self.endpoints.is_public())?;
        let repository = found.target.repository.clone();
        Ok((found, repository))
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
