//! What a decision goes by: the trusted keys, from the workflow or from a trust file, and the policy.

use countersign_core::{
    authority::Authority,
    authorize::Basis,
    digest::Digest,
    document::Document as _,
    keys::{Threshold, TrustedKeys},
    name::{Actor, RunAttempt, RunId},
    plan::PlannedOperation,
    policy::Policy,
    refusal::{InputRefusal, Refusal},
    tables,
    text::excerpt,
    trust::{Trust, TrustFile},
};

use super::Attempt;
use crate::{
    planner::plans_of_run,
    runner::{read_bytes, read_text},
};

/// Events whose actor asks for what the run does. A pull request's run does what its author wrote, whoever pressed the button.
const MEANT: [&str; 5] = [
    "workflow_dispatch",
    "repository_dispatch",
    "push",
    "schedule",
    "release",
];

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
            trust: self.trust.clone(),
            policy: self.policy.clone(),
            requesters,
            reviewers,
        }
    }

    fn authority(&self) -> Authority {
        Authority::of(
            self.trust.as_ref(),
            self.policy.as_ref().ok().and_then(Option::as_ref),
        )
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

    fn policy(&self) -> Result<Option<Policy>, InputRefusal> {
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

    /// Who started the run for which the receipt is, and everybody who re-ran it: this run's by its protected variables, as far as they
    /// tell, another's by GitHub. Another run counts only for what it has planned itself: else anybody could name a colleague's run.
    async fn requesters(&self) -> Result<Requesters, Refusal> {
        let unknown = |reason: String| Refusal::RequesterUnknown {
            run: self.run_id.clone(),
            reason,
        };
        let home = &self.context.home.repository;
        let executor = &self.context.executor;
        let is_other = self.run_id != executor.run_id;
        // The variables tell the first actor and the newest; who re-ran it between them only GitHub knows.
        let ask = is_other || executor.run_attempt > RunAttempt(2);
        let (asked, event) = if ask {
            self.github
                .run_actors(home, &self.run_id)
                .await
                .map_err(|trouble| unknown(trouble.to_string()))?
        } else {
            (Vec::new(), String::new())
        };
        if is_other && !MEANT.contains(&event.as_str()) {
            return Err(unknown(format!(
                "it began with the event `{}`, where the actor need not know what the run does; expected {}",
                excerpt(&event, 40),
                MEANT.join(", ")
            )));
        }
        let own = if is_other {
            &[][..]
        } else {
            &self.context.actors
        };
        let actors = asked
            .iter()
            .chain(own)
            .map(|actor| actor.parse().map_err(|error| unknown(format!("{error}"))));
        let actors = actors.collect::<Result<Vec<Actor>, _>>()?;
        if actors.is_empty() {
            return Err(unknown("the run names nobody".into()));
        }
        let planned = if is_other {
            let found =
                plans_of_run(&self.github, home, &self.run_id, None, &self.recorder.log()).await;
            let found = found.map_err(|trouble| unknown(trouble.to_string()))?;
            Some(
                found
                    .iter()
                    .flat_map(|found| found.plan.operations())
                    .map(PlannedOperation::digest)
                    .collect(),
            )
        } else {
            None
        };
        Ok(Requesters { actors, planned })
    }
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
