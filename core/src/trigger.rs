//! Events that begin a run: only of some does the actor ask for what the run does.

use core::{fmt, str::FromStr};

use alloc::string::String;

use crate::text::excerpt;

/// An event whose actor asks for what the run does.
///
/// All others are left out. A pull request's run does what its author wrote, whoever pressed the button; a comment or another run's end starts
/// what is on the default branch for anyone; and the actor of `schedule` is whoever last touched the line with the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A person or a program started the workflow.
    WorkflowDispatch,
    /// A program started it by an event of its own.
    RepositoryDispatch,
    /// A branch or tag was pushed.
    Push,
    /// A release was published or edited.
    Release,
}

/// An event whose actor need not know what the run does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it began with the event `{}`, whose actor need not know what the run does; expected workflow_dispatch, repository_dispatch, push or release",
    excerpt(.0, 40)
)]
pub struct OtherEvent(String);

impl Trigger {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::WorkflowDispatch,
        Self::RepositoryDispatch,
        Self::Push,
        Self::Release,
    ];

    /// GitHub's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkflowDispatch => "workflow_dispatch",
            Self::RepositoryDispatch => "repository_dispatch",
            Self::Push => "push",
            Self::Release => "release",
        }
    }
}

impl FromStr for Trigger {
    type Err = OtherEvent;

    fn from_str(event: &str) -> Result<Self, OtherEvent> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == event);
        known.ok_or_else(|| OtherEvent(event.into()))
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    #[test]
    fn only_events_whose_actor_asks_for_the_run_are_accepted() {
        for known in Trigger::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        for other in [
            "schedule",
            "pull_request",
            "pull_request_target",
            "issue_comment",
            "workflow_run",
            "Push",
            "",
        ] {
            assert_eq!(other.parse::<Trigger>(), Err(OtherEvent(other.into())));
        }
    }

    #[test]
    fn the_error_names_every_accepted_event() {
        let error = OtherEvent(String::new()).to_string();
        for known in Trigger::ALL {
            assert!(error.contains(known.as_str()), "{error}");
        }
    }
}
