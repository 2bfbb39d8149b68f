//! Runs the commands of docs/verify.md: on what was published they succeed, and on what was changed the step fails that says so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    ledger::{Entry, Head, entry_path, operation_path},
    receipt::Terms,
};
use ed25519_dalek::SigningKey;
use harness::{Report, Stage, fresh_key, terms, trusted_line};

/// The commands of each step, in their order.
fn steps() -> Vec<String> {
    let page =
        fs::read_to_string(format!("{}/docs/verify.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let steps: Vec<String> = page
        .split("\n## ")
        .filter(|section| section.starts_with(|character: char| character.is_ascii_digit()))
        .map(|section| {
            let mut blocks = section
                .split("```sh\n")
                .skip(1)
                .map(|rest| rest.split("```").next().unwrap().to_owned());
            let (Some(only), None) = (blocks.next(), blocks.next()) else {
                panic!("a step has one block of commands: {section}")
            };
            only
        })
        .collect();
    assert_eq!(steps.len(), 10);
    steps
}

/// Somebody who has git, openssl and Python, the approvers' keys and a release.
struct Stranger {
    folder: tempfile::TempDir,
    repository: PathBuf,
    api: String,
    token: String,
    threshold: &'static str,
}

/// The step that failed, if any, and what was said.
struct Verdict {
    failed: Option<usize>,
    said: String,
}

impl Stranger {
    fn new(published: &Published) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("assets")).unwrap();
        for asset in &published.stage.sim.releases()[0].assets {
            fs::write(
                folder.path().join("assets").join(&asset.name),
                asset.bytes.as_ref().unwrap(),
            )
            .unwrap();
        }
        fs::write(folder.path().join("approvers"), published.trusted()).unwrap();
        // A clone's address ends in the repository's name.
        let repository = folder.path().join("octo/hello.git");
        fs::create_dir(folder.path().join("octo")).unwrap();
        std::os::unix::fs::symlink(published.stage.sim.git_dir(), &repository).unwrap();
        Self {
            folder,
            repository,
            api: format!(
                "{}/repos/{}",
                published.stage.sim.api_url(),
                published.stage.sim.repository()
            ),
            token: published.stage.token.clone(),
            threshold: "2",
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn follows_the_page(&self) -> Verdict {
        let mut said = String::new();
        for (index, step) in steps().iter().enumerate() {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", step])
                .current_dir(self.folder.path())
                .stdin(Stdio::null())
                .env_clear();
            shell
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("HOME", self.folder.path());
            shell
                .env("repository", &self.repository)
                .env("api", &self.api)
                .env("token", &self.token)
                .env("tag", "v1.0.0")
                .env("threshold", self.threshold);
            let output = shell.output().unwrap();
            said.push_str(&String::from_utf8_lossy(
                &[output.stdout, output.stderr].concat(),
            ));
            if !output.status.success() {
                return Verdict {
                    failed: Some(index + 1),
                    said,
                };
            }
        }
        Verdict { failed: None, said }
    }
}

/// A release with two assets, approved by two, between two other operations.
struct Published {
    stage: Stage,
    keys: [SigningKey; 2],
}

impl Published {
    fn new() -> Self {
        let published = Self {
            stage: Stage::new(),
            keys: [fresh_key(), fresh_key()],
        };
        published
            .stage
            .file("app.tar.gz", "abc")
            .file("app.zip", "other");
        let stage = &published.stage;
        let before = stage.tag().input("tag-name", "v0.9.0");
        published.ships(before, |_| ());
        let release = stage.release().input("files", "app.*");
        published.ships(
            release
                .input("release-name", "Grüße 世界 🎉 \"1.0\"")
                .input("body", BODY),
            |terms| {
                // An honest issuer whose clock is a little ahead.
                (terms.issued_at, terms.expires_at) =
                    (terms.issued_at.plus(45), terms.expires_at.plus(45));
            },
        );
        published.ships(stage.pull(), |_| ());
        published
    }

    fn ships(&self, attempt: harness::Attempt<'_>, edit: impl FnOnce(&mut Terms)) -> Report {
        let attempt = attempt
            .input("trusted-keys", &self.trusted())
            .input("threshold", "2");
        let mut terms = terms(&attempt.dry_run().plan());
        edit(&mut terms);
        let report = attempt.input("receipt", &self.signed(&terms)).run();
        report.succeeded();
        report
    }

    fn signed(&self, terms: &Terms) -> String {
        Envelope::sign(terms, &self.keys.each_ref()).to_line()
    }

    fn trusted(&self) -> String {
        let [alice, bob] = &self.keys;
        format!(
            "{}\n{}\n",
            trusted_line(alice, "alice@example.org"),
            trusted_line(bob, "bob@example.org")
        )
    }

    /// Appends the entries from the release's claim on once more, in commits of somebody's own.
    fn append_by_hand(&self) {
        let entries = self.stage.ledger();
        let later = &entries[2..];
        let sim = &self.stage.sim;
        let repository = git2::Repository::open_bare(sim.git_dir()).unwrap();
        let below = repository.revparse_single("receipt-ledger~4").unwrap().id();
        sim.set_ref("refs/heads/receipt-ledger", &below.to_string());
        for entry in later {
            let head = Head::at(entry.id()).to_document();
            let mut files = vec![
                (entry_path(entry.sequence), entry.to_document()),
                ("ledger.json".into(), head),
            ];
            if let Some(operation) = &entry.operation {
                files.push((operation_path(&operation.digest()), operation.to_bytes()));
            }
            let files: Vec<(&str, &[u8])> = files
                .iter()
                .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
                .collect();
            sim.commit("receipt-ledger", &files);
        }
    }

    fn entry(&self, sequence: u64) -> String {
        String::from_utf8(
            self.stage
                .sim
                .read_file("receipt-ledger", &entry_path(sequence))
                .unwrap(),
        )
        .unwrap()
    }

    /// The claim of the release is the third entry: a tag was claimed and made before it.
    fn claim(&self) -> String {
        self.entry(3)
    }

    /// The operation of the release, from the ledger.
    fn operation(&self) -> (String, String) {
        let digest = Entry::claimed_operation(self.claim().as_bytes()).unwrap();
        let path = operation_path(&digest);
        let bytes = self.stage.sim.read_file("receipt-ledger", &path).unwrap();
        (path, String::from_utf8(bytes).unwrap())
    }

    /// Makes the whole ledger anew, with other words in the claim of the release: a chain that holds, and a history that grew.
    fn remake_ledger(&self, edit: impl Fn(&str) -> String) {
        let operation = self.operation().1;
        self.remake_ledger_with(&operation, edit);
    }

    /// The same with another operation.
    fn remake_ledger_with(&self, operation: &str, edit: impl Fn(&str) -> String) {
        let entries: Vec<String> = (1..=6).map(|sequence| self.entry(sequence)).collect();
        let body = |entry: &Entry| {
            let operation = entry.operation.as_ref()?.to_bytes();
            Some(String::from_utf8(operation).unwrap())
        };
        let bodies: Vec<Option<String>> = self.stage.ledger().iter().map(body).collect();
        let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
        let (told, now) = (digest(&self.operation().1), digest(operation));
        let mut previous: Option<(String, String)> = None;
        self.stage.sim.orphan(
            "receipt-ledger",
            &[("ledger.json", b"{\"sequence\":0,\"digest\":null}\n")],
        );
        for (index, entry) in entries.iter().enumerate() {
            let entry = previous
                .as_ref()
                .map_or(entry.clone(), |(old, new)| entry.replace(old, new));
            let entry = entry.replace(&told, &now);
            let changed = if index == 2 { edit(&entry) } else { entry };
            assert!(index != 2 || changed != entries[2], "nothing was changed");
            let digest = Digest::of(changed.as_bytes()).to_string();
            previous = Some((
                Digest::of(entries[index].as_bytes()).to_string(),
                digest.clone(),
            ));
            let head = format!("{{\"sequence\":{},\"digest\":\"{digest}\"}}\n", index + 1);
            let body = match &bodies[index] {
                _ if index == 2 => Some(operation.to_owned()),
                body => body.clone(),
            };
            let body = body.map(|body| {
                (
                    operation_path(&Digest::of(body.as_bytes())),
                    body.into_bytes(),
                )
            });
            let files: Vec<(String, Vec<u8>)> = [
                (entry_path(index as u64 + 1), changed.into_bytes()),
                ("ledger.json".into(), head.into_bytes()),
            ]
            .into_iter()
            .chain(body)
            .collect();
            self.stage.sim.commit(
                "receipt-ledger",
                &files
                    .iter()
                    .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
                    .collect::<Vec<_>>(),
            );
        }
    }

    /// The claim with another receipt in it.
    fn with_receipt(
        &self,
        edit: impl FnOnce(&mut Terms),
        keys: &[&SigningKey],
    ) -> impl Fn(&str) -> String {
        let claim: serde_json::Value = serde_json::from_str(&self.claim()).unwrap();
        let (envelope, trusted) = (claim["receipt"].to_string(), self.trusted());
        let keys_of_both = countersign_core::keys::TrustedKeys::parse(&trusted).unwrap();
        let two = countersign_core::keys::Threshold::parse("2", &keys_of_both).unwrap();
        let mut terms = Envelope::parse(&envelope)
            .unwrap()
            .verify(&keys_of_both, two)
            .unwrap()
            .terms()
            .clone();
        edit(&mut terms);
        let other = Envelope::sign(&terms, keys).to_line();
        move |entry| {
            let (before, rest) = entry.split_once("\"receipt\":{").unwrap();
            let (_, behind) = rest.split_once(",\"github_response\":").unwrap();
            format!("{before}\"receipt\":{other},\"github_response\":{behind}")
        }
    }
}

/// Whatever makes bytes differ between writers of JSON, and what the page cuts by.
const BODY: &str =
    "Grüße\t\"quoted\" \\ / <b> & \u{2028} 🎉\r\n{\"operation\":{}},\"github_response\":null}\n";

fn change_a_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[1] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_commands_of_the_page_verify_what_was_published() {
    let published = Published::new();
    let stranger = Stranger::new(&published);
    let Verdict { failed, said } = stranger.follows_the_page();
    assert_eq!(failed, None, "{said}");
    for words in [
        "6 entries, the newest is sha256:",
        "6 entries, each added by a commit of its own",
        "ledger/entries/000/000000003.json",
        "operation.json: OK",
        "alice@example.org signed\nbob@example.org signed\n2 approvers signed, 2 must",
        "yes the ledger holds the commit that the approvers saw",
        "assets/app.tar.gz: OK\nassets/app.zip: OK",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    // A release may carry its claim.
    fs::write(
        stranger.file("assets/countersign-receipt.json"),
        format!(
            "{{\"entry\":{},\"operation\":{}}}\n",
            published.claim().trim_end(),
            published.operation().1
        ),
    )
    .unwrap();
    fs::remove_dir_all(stranger.file("ledger")).unwrap();
    assert_eq!(stranger.follows_the_page().failed, None);
    // What the page cuts out is what was signed, whatever stands in its texts.
    let report: serde_json::Value = serde_json::from_str(&published.claim()).unwrap();
    assert_eq!(
        format!(
            "{}",
            Digest::of(&fs::read(stranger.file("operation.json")).unwrap())
        ),
        report["operation_digest"].as_str().unwrap()
    );
}

/// Somebody changes the release, the keys or the tag.
#[test]
fn the_step_that_should_fail_does() {
    let published = Published::new();
    let fails = |change: &dyn Fn(&mut Stranger), step: usize, words: &str| {
        let mut stranger = Stranger::new(&published);
        change(&mut stranger);
        let Verdict { failed, said } = stranger.follows_the_page();
        assert_eq!(failed, Some(step), "{words}: {said}");
        assert!(said.contains(words), "{words} in {said}");
    };
    fails(
        &|stranger| change_a_byte(&stranger.file("assets/app.zip")),
        9,
        "assets/app.zip: FAILED",
    );
    fails(
        &|stranger| fs::write(stranger.file("assets/more.zip"), "x").unwrap(),
        9,
        "> assets/more.zip",
    );
    fails(
        &|stranger| fs::remove_file(stranger.file("assets/app.zip")).unwrap(),
        9,
        "< assets/app.zip",
    );
    let foreign = published.entry(1);
    fails(
        &|stranger| fs::write(stranger.file("assets/countersign-receipt.json"), &foreign).unwrap(),
        9,
        "assets/app.zip: OK",
    );
    fails(
        &|stranger| stranger.threshold = "3",
        6,
        "2 approvers signed, 3 must",
    );
    let stranger_key = trusted_line(&fresh_key(), "mallory@example.org");
    let twice = published.trusted().lines().next().unwrap().to_owned();
    fails(
        &|stranger| fs::write(stranger.file("approvers"), format!("{stranger_key}\n")).unwrap(),
        6,
        "0 approvers signed, 2 must",
    );
    fails(
        &|stranger| fs::write(stranger.file("approvers"), format!("{twice}\n{twice}\n")).unwrap(),
        6,
        "1 approvers signed, 2 must",
    );

    let sim = &published.stage.sim;
    let (tag, main) = (
        sim.ref_oid("refs/tags/v1.0.0").unwrap(),
        published.stage.main(),
    );
    sim.set_ref("refs/tags/v1.0.0", &sim.ref_oid("refs/heads/next").unwrap());
    fails(&|_| (), 10, &main);
    // Git takes what it is asked for as the end of a name: a tag of this name answers too, and comes last.
    sim.set_ref("refs/tags/z/refs/tags/v1.0.0", &tag);
    fails(&|_| (), 10, &main);
    assert!(sim.delete_ref("refs/tags/z/refs/tags/v1.0.0"));
    fails(
        &|stranger| {
            let other = stranger.file("octo/other.git");
            fs::rename(&stranger.repository, &other).unwrap();
            stranger.repository = other;
        },
        7,
        "NO  it is for this repository",
    );
    sim.set_ref("refs/tags/v1.0.0", &tag);
}

/// Somebody who may write to the repository changes the ledger, as far as that can be done without the approvers' keys.
#[test]
fn a_ledger_that_was_changed_fails_at_its_step() {
    let published = Published::new();
    let sim = &published.stage.sim;
    let good = sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    let fails = |change: &dyn Fn(), step, words: &str| fails_at(&published, change, step, words);
    let edited = |entry: &str| entry.replace("\"attempt\":1", "\"attempt\":2");
    let put = |entry: &str| sim.commit("receipt-ledger", &[(&entry_path(3), entry.as_bytes())]);
    fails(
        &|| drop(put(&edited(&published.claim()))),
        2,
        "000000004.json does not follow entry 3",
    );
    let changed_and_back = || {
        put(&edited(&published.claim()));
        sim.commit(
            "receipt-ledger",
            &[(&entry_path(3), &sim_file(&published, &good))],
        );
    };
    fails(&changed_and_back, 3, "> M\tentries/000/000000003.json");
    let cut_off = || {
        let fourth = Digest::of(published.entry(4).as_bytes());
        let head = format!("{{\"sequence\":4,\"digest\":\"{fourth}\"}}\n");
        sim.remove("receipt-ledger", &[&entry_path(5), &entry_path(6)]);
        sim.commit("receipt-ledger", &[("ledger.json", head.as_bytes())]);
    };
    fails(&cut_off, 3, "> D\tentries/000/000000005.json");
    fails(
        &|| published.remake_ledger(|entry| entry.replace("\"sig\":\"", "\"sig\":\"AAAA")),
        6,
        "0 approvers signed, 2 must",
    );
    let [alice, bob] = &published.keys;
    let mallory = fresh_key();
    fails(
        &|| published.remake_ledger(published.with_receipt(|_| (), &[alice, &mallory])),
        6,
        "1 approvers signed, 2 must",
    );
    fails(
        &|| published.remake_ledger(published.with_receipt(|_| (), &[alice, alice])),
        6,
        "1 approvers signed, 2 must",
    );
    for (edit, words) in [
        (
            (|terms| terms.enforceable = false) as fn(&mut Terms),
            "NO  it is no advisory receipt",
        ),
        (
            |terms| terms.expires_at = terms.issued_at,
            "NO  it was valid when the entry says it was used",
        ),
        (
            |terms| terms.receipt_id = "another".parse().unwrap(),
            "NO  its id is the entry's",
        ),
        (
            |terms| terms.expires_at = terms.expires_at.plus(1),
            "NO  its payload is the one that the entry names",
        ),
        (
            |terms| terms.run_id = "4".parse().unwrap(),
            "NO  its run is the one that the entry names",
        ),
        (
            |terms| terms.target.repository = "octo/other".parse().unwrap(),
            "NO  it is for this repository",
        ),
        (
            |terms| terms.ledger.commit = "1".repeat(40).parse().unwrap(),
            "NO  the ledger holds the commit that the approvers saw",
        ),
    ] {
        fails(
            &|| published.remake_ledger(published.with_receipt(edit, &[alice, bob])),
            7,
            words,
        );
    }
}

/// The step that fails after a change to the ledger, which is taken back.
#[track_caller]
fn fails_at(published: &Published, change: &dyn Fn(), step: usize, words: &str) {
    let sim = &published.stage.sim;
    let good = sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    change();
    let Verdict { failed, said } = Stranger::new(published).follows_the_page();
    assert_eq!(failed, Some(step), "{words}: {said}");
    assert!(said.contains(words), "{words} in {said}");
    sim.set_ref("refs/heads/receipt-ledger", &good);
}

#[test]
fn an_operation_that_was_changed_fails_at_its_step_and_one_that_was_taken_away_is_found() {
    let published = Published::new();
    let sim = &published.stage.sim;
    let fails = |change: &dyn Fn(), step, words: &str| fails_at(&published, change, step, words);
    let other_name = || {
        let (_, operation) = published.operation();
        let other = operation.replace("Gr\u{fc}\u{df}e 世界", "Gr\u{fc}\u{df}e Welt");
        published.remake_ledger_with(&other, str::to_owned);
    };
    fails(&other_name, 5, "operation.json: FAILED");
    let without_operation = || {
        let (claim, last) = (
            published.stage.ledger()[2].clone(),
            published.stage.ledger()[5].id(),
        );
        let forged = Entry {
            sequence: 7,
            previous: Some(last.digest),
            operation_digest: Digest::of(b"an operation that nobody has"),
            ..claim
        };
        let head = Head::at(forged.id()).to_document();
        let entry = forged.to_document();
        sim.commit(
            "receipt-ledger",
            &[(&entry_path(7), &entry), ("ledger.json", &head)],
        );
    };
    fails(&without_operation, 4, "its operation is not on the ledger");
    let release_failed = || {
        let (_, operation) = published.operation();
        let other = operation.replace("\"v1.0.0\"", "\"v1.0.1\"");
        published.remake_ledger_with(&other, str::to_owned);
    };
    fails(
        &release_failed,
        4,
        "expected one release of v1.0.0, found 0",
    );
    // What was taken away since lies in the commit that added the entry.
    sim.remove("receipt-ledger", &[&published.operation().0]);
    let Verdict { failed, said } = Stranger::new(&published).follows_the_page();
    assert_eq!(failed, None, "{said}");
}

/// Somebody who may write to the repository uses a receipt by hand, and writes its entries afterwards.
#[test]
fn an_entry_that_was_dated_back_fails_at_its_step() {
    const HOURS: i64 = 20 * 3600;
    let published = Published::new();
    let sim = &published.stage.sim;
    let fails = |step: usize, words: &str| {
        let Verdict { failed, said } = Stranger::new(&published).follows_the_page();
        assert_eq!(failed, Some(step), "{words}: {said}");
        assert!(said.contains(words), "{words} in {said}");
    };
    // The dates are chosen well, but GitHub signs nothing that is made this way.
    let good = sim.ref_oid("refs/heads/receipt-ledger").unwrap();
    published.append_by_hand();
    fails(8, "NO  GitHub signed the commit of the claim");
    sim.shift_clock(HOURS);
    published.append_by_hand();
    fails(
        7,
        "NO  the entry says when it was committed, to five minutes",
    );

    sim.set_ref("refs/heads/receipt-ledger", &good);
    let release = sim.releases()[0].clone();
    let repository = format!("/repos/{}", sim.repository());
    published
        .stage
        .delete(&format!("{repository}/releases/{}", release.id));
    let again =
        serde_json::json!({"tag_name": "v1.0.0", "name": release.name, "body": release.body});
    published
        .stage
        .post(&format!("{repository}/releases"), &again);
    fails(8, "NO  it was published before the receipt's end");
}

fn sim_file(published: &Published, commit: &str) -> Vec<u8> {
    let repository = git2::Repository::open_bare(published.stage.sim.git_dir()).unwrap();
    let tree = repository
        .find_commit(git2::Oid::from_str(commit).unwrap())
        .unwrap()
        .tree()
        .unwrap();
    let entry = tree.get_path(Path::new(&entry_path(3))).unwrap();
    repository.find_blob(entry.id()).unwrap().content().to_vec()
}
