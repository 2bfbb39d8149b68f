//! Countersign with waits of milliseconds instead of seconds, and with clocks that tests set: for tests of what it waits for, and of
//! the very second. Never shipped.
//!
//! `HURRIED_NOW`: the wall clock stands still at these Unix seconds. `HURRIED_ASLEEP`: a file with the seconds that the machine has slept, which both
//! clocks show.
#![forbid(unsafe_code)]

use std::{process::ExitCode, time::Duration};

use countersign::{Tempo, since_boot, system_clock};
use countersign_core::timestamp::Timestamp;

fn asleep() -> u64 {
    let text = std::env::var_os("HURRIED_ASLEEP").map(std::fs::read_to_string);
    text.and_then(Result::ok)
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0)
}

fn wall_clock() -> Timestamp {
    let stopped = std::env::var("HURRIED_NOW")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .map(Timestamp::from_unix);
    stopped.unwrap_or_else(system_clock).plus(asleep())
}

fn since_boot_with_sleep() -> Duration {
    since_boot() + Duration::from_secs(asleep())
}

fn main() -> ExitCode {
    countersign::main_at(
        Tempo {
            second: Duration::from_millis(2),
            silence: Duration::from_secs(3),
            since_boot: since_boot_with_sleep,
        },
        wall_clock,
    )
    .into()
}
