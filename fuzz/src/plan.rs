//! `plan.json`, of which an approver signs the operations.

use std::collections::BTreeSet;

use countersign_core::{
    operation::Operation,
    plan::{MOST_OPERATIONS, Plan},
    policy::{Policy, decide},
    timestamp::Lifetime,
};

use crate::ledger::is_written_as_it_was_read;

/// A plan has one notation; every operation has the digest that it tells and comes after those that it needs; no rule is no leave.
pub fn holds(data: &[u8]) {
    let Some(plan) = is_written_as_it_was_read::<Plan>(data) else {
        return;
    };
    assert!(
        plan.operations().len() <= MOST_OPERATIONS && plan.not_shipped.len() <= MOST_OPERATIONS
    );
    let mut before = BTreeSet::new();
    for planned in plan.operations() {
        assert_eq!(planned.digest(), planned.operation().digest());
        assert_eq!(
            Operation::from_bytes(&planned.operation().to_bytes()).as_ref(),
            Ok(planned.operation())
        );
        assert!(planned.needs().iter().all(|need| before.contains(need)));
        assert!(before.insert(planned.id()), "an id stands twice");
    }
    let nothing = Policy::parse("version = 1\n").expect("a policy may have no rules");
    assert!(
        decide(&plan, &[], Lifetime::MOST, &nothing)
            .into_iter()
            .all(|decision| !decision.allows())
    );
}
