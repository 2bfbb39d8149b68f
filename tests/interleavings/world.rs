//! A stage with four approved operations: how attempts are made on it, and what must hold at every moment.

use std::{
    cell::{Cell, RefCell},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use countersign_core::{
    document::Document as _,
    envelope::Envelope,
    evidence::{NAME, compose},
    keys::{Threshold, TrustedKeys},
    ledger::{Entry, EventType, Examiner, Head, Keys, Verifier, entry_path, operation_path},
};
use countersign_sim::{Effect, Endpoint, Fault};

use crate::{
    harness::{self, Attempt, Stage, strangers},
    moves::{Foreign, Misfortune, Strike, Try},
};

/// The tag of the release that carries its receipt.
const ATTACHED: &str = "v2.0.0";

pub static KILLED: AtomicUsize = AtomicUsize::new(0);
pub static TROUBLED: AtomicUsize = AtomicUsize::new(0);
pub static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
pub static LATE: AtomicUsize = AtomicUsize::new(0);
pub static ASLEEP: AtomicUsize = AtomicUsize::new(0);
pub static OVERTAKEN: AtomicUsize = AtomicUsize::new(0);
pub static FORGED: AtomicUsize = AtomicUsize::new(0);

/// How many effects of each receipt everybody can see.
type Seen = [usize; 4];

/// A tag, a release with an asset, a pull request, and a release with an asset and its receipt.
pub struct World {
    stage: Stage,
    receipts: Vec<String>,
    attempts: Cell<u64>,
    /// How many seconds GitHub's clock is off.
    skew: Cell<i64>,
    seen: Cell<Seen>,
    /// The most that may ever be seen: one each, and no more than there is once nothing may happen.
    most: Cell<Seen>,
    /// Claims as they were when they were appended, whatever hides them later.
    claims: RefCell<Vec<Entry>>,
    /// The ledger holds what no attempt wrote, so it neither verifies nor is it settled in the end.
    is_forged: Cell<bool>,
}

impl World {
    pub fn new() -> Self {
        let stage = Stage::new();
        stage.file("app.zip", "abc");
        let world = Self {
            stage,
            receipts: Vec::new(),
            attempts: Cell::new(0),
            skew: Cell::new(0),
            seen: Cell::new([0; 4]),
            most: Cell::new([1; 4]),
            claims: RefCell::default(),
            is_forged: Cell::new(false),
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
        self.attempts.set(self.attempts.get() + 1);
        ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        self.operation(receipt)
            .input("receipt", &self.receipts[receipt])
            .variable("GITHUB_RUN_ATTEMPT", self.attempts.get().to_string())
    }

    pub fn make(&self, one: Try) {
        if let Some(foreign) = one.before {
            self.happen(foreign, one.receipt);
        }
        match one.strike {
            Some(strike) => self.strike(one.receipt, strike),
            None => drop(self.attempt(one.receipt).run()),
        }
    }

    /// What others do.
    fn happen(&self, foreign: Foreign, receipt: usize) {
        match foreign {
            Foreign::Stray => strangers::strays(&self.stage),
            Foreign::Clock(seconds) => {
                self.stage.sim.shift_clock(seconds - self.skew.get());
                self.skew.set(seconds);
            }
            // Whatever was there already: nothing more may happen to any receipt.
            Foreign::Merge => {
                strangers::merge_the_first_tree(&self.stage);
                self.is_forged.set(true);
                self.most.set(self.visible());
            }
            Foreign::ForgedClaim => self.forge(receipt, strangers::claim_for_another_run),
            Foreign::ForgedFailure => self.forge(receipt, |stage, claim| {
                strangers::settle(stage, claim, EventType::Failed);
            }),
            Foreign::ForgedSuccess => self.forge(receipt, |stage, claim| {
                strangers::settle(stage, claim, EventType::Succeeded);
            }),
        }
    }

    /// Appends what is made of a receipt's claim, if there is one and the ledger still reads well.
    fn forge(&self, receipt: usize, append: impl FnOnce(&Stage, &Entry)) {
        let Some(claim) = self.claims_of(receipt).pop() else {
            return;
        };
        if self.stage.ledger().is_empty() {
            return;
        }
        append(&self.stage, &claim);

        FORGED.fetch_add(1, Ordering::Relaxed);
        self.is_forged.set(true);
        let mut most = self.most.get();
        most[receipt] = self.visible()[receipt];
        self.most.set(most);
    }

    fn strike(&self, receipt: usize, strike: Strike) {
        let effect = match strike.misfortune {
            Misfortune::Kill => Effect::Stall,
            Misfortune::ResetBefore => Effect::ResetBefore,
            Misfortune::ResetAfter => Effect::ResetAfter,
            Misfortune::Unavailable => Effect::StatusBefore(502),
            Misfortune::DoneButUnavailable => Effect::StatusAfter(502),
            Misfortune::Refused => Effect::StatusBefore(422),
            Misfortune::Sleep(seconds) => return self.sleep(receipt, strike, seconds),
            Misfortune::Overtaken => return self.overtake(receipt, strike),
        };
        let sim = &self.stage.sim;
        let fault = Fault::on(strike.endpoint)
            .nth(strike.nth)
            .times(strike.times);
        sim.plan(fault.then(effect));
        TROUBLED.fetch_add(1, Ordering::Relaxed);

        let attempt = self.attempt(receipt);
        match strike.misfortune {
            Misfortune::Kill => self.kill(&attempt, strike.endpoint),
            _ => drop(attempt.run()),
        }
        sim.forget_faults();
    }

    fn sleep(&self, receipt: usize, strike: Strike, seconds: u32) {
        let attempt = self.attempt(receipt);
        attempt.run_held_if(strike.endpoint, strike.nth, |hold| {
            self.stage.sleep(seconds);
            // Long enough for every receipt to end: what is there now is all that there may be.
            if seconds > 3600 {
                self.most.set(self.visible());
            }
            ASLEEP.fetch_add(1, Ordering::Relaxed);
            hold.release();
        });
        self.stage.sim.forget_faults();
    }

    fn overtake(&self, receipt: usize, strike: Strike) {
        let suspended = self.attempt(receipt);
        suspended.run_held_if(strike.endpoint, strike.nth, |hold| {
            self.stage.sleep(6);
            self.attempt(receipt).run();
            self.check();
            OVERTAKEN.fetch_add(1, Ordering::Relaxed);
            hold.release();
        });
        self.stage.sim.forget_faults();
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
                let pid = child.id().to_string();
                let killed = Command::new("kill").args(["-KILL", &pid]).status();
                assert!(killed.unwrap().success());
                KILLED.fetch_add(1, Ordering::Relaxed);
                break;
            }
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    /// What everybody can see of each receipt.
    fn visible(&self) -> Seen {
        let sim = &self.stage.sim;
        let releases = sim.releases();
        let published = |tag: &str| {
            let of_tag = |release: &&countersign_sim::ReleaseRecord| {
                release.tag_name == tag && !release.draft
            };
            releases.iter().filter(of_tag).count()
        };
        [
            usize::from(sim.ref_oid("refs/tags/tagged").is_some()),
            published("v1.0.0"),
            sim.pulls().len(),
            published(ATTACHED),
        ]
    }

    /// The claims of a receipt, also those that the branch no longer shows.
    fn claims_of(&self, receipt: usize) -> Vec<Entry> {
        let receipt = Envelope::parse(&self.receipts[receipt]).unwrap();
        let claims = self.claims.borrow();
        let of_receipt = claims
            .iter()
            .filter(|entry| entry.receipt.as_ref() == Some(&receipt));
        of_receipt.cloned().collect()
    }

    /// What must hold at every moment.
    pub fn check(&self) {
        for entry in self.stage.ledger() {
            let mut claims = self.claims.borrow_mut();
            if entry.receipt.is_some() && !claims.contains(&entry) {
                claims.push(entry);
            }
        }

        let (visible, seen, most) = (self.visible(), self.seen.get(), self.most.get());
        for receipt in 0..4 {
            let count = visible[receipt];
            assert!(count <= most[receipt], "{receipt}: {count} effects");
            assert!(
                count >= seen[receipt],
                "{receipt}: what was visible is gone"
            );
            let is_claimed = !self.claims_of(receipt).is_empty();
            assert!(
                count == 0 || is_claimed,
                "{receipt}: an effect without a claim"
            );
        }
        self.seen.set(visible);

        self.check_releases();
        if !self.is_forged.get() {
            self.unfinished();
        }
    }

    /// At most one release or draft of each tag, and nothing published that is not as approved.
    fn check_releases(&self) {
        let releases = self.stage.sim.releases();
        for tag in ["v1.0.0", ATTACHED] {
            let of_tag = releases.iter().filter(|release| release.tag_name == tag);
            assert!(of_tag.count() <= 1, "{tag}: two releases or drafts");
        }
        for release in releases.into_iter().filter(|release| !release.draft) {
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
                let evidence = |claim: &Entry| {
                    let operation = claim.operation.as_ref()?;
                    Some(compose(&claim.to_document(), operation))
                };
                self.claims_of(3)
                    .iter()
                    .filter_map(evidence)
                    .any(|evidence| evidence == bytes)
            };
            assert!(
                evidence
                    .iter()
                    .all(|asset| held(asset.bytes.as_deref().unwrap_or_default())),
                "evidence that is no claim of its receipt"
            );
        }
    }

    /// The whole chain, recomputed; gives the number of operations without an outcome.
    fn unfinished(&self) -> u64 {
        let keys = TrustedKeys::parse(&self.stage.trusted()).unwrap();
        let examiner = Examiner::new(Some(Keys::Listed(&keys, Threshold::ONE)));
        let mut verifier = Verifier::default();
        let file = |path: &str| self.stage.sim.read_file("receipt-ledger", path);
        for entry in self.stage.ledger() {
            let bytes = file(&entry_path(entry.sequence)).unwrap();
            let operation = file(&operation_path(&entry.operation_digest));
            let sound = examiner
                .examine(entry.sequence, &bytes, operation.as_deref())
                .unwrap();
            verifier.take(sound).unwrap();
        }
        let head = file("ledger.json").unwrap();
        assert!(Head::from_document(&head).is_ok());
        verifier.is_head(&head).unwrap();
        verifier.tally().unfinished
    }

    /// Enough attempts: with fair weather one more settles each receipt.
    pub fn finish(&self) {
        self.happen(Foreign::Clock(0), 0);
        // In half of the cases every receipt ends before its last attempt: that one looks, and records.
        let ends = self.attempts.get() % 2 == 1;
        if ends {
            self.stage.sleep(3700);
            self.most.set(self.visible());
            LATE.fetch_add(1, Ordering::Relaxed);
        }

        let before = self.stage.writes().len();
        for receipt in 0..4 {
            let report = self.attempt(receipt).run();
            let is_expected =
                matches!(report.exit, 0 | 1 | 3) || report.exit == 4 && self.is_forged.get();
            assert!(is_expected, "{}: {}", report.exit, report.message());
        }
        if ends {
            let writes = self.stage.writes().split_off(before);
            assert!(
                writes.iter().all(|write| write == "POST /graphql"),
                "something was done after the end: {writes:?}"
            );
        }

        self.check();
        if !self.is_forged.get() {
            let events = self.stage.ledger_events();
            assert_eq!(self.unfinished(), 0, "a claim has no outcome: {events:?}");
        }
    }
}
