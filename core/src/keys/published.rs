//! Keys whose secret half everybody can read: in standards, in documentation, in tests. Their signatures prove nothing.

/// Public keys of 32 bytes each: those of every seed that repeats one byte, as examples and tests use them (ours too).
const OF_REPEATED_BYTES: &[u8; 32 * 256] = include_bytes!("published.bin");

/// Keys that standards and our own tests print.
const PRINTED: [[u8; 32]; 7] = [
    // RFC 8032, section 7.1: tests 1, 2, 3, 1024 and SHA(abc).
    hex(b"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    hex(b"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    hex(b"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
    hex(b"278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e"),
    hex(b"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"),
    // RFC 8410, section 10.3.
    hex(b"19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"),
    // `tests/keys/passphrase.pub`: its passphrase stands in the tests.
    hex(b"24899ef4e8636885e6b01713758c4c62db9b97e536f9147d7203c97cd845d4a4"),
];

/// Whether the secret half of a key is published.
pub(super) fn is(key: &[u8; 32]) -> bool {
    PRINTED.contains(key) || OF_REPEATED_BYTES.chunks_exact(32).any(|known| known == key)
}

const fn hex(text: &[u8; 64]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = digit(text[2 * at]) * 16 + digit(text[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    if character <= b'9' {
        character - b'0'
    } else {
        character - b'a' + 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{PublicKey, TrustedKeys},
        testing::key,
    };

    #[test]
    fn the_keys_of_repeated_bytes_are_known() {
        for byte in 0..=u8::MAX {
            let at = usize::from(byte) * 32;
            assert_eq!(
                OF_REPEATED_BYTES[at..at + 32],
                key(byte).verifying_key().to_bytes()
            );
        }
    }

    #[test]
    fn the_keys_of_standards_and_test_files_are_known() {
        // RFC 8032, section 7.1, test 1: from its secret key.
        let secret = hex(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert!(is(&ed25519_dalek::SigningKey::from_bytes(&secret)
            .verifying_key()
            .to_bytes()));
        let ours = TrustedKeys::parse(include_str!("../../../tests/keys/passphrase.pub")).unwrap();
        assert_eq!(ours.published(), ours.as_slice().first());
        let fresh = hex(b"8d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let fresh =
            PublicKey::new(ed25519_dalek::SigningKey::from_bytes(&fresh).verifying_key()).unwrap();
        assert!(!fresh.is_published());
    }
}
