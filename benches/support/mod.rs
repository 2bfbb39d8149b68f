//! What the benchmarks share: a process measured from outside, and tables.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each benchmark uses a part"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails loudly"
)]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use wait4::Wait4 as _;

/// What one process took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
    /// Peak resident set, in bytes.
    pub peak: u64,
}

impl Cost {
    pub fn mib(&self) -> f64 {
        mib(self.peak)
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Runs a process to its end; one that fails ends the benchmark. It is started by a small helper, because the system counts
/// the memory of whoever starts a process as that process's own.
pub fn measure(command: &Command) -> Cost {
    measure_exit(command, 0)
}

/// The same for a process that must end with this exit status.
pub fn measure_exit(command: &Command, expected: i32) -> Cost {
    let mut helper = Command::new(std::env::current_exe().expect("this program has a path"));
    helper
        .arg(MEASURE)
        .arg(expected.to_string())
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    helper.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if let Some(folder) = command.get_current_dir() {
        helper.current_dir(folder);
    }
    let output = helper
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("the helper starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<u64> = told
        .split_whitespace()
        .filter_map(|figure| figure.parse().ok())
        .collect();
    let [wall, cpu, peak] = figures.as_slice() else {
        panic!("{command:?} failed: {told}")
    };
    Cost {
        wall: Duration::from_nanos(*wall),
        cpu: Duration::from_nanos(*cpu),
        peak: *peak,
    }
}

const MEASURE: &str = "--measure";

/// The helper's part: to be called first in `main`.
#[expect(clippy::print_stdout, reason = "the helper tells its figures")]
pub fn serve_as_helper() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MEASURE) {
        return;
    }
    let expected = arguments
        .next()
        .and_then(|expected| expected.to_str()?.parse().ok());
    let program = arguments.next().expect("a program");
    let started = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let used = child
        .expect("the program starts")
        .wait4()
        .expect("the process ends");
    let wall = started.elapsed();
    if used.status.code() == expected {
        let cpu = used.rusage.utime + used.rusage.stime;
        println!(
            "{} {} {}",
            wall.as_nanos(),
            cpu.as_nanos(),
            used.rusage.maxrss
        );
    } else {
        println!("{}", used.status);
    }
    std::process::exit(0);
}

/// The one of several runs that took the least wall time: noise only ever adds.
pub fn best(runs: usize, mut run: impl FnMut() -> Cost) -> Cost {
    (0..runs)
        .map(|_| run())
        .min_by_key(|cost| cost.wall)
        .expect("at least one run")
}

/// Prints a row of a Markdown table.
#[expect(clippy::print_stdout, reason = "a benchmark's result is its output")]
pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

#[expect(clippy::print_stdout, reason = "a benchmark's result is its output")]
pub fn heading(title: &str, cells: &[&str]) {
    println!(
        "\n{title}\n\n| {} |\n|{}",
        cells.join(" | "),
        "---|".repeat(cells.len())
    );
}
