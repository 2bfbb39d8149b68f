//! Rows for people: everything that a command shows on a terminal is laid out here, so that no text can look like a row of ours.
//!
//! A terminal breaks a line that is too long, and what comes after the break begins where our rows do. So a key's name, a campaign's title or
//! an answer of GitHub's could draw rows on which somebody decides. Here a row is broken before the terminal does it, and each further line
//! begins with a mark that no row of ours has.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anyhow::Context as _;

use crate::log::{Log, harmless};

/// Columns of a terminal that does not report its width.
const COLUMNS: usize = 80;
/// Fewer columns than these are left to no text.
const LEAST_ROOM: usize = 20;
/// Begins what goes on in the next line; only blanks stand before it.
const CONTINUES: &str = "> ";

/// A heading of ours and a text of anyone's, which together are one line, however the text is made.
pub(super) struct Row {
    head: String,
    text: String,
}

impl Row {
    /// A row with the heading as it is, blanks included.
    pub(super) fn new(head: impl Into<String>, text: impl Display) -> Self {
        Self {
            head: head.into(),
            text: text.to_string(),
        }
    }

    /// A sentence, which may quote anyone.
    pub(super) fn words(text: impl Display) -> Self {
        Self::new("", text)
    }

    /// An empty line.
    pub(super) fn blank() -> Self {
        Self::new("", "")
    }

    /// Lines that no terminal of this width breaks.
    fn laid_out(&self, columns: usize) -> Vec<String> {
        let line = harmless(&format!("{}{}", self.head, self.text));
        let line = line.trim_end();
        // The last column stays free: some terminals break behind it.
        let columns = columns.saturating_sub(1);
        let mark = continues_behind(width(&self.head), columns);

        let mut lines = vec![String::new()];
        let mut used = 0;
        for character in line.chars() {
            if used + wide(character) > columns.max(width(&mark) + LEAST_ROOM) {
                lines.push(mark.clone());
                used = width(&mark);
            }
            used += wide(character);
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
        }
        lines
    }
}

/// The mark, below the end of a heading if there is room for a text next to it.
fn continues_behind(head: usize, columns: usize) -> String {
    let end = if columns < head + LEAST_ROOM { 0 } else { head };
    let blanks = end.max(2 + CONTINUES.len()) - CONTINUES.len();
    format!("{}{CONTINUES}", " ".repeat(blanks))
}

/// Columns that a character takes at most: those beyond ASCII may be two columns wide.
const fn wide(character: char) -> usize {
    if character.is_ascii() { 1 } else { 2 }
}

fn width(text: &str) -> usize {
    text.chars().map(wide).sum()
}

/// Rows below each other.
pub(super) struct Rows(Vec<Row>);

impl Rows {
    fn laid_out(&self, columns: usize) -> String {
        let mut page = String::new();
        for line in self.0.iter().flat_map(|row| row.laid_out(columns)) {
            page.push_str(&line);
            page.push('\n');
        }
        page
    }
}

impl From<Row> for Rows {
    fn from(row: Row) -> Self {
        Self(vec![row])
    }
}

impl From<Vec<Row>> for Rows {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows)
    }
}

/// Words of ours alone: nothing that was read while the program runs lives that long.
impl From<&'static str> for Rows {
    fn from(words: &'static str) -> Self {
        Self(words.lines().map(Row::words).collect())
    }
}

/// Prints rows for people and scripts; a closed pipe is no reason to panic.
#[expect(
    clippy::disallowed_methods,
    reason = "rows are laid out to this very stream"
)]
pub(super) fn print(rows: impl Into<Rows>) -> anyhow::Result<()> {
    let columns = columns(terminal_size::terminal_size_of(io::stdout()), &io::stdout());
    print_document(rows.into().laid_out(columns).as_bytes())
}

/// Prints a document as it is: receipts, plans, JSON, keys. No person decides by it.
#[expect(clippy::disallowed_methods, reason = "programs read it")]
pub(super) fn print_document(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .context("standard output is closed")
}

/// Prints a document of ours next to the result, in one piece, so that it can be copied.
pub(super) fn tell_document(document: &str) {
    drop(Beside.write_all(format!("{document}\n").as_bytes()));
}

/// Prints rows next to the result, so that the result alone can be piped on.
pub(super) fn tell(rows: impl Into<Rows>) {
    // If no one reads standard error any more, there is no one to show anything to.
    drop(Beside.write_all(rows.into().laid_out(columns_beside()).as_bytes()));
}

/// A log next to the result; its lines are rows too.
pub(super) fn log() -> Log {
    Log::to(LaidOut {
        line: Vec::new(),
        out: Beside,
    })
}

/// A log whose lines are commands of the runner, which must not be broken into several.
pub(super) fn runner_log() -> Log {
    Log::to(Beside)
}

/// Standard error.
struct Beside;

#[expect(
    clippy::disallowed_methods,
    reason = "what is written here was laid out"
)]
impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Lays out each line that is written to it.
struct LaidOut<W> {
    line: Vec<u8>,
    out: W,
}

impl<W: Write> Write for LaidOut<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend(bytes);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            let row = Row::words(String::from_utf8_lossy(&line[..end]));
            self.out
                .write_all(Rows::from(row).laid_out(columns_beside()).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[expect(clippy::disallowed_methods, reason = "asks how wide it is")]
fn columns_beside() -> usize {
    columns(terminal_size::terminal_size_of(io::stderr()), &io::stderr())
}

/// How wide the terminal is on which people read it; what is no terminal breaks no lines.
fn columns(
    size: Option<(terminal_size::Width, terminal_size::Height)>,
    stream: &impl io::IsTerminal,
) -> usize {
    match size {
        Some((width, _)) if width.0 > 0 => usize::from(width.0),
        _ if stream.is_terminal() => COLUMNS,
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal of this width makes of a row.
    fn on_a_terminal(row: &Row, columns: usize) -> Vec<String> {
        let lines = row.laid_out(columns);
        assert!(lines.iter().all(|line| width(line) < columns), "{lines:?}");
        lines
    }

    #[test]
    fn what_a_terminal_would_break_goes_on_behind_a_mark() {
        let row = Row::new(
            "key           ",
            format!("carol{}revoked       bob", " ".repeat(61)),
        );
        let lines = on_a_terminal(&row, 80);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("key           carol"));
        assert!(
            lines[1].starts_with("            > ") && lines[1].ends_with("revoked       bob"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_line_break_in_a_text_is_no_line_break_on_the_terminal() {
        let row = Row::new("campaign      ", "one\nSign it? Type yes:");
        assert_eq!(
            row.laid_out(usize::MAX),
            ["campaign      one\\u{a}Sign it? Type yes:"]
        );
    }

    #[test]
    fn wide_characters_are_counted_as_two_columns() {
        let row = Row::new("title         ", "世".repeat(40));
        assert_eq!(on_a_terminal(&row, 80).len(), 2);
    }

    #[test]
    fn without_a_terminal_nothing_is_broken() {
        let row = Row::new("title         ", "a".repeat(9000));
        assert_eq!(row.laid_out(usize::MAX).len(), 1);
    }

    #[test]
    fn a_terminal_that_is_too_narrow_still_shows_marks() {
        let lines = Row::new("title         ", "a".repeat(60)).laid_out(10);
        assert!(
            lines.len() > 1 && lines[1..].iter().all(|line| line.starts_with("  > a")),
            "{lines:?}"
        );
    }

    #[test]
    fn a_sentence_goes_on_behind_a_mark_too() {
        let lines = on_a_terminal(&Row::words(format!("`{}` waits", "x".repeat(200))), 80);
        assert!(
            lines[1..].iter().all(|line| line.starts_with("  > ")),
            "{lines:?}"
        );
    }

    #[test]
    fn lines_of_a_log_are_laid_out_as_they_come() {
        let mut log = LaidOut {
            line: Vec::new(),
            out: Vec::new(),
        };
        log.write_all(b"half of ").unwrap();
        assert!(log.out.is_empty());
        log.write_all(b"a line\nand more").unwrap();
        assert_eq!(log.out, b"half of a line\n");
    }
}
