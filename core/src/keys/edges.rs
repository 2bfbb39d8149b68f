//! Signatures on which verifiers disagree, made here: the twelve kinds of the paper below, and keys of small order.
//!
//! Source: Chalkias, Garillot, Nikolaenko, "Taming the many `EdDSAs`" (SSR 2020, <https://eprint.iacr.org/2020/1244>), table of test vectors.
//! The vectors are built anew by their conditions: S, A and R are a signature's number and points, k its hash, L the order of the base
//! point B. Some rule in use accepts each of them, which is checked too: so a refusal says something.

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    edwards::CompressedEdwardsY,
    traits::{Identity as _, IsIdentity as _},
};
use ed25519_dalek::Verifier as _;
use sha2::{Digest as _, Sha512};

use super::*;

/// L, little-endian: RFC 8032, section 5.1.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// What a point is made of: a multiple of B, and a point of small order (an index of `EIGHT_TORSION`; 0 is none).
#[derive(Clone, Copy)]
struct Part {
    multiple: u64,
    small: usize,
    spelling: Spelling,
}

/// How a point is written, and what of it goes into the hash.
#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    Canonical,
    /// With y + p instead of y, and hashed so.
    Strange,
    /// With y + p instead of y, but hashed canonically.
    StrangeReduced,
}

/// One kind: its conditions, and whether it is accepted here.
struct Case {
    name: &'static str,
    a: Part,
    r: Part,
    /// How often L is added to S.
    more: u8,
    /// Whether SB = R + kA holds without multiplying by 8.
    holds_without_cofactor: bool,
    accepted: bool,
}

struct Made {
    key: [u8; 32],
    message: [u8; 4],
    signature: [u8; 64],
}

const fn part(multiple: u64, small: usize) -> Part {
    Part {
        multiple,
        small,
        spelling: Spelling::Canonical,
    }
}

const fn strange(multiple: u64, small: usize, spelling: Spelling) -> Part {
    Part {
        multiple,
        small,
        spelling,
    }
}

const fn refused(name: &'static str, a: Part, r: Part) -> Case {
    Case {
        name,
        a,
        r,
        more: 0,
        holds_without_cofactor: true,
        accepted: false,
    }
}

/// The index of the point of order 4 with y = 0, which p spells as well.
const ORDER_FOUR: usize = 2;

fn cases() -> [Case; 14] {
    [
        Case {
            accepted: true,
            ..refused("an ordinary signature", part(5, 0), part(7, 0))
        },
        refused("0: A and R small, S = 0", part(0, 1), part(0, 3)),
        refused("1: A small", part(0, 1), part(7, 3)),
        refused("2: R small", part(5, 1), part(0, 3)),
        // A has a part of small order, as no key has that was made by the rules; its owner alone can sign, and only in this spelling.
        // Every verifier that the paper examined accepts it.
        Case {
            accepted: true,
            ..refused("3: A and R mixed", part(5, 1), part(7, 3))
        },
        Case {
            holds_without_cofactor: false,
            ..refused(
                "4: A and R mixed, with the cofactor alone",
                part(5, 1),
                part(7, 3),
            )
        },
        Case {
            holds_without_cofactor: false,
            ..refused(
                "5: A mixed, with the cofactor alone",
                part(5, 1),
                part(7, 0),
            )
        },
        Case {
            more: 1,
            ..refused("6: S + L", part(5, 0), part(7, 0))
        },
        Case {
            more: 14,
            ..refused("7: S far above L", part(5, 0), part(7, 0))
        },
        refused(
            "8: R not canonical, reduced for the hash",
            part(5, 1),
            strange(0, ORDER_FOUR, Spelling::StrangeReduced),
        ),
        refused(
            "9: R not canonical",
            part(5, 1),
            strange(0, ORDER_FOUR, Spelling::Strange),
        ),
        refused(
            "10: A not canonical, reduced for the hash",
            strange(0, ORDER_FOUR, Spelling::StrangeReduced),
            part(7, 2),
        ),
        refused(
            "11: A not canonical",
            strange(0, ORDER_FOUR, Spelling::Strange),
            part(7, 2),
        ),
        refused(
            "the negation of 3: A and R mixed, S + L",
            part(5, 1),
            part(7, 3),
        )
        .with_more(),
    ]
}

impl Case {
    const fn with_more(self) -> Self {
        Self { more: 1, ..self }
    }

    /// Tries messages until the parts of small order cancel each other, or do not, as the case demands.
    fn make(&self) -> Made {
        let (a, r) = (self.a.point(), self.r.point());
        let small = |part: &Part| EIGHT_TORSION[part.small];
        let found = (0_u32..).map(u32::to_be_bytes).find_map(|message| {
            let k = challenge(&self.r.hashed(), &self.a.hashed(), &message);
            let cancels = (small(&self.r) + k * small(&self.a)).is_identity();
            (cancels == self.holds_without_cofactor).then_some((message, k))
        });
        let (message, k) = found.unwrap();
        let s = Scalar::from(self.r.multiple) + k * Scalar::from(self.a.multiple);
        let (eight, s_b) = (Scalar::from(8_u8), EdwardsPoint::mul_base(&s));
        assert_eq!(
            eight * s_b,
            eight * (r + k * a),
            "{}: some rule accepts it",
            self.name
        );
        assert_eq!(
            s_b == r + k * a,
            self.holds_without_cofactor,
            "{}",
            self.name
        );
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&self.r.written());
        signature[32..].copy_from_slice(&plus_order(s, self.more));
        Made {
            key: self.a.written(),
            message,
            signature,
        }
    }
}

impl Part {
    fn point(&self) -> EdwardsPoint {
        EdwardsPoint::mul_base(&Scalar::from(self.multiple)) + EIGHT_TORSION[self.small]
    }

    fn written(&self) -> [u8; 32] {
        let bytes = self.point().compress().to_bytes();
        if self.spelling == Spelling::Canonical {
            bytes
        } else {
            plus_p(bytes)
        }
    }

    fn hashed(&self) -> [u8; 32] {
        if self.spelling == Spelling::Strange {
            self.written()
        } else {
            self.point().compress().to_bytes()
        }
    }
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(a)
        .chain_update(message)
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// The other spelling of a y below 19: y + p, where p is 2^255 - 19. The sign stays.
fn plus_p(bytes: [u8; 32]) -> [u8; 32] {
    assert!(
        bytes[0] < 19
            && bytes[1..31].iter().all(|byte| *byte == 0)
            && matches!(bytes[31], 0 | 0x80),
        "{bytes:?}"
    );
    let mut other = [0xff; 32];
    other[0] = 0xed + bytes[0];
    other[31] = 0x7f | bytes[31];
    let points = [bytes, other].map(|bytes| CompressedEdwardsY(bytes).decompress().unwrap());
    assert_eq!(points[0], points[1]);
    other
}

/// S + L, so many times: the same number modulo L.
fn plus_order(s: Scalar, times: u8) -> [u8; 32] {
    let mut bytes = s.to_bytes();
    for _ in 0..times {
        let mut carry = 0_u16;
        for (byte, add) in bytes.iter_mut().zip(ORDER) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0);
    }
    assert_eq!(Scalar::from_bytes_mod_order(bytes), s);
    bytes
}

#[test]
fn of_signatures_on_which_verifiers_disagree_one_is_accepted() {
    let mut accepted = Vec::new();
    for case in cases() {
        let Made {
            key,
            message,
            signature,
        } = case.make();
        let key = VerifyingKey::from_bytes(&key).unwrap();
        let strict = key
            .verify_strict(&message, &Signature::from_bytes(&signature))
            .is_ok();
        assert_eq!(strict, case.accepted, "{}", case.name);
        // A weak key is refused when it is read, and would be once more with the signature.
        let trusted = PublicKey::new(key);
        assert_eq!(trusted.is_none(), case.a.multiple == 0, "{}", case.name);
        assert_eq!(
            trusted.is_some_and(|key| key.verifies(&message, &signature)),
            case.accepted,
            "{}",
            case.name
        );
        if case.accepted {
            accepted.push(case.name);
        }
    }
    assert_eq!(accepted, ["an ordinary signature", "3: A and R mixed"]);
}

#[test]
fn laxer_verification_would_accept_some_of_them() {
    let lax = |case: &Case| {
        let Made {
            key,
            message,
            signature,
        } = case.make();
        VerifyingKey::from_bytes(&key)
            .unwrap()
            .verify(&message, &Signature::from_bytes(&signature))
            .is_ok()
    };
    let accepted: Vec<_> = cases()
        .iter()
        .filter(|case| lax(case))
        .map(|case| case.name)
        .collect();
    assert_eq!(
        accepted,
        [
            "an ordinary signature",
            "0: A and R small, S = 0",
            "1: A small",
            "2: R small",
            "3: A and R mixed",
            "11: A not canonical"
        ]
    );
}

/// Every way to write a point of small order: eight canonical, six not.
fn small_order() -> Vec<[u8; 32]> {
    let canonical = EIGHT_TORSION.map(|point| point.compress().to_bytes());
    let mut all = canonical.to_vec();
    let low = |bytes: &&[u8; 32]| bytes[0] < 19 && bytes[1..31].iter().all(|byte| *byte == 0);
    all.extend(canonical.iter().filter(low).map(|bytes| plus_p(*bytes)));
    // With x = 0 the sign has no meaning.
    let signed: Vec<_> = all
        .iter()
        .filter(|bytes| is_on_the_axis(bytes))
        .map(|bytes| with_sign(*bytes))
        .collect();
    all.extend(signed);
    all
}

fn is_on_the_axis(bytes: &[u8; 32]) -> bool {
    let point = CompressedEdwardsY(*bytes).decompress().unwrap();
    (point + point).is_identity()
}

fn with_sign(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

#[test]
fn no_key_of_small_order_is_read_however_it_is_written() {
    let all = small_order();
    assert_eq!(
        all.iter()
            .collect::<alloc::collections::BTreeSet<_>>()
            .len(),
        14
    );
    for bytes in all {
        assert_eq!(
            VerifyingKey::from_bytes(&bytes)
                .ok()
                .and_then(PublicKey::new),
            None,
            "{bytes:?}"
        );
        let line = ssh_key::PublicKey::from(Ed25519PublicKey(bytes))
            .to_openssh()
            .unwrap();
        let mut der = crate::testing::hex("302a300506032b6570032100");
        der.extend(bytes);
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
            base64(&der)
        );
        for text in [line, pem] {
            let problem = format!("{}", TrustedKeys::parse(&text).unwrap_err());
            assert_eq!(
                problem, "line 1: the key is weak: anybody can forge signatures for it",
                "{bytes:?}"
            );
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[test]
fn the_key_that_is_the_identity_would_sign_everything() {
    // R = B and S = 1: SB = R + kA for every k, since A is the identity.
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&ED25519_BASEPOINT_POINT.compress().to_bytes());
    signature[32] = 1;
    let key = VerifyingKey::from_bytes(&EdwardsPoint::identity().compress().to_bytes()).unwrap();
    for message in ["", "one", "another"] {
        let signature = Signature::from_bytes(&signature);
        assert!(
            key.verify(message.as_bytes(), &signature).is_ok(),
            "the laxer rule accepts it"
        );
        assert!(key.verify_strict(message.as_bytes(), &signature).is_err());
    }
}
