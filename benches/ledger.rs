//! What a claim costs on a small, a large and a very large ledger, how fast a whole ledger is verified and audited, and what a report over it costs.
//!
//! `cargo bench --bench ledger`; `-- 10 1000` measures other sizes than 10, 10,000 and 100,000 entries.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark fails loudly and rounds"
)]

#[path = "../tests/harness/mod.rs"]
mod harness;
mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use countersign_core::{
    authority::Authority,
    document::Document as _,
    envelope::Envelope,
    keys::{Threshold, TrustedKeys},
    ledger::{
        Checkpoint, Entry, EventType, GithubResponse, HEAD_PATH, Head, V1, entry_path,
        operation_path,
    },
    operation::{Operation, TagMessage, TagRepo, Target},
    receipt::Terms,
};
use ed25519_dalek::{Signer as _, SigningKey};
use git2::{FileMode, Oid, Repository, Signature, build::TreeUpdateBuilder};
use harness::Stage;
use support::{Cost, best, heading, measure, mib, row};

fn main() {
    support::serve_as_helper();
    let sizes: Vec<u64> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![10, 10_000, 100_000]
    } else {
        sizes
    };
    let ledgers: Vec<Ledger> = sizes.into_iter().map(Ledger::new).collect();
    claims(&ledgers);
    verification(&ledgers);
    audits(&ledgers);
    reports(&ledgers);
}

/// One attempt at a tag, counted at the simulator: what goes over the wire does not depend on the ledger's size.
fn claims(ledgers: &[Ledger]) {
    heading(
        "One tag, published on a ledger of",
        &[
            "entries",
            "requests",
            "bytes sent",
            "bytes received",
            "wall ms",
        ],
    );
    for ledger in ledgers {
        let attempt = ledger.stage.tag().approved();
        let before = ledger.stage.sim.events().len();
        let started = Instant::now();
        attempt.run().succeeded();
        let wall = started.elapsed();
        let events = ledger.stage.sim.events().split_off(before);
        row(&[
            ledger.entries.to_string(),
            events.len().to_string(),
            events
                .iter()
                .map(|event| event.body_bytes)
                .sum::<u64>()
                .to_string(),
            events
                .iter()
                .map(|event| event.answer_bytes)
                .sum::<u64>()
                .to_string(),
            format!("{:.0}", wall.as_secs_f64() * 1000.0),
        ]);
    }
}

/// `ledger verify` beside nothing but the signatures of the same claims, on as many threads as there are cores.
fn verification(ledgers: &[Ledger]) {
    heading(
        "`ledger verify --trusted-keys` of",
        &[
            "entries",
            "read from",
            "wall s",
            "entries/s",
            "CPU s",
            "signatures alone, wall s",
            "ratio",
            "peak MiB",
        ],
    );
    for ledger in ledgers {
        let bare = ledger.signatures_alone();
        for (name, place) in ledger.places() {
            let (cost, place) = ledger.read_by(&["ledger", "verify"], name, &place);
            row(&[
                ledger.entries.to_string(),
                place,
                format!("{:.2}", cost.wall.as_secs_f64()),
                format!("{:.0}", ledger.entries as f64 / cost.wall.as_secs_f64()),
                format!("{:.2}", cost.cpu.as_secs_f64()),
                format!("{:.2}", bare.as_secs_f64()),
                format!("{:.1}", cost.wall.as_secs_f64() / bare.as_secs_f64()),
                format!("{:.1}", mib(cost.peak)),
            ]);
        }
    }
}

/// `audit`, which verifies the ledger too and matches every claim with its tag.
fn audits(ledgers: &[Ledger]) {
    heading(
        "`audit --trusted-keys` of",
        &[
            "entries",
            "tags",
            "read from",
            "wall s",
            "entries/s",
            "CPU s",
            "peak MiB",
        ],
    );
    for ledger in ledgers.iter().filter(|ledger| ledger.has_history()) {
        ledger.tag_claims();
        ledger
            .stage
            .sim
            .branch_rules("receipt-ledger", &["deletion", "non_fast_forward"]);
        ledger.stage.sim.rate_limit(15_000, 15_000);
        for (name, place) in ledger
            .places()
            .into_iter()
            .filter(|(name, _)| *name != "folder")
        {
            let (cost, place) = ledger.read_by(&["audit"], name, &place);
            row(&[
                ledger.entries.to_string(),
                (ledger.entries / 2).to_string(),
                place,
                format!("{:.2}", cost.wall.as_secs_f64()),
                format!("{:.0}", ledger.entries as f64 / cost.wall.as_secs_f64()),
                format!("{:.2}", cost.cpu.as_secs_f64()),
                format!("{:.1}", mib(cost.peak)),
            ]);
        }
    }
}

/// `report` over a folder, verified; the page stays in the folder that `REPORT_PAGES` names, to be looked at.
fn reports(ledgers: &[Ledger]) {
    heading(
        "`report --trusted-keys` over a folder of",
        &["entries", "wall s", "CPU s", "peak MiB", "page MiB"],
    );
    let kept = std::env::var_os("REPORT_PAGES").map(PathBuf::from);
    for ledger in ledgers {
        let page = kept
            .clone()
            .unwrap_or_else(|| ledger.stage.folder.path().to_owned())
            .join(format!("report-{}.html", ledger.entries));
        let (folder, keys, out) = (ledger.folder(), ledger.keys(), page.display().to_string());
        let cost = best(3, || {
            measure(&ledger.stage.command(&[
                "report",
                &folder,
                "--trusted-keys",
                &keys,
                "--out",
                &out,
            ]))
        });
        row(&[
            ledger.entries.to_string(),
            format!("{:.2}", cost.wall.as_secs_f64()),
            format!("{:.2}", cost.cpu.as_secs_f64()),
            format!("{:.1}", mib(cost.peak)),
            format!("{:.1}", mib(fs::metadata(&page).unwrap().len())),
        ]);
    }
}

/// A ledger of so many entries, half of them claims and half outcomes, in a simulated repository and in a folder.
struct Ledger {
    stage: Stage,
    entries: u64,
    statements: Vec<(Vec<u8>, ed25519_dalek::Signature)>,
}

impl Ledger {
    fn new(entries: u64) -> Self {
        let stage = Stage::without_ledger();
        let mut ledger = Self {
            stage,
            entries,
            statements: Vec::new(),
        };
        let files = ledger.make();
        commit(ledger.stage.sim.git_dir(), &files, ledger.has_history());
        let folder = PathBuf::from(ledger.folder());
        for (path, bytes) in &files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::write(ledger.keys(), ledger.stage.trusted()).unwrap();
        ledger
    }

    /// A commit for every entry, as the publisher makes them, is made only where that takes seconds.
    const fn has_history(&self) -> bool {
        self.entries <= 10_000
    }

    fn places(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut places = vec![("folder", vec![self.folder()])];
        if self.has_history() {
            places.push((
                "bare clone",
                vec![self.stage.sim.git_dir().display().to_string()],
            ));
            places.push((
                "repository",
                vec!["--repository".into(), self.stage.sim.repository().into()],
            ));
        }
        places
    }

    /// What a command costs that reads the whole ledger, and what it read.
    fn read_by(&self, command: &[&str], name: &str, place: &[String]) -> (Cost, String) {
        let before = self.stage.sim.events().len();
        let keys = self.keys();
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let arguments = [command, place.as_slice(), &["--trusted-keys", &keys]].concat();
        let cost = best(2, || {
            measure(
                self.stage
                    .command(&arguments)
                    .env("GH_TOKEN", &self.stage.token),
            )
        });
        let requests = (self.stage.sim.events().len() - before) / 2;
        (
            cost,
            if requests > 0 {
                format!("{name}, {requests} requests")
            } else {
                name.into()
            },
        )
    }

    fn folder(&self) -> String {
        self.stage
            .folder
            .path()
            .join("ledger")
            .display()
            .to_string()
    }

    fn keys(&self) -> String {
        self.stage.folder.path().join("keys").display().to_string()
    }

    fn make(&mut self) -> Vec<(String, Vec<u8>)> {
        let keys = TrustedKeys::parse(&self.stage.trusted()).unwrap();
        let key = self.stage.approver().clone();
        let mut files = Vec::new();
        let mut head = Head::EMPTY;
        let mut newest: Option<Entry> = None;
        for sequence in 1..=self.entries {
            let entry = match newest.take() {
                Some(claim) if sequence % 2 == 0 => Entry {
                    event_type: EventType::Succeeded,
                    receipt: None,
                    operation: None,
                    github_response: Some(GithubResponse::default()),
                    ..claim
                },
                _ => self.claim(sequence, &keys, &key),
            };
            let entry = Entry {
                sequence,
                previous: head.newest().map(|newest| newest.digest),
                ..entry
            };
            head = Head::at(entry.id());
            files.push((entry_path(sequence), entry.to_document()));
            if let Some(operation) = &entry.operation {
                files.push((operation_path(&operation.digest()), operation.to_bytes()));
            }
            newest = Some(entry);
        }
        files.push((HEAD_PATH.into(), head.to_document()));
        files
    }

    fn claim(&mut self, sequence: u64, keys: &TrustedKeys, key: &SigningKey) -> Entry {
        let target = Target {
            repository: self.stage.sim.repository().parse().unwrap(),
            repository_id: countersign_core::name::RepositoryId(self.stage.sim.repository_id()),
        };
        let operation = Operation::TagRepo(TagRepo {
            target: target.clone(),
            tag_name: format!("v{sequence}").parse().unwrap(),
            target_sha: self.stage.main().parse().unwrap(),
            message: TagMessage::new(
                "tag message",
                format!("Version {sequence}").parse().unwrap(),
            )
            .unwrap(),
        });
        let now = harness::now();
        let terms = Terms {
            receipt_id: format!("receipt-{sequence}").parse().unwrap(),
            run_id: harness::RUN.parse().unwrap(),
            operation_kind: operation.kind(),
            target: target.clone(),
            enforceable: true,
            issued_at: now,
            expires_at: now.plus(3600),
            consumed: false,
            ledger: Checkpoint {
                commit: self.stage.main().parse().unwrap(),
                head: Head::EMPTY,
            },
            operation_digest: operation.digest(),
        };
        let envelope = Envelope::sign(&terms, &[key]);
        let receipt = envelope.clone().verify(keys, Threshold::ONE).unwrap();
        let message = envelope.to_line().into_bytes();
        self.statements.push((message.clone(), key.sign(&message)));
        Entry {
            v: V1,
            sequence,
            previous: None,
            event_type: EventType::Claimed,
            run: terms.run_id.clone(),
            acting_run: terms.run_id.clone(),
            attempt: countersign_core::name::RunAttempt(1),
            receipts: vec![receipt.digest()],
            timestamp: now,
            operation_id: format!("op-{sequence}").parse().unwrap(),
            receipt_id: terms.receipt_id.clone(),
            operation_kind: operation.kind(),
            repository: target.repository,
            operation_digest: operation.digest(),
            signers: receipt.signers().into(),
            authority: Authority::default(),
            receipt: Some(envelope),
            operation: Some(operation),
            github_response: None,
        }
    }

    /// The tags that the claims are for, packed as a mirror clone has them.
    fn tag_claims(&self) {
        let repository = Repository::open_bare(self.stage.sim.git_dir()).unwrap();
        let commit = repository
            .find_object(Oid::from_str(&self.stage.main()).unwrap(), None)
            .unwrap();
        let person = Signature::now("Countersign", "countersign@example.org").unwrap();
        let mut packed = BTreeMap::new();
        for sequence in (1..=self.entries).step_by(2) {
            let tag = repository
                .tag_annotation_create(
                    &format!("v{sequence}"),
                    &commit,
                    &person,
                    &format!("Version {sequence}"),
                )
                .unwrap();
            packed.insert(format!("refs/tags/v{sequence}"), tag);
        }
        let lines: String = packed
            .iter()
            .map(|(name, tag)| format!("{tag} {name}\n^{}\n", commit.id()))
            .collect::<Vec<_>>()
            .concat();
        fs::write(
            self.stage.sim.git_dir().join("packed-refs"),
            format!("# pack-refs with: peeled fully-peeled sorted \n{lines}"),
        )
        .unwrap();
    }

    /// The floor: as many `verify_strict` as there are claims, on every core.
    fn signatures_alone(&self) -> Duration {
        let key = self.stage.approver().verifying_key();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let started = Instant::now();
        thread::scope(|scope| {
            for part in self
                .statements
                .chunks(self.statements.len().div_ceil(cores))
            {
                scope.spawn(move || {
                    assert!(
                        part.iter().all(|(message, signature)| key
                            .verify_strict(message, signature)
                            .is_ok())
                    );
                });
            }
        });
        started.elapsed()
    }
}

/// The ledger's branch: one commit for each entry, or all files in one.
fn commit(git_dir: &Path, files: &[(String, Vec<u8>)], history: bool) {
    let repository = Repository::open_bare(git_dir).unwrap();
    let mut tree = repository.treebuilder(None).unwrap().write().unwrap();
    let mut update = TreeUpdateBuilder::new();
    if history {
        update.upsert(
            HEAD_PATH,
            repository.blob(&Head::EMPTY.to_document()).unwrap(),
            FileMode::Blob,
        );
        tree = changed(&repository, tree, &mut update);
    }
    // One commit holds each file once, as it is in the end.
    let last: BTreeMap<&String, &Vec<u8>> =
        files.iter().map(|(path, bytes)| (path, bytes)).collect();
    let files: Vec<(&String, &Vec<u8>)> = if history {
        files.iter().map(|(path, bytes)| (path, bytes)).collect()
    } else {
        last.into_iter().collect()
    };
    for (path, bytes) in files {
        update.upsert(
            path.as_str(),
            repository.blob(bytes).unwrap(),
            FileMode::Blob,
        );
        if let Ok(entry) = Entry::from_document(bytes)
            && history
        {
            update.upsert(
                HEAD_PATH,
                repository
                    .blob(&Head::at(entry.id()).to_document())
                    .unwrap(),
                FileMode::Blob,
            );
            tree = changed(&repository, tree, &mut update);
        }
    }
    changed(&repository, tree, &mut update);
}

/// Commits what has changed since the last time.
fn changed(repository: &Repository, tree: Oid, update: &mut TreeUpdateBuilder) -> Oid {
    let base = repository.find_tree(tree).unwrap();
    let tree = std::mem::replace(update, TreeUpdateBuilder::new())
        .create_updated(repository, &base)
        .unwrap();
    let parent = repository
        .find_reference("refs/heads/receipt-ledger")
        .ok()
        .and_then(|branch| branch.peel_to_commit().ok());
    let person = Signature::now("Countersign", "countersign@example.org").unwrap();
    let changed = repository.find_tree(tree).unwrap();
    if parent
        .as_ref()
        .is_none_or(|parent| parent.tree_id() != tree)
    {
        let parents: Vec<_> = parent.iter().collect();
        repository
            .commit(
                Some("refs/heads/receipt-ledger"),
                &person,
                &person,
                "A ledger",
                &changed,
                &parents,
            )
            .unwrap();
    }
    tree
}
