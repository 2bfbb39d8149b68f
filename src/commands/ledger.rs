//! `countersign ledger`: set up, look at, verify.

mod dates;
mod folder;
mod hindrance;
mod init;
mod mirror;
mod show;
pub(in crate::commands) mod source;
pub(in crate::commands) mod verify;

pub(in crate::commands) use self::{
    dates::{Commits, PUBLISHER, logins},
    source::{AHEAD, EntryFile, Source},
    verify::{By, beside_entries, by_keys, recomputed},
};
pub(crate) use self::{init::init, show::show, verify::verify};
use super::{github, told};
