//! Names that GitHub and receipts use, each checked once at the edge and then trusted to be well formed.

use alloc::{format, string::String};
use core::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::text::excerpt;

/// A text that does not spell the name it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no {what}: expected {expected}", excerpt(.value, 80))]
pub struct InvalidName {
    what: &'static str,
    value: String,
    expected: &'static str,
}

impl InvalidName {
    pub(crate) fn new(
        what: &'static str,
        value: impl Into<String>,
        expected: &'static str,
    ) -> Self {
        Self {
            what,
            value: value.into(),
            expected,
        }
    }

    /// The text that was refused.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What would have been accepted.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $expected:literal, $valid:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(transform = crate::schema::patterns::$valid))]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(InvalidName::new($what, text, $expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}

names! {
    /// `owner/name` as GitHub spells it.
    Repository: "repository", "`owner/name` of letters, digits, `-` and `_`, in the name also `.`", is_repository;
    /// A receipt's id: it also names a file on the ledger.
    ReceiptId: "receipt id", "1 to 128 of `A-Z a-z 0-9 . _ -`, first a letter or digit", is_token;
    /// One attempt's own id, which tells two attempts of one run apart.
    OperationId: "operation id", "1 to 128 of `A-Z a-z 0-9 . _ -`, first a letter or digit", is_token;
    /// The id of a workflow run, in decimal.
    RunId: "run id", "1 to 20 decimal digits without a leading zero", is_run_id;
    /// A full commit, tree or tag object id.
    CommitId: "commit id", "40 (or 64) lower-case hexadecimal digits", is_commit;
    /// A tag's short name.
    TagName: "tag name", "a name that git accepts, at most 200 bytes, without `refs/`", is_ref_name;
    /// A branch's short name.
    BranchName: "branch name", "a name that git accepts, at most 200 bytes, without `refs/`", is_ref_name;
    /// A file name that GitHub keeps as it is (it renames others without a word).
    AssetName: "asset name", "letters, digits and `. _ + @ -`, first and last a letter or digit, no `..`, at most 200", is_asset;
    /// A media type.
    ContentType: "content type", "`type/subtype` of lower-case letters, digits and `. + -`", is_content_type;
    /// A server of GitHub as people know it, without `api.`.
    Host: "host", "lower-case letters, digits, `.` and `-`, with a port if it has one, at most 255", is_host;
    /// A user's login; managed users have a `_` in it.
    Login: "login", "1 to 39 letters, digits, `-` and `_`", is_login;
    /// An account that can start a run: a user, or a bot such as `dependabot[bot]`.
    Actor: "account", "a login, or that of a bot with `[bot]` behind it", is_actor;
    /// An operation's own name in a campaign.
    StepId: "operation id", "1 to 40 of `a-z 0-9 - _`, first a letter or digit", is_step;
    /// An issue label.
    Label: "label", "1 to 50 visible characters, no comma, no blank at the ends", is_label;
    /// What people call a key: so short that it fits beside a fingerprint, and spelt in one way only.
    KeyName: "name of a key", "one line of 1 to 60 visible characters in Unicode's form NFC, no blank at the ends, no two in a row", is_key_name;
    /// One line of text: a title or a release's name.
    Title: "title", "one line of 1 to 256 visible characters, no blank at the ends", is_title;
    /// Text of several lines: a body or a tag's message.
    Prose: "text", "lines of text without control characters other than tab, line feed and carriage return", is_prose;
}

fn is_repository(text: &str) -> bool {
    let Some((owner, name)) = text.split_once('/') else {
        return false;
    };
    is_login(owner)
        && (1..=100).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && name != "."
        && name != ".."
}

fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn is_run_id(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The rules of `git check-ref-format`, and none that begin with `-` (options) or `refs/` (a full name in a short one's place).
fn is_ref_name(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && !text.starts_with(['-', '/'])
        && !text.starts_with("refs/")
        && !text.ends_with(['/', '.'])
        && text != "@"
        && !["..", "//", "@{"].iter().any(|part| text.contains(part))
        && text
            .split('/')
            .all(|part| !part.starts_with('.') && !part.to_ascii_lowercase().ends_with(".lock"))
        && !text.contains(|c: char| {
            crate::text::hides(c) || c.is_whitespace() || "~^:?*[\\".contains(c)
        })
}

fn is_asset(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 200
        && edge(text.chars().next())
        && edge(text.chars().next_back())
        && !text.contains("..")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._+@-".contains(&b))
}

fn is_content_type(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'+' | b'-'))
    };
    text.len() <= 100
        && text
            .split_once('/')
            .is_some_and(|(kind, subtype)| part(kind) && part(subtype))
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "1"));
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 255
        && is_edge(name.chars().next())
        && is_edge(name.chars().next_back())
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && (1..=5).contains(&port.len())
        && !port.starts_with('0')
        && port.bytes().all(|b| b.is_ascii_digit())
}

fn is_login(text: &str) -> bool {
    (1..=39).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn is_actor(text: &str) -> bool {
    is_login(text.strip_suffix("[bot]").unwrap_or(text))
}

fn is_step(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

fn is_label(text: &str) -> bool {
    is_line(text, 50) && !text.contains(',')
}

fn is_title(text: &str) -> bool {
    is_trimmed(text, 256) && crate::text::shows_itself(text)
}

/// Blanks are the space alone: what looks like several of them, or like one of another width, could lay out a row.
fn is_key_name(text: &str) -> bool {
    is_line(text, 60)
        && !text.contains("  ")
        && !text.contains(|c: char| c.is_whitespace() && c != ' ')
        && is_nfc(text)
}

fn is_line(text: &str, most: usize) -> bool {
    is_trimmed(text, most) && !text.contains(crate::text::hides_on_a_line)
}

fn is_trimmed(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && text.trim() == text
}

fn is_prose(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

impl CommitId {
    /// The first 12 digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl Repository {
    /// Owner and name.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }
}

impl KeyName {
    /// Whether both are one name to a reader: names are compared without regard to case.
    #[must_use]
    pub fn same(one: &str, other: &str) -> bool {
        Self::folded(one) == Self::folded(other)
    }

    /// The form in which names are compared: in capitals first, so that `ß` and `ss` meet, and then in small letters.
    pub(crate) fn folded(name: &str) -> String {
        name.nfc()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfc()
            .collect()
    }
}

impl Actor {
    /// Whether both name one account: GitHub tells logins apart without regard to case.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Prose {
    /// Length in characters, as GitHub counts it.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.0.chars().count()
    }
}

/// GitHub's own number of a repository: a name can be given to somebody else, the number cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RepositoryId(pub u64);

impl fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which attempt of a run this is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("minimum" = 1)))]
pub struct RunAttempt(pub u64);

impl fmt::Display for RunAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A run and its attempt: who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executor {
    /// `GITHUB_RUN_ID` of the run that acts.
    pub run_id: RunId,
    /// `GITHUB_RUN_ATTEMPT`.
    pub run_attempt: RunAttempt,
    /// This attempt's own id.
    pub operation_id: OperationId,
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("run {} attempt {}", self.run_id, self.run_attempt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn accepts<T: FromStr<Err = InvalidName> + fmt::Display + schemars::JsonSchema>(
        texts: &[&str],
    ) {
        for text in texts {
            assert_eq!(
                text.parse::<T>().map(|name| name.to_string()).as_deref(),
                Ok(*text)
            );
            crate::schema::agrees::<T>(text, true);
        }
    }

    fn refuses<T: FromStr<Err = InvalidName> + fmt::Debug + schemars::JsonSchema>(texts: &[&str]) {
        for text in texts {
            assert_eq!(text.parse::<T>().expect_err(text).value(), *text);
            crate::schema::agrees::<T>(text, false);
        }
    }

    #[test]
    fn repositories_are_owner_and_name_in_ascii() {
        accepts::<Repository>(&["owner/repo", "a-b/.github", "A1/x_y.z", "alice_octo/x"]);
        refuses::<Repository>(&[
            "",
            "owner",
            "owner/",
            "/repo",
            "a/b/c",
            "a/..",
            "оwner/repo",
            "owner/re po",
            "owner/repo\n",
            "a.b/c",
        ]);
    }

    #[test]
    fn a_repository_falls_into_owner_and_name() {
        assert_eq!(
            "owner/repo".parse::<Repository>().unwrap().parts(),
            ("owner", "repo")
        );
    }

    #[test]
    fn who_acts_is_a_run_and_its_attempt() {
        let executor = crate::testing::executor();
        assert_eq!(
            (executor.to_string(), executor.run_attempt.to_string()),
            ("run 17231231 attempt 1".into(), "1".into())
        );
    }

    #[test]
    fn what_is_no_name_is_told_with_what_would_be() {
        let error = "0".parse::<RunId>().unwrap_err();
        assert_eq!(
            (error.value(), error.expected()),
            ("0", "1 to 20 decimal digits without a leading zero")
        );
        assert_eq!(
            error.to_string(),
            "`0` is no run id: expected 1 to 20 decimal digits without a leading zero"
        );
    }

    #[test]
    fn receipt_ids_can_be_file_names_everywhere() {
        accepts::<ReceiptId>(&["receipt-abc123", "0", "A.b_c-d", &"x".repeat(128)]);
        refuses::<ReceiptId>(&[
            "",
            ".",
            "..",
            "-a",
            "a/b",
            "a b",
            "ä",
            "a\0",
            &"x".repeat(129),
        ]);
    }

    #[test]
    fn run_ids_are_plain_decimals() {
        accepts::<RunId>(&["1", "17231231", "18446744073709551615"]);
        refuses::<RunId>(&[
            "",
            "0",
            "01",
            "-1",
            "1 ",
            "1e3",
            "１２",
            "123456789012345678901",
        ]);
    }

    #[test]
    fn a_commit_is_a_full_lower_case_id() {
        accepts::<CommitId>(&[&"0123456789".repeat(4), &"ab".repeat(32)]);
        assert_eq!(
            "0123456789".repeat(4).parse::<CommitId>().unwrap().short(),
            "012345678901"
        );
        refuses::<CommitId>(&[
            "",
            "main",
            "0123456",
            &"AB".repeat(20),
            &"g".repeat(40),
            &"a".repeat(41),
        ]);
    }

    #[test]
    fn ref_names_follow_git() {
        accepts::<TagName>(&[
            "v1.0.0",
            "release/2026-11",
            "v1#2",
            "ünïcode",
            "a@b",
            "refsx",
        ]);
        refuses::<TagName>(&[
            "",
            "-v1",
            "refs/tags/v1",
            "v1..2",
            "v1 ",
            "v 1",
            "a//b",
            "/a",
            "a/",
            "a.",
            ".a",
            "a/.b",
            "a.lock",
            "a.LOCK/b",
            "@",
            "a@{b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "a\nb",
            "a\u{7f}",
            "v1\u{200b}",
        ]);
    }

    #[test]
    fn asset_names_are_those_that_github_keeps() {
        accepts::<AssetName>(&["app.tar.gz", "a", "App_1.0+b@x-y.zip"]);
        refuses::<AssetName>(&[
            "",
            ".hidden",
            "a.",
            "a b",
            "a~b",
            "a..b",
            "a/b",
            "ä",
            "a(1).zip",
            "-a",
            "a%20b",
            &"x".repeat(201),
        ]);
    }

    #[test]
    fn titles_and_labels_are_one_visible_line() {
        accepts::<Title>(&["Release 1.0", "Grüße 世界 🎉", &"x".repeat(256)]);
        refuses::<Title>(&["", " a", "a ", "a\nb", "a\u{202e}b", &"x".repeat(257)]);
        accepts::<Label>(&["bug", "good first issue"]);
        refuses::<Label>(&["", "a,b", &"x".repeat(51)]);
    }

    #[test]
    fn names_of_keys_are_short_and_lay_out_nothing() {
        accepts::<KeyName>(&[
            "alice@example.org",
            "Zo\u{eb} 世界",
            "a b c",
            &"x".repeat(60),
        ]);
        refuses::<KeyName>(&[
            "",
            " a",
            "a ",
            "a  b",
            "a\nb",
            "a\u{a0}b",
            "a\u{3000}b",
            "a\u{202e}b",
            &"x".repeat(61),
        ]);
    }

    #[test]
    fn a_name_of_a_key_is_spelt_in_one_way() {
        // The schema cannot know the form, so only the parser is asked.
        for decomposed in ["Zoe\u{308}", "\u{212b}"] {
            assert!(decomposed.parse::<KeyName>().is_err(), "{decomposed}");
        }
    }

    #[test]
    fn names_of_keys_are_compared_without_regard_to_case() {
        for (one, other) in [
            ("alice", "ALICE"),
            ("Weiß", "WEISS"),
            ("ΟΔΟΣ", "οδος"),
            ("Zo\u{eb}", "ZOË"),
        ] {
            assert!(KeyName::same(one, other), "{one} {other}");
        }
        assert!(!KeyName::same("alice", "a1ice"));
    }

    #[test]
    fn prose_holds_lines_but_no_control_characters() {
        accepts::<Prose>(&["", "a\r\nb\tc\n", "\u{200f}rtl"]);
        refuses::<Prose>(&["a\0b", "\u{1b}[31m", "a\u{7f}", "a\u{85}b"]);
    }
}
