//! The deciding part: a receipt from its text to the verdict beside the bare signature, an operation's digest, the ledger's entries.
//!
//! `cargo bench --bench decide`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails loudly")]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::{cell::RefCell, hint::black_box};

use countersign_core::{
    authorize::{Basis, Evidence, Grant, Mode, Preflight, Sighting, authorize},
    document::Document as _,
    envelope::Envelope,
    keys::{Threshold, TrustedKeys},
    ledger::{
        self, Append, Appended, Base, BranchCommit, Checkpoint, Entry, Examiner, Followed, Guard,
        HEAD_PATH, Head, LedgerStore, LedgerView, Links, Moves, Sent, Tail, Use, Verifier,
    },
    name::{CommitId, Executor, RepositoryId, RunAttempt},
    operation::{Operation, TagMessage, TagRepo, Target},
    reach::{BranchSeen, Branches, Position},
    receipt::{Terms, VerifiedReceipt},
    refusal::Refusal,
    timestamp::Timestamp,
    world::{Budget, CommitFact, World},
};
use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer as _, SigningKey};

const NOW: u64 = 1_795_262_400;

fn commit() -> CommitId {
    "1".repeat(40).parse().unwrap()
}

fn target() -> Target {
    Target {
        repository: "octo/hello".parse().unwrap(),
        repository_id: RepositoryId(1),
    }
}

fn operation() -> Operation {
    let message = TagMessage::new("tag message", "Version 1.0.0".parse().unwrap()).unwrap();
    Operation::TagRepo(TagRepo {
        target: target(),
        tag_name: "v1.0.0".parse().unwrap(),
        target_sha: commit(),
        message,
    })
}

fn terms() -> Terms {
    let now = Timestamp::from_unix(NOW);
    Terms {
        receipt_id: "receipt-1".parse().unwrap(),
        run_id: harness::RUN.parse().unwrap(),
        operation_kind: operation().kind(),
        target: target(),
        enforceable: true,
        issued_at: now,
        expires_at: now.plus(3600),
        consumed: false,
        ledger: checkpoint(),
        operation_digest: operation().digest(),
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        commit: commit(),
        head: Head::EMPTY,
    }
}

/// The tail of a quiet ledger: its tip is what the issuer saw.
fn tail() -> Result<Tail, Refusal> {
    let tip = BranchCommit {
        id: commit(),
        parents: Vec::new(),
        head: String::from_utf8(Head::EMPTY.to_document()).ok(),
        authority: None,
        proven_at: None,
        author: None,
    };
    match Links::follow(&commit(), &Base::At(checkpoint()), &[tip])? {
        Followed::Reached(links) => links.read([]),
        Followed::MoreNeeded => unreachable!("the tip is the checkpoint"),
    }
}

fn sighting() -> Sighting {
    Sighting {
        target: target(),
        date: Some(Timestamp::from_unix(NOW)),
        ledger: tail(),
        guard: Guard {
            rules: Some(vec!["deletion".into(), "non_fast_forward".into()]),
            moves: Moves::Unknown("GitHub was not asked".into()),
        },
        reviewed: countersign_core::authority::Reviewed::default(),
        world: World {
            archived: false,
            commit: CommitFact::Commit,
            workflows: None,
            default_workflows: None,
            tag: None,
            release: None,
            head: None,
            base: None,
            pulls: Vec::new(),
            budget: Budget {
                remaining: 1000,
                limit: Some(1000),
                resets_at: None,
            },
            requests: None,
        },
        branches: Branches {
            branches: vec![BranchSeen {
                name: "main".parse().unwrap(),
                is_default: true,
                position: Position::Behind,
                rules: None,
            }],
            unseen: None,
        },
    }
}

fn decided(line: &str, keys: &TrustedKeys) -> Grant {
    let evidence = Evidence {
        mode: Ok(Mode::Prod),
        run_id: harness::RUN.parse().unwrap(),
        executor: Executor {
            run_id: harness::RUN.parse().unwrap(),
            run_attempt: RunAttempt(1),
            operation_id: "op-1".parse().unwrap(),
        },
        operation: Ok(operation()),
        receipt: Envelope::parse(line).unwrap().verify(keys, Threshold::ONE),
        basis: Basis::default(),
        now: Timestamp::from_unix(NOW),
        preflight: Preflight::Seen(sighting().into()),
        allow_workflow_changes: false,
        unguarded_ledger: false,
        attach_receipt: countersign_core::evidence::AttachReceipt::No,
    };
    authorize(evidence).verdict.unwrap()
}

/// A ledger that keeps the last append and takes everything.
#[derive(Default)]
struct Taken(RefCell<Option<Append>>);

impl LedgerStore for Taken {
    async fn look(&self, _: &Tail) -> Result<LedgerView, Refusal> {
        unreachable!("every append goes through")
    }

    async fn pause(&self, _: usize) {}

    async fn append(&self, append: &Append) -> Appended {
        self.0.replace(Some(append.clone()));
        Appended::Done {
            commit: commit(),
            observed_at: Some(Timestamp::from_unix(NOW)),
            watched: None,
        }
    }
}

fn claimed(line: &str, keys: &TrustedKeys, runtime: &tokio::runtime::Runtime) -> Append {
    let store = Taken::default();
    runtime
        .block_on(ledger::claim(decided(line, keys), &store, || {
            Timestamp::from_unix(NOW)
        }))
        .unwrap();
    store.0.take().unwrap()
}

/// So many claims of other runs above the checkpoint: the commits, newest first, and the entries.
fn busy(claim: &[u8], entries: u64) -> (Vec<BranchCommit>, Vec<Option<Vec<u8>>>) {
    let mut claim = Entry::from_document(claim).unwrap();
    claim.run = "4".parse().unwrap();
    let (mut commits, mut files) = (Vec::new(), Vec::new());
    let mut parent = commit();
    for sequence in 1..=entries {
        claim.sequence = sequence;
        let id: CommitId = format!("{sequence:040x}").parse().unwrap();
        commits.push(BranchCommit {
            id: id.clone(),
            parents: vec![parent],
            head: String::from_utf8(Head::at(claim.id()).to_document()).ok(),
            authority: None,
            proven_at: None,
            author: None,
        });
        files.push(Some(claim.to_document()));
        claim.previous = Some(claim.id().digest);
        parent = id;
    }
    commits.reverse();
    (commits, files)
}

/// What a tail allows to a receipt, from GitHub's commits and files on.
fn judged(
    (commits, files): &(Vec<BranchCommit>, Vec<Option<Vec<u8>>>),
    receipt: &VerifiedReceipt,
) -> Use {
    let base = Base::At(checkpoint());
    let Followed::Reached(links) = Links::follow(&commits[0].id, &base, commits).unwrap() else {
        unreachable!("the last commit's parent is the checkpoint")
    };
    let tail = links.read(files.iter().cloned()).unwrap();
    let executor = Executor {
        run_id: harness::RUN.parse().unwrap(),
        run_attempt: RunAttempt(1),
        operation_id: "op-1".parse().unwrap(),
    };
    tail.standing(receipt, &executor, &Sent::new(), |_| false)
        .unwrap()
}

fn benchmarks(criterion: &mut Criterion) {
    let key = SigningKey::from_bytes(&[1; 32]);
    let keys = TrustedKeys::parse(&harness::trusted_line(&key, "alice@example.org")).unwrap();
    let line = Envelope::sign(&terms(), &[&key]).to_line();
    let message = line.as_bytes().to_vec();
    let signature = key.sign(&message);
    let public = key.verifying_key();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();

    criterion.bench_function("verify_strict alone", |bencher| {
        bencher.iter(|| public.verify_strict(black_box(&message), &signature));
    });
    criterion.bench_function("receipt: parse, verify, bind", |bencher| {
        bencher.iter(|| decided(black_box(&line), &keys));
    });
    criterion.bench_function("operation digest", |bencher| {
        bencher.iter(|| black_box(operation()).digest());
    });
    criterion.bench_function("ledger: decide and append a claim", |bencher| {
        bencher.iter(|| claimed(&line, &keys, &runtime));
    });
    let append = claimed(&line, &keys, &runtime);
    let file = |ending: &str| {
        append
            .files()
            .iter()
            .find(|(path, _)| path.ends_with(ending))
            .map(|(_, bytes)| bytes.clone())
            .unwrap()
    };
    let (entry, head) = (file("000000001.json"), file(HEAD_PATH));
    let operation = append.files()[2].1.clone();
    let receipt = Envelope::parse(&line).unwrap();
    let receipt = receipt.verify(&keys, Threshold::ONE).unwrap();
    let tail = busy(&entry, 100);
    assert_eq!(judged(&tail, &receipt), Use::Free);
    criterion.bench_function("ledger: decide over a tail of 100 entries", |bencher| {
        bencher.iter(|| judged(black_box(&tail), &receipt));
    });
    criterion.bench_function("ledger: verify an entry", |bencher| {
        bencher.iter(|| {
            let mut verifier = Verifier::default();
            verifier
                .take(
                    Examiner::new(Some(countersign_core::ledger::Keys::Listed(
                        &keys,
                        Threshold::ONE,
                    )))
                    .examine(1, black_box(&entry), Some(&operation))
                    .unwrap(),
                )
                .unwrap();
            verifier.is_head(&head)
        });
    });
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
