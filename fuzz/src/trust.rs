//! The trust file: versions of the set of keys, each signed; and the TOML in which people write one.

use std::sync::LazyLock;

use countersign_core::{
    digest::Digest,
    document::Document as _,
    trust::{Trust, TrustFile, TrustVersion},
};

use crate::{ALICE, NOW, STRANGER, can_be_shown, key, ledger::is_written_as_it_was_read};

/// The only file that begins with its first version.
static KNOWN: LazyLock<(Digest, Trust)> = LazyLock::new(|| {
    let file = TrustFile::from_document(include_bytes!("../seeds/trust/signed.json"))
        .expect("the example is well formed");
    (
        file.root().expect("it has a version"),
        file.verify(None, NOW).expect("the example is signed"),
    )
});

/// A file has one notation. A known root leads to what its owners signed and nowhere else, and no version counts without signatures.
pub fn holds(data: &[u8]) {
    if let Some(file) = is_written_as_it_was_read::<TrustFile>(data) {
        leads_where_its_owners_said(&file);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        is_proposed_as_it_was_written(text);
    }
}

fn leads_where_its_owners_said(file: &TrustFile) {
    let (root, known) = &*KNOWN;
    match file.verify(Some(*root), NOW) {
        Ok(trust) => assert_eq!(trust.pin(), known.pin()),
        Err(invalid) => can_be_shown(&invalid),
    }
    can_be_shown(
        &file
            .verify(Some(Digest::of(b"another")), NOW)
            .expect_err("no version is that one"),
    );
    let trust = match file.verify(None, NOW) {
        Ok(trust) => trust,
        Err(invalid) => return can_be_shown(&invalid),
    };
    assert_eq!(file.verify(file.root(), NOW).as_ref(), Ok(&trust));
    assert!(trust.holds(&trust.pin()));
    if let Ok((keys, threshold)) = trust.keys_at(NOW) {
        assert!((1..=keys.as_slice().len()).contains(&threshold.get()));
    }
    let mut longer = file.clone();
    longer.add(&TrustVersion {
        version: trust.newest().version + 1,
        previous: Some(trust.pin().digest),
        ..trust.newest().clone()
    });
    can_be_shown(
        &longer
            .verify(None, NOW)
            .expect_err("nobody signed the new version"),
    );
    longer.sign(&key(STRANGER)).expect("anybody may sign");
    can_be_shown(
        &longer
            .verify(None, NOW)
            .expect_err("whose key is not among them signed the new version"),
    );
}

fn is_proposed_as_it_was_written(text: &str) {
    let version = match TrustVersion::from_toml(text, None, NOW, None) {
        Ok(version) => version,
        Err(misplaced) => return can_be_shown(&misplaced),
    };
    let mut file = TrustFile::begin(&version);
    assert_eq!(file.proposed().as_ref(), Ok(&version));
    can_be_shown(&file.verify(None, NOW).expect_err("nobody signed it"));
    file.sign(&key(ALICE)).expect("anybody may sign");
    assert_eq!(
        TrustFile::from_document(&file.to_document()).as_ref(),
        Ok(&file)
    );
}
