//! Random names that nobody can guess.

use countersign_core::name::OperationId;

/// So many random bytes in hexadecimal.
pub(crate) fn hex<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    // Without randomness there are no safe delimiters and no unique ids: better to stop than to guess.
    getrandom::fill(&mut bytes).unwrap_or_else(|error| panic!("the system gives no random bytes: {error}"));
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id for one attempt.
pub(crate) fn operation_id() -> OperationId {
    format!("op-{}", hex::<8>()).parse().unwrap_or_else(|_| unreachable!("hexadecimal digits make an id"))
}
