//! What others who may write to the repository do to its ledger branch.

use countersign_core::{
    document::Document as _,
    ledger::{Entry, EventType, GithubResponse, Head, entry_path},
};
use git2::{Commit, Oid, Repository, Signature};

use super::Stage;

const LEDGER: &str = "refs/heads/receipt-ledger";

/// Pushes a commit that adds no entry.
pub fn strays(stage: &Stage) {
    let tip = stage.sim.ref_oid(LEDGER).unwrap();
    stage
        .sim
        .commit("receipt-ledger", &[("README.md", tip.as_bytes())]);
}

/// Appends an entry as Countersign would, whatever it says.
pub fn append(stage: &Stage, entry: &Entry) {
    let head = Head::at(entry.id()).to_document();
    let path = entry_path(entry.sequence);
    let files: [(&str, &[u8]); 2] = [(&path, &entry.to_document()), ("ledger.json", &head)];
    stage.sim.commit("receipt-ledger", &files);
}

/// Appends what is forged of an entry that the ledger has.
fn forge(stage: &Stage, like: &Entry, edit: impl FnOnce(Entry) -> Entry) {
    let entries = stage.ledger();
    let last = entries.last().unwrap();
    let next = Entry {
        sequence: last.sequence + 1,
        previous: Some(last.id().digest),
        ..like.clone()
    };
    append(stage, &edit(next));
}

/// Claims an operation again, in the name of another run.
pub fn claim_for_another_run(stage: &Stage, claim: &Entry) {
    forge(stage, claim, |entry| Entry {
        acting_run: "4".parse().unwrap(),
        ..entry
    });
}

/// Says that an operation ended so.
pub fn settle(stage: &Stage, claim: &Entry, event_type: EventType) {
    settle_with(stage, claim, event_type, GithubResponse::default());
}

/// Says that an operation ended so, and what GitHub answered.
pub fn settle_with(stage: &Stage, claim: &Entry, event_type: EventType, response: GithubResponse) {
    forge(stage, claim, |entry| Entry {
        event_type,
        receipt: None,
        operation: None,
        github_response: Some(response),
        ..entry
    });
}

/// Merges the ledger's first tree into it: all entries seem to be gone.
pub fn merge_the_first_tree(stage: &Stage) {
    let repository = Repository::open_bare(stage.sim.git_dir()).unwrap();
    let tip = stage.sim.ref_oid(LEDGER).unwrap();
    let tip = repository
        .find_commit(Oid::from_str(&tip).unwrap())
        .unwrap();
    let mut first = tip.clone();
    while let Ok(parent) = first.parent(0) {
        first = parent;
    }
    push_like(&repository, &first, &[&tip, &first]);
}

/// Pushes a commit with the tree of another one to the tip of the ledger.
pub fn push_like(repository: &Repository, like: &Commit<'_>, parents: &[&Commit<'_>]) {
    let person = Signature::now("mallory", "mallory@example.org").unwrap();
    let tree = like.tree().unwrap();
    let made = repository
        .commit(None, &person, &person, "Tidy up", &tree, parents)
        .unwrap();
    repository.reference(LEDGER, made, true, "push").unwrap();
}
