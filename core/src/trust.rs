//! The trust file: versions of the set of trusted keys, each signed by enough keys of the set before it and of its own.

mod difference;

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Serialize, Serializer};

pub use self::difference::Change;
use crate::{
    authority::Pin,
    digest::Digest,
    document::{Document, to_json},
    dsse::{Dsse, NotSigned, Signs},
    json::{self, Malformed, Object, Value},
    keys::{MOST_KEYS, PublicKey, RetiredKey, Retirement, Threshold, TrustedKey, TrustedKeys},
    name::Actor,
    person::{self, Person},
    tables::{self, Misplaced, Table},
    timestamp::Timestamp,
};

/// The payload type of one version.
pub const PAYLOAD_TYPE: &str = "application/vnd.countersign.trust+json";
/// Most versions of one file.
pub const MOST_VERSIONS: usize = 256;
/// A version may be issued by a clock that is ahead by this many seconds.
const MOST_AHEAD: u64 = 60;

/// A key, its owner and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownKey {
    /// What policies and reports call its owner.
    #[cfg_attr(test, schemars(with = "crate::name::KeyName"))]
    pub name: String,
    /// The owner's login on GitHub, if it is known.
    pub login: Option<Actor>,
    /// The key.
    #[serde(serialize_with = "line")]
    #[cfg_attr(test, schemars(with = "crate::schema::KeyLine"))]
    pub key: PublicKey,
    /// The first second at which it counts.
    pub not_before: Option<Timestamp>,
    /// The first second at which it no longer counts.
    pub not_after: Option<Timestamp>,
    /// Since when it is known to be in wrong hands, or no longer needed.
    pub revoked_at: Option<Timestamp>,
}

fn line<S: Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&key.to_openssh())
}

impl KnownKey {
    /// Whether the key counts at a moment.
    pub fn standing(&self, now: Timestamp) -> Result<(), Retirement> {
        if let Some(since) = self.revoked_at.filter(|since| now >= *since) {
            return Err(Retirement::Revoked(since));
        }
        if let Some(at) = self.not_after.filter(|at| now >= *at) {
            return Err(Retirement::Ended(at));
        }
        self.not_before
            .filter(|from| now < *from)
            .map_or(Ok(()), |from| Err(Retirement::NotYet(from)))
    }

    fn person(&self) -> Person {
        Person::of(&self.name, self.login.as_ref())
    }

    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let mut time = |member: &str| object.take(member)?.nullable().map(Value::name).transpose();
        let (not_before, not_after, revoked_at) =
            (time("not_before")?, time("not_after")?, time("revoked_at")?);
        let key = Self {
            name: object
                .take("name")?
                .name::<crate::name::KeyName>()?
                .as_str()
                .into(),
            login: object
                .take("login")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            key: object.take("key")?.name()?,
            not_before,
            not_after,
            revoked_at,
        };
        object.end()?;
        Ok(key)
    }

    fn from_table(mut table: Table<'_>) -> Result<Self, Misplaced> {
        let mut time = |member: &str| {
            table
                .take_optional(member)
                .map(tables::Value::name)
                .transpose()
        };
        let (not_before, not_after, revoked_at) =
            (time("not_before")?, time("not_after")?, time("revoked_at")?);
        let key = Self {
            name: table
                .take("name")?
                .name::<crate::name::KeyName>()?
                .as_str()
                .into(),
            login: table
                .take_optional("login")
                .map(tables::Value::name)
                .transpose()?,
            key: table.take("key")?.name()?,
            not_before,
            not_after,
            revoked_at,
        };
        table.end()?;
        Ok(key)
    }
}

/// One version: the keys from now on, and how many of them must agree on the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrustVersion {
    /// From 1, without gaps.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub version: u64,
    /// Digest of the version before it; null in the first.
    pub previous: Option<Digest>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// How many people must sign a receipt, or the next version, with its keys.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_KEYS)))]
    pub threshold: u64,
    /// The one policy that may decide with these keys; null if it is not fixed.
    pub policy: Option<Pin>,
    /// The keys, revoked ones too.
    #[cfg_attr(test, schemars(length(min = 1, max = MOST_KEYS)))]
    pub keys: Vec<KnownKey>,
}

impl TrustVersion {
    fn from_payload(payload: &[u8]) -> Result<Self, Malformed> {
        let mut object = json::parse(payload, tables::MOST_BYTES)?.object()?;
        let version = Self {
            version: object.take("version")?.number()?,
            previous: object
                .take("previous")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            issued_at: object.take("issued_at")?.name()?,
            threshold: object.take("threshold")?.number()?,
            policy: object
                .take("policy")?
                .nullable()
                .map(Pin::from_json)
                .transpose()?,
            keys: object
                .take("keys")?
                .list()?
                .into_iter()
                .map(KnownKey::from_json)
                .collect::<Result<_, _>>()?,
        };
        object.end()?;
        Ok(version)
    }

    /// Reads what people write: `version`, `threshold` and one `[[key]]` for each key.
    pub fn from_toml(
        text: &str,
        previous: Option<Digest>,
        issued_at: Timestamp,
        policy: Option<Pin>,
    ) -> Result<Self, Misplaced> {
        let mut table = tables::parse(text)?;
        let version = Self {
            version: table.take("version")?.number()?,
            previous,
            issued_at,
            threshold: table.take("threshold")?.number()?,
            policy,
            keys: table
                .tables("key")?
                .into_iter()
                .map(KnownKey::from_table)
                .collect::<Result<_, _>>()?,
        };
        let nonsense = table.refuse(version.sound().err().unwrap_or_default());
        table.end()?;
        if version.sound().is_ok() {
            Ok(version)
        } else {
            Err(nonsense)
        }
    }

    /// Whether it can be used: no key is listed twice, people can be told apart, and enough of them can sign.
    fn sound(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("a version begins with 1".into());
        }
        if self.keys.len() > MOST_KEYS {
            return Err(format!("more than {MOST_KEYS} keys"));
        }
        let mut keys = BTreeSet::new();
        for key in &self.keys {
            if !keys.insert(key.key.to_openssh()) {
                return Err(format!("the key of `{}` stands twice", key.name));
            }
        }
        let owners = self
            .keys
            .iter()
            .map(|key| (key.name.as_str(), key.login.as_ref()));
        person::told_apart(owners).map_err(|ambiguous| ambiguous.to_string())?;
        let usable = people(self.usable(self.issued_at));
        if usable == 0 {
            return Err("no key counts when it is issued: expected one [[key]] at least".into());
        }
        if self.threshold == 0 || self.threshold > usable {
            return Err(format!(
                "the threshold is {}, but {usable} person(s) have keys that count when it is issued; expected 1 to {usable}",
                self.threshold
            ));
        }
        Ok(())
    }

    /// How many people have its keys, those that do not count now too.
    #[must_use]
    pub fn people(&self) -> u64 {
        people(self.keys.iter())
    }

    fn usable(&self, at: Timestamp) -> impl Iterator<Item = &KnownKey> {
        self.keys.iter().filter(move |key| key.standing(at).is_ok())
    }

    fn keys_at(&self, now: Timestamp) -> Result<(TrustedKeys, Threshold), InvalidTrust> {
        let (mut keys, mut retired) = (Vec::new(), Vec::new());
        for known in &self.keys {
            let KnownKey {
                name, login, key, ..
            } = known;
            match known.standing(now) {
                Ok(()) => keys.push(TrustedKey {
                    name: name.clone(),
                    login: login.clone(),
                    key: key.clone(),
                }),
                Err(why) => retired.push(RetiredKey {
                    name: name.clone(),
                    key: key.clone(),
                    why,
                }),
            }
        }
        let keys = TrustedKeys::of_trust(keys, retired);
        let count = keys.people();
        let threshold =
            Threshold::parse(&self.threshold.to_string(), &keys).map_err(|_| InvalidTrust {
                version: self.version,
                problem: format!(
                    "{count} person(s) have keys that count at {now}, {} must sign; put a new version in place",
                    self.threshold
                ),
            })?;
        Ok((keys, threshold))
    }

    fn to_payload(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// `trust.json`: every version from the first on, with its signatures. Nothing in it counts before [`TrustFile::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrustFile {
    /// From the first on.
    #[cfg_attr(test, schemars(with = "Vec<crate::schema::SignedVersion>", length(min = 1, max = MOST_VERSIONS)))]
    versions: Vec<Dsse>,
}

/// Why a trust file does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of the trust file: {problem}")]
pub struct InvalidTrust {
    version: u64,
    problem: String,
}

impl Document for TrustFile {
    const MOST_BYTES: usize = 4 << 20;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let versions = object.take("versions")?;
        let number = versions.refuse(format!("expected 1 to {MOST_VERSIONS} versions"));
        let versions = versions.list()?;
        if versions.is_empty() || versions.len() > MOST_VERSIONS {
            return Err(number);
        }
        Ok(Self {
            versions: versions
                .into_iter()
                .map(|version| Dsse::from_json(version, PAYLOAD_TYPE))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl TrustFile {
    /// Begins a file with its first version, as yet unsigned.
    #[must_use]
    pub fn begin(first: &TrustVersion) -> Self {
        Self {
            versions: [Dsse::new(PAYLOAD_TYPE, first.to_payload())].into(),
        }
    }

    /// Adds the next version, as yet unsigned.
    pub fn add(&mut self, next: &TrustVersion) {
        self.versions
            .push(Dsse::new(PAYLOAD_TYPE, next.to_payload()));
    }

    /// Adds a signature to the newest version.
    pub fn sign(&mut self, signer: &dyn Signs) -> Result<(), NotSigned> {
        if let Some(newest) = self.versions.last_mut() {
            *newest = newest.signed_by(signer)?;
        }
        Ok(())
    }

    /// Digest of the first version: what workflows name to say which history they mean.
    #[must_use]
    pub fn root(&self) -> Option<Digest> {
        self.versions
            .first()
            .map(|first| Digest::of(first.payload()))
    }

    /// The file without its newest version.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let (_, before) = self.versions.split_last()?;
        (!before.is_empty()).then(|| Self {
            versions: before.into(),
        })
    }

    /// Whether the newest version could count if enough keys signed it.
    pub fn sound(&self, now: Timestamp) -> Result<(), InvalidTrust> {
        let before = self
            .before()
            .map(|before| before.verify(None, now))
            .transpose()?;
        let number = self.versions.len() as u64;
        fits(&self.proposed()?, number, before.as_ref(), now).map_err(|problem| InvalidTrust {
            version: number,
            problem,
        })
    }

    /// The newest version as it stands there, verified or not: for people who are about to sign it.
    pub fn proposed(&self) -> Result<TrustVersion, InvalidTrust> {
        let number = self.versions.len() as u64;
        let newest = self.versions.last().map_or(&[][..], Dsse::payload);
        TrustVersion::from_payload(newest).map_err(|error| InvalidTrust {
            version: number,
            problem: error.to_string(),
        })
    }

    /// Verifies the file from its root on. The root is the version with the digest that is given, else the first: it needs enough of its
    /// own keys, each later version enough keys of the one before it and enough of its own. What lies before the root is vouched for by
    /// digests, back from the root.
    pub fn verify(&self, root: Option<Digest>, now: Timestamp) -> Result<Trust, InvalidTrust> {
        let digests: Vec<Digest> = self
            .versions
            .iter()
            .map(|version| Digest::of(version.payload()))
            .collect();
        let root = self.rooted(root, &digests)?;
        let root_digest = digests[root];
        let mut trust: Option<Trust> = None;
        for (index, signed) in self.versions.iter().enumerate() {
            let number = index as u64 + 1;
            let invalid = |problem: String| InvalidTrust {
                version: number,
                problem,
            };
            let before = trust
                .as_ref()
                .map(|trust| &trust.newest)
                .filter(|_| index > root);
            if let Some(before) = before {
                // Before enough keys of the version before signed, nothing of this one is read.
                enough(before, before.keys.iter(), signed, "the version before it")
                    .map_err(invalid)?;
            }
            let version = TrustVersion::from_payload(signed.payload())
                .map_err(|error| invalid(error.to_string()))?;
            fits(&version, number, trust.as_ref(), now).map_err(invalid)?;
            if let Some(before) = before {
                enough(
                    before,
                    before.usable(version.issued_at),
                    signed,
                    "the version before it",
                )
                .map_err(invalid)?;
            }
            if index >= root {
                enough(
                    &version,
                    version.usable(version.issued_at),
                    signed,
                    "its own set",
                )
                .map_err(invalid)?;
            }
            // Who signs says when; only whoever counts now can be asked now.
            let is_stale = before.is_some_and(|before| {
                enough(before, before.usable(now), signed, "the version before it").is_err()
            });
            let next = trust.unwrap_or_else(|| Trust::before(root_digest, &version));
            trust = Some(next.then(version, digests[index], is_stale));
        }
        trust.ok_or_else(|| InvalidTrust {
            version: 1,
            problem: "there is none".into(),
        })
    }

    /// Finds the root, and follows the digests from it back to the first version.
    fn rooted(&self, root: Option<Digest>, digests: &[Digest]) -> Result<usize, InvalidTrust> {
        let Some(root) = root else { return Ok(0) };
        let Some(index) = digests.iter().position(|digest| *digest == root) else {
            let first = digests.first().map_or(String::new(), ToString::to_string);
            let problem = format!(
                "the workflow names {root} as the root of trust, but no version of the file is that one; the first is {first}"
            );
            return Err(InvalidTrust {
                version: 1,
                problem,
            });
        };
        for number in (1..=index).rev() {
            let invalid = |problem: String| InvalidTrust {
                version: number as u64 + 1,
                problem,
            };
            let version = TrustVersion::from_payload(self.versions[number].payload())
                .map_err(|error| invalid(error.to_string()))?;
            follows(&version, digests.get(number - 1).copied()).map_err(invalid)?;
        }
        Ok(index)
    }
}

/// How many people have these keys.
fn people<'a>(keys: impl Iterator<Item = &'a KnownKey>) -> u64 {
    keys.map(KnownKey::person).collect::<BTreeSet<_>>().len() as u64
}

fn enough<'a>(
    version: &TrustVersion,
    keys: impl Iterator<Item = &'a KnownKey>,
    signed: &Dsse,
    whose: &str,
) -> Result<(), String> {
    let is_signed_by = signed.is_signed_by();
    let count = people(keys.filter(|key| is_signed_by(&key.key)));
    if count >= version.threshold {
        return Ok(());
    }
    Err(format!(
        "{count} person(s) of {whose} signed it with keys that count, {} must",
        version.threshold
    ))
}

fn follows(version: &TrustVersion, previous: Option<Digest>) -> Result<(), String> {
    if version.previous == previous {
        return Ok(());
    }
    let shown =
        |digest: Option<Digest>| digest.map_or("nothing".to_string(), |digest| digest.to_string());
    Err(format!(
        "it follows {}, but the version before it is {}",
        shown(version.previous),
        shown(previous)
    ))
}

fn fits(
    version: &TrustVersion,
    number: u64,
    before: Option<&Trust>,
    now: Timestamp,
) -> Result<(), String> {
    if version.version != number {
        return Err(format!("it says that it is version {}", version.version));
    }
    follows(
        version,
        before.and_then(|before| before.digests.last().copied()),
    )?;
    if before.is_some_and(|before| version.issued_at < before.newest.issued_at) {
        return Err(format!(
            "it was issued at {}, before the version that it follows",
            version.issued_at
        ));
    }
    if version.issued_at.since(now) > MOST_AHEAD {
        return Err(format!(
            "it was issued at {}, more than {MOST_AHEAD} seconds after {now}",
            version.issued_at
        ));
    }
    // A policy that was fixed once is the least that may be fixed later, whatever lies between.
    if let (Some(old), Some(new)) = (before.and_then(|before| before.policy), version.policy)
        && (new.version < old.version || (new.version == old.version && new != old))
    {
        return Err(format!(
            "it fixes the policy {new}, but {old} was fixed before"
        ));
    }
    let revoked = before.map_or(&[][..], |before| before.revoked.as_slice());
    for key in &version.keys {
        let stays = |since: Timestamp| key.revoked_at.is_some_and(|at| at <= since);
        if revoked
            .iter()
            .any(|(known, since)| *known == key.key && !stays(*since))
        {
            return Err(format!(
                "the key of `{}` was revoked in a version before it, and a revoked key never counts again",
                key.name
            ));
        }
    }
    version.sound()
}

/// A trust file that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Digest of the version from which on signatures were verified.
    root: Digest,
    newest: TrustVersion,
    /// The versions before it.
    before: Vec<TrustVersion>,
    digests: Vec<Digest>,
    /// Versions whose signers of the version before no longer count.
    stale: Vec<u64>,
    /// The newest policy that any version fixed.
    policy: Option<Pin>,
    /// Keys that any version revoked, and since when.
    revoked: Vec<(PublicKey, Timestamp)>,
}

impl Trust {
    /// Nothing yet, but what the first version is.
    fn before(root: Digest, first: &TrustVersion) -> Self {
        Self {
            root,
            newest: first.clone(),
            before: Vec::new(),
            digests: Vec::new(),
            stale: Vec::new(),
            policy: None,
            revoked: Vec::new(),
        }
    }

    /// The same with its next version.
    fn then(mut self, version: TrustVersion, digest: Digest, is_stale: bool) -> Self {
        if is_stale {
            self.stale.push(version.version);
        }
        self.policy = version.policy.or(self.policy);
        for key in &version.keys {
            if let Some(since) = key
                .revoked_at
                .filter(|_| self.revoked.iter().all(|(known, _)| *known != key.key))
            {
                self.revoked.push((key.key.clone(), since));
            }
        }
        if !self.digests.is_empty() {
            self.before.push(self.newest);
        }
        self.digests.push(digest);
        Self {
            newest: version,
            ..self
        }
    }

    /// The first version after a known one whose signers no longer count: nobody can tell whether they did when they signed, for they
    /// say themselves when that was. A version that decided while they counted is known.
    #[must_use]
    pub fn stale_after(&self, known: u64) -> Option<u64> {
        self.stale.iter().copied().find(|version| *version > known)
    }

    /// Digest of the version from which on its signatures were verified.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// The version that counts.
    #[must_use]
    pub const fn newest(&self) -> &TrustVersion {
        &self.newest
    }

    /// Number and digest of the version that counts.
    #[must_use]
    pub fn pin(&self) -> Pin {
        Pin {
            version: self.newest.version,
            digest: self.digests.last().copied().unwrap_or(Digest::of(b"")),
        }
    }

    /// These keys without those that any version revoked, at whatever time.
    #[must_use]
    pub(crate) fn unrevoked(&self, keys: &TrustedKeys) -> TrustedKeys {
        let kept = keys.as_slice().iter().filter(|trusted| {
            self.revoked
                .iter()
                .all(|(revoked, _)| *revoked != trusted.key)
        });
        TrustedKeys::of_trust(kept.cloned().collect(), Vec::new())
    }

    /// Whether a version is part of the file's history.
    #[must_use]
    pub fn holds(&self, pin: &Pin) -> bool {
        let index = usize::try_from(pin.version)
            .ok()
            .and_then(|version| version.checked_sub(1));
        index.and_then(|index| self.digests.get(index)) == Some(&pin.digest)
    }

    /// The keys that count at a moment, and how many of them must sign.
    pub fn keys_at(&self, now: Timestamp) -> Result<(TrustedKeys, Threshold), InvalidTrust> {
        self.newest.keys_at(now)
    }

    /// The keys that counted for a decision by this version at that moment; before there was a trust file, those of its first version.
    pub fn keys_of(
        &self,
        pin: Option<&Pin>,
        then: Timestamp,
    ) -> Result<(TrustedKeys, Threshold), InvalidTrust> {
        let mut versions = self.before.iter().chain([&self.newest]);
        let Some(pin) = pin else {
            let first = versions.next().unwrap_or(&self.newest);
            return first.keys_at(then.max(first.issued_at));
        };
        let missing = || InvalidTrust {
            version: pin.version,
            problem: format!("the file does not hold it as {}", pin.digest),
        };
        versions
            .find(|version| version.version == pin.version)
            .filter(|_| self.holds(pin))
            .ok_or_else(missing)?
            .keys_at(then)
    }
}

#[cfg(test)]
mod tests;
