//! The rules of the ledger's branch: which are active, who set them, and which can block a step.

use std::fmt;

use serde::Deserialize;

use countersign_core::{ledger::BRANCH, name::Repository, text::excerpt};

use super::{GitHub, Trouble};

/// A rule that is active on the branch.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct BranchRule {
    pub(crate) r#type: String,
    /// `Repository`, `Organization` or `Enterprise`.
    #[serde(default)]
    ruleset_source_type: Option<String>,
    #[serde(default)]
    ruleset_source: Option<String>,
    #[serde(default)]
    ruleset_id: Option<u64>,
}

/// What is known of the branch's rules.
pub(crate) enum BranchRules {
    /// These are active; a branch that does not exist yet has them too.
    Active(Vec<BranchRule>),
    /// The repository has no rulesets, for this reason in GitHub's words: a private repository of
    /// a free plan.
    NotInPlan(String),
    /// The server does not show them.
    Unknown,
}

/// What is done to the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is created at an unsigned commit, or at one that GitHub signed for a job.
    Create,
    /// A commit is appended.
    Append,
}

impl BranchRules {
    /// Whether no one can delete or rewrite the branch.
    pub(crate) fn protect(&self) -> bool {
        let Self::Active(rules) = self else {
            return false;
        };
        ["deletion", "non_fast_forward"]
            .into_iter()
            .all(|needed| rules.iter().any(|rule| rule.r#type == needed))
    }

    /// The rules that may block a step.
    pub(crate) fn hindering(&self, step: Step) -> Vec<&BranchRule> {
        match self {
            Self::Active(rules) => rules.iter().filter(|rule| rule.hinders(step)).collect(),
            Self::NotInPlan(_) | Self::Unknown => Vec::new(),
        }
    }
}

impl BranchRule {
    /// A rule that this version does not know is assumed to block: leaving it out could hide the
    /// cause of a refusal.
    fn hinders(&self, step: Step) -> bool {
        match (self.r#type.as_str(), step) {
            ("deletion" | "non_fast_forward" | "required_linear_history", _) => false,
            ("creation", step) => step == Step::Create,
            ("update" | "pull_request", step) => step == Step::Append,
            _ => true,
        }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.r#type == name
    }
}

impl fmt::Display for BranchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", excerpt(&self.r#type, 60))?;
        let Some(source) = &self.ruleset_source else {
            return Ok(());
        };
        let kind = match self.ruleset_source_type.as_deref() {
            Some("Organization") => "the organization",
            Some("Enterprise") => "the enterprise",
            _ => "the repository",
        };
        let number = self
            .ruleset_id
            .map_or(String::new(), |id| format!("ruleset {id} of "));
        write!(f, " ({number}{kind} {})", excerpt(source, 100))
    }
}

impl GitHub {
    /// The rules that are active on the ledger's branch. Every token may read them.
    pub(crate) async fn branch_rules(
        &self,
        repository: &Repository,
    ) -> Result<BranchRules, Trouble> {
        let path = format!("/repos/{repository}/rules/branches/{BRANCH}?per_page=100");
        match self.read::<Vec<BranchRule>>(&path).await {
            Ok(rules) => Ok(BranchRules::Active(rules)),
            Err(Trouble::NotFound { .. }) => Ok(BranchRules::Unknown),
            Err(Trouble::PaidPlan { message }) => Ok(BranchRules::NotInPlan(message)),
            Err(trouble) => Err(trouble),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(types: &[&str]) -> BranchRules {
        let rule = |name: &&str| BranchRule {
            r#type: (*name).into(),
            ruleset_source_type: Some("Organization".into()),
            ruleset_source: Some("octo".into()),
            ruleset_id: Some(12),
        };
        BranchRules::Active(types.iter().map(rule).collect())
    }

    #[test]
    fn only_rules_that_can_block_a_step_are_named_for_it() {
        let all = rules(&[
            "deletion",
            "creation",
            "update",
            "required_signatures",
            "pull_request",
            "a_rule_of_tomorrow",
        ]);
        let named = |step| -> Vec<&str> {
            let found = all.hindering(step);
            found.iter().map(|rule| rule.r#type.as_str()).collect()
        };
        assert_eq!(
            named(Step::Create),
            ["creation", "required_signatures", "a_rule_of_tomorrow"]
        );
        assert_eq!(
            named(Step::Append),
            [
                "update",
                "required_signatures",
                "pull_request",
                "a_rule_of_tomorrow"
            ]
        );
    }

    #[test]
    fn a_branch_is_protected_if_it_can_be_neither_deleted_nor_rewritten() {
        assert!(rules(&["deletion", "non_fast_forward"]).protect());
        assert!(!rules(&["deletion", "update"]).protect());
        assert!(!BranchRules::Unknown.protect());
    }

    #[test]
    fn a_rule_is_shown_with_its_ruleset_and_who_set_it() {
        let BranchRules::Active(rules) = rules(&["pull_request"]) else {
            panic!();
        };
        assert_eq!(
            rules[0].to_string(),
            "`pull_request` (ruleset 12 of the organization octo)"
        );
    }
}
