//! Makes plans: what a dry run would do, one operation or a whole campaign, and what will not ship and why.

mod artifact;
mod campaign;
mod describe;
mod uploads;

use countersign_core::{
    authorize::{Preflight, Sighting},
    binding::{MOST_LIFETIME, MOST_SKEW},
    evidence::AttachReceipt,
    ledger::Pair,
    name::{Actor, CommitId, Repository, RunId, StepId, TagName},
    operation::{Kind, Operation},
    plan::{MOST_WORDS, NotShipped, Plan, PlannedOperation, Stands, Surroundings, Warning},
    policy::Policy,
    reach::{Branches, ReachableFrom},
    refusal::Refusal,
    text::excerpt,
    timestamp::Timestamp,
    world::World,
};

pub(crate) use self::{
    artifact::{ArtifactName, FoundPlan, newest_of_each_name, plans_of_run},
    campaign::{Campaign, CampaignError, Step},
    describe::{Described, Describer, Unplanned, Whole},
};
use crate::github::{Depth, Discovered, GitHub, PreflightQuery, Trouble};

/// Reasons for which an operation does not ship because what it would make is there: what needs it can go on.
const STANDS_ALREADY: [&str; 3] = [
    "preflight_tag_exists",
    "preflight_release_exists",
    "preflight_pull_exists",
];

/// An operation as a dry run sees it.
pub(crate) struct Sighted {
    pub(crate) operation: Operation,
    pub(crate) around: Surroundings,
    /// Why `prod` would refuse it as things stand.
    pub(crate) obstacle: Option<Refusal>,
    pub(crate) ledger_rules: Option<Vec<String>>,
}

/// For which run a plan is made, when, and on which branches its commits must be.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) now: Timestamp,
    pub(crate) reach: Reach<'a>,
}

/// What says on which branch the commit of a release or tag must be.
#[derive(Clone, Copy)]
pub(crate) enum Reach<'a> {
    /// The rules of a policy.
    Policy(&'a Policy),
    /// One list for every operation.
    Listed(&'a ReachableFrom),
}

impl Reach<'_> {
    fn of(self, operation: &Operation) -> ReachableFrom {
        match self {
            Self::Policy(policy) => policy.reachable_from(operation),
            Self::Listed(listed) => listed.clone(),
        }
    }
}

/// Looks at everything around an operation, before which others upload `uploads_before` files.
/// Without a readable ledger there is nothing that an approver could be the witness of.
pub(crate) async fn look(
    github: &GitHub,
    whole: Whole,
    home: Option<&Repository>,
    allow_workflow_changes: bool,
    attach: AttachReceipt,
    uploads_before: u64,
    occasion: Occasion<'_>,
) -> Result<Sighted, Unplanned> {
    let Whole {
        operation,
        artifacts,
        ..
    } = whole;
    let allowed = occasion.reach.of(&operation);
    let query = PreflightQuery::new(&operation).reachable_from(allowed.clone());
    // No receipt is older: whoever could still act for this run claimed it since.
    let since = Depth::Since(occasion.now.minus(MOST_LIFETIME + MOST_SKEW));
    let look = github.preflight(&query, &since);
    let (preflight, discovered) = tokio::join!(look, github.discover(&operation));
    let sighting = match preflight {
        Preflight::Seen(sighting) => *sighting,
        Preflight::Unavailable(refusal) => return Err(Unplanned::Refused(refusal)),
        Preflight::NotAsked => unreachable!("GitHub was asked"),
    };
    let Sighting {
        ledger,
        guard,
        world,
        branches,
        ..
    } = sighting;
    // A claim that is still open must lie above the checkpoint, or its operation could be done twice.
    let pair = Pair {
        run: occasion.run.clone(),
        operation: operation.digest(),
    };
    let ledger = ledger
        .map_err(Unplanned::Refused)?
        .checkpoint_for(&pair)
        .clone();
    let mut warnings = branch_warnings(&operation, &discovered, &world);
    if let Some(home) = home.filter(|home| **home != operation.target().repository) {
        let message = format!(
            "the job token of {home} cannot write to {}: the publish job needs the input `token`, for instance a GitHub App's",
            operation.target().repository
        );
        warnings.push(Warning {
            code: "permission_likely_missing".into(),
            message,
        });
    }
    warnings.extend(uploads::warnings(
        github,
        &operation,
        attach,
        uploads_before,
    ));
    let obstacle = world
        .allows(&operation, allow_workflow_changes, attach)
        .map_err(Refusal::from)
        .and_then(|()| reaches(&operation, &allowed, &branches))
        .err();
    let stands = Stands {
        tag: world.tag.map(|tag| tag.commit),
        latest: discovered.latest,
        head: world.head,
        base: world.base,
    };
    Ok(Sighted {
        operation,
        around: Surroundings {
            needs: Vec::new(),
            ledger,
            artifacts,
            stands,
            warnings,
        },
        obstacle,
        ledger_rules: guard.rules,
    })
}

/// What an approver should know of the commit and the branch it is compared with.
fn branch_warnings(operation: &Operation, discovered: &Discovered, world: &World) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some((branch, behind)) = &discovered.behind {
        let message = format!(
            "{} lacks {behind} commit(s) of the branch `{branch}`",
            operation.commit()
        );
        warnings.push(Warning {
            code: "branch_behind".into(),
            message,
        });
    }
    if let Some((branch, ahead)) = &discovered.ahead {
        let message = format!(
            "{} has {ahead} commit(s) that the branch `{branch}` has not; GitHub finds commits of forks too, so look whose they are",
            operation.commit()
        );
        warnings.push(Warning {
            code: "branch_ahead".into(),
            message,
        });
    }
    // Without a branch there is nothing to compare with; other warnings report that.
    let has_base = !matches!(operation, Operation::OpenPr(_)) || world.base.is_some();
    if !discovered.is_compared && has_base {
        let message = format!(
            "GitHub did not compare {} with the branch: check that it belongs to the repository's history, because GitHub finds commits of forks too",
            operation.commit()
        );
        warnings.push(Warning {
            code: "branch_not_compared".into(),
            message,
        });
    }
    warnings
}

/// Whether an allowed branch contains the commit of a release or tag.
fn reaches(
    operation: &Operation,
    allowed: &ReachableFrom,
    branches: &Branches,
) -> Result<(), Refusal> {
    if matches!(operation, Operation::OpenPr(_)) {
        return Ok(());
    }
    let held = allowed.holds(operation.commit(), branches);
    held.map(|_| ()).map_err(Refusal::CommitUnreachable)
}

/// A campaign's plan: what can ship in its order, and for everything else why not.
pub(crate) async fn plan(
    campaign: Campaign,
    occasion: Occasion<'_>,
    requested_by: Vec<Actor>,
    describer: &Describer<'_>,
    attach: AttachReceipt,
) -> Result<Plan, Unmade> {
    let (mut planned, mut not_shipped): (Vec<PlannedOperation>, Vec<NotShipped>) =
        (Vec::new(), Vec::new());
    for step in &campaign.steps {
        let repository = describer
            .repository(&step.inputs)
            .map_err(|refusal| Unmade::Misplaced(step.error(&refusal)))?;
        match sighted(step, &planned, &not_shipped, describer, attach, occasion).await {
            Ok(Sighted {
                operation,
                mut around,
                ..
            }) => {
                // What an operation before it makes stands by then.
                around.stands.tag = around.stands.tag.or_else(|| {
                    planned
                        .iter()
                        .find_map(|other| tag_made_by(other, &operation))
                });
                // What stands already needs nobody to wait for it.
                let needs = step
                    .needs
                    .iter()
                    .filter(|need| planned.iter().any(|other| other.id() == *need))
                    .cloned()
                    .collect();
                planned.push(PlannedOperation::new(
                    step.id.clone(),
                    operation,
                    Surroundings { needs, ..around },
                ));
            }
            Err(Unshipped::Never(unmade)) => return Err(unmade),
            Err(Unshipped::Why {
                code,
                why_not,
                remedy,
            }) => {
                let (id, operation_kind) = (step.id.clone(), step.kind);
                let why_not = excerpt(&why_not, MOST_WORDS - 100);
                not_shipped.push(NotShipped {
                    id,
                    operation_kind,
                    repository,
                    code,
                    why_not,
                    remedy,
                });
            }
        }
    }
    let mut plan = Plan::new(occasion.run.clone(), planned);
    (plan.campaign, plan.requested_by, plan.not_shipped) =
        (Some(campaign.name), requested_by, not_shipped);
    Ok(plan)
}

/// Why a campaign has no plan: its file is wrong, or GitHub cannot be asked.
pub(crate) enum Unmade {
    Misplaced(CampaignError),
    Trouble(Trouble),
}

/// Why one operation of a campaign does not ship.
enum Unshipped {
    /// Nothing is planned at all.
    Never(Unmade),
    /// The world is not as it should be.
    Why {
        code: String,
        why_not: String,
        remedy: String,
    },
}

impl From<Refusal> for Unshipped {
    fn from(refusal: Refusal) -> Self {
        Self::Why {
            code: refusal.code().into(),
            why_not: refusal.to_string(),
            remedy: refusal.remedy().into(),
        }
    }
}

async fn sighted(
    step: &Step,
    planned: &[PlannedOperation],
    not_shipped: &[NotShipped],
    describer: &Describer<'_>,
    attach: AttachReceipt,
    occasion: Occasion<'_>,
) -> Result<Sighted, Unshipped> {
    let home = describer.home.map(|home| &home.repository);
    let uploads_before = planned
        .iter()
        .map(|before| countersign_core::world::uploads(before.operation(), attach))
        .sum();
    let seen = async {
        let whole = describer
            .describe(
                &step.inputs,
                step.kind,
                countersign_core::authorize::Mode::DryRun,
            )
            .await?
            .whole()
            .await?;
        Box::pin(look(
            describer.github,
            whole,
            home,
            step.allow_workflow_changes,
            attach,
            uploads_before,
            occasion,
        ))
        .await
    };
    let sighted = seen.await.map_err(|unplanned| match unplanned {
        Unplanned::Refused(Refusal::Input(refusal)) if !Step::is_about_the_world(&refusal) => {
            Unshipped::Never(Unmade::Misplaced(step.error(&refusal)))
        }
        Unplanned::Refused(refusal) => refusal.into(),
        // Only what GitHub says about this repository is about this operation.
        Unplanned::Trouble(trouble) if trouble.is_about_the_repository() => Unshipped::Why {
            code: trouble.code().into(),
            why_not: trouble.to_string(),
            remedy: trouble.remedy().into(),
        },
        Unplanned::Trouble(trouble) => Unshipped::Never(Unmade::Trouble(trouble)),
    })?;
    if let Some(refusal) = sighted.obstacle {
        return Err(refusal.into());
    }
    if let Some(other) = planned
        .iter()
        .find_map(|other| contradiction(&sighted.operation, other))
    {
        return Err(other);
    }
    let absent = |need: &&StepId| {
        let stands =
            |left: &NotShipped| left.id == **need && STANDS_ALREADY.contains(&left.code.as_str());
        planned.iter().all(|other| other.id() != *need) && !not_shipped.iter().any(stands)
    };
    if let Some(need) = step.needs.iter().find(absent) {
        return Err(Unshipped::Why {
            code: "dependency_not_shipped".into(),
            why_not: format!("it needs `{need}`, which will not ship"),
            remedy: format!("Mend what keeps `{need}` from shipping, or take it out of `needs`."),
        });
    }
    Ok(sighted)
}

const fn tag(operation: &Operation) -> Option<&TagName> {
    match operation {
        Operation::PublishRelease(release) => Some(&release.tag_name),
        Operation::TagRepo(tag) => Some(&tag.tag_name),
        Operation::OpenPr(_) => None,
    }
}

/// The commit to which an operation that comes before sets the same tag.
fn tag_made_by(before: &PlannedOperation, operation: &Operation) -> Option<CommitId> {
    let before = before.operation();
    let same = before.target() == operation.target()
        && tag(operation).is_some()
        && tag(before) == tag(operation);
    same.then(|| before.commit().clone())
}

/// Two operations that each could ship, but not both.
fn contradiction(operation: &Operation, other: &PlannedOperation) -> Option<Unshipped> {
    if operation.target() != other.operation().target() {
        return None;
    }
    let branches = |operation: &Operation| match operation {
        Operation::OpenPr(pull) => Some((pull.head_branch.clone(), pull.base_branch.clone())),
        _ => None,
    };
    if let Some((head, base)) =
        branches(operation).filter(|pair| branches(other.operation()).as_ref() == Some(pair))
    {
        return Some(Unshipped::Why {
            code: "operations_contradict".into(),
            why_not: format!(
                "`{}` opens a pull request from `{head}` into `{base}` already",
                other.id()
            ),
            remedy: "Leave one of them out: GitHub opens no second one.".into(),
        });
    }
    let name = tag(operation).filter(|name| Some(*name) == tag(other.operation()))?;
    let (kind, before) = (operation.kind(), other.operation().kind());
    let why_not = if operation.commit() != other.operation().commit() {
        format!(
            "it sets the tag `{name}` to {}, but `{}` sets it to {}",
            operation.commit(),
            other.id(),
            other.operation().commit()
        )
    } else if kind == before || kind == Kind::TagRepo {
        format!("the tag `{name}` is made by `{}` already", other.id())
    } else {
        return None;
    };
    let remedy = "Give the operations different tags, or leave one out; a tag for a release comes before the release.".into();
    Some(Unshipped::Why {
        code: "operations_contradict".into(),
        why_not,
        remedy,
    })
}
