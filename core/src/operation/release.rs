//! `publish_release`: a release with its tag, text, flags and assets.

use core::fmt;

use serde::Serialize;

use super::{BoundedText, Target};
use crate::{
    asset::Assets,
    json::{Malformed, Object},
    name::{CommitId, InvalidName, TagName, Title},
};

/// A release to publish, or to leave as a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("additionalProperties" = false), transform = crate::schema::relations::latest_is_a_full_release))]
pub struct PublishRelease {
    /// Where.
    #[serde(flatten)]
    pub target: Target,
    /// The tag, made by GitHub if it does not exist.
    pub tag_name: TagName,
    /// The commit that the tag must point to.
    pub target_sha: CommitId,
    /// The release's title.
    pub release_name: Title,
    /// Markdown text.
    pub body: ReleaseBody,
    /// Draft, prerelease, latest.
    #[serde(flatten)]
    pub visibility: Visibility,
    /// Its files.
    pub assets: Assets,
}

impl PublishRelease {
    pub(super) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            target: Target::from_members(object)?,
            tag_name: object.take("tag_name")?.name()?,
            target_sha: object.take("target_sha")?.name()?,
            release_name: object.take("release_name")?.name()?,
            body: ReleaseBody::from_json("release body", object.take("body")?)?,
            visibility: Visibility::from_members(object)?,
            assets: Assets::from_json(object.take("assets")?)?,
        })
    }
}

/// Markdown text that GitHub takes as a release's body ("body is too long (maximum is 125000 characters)").
pub type ReleaseBody = BoundedText<125_000>;

/// How visible a release is. GitHub: "Drafts and prereleases cannot be set as latest".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Visibility {
    /// Whether it stays a draft.
    draft: bool,
    /// Whether it is marked as a prerelease.
    prerelease: bool,
    /// Whether it becomes the latest release.
    make_latest: MakeLatest,
}

impl Visibility {
    /// Without a wish for `make_latest`, a full release becomes the latest and others do not.
    pub fn new(
        draft: bool,
        prerelease: bool,
        make_latest: Option<MakeLatest>,
    ) -> Result<Self, NotLatest> {
        let most = if draft || prerelease {
            MakeLatest::False
        } else {
            MakeLatest::True
        };
        let make_latest = make_latest.unwrap_or(most);
        if most == MakeLatest::False && make_latest == MakeLatest::True {
            return Err(NotLatest);
        }
        Ok(Self {
            draft,
            prerelease,
            make_latest,
        })
    }

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let (draft, prerelease) = (
            object.take("draft")?.flag()?,
            object.take("prerelease")?.flag()?,
        );
        let make_latest = object.take("make_latest")?;
        let place = make_latest.refuse("");
        Self::new(draft, prerelease, Some(make_latest.name()?))
            .map_err(|error| place.with_problem(&error))
    }

    /// Whether it stays a draft.
    #[must_use]
    pub const fn draft(self) -> bool {
        self.draft
    }

    /// Whether it is marked as a prerelease.
    #[must_use]
    pub const fn prerelease(self) -> bool {
        self.prerelease
    }

    /// Whether it becomes the latest release.
    #[must_use]
    pub const fn make_latest(self) -> MakeLatest {
        self.make_latest
    }
}

/// A draft or prerelease was to be the latest release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a draft or prerelease cannot be the latest release")]
pub struct NotLatest;

/// GitHub's three words for "is this the latest release?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum MakeLatest {
    /// Yes.
    True,
    /// No.
    False,
    /// The one with the newest date and higher version.
    Legacy,
}

impl MakeLatest {
    /// The word that GitHub uses; it is text, not a flag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Legacy => "legacy",
        }
    }
}

impl fmt::Display for MakeLatest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for MakeLatest {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let word = [Self::True, Self::False, Self::Legacy]
            .into_iter()
            .find(|word| word.as_str() == text);
        word.ok_or_else(|| InvalidName::new("make_latest", text, "`true`, `false` or `legacy`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::TooLong;

    #[test]
    fn a_draft_or_prerelease_is_never_the_latest() {
        assert_eq!(
            Visibility::new(true, false, Some(MakeLatest::True)),
            Err(NotLatest)
        );
        assert_eq!(
            Visibility::new(false, true, Some(MakeLatest::True)),
            Err(NotLatest)
        );
        assert_eq!(
            Visibility::new(false, true, None).map(Visibility::make_latest),
            Ok(MakeLatest::False)
        );
        assert_eq!(
            Visibility::new(false, false, None).map(Visibility::make_latest),
            Ok(MakeLatest::True)
        );
    }

    #[test]
    fn a_draft_and_a_prerelease_are_what_they_were_made() {
        for (draft, prerelease) in [(false, false), (true, false), (false, true), (true, true)] {
            let visibility = Visibility::new(draft, prerelease, None).unwrap();
            assert_eq!(
                (visibility.draft(), visibility.prerelease()),
                (draft, prerelease)
            );
        }
    }

    #[test]
    fn latest_is_one_of_githubs_three_words() {
        for (word, latest) in [
            ("true", MakeLatest::True),
            ("false", MakeLatest::False),
            ("legacy", MakeLatest::Legacy),
        ] {
            assert_eq!(
                (word.parse(), std::format!("{latest}").as_str()),
                (Ok(latest), word)
            );
        }
        assert_eq!("True".parse::<MakeLatest>().unwrap_err().value(), "True");
    }

    #[test]
    fn a_body_may_have_125000_characters_and_not_one_more() {
        let body = |characters: usize| {
            ReleaseBody::new("release body", "ä".repeat(characters).parse().unwrap())
        };
        assert_eq!(body(125_000).map(|body| body.as_str().len()), Ok(250_000));
        assert_eq!(
            body(125_001),
            Err(TooLong {
                what: "release body",
                found: 125_001,
                most: 125_000
            })
        );
    }
}
