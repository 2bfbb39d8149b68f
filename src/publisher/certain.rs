//! Writes until it is certain what became of it: a write whose answer was lost is looked after before it is repeated.

use super::Setback;
use crate::github::{GitHub, Written};

/// Who made what is there now.
pub(super) enum Made<T> {
    /// This attempt's own request, by its answer.
    Ours(T),
    /// Found by a look: a lost request of ours, or an earlier attempt's.
    Found(T),
}

impl<T> Made<T> {
    pub(super) fn it(self) -> T {
        match self {
            Self::Ours(it) | Self::Found(it) => it,
        }
    }

    pub(super) const fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }

    pub(super) const fn as_ref(&self) -> &T {
        match self {
            Self::Ours(it) | Self::Found(it) => it,
        }
    }
}

/// Writes, and repeats the write while what is in the way passes. Once a try may have come through unseen (`doubtful` if an earlier
/// attempt's may have), every failure is followed by a look, and what stands there is taken over.
pub(super) async fn certain<T>(
    github: &GitHub,
    mut doubtful: bool,
    write: impl AsyncFn() -> Result<Written<T>, Setback>,
    look: impl AsyncFn() -> Result<Option<T>, Setback>,
) -> Result<Made<T>, Setback> {
    let mut tried = 0;
    let mut lost = false;
    loop {
        tried += 1;
        let (trouble, just_lost) = match write().await? {
            Written::Done(made) => return Ok(Made::Ours(made)),
            Written::NotDone(trouble) => (trouble, false),
            Written::Unknown(trouble) => (trouble, true),
        };
        (doubtful, lost) = (doubtful || just_lost, lost || just_lost);
        // The wait comes before the look: GitHub may still be at work, and its reads may lag behind.
        let mut again = github.patience().waits(&trouble, tried).await;
        if doubtful && let Some(found) = look().await? {
            return Ok(Made::Found(found));
        }
        // What a lost request did may show late: one look is not enough to send it again.
        if just_lost && again {
            tried += 1;
            again = github.patience().waits(&trouble, tried).await;
            if let Some(found) = look().await? {
                return Ok(Made::Found(found));
            }
        }
        if !again {
            let setback = Setback::from(trouble);
            // Nobody knows what a lost try did, whatever the last one says.
            return Err(if lost {
                Setback {
                    open: true,
                    ..setback
                }
            } else {
                setback
            });
        }
    }
}

/// A write that may be done twice without harm. `fresh` is what was made a moment ago, which GitHub may not find everywhere yet.
pub(super) async fn repeated<T>(
    github: &GitHub,
    fresh: bool,
    write: impl AsyncFn() -> Written<T>,
) -> Result<T, Setback> {
    let mut tried = 0;
    loop {
        tried += 1;
        let trouble = match write().await {
            Written::Done(made) => return Ok(made),
            Written::NotDone(trouble) | Written::Unknown(trouble) => trouble,
        };
        let reason = if fresh {
            trouble.clone().of_something_fresh()
        } else {
            trouble.clone()
        };
        if !github.patience().waits(&reason, tried).await {
            return Err(trouble.into());
        }
    }
}
