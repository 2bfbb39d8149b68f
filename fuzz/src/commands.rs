//! What the runner reads of us: lines of the log, workflow commands, and the file of outputs.
//!
//! The readers here are the runner's, written down from its sources (`ActionCommand.cs`, `FileCommandManager.cs` in actions/runner). They
//! take every command that is one by its form, whether the runner knows its name or not.

use countersign::fuzzing;
use countersign_core::{
    digest::Digest,
    text::{Lines, visible},
};

/// Before the first NUL stands a title, behind it a message. Neither becomes a command or another value; what is hidden in a message is written out.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (title, message) = text.split_once('\0').unwrap_or(("", text));
    let annotation = fuzzing::annotation(title, message);
    assert_eq!(
        commands(&annotation),
        [Command {
            name: "error".into(),
            title: Some(trimmed(&told(title)).into()),
            data: told(&cut(&visible(message, Lines::Several)))
        }]
    );
    assert_eq!(commands(&fuzzing::line(message)), []);
    if let Some(mask) = fuzzing::mask(message) {
        assert_eq!(
            commands(&mask),
            [Command {
                name: "add-mask".into(),
                title: None,
                data: message.trim().into()
            }]
        );
    }
    // The real delimiter is random; this one cannot stand in the text either.
    let delimiter = format!("delimiter_{}", Digest::of(message.as_bytes()).to_hex());
    let written = fuzzing::output("status", message, &delimiter)
        + &fuzzing::output("receipt-id", title, &delimiter);
    assert_eq!(
        outputs(&written),
        [("status", message), ("receipt-id", title)]
    );
}

/// The older form of commands is broken up wherever it stands.
fn told(text: &str) -> String {
    text.replace("##[", "# #[")
}

/// The runner takes blanks at the end away before it knows that `%0D` and `%0A` are some.
fn trimmed(title: &str) -> &str {
    title.trim_end_matches(|character: char| {
        character.is_whitespace() && !matches!(character, '\r' | '\n')
    })
}

fn cut(message: &str) -> String {
    message.chars().take(4000).collect()
}

/// A command as the runner takes it from a line.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    title: Option<String>,
    data: String,
}

/// .NET's `ReadLine` ends a line at LF, CR, or both.
fn commands(log: &str) -> Vec<Command> {
    log.split(['\n', '\r'])
        .filter_map(|line| new_form(line).or_else(|| old_form(line)))
        .collect()
}

/// `::name key=value,key=value::data`, behind blanks.
fn new_form(line: &str) -> Option<Command> {
    let (about, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = about.split_once(' ').unwrap_or((about, ""));
    let mut pairs = properties
        .trim()
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    let title = pairs
        .find(|(key, _)| *key == "title")
        .map(|(_, value)| plain(value).replace("%3A", ":").replace("%2C", ","));
    Some(Command {
        name: name.into(),
        title: title.map(|title| title.replace("%25", "%")),
        data: plain(data).replace("%25", "%"),
    })
}

/// `##[name key=value;]data`, anywhere in a line.
fn old_form(line: &str) -> Option<Command> {
    let (about, data) = line.split_once("##[")?.1.split_once(']')?;
    Some(Command {
        name: about.into(),
        title: None,
        data: data.into(),
    })
}

fn plain(escaped: &str) -> String {
    escaped.replace("%0D", "\r").replace("%0A", "\n")
}

/// `name=value`, or `name<<delimiter` with the lines up to the delimiter.
fn outputs(file: &str) -> Vec<(&str, &str)> {
    let (mut found, mut rest) = (Vec::new(), file);
    while !rest.is_empty() {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let (heredoc, equals) = (line.find("<<"), line.find('='));
        assert!(
            equals.is_none_or(|equals| heredoc.is_some_and(|heredoc| heredoc < equals)),
            "{line} is an output of its own"
        );
        let (name, delimiter) = line
            .split_once("<<")
            .unwrap_or_else(|| panic!("{line} is no output"));
        let end = lines_with_places(behind)
            .find(|(_, line)| *line == delimiter)
            .expect("the delimiter ends the value")
            .0;
        found.push((name, behind[..end].strip_suffix('\n').unwrap_or("")));
        rest = behind[end..].split_once('\n').map_or("", |(_, rest)| rest);
    }
    found
}

fn lines_with_places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let begin = *at;
        *at += line.len();
        Some((begin, line.trim_end_matches('\n')))
    })
}
