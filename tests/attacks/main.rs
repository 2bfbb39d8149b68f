//! The adversary's suite: every case is somebody's attempt to publish what nobody approved, by the real binary against the simulator.
//!
//! Cases that are data stand in `*.toml` beside this file (README.md there says how they are read); those that need hands are functions here.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails loudly"
)]

mod approver;
mod authority;
mod case;
mod claims;
mod dates;
mod files;
mod forge;
#[path = "../harness/mod.rs"]
mod harness;
mod judge;
mod late;
mod ledger;
mod outcomes;
mod proxy;
mod reach;
mod receipts;
mod runner;
mod terminal;
mod watch;
mod withdrawn;

use libtest_mimic::{Arguments, Failed, Trial};

/// The files with cases, one for each place that an attacker may start from.
const FILES: [(&str, &str); 6] = [
    ("scenarios", include_str!("scenarios.toml")),
    ("envelope", include_str!("envelope.toml")),
    ("text", include_str!("text.toml")),
    ("meaning", include_str!("meaning.toml")),
    ("inputs", include_str!("inputs.toml")),
    ("shown", include_str!("shown.toml")),
];

/// A case that is a function: what it does, and what must come of it, stands in its body.
type Scene = (&'static str, fn());

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    for (file, text) in FILES {
        for case in case::read(file, text) {
            trials.push(Trial::test(format!("{file}: {}", case.name), move || {
                attempt(|| case.run())
            }));
        }
    }
    for (place, scenes) in [
        ("approver", approver::SCENES),
        ("terminal", terminal::SCENES),
        ("ledger", ledger::SCENES),
        ("authority", authority::SCENES),
        ("claims", claims::SCENES),
        ("outcomes", outcomes::SCENES),
        ("receipts", receipts::SCENES),
        ("dates", dates::SCENES),
        ("late", late::SCENES),
        ("reach", reach::SCENES),
        ("withdrawn", withdrawn::SCENES),
        ("files", files::SCENES),
        ("runner", runner::SCENES),
        ("watch", watch::SCENES),
    ] {
        for (name, scene) in scenes {
            trials.push(Trial::test(format!("{place}: {name}"), move || {
                attempt(scene)
            }));
        }
    }
    if !arguments.list {
        harness::tell(&format!("{} cases", trials.len()));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// A panic is what an assertion says.
fn attempt(run: impl FnOnce() + std::panic::UnwindSafe) -> Result<(), Failed> {
    std::panic::catch_unwind(run).map_err(|panic| {
        let told = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        told.unwrap_or_else(|| "it panicked".into()).into()
    })
}
