//! Countersign with waits of milliseconds instead of seconds, and with a clock that stands still if `HURRIED_NOW` says so (in Unix seconds): for
//! tests of what it waits for, and of the very second. Never shipped.
#![forbid(unsafe_code)]

use std::{process::ExitCode, time::Duration};

use countersign::{Tempo, system_clock};
use countersign_core::timestamp::Timestamp;

fn stopped_clock() -> Timestamp {
    std::env::var("HURRIED_NOW")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .map_or_else(system_clock, Timestamp::from_unix)
}

fn main() -> ExitCode {
    countersign::main_at(
        Tempo {
            second: Duration::from_millis(2),
            silence: Duration::from_secs(3),
        },
        stopped_clock,
    )
    .into()
}
