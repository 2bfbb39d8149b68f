//! Releases: each must be the one that a receipt allowed, member by member.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Code, Difference, FoundAsset, FoundRelease, MatchUp, Spent, Standing, Subject, best, compare,
    no_receipt,
};
use crate::{
    asset::{Asset, Outside},
    evidence,
    operation::{Operation, PublishRelease},
    text::same_text,
};

impl MatchUp<'_> {
    pub(super) fn releases(&mut self, releases: &[FoundRelease]) {
        for release in releases {
            self.release(release);
        }
    }

    fn release(&mut self, found: &FoundRelease) {
        let book = self.book;
        let candidates = || {
            book.releases(&found.tag_name)
                .filter(|(spent, _)| spent.flaw.is_none())
        };
        let same = candidates()
            .filter(|(spent, approved)| differences(spent, approved, found).is_empty())
            .map(|(spent, _)| spent);
        let subject = Subject::release(found);
        if let Some(spent) = best(same) {
            return self.as_approved(spent, subject, found.published_at);
        }
        // A draft of the same tag is no attempt at the release that was approved, unless it is the very one.
        let meant = candidates().filter(|(spent, approved)| {
            spent.standing() != Standing::Failed && is_meant(spent, approved, found)
        });
        if let Some(spent) = best(meant.map(|(spent, _)| spent)) {
            self.effects.insert(spent.sequence);
            if self.is_recent(found.changed_at)
                && let Operation::PublishRelease(approved) = &spent.operation
            {
                self.differs(
                    Code::ReleaseDiffers,
                    spent,
                    subject,
                    &differences(spent, approved, found),
                );
            }
        } else if self.is_recent(found.changed_at) {
            let code = if found.draft {
                Code::DraftWithoutReceipt
            } else {
                Code::ReleaseWithoutReceipt
            };
            self.tell(
                code,
                subject,
                None,
                no_receipt(book.releases(&found.tag_name).map(|(spent, _)| spent)),
            );
        }
    }
}

fn is_meant(spent: &Spent, approved: &PublishRelease, found: &FoundRelease) -> bool {
    !found.draft
        || approved.visibility.draft()
        || spent.answer().and_then(|answer| answer.release_id) == Some(found.id)
}

fn differences(spent: &Spent, approved: &PublishRelease, found: &FoundRelease) -> Vec<Difference> {
    let published = |draft: bool| if draft { "a draft" } else { "published" };
    let flag = |prerelease: bool| {
        if prerelease {
            "a prerelease"
        } else {
            "a full release"
        }
    };
    let made = spent.answer().and_then(|answer| answer.release_id);
    let mut all: Vec<Option<Difference>> = [
        made.and_then(|made| {
            compare(
                "release number (it was deleted and made anew)",
                made.to_string(),
                found.id.to_string(),
            )
        }),
        compare(
            "commit",
            approved.target_sha.as_str(),
            found.commit.as_deref().unwrap_or("no commit"),
        ),
        compare("title", approved.release_name.as_str(), found.name.as_str()),
        (!same_text(&found.body, approved.body.as_str()))
            .then(|| different_text(approved.body.as_str(), &found.body)),
        compare(
            "visibility",
            published(approved.visibility.draft()),
            published(found.draft),
        ),
        compare(
            "kind",
            flag(approved.visibility.prerelease()),
            flag(found.prerelease),
        ),
    ]
    .into();
    for asset in approved.assets.as_slice() {
        let there = found
            .assets
            .iter()
            .find(|there| there.name == asset.name.as_str());
        all.push(asset_difference(asset, there));
    }
    let extra = found.assets.iter().filter(|there| {
        approved
            .assets
            .as_slice()
            .iter()
            .all(|asset| asset.name.as_str() != there.name)
    });
    all.extend(extra.map(|extra| extra_difference(spent, extra)));
    all.into_iter().flatten().collect()
}

fn asset_difference(approved: &Asset, found: Option<&FoundAsset>) -> Option<Difference> {
    let told = |size: u64, digest: &str| format!("{} ({size} bytes, {digest})", approved.name);
    let expected = told(approved.size, &approved.sha256.to_string());
    let Some(found) = found else {
        return compare("asset", expected, "no such asset");
    };
    // Where the server tells no digest, nothing says that these are the bytes.
    let bytes = compare(
        "asset",
        expected,
        told(
            found.size,
            found.digest.as_deref().unwrap_or("no digest is told"),
        ),
    );
    bytes.or_else(|| outside_difference(approved, found))
}

fn outside_difference(approved: &Asset, found: &FoundAsset) -> Option<Difference> {
    shown_otherwise(
        approved.name.as_str(),
        &found.outside,
        approved.content_type.as_str(),
    )
}

fn shown_otherwise(name: &str, outside: &Outside, content_type: &str) -> Option<Difference> {
    let differs = outside.difference(content_type)?;
    let of = |side: &str| format!("{name} with the {} `{side}`", differs.what);
    compare("asset", of(&differs.approved), of(&differs.found))
}

/// The receipt's own claim may go with its release, and nothing else that nobody approved.
fn extra_difference(spent: &Spent, extra: &FoundAsset) -> Option<Difference> {
    if extra.name != evidence::NAME {
        return compare("asset", "no such asset", extra.name.as_str());
    }
    let digest = extra.digest.as_deref().unwrap_or("no digest is told");
    let is_claim = digest
        .parse()
        .is_ok_and(|digest| spent.evidence.contains(&digest));
    if is_claim {
        return shown_otherwise(evidence::NAME, &extra.outside, evidence::CONTENT_TYPE);
    }
    compare(
        "asset",
        format!("{} of entry {}", evidence::NAME, spent.sequence),
        format!("{} with {digest}", extra.name),
    )
}

/// Long texts are told from a little before the place where they part.
pub(super) fn different_text(approved: &str, found: &str) -> Difference {
    let same = approved
        .chars()
        .zip(found.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let from = |text: &str| {
        text.chars()
            .skip(same.saturating_sub(20))
            .collect::<String>()
    };
    Difference {
        what: "text",
        approved: from(approved),
        found: from(found),
    }
}
