//! Tags: each must be one that a receipt made, or that of a release that a receipt allowed, at the very commit.

use alloc::{format, string::String, vec::Vec};

use super::{
    Code, Difference, FoundTag, MatchUp, Spent, Standing, Subject, best, compare, no_receipt,
};
use crate::{
    operation::{Operation, TagRepo},
    text::same_text,
};

impl MatchUp<'_> {
    /// Where releases are looked at too, it is they that tell whether a release's receipt has its effect.
    pub(super) fn tags(&mut self, tags: &[FoundTag], releases_are_seen: bool) {
        for tag in tags {
            self.tag(tag, releases_are_seen);
        }
    }

    fn tag(&mut self, found: &FoundTag, releases_are_seen: bool) {
        let book = self.book;
        let made = || {
            book.tags(&found.name)
                .filter(|(spent, _)| spent.flaw.is_none())
        };
        let same = made()
            .filter(|(spent, approved)| differences(spent, approved, found).is_empty())
            .map(|(spent, _)| spent);
        if let Some(spent) = best(same) {
            return self.as_approved(spent, Subject::tag(found), None);
        }
        // A tag that was made with a receipt must stay what it is, whatever a release at the same commit allows.
        if let Some(spent) = best(
            made()
                .map(|(spent, _)| spent)
                .filter(|spent| spent.standing() != Standing::Failed),
        ) && let Operation::TagRepo(approved) = &spent.operation
        {
            return self.differs(
                Code::TagDiffers,
                spent,
                Subject::tag(found),
                &differences(spent, approved, found),
            );
        }
        self.tag_of_release(found, releases_are_seen);
    }

    fn tag_of_release(&mut self, found: &FoundTag, releases_are_seen: bool) {
        let book = self.book;
        let published = || {
            book.releases(&found.name)
                .filter(|(spent, release)| spent.flaw.is_none() && !release.visibility.draft())
        };
        let same = published()
            .filter(|(_, release)| release.target_sha.as_str() == found.commit)
            .map(|(spent, _)| spent);
        if let Some(spent) = best(same) {
            // What became of a release shows there; a tag whose release failed was made by somebody else.
            if !releases_are_seen || spent.standing() == Standing::Failed && !found.is_known {
                self.as_approved(spent, Subject::tag(found), None);
            }
            return;
        }
        if let Some(spent) = best(
            published()
                .map(|(spent, _)| spent)
                .filter(|spent| spent.standing() != Standing::Failed),
        ) {
            let moved = compare(
                "commit",
                spent.operation.commit().as_str(),
                found.commit.as_str(),
            );
            let moved: Vec<Difference> = moved.into_iter().collect();
            return self.differs(Code::TagDiffers, spent, Subject::tag(found), &moved);
        }
        if found.is_known {
            return;
        }
        let nearly = book
            .tags(&found.name)
            .map(|(spent, _)| spent)
            .chain(book.releases(&found.name).map(|(spent, _)| spent));
        let problem = format!("it leads to {}; {}", found.commit, no_receipt(nearly));
        self.tell(Code::TagWithoutReceipt, Subject::tag(found), None, problem);
    }
}

fn differences(spent: &Spent, approved: &TagRepo, found: &FoundTag) -> Vec<Difference> {
    let made = spent.answer().and_then(|answer| answer.tag_sha.as_ref());
    let message = match &found.message {
        None => compare(
            "tag object",
            "a tag with a message",
            "a name for the commit alone",
        ),
        Some(message) if same_text(message, approved.message.as_str()) => None,
        Some(message) => compare("message", approved.message.as_str(), message.as_str()),
    };
    let object = made.and_then(|made| compare("tag object", made.as_str(), found.object.as_str()));
    let commit = compare(
        "commit",
        approved.target_sha.as_str(),
        String::from(found.commit.as_str()),
    );
    [commit, message, object].into_iter().flatten().collect()
}
