//! Whether the approver's own policy lets a receipt allow anything.

use anyhow::{Context as _, bail, ensure};

use countersign_core::{
    keys::PublicKey,
    name::Actor,
    operation::Operation,
    plan::PlannedOperation,
    policy::{Approval, Decision, Policy, Request, decide_one},
    reach::ReachableFrom,
    tables,
};

use crate::{
    Clock,
    cli::AuthorizeArguments,
    commands::{Row, read_text, tell, trusted},
};

/// By what the approver's own side decides whether a receipt may allow anything.
pub(super) struct Leave {
    policy: Option<(Policy, trusted::Trusted)>,
}

/// What came of it.
pub(super) enum Judgement {
    /// The approver's word is enough.
    Free,
    /// The policy gives leave, or will as soon as others have signed.
    Leave(Decision),
    /// The approver wants an advisory receipt.
    Asked,
    /// The policy gives no leave.
    Denied(Decision),
}

impl Leave {
    pub(super) fn read(arguments: &AuthorizeArguments, clock: Clock) -> anyhow::Result<Self> {
        let Some(path) = &arguments.policy else {
            ensure!(
                arguments.trusted_keys.is_none(),
                "--trusted-keys says whose key it is for a policy; give --policy too"
            );
            return Ok(Self { policy: None });
        };
        let text = read_text(path, tables::MOST_BYTES as u64)?;
        let policy = Policy::parse(&text).with_context(|| format!("`{}`", path.display()))?;
        let keys = arguments.trusted_keys.as_deref().context(
            "--policy names approvers: give --trusted-keys too, to tell whose key this is",
        )?;
        let trusted = trusted::read(keys, arguments.trust_root, clock())?;
        if let Some(fixed) = trusted
            .trust
            .as_ref()
            .and_then(|trust| trust.newest().policy)
        {
            ensure!(
                fixed == policy.pin(),
                "the trust file fixes the policy {fixed}, but `{}` is {}",
                path.display(),
                policy.pin()
            );
        }
        Ok(Self {
            policy: Some((policy, trusted)),
        })
    }

    /// The branches that the policy's rule lists; `None` without a policy.
    pub(super) fn reachable_from(&self, operation: &Operation) -> Option<ReachableFrom> {
        let (policy, _) = self.policy.as_ref()?;
        Some(policy.reachable_from(operation))
    }

    pub(super) fn excludes_requester(&self, judged: &[Judgement]) -> bool {
        let rules = self.policy.iter().flat_map(|(policy, _)| &policy.rules);
        let mut excluding = rules.filter(|rule| rule.exclude_requester);
        excluding.any(|rule| judged.iter().any(|judgement| judgement.is_by(&rule.name)))
    }

    pub(super) fn judge(
        &self,
        arguments: &AuthorizeArguments,
        planned: &PlannedOperation,
        public: &PublicKey,
        requesters: &[Actor],
    ) -> anyhow::Result<Judgement> {
        if arguments.advisory {
            return Ok(Judgement::Asked);
        }
        let Some((policy, trusted)) = &self.policy else {
            return Ok(Judgement::Free);
        };
        if let Some(retired) = trusted
            .keys
            .retired()
            .iter()
            .find(|retired| retired.key == *public)
        {
            bail!(
                "the key of `{}` does not count: {}",
                retired.name,
                retired.why
            );
        }
        let known = trusted
            .keys
            .as_slice()
            .iter()
            .find(|key| key.key == *public);
        let approvals = [Approval::from(known.with_context(|| {
            format!(
                "the key {} is none of the trusted keys",
                public.fingerprint()
            )
        })?)];
        let request = Request {
            operation: planned.operation(),
            approvals: &approvals,
            requesters,
            reviewers: &[],
            lifetime: arguments.expires_in,
        };
        let decision = decide_one(&request, policy);
        let leave = decision.allows() || decision.waits_for_others();
        Ok(if leave {
            Judgement::Leave(decision)
        } else {
            Judgement::Denied(decision)
        })
    }
}

impl Judgement {
    pub(super) const fn is_leave(&self) -> bool {
        matches!(self, Self::Free | Self::Leave(_))
    }

    fn is_by(&self, rule: &str) -> bool {
        matches!(self, Self::Leave(decision) if decision.rule.as_deref() == Some(rule))
    }

    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Leave(decision) if !decision.allows())
    }

    /// Before the line of a receipt that allows nothing.
    pub(super) const fn caveat(&self) -> &'static str {
        if self.is_leave() {
            ""
        } else {
            "ADVISORY, allows nothing: "
        }
    }

    pub(super) fn heading(&self, planned: &PlannedOperation) -> String {
        let verb = if self.is_leave() {
            "will allow, once"
        } else {
            "is ADVISORY and allows nothing; it is about"
        };
        format!("This receipt {verb} (`{}`):", planned.id())
    }

    /// Why it is as it is, beside the receipt.
    pub(super) fn tell(&self, planned: &PlannedOperation) {
        let id = planned.id();
        match self {
            Self::Free => {}
            Self::Asked => tell(
                "The receipt is advisory: it shows what would be allowed. The publisher refuses it (advisory_receipt).",
            ),
            Self::Leave(decision) if decision.allows() => {
                tell(Row::words(format!(
                    "`{id}`: the policy's rule `{}` gives leave.",
                    decision.rule.as_deref().unwrap_or_default()
                )));
            }
            Self::Leave(decision) => {
                let reasons: Vec<String> =
                    decision.reasons.iter().map(ToString::to_string).collect();
                let rule = decision.rule.as_deref().unwrap_or_default();
                tell(Row::words(format!(
                    "`{id}`: the policy's rule `{rule}` waits for others: {}. They sign with `countersign sign`.",
                    reasons.join("; ")
                )));
            }
            Self::Denied(decision) => {
                if let Err(denial) = decision.clone().verdict() {
                    tell(vec![
                        Row::words(format!(
                            "`{id}`: the receipt is advisory: {}: {denial}",
                            denial.code()
                        )),
                        Row::words(denial.remedy()),
                    ]);
                }
            }
        }
    }
}
