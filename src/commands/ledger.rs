//! `countersign ledger`: set up, look at, verify.

mod folder;
mod hindrance;
mod init;
mod mirror;
mod show;
pub(in crate::commands) mod source;
pub(in crate::commands) mod verify;

pub(crate) use self::{init::init, show::show, verify::verify};
pub(in crate::commands) use self::{
    source::{AHEAD, Source},
    verify::{By, beside_entries, by_keys, recomputed},
};
use super::{github, told};
