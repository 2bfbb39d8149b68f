//! Refusals of inputs: what the workflow asks for cannot be read as one operation.

use alloc::string::String;

use crate::{
    json::Malformed,
    keys::{InvalidKeys, InvalidThreshold},
    name::{CommitId, InvalidName},
    operation::{NotLatest, TooLong},
};

/// The inputs do not describe an operation that can be approved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputRefusal {
    /// The inputs as a whole cannot be read.
    #[error("the inputs cannot be read: {0}")]
    Unreadable(String),
    /// There is no such input.
    #[error("there is no input `{0}`")]
    Unknown(String),
    /// An input that this operation needs is empty.
    #[error("the input `{input}` is empty, but {needed_by} needs it")]
    Missing {
        /// The input.
        input: &'static str,
        /// What needs it.
        needed_by: String,
    },
    /// An input has no meaning here.
    #[error("the input `{input}` has no meaning for {here}")]
    Unused {
        /// The input.
        input: &'static str,
        /// Where it was given.
        here: String,
    },
    /// An input does not spell what it should.
    #[error("input `{input}`: {problem}")]
    Invalid {
        /// The input.
        input: &'static str,
        /// Both sides.
        problem: String,
    },
    /// The operation is none that exists.
    #[error("input `operation`: {0}")]
    OperationUnknown(InvalidName),
    /// A branch or tag name stands where a full commit id must.
    #[error(
        "input `{input}` is `{found}`; in mode `prod` it must be a full commit id of 40 (or 64) hexadecimal digits"
    )]
    CommitRequired {
        /// The input.
        input: &'static str,
        /// What was given, made visible.
        found: String,
    },
    /// A name that leads to no commit.
    #[error("input `{input}`: the repository has no commit `{name}`")]
    CommitUnknown {
        /// The input.
        input: &'static str,
        /// What was looked for, made visible.
        name: String,
    },
    /// A name that a branch and a tag share.
    #[error(
        "input `{input}`: `{name}` is a branch at {} and a tag at {}",
        place(.branch.as_ref()), place(.tag.as_ref())
    )]
    RefAmbiguous {
        /// The input.
        input: &'static str,
        /// What was looked for, made visible.
        name: String,
        /// Where the branch is, if it leads to a commit.
        branch: Option<CommitId>,
        /// Where the tag leads, if to a commit.
        tag: Option<CommitId>,
    },
    /// A file does not exist.
    #[error("input `{input}`: there is no file `{path}`")]
    FileMissing {
        /// The input.
        input: &'static str,
        /// The path as given, made visible.
        path: String,
    },
    /// A file cannot be used.
    #[error("input `{input}`: the file `{path}` cannot be used: {problem}")]
    FileUnusable {
        /// The input.
        input: &'static str,
        /// The path as given, made visible.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern matches no file.
    #[error("input `files`: `{pattern}` {problem}")]
    PatternUnmatched {
        /// The pattern, made visible.
        pattern: String,
        /// What became of it.
        problem: &'static str,
    },
    /// GitHub would store a file under another name.
    #[error("input `files`: GitHub would rename the asset: {0}")]
    AssetName(InvalidName),
    /// Two files would be one asset.
    #[error("input `files`: {0}")]
    AssetTwice(String),
    /// A file has the name of the evidence.
    #[error("input `files`: {0}")]
    AssetReserved(String),
    /// A file is over or under GitHub's limits.
    #[error("input `files`: {0}")]
    AssetLimit(String),
    /// A text is longer than GitHub takes.
    #[error("{0}")]
    BodyTooLong(TooLong),
    /// A draft or prerelease was to be the latest.
    #[error("input `make-latest`: {0}")]
    NotLatest(NotLatest),
    /// The trusted keys cannot be read.
    #[error("input `trusted-keys`, {0}")]
    TrustedKeys(InvalidKeys),
    /// The threshold cannot be met, or would ask for nothing.
    #[error("input `threshold`: {0}")]
    Threshold(InvalidThreshold),
    /// The trust file does not count.
    #[error("input `trust-file`: {0}")]
    TrustFile(String),
    /// The policy cannot be read.
    #[error("input `policy-file`: {0}")]
    PolicyFile(String),
    /// The campaign cannot be read.
    #[error("input `campaign`: {0}")]
    Campaign(String),
    /// The plan is not what a dry run wrote.
    #[error("input `plan`: {0}")]
    Plan(Malformed),
    /// There is no token.
    #[error("the input `token` is empty")]
    TokenMissing,
    /// A variable that GitHub's runner always sets is not there.
    #[error("the variable `{variable}` {problem}")]
    Context {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn place(commit: Option<&CommitId>) -> &str {
    commit.map_or("no commit", CommitId::as_str)
}

impl InputRefusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "input_unreadable",
            Self::Unknown(_) => "input_unknown",
            Self::Missing { .. } => "input_missing",
            Self::Unused { .. } => "input_unused",
            Self::Invalid { .. } => "input_invalid",
            Self::OperationUnknown(_) => "operation_unknown",
            Self::CommitRequired { .. } => "commit_required",
            Self::CommitUnknown { .. } => "commit_unknown",
            Self::RefAmbiguous { .. } => "ref_ambiguous",
            Self::FileMissing { .. } => "file_missing",
            Self::FileUnusable { .. } => "file_unusable",
            Self::PatternUnmatched { .. } => "pattern_unmatched",
            Self::AssetName(_) => "asset_name",
            Self::AssetTwice(_) => "asset_twice",
            Self::AssetReserved(_) => "asset_reserved",
            Self::AssetLimit(_) => "asset_limit",
            Self::BodyTooLong(_) => "body_too_long",
            Self::NotLatest(_) => "not_latest",
            Self::TrustedKeys(_) => "trusted_keys_invalid",
            Self::Threshold(_) => "threshold_invalid",
            Self::TrustFile(_) => "trust_invalid",
            Self::PolicyFile(_) => "policy_invalid",
            Self::Campaign(_) => "campaign_invalid",
            Self::Plan(_) => "plan_invalid",
            Self::TokenMissing => "token_missing",
            Self::Context { .. } => "context_missing",
        }
    }

    /// The input that is wrong, if it is one.
    #[must_use]
    pub const fn input(&self) -> Option<&'static str> {
        match self {
            Self::Missing { input, .. }
            | Self::Unused { input, .. }
            | Self::Invalid { input, .. }
            | Self::CommitRequired { input, .. }
            | Self::CommitUnknown { input, .. }
            | Self::RefAmbiguous { input, .. }
            | Self::FileMissing { input, .. }
            | Self::FileUnusable { input, .. } => Some(input),
            Self::PatternUnmatched { .. }
            | Self::AssetName(_)
            | Self::AssetTwice(_)
            | Self::AssetReserved(_)
            | Self::AssetLimit(_) => Some("files"),
            Self::BodyTooLong(_) => Some("body"),
            Self::NotLatest(_) => Some("make-latest"),
            _ => None,
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => {
                "Call Countersign through its action.yml, which hands all inputs over in one variable."
            }
            Self::Unknown(_) => "Check the spelling against the list of inputs in the README.",
            Self::Missing { .. } => "Give the input under `with:` in the workflow.",
            Self::Unused { .. } => {
                "Remove the input, or check that `operation` is the one that you mean: nothing that you ask for is silently left out."
            }
            Self::Invalid { .. } => "Correct the input under `with:` in the workflow.",
            Self::OperationUnknown(_) => "Set `operation` to one of these three names.",
            Self::CommitRequired { .. } => {
                "A branch can move after the approval. Use the commit id that the dry run wrote into plan.json, or hand over `plan`."
            }
            Self::CommitUnknown { .. } => {
                "Push the branch or commit to the repository, or correct its name. A commit id must be written out in full."
            }
            Self::RefAmbiguous { .. } => {
                "Write `refs/heads/NAME` for the branch or `refs/tags/NAME` for the tag, or give the full commit id."
            }
            Self::FileMissing { .. } => {
                "Check the path (relative to the workspace) and that the step that makes the file ran in this job."
            }
            Self::FileUnusable { .. } => {
                "Hand over readable, regular files; links, folders, pipes and devices are refused."
            }
            Self::PatternUnmatched { .. } => {
                "Check the pattern (relative to the workspace) and that the step that makes the files ran in this job."
            }
            Self::AssetName(_) => {
                "Rename the file before it is published, so that the asset has the name that was approved."
            }
            Self::AssetTwice(_) => {
                "Assets have no folders: give the files different names, or list only one of them."
            }
            Self::AssetReserved(_) => {
                "Give the file another name; `attach-receipt: true` attaches the receipt, and only that may be called so."
            }
            Self::AssetLimit(_) => {
                "Leave the file out, fill it, or split it; bundle files when there are too many."
            }
            Self::BodyTooLong(_) => {
                "Shorten the text; otherwise it would be refused after the receipt was spent."
            }
            Self::NotLatest(_) => "Set `make-latest` to `false`, or publish a full release.",
            Self::TrustedKeys(_) => {
                "Give one key a line, `ssh-ed25519 AAAA… name`, as `countersign keys generate` prints it, or a PEM block."
            }
            Self::Threshold(_) => "Set `threshold` to how many different approvers must sign.",
            Self::TrustFile(_) => {
                "Use the trust file as `countersign trust` wrote it, with every signature, and the root that it prints (docs/trust.md)."
            }
            Self::PolicyFile(_) => {
                "Correct the policy; `countersign policy check` reads it as this does. Nothing takes its place."
            }
            Self::Campaign(_) => "Correct the campaign file at that place (docs/campaign.md).",
            Self::Plan(_) => {
                "Use plan.json exactly as the dry run wrote it; make a new plan if it must change."
            }
            Self::TokenMissing => {
                "Leave `token` at its default, the job's token, or give one that may write contents (and pull requests, for `open_pr`)."
            }
            Self::Context { .. } => {
                "Run this command in a GitHub Actions job, where the runner sets the variable; outside, set it by hand."
            }
        }
    }
}
