//! Says how fast time goes for code that waits, and how much of it has passed.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// How long a second is, and how long GitHub may be silent. Tests have shorter ones.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    /// The unit of every wait between two tries.
    pub second: Duration,
    /// Longest silence while reading or writing; GitHub itself gives up after 10 seconds on most requests.
    pub silence: Duration,
    /// The clock that goes on while the machine sleeps.
    pub since_boot: SinceBoot,
}

/// How long ago the machine started. A plain function, as a clock is.
pub type SinceBoot = fn() -> Duration;

impl Tempo {
    /// The tempo of the product.
    pub const REAL: Self = Self {
        second: Duration::from_secs(1),
        silence: Duration::from_mins(1),
        since_boot,
    };
}

/// How long ago this machine started, including the time in which it slept.
#[must_use]
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;

    let since = clock_gettime(clock);
    Duration::new(
        u64::try_from(since.tv_sec).unwrap_or(0),
        u32::try_from(since.tv_nsec).unwrap_or(0),
    )
}

/// A moment by two clocks, because neither is enough: a process's usual clock stops while the machine
/// sleeps, and the wall clock can be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    since_boot: Duration,
    wall: SystemTime,
}

impl Moment {
    pub(crate) fn now(since_boot: SinceBoot) -> Self {
        Self {
            since_boot: since_boot(),
            wall: SystemTime::now(),
        }
    }

    /// Whether less than this has passed until `now`, by both clocks. A wall clock that was set back
    /// says nothing.
    pub(crate) fn is_within(self, limit: Duration, now: Self) -> bool {
        let by_wall = now.wall.duration_since(self.wall);
        now.since_boot
            .checked_sub(self.since_boot)
            .is_some_and(|age| age < limit)
            && by_wall.is_ok_and(|age| age < limit)
    }
}

impl Default for Tempo {
    fn default() -> Self {
        Self::REAL
    }
}
