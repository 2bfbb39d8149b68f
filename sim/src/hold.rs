//! An answer that is held until a test lets it go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use crate::log::DEADLINE;

/// Holds one answer: the work is done, and the client waits.
#[derive(Clone, Debug, Default)]
pub struct Hold(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_held: Mutex<bool>,
    changed: Condvar,
    is_lost: AtomicBool,
    released: Notify,
}

impl Hold {
    /// Waits until the work is done and its answer is held.
    ///
    /// # Panics
    /// If no request was held within half a minute.
    pub fn reached(&self) {
        assert!(
            self.is_reached_within(DEADLINE),
            "no request was held within {DEADLINE:?}"
        );
    }

    /// Whether the work is done and its answer is held, or comes to be within this time.
    #[must_use]
    pub fn is_reached_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut is_held = self.0.is_held.lock();
        while !*is_held
            && !self
                .0
                .changed
                .wait_until(&mut is_held, deadline)
                .timed_out()
        {}
        *is_held
    }

    /// Lets the answer go.
    pub fn release(&self) {
        self.0.released.notify_one();
    }

    /// Drops the connection instead: the answer is lost.
    pub fn lose(&self) {
        self.0.is_lost.store(true, Ordering::Release);
        self.release();
    }

    /// Waits for the test; gives whether the answer is lost.
    pub(crate) async fn keep(&self) -> bool {
        *self.0.is_held.lock() = true;
        self.0.changed.notify_all();

        self.0.released.notified().await;
        self.0.is_lost.load(Ordering::Acquire)
    }
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Hold {}
