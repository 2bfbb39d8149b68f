//! The way before the publisher: a campaign becomes a plan, approvers sign it under a policy, and it ships in its order.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    process::{Command, Output},
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    ledger::{Checkpoint, EntryId, Head, entry_path},
    plan::Plan,
};
use countersign_sim::{Access, Effect, Endpoint, Fault, Hold, Permissions, Simulator};
use harness::{Attempt, RUN, Report, Stage};

const CAMPAIGN: &str = r#"
name = "Version 1.0.0"

[variables]
version = "1.0.0"

[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "v{version}"
message = "Version {version}"

[[operation]]
id = "release"
operation = "publish_release"
needs = ["tag"]
tag-name = "v{version}"
body-file = "NOTES.md"
files = ["dist/*.zip"]

[[operation]]
id = "pull"
operation = "open_pr"
needs = ["release"]
title = "After {version}"
head-branch = "next"
labels = ["release"]
"#;

/// Three approvers, each with a key of their own, and a policy under which two of them must agree.
struct Office {
    stage: Stage,
    root: String,
}

impl Office {
    fn new() -> Self {
        let stage = Stage::new();
        stage.file("NOTES.md", "All new.\n");
        fs::create_dir(stage.workspace().join("dist")).unwrap();
        stage
            .file("dist/app.zip", "abc")
            .file("campaign.toml", CAMPAIGN);
        stage.sim.commit("next", &[("next.txt", b"next\n")]);
        let mut office = Self {
            stage,
            root: String::new(),
        };
        for name in ["alice", "bob", "carol"] {
            assert_eq!(
                office
                    .run(&[
                        "keys",
                        "generate",
                        "--no-passphrase",
                        "--out",
                        name,
                        "--name",
                        name
                    ])
                    .0,
                0
            );
        }
        office.stage.policy(&office.policy());
        office.root = office.trust("1", "");
        office
    }

    /// A command of somebody, in the folder where the keys are.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        ended(
            &self
                .stage
                .command(arguments)
                .env("GH_TOKEN", &self.stage.token)
                .output()
                .unwrap(),
        )
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.stage.folder.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.stage.folder.path().join(name), text).unwrap();
    }

    fn policy(&self) -> String {
        let rule = |name: &str, operation: &str, pattern: &str| {
            format!(
                "\n[[rule]]\nname = \"{name}\"\noperation = \"{operation}\"\nrepository = \"{}\"\nrepository_id = {}\n{pattern}\n\
                 approvers = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\nlongest_lifetime = \"1h\"\nexclude_requester = true\n",
                self.stage.sim.repository(),
                self.stage.sim.repository_id()
            )
        };
        let rules = [
            rule("tags", "tag_repo", "tag = \"v*\""),
            rule("releases", "publish_release", "tag = \"v*\""),
            rule("pull requests", "open_pr", "branch = \"main\""),
        ];
        format!("version = 1\n{}", rules.concat())
    }

    /// Puts a version of the trust file in place, signed by alice and carol; gives its root. `bob` is what is said of Bob's key.
    fn trust(&self, version: &str, bob: &str) -> String {
        let key = |name: &str, more: &str| {
            let line = self.read(&format!("{name}.pub"));
            format!(
                "\n[[key]]\nname = \"{name}\"\nlogin = \"{name}-gh\"\nkey = \"{}\"\n{more}\n",
                line.trim()
            )
        };
        let text = format!(
            "version = {version}\nthreshold = 2\n{}{}{}",
            key("alice", ""),
            key("bob", bob),
            key("carol", "")
        );
        self.write("version.toml", &text);
        let mut propose = vec![
            "trust",
            "propose",
            "version.toml",
            "--policy",
            "workspace/policy.toml",
            "--key",
            "alice",
            "--yes",
        ];
        if version != "1" {
            propose.extend(["--after", "workspace/trust.json"]);
        }
        let (exit, half, told) = self.run(&propose);
        assert!(
            exit == 0 && told.contains("It does not count yet"),
            "{told}"
        );
        self.write("half.json", &half);
        let (exit, whole, told) =
            self.run(&["trust", "sign", "half.json", "--key", "carol", "--yes"]);
        assert!(
            exit == 0 && told.contains(&format!("It counts now: version {version} ")),
            "{told}"
        );
        self.stage.file("trust.json", whole);
        told.rsplit("Its root is ")
            .next()
            .unwrap()
            .trim()
            .trim_end_matches('.')
            .to_owned()
    }

    /// The dry run of the campaign, started by `actor`; its plan lies in the workspace.
    fn dry_run(&self, actor: &str) -> Report {
        let report = self
            .attempt(actor)
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .run();
        assert_eq!(
            (report.exit, report.status()),
            (0, "dry_run"),
            "{}",
            report.log
        );
        fs::copy(report.plan(), self.stage.workspace().join("plan.json")).unwrap();
        report
    }

    fn attempt(&self, actor: &str) -> Attempt<'_> {
        let attempt = Attempt::new(&self.stage)
            .variable("GITHUB_ACTOR", actor)
            .variable("GITHUB_TRIGGERING_ACTOR", actor);
        attempt.input("trusted-keys", "")
    }

    /// Receipts for the plan by the first approver, then signed by the others.
    fn receipts(&self, approvers: &[&str]) -> String {
        let (first, others) = approvers.split_first().unwrap();
        let (exit, receipts, told) =
            self.run(&[&["authorize", PLAN, "--key", first, "--yes"], BY].concat());
        assert_eq!(exit, 0, "{told}");
        let by = ["--plan", PLAN, "--trusted-keys", "workspace/trust.json"];
        others.iter().fold(receipts, |receipts, key| {
            self.write("receipts", &receipts);
            let (exit, signed, told) =
                self.run(&[&["sign", "receipts", "--key", key, "--yes"], by.as_slice()].concat());
            assert_eq!(exit, 0, "{told}");
            signed
        })
    }

    /// The plan with the ledger as it is now, as a plan that is made again would name it.
    fn plan_sees_the_ledger(&self) {
        let path = self.stage.workspace().join("plan.json");
        let text = fs::read_to_string(&path).unwrap();
        let plan = Plan::from_document(text.as_bytes()).unwrap();
        let before = plan.operations()[0].ledger();
        let tip = self.stage.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        let head = self.stage.sim.read_file("receipt-ledger", "ledger.json");
        let now = Checkpoint {
            commit: tip.parse().unwrap(),
            head: Head::from_document(&head.unwrap()).unwrap(),
        };
        let json = |checkpoint: &Checkpoint| serde_json::to_string(checkpoint).unwrap();
        let text = text
            .replace(&json(before), &json(&now))
            .replace(&before.to_string(), &now.to_string());
        fs::write(&path, text).unwrap();
    }

    /// The publication of the plan, in the run that `actor` started.
    fn publish(&self, actor: &str, receipts: &str) -> Attempt<'_> {
        let plan = fs::read(self.stage.workspace().join("plan.json")).unwrap();
        self.attempt(actor)
            .input("plan", "plan.json")
            .input("plan-digest", &Digest::of(&plan).to_string())
            .input("receipt", receipts)
            .input("trust-file", "trust.json")
            .input("trust-root", &self.root)
            .input("policy-file", "policy.toml")
    }
}

const PLAN: &str = "workspace/plan.json";
const BY: &[&str] = &[
    "--policy",
    "workspace/policy.toml",
    "--trusted-keys",
    "workspace/trust.json",
];

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// `id status` of every operation, `-` for one that was not begun.
fn results(report: &Report) -> Vec<String> {
    let results: serde_json::Value = serde_json::from_str(&report.outputs["results"]).unwrap();
    let one = |result: &serde_json::Value| {
        format!(
            "{} {}",
            result["id"].as_str().unwrap(),
            result["status"].as_str().unwrap_or("-")
        )
    };
    results.as_array().unwrap().iter().map(one).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from plan to publication")]
fn a_campaign_is_planned_signed_by_two_and_shipped_in_its_order() {
    let office = Office::new();
    let plan = office.dry_run("dana");
    for part in [
        "### Operations",
        "### What would change",
        "GH_TOKEN=$(gh auth token) countersign authorize \\\n  --run 17231231 --repository octo/hello --key release-key",
    ] {
        assert!(plan.summary.contains(part), "{part} in {}", plan.summary);
    }
    let receipts = office.receipts(&["alice", "bob"]);
    assert_eq!(receipts.lines().count(), 3);
    let report = office.publish("dana", &receipts).run();
    assert_eq!(
        (report.exit, report.status()),
        (0, "success"),
        "{}",
        report.log
    );
    assert_eq!(
        results(&report),
        ["tag success", "release success", "pull success"]
    );
    assert_eq!(
        office
            .stage
            .ledger()
            .iter()
            .map(|entry| format!("{} {}", entry.operation_kind, entry.event_type))
            .collect::<Vec<_>>(),
        ["tag_repo", "publish_release", "open_pr"]
            .iter()
            .flat_map(|kind| ["claimed", "succeeded"]
                .map(|event| format!("{kind} github_publisher.operation.{event}")))
            .collect::<Vec<_>>()
    );
    let sim = &office.stage.sim;
    assert_eq!(sim.ref_oid("refs/heads/main"), Some(office.stage.main()));
    assert_eq!(
        (
            sim.releases()[0].tag_name.as_str(),
            sim.releases()[0].draft,
            sim.releases()[0].assets.len()
        ),
        ("v1.0.0", false, 1)
    );
    assert_eq!(
        (
            sim.pulls()[0].title.as_str(),
            sim.pulls()[0].labels.join(",")
        ),
        ("After 1.0.0", "release".into())
    );
    // Every operation has a record of its own, which names its place and by what it was decided.
    let records: Vec<serde_json::Value> = report.outputs["audit-record"]
        .lines()
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        .collect();
    let places: Vec<String> = records
        .iter()
        .map(|record| {
            format!(
                "{} {}",
                record["campaign"]["id"], record["campaign"]["position"]
            )
        })
        .collect();
    assert_eq!(places, ["\"tag\" 1", "\"release\" 2", "\"pull\" 3"]);
    assert!(
        records
            .iter()
            .all(|record| record["authority"]["trust"]["version"] == 1
                && record["authority"]["policy"]["version"] == 1)
    );
    assert!(
        records.iter().all(|record| record["requests"]
            .as_u64()
            .is_some_and(|requests| requests < 10)),
        "{records:?}"
    );
    for part in [
        "all of it shipped",
        "✅",
        "<code>release</code>",
        "Trust file",
        "Policy",
    ] {
        assert!(
            report.summary.contains(part),
            "{part} in {}",
            report.summary
        );
    }
    // The ledger verifies by the trust file; what stood behind it is remembered.
    let (exit, told, _) = office.run(&[
        "ledger",
        "verify",
        "--repository",
        "octo/hello",
        "--trusted-keys",
        "workspace/trust.json",
    ]);
    assert!(
        exit == 0
            && told.contains(
                "signatures  hold: 3 receipts, each by as many keys as the trust file asked for"
            ),
        "{told}"
    );
    assert!(sim.read_file("receipt-ledger", "authority.json").is_some());
}

#[test]
fn one_signature_too_few_is_refused() {
    let office = Office::new();
    office.dry_run("dana");
    let report = office.publish("dana", &office.receipts(&["alice"])).run();
    assert_eq!(
        (report.exit, report.code()),
        (3, "threshold_unmet"),
        "{}",
        report.log
    );
    assert!(
        report
            .message()
            .contains("1 person(s) signed the receipt with trusted keys, 2 must"),
        "{}",
        report.message()
    );
    assert_eq!(
        results(&report),
        ["tag rejected_by_auth", "release -", "pull -"]
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
}

#[test]
fn a_revoked_key_is_refused_by_its_name() {
    let office = Office::new();
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "bob"]);
    assert_eq!(
        office.trust("2", "revoked_at = \"2026-01-01T00:00:00Z\""),
        office.root,
        "the root stays"
    );
    let report = office.publish("dana", &receipts).run();
    assert_eq!(
        (report.exit, report.code()),
        (3, "key_revoked"),
        "{}",
        report.log
    );
    assert!(report.message().contains(
        "the key of `bob` signed the receipt, but it does not count: it was revoked at 2026-01-01"
    ));
    // Bob cannot sign for anybody any more.
    let (exit, out, told) =
        office.run(&[&["authorize", PLAN, "--key", "bob", "--yes"], BY].concat());
    assert!(
        exit == 1
            && out.is_empty()
            && told.contains("the key of `bob` does not count: it was revoked"),
        "{told}"
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
}

#[test]
fn a_requester_who_approves_is_refused() {
    let office = Office::new();
    office.dry_run("bob-gh");
    // On the approver's side the receipt is advisory…
    let (exit, advisory, told) =
        office.run(&[&["authorize", PLAN, "--key", "bob", "--yes"], BY].concat());
    assert!(
        exit == 3 && told.contains("`tag`: the receipt is advisory: policy_requester_approved: "),
        "{told}"
    );
    let report = office
        .publish("bob-gh", &advisory)
        .input("trust-file", "")
        .input("trust-root", "");
    let keys = office.read("bob.pub");
    let alone = report
        .input("trusted-keys", &keys)
        .input("policy-file", "")
        .run();
    assert_eq!(
        (alone.exit, alone.code()),
        (3, "advisory_receipt"),
        "{}",
        alone.log
    );
    // …and whoever signs without asking the policy is refused by the publisher, who knows who started the run.
    let (exit, one, _) = office.run(&["authorize", PLAN, "--key", "bob", "--yes"]);
    assert_eq!(exit, 0);
    office.write("receipts", &one);
    let by = ["--plan", PLAN, "--trusted-keys", "workspace/trust.json"];
    let (exit, both, told) = office.run(
        &[
            &["sign", "receipts", "--key", "alice", "--yes"],
            by.as_slice(),
        ]
        .concat(),
    );
    assert_eq!(exit, 0, "{told}");
    for actor in ["bob-gh", "BOB-gh"] {
        let report = office.publish(actor, &both).run();
        assert_eq!(
            (report.exit, report.code()),
            (3, "policy_requester_approved"),
            "{}",
            report.log
        );
    }
    let rerun = office
        .publish("dana", &both)
        .variable("GITHUB_TRIGGERING_ACTOR", "bob-gh")
        .run();
    assert_eq!(
        (rerun.exit, rerun.code()),
        (3, "policy_requester_approved"),
        "{}",
        rerun.log
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
}

#[test]
fn an_edited_plan_is_refused() {
    let office = Office::new();
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "bob"]);
    let plan = fs::read_to_string(office.stage.workspace().join("plan.json")).unwrap();
    for (from, to) in [
        ("All new.", "All old."),
        (
            "\"requested_by\":[\"dana\"]",
            "\"requested_by\":[\"dana\" ]",
        ),
        ("\"from\":null", "\"from\":\"x\""),
    ] {
        office.stage.file("plan.json", plan.replacen(from, to, 1));
        let report = office.publish("dana", &receipts).run();
        assert_eq!(
            (report.exit, report.code()),
            (3, "plan_invalid"),
            "{from}: {}",
            report.log
        );
    }
    // One that is well formed, but another than was approved.
    office.stage.file("NOTES.md", "Quite new.\n");
    office.dry_run("dana");
    let report = office.publish("dana", &receipts).run();
    // That the release has no receipt is told before the tag is made.
    assert_eq!(
        results(&report),
        ["tag rejected_by_auth", "release -", "pull -"],
        "{}",
        report.log
    );
    assert_eq!(report.code(), "receipt_missing");
    assert!(
        report
            .message()
            .starts_with("none of the 3 receipts is for the operation "),
        "{}",
        report.message()
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
    // And a file that changed after the approval.
    office.stage.file("dist/app.zip", "abd");
    let report = office.publish("dana", &receipts).run();
    assert_ne!(report.exit, 0);
    assert_eq!(office.stage.sim.releases().len(), 0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from plan to publication")]
fn a_campaign_that_broke_goes_on_where_it_stopped() {
    let office = Office::new();
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "carol"]);
    // GitHub refuses the release for good.
    office
        .stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::StatusBefore(422)));
    let broken = office.publish("dana", &receipts).run();
    assert_ne!(broken.exit, 0);
    assert_eq!(
        results(&broken),
        ["tag success", "release failed", "pull -"],
        "{}",
        broken.log
    );
    for part in [
        "1 of 3 shipped; it stopped at <code>release</code>",
        "⏸",
        "not begun",
        "Re-run the job to go on",
    ] {
        assert!(
            broken.summary.contains(part),
            "{part} in {}",
            broken.summary
        );
    }
    assert_eq!(office.stage.sim.pulls().len(), 0);
    // The receipt for the release is spent; a new one for the same plan takes its place.
    let again = office
        .publish("dana", &receipts)
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run();
    // Not 3: that would say that nothing was written, and the tag has shipped.
    assert_eq!(
        (again.exit, again.code()),
        (1, "receipt_consumed"),
        "{}",
        again.log
    );
    assert_eq!(
        results(&again),
        ["tag success", "release rejected_by_auth", "pull -"]
    );
    // The failure ended the operation for every receipt that was issued before it.
    office.plan_sees_the_ledger();
    let more = format!("{receipts}\n{}", office.receipts(&["bob", "carol"]));
    let third = office
        .publish("dana", &more)
        .variable("GITHUB_RUN_ATTEMPT", "3");
    // Who re-ran it between the first and the newest attempt only GitHub knows, and the policy wants to know.
    third.run().refused("requester_unknown");
    for actor in ["dana", "erin", "dana"] {
        office.stage.sim.run(RUN.parse().unwrap(), "dana", actor);
    }
    let token = office.stage.sim.token(Permissions {
        actions: Access::Read,
        ..Permissions::write()
    });
    // Another run does not go on with what this one has begun, nor does it call it shipped.
    let elsewhere = third
        .clone()
        .input("token", &token)
        .variable("GITHUB_RUN_ID", "18")
        .run();
    assert_eq!(
        (elsewhere.exit, elsewhere.code()),
        (3, "run_id_mismatch"),
        "{}",
        elsewhere.log
    );
    let whole = third.input("token", &token).run();
    assert_eq!(
        results(&whole),
        ["tag success", "release success", "pull success"],
        "{}",
        whole.log
    );
    let tag = whole.outputs["audit-record"].lines().next().unwrap();
    assert!(
        fs::read_to_string(tag)
            .unwrap()
            .contains("An earlier attempt had shipped it: ledger entry 2 says so, and GitHub shows it as approved.")
    );
    assert_eq!(
        (
            office.stage.sim.releases().len(),
            office.stage.sim.pulls().len()
        ),
        (1, 1)
    );
    let claims = office
        .stage
        .ledger_events()
        .iter()
        .filter(|event| *event == "claimed")
        .count();
    assert_eq!(claims, 4, "the tag is not claimed again");
    let (exit, told, _) = office.run(&[
        "ledger",
        "verify",
        "--repository",
        "octo/hello",
        "--trusted-keys",
        "workspace/trust.json",
    ]);
    assert_eq!(exit, 0, "{told}");
}

#[test]
fn a_killed_campaign_is_resumed_by_the_next_attempt() {
    let office = Office::new();
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "bob"]);
    // Publication of the release is held, and the process is killed meanwhile.
    let hold = Hold::default();
    office
        .stage
        .sim
        .plan(Fault::on(Endpoint::PublishRelease).then(Effect::Held(hold.clone())));
    let (mut command, surfaces) = office.publish("dana", &receipts).process();
    let mut child = command.spawn().unwrap();
    hold.reached();
    child.kill().unwrap();
    let killed = surfaces.report(&child.wait_with_output().unwrap());
    assert_eq!(
        killed.outputs["audit-record"].lines().count(),
        2,
        "the records of both operations are told"
    );
    let again = office
        .publish("dana", &receipts)
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run();
    assert_eq!(
        results(&again),
        ["tag success", "release success", "pull success"],
        "{}",
        again.log
    );
    assert_eq!(
        (
            office.stage.sim.releases().len(),
            office.stage.sim.pulls().len()
        ),
        (1, 1)
    );
}

#[test]
fn the_same_world_gives_the_same_plan_and_what_does_not_ship_says_why() {
    let office = Office::new();
    let plan = |office: &Office| fs::read(office.dry_run("dana").plan()).unwrap();
    assert_eq!(plan(&office), plan(&office));
    let not_shipped = |office: &Office| {
        let report = office
            .attempt("dana")
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .run();
        let plan = Plan::from_document(&fs::read(report.plan()).unwrap()).unwrap();
        assert_eq!(
            report.code(),
            if plan.operations().is_empty() {
                "nothing_ships"
            } else {
                "-"
            },
            "{}",
            report.log
        );
        plan.not_shipped
            .iter()
            .map(|left| format!("{} {}", left.id, left.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(not_shipped(&office), Vec::<String>::new());
    // An asset is missing: what needs the release does not ship either.
    fs::remove_file(office.stage.workspace().join("dist/app.zip")).unwrap();
    assert_eq!(
        not_shipped(&office),
        ["release pattern_unmatched", "pull dependency_not_shipped"]
    );
    let report = office.dry_run("dana");
    for part in [
        "### Why not shipped",
        "the pattern",
        "will not ship",
        "it needs",
    ] {
        assert!(
            report.summary.contains(part),
            "{part} in {}",
            report.summary
        );
    }
    assert!(
        report.record["result"]
            .as_str()
            .unwrap()
            .contains("1 operation(s), which wait for their approval. 2 will not ship")
    );
    // The tag stands elsewhere, the branch is gone, and workflows differ.
    office.stage.file("dist/app.zip", "abc");
    let elsewhere = office.stage.sim.commit("elsewhere", &[("x", b"x")]);
    office.stage.sim.tag("v1.0.0", &elsewhere);
    assert_eq!(
        not_shipped(&office),
        [
            "tag preflight_tag_moved",
            "release preflight_tag_moved",
            "pull dependency_not_shipped"
        ]
    );
    office.stage.file(
        "campaign.toml",
        CAMPAIGN
            .replace("\"next\"", "\"gone\"")
            .replace("1.0.0", "2.0.0"),
    );
    assert_eq!(not_shipped(&office), ["pull commit_unknown"]);
    let workflows = office.stage.sim.commit(
        "workflows",
        &[(".github/workflows/evil.yml", b"on: push\n")],
    );
    office.stage.file(
        "campaign.toml",
        CAMPAIGN
            .replace("1.0.0", "3.0.0")
            .replace("message", &format!("target-sha = \"{workflows}\"\nmessage")),
    );
    assert_eq!(not_shipped(&office)[0], "tag preflight_workflows_differ");
    // Two operations that contradict each other.
    let older = office.stage.main();
    office.stage.sim.commit("main", &[("newer", b"newer")]);
    let twice = CAMPAIGN.replace("1.0.0", "4.0.0").replace(
        "needs = [\"tag\"]",
        &format!("needs = [\"tag\"]\ntarget-sha = \"{older}\""),
    );
    office.stage.file("campaign.toml", twice);
    assert_eq!(
        not_shipped(&office),
        [
            "release operations_contradict",
            "pull dependency_not_shipped"
        ]
    );
}

#[test]
fn a_plan_warns_of_what_an_approver_should_know() {
    let office = Office::new();
    office.stage.sim.commit("main", &[("later", b"later")]);
    let plan = Plan::from_document(&fs::read(office.dry_run("dana").plan()).unwrap()).unwrap();
    let warnings: Vec<String> =
        plan.operations()
            .iter()
            .flat_map(|planned| {
                planned.warnings().iter().map(|warning| {
                    format!("{} {}: {}", planned.id(), warning.code, warning.message)
                })
            })
            .collect();
    let next = office.stage.sim.ref_oid("refs/heads/next").unwrap();
    assert_eq!(
        warnings,
        [format!(
            "pull branch_behind: {next} lacks 1 commit(s) of the branch `main`"
        )]
    );
    let (_, _, shown) = office.run(&[&["authorize", PLAN, "--key", "alice", "--yes"], BY].concat());
    assert!(shown.contains("WARNING       branch_behind: "), "{shown}");
    assert!(
        shown.contains("create_tag        refs/tags/v1.0.0: nothing → "),
        "{shown}"
    );
}

#[test]
fn a_campaign_spans_repositories_each_with_its_ledger() {
    let office = Office::new();
    let other = office.stage.sim.beside("octo/other", 7_654_321);
    let everywhere = other.token_everywhere(Permissions::write());
    let init = office
        .stage
        .command(&["ledger", "init", "--repository", "octo/other"])
        .env("GH_TOKEN", &everywhere)
        .output()
        .unwrap();
    assert!(init.status.success());
    office.stage.file(
        "campaign.toml",
        "name = \"Both\"\n[[operation]]\nid = \"here\"\noperation = \"tag_repo\"\ntag-name = \"v1\"\n\
         [[operation]]\nid = \"there\"\noperation = \"tag_repo\"\nrepository = \"octo/other\"\ntag-name = \"v1\"\nneeds = [\"here\"]\n",
    );
    let run = office
        .attempt("dana")
        .input("token", &everywhere)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .run();
    assert_eq!(run.exit, 0, "{}", run.log);
    fs::copy(run.plan(), office.stage.workspace().join("plan.json")).unwrap();
    let plan = fs::read_to_string(run.plan()).unwrap();
    assert!(
        plan.contains("\"code\":\"permission_likely_missing\",\"message\":\"the job token of octo/hello cannot write to octo/other"),
        "{plan}"
    );
    let (exit, receipts, told) = office.run(&["authorize", PLAN, "--key", "alice", "--yes"]);
    assert_eq!(exit, 0, "{told}");
    let attempt = office
        .attempt("dana")
        .input("plan", "plan.json")
        .input("receipt", &receipts)
        .input("trusted-keys", &office.read("alice.pub"));
    // The job token cannot see the other repository: what follows is not begun, and nothing is claimed there.
    let half = attempt.clone().run();
    assert_eq!(
        results(&half),
        ["here success", "there rejected_by_auth"],
        "{}",
        half.log
    );
    let whole = attempt
        .input("token", &everywhere)
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run();
    assert_eq!(
        results(&whole),
        ["here success", "there success"],
        "{}",
        whole.log
    );
    assert_eq!(
        other.ref_oid("refs/tags/v1").is_some(),
        office.stage.sim.ref_oid("refs/tags/v1").is_some()
    );
    let (exit, told, _) = ended(
        &office
            .stage
            .command(&[
                "ledger",
                "verify",
                "--repository",
                "octo/other",
                "--trusted-keys",
                "alice.pub",
            ])
            .env("GH_TOKEN", &everywhere)
            .output()
            .unwrap(),
    );
    assert!(exit == 0 && told.contains("hold: 1 receipts"), "{told}");
}

/// Entries of a later version about something else, each padded to a size, on top of an empty ledger.
fn foreign_entries(sim: &Simulator, count: u64, size: usize) {
    let mut previous = String::from("null");
    for number in 1..=count {
        let mut entry = format!(
            "{{\"v\":2,\"sequence\":{number},\"previous\":{previous},\"event_type\":\"new\",\"run\":null,\"acting_run\":null,\"attempt\":null,\"operation_digest\":null,\"receipts\":[],\"more\":\""
        );
        let padding = size.saturating_sub(entry.len() + 3);
        entry.push_str(&"x".repeat(padding));
        entry.push_str("\"}\n");
        let head = Head::at(EntryId {
            sequence: number,
            digest: Digest::of(entry.as_bytes()),
        });
        sim.commit(
            "receipt-ledger",
            &[
                (&entry_path(number), entry.as_bytes()),
                ("ledger.json", &head.to_document()),
            ],
        );
        previous = format!("\"{}\"", Digest::of(entry.as_bytes()));
    }
}

#[test]
fn a_campaign_of_64_operations_reads_each_entry_once() {
    let office = Office::new();
    let tag = |number: u64| {
        format!(
            "[[operation]]\nid = \"tag-{number}\"\noperation = \"tag_repo\"\ntag-name = \"v{number}\"\n"
        )
    };
    let tags = (1..=64).map(tag).collect::<Vec<_>>().concat();
    let campaign = format!("name = \"Many\"\n{tags}");
    office.stage.file("campaign.toml", campaign);
    let plan = office.dry_run("dana");
    assert_eq!(plan.exit, 0, "{}", plan.log);
    let (exit, receipts, told) = office.run(&["authorize", PLAN, "--key", "alice", "--yes"]);
    assert_eq!(exit, 0, "{told}");
    foreign_entries(&office.stage.sim, 60, 400);

    let before = office.stage.sim.events().len();
    let report = office
        .attempt("dana")
        .input("plan", "plan.json")
        .input("receipt", &receipts)
        .input("trusted-keys", &office.read("alice.pub"))
        .run();
    assert_eq!(report.exit, 0, "{}", report.log);
    let last = entry_path(60 + 128);
    assert!(
        office
            .stage
            .sim
            .read_file("receipt-ledger", &last)
            .is_some()
    );
    let events = office.stage.sim.events();
    let reads = events[before..]
        .iter()
        .filter(|event| event.operation.as_deref() == Some("LedgerFiles"));
    assert_eq!(reads.count(), 2, "50 of the 60 entries of others, then 10");
}

/// A stage whose token may read Actions, with a run that octocat started.
fn reviewed() -> (Stage, String) {
    let stage = Stage::new();
    stage.sim.run(RUN.parse().unwrap(), "octocat", "octocat");
    let token = stage.sim.token(Permissions {
        actions: Access::Read,
        ..Permissions::write()
    });
    (stage, token)
}

#[test]
fn a_receipt_comes_from_an_approving_review() {
    countersign_sim::pins![A44, N1];
    let (stage, token) = reviewed();
    let approved = stage.tag().approved();
    let attempt = stage
        .tag()
        .input("receipt-from", "approvals")
        .input("token", &token);
    let none = attempt.run();
    none.refused("receipt_missing");
    assert!(
        none.message().contains(
            "no one approved run 17231231: the job's environment has no required reviewers"
        ),
        "{}",
        none.message()
    );
    let run = RUN.parse().unwrap();
    stage
        .sim
        .review(run, "mallory", "release", "rejected", &approved.receipt());
    stage
        .sim
        .review(run, "bob", "release", "approved", "looks good to me");
    attempt.run().refused("receipt_missing");
    // Every approving comment is tried: a spoilt one, one for something else, the one that fits.
    stage.sim.review(
        run,
        "carol",
        "release",
        "approved",
        &approved.receipt()[..300],
    );
    let other = stage.release().approved();
    stage.sim.review(
        run,
        "dave",
        "release",
        "approved",
        &format!("For the release:\n`{}`\nthanks", other.receipt()),
    );
    stage.sim.review(
        run,
        "erin",
        "release",
        "approved",
        &format!("OK\n\n  {}  \n", approved.receipt()),
    );
    let report = attempt.run();
    report.succeeded();
    assert_eq!(
        report.record["reviewers"],
        serde_json::json!(["bob", "carol", "dave", "erin"])
    );
    assert!(
        report.summary.contains("Deployment approved by"),
        "{}",
        report.summary
    );
}

#[test]
fn a_newer_receipt_in_a_later_review_serves_when_the_first_no_longer_counts() {
    countersign_sim::pins![A45];
    let (stage, token) = reviewed();
    let run = RUN.parse().unwrap();
    let expired = stage.tag().approved_with(|terms| {
        (terms.issued_at, terms.expires_at) =
            (terms.issued_at.minus(7200), terms.issued_at.minus(3600));
        terms.receipt_id = "receipt-old".parse().unwrap();
    });
    stage
        .sim
        .review(run, "bob", "release", "approved", &expired.receipt());
    let attempt = stage
        .tag()
        .input("receipt-from", "approvals")
        .input("token", &token);
    attempt.run().refused("receipt_expired");
    stage.sim.review(
        run,
        "bob",
        "release",
        "approved",
        &stage.tag().approved().receipt(),
    );
    let report = attempt.run();
    report.succeeded();
    assert!(
        report
            .log
            .contains("a receipt does not count, the next is tried: receipt_expired"),
        "{}",
        report.log
    );
}

#[test]
fn reviews_need_a_token_that_may_read_them_and_are_no_input_beside_others() {
    countersign_sim::pins![A44, M7];
    let (stage, token) = reviewed();
    let attempt = stage.tag().input("receipt-from", "approvals");
    let blind = attempt.run();
    assert_eq!(
        (blind.exit, blind.code()),
        (1, "permission_denied"),
        "{}",
        blind.log
    );
    assert!(
        blind.message().contains("actions: read"),
        "{}",
        blind.message()
    );
    let attempt = attempt.input("token", &token);
    attempt
        .clone()
        .input("receipt", "{}")
        .run()
        .refused("input_unused");
    attempt
        .clone()
        .input("receipt-file", "x")
        .run()
        .refused("input_unused");
    attempt
        .input("receipt-from", "comments")
        .run()
        .refused("input_invalid");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_requester_who_reviews_is_refused_even_if_others_signed() {
    let (stage, token) = reviewed();
    let policy = stage.policy(
        &stage
            .policy_for_tags()
            .replace("requester = false", "requester = true"),
    );
    let keys = format!("{} github:alice-gh", stage.trusted());
    let approved = stage.tag().approved();
    let attempt = stage
        .tag()
        .input("receipt-from", "approvals")
        .input("token", &token)
        .input("policy-file", &policy)
        .input("trusted-keys", &keys);
    stage.sim.review(
        RUN.parse().unwrap(),
        "octocat",
        "release",
        "approved",
        &approved.receipt(),
    );
    let report = attempt.run();
    report.refused("policy_requester_approved");
    assert!(
        report
            .message()
            .contains("the receipt stands in the review of `octocat` alone"),
        "{}",
        report.message()
    );
    assert_eq!(stage.writes(), Vec::<String>::new());
    stage.sim.review(
        RUN.parse().unwrap(),
        "bob",
        "release",
        "approved",
        // The very receipt, in somebody else's review too.
        &approved.receipt(),
    );
    attempt.run().succeeded();
}

#[test]
fn the_requester_of_another_run_is_asked_of_github() {
    let (stage, token) = reviewed();
    stage.sim.run(99, "alice-gh", "dana");
    let policy = stage.policy(
        &stage
            .policy_for_tags()
            .replace("requester = false", "requester = true"),
    );
    let keys = format!("{} github:alice-gh", stage.trusted());
    let approved = stage.tag().input("run-id", "99").approved();
    let planned = approved.dry_run();
    let attempt = approved
        .clone()
        .input("policy-file", &policy)
        .input("trusted-keys", &keys)
        .input("plan-digest", &planned.outputs["plan-digest"]);
    attempt.clone().run().refused("requester_unknown");
    // Anybody can name a colleague's run: it counts only for what it has planned itself.
    let foreign = attempt.clone().input("token", &token).run();
    foreign.refused("requester_unknown");
    assert!(
        foreign.message().ends_with(
            "that run left no plan of the reported digest with this operation as an artifact"
        ),
        "{}",
        foreign.message()
    );
    stage.sim.artifact(
        99,
        "plan",
        &archive(&[("plan.json", &fs::read(planned.plan()).unwrap())]),
    );
    let report = attempt.clone().input("token", &token).run();
    report.refused("policy_requester_approved");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_run_that_others_than_its_actor_decide_about_tells_no_requester() {
    for (event, actor, problem) in [
        (
            "pull_request",
            "dana",
            "it began with the event `pull_request`",
        ),
        (
            "issue_comment",
            "dana",
            "it began with the event `issue_comment`",
        ),
        ("schedule", "bob-gh", "it began with the event `schedule`"),
        (
            "workflow_dispatch",
            "github-actions[bot]",
            "the rule excludes the requester, and nobody can tell who that is",
        ),
    ] {
        let (stage, token) = reviewed();
        stage.sim.run_on(event, 99, actor);
        let policy = stage.policy(
            &stage
                .policy_for_tags()
                .replace("requester = false", "requester = true"),
        );
        let keys = format!("{} github:alice-gh", stage.trusted());
        let approved = stage.tag().input("run-id", "99").approved();
        let planned = approved.dry_run();
        stage.sim.artifact(
            99,
            "plan",
            &archive(&[("plan.json", &fs::read(planned.plan()).unwrap())]),
        );
        let attempt = approved
            .input("plan-digest", &planned.outputs["plan-digest"])
            .input("policy-file", &policy)
            .input("trusted-keys", &keys)
            .input("token", &token);
        let report = attempt.run();
        report.refused("requester_unknown");
        assert!(report.message().contains(problem), "{}", report.message());
        assert_eq!(stage.writes(), Vec::<String>::new());
    }
}

#[test]
fn the_run_that_publishes_must_have_been_asked_for_too() {
    for event in [
        "pull_request",
        "pull_request_target",
        "issue_comment",
        "workflow_run",
        "schedule",
        "",
    ] {
        let (stage, token) = reviewed();
        let policy = stage.policy(
            &stage
                .policy_for_tags()
                .replace("requester = false", "requester = true"),
        );
        let report = stage
            .tag()
            .approved()
            .input("policy-file", &policy)
            .input(
                "trusted-keys",
                &format!("{} github:alice-gh", stage.trusted()),
            )
            .input("token", &token)
            .variable("GITHUB_ACTOR", "bob-gh")
            .variable("GITHUB_EVENT_NAME", event)
            .run();
        report.refused("requester_unknown");
        let problem = format!("it began with the event `{event}`");
        assert!(report.message().contains(&problem), "{}", report.message());
        assert_eq!(stage.writes(), Vec::<String>::new());
    }
}

#[test]
fn who_starts_the_run_that_publishes_is_a_requester_too() {
    let (stage, token) = reviewed();
    stage.sim.run(99, "bob-gh", "bob-gh");
    let policy = stage.policy(
        &stage
            .policy_for_tags()
            .replace("requester = false", "requester = true"),
    );
    let keys = format!("{} github:alice-gh", stage.trusted());
    let approved = stage.tag().input("run-id", "99").approved();
    let planned = approved.dry_run();
    stage.sim.artifact(
        99,
        "plan",
        &archive(&[("plan.json", &fs::read(planned.plan()).unwrap())]),
    );
    let attempt = approved
        .input("plan-digest", &planned.outputs["plan-digest"])
        .input("policy-file", &policy)
        .input("trusted-keys", &keys)
        .input("token", &token);
    let alices = attempt.clone().variable("GITHUB_ACTOR", "alice-gh").run();
    alices.refused("policy_requester_approved");
    assert_eq!(stage.writes(), Vec::<String>::new());
    attempt.variable("GITHUB_ACTOR", "bob-gh").run().succeeded();
}

/// A job that runs what others wrote can leave a plan in the run too, under any name.
#[test]
fn a_plan_of_another_job_is_not_one_of_the_run_that_planned() {
    let (stage, token) = reviewed();
    stage.sim.run(99, "bob-gh", "bob-gh");
    let policy = stage.policy(
        &stage
            .policy_for_tags()
            .replace("requester = false", "requester = true"),
    );
    let keys = format!("{} github:alice-gh", stage.trusted());
    let planned = stage
        .tag()
        .input("run-id", "99")
        .input("tag-name", "v1.0.0")
        .dry_run();
    let smuggled = stage
        .tag()
        .input("run-id", "99")
        .input("tag-name", "v6.6.6")
        .approved();
    for (name, plan) in [
        ("plan", planned.plan()),
        ("test-results", smuggled.dry_run().plan()),
    ] {
        let plan = fs::read(plan).unwrap();
        stage
            .sim
            .artifact(99, name, &archive(&[("plan.json", &plan)]));
    }
    let attempt = smuggled
        .input("policy-file", &policy)
        .input("trusted-keys", &keys)
        .input("token", &token);
    let unreported = attempt.clone().run();
    unreported.refused("requester_unknown");
    assert!(
        unreported.message().contains("any job of run 99"),
        "{}",
        unreported.message()
    );
    let reported = attempt.input("plan-digest", &planned.outputs["plan-digest"]);
    reported.run().refused("requester_unknown");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_plan_is_the_one_that_its_job_reported_or_none() {
    let office = Office::new();
    let dry = office.dry_run("octocat");
    let plan = fs::read(office.stage.workspace().join("plan.json")).unwrap();
    let digest = Digest::of(&plan).to_string();
    assert_eq!(dry.outputs["plan-digest"], digest);
    assert!(
        dry.summary.contains(&digest["sha256:".len()..]),
        "{}",
        dry.summary
    );

    // In the same run too the artifact may be that of another job.
    let receipts = office.receipts(&["alice", "bob"]);
    let attempt = office.publish("octocat", &receipts);
    attempt
        .clone()
        .input("plan-digest", "")
        .run()
        .refused("requester_unknown");
    for wrong in [format!("sha256:{}", "0".repeat(64)), "sha256:0".into()] {
        let report = attempt.clone().input("plan-digest", &wrong).run();
        report.refused("input_invalid");
    }
    assert_eq!(office.stage.writes(), Vec::<String>::new());
    attempt.run().succeeded();
}

/// A zip archive with these files, as `actions/upload-artifact` makes one.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut writer, bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from plan to publication")]
fn an_approver_needs_no_checkout_and_can_start_the_workflow_that_publishes() {
    countersign_sim::pins![A46, A48, M8];
    let office = Office::new();
    let (sim, run) = (&office.stage.sim, RUN.parse().unwrap());
    sim.run(run, "dana", "dana");
    let plan = fs::read(office.dry_run("dana").plan()).unwrap();
    sim.artifact(run, "logs", &archive(&[("log.txt", b"nothing")]));
    let artifact = sim.artifact(
        run,
        "plan",
        &archive(&[("audit-record.json", b"{}"), ("plan.json", &plan)]),
    );
    sim.workflow("publish.yml", &["receipt", "run-id"]);
    let token = sim.token(Permissions {
        actions: Access::Write,
        ..Permissions::read()
    });
    let authorize = |arguments: &[&str]| {
        let all = [
            &[
                "authorize",
                "--run",
                RUN,
                "--repository",
                "octo/hello",
                "--key",
                "alice",
                "--yes",
            ],
            arguments,
        ]
        .concat();
        ended(
            &office
                .stage
                .command(&all)
                .env("GH_TOKEN", &token)
                .output()
                .unwrap(),
        )
    };
    let (exit, receipts, told) = authorize(BY);
    assert_eq!((exit, receipts.lines().count()), (0, 3), "{told}");
    assert!(told.contains("waits for others"), "{told}");
    let downloads: Vec<bool> = sim
        .events()
        .iter()
        .filter(|event| event.endpoint == Endpoint::DownloadArtifact)
        .map(|event| event.authorization)
        .collect();
    assert_eq!(
        downloads,
        [false, false],
        "the token does not go to GitHub's storage"
    );

    // The workflow is started with the receipts, and with the run for which they are.
    let (exit, receipts, told) = authorize(&["--dispatch", "publish.yml"]);
    assert!(
        exit == 0
            && told.contains("Started publish.yml: https://github.com/octo/hello/actions/runs/"),
        "{told}"
    );
    let dispatched = sim.dispatches().pop().unwrap();
    assert_eq!(
        (
            dispatched.workflow.as_str(),
            dispatched.reference.as_str(),
            dispatched.inputs["run-id"].as_str()
        ),
        ("publish.yml", "main", RUN)
    );
    assert_eq!(dispatched.inputs["receipt"], receipts.trim_end());
    let attempt = office
        .attempt("alice-gh")
        .variable("GITHUB_RUN_ID", dispatched.run_id.to_string());
    let published = attempt
        .input("plan", "plan.json")
        .input("receipt", &dispatched.inputs["receipt"])
        .input("run-id", &dispatched.inputs["run-id"])
        .input("trusted-keys", &office.read("alice.pub"))
        .run();
    assert_eq!(
        results(&published),
        ["tag success", "release success", "pull success"],
        "{}",
        published.log
    );

    // What cannot be had is said.
    for (arguments, expected) in [
        (
            &["--dispatch", "nowhere.yml"][..],
            "nowhere.yml was not started; the receipts are signed",
        ),
        (
            &["--artifact", "logs"],
            "has no artifact with a plan.json that can be signed",
        ),
        (
            &["--dispatch", "publish.yml", "--ref", "gone"],
            "No ref found for: gone",
        ),
    ] {
        let (exit, _, told) = authorize(arguments);
        assert!(exit == 1 && told.contains(expected), "{told}");
    }
    sim.bare_dispatches(true);
    let (exit, _, told) = authorize(&["--dispatch", "publish.yml"]);
    assert!(
        exit == 0 && told.contains("see the Actions page of octo/hello"),
        "{told}"
    );
    // What is no plan is passed over, and what is another one must be named.
    sim.artifact(run, "broken", b"no archive");
    sim.artifact(run, "edited", &archive(&[("plan.json", b"{}")]));
    let (exit, _, told) = authorize(&[]);
    assert!(
        exit == 0
            && told.contains(
                "the artifact `edited` is passed over: its plan.json is not as a dry run wrote it"
            ),
        "{told}"
    );
    office
        .stage
        .file("campaign.toml", CAMPAIGN.replace("1.0.0", "2.0.0"));
    sim.artifact(
        run,
        "second",
        &archive(&[(
            "a-folder/plan.json",
            &fs::read(office.dry_run("dana").plan()).unwrap(),
        )]),
    );
    let (exit, _, told) = authorize(&[]);
    assert!(
        exit == 1 && told.contains("has several plans, in the artifacts"),
        "{told}"
    );
    let (exit, _, told) = authorize(&["--artifact", "second"]);
    assert!(
        exit == 0
            && told.contains("  artifact    second, number 5, of ")
            && told.contains("asked for by  dana"),
        "{told}"
    );
    sim.expire_artifact(artifact);
    let (exit, _, told) = authorize(&[]);
    assert!(
        exit == 0 && told.contains("the artifact `plan` has expired") && told.contains("v2.0.0"),
        "{told}"
    );
    // A workflow that could only refuse is not started.
    let dispatched = sim.dispatches().len();
    let (exit, _, told) = authorize(&[BY, &["--dispatch", "publish.yml"]].concat());
    assert!(
        exit == 3 && told.contains("publish.yml was not started: the policy waits for others"),
        "{told}"
    );
    assert_eq!(sim.dispatches().len(), dispatched);
}

/// What an approver is shown and told who asks for the receipts of run 4711, in which dana's dry run left its plan.
fn asked_for_run(prepare: impl FnOnce(&Stage), more: &[&str]) -> (i32, String, String) {
    let office = Office::new();
    prepare(&office.stage);
    let plan = fs::read(office.dry_run("dana").plan()).unwrap();
    let zip = archive(&[("plan.json", &plan)]);
    office.stage.sim.artifact(4711, "plan", &zip);
    let token = office.stage.sim.token(Permissions {
        actions: Access::Read,
        ..Permissions::read()
    });
    let run = ["authorize", "--run", "4711", "--repository", "octo/hello"];
    let all = [&run[..], &["--key", "alice", "--yes"], more].concat();
    let mut command = office.stage.command(&all);
    ended(&command.env("GH_TOKEN", &token).output().unwrap())
}

#[test]
fn a_plan_that_names_another_run_than_was_asked_for_is_not_signed() {
    let both = |stage: &Stage| {
        stage.sim.run(4711, "dana", "dana");
        stage.sim.run(RUN.parse().unwrap(), "bob-gh", "bob-gh");
    };
    let (exit, receipts, told) = asked_for_run(both, &[]);
    assert!(
        exit == 1
            && receipts.is_empty()
            && told.contains(&format!("the plan of run 4711 is for run {RUN}")),
        "{told}"
    );
    let (exit, receipts, told) = asked_for_run(both, &["--for-run", RUN]);
    assert!(
        exit == 0 && receipts.lines().count() == 3 && told.contains("asked for by  bob-gh"),
        "{told}"
    );
}

#[test]
fn a_forks_run_is_shown_as_one_and_not_signed_for() {
    countersign_sim::pins![L5];
    let fork = |stage: &Stage| {
        stage.sim.run(RUN.parse().unwrap(), "bob-gh", "bob-gh");
        stage
            .sim
            .run_of_fork(4711, "stranger", (99, "stranger/hello"));
    };
    for (more, refused) in [
        (&[][..], "it began with the event `pull_request`"),
        (
            &["--allow-event", "issue_comment"],
            "it began with the event `pull_request`",
        ),
        (
            &["--allow-event", "pull_request"],
            "run 4711 is of stranger/hello",
        ),
    ] {
        let (exit, receipts, told) = asked_for_run(fork, &[more, &["--for-run", RUN]].concat());
        assert!(
            exit == 1
                && receipts.is_empty()
                && told.contains(refused)
                && told.contains("  head        stranger/hello, ANOTHER REPOSITORY, main\n"),
            "{told}"
        );
    }
    let meant = [
        "--allow-event",
        "pull_request",
        "--allow-fork",
        "--for-run",
        RUN,
    ];
    let (exit, receipts, told) = asked_for_run(fork, &meant);
    assert_eq!((exit, receipts.lines().count()), (0, 3), "{told}");
}

#[test]
fn an_approver_sees_from_where_the_plan_comes() {
    let run = |stage: &Stage| {
        stage.sim.run(RUN.parse().unwrap(), "bob-gh", "bob-gh");
        stage.sim.run(4711, "dana", "dana");
        stage.sim.run(4711, "dana", "carol-gh");
    };
    let (exit, _, told) = asked_for_run(run, &["--for-run", RUN]);
    for row in [
        "run           4711, attempt 2\n",
        "  event       workflow_dispatch\n",
        "  workflow    .github/workflows/",
        "  head        octo/hello, main\n",
        "  commit      ",
        "  started by  carol-gh, dana\n",
        "  artifact    plan, number 1, of ",
        "  plan        sha256:",
    ] {
        assert!(exit == 0 && told.contains(row), "{row} in {told}");
    }
}

#[test]
fn a_lost_answer_to_a_dispatch_is_told_as_unknown_and_never_repeated() {
    let office = Office::new();
    let (sim, run) = (&office.stage.sim, RUN.parse().unwrap());
    sim.run(run, "dana", "dana");
    sim.artifact(
        run,
        "plan",
        &archive(&[(
            "plan.json",
            &fs::read(office.dry_run("dana").plan()).unwrap(),
        )]),
    );
    sim.workflow("publish.yml", &["receipt", "run-id"]);
    let token = sim.token(Permissions {
        actions: Access::Write,
        ..Permissions::read()
    });
    sim.plan(Fault::on(Endpoint::DispatchWorkflow).then(Effect::ResetAfter));
    let arguments = [
        "authorize",
        "--run",
        RUN,
        "--repository",
        "octo/hello",
        "--key",
        "alice",
        "--yes",
        "--dispatch",
        "publish.yml",
    ];
    let (exit, receipts, told) = ended(
        &office
            .stage
            .command(&arguments)
            .env("GH_TOKEN", &token)
            .output()
            .unwrap(),
    );
    assert!(
        exit == 4
            && receipts.lines().count() == 3
            && told.contains("It is not known whether publish.yml was started"),
        "{told}"
    );
    assert_eq!(sim.dispatches().len(), 1);
}

#[test]
fn an_advisory_receipt_can_be_asked_for_and_allows_nothing() {
    let office = Office::new();
    office.dry_run("dana");
    let (exit, receipts, told) =
        office.run(&["authorize", PLAN, "--key", "alice", "--yes", "--advisory"]);
    assert!(
        exit == 0
            && told.contains("is ADVISORY and allows nothing")
            && told.contains("(advisory_receipt)"),
        "{told}"
    );
    let report = office
        .attempt("dana")
        .input("plan", "plan.json")
        .input("receipt", &receipts)
        .input("trusted-keys", &office.read("alice.pub"))
        .run();
    assert_eq!(
        (report.exit, report.code()),
        (3, "advisory_receipt"),
        "{}",
        report.log
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
}

#[test]
fn a_campaign_can_be_planned_outside_of_a_run() {
    let office = Office::new();
    let made = |more: &[&str]| {
        let all = [
            "plan",
            "workspace/campaign.toml",
            "--repository",
            "octo/hello",
            "--run-id",
            RUN,
            "--folder",
            "workspace",
        ];
        office.run(&[&all, more].concat())
    };
    let (exit, plan, told) = made(&["--requested-by", "dana"]);
    assert!(
        exit == 0 && told.contains("release: publish_release in octo/hello (id 123456), sha256:"),
        "{told}"
    );
    assert_eq!(
        plan,
        fs::read_to_string(office.dry_run("dana").plan()).unwrap(),
        "the same world gives the same bytes"
    );
    let (_, plan, _) = made(&["--set", "version=2.0.0"]);
    assert!(
        plan.contains("\"tag_name\":\"v2.0.0\"") && plan.contains("\"requested_by\":[]"),
        "{plan}"
    );
    let (exit, _, told) = made(&["--set", "other=2"]);
    assert!(
        exit == 1
            && told
                .contains("the variable `other` was given, but the campaign has none of that name"),
        "{told}"
    );
    office.stage.file(
        "campaign.toml",
        CAMPAIGN.replace(
            "tag-name = \"v{version}\"\nmessage",
            "tag-name = \"v 1\"\nmessage",
        ),
    );
    let (exit, out, told) = made(&[]);
    assert!(
        exit == 1
            && out.is_empty()
            && told.contains(
                "line 10, column 12: operation `tag`: input `tag-name`: `v 1` is no tag name"
            ),
        "{told}"
    );
}

#[test]
fn a_policy_is_checked_and_explained() {
    let office = Office::new();
    office.dry_run("dana");
    let check = |more: &[&str]| {
        office.run(
            &[
                &[
                    "policy",
                    "check",
                    "workspace/policy.toml",
                    "--trusted-keys",
                    "workspace/trust.json",
                ],
                more,
            ]
            .concat(),
        )
    };
    let (exit, told, _) = check(&[]);
    assert!(
        exit == 0
            && told.starts_with("policy version 1 (sha256:")
            && told.contains("with 3 rule(s)"),
        "{told}"
    );
    let (exit, told, _) = check(&["--plan", PLAN, "--approver", "alice", "--approver", "bob"]);
    assert!(
        exit == 0
            && told.contains(
                "pull: open_pr in octo/hello (id 123456): allowed by the rule `pull requests`"
            ),
        "{told}"
    );
    let (exit, told, _) = check(&["--plan", PLAN, "--approver", "alice"]);
    assert!(
        exit == 3 && told.contains("policy_threshold_unmet: 1 approver(s)"),
        "{told}"
    );
    let (exit, told, _) = check(&[
        "--plan",
        PLAN,
        "--approver",
        "alice",
        "--approver",
        "bob",
        "--expires-in",
        "2h",
    ]);
    assert!(
        exit == 3 && told.contains("policy_lifetime: the receipt lasts 2h, the rule allows 1h"),
        "{told}"
    );
    office.stage.policy(
        &office
            .policy()
            .replace("\"carol\"", "\"dave\"")
            .replace("threshold = 2", "threshold = 4"),
    );
    let (exit, told, _) = check(&[]);
    assert!(
        exit == 3
            && told.contains("rule `tags`: threshold_above_approvers")
            && told.contains("unknown_key: no trusted key that counts now has the name `dave`"),
        "{told}"
    );
    office.stage.policy("version = 1\n[[rule]]\nname = 1\n");
    let (exit, _, told) = check(&[]);
    assert!(
        exit == 1 && told.contains("line 2, column 1: the member `operation` is missing"),
        "{told}"
    );
}

#[test]
fn keys_are_listed_with_their_fingerprints_and_those_that_do_not_count() {
    let office = Office::new();
    let fingerprint = |file: &str| {
        office
            .run(&["keys", "fingerprint", file])
            .1
            .trim()
            .to_owned()
    };
    assert!(fingerprint("alice").starts_with("SHA256:"));
    assert_eq!(fingerprint("alice"), fingerprint("alice.pub"));
    office.trust("2", "not_before = \"2099-01-01T00:00:00Z\"");
    let (exit, told, _) = office.run(&["keys", "list", "workspace/trust.json"]);
    assert_eq!(exit, 0);
    assert!(
        told.contains(&format!("{}  alice  github:alice-gh", fingerprint("alice"))),
        "{told}"
    );
    assert!(
        told.contains(&format!(
            "{}  bob  DOES NOT COUNT: it counts from 2099",
            fingerprint("bob")
        )),
        "{told}"
    );
    let (exit, told, _) = office.run(&[
        "trust",
        "show",
        "workspace/trust.json",
        "--trust-root",
        &office.root,
    ]);
    assert!(
        exit == 0
            && told.contains("version 2 (sha256:")
            && told.contains("(`bob`) does not count now"),
        "{told}"
    );
    let (exit, _, told) = office.run(&["trust", "show", "half.json"]);
    assert!(
        exit == 3 && told.contains("trust_invalid: version 2 of the trust file: 1 person(s) of the version before it signed it"),
        "{told}"
    );
    office.write("published", include_str!("keys/passphrase.pub"));
    let (_, _, told) = office.run(&["keys", "list", "published"]);
    assert!(
        told.contains("is published: mode `prod` refuses it (key_published)"),
        "{told}"
    );
}

#[test]
fn a_ledger_whose_authority_was_tampered_with_does_not_verify_and_a_checkpoint_remembers() {
    let office = Office::new();
    office.dry_run("dana");
    office
        .publish("dana", &office.receipts(&["alice", "bob"]))
        .run();
    let verify = || {
        office.run(&[
            "ledger",
            "verify",
            "--repository",
            "octo/hello",
            "--trusted-keys",
            "workspace/trust.json",
        ])
    };
    assert_eq!(verify().0, 0);
    office
        .stage
        .sim
        .remove("receipt-ledger", &["authority.json"]);
    let (exit, _, told) = verify();
    assert!(
        exit == 1
            && told.contains(
                "uses: authority.json: it does not say what stood behind the newest claim"
            ),
        "{told}"
    );
    // Taking the file away hides nothing: the commits before it still name the trust file.
    let report = office
        .stage
        .tag()
        .input("tag-name", "v9.0.0")
        .approved()
        .run();
    report.refused("trust_rolled_back");
    assert!(
        report
            .message()
            .contains("there is no trust file, but version 1"),
        "{}",
        report.message()
    );
}

#[test]
fn a_key_in_an_ssh_agent_signs_and_its_secret_half_is_not_read() {
    let office = Office::new();
    office.dry_run("dana");
    let socket = office.stage.folder.path().join("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The agent prints its variables when it listens.
    let mut ready = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(agent.stdout.take().unwrap()),
        &mut ready,
    )
    .unwrap();
    let with_agent = |arguments: &[&str]| {
        ended(
            &office
                .stage
                .command(arguments)
                .env("SSH_AUTH_SOCK", &socket)
                .output()
                .unwrap(),
        )
    };
    let authorize = &["authorize", PLAN, "--key", "alice.pub", "--yes"];
    let (exit, _, told) = with_agent(authorize);
    let added = Command::new("ssh-add")
        .arg("-q")
        .arg(office.stage.folder.path().join("alice"))
        .env("SSH_AUTH_SOCK", &socket)
        .output()
        .unwrap();
    let listed = with_agent(&["keys", "list"]);
    fs::rename(
        office.stage.folder.path().join("alice"),
        office.stage.folder.path().join("away"),
    )
    .unwrap();
    let signed = with_agent(authorize);
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(
        exit == 1 && told.contains("does not have this key; add it with `ssh-add`"),
        "{told}"
    );
    assert!(added.status.success(), "{added:?}");
    assert!(
        listed.0 == 0 && listed.1.contains("SHA256:") && listed.1.contains("alice"),
        "{listed:?}"
    );
    assert_eq!((signed.0, signed.1.lines().count()), (0, 3), "{}", signed.2);
    let attempt = office
        .attempt("dana")
        .input("plan", "plan.json")
        .input("receipt", &signed.1);
    let report = attempt
        .input("trusted-keys", &office.read("alice.pub"))
        .run();
    assert_eq!(
        results(&report),
        ["tag success", "release success", "pull success"],
        "{}",
        report.log
    );
    let (exit, _, told) = with_agent(authorize);
    assert!(
        exit == 1 && told.contains("(SSH_AUTH_SOCK) does not answer"),
        "{told}"
    );
}

#[test]
fn a_mode_that_is_none_comes_before_everything_and_asks_nobody() {
    let office = Office::new();
    office.dry_run("dana");
    let requests = office.stage.requests().len();
    let attempts = [
        office.attempt("dana").input("campaign", "campaign.toml"),
        office
            .publish("dana", "")
            .input("receipt-from", "approvals"),
        office.publish("dana", "{}").input("run-id", "99"),
        office
            .stage
            .tag()
            .input("repository", "octo/other")
            .input("receipt-from", "approvals"),
    ];
    for attempt in attempts {
        let report = attempt.input("mode", "PROD").run();
        assert_eq!(
            (report.exit, report.status(), report.code()),
            (3, "rejected_by_mode", "mode_violation"),
            "{}",
            report.log
        );
    }
    assert_eq!(office.stage.requests().len(), requests);
}

#[test]
fn a_campaign_says_everything_itself() {
    let office = Office::new();
    for (input, value) in [
        ("repository", "octo/other"),
        ("tag-name", "v9"),
        ("allow-workflow-changes", "true"),
        ("files", "x"),
        ("plan", "x"),
    ] {
        office
            .attempt("dana")
            .input("mode", "dry_run")
            .input("campaign", "campaign.toml")
            .input(input, value)
            .run()
            .refused("input_unused");
    }
    office
        .stage
        .tag()
        .input("variables", "version=2")
        .dry_run()
        .refused("input_unused");
    let report = office
        .attempt("dana")
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .input("variables", " version = 2.0.0 ")
        .run();
    assert_eq!(
        results(&report),
        ["tag dry_run", "release dry_run", "pull dry_run"],
        "{}",
        report.log
    );
    assert!(
        report
            .summary
            .starts_with("## Countersign: campaign <code>Version 1.0.0</code>"),
        "{}",
        report.summary
    );
    office
        .attempt("dana")
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .input("variables", "version")
        .run()
        .refused("input_invalid");
}

#[test]
fn a_flood_of_receipts_is_refused_only_if_trusted_keys_signed_them() {
    let stage = Stage::new();
    stage.file("receipts", "{\"\n".repeat(1000));
    let report = stage.tag().input("receipt-file", "receipts").run();
    report.refused("receipt_malformed");

    let plan = stage.tag().dry_run().plan();
    let receipts = (0..257).map(|number| {
        let mut terms = harness::terms(&plan);
        terms.receipt_id = format!("receipt-{number}").parse().unwrap();
        stage.sign(&terms) + "\n"
    });
    stage.file("receipts", receipts.collect::<String>());
    let report = stage.tag().input("receipt-file", "receipts").run();
    report.refused("input_invalid");
    assert!(
        report
            .message()
            .contains("257 receipts are more than the 256"),
        "{}",
        report.message()
    );
}

/// A reviewer of any other environment can write this, and an approval is never taken back.
#[test]
fn a_flood_in_a_review_does_not_hide_the_receipt_of_another() {
    let (stage, token) = reviewed();
    let run = RUN.parse().unwrap();
    let attempt = stage.tag().approved();
    let mallory = harness::fresh_key();
    let plan = stage.tag().dry_run().plan();
    let forged = (0..300).map(|number| {
        let mut terms = harness::terms(&plan);
        terms.receipt_id = format!("receipt-{number}").parse().unwrap();
        countersign_core::envelope::Envelope::sign(&terms, &[&mallory]).to_line()
    });
    let junk = (0..300).map(|number| format!("{{\"{number}"));
    for (reviewer, comment) in [
        ("mallory", junk.collect::<Vec<_>>().join("\n")),
        ("mallory", forged.collect::<Vec<_>>().join("\n")),
        ("bob", attempt.receipt()),
        ("mallory", "{\"\n".repeat(300)),
    ] {
        stage
            .sim
            .review(run, reviewer, "release", "approved", &comment);
    }
    let report = stage
        .tag()
        .input("receipt-from", "approvals")
        .input("token", &token)
        .run();
    report.succeeded();
    assert!(report.log.contains("they are not listed"), "{}", report.log);
}

#[test]
fn what_stands_already_does_not_hold_up_the_rest_of_a_campaign() {
    let office = Office::new();
    office.stage.sim.tag("v1.0.0", &office.stage.main());
    let plan = Plan::from_document(&fs::read(office.dry_run("dana").plan()).unwrap()).unwrap();
    assert_eq!(
        plan.not_shipped
            .iter()
            .map(|left| left.code.as_str())
            .collect::<Vec<_>>(),
        ["preflight_tag_exists"]
    );
    assert_eq!(
        plan.operations()
            .iter()
            .map(|planned| planned.id().as_str())
            .collect::<Vec<_>>(),
        ["release", "pull"]
    );
    let receipts = office.receipts(&["alice", "bob"]);
    assert_eq!(
        results(&office.publish("dana", &receipts).run()),
        ["release success", "pull success"]
    );
}

#[test]
fn a_campaign_of_one_operation_is_a_campaign() {
    let office = Office::new();
    let only = CAMPAIGN
        .split("\n[[operation]]")
        .take(2)
        .collect::<Vec<_>>()
        .join("\n[[operation]]");
    office.stage.file("campaign.toml", only);
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "bob"]);
    let first = office.publish("dana", &receipts).run();
    assert_eq!(results(&first), ["tag success"], "{}", first.log);
    let again = office
        .publish("dana", &receipts)
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run();
    assert_eq!(results(&again), ["tag success"], "{}", again.log);
    assert_eq!(again.record["campaign"]["id"], "tag");
    // A tag that somebody took away is not called shipped.
    office.stage.sim.delete_ref("refs/tags/v1.0.0");
    office
        .publish("dana", &receipts)
        .variable("GITHUB_RUN_ATTEMPT", "2")
        .run()
        .refused("receipt_consumed");
}

/// An ssh-agent with one key that signs nothing and remembers what it was asked.
fn watching_agent(
    socket: &std::path::Path,
    public: &str,
) -> std::sync::Arc<std::sync::Mutex<Vec<u8>>> {
    use base64::Engine as _;
    use std::io::{Read as _, Write as _};
    let blob = base64::engine::general_purpose::STANDARD
        .decode(public.split(' ').nth(1).unwrap())
        .unwrap();
    let word = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let identities = word(&[&[12, 0, 0, 0, 1], word(&blob).as_slice(), &word(b"watched")].concat());
    let listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut length = [0; 4];
            connection.read_exact(&mut length).unwrap();
            let mut question = vec![0; u32::from_be_bytes(length) as usize];
            connection.read_exact(&mut question).unwrap();
            seen.lock().unwrap().push(question[0]);
            connection
                .write_all(if question[0] == 11 {
                    &identities
                } else {
                    &[0, 0, 0, 1, 5]
                })
                .unwrap();
        }
    });
    asked
}

#[test]
fn an_agent_is_asked_to_sign_only_after_the_answer() {
    let office = Office::new();
    office.dry_run("dana");
    office.write("receipts", &office.receipts(&["alice"]));
    let socket = office.stage.folder.path().join("watching");
    let asked = watching_agent(&socket, &office.read("bob.pub"));
    let sign = [
        "sign",
        "receipts",
        "--plan",
        PLAN,
        "--trusted-keys",
        "workspace/trust.json",
        "--key",
        "bob.pub",
    ];
    let authorize = ["authorize", PLAN, "--key", "bob.pub"];
    for (arguments, yes, expected, words) in [
        (&sign[..], false, vec![11], "nobody can be asked"),
        (&authorize, false, vec![11], "nobody can be asked"),
        (&sign, true, vec![11, 13], "the ssh-agent did not sign"),
    ] {
        let more: &[&str] = if yes { &["--yes"] } else { &[] };
        let (exit, out, told) = ended(
            &office
                .stage
                .command(&[arguments, more].concat())
                .env("SSH_AUTH_SOCK", &socket)
                .output()
                .unwrap(),
        );
        assert!(
            exit == 1 && out.is_empty() && told.contains(words),
            "{told}"
        );
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), expected);
    }
}

#[test]
fn a_key_that_will_not_count_is_told_to_whoever_signs_with_it() {
    let office = Office::new();
    office.dry_run("dana");
    office.write("receipts", &office.receipts(&["alice"]));
    office.run(&[
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "mallory",
        "--name",
        "mallory",
    ]);
    let by = [
        "--plan",
        PLAN,
        "--trusted-keys",
        "workspace/trust.json",
        "--key",
        "mallory",
        "--yes",
    ];
    let (exit, _, told) = office.run(&[&["sign", "receipts"], by.as_slice()].concat());
    assert!(
        exit == 0 && told.contains("WARNING: this key is none of the trusted keys"),
        "{told}"
    );
    office.write("sealed", include_str!("keys/passphrase.pub"));
    let (_, told, _) = office.run(&["keys", "fingerprint", "sealed"]);
    assert!(told.starts_with("SHA256:"), "{told}");
}

#[test]
fn the_campaign_of_the_documentation_is_planned() {
    let stage = Stage::new();
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/campaign.md")).unwrap();
    let example = page
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    stage.file(
        "campaign.toml",
        example.replace("owner/docs", stage.sim.repository()),
    );
    stage.sim.commit("next", &[("next.txt", b"next\n")]);
    for folder in ["notes", "dist"] {
        fs::create_dir(stage.workspace().join(folder)).unwrap();
    }
    stage
        .file("notes/1.2.0.md", "Better.\n")
        .file("dist/app.tar.gz", "abc")
        .file("dist/app-1.2.0.zip", "abcd");
    let report = Attempt::new(&stage)
        .input("mode", "dry_run")
        .input("campaign", "campaign.toml")
        .run();
    assert_eq!(
        results(&report),
        ["tag dry_run", "release dry_run", "docs dry_run"],
        "{}",
        report.log
    );
}

#[test]
fn a_file_that_is_gone_is_told_before_a_campaign_begins_and_one_that_changed_with_both_sides() {
    let office = Office::new();
    office.dry_run("dana");
    let receipts = office.receipts(&["alice", "bob"]);
    fs::remove_file(office.stage.workspace().join("dist/app.zip")).unwrap();
    let report = office.publish("dana", &receipts).run();
    report.refused("file_missing");
    assert!(
        report
            .message()
            .contains("input `plan`: there is no file `"),
        "{}",
        report.message()
    );
    assert_eq!(office.stage.writes(), Vec::<String>::new());
    office.stage.file("dist/app.zip", "abcd");
    let report = office.publish("dana", &receipts).run();
    assert_eq!(
        (report.exit, report.code()),
        (1, "operation_mismatch"),
        "{}",
        report.log
    );
    assert!(
        report
            .log
            .contains("`app.zip` is not the file of the plan: planned 3 bytes, sha256:ba7816bf"),
        "{}",
        report.log
    );
    assert!(
        report.log.contains(
            "::error title=Countersign%3A rejected_by_auth (operation_mismatch) · release::"
        ),
        "{}",
        report.log
    );
}

#[test]
fn a_ledger_that_began_with_listed_keys_is_verified_by_the_trust_file_that_came_later() {
    let stage = Stage::new();
    stage.tag().approved().run().succeeded();
    let trust = stage.trust_file_of_two();
    let verify = |more: &[&str]| {
        let all = [
            &[
                "ledger",
                "verify",
                "--repository",
                "octo/hello",
                "--trusted-keys",
                &trust,
            ],
            more,
        ]
        .concat();
        ended(
            &stage
                .command(&all)
                .env("GH_TOKEN", &stage.token)
                .output()
                .unwrap(),
        )
    };
    // One signature was enough then, whatever the file asks for now.
    assert_eq!(verify(&[]).0, 0);
    let (exit, _, told) = verify(&["--threshold", "2"]);
    assert!(exit == 1 && told.contains("1 person(s) signed the receipt with trusted keys, 2 must; signed by `alice@example.org`"), "{told}");
    assert!(!told.contains("add the key that signed then"), "{told}");
}

#[test]
fn a_version_that_can_never_count_is_not_signed() {
    let office = Office::new();
    office.trust("2", "revoked_at = \"2026-01-01T00:00:00Z\"");
    let sound = office.read("version.toml");
    let propose = |text: &str, key: &str| {
        office.write("version.toml", text);
        office.run(&[
            "trust",
            "propose",
            "version.toml",
            "--after",
            "workspace/trust.json",
            "--key",
            key,
            "--yes",
        ])
    };
    let (exit, out, told) = propose(
        &sound
            .replace("version = 2", "version = 3")
            .replace("revoked_at = \"2026-01-01T00:00:00Z\"", ""),
        "alice",
    );
    assert!(
        exit == 1
            && out.is_empty()
            && told.contains("the key of `bob` was revoked in a version before it"),
        "{told}"
    );
    office.run(&[
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "mallory",
        "--name",
        "mallory",
    ]);
    let (exit, out, told) = propose(&sound.replace("version = 2", "version = 3"), "mallory");
    assert!(
        exit == 1
            && out.is_empty()
            && told.contains("is neither one of this version nor of the one before it"),
        "{told}"
    );
}
