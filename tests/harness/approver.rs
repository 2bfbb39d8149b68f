//! An approver with a key and a machine of their own, who signs for the plan that a run left.

use std::{
    fs,
    io::{Cursor, Write as _},
    process::{Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    document::Document as _,
    ledger::{Checkpoint, Head},
    plan::Plan,
};
use countersign_sim::{Access, Permissions};
use serde_json::Value;

use super::{BINARY, RUN, Report, Stage};

/// What a command printed, and how it ended.
pub struct Signed {
    pub exit: i32,
    /// The receipts, one per line.
    pub receipts: String,
    pub told: String,
}

impl Signed {
    /// The checkpoint of each receipt.
    #[track_caller]
    pub fn ledgers(&self) -> Vec<Value> {
        assert_eq!(self.exit, 0, "{}", self.told);
        let ledger = |line: &str| {
            let envelope: Value = serde_json::from_str(line).unwrap();
            let payload = STANDARD
                .decode(envelope["payload"].as_str().unwrap())
                .unwrap();
            let statement: Value = serde_json::from_slice(&payload).unwrap();
            statement["predicate"]["ledger"].clone()
        };
        self.receipts.lines().map(ledger).collect()
    }

    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        assert!(
            self.told.contains(part),
            "`{part}` is not said: {}",
            self.told
        );
        self
    }

    #[track_caller]
    pub fn signed_nothing(&self, exit: i32) -> &Self {
        assert_eq!(
            (self.exit, self.receipts.as_str()),
            (exit, ""),
            "{}",
            self.told
        );
        self
    }
}

impl Stage {
    /// Starts the run and makes the approver's key; returns its line for `trusted-keys`.
    pub fn with_approver(&self) -> String {
        self.sim.run(RUN.parse().unwrap(), "dana", "dana");
        let made = self
            .command(&[
                "keys",
                "generate",
                "--no-passphrase",
                "--out",
                "approver",
                "--name",
                "approver",
            ])
            .output();
        assert!(made.unwrap().status.success());
        fs::read_to_string(self.folder.path().join("approver.pub")).unwrap()
    }

    /// Leaves the plan of a dry run in the run, changed as given; one that was left before expires.
    pub fn leave_plan(&self, plan: &Report, edit: impl FnOnce(String) -> String) {
        let id = self.leave_another_plan(plan, edit);
        (1..id).for_each(|before| self.sim.expire_artifact(before));
    }

    /// The same as another artifact of the same name, as a re-run leaves it; returns its number.
    pub fn leave_another_plan(&self, plan: &Report, edit: impl FnOnce(String) -> String) -> u64 {
        self.leave_plan_as("plan", plan, edit)
    }

    /// The same under another name.
    pub fn leave_plan_as(
        &self,
        name: &str,
        plan: &Report,
        edit: impl FnOnce(String) -> String,
    ) -> u64 {
        let text = fs::read_to_string(plan.plan()).unwrap();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .start_file("plan.json", zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(edit(text).as_bytes()).unwrap();

        let archive = writer.finish().unwrap().into_inner();
        self.sim.artifact(RUN.parse().unwrap(), name, &archive)
    }

    /// The tip of the ledger, as a receipt names it.
    pub fn tip(&self) -> Checkpoint {
        let head = self.sim.read_file("receipt-ledger", "ledger.json").unwrap();
        let commit = self.sim.ref_oid("refs/heads/receipt-ledger").unwrap();
        Checkpoint {
            commit: commit.parse().unwrap(),
            head: Head::from_document(&head).unwrap(),
        }
    }

    /// `authorize --run` by the approver, without a terminal.
    pub fn authorize(&self, more: &[&str]) -> Signed {
        self.authorize_with(&self.reader(), more)
    }

    /// The same with another token.
    pub fn authorize_with(&self, token: &str, more: &[&str]) -> Signed {
        let words = [&["authorize"], &self.by()[..], more].concat();
        let output = self.command(&words).env("GH_TOKEN", token).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.unwrap();
        Signed {
            exit: status.code().unwrap(),
            receipts: String::from_utf8(stdout).unwrap(),
            told: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The same on a terminal, on which these lines are typed.
    pub fn authorize_on_terminal(&self, typed: &[&str]) -> Signed {
        let by = self.by().join(" ");
        let shell = format!("stty cols 400 rows 50; {BINARY} authorize {by}");
        let mut terminal = self.command_of("/usr/bin/script", &["-qec", &shell, "/dev/null"]);
        terminal
            .env("GH_TOKEN", self.reader())
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = terminal.spawn().unwrap();
        let lines = typed.iter().map(|line| format!("{line}\n"));
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(lines.collect::<String>().as_bytes())
            .unwrap();
        drop(input);

        let Output { status, stdout, .. } = child.wait_with_output().unwrap();
        let shown = String::from_utf8(stdout).unwrap().replace('\r', "");
        let (receipts, told): (Vec<&str>, Vec<&str>) = shown
            .lines()
            .partition(|line| line.starts_with("{\"payload\""));
        Signed {
            exit: status.code().unwrap(),
            receipts: receipts.join("\n"),
            told: told.join("\n"),
        }
    }

    /// What the approver's machine remembers.
    pub fn heads(&self) -> Value {
        let path = self.state().join("countersign/heads.json");
        fs::read(path).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap())
    }

    fn by(&self) -> [&str; 6] {
        [
            "--run",
            RUN,
            "--repository",
            self.sim.repository(),
            "--key",
            "approver",
        ]
    }

    /// A token that may read everything that approvers and auditors look at.
    pub fn reader(&self) -> String {
        self.sim.token(Permissions {
            actions: Access::Read,
            ..Permissions::read()
        })
    }
}

/// A plan's text, changed so that its job seems to have seen another ledger.
pub fn naming(text: &str, ledger: &Checkpoint) -> String {
    let plan = Plan::from_document(text.as_bytes()).unwrap();
    let before = plan.operations()[0].ledger();
    let json = |checkpoint: &Checkpoint| serde_json::to_string(checkpoint).unwrap();
    let text = text.replace(&json(before), &json(ledger));
    text.replace(&before.to_string(), &ledger.to_string())
}
