//! Planned faults: which request is met by which misfortune, never at random.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::hold::Hold;

/// Which requests a fault applies to; every part that is set must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    endpoint: Option<Endpoint>,
    operation: Option<String>,
    method: Option<String>,
    prefix: Option<String>,
    suffix: Option<String>,
}

impl Matcher {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests understood as this endpoint.
    #[must_use]
    pub fn endpoint(endpoint: Endpoint) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..Self::default()
        }
    }

    /// GraphQL requests of this operation name.
    #[must_use]
    pub fn operation(name: &str) -> Self {
        Self {
            operation: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Requests of this HTTP method.
    #[must_use]
    pub fn method(method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..Self::default()
        }
    }

    /// … and whose path (without query) begins so.
    #[must_use]
    pub fn path_prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// … and whose path (without query) ends so.
    #[must_use]
    pub fn path_suffix(mut self, suffix: &str) -> Self {
        self.suffix = Some(suffix.to_owned());
        self
    }

    fn matches(&self, request: &Sighting<'_>) -> bool {
        self.endpoint.is_none_or(|e| e == request.endpoint)
            && agrees(self.operation.as_ref(), |o| {
                Some(o.as_str()) == request.operation
            })
            && agrees(self.method.as_ref(), |m| {
                m.eq_ignore_ascii_case(request.method)
            })
            && agrees(self.prefix.as_ref(), |p| request.path.starts_with(p))
            && agrees(self.suffix.as_ref(), |s| request.path.ends_with(s))
    }
}

fn agrees(wanted: Option<&String>, test: impl FnOnce(&String) -> bool) -> bool {
    wanted.is_none_or(test)
}

impl From<Endpoint> for Matcher {
    fn from(endpoint: Endpoint) -> Self {
        Self::endpoint(endpoint)
    }
}

/// What a planned fault does to the request it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The connection drops; nothing was done.
    ResetBefore,
    /// The work is done, then the connection drops without an answer.
    ResetAfter,
    /// This status; nothing was done.
    StatusBefore(u16),
    /// The work is done, but the answer has this status.
    StatusAfter(u16),
    /// This status with `retry-after`; nothing was done.
    RetryAfter {
        /// 403, 429 or 503, say.
        status: u16,
        /// The value of the header.
        seconds: u64,
    },
    /// 403 with the secondary rate limit's text and no `retry-after`; nothing was done.
    SecondaryLimit,
    /// GraphQL's secondary limit: HTTP 200 with an error that has neither type nor path; nothing
    /// was done.
    SecondaryLimitAsOk,
    /// GraphQL gives up: `data` is null and the error has neither type nor path; nothing was done.
    GraphQlTimeout {
        /// 200 or 502.
        status: u16,
    },
    /// A mutation that validates its input: the payload is there, its members are null, next to
    /// this error; nothing was done.
    NullMembers {
        /// The error's `type`, which may be null.
        kind: Option<String>,
        /// The error's `message`.
        message: String,
    },
    /// The server's schema lacks a field that the document asks for, as an older one does; nothing
    /// was done.
    UndefinedField {
        /// The type that lacks it.
        type_name: String,
        /// The field's name.
        field: String,
    },
    /// A GraphQL answer that shows more nodes (and members of the repository) than this has null
    /// in place of the others, each with an error `RESOURCE_LIMITS_EXCEEDED`.
    ResourceLimits {
        /// How many are shown.
        nodes: usize,
    },
    /// GraphQL's primary limit, whatever `x-ratelimit-remaining` says; nothing was done.
    GraphQlRateLimit,
    /// REST: 422 "was submitted too quickly", which is a limit; nothing was done.
    SubmittedTooQuickly,
    /// The work is done; half of the answer's body arrives, then the connection drops.
    TruncatedReply,
    /// The work is done; the answer is 200 with an HTML page instead of JSON.
    Garbage,
    /// Never answers, until the client goes away; nothing was done.
    Stall,
    /// The first byte of an upload is stored wrong.
    CorruptUpload,
    /// The last byte of an upload is lost.
    TruncatedUpload,
    /// An upload ends in 502 and leaves an empty asset in state `starter`.
    StarterAsset,
    /// HTTP 200 with this GraphQL error; nothing was done.
    GraphQlError {
        /// The error's `type`.
        kind: String,
        /// The error's `message`.
        message: String,
    },
    /// A redirect to this address; nothing was done.
    Redirect(String),
    /// Releases in the answer name an upload host that is not GitHub's.
    ForeignUploadUrl,
    /// Assets in the answer have no digest; an upload's asset never gets one.
    NullDigest,
    /// Releases in the answer still are drafts without a page; the work is done.
    StillDraft,
    /// The answer has no `Date` header.
    OmitDate,
    /// GraphQL: answers `STALE_DATA` without doing it. REST: 409.
    StaleData,
    /// A read that lags behind: what was made last is not there yet.
    Lagging,
    /// The answer comes this much later; the work is done at once.
    Late(Duration),
    /// The answer comes when the test lets it go; the work is done at once.
    Held(Hold),
}

/// One planned fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    matcher: Matcher,
    nth: usize,
    times: usize,
    effect: Effect,
}

impl Fault {
    /// Starts a plan: `Fault::on(Endpoint::Append).nth(2).then(Effect::ResetAfter)`.
    pub fn on(matcher: impl Into<Matcher>) -> FaultPlan {
        FaultPlan {
            matcher: matcher.into(),
            nth: 1,
            times: 1,
        }
    }
}

/// A fault that still lacks its effect.
#[derive(Clone, Debug)]
#[must_use = "a plan without an effect does nothing"]
pub struct FaultPlan {
    matcher: Matcher,
    nth: usize,
    times: usize,
}

impl FaultPlan {
    /// The first matching request it meets, counted from 1 since the fault was planned.
    pub const fn nth(mut self, nth: usize) -> Self {
        self.nth = nth;
        self
    }

    /// How many matching requests it meets from there on; `usize::MAX` for all of them.
    pub const fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// What happens to them.
    #[must_use]
    pub fn then(self, effect: Effect) -> Fault {
        Fault {
            matcher: self.matcher,
            nth: self.nth,
            times: self.times,
            effect,
        }
    }
}

/// What a request looks like to the plan.
pub(crate) struct Sighting<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) operation: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

/// A planned fault with the matching requests it has seen and those it has met.
struct Planned {
    fault: Fault,
    seen: usize,
    met: usize,
}

/// All planned faults, in the order of planning.
#[derive(Default)]
pub(crate) struct Plan(Vec<Planned>);

impl Plan {
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(Planned {
            fault,
            seen: 0,
            met: 0,
        });
    }

    /// Counts the request for every fault that matches. Of those that are due the one planned
    /// first meets it; the others stay due for the next.
    pub(crate) fn meet(&mut self, request: &Sighting<'_>) -> Option<Effect> {
        let mut effect = None;
        for planned in self
            .0
            .iter_mut()
            .filter(|planned| planned.fault.matcher.matches(request))
        {
            planned.seen += 1;
            let due = planned.seen >= planned.fault.nth && planned.met < planned.fault.times;
            if due && effect.is_none() {
                planned.met += 1;
                effect = Some(planned.fault.effect.clone());
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Fault, Matcher, Plan, Sighting};
    use crate::endpoint::Endpoint;

    const CREATE: Sighting<'_> = Sighting {
        endpoint: Endpoint::CreateRef,
        operation: None,
        method: "POST",
        path: "/repos/octo/hello/git/refs",
    };

    #[test]
    fn a_fault_meets_the_nth_request_and_as_many_as_planned() {
        let mut plan = Plan::default();
        plan.add(
            Fault::on(Endpoint::CreateRef)
                .nth(2)
                .times(2)
                .then(Effect::ResetAfter),
        );
        let met: Vec<bool> = (0..4).map(|_| plan.meet(&CREATE).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
    }

    #[test]
    fn faults_that_are_due_together_meet_one_request_after_the_other() {
        let mut plan = Plan::default();
        plan.add(Fault::on(Endpoint::CreateRef).then(Effect::ResetBefore));
        plan.add(Fault::on(Endpoint::CreateRef).then(Effect::ResetAfter));
        let met: Vec<Option<Effect>> = (0..3).map(|_| plan.meet(&CREATE)).collect();
        assert_eq!(
            met,
            [Some(Effect::ResetBefore), Some(Effect::ResetAfter), None]
        );
    }

    #[test]
    fn a_path_matcher_wants_both_ends() {
        let matcher = Matcher::method("post")
            .path_prefix("/repos/")
            .path_suffix("/refs");
        assert!(matcher.matches(&CREATE));
        assert!(!matcher.path_suffix("/tags").matches(&CREATE));
    }
}
