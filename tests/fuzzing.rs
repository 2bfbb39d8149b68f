//! What fuzzing found stays found.

use countersign_core::keys::TrustedKeys;

/// The library that reads keys repeats in its errors what it found. Found by `keys` and `trust`.
#[test]
fn a_key_that_cannot_be_read_is_told_in_visible_characters() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDIYNTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c alice";
    assert_eq!(TrustedKeys::parse(line).unwrap_err().to_string(), "line 1: not an OpenSSH public key: invalid label: 'ssh-ed2\\u{18}519'");
}
