//! Receipts that were taken back, and withdrawals that take nothing back.

use super::*;
use crate::{ledger::Withdrawing, statement::Signed, withdrawal::Withdrawal};

pub(super) fn withdrawal(receipt: &VerifiedReceipt) -> Withdrawal {
    let (host, reason) = ("github.com", "given up");
    Withdrawal::of(
        receipt,
        host.parse().unwrap(),
        NOON.plus(60),
        reason.parse().unwrap(),
    )
}

/// The ledger after these, and a withdrawal of this receipt on top.
pub(super) fn withdrawn(mut branch: Branch, withdrawal: &Withdrawal, by: u8) -> Branch {
    let signed = Signed::signed_by(withdrawal, &key(by)).unwrap();
    let verified = signed.verify(trust(&[by]).as_slice()).unwrap();
    let tail = branch.above(&branch.checkpoint()).unwrap();
    let entry = Withdrawing::next(&tail, &signed, &verified, NOON.plus(120)).unwrap();
    branch.commit(entry.append(&tail).files().to_vec());
    branch
}

fn code(branch: &Branch, receipt: &VerifiedReceipt, number: u64) -> Result<Use, &'static str> {
    let tail = branch.above(&receipt.terms().ledger).unwrap();
    let host = "github.com".parse().unwrap();
    tail.is_not_withdrawn(receipt, None, Some(&host))
        .and_then(|()| standing_of(branch, receipt, &attempt(number)))
        .map_err(|refusal| refusal.code())
}

#[test]
fn a_receipt_that_was_taken_back_is_refused_with_who_did_that_and_where() {
    let branch = withdrawn(branch(), &withdrawal(&receipt()), 1);
    assert_eq!(code(&branch, &receipt(), 1), Err("receipt_withdrawn"));
    let tail = branch.above(&checkpoint()).unwrap();
    let refusal = tail.is_not_withdrawn(&receipt(), None, None).unwrap_err();
    let told = format!("{refusal}");
    assert!(told.contains("withdrawn with ledger entry 42"), "{told}");
    assert!(told.contains("key-1 (SHA256:"), "{told}");
    assert!(
        told.ends_with("took it back at 2026-11-21T12:01:00Z: given up"),
        "{told}"
    );
}

#[test]
fn a_withdrawal_that_does_not_verify_blocks_nobody() {
    let forged = withdrawn(branch(), &withdrawal(&receipt()), 2);
    assert_eq!(code(&forged, &receipt(), 1), Ok(Use::Free));
    let other = receipt_with(|terms| terms.receipt_id = "other".parse().unwrap());
    let other = withdrawn(branch(), &withdrawal(&other), 1);
    assert_eq!(code(&other, &receipt(), 1), Ok(Use::Free));
}

#[test]
fn members_that_nobody_signed_do_not_aim_a_withdrawal_at_another_receipt() {
    let other = receipt_with(|terms| terms.receipt_id = "other".parse().unwrap());
    let signed = Signed::signed_by(&withdrawal(&other), &key(1)).unwrap();
    let verified = signed.verify(trust(&[1]).as_slice()).unwrap();
    let mut branch = branch();
    let tail = branch.above(&checkpoint()).unwrap();
    let mut entry = Withdrawing::next(&tail, &signed, &verified, NOON).unwrap();
    entry.receipts = vec![receipt().digest()];
    branch.commit(entry.append(&tail).files().to_vec());
    assert_eq!(code(&branch, &receipt(), 1), Ok(Use::Free));
}

#[test]
fn what_was_taken_back_before_an_approval_does_not_concern_it() {
    let branch = withdrawn(branch(), &withdrawal(&receipt()), 1);
    let again = issued_at(&branch.checkpoint());
    assert_eq!(code(&branch, &again, 1), Ok(Use::Free));
    let renamed = receipt_with(|terms| terms.receipt_id = "again".parse().unwrap());
    assert_eq!(code(&branch, &renamed, 1), Ok(Use::Free));
}

#[test]
fn a_withdrawal_after_the_claim_is_only_recorded() {
    let late = withdrawn(grown(&[claim()]), &withdrawal(&receipt()), 1);
    assert_eq!(
        code(&late, &receipt(), 2),
        Ok(Use::Unfinished(EntryId {
            sequence: 42,
            ..id(&grown(&[claim()]), 42)
        }))
    );
    assert_eq!(code(&late, &receipt(), 1), Err("receipt_consumed"));

    let tail = late.above(&checkpoint()).unwrap();
    let ours = id(&grown(&[claim()]), 42);
    assert_eq!(tail.first_about(&Pair::of(&receipt()), ours), None);
}

#[test]
fn a_claim_after_the_withdrawal_does_not_take_that_away() {
    let mut branch = withdrawn(branch(), &withdrawal(&receipt()), 1);
    branch.add(&claim());
    assert_eq!(code(&branch, &receipt(), 2), Err("receipt_withdrawn"));
}
