//! What a dry run writes: operations with their digests, none of them allowed yet, and what will not ship with the reason.

mod constraint;
mod effect;

use alloc::{format, string::String, vec::Vec};

use serde::Serialize;

pub use self::{
    constraint::{Constraint, constraints},
    effect::{Effect, Stands, effects},
};
use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
    ledger::Checkpoint,
    name::{Actor, AssetName, Prose, Repository, RunId, StepId, Title},
    operation::{Kind, Operation},
};

/// Most operations of one plan.
pub const MOST_OPERATIONS: usize = 64;
/// Most characters of a reason or a warning.
pub const MOST_WORDS: usize = 2000;

/// `plan.json`. What is authorized is each operation by its digest, nothing around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    /// A plan is made by a dry run alone.
    #[cfg_attr(test, schemars(extend("const" = "dry_run")))]
    mode: &'static str,
    /// The run that made the plan, for which receipts are issued.
    pub run_id: RunId,
    /// The campaign's name; null for a single operation.
    pub campaign: Option<Title>,
    /// Who started that run and who re-ran it, as the run said; empty if nobody knows.
    pub requested_by: Vec<Actor>,
    /// What can ship, in the order in which it is published.
    #[cfg_attr(test, schemars(length(max = MOST_OPERATIONS)))]
    operations: Vec<PlannedOperation>,
    /// What was asked for and will not ship.
    #[cfg_attr(test, schemars(length(max = MOST_OPERATIONS)))]
    pub not_shipped: Vec<NotShipped>,
}

/// One operation of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedOperation {
    /// Its name in the plan, once.
    id: StepId,
    /// The operations that come before it in the list and must ship first.
    needs: Vec<StepId>,
    /// The operation, in its exact bytes.
    operation: Operation,
    /// Digest of these bytes: what is authorized.
    digest: Digest,
    /// The commit of its repository's ledger that the receipt must name.
    ledger: Checkpoint,
    /// What must still hold when it is published; follows from the operation.
    constraints: Vec<Constraint>,
    /// Where the files of its assets lay.
    artifacts: Vec<Artifact>,
    /// What stood where it would change something.
    stands: Stands,
    /// What it would change; follows from the operation and what stood there.
    effects: Vec<Effect>,
    /// What an approver should know.
    warnings: Vec<Warning>,
    /// A plan says of itself that it was not executed.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    blocked_by_mode: bool,
}

/// Where an asset's file lay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Artifact {
    /// The asset.
    pub name: AssetName,
    /// The file, from the workspace.
    pub path: Prose,
}

/// Something that an approver should know, though it does not stand in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Warning {
    /// A stable code.
    #[cfg_attr(test, schemars(with = "StepId"))]
    pub code: String,
    /// Both sides.
    #[cfg_attr(test, schemars(length(max = MOST_WORDS)))]
    pub message: String,
}

/// Something that was asked for and will not ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotShipped {
    /// Its name in the campaign.
    pub id: StepId,
    /// The kind of operation.
    pub operation_kind: Kind,
    /// The repository.
    pub repository: Repository,
    /// A stable code: that of the refusal which `prod` would give.
    #[cfg_attr(test, schemars(length(max = MOST_WORDS)))]
    pub code: String,
    /// Both sides.
    #[cfg_attr(test, schemars(length(max = MOST_WORDS)))]
    pub why_not: String,
    /// What to do about it.
    #[cfg_attr(test, schemars(length(max = MOST_WORDS)))]
    pub remedy: String,
}

/// What a dry run knows about an operation beside its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The operations that come before it.
    pub needs: Vec<StepId>,
    /// The commit of its repository's ledger that the receipt must name.
    pub ledger: Checkpoint,
    /// Where the files of its assets lay.
    pub artifacts: Vec<Artifact>,
    /// What stands where it would change something.
    pub stands: Stands,
    /// What an approver should know.
    pub warnings: Vec<Warning>,
}

impl Surroundings {
    /// Nothing around an operation but its ledger.
    #[must_use]
    pub fn with_ledger(ledger: Checkpoint) -> Self {
        Self {
            needs: Vec::new(),
            ledger,
            artifacts: Vec::new(),
            stands: Stands::default(),
            warnings: Vec::new(),
        }
    }
}

impl PlannedOperation {
    /// An operation and what a dry run saw around it. Constraints and effects follow from both.
    #[must_use]
    pub fn new(id: StepId, operation: Operation, around: Surroundings) -> Self {
        let Surroundings {
            needs,
            ledger,
            artifacts,
            stands,
            warnings,
        } = around;
        Self {
            id,
            needs,
            digest: operation.digest(),
            constraints: constraints(&operation, &ledger),
            ledger,
            artifacts,
            effects: effects(&operation, &stands),
            stands,
            warnings,
            operation,
            blocked_by_mode: true,
        }
    }

    /// An operation by itself, as a call without a campaign plans it.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the names of the kinds are ids"
    )]
    pub fn alone(operation: Operation, around: Surroundings) -> Self {
        Self::new(
            operation
                .kind()
                .as_str()
                .parse()
                .expect("a kind's name is an id"),
            operation,
            around,
        )
    }

    /// Its name in the plan.
    #[must_use]
    pub const fn id(&self) -> &StepId {
        &self.id
    }

    /// The operations that come before it.
    #[must_use]
    pub fn needs(&self) -> &[StepId] {
        &self.needs
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Its digest: what is authorized.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The operation itself.
    #[must_use]
    pub fn into_operation(self) -> Operation {
        self.operation
    }

    /// The head of the ledger that the dry run saw: what the approver signs as its witness.
    #[must_use]
    pub const fn ledger(&self) -> &Checkpoint {
        &self.ledger
    }

    /// Where its files lay.
    #[must_use]
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// What would change.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// What an approver should know.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let operation = Operation::from_json(object.take("operation")?)?;
        object.expect("digest", &format!("{}", operation.digest()))?;
        let blocked = object.take("blocked_by_mode")?;
        let untrue = blocked.refuse("a plan never allows anything: expected true");
        if !blocked.flag()? {
            return Err(untrue);
        }
        // These follow from the rest: if they were changed, the document is not what Countersign writes.
        for derived in ["constraints", "effects"] {
            object.take(derived)?.list()?;
        }
        let around = Surroundings {
            needs: object
                .take("needs")?
                .list()?
                .into_iter()
                .map(Value::name)
                .collect::<Result<_, _>>()?,
            ledger: Checkpoint::from_json(object.take("ledger")?)?,
            artifacts: object
                .take("artifacts")?
                .list()?
                .into_iter()
                .map(Artifact::from_json)
                .collect::<Result<_, _>>()?,
            stands: Stands::from_json(object.take("stands")?)?,
            warnings: object
                .take("warnings")?
                .list()?
                .into_iter()
                .map(Warning::from_json)
                .collect::<Result<_, _>>()?,
        };
        let planned = Self::new(object.take("id")?.name()?, operation, around);
        object.end()?;
        Ok(planned)
    }
}

impl Artifact {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let artifact = Self {
            name: object.take("name")?.name()?,
            path: object.take("path")?.name()?,
        };
        object.end()?;
        Ok(artifact)
    }
}

impl Warning {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let message = object.take("message")?;
        let too_long = message.refuse(format!("it has more than {MOST_WORDS} characters"));
        let warning = Self {
            code: object.take("code")?.name::<StepId>()?.as_str().into(),
            message: message.text()?,
        };
        object.end()?;
        if warning.message.chars().count() > MOST_WORDS {
            Err(too_long)
        } else {
            Ok(warning)
        }
    }
}

impl NotShipped {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let too_long = value.refuse(format!("a text has more than {MOST_WORDS} characters"));
        let mut object = value.object()?;
        let not_shipped = Self {
            id: object.take("id")?.name()?,
            operation_kind: object.take("operation_kind")?.name()?,
            repository: object.take("repository")?.name()?,
            code: object.take("code")?.text()?,
            why_not: object.take("why_not")?.text()?,
            remedy: object.take("remedy")?.text()?,
        };
        object.end()?;
        let texts = [&not_shipped.code, &not_shipped.why_not, &not_shipped.remedy];
        if texts.iter().any(|text| text.chars().count() > MOST_WORDS) {
            Err(too_long)
        } else {
            Ok(not_shipped)
        }
    }
}

impl Plan {
    /// The plan of a dry run.
    #[must_use]
    pub const fn new(run_id: RunId, operations: Vec<PlannedOperation>) -> Self {
        Self {
            mode: "dry_run",
            run_id,
            campaign: None,
            requested_by: Vec::new(),
            operations,
            not_shipped: Vec::new(),
        }
    }

    /// The operations in their order.
    #[must_use]
    pub fn operations(&self) -> &[PlannedOperation] {
        &self.operations
    }

    /// The operations themselves, in their order.
    #[must_use]
    pub fn into_operations(self) -> Vec<PlannedOperation> {
        self.operations
    }
}

impl Document for Plan {
    const MOST_BYTES: usize = 8 << 20;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        object.expect("mode", "dry_run")?;
        let operations = object.take("operations")?;
        let too_many = operations.refuse(format!("more than {MOST_OPERATIONS} operations"));
        let operations = operations.list()?;
        if operations.len() > MOST_OPERATIONS {
            return Err(too_many);
        }
        let mut plan = Self::new(
            object.take("run_id")?.name()?,
            operations
                .into_iter()
                .map(PlannedOperation::from_json)
                .collect::<Result<_, _>>()?,
        );
        plan.campaign = object
            .take("campaign")?
            .nullable()
            .map(Value::name)
            .transpose()?;
        plan.requested_by = object
            .take("requested_by")?
            .list()?
            .into_iter()
            .map(Value::name)
            .collect::<Result<_, _>>()?;
        let not_shipped = object.take("not_shipped")?;
        let too_many = not_shipped.refuse(format!("more than {MOST_OPERATIONS} operations"));
        plan.not_shipped = not_shipped
            .list()?
            .into_iter()
            .map(NotShipped::from_json)
            .collect::<Result<_, _>>()?;
        if plan.not_shipped.len() > MOST_OPERATIONS {
            return Err(too_many);
        }
        plan.is_in_order()?;
        Ok(plan)
    }
}

impl Plan {
    /// Every operation has a name of its own and comes after those that it needs.
    fn is_in_order(&self) -> Result<(), Malformed> {
        for (index, planned) in self.operations.iter().enumerate() {
            let before = &self.operations[..index];
            let place = format!("$.operations[{index}]");
            if before.iter().any(|other| other.id == planned.id) {
                return Err(Malformed::new(
                    place,
                    format!("the id `{}` stands twice", planned.id),
                ));
            }
            if let Some(need) = planned
                .needs
                .iter()
                .find(|need| before.iter().all(|other| other.id != **need))
            {
                return Err(Malformed::new(
                    place,
                    format!("it needs `{need}`, which does not come before it"),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{checkpoint, commit, pull, release, tag};
    use alloc::vec;
    use std::string::{String, ToString};

    fn plan() -> Plan {
        let around = Surroundings {
            artifacts: vec![Artifact {
                name: "app.tar.gz".parse().unwrap(),
                path: "dist/app.tar.gz".parse().unwrap(),
            }],
            stands: Stands {
                latest: Some("v0.9.0".parse().unwrap()),
                ..Stands::default()
            },
            ..Surroundings::with_ledger(checkpoint())
        };
        let first = PlannedOperation::alone(release(), around);
        let second = PlannedOperation::new(
            "docs".parse().unwrap(),
            tag(),
            Surroundings {
                needs: vec!["publish_release".parse().unwrap()],
                ..Surroundings::with_ledger(checkpoint())
            },
        );
        let mut plan = Plan::new("17".parse().unwrap(), vec![first, second]);
        plan.campaign = Some("One".parse().unwrap());
        plan.requested_by = ["dependabot[bot]".parse().unwrap()].into();
        plan.not_shipped = vec![NotShipped {
            id: "pull".parse().unwrap(),
            operation_kind: Kind::OpenPr,
            repository: "owner/repo".parse().unwrap(),
            code: "preflight_branch_missing".into(),
            why_not: "the repository has no branch `next`".into(),
            remedy: "Push it.".into(),
        }];
        plan
    }

    fn problem(from: &str, to: &str) -> String {
        let text = String::from_utf8(plan().to_document()).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        Plan::from_document(text.replacen(from, to, 1).as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_plan_reads_exactly_what_it_writes() {
        assert_eq!(Plan::from_document(&plan().to_document()), Ok(plan()));
    }

    #[test]
    fn an_approver_sees_what_the_dry_run_saw() {
        let warnings = vec![Warning {
            code: "tag_stands".into(),
            message: "The tag stands already.".into(),
        }];
        let plan = plan();
        let first = &plan.operations()[0];
        assert_eq!(first.ledger(), &checkpoint());
        assert_eq!(
            first
                .artifacts()
                .iter()
                .map(|artifact| artifact.path.as_str())
                .collect::<Vec<_>>(),
            ["dist/app.tar.gz"]
        );
        assert_eq!(
            first.effects(),
            effects(
                &release(),
                &Stands {
                    latest: Some("v0.9.0".parse().unwrap()),
                    ..Stands::default()
                }
            )
        );
        assert_eq!(
            plan.operations()[1].needs(),
            ["publish_release".parse().unwrap()]
        );
        let warned = PlannedOperation::alone(
            release(),
            Surroundings {
                warnings: warnings.clone(),
                ..Surroundings::with_ledger(checkpoint())
            },
        );
        assert_eq!(warned.warnings(), warnings);
        let operations: Vec<Operation> = plan
            .into_operations()
            .into_iter()
            .map(PlannedOperation::into_operation)
            .collect();
        assert_eq!(operations, [release(), tag()]);
    }

    #[test]
    fn a_plan_holds_so_many_operations_and_words_and_no_more() {
        let read = |edit: &dyn Fn(&mut Plan)| {
            let mut plan = plan();
            edit(&mut plan);
            Plan::from_document(&plan.to_document())
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        let words = |count: usize| "ä".repeat(count);
        let planned = |count: usize| {
            let planned = |number: usize| {
                PlannedOperation::new(
                    format!("{number}").parse().unwrap(),
                    tag(),
                    Surroundings::with_ledger(checkpoint()),
                )
            };
            read(&move |plan| plan.operations = (0..count).map(planned).collect())
        };
        let dropped = |count: usize| {
            read(&move |plan| plan.not_shipped = vec![plan.not_shipped[0].clone(); count])
        };
        let warned = |count: usize| {
            read(&move |plan| {
                let warnings = vec![Warning {
                    code: "tag_stands".into(),
                    message: words(count),
                }];
                plan.operations = vec![PlannedOperation::alone(
                    tag(),
                    Surroundings {
                        warnings,
                        ..Surroundings::with_ledger(checkpoint())
                    },
                )];
            })
        };
        let explained =
            |count: usize| read(&move |plan| plan.not_shipped[0].why_not = words(count));
        assert_eq!(
            [
                planned(MOST_OPERATIONS),
                dropped(MOST_OPERATIONS),
                warned(MOST_WORDS),
                explained(MOST_WORDS)
            ],
            [const { Ok(()) }; 4]
        );
        assert_eq!(
            planned(MOST_OPERATIONS + 1),
            Err(format!(
                "more than {MOST_OPERATIONS} operations (at $.operations)"
            ))
        );
        assert_eq!(
            dropped(MOST_OPERATIONS + 1),
            Err(format!(
                "more than {MOST_OPERATIONS} operations (at $.not_shipped)"
            ))
        );
        assert_eq!(
            warned(MOST_WORDS + 1),
            Err(format!(
                "it has more than {MOST_WORDS} characters (at $.operations[0].warnings[0].message)"
            ))
        );
        assert_eq!(
            explained(MOST_WORDS + 1),
            Err(format!(
                "a text has more than {MOST_WORDS} characters (at $.not_shipped[0])"
            ))
        );
    }

    #[test]
    fn an_edited_plan_is_refused() {
        assert!(problem("First.", "Worst.").starts_with("expected `sha256:"));
        assert_eq!(
            problem(
                "\"warnings\":[],\"blocked_by_mode\":true",
                "\"warnings\":[],\"blocked_by_mode\":false"
            ),
            "a plan never allows anything: expected true (at $.operations[0].blocked_by_mode)"
        );
        assert_eq!(
            problem("dry_run", "prod"),
            "expected `dry_run`, found `prod` (at $.mode)"
        );
        assert_eq!(
            problem(",", ", "),
            "the file was changed after Countersign wrote it (at byte 18)"
        );
    }

    #[test]
    fn what_follows_from_an_operation_cannot_be_told_otherwise() {
        for (from, to) in [
            ("\"from\":\"v0.9.0\"", "\"from\":null"),
            ("\"effect\":\"mark_latest\"", "\"effect\":\"nothing\""),
            (
                "\"constraint\":\"tag_free_or_at\"",
                "\"constraint\":\"anything\"",
            ),
        ] {
            assert!(
                problem(from, to).starts_with("the file was changed after Countersign wrote it"),
                "{from}"
            );
        }
    }

    #[test]
    fn operations_come_in_their_order_and_once() {
        assert_eq!(
            problem("\"needs\":[\"publish_release\"]", "\"needs\":[\"other\"]"),
            "it needs `other`, which does not come before it (at $.operations[1])"
        );
        assert_eq!(
            problem(
                "\"id\":\"docs\",\"needs\":[\"publish_release\"]",
                "\"id\":\"publish_release\",\"needs\":[]"
            ),
            "the id `publish_release` stands twice (at $.operations[1])"
        );
    }

    #[test]
    fn effects_tell_what_stands_and_what_would() {
        let told = |operation: &Operation, stands: &Stands| -> Vec<String> {
            let effects = effects(operation, stands);
            effects
                .iter()
                .map(|effect| {
                    format!(
                        "{} {}: {} → {}",
                        effect.effect,
                        effect.subject,
                        effect.from.as_deref().unwrap_or("nothing"),
                        effect.to
                    )
                })
                .collect()
        };
        let stands = Stands {
            latest: Some("v0.9.0".parse().unwrap()),
            base: Some(commit('2')),
            ..Stands::default()
        };
        let release = told(&release(), &stands);
        assert_eq!(
            release[1],
            "create_release v1.0.0: nothing → a release called v1.0.0"
        );
        assert!(release[2].starts_with("upload_asset app.tar.gz: nothing → sha256:ba7816bf"));
        assert_eq!(
            release[3],
            "create_tag refs/tags/v1.0.0: nothing → 1111111111111111111111111111111111111111"
        );
        assert_eq!(release[4], "mark_latest owner/repo: v0.9.0 → v1.0.0");
        assert_eq!(
            told(&tag(), &stands)[1],
            "create_tag refs/tags/v1.0.0: nothing → 1111111111111111111111111111111111111111"
        );
        let pull = told(&pull(), &stands);
        assert_eq!(
            pull[1],
            format!(
                "open_pull_request main: main at {} → release-1.0.0 at {}",
                commit('2'),
                commit('1')
            )
        );
        assert_eq!(
            pull[2..5],
            [
                "add_label the pull request: nothing → a-label",
                "add_label the pull request: nothing → release",
                "request_review the pull request: nothing → octocat"
            ]
        );
        assert!(
            pull[0].starts_with("spend_receipt refs/heads/receipt-ledger")
                && pull[5].starts_with("record_outcome")
        );
    }
}
