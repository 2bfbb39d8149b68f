//! `audit-record.json`, as a report reads it again.

use countersign_core::audit::Recorded;

use crate::ledger::is_written_as_it_was_read;

/// A record has one notation: what is shown as Countersign's is what Countersign wrote.
pub fn holds(data: &[u8]) {
    is_written_as_it_was_read::<Recorded>(data);
}
