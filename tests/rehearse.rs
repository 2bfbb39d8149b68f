//! `countersign rehearse` against the simulator: it finds what it expects, sees each switch, and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::{Command, Stdio},
};

use countersign_sim::{
    Access, Effect, Endpoint, Fact, Fault, Matcher, Permissions, Simulator, Switch,
};
use harness::{hurried, schema};
use serde_json::Value;

const RUN: u64 = 4711;

/// A scratch repository, a token that may do everything there, and a folder.
struct Ground {
    sim: Simulator,
    token: String,
    folder: tempfile::TempDir,
}

/// How a rehearsal ended.
struct Ended {
    exit: i32,
    table: String,
    told: String,
    report: Option<Value>,
}

impl Ground {
    fn new() -> Self {
        Self::on(Simulator::start())
    }

    fn on(sim: Simulator) -> Self {
        let token = sim.token(Permissions {
            contents: Access::Write,
            pull_requests: Access::Write,
            issues: Access::Write,
            actions: Access::Write,
            administration: Access::Write,
            workflows: false,
        });
        sim.rate_limit(5000, 5000);
        let folder = tempfile::tempdir().unwrap();
        Self { sim, token, folder }
    }

    /// In a job of the repository, with an artifact of its run.
    fn in_job(self) -> Self {
        self.sim.run(RUN, "octocat", "octocat");
        self.sim.artifact(RUN, "plan", b"PK");
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(hurried());
        command
            .args(["rehearse", "--repository", self.sim.repository(), "--yes"])
            .args(["--out", "rehearsal.json"])
            .args(arguments)
            .env_clear()
            .env("GH_TOKEN", &self.token)
            .env("GITHUB_API_URL", self.sim.api_url())
            .env("GITHUB_GRAPHQL_URL", self.sim.graphql_url())
            .env("TMPDIR", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn job(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_RUN_ID", RUN.to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_REPOSITORY", self.sim.repository())
            .env("GITHUB_REPOSITORY_ID", self.sim.repository_id().to_string())
            .env("GITHUB_SHA", self.sim.ref_oid("refs/heads/main").unwrap())
            .env("GITHUB_WORKSPACE", self.folder.path())
            .env("RUNNER_TEMP", self.folder.path())
            .env(
                "GITHUB_WORKFLOW_REF",
                "octo/hello/.github/workflows/release.yml@refs/heads/main",
            );
        command
    }

    fn ended(&self, mut command: Command) -> Ended {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let report = fs::read(self.folder.path().join("rehearsal.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let ended = Ended {
            exit: output.status.code().unwrap_or(-1),
            table: text(&output.stdout),
            told: text(&output.stderr),
            report,
        };
        for shown in [&ended.table, &ended.told] {
            assert!(!shown.contains(&self.token), "{shown}");
        }
        if let Some(report) = &ended.report {
            schema::fits("rehearsal", report);
            assert!(!report.to_string().contains(&self.token));
        }
        ended
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.ended(self.command(arguments))
    }

    /// Asserts that the repository is as it was.
    #[track_caller]
    fn is_clean(&self) {
        let refs: Vec<String> = git2::Repository::open_bare(self.sim.git_dir())
            .unwrap()
            .references()
            .unwrap()
            .map(|found| found.unwrap().name().unwrap().to_owned())
            .collect();
        assert_eq!(refs, ["refs/heads/main"]);
        assert!(self.sim.releases().is_empty());
        let pulls = self.sim.pulls();
        assert!(pulls.iter().all(|pull| pull.state == "closed"));
        assert!(pulls.iter().all(|pull| pull.labels.is_empty()));
        let effects = self.sim.effects();
        let count = |kind: &str, done: &str| {
            let all = effects.iter();
            all.filter(|effect| effect.starts_with(kind) && effect.contains(done))
                .count()
        };
        assert_eq!(count("ruleset ", " created"), count("ruleset ", " deleted"));
        assert_eq!(
            count("protection ", " set"),
            count("protection ", " removed")
        );
        assert_eq!(count("comment ", " on "), count("comment ", " deleted"));
        let folders = fs::read_dir(self.folder.path()).unwrap();
        let left: Vec<_> = folders
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "rehearsal.json")
            .collect();
        assert_eq!(left, [] as [std::ffi::OsString; 0]);
    }
}

impl Ended {
    fn probes(&self) -> &[Value] {
        self.report.as_ref().unwrap()["probes"].as_array().unwrap()
    }

    /// The ids of the probes with this verdict.
    fn that(&self, verdict: &str) -> BTreeSet<String> {
        self.probes()
            .iter()
            .filter(|probe| probe["verdict"] == verdict)
            .map(|probe| probe["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// What only people, other settings or very many requests settle.
const NOT_TRIED: &[&str] = &[
    "comment",
    "empty-repository",
    "environment-reviewers",
    "immutable",
    "long-history",
    "rate-limit-word",
    "rename",
    "rerun",
    "runner-cancel",
    "runner-container",
    "runner-limits",
    "secondary-limit",
];

#[test]
fn against_the_simulator_everything_holds_and_nothing_is_left_behind() {
    let ground = Ground::new().in_job();
    let ended = ground.ended(ground.job(&["--reviewer", "hubot"]));
    assert_eq!(ended.exit, 0, "{}\n{}", ended.table, ended.told);
    assert_eq!(ended.that("differs"), ids(&[]));
    assert_eq!(ended.that("not_tried"), ids(NOT_TRIED), "{}", ended.table);
    assert_eq!(
        ended.report.as_ref().unwrap()["left_behind"],
        Value::from(Vec::<Value>::new())
    );
    ground.is_clean();
    let writes = ground.sim.writes().len();
    assert!(writes <= 300, "{writes}");
    assert!(ended.told.contains("It makes at most "), "{}", ended.told);
}

#[test]
fn where_immutable_releases_are_on_that_is_tried_too() {
    let ground = Ground::new();
    ground.sim.immutable_releases(true);
    let ended = ground.run(&["--probe", "immutable"]);
    assert_eq!(ended.that("holds"), ids(&["immutable"]), "{}", ended.table);
    assert_eq!(ended.exit, 0);
    ground.is_clean();
}

#[test]
fn what_takes_very_many_requests_is_tried_with_heavy_alone() {
    let ground = Ground::new();
    ground.sim.rate_limit(400, 400);
    let probes = ["--probe", "secondary-limit", "--probe", "rate-limit-word"];
    let ended = ground.run(&[&probes[..], &["--heavy"]].concat());
    assert_eq!(
        ended.that("holds"),
        ids(&["secondary-limit", "rate-limit-word"]),
        "{}",
        ended.table
    );
    ground.is_clean();
}

/// Which probes see a switch.
const SEEN: &[(Switch, &[&str])] = &[
    (Switch::AbsentFilesAreSilent, &["absent-file"]),
    (
        Switch::ActivityIsAbsent,
        &["activity", "whole-pull", "whole-release", "whole-tag"],
    ),
    (Switch::AnyAcceptIsServed, &["artifact-zip"]),
    (Switch::AssetsAreServedDirectly, &["asset-redirect"]),
    (Switch::OldRateLimitWord, &["rate-limit-word"]),
    (Switch::FreePrivatePlan, &["draft-pull", "free-plan"]),
    (Switch::FreshObjectsAreNotFound, &["tag-object"]),
    (Switch::FreshObjectsDoNotExist, &["tag-object"]),
    (Switch::FreshRefsAreMissing, &["lag"]),
    (Switch::FreshAssetsAreMissing, &["asset-lag"]),
    (Switch::PublishedStillListedAsDraft, &["list-lag"]),
    (Switch::ReviewersAreDropped, &["dropped-reviewers"]),
    (Switch::LabelsAreDropped, &["labels"]),
    // On loopback no subdomain may see the token, so nothing can be uploaded either.
    (Switch::UploadsHaveTheirOwnHost, &["ghes", "whole-release"]),
    (
        Switch::WebCommitSigningIsOff,
        &["append-signature", "guarded-append"],
    ),
];

/// Switches that no probe can see, with the reason.
const UNSEEN: &[(Switch, &str)] = &[(
    Switch::ActivityIsLate,
    "the probe looks until the moves show, as the product does",
)];

#[test]
fn every_switch_has_its_probe_or_a_reason_for_having_none() {
    let seen = SEEN.iter().map(|(switch, _)| *switch);
    let unseen = UNSEEN.iter().map(|(switch, _)| *switch);
    let known: BTreeSet<Switch> = seen.chain(unseen).collect();
    assert_eq!(known, Switch::ALL.iter().copied().collect());
}

/// The probes that differ while a switch is on.
#[track_caller]
fn differ_under(switch: Switch) {
    let (_, expected) = SEEN.iter().find(|(seen, _)| *seen == switch).unwrap();
    let ground = Ground::new().in_job();
    ground.sim.turn_on(switch);
    let mut arguments = vec!["--reviewer", "hubot"];
    if switch == Switch::OldRateLimitWord {
        ground.sim.rate_limit(400, 60);
        arguments = vec!["--heavy", "--probe", "rate-limit-word"];
    }
    let ended = ground.ended(ground.job(&arguments));
    assert_eq!(ended.that("differs"), ids(expected), "{}", ended.table);
    let left_behind = &ended.report.as_ref().unwrap()["left_behind"];
    assert_eq!(*left_behind, Value::Array(Vec::new()));
    assert_eq!(ended.exit, 5);
    ground.is_clean();
}

macro_rules! seen {
    ($($name:ident: $switch:ident,)+) => {
        $(
            #[test]
            fn $name() {
                differ_under(Switch::$switch);
            }
        )+
    };
}

seen! {
    silence_about_absent_files_is_seen: AbsentFilesAreSilent,
    a_server_without_activity_is_seen: ActivityIsAbsent,
    archives_for_any_accept_are_seen: AnyAcceptIsServed,
    assets_without_a_redirect_are_seen: AssetsAreServedDirectly,
    the_old_word_for_the_limit_is_seen: OldRateLimitWord,
    a_plan_without_rulesets_is_seen: FreePrivatePlan,
    fresh_objects_that_are_not_found_are_seen: FreshObjectsAreNotFound,
    fresh_objects_that_do_not_exist_are_seen: FreshObjectsDoNotExist,
    fresh_refs_that_are_missing_are_seen: FreshRefsAreMissing,
    fresh_assets_that_are_missing_are_seen: FreshAssetsAreMissing,
    a_publication_that_is_listed_as_a_draft_is_seen: PublishedStillListedAsDraft,
    reviewers_that_are_dropped_are_seen: ReviewersAreDropped,
    labels_that_are_dropped_are_seen: LabelsAreDropped,
    uploads_on_a_host_of_their_own_are_seen: UploadsHaveTheirOwnHost,
    commits_that_nobody_signs_are_seen: WebCommitSigningIsOff,
}

#[test]
fn a_repository_in_use_is_refused_unless_its_name_is_repeated() {
    type Use = fn(&Simulator);
    let uses: [(&str, Use); 3] = [
        ("it has the branch `next`", |sim| {
            sim.commit("next", &[("a.txt", b"a")]);
        }),
        ("it has the tag `v1`", |sim| {
            sim.tag("v1", &sim.ref_oid("refs/heads/main").unwrap());
        }),
        ("`a.txt` was changed after its first commit", |sim| {
            sim.commit("main", &[("a.txt", b"a")]);
        }),
    ];
    for (found, make) in uses {
        let ground = Ground::new();
        make(&ground.sim);
        let refused = ground.run(&["--probe", "clock"]);
        assert_eq!(refused.exit, 3, "{}", refused.told);
        assert!(refused.told.contains(found), "{}", refused.told);
        assert!(refused.told.contains("--really octo/hello"));
        assert_eq!(ground.sim.writes().len(), 0);

        let other = ground.run(&["--probe", "clock", "--really", "octo/other"]);
        assert_eq!(other.exit, 2, "{}", other.told);
        assert!(other.told.contains("names octo/other"), "{}", other.told);
        let named = ground.run(&["--probe", "clock", "--really", "octo/hello"]);
        assert_eq!(named.exit, 0, "{}", named.told);
    }
}

#[test]
fn workflows_of_a_rehearsal_may_lie_beside_the_first_commit() {
    let ground = Ground::new();
    let path = ".github/workflows/countersign-rehearse.yml";
    ground.sim.commit("main", &[(path, b"on: push\n")]);
    assert_eq!(ground.run(&["--probe", "clock"]).exit, 0);
}

#[test]
fn an_empty_repository_needs_a_first_commit() {
    let ground = Ground::on(Simulator::builder().empty().start());
    let ended = ground.run(&[]);
    assert_eq!(ended.exit, 0, "{}", ended.table);
    let release = ended
        .probes()
        .iter()
        .find(|probe| probe["id"] == "whole-release")
        .unwrap();
    assert_eq!(release["found"], "needs a first commit in the repository");
    assert!(ended.that("holds").contains("empty-repository"));
    assert_eq!(ground.sim.effects(), [] as [&str; 0]);
    for said in [
        "The repository is empty: only the probe empty-repository can be tried there.",
        "It tries 1 content write, which GitHub should refuse.",
    ] {
        assert!(ended.told.contains(said), "{}", ended.told);
    }
}

#[test]
fn a_ledger_that_was_there_before_is_neither_used_nor_removed() {
    let ground = Ground::new();
    ground
        .sim
        .orphan("receipt-ledger", &[("ledger.json", b"{}")]);
    let before = ground.sim.ref_oid("refs/heads/receipt-ledger");
    let arguments = ["--probe", "whole-tag", "--really", "octo/hello"];
    let ended = ground.run(&arguments);
    assert_eq!(ended.exit, 0, "{}", ended.table);
    assert!(ended.that("not_tried").contains("whole-tag"));
    assert_eq!(ground.sim.ref_oid("refs/heads/receipt-ledger"), before);
}

#[test]
fn a_redacted_report_holds_no_name() {
    let ground = Ground::new();
    let ended = ground.run(&["--redact", "--reviewer", "hubot"]);
    assert_eq!(ended.exit, 0, "{}", ended.table);
    let report = ended.report.as_ref().unwrap();
    let text = report.to_string();
    let names = regex::Regex::new("(?i)\\b(octo|hello|hubot|octocat)\\b").unwrap();
    assert!(!names.is_match(&text), "{text}");
    assert_eq!(report["repository"], "REDACTED/REDACTED");
    for probe in ended.probes() {
        assert_eq!(probe["request_id"], Value::Null);
    }
}

#[test]
fn after_a_request_that_fails_everything_is_removed_all_the_same() {
    let ground = Ground::new();
    for nth in [3, 9] {
        let matcher = Matcher::endpoint(Endpoint::CreateRef);
        let fault = Fault::on(matcher).nth(nth).then(Effect::StatusAfter(500));
        ground.sim.plan(fault);
    }
    let ended = ground.run(&[]);
    assert_eq!(ended.exit, 5, "{}", ended.table);
    ground.is_clean();
}

#[test]
fn what_cannot_be_removed_is_listed() {
    let ground = Ground::new();
    let matcher = Matcher::endpoint(Endpoint::DeleteRef);
    let fault = Fault::on(matcher).times(usize::MAX);
    ground.sim.plan(fault.then(Effect::StatusBefore(403)));
    let ended = ground.run(&["--probe", "tag-object"]);
    assert_eq!(ended.exit, 1, "{}", ended.table);
    let left = ended.report.as_ref().unwrap()["left_behind"].to_string();
    assert!(left.contains("refs/tags/countersign-rehearsal-"), "{left}");
    assert!(
        ended.told.contains("left behind: refs/tags/"),
        "{}",
        ended.told
    );
}

#[test]
fn after_an_interrupt_everything_is_removed_all_the_same() {
    for (signal, name) in [("-INT", "SIGINT"), ("-TERM", "SIGTERM")] {
        let ground = Ground::new();
        let matcher = Matcher::endpoint(Endpoint::UploadAsset);
        ground
            .sim
            .plan(Fault::on(matcher).nth(3).then(Effect::Stall));
        let mut command = ground.command(&["--probe", "whole-tag", "--probe", "uploads"]);
        let child = command.spawn().unwrap();
        ground.sim.wait_until(|events| {
            let uploads = events
                .iter()
                .filter(|event| event.endpoint == Endpoint::UploadAsset);
            uploads.count() >= 3
        });
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        let report = fs::read_to_string(ground.folder.path().join("rehearsal.json")).unwrap();
        assert!(
            report.contains(&format!("interrupted by {name}")),
            "{report}"
        );
        ground.is_clean();
    }
}

#[test]
fn what_was_not_reached_before_an_interrupt_is_listed_and_a_difference_is_not_hidden_by_it() {
    let ground = Ground::new();
    ground.sim.turn_on(Switch::AbsentFilesAreSilent);
    let stall = Fault::on(Matcher::endpoint(Endpoint::UploadAsset)).then(Effect::Stall);
    ground.sim.plan(stall);
    let probes = ["absent-file", "uploads", "clock"];
    let arguments: Vec<&str> = probes.iter().flat_map(|id| ["--probe", id]).collect();
    let child = ground.command(&arguments).spawn().unwrap();
    ground.sim.wait_until(|events| {
        events
            .iter()
            .any(|event| event.endpoint == Endpoint::UploadAsset)
    });
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.unwrap().success());

    let output = child.wait_with_output().unwrap();

    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{table}");
    for line in [
        "differs    absent-file ",
        "not tried  uploads                 interrupted by SIGINT\n",
        "not tried  clock                   interrupted by SIGINT\n",
        "0 holds, 1 differs, 2 not tried",
        "The rehearsal was interrupted by SIGINT: run it again for what is not tried.",
    ] {
        assert!(table.contains(line), "{line:?} in {table}");
    }
    let report = fs::read(ground.folder.path().join("rehearsal.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let found = |id: &str| {
        let mut probes = report["probes"].as_array().unwrap().iter();
        probes.find(|probe| probe["id"] == id).unwrap()["found"].clone()
    };
    assert_eq!(found("clock"), "interrupted by SIGINT");
    assert_eq!(found("lag"), "not asked for");
    ground.is_clean();
}

#[test]
fn what_the_token_may_not_do_is_not_tried_and_names_the_permission() {
    let mut ground = Ground::new().in_job();
    ground.token = ground.sim.token(Permissions::read());
    let ended = ground.ended(ground.job(&["--reviewer", "hubot"]));
    assert_eq!(ended.that("differs"), ids(&[]), "{}", ended.table);
    assert_eq!(ended.exit, 0, "{}\n{}", ended.table, ended.told);
    for (id, permission) in [
        ("whole-release", "needs the permission contents: write"),
        ("lag", "needs the permission contents: write"),
        ("artifact-zip", "needs the permission actions: read"),
        ("dispatch", "needs the permission actions: write"),
    ] {
        let line = format!("not tried  {id:<23} {permission}");
        assert!(ended.table.contains(&line), "{line:?} in {}", ended.table);
    }
    ground.is_clean();
}

#[test]
fn what_a_token_lacks_in_an_operation_is_named_too() {
    let mut ground = Ground::new();
    ground.token = ground.sim.token(Permissions {
        pull_requests: Access::Read,
        ..Permissions::write()
    });
    let ended = ground.run(&[
        "--probe",
        "whole-pull",
        "--probe",
        "pull",
        "--probe",
        "labels",
    ]);
    assert_eq!(ended.exit, 0, "{}\n{}", ended.table, ended.told);
    assert_eq!(ended.that("not_tried").len(), ended.probes().len());
    let named = ended.table.matches("pull-requests: write").count();
    assert_eq!(named, 3, "{}", ended.table);
    ground.is_clean();
}

#[test]
fn where_jobs_may_not_open_pull_requests_the_setting_is_named() {
    let ground = Ground::new();
    ground.sim.allow_actions_pull_requests(false);
    let ended = ground.run(&["--probe", "pull"]);
    assert_eq!(ended.exit, 0, "{}", ended.table);
    let needed = "needs the setting \"Allow GitHub Actions to create and approve pull requests\"";
    assert!(ended.table.contains(needed), "{}", ended.table);
}

#[test]
fn a_reviewer_who_is_no_collaborator_is_not_a_difference() {
    let ground = Ground::new();
    let arguments = ["--reviewer", "stranger", "--probe", "dropped-reviewers"];
    let ended = ground.run(&arguments);
    assert_eq!(ended.exit, 0, "{}", ended.table);
    let needed = "needs reviewer: a collaborator who does not open the pull request";
    assert!(ended.table.contains(needed), "{}", ended.table);
}

#[test]
fn a_difference_says_what_it_means_and_the_page_what_to_do() {
    let ground = Ground::new();
    ground.sim.turn_on(Switch::LabelsAreDropped);
    let ended = ground.run(&["--probe", "labels"]);
    for part in [
        "\nmeaning                            `open_pr` reports labels that the pull request does not have.\n",
        "\n\nWhat to do: Until that is settled, do without `open_pr` on this server. Run it again with `--out rehearsal.json --redact`, and attach that file to a bug report.",
    ] {
        assert!(ended.table.contains(part), "{part:?} in {}", ended.table);
    }

    // Pull requests of the first rehearsal are closed, but listed.
    let again = ["--really", "octo/hello", "--probe"];
    let redacted = ground.run(&[&again[..], &["labels", "--redact"]].concat());
    let sent = "Attach the file of --out to a bug report: it names nobody.";
    assert!(redacted.table.contains(sent), "{}", redacted.table);

    let fine = ground.run(&[&again[..], &["clock"]].concat());
    let nothing = "\n\nWhat to do: Nothing differs, as far as it was tried.\n";
    assert!(fine.table.ends_with(nothing), "{}", fine.table);
}

#[test]
fn the_announcement_counts_what_is_made() {
    let ground = Ground::new();
    let reads = ground.run(&["--probe", "clock"]).told;
    assert!(reads.contains("It only reads; nothing is made."), "{reads}");
    assert!(!reads.contains("receipt-ledger"), "{reads}");
    assert!(
        reads.contains("1/1 clock (0 content writes so far)"),
        "{reads}"
    );
    let one = ground.run(&["--probe", "commit-comments"]).told;
    assert!(one.contains("It makes at most 1 content write.\n"), "{one}");
}

#[test]
fn the_comment_of_a_review_is_compared_with_what_it_announces() {
    let comment = |announced: usize, lines: usize, line: &str| {
        let lines = vec![line; lines].join("\r\n");
        format!("countersign-rehearsal {announced}\r\n{lines}\r\n")
    };
    let line = r#"{"a":"<>&+/="}"#;
    for (comment, exit, found) in [
        (
            comment(1000, 1000, line),
            0,
            "1000 of 1000 lines unchanged, line ends CRLF",
        ),
        (comment(1000, 900, line), 5, "900 of 900 lines"),
        (comment(2, 2, r#"{"a":"&lt;"}"#), 5, "0 of 2 lines"),
        (
            "Looks good.".into(),
            0,
            "needs a review of this run with the comment",
        ),
    ] {
        let ground = Ground::new().in_job();
        let review = |comment| {
            ground
                .sim
                .review(RUN, "hubot", "rehearsal", "approved", comment);
        };
        review("Something else.");
        review(&comment);
        let ended = ground.ended(ground.job(&["--probe", "comment"]));
        assert_eq!(ended.exit, exit, "{}", ended.table);
        assert!(ended.table.contains(found), "{found:?} in {}", ended.table);
    }
}

#[test]
fn names_are_left_out_of_a_file_alone() {
    let ground = Ground::new();
    let mut command = Command::new(hurried());
    command
        .args(["rehearse", "--repository", ground.sim.repository()])
        .args(["--redact", "--probe", "clock"])
        .env_clear()
        .current_dir(ground.folder.path());
    let ended = ground.ended(command);
    assert_eq!(ended.exit, 2, "{}", ended.told);
    assert!(ended.told.contains("--out <FILE>"), "{}", ended.told);
}

/// The rows of `--list`: id and facts.
fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(hurried())
        .args(["rehearse", "--list"])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let (row, facts) = line.rsplit_once('[').unwrap();
            let facts = facts.trim_end_matches(']').split(' ');
            (
                row.split(' ').next().unwrap().to_owned(),
                facts
                    .filter(|fact| !fact.is_empty())
                    .map(Into::into)
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn every_fact_and_its_probe_name_each_other() {
    let listed = listed();
    let known: BTreeSet<&str> = Fact::ALL.iter().map(|fact| fact.row().id).collect();
    for (probe, facts) in &listed {
        let unknown: Vec<_> = facts
            .iter()
            .filter(|fact| !known.contains(fact.as_str()))
            .collect();
        assert_eq!(unknown, [] as [&String; 0], "{probe}");
    }
    for row in Fact::ALL.iter().map(|fact| fact.row()) {
        if let Some(probe) = row.probe {
            let facts = listed
                .get(probe)
                .unwrap_or_else(|| panic!("{}: there is no probe {probe}", row.id));
            assert!(facts.contains(row.id), "{probe} does not name {}", row.id);
        }
    }
}

#[test]
fn a_probe_that_does_not_exist_is_an_error() {
    let ground = Ground::new();
    let ended = ground.run(&["--probe", "no-such-probe"]);
    assert_eq!(ended.exit, 2);
    assert!(ended.told.contains("there is no probe `no-such-probe`"));
    assert_eq!(ground.sim.events().len(), 0);
}

#[test]
fn without_a_terminal_it_begins_with_yes_alone() {
    let ground = Ground::new();
    let mut command = Command::new(hurried());
    command
        .args(["rehearse", "--repository", ground.sim.repository()])
        .env_clear()
        .env("GH_TOKEN", &ground.token)
        .env("GITHUB_API_URL", ground.sim.api_url())
        .env("GITHUB_GRAPHQL_URL", ground.sim.graphql_url())
        .current_dir(ground.folder.path())
        .stdin(Stdio::null());
    let ended = ground.ended(command);
    assert_eq!(ended.exit, 1, "{}", ended.told);
    assert!(ended.told.contains("use --yes"), "{}", ended.told);
    assert_eq!(ground.sim.writes().len(), 0);
}
