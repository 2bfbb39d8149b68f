//! `countersign ledger init`: a ledger that works, or the reason why it does not.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use countersign_sim::{Access, Effect, Endpoint, Fault, Permissions, Simulator, Switch, pins};
use harness::{Stage, hurried};

const LEDGER: &str = "refs/heads/receipt-ledger";

/// How the program ended, and what it printed: results and messages together.
struct Ended {
    exit: i32,
    printed: String,
}

impl Ended {
    #[track_caller]
    fn succeeded(&self, parts: &[&str]) {
        self.is(0, parts);
    }

    #[track_caller]
    fn failed(&self, parts: &[&str]) {
        self.is(1, parts);
    }

    #[track_caller]
    fn is(&self, exit: i32, parts: &[&str]) {
        assert_eq!(self.exit, exit, "{}", self.printed);
        for part in parts {
            assert!(self.printed.contains(part), "{part:?} in {}", self.printed);
        }
    }
}

fn init_with(stage: &Stage, token: &str, more: &[&str]) -> Ended {
    let init = ["ledger", "init", "--repository", stage.sim.repository()];
    let output = stage
        .command_of(hurried(), &[&init, more].concat())
        .env("GH_TOKEN", token)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        exit: output.status.code().unwrap(),
        printed: text(&output.stdout) + &text(&output.stderr),
    }
}

/// With a job's token.
fn init(stage: &Stage) -> Ended {
    init_with(stage, &stage.token, &[])
}

/// By an administrator at a laptop.
fn protect(stage: &Stage) -> Ended {
    let token = stage.sim.person_token(Permissions {
        administration: Access::Write,
        ..Permissions::write()
    });
    init_with(stage, &token, &["--protect"])
}

/// The branch's commits, newest first, by their headlines.
fn headlines(stage: &Stage) -> Vec<String> {
    let git = git2::Repository::open_bare(stage.sim.git_dir()).unwrap();
    let mut walk = git.revwalk().unwrap();
    walk.push_ref(LEDGER).unwrap();
    let headline = |oid: Result<git2::Oid, git2::Error>| {
        let commit = git.find_commit(oid.unwrap()).unwrap();
        commit.summary().unwrap().to_owned()
    };
    walk.map(headline).collect()
}

fn rulesets(stage: &Stage) -> usize {
    let effects = stage.sim.effects();
    let made = |effect: &&String| effect.starts_with("ruleset");
    effects.iter().filter(made).count()
}

#[test]
fn a_new_ledger_is_empty_and_an_append_was_tried() {
    pins![A19];
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[
        "the branch `receipt-ledger` begins with commit",
        "an append was tried: commit",
        "import this ruleset",
        "\"type\":\"non_fast_forward\"",
    ]);
    assert_eq!(
        headlines(&stage),
        ["Try an append", "Begin the receipt ledger"]
    );
    let head = stage.sim.read_file("receipt-ledger", "ledger.json");
    assert_eq!(head.unwrap(), b"{\"sequence\":0,\"digest\":null}\n");
}

#[test]
fn a_ledger_that_was_tried_verifies_once_it_has_entries() {
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[]);
    init(&stage).succeeded(&["exists already", "an append was tried: commit"]);
    stage.tag().approved().run().succeeded();

    let newest = stage.sim.ref_oid(LEDGER);
    init(&stage).succeeded(&["no append was tried: the ledger holds 2 entries already"]);
    assert_eq!(stage.sim.ref_oid(LEDGER), newest);

    let verify = ["ledger", "verify", "--repository", "octo/hello"];
    let mut verify = stage.command(&verify);
    let output = verify.env("GH_TOKEN", &stage.token).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("history     holds"), "{printed}");
}

#[test]
fn a_ledger_that_took_an_entry_back_is_found_before_the_branch_is_protected() {
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[]);
    let empty = stage
        .sim
        .read_file("receipt-ledger", "ledger.json")
        .unwrap();
    stage.tag().approved().run().succeeded();
    let full = stage
        .sim
        .read_file("receipt-ledger", "ledger.json")
        .unwrap();
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &empty)]);
    stage
        .sim
        .commit("receipt-ledger", &[("ledger.json", &full)]);
    protect(&stage).failed(&["cannot be verified as a ledger", "history: commit"]);
    assert_eq!(rulesets(&stage), 0);
}

#[test]
fn a_commit_without_an_entry_does_not_keep_the_branch_from_being_protected() {
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[]);
    stage.tag().approved().run().succeeded();
    stage.sim.commit("receipt-ledger", &[("README.md", b"hi")]);
    protect(&stage).succeeded(&["forbids deleting or rewriting it"]);
    assert_eq!(rulesets(&stage), 1);
}

#[test]
fn there_is_no_ledger_without_a_token() {
    let stage = Stage::without_ledger();
    let output = stage
        .command(&["ledger", "init", "--repository", "octo/hello"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains("set GH_TOKEN"), "{printed}");
}

#[test]
fn a_repository_without_a_commit_gets_one_first() {
    pins![A21];
    let stage = Stage::on(Simulator::builder().empty().start());
    init(&stage).failed(&["octo/hello has no commit yet", "Push a first commit"]);
    assert_eq!(stage.sim.effects(), Vec::<String>::new());

    stage.sim.commit("main", &[("a", b"1")]);
    init(&stage).succeeded(&["an append was tried"]);
}

#[test]
fn where_signed_commits_are_required_a_job_succeeds_and_a_person_is_sent_to_one() {
    pins![A20, B11, U3];
    let stage = Stage::without_ledger();
    stage.sim.branch_rules_everywhere(&["required_signatures"]);

    let person = stage.sim.person_token(Permissions::write());
    init_with(&stage, &person, &[]).failed(&[
        "did not create the branch `receipt-ledger`, so there is no ledger",
        "`required_signatures` (ruleset 1 of the organization octo)",
        "examples/workflows/init.yml",
    ]);
    assert_eq!(stage.sim.ref_oid(LEDGER), None);

    init(&stage).succeeded(&["an append was tried"]);
}

#[test]
fn where_creations_are_restricted_the_branch_must_be_excluded() {
    pins![B14];
    let stage = Stage::without_ledger();
    stage.sim.branch_rules_everywhere(&["creation"]);
    let refused = init(&stage);
    refused.failed(&[
        "`creation` (ruleset 1 of the organization octo)",
        "exclude `refs/heads/receipt-ledger`",
        "a job's token cannot be allowed to bypass them",
    ]);
    assert!(!refused.printed.contains("init.yml"), "{}", refused.printed);

    stage.sim.branch_rules_everywhere(&[]);
    init(&stage).succeeded(&["an append was tried"]);
}

#[test]
fn where_rules_stop_appends_the_trial_names_them_and_what_exists() {
    pins![F4, B12];
    for rule in ["pull_request", "update"] {
        let stage = Stage::without_ledger();
        stage.sim.branch_rules_everywhere(&[rule]);
        init(&stage).failed(&[
            "the branch `receipt-ledger` begins with commit",
            "exists, but GitHub refused to append to it, so nothing can be published yet",
            &format!("`{rule}` (ruleset 1 of the organization octo)"),
            "exclude `refs/heads/receipt-ledger`",
        ]);
        assert_eq!(headlines(&stage), ["Begin the receipt ledger"]);

        stage.sim.branch_rules_everywhere(&[]);
        init(&stage).succeeded(&["exists already", "an append was tried"]);
    }
}

#[test]
fn classic_protection_is_found_although_no_rule_shows_it() {
    pins![B13];
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[]);
    stage.sim.protect_classically("receipt-ledger");
    init(&stage).failed(&["GitHub refused to append to it", "Settings, Branches"]);
}

#[test]
fn protection_keeps_every_rule_that_the_server_accepts() {
    pins![A22];
    let stage = Stage::without_ledger();
    protect(&stage).succeeded(&["ruleset 1 forbids deleting or rewriting it"]);
    // One trial shows whether the server signs, the other whether the ruleset lets appends through.
    let expected = ["Try an append", "Try an append", "Begin the receipt ledger"];
    assert_eq!(headlines(&stage), expected);

    let report = stage.tag().approved().run();
    report.succeeded();
    assert_eq!(
        report.record["ledger"]["rules"],
        serde_json::json!([
            "deletion",
            "non_fast_forward",
            "required_linear_history",
            "required_signatures"
        ])
    );
    assert!(!report.summary.contains("The ledger is not protected"));
}

#[test]
fn protecting_a_protected_ledger_succeeds() {
    pins![A24, S7];
    let stage = Stage::without_ledger();
    protect(&stage).succeeded(&["ruleset 1 forbids"]);
    let again = protect(&stage);
    again.succeeded(&["its rules already forbid deleting or rewriting it"]);
    assert!(!again.printed.contains("unique"), "{}", again.printed);
    init(&stage).succeeded(&["its rules forbid deleting or rewriting it"]);
    assert_eq!(rulesets(&stage), 1);
}

#[test]
fn a_ruleset_of_that_name_that_protects_nothing_is_a_failure() {
    let mut stage = Stage::without_ledger();
    stage.token = stage.sim.token(Permissions {
        administration: Access::Write,
        ..Permissions::write()
    });
    let ruleset = serde_json::json!({
        "name": "Receipt ledger", "target": "branch", "enforcement": "disabled", "rules": [],
        "conditions": { "ref_name": { "include": [LEDGER], "exclude": [] } },
    });
    stage.post("/repos/octo/hello/rulesets", &ruleset);
    protect(&stage).failed(&["exists, but is not protected", "Name must be unique"]);
}

#[test]
fn protection_needs_an_administrator() {
    let stage = Stage::without_ledger();
    init_with(&stage, &stage.token, &["--protect"]).failed(&[
        "the branch exists, but the ruleset could not be set: the token may not do this",
        "administration",
    ]);
}

#[test]
fn protection_omits_rules_that_the_server_refuses() {
    let stage = Stage::without_ledger();
    let refusal = Fault::on(Endpoint::CreateRuleset).then(Effect::StatusBefore(422));
    stage.sim.plan(refusal);
    protect(&stage).succeeded(&[
        "forbids deleting or rewriting it",
        "it lacks `required_linear_history`, `required_signatures`: GitHub refused",
    ]);
}

#[test]
fn a_server_that_signs_nothing_gets_no_rule_for_signatures() {
    pins![U3];
    let stage = Stage::without_ledger();
    stage.sim.turn_on(Switch::WebCommitSigningIsOff);
    protect(&stage).succeeded(&[
        "This server does not sign the ledger's commits",
        "it lacks `required_signatures`: the server signs no commits",
    ]);
    stage.tag().approved().run().succeeded();
}

#[test]
fn a_plan_without_rulesets_has_a_ledger_all_the_same() {
    pins![F3, A23, S8];
    let stage = Stage::without_ledger();
    stage.sim.turn_on(Switch::FreePrivatePlan);
    init(&stage).succeeded(&["an append was tried", "this repository has no rulesets"]);
    protect(&stage).failed(&["cannot be protected", "Upgrade to GitHub Pro"]);
}

/// Paths and bytes.
type Files<'a> = &'a [(&'a str, &'a [u8])];

#[test]
fn a_branch_that_is_no_ledger_is_neither_changed_nor_protected() {
    let head = b"{\"sequence\":0,\"digest\":null}\n";
    let foreign: [(&str, Files<'_>); 3] = [
        ("no `ledger.json`", &[("notes.txt", b"mine")]),
        ("ledger.json", &[("ledger.json", b"{}")]),
        (
            "structure: `notes.txt`",
            &[("ledger.json", head), ("notes.txt", b"mine")],
        ),
    ];
    for (reason, files) in foreign {
        let stage = Stage::without_ledger();
        let commit = stage.sim.orphan("receipt-ledger", files);
        protect(&stage).failed(&["cannot be verified as a ledger", reason]);
        assert_eq!(stage.sim.ref_oid(LEDGER), Some(commit));
        assert_eq!(rulesets(&stage), 0);
    }
}

#[test]
fn a_branch_that_shares_history_with_the_code_is_not_a_ledger() {
    let stage = Stage::without_ledger();
    stage.sim.set_ref(LEDGER, &stage.main());
    let files = countersign_core::ledger::empty_ledger();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, file)| (*path, &file[..]))
        .collect();
    stage.sim.commit("receipt-ledger", &files);
    protect(&stage).failed(&["cannot be verified as a ledger"]);
}

#[test]
fn objects_that_github_does_not_know_yet_are_waited_for() {
    pins![U2];
    for switch in [
        Switch::FreshObjectsAreNotFound,
        Switch::FreshObjectsDoNotExist,
        Switch::FreshRefsAreMissing,
    ] {
        let stage = Stage::without_ledger();
        stage.sim.turn_on(switch);
        init(&stage).succeeded(&["an append was tried"]);
    }
}

#[test]
fn a_trial_whose_answer_is_lost_is_repeated() {
    let stage = Stage::without_ledger();
    let lost = Fault::on(Endpoint::Append).then(Effect::ResetAfter);
    stage.sim.plan(lost);
    init(&stage).succeeded(&["an append was tried"]);
    assert_eq!(headlines(&stage).len(), 3);
}

#[test]
fn a_new_ledger_is_shown_as_empty() {
    let stage = Stage::without_ledger();
    init(&stage).succeeded(&[]);
    let mut command =
        stage.command_of(hurried(), &["ledger", "show", "--repository", "octo/hello"]);
    let output = command.env("GH_TOKEN", &stage.token).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "The ledger is empty: nothing has been published with it yet. The first publication adds \
         its entries.\n"
    );
}
