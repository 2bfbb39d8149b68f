//! Tells what happened: audit record, job summary, outputs, annotations. Written on every way out.

mod commands;
mod ending;
mod files;
mod log;
mod markdown;
mod recorder;
mod summary;

pub use self::log::Log;
pub(crate) use self::{
    ending::{Complaint, Ending, Phase},
    recorder::Recorder,
};
