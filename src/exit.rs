//! Exit codes: public API, listed in the README.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done as asked.
    Success = 0,
    /// The world broke: the message says what was done and what was not.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Refused. Nothing was written.
    Refused = 3,
    /// It is not known whether the operation was done: the next attempt of the run looks and finishes.
    Unknown = 4,
    /// An audit found something that needs a look, or a rehearsal something that differs.
    Found = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
