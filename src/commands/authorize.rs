//! `countersign authorize`: shows each operation from the very bytes that are hashed, asks, and signs one receipt for each.

mod run;

use anyhow::{Context as _, bail, ensure};

use countersign_core::{
    binding,
    digest::Digest,
    document::Document as _,
    envelope::{Envelope, Signs},
    keys::PublicKey,
    name::{Actor, Title},
    plan::{Plan, PlannedOperation},
    policy::{Approval, Decision, Policy, Request, decide_one},
    receipt::Terms,
    tables,
    timestamp::{Lifetime, Timestamp},
};

use self::run::Run;
use super::{
    Row, print_document, read, read_text,
    recap::{self, MAX_OF_A_QUESTION},
    signing::{agreed, not_shipped, shown, signer},
    tell, trusted,
};
use crate::{Clock, Environment, cli::AuthorizeArguments, exit::Exit, random};

pub(crate) async fn run(
    arguments: &AuthorizeArguments,
    environment: &Environment,
    clock: Clock,
) -> anyhow::Result<Exit> {
    let run = Run::of(arguments, environment)?;
    ensure!(
        arguments.dispatch.is_none() || run.is_some(),
        "--dispatch starts a workflow for a run: give --run and --repository too"
    );
    let (plan, requesters) = match (&run, &arguments.plan) {
        (Some(run), None) => run.plan().await?,
        (None, Some(path)) => {
            let bytes = read(path, Plan::MOST_BYTES as u64)?;
            let plan = Plan::from_document(&bytes).with_context(|| {
                format!("`{}` is no plan that can be signed; use plan.json exactly as the dry run wrote it", path.display())
            })?;
            let requesters = plan.requested_by.clone();
            (plan, requesters)
        }
        _ => bail!("give a plan.json, or --run and --repository to fetch it from a run"),
    };
    tell(not_shipped(&plan));
    ensure!(
        !plan.operations().is_empty(),
        "the plan holds no operation that could be signed"
    );
    let policy = Leave::read(arguments, clock)?;
    let signer = signer(&arguments.key, environment)?;
    let public = PublicKey::new(signer.verifying_key()).context("the key is weak")?;
    let judged = plan
        .operations()
        .iter()
        .map(|planned| policy.judge(arguments, planned, &public, &requesters));
    let judged = judged.collect::<anyhow::Result<Vec<_>>>()?;

    let review = Review {
        plan: &plan,
        judged: &judged,
        requesters: &requesters,
        public: &public,
        arguments,
        excludes_requester: policy.excludes_requester(&judged),
        clock,
    };
    let Some(moments) = review.agreed()? else {
        tell("Nothing was signed. The answer was not `yes`.");
        return Ok(Exit::Refused);
    };
    let receipts = plan.operations().iter().zip(&judged).zip(moments).map(
        |((planned, judgement), issued_at)| {
            let lifetime = arguments.expires_in;
            sign(
                &plan,
                planned,
                judgement,
                lifetime,
                signer.as_ref(),
                issued_at,
            )
            .map(|envelope| envelope.to_line())
        },
    );
    let receipts = receipts.collect::<anyhow::Result<Vec<_>>>()?.join("\n");
    print_document(format!("{receipts}\n").as_bytes())?;
    for (planned, judgement) in plan.operations().iter().zip(&judged) {
        judgement.tell(planned);
    }
    if judged
        .iter()
        .any(|judgement| matches!(judgement, Judgement::Denied(_)))
    {
        return Ok(Exit::Refused);
    }
    match (&run, &arguments.dispatch) {
        (Some(_), Some(workflow)) if judged.iter().any(Judgement::waits) => {
            tell(Row::words(format!(
                "{workflow} was not started: the policy waits for others. Start it when they have signed."
            )));
            Ok(Exit::Refused)
        }
        (Some(run), Some(workflow)) => {
            run.dispatch(workflow, arguments, &plan.run_id, &receipts)
                .await
        }
        _ => Ok(Exit::Success),
    }
}

/// For whoever signs and also starts the run that publishes.
const STARTER_IS_REQUESTER: &str = "the policy excludes the requester, and whoever starts the run \
    that publishes is one: with your own token your approval will not be valid in it \
    (policy_requester_approved). Have someone else start it.";

/// Everything that the receipts will allow, as it is read before the questions.
struct Review<'a> {
    plan: &'a Plan,
    judged: &'a [Judgement],
    requesters: &'a [Actor],
    public: &'a PublicKey,
    arguments: &'a AuthorizeArguments,
    /// Whether a rule that decides leaves out whoever asked.
    excludes_requester: bool,
    clock: Clock,
}

impl Review<'_> {
    /// Shows and asks, some receipts at a time. Gives the moment from which each is valid: the one that was shown.
    fn agreed(&self) -> anyhow::Result<Option<Vec<Timestamp>>> {
        let all = self.judged.len();
        let mut moments = Vec::with_capacity(all);
        let operations = self.plan.operations();
        let rounds = operations
            .chunks(MAX_OF_A_QUESTION)
            .zip(self.judged.chunks(MAX_OF_A_QUESTION));
        for (round, judged) in rounds {
            let before = moments.len();
            for (planned, judgement) in round.iter().zip(judged) {
                self.show(planned, judgement)?;
            }
            tell(self.origin());

            let now = (self.clock)();
            let until = now.plus(self.arguments.expires_in.seconds());
            let lines = round.iter().zip(judged).map(|(planned, judgement)| {
                let line = recap::line(planned.operation(), &self.plan.run_id, now, until);
                format!("{}{line}", judgement.caveat())
            });
            tell(recap::rows(lines.collect(), before, all));
            let question = recap::question(round.len(), before, all);
            if !self.arguments.yes && !agreed(&question)? {
                return Ok(None);
            }
            moments.extend(round.iter().map(|_| now));
        }
        Ok(Some(moments))
    }

    fn show(&self, planned: &PlannedOperation, judgement: &Judgement) -> anyhow::Result<()> {
        let ledger = planned
            .ledger()
            .map_or("empty".into(), |ledger| ledger.to_string());
        tell(Row::words(judgement.heading(planned)));
        tell(Row::blank());
        tell(shown(planned)?);
        tell(vec![
            Row::blank(),
            Row::new("for run       ", &self.plan.run_id),
            Row::new("valid for     ", self.arguments.expires_in),
            Row::new("ledger at     ", ledger),
            Row::new("signed by     ", self.public.fingerprint()),
            Row::blank(),
        ]);
        Ok(())
    }

    /// Where the plan comes from.
    fn origin(&self) -> Vec<Row> {
        let people: Vec<&str> = self.requesters.iter().map(Actor::as_str).collect();
        let people = if people.is_empty() {
            "unknown".into()
        } else {
            people.join(", ")
        };
        let campaign = self.plan.campaign.as_ref().map_or("none", Title::as_str);
        let mut rows = vec![
            Row::new("asked for by  ", people),
            Row::new("campaign      ", campaign),
        ];
        if self.excludes_requester && self.arguments.dispatch.is_some() {
            rows.push(Row::new("WARNING       ", STARTER_IS_REQUESTER));
        }
        rows.push(Row::blank());
        rows
    }
}

/// A receipt that the signer alone allows, without a policy.
pub(super) fn sign_freely(
    plan: &Plan,
    planned: &PlannedOperation,
    lifetime: Lifetime,
    signer: &dyn Signs,
    clock: Clock,
) -> anyhow::Result<Envelope> {
    sign(plan, planned, &Judgement::Free, lifetime, signer, clock())
}

fn sign(
    plan: &Plan,
    planned: &PlannedOperation,
    judgement: &Judgement,
    lifetime: Lifetime,
    signer: &dyn Signs,
    issued_at: Timestamp,
) -> anyhow::Result<Envelope> {
    // Only these bytes count: they were shown, and their digest is signed.
    let operation = planned.operation();
    let terms = Terms {
        receipt_id: format!("receipt-{}", random::hex::<8>()).parse()?,
        run_id: plan.run_id.clone(),
        operation_kind: operation.kind(),
        target: operation.target().clone(),
        enforceable: judgement.is_leave(),
        issued_at,
        expires_at: issued_at.plus(lifetime.seconds()),
        consumed: false,
        ledger: planned.ledger(),
        operation_digest: Digest::of(&operation.to_bytes()),
    };
    Ok(Envelope::signed_by(&terms, signer)?)
}

/// By what the approver's own side decides whether a receipt may allow anything.
struct Leave {
    policy: Option<(Policy, trusted::Trusted)>,
}

/// What came of it.
enum Judgement {
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
    fn read(arguments: &AuthorizeArguments, clock: Clock) -> anyhow::Result<Self> {
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

    fn excludes_requester(&self, judged: &[Judgement]) -> bool {
        let rules = self.policy.iter().flat_map(|(policy, _)| &policy.rules);
        let mut excluding = rules.filter(|rule| rule.exclude_requester);
        excluding.any(|rule| judged.iter().any(|judgement| judgement.is_by(&rule.name)))
    }

    fn judge(
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
    const fn is_leave(&self) -> bool {
        matches!(self, Self::Free | Self::Leave(_))
    }

    fn is_by(&self, rule: &str) -> bool {
        matches!(self, Self::Leave(decision) if decision.rule.as_deref() == Some(rule))
    }

    fn waits(&self) -> bool {
        matches!(self, Self::Leave(decision) if !decision.allows())
    }

    /// Before the line of a receipt that allows nothing.
    const fn caveat(&self) -> &'static str {
        if self.is_leave() {
            ""
        } else {
            "ADVISORY, allows nothing: "
        }
    }

    fn heading(&self, planned: &PlannedOperation) -> String {
        let verb = if self.is_leave() {
            "will allow, once"
        } else {
            "is ADVISORY and allows nothing; it is about"
        };
        format!("This receipt {verb} (`{}`):", planned.id())
    }

    /// Why it is as it is, beside the receipt.
    fn tell(&self, planned: &PlannedOperation) {
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

const _: () = assert!(
    Lifetime::MOST.seconds() == binding::MOST_LIFETIME,
    "a lifetime that can be asked for is one that counts"
);
