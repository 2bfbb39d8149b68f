//! The ledger as it is kept on GitHub: looks by the preflight's query, appends by one compare-and-swap commit.

use std::cell::RefCell;

use countersign_core::{
    ledger::{Append, Appended, Effect, GithubResponse, LedgerStore, LedgerView, Look},
    name::{CommitId, TagName},
    operation::Operation,
    refusal::Refusal,
};

use crate::{
    github::{GitHub, PreflightQuery},
    random,
};

/// The ledger branch of the repository in which an operation happens.
pub(crate) struct LedgerBranch<'a> {
    github: &'a GitHub,
    operation: Operation,
    /// Where the operation's tag led when the last append was done.
    tag: RefCell<Option<CommitId>>,
}

impl<'a> LedgerBranch<'a> {
    pub(crate) const fn new(github: &'a GitHub, operation: Operation) -> Self {
        Self {
            github,
            operation,
            tag: RefCell::new(None),
        }
    }

    /// What the answer that confirmed the claim shows in the way: a tag at another commit, set since the preflight.
    pub(crate) fn obstacle(&self) -> Option<Effect> {
        let (tag, found, approved) = (
            self.tag_name()?,
            self.tag.borrow().clone()?,
            self.operation.commit(),
        );
        if found == *approved {
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

    /// What the answer that confirmed the outcome shows of the tag: GitHub uses a tag that somebody else set meanwhile.
    pub(crate) fn contradiction(&self, effect: &Effect) -> Option<Effect> {
        let Effect::Succeeded(held) = effect else {
            return None;
        };
        let makes_tag = match &self.operation {
            Operation::PublishRelease(release) => !release.visibility.draft(),
            Operation::TagRepo(_) => true,
            Operation::OpenPr(_) => false,
        };
        let approved = self.operation.commit();
        let told = |message: String| GithubResponse {
            error_code: Some("tag_mismatch".into()),
            error_message: Some(message),
            ..held.clone()
        };
        match self.tag.borrow().as_ref() {
            _ if !makes_tag => None,
            Some(found) if found == approved => None,
            Some(found) => {
                let message = format!(
                    "it was done, but the tag leads to {found} instead of {approved}: somebody set it meanwhile. Take it down and find out who."
                );
                Some(Effect::Failed(told(message)))
            }
            None => Some(Effect::Unknown(told(
                "it was done, but GitHub shows no tag yet. Look at the tag before anything else: the receipt is spent, and no attempt does this again.".into(),
            ))),
        }
    }

    fn tag_name(&self) -> Option<&TagName> {
        match &self.operation {
            Operation::PublishRelease(release) => Some(&release.tag_name),
            Operation::TagRepo(tag) => Some(&tag.tag_name),
            Operation::OpenPr(_) => None,
        }
    }
}

impl LedgerStore for LedgerBranch<'_> {
    async fn look(&self, look: &Look) -> Result<LedgerView, Refusal> {
        let (view, tag) = self
            .github
            .look(&PreflightQuery::new(&self.operation, Some(look)))
            .await?;
        *self.tag.borrow_mut() = tag;
        Ok(view)
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
        let reply = self
            .github
            .append(&self.operation.target().repository, append, self.tag_name())
            .await;
        *self.tag.borrow_mut() = reply.tag;
        reply.appended
    }
}
