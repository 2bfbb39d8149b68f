//! The rules of a branch, as far as their types.

use async_graphql::{Enum, Object, resolver_utils::EnumType as _};

/// A part of a branch's rules.
pub(super) struct RepositoryRuleConnection(Vec<RepositoryRule>);

impl RepositoryRuleConnection {
    /// Rules by their type, as REST writes it; a type that is not known here is left out.
    pub(super) fn of<'a>(kinds: impl Iterator<Item = &'a str>) -> Self {
        Self(kinds.filter_map(RepositoryRule::of).collect())
    }
}

#[Object]
impl RepositoryRuleConnection {
    async fn nodes(&self) -> Option<Vec<Option<&RepositoryRule>>> {
        Some(self.0.iter().map(Some).collect())
    }
}

/// One rule.
struct RepositoryRule(RepositoryRuleType);

impl RepositoryRule {
    /// REST writes the same words in lower case.
    fn of(rule: &str) -> Option<Self> {
        let name = rule.to_uppercase();
        let mut known = RepositoryRuleType::items().iter();
        known
            .find(|item| item.name == name)
            .map(|item| Self(item.value))
    }
}

#[Object]
impl RepositoryRule {
    #[graphql(name = "type")]
    async fn kind(&self) -> RepositoryRuleType {
        self.0
    }
}

/// The rule types of branches and tags.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum RepositoryRuleType {
    Creation,
    Update,
    Deletion,
    NonFastForward,
    RequiredLinearHistory,
    RequiredSignatures,
    PullRequest,
    RequiredStatusChecks,
    RequiredDeployments,
    MergeQueue,
    Workflows,
    CodeScanning,
    CommitMessagePattern,
    CommitAuthorEmailPattern,
    CommitterEmailPattern,
    BranchNamePattern,
    TagNamePattern,
    FilePathRestriction,
    MaxFilePathLength,
    FileExtensionRestriction,
    MaxFileSize,
}
