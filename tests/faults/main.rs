//! Every operation through every fault that can hit it: complete and recorded, or nothing visible was left and the outcome says so.
//!
//! The matrix is printed: `cargo test --test faults`.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

mod between;
#[path = "../harness/mod.rs"]
mod harness;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    evidence::{NAME, compose},
    ledger::EventType,
};
use countersign_sim::{AssetRecord, Effect, Endpoint, Fault, Permissions};
use harness::{Attempt, Report, Stage};

/// The files of a release, by name.
const FILES: [(&str, &str); 3] = [
    ("a.zip", "the first file"),
    ("b.zip", "the second"),
    ("c.zip", "and a third one"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Release,
    ReleaseWithAssets,
    ReleaseWithReceipt,
    Draft,
    Tag,
    Pull,
}

const OPERATIONS: [Operation; 6] = [
    Operation::Release,
    Operation::ReleaseWithAssets,
    Operation::ReleaseWithReceipt,
    Operation::Draft,
    Operation::Tag,
    Operation::Pull,
];

impl Operation {
    fn attempt(self, stage: &Stage) -> Attempt<'_> {
        let files = || {
            for (name, text) in FILES {
                stage.file(name, text);
            }
            stage.release().input("files", "*.zip")
        };
        match self {
            Self::Release => stage.release(),
            Self::ReleaseWithAssets => files(),
            Self::ReleaseWithReceipt => files().input("attach-receipt", "true"),
            Self::Draft => files().input("draft", "true"),
            Self::Tag => stage.tag(),
            Self::Pull => stage
                .pull()
                .input("labels", "release")
                .input("reviewers", "hubot"),
        }
    }

    /// What is there: nothing, a part that only writers see, a visible part, or everything exactly as approved.
    fn state(self, stage: &Stage) -> State {
        let sim = &stage.sim;
        let releases = sim.releases();
        assert!(releases.len() <= 1, "{} releases or drafts", releases.len());
        assert!(
            sim.pulls().len() <= 1,
            "{} pull requests",
            sim.pulls().len()
        );
        match self {
            Self::Release | Self::ReleaseWithAssets | Self::ReleaseWithReceipt | Self::Draft => {
                let Some(release) = releases.first() else {
                    return State::Nothing;
                };
                let attached = usize::from(self == Self::ReleaseWithReceipt);
                let expected = if self == Self::Release {
                    0
                } else {
                    FILES.len() + attached
                };
                let right = |name: &str, sha256: Option<&str>, state: &str| {
                    FILES.iter().any(|(file, text)| {
                        *file == name
                            && state == "uploaded"
                            && sha256.is_none_or(|found| {
                                found == Digest::of(text.as_bytes()).to_string()
                            })
                    })
                };
                // The evidence is a claim of this receipt, as the ledger holds it: this attempt's, or an earlier one's.
                let claims: Vec<_> = stage
                    .ledger()
                    .into_iter()
                    .filter(|entry| entry.event_type == EventType::Claimed)
                    .collect();
                let evidence = |asset: &AssetRecord| {
                    let bytes = asset.bytes.as_deref().unwrap_or_default();
                    asset.name == NAME
                        && asset.state == "uploaded"
                        && claims.iter().any(|claim| {
                            let operation = claim.operation.as_ref().unwrap();
                            compose(&claim.to_document(), operation) == bytes
                        })
                };
                let whole = release.assets.len() == expected
                    && release
                        .assets
                        .iter()
                        .filter(|asset| evidence(asset))
                        .count()
                        == attached
                    && release.assets.iter().all(|asset| {
                        evidence(asset) || right(&asset.name, asset.digest.as_deref(), &asset.state)
                    });
                match (release.draft, self, whole) {
                    (
                        false,
                        Self::Release | Self::ReleaseWithAssets | Self::ReleaseWithReceipt,
                        true,
                    )
                    | (true, Self::Draft, true) => State::Complete,
                    (true, ..) => State::Hidden,
                    (false, ..) => State::Visible,
                }
            }
            Self::Tag if sim.ref_oid("refs/tags/v1.0.0").is_some() => State::Complete,
            Self::Tag => State::Nothing,
            Self::Pull => match sim.pulls().first() {
                None => State::Nothing,
                Some(pull) if pull.labels == ["release"] && pull.reviewers == ["hubot"] => {
                    State::Complete
                }
                Some(_) => State::Visible,
            },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Nothing,
    Hidden,
    Visible,
    Complete,
}

/// How a cell of the matrix ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End(String);

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What every end must be, whatever the fault: this is where a lie would be found out.
fn judge(operation: Operation, stage: &Stage, attempt: &Attempt<'_>, report: &Report) -> End {
    let there = operation.state(stage);
    let events = stage.ledger_events();
    let retries = report.record["retry_count"].as_u64().unwrap();
    let unmasked: Vec<&str> = report
        .log
        .lines()
        .filter(|line| line.contains(&stage.token) && !line.starts_with("::add-mask::"))
        .collect();
    assert!(unmasked.is_empty(), "the token is in the log: {unmasked:?}");
    match report.exit {
        0 => {
            assert_eq!((there, report.status()), (State::Complete, "success"));
            assert_eq!(
                events.last().map(String::as_str),
                Some("succeeded"),
                "{events:?}"
            );
            End(if retries == 0 {
                "done".into()
            } else {
                format!("done, {retries} retries")
            })
        }
        1 => {
            assert_eq!(report.status(), "failed");
            assert!(
                events.is_empty() || events.last().is_some_and(|event| event == "failed"),
                "{events:?}"
            );
            match there {
                State::Nothing => End(format!("failed: {}", report.code())),
                // Only its author and other writers see a draft, and the message names it.
                State::Hidden => {
                    assert!(
                        report.message().contains("release 1"),
                        "{}",
                        report.message()
                    );
                    End(format!("failed, draft left: {}", report.code()))
                }
                // A pull request is not taken back for its labels; the message says what is missing.
                State::Visible => {
                    assert!(
                        operation == Operation::Pull
                            && report.message().contains("the pull request is open, but"),
                        "{}",
                        report.message()
                    );
                    End(format!("failed, told what is missing: {}", report.code()))
                }
                State::Complete => panic!(
                    "everything is there, but the outcome is a failure: {}",
                    report.message()
                ),
            }
        }
        3 => {
            assert_eq!((there, events.len()), (State::Nothing, 0));
            assert_eq!(stage.sim.releases().len() + stage.sim.pulls().len(), 0);
            End(format!("refused: {}", report.code()))
        }
        4 => {
            assert!(
                operation == Operation::Pull || there != State::Visible,
                "a half release is visible"
            );
            stage.sim.forget_faults();
            let second = attempt.clone().variable("GITHUB_RUN_ATTEMPT", "2").run();
            let (after, events) = (operation.state(stage), stage.ledger_events());
            assert_eq!(
                (second.exit, after),
                (0, State::Complete),
                "{}",
                second.message()
            );
            assert_eq!(
                events.last().map(String::as_str),
                Some("succeeded"),
                "{events:?}"
            );
            End("unknown, then done".into())
        }
        other => panic!("exit status {other}: {}", report.log),
    }
}

/// The faults of any request.
fn general() -> Vec<(&'static str, Effect)> {
    let graphql = |kind: &str| Effect::GraphQlError {
        kind: kind.into(),
        message: "Something went wrong".into(),
    };
    vec![
        ("reset before", Effect::ResetBefore),
        ("reset after", Effect::ResetAfter),
        ("502 before", Effect::StatusBefore(502)),
        ("502 after", Effect::StatusAfter(502)),
        ("401", Effect::StatusBefore(401)),
        ("403", Effect::StatusBefore(403)),
        ("404", Effect::StatusBefore(404)),
        ("422", Effect::StatusBefore(422)),
        (
            "429, retry-after",
            Effect::RetryAfter {
                status: 429,
                seconds: 3,
            },
        ),
        (
            "503, retry-after",
            Effect::RetryAfter {
                status: 503,
                seconds: 3,
            },
        ),
        ("secondary limit", Effect::SecondaryLimit),
        ("truncated reply", Effect::TruncatedReply),
        ("garbage", Effect::Garbage),
        (
            "redirect",
            Effect::Redirect("https://elsewhere.example/".into()),
        ),
        ("GraphQL error", graphql("")),
        ("GraphQL rate limit", graphql("RATE_LIMITED")),
        ("stale data", Effect::StaleData),
    ]
}

/// The faults that only some requests know.
fn special(endpoint: Endpoint) -> Vec<(&'static str, Effect)> {
    match endpoint {
        Endpoint::UploadAsset => vec![
            ("corrupt upload", Effect::CorruptUpload),
            ("truncated upload", Effect::TruncatedUpload),
            ("starter asset", Effect::StarterAsset),
            ("null digest", Effect::NullDigest),
        ],
        Endpoint::CreateRelease => vec![("foreign upload_url", Effect::ForeignUploadUrl)],
        Endpoint::Preflight => vec![("no Date", Effect::OmitDate)],
        _ => Vec::new(),
    }
}

/// One cell: a fault at one request of one operation.
#[derive(Clone, Debug)]
struct Cell {
    operation: Operation,
    endpoint: Endpoint,
    nth: usize,
    times: usize,
    name: &'static str,
    effect: Effect,
}

impl Cell {
    fn row(&self) -> String {
        let nth = if self.nth == 1 {
            String::new()
        } else {
            format!(" {}", self.nth)
        };
        let times = if self.times == 1 { "once" } else { "always" };
        format!("{:?}{nth}: {}, {times}", self.endpoint, self.name)
    }

    fn run(&self) -> End {
        let stage = Stage::new();
        let attempt = self.operation.attempt(&stage).approved();
        stage.sim.plan(
            Fault::on(self.endpoint)
                .nth(self.nth)
                .times(self.times)
                .then(self.effect.clone()),
        );
        let report = attempt.run();
        judge(self.operation, &stage, &attempt, &report)
    }
}

/// Every request of every operation, met by every fault, once and always.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for operation in OPERATIONS {
        let stage = Stage::new();
        let attempt = operation.attempt(&stage).approved();
        let before = stage.events().len();
        attempt.run().succeeded();
        let mut requests: BTreeMap<String, (Endpoint, usize)> = BTreeMap::new();
        for event in &stage.events()[before..] {
            requests
                .entry(format!("{:?}", event.endpoint))
                .or_insert((event.endpoint, 0))
                .1 += 1;
        }
        for (endpoint, count) in requests.into_values() {
            let graphql = matches!(endpoint, Endpoint::Preflight | Endpoint::Append);
            for (name, effect) in general().into_iter().chain(special(endpoint)) {
                if matches!(effect, Effect::GraphQlError { .. } | Effect::StaleData) && !graphql {
                    continue;
                }
                for (nth, times) in [(1, 1), (2, 1), (1, usize::MAX)] {
                    if nth <= count {
                        cells.push(Cell {
                            operation,
                            endpoint,
                            nth,
                            times,
                            name,
                            effect: effect.clone(),
                        });
                    }
                }
            }
            let stalled = Cell {
                operation,
                endpoint,
                nth: 1,
                times: 1,
                name: "stall",
                effect: Effect::Stall,
            };
            cells.push(stalled);
        }
    }
    cells
}

/// Runs cells on several threads, each on a stage of its own.
fn each<T: Sync, R: Send>(cells: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let ended: Mutex<Vec<(usize, R)>> = Mutex::default();
    let work = || {
        while let Some((number, cell)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|number| Some((number, cells.get(number)?)))
        {
            let end = run(cell);
            ended.lock().unwrap().push((number, end));
        }
    };
    // A stalled cell waits without work, so more threads than cores pay.
    thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(work))));
    let mut ended = ended.into_inner().unwrap();
    ended.sort_by_key(|(number, _)| *number);
    ended.into_iter().map(|(_, end)| end).collect()
}

/// What a cell gives, or what its panic says.
fn caught<R>(run: &dyn Fn() -> R) -> Result<R, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        text.unwrap_or_default()
    })
}

#[test]
fn every_operation_ends_well_under_every_fault() {
    let cells = cells();
    let ends = each(&cells, |cell| {
        caught(&|| cell.run())
            .map_err(|panic| format!("{:?} {}: {panic}", cell.operation, cell.row()))
    });
    let mut matrix: BTreeMap<String, BTreeMap<Operation, String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (cell, end) in cells.iter().zip(ends) {
        match end {
            Ok(end) => drop(
                matrix
                    .entry(cell.row())
                    .or_default()
                    .insert(cell.operation, end.to_string()),
            ),
            Err(panic) => wrong.push(panic),
        }
    }
    let line = |row: &str, of: &dyn Fn(Operation) -> String| {
        let cells: Vec<String> = OPERATIONS.iter().map(|operation| of(*operation)).collect();
        format!("| {row} | {} |", cells.join(" | "))
    };
    let mut told = vec![
        line("fault", &|operation| format!("{operation:?}")),
        line("---", &|_| "---".into()),
    ];
    for (row, ends) in &matrix {
        told.push(line(row, &|operation| {
            ends.get(&operation).cloned().unwrap_or_default()
        }));
    }
    told.push(format!(
        "{} faults, {} of them ended badly",
        cells.len(),
        wrong.len()
    ));
    harness::tell(&told.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A write's answer is lost, and the reads that follow do not show yet what it did.
#[test]
fn a_lost_write_that_shows_late_is_not_done_twice() {
    // GitHub refuses to make anything twice but a draft, so only that is waited for any longer.
    for (operation, write, read, looks) in [
        (
            Operation::Release,
            Endpoint::CreateRelease,
            Endpoint::GetReleaseByTag,
            1,
        ),
        (
            Operation::ReleaseWithAssets,
            Endpoint::CreateRelease,
            Endpoint::ListReleases,
            4,
        ),
        (
            Operation::ReleaseWithAssets,
            Endpoint::UploadAsset,
            Endpoint::ListAssets,
            1,
        ),
        (
            Operation::ReleaseWithReceipt,
            Endpoint::UploadAsset,
            Endpoint::ListAssets,
            1,
        ),
        (
            Operation::Draft,
            Endpoint::CreateRelease,
            Endpoint::ListReleases,
            4,
        ),
        (Operation::Tag, Endpoint::CreateRef, Endpoint::GetRef, 1),
        (
            Operation::Pull,
            Endpoint::CreatePull,
            Endpoint::ListPulls,
            1,
        ),
    ] {
        let stage = Stage::new();
        let attempt = operation.attempt(&stage).approved();
        stage.sim.plan(Fault::on(write).then(Effect::ResetAfter));
        stage
            .sim
            .plan(Fault::on(read).times(looks).then(Effect::Lagging));
        let report = attempt.run();
        let end = judge(operation, &stage, &attempt, &report);
        assert!(
            end.0.starts_with("done, "),
            "{operation:?}: {end} {}",
            report.message()
        );
    }
}

/// What a repository or a token forbids.
#[test]
fn what_github_forbids_is_told_and_leaves_nothing_behind() {
    type Setting = (&'static str, Operation, fn(&mut Stage), &'static str);
    let settings: [Setting; 6] = [
        (
            "a token that may only read",
            Operation::ReleaseWithAssets,
            |stage| stage.token = stage.sim.token(Permissions::read()),
            "failed: permission_denied",
        ),
        (
            "a token that sees nothing",
            Operation::Tag,
            |stage| stage.token = stage.sim.token(Permissions::none()),
            "refused: repository_unseen",
        ),
        (
            "tags may not be made",
            Operation::ReleaseWithAssets,
            |stage| stage.sim.disallow_tag_creation(true),
            "failed: github_rejected",
        ),
        (
            "tags may not be made",
            Operation::Tag,
            |stage| stage.sim.disallow_tag_creation(true),
            "failed: github_rejected",
        ),
        (
            "Actions may not open pull requests",
            Operation::Pull,
            |stage| stage.sim.allow_actions_pull_requests(false),
            "failed: permission_denied",
        ),
        (
            "immutable releases",
            Operation::ReleaseWithAssets,
            |stage| stage.sim.immutable_releases(true),
            "done",
        ),
    ];
    for (name, operation, set, expected) in settings {
        let mut stage = Stage::new();
        let receipt = operation.attempt(&stage).approved().receipt();
        set(&mut stage);
        let attempt = operation.attempt(&stage).input("receipt", &receipt);
        let report = attempt.run();
        let end = judge(operation, &stage, &attempt, &report);
        assert_eq!(end.0, expected, "{name}: {}", report.message());
    }
}
