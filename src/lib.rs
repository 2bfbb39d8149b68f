//! Countersign: publishes a release, creates a tag or opens a pull request only with a signed one-time receipt.
//!
//! The binary is a thin call of [`main`]; the demo and the tests go through the same code.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod agent;
mod cli;
mod commands;
pub mod exit;
#[cfg(fuzzing)]
pub mod fuzzing;
mod github;
mod keyfile;
mod ledger_store;
mod log;
mod planner;
mod progress;
pub mod publisher;
mod random;
mod regular_file;
mod report;
mod runner;
mod tempo;

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_core::timestamp::Timestamp;

pub use crate::{
    exit::Exit,
    github::GitHub,
    log::Log,
    runner::Environment,
    tempo::{SinceBoot, Tempo, since_boot},
};

/// Tells the time. A plain function, so that the decision itself never asks for it.
pub type Clock = fn() -> Timestamp;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Timestamp {
    Timestamp::from_unix(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    )
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> Exit {
    main_at(Tempo::REAL, system_clock)
}

/// The same with other waits, by another clock.
#[must_use]
pub fn main_at(tempo: Tempo, clock: Clock) -> Exit {
    cli::run(
        std::env::args_os(),
        &Environment::of_process().at(tempo),
        clock,
    )
}

/// Runs any command line in any environment, as the binary would.
#[must_use]
pub fn run(arguments: &[&str], environment: &Environment) -> Exit {
    cli::run(
        std::iter::once("countersign")
            .chain(arguments.iter().copied())
            .map(Into::into),
        environment,
        system_clock,
    )
}

/// Makes one attempt as the Action does.
#[must_use]
pub fn action(environment: &Environment, clock: Clock, log: Log) -> Exit {
    on_runtime(&log.clone(), commands::action::run(environment, clock, log))
}

fn on_runtime(log: &Log, work: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let exit = runtime.block_on(work);
            // Files may still be hashed for an attempt that has ended; nobody waits for that.
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            log.line(&format!(
                "countersign: the system gives no event loop: {error}. Nothing was done."
            ));
            Exit::Failed
        }
    }
}
