//! The clock behind the `Date` header and every time stamp: real, shifted or fixed.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// Where "now" comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The machine's clock plus so many seconds.
    Real { shift: i64 },
    /// Standing still at these Unix seconds.
    Fixed(i64),
}

impl Clock {
    /// Unix seconds.
    pub(crate) fn now(self) -> i64 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Real { shift } => machine_seconds() + shift,
        }
    }

    pub(crate) fn shift(&mut self, seconds: i64) {
        match self {
            Self::Fixed(at) => *at += seconds,
            Self::Real { shift } => *shift += seconds,
        }
    }
}

fn machine_seconds() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the machine's clock is past 1970");
    i64::try_from(elapsed.as_secs()).expect("seconds fit for ages")
}

/// IMF-fixdate (RFC 9110 §5.6.7), as the `Date` header wants it.
pub(crate) fn imf_fixdate(seconds: i64) -> String {
    format(seconds, "%a, %d %b %Y %H:%M:%S GMT")
}

/// ISO 8601 in UTC, as the bodies want it.
pub(crate) fn iso8601(seconds: i64) -> String {
    format(seconds, "%Y-%m-%dT%H:%M:%SZ")
}

fn format(seconds: i64, pattern: &str) -> String {
    DateTime::from_timestamp(seconds, 0)
        .expect("a time within chrono's range")
        .format(pattern)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{Clock, imf_fixdate, iso8601};

    #[test]
    fn a_date_is_written_as_http_wants_it() {
        assert_eq!(imf_fixdate(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(iso8601(784_111_777), "1994-11-06T08:49:37Z");
    }

    #[test]
    fn shifting_a_fixed_clock_moves_the_fixed_point() {
        let mut clock = Clock::Fixed(1_000);
        clock.shift(-10);
        assert_eq!(clock.now(), 990);
    }
}
