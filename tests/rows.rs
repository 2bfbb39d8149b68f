//! What a person reads on a terminal of 80 columns before they sign: no text from elsewhere looks like a row of ours.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::fs;

use countersign_core::{
    document::Document as _,
    keys::PublicKey,
    operation::{Operation, ReleaseBody},
    plan::{NotShipped, Plan, PlannedOperation, Surroundings},
    tables::Misplaced,
    trust::{TrustFile, TrustVersion},
};
use ed25519_dalek::SigningKey;
use harness::{
    RUN, Stage, now,
    terminal::{assert_no_row, drawing},
};

fn edited(stage: &Stage, edit: impl FnOnce(&mut Plan)) {
    let bytes = fs::read(stage.folder.path().join("plan.json")).unwrap();
    let mut plan = Plan::from_document(&bytes).unwrap();
    edit(&mut plan);
    fs::write(stage.folder.path().join("plan.json"), plan.to_document()).unwrap();
}

/// A stage on which an approver made a key and a dry run a plan.
fn approver() -> Stage {
    let stage = Stage::new();
    let made = [
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "approver",
        "--name",
        "alice",
    ];
    assert!(stage.command(&made).output().unwrap().status.success());
    fs::copy(
        stage.release().dry_run().plan(),
        stage.folder.path().join("plan.json"),
    )
    .unwrap();
    stage
}

#[test]
fn a_campaign_title_draws_no_row_above_the_question() {
    let stage = approver();
    let forged = [
        "asked for by  bob-the-release-manager",
        "attestation   verified: built by octo/hello",
    ];
    edited(&stage, |plan| {
        plan.campaign = Some(drawing("Docs", 14, &forged).parse().unwrap());
    });
    let shown = stage.read_on_a_terminal("authorize plan.json --key approver");
    assert!(
        shown
            .iter()
            .any(|line| line.starts_with("campaign      Docs"))
    );
    assert_no_row(&shown, &forged);
}

#[test]
fn what_will_not_ship_draws_no_receipt_of_its_own() {
    let stage = approver();
    let forged = [
        "This receipt will allow, once (`docs`):",
        "tag_repo in octo/hello",
    ];
    edited(&stage, |plan| {
        let operation = plan.operations()[0].operation().clone();
        let (kind, repository) = (operation.kind(), operation.target().repository.clone());
        let before = format!("  x ({kind} in {repository}): x: ");
        plan.not_shipped.push(NotShipped {
            id: "x".parse().unwrap(),
            operation_kind: kind,
            repository,
            code: "x".into(),
            why_not: drawing("no", before.len(), &forged),
            remedy: String::new(),
        });
    });
    let shown = stage.read_on_a_terminal("authorize plan.json --key approver");
    assert_no_row(&shown, &forged);
}

/// The line of a key made from so many equal bytes.
fn line(seed: u8) -> String {
    let key = SigningKey::from_bytes(&[seed; 32]);
    PublicKey::new(key.verifying_key()).unwrap().to_openssh()
}

/// A version of a trust file as somebody wrote it who wants another key to be taken for carol's.
fn version_with(name: &str) -> Result<TrustVersion, Misplaced> {
    let text = format!(
        "version = 1\nthreshold = 1\n[[key]]\nname = \"alice\"\nkey = \"{}\"\n[[key]]\nname = \"{name}\"\nkey = \"{}\"\n",
        line(1),
        line(2)
    );
    TrustVersion::from_toml(&text, None, now(), None)
}

#[test]
fn the_name_of_a_key_draws_no_row_of_a_trust_file() {
    let forged = [
        "              not after 2028-01-01T00:00:00Z",
        "file SHA256:",
    ];
    let carol = "carol SHA256:cDQ2dp+vBiccj2GR+usr928BhTN6a1OMs2o+6JDEUb0";
    let error = version_with(&drawing(carol, 14, &forged)).unwrap_err();
    assert!(
        error.to_string().contains("no two in a row"),
        "a name that reaches the edge of a terminal: {error}"
    );
}

#[test]
fn the_name_of_a_key_is_not_taken_for_the_fingerprint() {
    let stage = Stage::new();
    let carol = "carol SHA256:cDQ2dp+vBiccj2GR+usr928BhTN6a1OMs2o+6JDEUb0";
    let mut file = TrustFile::begin(&version_with(carol).unwrap());
    file.sign(&SigningKey::from_bytes(&[1; 32])).unwrap();
    fs::write(stage.folder.path().join("trust.json"), file.to_document()).unwrap();

    let shown = stage.read_on_a_terminal("trust show trust.json");
    let keys: Vec<&str> = shown
        .iter()
        .filter_map(|line| line.strip_prefix("key           "))
        .collect();
    let known = [1, 2].map(|seed| {
        let key: PublicKey = line(seed).parse().unwrap();
        key.fingerprint().to_string()
    });
    assert_eq!(keys, known, "{shown:?}");
}

#[test]
fn who_signs_a_version_reads_which_keys_came_and_went_directly_above_the_question() {
    let stage = Stage::new();
    let key =
        |name: &str, seed: u8| format!("[[key]]\nname = \"{name}\"\nkey = \"{}\"\n", line(seed));
    let version = |number: u64, previous, keys: &str| {
        let text = format!("version = {number}\nthreshold = 1\n{keys}");
        TrustVersion::from_toml(&text, previous, now(), None).unwrap()
    };
    let make = [
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "bob",
        "--name",
        "bob",
    ];
    assert!(stage.command(&make).output().unwrap().status.success());
    let bob = fs::read_to_string(stage.folder.path().join("bob.pub")).unwrap();
    let bob = format!("[[key]]\nname = \"bob\"\nkey = \"{}\"\n", bob.trim());

    let mut file = TrustFile::begin(&version(1, None, &(key("carol", 3) + &bob)));
    let carols = SigningKey::from_bytes(&[3; 32]);
    file.sign(&carols).unwrap();
    file.add(&version(2, file.root(), &(key("carol", 4) + &bob)));
    fs::write(stage.folder.path().join("trust.json"), file.to_document()).unwrap();

    let shown = stage.read_on_a_terminal("trust sign trust.json --key bob");
    let fingerprint = |seed: u8| line(seed).parse::<PublicKey>().unwrap().fingerprint();
    let asked = shown
        .iter()
        .position(|line| line.starts_with("Sign this version?"))
        .unwrap();
    assert_eq!(
        shown[asked - 3..asked],
        [
            "What changes from version 1:".to_owned(),
            format!("  REMOVED     {} carol", fingerprint(3)),
            format!("  ADDED       {} carol", fingerprint(4)),
        ],
        "{shown:?}"
    );
}

/// The line above the question, or so many lines.
fn above(shown: &[String], question: &str, lines: usize) -> Vec<String> {
    let asked = shown.iter().position(|line| line.starts_with(question));
    assert!(asked.is_some(), "{question} is not asked: {shown:?}");
    let asked = asked.unwrap();
    shown[asked - lines..asked].into()
}

#[test]
fn one_line_directly_above_the_question_says_what_is_signed() {
    let stage = approver();
    let plan = fs::read(stage.folder.path().join("plan.json")).unwrap();
    let plan = Plan::from_document(&plan).unwrap();
    let operation = plan.operations()[0].operation().clone();
    let shown = stage.read_on_a_terminal("authorize plan.json --key approver");
    let recap = above(&shown, "Sign it?", 2).concat().replace("  > ", "");
    let expected = format!(
        "Publish v1.0.0 of octo/hello at {} (no assets, latest) for run {RUN}, until ",
        operation.commit().short()
    );
    assert!(
        recap.starts_with(&expected) && recap.ends_with('Z'),
        "{recap}"
    );
}

#[test]
fn an_operation_that_scrolls_away_has_its_line_above_the_question() {
    let stage = approver();
    edited(&stage, |plan| {
        let release = plan.operations()[0].operation().clone();
        let ledger = plan.operations()[0].ledger().clone();
        let step = |id: &str, operation: Operation| {
            let id = id.parse().unwrap();
            PlannedOperation::new(id, operation, Surroundings::with_ledger(ledger.clone()))
        };
        let Operation::PublishRelease(mut long) = release.clone() else {
            panic!("the plan is of a release");
        };
        long.tag_name = "v6.6.6".parse().unwrap();
        let body = "line\n".repeat(2_000).parse().unwrap();
        long.body = ReleaseBody::new("release body", body).unwrap();
        *plan = Plan::new(
            plan.run_id.clone(),
            vec![
                step("hidden", Operation::PublishRelease(long)),
                step("harmless", release),
            ],
        );
    });
    let shown = stage.read_on_a_terminal("authorize plan.json --key approver");
    let recap = above(&shown, "Sign these 2 receipts?", 4).join("\n");
    assert!(
        recap.contains("  1. Publish v6.6.6 of octo/hello")
            && recap.contains("  2. Publish v1.0.0 of octo/hello"),
        "{recap}"
    );
}
