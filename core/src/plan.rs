//! What a dry run writes: operations with their digests, none of them allowed yet.

use alloc::vec::Vec;

use serde::Serialize;

use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
    ledger::Checkpoint,
    name::RunId,
    operation::Operation,
};

/// `plan.json`. What is authorized is each operation by its digest, nothing around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    mode: &'static str,
    /// The run that made the plan, for which receipts are issued.
    pub run_id: RunId,
    /// The ledger's head that the dry run saw; null while there is no entry.
    pub ledger: Option<Checkpoint>,
    operations: Vec<PlannedOperation>,
}

/// One operation of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedOperation {
    operation: Operation,
    digest: Digest,
    blocked_by_mode: bool,
}

impl PlannedOperation {
    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The operation itself.
    #[must_use]
    pub fn into_operation(self) -> Operation {
        self.operation
    }

    fn new(operation: Operation) -> Self {
        Self { digest: operation.digest(), operation, blocked_by_mode: true }
    }

    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let planned = Self::new(Operation::from_json(object.take("operation")?)?);
        object.expect("digest", &alloc::format!("{}", planned.digest))?;
        let blocked = object.take("blocked_by_mode")?;
        let untrue = blocked.refuse("a plan never allows anything: expected true");
        object.end()?;
        if blocked.flag()? { Ok(planned) } else { Err(untrue) }
    }
}

impl Plan {
    /// The plan of a dry run.
    #[must_use]
    pub fn new(run_id: RunId, ledger: Option<Checkpoint>, operations: Vec<Operation>) -> Self {
        Self { mode: "dry_run", run_id, ledger, operations: operations.into_iter().map(PlannedOperation::new).collect() }
    }

    /// The operations in their order.
    #[must_use]
    pub fn operations(&self) -> &[PlannedOperation] {
        &self.operations
    }

    /// The one operation of a plan that has exactly one.
    pub fn into_only_operation(self) -> Result<PlannedOperation, Malformed> {
        let count = self.operations.len();
        let mut operations = self.operations.into_iter();
        match (operations.next(), operations.next()) {
            (Some(operation), None) => Ok(operation),
            _ => Err(Malformed::new("$.operations", alloc::format!("expected exactly one operation, found {count}"))),
        }
    }
}

impl Document for Plan {
    const MOST_BYTES: usize = 8 << 20;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        object.expect("mode", "dry_run")?;
        let operations = object.take("operations")?.list()?;
        Ok(Self {
            mode: "dry_run",
            run_id: object.take("run_id")?.name()?,
            ledger: object.take("ledger")?.nullable().map(Checkpoint::from_json).transpose()?,
            operations: operations.into_iter().map(PlannedOperation::from_json).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{release, tag};
    use std::string::{String, ToString};

    fn plan() -> Plan {
        Plan::new("17".parse().unwrap(), Some(Checkpoint { sequence: 41, digest: Digest::of(b"entry") }), [release(), tag()].into())
    }

    #[test]
    fn a_plan_reads_exactly_what_it_writes() {
        assert_eq!(Plan::from_document(&plan().to_document()), Ok(plan()));
    }

    #[test]
    fn an_edited_plan_is_refused() {
        let text = String::from_utf8(plan().to_document()).unwrap();
        let problem = |from: &str, to: &str| Plan::from_document(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(problem("Version 1.0.0", "Version 1.0.1").starts_with("expected `sha256:"));
        assert_eq!(
            problem("\"blocked_by_mode\":true", "\"blocked_by_mode\":false"),
            "a plan never allows anything: expected true (at $.operations[0].blocked_by_mode)"
        );
        assert_eq!(problem("dry_run", "prod"), "expected `dry_run`, found `prod` (at $.mode)");
        assert_eq!(problem(",", ", "), "the file was changed after Countersign wrote it (at byte 18)");
    }

    #[test]
    fn exactly_one_operation_can_be_taken_from_a_plan_of_one() {
        assert_eq!(plan().into_only_operation().unwrap_err().to_string(), "expected exactly one operation, found 2 (at $.operations)");
        let one = Plan::new("17".parse().unwrap(), None, [tag()].into());
        assert_eq!(one.into_only_operation().map(PlannedOperation::into_operation), Ok(tag()));
    }
}
