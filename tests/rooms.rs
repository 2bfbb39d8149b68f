//! Enforces the map of rooms in ARCHITECTURE.md.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Room → the rooms that it may use. Nothing points back.
const DOORS: &[(&str, &[&str])] = &[
    (
        "lib",
        &[
            "cli", "commands", "github", "report", "runner", "log", "tempo", "exit",
        ],
    ),
    ("main", &[]),
    // Compiled for the fuzz targets alone.
    (
        "fuzzing",
        &["planner", "runner", "report", "github", "progress", "log"],
    ),
    ("cli", &["commands", "exit", "lib"]),
    (
        "commands",
        &[
            "publisher",
            "planner",
            "github",
            "ledger_store",
            "runner",
            "report",
            "keyfile",
            "agent",
            "log",
            "progress",
            "regular_file",
            "random",
            "tempo",
            "exit",
            "cli",
            "lib",
        ],
    ),
    (
        "planner",
        &["publisher", "github", "runner", "progress", "log"],
    ),
    (
        "publisher",
        &["github", "ledger_store", "progress", "regular_file"],
    ),
    ("ledger_store", &["github", "random", "tempo"]),
    ("report", &["github", "runner", "log", "random", "exit"]),
    ("github", &["log", "tempo"]),
    ("runner", &["progress", "regular_file", "tempo"]),
    ("keyfile", &["agent"]),
    ("agent", &[]),
    ("random", &[]),
    ("tempo", &[]),
    ("progress", &["log"]),
    ("log", &[]),
    ("regular_file", &[]),
    ("exit", &[]),
];

/// What belongs to the library as a whole and may be named anywhere above it.
const LIBRARY: &[&str] = &[
    "Clock",
    "Environment",
    "Log",
    "on_runtime",
    "system_clock",
    "action",
];

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms that a file names: `crate::room`, and the first words of `use crate::{room, …}`.
fn named(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (position, _) in text.match_indices("crate::") {
        let rest = &text[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            rooms.extend(first_words(group));
        } else {
            rooms.push(word(rest));
        }
    }
    rooms
}

fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut words, mut start) = (0, Vec::new(), true);
    for (position, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && character.is_alphabetic() => {
                words.push(word(&group[position..]));
                start = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

#[test]
fn rooms_point_one_way() {
    let doors: BTreeMap<_, _> = DOORS.iter().copied().collect();
    let src = root().join("src");
    for (path, text) in sources(&src) {
        let place = path.strip_prefix(&src).unwrap();
        let room = place
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        let allowed = doors
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} is no room of ARCHITECTURE.md"));
        for other in named(&text) {
            let other = if LIBRARY.contains(&other.as_str()) {
                "lib".to_owned()
            } else {
                other
            };
            assert!(
                other == room || allowed.contains(&other.as_str()),
                "{} points at {other}",
                place.display()
            );
        }
    }
}

#[test]
fn every_room_opens_with_a_sentence_and_none_is_a_drawer() {
    let root = root();
    for folder in [
        "src",
        "core/src",
        "sim/src",
        "tests",
        "fuzz/src",
        "fuzz/targets",
    ] {
        for (path, text) in sources(&root.join(folder)) {
            let shown = path.display();
            if !path.to_string_lossy().contains("compile_fail/") {
                assert!(
                    text.starts_with("//! "),
                    "{shown} does not say what it is for"
                );
            }
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                !["utils", "helpers", "common", "manager", "misc"].contains(&name),
                "{shown}"
            );
        }
    }
}
