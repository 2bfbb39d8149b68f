//! Evidence that fits, and each way in which it does not.

use std::string::ToString;

use super::*;
use crate::{
    asset::Assets,
    authority::{Authority, Pin},
    keys::{PublicKey, Threshold, TrustedKeys},
    ledger::GithubResponse,
    operation::Target,
    receipt::Terms,
    testing::{NOON, claim_of, key, release, tag, target, terms, trust},
    timestamp::Timestamp,
    trust::{Trust, TrustFile, TrustVersion},
};

fn entry(operation: &Operation) -> Entry {
    let terms = Terms {
        operation_kind: operation.kind(),
        operation_digest: operation.digest(),
        ..terms()
    };
    Entry {
        sequence: 42,
        previous: Some(Digest::of(b"abc")),
        ..claim_of(operation, &terms)
    }
}

fn verified(
    entry: &Entry,
    keys: &TrustedKeys,
    threshold: &str,
) -> Result<VerifiedEvidence, String> {
    let evidence = UnverifiedEvidence::read(file_of(entry)).map_err(|error| error.to_string())?;
    evidence
        .verify(
            Keys::Listed(keys, Threshold::parse(threshold, keys).unwrap()),
            NOON,
        )
        .map_err(|error| error.to_string())
}

fn approved() -> ApprovedRelease {
    let evidence = verified(&entry(&release()), &trust(&[1]), "1").unwrap();
    evidence
        .release_of(
            Place::Named(&target().repository),
            &"v1.0.0".parse().unwrap(),
        )
        .unwrap()
}

fn held(name: &str, text: &str) -> HeldFile {
    HeldFile {
        name: name.into(),
        size: text.len() as u64,
        sha256: Digest::of(text.as_bytes()),
        outside: None,
    }
}

/// The evidence of a claim, as it lies next to a release.
fn file_of(entry: &Entry) -> Vec<u8> {
    let operation = entry.operation.as_ref().unwrap();
    compose(&entry.to_document(), operation)
}

fn judged(held: &[HeldFile]) -> Vec<String> {
    let told = |(name, verdict): (String, Result<(), Difference>)| {
        alloc::format!(
            "{name}: {}",
            verdict.map_or_else(|error| error.to_string(), |()| "ok".into())
        )
    };
    approved().judge(held).into_iter().map(told).collect()
}

#[test]
fn evidence_is_the_claims_file_and_nothing_else() {
    let entry = entry(&release());
    let read = UnverifiedEvidence::read(file_of(&entry)).unwrap();
    assert_eq!(
        (read.entry_id(), read.entry_file(), read.bytes()),
        (entry.id(), entry.to_document(), file_of(&entry).as_slice())
    );
    assert_eq!(
        verified(&entry, &trust(&[1]), "1").unwrap().bytes(),
        file_of(&entry)
    );
    let spaced = String::from_utf8(file_of(&entry))
        .unwrap()
        .replacen(',', ", ", 1)
        .into_bytes();
    assert_eq!(
        UnverifiedEvidence::read(spaced).unwrap_err().to_string(),
        "`countersign-receipt.json` is not evidence as Countersign writes it: the file was changed after Countersign wrote it (at byte 16)"
    );
    let outcome = Entry {
        event_type: EventType::Succeeded,
        receipt: None,
        github_response: Some(GithubResponse::default()),
        ..entry
    };
    assert_eq!(
        UnverifiedEvidence::read(file_of(&outcome))
            .unwrap_err()
            .to_string(),
        "`countersign-receipt.json` holds entry 42, which is `github_publisher.operation.succeeded` and no claim"
    );
}

#[test]
fn signatures_threshold_and_bindings_must_hold() {
    let entry = entry(&release());
    assert!(verified(&entry, &trust(&[1]), "1").is_ok());
    let other = verified(&entry, &trust(&[2]), "1").unwrap_err();
    assert!(other.starts_with("signatures: entry 42: "), "{other}");
    let two = verified(&entry, &trust(&[1, 2]), "2").unwrap_err();
    assert_eq!(
        two,
        "signatures: entry 42: 1 person(s) signed the receipt with trusted keys, 2 must; signed by `key-1`, still missing of `key-2`"
    );
    // The receipt of another operation, swapped in.
    let swapped = Entry {
        receipt: self::entry(&tag()).receipt,
        receipts: self::entry(&tag()).receipts,
        ..entry.clone()
    };
    let swapped = verified(&swapped, &trust(&[1]), "1").unwrap_err();
    assert!(
        swapped.starts_with("bindings: entry 42: its receipt is for operation sha256:"),
        "{swapped}"
    );
    let late = Entry {
        timestamp: NOON.plus(3600),
        ..entry
    };
    let late = verified(&late, &trust(&[1]), "1").unwrap_err();
    assert!(late.starts_with("bindings: entry 42: it was claimed at 2026-11-21T13:00:00Z, but its receipt counts from"), "{late}");
}

#[test]
fn evidence_is_for_one_tag_of_one_repository() {
    let evidence = || verified(&entry(&release()), &trust(&[1]), "1").unwrap();
    let (
        tag,
        Target {
            repository,
            repository_id,
        },
    ) = ("v1.0.0".parse().unwrap(), target());
    assert_eq!(
        evidence()
            .release_of(Place::Numbered(repository_id), &tag)
            .as_ref(),
        Ok(&approved())
    );
    assert_eq!(
        evidence()
            .release_of(Place::Named(&"Owner/Repo".parse().unwrap()), &tag)
            .as_ref(),
        Ok(&approved())
    );
    for (place, tag, problem) in [
        (
            Place::Numbered(RepositoryId(7)),
            "v1.0.0",
            "the evidence is for the repository owner/repo (id 123456), but the one with the number 7 is asked for",
        ),
        (
            Place::Named(&"owner/other".parse().unwrap()),
            "v1.0.0",
            "the evidence is for the repository owner/repo (id 123456), but owner/other is asked for",
        ),
        (
            Place::Named(&repository),
            "v1.0.1",
            "the evidence is for the tag `v1.0.0`, but `v1.0.1` is asked for",
        ),
    ] {
        assert_eq!(
            evidence()
                .release_of(place, &tag.parse().unwrap())
                .unwrap_err()
                .to_string(),
            problem
        );
    }
    let tagged = verified(&entry(&self::tag()), &trust(&[1]), "1").unwrap();
    let tagged = tagged
        .release_of(Place::Named(&repository), &tag)
        .unwrap_err();
    assert_eq!(
        tagged.to_string(),
        "the evidence is for `tag_repo`, but a release is asked for"
    );
    assert_eq!(
        tagged.remedy(),
        "Take the evidence of this very release; if that is what the release carries, somebody put another one in its place."
    );
}

#[test]
fn every_approved_file_is_there_and_no_other() {
    assert_eq!(
        judged(&[held("app.tar.gz", "abc"), held(NAME, "anything")]),
        ["app.tar.gz: ok"]
    );
    let approved = Digest::of(b"abc");
    assert_eq!(
        judged(&[]),
        [alloc::format!(
            "app.tar.gz: it is not there, but 3 bytes with {approved} were approved"
        )]
    );
    assert_eq!(
        judged(&[held("app.tar.gz", "abcd")]),
        ["app.tar.gz: it has 4 bytes, but 3 were approved"]
    );
    assert_eq!(
        judged(&[held("app.tar.gz", "abd")]),
        [alloc::format!(
            "app.tar.gz: its bytes have {}, but {approved} was approved",
            Digest::of(b"abd")
        )]
    );
    assert_eq!(
        judged(&[held("app.tar.gz", "abc"), held("app.TAR.gz", "abc")]),
        ["app.tar.gz: ok", "app.TAR.gz: nobody approved it"]
    );
}

/// Two versions, each signed by a keeper; the second revokes the approver's key, or not.
fn history(revoked_at: Option<Timestamp>) -> Trust {
    let line = |seed: u8| {
        PublicKey::new(key(seed).verifying_key())
            .unwrap()
            .to_openssh()
    };
    let version = |number: u64, member: &str| {
        alloc::format!(
            "version = {number}\nthreshold = 1\n[[key]]\nname = \"alice\"\nkey = \"{}\"\n{member}\n[[key]]\nname = \"keeper\"\nkey = \"{}\"\n",
            line(1),
            line(2)
        )
    };
    let first = TrustVersion::from_toml(&version(1, ""), None, NOON, None).unwrap();
    let mut file = TrustFile::begin(&first);
    file.sign(&key(2)).unwrap();
    let member = revoked_at.map_or(String::new(), |at| alloc::format!("revoked_at = \"{at}\""));
    let next =
        TrustVersion::from_toml(&version(2, &member), file.root(), NOON.plus(7200), None).unwrap();
    file.add(&next);
    file.sign(&key(2)).unwrap();
    file.verify(None, NOON.plus(7200)).unwrap()
}

/// Whoever stole a key can date a claim to a time when the key still counted: only the ledger knows better.
#[test]
fn evidence_that_rests_on_a_key_revoked_since_says_so() {
    let pinned = |trust: &Trust| {
        let first = Pin {
            version: 1,
            digest: trust.newest().previous.unwrap(),
        };
        Entry {
            authority: Authority {
                trust: Some(first),
                policy: None,
            },
            ..entry(&release())
        }
    };
    for (revoked_at, expected) in [(None, false), (Some(NOON.plus(7000)), true)] {
        let trust = history(revoked_at);
        let evidence = UnverifiedEvidence::read(file_of(&pinned(&trust)))
            .unwrap()
            .verify(Keys::Trust(&trust, 1), NOON.plus(7200))
            .unwrap();
        assert_eq!(evidence.rests_on_past(), expected);
    }
}

/// The entry itself names the version that decided: whoever forges one names the weakest.
#[test]
fn evidence_that_names_no_version_or_a_weaker_one_rests_on_the_past() {
    let line = |seed: u8| {
        PublicKey::new(key(seed).verifying_key())
            .unwrap()
            .to_openssh()
    };
    let version = |number: u64, threshold: u64| {
        alloc::format!(
            "version = {number}\nthreshold = {threshold}\n[[key]]\nname = \"alice\"\nkey = \"{}\"\n[[key]]\nname = \"keeper\"\nkey = \"{}\"\n",
            line(1),
            line(2)
        )
    };
    let mut file =
        TrustFile::begin(&TrustVersion::from_toml(&version(1, 1), None, NOON, None).unwrap());
    file.sign(&key(2)).unwrap();
    let root = file.root().unwrap();
    file.add(&TrustVersion::from_toml(&version(2, 2), Some(root), NOON, None).unwrap());
    file.sign(&key(1)).unwrap();
    file.sign(&key(2)).unwrap();
    let trust = file.verify(None, NOON).unwrap();
    for pin in [
        None,
        Some(Pin {
            version: 1,
            digest: root,
        }),
    ] {
        let forged = Entry {
            authority: Authority {
                trust: pin,
                policy: None,
            },
            ..entry(&release())
        };
        let evidence = UnverifiedEvidence::read(file_of(&forged))
            .unwrap()
            .verify(Keys::Trust(&trust, 1), NOON)
            .unwrap();
        assert!(evidence.rests_on_past(), "{pin:?}");
    }
    let two = UnverifiedEvidence::read(file_of(&entry(&release())))
        .unwrap()
        .verify(Keys::Trust(&trust, 2), NOON);
    assert!(two.unwrap_err().to_string().contains("2 must"));
}

#[test]
fn a_release_of_a_thousand_assets_has_no_room_for_evidence() {
    let Operation::PublishRelease(mut release) = release() else {
        unreachable!()
    };
    let one = release.assets.as_slice()[0].clone();
    let asset = |number: usize| Asset {
        name: alloc::format!("a{number}").parse().unwrap(),
        ..one.clone()
    };
    let many = |count: usize| Assets::new((0..count).map(asset).collect()).unwrap();
    release.assets = many(999);
    assert_eq!(
        AttachReceipt::Yes.fits(&Operation::PublishRelease(release.clone())),
        Ok(())
    );
    release.assets = many(1000);
    let full = Operation::PublishRelease(release);
    assert_eq!(AttachReceipt::No.fits(&full), Ok(()));
    assert_eq!(
        AttachReceipt::Yes.fits(&full).unwrap_err().to_string(),
        "1000 assets leave no room for `countersign-receipt.json`: a release may have 1000 in all"
    );
}

#[test]
fn no_asset_that_is_approved_has_the_name_of_the_evidence() {
    let Operation::PublishRelease(release) = release() else {
        unreachable!()
    };
    for name in [NAME, "Countersign-Receipt.JSON"] {
        let asset = Asset {
            name: name.parse().unwrap(),
            ..release.assets.as_slice()[0].clone()
        };
        assert_eq!(
            Assets::new([asset].into()),
            Err(InvalidAssets::Reserved(name.parse().unwrap()))
        );
    }
}
