//! What the Actions runner hands over: environment, inputs, context, files.

mod context;
mod environment;
mod files;
mod inputs;
mod operation;
mod patterns;

pub use self::environment::Environment;
#[cfg(fuzzing)]
pub(crate) use self::inputs::entries;
pub(crate) use self::{
    context::RunContext,
    files::{LocalAsset, is_there, read_bytes, read_text},
    inputs::{Inputs, flag, lines, seconds},
    operation::{Draft, Facts, described_by, from_plan, plan_digest, with_assets},
};
