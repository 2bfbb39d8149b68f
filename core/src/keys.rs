//! Trusted public keys and how many of them must sign.

#[cfg(test)]
mod edges;
mod published;
#[cfg(test)]
mod vectors;

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use ed25519_dalek::{Signature, VerifyingKey, pkcs8::DecodePublicKey as _};
use serde::{Serialize, Serializer};
use ssh_key::{Algorithm, HashAlg, public::Ed25519PublicKey};

use crate::{
    envelope::Signer,
    name::{Actor, InvalidName, KeyName},
    person::{self, Person},
    timestamp::Timestamp,
};

/// Most trusted keys: with 32 signatures, 64 keys bound one verification to some 2,000 checks.
pub const MOST_KEYS: usize = 64;
const MOST_TEXT: usize = 64 * 1024;

/// An ed25519 public key that is not weak.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Takes a key whose multiples cannot be forged: small-order keys verify anything under lax rules.
    #[must_use]
    pub fn new(key: VerifyingKey) -> Option<Self> {
        (!key.is_weak()).then_some(Self(key))
    }

    /// OpenSSH's fingerprint, `SHA256:` and unpadded base64. Written into documents for people, never trusted.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let key = ssh_key::PublicKey::from(Ed25519PublicKey(self.0.to_bytes()));
        Fingerprint(format!("{}", key.fingerprint(HashAlg::Sha256)))
    }

    /// Whether everybody can read the secret half: in a standard, in documentation, in a test.
    #[must_use]
    pub fn is_published(&self) -> bool {
        published::is(&self.0.to_bytes())
    }

    /// The key as curve arithmetic knows it.
    #[must_use]
    pub const fn verifying_key(&self) -> VerifyingKey {
        self.0
    }

    /// The key as one line of `authorized_keys`, without a name.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "an ed25519 key always has its line"
    )]
    pub fn to_openssh(&self) -> String {
        let key = ssh_key::PublicKey::from(Ed25519PublicKey(self.0.to_bytes()));
        key.to_openssh()
            .expect("a key of 32 bytes fits into a line")
    }

    /// Whether bytes are the key's signature. `verify_strict` also refuses signatures that other rules accept in several spellings
    /// (S + L, small-order R).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// Reads one OpenSSH line; a name behind the key is passed over.
impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        openssh(text.trim()).map(|trusted| trusted.key)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fingerprint(), f)
    }
}

/// OpenSSH's fingerprint of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A fingerprint as a ledger entry holds it; nothing is decided by it.
    pub(crate) const fn recorded(text: String) -> Self {
        Self(text)
    }

    /// The fingerprint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key and the name under which the workflow's maintainers trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// Name from the key's line: what people read, and what a policy calls an approver.
    pub name: String,
    /// The owner's login on GitHub, if it is known.
    pub login: Option<Actor>,
    /// The key itself.
    pub key: PublicKey,
}

impl TrustedKey {
    /// Whose it is.
    #[must_use]
    pub fn person(&self) -> Person {
        Person::of(&self.name, self.login.as_ref())
    }

    fn owner(&self) -> person::Owner<'_> {
        (&self.name, self.login.as_ref())
    }

    /// The key as records name it.
    #[must_use]
    pub fn signer(&self) -> Signer {
        Signer {
            name: self.name.clone(),
            fingerprint: self.key.fingerprint(),
        }
    }
}

/// A key that is known, but does not count now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredKey {
    /// Its name.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Why it does not count.
    pub why: Retirement,
}

/// Why a known key does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// It was revoked.
    Revoked(Timestamp),
    /// Its time is over.
    Ended(Timestamp),
    /// Its time has not begun.
    NotYet(Timestamp),
}

impl fmt::Display for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked(since) => write!(f, "it was revoked at {since}"),
            Self::Ended(at) => write!(f, "it counted until {at}"),
            Self::NotYet(from) => write!(f, "it counts from {from} on"),
        }
    }
}

/// The keys whose signatures count: at least one, no key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKeys {
    keys: Vec<TrustedKey>,
    retired: Vec<RetiredKey>,
}

/// Why a list of trusted keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct InvalidKeys {
    line: usize,
    problem: String,
}

impl TrustedKeys {
    /// Reads one key a line, `ssh-ed25519 AAAA… name`, or PEM blocks `BEGIN PUBLIC KEY`; blank lines and lines with `#` are skipped.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        if text.len() > MOST_TEXT {
            return Err(InvalidKeys {
                line: 1,
                problem: format!("{} bytes are more than the {MOST_TEXT} allowed", text.len()),
            });
        }
        let mut keys: Vec<TrustedKey> = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let invalid = |problem: String| InvalidKeys {
                line: index + 1,
                problem,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("PRIVATE KEY") {
                return Err(invalid(String::from(
                    "this is a SECRET key, and whoever can read this can sign with it now: take it out, make a new one, and put only the line of its .pub file here",
                )));
            }
            let trusted = if line == "-----BEGIN PUBLIC KEY-----" {
                pem(line, &mut lines)
            } else {
                openssh(line)
            }
            .map_err(invalid)?;
            if let Some(known) = keys.iter().find(|known| known.key == trusted.key) {
                return Err(invalid(format!(
                    "the key of `{}` stands here again as `{}`",
                    known.name, trusted.name
                )));
            }
            for known in &keys {
                person::apart(known.owner(), trusted.owner())
                    .map_err(|ambiguous| invalid(format!("{ambiguous}")))?;
            }
            keys.push(trusted);
            if keys.len() > MOST_KEYS {
                return Err(invalid(format!("more than {MOST_KEYS} keys")));
            }
        }
        if keys.is_empty() {
            return Err(InvalidKeys {
                line: 1,
                problem: String::from("there is no key"),
            });
        }
        Ok(Self {
            keys,
            retired: Vec::new(),
        })
    }

    /// Keys of a verified trust file, those that count and those that do not.
    pub(crate) const fn of_trust(keys: Vec<TrustedKey>, retired: Vec<RetiredKey>) -> Self {
        Self { keys, retired }
    }

    /// The keys in the order of the list.
    #[must_use]
    pub fn as_slice(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// How many people have these keys.
    #[must_use]
    pub fn people(&self) -> usize {
        let people: BTreeSet<Person> = self.keys.iter().map(TrustedKey::person).collect();
        people.len()
    }

    /// Keys that are known and do not count.
    #[must_use]
    pub fn retired(&self) -> &[RetiredKey] {
        &self.retired
    }

    /// The first key whose secret half everybody can read: in documentation, standards or tests.
    #[must_use]
    pub fn published(&self) -> Option<&TrustedKey> {
        self.keys.iter().find(|trusted| trusted.key.is_published())
    }
}

fn openssh(line: &str) -> Result<TrustedKey, String> {
    let kind = line.split_whitespace().next().unwrap_or_default();
    if kind != "ssh-ed25519" {
        return Err(format!(
            "expected `ssh-ed25519 AAAA… name`, found a line that begins with `{}`",
            crate::text::excerpt(kind, 40)
        ));
    }
    let key = ssh_key::PublicKey::from_openssh(line).map_err(|error| unreadable(&error))?;
    if key.algorithm() != Algorithm::Ed25519 {
        return Err(format!(
            "the key is {}, expected ssh-ed25519",
            key.algorithm()
        ));
    }
    let bytes = key
        .key_data()
        .ed25519()
        .ok_or("the key is not ssh-ed25519")?
        .0;
    let comment = key.comment().trim();
    // The rest of a line is a name, so a second key would be lost in it.
    if comment.split([' ', '\t', ',', ';']).any(is_key_type) {
        return Err(String::from(
            "there is another key on this line; put each key on a line of its own",
        ));
    }
    let (name, login) = owner(comment)?;
    trusted(
        VerifyingKey::from_bytes(&bytes).map_err(|_| "the 32 bytes are no point of the curve")?,
        name,
        login,
    )
}

/// How keys of OpenSSH begin.
fn is_key_type(word: &str) -> bool {
    ["ssh-", "sk-ssh-", "ecdsa-sha2-", "sk-ecdsa-"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
}

/// The library repeats what it found, whatever that is.
fn unreadable(error: &ssh_key::Error) -> String {
    format!(
        "not an OpenSSH public key: {}",
        crate::text::excerpt(&format!("{error}"), 100)
    )
}

/// A comment is a name; its last word may be `github:LOGIN`.
fn owner(comment: &str) -> Result<(Option<KeyName>, Option<Actor>), String> {
    if comment.is_empty() {
        return Ok((None, None));
    }
    let name = |text: &str| {
        text.parse()
            .map(Some)
            .map_err(|error: InvalidName| format!("{error}"))
    };
    let (before, last) = comment
        .rsplit_once(char::is_whitespace)
        .unwrap_or(("", comment));
    let Some(login) = last.strip_prefix("github:") else {
        return Ok((name(comment)?, None));
    };
    let login: Actor = login.parse().map_err(|error| format!("{error}"))?;
    let called = match before.trim() {
        "" => login.as_str(),
        before => before,
    };
    Ok((name(called)?, Some(login)))
}

fn pem<'a>(
    first: &str,
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
) -> Result<TrustedKey, String> {
    let mut block = format!("{first}\n");
    for (_, line) in lines {
        block.push_str(line.trim());
        block.push('\n');
        if line.trim() == "-----END PUBLIC KEY-----" {
            let key = VerifyingKey::from_public_key_pem(&block)
                .map_err(|error| format!("not an ed25519 public key in PEM: {error}"))?;
            return trusted(key, None, None);
        }
    }
    Err(String::from("the PEM block has no end line"))
}

/// A key without a name is called by its fingerprint.
fn trusted(
    key: VerifyingKey,
    name: Option<KeyName>,
    login: Option<Actor>,
) -> Result<TrustedKey, String> {
    let key = PublicKey::new(key).ok_or("the key is weak: anybody can forge signatures for it")?;
    let name = name.map_or_else(
        || String::from(key.fingerprint().as_str()),
        |name| String::from(name.as_str()),
    );
    Ok(TrustedKey { name, login, key })
}

/// How many people must sign with trusted keys: at least one, at most as many as have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold(usize);

/// A threshold that no set of signatures, or an empty one, could meet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the threshold is `{threshold}`; with the trusted keys of {people} person(s) it must be a whole number from 1 to {people}"
)]
pub struct InvalidThreshold {
    threshold: String,
    people: usize,
}

impl Threshold {
    /// Reads a threshold for a set of keys.
    pub fn parse(text: &str, keys: &TrustedKeys) -> Result<Self, InvalidThreshold> {
        let people = keys.people();
        let invalid = || InvalidThreshold {
            threshold: crate::text::excerpt(text, 20),
            people,
        };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let number = usize::from_str(text).map_err(|_| invalid())?;
        if (1..=people).contains(&number) {
            Ok(Self(number))
        } else {
            Err(invalid())
        }
    }

    /// One signature.
    pub const ONE: Self = Self(1);

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0 as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;
    use std::string::ToString;

    fn line(seed: u8, name: &str) -> String {
        format!(
            "{} {name}",
            PublicKey::new(key(seed).verifying_key())
                .unwrap()
                .to_openssh()
        )
    }

    fn problem(text: &str) -> String {
        TrustedKeys::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn openssh_lines_and_pem_blocks_are_read() {
        // `openssl genpkey -algorithm ed25519 | openssl pkey -pubout`, the key of RFC 8410, section 10.1.
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
        let keys = TrustedKeys::parse(&format!(
            "# approvers\n\n{}\n{pem}\n",
            line(1, "alice@example.org")
        ))
        .unwrap();
        assert_eq!(keys.as_slice().len(), 2);
        assert_eq!(keys.as_slice()[0].name, "alice@example.org");
        // `ssh-keygen -l` of the same key.
        let fingerprint = "SHA256:ebCT4wkJOqO5AIlHG03cHvn3Cr3ZZEEh8m81duHhR3Q";
        let unnamed = &keys.as_slice()[1];
        assert_eq!(
            (unnamed.name.as_str(), unnamed.key.fingerprint().as_str()),
            (fingerprint, fingerprint)
        );
        assert_eq!(
            (
                format!("{}", unnamed.key.fingerprint()),
                format!("{:?}", unnamed.key)
            ),
            (fingerprint.into(), fingerprint.into())
        );
        assert_eq!(
            keys.as_slice()[0].key.verifying_key(),
            key(1).verifying_key()
        );
    }

    #[test]
    fn two_keys_on_one_line_are_refused() {
        let refused =
            "line 1: there is another key on this line; put each key on a line of its own";
        let (alice, bob) = (line(1, "alice"), line(2, "bob"));
        for between in [" ", ", ", ",", ";", "; ", " github:alice "] {
            assert_eq!(
                problem(&format!("{alice}{between}{bob}")),
                refused,
                "{between:?}"
            );
        }
        for kind in [
            "sk-ssh-ed25519@openssh.com",
            "ecdsa-sha2-nistp256",
            "ssh-rsa",
        ] {
            assert_eq!(
                problem(&format!("{alice} {kind} AAAA carol")),
                refused,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_key_counts_once_whatever_it_is_called() {
        let text = format!("{}\n{}", line(1, "alice"), line(1, "bob"));
        assert_eq!(
            problem(&text),
            "line 2: the key of `alice` stands here again as `bob`"
        );
    }

    #[test]
    fn a_list_in_which_people_cannot_be_told_apart_is_refused() {
        for (owners, refused) in [
            (
                ["alice github:a", "alice github:b"],
                "line 2: two keys have the name `alice`, but different logins",
            ),
            (
                ["alice github:a", "alice"],
                "line 2: the name `alice` is used with the login a and without a login",
            ),
            (
                ["alice", "ALICE"],
                "line 2: the names `alice` and `ALICE` differ in their spelling alone",
            ),
        ] {
            let text = format!("{}\n{}", line(1, owners[0]), line(2, owners[1]));
            assert!(problem(&text).starts_with(refused), "{}", problem(&text));
        }
    }

    #[test]
    fn sixty_four_keys_are_read_and_sixty_five_refused() {
        let lines = |count: u8| {
            (1..=count)
                .map(|seed| line(seed, "a"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(
            TrustedKeys::parse(&lines(64)).map(|keys| keys.as_slice().len()),
            Ok(64)
        );
        assert_eq!(problem(&lines(65)), "line 65: more than 64 keys");
    }

    #[test]
    fn a_list_may_have_64_kib_and_not_a_byte_more() {
        let key = line(1, "a");
        let filled = |bytes: usize| format!("{key}{}", " ".repeat(bytes - key.len()));
        assert_eq!(
            TrustedKeys::parse(&filled(65536)).map(|keys| keys.as_slice().len()),
            Ok(1)
        );
        assert_eq!(
            problem(&filled(65537)),
            "line 1: 65537 bytes are more than the 65536 allowed"
        );
    }

    #[test]
    fn other_kinds_of_keys_and_lines_are_refused_with_their_line() {
        assert_eq!(problem(""), "line 1: there is no key");
        assert_eq!(
            problem("\nssh-rsa AAAA bob"),
            "line 2: expected `ssh-ed25519 AAAA… name`, found a line that begins with `ssh-rsa`"
        );
        assert_eq!(
            problem(&format!("restrict {}", line(1, "a"))),
            "line 1: expected `ssh-ed25519 AAAA… name`, found a line that begins with `restrict`"
        );
        assert!(problem("ssh-ed25519 AAAA bob").starts_with("line 1: not an OpenSSH public key"));
        assert_eq!(
            problem("-----BEGIN PUBLIC KEY-----\nAAAA"),
            "line 1: the PEM block has no end line"
        );
    }

    #[test]
    fn a_weak_key_is_refused_when_it_is_loaded() {
        let identity: [u8; 32] = core::array::from_fn(|index| u8::from(index == 0));
        let key = ssh_key::PublicKey::from(Ed25519PublicKey(identity))
            .to_openssh()
            .unwrap();
        assert_eq!(
            problem(&key),
            "line 1: the key is weak: anybody can forge signatures for it"
        );
    }

    #[test]
    fn a_threshold_lies_between_one_and_the_number_of_people() {
        let keys = TrustedKeys::parse(&format!("{}\n{}", line(1, "a"), line(2, "b"))).unwrap();
        assert_eq!(Threshold::parse("1", &keys), Ok(Threshold::ONE));
        assert_eq!(Threshold::parse("2", &keys).map(Threshold::get), Ok(2));
        for text in ["0", "3", "-1", "", "1.5", "+1", "99999999999999999999999"] {
            let error = Threshold::parse(text, &keys).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "the threshold is `{}`; with the trusted keys of 2 person(s) it must be a whole number from 1 to 2",
                    crate::text::excerpt(text, 20)
                )
            );
        }
    }
}
