//! What a person reads on a terminal of 80 columns, and texts that try to look like a row of ours there.

use super::{BINARY, Stage};

/// The width that most terminals begin with.
const COLUMNS: usize = 80;

impl Stage {
    /// The lines that a command shows on a terminal at which no one types.
    pub fn read_on_a_terminal(&self, arguments: &str) -> Vec<String> {
        // `script` gives the program a terminal.
        let shell = format!("stty cols {COLUMNS} && {BINARY} {arguments}");
        let output = self
            .command_of("/usr/bin/script", &["-qec", &shell, "/dev/null"])
            .env("GH_TOKEN", self.reader())
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        shown
            .lines()
            .flat_map(|line| broken_by_a_terminal(line.trim_end_matches('\r')))
            .collect()
    }
}

fn broken_by_a_terminal(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    let lines = characters
        .chunks(COLUMNS)
        .map(|chunk| chunk.iter().collect());
    lines.collect()
}

#[track_caller]
pub fn assert_no_row(shown: &[String], forged: &[&str]) {
    for line in shown {
        assert!(
            forged.iter().all(|row| !line.starts_with(row)),
            "a row that is made of data: `{line}` in\n{}",
            shown.join("\n")
        );
    }
}

/// A text that reaches the right edge of the terminal behind a heading of so many columns, and goes on as a row would begin.
pub fn drawing(words: &str, heading: usize, rows: &[&str]) -> String {
    let mut text = words.to_owned();
    for row in rows {
        let used = (heading + text.chars().count()) % COLUMNS;
        text.push_str(&" ".repeat(COLUMNS - used));
        text.push_str(row);
    }
    text
}
