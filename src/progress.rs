//! Tells how hashing and uploading go: bars on a terminal, lines elsewhere.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::log::Log;

/// A file from this size on has a line for every tenth of it.
const LARGE: u64 = 32 << 20;

/// Where progress is told.
#[derive(Clone)]
pub(crate) struct Progress {
    log: Log,
    bars: Option<MultiProgress>,
}

/// What is done to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Hashing,
    Uploading,
}

/// One file under work.
pub(crate) struct FileProgress {
    work: Work,
    name: String,
    size: u64,
    done: AtomicU64,
    started: Instant,
    log: Log,
    bar: Option<ProgressBar>,
    total: Option<ProgressBar>,
}

/// Several files under the same work.
pub(crate) struct Files<'a> {
    progress: &'a Progress,
    work: Work,
    total: Option<ProgressBar>,
}

impl Progress {
    /// Bars where somebody sits at a terminal, lines in the log otherwise.
    pub(crate) fn new(log: Log, terminal: bool) -> Self {
        Self {
            log,
            bars: terminal.then(MultiProgress::new),
        }
    }

    /// Tells nobody.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn silent() -> Self {
        Self::new(Log::to(std::io::sink()), false)
    }

    /// Prints a line about all files.
    pub(crate) fn line(&self, text: &str) {
        self.log.line(text);
    }

    /// Begins with so many bytes in all.
    pub(crate) fn files(&self, work: Work, bytes: u64) -> Files<'_> {
        let total = self
            .bars
            .as_ref()
            .map(|bars| styled(bars.add(ProgressBar::new(bytes)), "total"));
        Files {
            progress: self,
            work,
            total,
        }
    }
}

impl Files<'_> {
    /// Begins with one file.
    pub(crate) fn file(&self, name: &str, size: u64) -> FileProgress {
        let bar = self
            .progress
            .bars
            .as_ref()
            .map(|bars| styled(bars.insert_before_total(self.total.as_ref(), size), name));
        FileProgress {
            work: self.work,
            name: name.into(),
            size,
            done: AtomicU64::new(0),
            started: Instant::now(),
            log: self.progress.log.clone(),
            bar,
            total: self.total.clone(),
        }
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        if let Some(total) = &self.total {
            total.finish_and_clear();
        }
    }
}

trait InsertBeforeTotal {
    fn insert_before_total(&self, total: Option<&ProgressBar>, size: u64) -> ProgressBar;
}

impl InsertBeforeTotal for MultiProgress {
    fn insert_before_total(&self, total: Option<&ProgressBar>, size: u64) -> ProgressBar {
        let bar = ProgressBar::new(size);
        match total {
            Some(total) => self.insert_before(total, bar),
            None => self.add(bar),
        }
    }
}

fn styled(bar: ProgressBar, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg:24!} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
    );
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name.to_owned())
}

impl FileProgress {
    /// So many bytes more.
    pub(crate) fn advance(&self, bytes: u64) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
        if let Some(total) = &self.total {
            total.inc(bytes);
        }
        if self.bar.is_none()
            && let Some(line) = tenth(
                self.work,
                &self.name,
                before,
                before + bytes,
                self.size,
                self.started.elapsed(),
            )
        {
            self.log.line(&line);
        }
    }

    /// The file is through.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        } else if self.work == Work::Uploading || self.size >= LARGE {
            let took = self.started.elapsed();
            let done = if self.work == Work::Hashing {
                "hashed"
            } else {
                "uploaded"
            };
            self.log.line(&format!(
                "{done} {}: {} in {:.1} s{}",
                self.name,
                bytes(self.size),
                took.as_secs_f64(),
                rate(self.size, took)
            ));
        }
    }
}

/// The line for the tenth of a large file that was just reached, if one was.
fn tenth(
    work: Work,
    name: &str,
    before: u64,
    now: u64,
    size: u64,
    took: Duration,
) -> Option<String> {
    let tenths = |done: u64| done.saturating_mul(10) / size.max(1);
    if size < LARGE || tenths(now) == tenths(before) || now >= size {
        return None;
    }
    let verb = if work == Work::Hashing {
        "hashing"
    } else {
        "uploading"
    };
    let left = took.mul_f64(ratio(size - now, now)).as_secs();
    Some(format!(
        "{verb} {name}: {} %, {} of {}{}, {left} s left",
        tenths(now) * 10,
        bytes(now),
        bytes(size),
        rate(now, took)
    ))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / (other as f64).max(1.0)
}

fn rate(done: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 0.05 {
        return String::new();
    }
    format!(", {:.1} MiB/s", ratio(done, 1 << 20) / seconds)
}

fn bytes(count: u64) -> String {
    match count {
        0..=1023 => format!("{count} bytes"),
        1024..=1_048_575 => format!("{:.1} KiB", ratio(count, 1 << 10)),
        _ => format!("{:.1} MiB", ratio(count, 1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_has_a_line_for_every_tenth_with_rate_and_time_left() {
        let size = 100 << 20;
        let piece = 1 << 20;
        let took = |done: u64| Duration::from_millis(done >> 20) * 100;
        let lines: Vec<String> = (0..100)
            .filter_map(|piece_number| {
                let before = piece_number * piece;
                tenth(
                    Work::Uploading,
                    "app.iso",
                    before,
                    before + piece,
                    size,
                    took(before + piece),
                )
            })
            .collect();
        assert_eq!(lines.len(), 9);
        assert_eq!(
            lines[2],
            "uploading app.iso: 30 %, 30.0 MiB of 100.0 MiB, 10.0 MiB/s, 7 s left"
        );
    }

    #[test]
    fn a_small_file_has_none() {
        assert_eq!(
            tenth(Work::Hashing, "a", 0, 512, 1024, Duration::from_secs(1)),
            None
        );
    }
}
