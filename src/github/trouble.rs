//! What can go wrong between us and GitHub, by class: the class decides whether a write may have happened.

mod advice;
mod answer;

use countersign_core::{text::excerpt, timestamp::Timestamp};

use self::advice::{Barrier, Objection};
pub(super) use self::answer::{accepted_permissions, date, is_limit, number, one_line, pause};

/// Why a request brought no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The request never left: no connection.
    #[error("GitHub cannot be reached at {host}: {reason}")]
    Connection { host: String, reason: String },
    /// The request left, the answer did not come or broke off.
    #[error("GitHub did not answer: {reason}")]
    NoAnswer { reason: String },
    /// A server error.
    #[error("GitHub is unavailable: HTTP {status} {message}")]
    Unavailable {
        status: u16,
        message: String,
        wait: Option<u64>,
    },
    /// A primary or secondary rate limit.
    #[error("GitHub's rate limit is used up: {message}")]
    RateLimit { message: String, wait: Option<u64> },
    /// GitHub does not accept the token.
    #[error("GitHub does not accept the token: {message}")]
    InvalidToken { message: String },
    /// The token may not do this.
    #[error("the token may not do this: {}{message}{}", http(*.status), wanted(.permissions.as_deref()))]
    Authorization {
        status: u16,
        message: String,
        permissions: Option<String>,
    },
    /// GitHub offers this only on a plan that has to be paid for.
    #[error("GitHub does not offer this here: {message}")]
    PaidPlan { message: String },
    /// Nothing is there, or the token may not see it.
    #[error("GitHub found nothing {}: {message}{}", at(.asked.as_deref()), wanted(.permissions.as_deref()))]
    NotFound {
        /// The path that was asked for: it names the repository, and the run if it is about one.
        asked: Option<String>,
        message: String,
        permissions: Option<String>,
    },
    /// There is no such repository under this name, as far as the token may see.
    #[error(
        "GitHub shows no such repository: it does not exist, it was renamed or moved, or the token may not see it ({message})"
    )]
    NoRepository { message: String },
    /// GitHub sends us elsewhere. No redirect is followed: it could take the token along.
    #[error("GitHub answers with a redirect (HTTP {status}){}, which is not followed, because it could take the token with it", moved(.to.as_deref()))]
    Moved { status: u16, to: Option<String> },
    /// What was made a moment ago is not known everywhere at GitHub yet.
    #[error("GitHub does not know yet what was made a moment ago: HTTP {status} {message}")]
    NotYetKnown { status: u16, message: String },
    /// GitHub does not accept what was asked.
    #[error("GitHub refused the request: {}{message}", http(*.status))]
    Validation { status: u16, message: String },
    /// A ruleset or branch protection covers the ledger's branch.
    #[error("the rules of the branch `receipt-ledger` refuse the commit: {message}")]
    LedgerProtected { message: String },
    /// The server is older than what Countersign asks for.
    #[error("the server does not know what Countersign asks for: {message}")]
    OldServer { message: String },
    /// GitHub gave up on a query that costs too much; its answer may be cut anywhere.
    #[error("GitHub gave up on a costly query: {message}")]
    TooCostly { message: String },
    /// An answer that cannot be understood.
    #[error("GitHub's answer cannot be understood: {reason}")]
    Garbage { reason: String },
    /// An answer that is well-formed JSON, but not what this request is answered with: another try
    /// would bring the same.
    #[error("GitHub's answer to {asked} is not of the form that Countersign knows: {reason}")]
    Misfit { asked: String, reason: String },
    /// An answer that is larger than anything we ask for.
    #[error("GitHub's answer is larger than 16 MiB")]
    TooLarge,
    /// What passes, but not before the receipt has ended.
    #[error("{trouble}. The next try would come after the receipt's end at {end}")]
    ReceiptEndsFirst {
        trouble: Box<Trouble>,
        end: Timestamp,
    },
    /// The request would have taken the token to another host.
    #[error("the address {host} is not GitHub's; the token was not sent there")]
    ForeignHost { host: String },
}

/// The status as a part of a sentence; GraphQL refuses with 200, which explains nothing.
fn http(status: u16) -> String {
    if status == 200 {
        String::new()
    } else {
        format!("HTTP {status} ")
    }
}

fn at(asked: Option<&str>) -> String {
    asked.map_or("there".into(), |asked| format!("at {asked}"))
}

fn moved(to: Option<&str>) -> String {
    to.map_or(String::new(), |to| format!(" to {to}"))
}

fn wanted(permissions: Option<&str>) -> String {
    permissions.map_or(String::new(), |permissions| {
        format!(" (GitHub asks for the permission {permissions})")
    })
}

impl Trouble {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Connection { .. } => "github_unreachable",
            Self::NoAnswer { .. } => "github_no_answer",
            Self::Unavailable { .. } | Self::TooCostly { .. } => "github_unavailable",
            Self::RateLimit { .. } => "rate_limited",
            Self::InvalidToken { .. } => "token_invalid",
            Self::Authorization { .. } | Self::PaidPlan { .. } => "permission_denied",
            Self::NotFound { .. } | Self::NotYetKnown { .. } => "not_found",
            Self::NoRepository { .. } => "repository_unseen",
            Self::Validation { .. } | Self::Moved { .. } | Self::OldServer { .. } => {
                "github_rejected"
            }
            Self::LedgerProtected { .. } => "ledger_protected",
            Self::Garbage { .. } | Self::Misfit { .. } | Self::TooLarge => "github_garbage",
            Self::ReceiptEndsFirst { .. } => "receipt_ends_first",
            Self::ForeignHost { .. } => "foreign_host",
        }
    }

    /// What to do next.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Connection { .. }
            | Self::NoAnswer { .. }
            | Self::Unavailable { .. }
            | Self::NotYetKnown { .. }
            | Self::TooCostly { .. }
            | Self::Garbage { .. }
            | Self::TooLarge => {
                "Check https://www.githubstatus.com and the runner's network, then re-run the job: it looks first at what was done."
            }
            Self::RateLimit { .. } => {
                "Wait until the limit resets, then re-run the job: it looks first at what was done."
            }
            Self::Misfit { .. } => {
                "Use a newer version of Countersign, or report it with the server's version. A proxy on the way can be the cause too. A later attempt of the run looks first at what was done."
            }
            Self::InvalidToken { .. } => {
                "The token is invalid or has expired: hand over another one. A job's token expires with its job."
            }
            Self::Authorization {
                message,
                permissions,
                ..
            } => Barrier::of(message).remedy(permissions.as_deref()),
            Self::PaidPlan { .. } => {
                "In a private repository this needs a paid plan: upgrade, make the repository public, or do without."
            }
            Self::NotFound { .. } => Barrier::Permission.remedy(None),
            Self::NoRepository { .. } => {
                "Use the repository's current name, and a token that may read it."
            }
            Self::Moved { .. } => {
                "The repository was renamed or has another owner: use its new name. A plan for the old name must be made again. If it was neither, find out what changes GitHub's answers on the way."
            }
            Self::Validation { status, message } => Objection::of(*status, message).remedy(),
            Self::LedgerProtected { .. } => {
                "Exempt the branch `receipt-ledger` from the rule: exclude `refs/heads/receipt-ledger` in the ruleset, also in one of the organization. The job token cannot be made a bypass actor; a GitHub App whose token is handed over can."
            }
            Self::OldServer { .. } => {
                "GitHub Enterprise Server 3.17 is the oldest version that works: update the server."
            }
            Self::ReceiptEndsFirst { .. } => {
                "Approve again, and hand the new receipt to a re-run of the job: it looks first at what was done, and goes on. Without one, a re-run only records what was done."
            }
            Self::ForeignHost { .. } => {
                "Do not continue before you know who changed GitHub's address."
            }
        }
    }

    /// Whether a write that met this trouble may have happened all the same.
    pub(crate) const fn leaves_open(&self) -> bool {
        match self {
            Self::ReceiptEndsFirst { trouble, .. } => trouble.leaves_open(),
            _ => matches!(
                self,
                Self::NoAnswer { .. }
                    | Self::Unavailable { .. }
                    | Self::TooCostly { .. }
                    | Self::Garbage { .. }
                    | Self::Misfit { .. }
                    | Self::TooLarge
            ),
        }
    }

    /// Whether the same request may go well a little later.
    pub(crate) const fn passes(&self) -> bool {
        match self {
            Self::Connection { .. }
            | Self::NoAnswer { .. }
            | Self::Unavailable { .. }
            | Self::RateLimit { .. }
            | Self::NotYetKnown { .. }
            | Self::TooCostly { .. }
            | Self::ReceiptEndsFirst { .. }
            | Self::Garbage { .. } => true,
            Self::InvalidToken { .. }
            | Self::Authorization { .. }
            | Self::PaidPlan { .. }
            | Self::NotFound { .. }
            | Self::NoRepository { .. }
            | Self::Moved { .. }
            | Self::Validation { .. }
            | Self::LedgerProtected { .. }
            | Self::OldServer { .. }
            | Self::Misfit { .. }
            | Self::TooLarge
            | Self::ForeignHost { .. } => false,
        }
    }

    /// Whether this is about one repository or the token's access to it: another repository may be
    /// fine.
    pub(crate) const fn is_about_the_repository(&self) -> bool {
        matches!(
            self,
            Self::Authorization { .. }
                | Self::PaidPlan { .. }
                | Self::NotFound { .. }
                | Self::NoRepository { .. }
                | Self::Moved { .. }
                | Self::Validation { .. }
                | Self::LedgerProtected { .. }
        )
    }

    /// Whether GitHub may just not have caught up: what was made a moment ago can be missing on
    /// another of its servers for some seconds.
    pub(crate) fn may_be_lag(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Validation { message, .. } => message.starts_with("Object does not exist"),
            _ => false,
        }
    }

    /// The same trouble of a request that names something made a moment ago: it is transient.
    pub(crate) fn of_something_fresh(self) -> Self {
        match self {
            Self::NotFound { message, .. } => Self::NotYetKnown {
                status: 404,
                message,
            },
            Self::Validation { status, message }
                if message.starts_with("Object does not exist") =>
            {
                Self::NotYetKnown { status, message }
            }
            other => other,
        }
    }

    /// Whether GitHub refuses to make something because it already exists.
    pub(crate) fn says_it_exists(&self) -> bool {
        match self {
            Self::Validation { status, message } => {
                Objection::of(*status, message) == Objection::Exists
            }
            _ => false,
        }
    }

    /// The seconds that GitHub asks us to wait.
    pub(crate) const fn asks_to_wait(&self) -> Option<u64> {
        match self {
            Self::RateLimit { wait, .. } | Self::Unavailable { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether a token with more permissions might succeed where this one did not.
    pub(crate) fn may_lack_a_permission(&self) -> bool {
        match self {
            Self::Authorization { message, .. } => Barrier::of(message) == Barrier::Permission,
            Self::NotFound { .. } => true,
            _ => false,
        }
    }

    /// The permission that the token lacks, if nothing else keeps it out.
    pub(super) fn missing_permission(&self) -> Option<&str> {
        match self {
            Self::Authorization { permissions, .. } if self.may_lack_a_permission() => {
                permissions.as_deref()
            }
            _ => None,
        }
    }

    /// What people have to provide before GitHub does this, if it was refused for that: another
    /// token, a permission, a setting, a reviewer.
    pub(crate) fn lacks(&self) -> Option<String> {
        match self {
            Self::InvalidToken { .. } => Some(format!("a token that GitHub accepts: {self}")),
            Self::Authorization {
                message,
                permissions,
                ..
            } => match Barrier::of(message) {
                Barrier::Permission => Some(match permissions {
                    Some(permissions) => format!("the permission {permissions}: {message}"),
                    None => format!("a permission that the token lacks: {message}"),
                }),
                barrier => barrier
                    .setting()
                    .map(|setting| format!("{setting}: {message}")),
            },
            Self::Validation { status, message } => {
                let is_reviewer = Objection::of(*status, message) == Objection::Reviewer;
                is_reviewer.then(|| {
                    format!(
                        "reviewer: a collaborator who does not open the pull request: {message}"
                    )
                })
            }
            _ => None,
        }
    }

    /// The same trouble of a request for this path, which names what was not found.
    pub(super) fn asked_at(self, path: &str) -> Self {
        match self {
            Self::NotFound {
                asked: None,
                message,
                permissions,
            } => Self::NotFound {
                asked: Some(excerpt(path, 200)),
                message,
                permissions,
            },
            other => other,
        }
    }
}
