//! The main job on an embedded GitHub: dry run, approval, publication, and every way in which a receipt does not serve twice.
//!
//! Needs no network, no account and no set-up: `cargo run --example demo`.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a demo prints, and stops loudly"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    ledger::{Checkpoint, Head},
    plan::Plan,
    receipt::Terms,
};
use countersign_sim::{Permissions, Simulator};
use ed25519_dalek::SigningKey;
use serde_json::Value;

/// Set in the processes in which this program plays the binary.
const ROLE: &str = "COUNTERSIGN_DEMO_ROLE";
const RUN: &str = "17231231";
const CAMPAIGN: &str = r#"name = "Spring"

[variables]
version = "2.0.0"

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
body = "Spring cleaning."
files = ["*.txt"]

[[operation]]
id = "pull"
operation = "open_pr"
needs = ["release"]
title = "After {version}"
head-branch = "later"
"#;

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return countersign::main().into();
    }
    let demo = Demo::begin();
    demo.ship();
    demo.refuse();
    demo.campaign();
    demo.end()
}

struct Demo {
    sim: Simulator,
    folder: PathBuf,
    token: String,
    trusted: String,
    key: SigningKey,
}

/// What one call of the Action left behind.
struct Report {
    exit: i32,
    record: Value,
    outputs: BTreeMap<String, String>,
}

type Inputs<'a> = Vec<(&'a str, String)>;

impl Demo {
    fn begin() -> Self {
        println!("A GitHub of our own begins on loopback, with the repository octo/hello.\n");
        let folder = tempfile::Builder::new()
            .prefix("countersign-demo-")
            .tempdir()
            .unwrap()
            .keep();
        let sim = Simulator::builder()
            .git_dir(folder.join("octo-hello.git"))
            .start();
        let token = sim.token(Permissions::write());
        let key = SigningKey::from_bytes(&[7; 32]);
        let mut demo = Self {
            sim,
            folder,
            token,
            trusted: String::new(),
            key,
        };
        demo.trusted = demo.binary(&[
            "keys",
            "generate",
            "--no-passphrase",
            "--out",
            "approver",
            "--name",
            "approver@example.org",
        ]);
        let seed =
            ssh_key::PrivateKey::from_openssh(fs::read(demo.folder.join("approver")).unwrap())
                .unwrap();
        demo.key = SigningKey::from_bytes(&seed.key_data().ed25519().unwrap().private.to_bytes());
        print!(
            "$ countersign keys generate --no-passphrase --out approver\n  {}",
            demo.trusted
        );
        let made = demo.binary(&["ledger", "init", "--repository", "octo/hello"]);
        println!(
            "$ countersign ledger init --repository octo/hello\n  {}",
            made.trim_end().replace('\n', "\n  ")
        );
        demo
    }

    /// Runs a command for people, in an empty environment, and gives what it prints.
    fn binary(&self, arguments: &[&str]) -> String {
        let output = self
            .command(arguments)
            .env("GH_TOKEN", &self.token)
            .stderr(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "countersign {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env(ROLE, "binary");
        command
            .env("GITHUB_API_URL", self.sim.api_url())
            .env("GITHUB_GRAPHQL_URL", self.sim.graphql_url());
        command
    }

    /// Calls the Action as its action.yml does.
    fn action(&self, name: &str, run: &str, inputs: &[(&str, String)]) -> Report {
        self.action_by("octocat", name, run, inputs)
    }

    /// The same in a run that somebody else started.
    fn action_by(&self, actor: &str, name: &str, run: &str, inputs: &[(&str, String)]) -> Report {
        let folder = self.folder.join(name);
        fs::create_dir_all(folder.join("temp")).unwrap();
        let mut all: BTreeMap<&str, String> = BTreeMap::from([
            ("token", self.token.clone()),
            ("trusted-keys", self.trusted.clone()),
        ]);
        all.extend(inputs.iter().cloned());
        let mut command = self.command(&["action", "/dev/null"]);
        command.env("COUNTERSIGN_INPUTS", serde_json::to_string(&all).unwrap());
        for (variable, value) in [
            ("GITHUB_RUN_ID", run),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_REPOSITORY", self.sim.repository()),
            (
                "GITHUB_REPOSITORY_ID",
                &self.sim.repository_id().to_string(),
            ),
            ("GITHUB_SHA", &self.main()),
            ("GITHUB_ACTOR", actor),
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
        ] {
            command.env(variable, value);
        }
        command
            .env("RUNNER_TEMP", folder.join("temp"))
            .env("GITHUB_OUTPUT", folder.join("outputs"));
        command
            .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
            .env("GITHUB_WORKSPACE", &self.folder);
        let exit = command
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .code()
            .unwrap();
        let outputs = read_outputs(&folder.join("outputs"));
        let record = outputs["audit-record"].lines().last().unwrap();
        Report {
            exit,
            record: serde_json::from_slice(&fs::read(record).unwrap()).unwrap(),
            outputs,
        }
    }

    fn main(&self) -> String {
        self.sim.ref_oid("refs/heads/main").unwrap()
    }

    fn inputs(&self, kind: &str) -> Inputs<'static> {
        let operation = ("operation", kind.to_owned());
        match kind {
            "publish_release" => vec![
                operation,
                ("tag-name", "v1.0.0".into()),
                ("target-sha", self.main()),
                ("body", "The first release.".into()),
                ("files", "hello.txt".into()),
            ],
            "tag_repo" => vec![
                operation,
                ("tag-name", "docs-1".into()),
                ("target-sha", self.main()),
                ("message", "Documentation, first edition".into()),
            ],
            _ => {
                let head = self
                    .sim
                    .ref_oid("refs/heads/next")
                    .unwrap_or_else(|| self.sim.commit("next", &[("next.txt", b"next\n")]));
                vec![
                    operation,
                    ("title", "What comes next".into()),
                    ("head-branch", "next".into()),
                    ("head-sha", head),
                    ("base-branch", "main".into()),
                    ("labels", "enhancement".into()),
                    ("reviewers", "octocat".into()),
                ]
            }
        }
    }

    fn dry_run(&self, kind: &str) -> PathBuf {
        let mut inputs = self.inputs(kind);
        inputs.push(("mode", "dry_run".into()));
        let report = self.action(&format!("{kind}-dry-run"), RUN, &inputs);
        println!(
            "  dry run     {}",
            report.record["result"].as_str().unwrap()
        );
        report.outputs["plan"].clone().into()
    }

    fn publish(&self, name: &str, kind: &str, run: &str, receipt: &str) -> Report {
        let mut inputs = self.inputs(kind);
        inputs.extend([("mode", "prod".to_owned()), ("receipt", receipt.to_owned())]);
        self.action(name, run, &inputs)
    }

    fn ship(&self) {
        fs::write(self.folder.join("hello.txt"), "Hello, world!\n").unwrap();
        println!("\nWhat is approved is shipped");
        for kind in ["publish_release", "tag_repo", "open_pr"] {
            println!("\n{kind}");
            let plan = self.dry_run(kind);
            let receipt = self.binary(&[
                "authorize",
                plan.to_str().unwrap(),
                "--key",
                "approver",
                "--yes",
            ]);
            fs::write(self.folder.join(format!("{kind}.receipt")), &receipt).unwrap();
            println!(
                "  authorize   a receipt of {} characters, signed with the approver's key",
                receipt.trim().len()
            );
            let report = self.publish(kind, kind, RUN, &receipt);
            println!(
                "  prod        {} Ledger entries {} and {}.",
                text(&report.record["result"]),
                report.record["ledger"]["claim"]["sequence"],
                report.record["ledger"]["outcome"]["sequence"]
            );
            assert_eq!(
                (report.exit, text(&report.record["status"])),
                (0, "success")
            );
        }
    }

    fn refuse(&self) {
        println!("\nEverything else is refused, and nothing is written to GitHub");
        let writes = self.sim.writes().len();
        for kind in ["publish_release", "tag_repo", "open_pr"] {
            println!("\n{kind}");
            let receipt = fs::read_to_string(self.folder.join(format!("{kind}.receipt"))).unwrap();
            let other = if kind == "tag_repo" {
                "publish_release"
            } else {
                "tag_repo"
            };
            self.expect(
                "the same receipt again",
                "receipt_consumed",
                &self.publish(&format!("{kind}-again"), kind, RUN, &receipt),
            );
            self.expect(
                "in another run",
                "run_id_mismatch",
                &self.publish(&format!("{kind}-other-run"), kind, "4", &receipt),
            );
            self.expect(
                "for another operation",
                "operation_kind_mismatch",
                &self.publish(&format!("{kind}-other-operation"), other, RUN, &receipt),
            );
            self.expect(
                "after it expired",
                "receipt_expired",
                &self.with_terms(kind, "expired", |terms| {
                    // A receipt for the old plan could not do it again either.
                    terms.ledger = self.tip();
                    (terms.issued_at, terms.expires_at) =
                        (terms.issued_at.minus(7200), terms.issued_at.minus(3600));
                }),
            );
            self.expect(
                "an advisory receipt",
                "advisory_receipt",
                &self.with_terms(kind, "advisory", |terms| terms.enforceable = false),
            );
            self.expect(
                "no receipt at all",
                "receipt_missing",
                &self.publish(&format!("{kind}-none"), kind, RUN, ""),
            );
        }
        assert_eq!(self.sim.writes().len(), writes, "a refusal wrote to GitHub");
    }

    /// An attempt with a receipt that the approver's key signed, but with other terms.
    fn with_terms(&self, kind: &str, name: &str, edit: impl FnOnce(&mut Terms)) -> Report {
        let plan = glob::glob(&format!(
            "{}/{kind}-dry-run/temp/*/plan.json",
            self.folder.display()
        ))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
        let plan = Plan::from_document(&fs::read(plan).unwrap()).unwrap();
        let operation = plan.operations()[0].operation();
        let now = countersign::system_clock();
        let mut terms = Terms {
            receipt_id: format!("receipt-{name}").parse().unwrap(),
            run_id: plan.run_id.clone(),
            operation_kind: operation.kind(),
            target: operation.target().clone(),
            enforceable: true,
            issued_at: now,
            expires_at: now.plus(3600),
            consumed: false,
            ledger: plan.operations()[0].ledger().clone(),
            operation_digest: operation.digest(),
        };
        edit(&mut terms);
        self.publish(
            &format!("{kind}-{name}"),
            kind,
            RUN,
            &Envelope::sign(&terms, &[&self.key]).to_line(),
        )
    }

    /// The ledger as it is now, as a new plan would name it.
    fn tip(&self) -> Checkpoint {
        let head = self.sim.read_file("receipt-ledger", "ledger.json").unwrap();
        Checkpoint {
            commit: self
                .sim
                .ref_oid("refs/heads/receipt-ledger")
                .unwrap()
                .parse()
                .unwrap(),
            head: Head::from_document(&head).unwrap(),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as a step of the demo")]
    fn expect(&self, what: &str, code: &str, report: &Report) {
        println!(
            "  {what:<23} {}: {}",
            text(&report.record["error_code"]),
            text(&report.record["error_message"])
        );
        assert_eq!((report.exit, text(&report.record["error_code"])), (3, code));
    }

    fn make_key(&self, name: &str) -> String {
        let words = ["keys", "generate", "--no-passphrase", "--out", name];
        self.binary(&[&words[..], &["--name", name]].concat())
    }

    /// Three operations, a policy that wants two of three approvers, and what happens without the second.
    fn campaign(&self) {
        println!("\nA campaign: a tag, a release and a pull request, approved by two of three");
        for name in ["alice", "bob", "carol"] {
            self.make_key(name);
        }
        self.sim.commit("later", &[("later.txt", b"later\n")]);
        fs::write(self.folder.join("campaign.toml"), CAMPAIGN).unwrap();
        fs::write(self.folder.join("policy.toml"), self.policy()).unwrap();
        let root = self.trust(1, "");
        let plan = self.action(
            "campaign-dry-run",
            RUN,
            &[
                ("mode", "dry_run".into()),
                ("campaign", "campaign.toml".into()),
            ],
        );
        println!("  dry run     {}", text(&plan.record["result"]));
        fs::copy(&plan.outputs["plan"], self.folder.join("plan.json")).unwrap();
        let first = self.authorize("alice", 0);
        println!(
            "  authorize   alice signs {} receipts; the policy waits for another approver",
            first.lines().count()
        );
        fs::write(self.folder.join("first.receipts"), &first).unwrap();
        let both = self.binary(&[
            "sign",
            "first.receipts",
            "--plan",
            "plan.json",
            "--trusted-keys",
            "trust.json",
            "--key",
            "bob",
            "--yes",
        ]);
        println!("  sign        bob adds a signature to each, on another machine");

        println!("\n  What is not approved so is refused:");
        let writes = self.sim.writes().len();
        self.expect(
            "one signature missing",
            "threshold_unmet",
            &self.publish_plan("campaign-one", "octocat", &root, &first),
        );
        self.expect(
            "the requester approves",
            "policy_requester_approved",
            &self.publish_plan("campaign-self", "bob-gh", &root, &both),
        );
        let exact = fs::read_to_string(self.folder.join("plan.json")).unwrap();
        fs::write(
            self.folder.join("plan.json"),
            exact.replace("Spring", "Autumn"),
        )
        .unwrap();
        self.expect(
            "an edited plan",
            "plan_invalid",
            &self.publish_plan("campaign-edited", "octocat", &root, &both),
        );
        fs::write(self.folder.join("plan.json"), &exact).unwrap();
        let before = fs::read(self.folder.join("trust.json")).unwrap();
        self.trust(2, "revoked_at = \"2026-01-01T00:00:00Z\"");
        self.expect(
            "a revoked key",
            "key_revoked",
            &self.publish_plan("campaign-revoked", "octocat", &root, &both),
        );
        fs::write(self.folder.join("trust.json"), before).unwrap();
        assert_eq!(self.sim.writes().len(), writes, "a refusal wrote to GitHub");

        let shipped = self.publish_plan("campaign", "octocat", &root, &both);
        assert_eq!(
            (shipped.exit, text(&shipped.record["status"])),
            (0, "success"),
            "{}",
            shipped.record
        );
        let results: Value = serde_json::from_str(&shipped.outputs["results"]).unwrap();
        println!("\n  Shipped in its order:");
        for result in results.as_array().unwrap() {
            println!(
                "  {:<11} {}: {}",
                text(&result["id"]),
                text(&result["status"]),
                text(&result["html_url"])
            );
        }
        let verified = self.binary(&["ledger", "verify", "octo-hello.git"]);
        println!(
            "  ledger      {}",
            verified
                .lines()
                .find(|line| line.starts_with("chain"))
                .unwrap()
        );
    }

    fn authorize(&self, key: &str, exit: i32) -> String {
        let policy = ["--policy", "policy.toml", "--trusted-keys", "trust.json"];
        let output = self
            .command(
                &[
                    &["authorize", "plan.json", "--key", key, "--yes"],
                    policy.as_slice(),
                ]
                .concat(),
            )
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn policy(&self) -> String {
        let rule = |name: &str, operation: &str, pattern: &str| {
            format!(
                "\n[[rule]]\nname = \"{name}\"\noperation = \"{operation}\"\nrepository = \"octo/hello\"\nrepository_id = {}\n{pattern}\n\
                 approvers = [\"alice\", \"bob\", \"carol\"]\nthreshold = 2\nlongest_lifetime = \"1h\"\nexclude_requester = true\n",
                self.sim.repository_id()
            )
        };
        let rules = [
            rule("tags", "tag_repo", "tag = \"*\""),
            rule("releases", "publish_release", "tag = \"*\""),
            rule("pulls", "open_pr", "branch = \"main\""),
        ];
        format!("version = 1\n{}", rules.concat())
    }

    /// Puts a version of the trust file in place, signed by alice and carol; gives its root.
    fn trust(&self, version: u64, bob: &str) -> String {
        let key = |name: &str, more: &str| {
            let line = fs::read_to_string(self.folder.join(format!("{name}.pub"))).unwrap();
            format!(
                "\n[[key]]\nname = \"{name}\"\nlogin = \"{name}-gh\"\nkey = \"{}\"\n{more}\n",
                line.trim()
            )
        };
        let keys = [key("alice", ""), key("bob", bob), key("carol", "")].concat();
        fs::write(
            self.folder.join("version.toml"),
            format!("version = {version}\nthreshold = 2\n{keys}"),
        )
        .unwrap();
        let mut propose = vec![
            "trust",
            "propose",
            "version.toml",
            "--key",
            "alice",
            "--yes",
        ];
        if version > 1 {
            propose.extend(["--after", "trust.json"]);
        }
        fs::write(self.folder.join("half.json"), self.binary(&propose)).unwrap();
        fs::write(
            self.folder.join("trust.json"),
            self.binary(&["trust", "sign", "half.json", "--key", "carol", "--yes"]),
        )
        .unwrap();
        let shown = self.binary(&["trust", "show", "trust.json"]);
        shown
            .lines()
            .next()
            .unwrap()
            .rsplit("root ")
            .next()
            .unwrap()
            .to_owned()
    }

    fn publish_plan(&self, name: &str, actor: &str, root: &str, receipts: &str) -> Report {
        let plan = fs::read(self.folder.join("plan.json")).unwrap();
        let inputs = [
            ("mode", "prod".to_owned()),
            ("plan", "plan.json".to_owned()),
            ("plan-digest", Digest::of(&plan).to_string()),
            ("receipt", receipts.to_owned()),
            ("trusted-keys", String::new()),
            ("trust-file", "trust.json".to_owned()),
            ("trust-root", root.to_owned()),
            ("policy-file", "policy.toml".to_owned()),
        ];
        self.action_by(actor, name, RUN, &inputs)
    }

    fn end(&self) -> ExitCode {
        let folder = self.folder.display();
        println!("\nLook at what it left behind:");
        println!("  summary       {folder}/publish_release/summary.md");
        println!(
            "  audit record  {}",
            read_outputs(&self.folder.join("publish_release/outputs"))["audit-record"]
        );
        println!("  a campaign    {folder}/campaign/summary.md, its plan {folder}/plan.json");
        println!("  a refusal     {folder}/publish_release-again/summary.md");
        println!("  the ledger    git --git-dir {folder}/octo-hello.git log --stat receipt-ledger");
        println!("  the tag       git --git-dir {folder}/octo-hello.git cat-file tag docs-1");
        ExitCode::SUCCESS
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Reads outputs as the runner does.
fn read_outputs(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut outputs = BTreeMap::new();
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        outputs.insert(
            name.to_owned(),
            lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    outputs
}
