//! The job's log: one line at a time, in which untrusted text can neither give commands nor hide.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use countersign_core::text::{Lines, visible};

/// Where lines go. A log that cannot be written to is no reason to stop, still less to panic.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Box<dyn Write + Send>>>);

impl Log {
    /// The process's standard output, which the runner reads for commands.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "each line of a log is made harmless before it is written"
    )]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// Any other place.
    pub fn to(place: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(place))))
    }

    /// Writes a line for people.
    pub(crate) fn line(&self, text: &str) {
        self.raw(&harmless(text));
    }

    /// Writes a line that is a workflow command; only `report::commands` makes those.
    pub(crate) fn raw(&self, line: &str) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(place, "{line}").and_then(|()| place.flush());
        // A closed log loses lines; the audit record keeps everything.
        drop(written);
    }
}

/// The runner takes `::command::` at the start of a line and the older `##[command]` anywhere in it.
pub(crate) fn harmless(text: &str) -> String {
    let shown = visible(text, Lines::One).replace("##[", "# #[");
    if shown.trim_start().starts_with("::") {
        format!("| {shown}")
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_lines_give_no_commands() {
        assert_eq!(harmless("  ::error::x"), "|   ::error::x");
        assert_eq!(harmless("a ##[add-mask]b"), "a # #[add-mask]b");
        assert_eq!(
            harmless("a\n::set-output name=x::y\r\n"),
            "a\\u{a}::set-output name=x::y\\u{d}\\u{a}"
        );
        assert_eq!(harmless("plain :: text"), "plain :: text");
    }
}
