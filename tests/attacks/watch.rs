//! Watches the system calls of whole attempts: no process is started, and nobody is spoken to but GitHub.

use std::{fs, process::Command};

use crate::{
    Scene,
    harness::{Attempt, BINARY, Report, Stage},
};

pub const SCENES: &[Scene] = &[
    (
        "a whole publish starts no process and speaks to GitHub alone",
        || {
            for name in ["release", "tag", "pull"] {
                publish(name);
            }
        },
    ),
    (
        "the watch sees a process and a foreign address",
        the_watch_sees,
    ),
];

fn publish(name: &str) {
    let stage = Stage::new();
    let attempt = match name {
        "release" => stage
            .file("a.zip", "aaa")
            .file("b.zip", "b".repeat(3 << 20))
            .release()
            .input("files", "*.zip")
            .input("attach-receipt", "true"),
        "tag" => stage.tag(),
        _ => stage.pull(),
    };
    let github = [stage.sim.api_url(), stage.sim.uploads_url()];
    let (planned, report) = watched(&stage, &attempt.clone().input("mode", "dry_run"));
    assert_eq!(
        (report.exit, suspicious(&planned, &github)),
        (0, Vec::<String>::new())
    );
    let (published, report) = watched(&stage, &attempt.approved());
    report.succeeded();
    assert_eq!(suspicious(&published, &github), Vec::<String>::new());
    // It was watched indeed: it speaks to GitHub.
    assert!(
        published
            .lines()
            .any(|call| call.contains("connect(") && is_at(call, &github)),
        "{published}"
    );
}

fn the_watch_sees() {
    let stage = Stage::new();
    let (calls, _) = watched(&stage, &stage.tag().approved());
    assert!(
        !suspicious(&calls, &["http://127.0.0.1:1".into()]).is_empty(),
        "{calls}"
    );
    let trace = stage.folder.path().join("shell");
    assert!(
        strace(&trace)
            .args(["/bin/sh", "-c", "/bin/true; /bin/true"])
            .status()
            .unwrap()
            .success()
    );
    let calls = fs::read_to_string(trace).unwrap();
    assert!(
        suspicious(&calls, &["http://127.0.0.1:1".into()]).len() >= 2,
        "{calls}"
    );
}

fn strace(trace: &std::path::Path) -> Command {
    let program = ["/usr/bin/strace", "/bin/strace", "/usr/local/bin/strace"]
        .into_iter()
        .find(|path| fs::exists(path).unwrap());
    let mut command =
        Command::new(program.expect("strace, which Debian has in the package of this name"));
    command
        .args(["-f", "-qq", "-s", "0", "-e", "trace=process,network", "-o"])
        .arg(trace);
    command
}

/// Makes the attempt, and gives the system calls about processes and the network.
fn watched(stage: &Stage, attempt: &Attempt<'_>) -> (String, Report) {
    let (plain, surfaces) = attempt.process_of(BINARY);
    let trace = stage.folder.path().join("calls");
    let mut command = strace(&trace);
    command
        .arg(plain.get_program())
        .args(plain.get_args())
        .env_clear();
    command.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let report = surfaces.report(&command.output().unwrap());
    (fs::read_to_string(trace).unwrap(), report)
}

/// Calls that make a process, and those that name an address which is not GitHub's. The first call of all is the start itself.
fn suspicious(calls: &str, github: &[String]) -> Vec<String> {
    let is_thread = |call: &str| call.contains("CLONE_THREAD");
    let starts = |call: &str| {
        [
            "execve(",
            "execveat(",
            "fork(",
            "vfork(",
            "clone(",
            "clone3(",
        ]
        .iter()
        .any(|name| call.contains(name))
    };
    let names_an_address = |call: &str| call.contains("sa_family=");
    let calls = calls
        .lines()
        .skip(1)
        .filter(|call| !call.contains("resumed>"));
    let listens = |call: &str| ["bind(", "listen("].iter().any(|name| call.contains(name));
    // What a socket is asked about itself names its own address.
    let asks = |call: &str| call.contains("getsockname(") || call.contains("getpeername(");
    calls
        .filter(|call| {
            starts(call) && !is_thread(call)
                || names_an_address(call) && !asks(call) && !is_at(call, github)
                || listens(call)
        })
        .map(str::to_owned)
        .collect()
}

fn is_at(call: &str, addresses: &[String]) -> bool {
    addresses.iter().any(|address| {
        let (host, port) = address
            .trim_start_matches("http://")
            .split_once(':')
            .unwrap();
        call.contains(&format!(
            "sin_port=htons({port}), sin_addr=inet_addr(\"{host}\")"
        ))
    })
}
