//! Branches as files in `tests/vectors/ledger`, with the verdict on each: others run them too.
//!
//! The files are made from the cases below, and judged by what they say alone.

use std::{collections::BTreeMap, fs, path::Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    withdrawn::{withdrawal, withdrawn},
    *,
};
use crate::{ledger::Followed, testing::trust};

/// One branch, what is asked, and the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What is special about the branch.
    name: String,
    /// What the verdict shows.
    shows: String,
    /// The receipt at hand, a DSSE envelope in one line. Its predicate's `ledger` is the checkpoint.
    receipt: String,
    /// The keys that count, one per line; one signature is enough.
    trusted_keys: String,
    /// The attempt that asks.
    executor: Asking,
    /// Every commit of the branch, the oldest first; the last one is the tip.
    commits: Vec<Shown>,
    /// `free`, `resume`, or the code of the refusal.
    verdict: String,
    /// The entry whose claim is resumed; null for another verdict.
    entry: Option<u64>,
}

/// The attempt that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asking {
    /// Its workflow run.
    run: String,
    /// Its number, from 1.
    attempt: u64,
}

/// A commit of the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// Its id: a name, not the hash of these members.
    id: String,
    /// The ids of its parents.
    parents: Vec<String>,
    /// The text of its `ledger.json`; null if it has none.
    ledger_json: Option<String>,
    /// The text of the entry that its `ledger.json` names, where that differs from its parent's; null
    /// if it does not, or if the commit has no such file.
    entry: Option<String>,
}

/// A case: the branch, the receipt at hand, and who asks.
struct Case {
    file: &'static str,
    shows: &'static str,
    branch: Branch,
    receipt: VerifiedReceipt,
    attempt: u64,
    verdict: &'static str,
}

fn case(file: &'static str, shows: &'static str, branch: Branch, verdict: &'static str) -> Case {
    Case {
        file,
        shows,
        branch,
        receipt: receipt(),
        attempt: 1,
        verdict,
    }
}

/// The same, asked by attempt 2.
fn later(
    file: &'static str,
    shows: &'static str,
    entries: &[Entry],
    verdict: &'static str,
) -> Case {
    Case {
        attempt: 2,
        ..case(file, shows, grown(entries), verdict)
    }
}

fn used() -> Branch {
    grown(&[claim(), ended(&claim(), EventType::Succeeded)])
}

fn damaged(damage: impl FnOnce(&mut Branch)) -> Branch {
    let mut branch = used();
    damage(&mut branch);
    branch
}

fn with_file(file: &[u8]) -> Branch {
    let mut branch = branch();
    branch.add_file(file);
    branch
}

fn quiet() -> Vec<Case> {
    let mut strays = branch();
    strays.stray();
    strays.remember(&Authority::default());
    let in_another_run = Terms {
        receipt_id: "another".parse().unwrap(),
        run_id: "99".parse().unwrap(),
        ..terms()
    };
    vec![
        case(
            "quiet",
            "the tip is the checkpoint: nothing happened",
            branch(),
            "free",
        ),
        case(
            "stray-commits",
            "commits that leave ledger.json as it is change nothing",
            strays,
            "free",
        ),
        case(
            "others-entries",
            "entries about another operation change nothing",
            grown(&[unrelated(), ended(&unrelated(), EventType::Succeeded)]),
            "free",
        ),
        case(
            "same-operation-in-another-run",
            "what is claimed is an operation in the run that the receipts name",
            grown(&[claim_of(&release(), &in_another_run)]),
            "free",
        ),
    ]
}

fn open_claims() -> Vec<Case> {
    let unknown = ended(&claim(), EventType::Unknown);
    let other = claim_under_another();
    let ours = "17231231";
    let mut hidden = grown(&[claim()]);
    hidden.commit([(entry_path(42), unrelated().to_document())]);
    vec![
        case(
            "claimed-by-this-attempt",
            "a claim that this process did not send is someone else's",
            grown(&[claim()]),
            "receipt_consumed",
        ),
        later(
            "resumed-by-a-later-attempt",
            "an open claim is resumed by a later attempt of the acting run",
            &[claim()],
            "resume 42",
        ),
        later(
            "resumed-after-an-unknown-outcome",
            "`unknown` leaves the operation open",
            &[claim(), unknown],
            "resume 42",
        ),
        later(
            "resumed-among-others",
            "entries about other operations do not matter",
            &[unrelated(), claim(), unrelated()],
            "resume 43",
        ),
        later(
            "claimed-by-another-run",
            "only the acting run resumes",
            &[by(&claim(), "99", 1)],
            "receipt_consumed",
        ),
        later(
            "claimed-by-a-later-attempt",
            "an earlier attempt does not resume",
            &[by(&claim(), ours, 3)],
            "receipt_consumed",
        ),
        later(
            "taken-over-by-this-attempt",
            "of two jobs of one attempt only one goes on",
            &[claim(), by(&claim(), ours, 2)],
            "receipt_consumed",
        ),
        later(
            "claimed-under-another-receipt",
            "the newest claim's receipt holds now, so a later attempt resumes it",
            core::slice::from_ref(&other),
            "resume 42",
        ),
        later(
            "claimed-under-a-forged-receipt",
            "a claim whose receipt nobody trusted signed can block and is not resumed",
            &[forged(&claim())],
            "receipt_consumed",
        ),
        Case {
            attempt: 2,
            ..case(
                "entry-hidden-by-a-later-commit",
                "an entry is read in the commit that added it",
                hidden,
                "resume 42",
            )
        },
    ]
}

fn ended_pairs() -> Vec<Case> {
    let other = claim_under_another();
    let done = ended(&other, EventType::Succeeded);
    let again = issued_at(&used().checkpoint());
    let claimed = claim_of(&release(), again.terms());
    let mut twice = used();
    twice.add(&claimed);
    twice.add(&ended(&claimed, EventType::Failed));
    let elsewhere = Entry {
        operation_digest: tag().digest(),
        receipts: unrelated().receipts,
        ..claim()
    };
    let only_named = Entry {
        receipts: claim().receipts,
        ..unrelated()
    };
    vec![
        case(
            "done-with-this-receipt",
            "a receipt is used once",
            used(),
            "receipt_consumed",
        ),
        later(
            "done-with-this-receipt-by-an-earlier-attempt",
            "an outcome ends the operation for later attempts too",
            &[claim(), ended(&claim(), EventType::Succeeded)],
            "receipt_consumed",
        ),
        case(
            "done-with-another-receipt",
            "an operation is done once for all receipts below its end",
            grown(&[other.clone(), done.clone()]),
            "operation_done",
        ),
        case(
            "failed-with-another-receipt",
            "a failure ends it as well: approve again",
            grown(&[other.clone(), ended(&other, EventType::Failed)]),
            "operation_done",
        ),
        case(
            "outcome-without-a-claim",
            "to refuse, an entry is believed whoever wrote it",
            grown(&[ended(&claim(), EventType::Succeeded)]),
            "operation_done",
        ),
        later(
            "corrected-to-unknown",
            "what has ended does not open again",
            &[
                other.clone(),
                done.clone(),
                ended(&other, EventType::Unknown),
            ],
            "operation_done",
        ),
        case(
            "receipt-in-the-claim-of-another-operation",
            "a receipt is spent by what a claim contains",
            grown(&[elsewhere]),
            "receipt_consumed",
        ),
        case(
            "receipt-only-named-by-another-claim",
            "and not by what a claim says of it",
            grown(&[only_named]),
            "free",
        ),
        Case {
            receipt: issued_at(&used().checkpoint()),
            ..case(
                "approved-again-after-the-end",
                "a receipt that was issued above the end approves a repetition",
                used(),
                "free",
            )
        },
        Case {
            receipt: again,
            ..case(
                "repetition-used-again",
                "which is used once as well",
                twice,
                "receipt_consumed",
            )
        },
    ]
}

fn newer_versions() -> Vec<Case> {
    let newer = |entry: &Entry| with_file(&file(entry, "\"v\":1", "\"v\":2"));
    let unknown =
        |entry: &Entry| with_file(&file(entry, "operation.claimed\"", "receipt.withdrawn\""));
    let names_ours = Entry {
        receipts: vec![receipt().digest()],
        ..unrelated()
    };
    vec![
        case(
            "newer-version-about-this-operation",
            "what cannot be read blocks what its first members name",
            newer(&claim_under_another()),
            "ledger_newer_version",
        ),
        case(
            "newer-version-about-this-receipt",
            "its receipts too",
            newer(&names_ours),
            "ledger_newer_version",
        ),
        case(
            "newer-version-about-another-operation",
            "and nothing else",
            newer(&unrelated()),
            "free",
        ),
        case(
            "unknown-event-about-this-operation",
            "an unknown event is a newer version",
            unknown(&claim()),
            "ledger_newer_version",
        ),
        case(
            "unknown-event-about-another-operation",
            "and blocks nothing else",
            unknown(&unrelated()),
            "free",
        ),
    ]
}

fn damages() -> Vec<Case> {
    let tampered = |name, shows, branch| case(name, shows, branch, "ledger_tampered");
    let mut put_back = damaged(|branch| restore(branch, 2));
    restore(&mut put_back, 1);
    let swapped = damaged(|branch| {
        branch.add_file(&unrelated().to_document());
        let other = file(&unrelated(), "receipt", "Receipt");
        branch.tip_mut().files.insert(entry_path(44), other);
    });
    let missing = damaged(|branch| {
        branch.add_file(&unrelated().to_document());
        branch.tip_mut().files.remove(&entry_path(44));
    });
    vec![
        tampered(
            "old-tree-restored",
            "a linear commit that brings the tree from before the claim back",
            damaged(|branch| restore(branch, 2)),
        ),
        tampered(
            "old-tree-restored-by-a-merge",
            "the same by a merge",
            damaged(|branch| {
                restore(branch, 2);
                branch.tip_mut().parents.push(checkpoint().commit);
            }),
        ),
        tampered(
            "merge",
            "a merge is refused whatever its tree holds",
            damaged(|branch| {
                branch.stray();
                branch.tip_mut().parents.push(commit('e'));
            }),
        ),
        tampered(
            "put-back-in-place",
            "a later commit that puts everything back heals nothing",
            put_back,
        ),
        tampered(
            "outcome-taken-away",
            "no entry is taken back",
            damaged(|branch| restore(branch, 1)),
        ),
        tampered(
            "entry-skipped",
            "entries follow one another",
            damaged(|branch| set_head(branch, 45, b"{}")),
        ),
        tampered(
            "other-entry-under-the-same-number",
            "an entry is not exchanged",
            damaged(|branch| set_head(branch, 43, b"{}")),
        ),
        tampered(
            "no-ledger-json",
            "every commit has it",
            damaged(|branch| {
                let mut files = branch.tip().files.clone();
                files.remove(HEAD_PATH);
                branch.commit_tree(files);
            }),
        ),
        tampered(
            "ledger-json-in-another-layout",
            "documents have one notation",
            damaged(|branch| {
                let head = branch.tip().text(HEAD_PATH).unwrap().replace(',', ", ");
                branch.commit([(HEAD_PATH, head.into_bytes())]);
            }),
        ),
        tampered(
            "entry-with-another-digest",
            "an entry is what ledger.json names",
            swapped,
        ),
        tampered(
            "entry-missing",
            "an entry is in the commit that added it",
            missing,
        ),
        tampered(
            "entry-with-another-previous",
            "an entry names the one before it",
            with_file(&file(
                &unrelated(),
                "\"previous\":\"sha256:ba",
                "\"previous\":\"sha256:ab",
            )),
        ),
        tampered(
            "entry-with-another-number",
            "an entry has the number that ledger.json names",
            with_file(&file(&unrelated(), "\"sequence\":42", "\"sequence\":43")),
        ),
    ]
}

fn rolled_back_branches() -> Vec<Case> {
    let mut rewound = grown(&[claim()]);
    let seen = issued_at(&rewound.checkpoint());
    rewound.0.pop();
    rewound.stray();
    rewound.tip_mut().id = commit('d');
    let other_head = issued_at(&Checkpoint {
        head: Head::at(EntryId {
            sequence: 41,
            digest: Digest::of(b"another"),
        }),
        ..checkpoint()
    });
    vec![
        case(
            "begun-again",
            "the branch does not reach the checkpoint",
            Branch::empty(),
            "ledger_rolled_back",
        ),
        Case {
            receipt: seen,
            ..case(
                "rewound",
                "the commit that the issuer saw is gone",
                rewound,
                "ledger_rolled_back",
            )
        },
        Case {
            receipt: other_head,
            ..case(
                "checkpoint-with-another-ledger-json",
                "the commit holds another entry than the receipt says",
                grown(&[unrelated()]),
                "ledger_rolled_back",
            )
        },
    ]
}

fn taken_back() -> Vec<Case> {
    let ours = || withdrawal(&receipt());
    let other = receipt_with(|terms| terms.receipt_id = "another".parse().unwrap());
    let before = withdrawn(branch(), &ours(), 1);
    let again = issued_at(&before.checkpoint());
    let mut claimed_after = before.clone();
    claimed_after.add(&claim());
    vec![
        case(
            "taken-back",
            "someone who signed the receipt withdrew it",
            before.clone(),
            "receipt_withdrawn",
        ),
        case(
            "taken-back-by-a-stranger",
            "a withdrawal by a key that did not sign the receipt takes nothing back",
            withdrawn(branch(), &ours(), 2),
            "free",
        ),
        case(
            "another-receipt-taken-back",
            "a withdrawal is for one receipt",
            withdrawn(branch(), &withdrawal(&other), 1),
            "free",
        ),
        Case {
            receipt: again,
            ..case(
                "approved-again-after-a-withdrawal",
                "a receipt that was issued above it is another one",
                before,
                "free",
            )
        },
        Case {
            attempt: 2,
            ..case(
                "taken-back-after-the-claim",
                "what was begun is finished",
                withdrawn(grown(&[claim()]), &ours(), 1),
                "resume 42",
            )
        },
        Case {
            attempt: 2,
            ..case(
                "claimed-after-a-withdrawal",
                "no claim takes a withdrawal away",
                claimed_after,
                "receipt_withdrawn",
            )
        },
    ]
}

fn cases() -> Vec<Case> {
    let families = [
        quiet,
        open_claims,
        ended_pairs,
        newer_versions,
        taken_back,
        damages,
        rolled_back_branches,
    ];
    families.iter().flat_map(|family| family()).collect()
}

impl Case {
    fn vector(&self) -> Vector {
        let (verdict, entry) = match self.verdict.strip_prefix("resume ") {
            Some(entry) => ("resume", entry.parse().ok()),
            None => (self.verdict, None),
        };
        let envelope = Envelope::sign(self.receipt.terms(), &[&key(1)]);
        let asking = attempt(self.attempt);
        let mut above: Option<&Commit> = None;
        let mut commits = Vec::new();
        for commit in &self.branch.0 {
            commits.push(shown(commit, above));
            above = Some(commit);
        }
        Vector {
            name: self.file.replace('-', " "),
            shows: self.shows.into(),
            receipt: envelope.to_line(),
            trusted_keys: trusted_keys(),
            executor: Asking {
                run: asking.run_id.as_str().into(),
                attempt: self.attempt,
            },
            commits,
            verdict: verdict.into(),
            entry,
        }
    }
}

fn trusted_keys() -> String {
    let keys = trust(&[1]);
    let lines = keys
        .as_slice()
        .iter()
        .map(|key| format!("{} {}", key.key.to_openssh(), key.name));
    lines.collect::<Vec<_>>().join("\n")
}

fn shown(commit: &Commit, parent: Option<&Commit>) -> Shown {
    let head = commit.text(HEAD_PATH);
    let is_new = parent.is_some_and(|parent| parent.text(HEAD_PATH) != head);
    let named = head.as_deref().filter(|_| is_new);
    let named = named.and_then(|head| Head::from_document(head.as_bytes()).ok());
    Shown {
        id: commit.id.as_str().into(),
        parents: commit.parents.iter().map(|id| id.as_str().into()).collect(),
        entry: named.and_then(|head| commit.text(&entry_path(head.sequence()))),
        ledger_json: head,
    }
}

impl Vector {
    /// What the product says of it, from nothing but its members.
    fn judged(&self) -> (String, Option<u64>) {
        match self.standing() {
            Ok(Use::Free) => ("free".into(), None),
            Ok(Use::Unfinished(claim)) => ("resume".into(), Some(claim.sequence)),
            Ok(Use::Ours(_)) => panic!("this process sent nothing"),
            Err(refusal) => (refusal.code().into(), None),
        }
    }

    fn standing(&self) -> Result<Use, Refusal> {
        let keys = crate::keys::TrustedKeys::parse(&self.trusted_keys).unwrap();
        let envelope = Envelope::parse(&self.receipt).unwrap();
        let receipt = envelope.verify(&keys, Threshold::ONE).unwrap();
        let executor = Executor {
            run_id: self.executor.run.parse().unwrap(),
            run_attempt: RunAttempt(self.executor.attempt),
            ..executor()
        };

        let tail = self.tail(&receipt.terms().ledger)?;
        let keys = Some((keys, Threshold::ONE));
        let trusted = keys.as_ref().map(|(keys, _)| keys);
        tail.is_not_withdrawn(&receipt, trusted, None)?;
        let vouched = |claim: &Entry| is_vouched(claim, &receipt, keys.as_ref());
        tail.standing(&receipt, &executor, &Sent::new(), vouched)
    }

    fn tail(&self, checkpoint: &Checkpoint) -> Result<Tail, Refusal> {
        let commits = self.commits.iter().rev().map(|shown| BranchCommit {
            id: shown.id.parse().unwrap(),
            parents: shown.parents.iter().map(|id| id.parse().unwrap()).collect(),
            head: shown.ledger_json.clone(),
            authority: None,
            proven_at: None,
            author: None,
        });
        let commits: Vec<BranchCommit> = commits.collect();
        let base = Base::At(checkpoint.clone());
        let Followed::Reached(links) = Links::follow(&commits[0].id, &base, &commits)? else {
            panic!("{}: a vector holds all commits", self.name)
        };
        let additions: Vec<Addition> = links.additions().collect();
        let entry = |addition: &Addition| {
            let added = self
                .commits
                .iter()
                .find(|shown| *shown.id == *addition.commit.as_str());
            added?.entry.as_ref().map(|text| text.clone().into_bytes())
        };
        links.read(additions.iter().map(entry))
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/ledger"
    ))
}

/// Every file of the folder but the page, by name.
fn kept() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// With `BLESS_VECTORS=1` they are written again.
#[test]
fn the_vectors_are_those_of_the_cases_and_fit_their_schema() {
    let schema = schemars::schema_for!(Vector).to_value();
    let mut made = BTreeMap::from([(String::from("schema.json"), pretty(&schema))]);
    for case in cases() {
        let before = made.insert(format!("{}.json", case.file), pretty(&case.vector()));
        assert_eq!(before, None, "{} is there twice", case.file);
    }
    if std::env::var_os("BLESS_VECTORS").is_some() {
        for name in kept().keys() {
            fs::remove_file(folder().join(name)).unwrap();
        }
        for (name, text) in &made {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let kept = kept();
    assert!(
        kept.keys().eq(made.keys()) && kept.values().eq(made.values()),
        "tests/vectors/ledger differs: run with BLESS_VECTORS=1"
    );
}

#[test]
fn every_vector_gets_its_verdict() {
    let mut count = 0;
    for (name, text) in kept() {
        if name == "schema.json" {
            continue;
        }
        let vector: Vector = serde_json::from_str(&text).unwrap();
        assert_eq!(
            vector.judged(),
            (vector.verdict.clone(), vector.entry),
            "{name}"
        );
        count += 1;
    }
    assert_eq!(count, cases().len());
}
