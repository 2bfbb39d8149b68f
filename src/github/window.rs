//! The requests of the last hour: what GitHub would refuse for its rate limit is not even sent.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use http::HeaderMap;

use super::trouble::{number, pause};

const HOUR: Duration = Duration::from_hours(1);
/// What GitHub allows a user's token in an hour; a job's token has less, which GitHub tells with its first answer.
const DEFAULT: usize = 5000;

/// A sliding window over one of GitHub's budgets: REST or GraphQL.
pub(super) struct Window {
    sent: VecDeque<Instant>,
    limit: usize,
    closed_until: Option<Instant>,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            sent: VecDeque::new(),
            limit: DEFAULT,
            closed_until: None,
        }
    }
}

impl Window {
    /// Counts a request that is about to be sent, or gives the seconds until there is room for it.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), u64> {
        while self
            .sent
            .front()
            .is_some_and(|oldest| now.duration_since(*oldest) >= HOUR)
        {
            self.sent.pop_front();
        }
        let full = self
            .sent
            .front()
            .filter(|_| self.sent.len() >= self.limit)
            .map(|oldest| *oldest + HOUR);
        let opens = [full, self.closed_until]
            .into_iter()
            .flatten()
            .max()
            .filter(|opens| *opens > now);
        if let Some(opens) = opens {
            return Err(opens.duration_since(now).as_secs() + 1);
        }
        self.sent.push_back(now);
        Ok(())
    }

    /// Takes in what GitHub says of the budget.
    pub(super) fn observe(&mut self, headers: &HeaderMap, now: Instant) {
        if let Some(limit) =
            number(headers, "x-ratelimit-limit").and_then(|limit| usize::try_from(limit).ok())
        {
            self.limit = limit;
        }
        if number(headers, "x-ratelimit-remaining") == Some(0)
            && headers.contains_key("x-ratelimit-reset")
        {
            self.closed_until = Some(now + Duration::from_secs(pause(headers)).min(HOUR));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_limit_is_what_github_reports_and_slides_over_an_hour() {
        let (mut window, start) = (Window::default(), Instant::now());
        window.observe(
            &told(&[("x-ratelimit-limit", "2"), ("x-ratelimit-remaining", "1")]),
            start,
        );
        assert_eq!(window.admit(start), Ok(()));
        assert_eq!(window.admit(start + HOUR / 2), Ok(()));
        assert_eq!(window.admit(start + HOUR / 2), Err(1801));
        assert_eq!(window.admit(start + HOUR), Ok(()));
        assert_eq!(window.admit(start + HOUR), Err(1801));
    }

    #[test]
    fn by_default_5000_fit() {
        let (mut window, now) = (Window::default(), Instant::now());
        assert!((0..5000).all(|_| window.admit(now).is_ok()));
        assert_eq!(window.admit(now), Err(3601));
    }

    /// Answers of the upload host carry no rate-limit headers.
    #[test]
    fn an_answer_that_names_no_limit_changes_nothing() {
        let (mut window, now) = (Window::default(), Instant::now());
        window.observe(&told(&[("x-ratelimit-limit", "2")]), now);
        assert_eq!(window.admit(now), Ok(()));
        window.observe(&told(&[("connection", "close")]), now);
        assert_eq!(window.admit(now), Ok(()));
        assert_eq!(window.admit(now), Err(3601));
    }

    #[test]
    fn when_nothing_is_left_it_is_closed_until_the_reset() {
        let (mut window, now) = (Window::default(), Instant::now());
        let headers = told(&[
            ("date", "Sat, 21 Nov 2026 12:00:00 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1795262430"),
        ]);
        window.observe(&headers, now);
        assert_eq!(window.admit(now), Err(32));
        assert_eq!(window.admit(now + Duration::from_secs(31)), Ok(()));
    }
}
