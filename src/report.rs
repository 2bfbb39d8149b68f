//! Tells what happened: audit record, job summary, outputs, annotations. Written on every way out.

mod commands;
mod ending;
mod evidence;
mod files;
mod markdown;
pub(crate) mod page;
mod planned;
mod recorder;
mod series;
mod summary;

pub(crate) use self::{
    commands::Level,
    ending::{Complaint, Ending, Phase},
    recorder::Recorder,
};
#[cfg(fuzzing)]
pub(crate) use self::{
    files::output,
    markdown::{block, code, link, prose, text},
};
