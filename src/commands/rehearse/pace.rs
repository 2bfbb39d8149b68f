//! Keeps the rehearsal's writes below GitHub's limits.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::tempo::Tempo;

/// Content writes in any minute; GitHub allows some 80.
pub(super) const PER_MINUTE: usize = 60;
/// Content writes in all; more only with `--heavy`.
pub(super) const MAX_WRITES: usize = 300;

/// When content was written, and how long a second is.
pub(super) struct Pace {
    second: Duration,
    sent: RefCell<VecDeque<Instant>>,
    written: Cell<usize>,
}

impl Pace {
    pub(super) const fn new(tempo: Tempo) -> Self {
        Self {
            second: tempo.second,
            sent: RefCell::new(VecDeque::new()),
            written: Cell::new(0),
        }
    }

    /// Waits until so many more content writes fit into this minute, and counts them.
    pub(super) async fn admit(&self, writes: usize) {
        for _ in 0..writes {
            let wait = self.wait(Instant::now());
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            self.sent.borrow_mut().push_back(Instant::now());
        }
        self.written.set(self.written.get() + writes);
    }

    fn wait(&self, now: Instant) -> Duration {
        let minute = self.second * 60;
        let mut sent = self.sent.borrow_mut();
        while sent
            .front()
            .is_some_and(|first| now.duration_since(*first) >= minute)
        {
            sent.pop_front();
        }
        match sent.front() {
            Some(first) if sent.len() >= PER_MINUTE => {
                (*first + minute).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// Sleeps so many thousandths of a second.
    pub(super) async fn sleep(&self, thousandths: u32) {
        tokio::time::sleep(self.second * thousandths / 1000).await;
    }

    /// How long something lasted in the rehearsal's own seconds, in thousandths of them.
    pub(super) fn thousandths(&self, elapsed: Duration) -> u64 {
        let second = self.second.as_nanos().max(1);
        u64::try_from(elapsed.as_nanos() * 1000 / second).unwrap_or(u64::MAX)
    }

    pub(super) fn written(&self) -> usize {
        self.written.get()
    }
}

/// How many minutes so many content writes last at least.
pub(super) const fn minutes(writes: usize) -> usize {
    writes.saturating_sub(1) / PER_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixty_first_write_waits_until_the_first_is_a_minute_old() {
        let pace = Pace::new(Tempo::REAL);
        let start = Instant::now();
        pace.sent.borrow_mut().extend([start; PER_MINUTE]);
        assert_eq!(pace.wait(start), Duration::from_mins(1));
        assert_eq!(
            pace.wait(start + Duration::from_secs(59)),
            Duration::from_secs(1)
        );
        assert_eq!(pace.wait(start + Duration::from_mins(1)), Duration::ZERO);
    }

    #[test]
    fn sixty_writes_fit_into_the_first_minute() {
        assert_eq!([0, 1, 60, 61, 300].map(minutes), [0, 0, 0, 1, 4]);
    }
}
