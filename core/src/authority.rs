//! Which trust file and which policy decided: versions that only grow, remembered on the ledger.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use serde::Serialize;

use crate::{
    digest::Digest,
    document::Document,
    json::{Malformed, Object, Value},
    policy::Policy,
    refusal::Refusal,
    timestamp::Timestamp,
    trust::{Trust, TrustFile},
};

/// One version of a trust file or a policy, by its number and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pin {
    /// The version, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub version: u64,
    /// Digest of its bytes.
    pub digest: Digest,
}

impl Pin {
    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let first = value.refuse("a version begins with 1");
        let mut object = value.object()?;
        let pin = Self {
            version: object.take("version")?.number()?,
            digest: object.take("digest")?.name()?,
        };
        object.end()?;
        if pin.version == 0 {
            Err(first)
        } else {
            Ok(pin)
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {} ({})", self.version, self.digest)
    }
}

/// A version may be so far ahead of the one that decided before; more would let one run shut out all later versions.
pub const MOST_JUMP: u64 = 1000;

/// What stood behind a decision; on the ledger, `authority.json`: the newest that ever did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Authority {
    /// The trust file; null where the workflow itself listed the keys.
    pub trust: Option<Pin>,
    /// The policy; null where none was given.
    pub policy: Option<Pin>,
}

impl Authority {
    pub(crate) fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            trust: object
                .take("trust")?
                .nullable()
                .map(Pin::from_json)
                .transpose()?,
            policy: object
                .take("policy")?
                .nullable()
                .map(Pin::from_json)
                .transpose()?,
        })
    }

    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let authority = Self::from_members(&mut object)?;
        object.end()?;
        Ok(authority)
    }

    /// What stands behind a decision by these.
    #[must_use]
    pub fn of(trust: Option<&Trust>, policy: Option<&Policy>) -> Self {
        Self {
            trust: trust.map(Trust::pin),
            policy: policy.map(Policy::pin),
        }
    }

    /// Whether this may come after what decided before: nothing is dropped, no version falls, none changes under its number.
    pub fn follows(&self, before: &Self) -> Result<(), String> {
        for (what, before, now) in [
            ("trust file", before.trust, self.trust),
            ("policy", before.policy, self.policy),
        ] {
            let Some(before) = before else { continue };
            match now {
                Some(now) if now == before => {}
                Some(now)
                    if now.version > before.version
                        && now.version - before.version <= MOST_JUMP => {}
                Some(now) if now.version > before.version => {
                    return Err(format!(
                        "the {what} is {now}, more than {MOST_JUMP} versions after {before}, which decided before"
                    ));
                }
                Some(now) => {
                    return Err(format!("the {what} is {now}, but {before} decided before"));
                }
                None => return Err(format!("there is no {what}, but {before} decided before")),
            }
        }
        Ok(())
    }
}

impl Document for Authority {
    const MOST_BYTES: usize = 4096;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Self::from_members(object)
    }
}

/// Trust file and policy as the head of the default branch holds them, where they were asked for. They
/// are what was reviewed last: a run from an older ref may have brought older ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The trust file's bytes; none if there is no such file.
    pub trust: Option<Vec<u8>>,
    /// The policy's bytes; none if there is no such file.
    pub policy: Option<Vec<u8>>,
}

impl Reviewed {
    /// Whether trust and policy are not older than these. A trust file counts only if it is a later
    /// version of the same history, verified from the same root: anyone may be able to push there.
    pub(crate) fn are_not_newer(
        &self,
        trust: Option<&Trust>,
        policy: Option<&Policy>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let rolled_back = |what, ours: Pin, found: Pin| {
            let problem = format!("the {what} is {ours}, but the default branch holds {found}");
            Err(Refusal::AuthorityRolledBack {
                what: if what == "policy" { "policy" } else { "trust" },
                problem,
            })
        };
        if let (Some(ours), Some(bytes)) = (trust, &self.trust)
            && let Ok(file) = TrustFile::from_document(bytes)
            && let Ok(found) = file.verify(Some(ours.root()), now)
            && found.pin().version > ours.pin().version
        {
            return rolled_back("trust file", ours.pin(), found.pin());
        }
        if let (Some(ours), Some(bytes)) = (policy, &self.policy)
            && let Some(found) = str::from_utf8(bytes).ok().map(Policy::parse)
            && let Ok(found) = found
            && found.version > ours.version
        {
            return rolled_back("policy", ours.pin(), found.pin());
        }
        Ok(())
    }
}

/// Whether every version of the trust file that is new to a ledger was signed by keys that count still.
pub(crate) fn fresh(trust: Option<&Trust>, known: u64) -> Result<(), Refusal> {
    trust
        .and_then(|trust| trust.stale_after(known))
        .map_or(Ok(()), |version| Err(Refusal::TrustStale { version }))
}

/// Whether trust and policy may decide on a ledger that remembers `before`.
pub(crate) fn newest(
    trust: Option<&Trust>,
    policy: Option<&Policy>,
    before: &Authority,
) -> Result<(), Refusal> {
    let rolled_back = |what, problem: String| Refusal::AuthorityRolledBack { what, problem };
    let now = Authority::of(trust, policy);
    now.follows(&Authority {
        policy: None,
        ..*before
    })
    .map_err(|problem| rolled_back("trust", problem))?;
    if let (Some(trust), Some(known)) = (trust, before.trust)
        && !trust.holds(&known)
    {
        return Err(rolled_back(
            "trust",
            format!("the trust file's history lacks {known}, which decided before: it was forked"),
        ));
    }
    // The trust file follows; what does not is the policy.
    now.follows(before)
        .map_err(|problem| rolled_back("policy", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_policy(version: u64, text: &str) -> Authority {
        Authority {
            trust: None,
            policy: Some(Pin {
                version,
                digest: Digest::of(text.as_bytes()),
            }),
        }
    }

    #[test]
    fn a_version_is_the_same_or_up_to_a_thousand_later() {
        let before = by_policy(7, "seven");
        let shown = |version: u64, text: &str| {
            format!("version {version} ({})", Digest::of(text.as_bytes()))
        };
        let seven = shown(7, "seven");
        assert_eq!(
            [7, 8, 1007].map(|version| by_policy(version, "seven").follows(&before)),
            [const { Ok(()) }; 3]
        );
        for (now, problem) in [
            (
                by_policy(1008, "new"),
                format!(
                    "the policy is {}, more than 1000 versions after {seven}, which decided before",
                    shown(1008, "new")
                ),
            ),
            (
                by_policy(6, "six"),
                format!(
                    "the policy is {}, but {seven} decided before",
                    shown(6, "six")
                ),
            ),
            (
                by_policy(7, "sieben"),
                format!(
                    "the policy is {}, but {seven} decided before",
                    shown(7, "sieben")
                ),
            ),
            (
                Authority::default(),
                format!("there is no policy, but {seven} decided before"),
            ),
        ] {
            assert_eq!(now.follows(&before), Err(problem));
        }
    }
}
