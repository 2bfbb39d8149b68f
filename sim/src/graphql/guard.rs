//! Appends that classic protection and rulesets forbid.

use async_graphql::{Error, Result};
use git2::Oid;

use super::refusal::refusal;
use crate::world::World;

/// Rules that refuse every append, with the reason that GitHub names. The rules `creation`,
/// `deletion`, `non_fast_forward` and `required_linear_history` allow every append.
const REASONS: [(&str, &str); 3] = [
    ("update", "Cannot update this protected ref."),
    (
        "pull_request",
        "Changes must be made through a pull request.",
    ),
    (
        "required_status_checks",
        "3 of 3 required status checks are expected.",
    ),
];

/// Judges a commit that is about to become the head of a branch.
pub(super) fn append(world: &World, branch: &str, oid: Oid) -> Result<(), Error> {
    if world.settings.classically_protected.contains(branch) {
        let message = format!(
            "protected branch '{branch}' check failed:\n  Changes must be made through a pull \
             request."
        );
        return Err(refusal("BRANCH_PROTECTION_RULE_VIOLATION", message));
    }

    let rules = REASONS.iter();
    let violated = rules.filter(|(rule, _)| world.has_branch_rule(branch, rule));
    let mut reasons: Vec<&str> = violated.map(|(_, reason)| *reason).collect();
    if world.has_branch_rule(branch, "required_signatures") && !world.is_verified(oid) {
        reasons.push("Commits must have verified signatures.");
    }
    if reasons.is_empty() {
        return Ok(());
    }

    let message = format!(
        "Repository rule violations found\n\n{}\n\n",
        reasons.join("\n\n")
    );
    Err(refusal("FORBIDDEN", message))
}
