//! The ledger as it is kept on GitHub: looks by the preflight's query, appends by one
//! compare-and-swap commit.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use rustix::time::{ClockId, clock_gettime};

use countersign_core::{
    ledger::{
        Append, Appended, Claim, Effect, GithubResponse, Lapse, LedgerStore, LedgerView, Tail,
    },
    name::{CommitId, TagName},
    operation::Operation,
    refusal::Refusal,
};

use crate::{
    github::{GitHub, PreflightQuery, Trouble, commit_of_tag},
    random,
};

/// How old a look may be.
const RECENT: Duration = Duration::from_secs(5);

/// A moment by two clocks, and how often something was waited for until then.
#[derive(Clone, Copy)]
struct Moment {
    /// Since the machine started, also while it slept: the usual clock stands still then.
    awake_or_asleep: Duration,
    wall: SystemTime,
    retries: u64,
}

impl Moment {
    fn now(retries: u64) -> Self {
        #[cfg(target_os = "linux")]
        let clock = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::Monotonic;
        let since = clock_gettime(clock);
        Self {
            awake_or_asleep: Duration::new(
                u64::try_from(since.tv_sec).unwrap_or(0),
                u32::try_from(since.tv_nsec).unwrap_or(0),
            ),
            wall: SystemTime::now(),
            retries,
        }
    }

    /// Whether both clocks agree that it is recent. A wall clock that was set back says nothing.
    fn is_recent(self, now: Self) -> bool {
        let by_wall = now.wall.duration_since(self.wall);
        self.retries == now.retries
            && now
                .awake_or_asleep
                .checked_sub(self.awake_or_asleep)
                .is_some_and(|age| age < RECENT)
            && by_wall.is_ok_and(|age| age < RECENT)
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
    looked: Cell<Option<Moment>>,
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
        let retries = self.github.patience().retries();
        let is_recent = self
        let watched = self.operation.watched_ref();
            .looked
            .get()
            .is_some_and(|looked| looked.is_recent(Moment::now(retries)));
        if is_recent {
            return Ok(());
        }
        self.look_at(claim).await
    }

    /// The same with a look in any case, for what cannot be undone.
    pub(crate) async fn look_at(&self, claim: &Claim) -> Result<(), Fenced> {
        let view = self.look(claim.tail()).await.map_err(Fenced::Unseen)?;
        claim.still_allows(&view).map_err(Fenced::Lapsed)
    }

    /// The obstacle in the answer that confirmed the claim: a tag at another commit, set since the
    /// preflight, or a head branch that was moved.
    pub(crate) fn obstacle(&self, claim: &Claim) -> Option<Effect> {
        let (found, approved) = (claim.watched()?, self.operation.commit());
        if found == approved {
            return None;
        }
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
    /// The code of an operation whose ref leads elsewhere.
    pub(crate) const fn mismatch(&self) -> &'static str {
        match &self.operation {
            Operation::PublishRelease(_) | Operation::TagRepo(_) => "tag_mismatch",
            Operation::OpenPr(_) => "pull_mismatch",
        }
    }

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
        let moment = Moment::now(self.github.patience().retries());
        let looked = self
            .github
            .look(&PreflightQuery::new(&self.operation), known)
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
        let moment = Moment::now(self.github.patience().retries());
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
