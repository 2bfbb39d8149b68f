//! Moments in UTC, to the second, in exactly one notation: `YYYY-MM-DDTHH:MM:SSZ`.

use core::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate};
use serde::{Serialize, Serializer};

use crate::name::InvalidName;

/// Seconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z: a later moment has no place in the notation.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// The moment so many seconds after the epoch; moments after the year 9999 become its last second.
    #[must_use]
    pub const fn from_unix(seconds: u64) -> Self {
        Self(if seconds > LAST { LAST } else { seconds })
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// This moment, so many seconds later.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// This moment, so many seconds earlier, not before the epoch.
    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this moment; 0 if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds between two moments, whichever is first.
    #[must_use]
    pub const fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
}

/// How long a receipt lasts: 1 second to 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(u64);

impl Lifetime {
    /// The longest.
    pub const MOST: Self = Self(24 * 60 * 60);

    /// So many seconds, if that is a lifetime.
    #[must_use]
    pub const fn of_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > Self::MOST.0 {
            None
        } else {
            Some(Self(seconds))
        }
    }

    /// The number of seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Lifetime {
    type Err = InvalidName;

    /// `90s`, `30m`, `1h`: a whole number and a unit.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let seconds =
            [("s", 1), ("m", 60), ("h", 3600)]
                .iter()
                .find_map(|(unit, factor): &(&str, u64)| {
                    let number = text.strip_suffix(unit)?;
                    let digits =
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                    if digits {
                        number.parse::<u64>().ok()?.checked_mul(*factor)
                    } else {
                        None
                    }
                });
        seconds.and_then(Self::of_seconds).ok_or_else(|| {
            InvalidName::new("lifetime", text, "1s to 24h, for example 90s, 30m or 1h")
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        match moment {
            Some(moment) => write!(f, "{}", moment.format("%Y-%m-%dT%H:%M:%SZ")),
            None => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidName;

    /// Reads exactly 20 characters. Chrono's own reader accepts offsets, lower case, blanks and fractions,
    /// and every second notation of one moment is a second reading of one receipt.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        read(text).ok_or_else(|| {
            InvalidName::new("time", text, "an existing moment as `YYYY-MM-DDTHH:MM:SSZ`")
        })
    }
}

fn read(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    for (position, mark) in [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'Z'),
    ] {
        if bytes[position] != mark {
            return None;
        }
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0u32, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let day = NaiveDate::from_ymd_opt(
        number(0, 4)?.try_into().ok()?,
        number(5, 7)?,
        number(8, 10)?,
    )?;
    // Leap seconds (`:60`) do not exist in Unix time: `and_hms_opt` refuses them.
    let moment = day.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    moment
        .and_utc()
        .timestamp()
        .try_into()
        .ok()
        .map(Timestamp::from_unix)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_moment_reads_what_it_writes() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2026-11-21T12:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2026-11-21T12:00:00Z".parse(),
            Ok(Timestamp::from_unix(1_795_262_400))
        );
    }

    #[test]
    fn a_moment_is_so_many_seconds_after_the_epoch() {
        assert_eq!(
            "2026-11-21T12:00:00Z".parse().map(Timestamp::unix),
            Ok(1_795_262_400)
        );
        assert_eq!(
            std::format!("{:?}", Timestamp::from_unix(0)),
            "1970-01-01T00:00:00Z"
        );
        let last: Timestamp = "9999-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(
            [last.plus(1), Timestamp::from_unix(u64::MAX)],
            [last, last],
            "later ones have no notation"
        );
    }

    #[test]
    fn a_lifetime_is_a_whole_number_and_a_unit_up_to_a_day() {
        for (text, seconds, shown) in [
            ("1s", 1, "1s"),
            ("90s", 90, "90s"),
            ("30m", 1800, "30m"),
            ("60m", 3600, "1h"),
            ("24h", 86400, "24h"),
        ] {
            let lifetime: Lifetime = text.parse().unwrap();
            assert_eq!(
                (lifetime.seconds(), lifetime.to_string().as_str()),
                (seconds, shown)
            );
        }
        for text in [
            "",
            "s",
            "0s",
            "90",
            "+5s",
            "-5s",
            "1.5h",
            " 1h",
            "1 h",
            "1H",
            "86401s",
            "25h",
            "18446744073709551615h",
        ] {
            assert_eq!(text.parse::<Lifetime>().unwrap_err().value(), text);
        }
    }

    #[test]
    fn every_other_notation_is_refused() {
        for text in [
            "",
            "2026-11-21T12:00:00",
            "2026-11-21t12:00:00Z",
            "2026-11-21T12:00:00z",
            "2026-11-21 12:00:00Z",
            "2026-11-21T12:00:00+00:00",
            "2026-11-21T12:00:00.0Z",
            "2026-11-21T12:00:60Z",
            "2026-11-21T24:00:00Z",
            "2026-02-30T12:00:00Z",
            "2025-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-11-00T12:00:00Z",
            "1969-12-31T23:59:59Z",
            "+026-11-21T12:00:00Z",
            "2026-11-21T1２:00:00Z",
            " 2026-11-21T12:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap_err().value(), text);
        }
    }
}
