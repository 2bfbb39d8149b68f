//! The names of everything the simulator answers to, and which request means which.

use crate::permission::{Access, Need, Resource};

/// One operation of the API, as faults and the log name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variants are GitHub's own operation names")]
pub enum Endpoint {
    GetRepository,
    RateLimit,
    ListReleases,
    CreateRelease,
    GenerateNotes,
    GetLatestRelease,
    GetReleaseByTag,
    GetRelease,
    /// PATCH of a release without `draft: false`.
    UpdateRelease,
    /// PATCH of a release with `draft: false`.
    PublishRelease,
    DeleteRelease,
    ListAssets,
    GetAsset,
    DeleteAsset,
    UploadAsset,
    CreateTagObject,
    GetTagObject,
    CreateRef,
    UpdateRef,
    DeleteRef,
    GetRef,
    MatchingRefs,
    CreateTree,
    GetTree,
    CreateBlob,
    GetBlob,
    CreateCommit,
    GetCommit,
    GetContents,
    CreatePull,
    ListPulls,
    GetPull,
    UpdatePull,
    AddLabels,
    ListLabels,
    DeleteLabel,
    RequestReviewers,
    BranchRules,
    ListRulesets,
    GetRuleset,
    CreateRuleset,
    DeleteRuleset,
    ProtectBranch,
    UnprotectBranch,
    GetImmutableReleases,
    ListActivity,
    CommentOnCommit,
    GetCommitComment,
    DeleteCommitComment,
    GetRun,
    GetAttempt,
    ListApprovals,
    ListArtifacts,
    /// Redirects to where the artifact is stored.
    GetArtifact,
    /// The storage itself, behind the second port.
    DownloadArtifact,
    /// The storage of release assets, likewise.
    DownloadAsset,
    DispatchWorkflow,
    /// The GraphQL operation named `Preflight`.
    Preflight,
    /// The GraphQL operation named `Append`.
    Append,
    /// The GraphQL operation named `Resolve`.
    Resolve,
    /// The GraphQL operation named `Discover`.
    Discover,
    /// Any other GraphQL operation.
    GraphQl,
    /// No such route, or a body that was not read yet.
    Unknown,
}

impl Endpoint {
    /// Which REST operation the rest of a path below the repository means.
    pub(crate) fn of_rest(method: &str, rest: &[&str]) -> Self {
        match (method, rest) {
            ("GET", []) => Self::GetRepository,
            (_, ["releases", below @ ..]) => Self::of_releases(method, below),
            (_, ["git", below @ ..]) => Self::of_git(method, below),
            (_, ["actions", below @ ..]) => Self::of_actions(method, below),
            ("GET", ["contents", ..]) => Self::GetContents,
            ("POST", ["pulls"]) => Self::CreatePull,
            ("GET", ["pulls"]) => Self::ListPulls,
            ("GET", ["pulls", _]) => Self::GetPull,
            ("PATCH", ["pulls", _]) => Self::UpdatePull,
            ("POST", ["pulls", _, "requested_reviewers"]) => Self::RequestReviewers,
            ("POST", ["issues", _, "labels"]) => Self::AddLabels,
            ("GET", ["labels"]) => Self::ListLabels,
            ("DELETE", ["labels", _]) => Self::DeleteLabel,
            ("GET", ["activity"]) => Self::ListActivity,
            ("POST", ["commits", _, "comments"]) => Self::CommentOnCommit,
            ("GET", ["comments", _]) => Self::GetCommitComment,
            ("DELETE", ["comments", _]) => Self::DeleteCommitComment,
            ("GET", ["rules", "branches", _, ..]) => Self::BranchRules,
            ("GET", ["rulesets"]) => Self::ListRulesets,
            ("GET", ["rulesets", _]) => Self::GetRuleset,
            ("POST", ["rulesets"]) => Self::CreateRuleset,
            ("DELETE", ["rulesets", _]) => Self::DeleteRuleset,
            ("PUT", ["branches", _, "protection"]) => Self::ProtectBranch,
            ("DELETE", ["branches", _, "protection"]) => Self::UnprotectBranch,
            ("GET", ["immutable-releases"]) => Self::GetImmutableReleases,
            _ => Self::Unknown,
        }
    }

    fn of_releases(method: &str, below: &[&str]) -> Self {
        match (method, below) {
            ("GET", []) => Self::ListReleases,
            ("POST", []) => Self::CreateRelease,
            ("POST", ["generate-notes"]) => Self::GenerateNotes,
            ("GET", ["latest"]) => Self::GetLatestRelease,
            ("GET", ["tags", _, ..]) => Self::GetReleaseByTag,
            ("GET", ["assets", _]) => Self::GetAsset,
            ("DELETE", ["assets", _]) => Self::DeleteAsset,
            ("GET", [_, "assets"]) => Self::ListAssets,
            ("GET", [_]) => Self::GetRelease,
            ("PATCH", [_]) => Self::UpdateRelease,
            ("DELETE", [_]) => Self::DeleteRelease,
            _ => Self::Unknown,
        }
    }

    fn of_actions(method: &str, below: &[&str]) -> Self {
        match (method, below) {
            ("GET", ["runs", _]) => Self::GetRun,
            ("GET", ["runs", _, "attempts", _]) => Self::GetAttempt,
            ("GET", ["runs", _, "approvals"]) => Self::ListApprovals,
            ("GET", ["runs", _, "artifacts"]) => Self::ListArtifacts,
            ("GET", ["artifacts", _, "zip"]) => Self::GetArtifact,
            ("POST", ["workflows", _, "dispatches"]) => Self::DispatchWorkflow,
            _ => Self::Unknown,
        }
    }

    /// Reading a ref is singular (`git/ref`), writing one plural (`git/refs`).
    fn of_git(method: &str, below: &[&str]) -> Self {
        match (method, below) {
            ("POST", ["tags"]) => Self::CreateTagObject,
            ("GET", ["tags", _]) => Self::GetTagObject,
            ("POST", ["refs"]) => Self::CreateRef,
            ("PATCH", ["refs", _, ..]) => Self::UpdateRef,
            ("DELETE", ["refs", _, ..]) => Self::DeleteRef,
            ("GET", ["ref", _, ..]) => Self::GetRef,
            ("GET", ["matching-refs", _, ..]) => Self::MatchingRefs,
            ("POST", ["trees"]) => Self::CreateTree,
            ("GET", ["trees", _]) => Self::GetTree,
            ("POST", ["blobs"]) => Self::CreateBlob,
            ("GET", ["blobs", _]) => Self::GetBlob,
            ("POST", ["commits"]) => Self::CreateCommit,
            ("GET", ["commits", _]) => Self::GetCommit,
            _ => Self::Unknown,
        }
    }

    /// Which endpoint a GraphQL operation is, by its name.
    pub(crate) fn of_operation(name: Option<&str>) -> Self {
        match name {
            Some("Preflight") => Self::Preflight,
            Some("Append") => Self::Append,
            Some("Resolve") => Self::Resolve,
            Some("Discover") => Self::Discover,
            _ => Self::GraphQl,
        }
    }

    /// The permission that a REST operation asks for.
    pub(crate) fn need(self) -> Need {
        use Access::{Read, Write};
        use Resource::{Actions, Administration, Contents, Issues, Metadata, PullRequests};
        match self {
            Self::CreateRelease
            | Self::GenerateNotes
            | Self::UpdateRelease
            | Self::PublishRelease
            | Self::DeleteRelease
            | Self::DeleteAsset
            | Self::UploadAsset
            | Self::CreateTagObject
            | Self::CreateRef
            | Self::UpdateRef
            | Self::DeleteRef
            | Self::CreateTree
            | Self::CreateBlob
            | Self::CreateCommit
            | Self::CommentOnCommit
            | Self::DeleteCommitComment => Need(Contents, Write),
            Self::ListPulls | Self::GetPull | Self::ListLabels => Need(PullRequests, Read),
            Self::CreatePull | Self::UpdatePull | Self::RequestReviewers => {
                Need(PullRequests, Write)
            }
            Self::AddLabels | Self::DeleteLabel => Need(Issues, Write),
            Self::GetRun
            | Self::GetAttempt
            | Self::ListApprovals
            | Self::ListArtifacts
            | Self::GetArtifact => Need(Actions, Read),
            Self::DispatchWorkflow => Need(Actions, Write),
            Self::GetImmutableReleases => Need(Administration, Read),
            Self::CreateRuleset
            | Self::DeleteRuleset
            | Self::ProtectBranch
            | Self::UnprotectBranch => Need(Administration, Write),
            Self::GetRepository
            | Self::BranchRules
            | Self::ListRulesets
            | Self::GetRuleset
            | Self::RateLimit
            | Self::Unknown => Need(Metadata, Read),
            _ => Need(Contents, Read),
        }
    }

    /// The value of `x-accepted-github-permissions`: `;` separates alternatives, `,` their parts.
    pub(crate) fn accepted(self) -> String {
        let alternatives = match self {
            Self::CreateRef | Self::UpdateRef | Self::CreateRelease => {
                "contents=write; contents=write,workflows=write"
            }
            Self::GetPull => "pull_requests=read; contents=read",
            Self::RateLimit => "allows_permissionless_access=true",
            _ => return self.need().header(),
        };
        alternatives.to_owned()
    }

    /// Whether it works on the git database, which an empty repository does not have.
    pub(crate) fn is_git_data(self) -> bool {
        matches!(
            self,
            Self::CreateTagObject
                | Self::GetTagObject
                | Self::CreateRef
                | Self::UpdateRef
                | Self::DeleteRef
                | Self::GetRef
                | Self::MatchingRefs
                | Self::CreateTree
                | Self::GetTree
                | Self::CreateBlob
                | Self::GetBlob
                | Self::CreateCommit
                | Self::GetCommit
        )
    }

    /// Whether it is the storage, which is another host with different headers.
    pub(crate) fn is_storage(self) -> bool {
        matches!(self, Self::DownloadArtifact | Self::DownloadAsset)
    }

    /// Where GitHub's own documentation describes it; every error body names such a page.
    pub(crate) fn documentation(self) -> &'static str {
        match self {
            Self::ListReleases
            | Self::CreateRelease
            | Self::GenerateNotes
            | Self::GetLatestRelease
            | Self::GetReleaseByTag
            | Self::GetRelease
            | Self::UpdateRelease
            | Self::PublishRelease
            | Self::DeleteRelease => "https://docs.github.com/rest/releases/releases",
            Self::ListAssets | Self::GetAsset | Self::DeleteAsset | Self::UploadAsset => {
                "https://docs.github.com/rest/releases/assets"
            }
            Self::CreateTagObject | Self::GetTagObject => "https://docs.github.com/rest/git/tags",
            Self::CreateRef
            | Self::UpdateRef
            | Self::DeleteRef
            | Self::GetRef
            | Self::MatchingRefs => "https://docs.github.com/rest/git/refs",
            Self::CreateTree | Self::GetTree => "https://docs.github.com/rest/git/trees",
            Self::CreateCommit | Self::GetCommit => "https://docs.github.com/rest/git/commits",
            Self::CreatePull | Self::ListPulls | Self::GetPull | Self::UpdatePull => {
                "https://docs.github.com/rest/pulls/pulls"
            }
            Self::BranchRules
            | Self::ListRulesets
            | Self::GetRuleset
            | Self::CreateRuleset
            | Self::DeleteRuleset => "https://docs.github.com/rest/repos/rules",
            Self::ProtectBranch | Self::UnprotectBranch => {
                "https://docs.github.com/rest/branches/branch-protection"
            }
            Self::AddLabels => "https://docs.github.com/rest/issues/labels",
            Self::RequestReviewers => "https://docs.github.com/rest/pulls/review-requests",
            Self::GetRun | Self::GetAttempt | Self::ListApprovals => {
                "https://docs.github.com/rest/actions/workflow-runs"
            }
            Self::ListArtifacts | Self::GetArtifact => {
                "https://docs.github.com/rest/actions/artifacts"
            }
            Self::DispatchWorkflow => "https://docs.github.com/rest/actions/workflows",
            Self::Preflight | Self::Append | Self::Resolve | Self::Discover | Self::GraphQl => {
                "https://docs.github.com/graphql"
            }
            _ => "https://docs.github.com/rest",
        }
    }
}
