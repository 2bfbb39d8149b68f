//! How fast files are uploaded: GitHub blocks clients that create content too fast.
//!
//! Its documentation names about 80 content-creating requests a minute and 500 an hour; clients that
//! uploaded hundreds of files at once were answered 403 after some 350.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::tempo::Tempo;

/// Uploads that any minute may hold. The rest of GitHub's 80 is for the draft, the ledger and others
/// who use the same token.
const UPLOADS_PER_MINUTE: usize = 60;
/// Seconds of a minute.
const MINUTE: u32 = 60;

/// The turns of the latest uploads, including those still to come.
pub(crate) struct Pace {
    second: Duration,
    /// The last [`UPLOADS_PER_MINUTE`] turns; none on a server that has no such limit.
    turns: Option<Mutex<VecDeque<Instant>>>,
}

impl Pace {
    /// A pace for GitHub's own service, or none.
    pub(super) fn new(tempo: Tempo, limited: bool) -> Self {
        Self {
            second: tempo.second,
            turns: limited.then(Mutex::default),
        }
    }

    /// Waits for the turn of one upload. `max-wait` does not limit this: nothing is wrong.
    pub(crate) async fn turn(&self) {
        let wait = self.wait(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// The least time that this many uploads take from now on, if they are slowed down at all.
    pub(crate) fn least_seconds(&self, uploads: u64) -> Option<u64> {
        self.turns.as_ref()?;
        least_seconds(uploads)
    }

    /// Takes the next turn, and returns the time until then.
    fn wait(&self, now: Instant) -> Duration {
        let Some(turns) = &self.turns else {
            return Duration::ZERO;
        };
        let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = self.second * MINUTE;

        // A minute without uploads resets the pace.
        if turns.back().is_some_and(|last| *last + minute <= now) {
            turns.clear();
        }
        let turn = if turns.len() < UPLOADS_PER_MINUTE {
            now
        } else {
            let oldest = turns.pop_front().map_or(now, |oldest| oldest + minute);
            let last = turns.back().map_or(now, |last| *last + self.second);
            now.max(oldest).max(last)
        };
        turns.push_back(turn);
        turn.saturating_duration_since(now)
    }
}

/// A minute after the first sixty, then a second each.
fn least_seconds(uploads: u64) -> Option<u64> {
    (uploads > UPLOADS_PER_MINUTE as u64).then(|| uploads - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(limited: bool) -> Pace {
        let tempo = Tempo {
            second: SECOND,
            silence: Duration::ZERO,
            ..Tempo::REAL
        };
        Pace::new(tempo, limited)
    }

    #[test]
    fn sixty_uploads_go_at_once_and_the_rest_one_per_second_after_a_minute() {
        let (pace, start) = (pace(true), Instant::now());
        let waits: Vec<u64> = (0..1000).map(|_| pace.wait(start).as_secs()).collect();
        assert!(waits[..60].iter().all(|wait| *wait == 0));
        assert_eq!(waits[60..63], [60, 61, 62]);
        assert_eq!(waits.last().copied(), least_seconds(1000));
        for pair in waits.windows(61) {
            assert!(pair[60] - pair[0] >= 60, "more than 60 in a minute");
        }
    }

    #[test]
    fn after_a_minute_without_uploads_sixty_go_at_once_again() {
        let (pace, start) = (pace(true), Instant::now());
        assert!((0..60).all(|_| pace.wait(start).is_zero()));
        let later = start + SECOND * 60;
        assert!((0..60).all(|_| pace.wait(later).is_zero()));
        assert_eq!(pace.wait(later), SECOND * 60);
    }

    #[test]
    fn an_enterprise_server_is_not_slowed_down() {
        let (pace, start) = (pace(false), Instant::now());
        assert!((0..1000).all(|_| pace.wait(start).is_zero()));
        assert_eq!(pace.least_seconds(1000), None);
    }
}
