//! Publishing with the release binary beside a bare `curl` that only creates, uploads in parallel and publishes, in one run.
//!
//! `cargo bench --bench publish`; `-- 10` runs only the cases whose name holds `10`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark fails loudly, rounds and prints"
)]

#[path = "../tests/harness/mod.rs"]
mod harness;
mod support;

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use countersign_sim::Event;
use harness::{Attempt, Stage};
use sha2::{Digest as _, Sha256};
use support::{Cost, heading, measure, mib, row};

/// Uploads at once, for both.
const AT_ONCE: &str = "10";
const RUNS: usize = 3;

struct Case {
    name: &'static str,
    files: u64,
    size: u64,
    delay: u64,
}

const CASES: [Case; 5] = [
    Case {
        name: "no assets",
        files: 0,
        size: 0,
        delay: 100,
    },
    Case {
        name: "10 x 1 MiB",
        files: 10,
        size: 1 << 20,
        delay: 100,
    },
    Case {
        name: "1 x 512 MiB",
        files: 1,
        size: 512 << 20,
        delay: 0,
    },
    Case {
        name: "1 x 1 GiB",
        files: 1,
        size: 1 << 30,
        delay: 0,
    },
    Case {
        name: "1,000 x 1 KiB",
        files: 1000,
        size: 1 << 10,
        delay: 0,
    },
];

fn main() {
    support::serve_as_helper();
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    start();
    println!(
        "\nOne SHA-256 pass over 512 MiB: {:.2} s CPU",
        one_pass().as_secs_f64()
    );
    heading(
        &format!("Least of {RUNS} runs each"),
        &[
            "work",
            "ms a response",
            "requests",
            "in sequence",
            "wall s",
            "curl wall s",
            "ratio",
            "CPU s",
            "curl CPU s",
            "peak MiB",
            "curl peak MiB",
        ],
    );
    for case in CASES.iter().filter(|case| {
        wanted
            .as_ref()
            .is_none_or(|wanted| case.name.contains(wanted.as_str()))
    }) {
        run(case);
    }
}

/// The program to measure: the one that was just built, or that of `COUNTERSIGN_BINARY`, for instance one of dist/.
fn binary() -> String {
    std::env::var("COUNTERSIGN_BINARY").unwrap_or_else(|_| harness::BINARY.into())
}

/// CPU of a whole attempt that is refused before its first request, with github.com's certificates loaded.
fn start() {
    let stage = Stage::new();
    let attempt = Attempt::new(&stage)
        .input("operation", "tag_repo")
        .input("tag-name", "v1")
        .variable("GITHUB_API_URL", "https://api.github.com")
        .variable("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql");
    let cost = (0..10)
        .map(|_| support::measure_exit(&attempt.process_of(&binary()).0, 3))
        .min_by_key(|cost| cost.cpu)
        .unwrap();
    println!(
        "Start, and refusal before the first request: {:.1} ms CPU, {:.1} MiB",
        cost.cpu.as_secs_f64() * 1000.0,
        mib(cost.peak)
    );
}

fn one_pass() -> Duration {
    let piece = vec![7_u8; 1 << 20];
    let started = Instant::now();
    let mut hasher = Sha256::new();
    (0..512).for_each(|_| hasher.update(&piece));
    std::hint::black_box(hasher.finalize());
    started.elapsed()
}

fn run(case: &Case) {
    let stage = Stage::new();
    stage.sim.rate_limit(1_000_000, 1_000_000);
    for number in 0..case.files {
        make(
            &stage.workspace().join(format!("file-{number:04}.bin")),
            case.size,
            number,
        );
    }
    let delay = |milliseconds| stage.sim.delay(Duration::from_millis(milliseconds));
    let (mut ours, mut curls, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        delay(0);
        // As on a server of one's own: on github.com many uploads are slowed down.
        let attempt = stage
            .release()
            .input("tag-name", &format!("v{run}"))
            .variable("GITHUB_SERVER_URL", "https://ghes.example");
        let attempt = if case.files > 0 {
            attempt.input("files", "*.bin")
        } else {
            attempt
        }
        .approved();
        delay(case.delay);
        let before = stage.sim.events().len();
        ours.push(measure(&attempt.process_of(&binary()).0));
        events = stage.sim.events().split_off(before);
        if std::env::var_os("TIMELINE").is_some() {
            for event in &events {
                println!(
                    "{:?} {:.1} {:.1}",
                    event.endpoint,
                    event.arrived.as_secs_f64() * 1e3,
                    event.ended.unwrap_or_default().as_secs_f64() * 1e3
                );
            }
        }
        curls.push(curl(&stage, case, &format!("curl{run}")));
    }
    let least = |costs: &[Cost]| *costs.iter().min_by_key(|cost| cost.wall).unwrap();
    let (ours, curl) = (least(&ours), least(&curls));
    let seconds = |duration: Duration| format!("{:.2}", duration.as_secs_f64());
    row(&[
        case.name.into(),
        case.delay.to_string(),
        events.len().to_string(),
        // Without a delay requests that are sent together need not overlap, so the chain would mean nothing.
        if case.delay == 0 {
            "-".into()
        } else {
            in_sequence(&events).to_string()
        },
        seconds(ours.wall),
        seconds(curl.wall),
        format!("{:.2}", ours.wall.as_secs_f64() / curl.wall.as_secs_f64()),
        seconds(ours.cpu),
        seconds(curl.cpu),
        format!("{:.1}", mib(ours.peak)),
        format!("{:.1}", mib(curl.peak)),
    ]);
}

fn make(path: &PathBuf, size: u64, seed: u64) {
    let piece: Vec<u8> = (0..size.min(1 << 20))
        .map(|position| (position.wrapping_mul(31) ^ seed ^ (position >> 8)).to_le_bytes()[0])
        .collect();
    let mut file = File::create(path).unwrap();
    for _ in 0..size.div_ceil(1 << 20) {
        file.write_all(&piece).unwrap();
    }
}

/// The longest chain of requests of which each began after the one before it had ended.
fn in_sequence(events: &[Event]) -> usize {
    let mut spans: Vec<(Duration, Duration)> = events
        .iter()
        .filter_map(|event| Some((event.ended?, event.arrived)))
        .collect();
    spans.sort_unstable();
    let (mut chain, mut free) = (0, Duration::ZERO);
    for (ended, arrived) in spans {
        if arrived >= free {
            (chain, free) = (chain + 1, ended);
        }
    }
    chain
}

/// The floor: create, upload in parallel, publish. No check, no claim, no record.
fn curl(stage: &Stage, case: &Case, tag: &str) -> Cost {
    let folder = stage.folder.path();
    let repository = format!("{}/repos/{}", stage.sim.api_url(), stage.sim.repository());
    let request = |method: &str, url: &str, body: &str| {
        let mut command = Command::new("/usr/bin/curl");
        command
            .args([
                "--silent",
                "--fail",
                "--request",
                method,
                "--user-agent",
                "curl",
                "--output",
                "answer.json",
            ])
            .current_dir(folder);
        command.args([
            "--header",
            &format!("Authorization: Bearer {}", stage.token),
            "--data",
            body,
            url,
        ]);
        command
    };
    let draft = case.files > 0;
    let body = format!(
        r#"{{"tag_name":"{tag}","target_commitish":"{}","draft":{draft}}}"#,
        stage.main()
    );
    let mut cost = measure(&request("POST", &format!("{repository}/releases"), &body));
    if !draft {
        return cost;
    }
    let answer: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("answer.json")).unwrap()).unwrap();
    let (id, upload_url) = (
        answer["id"].as_u64().unwrap(),
        answer["upload_url"]
            .as_str()
            .unwrap()
            .split('{')
            .next()
            .unwrap()
            .to_owned(),
    );
    let mut config = String::new();
    for number in 0..case.files {
        let name = format!("file-{number:04}.bin");
        let file = stage.workspace().join(&name);
        config.push_str(
            &[
                "url = \"",
                &upload_url,
                "?name=",
                &name,
                "\"\nupload-file = \"",
                &file.display().to_string(),
                "\"\nrequest = POST\n",
            ]
            .concat(),
        );
        config.push_str("user-agent = curl\noutput = /dev/null\nsilent\nfail\nheader = \"Expect:\"\nheader = \"Content-Type: application/octet-stream\"\n");
        config.push_str(
            &[
                "header = \"Authorization: Bearer ",
                &stage.token,
                "\"\nnext\n",
            ]
            .concat(),
        );
    }
    fs::write(folder.join("uploads"), config.trim_end_matches("next\n")).unwrap();
    let mut uploads = Command::new("/usr/bin/curl");
    uploads
        .args([
            "--no-progress-meter",
            "--parallel",
            "--parallel-immediate",
            "--parallel-max",
            AT_ONCE,
            "--config",
            "uploads",
        ])
        .current_dir(folder);
    for more in [
        measure(&uploads),
        measure(&request(
            "PATCH",
            &format!("{repository}/releases/{id}"),
            r#"{"draft":false}"#,
        )),
    ] {
        cost = Cost {
            wall: cost.wall + more.wall,
            cpu: cost.cpu + more.cpu,
            peak: cost.peak.max(more.peak),
        };
    }
    cost
}
