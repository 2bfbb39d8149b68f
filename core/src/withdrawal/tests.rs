//! Which statements take a receipt back.

use alloc::format;
use std::string::ToString;

use super::*;
use crate::{
    document::to_json,
    dsse::Dsse,
    envelope::Envelope,
    keys::Threshold,
    statement::Unverified,
    testing::{NOON, key, terms, trust},
};

const GITHUB: &str = "github.com";

fn receipt(seeds: &[u8]) -> VerifiedReceipt {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let envelope = Envelope::sign(&terms(), &keys.iter().collect::<Vec<_>>());
    envelope.verify(&trust(seeds), Threshold::ONE).unwrap()
}

fn withdrawal() -> Withdrawal {
    let reason = "the build was not the right one".parse().unwrap();
    Withdrawal::of(&receipt(&[1]), GITHUB.parse().unwrap(), NOON, reason)
}

fn signed(by: u8, edit: impl FnOnce(&mut Withdrawal)) -> Signed<Withdrawal> {
    let mut withdrawal = withdrawal();
    edit(&mut withdrawal);
    Signed::signed_by(&withdrawal, &key(by)).unwrap()
}

fn takes_back(signed: &Signed<Withdrawal>) -> bool {
    let github = GITHUB.parse().unwrap();
    signed
        .takes_back(&receipt(&[1]), None, Some(&github))
        .is_some()
}

#[test]
fn a_receipt_is_taken_back_by_someone_who_signed_it_and_by_no_one_else() {
    assert!(takes_back(&signed(1, |_| ())));
    assert!(!takes_back(&signed(2, |_| ())), "key 2 did not sign it");
    let both = receipt(&[1, 2]);
    let by = |seed: u8| signed(seed, |_| ()).takes_back(&both, None, None).is_some();
    assert!(by(1) && by(2), "each of two can give the approval up");
    assert!(!by(3));
}

#[test]
fn a_person_can_take_back_with_another_of_their_keys() {
    let lines = |names: [&str; 2]| {
        let line = |(seed, name): (u8, &str)| {
            let key = crate::keys::PublicKey::new(key(seed).verifying_key()).unwrap();
            format!("{} {name}", key.to_openssh())
        };
        let lines = [(1, names[0]), (2, names[1])].map(line).join("\n");
        TrustedKeys::parse(&lines).unwrap()
    };
    let taken_back = |keys: &TrustedKeys| {
        let envelope = Envelope::sign(&terms(), &[&key(1)]);
        let receipt = envelope.verify(keys, Threshold::ONE).unwrap();
        signed(2, |_| ())
            .takes_back(&receipt, Some(keys), None)
            .is_some()
    };
    assert!(taken_back(&lines(["alice", "alice"])));
    assert!(!taken_back(&lines(["alice", "bob"])));
}

#[test]
fn every_member_must_be_that_of_the_receipt() {
    let others: [fn(&mut Withdrawal); 6] = [
        |said| said.receipt = Digest::of(b"another receipt"),
        |said| said.run = "99".parse().unwrap(),
        |said| said.operation_digest = Digest::of(b"another operation"),
        |said| said.target.repository_id.0 += 1,
        |said| said.target.repository = "owner/other".parse().unwrap(),
        |said| said.host = "github.example.org".parse().unwrap(),
    ];
    for (number, edit) in others.into_iter().enumerate() {
        assert!(!takes_back(&signed(1, edit)), "{number}");
    }
    let elsewhere = signed(1, |said| said.host = "github.example.org".parse().unwrap());
    assert!(
        elsewhere.takes_back(&receipt(&[1]), None, None).is_some(),
        "a clone does not know its host"
    );
}

#[test]
fn a_statement_reads_what_it_writes() {
    let signed = signed(1, |_| ());
    let again = Signed::parse(&signed.to_line()).unwrap();
    assert_eq!(again, signed);
    let verified = again.verify(trust(&[1]).as_slice()).unwrap();
    assert_eq!(*verified.statement(), withdrawal());
    assert!(verified.told().contains("key-1 (SHA256:"));
    assert!(
        verified
            .told()
            .ends_with("took it back at 2026-11-21T12:00:00Z: the build was not the right one")
    );
}

#[test]
fn a_receipts_signature_is_not_one_for_a_withdrawal() {
    let line = Envelope::sign(&terms(), &[&key(1)]).to_line();
    assert_eq!(
        Signed::<Withdrawal>::parse(&line).unwrap_err().to_string(),
        "expected `application/vnd.countersign.withdrawal+json`, found `application/vnd.in-toto+json` (at $.payloadType)"
    );

    let payload = to_json(&withdrawal());
    let as_receipt = Dsse::new(crate::envelope::PAYLOAD_TYPE, payload);
    let line = to_json(&as_receipt.signed_by(&key(1)).unwrap());
    let moved = std::string::String::from_utf8(line)
        .unwrap()
        .replace(crate::envelope::PAYLOAD_TYPE, Withdrawal::PAYLOAD_TYPE);
    let signed = Signed::<Withdrawal>::parse(&moved).unwrap();
    assert_eq!(
        signed.verify(trust(&[1]).as_slice()),
        Err(Unverified::Untrusted {
            signatures: 1,
            trusted: 1
        })
    );
}
