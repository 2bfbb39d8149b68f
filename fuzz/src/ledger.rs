//! The files of a ledger: entries, its head, what decided; and an entry as the evidence of a release.

use std::{fmt::Debug, sync::LazyLock};

use countersign_core::{
    authority::Authority,
    digest::Digest,
    document::Document,
    evidence::{Evidence, UnverifiedEvidence},
    keys::{Threshold, TrustedKeys},
    ledger::{Entry, EntryId, EventType, Examiner, Head, Header, Keys, Verifier, Withdrawing},
};

use crate::{NOW, STRANGER, can_be_shown, trusted};

static STRANGERS: LazyLock<TrustedKeys> = LazyLock::new(|| trusted(STRANGER));

/// Each document has one notation. An entry chains by the digest of its bytes, and by keys that signed nothing no claim holds.
pub fn holds(data: &[u8]) {
    is_written_as_it_was_read::<Authority>(data);
    if let Some(head) = is_written_as_it_was_read::<Head>(data) {
        assert_eq!(head.newest().map_or(Head::EMPTY, Head::at), head);
    }
    if let Some(entry) = is_written_as_it_was_read::<Entry>(data) {
        is_examined(&entry, data);
    }
    is_written_as_it_was_read::<Evidence>(data);
    proves_nothing_to_strangers(data);
    if let Some(entry) = is_written_as_it_was_read::<Withdrawing>(data) {
        takes_nothing_back(&entry, data);
    }
}

/// A withdrawal chains as every entry does, and by keys that signed nothing it takes nothing back.
fn takes_nothing_back(entry: &Withdrawing, data: &[u8]) {
    let header = Header::read(data).expect("an entry begins with the common members");
    assert_eq!(
        (header.sequence, header.previous, header.receipts),
        (entry.sequence, entry.previous, entry.receipts.clone())
    );
    assert!(Entry::from_document(data).is_err());
    let unverified = entry.withdrawal.verify(STRANGERS.as_slice());
    can_be_shown(&unverified.expect_err("nobody forges a signature"));
    let examiner = Examiner::new(Some(Keys::Listed(&STRANGERS, Threshold::ONE)));
    let Ok(examined) = examiner.examine(entry.sequence, data, None) else {
        return;
    };
    let mut verifier = Verifier::default();
    let is_first = entry.sequence == 1 && entry.previous.is_none();
    match verifier.take(examined) {
        Ok(taken) => assert!(is_first && taken.is_none(), "{entry:?}"),
        Err(bad) => assert!(!is_first, "{bad}"),
    }
}

/// What is read is written again byte for byte; what is refused can be shown.
pub(crate) fn is_written_as_it_was_read<D: Document + Debug>(data: &[u8]) -> Option<D> {
    match D::from_document(data) {
        Ok(document) => {
            assert!(data.len() <= D::MOST_BYTES);
            assert_eq!(document.to_document(), data);
            assert!(D::from_document(&[data, b"\n"].concat()).is_err());
            Some(document)
        }
        Err(malformed) => {
            can_be_shown(&malformed);
            None
        }
    }
}

fn is_examined(entry: &Entry, data: &[u8]) {
    let id = EntryId {
        sequence: entry.sequence,
        digest: Digest::of(data),
    };
    assert_eq!(entry.id(), id);
    let header = Header::read(data).expect("an entry begins with the common members");
    assert_eq!(
        (header.sequence, header.previous, header.receipts),
        (entry.sequence, entry.previous, entry.receipts.clone())
    );
    // No operation has the digest of another file, and an outcome needs none.
    let examined = Examiner::new(None).examine(entry.sequence, data, Some(data));
    if entry.event_type == EventType::Claimed {
        can_be_shown(&examined.err().expect("a claim needs its operation"));
    }
    let read = |number: u64| Examiner::examine_without_operation(number, data);
    assert!(read(entry.sequence.wrapping_add(1)).is_err());
    let examined = match read(entry.sequence) {
        Ok(examined) => examined,
        Err(bad) => return can_be_shown(&bad),
    };
    let mut verifier = Verifier::default();
    let is_first =
        entry.sequence == 1 && entry.previous.is_none() && entry.event_type == EventType::Claimed;
    match verifier.take(examined) {
        Ok(_) => {
            assert!(is_first, "{entry:?}");
            assert_eq!(verifier.newest(), Some(id));
            assert_eq!(verifier.is_head(&Head::at(id).to_document()), Ok(()));
            assert!(verifier.is_head(&Head::EMPTY.to_document()).is_err());
            assert!(verifier.tally().unfinished == 1);
        }
        Err(bad) => {
            assert!(
                !is_first || entry.authority != Authority::default(),
                "{bad}"
            );
            can_be_shown(&bad);
        }
    }
}

fn proves_nothing_to_strangers(data: &[u8]) {
    let keys = Keys::Listed(&STRANGERS, Threshold::ONE);
    match UnverifiedEvidence::read(data.into()) {
        Ok(evidence) => {
            assert_eq!(
                evidence.entry_id().digest,
                Digest::of(&evidence.entry_file())
            );
            can_be_shown(
                &evidence
                    .verify(keys, NOW)
                    .expect_err("nobody forges a signature"),
            );
        }
        Err(bad) => can_be_shown(&bad),
    }
}
