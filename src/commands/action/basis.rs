//! What a decision goes by: the trusted keys, from the workflow or from a trust file, and the policy.

use countersign_core::{
    authority::Authority,
    authorize::Basis,
    digest::Digest,
    document::Document as _,
    keys::{Threshold, TrustedKeys},
    name::Actor,
    policy::Policy,
    refusal::{InputRefusal, Refusal},
    tables,
    text::excerpt,
    trust::{Trust, TrustFile},
};

use super::Attempt;
use crate::runner::{read_bytes, read_text};

/// The keys that count, and how many of them must sign.
type Keys = (TrustedKeys, Threshold);

/// Read once, for every operation of the attempt.
pub(super) struct Footing {
    /// The keys that count now, and how many of them must sign.
    pub(super) keys: Result<Keys, Refusal>,
    trust: Option<Trust>,
    policy: Result<Option<Policy>, Refusal>,
    requesters: Result<Vec<Actor>, Refusal>,
}

impl Footing {
    /// The same for one decision, with whoever let the run go on.
    pub(super) fn basis(&self, reviewer: Option<&Actor>) -> Basis {
        Basis {
            trust: self.trust.clone(),
            policy: self.policy.clone(),
            requesters: self.requesters.clone(),
            reviewers: reviewer.cloned().into_iter().collect(),
        }
    }

    fn authority(&self) -> Authority {
        Authority::of(self.trust.as_ref(), self.policy.as_ref().ok().and_then(Option::as_ref))
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
        let requesters = if asks { self.requesters().await } else { Ok(Vec::new()) };
        let footing = Footing { keys: keys.and_then(unpublished), trust, policy: policy.map_err(Refusal::from), requesters };
        self.recorder.note(|record| record.authority = footing.authority());
        footing
    }

    fn listed_keys(&self) -> Result<Keys, Refusal> {
        let keys = TrustedKeys::parse(&self.inputs.trusted_keys).map_err(InputRefusal::TrustedKeys)?;
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
            return Err(InputRefusal::Missing { input: "trust-file", needed_by: "trust-root".into() });
        }
        if !inputs.trusted_keys.trim().is_empty() {
            return Err(InputRefusal::Unused { input: "trusted-keys", here: "a call that has a `trust-file`".into() });
        }
        if inputs.trust_root.is_empty() {
            return Err(InputRefusal::Missing { input: "trust-root", needed_by: "trust-file".into() });
        }
        let root: Digest =
            inputs.trust_root.parse().map_err(|error| InputRefusal::Invalid { input: "trust-root", problem: format!("{error}") })?;
        let bytes = read_bytes("trust-file", &self.context.workspace.join(&inputs.trust_file), TrustFile::MOST_BYTES as u64)?;
        let name = excerpt(&inputs.trust_file, 200);
        let wrong = |error: &dyn std::fmt::Display| InputRefusal::TrustFile(format!("`{name}`: {error}"));
        let file = TrustFile::from_document(&bytes).map_err(|error| wrong(&error))?;
        let now = (self.clock)();
        let trust = file.verify(Some(root), now).map_err(|error| wrong(&error))?;
        let (keys, needed) = trust.keys_at(now).map_err(|error| wrong(&error))?;
        // The workflow may ask for more than the trust file, not for less.
        let threshold = match inputs.threshold.as_str() {
            "" => needed,
            given => Threshold::parse(given, &keys).map_err(InputRefusal::Threshold)?.max(needed),
        };
        Ok(Some((trust, (keys, threshold))))
    }

    fn policy(&self) -> Result<Option<Policy>, InputRefusal> {
        if self.inputs.policy_file.is_empty() {
            return Ok(None);
        }
        let path = self.context.workspace.join(&self.inputs.policy_file);
        let text = read_text("policy-file", &path, tables::MOST_BYTES as u64)?;
        Policy::parse(&text)
            .map(Some)
            .map_err(|error| InputRefusal::PolicyFile(format!("`{}`, {error}", excerpt(&self.inputs.policy_file, 200))))
    }

    /// Who started the run for which the receipt is, and who re-ran it: this run's by its protected variables, another's by GitHub.
    async fn requesters(&self) -> Result<Vec<Actor>, Refusal> {
        let unknown = |reason: String| Refusal::RequesterUnknown { run: self.run_id.clone(), reason };
        let actors = if self.run_id == self.context.executor.run_id {
            self.context.actors.clone()
        } else {
            let actors = self.github.run_actors(&self.context.home.repository, &self.run_id).await;
            actors.map_err(|trouble| unknown(trouble.to_string()))?
        };
        if actors.is_empty() {
            return Err(unknown("the run names nobody".into()));
        }
        actors.iter().map(|actor| actor.parse().map_err(|error| unknown(format!("{error}")))).collect()
    }
}

/// A key that everybody can sign with is no key.
fn unpublished((keys, threshold): Keys) -> Result<Keys, Refusal> {
    match keys.published() {
        Some(key) => Err(Refusal::KeyPublished { name: key.name.clone(), fingerprint: key.key.fingerprint() }),
        None => Ok((keys, threshold)),
    }
}
