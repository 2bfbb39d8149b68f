//! What stands behind a promise: tests, attacks, checks with programs of others, and steps that every change runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::LazyLock,
};

use regex::Regex;

/// What a row of a table names.
pub(crate) enum Proof {
    Test { name: String, file: String },
    Attack(String),
    Check { name: String, file: String },
    Step { command: String, file: String },
}

static TESTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"((?:`[a-z0-9_]+`(?:, )?)+) in `([^`]+\.rs)`").unwrap());
static ATTACKS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"attack "([^"]+)""#).unwrap());
static CHECKS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"check "([^"]+)" in `([^`]+)`"#).unwrap());
static STEPS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"step `([^`]+)` in `([^`]+)`").unwrap());

/// Everything that a cell names.
pub(crate) fn named(cell: &str) -> Vec<Proof> {
    let mut proofs = Vec::new();
    for found in TESTS.captures_iter(cell) {
        for name in found[1].split('`').skip(1).step_by(2) {
            proofs.push(Proof::Test {
                name: name.into(),
                file: found[2].into(),
            });
        }
    }
    proofs.extend(
        ATTACKS
            .captures_iter(cell)
            .map(|found| Proof::Attack(found[1].into())),
    );
    proofs.extend(CHECKS.captures_iter(cell).map(|found| Proof::Check {
        name: found[1].into(),
        file: found[2].into(),
    }));
    proofs.extend(STEPS.captures_iter(cell).map(|found| Proof::Step {
        command: found[1].into(),
        file: found[2].into(),
    }));
    proofs
}

/// Whether nothing in a cell only looks like a proof.
pub(crate) fn is_read(cell: &str) -> bool {
    let read = [&TESTS, &CHECKS, &STEPS]
        .map(|kind| kind.find_iter(cell).count())
        .iter()
        .sum::<usize>();
    cell.matches(" in `").count() == read
        && cell.matches("attack \"").count() == ATTACKS.find_iter(cell).count()
}

impl Proof {
    /// It is there and, where a code is given, asserts that code.
    pub(crate) fn holds(&self, code: Option<&str>) -> Result<(), String> {
        let (what, asserts) = match self {
            Self::Test { name, file } => (format!("`{name}` in {file}"), test(name, file)?),
            Self::Attack(name) => (format!("attack \"{name}\""), attack(name)?),
            Self::Check { name, file } => (format!("check \"{name}\""), check(name, file)?),
            Self::Step { command, file } => (format!("step `{command}`"), step(command, file)?),
        };
        code.filter(|code| !literal(&asserts, code))
            .map_or(Ok(()), |code| Err(format!("{what} never says \"{code}\"")))
    }
}

/// A file of the project.
pub(crate) fn page(name: &str) -> Result<String, String> {
    fs::read_to_string(root().join(name)).map_err(|error| format!("{name}: {error}"))
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a test says: its body, and what of its file it calls. Of a product's file only the tests count.
fn test(name: &str, file: &str) -> Result<String, String> {
    let text = page(file)?;
    let items = items(
        text.split_once("#[cfg(test)]\nmod tests {")
            .map_or(text.as_str(), |(_, tests)| tests),
    );
    let found = items
        .iter()
        .find(|item| item.name == name)
        .ok_or_else(|| format!("{file} has no `{name}`"))?;
    if !found.is_test {
        return Err(format!("`{name}` in {file} is no test"));
    }
    Ok(reach(&items, &found.text))
}

/// What a case of the attack suite says: its codes, or what its scene reaches.
fn attack(name: &str) -> Result<String, String> {
    let missing = || format!("there is no attack \"{name}\"");
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("tests/attacks"))
        .map_err(|_| missing())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let said = |path: &PathBuf| {
        let text = fs::read_to_string(path).ok()?;
        match path.extension()?.to_str()? {
            "toml" => case(name, &text),
            "rs" => scene(name, &text),
            _ => None,
        }
    };
    files.iter().find_map(said).ok_or_else(missing)
}

/// The codes of a case that is data, as literals.
fn case(name: &str, text: &str) -> Option<String> {
    let file: toml::Table = text.parse().ok()?;
    let case = file
        .get("case")?
        .as_array()?
        .iter()
        .find(|case| case.get("name").and_then(toml::Value::as_str) == Some(name))?;
    let also = case
        .get("also")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    let codes = case
        .get("code")
        .into_iter()
        .chain(also)
        .filter_map(toml::Value::as_str);
    Some(
        codes
            .map(|code| format!("\"{code}\""))
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// A scene is a row of the table `SCENES`: its name and what is done.
fn scene(name: &str, text: &str) -> Option<String> {
    static ROW: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)\([ \n]*"([^"]+)",(.*?)\),\n"#).unwrap());
    let items = items(text);
    let scenes = &items.iter().find(|item| item.name == "SCENES")?.text;
    let row = ROW.captures_iter(scenes).find(|row| &row[1] == name)?;
    Some(reach(&items, &row[2]))
}

/// What a check in another language says: from its name to the next check.
fn check(name: &str, file: &str) -> Result<String, String> {
    let text = page(file)?;
    let quoted = ['"', '\'', '`'].map(|quote| format!("check({quote}{name}{quote}"));
    let start = quoted
        .iter()
        .find_map(|quoted| Some(text.find(quoted)? + quoted.len()));
    let rest = &text[start.ok_or_else(|| format!("{file} has no check \"{name}\""))?..];
    Ok(rest
        .split("check(")
        .next()
        .unwrap_or_default()
        .replace('\'', "\""))
}

fn step(command: &str, file: &str) -> Result<String, String> {
    let text = page(file)?;
    if text.contains(command) {
        Ok(String::new())
    } else {
        Err(format!("{file} does not run `{command}`"))
    }
}

/// A function or constant, with its whole text.
pub(crate) struct Item {
    pub(crate) name: String,
    is_test: bool,
    pub(crate) text: String,
}

/// Every function and constant of a file. They end as rustfmt ends them: with a bracket below their first letter.
pub(crate) fn items(text: &str) -> Vec<Item> {
    static BEGIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^( *)(?:pub(?:\([a-z]+\))? )?(?:const |async )*(fn|const|static) ([A-Za-z_][A-Za-z0-9_]*)").unwrap()
    });
    let lines: Vec<&str> = text.lines().collect();
    let item = |(start, line): (usize, &&str)| {
        let begin = Some(line)
            .filter(|line| line.contains("fn ") || line.contains(": "))
            .and_then(|line| BEGIN.captures(line))?;
        let open = line.ends_with(['{', '(', '[']) || line.ends_with("r#\"");
        let closes = |later: &str| {
            let rest = later.strip_prefix(&begin[1]).unwrap_or_default();
            rest.starts_with(['}', ']', ')', '"']) && !rest.ends_with('{')
        };
        let ends = |at: usize| {
            if open {
                at > start && closes(lines[at])
            } else {
                lines[at].ends_with([';', '}'])
            }
        };
        let end = (start..lines.len()).find(|at| ends(*at))?;
        let above = lines[..start].iter().rev().map(|line| line.trim());
        let is_test = above
            .take_while(|line| line.starts_with("#[") || line.starts_with("///"))
            .any(|line| line == "#[test]" || line.starts_with("#[tokio::test"));
        Some(Item {
            name: begin[3].into(),
            is_test,
            text: lines[start..=end].join("\n"),
        })
    };
    lines.iter().enumerate().filter_map(item).collect()
}

/// A text with everything that it calls, and that calls, within the file.
fn reach(items: &[Item], text: &str) -> String {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Za-z_][A-Za-z0-9_]*").unwrap());
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in items.iter().filter(|item| !item.is_test) {
        known.entry(&item.name).or_default().push(&item.text);
    }
    let (mut seen, mut reached, mut next) =
        (BTreeSet::new(), text.to_owned(), vec![text.to_owned()]);
    while let Some(text) = next.pop() {
        for word in WORD.find_iter(&text).map(|word| word.as_str().to_owned()) {
            if let Some(texts) = known
                .get(word.as_str())
                .filter(|_| seen.insert(word.clone()))
            {
                reached.extend(texts.iter().copied());
                next.extend(texts.iter().map(ToString::to_string));
            }
        }
    }
    reached
}

/// Whether a literal begins with this word.
fn literal(text: &str, word: &str) -> bool {
    let begin = format!("\"{word}");
    text.match_indices(&begin).any(|(at, _)| {
        !text[at + begin.len()..]
            .starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
    })
}
