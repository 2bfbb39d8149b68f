//! What a plan's job, or anyone who can write to the ledger, tries on the person who signs.

use countersign_core::{
    digest::Digest,
    document::Document as _,
    ledger::{Checkpoint, EntryId, Head},
};
use countersign_sim::Endpoint;
use serde_json::json;

use crate::{
    Scene,
    harness::{Attempt, Stage, approver::naming},
    judge::attempted,
};

const LEDGER: &str = "refs/heads/receipt-ledger";

pub const SCENES: &[Scene] = &[
    (
        "a plan names an older commit of the ledger than its tip",
        an_older_commit,
    ),
    ("a plan names a commit that the ledger never had", || {
        another_commit(|tip| Checkpoint {
            commit: "12".repeat(20).parse().unwrap(),
            ..tip
        });
    }),
    (
        "a plan names the tip with an entry that it does not hold",
        || {
            another_commit(|tip| Checkpoint {
                head: Head::at(EntryId {
                    sequence: 3,
                    digest: Digest::of(b"no such entry"),
                }),
                ..tip
            });
        },
    ),
    ("a plan names the tip as that of an empty ledger", || {
        another_commit(|tip| Checkpoint {
            head: Head::EMPTY,
            ..tip
        });
    }),
    (
        "the ledger is moved back below what the approver's machine saw",
        || {
            a_lost_head(|stage, root| stage.sim.set_ref(LEDGER, root));
        },
    ),
    (
        "the ledger begins anew after an approver's machine saw it",
        || {
            a_lost_head(|stage, _| {
                assert!(stage.sim.delete_ref(LEDGER));
                let empty = Head::EMPTY.to_document();
                stage
                    .sim
                    .orphan("receipt-ledger", &[("ledger.json", &empty)]);
            });
        },
    ),
    (
        "a fork of the same length takes the place of what the approver's machine saw",
        || {
            a_lost_head(|stage, root| {
                stage.sim.set_ref(LEDGER, root);
                assert!(stage.sim.delete_ref("refs/tags/v0"));
                ship_v0(stage);
            });
        },
    ),
    (
        "a plan names a commit above the open claim of its operation",
        a_hidden_claim,
    ),
    (
        "a plan does not say that the run has done its operation",
        a_hidden_outcome,
    ),
    (
        "a merge hides from the approver what lies below it",
        a_hidden_past,
    ),
    (
        "a thousand commits hide from the approver what the run has done",
        a_long_past,
    ),
];

fn ship_v0(stage: &Stage) {
    stage
        .tag()
        .input("tag-name", "v0")
        .approved()
        .run()
        .succeeded();
}

fn by_approver<'a>(stage: &'a Stage, key: &str, receipts: &str) -> Attempt<'a> {
    let keys = format!("{}\n{key}", stage.trusted());
    stage
        .tag()
        .input("trusted-keys", &keys)
        .input("receipt", receipts)
}

/// The plan's job says that it saw the empty ledger: a receipt for that would be judged by less than
/// the approver could know.
fn an_older_commit() {
    let stage = Stage::new();
    let root = stage.tip();
    let key = stage.with_approver();
    ship_v0(&stage);
    stage.leave_plan(&stage.tag().dry_run(), |text| naming(&text, &root));

    let signed = stage.authorize(&["--yes"]);
    assert_eq!(signed.ledgers(), [json!(stage.tip())]);
    by_approver(&stage, &key, &signed.receipts)
        .run()
        .succeeded();
}

fn another_commit(named: fn(Checkpoint) -> Checkpoint) {
    let stage = Stage::new();
    stage.with_approver();
    ship_v0(&stage);
    let named = named(stage.tip());
    stage.leave_plan(&stage.tag().dry_run(), |text| naming(&text, &named));

    let signed = stage.authorize(&["--yes"]);
    signed
        .signed_nothing(3)
        .says("ledger_rolled_back")
        .says(&named.to_string());
    assert!(stage.heads().is_null(), "nothing was signed");
}

/// A new dry run sees the changed ledger, so its plan fits; only the approver's machine knows.
fn a_lost_head(rewrite: fn(&Stage, &str)) {
    let stage = Stage::new();
    let root = stage.tip().commit.to_string();
    let key = stage.with_approver();
    ship_v0(&stage);
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    assert_eq!(stage.authorize(&["--yes"]).ledgers().len(), 1);
    let (before, seen) = (stage.heads(), stage.tip());

    rewrite(&stage, &root);
    let found = stage.tip();
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    let refused = stage.authorize(&["--yes"]);
    refused
        .signed_nothing(1)
        .says("Entries may have been taken back");
    refused.says(&seen.to_string()).says(&found.to_string());
    for typed in [["yes", "yes"], ["yes", "1"]] {
        stage.authorize_on_terminal(&typed).signed_nothing(3);
    }
    assert_eq!(stage.heads(), before, "nothing was signed");

    // A person who knows why may go on. Both heads are kept, so that the old one cannot come back
    // unseen either.
    let signed = stage.authorize_on_terminal(&["yes", "2"]);
    assert_eq!(signed.ledgers(), [json!(found)]);
    let kept = &stage.heads()["ledgers"][0];
    assert_eq!(kept["lost"].as_array().unwrap().len(), 1);
    for (head, at) in [(&kept["head"], &found), (&kept["lost"][0], &seen)] {
        assert_eq!(head["commit"], json!(at.commit));
    }
    stage.sim.set_ref(LEDGER, seen.commit.as_str());
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    let back = stage.authorize(&["--yes"]);
    back.says(&format!("lost before {seen}"));
    // A branch that grows from the new head onwards has lost nothing.
    if found.commit.as_str() != root {
        back.signed_nothing(1)
            .says("Entries may have been taken back");
    }
    stage.sim.set_ref(LEDGER, found.commit.as_str());
    by_approver(&stage, &key, &signed.receipts)
        .run()
        .succeeded();
}

/// A receipt that names the tip would have an empty tail, and publish next to the first attempt.
fn a_hidden_claim() {
    let stage = Stage::new();
    let root = stage.tip();
    let key = stage.with_approver();
    stage.tag().approved().killed(Endpoint::CreateTagObject, 1);
    let tip = stage.tip();
    assert_eq!(stage.ledger_events(), ["claimed"]);
    stage.leave_plan(&stage.tag().dry_run(), |text| naming(&text, &tip));

    let signed = stage.authorize(&["--yes"]);
    assert_eq!(signed.ledgers(), [json!(root)]);
    signed.says("OPEN: entry 1 claims this and has no outcome");
    let attempt = by_approver(&stage, &key, &signed.receipts);
    let name = "a plan names a commit above the open claim of its operation";
    attempted(&stage, name, attempt.clone(), "receipt_consumed");
    attempt
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run()
        .succeeded();
}

/// The tag was taken back since, and the plan looks like any other.
fn a_hidden_outcome() {
    let stage = Stage::new();
    let root = stage.tip();
    let key = stage.with_approver();
    stage.tag().approved().run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    stage.leave_plan(&stage.tag().dry_run(), |text| naming(&text, &root));

    let refused = stage.authorize_on_terminal(&["no"]);
    refused
        .signed_nothing(3)
        .says("AGAIN: this run has done this already, entry 2\nSign it?");
    // Who agrees to that approves a repetition.
    let signed = stage.authorize(&["--yes"]);
    assert_eq!(signed.ledgers(), [json!(stage.tip())]);
    by_approver(&stage, &key, &signed.receipts)
        .run()
        .succeeded();
}

fn a_hidden_past() {
    let stage = Stage::new();
    stage.with_approver();
    stage.tag().approved().run().succeeded();
    let merge = merged(&stage);
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    stage.leave_plan(&stage.tag().dry_run(), |text| text);

    let refused = stage.authorize(&["--yes"]);
    refused
        .signed_nothing(1)
        .says(&format!("commit {merge} of the ledger"));
    refused.says("whether this run did it already: not known");
    stage
        .authorize_on_terminal(&["yes", "yes"])
        .signed_nothing(3);
    stage
        .authorize_on_terminal(&["yes", &merge[..12], "no"])
        .signed_nothing(3);
    let signed = stage.authorize_on_terminal(&["yes", &merge[..12], "yes"]);
    assert_eq!(signed.ledgers(), [json!(stage.tip())]);
}

/// Pushes a merge that changes nothing, and returns its id.
fn merged(stage: &Stage) -> String {
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tip = repository.refname_to_id(LEDGER).unwrap();
    let tip = repository.find_commit(tip).unwrap();
    let person = git2::Signature::now("mallory", "mallory@example.org").unwrap();
    let (tree, parents) = (tip.tree().unwrap(), [&tip, &tip.parent(0).unwrap()]);
    let made = repository.commit(Some(LEDGER), &person, &person, "Tidy up", &tree, &parents);
    made.unwrap().to_string()
}

fn a_long_past() {
    let stage = Stage::new();
    stage.with_approver();
    stage.tag().approved().run().succeeded();
    assert!(stage.sim.delete_ref("refs/tags/v1.0.0"));
    junk(&stage, 500);
    stage.leave_plan(&stage.tag().dry_run(), |text| text);
    junk(&stage, 501);

    let refused = stage.authorize(&["--yes"]);
    refused
        .signed_nothing(1)
        .says("whether this run did it already: not known");
    refused.says("first look on this machine: every commit since entry 2");
    stage
        .authorize_on_terminal(&["yes", "no"])
        .signed_nothing(3);
    let signed = stage.authorize_on_terminal(&["yes", "yes"]);
    assert_eq!(signed.ledgers(), [json!(stage.tip())]);

    // Further commits go below what the plan names, which is said.
    junk(&stage, 500);
    let beyond = stage.authorize(&["--yes"]);
    beyond
        .signed_nothing(3)
        .says("ledger_rolled_back")
        .says("where this look ended");
    stage
        .sim
        .set_ref(LEDGER, signed.ledgers()[0]["commit"].as_str().unwrap());

    // What the machine verified before does not answer it.
    let again = stage.authorize(&["--yes"]);
    again
        .signed_nothing(1)
        .says("whether this run did it already: not known");
}

/// So many commits on the ledger, as anyone with write access can push them.
fn junk(stage: &Stage, count: usize) {
    let repository = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let person = git2::Signature::now("mallory", "mallory@example.org").unwrap();
    for _ in 0..count {
        let tip = repository.refname_to_id(LEDGER).unwrap();
        let tip = repository.find_commit(tip).unwrap();
        let tree = tip.tree().unwrap();
        let made = repository.commit(Some(LEDGER), &person, &person, "Tidy up", &tree, &[&tip]);
        made.unwrap();
    }
}
