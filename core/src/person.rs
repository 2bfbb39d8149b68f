//! People: who stands behind a key. Thresholds count people, however many keys each of them has.

use alloc::string::{String, ToString as _};
use core::fmt;

use crate::name::{Actor, KeyName};

/// A person: the GitHub login if the key's line has one, otherwise the key's name.
///
/// Two keys of one person are one voice. Logins and names are compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person(String);

impl Person {
    /// The person behind a key with this name and login.
    #[must_use]
    pub fn of(name: &str, login: Option<&Actor>) -> Self {
        Self(login.map_or_else(
            || KeyName::folded(name),
            |login| login.as_str().to_ascii_lowercase(),
        ))
    }
}

/// A name that could be one person or two, so that it is not known how often it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// Two keys have one name and two logins.
    TwoLogins {
        /// The name.
        name: String,
        /// The logins.
        logins: [String; 2],
    },
    /// Two keys have one name, and only one of them has a login.
    OneLogin {
        /// The name.
        name: String,
        /// The login.
        login: String,
    },
    /// Two keys without logins have names that differ in their spelling alone.
    Spelling {
        /// The names.
        names: [String; 2],
    },
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoLogins {
                name,
                logins: [one, other],
            } => write!(
                f,
                "two keys have the name `{name}`, but different logins, {one} and {other}: give each person a name of their own"
            ),
            Self::OneLogin { name, login } => write!(
                f,
                "the name `{name}` is used with the login {login} and without a login: write `github:{login}` behind both, or give the other person another name"
            ),
            Self::Spelling {
                names: [one, other],
            } => write!(
                f,
                "the names `{one}` and `{other}` differ in their spelling alone: write them alike if they are one person, or give each person a name of their own"
            ),
        }
    }
}

/// A key's name and its owner's login.
pub(crate) type Owner<'a> = (&'a str, Option<&'a Actor>);

/// Whether it is known of each two keys if they are one person's.
pub(crate) fn told_apart<'a>(
    owners: impl Iterator<Item = Owner<'a>> + Clone,
) -> Result<(), Ambiguous> {
    let mut rest = owners;
    while let Some(one) = rest.next() {
        for other in rest.clone() {
            apart(one, other)?;
        }
    }
    Ok(())
}

pub(crate) fn apart(
    (name, login): Owner<'_>,
    (other_name, other_login): Owner<'_>,
) -> Result<(), Ambiguous> {
    match (login, other_login) {
        (Some(login), Some(other)) if login.is(other) => Ok(()),
        (Some(login), Some(other)) if KeyName::same(name, other_name) => {
            Err(Ambiguous::TwoLogins {
                name: name.into(),
                logins: [login.to_string(), other.to_string()],
            })
        }
        (None, None) if name != other_name && KeyName::same(name, other_name) => {
            Err(Ambiguous::Spelling {
                names: [name.into(), other_name.into()],
            })
        }
        (Some(login), None) => named_alike(login, name, other_name),
        (None, Some(login)) => named_alike(login, other_name, name),
        _ => Ok(()),
    }
}

/// A name without a login must be neither the other key's name nor its login: both would be called the same.
fn named_alike(login: &Actor, with: &str, without: &str) -> Result<(), Ambiguous> {
    if KeyName::same(with, without) || KeyName::same(login.as_str(), without) {
        return Err(Ambiguous::OneLogin {
            name: without.into(),
            login: login.to_string(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn judged(owners: &[(&str, &str)]) -> Result<(), Ambiguous> {
        let logins: Vec<Option<Actor>> =
            owners.iter().map(|(_, login)| login.parse().ok()).collect();
        told_apart(
            owners
                .iter()
                .zip(&logins)
                .map(|((name, _), login)| (*name, login.as_ref())),
        )
    }

    #[test]
    fn two_keys_are_one_persons_by_the_same_login_or_by_the_same_name() {
        for owners in [
            [("alice", "alice"), ("alice laptop", "Alice")],
            [("alice", ""), ("alice", "")],
            [("alice", ""), ("bob", "")],
            [("alice", "alice"), ("bob", "")],
        ] {
            assert_eq!(judged(&owners), Ok(()), "{owners:?}");
        }
    }

    #[test]
    fn one_name_with_two_logins_is_refused() {
        assert_eq!(
            judged(&[("alice", "alice"), ("x", ""), ("Alice", "mallory")]),
            Err(Ambiguous::TwoLogins {
                name: "alice".into(),
                logins: ["alice".into(), "mallory".into()]
            })
        );
    }

    #[test]
    fn one_name_with_and_without_a_login_is_refused() {
        let refused = Err(Ambiguous::OneLogin {
            name: "alice".into(),
            login: "alice-gh".into(),
        });
        assert_eq!(judged(&[("alice", "alice-gh"), ("alice", "")]), refused);
        assert_eq!(judged(&[("alice", ""), ("ALICE", "alice-gh")]), refused);
    }

    #[test]
    fn a_name_that_is_the_login_of_another_is_refused() {
        assert_eq!(
            judged(&[("Alice at work", "alice"), ("alice", "")]),
            Err(Ambiguous::OneLogin {
                name: "alice".into(),
                login: "alice".into()
            })
        );
    }

    #[test]
    fn names_that_differ_in_case_alone_are_refused() {
        assert_eq!(
            judged(&[("Weiß", ""), ("WEISS", "")]),
            Err(Ambiguous::Spelling {
                names: ["Weiß".into(), "WEISS".into()]
            })
        );
    }

    #[test]
    fn a_person_is_the_login_and_without_one_the_name() {
        let login: Actor = "Alice".parse().unwrap();
        assert_eq!(
            Person::of("alice laptop", Some(&login)),
            Person::of("alice yubikey", "alice".parse().ok().as_ref())
        );
        assert_eq!(Person::of("Alice", None), Person::of("alice", None));
        assert_ne!(Person::of("alice", None), Person::of("bob", None));
    }
}
