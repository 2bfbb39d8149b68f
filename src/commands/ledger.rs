//! `countersign ledger`: set up, look at, verify.

mod accept;
mod accepted;
mod dates;
mod folder;
mod hindrance;
mod init;
mod mirror;
mod show;
pub(in crate::commands) mod source;
pub(in crate::commands) mod verify;

pub(crate) use self::{
    accept::{NamedDamage, accept},
    init::init,
    show::show,
    verify::verify,
};
pub(in crate::commands) use self::{
    accepted::Accepted,
    dates::{Commits, PUBLISHER, about, logins},
    source::{AHEAD, EntryFile, Source},
    verify::{By, beside_entries, by_keys, id, recomputed},
};
use super::{github, told};
