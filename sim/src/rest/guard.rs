//! Changes of a ref that rules, classic protection and immutable releases forbid.

use git2::Oid;
use serde_json::Value;

use crate::answer::Answer;
use crate::world::World;

/// How POST git/refs refuses for any rule: the record shows no other text.
const FAILED: &str = "Reference update failed";

/// A ref that does not exist yet. Commits that another branch already has are not judged again.
pub(crate) fn creation(world: &World, name: &str, oid: Oid) -> Result<(), Answer> {
    let Some(branch) = name.strip_prefix("refs/heads/") else {
        return Ok(());
    };
    let refused = is_classically_protected(world, name)
        || world.has_branch_rule(branch, "creation")
        || world.branch_rules(branch).iter().any(checks_creation)
        || lacks_signatures(world, branch, oid, None);
    if refused {
        return Err(Answer::error(422, FAILED));
    }
    Ok(())
}

/// Required checks stop a creation too, unless the rule says otherwise.
fn checks_creation(rule: &Value) -> bool {
    rule["type"] == "required_status_checks"
        && rule["parameters"]["do_not_enforce_on_create"] != true
}

/// A ref that moves.
pub(crate) fn movement(world: &World, name: &str, old: Oid, new: Oid) -> Result<(), Answer> {
    if is_classically_protected(world, name) {
        let message = "Changes must be made through a pull request.";
        return Err(Answer::error(422, message));
    }
    if ruled(world, name, "update") {
        return Err(violation(422, &["Cannot update this protected ref."]));
    }
    let Some(branch) = name.strip_prefix("refs/heads/") else {
        return Ok(());
    };

    let mut reasons = Vec::new();
    if world.has_branch_rule(branch, "pull_request") {
        reasons.push("Changes must be made through a pull request.");
    }
    if world.has_branch_rule(branch, "required_status_checks") {
        reasons.push("3 of 3 required status checks are expected.");
    }
    // Missing signatures alone were seen as a conflict, the other violations as 422.
    let status = if reasons.is_empty() { 409 } else { 422 };
    if lacks_signatures(world, branch, new, Some(old)) {
        reasons.push("Commits must have verified signatures.");
    }
    if reasons.is_empty() {
        return Ok(());
    }
    Err(violation(status, &reasons))
}

/// A branch that moves back or aside.
pub(crate) fn rewriting(world: &World, name: &str) -> Result<(), Answer> {
    if ruled(world, name, "non_fast_forward") {
        return Err(violation(
            422,
            &["Cannot force-push to this protected ref."],
        ));
    }
    Ok(())
}

pub(crate) fn deletion(world: &World, name: &str) -> Result<(), Answer> {
    if is_classically_protected(world, name) {
        return Err(Answer::error(422, "Cannot delete a protected branch"));
    }
    if ruled(world, name, "deletion") {
        return Err(violation(422, &["Cannot delete this protected ref."]));
    }
    Ok(())
}

/// Whether a rule, a protected tag or an immutable release forbids this for the ref.
pub(crate) fn ruled(world: &World, name: &str, rule: &str) -> bool {
    if let Some(branch) = name.strip_prefix("refs/heads/") {
        return world.has_branch_rule(branch, rule);
    }
    name.strip_prefix("refs/tags/").is_some_and(|tag| {
        let patterns = &world.settings.protected_tags;
        let immutable = world
            .published(tag)
            .is_some_and(|release| release.immutable);
        immutable || patterns.iter().any(|pattern| fits_pattern(pattern, tag))
    })
}

/// Whether the pushed range has a commit without a verified signature, where the branch requires them.
/// The range of a new branch (no `old`) is what no other branch has.
pub(crate) fn lacks_signatures(world: &World, branch: &str, new: Oid, old: Option<Oid>) -> bool {
    if !world.has_branch_rule(branch, "required_signatures") {
        return false;
    }
    let pushed = world.git.range(new, old);
    pushed.iter().any(|commit| !world.is_verified(*commit))
}

fn is_classically_protected(world: &World, name: &str) -> bool {
    name.strip_prefix("refs/heads/")
        .is_some_and(|branch| world.settings.classically_protected.contains(branch))
}

fn violation(status: u16, reasons: &[&str]) -> Answer {
    let message = format!(
        "Repository rule violations found\n\n{}\n\n",
        reasons.join("\n\n")
    );
    Answer::error(status, message)
}

fn fits_pattern(pattern: &str, tag: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == tag,
        Some((start, end)) => {
            tag.len() >= start.len() + end.len() && tag.starts_with(start) && tag.ends_with(end)
        }
    }
}
