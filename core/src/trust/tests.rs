//! The rotation table: sequences of versions, and which of them hold.

use super::*;
use crate::testing::{NOON, key};

fn known(seed: u8) -> KnownKey {
    KnownKey {
        name: format!("key-{seed}"),
        login: None,
        key: PublicKey::new(key(seed).verifying_key()).unwrap(),
        not_before: None,
        not_after: None,
        revoked_at: None,
    }
}

/// A sequence of versions under construction.
struct Sequence {
    file: Option<TrustFile>,
    issued: u64,
}

impl Sequence {
    /// The first version: keys, threshold, and who signs.
    fn of(keys: &[u8], threshold: u64, signers: &[u8]) -> Self {
        Self {
            file: None,
            issued: 0,
        }
        .then(keys, threshold, signers)
    }

    /// The next version.
    fn then(self, keys: &[u8], threshold: u64, signers: &[u8]) -> Self {
        self.edited(keys, threshold, signers, |_| ())
    }

    fn edited(
        mut self,
        keys: &[u8],
        threshold: u64,
        signers: &[u8],
        edit: impl FnOnce(&mut TrustVersion),
    ) -> Self {
        let last = self.file.as_ref().and_then(|file| file.versions.last());
        let mut version = TrustVersion {
            version: self
                .file
                .as_ref()
                .map_or(0, |file| file.versions.len() as u64)
                + 1,
            previous: last.map(|last| Digest::of(last.payload())),
            issued_at: NOON.plus(self.issued),
            threshold,
            policy: None,
            keys: keys.iter().copied().map(known).collect(),
        };
        self.issued += 1;
        edit(&mut version);
        match &mut self.file {
            Some(file) => file.add(&version),
            None => self.file = Some(TrustFile::begin(&version)),
        }
        for signer in signers {
            self.file.as_mut().unwrap().sign(&key(*signer)).unwrap();
        }
        self
    }

    /// The number of the version that counts, or the error.
    fn ends(&self) -> String {
        let file = self.file.as_ref().unwrap();
        let written = TrustFile::from_document(&file.to_document()).unwrap();
        assert_eq!(&written, file);
        written.verify(file.root(), NOON.plus(10)).map_or_else(
            |error| error.to_string(),
            |trust| format!("holds at {}", trust.pin().version),
        )
    }
}

fn revoked(version: &mut TrustVersion, index: usize, at: Timestamp) {
    version.keys[index].revoked_at = Some(at);
}

fn policy(version: u64, text: &str) -> Pin {
    Pin {
        version,
        digest: Digest::of(text.as_bytes()),
    }
}

fn seeds(count: u8) -> Vec<u8> {
    (1..=count).collect()
}

/// Name, sequence, and how it ends.
type Row = (&'static str, fn() -> Sequence, &'static str);

const ROTATIONS: &[Row] = &[
    (
        "one key begins",
        || Sequence::of(&[1], 1, &[1]),
        "holds at 1",
    ),
    (
        "two of three begin",
        || Sequence::of(&[1, 2, 3], 2, &[1, 3]),
        "holds at 1",
    ),
    (
        "the first set has not agreed",
        || Sequence::of(&[1, 2, 3], 2, &[1]),
        "version 1 of the trust file: 1 person(s) of its own set signed it with keys that count, 2 must",
    ),
    (
        "a stranger begins",
        || Sequence::of(&[1], 1, &[9]),
        "version 1 of the trust file: 0 person(s) of its own set signed it with keys that count, 1 must",
    ),
    (
        "a key is added",
        || Sequence::of(&[1], 1, &[1]).then(&[1, 2], 1, &[1]),
        "holds at 2",
    ),
    (
        "the whole set changes, both agree",
        || Sequence::of(&[1, 2], 2, &[1, 2]).then(&[3, 4], 2, &[1, 2, 3, 4]),
        "holds at 2",
    ),
    (
        "the old set is missing",
        || Sequence::of(&[1, 2], 2, &[1, 2]).then(&[3, 4], 2, &[3, 4]),
        "version 2 of the trust file: 0 person(s) of the version before it signed it with keys that count, 2 must",
    ),
    (
        "the old threshold is missing",
        || Sequence::of(&[1, 2, 3], 2, &[1, 2]).then(&[1, 4], 1, &[1, 4]),
        "version 2 of the trust file: 1 person(s) of the version before it signed it with keys that count, 2 must",
    ),
    (
        "the new threshold is missing",
        || Sequence::of(&[1], 1, &[1]).then(&[2, 3], 2, &[1, 2]),
        "version 2 of the trust file: 1 person(s) of its own set signed it with keys that count, 2 must",
    ),
    (
        "the threshold rises, the new one is missing",
        || Sequence::of(&[1, 2, 3], 1, &[1]).then(&[1, 2, 3], 3, &[1, 2]),
        "version 2 of the trust file: 2 person(s) of its own set signed it with keys that count, 3 must",
    ),
    (
        "the threshold falls, the old one agrees",
        || Sequence::of(&[1, 2, 3], 2, &[1, 2]).then(&[1, 2, 3], 1, &[2, 3]),
        "holds at 2",
    ),
    (
        "the threshold falls, the old one is missing",
        || Sequence::of(&[1, 2, 3], 2, &[1, 2]).then(&[1, 2, 3], 1, &[3]),
        "version 2 of the trust file: 1 person(s) of the version before it signed it with keys that count, 2 must",
    ),
    (
        "a gap in the numbers",
        || Sequence::of(&[1], 1, &[1]).edited(&[1], 1, &[1], |version| version.version = 3),
        "version 2 of the trust file: it says that it is version 3",
    ),
    (
        "a number again",
        || Sequence::of(&[1], 1, &[1]).edited(&[1], 1, &[1], |version| version.version = 1),
        "version 2 of the trust file: it says that it is version 1",
    ),
    (
        "a version that follows another one",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1], 1, &[1], |version| {
                version.previous = Some(Digest::of(b"other"));
            })
        },
        "version 2 of the trust file: it follows sha256:",
    ),
    (
        "a version that follows nothing",
        || Sequence::of(&[1], 1, &[1]).edited(&[1], 1, &[1], |version| version.previous = None),
        "version 2 of the trust file: it follows nothing, but the version before it is sha256:",
    ),
    (
        "a version older than the one before",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| version.issued_at = NOON.minus(1))
        },
        "version 2 of the trust file: it was issued at 2026-11-21T11:59:59Z, before the version that it follows",
    ),
    (
        "a version from a clock that is a minute ahead",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| version.issued_at = NOON.plus(70))
        },
        "holds at 2",
    ),
    (
        "a version from the future",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| version.issued_at = NOON.plus(71))
        },
        "version 2 of the trust file: it was issued at 2026-11-21T12:01:11Z, more than 60 seconds after 2026-11-21T12:00:10Z",
    ),
    (
        "a revoked key signs the next version",
        || {
            Sequence::of(&[1, 2], 1, &[1])
                .edited(&[1, 2], 1, &[2], |version| revoked(version, 0, NOON))
                .then(&[2, 3], 1, &[1, 3])
        },
        "version 3 of the trust file: 0 person(s) of the version before it signed it with keys that count, 1 must",
    ),
    (
        "an expired key signs the next version",
        || {
            Sequence::of(&[2], 1, &[2])
                .edited(&[1, 2], 1, &[2], |version| {
                    version.keys[0].not_after = Some(NOON.plus(2));
                })
                .then(&[1, 3], 1, &[1])
        },
        "version 3 of the trust file: 0 person(s) of the version before it signed it with keys that count, 1 must",
    ),
    (
        "as many keys as there may be",
        || Sequence::of(&seeds(64), 1, &[1]),
        "holds at 1",
    ),
    (
        "one key more",
        || Sequence::of(&seeds(65), 1, &[1]),
        "version 1 of the trust file: more than 64 keys",
    ),
    (
        "a key signs its own revocation",
        || {
            Sequence::of(&[1, 2], 1, &[1]).edited(&[1, 2], 1, &[1], |version| {
                revoked(version, 0, NOON.plus(1));
            })
        },
        "version 2 of the trust file: 0 person(s) of its own set signed it with keys that count, 1 must",
    ),
    (
        "three rotations",
        || {
            Sequence::of(&[1], 1, &[1])
                .then(&[2], 1, &[1, 2])
                .then(&[3], 1, &[2, 3])
                .then(&[1], 1, &[3, 1])
        },
        "holds at 4",
    ),
    (
        "a broken link in the middle",
        || {
            Sequence::of(&[1], 1, &[1])
                .then(&[2], 1, &[2])
                .then(&[3], 1, &[2, 3])
        },
        "version 2 of the trust file: 0 person(s) of the version before it signed it with keys that count, 1 must",
    ),
    (
        "more than the keys are asked for",
        || Sequence::of(&[1], 1, &[1]).then(&[1, 2], 3, &[1, 2]),
        "version 2 of the trust file: the threshold is 3, but 2 person(s) have keys that count when it is issued; expected 1 to 2",
    ),
    (
        "nobody is asked for",
        || Sequence::of(&[1], 1, &[1]).then(&[1], 0, &[1]),
        "version 2 of the trust file: the threshold is 0, but 1 person(s) have keys that count when it is issued; expected 1 to 1",
    ),
    (
        "one key under two names",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 1], 2, &[1], |version| {
                version.keys[1].name = "other".into();
            })
        },
        "version 2 of the trust file: the key of `other` stands twice",
    ),
    (
        "two keys under one name are one person's",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 2], 1, &[1], |version| {
                version.keys[1].name = "key-1".into();
            })
        },
        "holds at 2",
    ),
    (
        "one person's two keys are two signatures",
        || {
            Sequence::of(&[1, 3], 2, &[1, 3]).edited(&[1, 2, 3], 2, &[1, 2], |version| {
                version.keys[1].name = "key-1".into();
            })
        },
        "version 2 of the trust file: 1 person(s) of the version before it signed it with keys that count, 2 must",
    ),
    (
        "one person's two keys by their login are two signatures of the set",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 2, 3], 2, &[1, 2], |version| {
                version.keys[0].login = "alice".parse().ok();
                version.keys[1].login = "Alice".parse().ok();
            })
        },
        "version 2 of the trust file: 1 person(s) of its own set signed it with keys that count, 2 must",
    ),
    (
        "more people are asked for than have keys",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 2], 2, &[1, 2], |version| {
                version.keys[1].name = "key-1".into();
            })
        },
        "version 2 of the trust file: the threshold is 2, but 1 person(s) have keys that count when it is issued; expected 1 to 1",
    ),
    (
        "two keys under names that differ in case",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 2], 1, &[1], |version| {
                version.keys[1].name = "KEY-1".into();
            })
        },
        "version 2 of the trust file: the names `key-1` and `KEY-1` differ in their spelling alone: write them alike if they are one person, or give each person a name of their own",
    ),
    (
        "one name with two logins",
        || {
            Sequence::of(&[1], 1, &[1]).edited(&[1, 2], 1, &[1], |version| {
                version.keys[1].name = "key-1".into();
                version.keys[0].login = "alice".parse().ok();
                version.keys[1].login = "mallory".parse().ok();
            })
        },
        "version 2 of the trust file: two keys have the name `key-1`, but different logins, alice and mallory: give each person a name of their own",
    ),
    (
        "a policy is fixed again, then its next version",
        || {
            let two = |version: &mut TrustVersion| version.policy = Some(policy(2, "two"));
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], two)
                .edited(&[1], 1, &[1], two)
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(3, "three"));
                })
        },
        "holds at 4",
    ),
    (
        "the policy's version falls",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(2, "two"));
                })
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(1, "one"));
                })
        },
        "version 3 of the trust file: it fixes the policy version 1 (sha256:",
    ),
    (
        "the policy's version falls across a gap",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(2, "two"));
                })
                .then(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(1, "one"));
                })
        },
        "version 4 of the trust file: it fixes the policy version 1 (sha256:",
    ),
    (
        "a revoked key counts again",
        || {
            Sequence::of(&[1, 2], 1, &[1])
                .edited(&[1, 2], 1, &[1], |version| revoked(version, 1, NOON))
                .then(&[1, 2], 1, &[1])
        },
        "version 3 of the trust file: the key of `key-2` was revoked in a version before it, and a revoked key never counts again",
    ),
    (
        "a revoked key stays",
        || {
            let gone = |version: &mut TrustVersion| revoked(version, 1, NOON);
            Sequence::of(&[1, 2], 1, &[1])
                .edited(&[1, 2], 1, &[1], gone)
                .edited(&[1, 2], 1, &[1], gone)
        },
        "holds at 3",
    ),
    (
        "a revocation is put off",
        || {
            Sequence::of(&[1, 2], 1, &[1])
                .edited(&[1, 2], 1, &[1], |version| revoked(version, 1, NOON))
                .edited(&[1, 2], 1, &[1], |version| {
                    revoked(version, 1, NOON.plus(1));
                })
        },
        "version 3 of the trust file: the key of `key-2` was revoked in a version before it",
    ),
    (
        "the second key that was revoked comes back",
        || {
            let first = |version: &mut TrustVersion| revoked(version, 1, NOON);
            let both = |version: &mut TrustVersion| {
                (1..=2).for_each(|index| revoked(version, index, NOON));
            };
            let set = [1, 2, 3];
            Sequence::of(&set, 1, &[1])
                .edited(&set, 1, &[1], first)
                .edited(&set, 1, &[1], both)
                .edited(&set, 1, &[1], first)
        },
        "version 4 of the trust file: the key of `key-3` was revoked in a version before it",
    ),
    (
        "a revoked key comes back after a version without it",
        || {
            Sequence::of(&[1, 2], 1, &[1])
                .edited(&[1, 2], 1, &[1], |version| revoked(version, 1, NOON))
                .then(&[1], 1, &[1])
                .then(&[1, 2], 1, &[1])
        },
        "version 4 of the trust file: the key of `key-2` was revoked in a version before it",
    ),
    (
        "the policy changes under its number",
        || {
            Sequence::of(&[1], 1, &[1])
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(2, "two"));
                })
                .edited(&[1], 1, &[1], |version| {
                    version.policy = Some(policy(2, "zwei"));
                })
        },
        "version 3 of the trust file: it fixes the policy version 2 (sha256:",
    ),
];

#[test]
fn the_rotation_table() {
    for (name, sequence, expected) in ROTATIONS {
        let ends = sequence().ends();
        assert!(ends.starts_with(expected), "{name}: {ends}");
    }
}

#[test]
fn a_history_is_the_one_that_the_workflow_names() {
    let one = Sequence::of(&[1], 1, &[1]).file.unwrap();
    let other = Sequence::of(&[2], 1, &[2]).file.unwrap();
    let problem = one.verify(other.root(), NOON).unwrap_err().to_string();
    assert!(
        problem.contains("the workflow names sha256:")
            && problem.contains("no version of the file is that one"),
        "{problem}"
    );
    assert_eq!(
        one.verify(None, NOON)
            .map(|trust| trust.holds(&trust.pin())),
        Ok(true)
    );
}

/// Alice's key counts for ten seconds; the next version is hers alone.
fn by_an_expiring_key() -> TrustFile {
    let first = Sequence {
        file: None,
        issued: 0,
    }
    .edited(&[1, 2], 1, &[1], |version| {
        version.keys[0].not_after = Some(NOON.plus(10));
    });
    first
        .then(&[3], 1, &[1, 3])
        .then(&[3, 4], 1, &[3])
        .file
        .unwrap()
}

#[test]
fn a_version_whose_signers_no_longer_count_is_stale_unless_it_is_known() {
    let file = by_an_expiring_key();
    let at = |seconds: u64, known: u64| {
        file.verify(file.root(), NOON.plus(seconds))
            .unwrap()
            .stale_after(known)
    };
    assert_eq!(
        (at(9, 0), at(10, 0), at(10, 1), at(10, 2)),
        (None, Some(2), Some(2), None)
    );
}

#[test]
fn any_version_can_be_the_root_and_vouches_for_those_before_it() {
    let file = by_an_expiring_key();
    let digests: Vec<Digest> = file
        .versions
        .iter()
        .map(|version| Digest::of(version.payload()))
        .collect();
    for (root, stale) in [(0, Some(2)), (1, None), (2, None)] {
        let trust = file.verify(Some(digests[root]), NOON.plus(10)).unwrap();
        assert_eq!(
            (trust.pin().version, trust.stale_after(0)),
            (3, stale),
            "{root}"
        );
        assert!(
            digests
                .iter()
                .zip(1..)
                .all(|(digest, version)| trust.holds(&Pin {
                    version,
                    digest: *digest
                }))
        );
    }
    // A version before the root that was exchanged is found by its digest.
    let mut exchanged = file.clone();
    exchanged.versions[0] = Sequence::of(&[1, 2, 5], 1, &[1]).file.unwrap().versions[0].clone();
    let problem = exchanged
        .verify(Some(digests[2]), NOON.plus(10))
        .unwrap_err()
        .to_string();
    assert!(
        problem.starts_with("version 2 of the trust file: it follows sha256:"),
        "{problem}"
    );
}

#[test]
fn keys_count_in_their_time_alone() {
    let sequence = Sequence {
        file: None,
        issued: 0,
    }
    .edited(&[1, 2, 3, 4], 1, &[1], |version| {
        version.keys[1].not_before = Some(NOON.plus(10));
        version.keys[2].not_after = Some(NOON.plus(10));
        revoked(version, 3, NOON.plus(10));
    });
    let trust = sequence.file.unwrap().verify(None, NOON).unwrap();
    let at = |seconds: u64| {
        let (keys, threshold) = trust.keys_at(NOON.plus(seconds)).unwrap();
        assert_eq!(threshold.get(), 1);
        let names: Vec<String> = keys.as_slice().iter().map(|key| key.name.clone()).collect();
        let retired: Vec<String> = keys
            .retired()
            .iter()
            .map(|key| format!("{}: {}", key.name, key.why))
            .collect();
        (names.join(" "), retired.join(", "))
    };
    assert_eq!(
        at(9),
        (
            "key-1 key-3 key-4".into(),
            "key-2: it counts from 2026-11-21T12:00:10Z on".into()
        )
    );
    assert_eq!(
        at(10),
        ("key-1 key-2".into(), "key-3: it counted until 2026-11-21T12:00:10Z, key-4: it was revoked at 2026-11-21T12:00:10Z".into())
    );
}

#[test]
fn a_version_that_people_write_is_read_with_line_and_column() {
    let line = PublicKey::new(key(1).verifying_key()).unwrap().to_openssh();
    let text = format!(
        "version = 1\nthreshold = 1\n\n[[key]]\nname = \"alice\"\nlogin = \"alice-gh\"\nkey = \"{line}\"\nnot_after = \"2027-01-01T00:00:00Z\"\n"
    );
    let read = |text: &str| {
        TrustVersion::from_toml(text, None, NOON, None).map_err(|error| error.to_string())
    };
    let version = read(&text).unwrap();
    assert_eq!(
        (version.keys[0].name.as_str(), version.keys[0].not_after),
        ("alice", "2027-01-01T00:00:00Z".parse().ok())
    );
    for (from, to, problem) in [
        (
            "2027-01-01T00",
            "2027-02-30T00",
            "line 8, column 13: `2027-02-30T00:00:00Z` is no time",
        ),
        (
            "threshold = 1",
            "threshold = 2",
            "line 1, column 1: the threshold is 2, but 1 person(s) have keys that count",
        ),
        (
            "ssh-ed25519",
            "ssh-rsa",
            "line 7, column 7: expected `ssh-ed25519 AAAA… name`",
        ),
        (
            "login",
            "Login",
            "line 6, column 1: the member `Login` is unknown here",
        ),
    ] {
        let told = read(&text.replace(from, to)).unwrap_err();
        assert!(told.starts_with(problem), "{told}");
    }
}

#[test]
fn a_decision_is_judged_by_the_keys_of_its_own_version() {
    let file = Sequence::of(&[1], 1, &[1])
        .then(&[2], 1, &[1, 2])
        .then(&[3], 1, &[2, 3])
        .file
        .unwrap();
    let trust = file.verify(None, NOON.plus(10)).unwrap();
    let keys = |pin: Option<Pin>| {
        let (keys, _) = trust
            .keys_of(pin.as_ref(), NOON.plus(10))
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(
            keys.as_slice()
                .iter()
                .map(|key| key.name.clone())
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let pins: Vec<Pin> = file
        .versions
        .iter()
        .zip(1..)
        .map(|(signed, version)| Pin {
            version,
            digest: Digest::of(signed.payload()),
        })
        .collect();
    for (pin, counted) in [
        (None, "key-1"),
        (Some(pins[0]), "key-1"),
        (Some(pins[1]), "key-2"),
        (Some(pins[2]), "key-3"),
    ] {
        assert_eq!(keys(pin), Ok(counted.into()));
    }
    let forged = keys(Some(Pin {
        version: 2,
        ..pins[2]
    }))
    .unwrap_err();
    assert!(
        forged.starts_with("version 2 of the trust file: the file does not hold it as sha256:"),
        "{forged}"
    );
}

#[test]
fn a_key_that_any_version_revoked_is_left_out_of_those_not_revoked() {
    let sequence = Sequence::of(&[1, 2], 1, &[1])
        .edited(&[1, 2], 1, &[1], |version| revoked(version, 1, NOON));
    let trust = sequence.file.unwrap().verify(None, NOON.plus(10)).unwrap();
    let kept = trust.unrevoked(&crate::testing::trust(&[1, 2, 3]));
    assert_eq!(
        kept.as_slice()
            .iter()
            .map(|key| key.name.as_str())
            .collect::<Vec<_>>(),
        ["key-1", "key-3"]
    );
}

#[test]
fn whoever_signs_next_sees_first_whether_the_version_could_count() {
    let one = Sequence::of(&[1], 1, &[1]);
    assert_eq!(one.file.as_ref().unwrap().before(), None);
    let first = one.file.clone();
    let unsigned = one.then(&[1, 2], 2, &[]).file.unwrap();
    assert_eq!(
        (unsigned.before(), unsigned.sound(NOON.plus(10))),
        (first.clone(), Ok(()))
    );
    let unfit = Sequence {
        file: first,
        issued: 1,
    }
    .then(&[2], 2, &[])
    .file
    .unwrap();
    assert_eq!(
        unfit.sound(NOON.plus(10)).unwrap_err().to_string(),
        "version 2 of the trust file: the threshold is 2, but 1 person(s) have keys that count when it is issued; expected 1 to 1"
    );
}

#[test]
fn a_file_may_have_256_versions_and_not_one_more() {
    let version = Sequence::of(&[1], 1, &[1]).file.unwrap().versions[0].clone();
    let read = |count: usize| {
        let file = TrustFile {
            versions: alloc::vec![version.clone(); count],
        };
        TrustFile::from_document(&file.to_document())
            .map(|file| file.versions.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(256), Ok(256));
    assert_eq!(
        read(257),
        Err("expected 1 to 256 versions (at $.versions)".into())
    );
}

#[test]
fn a_file_that_was_edited_does_not_count() {
    let file = Sequence::of(&[1], 1, &[1]).file.unwrap();
    let text = String::from_utf8(file.to_document()).unwrap();
    let edited = TrustFile::from_document(text.replacen("eyJ", "eyK", 1).as_bytes()).unwrap();
    assert!(edited.verify(file.root(), NOON).is_err_and(|error| {
        error
            .to_string()
            .contains("no version of the file is that one")
    }));
    assert_eq!(
        TrustFile::from_document(b"{\"versions\":[]}\n")
            .unwrap_err()
            .to_string(),
        "expected 1 to 256 versions (at $.versions)"
    );
}
