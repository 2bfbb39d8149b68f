//! Writes until the result is known: a write whose answer was lost is looked up before it is
//! repeated, and what GitHub does not show yet is looked for again.

use super::Setback;
use crate::github::{GitHub, Trouble, Written};

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

/// What is known before a write.
#[derive(Clone, Copy, Default)]
pub(super) struct Before {
    /// An earlier attempt may have written it.
    pub(super) doubtful: bool,
    /// It names something that was made a moment ago, which GitHub may not find everywhere yet.
    pub(super) fresh: bool,
    /// GitHub makes a second one if it is asked twice, as it does with drafts.
    pub(super) doubles: bool,
}

/// Writes, and repeats the write after transient errors.
///
/// Once a try may have succeeded unseen, every failure is followed by a look, and what is found is
/// taken over. A write in doubt is given up only after GitHub had half a minute to show it.
pub(super) async fn certain<T>(
    github: &GitHub,
    before: Before,
    write: impl AsyncFn() -> Result<Written<T>, Setback>,
    look: impl AsyncFn() -> Result<Option<T>, Setback>,
) -> Result<Made<T>, Setback> {
    let (mut doubtful, mut lost, mut tried) = (before.doubtful, false, 0);
    loop {
        tried += 1;
        // An earlier try may still have succeeded unseen when the fence holds the next one back.
        let written = write().await.map_err(|setback| Setback {
            open: setback.open || lost,
            ..setback
        })?;
        let (trouble, just_lost) = match written {
            Written::Done(made) => return Ok(Made::Ours(made)),
            Written::NotDone(trouble) => (trouble, false),
            Written::Unknown(trouble) => (trouble, true),
        };
        lost |= just_lost;
        doubtful |= just_lost || before.fresh && trouble.may_be_lag();

        // The wait comes before the look: GitHub may still be at work, and its reads may lag behind.
        let mut retry = waits(github, before.fresh, &trouble, tried).await;
        if doubtful && let Some(found) = look().await? {
            return Ok(Made::Found(found));
        }

        // What a lost request did may show late: one look is not enough to send it again.
        if just_lost && retry {
            tried += 1;
            retry = waits(github, before.fresh, &trouble, tried).await;
            if let Some(found) = look_before_repeat(github, before, &look).await? {
                return Ok(Made::Found(found));
            }
        }

        if !retry {
            let trouble = if before.fresh {
                trouble.of_something_fresh()
            } else {
                trouble
            };
            let trouble = github.patience().given_up(trouble, tried);
            return given_up(github, trouble, doubtful, lost, look).await;
        }
    }
}

/// The look after which a lost write is sent again. What GitHub would make twice has half a minute to
/// show itself; anything else it refuses to make twice.
async fn look_before_repeat<T>(
    github: &GitHub,
    before: Before,
    look: &impl AsyncFn() -> Result<Option<T>, Setback>,
) -> Result<Option<T>, Setback> {
    if before.doubles {
        let what = "what may have been written";
        github.patience().look_for(what, look).await
    } else {
        look().await
    }
}

/// The last look, which GitHub has half a minute to answer.
async fn given_up<T>(
    github: &GitHub,
    trouble: Trouble,
    doubtful: bool,
    lost: bool,
    look: impl AsyncFn() -> Result<Option<T>, Setback>,
) -> Result<Made<T>, Setback> {
    let may_show_late = lost || doubtful && trouble.says_it_exists();
    if may_show_late
        && let Some(found) = github
            .patience()
            .look_for("what may have been written", look)
            .await?
    {
        return Ok(Made::Found(found));
    }

    // What a lost try did is unknown, whatever the last one reports.
    let setback = Setback::from(trouble);
    Err(Setback {
        open: setback.open || lost,
        ..setback
    })
}

async fn waits(github: &GitHub, fresh: bool, trouble: &Trouble, tried: usize) -> bool {
    if fresh {
        github.patience().waits_for_fresh(trouble, tried).await
    } else {
        github.patience().waits(trouble, tried).await
    }
}

/// A write that may be done twice without harm. `fresh` is what was made a moment ago, which GitHub
/// may not find everywhere yet.
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
        if !waits(github, fresh, &trouble, tried).await {
            // What GitHub may still not find everywhere is no refusal.
            let last = if fresh {
                trouble.of_something_fresh()
            } else {
                trouble
            };
            return Err(github.patience().given_up(last, tried).into());
        }
    }
}

/// Reads what must exist, because it was made or found a moment ago: 404 means not yet.
pub(super) async fn read_fresh<T>(
    github: &GitHub,
    what: &str,
    read: impl AsyncFn() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let found = github
        .patience()
        .look_for(what, async || match read().await {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::NotFound { .. }) => Ok(None),
            Err(trouble) => Err(trouble),
        })
        .await?;
    found.ok_or_else(|| Trouble::NotFound {
        asked: None,
        message: format!("it does not show {what}"),
        permissions: None,
    })
}
