//! The table of probes: what each needs, makes, expects and settles.

use futures_util::future::LocalBoxFuture;

use super::{finding::Probing, probes, stage::Stage};

/// One question to the real service.
pub(super) struct Probe {
    pub(super) id: &'static str,
    pub(super) needs: &'static [Need],
    /// Content writes that it makes at most, those of its preparation included.
    pub(super) writes: usize,
    /// What the product relies on.
    pub(super) expected: &'static str,
    /// What it means for the user if the server does something else.
    pub(super) meaning: &'static str,
    /// What not to use then.
    pub(super) affects: Feature,
    pub(super) way: Way,
}

/// What a user does without while a difference is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    /// Countersign as a whole.
    Everything,
    Releases,
    Files,
    Tags,
    PullRequests,
    Approvals,
    FetchedPlans,
    Dispatch,
    Notes,
    Protection,
    Audit,
    /// Nothing: it costs time, or only a message is worse.
    Nothing,
}

impl Feature {
    /// As the advice names it.
    pub(super) const fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::Everything => "Countersign",
            Self::Releases => "`publish_release`",
            Self::Files => "files in `publish_release`",
            Self::Tags => "`tag_repo`",
            Self::PullRequests => "`open_pr`",
            Self::Approvals => "`receipt-from: approvals`",
            Self::FetchedPlans => "`authorize --run`",
            Self::Dispatch => "`authorize --dispatch`",
            Self::Notes => "`generate-release-notes`",
            Self::Protection => "`ledger init --protect`",
            Self::Audit => "`audit`",
            Self::Nothing => return None,
        })
    }
}

/// How a probe is carried out.
pub(super) enum Way {
    Asks(for<'a> fn(&'a Stage<'_>) -> LocalBoxFuture<'a, Probing>),
    /// What a person does, in one or two sentences.
    ByHand(&'static str),
}

/// What a probe cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A repository that only its members see.
    Private,
    /// A token of an administrator.
    Admin,
    /// A job of GitHub Actions in that repository.
    Job,
    /// A collaborator whose review can be asked for.
    Reviewer,
    /// A repository without a commit.
    Empty,
    /// A person.
    ByHand,
    /// More writes than others tolerate.
    Heavy,
}

impl Need {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Admin => "admin",
            Self::Job => "job",
            Self::Reviewer => "reviewer",
            Self::Empty => "empty",
            Self::ByHand => "by hand",
            Self::Heavy => "heavy",
        }
    }

    /// What is missing, and where it comes from.
    pub(super) const fn missing(self) -> &'static str {
        match self {
            Self::Private => "private: a repository that only its members see",
            Self::Admin => "admin: a token of an administrator",
            Self::Job => "job: a run of examples/workflows/rehearse.yml",
            Self::Reviewer => "reviewer: --reviewer with the login of another collaborator",
            Self::Empty => "empty: an empty repository",
            Self::ByHand => "by hand",
            Self::Heavy => "heavy: --heavy",
        }
    }
}

/// Every probe, in the order in which they run: the whole operations first, while nothing else is there.
pub(super) fn table() -> impl Iterator<Item = &'static Probe> {
    [
        probes::WHOLE,
        probes::READING,
        probes::LEDGER,
        probes::LAG,
        probes::RELEASES,
        probes::ASSETS,
        probes::TAGS,
        probes::PULLS,
        probes::RULES,
        probes::ACTIONS,
        probes::SERVICE,
        probes::BY_HAND,
        probes::HEAVY,
    ]
    .into_iter()
    .flatten()
}
