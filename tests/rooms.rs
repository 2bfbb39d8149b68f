//! Enforces the map of rooms in ARCHITECTURE.md.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

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
            "exit",
            "cli",
            "lib",
        ],
    ),
    (
        "planner",
        &["publisher", "github", "runner", "progress", "log"],
    ),
    ("publisher", &["github", "progress", "regular_file"]),
    ("ledger_store", &["github", "random"]),
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

/// Modules that only tests compile.
fn is_for_tests(path: &Path) -> bool {
    let in_schema = path.components().any(|part| part.as_os_str() == "schema");
    in_schema
        || [
            "testing.rs",
            "tests.rs",
            "vectors.rs",
            "edges.rs",
            "schema.rs",
        ]
        .iter()
        .any(|name| path.ends_with(name))
}

#[test]
fn the_core_touches_nothing() {
    let core = root().join("core");
    let manifest = fs::read_to_string(core.join("Cargo.toml")).unwrap();
    let dependencies: Vec<&str> = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(".workspace").map(|(name, _)| name))
        .collect();
    assert_eq!(
        dependencies,
        [
            "base64",
            "chrono",
            "ed25519-dalek",
            "serde",
            "serde_json",
            "sha2",
            "ssh-key",
            "thiserror",
            "toml"
        ]
    );
    let library = fs::read_to_string(core.join("src/lib.rs")).unwrap();
    assert!(library.contains("#![no_std]") && library.contains("#[cfg(test)]\nmod schema;"));
    for (path, text) in sources(&core.join("src")) {
        // Tests may use the standard library; what is compiled into the product may not.
        let product = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let tests_only = is_for_tests(&path);
        for word in ["std::", "SystemTime", "Utc::now", "Instant::now"] {
            let found = product.replace("extern crate std", "");
            assert!(
                tests_only || !found.contains(word),
                "{} mentions {word}",
                path.display()
            );
        }
    }
}

#[test]
fn no_room_starts_a_child_process() {
    let root = root();
    for folder in ["src", "core/src"] {
        for (path, text) in sources(&root.join(folder))
            .into_iter()
            .filter(|(path, _)| !is_for_tests(path))
        {
            for word in [
                "process::Command",
                "tokio::process",
                "Command::new",
                "libc::exec",
                "libc::fork",
            ] {
                assert!(!text.contains(word), "{} mentions {word}", path.display());
            }
        }
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let tokio = manifest
        .lines()
        .find(|line| line.starts_with("tokio = {"))
        .unwrap();
    assert!(!tokio.contains("process") && !tokio.contains("\"full\""));
}

#[test]
fn no_room_prints_by_macro() {
    for (path, text) in sources(&root().join("src")) {
        for word in ["println!(", "eprintln!(", "print!(", "dbg!("] {
            // A closed pipe makes these panic.
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
    }
}

/// Where each crate begins, by the word of cargo: libraries, programs, examples, benchmarks. Tests have the lint of the workspace alone.
fn crate_roots(manifest: &str) -> Vec<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    let told = cargo
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version=1",
            "--manifest-path",
        ])
        .arg(root().join(manifest))
        .output();
    let metadata: Value = serde_json::from_slice(&told.unwrap().stdout).unwrap();
    let targets = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|package| package["targets"].as_array().unwrap());
    targets
        .filter(|target| target["kind"][0] != "test")
        .map(|target| target["src_path"].as_str().unwrap().into())
        .collect()
}

#[test]
fn no_crate_holds_unsafe_code() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for member in ["core/Cargo.toml", "sim/Cargo.toml", "Cargo.toml"] {
        assert!(
            fs::read_to_string(root().join(member))
                .unwrap()
                .contains("[lints]\nworkspace = true"),
            "{member}"
        );
    }
    assert!(
        fs::read_to_string(root().join("fuzz/Cargo.toml"))
            .unwrap()
            .contains("[lints.rust]\nunsafe_code = \"forbid\"")
    );
    for (manifest, least) in [("Cargo.toml", 11), ("fuzz/Cargo.toml", 14)] {
        let roots = crate_roots(manifest);
        assert!(roots.len() >= least, "{roots:?}");
        for root in roots {
            let text = fs::read_to_string(&root).unwrap();
            // Before anything that could hold some.
            let first = text
                .lines()
                .find(|line| !line.is_empty() && !line.starts_with("//!"));
            assert_eq!(first, Some("#![forbid(unsafe_code)]"), "{}", root.display());
        }
    }
}
