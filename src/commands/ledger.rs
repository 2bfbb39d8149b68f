//! `countersign ledger`: set up, look at, verify.

mod folder;
mod init;
mod mirror;
mod show;
mod source;
mod verify;

pub(crate) use self::{init::init, show::show, verify::verify};
use super::{github, told};
