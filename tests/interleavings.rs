//! Random interleavings of attempts, crashes at every request, lost replies and refusals, over publisher and simulator.
//!
//! `PROPTEST_CASES` sets the number of cases (256 by default, each of up to eight attempts by the real binary).
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    cell::RefCell,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use countersign_core::{
    document::Document as _,
    envelope::Envelope,
    evidence::NAME,
    keys::{Threshold, TrustedKeys},
    ledger::{Examiner, Verifier, entry_path},
};
use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Stage};
use proptest::{prelude::*, sample::select};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// What happens to one request of an attempt.
#[derive(Clone, Copy, Debug)]
enum Misfortune {
    /// The process is killed while the request waits for its answer.
    Kill,
    /// The connection drops before the work.
    ResetBefore,
    /// The connection drops after the work.
    ResetAfter,
    /// 502 before the work.
    Unavailable,
    /// 502 after the work.
    DoneButUnavailable,
    /// 422: GitHub does not want it.
    Refused,
}

/// One attempt at one of four receipts, and the request that goes wrong, if one does.
#[derive(Clone, Copy, Debug)]
struct Try {
    receipt: usize,
    /// Whether someone pushes a commit to the ledger first that adds no entry.
    strays: bool,
    misfortune: Option<(Endpoint, usize, usize, Misfortune)>,
}

/// The tag of the release that carries its receipt.
const ATTACHED: &str = "v2.0.0";

/// The requests of one attempt at each receipt.
const REQUESTS: [&[Endpoint]; 4] = [
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreateTagObject,
        Endpoint::CreateRef,
        Endpoint::GetRef,
    ],
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreateRelease,
        Endpoint::UploadAsset,
        Endpoint::PublishRelease,
        Endpoint::GetReleaseByTag,
        Endpoint::ListReleases,
    ],
    &[
        Endpoint::Preflight,
        Endpoint::Append,
        Endpoint::CreatePull,
        Endpoint::ListPulls,
    ],
    &[
        Endpoint::Append,
        Endpoint::CreateRelease,
        Endpoint::UploadAsset,
        Endpoint::ListAssets,
        Endpoint::PublishRelease,
        Endpoint::GetReleaseByTag,
        Endpoint::ListReleases,
        Endpoint::GetAsset,
        Endpoint::GetContents,
    ],
];

/// The model knows nothing: whatever is tried, the invariants hold.
struct Anything;

impl ReferenceStateMachine for Anything {
    type State = ();
    type Transition = Try;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Try> {
        let misfortune = select(vec![
            Misfortune::Kill,
            Misfortune::ResetBefore,
            Misfortune::ResetAfter,
            Misfortune::Unavailable,
            Misfortune::DoneButUnavailable,
            Misfortune::Refused,
        ]);
        let try_at = move |receipt: usize| {
            // Once, so that a retry may help; or again and again.
            let times = select(vec![1, usize::MAX]);
            let place = (
                select(REQUESTS[receipt].to_vec()),
                1..3usize,
                times,
                misfortune.clone(),
            );
            let strays = proptest::bool::weighted(0.2);
            let misfortune = proptest::option::weighted(0.8, place);
            (strays, misfortune).prop_map(move |(strays, misfortune)| Try {
                receipt,
                strays,
                misfortune,
            })
        };
        (0..4usize).prop_flat_map(try_at).boxed()
    }

    fn apply((): (), _: &Try) {}
}

static KILLED: AtomicUsize = AtomicUsize::new(0);
static TROUBLED: AtomicUsize = AtomicUsize::new(0);
static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
static LATE: AtomicUsize = AtomicUsize::new(0);

/// A stage with four approved operations: a tag, a release with an asset, a pull request, a release with an asset and its receipt.
struct World {
    stage: Stage,
    receipts: Vec<String>,
    attempts: RefCell<u64>,
}

impl World {
    fn new() -> Self {
        let stage = Stage::new();
        stage.file("app.zip", "abc");
        let world = Self {
            stage,
            receipts: Vec::new(),
            attempts: RefCell::new(0),
        };
        let receipts = (0..4).map(|receipt| {
            let plan = world.operation(receipt).dry_run();
            world.stage.sign(&harness::terms(&plan.plan()))
        });
        let receipts = receipts.collect();
        Self { receipts, ..world }
    }

    fn operation(&self, receipt: usize) -> Attempt<'_> {
        match receipt {
            0 => self.stage.tag().input("tag-name", "tagged"),
            1 => self.stage.release().input("files", "app.zip"),
            2 => self.stage.pull(),
            _ => self
                .stage
                .release()
                .input("tag-name", ATTACHED)
                .input("files", "app.zip")
                .input("attach-receipt", "true"),
        }
    }

    /// The next attempt of the run.
    fn attempt(&self, receipt: usize) -> Attempt<'_> {
        *self.attempts.borrow_mut() += 1;
        ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        self.operation(receipt)
            .input("receipt", &self.receipts[receipt])
            .variable("GITHUB_RUN_ATTEMPT", self.attempts.borrow().to_string())
    }

    fn make(&self, attempt: Try) {
        let sim = &self.stage.sim;
        if attempt.strays {
            sim.commit("receipt-ledger", &[("README.md", b"changed")]);
        }
        let Some((endpoint, nth, times, misfortune)) = attempt.misfortune else {
            self.attempt(attempt.receipt).run();
            return;
        };
        let effect = match misfortune {
            Misfortune::Kill => Effect::Stall,
            Misfortune::ResetBefore => Effect::ResetBefore,
            Misfortune::ResetAfter => Effect::ResetAfter,
            Misfortune::Unavailable => Effect::StatusBefore(502),
            Misfortune::DoneButUnavailable => Effect::StatusAfter(502),
            Misfortune::Refused => Effect::StatusBefore(422),
        };
        sim.plan(Fault::on(endpoint).nth(nth).times(times).then(effect));
        TROUBLED.fetch_add(1, Ordering::Relaxed);
        let attempt = self.attempt(attempt.receipt);
        match misfortune {
            Misfortune::Kill => self.kill(&attempt, endpoint),
            _ => drop(attempt.run()),
        }
        sim.forget_faults();
    }

    /// Lets the attempt run until it ends, or until the request to be killed at has come and stays without an answer.
    fn kill(&self, attempt: &Attempt<'_>, endpoint: Endpoint) {
        let before = self.stage.sim.events().len();
        let (mut command, _surfaces) = attempt.process();
        let mut child = command.spawn().unwrap();
        let stalled = || {
            self.stage.sim.events()[before..].iter().any(|event| {
                event.endpoint == endpoint && !event.finished && event.status.is_none()
            })
        };
        let mut seen = 0;
        while child.try_wait().unwrap().is_none() {
            // A request is unfinished for a moment while it is served: only one that stays so is the stalled one.
            seen = if stalled() { seen + 1 } else { 0 };
            if seen > 50 {
                assert!(
                    Command::new("kill")
                        .args(["-KILL", &child.id().to_string()])
                        .status()
                        .unwrap()
                        .success()
                );
                KILLED.fetch_add(1, Ordering::Relaxed);
                break;
            }
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    /// What must hold at every moment.
    fn check(&self) -> u64 {
        let sim = &self.stage.sim;
        let effects = [
            usize::from(sim.ref_oid("refs/tags/tagged").is_some()),
            sim.releases()
                .iter()
                .filter(|release| release.tag_name == "v1.0.0")
                .count(),
            sim.pulls().len(),
            sim.releases()
                .iter()
                .filter(|release| release.tag_name == ATTACHED)
                .count(),
        ];
        let entries = self.stage.ledger();
        let claims = |receipt: &str| {
            let receipt = Envelope::parse(receipt).unwrap();
            entries
                .iter()
                .filter(|entry| entry.receipt.as_ref() == Some(&receipt))
                .collect::<Vec<_>>()
        };
        for (receipt, effects) in effects.iter().enumerate() {
            assert!(*effects <= 1, "{receipt}: {effects} effects");
            assert!(
                *effects == 0 || !claims(&self.receipts[receipt]).is_empty(),
                "{receipt}: an effect without a claim"
            );
        }
        for release in sim.releases().into_iter().filter(|release| !release.draft) {
            let (evidence, files): (Vec<_>, Vec<_>) =
                release.assets.iter().partition(|asset| asset.name == NAME);
            assert!(
                files
                    .iter()
                    .all(|asset| asset.state == "uploaded" && asset.size == 3)
            );
            let attached = usize::from(release.tag_name == ATTACHED);
            assert_eq!(
                (files.len(), evidence.len()),
                (1, attached),
                "a half release was published"
            );
            let held = |bytes: &[u8]| {
                claims(&self.receipts[3])
                    .iter()
                    .any(|claim| claim.to_document() == bytes)
            };
            assert!(
                evidence
                    .iter()
                    .all(|asset| held(asset.bytes.as_deref().unwrap_or_default())),
                "evidence that is no claim of its receipt"
            );
        }
        self.verified()
    }

    /// The whole chain, recomputed; gives the number of operations without an outcome.
    fn verified(&self) -> u64 {
        let keys = TrustedKeys::parse(&self.stage.trusted()).unwrap();
        let examiner = Examiner::new(Some(countersign_core::ledger::Keys::Listed(
            &keys,
            Threshold::ONE,
        )));
        let mut verifier = Verifier::default();
        let file = |path: &str| self.stage.sim.read_file("receipt-ledger", path);
        for entry in self.stage.ledger() {
            verifier
                .take(
                    examiner
                        .examine(entry.sequence, &file(&entry_path(entry.sequence)).unwrap())
                        .unwrap(),
                )
                .unwrap();
        }
        let head = file("ledger.json").unwrap();
        assert!(countersign_core::ledger::Head::from_document(&head).is_ok());
        verifier.is_head(&head).unwrap();
        verifier.tally().unfinished
    }
}

struct Publisher;

impl StateMachineTest for Publisher {
    type SystemUnderTest = World;
    type Reference = Anything;

    fn init_test((): &()) -> World {
        World::new()
    }

    fn apply(world: World, (): &(), attempt: Try) -> World {
        world.make(attempt);
        world.check();
        world
    }

    fn teardown(world: World, (): ()) {
        // In half of the cases every receipt ends before its last attempt: that one looks, and records.
        let ends = *world.attempts.borrow() % 2 == 1;
        let (later, before) = (harness::now().plus(3700), world.stage.writes().len());
        if ends {
            world.stage.sim.shift_clock(3700);
            LATE.fetch_add(1, Ordering::Relaxed);
        }
        // Enough attempts: with fair weather one more settles each receipt.
        for receipt in 0..4 {
            let attempt = world.attempt(receipt);
            let report = if ends {
                attempt
                    .variable("HURRIED_NOW", later.unix().to_string())
                    .run()
            } else {
                attempt.run()
            };
            assert!(
                matches!(report.exit, 0 | 1 | 3),
                "{}: {}",
                report.exit,
                report.message()
            );
        }
        if ends {
            let writes = world.stage.writes().split_off(before);
            assert!(
                writes.iter().all(|write| write == "POST /graphql"),
                "something was done after the end: {writes:?}"
            );
        }
        assert_eq!(
            world.check(),
            0,
            "a claim has no outcome: {:?}",
            world.stage.ledger_events()
        );
    }
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(256);
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    }
}

prop_state_machine! {
    #![proptest_config(cases())]

    fn interleave(sequential 1..6 => Publisher);
}

#[test]
fn nothing_happens_twice_and_nothing_is_lost() {
    interleave();
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let told = format!(
        "survived {} kills and {} other faults in {} attempts",
        count(&KILLED),
        count(&TROUBLED) - count(&KILLED),
        count(&ATTEMPTS)
    );
    harness::tell(&told);
    assert!(count(&KILLED) > 0, "no process was ever killed");
    assert!(count(&LATE) > 0, "no receipt ever ended");
}
