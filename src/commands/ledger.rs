//! `countersign ledger`: set up, look at, verify.

mod folder;
mod init;
mod mirror;
mod show;
mod source;
mod verify;

pub(crate) use self::{init::init, show::show, verify::verify};
pub(in crate::commands) use self::{
    source::{AHEAD, Source},
    verify::{By, beside_entries, by_keys},
};
use super::{github, told};
