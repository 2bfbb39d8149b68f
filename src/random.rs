//! Random names that nobody can guess.

use countersign_core::name::OperationId;

/// So many random bytes.
pub(crate) fn bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    fill(&mut bytes);
    bytes
}

/// So many random bytes in hexadecimal.
pub(crate) fn hex<const BYTES: usize>() -> String {
    bytes::<BYTES>()
        .iter()
        .fold(String::with_capacity(2 * BYTES), |hex, byte| {
            hex + &format!("{byte:02x}")
        })
}

/// A number below `most`, which is at least 1; near enough to even for waiting.
pub(crate) fn below(most: u64) -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes) % most.max(1)
}

#[expect(
    clippy::panic,
    reason = "without randomness there are no safe delimiters and no unique ids: better to stop than to guess"
)]
fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the system gives no random bytes: {error}");
    }
}

/// An id for one attempt.
pub(crate) fn operation_id() -> OperationId {
    format!("op-{}", hex::<8>())
        .parse()
        .unwrap_or_else(|_| unreachable!("hexadecimal digits make an id"))
}
