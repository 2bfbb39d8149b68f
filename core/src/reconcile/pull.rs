//! Pull requests: those of the job token need a receipt; what people change in one later is told as a note.

use alloc::{string::String, vec::Vec};

use super::{Code, Difference, FoundPull, MatchUp, Spent, Subject, compare, no_receipt};
use crate::{operation::OpenPr, text::same_text};

impl MatchUp<'_> {
    pub(super) fn pulls(&mut self, pulls: &[FoundPull]) {
        for pull in pulls {
            self.pull(pull);
        }
    }

    fn pull(&mut self, found: &FoundPull) {
        let book = self.book;
        let number = |spent: &Spent| spent.answer().and_then(|answer| answer.pull_number);
        // Nobody signs outcomes: a number counts only for the branch that was approved, and only if it is the last that was named.
        let is_meant = |spent: &Spent, approved: &OpenPr| {
            number(spent) == Some(found.number)
                && approved.head_branch.as_str() == found.head_branch
        };
        let numbered = book
            .pull(found.number)
            .filter(|(spent, approved)| spent.flaw.is_none() && is_meant(spent, approved));
        // A receipt without a known number is for one pull request between its branches, and for no other.
        let free = |spent: &Spent| {
            spent.flaw.is_none()
                && number(spent).is_none()
                && !self.effects.contains(&spent.sequence)
        };
        let spent = numbered.or_else(|| {
            self.book
                .pulls_from(&found.head_branch)
                .find(|(spent, approved)| free(spent) && is_between(approved, found))
        });
        match spent {
            Some((spent, approved)) => {
                let differences = differences(approved, found);
                if differences.is_empty() {
                    self.as_approved(spent, Subject::pull(found), found.opened_at);
                } else if spent.claimed_at >= self.since {
                    self.differs(Code::PullDiffers, spent, Subject::pull(found), &differences);
                } else {
                    self.effects.insert(spent.sequence);
                }
            }
            None if found.needs_receipt && self.is_recent(found.opened_at) => {
                let nearly = book
                    .pulls_from(&found.head_branch)
                    .filter(|(_, approved)| is_between(approved, found))
                    .map(|(spent, _)| spent);
                self.tell(
                    Code::PullWithoutReceipt,
                    Subject::pull(found),
                    None,
                    no_receipt(nearly),
                );
            }
            None => {}
        }
    }
}

fn is_between(approved: &OpenPr, found: &FoundPull) -> bool {
    approved.head_branch.as_str() == found.head_branch
        && approved.base_branch.as_str() == found.base_branch
}

fn differences(approved: &OpenPr, found: &FoundPull) -> Vec<Difference> {
    let text = (!same_text(&found.body, approved.body.as_str())).then(|| Difference {
        what: "text",
        approved: approved.body.as_str().into(),
        found: found.body.clone(),
    });
    let all = [
        compare(
            "commit",
            approved.head_sha.as_str(),
            String::from(found.head_sha.as_str()),
        ),
        compare(
            "branch",
            approved.head_branch.as_str(),
            found.head_branch.as_str(),
        ),
        compare(
            "base",
            approved.base_branch.as_str(),
            found.base_branch.as_str(),
        ),
        compare("title", approved.title.as_str(), found.title.as_str()),
        text,
    ];
    all.into_iter().flatten().collect()
}
