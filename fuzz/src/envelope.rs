//! An envelope, in JSON or base64, as people hand it over.

use std::{fmt::Debug, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_core::{
    envelope::{Envelope, MOST_BYTES, MOST_SIGNATURES, receipts_in},
    keys::{Threshold, TrustedKeys},
    receipt::Terms,
    refusal::Refusal,
    repair::Repair,
    statement::{Signed, Statement},
    withdrawal::Withdrawal,
};

use crate::{ALICE, STRANGER, can_be_shown, trusted};

/// The one thing that alice ever signed.
const SIGNED: &str = include_str!("../seeds/envelope/signed.json");

static KEYS: LazyLock<(TrustedKeys, TrustedKeys, Terms)> = LazyLock::new(|| {
    let receipt = Envelope::parse(SIGNED)
        .expect("the example is well formed")
        .verify(&trusted(ALICE), Threshold::ONE);
    (
        trusted(ALICE),
        trusted(STRANGER),
        receipt.expect("alice signed the example").terms().clone(),
    )
});

/// What is read is written on one line and read again as the same; nobody but alice signed it, and she signed one thing alone.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for receipt in receipts_in(text) {
        assert!(text.contains(receipt));
    }
    is_a_statement::<Withdrawal>(text);
    is_a_statement::<Repair>(text);
    let envelope = match Envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(malformed) => return can_be_shown(&malformed),
    };
    is_written_as_it_was_read(&envelope);
    is_signed_by_nobody_else(&envelope);
}

/// A statement is written as it was read, and no stranger signed it.
fn is_a_statement<T: Statement + Debug>(text: &str) {
    let signed = match Signed::<T>::parse(text) {
        Ok(signed) => signed,
        Err(malformed) => return can_be_shown(&malformed),
    };
    let line = signed.to_line();
    assert!(!line.contains(['\n', '\r']));
    if line.len() <= MOST_BYTES {
        assert_eq!(
            Signed::<T>::parse(&line).as_ref().map(Signed::to_line),
            Ok(line)
        );
    }
    let (_, strangers, _) = &*KEYS;
    can_be_shown(
        &signed
            .verify(strangers.as_slice())
            .expect_err("nobody forges a signature"),
    );
}

fn is_written_as_it_was_read(envelope: &Envelope) {
    let line = envelope.to_line();
    assert!(!line.contains(['\n', '\r']));
    assert_eq!(receipts_in(&format!("{line}\n{line}\n")), [&line, &line]);
    // A key id that was left out is written as an empty one, and may be what does not fit any more.
    let grown = "\"keyid\":\"\",".len() * MOST_SIGNATURES;
    assert!(line.len() <= MOST_BYTES + grown);
    if line.len() <= MOST_BYTES {
        assert_eq!(Envelope::parse(&line).as_ref(), Ok(envelope));
        assert_eq!(
            Envelope::parse(&URL_SAFE_NO_PAD.encode(&line)).as_ref(),
            Ok(envelope)
        );
    }
    let padded = line.replacen('{', &format!("{{{}", " ".repeat(MOST_BYTES)), 1);
    assert!(Envelope::parse(&padded).is_err_and(|malformed| {
        malformed
            .to_string()
            .contains("are more than the 65536 allowed")
    }));
}

fn is_signed_by_nobody_else(envelope: &Envelope) {
    let (alice, stranger, terms) = &*KEYS;
    let refused = envelope
        .clone()
        .verify(stranger, Threshold::ONE)
        .expect_err("nobody forges a signature");
    assert!(matches!(refused, Refusal::SignatureUntrusted { .. }));
    can_be_shown(&refused);
    match envelope.clone().verify(alice, Threshold::ONE) {
        Ok(receipt) => assert_eq!((receipt.terms(), receipt.signers().len()), (terms, 1)),
        Err(refused) => assert!(matches!(refused, Refusal::SignatureUntrusted { .. })),
    }
}
