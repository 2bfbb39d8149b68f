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
    pub(super) way: Way,
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
