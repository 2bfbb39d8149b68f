//! The ledger as it is kept on GitHub: looks by the preflight's query, appends by one
//! compare-and-swap commit.

use countersign_core::{
    ledger::{Append, Appended, Claim, Effect, GithubResponse, LedgerStore, LedgerView, Look},
    name::{CommitId, TagName},
    operation::Operation,
    refusal::Refusal,
};

use crate::{
    github::{GitHub, PreflightQuery, Trouble, commit_of_tag},
    random,
};

/// The ledger branch of the repository in which an operation happens.
pub(crate) struct LedgerBranch<'a> {
    github: &'a GitHub,
    operation: Operation,
}

impl<'a> LedgerBranch<'a> {
    pub(crate) const fn new(github: &'a GitHub, operation: Operation) -> Self {
        Self { github, operation }
    }

    /// The obstacle in the answer that confirmed the claim: a tag at another commit, set since the
    /// preflight.
    pub(crate) fn obstacle(&self, claim: &Claim) -> Option<Effect> {
        let (tag, found, approved) = (self.tag_name()?, claim.tag()?, self.operation.commit());
        if found == approved {
            return None;
        }
        let message = format!(
            "the tag `{tag}` leads to {found} by now, but {approved} was approved; nothing was done. Find out who set it, then make a new plan and have it approved."
        );
        Some(Effect::Failed(GithubResponse {
            error_code: Some("tag_mismatch".into()),
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

    const fn tag_name(&self) -> Option<&TagName> {
        match &self.operation {
            Operation::PublishRelease(release) => Some(&release.tag_name),
            Operation::TagRepo(tag) => Some(&tag.tag_name),
            Operation::OpenPr(_) => None,
        }
    }
}

impl LedgerStore for LedgerBranch<'_> {
    async fn look(&self, look: &Look) -> Result<LedgerView, Refusal> {
        self.github
            .look(&PreflightQuery::new(&self.operation, Some(look)))
            .await
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
        self.github
            .append(&self.operation.target().repository, append, self.tag_name())
            .await
    }
}
