//! What would be done: kind, repository and every parameter. Its exact bytes are what approvers sign for.

mod pull;
mod release;
mod tag;

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use serde::Serialize;

pub use self::{
    pull::{OpenPr, PullBody},
    release::{MakeLatest, NotLatest, PublishRelease, ReleaseBody, Visibility},
    tag::{TagMessage, TagRepo},
};
use crate::{
    digest::Digest,
    document::to_json,
    json::{self, Malformed, Object, Value},
    name::{CommitId, InvalidName, Prose, Repository, RepositoryId},
};

/// The largest `operation.json`: 1,000 assets and a body of 125,000 characters fit.
pub const MOST_BYTES: usize = 1 << 20;

/// One operation with every parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "operation_kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Operation {
    /// Publish (or draft) a release with its assets.
    PublishRelease(PublishRelease),
    /// Create an annotated tag.
    TagRepo(TagRepo),
    /// Open a pull request.
    OpenPr(OpenPr),
}

/// The kind of an operation, as receipts name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Kind {
    /// `publish_release`
    PublishRelease,
    /// `tag_repo`
    TagRepo,
    /// `open_pr`
    OpenPr,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::PublishRelease, Self::TagRepo, Self::OpenPr];

    /// The name in documents and inputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublishRelease => "publish_release",
            Self::TagRepo => "tag_repo",
            Self::OpenPr => "open_pr",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| {
            InvalidName::new(
                "operation",
                text,
                "`publish_release`, `tag_repo` or `open_pr`",
            )
        })
    }
}

impl Operation {
    /// The exact bytes of `operation.json`: compact JSON, members in the documented order, no line feed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }

    /// SHA-256 of [`Operation::to_bytes`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads an operation from its exact bytes; any other bytes with the same meaning are refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let operation = Self::from_json(json::parse(bytes, MOST_BYTES)?)?;
        if operation.to_bytes() == bytes {
            return Ok(operation);
        }
        Err(Malformed::new(
            "the whole document",
            "these are not the bytes that Countersign writes for this operation",
        ))
    }

    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let operation = match object.take("operation_kind")?.name()? {
            Kind::PublishRelease => {
                Self::PublishRelease(PublishRelease::from_members(&mut object)?)
            }
            Kind::TagRepo => Self::TagRepo(TagRepo::from_members(&mut object)?),
            Kind::OpenPr => Self::OpenPr(OpenPr::from_members(&mut object)?),
        };
        object.end()?;
        Ok(operation)
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::PublishRelease(_) => Kind::PublishRelease,
            Self::TagRepo(_) => Kind::TagRepo,
            Self::OpenPr(_) => Kind::OpenPr,
        }
    }

    /// Where it would happen.
    #[must_use]
    pub const fn target(&self) -> &Target {
        match self {
            Self::PublishRelease(release) => &release.target,
            Self::TagRepo(tag) => &tag.target,
            Self::OpenPr(pull) => &pull.target,
        }
    }

    /// The commit that it is about: what is released or tagged, or the head of the pull request.
    #[must_use]
    pub const fn commit(&self) -> &CommitId {
        match self {
            Self::PublishRelease(release) => &release.target_sha,
            Self::TagRepo(tag) => &tag.target_sha,
            Self::OpenPr(pull) => &pull.head_sha,
        }
    }

    /// The ref on which it depends until it is done, and which anyone with write access may set
    /// meanwhile: the tag, or the head branch of a pull request. It must lead to [`Self::commit`].
    #[must_use]
    pub fn watched_ref(&self) -> String {
        match self {
            Self::PublishRelease(release) => format!("refs/tags/{}", release.tag_name),
            Self::TagRepo(tag) => format!("refs/tags/{}", tag.tag_name),
            Self::OpenPr(pull) => format!("refs/heads/{}", pull.head_branch),
        }
    }

    /// Every parameter with its value as compact JSON, in documented order: for people, read from the bytes that are hashed.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        ordered_members(&self.to_bytes())
    }
}

/// The members of a flat JSON object in their order, each value as its own JSON text.
#[expect(
    clippy::expect_used,
    reason = "these bytes come from our own serializer; showing an approver nothing instead would be worse than stopping"
)]
fn ordered_members(bytes: &[u8]) -> Vec<(String, String)> {
    struct Members;
    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut entries: A,
        ) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = entries.next_entry::<String, serde_json::Value>()? {
                members.push((name, alloc::format!("{value}")));
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde::de::Deserializer::deserialize_map(&mut reader, Members)
        .expect("an operation is a JSON object")
}

/// The repository in which an operation happens, by name and by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// `owner/name`.
    pub repository: Repository,
    /// GitHub's number of it.
    pub repository_id: RepositoryId,
}

impl Target {
    pub(crate) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            repository: object.take("repository")?.name()?,
            repository_id: RepositoryId(object.take("repository_id")?.number()?),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (id {})", self.repository, self.repository_id)
    }
}

/// Names in their order, each once: labels, reviewers.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NameSet<T: Ord>(BTreeSet<T>);

impl<T: Ord> NameSet<T> {
    /// The names in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord> FromIterator<T> for NameSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl<T: Ord + FromStr<Err = InvalidName>> NameSet<T> {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        value.list()?.into_iter().map(Value::name).collect()
    }
}

/// Lines of text with at most `MOST` characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BoundedText<const MOST: usize>(Prose);

impl<const MOST: usize> BoundedText<MOST> {
    /// Checks the length of a text that is called so.
    pub fn new(what: &'static str, text: Prose) -> Result<Self, TooLong> {
        let found = text.characters();
        if found > MOST {
            Err(TooLong {
                what,
                found,
                most: MOST,
            })
        } else {
            Ok(Self(text))
        }
    }

    fn from_json(what: &'static str, value: Value) -> Result<Self, Malformed> {
        let place = value.refuse("");
        Self::new(what, value.name()?).map_err(|error| place.with_problem(&error))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Text over a limit of GitHub's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} has {found} characters; at most {most} are possible")]
pub struct TooLong {
    /// Which text.
    pub what: &'static str,
    /// Its characters.
    pub found: usize,
    /// The most that are possible.
    pub most: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pull, release, tag};
    use std::string::ToString;

    #[test]
    fn a_release_has_exactly_these_bytes() {
        assert_eq!(
            String::from_utf8(release().to_bytes()).unwrap(),
            concat!(
                r#"{"operation_kind":"publish_release","repository":"owner/repo","repository_id":123456,"tag_name":"v1.0.0","#,
                r#""target_sha":"1111111111111111111111111111111111111111","release_name":"v1.0.0","body":"First.\n","draft":false,"#,
                r#""prerelease":false,"make_latest":"true","assets":[{"name":"app.tar.gz","size":3,"#,
                r#""sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","content_type":"application/gzip"}]}"#
            )
        );
    }

    #[test]
    fn a_tag_has_exactly_these_bytes() {
        assert_eq!(
            String::from_utf8(tag().to_bytes()).unwrap(),
            concat!(
                r#"{"operation_kind":"tag_repo","repository":"owner/repo","repository_id":123456,"tag_name":"v1.0.0","#,
                r#""target_sha":"1111111111111111111111111111111111111111","message":"Version 1.0.0"}"#
            )
        );
    }

    #[test]
    fn a_pull_request_has_exactly_these_bytes() {
        assert_eq!(
            String::from_utf8(pull().to_bytes()).unwrap(),
            concat!(
                r#"{"operation_kind":"open_pr","repository":"owner/repo","repository_id":123456,"title":"Release 1.0.0","body":"","#,
                r#""head_branch":"release-1.0.0","head_sha":"1111111111111111111111111111111111111111","base_branch":"main","#,
                r#""draft":false,"labels":["a-label","release"],"reviewers":["octocat"]}"#
            )
        );
    }

    #[test]
    fn an_approver_sees_every_parameter_in_its_order() {
        let shown: Vec<_> = tag()
            .parameters()
            .iter()
            .map(|(name, value)| std::format!("{name}: {value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "operation_kind: \"tag_repo\"",
                "repository: \"owner/repo\"",
                "repository_id: 123456",
                "tag_name: \"v1.0.0\"",
                "target_sha: \"1111111111111111111111111111111111111111\"",
                "message: \"Version 1.0.0\""
            ]
        );
    }

    #[test]
    fn names_stand_in_their_order_and_once() {
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|name| name.parse().unwrap())
                .collect::<NameSet<crate::name::Label>>()
        };
        assert_eq!(
            set(&["b", "a", "b"])
                .iter()
                .map(crate::name::Label::as_str)
                .collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!([set(&["a"]).is_empty(), set(&[]).is_empty()], [false, true]);
    }

    #[test]
    fn an_operation_reads_exactly_what_it_writes() {
        for operation in [release(), tag(), pull()] {
            let bytes = operation.to_bytes();
            assert_eq!(Operation::from_bytes(&bytes), Ok(operation));
            let spaced = String::from_utf8(bytes).unwrap().replacen(':', ": ", 1);
            assert_eq!(
                Operation::from_bytes(spaced.as_bytes())
                    .unwrap_err()
                    .to_string(),
                "these are not the bytes that Countersign writes for this operation (at the whole document)"
            );
        }
    }
}
