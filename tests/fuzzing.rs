//! Every fuzz target has what belongs to it, its seeds are the examples of the pages, and what fuzzing found stays found.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

use std::{collections::BTreeSet, fs};

use countersign_core::keys::TrustedKeys;

/// Examples of pages, by language and number, and the seed that each of them is.
const EXAMPLES: [(&str, &str, usize, &str); 19] = [
    ("operation", "json", 1, "operation/release.json"),
    ("operation", "json", 2, "operation/tag.json"),
    ("operation", "json", 3, "operation/pull.json"),
    ("receipt", "json", 1, "receipt/statement.json"),
    ("receipt", "json", 2, "envelope/signed.json"),
    ("plan", "json", 1, "plan/plan.json"),
    ("audit-record", "json", 1, "record/record.json"),
    ("ledger", "json", 1, "ledger/claim.json"),
    ("ledger", "json", 2, "ledger/outcome.json"),
    ("ledger", "json", 3, "ledger/head.json"),
    ("ledger", "json", 4, "ledger/authority.json"),
    ("ledger", "json", 7, "ledger/withdrawal.json"),
    ("ledger", "json", 6, "envelope/repair.json"),
    ("receipt", "json", 4, "envelope/withdrawal.json"),
    ("trust", "toml", 1, "trust/proposal.toml"),
    ("trust", "json", 1, "trust/version.json"),
    ("trust", "json", 2, "trust/signed.json"),
    ("policy", "toml", 1, "policy/policy.toml"),
    ("campaign", "toml", 1, "campaign/campaign.toml"),
];
/// Documents that end without a line feed.
const UNENDED: [&str; 3] = ["operation/", "receipt/", "trust/version"];

fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    entries
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned()
        })
        .collect()
}

#[test]
fn every_target_has_its_seeds_its_promise_and_its_row() {
    let targets = names("fuzz/targets");
    let (manifest, library, page) = (
        file("fuzz/Cargo.toml"),
        file("fuzz/src/lib.rs"),
        file("fuzz/README.md"),
    );
    let page = page.split("\n## What it found so far\n").next().unwrap();
    for target in &targets {
        assert!(
            manifest.contains(&format!(
                "[[bin]]\nname = \"{target}\"\npath = \"targets/{target}.rs\"\n"
            )),
            "{target}"
        );
        assert!(
            library.contains(&format!("\npub mod {target};\n")),
            "{target}"
        );
        assert!(page.contains(&format!("| `{target}` | ")), "{target}");
        assert!(
            names(&format!("fuzz/seeds/{target}")).len() >= 3,
            "{target}"
        );
    }
    assert_eq!(names("fuzz/seeds"), targets);
    assert_eq!(
        page.lines().filter(|line| line.starts_with("| `")).count(),
        targets.len()
    );
    assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    assert!(file(".ci/run").contains("\nscripts/fuzz smoke"));
}

/// With `BLESS_SEEDS=1` they are written anew. Then the corpora of those who fuzz for long begin with formats as they are now.
#[test]
fn the_examples_of_the_pages_are_seeds() {
    for (page, language, number, seed) in EXAMPLES {
        let page = file(&format!("docs/{page}.md"));
        let example = page
            .split(&format!("\n```{language}\n"))
            .nth(number)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let ends = UNENDED.iter().all(|unended| !seed.starts_with(unended));
        let example = if ends { example } else { example.trim_end() };
        let path = format!("fuzz/seeds/{seed}");
        if std::env::var_os("BLESS_SEEDS").is_some() {
            fs::write(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")), example).unwrap();
        }
        assert_eq!(file(&path), example, "{path}");
    }
}

/// The library that reads keys repeats in its errors what it found. Found by `keys` and `trust`.
#[test]
fn a_key_that_cannot_be_read_is_told_in_visible_characters() {
    let line =
        "ssh-ed25519 AAAAC3NzaC1lZDIYNTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c alice";
    assert_eq!(
        TrustedKeys::parse(line).unwrap_err().to_string(),
        "line 1: not an OpenSSH public key: invalid label: 'ssh-ed2\\u{18}519'"
    );
}
