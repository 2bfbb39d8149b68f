//! Decides how often a request is retried and how long to wait before: transient errors are waited out, others reported at once.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_core::timestamp::Timestamp;

use super::Trouble;
use crate::{
    log::Log,
    tempo::{Moment, SinceBoot, Tempo},
};

/// Seconds of waiting that one attempt has by default: enough for a secondary rate limit, which asks for at least one minute.
pub(crate) const MAX_WAIT: u64 = 120;
/// Tries after the first one, with these waits in seconds before them.
const WAITS: [u64; 3] = [2, 4, 8];
/// Seconds between two looks for what was written a moment ago.
const BETWEEN_LOOKS: u64 = 2;
/// Looks after the first one. GitHub's reads were seen to lag behind its writes by up to 23 s.
const MORE_LOOKS: u64 = 15;

/// Waits that run beside each other are one wait.
struct Spending {
    left: Duration,
    paid_until: Instant,
}

/// The end of the receipt that is claimed, and the clock by which it comes: no wait goes past it.
#[derive(Clone, Copy)]
struct End {
    at: Timestamp,
    clock: fn() -> Timestamp,
}

/// What is left of one attempt's patience.
pub(crate) struct Patience {
    second: Duration,
    since_boot: SinceBoot,
    spending: Mutex<Spending>,
    end: Mutex<Option<End>>,
    retries: AtomicU64,
    log: Log,
}

impl Patience {
    /// So many seconds of waiting in all.
    pub(crate) fn new(tempo: Tempo, max_wait: u64, log: Log) -> Self {
        let left = tempo
            .second
            .saturating_mul(u32::try_from(max_wait).unwrap_or(u32::MAX));
        let spending = Mutex::new(Spending {
            left,
            paid_until: Instant::now(),
        });
        Self {
            second: tempo.second,
            since_boot: tempo.since_boot,
            spending,
            end: Mutex::new(None),
            retries: AtomicU64::new(0),
            log,
        }
    }

    /// This moment, by the attempt's clocks.
    pub(crate) fn now(&self) -> Moment {
        Moment::now(self.since_boot)
    }

    /// How many requests were repeated.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// From now on no request waits until this moment or longer before its next try, because nothing
    /// could be done with the receipt then.
    pub(crate) fn ends_at(&self, at: Timestamp, clock: fn() -> Timestamp) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(End { at, clock });
    }

    /// What was done must be recorded, whatever time it is.
    pub(crate) fn ends_no_more(&self) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The trouble as it is reported when there are no more tries: either there were enough, or the
    /// receipt would have ended before the next one.
    pub(crate) fn given_up(&self, trouble: Trouble, tried: usize) -> Trouble {
        let wait = if trouble.passes() {
            wait_before_retry(&trouble, tried)
        } else {
            None
        };
        match wait.and_then(|wait| self.reached_by(wait)) {
            Some(end) => Trouble::ReceiptEndsFirst {
                trouble: Box::new(trouble),
                end,
            },
            None => trouble,
        }
    }

    /// The receipt's end, if it comes before so many seconds have passed.
    fn reached_by(&self, wait: u64) -> Option<Timestamp> {
        let end = (*self.end.lock().unwrap_or_else(PoisonError::into_inner))?;
        ((end.clock)().plus(wait) >= end.at).then_some(end.at)
    }

    /// Lets others go first on the ledger, for so many thousandths of a second; counts as a retry, but not against `max-wait`.
    pub(crate) async fn stands_aside(&self, thousandths: u64) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.log.line("countersign: the ledger moved on, or its answer was lost. Looking again before the next try.");
        tokio::time::sleep(self.second * u32::try_from(thousandths).unwrap_or(u32::MAX) / 1000)
            .await;
    }

    /// Looks for what was written a moment ago until it shows, for half a minute. `max-wait` does
    /// not limit this: the write is done, and giving up early would call it unknown.
    pub(crate) async fn look_for<T, E>(
        &self,
        what: &str,
        look: impl AsyncFn() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        for looked in 0..=MORE_LOOKS {
            if looked == 1 {
                let limit = BETWEEN_LOOKS * MORE_LOOKS;
                self.log.line(&format!("countersign: GitHub does not show {what} yet. Looking again every {BETWEEN_LOOKS} s, for {limit} s at most."));
            }
            if looked > 0 {
                self.retries.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(self.seconds(BETWEEN_LOOKS)).await;
            }

            if let Some(found) = look().await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Waits, if after so many tries another one may help; `false` means that it is time to give up.
    pub(crate) async fn waits(&self, trouble: &Trouble, tried: usize) -> bool {
        trouble.passes() && self.sleep_before_retry(trouble, tried).await
    }

    /// The same for a request that names something made a moment ago, which GitHub may not find yet.
    pub(crate) async fn waits_for_fresh(&self, trouble: &Trouble, tried: usize) -> bool {
        let trouble = trouble.clone().of_something_fresh();
        self.waits(&trouble, tried).await
    }

    /// Sleeps, unless there were enough tries or too little of `max-wait` is left.
    async fn sleep_before_retry(&self, trouble: &Trouble, tried: usize) -> bool {
        let Some(wait) = wait_before_retry(trouble, tried) else {
            return false;
        };
        if let Some(end) = self.reached_by(wait) {
            self.log.line(&format!("countersign: {trouble}. The next try would come in {wait} s, but the receipt is valid until {end}."));
            return false;
        }
        let pause = self.seconds(wait);
        if let Err(left) = self.pay(pause, Instant::now()) {
            let left = left
                .as_nanos()
                .checked_div(self.second.as_nanos())
                .unwrap_or_default();
            self.log.line(&format!("countersign: {trouble}. The next try would come in {wait} s, but max-wait leaves {left} s."));
            return false;
        }
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.log.line(&format!(
            "countersign: {trouble}. Trying again in {wait} s (retry {tried} of {}).",
            WAITS.len()
        ));
        tokio::time::sleep(pause).await;
        true
    }

    fn seconds(&self, seconds: u64) -> Duration {
        self.second
            .saturating_mul(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Pays for a wait from now on, as far as another wait has not paid for the same time; or tells what is left.
    fn pay(&self, pause: Duration, now: Instant) -> Result<(), Duration> {
        let mut spending = self.spending.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now + pause;
        let price = until.saturating_duration_since(spending.paid_until.max(now));
        spending.left = spending.left.checked_sub(price).ok_or(spending.left)?;
        spending.paid_until = spending.paid_until.max(until);
        Ok(())
    }
}

/// Seconds before the next try after so many, if there is one.
fn wait_before_retry(trouble: &Trouble, tried: usize) -> Option<u64> {
    let wait = tried.checked_sub(1).and_then(|done| WAITS.get(done))?;
    Some(
        trouble
            .asks_to_wait()
            .map_or(*wait, |asked| asked.max(*wait)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn waits(max_wait: u64, troubles: &[(Trouble, usize)]) -> (Vec<bool>, u64, String) {
        let lines = Lines::default();
        let tempo = Tempo {
            second: Duration::from_micros(1),
            silence: Duration::ZERO,
            ..Tempo::REAL
        };
        let patience = Patience::new(tempo, max_wait, Log::to(lines.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let waited = troubles
            .iter()
            .map(|(trouble, tried)| runtime.block_on(patience.waits(trouble, *tried)))
            .collect();
        (
            waited,
            patience.retries(),
            String::from_utf8(lines.0.lock().unwrap().clone()).unwrap(),
        )
    }

    fn limited(wait: Option<u64>) -> Trouble {
        Trouble::RateLimit {
            message: "too many".into(),
            wait,
        }
    }

    #[test]
    fn what_passes_is_tried_three_times_more_after_2_4_and_8_seconds() {
        let lost = Trouble::NoAnswer {
            reason: "reset".into(),
        };
        let (waited, retries, told) = waits(
            120,
            &[
                (lost.clone(), 1),
                (lost.clone(), 2),
                (lost.clone(), 3),
                (lost, 4),
            ],
        );
        assert_eq!((waited, retries), (vec![true, true, true, false], 3));
        let seconds: Vec<&str> = told
            .lines()
            .filter_map(|line| line.split(" again in ").nth(1))
            .collect();
        assert_eq!(
            seconds,
            [
                "2 s (retry 1 of 3).",
                "4 s (retry 2 of 3).",
                "8 s (retry 3 of 3)."
            ]
        );
    }

    #[test]
    fn what_github_asks_for_wins_where_it_is_longer_and_max_wait_allows_it() {
        let (waited, retries, told) = waits(
            70,
            &[
                (limited(Some(1)), 1),
                (limited(Some(60)), 1),
                (limited(Some(60)), 2),
            ],
        );
        assert_eq!((waited, retries), (vec![true, true, false], 2));
        assert!(
            told.contains("The next try would come in 60 s, but max-wait leaves "),
            "{told}"
        );
    }

    fn noon() -> Timestamp {
        Timestamp::from_unix(1_795_262_400)
    }

    #[test]
    fn no_wait_reaches_the_receipts_end_and_the_reason_is_told() {
        let tempo = Tempo {
            second: Duration::from_micros(1),
            silence: Duration::ZERO,
            ..Tempo::REAL
        };
        let lines = Lines::default();
        let patience = Patience::new(tempo, 120, Log::to(lines.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let waited = |wait| runtime.block_on(patience.waits(&limited(Some(wait)), 1));
        let code = |wait, tried| patience.given_up(limited(Some(wait)), tried).code();

        patience.ends_at(noon().plus(60), noon);
        assert_eq!((waited(59), waited(60)), (true, false));
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(told.contains("but the receipt is valid until "), "{told}");
        assert_eq!(code(59, 1), "rate_limited");
        assert_eq!(code(60, 1), "receipt_ends_first");
        assert_eq!(code(60, 4), "rate_limited", "there were enough tries");

        patience.ends_no_more();
        assert!(waited(60));
        assert_eq!(code(60, 1), "rate_limited");
    }

    #[test]
    fn what_would_come_again_is_never_repeated() {
        let denied = Trouble::Authorization {
            status: 403,
            message: "no".into(),
            permissions: None,
        };
        let refused = Trouble::Validation {
            status: 422,
            message: "no".into(),
        };
        let missing = Trouble::NotFound {
            asked: None,
            message: "no".into(),
            permissions: None,
        };
        let (waited, retries, told) = waits(120, &[(denied, 1), (refused, 1), (missing, 1)]);
        assert_eq!((waited, retries, told.as_str()), (vec![false; 3], 0, ""));
    }

    #[test]
    fn what_was_made_a_moment_ago_may_be_missing_for_a_while() {
        let missing = Trouble::NotFound {
            asked: None,
            message: "Not Found".into(),
            permissions: None,
        };
        let unknown = Trouble::Validation {
            status: 422,
            message: "Object does not exist".into(),
        };
        let refused = Trouble::Validation {
            status: 422,
            message: "Validation Failed".into(),
        };
        assert!(missing.may_be_lag() && unknown.may_be_lag() && !refused.may_be_lag());
    }

    #[test]
    fn a_look_for_what_was_written_ends_after_half_a_minute_whatever_max_wait_says() {
        let lines = Lines::default();
        let tempo = Tempo {
            second: Duration::from_micros(1),
            silence: Duration::ZERO,
            ..Tempo::REAL
        };
        let patience = Patience::new(tempo, 0, Log::to(lines.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let looks = std::cell::Cell::new(0);
        let look_until = |found: u64| {
            looks.set(0);
            runtime.block_on(patience.look_for("it", async || {
                looks.set(looks.get() + 1);
                Ok::<_, ()>((looks.get() == found).then_some(()))
            }))
        };

        assert_eq!((look_until(1), looks.get()), (Ok(Some(())), 1));
        assert_eq!(
            String::from_utf8(lines.0.lock().unwrap().clone()).unwrap(),
            ""
        );
        assert_eq!((look_until(16), looks.get()), (Ok(Some(())), 16));
        assert_eq!((look_until(17), looks.get()), (Ok(None), 16));
        assert_eq!(patience.retries(), 30);
    }

    #[test]
    fn waits_beside_each_other_are_paid_once() {
        let tempo = Tempo {
            second: Duration::from_secs(1),
            silence: Duration::ZERO,
            ..Tempo::REAL
        };
        let patience = Patience::new(tempo, 70, Log::to(io::sink()));
        let (now, seconds) = (Instant::now(), Duration::from_secs);
        assert!((0..10).all(|_| patience.pay(seconds(60), now).is_ok()));
        assert_eq!(patience.pay(seconds(70), now), Ok(()));
        assert_eq!(patience.pay(seconds(71), now), Err(Duration::ZERO));
    }
}
