//! What a decision goes by: the trusted keys, from the workflow or from a trust file, and the policy.

use std::path::{Component, Path};

use countersign_core::{
    authority::Authority,
    authorize::Basis,
    digest::Digest,
    document::Document as _,
    keys::{Threshold, TrustedKeys},
    name::{Actor, Host, RunAttempt, RunId},
    operation::Operation,
    plan::PlannedOperation,
    policy::Policy,
    reach::ReachableFrom,
    refusal::{InputRefusal, Refusal},
    tables,
    text::excerpt,
    trigger::Trigger,
    trust::{Trust, TrustFile},
};

use super::Attempt;
use crate::{
    github::PreflightQuery,
    planner::plans_of_run,
    runner::{plan_digest, read_bytes, read_text},
};

/// The keys that count, and how many of them must sign.
type Keys = (TrustedKeys, Threshold);

/// Read once, for every operation of the attempt.
pub(super) struct Footing {
    /// The keys that count now, and how many of them must sign.
    pub(super) keys: Result<Keys, Refusal>,
    trust: Option<Trust>,
    policy: Result<Option<Policy>, Refusal>,
    requesters: Result<Requesters, Refusal>,
}

/// Who asked for the operation, as far as the policy wants to know.
struct Requesters {
    actors: Vec<Actor>,
    /// What another run has planned: only for that its actors are the requesters.
    planned: Option<Vec<Digest>>,
}

impl Footing {
    /// The same for a decision about one operation, with whoever let the run go on.
    pub(super) fn basis(
        &self,
        run_id: &RunId,
        operation: Option<Digest>,
        reviewers: Vec<Actor>,
        host: Option<Host>,
    ) -> Basis {
        let requesters = match &self.requesters {
            Err(refusal) => Err(refusal.clone()),
            Ok(Requesters {
                planned: Some(planned),
                ..
            }) if operation.is_none_or(|operation| !planned.contains(&operation)) => {
                Err(Refusal::RunWithoutPlan {
                    run: run_id.clone(),
                })
            }
            Ok(Requesters { actors, .. }) => Ok(actors.clone()),
        };
        Basis {
            keys: self.keys.as_ref().ok().cloned(),
            trust: self.trust.clone(),
            policy: self.policy.clone(),
            requesters,
            reviewers,
            reachable_from: ReachableFrom::default(),
            host,
        }
    }

    /// The policy, if there is one that can be used.
    pub(super) fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref().ok().and_then(Option::as_ref)
    }

    fn authority(&self) -> Authority {
        Authority::of(self.trust.as_ref(), self.policy())
    }
}

impl Attempt<'_> {
    /// Reads trust file and policy; a file that cannot be read is never replaced by a default.
    pub(super) async fn footing(&self) -> Footing {
        let (keys, trust) = match self.trust() {
            Ok(Some((trust, keys))) => (Ok(keys), Some(trust)),
            Ok(None) => (self.listed_keys(), None),
            Err(refusal) => (Err(refusal.into()), None),
        };
        let policy = self.policy();
        let asks = matches!(&policy, Ok(Some(policy)) if policy.rules.iter().any(|rule| rule.exclude_requester));
        let nobody = || {
            Ok(Requesters {
                actors: Vec::new(),
                planned: None,
            })
        };
        let requesters = match &self.mode {
            Ok(_) if asks => self.requesters().await,
            // Without a mode that exists, GitHub is not asked.
            Err(_) if asks => Err(Refusal::RequesterUnknown {
                run: self.run_id.clone(),
                reason: "the mode is none".into(),
            }),
            _ => nobody(),
        };
        let footing = Footing {
            keys: keys.and_then(unpublished),
            trust,
            policy: policy.map_err(Refusal::from),
            requesters,
        };
        self.recorder
            .note(|record| record.authority = footing.authority());
        footing
    }

    fn listed_keys(&self) -> Result<Keys, Refusal> {
        let keys =
            TrustedKeys::parse(&self.inputs.trusted_keys).map_err(InputRefusal::TrustedKeys)?;
        let threshold = match self.inputs.threshold.as_str() {
            "" => Threshold::ONE,
            given => Threshold::parse(given, &keys).map_err(InputRefusal::Threshold)?,
        };
        Ok((keys, threshold))
    }

    fn trust(&self) -> Result<Option<(Trust, Keys)>, InputRefusal> {
        let inputs = &self.inputs;
        if inputs.trust_file.is_empty() {
            if inputs.trust_root.is_empty() {
                return Ok(None);
            }
            return Err(InputRefusal::Missing {
                input: "trust-file",
                needed_by: "trust-root".into(),
            });
        }
        if !inputs.trusted_keys.trim().is_empty() {
            return Err(InputRefusal::Unused {
                input: "trusted-keys",
                here: "a call that has a `trust-file`".into(),
            });
        }
        if inputs.trust_root.is_empty() {
            return Err(InputRefusal::Missing {
                input: "trust-root",
                needed_by: "trust-file".into(),
            });
        }
        let root: Digest = inputs
            .trust_root
            .parse()
            .map_err(|error| InputRefusal::Invalid {
                input: "trust-root",
                problem: format!("{error}"),
            })?;
        let bytes = read_bytes(
            "trust-file",
            &self.context.workspace.join(&inputs.trust_file),
            TrustFile::MOST_BYTES as u64,
        )?;
        let name = excerpt(&inputs.trust_file, 200);
        let wrong =
            |error: &dyn std::fmt::Display| InputRefusal::TrustFile(format!("`{name}`: {error}"));
        let file = TrustFile::from_document(&bytes).map_err(|error| wrong(&error))?;
        let now = (self.clock)();
        let trust = file
            .verify(Some(root), now)
            .map_err(|error| wrong(&error))?;
        let (keys, needed) = trust.keys_at(now).map_err(|error| wrong(&error))?;
        // The workflow may ask for more than the trust file, not for less.
        let threshold = match inputs.threshold.as_str() {
            "" => needed,
            given => Threshold::parse(given, &keys)
                .map_err(InputRefusal::Threshold)?
                .max(needed),
        };
        Ok(Some((trust, (keys, threshold))))
    }

    /// The preflight's query. Of the repository that the workflow lies in, it also shows what the default
    /// branch holds where trust file and policy come from.
    pub(super) fn query(&self, operation: &Operation) -> PreflightQuery {
        let query = PreflightQuery::new(operation);
        if operation.target().repository != self.context.home.repository {
            return query;
        }
        let trust = in_checkout(&self.inputs.trust_file);
        let policy = in_checkout(&self.inputs.policy_file);
        query.with_reviewed(trust.as_deref(), policy.as_deref())
    }

    pub(super) fn policy(&self) -> Result<Option<Policy>, InputRefusal> {
        if self.inputs.policy_file.is_empty() {
            return Ok(None);
        }
        let path = self.context.workspace.join(&self.inputs.policy_file);
        let text = read_text("policy-file", &path, tables::MOST_BYTES as u64)?;
        Policy::parse(&text).map(Some).map_err(|error| {
            InputRefusal::PolicyFile(format!(
                "`{}`, {error}",
                excerpt(&self.inputs.policy_file, 200)
            ))
        })
    }

    /// Who asked: everyone who started or re-ran the run that acts, and, if the receipt is for another run, that one too. The other run is valid
    /// only for what it has planned itself: otherwise anyone could name a colleague's run.
    async fn requesters(&self) -> Result<Requesters, Refusal> {
        let reported = plan_digest(&self.inputs)?;
        let is_own = self.run_id == self.context.executor.run_id;
        // Any job of a run can leave a plan, also one that runs what others wrote.
        let needs_report = !is_own || !self.inputs.plan.is_empty();
        if needs_report && reported.is_none() {
            return Err(Refusal::PlanUnreported {
                run: self.run_id.clone(),
            });
        }

        let mut actors = self.own_actors().await?;
        let planned = match reported {
            Some(reported) if !is_own => {
                actors.extend(self.actors_of_named_run().await?);
                Some(self.planned_by_named_run(reported).await?)
            }
            _ => None,
        };
        let actors = actors.iter().map(|actor| {
            actor
                .parse()
                .map_err(|error| self.unknown(format!("{error}")))
        });
        let actors = actors.collect::<Result<Vec<Actor>, _>>()?;
        if actors.is_empty() {
            return Err(self.unknown("the run names nobody".into()));
        }
        Ok(Requesters { actors, planned })
    }

    /// By the runner's protected variables, as far as they reach: they name the first actor and the newest. Who re-ran it between them only
    /// GitHub knows.
    async fn own_actors(&self) -> Result<Vec<String>, Refusal> {
        let executor = &self.context.executor;
        asked_for(&executor.run_id, &self.context.event)?;
        let mut actors = self.context.actors.clone();
        if executor.run_attempt > RunAttempt(2) {
            let home = &self.context.home.repository;
            let found = self.github.found_run(home, &executor.run_id).await;
            let found = found.map_err(|trouble| self.unknown(trouble.to_string()))?;
            asked_for(&executor.run_id, &found.event)?;
            actors.extend(found.actors);
        }
        Ok(actors)
    }

    async fn actors_of_named_run(&self) -> Result<Vec<String>, Refusal> {
        let home = &self.context.home.repository;
        let found = self.github.found_run(home, &self.run_id).await;
        let found = found.map_err(|trouble| self.unknown(trouble.to_string()))?;
        asked_for(&self.run_id, &found.event)?;
        Ok(found.actors)
    }

    async fn planned_by_named_run(&self, reported: Digest) -> Result<Vec<Digest>, Refusal> {
        let home = &self.context.home.repository;
        let log = self.recorder.log();
        let found = plans_of_run(&self.github, home, &self.run_id, None, &log)
            .await
            .map_err(|trouble| self.unknown(trouble.to_string()))?;
        let mut reported = found.iter().filter(|found| found.digest == reported);
        let planned = reported.next().map(|found| found.plan.operations());
        let planned = planned.unwrap_or_default().iter();
        Ok(planned.map(PlannedOperation::digest).collect())
    }

    fn unknown(&self, reason: String) -> Refusal {
        Refusal::RequesterUnknown {
            run: self.run_id.clone(),
            reason,
        }
    }
}

/// Where a file lies in the repository, if its path is one inside of the checkout.
fn in_checkout(path: &str) -> Option<String> {
    let mut names = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!names.is_empty()).then(|| names.join("/"))
}

/// A run whose actor need not have asked for what it does names no requester.
fn asked_for(run: &RunId, event: &str) -> Result<(), Refusal> {
    event
        .parse::<Trigger>()
        .map(|_| ())
        .map_err(|event| Refusal::RequesterOfEvent {
            run: run.clone(),
            event,
        })
}

/// A key that everybody can sign with is no key.
fn unpublished((keys, threshold): Keys) -> Result<Keys, Refusal> {
    match keys.published() {
        Some(key) => Err(Refusal::KeyPublished {
            name: key.name.clone(),
            fingerprint: key.key.fingerprint(),
        }),
        None => Ok((keys, threshold)),
    }
}
