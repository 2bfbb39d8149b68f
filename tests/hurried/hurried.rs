//! Countersign with waits of milliseconds instead of seconds, for tests of what it waits for. Never shipped.
#![forbid(unsafe_code)]

use std::{process::ExitCode, time::Duration};

use countersign::Tempo;

fn main() -> ExitCode {
    countersign::main_at(Tempo { second: Duration::from_millis(2), silence: Duration::from_secs(3) }).into()
}
