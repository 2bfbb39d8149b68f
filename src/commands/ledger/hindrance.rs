//! What keeps a new ledger from working, and what to do about it.

use countersign_core::ledger::{BRANCH, Rejection};

use crate::github::{BranchRules, Step, Trouble};

/// For a server that does not sign the commits that it makes itself.
pub(super) const SIGNS_NOTHING: &str = "This server does not sign the ledger's commits, so its \
    branch cannot require signatures. To change that, have a site administrator turn on web \
    commit signing.";

/// The branch was not created.
pub(super) fn of_creation(trouble: &Trouble, rules: &BranchRules, in_job: bool) -> String {
    let hindering = rules.hindering(Step::Create);
    let mut text =
        format!("GitHub did not create the branch `{BRANCH}`, so there is no ledger: {trouble}.");
    if hindering.is_empty() {
        text += " No ruleset is known to forbid it. Use a token with `contents: write`, and \
                 check under Settings, Branches, whether the branch is protected.";
        return text;
    }

    text += &rules_apply(&hindering);
    if !in_job && hindering.iter().any(|rule| rule.is("required_signatures")) {
        text += " GitHub signs the first commit for a job but not for a person: run this \
                 in a job with `contents: write` (examples/workflows/init.yml).";
    }
    if in_job || hindering.iter().any(|rule| !rule.is("required_signatures")) {
        text += EXCLUDE;
    }
    text
}

/// The branch exists, but the trial append was refused.
pub(super) fn of_append(rejection: &Rejection, rules: &BranchRules) -> String {
    let hindering = rules.hindering(Step::Append);
    let mut text = format!(
        "the branch `{BRANCH}` exists, but GitHub refused to append to it, so nothing can be \
         published yet: {rejection}."
    );
    if hindering.is_empty() {
        text += " ";
        text += rejection.remedy;
        text += " If the branch is protected under Settings, Branches, exclude it there. Then run \
                 this again.";
    } else {
        text += &rules_apply(&hindering);
        text += EXCLUDE;
    }
    text
}

/// The ruleset was refused, and the branch is not protected by any other.
pub(super) fn of_ruleset(trouble: &Trouble) -> String {
    format!(
        "the branch `{BRANCH}` exists, but is not protected: {trouble}. If a ruleset \
         \"Receipt ledger\" exists, it does not protect this branch now: delete it under Settings, \
         Rules, and run this again"
    )
}

/// The plan has no rulesets.
pub(super) fn no_rulesets(message: &str) -> String {
    format!(
        "the branch `{BRANCH}` exists, but it cannot be protected: this repository has no \
         rulesets (GitHub says: {message}). Anyone who may write to it can delete or rewrite the \
         branch; a clone that is updated every week shows that (docs/security.md)"
    )
}

const EXCLUDE: &str = " Have an administrator exclude `refs/heads/receipt-ledger` from those \
    rulesets, because a job's token cannot be allowed to bypass them; then run this again.";

fn rules_apply(rules: &[&crate::github::BranchRule]) -> String {
    let shown: Vec<String> = rules.iter().map(ToString::to_string).collect();
    format!(" These rules apply to it: {}.", shown.join(", "))
}
