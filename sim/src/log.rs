//! The record of every request in order of arrival, which tests read and wait on.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::endpoint::Endpoint;

/// Long enough for any machine, short enough for a hanging test to fail by itself.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Whether a request could change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GET, HEAD, OPTIONS, GraphQL queries and `POST …/releases/generate-notes`.
    Read,
    /// Everything else.
    Write,
}

/// One request as it arrived, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Position in the log, from 0.
    pub sequence: usize,
    /// The HTTP method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// What the request was understood as; `Unknown` until its body was read.
    pub endpoint: Endpoint,
    /// GraphQL operation name.
    pub operation: Option<String>,
    /// Reading or writing; a GraphQL request counts as reading until its body was read.
    pub kind: Kind,
    /// HTTP status of the answer; `None` while pending and when the connection was dropped.
    pub status: Option<u16>,
    /// Whether the request is over: answered, or dropped by a planned fault.
    pub finished: bool,
    /// Whether it carried a token that this simulator minted.
    pub authenticated: bool,
    /// Whether it carried an `Authorization` header of any kind.
    pub authorization: bool,
    /// What it really changed, several things joined by `; `.
    pub effect: Option<String>,
    /// Bytes of body that arrived.
    pub body_bytes: u64,
    /// Bytes of body that were answered.
    pub answer_bytes: u64,
    /// When its head arrived, since the simulator started.
    pub arrived: Duration,
    /// When it was over.
    pub ended: Option<Duration>,
}

#[derive(Default)]
struct Entries {
    events: Vec<Event>,
    effects: Vec<String>,
}

/// The log itself; waiting wakes on every change.
pub(crate) struct Log {
    started: Instant,
    entries: Mutex<Entries>,
    changed: Condvar,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
            changed: Condvar::default(),
        }
    }
}

impl Log {
    /// Notes a request whose head has arrived and gives its sequence number.
    pub(crate) fn arrive(&self, method: &str, path: &str, endpoint: Endpoint, kind: Kind) -> usize {
        let mut entries = self.entries.lock();
        let sequence = entries.events.len();
        entries.events.push(Event {
            sequence,
            method: method.to_owned(),
            path: path.to_owned(),
            endpoint,
            operation: None,
            kind,
            status: None,
            finished: false,
            authenticated: false,
            authorization: false,
            effect: None,
            body_bytes: 0,
            answer_bytes: 0,
            arrived: self.started.elapsed(),
            ended: None,
        });
        self.changed.notify_all();
        sequence
    }

    /// Changes one entry and wakes whoever waits.
    pub(crate) fn amend(&self, sequence: usize, change: impl FnOnce(&mut Event)) {
        let mut entries = self.entries.lock();
        let event = &mut entries.events[sequence];
        change(event);
        if event.finished && event.ended.is_none() {
            event.ended = Some(self.started.elapsed());
        }
        self.changed.notify_all();
    }

    /// Ties what really changed to the request that did it.
    pub(crate) fn took_effect(&self, sequence: usize, effects: Vec<String>) {
        if effects.is_empty() {
            return;
        }
        let mut entries = self.entries.lock();
        entries.events[sequence].effect = Some(effects.join("; "));
        entries.effects.extend(effects);
        self.changed.notify_all();
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.entries.lock().events.clone()
    }

    pub(crate) fn effects(&self) -> Vec<String> {
        self.entries.lock().effects.clone()
    }

    /// Blocks until the log satisfies `wanted`; panics after 30 seconds.
    pub(crate) fn wait_until(&self, wanted: impl Fn(&[Event]) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut entries = self.entries.lock();
        while !wanted(&entries.events) {
            let timed_out = self.changed.wait_until(&mut entries, deadline).timed_out();
            assert!(
                !timed_out || wanted(&entries.events),
                "the log did not come to satisfy the test within {DEADLINE:?}: {:#?}",
                entries.events
            );
        }
    }
}
