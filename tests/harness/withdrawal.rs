//! Withdrawals as an approver signs them, and as anyone with `contents: write` puts them on the ledger.

use countersign_core::{
    document::Document as _,
    envelope::Envelope,
    keys::{Threshold, TrustedKeys},
    ledger::{BRANCH, Head, Withdrawing, entry_path},
    statement::Signed,
    withdrawal::Withdrawal,
};
use ed25519_dalek::SigningKey;

use super::{Stage, by_hand::by_mutation, now, trusted_line};

impl Stage {
    /// What the approver says of a receipt, changed as given.
    pub fn withdrawal(&self, receipt: &str, edit: impl FnOnce(&mut Withdrawal)) -> Withdrawal {
        let keys = TrustedKeys::parse(&self.trusted()).unwrap();
        let envelope = Envelope::parse(receipt).unwrap();
        let receipt = envelope.verify(&keys, Threshold::ONE).unwrap();
        let host = self.sim.api_url().trim_start_matches("http://").to_owned();
        let reason = "the wrong build".parse().unwrap();
        let mut withdrawal = Withdrawal::of(&receipt, host.parse().unwrap(), now(), reason);
        edit(&mut withdrawal);
        withdrawal
    }

    /// The next entry of the ledger: this withdrawal, signed by this key.
    pub fn withdrawing(&self, withdrawal: &Withdrawal, key: &SigningKey) -> Withdrawing {
        let keys = TrustedKeys::parse(&trusted_line(key, "signer")).unwrap();
        let signed = Signed::signed_by(withdrawal, key).unwrap();
        let verified = signed.verify(keys.as_slice()).unwrap();
        let head = self.tip().head;
        Withdrawing {
            sequence: head.sequence() + 1,
            previous: head.newest().map(|newest| newest.digest),
            ..Withdrawing::first(&signed, &verified, now())
        }
    }

    /// Appends an entry by hand, as someone who can write to the ledger does.
    pub fn append_withdrawing(&self, entry: &Withdrawing) {
        let files = [
            (entry_path(entry.sequence), entry.to_document()),
            ("ledger.json".to_owned(), Head::at(entry.id()).to_document()),
        ];
        by_mutation(self, &self.token, &files);
        assert!(
            self.sim
                .read_file(BRANCH, &entry_path(entry.sequence))
                .is_some()
        );
    }

    /// The same for a receipt that the approver takes back.
    pub fn taken_back(&self, receipt: &str) {
        let withdrawal = self.withdrawal(receipt, |_| ());
        self.append_withdrawing(&self.withdrawing(&withdrawal, self.approver()));
    }
}
