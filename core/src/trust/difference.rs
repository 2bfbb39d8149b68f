//! What a version changes: told apart by the keys themselves, because names can be chosen to look like others.

use alloc::vec::Vec;

use super::{KnownKey, TrustVersion};
use crate::{authority::Pin, timestamp::Timestamp};

/// One thing in which a version differs from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A key that the version before did not have.
    Added(&'a KnownKey),
    /// A key that is no longer there.
    Removed(&'a KnownKey),
    /// A key that is revoked now, or at another moment than before.
    Revoked(&'a KnownKey, Timestamp),
    /// A key with another name or another login.
    Renamed {
        /// The key as it was.
        from: &'a KnownKey,
        /// The key as it is now.
        to: &'a KnownKey,
    },
    /// A key that is valid at other times.
    Times {
        /// The key as it was.
        from: &'a KnownKey,
        /// The key as it is now.
        to: &'a KnownKey,
    },
    /// Another number of people must sign.
    Threshold {
        /// How many had to.
        from: u64,
        /// How many must now.
        to: u64,
    },
    /// Another policy is fixed.
    Policy {
        /// The policy that was fixed.
        from: Option<Pin>,
        /// The policy that is fixed now.
        to: Option<Pin>,
    },
}

impl TrustVersion {
    /// What this version changes; what takes something away comes first.
    #[must_use]
    pub fn changes_from<'a>(&'a self, before: &'a Self) -> Vec<Change<'a>> {
        let kept = |key: &&KnownKey| self.find(key).is_some();
        let removed = before.keys.iter().filter(|key| !kept(key));
        let mut changes: Vec<Change<'a>> = removed.map(Change::Removed).collect();

        for key in &self.keys {
            match before.find(key) {
                None => changes.push(Change::Added(key)),
                Some(known) => changes.extend(known.changes_to(key)),
            }
        }
        if self.threshold != before.threshold {
            changes.push(Change::Threshold {
                from: before.threshold,
                to: self.threshold,
            });
        }
        if self.policy != before.policy {
            changes.push(Change::Policy {
                from: before.policy,
                to: self.policy,
            });
        }
        changes
    }

    fn find(&self, key: &KnownKey) -> Option<&KnownKey> {
        self.keys.iter().find(|known| known.key == key.key)
    }
}

impl KnownKey {
    fn changes_to<'a>(&'a self, now: &'a Self) -> Vec<Change<'a>> {
        let mut changes = Vec::new();
        if let Some(at) = now.revoked_at.filter(|_| now.revoked_at != self.revoked_at) {
            changes.push(Change::Revoked(now, at));
        }
        if (&self.name, &self.login) != (&now.name, &now.login) {
            changes.push(Change::Renamed {
                from: self,
                to: now,
            });
        }
        if (self.not_before, self.not_after) != (now.not_before, now.not_after) {
            changes.push(Change::Times {
                from: self,
                to: now,
            });
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::PublicKey, testing::key};
    use std::vec;

    fn known(seed: u8, name: &str) -> KnownKey {
        KnownKey {
            name: name.into(),
            login: None,
            key: PublicKey::new(key(seed).verifying_key()).unwrap(),
            not_before: None,
            not_after: None,
            revoked_at: None,
        }
    }

    fn version(keys: &[KnownKey]) -> TrustVersion {
        TrustVersion {
            version: 1,
            previous: None,
            issued_at: moment(),
            threshold: 1,
            policy: None,
            keys: keys.into(),
        }
    }

    fn moment() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn another_key_of_the_same_name_is_one_that_came_and_one_that_went() {
        let before = version(&[known(1, "alice"), known(2, "carol")]);
        let after = version(&[known(1, "alice"), known(3, "carol")]);
        assert_eq!(
            after.changes_from(&before),
            [
                Change::Removed(&before.keys[1]),
                Change::Added(&after.keys[1])
            ]
        );
    }

    #[test]
    fn a_key_is_followed_through_its_names_times_and_revocation() {
        let before = version(&[known(1, "alice")]);
        let mut after = before.clone();
        after.keys[0].name = "bob".into();
        after.keys[0].not_after = Some(moment());
        after.keys[0].revoked_at = Some(moment());
        let (from, to) = (&before.keys[0], &after.keys[0]);
        assert_eq!(
            after.changes_from(&before),
            [
                Change::Revoked(to, moment()),
                Change::Renamed { from, to },
                Change::Times { from, to }
            ]
        );
    }

    #[test]
    fn threshold_and_policy_are_compared() {
        let before = version(&[known(1, "alice"), known(2, "bob")]);
        let policy = Pin {
            version: 1,
            digest: crate::digest::Digest::of(b""),
        };
        let after = TrustVersion {
            threshold: 2,
            policy: Some(policy),
            ..before.clone()
        };
        assert_eq!(
            after.changes_from(&before),
            vec![
                Change::Threshold { from: 1, to: 2 },
                Change::Policy {
                    from: None,
                    to: Some(policy)
                }
            ]
        );
        assert_eq!(before.changes_from(&before), []);
    }
}
