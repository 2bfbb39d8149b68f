//! What became of a write: done, not done, or nobody knows.

use super::Trouble;

/// A write's three ends. Only the middle one may be tried again without a look.
#[derive(Debug)]
pub(crate) enum Written<T> {
    /// GitHub did it and said what it made.
    Done(T),
    /// GitHub did not do it.
    NotDone(Trouble),
    /// It may have been done.
    Unknown(Trouble),
}

impl<T> Written<T> {
    pub(super) fn of(answer: Result<T, Trouble>) -> Self {
        match answer {
            Ok(made) => Self::Done(made),
            Err(trouble) if trouble.leaves_open() => Self::Unknown(trouble),
            Err(trouble) => Self::NotDone(trouble),
        }
    }
}
