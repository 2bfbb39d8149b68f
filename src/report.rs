//! Tells what happened: audit record, job summary, outputs, annotations. Written on every way out.

mod commands;
mod files;
mod log;
mod markdown;
mod recorder;
mod summary;

pub use self::log::Log;
pub(crate) use self::recorder::{Complaint, Ending, Phase, Recorder};
