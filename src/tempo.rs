//! How fast time goes for whoever waits.

use std::time::Duration;

/// How long a second is, and how long GitHub may be silent. Tests have shorter ones.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    /// The unit of every wait between two tries.
    pub second: Duration,
    /// Longest silence while reading or writing; GitHub itself gives up after 10 seconds on most requests.
    pub silence: Duration,
}

impl Tempo {
    /// The tempo of the product.
    pub const REAL: Self = Self {
        second: Duration::from_secs(1),
        silence: Duration::from_mins(1),
    };
}

impl Default for Tempo {
    fn default() -> Self {
        Self::REAL
    }
}
