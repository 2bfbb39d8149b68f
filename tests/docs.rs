//! The documentation says what is so.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{collections::BTreeSet, fmt::Write as _, fs};

use countersign_core::reconcile::Code;

fn page(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Names at the first level of a section of action.yml.
fn declared(section: &str) -> BTreeSet<String> {
    let action = page("action.yml");
    let rest = action.split(&format!("\n{section}:\n")).nth(1).unwrap();
    let lines = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '));
    lines
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.trim().trim_end_matches(':').to_owned())
        .collect()
}

/// The names in the first column of a section's table.
fn tabled(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page
        .split(heading)
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    section
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once('`')
                .map(|(name, _)| name.to_owned())
        })
        .collect()
}

/// A section of action.yml as the table that the README must hold.
fn table(section: &str, word: &str) -> String {
    let action = page("action.yml");
    let rest = action.split(&format!("\n{section}:\n")).nth(1).unwrap();
    let lines: Vec<&str> = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .collect();
    let mut rows = format!("| {word} | meaning |\n|---|---|\n");
    for (index, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("  ") && !line.starts_with("   "))
    {
        let members = || {
            lines[index + 1..]
                .iter()
                .take_while(|line| line.starts_with("    "))
        };
        let description = members()
            .find_map(|line| {
                line.trim()
                    .strip_prefix("description: \"")?
                    .strip_suffix('"')
            })
            .unwrap();
        let required = if members().any(|line| line.trim() == "required: true") {
            " Required."
        } else {
            ""
        };
        writeln!(
            rows,
            "| `{}` | {description}{required} |",
            line.trim().trim_end_matches(':')
        )
        .unwrap();
    }
    rows
}

/// The tables are made from action.yml: with `BLESS_README=1` they are written anew.
#[test]
fn the_readme_lists_the_inputs_and_outputs_of_action_yml() {
    let mut readme = page("README.md");
    for (section, heading, word) in [
        ("inputs", "## Inputs\n\n", "input"),
        ("outputs", "## Outputs\n\n", "output"),
    ] {
        assert_eq!(tabled(&readme, heading.trim()), declared(section));
        let start = readme.find(heading).unwrap() + heading.len();
        let end = start + readme[start..].find("\n\n").unwrap() + 1;
        if std::env::var_os("BLESS_README").is_some() {
            readme.replace_range(start..end, &table(section, word));
            fs::write(format!("{}/README.md", env!("CARGO_MANIFEST_DIR")), &readme).unwrap();
        } else {
            assert_eq!(readme[start..end], table(section, word));
        }
    }
}

#[test]
fn the_readme_names_the_two_commands() {
    let readme = page("README.md");
    assert!(readme.contains("cargo run --example demo") && readme.contains("cargo test"));
    assert!(
        page("Cargo.toml").contains("default-members = [\".\", \"core\", \"sim\"]"),
        "`cargo test` must run every room's tests"
    );
    assert!(
        page(".ci/run").contains("cargo test --locked")
            && page(".ci/run").contains("--example demo")
    );
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let page = page("docs/dependencies.md");
    let told: BTreeSet<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| {
            line.split('|')
                .nth(1)
                .unwrap()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .collect();
    let mut direct = BTreeSet::new();
    for manifest in [
        "Cargo.toml",
        "core/Cargo.toml",
        "sim/Cargo.toml",
        "fuzz/Cargo.toml",
    ]
    .map(self::page)
    {
        for section in ["[dependencies]\n", "[dev-dependencies]\n"] {
            let Some(section) = manifest.split(&format!("\n{section}")).nth(1) else {
                continue;
            };
            let lines = section.lines().take_while(|line| !line.starts_with('['));
            direct.extend(lines.filter_map(|line| {
                line.split([' ', '.', '='])
                    .next()
                    .filter(|name| !name.is_empty())
                    .map(ToOwned::to_owned)
            }));
        }
    }
    // The product itself is what fuzzing depends on.
    direct.remove("countersign");
    assert_eq!(
        direct.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        told
    );
}

#[test]
fn dependencies_are_held_against_their_rules() {
    let (rules, page) = (page("deny.toml"), page("docs/dependencies.md"));
    for (section, rule) in [
        ("licenses", "unused-allowed-license = \"deny\""),
        (
            "sources",
            "unknown-registry = \"deny\"\nunknown-git = \"deny\"",
        ),
        (
            "bans",
            "multiple-versions = \"deny\"\nmultiple-versions-include-dev = true",
        ),
        ("advisories", "yanked = \"deny\""),
    ] {
        let section = rules
            .split(&format!("\n[{section}]\n"))
            .nth(1)
            .unwrap()
            .split("\n[")
            .next()
            .unwrap();
        assert!(section.contains(rule), "{rule}");
        assert!(
            !section.contains("ignore"),
            "an advisory is never passed over in silence"
        );
    }
    // Every exception tells why.
    let exceptions = || {
        rules
            .lines()
            .filter(|line| line.starts_with("    { crate = "))
    };
    assert!(exceptions().count() > 10 && exceptions().all(|line| line.contains(", reason = \"")));
    for lines in [
        self::page(".ci/run"),
        self::page(".github/workflows/advisories.yml"),
    ] {
        assert!(lines.contains("scripts/check-dependencies"));
    }
    assert!(page.contains("`scripts/check-dependencies`"));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([A-Za-z0-9_./-]+\.[a-z]+)(#[^)]*)?\)").unwrap();
    let mut pages = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ]
    .map(|name| (name.to_owned(), ""))
    .to_vec();
    let docs = fs::read_dir(format!("{}/docs", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().to_string_lossy()));
    pages.extend(
        names
            .filter(|name| name.rsplit('.').next() == Some("md"))
            .map(|name| (name, "docs/")),
    );
    for (name, folder) in pages {
        for found in link.captures_iter(&page(&name)) {
            let target = format!("{}/{folder}{}", env!("CARGO_MANIFEST_DIR"), &found[1]);
            assert!(
                fs::metadata(&target).is_ok(),
                "{name} links to {}",
                &found[1]
            );
        }
    }
}

#[test]
fn the_tests_that_pages_name_exist() {
    let name = regex::Regex::new(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+){3,})`").unwrap();
    let attack = regex::Regex::new("attack \"([^\"]+)\"").unwrap();
    let (mut sources, mut attacks) = (String::new(), String::new());
    for folder in ["tests", "core/src", "src", "sim/tests", "sim/src"] {
        collect(folder, "rs", &mut sources);
    }
    collect("tests/attacks", "toml", &mut attacks);
    collect("tests/attacks", "rs", &mut attacks);

    for file in PAGES_THAT_NAME_TESTS {
        for found in name.captures_iter(&page(file)) {
            assert!(sources.contains(&found[1]), "{file} names {}", &found[1]);
        }
        for found in attack.captures_iter(&page(file)) {
            assert!(
                attacks.contains(&found[1]),
                "{file} names the attack {}",
                &found[1]
            );
        }
    }
}

const PAGES_THAT_NAME_TESTS: &[&str] = &[
    "ARCHITECTURE.md",
    "docs/threat-model.md",
    "docs/ledger.md",
    "docs/operations.md",
    "docs/receipt.md",
    "docs/security.md",
    "docs/plan.md",
    "docs/operation.md",
    "docs/policy.md",
    "docs/trust.md",
    "docs/campaign.md",
    "docs/issuing.md",
    "docs/audit.md",
    "docs/verify.md",
    "docs/report.md",
    "docs/evidence.md",
];

/// Refusals are compared with their page by `tests/refusals.rs`; these are the codes of failures.
#[test]
fn every_failure_code_has_its_row() {
    let code = r#"(?:Setback::fault|Complaint::new|\.interrupt(?:ed)?)\(\s*"([a-z_]+)""#;
    let (code, rows) = (regex::Regex::new(code).unwrap(), page("docs/refusals.md"));
    let mut sources = String::new();
    collect("src", "rs", &mut sources);

    let codes: BTreeSet<&str> = code
        .captures_iter(&sources)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        assert!(
            rows.contains(&format!("| `{code}` |")),
            "docs/refusals.md lacks {code}"
        );
    }
}

/// The text of all files with this extension below a folder of the project.
fn collect(folder: &str, extension: &str, text: &mut String) {
    for entry in fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&name, extension, text);
        } else if entry
            .path()
            .extension()
            .is_some_and(|found| found == extension)
        {
            text.push_str(&page(&name));
        }
    }
}

#[test]
fn every_finding_of_an_audit_is_explained() {
    let page = page("docs/audit.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains('_'))
        .collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            format!(
                "| `{code}` | {} | {} | {} |",
                code.level().as_str(),
                code.meaning(),
                code.remedy()
            )
        })
        .collect();
    assert_eq!(rows, expected);
    // Each is planted.
    let tests = [
        "tests/audit.rs",
        "tests/dates.rs",
        "tests/attacks/dates.rs",
        "tests/attacks/withdrawn.rs",
        "tests/damage.rs",
    ]
    .map(self::page);
    for code in Code::ALL {
        let is_planted = |page: &String| page.contains(code.as_str());
        assert!(tests.iter().any(is_planted), "no test plants {code}");
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let readme = page("README.md");
    for (code, exit) in [
        (0, countersign::Exit::Success),
        (1, countersign::Exit::Failed),
        (2, countersign::Exit::Usage),
        (3, countersign::Exit::Refused),
        (4, countersign::Exit::Unknown),
        (5, countersign::Exit::Found),
    ] {
        assert_eq!(exit as u8, code);
        assert!(
            readme.contains(&format!("| {code} |")),
            "the README lacks exit code {code}"
        );
    }
}

#[test]
fn the_benchmarks_and_test_files_that_pages_name_exist() {
    let manifest = page("Cargo.toml");
    let names = regex::Regex::new(r"cargo (bench --bench|test --test) ([a-z_]+)").unwrap();
    let mut found = 0;
    for name in [
        "docs/performance.md",
        "docs/operations.md",
        "docs/ledger.md",
        "CHANGELOG.md",
    ] {
        let text = page(name);
        for named in names.captures_iter(&text) {
            found += 1;
            let exists = if &named[1] == "test --test" {
                fs::exists(format!(
                    "{}/tests/{}.rs",
                    env!("CARGO_MANIFEST_DIR"),
                    &named[2]
                ))
                .unwrap()
            } else {
                manifest.contains(&format!("[[bench]]\nname = \"{}\"", &named[2]))
            };
            assert!(exists, "{name} names `{}`", &named[0]);
        }
    }
    assert!(found >= 3, "{found}");
}
