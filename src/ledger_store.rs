//! The ledger as it is kept on GitHub: looks by the preflight's query, appends by one
//! compare-and-swap commit.

use std::{cell::Cell, time::Duration};

use countersign_core::{
    ledger::{
        Append, Appended, Claim, Effect, GithubResponse, Lapse, LedgerStore, LedgerView, Tail,
    },
    name::{CommitId, TagName},
    operation::Operation,
    refusal::Refusal,
};

use crate::{
    github::{GitHub, Patience, PreflightQuery, Trouble, commit_of_tag},
    random,
    tempo::Moment,
};

/// How old a look may be.
const RECENT: Duration = Duration::from_secs(5);

/// A look: when it was, and how often something was waited for until then.
#[derive(Clone, Copy)]
struct Look {
    at: Moment,
    retries: u64,
}

impl Look {
    fn now(patience: &Patience) -> Self {
        Self {
            at: patience.now(),
            retries: patience.retries(),
        }
    }

    fn is_recent(self, now: Self) -> bool {
        self.retries == now.retries && self.at.is_within(RECENT, now.at)
    }
}

/// Why the fence holds a write back.
pub(crate) enum Fenced {
    /// The ledger could not be read.
    Unseen(Refusal),
    /// The claim allows it no longer.
    Lapsed(Lapse),
}

/// The ledger branch of the repository in which an operation happens.
pub struct LedgerBranch<'a> {
    github: &'a GitHub,
    operation: Operation,
    looked: Cell<Option<Look>>,
}

impl<'a> LedgerBranch<'a> {
    pub(crate) const fn new(github: &'a GitHub, operation: Operation) -> Self {
        Self {
            github,
            operation,
            looked: Cell::new(None),
        }
    }

    /// The fence before a write that becomes visible: whether the claim still allows it. A look that
    /// is a few seconds old is good enough if nothing was waited for since.
    pub(crate) async fn fence(&self, claim: &Claim) -> Result<(), Fenced> {
        let now = Look::now(self.github.patience());
        let is_recent = self
            .looked
            .get()
            .is_some_and(|looked| looked.is_recent(now));
        if is_recent {
            return Ok(());
        }
        self.look_at(claim).await
    }

    /// The same with a look in any case, for what cannot be undone.
    pub(crate) async fn look_at(&self, claim: &Claim) -> Result<(), Fenced> {
        let view = self.look(claim.tail()).await.map_err(Fenced::Unseen)?;
        let allowed = claim.still_allows(&view);
        if allowed.is_err() {
            // A look that found the claim lapsed opens nothing for the next five seconds.
            self.looked.set(None);
        }
        allowed.map_err(Fenced::Lapsed)
    }

    /// The obstacle in the answer that confirmed the claim: a tag at another commit, set since the
    /// preflight, or a head branch that was moved.
    pub(crate) fn obstacle(&self, claim: &Claim) -> Option<Effect> {
        let (found, approved) = (claim.watched()?, self.operation.commit());
        if found == approved {
            return None;
        }
        let watched = self.operation.watched_ref();
        let message = format!(
            "`{watched}` leads to {found} by now, but {approved} was approved; nothing was done. Find out who set it, then make a new plan and have it approved."
        );
        Some(Effect::Failed(GithubResponse {
            error_code: Some(self.mismatch().into()),
            error_message: Some(message),
            ..GithubResponse::default()
        }))
    }

    /// What contradicts a success: GitHub uses a tag that someone else has set since. `seen` is
    /// where the tag led by the answer that confirmed the outcome; one that does not show yet is
    /// looked for again.
    pub(crate) async fn contradiction(
        &self,
        effect: &Effect,
        seen: Option<CommitId>,
    ) -> Option<Effect> {
        let (Effect::Succeeded(held), Some(tag)) = (effect, self.tag_made()) else {
            return None;
        };
        let told = |message: String| GithubResponse {
            error_code: Some("tag_mismatch".into()),
            error_message: Some(message),
            ..held.clone()
        };

        let approved = self.operation.commit();
        let found = match seen {
            Some(seen) => Ok(Some(seen)),
            None => self.look_for(tag).await,
        };
        match found {
            Ok(Some(found)) if found == *approved => None,
            Ok(Some(found)) => Some(Effect::Failed(told(format!(
                "it was done, but the tag leads to {found} instead of {approved}: somebody set it meanwhile. Take it down and find out who."
            )))),
            Ok(None) => Some(Effect::Unknown(told(
                "it was done, but GitHub shows no tag after 30 s. Check the tag before anything else: the receipt is spent, and no attempt repeats this.".into(),
            ))),
            Err(trouble) => Some(Effect::Unknown(told(format!(
                "it was done, but GitHub shows no tag yet: {trouble}. Check the tag before anything else: the receipt is spent, and no attempt repeats this."
            )))),
        }
    }

    async fn look_for(&self, tag: &TagName) -> Result<Option<CommitId>, Trouble> {
        let repository = &self.operation.target().repository;
        let look = async || match commit_of_tag(self.github, repository, tag).await {
            // The ref shows, and its tag object does not yet.
            Err(Trouble::NotFound { .. }) => Ok(None),
            looked => looked,
        };
        let what = format!("the tag `{tag}`");
        self.github.patience().look_for(&what, look).await
    }

    /// The tag that the operation makes, if it makes one.
    const fn tag_made(&self) -> Option<&TagName> {
        match &self.operation {
            Operation::PublishRelease(release) if release.visibility.draft() => None,
            _ => self.tag_name(),
        }
    }

    /// The code of an operation whose ref leads elsewhere.
    pub(crate) const fn mismatch(&self) -> &'static str {
        match &self.operation {
            Operation::PublishRelease(_) | Operation::TagRepo(_) => "tag_mismatch",
            Operation::OpenPr(_) => "pull_mismatch",
        }
    }

    const fn tag_name(&self) -> Option<&TagName> {
        match &self.operation {
            Operation::PublishRelease(release) => Some(&release.tag_name),
            Operation::TagRepo(tag) => Some(&tag.tag_name),
            Operation::OpenPr(_) => None,
        }
    }
}

impl LedgerStore for LedgerBranch<'_> {
    async fn look(&self, known: &Tail) -> Result<LedgerView, Refusal> {
        let moment = Look::now(self.github.patience());
        let looked = self
            .github
            .look(&PreflightQuery::once_more(&self.operation), known)
            .await;
        self.looked.set(looked.is_ok().then_some(moment));
        looked
    }

    async fn pause(&self, round: usize) {
        // 25 to 50 ms at first, doubling up to 0.8 to 1.6 s.
        let most = 50 << round.min(5);
        self.github
            .patience()
            .stands_aside(most / 2 + random::below(most / 2))
            .await;
    }

    async fn append(&self, append: &Append) -> Appended {
        let repository = &self.operation.target().repository;
        let moment = Look::now(self.github.patience());
        let appended = self
            .github
            .append(repository, append, &self.operation.watched_ref())
            .await;
        if let Appended::Done { commit, .. } = &appended {
            self.github.remember(repository, append, commit);
            self.looked.set(Some(moment));
        }
        appended
    }
}
