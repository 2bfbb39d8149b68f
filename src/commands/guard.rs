//! Writes the audit record when the program panics or is told to stop.

use std::panic;

use tokio::signal::unix::{SignalKind, signal};

use crate::{Clock, exit::Exit, report::Recorder};

/// Closes the record when anything panics. The hook also runs where panics abort.
pub(super) fn on_panic(recorder: &Recorder, clock: Clock) {
    let recorder = recorder.clone();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        before(panic);
        let now = panic::catch_unwind(clock)
            .unwrap_or_else(|_| countersign_core::timestamp::Timestamp::from_unix(0));
        recorder.interrupt(
            "internal_error",
            "Countersign met a bug of its own and stopped",
            now,
        );
    }));
}

/// Waits for the signals with which runners and people stop a job.
pub(super) async fn told_to_stop() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        _ = hang_up.recv() => "SIGHUP",
    }
}

/// Closes the record of an attempt that was told to stop.
pub(super) fn stopped(recorder: &Recorder, signal: &str, clock: Clock) -> Exit {
    recorder.interrupt(
        "interrupted",
        &format!("The job was stopped ({signal})"),
        clock(),
    )
}
