//! `countersign ledger`: set up, look at, verify.

mod folder;
mod init;
mod show;
mod verify;

pub(crate) use self::{init::init, show::show, verify::verify};
