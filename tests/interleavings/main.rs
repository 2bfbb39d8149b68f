//! Random interleavings of attempts with crashes, lost replies, sleep, and what others write, over publisher and simulator.
//!
//! 256 cases on four threads, each of up to ten attempts by the real binary; `PROPTEST_CASES` sets how many each thread has (64).
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

#[path = "../harness/mod.rs"]
mod harness;
mod moves;
mod world;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::{moves::Try, world::World};

/// The model knows nothing: whatever is tried, the invariants hold.
struct Anything;

impl ReferenceStateMachine for Anything {
    type State = ();
    type Transition = Try;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Try> {
        moves::tries()
    }

    fn apply((): (), _: &Try) {}
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
        world.finish();
    }
}

/// So many cases run at once: an attempt waits for its answers most of the time.
const THREADS: u32 = 4;

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: 256 / THREADS,
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
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(interleave)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let told = format!(
        "survived {} kills, {} other faults, {} sleeps, {} successors and {} forged entries in {} attempts",
        count(&world::KILLED),
        count(&world::TROUBLED) - count(&world::KILLED),
        count(&world::ASLEEP),
        count(&world::OVERTAKEN),
        count(&world::FORGED),
        count(&world::ATTEMPTS)
    );
    harness::tell(&told);

    assert!(count(&world::KILLED) > 0, "no process was ever killed");
    assert!(count(&world::LATE) > 0, "no receipt ever ended");
}
