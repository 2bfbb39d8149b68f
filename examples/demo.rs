//! The main job on an embedded GitHub: dry run, approval, publication, and every way in which a receipt does not serve twice.
//!
//! Needs no network, no account and no set-up: `cargo run --example demo`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a demo prints, and stops loudly")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use countersign_core::{document::Document as _, envelope::Envelope, plan::Plan, receipt::Terms};
use countersign_sim::{Permissions, Simulator};
use ed25519_dalek::SigningKey;
use serde_json::Value;

/// Set in the processes in which this program plays the binary.
const ROLE: &str = "COUNTERSIGN_DEMO_ROLE";
const RUN: &str = "17231231";

fn main() -> ExitCode {
    if std::env::var_os(ROLE).is_some() {
        return countersign::main().into();
    }
    let demo = Demo::begin();
    demo.ship();
    demo.refuse();
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
        let folder = tempfile::Builder::new().prefix("countersign-demo-").tempdir().unwrap().keep();
        let sim = Simulator::builder().git_dir(folder.join("octo-hello.git")).start();
        let token = sim.token(Permissions::write());
        let key = SigningKey::from_bytes(&[7; 32]);
        let mut demo = Self { sim, folder, token, trusted: String::new(), key };
        demo.trusted = demo.binary(&["keys", "generate", "--out", "approver", "--name", "approver@example.org"]);
        let seed = ssh_key::PrivateKey::from_openssh(fs::read(demo.folder.join("approver")).unwrap()).unwrap();
        demo.key = SigningKey::from_bytes(&seed.key_data().ed25519().unwrap().private.to_bytes());
        print!("$ countersign keys generate --out approver\n  {}", demo.trusted);
        print!("$ countersign ledger init --repository octo/hello\n  {}", demo.binary(&["ledger", "init", "--repository", "octo/hello"]));
        demo
    }

    /// Runs a command for people, in an empty environment, and gives what it prints.
    fn binary(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).env("GH_TOKEN", &self.token).stderr(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "countersign {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(arguments).current_dir(&self.folder).env_clear().env(ROLE, "binary");
        command.env("GITHUB_API_URL", self.sim.api_url()).env("GITHUB_GRAPHQL_URL", self.sim.graphql_url());
        command
    }

    /// Calls the Action as its action.yml does.
    fn action(&self, name: &str, run: &str, inputs: &[(&str, String)]) -> Report {
        let folder = self.folder.join(name);
        fs::create_dir_all(folder.join("temp")).unwrap();
        let mut all: BTreeMap<&str, String> = inputs.iter().cloned().collect();
        all.insert("token", self.token.clone());
        all.insert("trusted-keys", self.trusted.clone());
        let mut command = self.command(&["action", "/dev/null"]);
        command.env("COUNTERSIGN_INPUTS", serde_json::to_string(&all).unwrap());
        for (variable, value) in [
            ("GITHUB_RUN_ID", run),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_REPOSITORY", self.sim.repository()),
            ("GITHUB_REPOSITORY_ID", &self.sim.repository_id().to_string()),
            ("GITHUB_SHA", &self.main()),
            ("GITHUB_ACTOR", "octocat"),
        ] {
            command.env(variable, value);
        }
        command.env("RUNNER_TEMP", folder.join("temp")).env("GITHUB_OUTPUT", folder.join("outputs"));
        command.env("GITHUB_STEP_SUMMARY", folder.join("summary.md")).env("GITHUB_WORKSPACE", &self.folder);
        let exit = command.stdout(Stdio::null()).status().unwrap().code().unwrap();
        let outputs = read_outputs(&folder.join("outputs"));
        Report { exit, record: serde_json::from_slice(&fs::read(&outputs["audit-record"]).unwrap()).unwrap(), outputs }
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
                let head = self.sim.ref_oid("refs/heads/next").unwrap_or_else(|| self.sim.commit("next", &[("next.txt", b"next\n")]));
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
        println!("  dry run     {}", report.record["result"].as_str().unwrap());
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
            let receipt = self.binary(&["authorize", plan.to_str().unwrap(), "--key", "approver", "--yes"]);
            fs::write(self.folder.join(format!("{kind}.receipt")), &receipt).unwrap();
            println!("  authorize   a receipt of {} characters, signed with the approver's key", receipt.trim().len());
            let report = self.publish(kind, kind, RUN, &receipt);
            println!(
                "  prod        {} Ledger entries {} and {}.",
                text(&report.record["result"]),
                report.record["ledger"]["claim"]["sequence"],
                report.record["ledger"]["outcome"]["sequence"]
            );
            assert_eq!((report.exit, text(&report.record["status"])), (0, "success"));
        }
    }

    fn refuse(&self) {
        println!("\nEverything else is refused, and nothing is written to GitHub");
        let writes = self.sim.writes().len();
        for kind in ["publish_release", "tag_repo", "open_pr"] {
            println!("\n{kind}");
            let receipt = fs::read_to_string(self.folder.join(format!("{kind}.receipt"))).unwrap();
            let other = if kind == "tag_repo" { "publish_release" } else { "tag_repo" };
            self.expect("the same receipt again", "receipt_consumed", &self.publish(&format!("{kind}-again"), kind, RUN, &receipt));
            self.expect("in another run", "run_id_mismatch", &self.publish(&format!("{kind}-other-run"), kind, "4", &receipt));
            self.expect(
                "for another operation",
                "operation_kind_mismatch",
                &self.publish(&format!("{kind}-other-operation"), other, RUN, &receipt),
            );
            self.expect(
                "after it expired",
                "receipt_expired",
                &self.with_terms(kind, "expired", |terms| {
                    (terms.issued_at, terms.expires_at) = (terms.issued_at.minus(7200), terms.issued_at.minus(3600));
                }),
            );
            self.expect("an advisory receipt", "advisory_receipt", &self.with_terms(kind, "advisory", |terms| terms.enforceable = false));
            self.expect("no receipt at all", "receipt_missing", &self.publish(&format!("{kind}-none"), kind, RUN, ""));
        }
        assert_eq!(self.sim.writes().len(), writes, "a refusal wrote to GitHub");
    }

    /// An attempt with a receipt that the approver's key signed, but with other terms.
    fn with_terms(&self, kind: &str, name: &str, edit: impl FnOnce(&mut Terms)) -> Report {
        let plan = glob::glob(&format!("{}/{kind}-dry-run/temp/*/plan.json", self.folder.display())).unwrap().next().unwrap().unwrap();
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
            ledger: plan.operations()[0].ledger(),
            operation_digest: operation.digest(),
        };
        edit(&mut terms);
        self.publish(&format!("{kind}-{name}"), kind, RUN, &Envelope::sign(&terms, &[&self.key]).to_line())
    }

    #[expect(clippy::unused_self, reason = "reads as a step of the demo")]
    fn expect(&self, what: &str, code: &str, report: &Report) {
        println!("  {what:<23} {}: {}", text(&report.record["error_code"]), text(&report.record["error_message"]));
        assert_eq!((report.exit, text(&report.record["error_code"])), (3, code));
    }

    fn end(&self) -> ExitCode {
        let folder = self.folder.display();
        println!("\nLook at what it left behind:");
        println!("  summary       {folder}/publish_release/summary.md");
        println!("  audit record  {}", read_outputs(&self.folder.join("publish_release/outputs"))["audit-record"]);
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
        outputs.insert(name.to_owned(), lines.by_ref().take_while(|line| *line != delimiter).collect::<Vec<_>>().join("\n"));
    }
    outputs
}
