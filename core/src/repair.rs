//! Accepts known damage of a ledger: enough people of the trust file say which commits are wrong, in which
//! respect, and that they know why.

use alloc::{format, string::String, vec::Vec};

use serde::Serialize;

use crate::{
    json::{Malformed, Object, Value},
    keys::{Threshold, TrustedKey, TrustedKeys},
    ledger::Aspect,
    name::{CommitId, Host, Title},
    operation::Target,
    statement::{Signed, Statement, Unverified, Verified},
    timestamp::Timestamp,
};

/// Most commits that one statement names.
pub const MAX_DAMAGES: usize = 256;

/// What people sign to accept damage. It allows nothing to the publisher: verifications list what it
/// names as accepted, and fail for everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repair {
    /// Where the repository is.
    pub host: Host,
    /// The repository whose ledger it is.
    #[serde(flatten)]
    pub target: Target,
    /// What is accepted, each once.
    #[cfg_attr(test, schemars(length(min = 1, max = MAX_DAMAGES)))]
    pub damages: Vec<Damage>,
    /// When it was signed first.
    pub issued_at: Timestamp,
    /// What happened, in the signers' words.
    pub reason: Title,
}

/// One commit, and what is wrong about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Damage {
    /// The commit of the ledger's branch: for a bad entry the one that added it.
    pub commit: CommitId,
    /// The aspect under which `ledger verify` reports it.
    pub code: Aspect,
}

/// Why a statement accepts nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRepair {
    /// It cannot be read, or no trusted key signed it.
    #[error("the acceptance of damage cannot be used: {0}")]
    Unverified(#[from] Unverified),
    /// Too few people signed it.
    #[error("{signed} person(s) signed the acceptance of damage, {threshold} must")]
    ThresholdUnmet {
        /// How many did.
        signed: usize,
        /// How many must.
        threshold: usize,
    },
    /// It is for another ledger.
    #[error("the acceptance of damage is for {said}, but this is the ledger of {found}")]
    Elsewhere {
        /// Host and repository that it names.
        said: String,
        /// Those at hand.
        found: String,
    },
    /// It names damage that is not there.
    #[error(
        "the acceptance of damage names `{code}` in commit {commit}, which is not what was found there"
    )]
    NotThere {
        /// The commit.
        commit: CommitId,
        /// In which respect.
        code: Aspect,
    },
}

impl BadRepair {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unverified(_) => "repair_unverified",
            Self::ThresholdUnmet { .. } => "repair_threshold_unmet",
            Self::Elsewhere { .. } => "repair_elsewhere",
            Self::NotThere { .. } => "repair_not_there",
        }
    }
}

impl Statement for Repair {
    const PAYLOAD_TYPE: &'static str = "application/vnd.countersign.repair+json";

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        let repair = Self {
            host: object.take("host")?.name()?,
            target: Target::from_members(object)?,
            damages: damages(object.take("damages")?)?,
            issued_at: object.take("issued_at")?.name()?,
            reason: object.take("reason")?.name()?,
        };
        Ok(repair)
    }
}

fn damages(value: Value) -> Result<Vec<Damage>, Malformed> {
    let wrong = value.refuse(format!("expected 1 to {MAX_DAMAGES} damages, each once"));
    let damages: Vec<Damage> = value
        .list()?
        .into_iter()
        .map(|value| {
            let mut object = value.object()?;
            let damage = Damage {
                commit: object.take("commit")?.name()?,
                code: object.take("code")?.name()?,
            };
            object.end()?;
            Ok(damage)
        })
        .collect::<Result<_, Malformed>>()?;

    let mut each: Vec<&Damage> = damages.iter().collect();
    each.sort_unstable();
    each.dedup();
    let is_sound = each.len() == damages.len() && (1..=MAX_DAMAGES).contains(&damages.len());
    if is_sound { Ok(damages) } else { Err(wrong) }
}

impl Signed<Repair> {
    /// The statement, if enough people signed it with keys that count now. Those who accept damage are
    /// as many as must sign a receipt.
    pub fn accepted_by(
        &self,
        keys: &TrustedKeys,
        threshold: Threshold,
    ) -> Result<Verified<Repair>, BadRepair> {
        let verified = self.verify(keys.as_slice())?;
        let mut people: Vec<_> = verified.signers().iter().map(TrustedKey::person).collect();
        people.sort_unstable();
        people.dedup();
        if people.len() < threshold.get() {
            return Err(BadRepair::ThresholdUnmet {
                signed: people.len(),
                threshold: threshold.get(),
            });
        }
        Ok(verified)
    }
}

impl Repair {
    /// Whether it is about this ledger. What is not known at a place is not compared.
    pub fn is_of(
        &self,
        host: Option<&Host>,
        repository: Option<crate::name::RepositoryId>,
    ) -> Result<(), BadRepair> {
        let is_host = host.is_none_or(|host| *host == self.host);
        let is_repository = repository.is_none_or(|id| id == self.target.repository_id);
        if is_host && is_repository {
            return Ok(());
        }
        let shown =
            |host: Option<&Host>| host.map_or_else(String::new, |host| format!(" on {host}"));
        Err(BadRepair::Elsewhere {
            said: format!("{} on {}", self.target, self.host),
            found: format!(
                "the repository with the number {}{}",
                repository.map_or_else(|| "?".into(), |id| format!("{id}")),
                shown(host)
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOON, commit, key, target, trust};
    use std::string::ToString;

    fn repair() -> Repair {
        let damage = |digit, code| Damage {
            commit: commit(digit),
            code,
        };
        Repair {
            host: "github.com".parse().unwrap(),
            target: target(),
            damages: [
                damage('a', Aspect::History),
                damage('b', Aspect::Signatures),
            ]
            .into(),
            issued_at: NOON,
            reason: "a script pushed to the wrong branch".parse().unwrap(),
        }
    }

    fn signed(seeds: &[u8]) -> Signed<Repair> {
        let first = Signed::signed_by(&repair(), &key(seeds[0])).unwrap();
        seeds[1..].iter().fold(first, |signed, seed| {
            signed.countersigned(&key(*seed)).unwrap()
        })
    }

    #[test]
    fn damage_is_accepted_by_as_many_people_as_must_sign() {
        let keys = trust(&[1, 2, 3]);
        let two = Threshold::parse("2", &keys).unwrap();
        assert_eq!(
            *signed(&[1, 2]).accepted_by(&keys, two).unwrap().statement(),
            repair()
        );
        let code =
            |signed: &Signed<Repair>| signed.accepted_by(&keys, two).map_err(|bad| bad.code());
        assert_eq!(code(&signed(&[1])), Err("repair_threshold_unmet"));
        assert_eq!(code(&signed(&[1, 9])), Err("repair_threshold_unmet"));
        assert_eq!(code(&signed(&[9])), Err("repair_unverified"));
    }

    #[test]
    fn a_statement_is_for_one_ledger() {
        let (host, id) = ("github.com".parse().unwrap(), target().repository_id);
        let other = "github.example.org".parse().unwrap();
        assert_eq!(repair().is_of(Some(&host), Some(id)), Ok(()));
        assert_eq!(repair().is_of(None, None), Ok(()), "a clone knows neither");
        let code = |host, id| repair().is_of(host, id).map_err(|bad| bad.code());
        assert_eq!(code(Some(&other), Some(id)), Err("repair_elsewhere"));
        let another = crate::name::RepositoryId(7);
        assert_eq!(code(Some(&host), Some(another)), Err("repair_elsewhere"));
    }

    #[test]
    fn each_damage_is_named_once_by_a_code_that_exists() {
        let read = |from: &str, to: &str| {
            let text = String::from_utf8(crate::document::to_json(&repair())).unwrap();
            assert!(text.contains(from), "{text}");
            let edited = text.replacen(from, to, 1);
            let mut object = crate::json::parse(edited.as_bytes(), 4096)
                .unwrap()
                .object()
                .unwrap();
            Repair::from_members(&mut object).map_err(|error| error.to_string())
        };
        assert_eq!(read("history", "history"), Ok(repair()));
        let twice =
            r#""damages":[{"commit":"1111111111111111111111111111111111111111","code":"chain"},"#;
        assert!(read("\"damages\":[", twice).is_ok());
        let a = commit('a');
        let again = format!(r#""damages":[{{"commit":"{a}","code":"history"}},"#);
        assert_eq!(
            read("\"damages\":[", &again),
            Err("expected 1 to 256 damages, each once (at $.damages)".into())
        );
        assert!(read("history", "everything").is_err());
    }
}
