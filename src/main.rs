//! Starts Countersign.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::main().into()
}
