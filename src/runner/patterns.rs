//! What the lines of `files` mean: paths, patterns, and what is left out again.

use std::{
    io,
    path::{Path, PathBuf},
};

use countersign_core::{refusal::InputRefusal, text::excerpt};
use glob::{MatchOptions, Pattern};

use super::inputs::lines;

/// The most that the braces of one line may stand for.
const MOST_ALTERNATIVES: usize = 1000;

/// What `\` takes its meaning from.
const SPECIAL: [char; 8] = ['*', '?', '[', ']', '{', '}', '!', '\\'];

/// `*` crosses no `/`, and begins with no dot.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Hidden files too.
const EVERYTHING: MatchOptions = MatchOptions {
    require_literal_leading_dot: false,
    ..MATCHING
};

/// The files that the lines name, in the order of the lines.
pub(super) fn find(files: &str, workspace: &Path) -> Result<Vec<PathBuf>, InputRefusal> {
    let mut paths = Vec::new();
    let mut last = None;
    for line in lines(files) {
        last = Some(line);
        let Some(pattern) = line.strip_prefix('!') else {
            paths.extend(Line::parse(line, line, workspace)?.files()?);
            continue;
        };
        if paths.is_empty() {
            let problem = "it leaves out what earlier lines name, and there is none. A name that begins so is written `\\!`";
            return Err(invalid(line, problem));
        }
        let excluded = Line::parse(line, pattern, workspace)?.patterns()?;
        paths.retain(|path| !excluded.iter().any(|pattern| covers(pattern, path)));
    }

    match last {
        Some(line) if paths.is_empty() => Err(InputRefusal::PatternUnmatched {
            pattern: excerpt(line, 200),
            problem: "leaves no file over",
        }),
        _ => Ok(paths),
    }
}

/// Whether it matches the file, or a folder that the file is in; both may be hidden.
fn covers(pattern: &Pattern, path: &Path) -> bool {
    path.ancestors()
        .any(|path| pattern.matches_path_with(path, EVERYTHING))
}

/// One line, its braces written out.
struct Line<'a> {
    text: &'a str,
    alternatives: Vec<Alternative>,
}

/// One of the words that a line's braces stand for.
enum Alternative {
    /// Exactly this path.
    Path(PathBuf),
    /// A pattern as the matcher reads it.
    Pattern(String),
}

impl<'a> Line<'a> {
    fn parse(text: &'a str, pattern: &str, workspace: &Path) -> Result<Self, InputRefusal> {
        let workspace = workspace
            .to_str()
            .ok_or_else(|| invalid(text, "the workspace's path is not text"))?;
        // What the workspace is called is no pattern, however it is written.
        let inside = pattern
            .strip_prefix(workspace)
            .and_then(|rest| rest.strip_prefix('/'));
        let alternatives = alternatives(inside.unwrap_or(pattern))
            .and_then(|words| {
                let words = words.iter().map(|word| Alternative::new(word, workspace));
                words.collect::<Result<Vec<_>, _>>()
            })
            .map_err(|problem| invalid(text, problem))?;
        Ok(Self { text, alternatives })
    }

    /// The files that are there. A path must be; of the patterns of a line one must match.
    fn files(&self) -> Result<Vec<PathBuf>, InputRefusal> {
        let (mut paths, mut folders) = (Vec::new(), false);
        for alternative in &self.alternatives {
            let pattern = match alternative {
                Alternative::Path(path) => {
                    paths.push(path.clone());
                    continue;
                }
                Alternative::Pattern(pattern) => pattern,
            };
            let wrong = |error: glob::PatternError| invalid(self.text, error.msg);
            let rule = Pattern::new(pattern).map_err(wrong)?;
            // The matcher's own walk passes hidden files over even where the pattern names them.
            for path in glob::glob_with(pattern, EVERYTHING).map_err(wrong)? {
                let path = path.map_err(|error| unreadable(self.text, error.error()))?;
                if !rule.matches_path_with(&path, MATCHING) {
                    continue;
                }
                if is_folder(&path) {
                    folders = true;
                } else {
                    paths.push(path);
                }
            }
        }

        if paths.is_empty() {
            return Err(InputRefusal::PatternUnmatched {
                pattern: excerpt(self.text, 200),
                problem: if folders {
                    "matches folders and no file"
                } else {
                    "matches no file"
                },
            });
        }
        Ok(paths)
    }

    fn patterns(&self) -> Result<Vec<Pattern>, InputRefusal> {
        let pattern = |alternative: &Alternative| match alternative {
            Alternative::Path(path) => Pattern::new(&Pattern::escape(&path.to_string_lossy())),
            Alternative::Pattern(pattern) => Pattern::new(pattern),
        };
        let patterns = self.alternatives.iter().map(pattern);
        patterns
            .collect::<Result<_, _>>()
            .map_err(|error| invalid(self.text, error.msg))
    }
}

impl Alternative {
    fn new(mut word: &str, workspace: &str) -> Result<Self, &'static str> {
        while let Some(rest) = word.strip_prefix("./") {
            word = rest.trim_start_matches('/');
        }
        let Read {
            path,
            pattern,
            is_pattern,
        } = Read::of(word)?;

        if !is_pattern {
            return Ok(Self::Path(Path::new(workspace).join(path)));
        }
        let mut pattern = if pattern.starts_with('/') {
            pattern
        } else {
            format!("{}/{pattern}", Pattern::escape(workspace))
        };
        // The matcher takes a last `**` for folders alone.
        if pattern.ends_with("/**") {
            pattern.push_str("/*");
        }
        Ok(Self::Pattern(pattern))
    }
}

/// A word without braces, as a path and as the matcher's pattern.
#[derive(Default)]
struct Read {
    path: String,
    pattern: String,
    is_pattern: bool,
}

impl Read {
    fn of(word: &str) -> Result<Self, &'static str> {
        let mut read = Self::default();
        let mut rest = word.chars();
        while let Some(next) = rest.next() {
            match next {
                '\\' => {
                    // What may follow was looked at when the braces were written out.
                    let escaped = rest.next().unwrap_or('\\');
                    read.path.push(escaped);
                    read.pattern
                        .push_str(&Pattern::escape(&escaped.to_string()));
                }
                '[' => {
                    let class = class(rest.as_str())
                        .ok_or("a `[` has no `]`; a bracket is written `\\[`")?;
                    read.is_pattern = true;
                    read.pattern.push('[');
                    read.pattern.push_str(class);
                    rest = rest.as_str()[class.len()..].chars();
                }
                '*' | '?' => {
                    read.is_pattern = true;
                    read.pattern.push(next);
                }
                next => {
                    read.path.push(next);
                    read.pattern.push(next);
                }
            }
        }
        Ok(read)
    }
}

/// The rest of `[…]` after its first bracket, through the last one.
fn class(text: &str) -> Option<&str> {
    let negation = text.strip_prefix('!').map_or(0, |_| 1);
    // A `]` that stands first is one of the characters.
    let first = text[negation..].chars().next()?.len_utf8();
    let end = negation + first + text[negation + first..].find(']')?;
    (!text[..end].contains('/')).then(|| &text[..=end])
}

/// Writes braces out, the first ones outermost: `a.{b,c}` is `a.b` and `a.c`.
fn alternatives(pattern: &str) -> Result<Vec<String>, &'static str> {
    let (mut done, mut open) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(word) = open.pop() {
        let Some(braces) = Braces::first_of(&word)? else {
            done.push(word);
            continue;
        };
        if done.len() + open.len() + braces.choices.len() > MOST_ALTERNATIVES {
            return Err("its braces stand for more than 1000 words");
        }
        let words = braces.choices.iter().rev();
        open.extend(words.map(|choice| format!("{}{choice}{}", braces.before, braces.after)));
    }
    Ok(done)
}

/// One pair of braces, and what is around it.
struct Braces<'a> {
    before: &'a str,
    choices: Vec<&'a str>,
    after: &'a str,
}

impl<'a> Braces<'a> {
    fn first_of(word: &'a str) -> Result<Option<Self>, &'static str> {
        let (mut depth, mut start, mut from, mut choices) = (0_u32, 0, 0, Vec::new());
        let mut characters = word.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => {
                    let escaped = characters.next().map(|(_, character)| character);
                    if !escaped.is_some_and(|escaped| SPECIAL.contains(&escaped)) {
                        return Err(
                            "write `/` between folders; `\\` only takes their meaning from * ? [ ] { } ! \\",
                        );
                    }
                }
                '[' => {
                    // Braces and commas in `[…]` are characters like others.
                    let skipped = class(&word[at + 1..]).map_or(0, |class| class.chars().count());
                    characters.by_ref().take(skipped).for_each(drop);
                }
                '{' => {
                    if depth == 0 {
                        (start, from) = (at, at + 1);
                    }
                    depth += 1;
                }
                ',' if depth == 1 => {
                    choices.push(&word[from..at]);
                    from = at + 1;
                }
                '}' if depth == 1 => {
                    choices.push(&word[from..at]);
                    return Ok(Some(Self {
                        before: &word[..start],
                        choices,
                        after: &word[at + 1..],
                    }));
                }
                '}' => {
                    depth = depth
                        .checked_sub(1)
                        .ok_or("a `}` has no `{`; a brace is written `\\}`")?;
                }
                _ => {}
            }
        }
        if depth > 0 {
            return Err("a `{` has no `}`; a brace is written `\\{`");
        }
        Ok(None)
    }
}

/// Links to folders are not folders here: they are refused with the file's own reason.
fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

fn unreadable(line: &str, error: &io::Error) -> InputRefusal {
    InputRefusal::Invalid {
        input: "files",
        problem: format!("`{}`: a folder cannot be read: {error}", excerpt(line, 200)),
    }
}

fn invalid(line: &str, problem: &str) -> InputRefusal {
    InputRefusal::Invalid {
        input: "files",
        problem: format!("`{}`: {problem}", excerpt(line, 200)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace as release jobs have them.
    const TREE: [&str; 18] = [
        "dist/app.zip",
        "dist/app.tar.gz",
        "dist/app.zip.sha256",
        "dist/.gitkeep",
        "dist/nested/deep/tool.exe",
        "dist/nested/readme.txt",
        ".git/hooks/x.zip",
        ".gradle/wrapper/old.zip",
        ".config/app.zip",
        ".hidden.zip",
        "[x64]/tool.exe",
        "a,b.txt",
        "we{ird}.txt",
        "star*.txt",
        "!bang.txt",
        "back\\slash.txt",
        "node_modules/pkg/lib.zip",
        "target/app 1.zip",
    ];

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in TREE {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "abc").unwrap();
        }
        folder
    }

    /// The names of what is found, or the code of the refusal.
    fn found(files: &str, workspace: &Path) -> Result<Vec<String>, String> {
        let mut paths = find(files, workspace).map_err(|refusal| refusal.to_string())?;
        paths.sort();
        paths.dedup();
        let name = |path: &PathBuf| path.strip_prefix(workspace).unwrap().display().to_string();
        Ok(paths.iter().map(name).collect())
    }

    #[test]
    fn the_table_of_patterns() {
        let folder = tree();
        for (files, expected) in [
            // `*` crosses no `/`, and begins with no dot.
            ("dist/*", "dist/app.tar.gz dist/app.zip dist/app.zip.sha256"),
            ("dist/.*", "dist/.gitkeep"),
            ("dist/*.zip", "dist/app.zip"),
            ("*.zip", ""),
            (".*.zip", ".hidden.zip"),
            (".config/*.zip", ".config/app.zip"),
            // `**` is any number of folders, none of them hidden.
            (
                "**/*.zip",
                "dist/app.zip node_modules/pkg/lib.zip target/app 1.zip",
            ),
            ("dist/**/*.exe", "dist/nested/deep/tool.exe"),
            (
                "dist/**",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256 dist/nested/deep/tool.exe dist/nested/readme.txt",
            ),
            (
                "dist/**/*",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256 dist/nested/deep/tool.exe dist/nested/readme.txt",
            ),
            (".git/**/*.zip", ".git/hooks/x.zip"),
            // `?` and `[…]`.
            ("dist/app.?ip", "dist/app.zip"),
            (
                "dist/app.[tz]*",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256",
            ),
            ("dist/app.[!t]*", "dist/app.zip dist/app.zip.sha256"),
            // Braces.
            ("dist/*.{zip,gz}", "dist/app.tar.gz dist/app.zip"),
            ("dist/app.{zip,tar.gz}", "dist/app.tar.gz dist/app.zip"),
            (
                "dist/app.{zip{,.sha256},tar.gz}",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256",
            ),
            (
                "dist/{nested/deep,nested}/*.{exe,txt}",
                "dist/nested/deep/tool.exe dist/nested/readme.txt",
            ),
            // What `\` takes the meaning from; a comma has one in braces alone.
            (r"\[x64\]/tool.exe", "[x64]/tool.exe"),
            (r"\[x64\]/*.exe", "[x64]/tool.exe"),
            ("a,b.txt", "a,b.txt"),
            (r"we\{ird\}.txt", "we{ird}.txt"),
            (r"star\*.txt", "star*.txt"),
            (r"\!bang.txt", "!bang.txt"),
            (r"back\\slash.txt", r"back\slash.txt"),
            ("target/app 1.zip", "target/app 1.zip"),
            // `!` leaves out what earlier lines took.
            ("dist/*\n!dist/*.sha256", "dist/app.tar.gz dist/app.zip"),
            (
                "dist/**\n!dist/nested",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256",
            ),
            (
                "dist/**\n!**/nested/**",
                "dist/app.tar.gz dist/app.zip dist/app.zip.sha256",
            ),
            (
                "dist/*\n!dist/*.{sha256,gz}\ndist/app.tar.gz",
                "dist/app.tar.gz dist/app.zip",
            ),
            ("dist/.*\ndist/*.zip\n!dist/*keep", "dist/app.zip"),
            // Each file once, from wherever it is named.
            (
                "./dist/app.zip\ndist/app.zip\n.//dist/*.zip",
                "dist/app.zip",
            ),
        ] {
            let expected: Vec<String> = match expected {
                "" => Vec::new(),
                // One name has a blank.
                names => names
                    .replace("app 1", "app\u{1}1")
                    .split(' ')
                    .map(|name| name.replace('\u{1}', " "))
                    .collect(),
            };
            match found(files, folder.path()) {
                Ok(paths) => assert_eq!(paths, expected, "{files}"),
                Err(told) => assert!(
                    expected.is_empty() && told.contains("matches no file"),
                    "{files}: {told}"
                ),
            }
        }
    }

    #[test]
    fn a_line_that_means_nothing_says_why() {
        let folder = tree();
        for (files, says) in [
            (r"dist\app.zip", "write `/` between folders"),
            (r"dist/*\", "write `/` between folders"),
            ("dist/[ab", "a `[` has no `]`"),
            ("dist/{a,b", "a `{` has no `}`"),
            ("dist/a}", "a `}` has no `{`"),
            ("dist/**.zip", "recursive wildcards"),
            ("!dist/*", "leaves out what earlier lines name"),
            ("dist/*\n!dist/**", "leaves no file over"),
            ("dist/*.deb", "matches no file"),
            ("dist/nest*", "matches folders and no file"),
            (
                "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
                "more than 1000 words",
            ),
        ] {
            let told = found(files, folder.path()).unwrap_err();
            assert!(told.contains(says), "{files}: {told}");
        }
    }

    #[test]
    fn a_workspace_whose_name_looks_like_a_pattern_is_none() {
        let outer = tempfile::tempdir().unwrap();
        let workspace = outer.path().join("[a]*{b,c}/.work");
        std::fs::create_dir_all(workspace.join("dist")).unwrap();
        std::fs::write(workspace.join("dist/app.zip"), "abc").unwrap();
        let absolute = format!("{}/dist/*.zip", workspace.display());
        for files in ["dist/*.zip", "dist/app.zip", "**/*.zip", &absolute] {
            assert_eq!(
                found(files, &workspace).unwrap(),
                ["dist/app.zip"],
                "{files}"
            );
        }
    }
}
