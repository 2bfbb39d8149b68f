//! Starts Countersign.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::main().into()
}
