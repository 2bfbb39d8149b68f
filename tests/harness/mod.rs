//! A stage for tests of behaviour: a simulated GitHub, keys, a workspace, and the real binary.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses a part of the harness"
)]
#![allow(
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness fails loudly"
)]

pub mod approver;
pub mod by_hand;
mod issuing;
pub mod schema;
pub mod strangers;
mod suspended;
pub mod terminal;
pub mod withdrawal;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use countersign_core::{
    digest::Digest,
    document::Document as _,
    envelope::Envelope,
    keys::PublicKey,
    ledger::{Entry, Head, Withdrawing, entry_path, operation_path},
    plan::Plan,
    receipt::Terms,
    timestamp::Timestamp,
};
use countersign_sim::{Effect, Endpoint, Event, Fault, Hold, Permissions, Simulator};
use ed25519_dalek::SigningKey;
use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
/// The run in which everything happens unless a test says otherwise.
pub const RUN: &str = "17231231";

/// The same with waits of milliseconds: an example, so that it is never installed.
pub fn hurried() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| {
        let example = Path::new(BINARY).with_file_name("examples/countersign-hurried");
        assert_fresh(&example);
        example.into_os_string().into_string().unwrap()
    });
    &PATH
}

/// Cargo builds examples with all tests, but not with a single one.
fn assert_fresh(example: &Path) {
    let remedy = "run `cargo build --example countersign-hurried`";
    let sources = fs::read_to_string(example.with_extension("d"))
        .unwrap_or_else(|_| panic!("{} is not built: {remedy}", example.display()));

    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).unwrap();
    let built = modified(example);
    for source in sources.split_whitespace().skip(1) {
        let is_newer = modified(Path::new(source)) > built;
        assert!(
            !is_newer,
            "{source} is newer than {}: {remedy}",
            example.display()
        );
    }
}

pub struct Stage {
    pub sim: Simulator,
    pub token: String,
    pub folder: tempfile::TempDir,
    key: SigningKey,
    keeper: SigningKey,
    before: usize,
}

impl Stage {
    /// GitHub with a ledger that its rules protect, an empty workspace, and one approver.
    pub fn new() -> Self {
        let stage = Self::unprotected();
        let rules = ["deletion", "non_fast_forward"];
        stage.sim.branch_rules("receipt-ledger", &rules);
        stage
    }

    /// The same with a ledger that no rule protects.
    pub fn unprotected() -> Self {
        let mut stage = Self::without_ledger();
        let made = stage
            .command(&["ledger", "init", "--repository", stage.sim.repository()])
            .env("GH_TOKEN", &stage.token)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        stage.before = stage.sim.events().len();
        stage
    }

    pub fn without_ledger() -> Self {
        Self::on(Simulator::start())
    }

    /// A stage without a ledger, on this simulator.
    pub fn on(sim: Simulator) -> Self {
        let token = sim.token(Permissions::write());
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("workspace")).unwrap();
        Self {
            sim,
            token,
            folder,
            key: fresh_key(),
            keeper: fresh_key(),
            before: 0,
        }
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Writes a file into the workspace.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.workspace().join(name), bytes).unwrap();
        self
    }

    /// The binary, in an environment that holds nothing but what GitHub's addresses need.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(BINARY, arguments)
    }

    /// The same with a program of one's choice.
    pub fn command_of(&self, binary: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .current_dir(self.folder.path());
        command
            .env("GITHUB_API_URL", self.sim.api_url())
            .env("GITHUB_GRAPHQL_URL", self.sim.graphql_url())
            .env("XDG_STATE_HOME", self.state());
        command
    }

    /// Where the machine of a stage remembers what it saw of ledgers.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Head of the default branch.
    pub fn main(&self) -> String {
        self.sim.ref_oid("refs/heads/main").unwrap()
    }

    /// A PATCH by somebody else who may write; gives the status line.
    pub fn patch(&self, path: &str, body: &Value) -> String {
        self.request(
            "PATCH",
            &self.sim.api_url(),
            path,
            "application/json",
            &body.to_string(),
        )
    }

    fn request(&self, method: &str, url: &str, path: &str, kind: &str, body: &str) -> String {
        let answer = exchanged((method, url, path), &self.token, kind, body);
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Any request by someone else with a token of their own; returns the answer, which must be a success.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let url = self.sim.api_url();
        let answer = exchanged(
            (method, &url, path),
            token,
            "application/json",
            &body.to_string(),
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// A POST by somebody else who may write.
    pub fn post(&self, path: &str, body: &Value) {
        let status = self.request(
            "POST",
            &self.sim.api_url(),
            path,
            "application/json",
            &body.to_string(),
        );
        assert!(status.contains(" 201 "), "{status}");
    }

    /// A DELETE by somebody else who may write.
    pub fn delete(&self, path: &str) {
        let status = self.request("DELETE", &self.sim.api_url(), path, "application/json", "");
        assert!(status.contains(" 204 "), "{status}");
    }

    /// An upload by somebody else who may write.
    pub fn upload(&self, release: u64, name: &str, text: &str) {
        let content_type = match name.rsplit_once('.') {
            Some((_, "zip")) => "application/zip",
            Some((_, "json")) => "application/json",
            _ => "application/octet-stream",
        };
        self.upload_as(release, &format!("name={name}"), content_type, text);
    }

    /// The same with a label or under another content type.
    pub fn upload_as(&self, release: u64, query: &str, content_type: &str, text: &str) {
        let repository = self.sim.repository();
        let path = format!("/repos/{repository}/releases/{release}/assets?{query}");
        let uploads = self.sim.uploads_url();
        let status = self.request("POST", &uploads, &path, content_type, text);
        assert!(status.contains(" 201 "), "{status}");
    }

    /// Puts another asset of the same name in an asset's place.
    pub fn exchange(&self, release: u64, asset: u64, name: &str, text: &str) {
        let path = format!("/repos/{}/releases/assets/{asset}", self.sim.repository());
        self.delete(&path);
        self.upload(release, name, text);
    }

    /// Puts the same bytes in an asset's place, with a label or under another content type.
    pub fn dress_up(&self, release: u64, asset: u64, query: &str, content_type: &str, text: &str) {
        let path = format!("/repos/{}/releases/assets/{asset}", self.sim.repository());
        self.delete(&path);
        self.upload_as(release, query, content_type, text);
    }

    /// The approver's key.
    pub const fn approver(&self) -> &SigningKey {
        &self.key
    }

    /// The trusted keys: the approver's line.
    pub fn trusted(&self) -> String {
        trusted_line(&self.key, "alice@example.org")
    }

    /// An attempt for a release of v1.0.0 without assets.
    pub fn release(&self) -> Attempt<'_> {
        Attempt::new(self)
            .input("operation", "publish_release")
            .input("tag-name", "v1.0.0")
            .input("target-sha", &self.main())
            .input("body", "First.\n")
    }

    /// An attempt for a tag v1.0.0.
    pub fn tag(&self) -> Attempt<'_> {
        Attempt::new(self)
            .input("operation", "tag_repo")
            .input("tag-name", "v1.0.0")
            .input("target-sha", &self.main())
            .input("message", "Version 1.0.0")
    }

    /// An attempt for a pull request from a branch `next` with one commit.
    pub fn pull(&self) -> Attempt<'_> {
        let head = self
            .sim
            .ref_oid("refs/heads/next")
            .unwrap_or_else(|| self.sim.commit("next", &[("next.txt", b"next\n")]));
        Attempt::new(self)
            .input("operation", "open_pr")
            .input("title", "Next")
            .input("head-branch", "next")
            .input("head-sha", &head)
            .input("base-branch", "main")
    }

    /// One attempt of each kind.
    pub fn each(&self) -> [Attempt<'_>; 3] {
        [self.release(), self.tag(), self.pull()]
    }

    /// Signs any terms with the approver's key.
    pub fn sign(&self, terms: &Terms) -> String {
        let line = Envelope::sign(terms, &[&self.key]).to_line();
        schema::fits_receipt(&line);
        line
    }

    /// A receipt for each operation of a plan, one a line.
    pub fn sign_all(&self, plan: &Path) -> String {
        let plan = Plan::from_document(&fs::read(plan).unwrap()).unwrap();
        (0..plan.operations().len())
            .map(|index| self.sign(&terms_at(&plan, index)) + "\n")
            .collect()
    }

    /// Puts the machine of every attempt to sleep for so long: GitHub's clock goes on, and a process's
    /// own timers do not.
    pub fn sleep(&self, seconds: u32) {
        let folder = self.folder.path();
        let [path, new] = ["asleep", "asleep.new"].map(|name| folder.join(name));
        let before: u32 = fs::read_to_string(&path).map_or(0, |text| text.parse().unwrap());
        // Renamed, so that a process that reads it meanwhile never reads half.
        fs::write(&new, (before + seconds).to_string()).unwrap();
        fs::rename(new, path).unwrap();
        self.sim.shift_clock(seconds.into());
    }

    /// What came to GitHub since the stage was set.
    pub fn events(&self) -> Vec<Event> {
        self.sim.events().split_off(self.before)
    }

    /// The writes among them, refused ones too.
    pub fn writes(&self) -> Vec<String> {
        let event = |event: Event| {
            (event.kind == countersign_sim::Kind::Write)
                .then(|| format!("{} {}", event.method, event.path))
        };
        self.events().into_iter().filter_map(event).collect()
    }

    /// Method and path, or the operation's name, of every request.
    pub fn requests(&self) -> Vec<String> {
        self.events()
            .into_iter()
            .map(|event| {
                event
                    .operation
                    .unwrap_or_else(|| format!("{} {}", event.method, event.path))
            })
            .collect()
    }

    /// The ledger's entries about operations in their order, each read strictly and chained to the one before.
    pub fn ledger(&self) -> Vec<Entry> {
        let file = |path: &str| self.sim.read_file("receipt-ledger", path);
        let head = Head::from_document(&file("ledger.json").expect("a ledger")).unwrap();
        let mut previous: Option<Digest> = None;
        (1..=head.sequence())
            .filter_map(|sequence| {
                let bytes = file(&entry_path(sequence)).expect("an entry");
                if let Ok(withdrawal) = Withdrawing::from_document(&bytes) {
                    assert_eq!(withdrawal.previous, previous);
                    previous = Some(Digest::of(&bytes));
                    return None;
                }
                let mut entry = Entry::from_document(&bytes).unwrap();
                assert_eq!((entry.sequence, entry.previous), (sequence, previous));
                // A forged claim need not have one.
                if let Some(operation) = Entry::claimed_operation(&bytes)
                    .and_then(|digest| file(&operation_path(&digest)))
                {
                    entry = entry.with_operation(Some(&operation)).unwrap();
                }
                previous = Some(Digest::of(&bytes));
                Some(entry)
            })
            .collect()
    }

    /// The events on the ledger, in their last words.
    pub fn ledger_events(&self) -> Vec<String> {
        self.ledger()
            .iter()
            .map(|entry| {
                entry
                    .event_type
                    .as_str()
                    .rsplit('.')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }
}

/// One request on a connection of its own; returns the full answer.
fn exchanged(
    (method, url, path): (&str, &str, &str),
    token: &str,
    kind: &str,
    body: &str,
) -> String {
    use std::io::{Read as _, Write as _};
    let address = url.trim_start_matches("http://").to_owned();
    let mut connection = std::net::TcpStream::connect(&address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: somebody\r\nAuthorization: Bearer {token}\r\n"
    );
    write!(
        connection,
        "{head}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// Whatever a test was about: what the ledger holds at its end must be what the schemas say.
impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            schema::fits_ledger(self.sim.git_dir());
        }
    }
}

/// Tells a figure past the test runner's capture.
#[expect(clippy::disallowed_methods, reason = "it is what a test measured")]
pub fn tell(text: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes()).unwrap();
}

/// Terms for the first operation of a plan, as an approver would sign them now.
pub fn terms(plan: &Path) -> Terms {
    terms_at(&Plan::from_document(&fs::read(plan).unwrap()).unwrap(), 0)
}

fn terms_at(plan: &Plan, index: usize) -> Terms {
    let operation = plan.operations()[index].operation();
    let now = now();
    Terms {
        receipt_id: format!("receipt-{}", &operation.digest().to_hex()[..16])
            .parse()
            .unwrap(),
        run_id: plan.run_id.clone(),
        operation_kind: operation.kind(),
        target: operation.target().clone(),
        enforceable: true,
        issued_at: now,
        expires_at: now.plus(3600),
        consumed: false,
        ledger: plan.operations()[index].ledger().clone(),
        operation_digest: operation.digest(),
    }
}

/// A key that nobody has seen before: those that stand in tests are refused in `prod`.
pub fn fresh_key() -> SigningKey {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    SigningKey::from_bytes(&seed)
}

pub fn trusted_line(key: &SigningKey, name: &str) -> String {
    format!(
        "{} {name}",
        PublicKey::new(key.verifying_key()).unwrap().to_openssh()
    )
}

pub fn now() -> Timestamp {
    countersign::system_clock()
}

/// One call of the Action, as a workflow would write it.
#[derive(Clone)]
pub struct Attempt<'a> {
    stage: &'a Stage,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    raw: Option<String>,
}

impl<'a> Attempt<'a> {
    pub fn new(stage: &'a Stage) -> Self {
        let attempt = Self {
            stage,
            inputs: BTreeMap::new(),
            variables: BTreeMap::new(),
            raw: None,
        };
        attempt
            .input("mode", "prod")
            .input("token", &stage.token)
            .input("trusted-keys", &stage.trusted())
            .variable("GITHUB_ACTIONS", "true")
            .variable("GITHUB_API_URL", stage.sim.api_url())
            .variable("GITHUB_GRAPHQL_URL", stage.sim.graphql_url())
            .variable("GITHUB_SERVER_URL", "https://github.com")
            .variable("GITHUB_RUN_ID", RUN)
            .variable("GITHUB_RUN_ATTEMPT", "1")
            .variable("GITHUB_REPOSITORY", stage.sim.repository())
            .variable(
                "GITHUB_REPOSITORY_ID",
                stage.sim.repository_id().to_string(),
            )
            .variable("GITHUB_SHA", stage.main())
            .variable("GITHUB_ACTOR", "octocat")
            .variable("GITHUB_EVENT_NAME", "workflow_dispatch")
            .variable("GITHUB_WORKSPACE", stage.workspace().display().to_string())
    }

    pub fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.into(), value.into());
        self
    }

    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub fn without_variable(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// The dry run of the same operation.
    pub fn dry_run(&self) -> Report {
        self.clone().input("mode", "dry_run").run()
    }

    /// The same attempt with a receipt that an approver signs for its plan, changed as given.
    pub fn approved_with(self, edit: impl FnOnce(&mut Terms)) -> Self {
        let plan = self.dry_run();
        assert_eq!(plan.exit, 0, "{}", plan.log);
        let mut terms = terms(&plan.plan());
        edit(&mut terms);
        let receipt = self.stage.sign(&terms);
        self.input("receipt", &receipt)
    }

    /// A receipt for the same operation with other words in its bytes: for what no dry run would plan.
    pub fn approved_for(self, from: &str, to: &str) -> Self {
        let plan = self.dry_run();
        let bytes = serde_json::to_string(&plan.record["operation"]).unwrap();
        let operation = plan.record["operation"]
            .as_object()
            .map(|_| fs::read_to_string(plan.plan()).unwrap())
            .unwrap();
        let start = operation.find("{\"operation_kind\"").unwrap();
        let exact = &operation[start..start + bytes.len()];
        let mut terms = terms(&plan.plan());
        terms.operation_digest = Digest::of(exact.replace(from, to).as_bytes());
        let receipt = self.stage.sign(&terms);
        self.input("receipt", &receipt)
    }

    /// The receipt that was signed for it.
    pub fn receipt(&self) -> String {
        self.inputs["receipt"].clone()
    }

    pub fn approved(self) -> Self {
        self.approved_with(|_| ())
    }

    /// The inputs as one text, instead of those of an action.yml.
    pub fn raw_inputs(mut self, text: &str) -> Self {
        self.raw = Some(text.into());
        self
    }

    /// The process, ready to start, with fresh places for record, summary and outputs.
    pub fn process(&self) -> (Command, Surfaces) {
        self.process_of(hurried())
    }

    /// The same with a program of one's choice.
    pub fn process_of(&self, binary: &str) -> (Command, Surfaces) {
        let folder = tempfile::tempdir_in(self.stage.folder.path())
            .unwrap()
            .keep();
        schema::fits_receipts(self.inputs.get("receipt").map_or("", String::as_str));
        let mut command = Command::new(binary);
        command
            .args(["action", "/dev/null"])
            .env_clear()
            .env("HURRIED_ASLEEP", self.stage.folder.path().join("asleep"))
            .env("RUNNER_TEMP", folder.join("temp"))
            .envs(&self.variables);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env(
            "COUNTERSIGN_INPUTS",
            self.raw
                .clone()
                .unwrap_or_else(|| serde_json::to_string(&self.inputs).unwrap()),
        );
        fs::create_dir(folder.join("temp")).unwrap();
        for (variable, name) in [
            ("GITHUB_OUTPUT", "outputs"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            fs::write(folder.join(name), "").unwrap();
            command.env(variable, folder.join(name));
        }
        (command, Surfaces { folder })
    }

    /// Runs the attempt, and does something while its first upload is held: what others do between our requests.
    pub fn run_while_uploading(&self, meanwhile: impl FnOnce()) -> Report {
        self.run_while(Endpoint::UploadAsset, meanwhile)
    }

    /// Runs the attempt, and does something while GitHub holds its answer to the first request of this kind.
    pub fn run_while(&self, endpoint: Endpoint, meanwhile: impl FnOnce()) -> Report {
        self.run_while_nth(endpoint, 1, meanwhile)
    }

    /// The same at a later request of this kind.
    pub fn run_while_nth(
        &self,
        endpoint: Endpoint,
        nth: usize,
        meanwhile: impl FnOnce(),
    ) -> Report {
        self.run_held(endpoint, nth, |hold| {
            meanwhile();
            hold.release();
        })
    }

    /// Runs the attempt, does something while GitHub holds its answer to a request, and loses that answer.
    pub fn run_losing(&self, endpoint: Endpoint, nth: usize, meanwhile: impl FnOnce()) -> Report {
        self.run_held(endpoint, nth, |hold| {
            meanwhile();
            hold.lose();
        })
    }

    fn run_held(&self, endpoint: Endpoint, nth: usize, end: impl FnOnce(&Hold)) -> Report {
        let mut is_held = false;
        let report = self.run_held_if(endpoint, nth, |hold| {
            is_held = true;
            end(hold);
        });
        assert!(is_held, "{endpoint:?} {nth} was not asked: {}", report.log);
        report
    }

    /// The same if the attempt comes to that request; it may end before.
    pub fn run_held_if(&self, endpoint: Endpoint, nth: usize, end: impl FnOnce(&Hold)) -> Report {
        let hold = Hold::default();
        let effect = Effect::Held(hold.clone());
        self.stage
            .sim
            .plan(Fault::on(endpoint).nth(nth).then(effect));

        let (mut command, surfaces) = self.process();
        let mut child = command.spawn().unwrap();
        let between = std::time::Duration::from_millis(2);
        let is_held = loop {
            if hold.is_reached_within(between) {
                break true;
            }
            if child.try_wait().unwrap().is_some() {
                break false;
            }
        };
        if is_held {
            end(&hold);
        }
        surfaces.report(&child.wait_with_output().unwrap())
    }

    /// Kills the attempt with SIGKILL while GitHub leaves it without an answer at one request, which it has not served either.
    pub fn killed(&self, endpoint: Endpoint, nth: usize) {
        let sim = &self.stage.sim;
        let seen = sim
            .events()
            .iter()
            .filter(|event| event.endpoint == endpoint)
            .count();
        sim.plan(Fault::on(endpoint).nth(nth).then(Effect::Stall));
        let (mut command, _surfaces) = self.process();
        let mut child = command.spawn().unwrap();
        sim.wait_until(|events| {
            events
                .iter()
                .filter(|event| event.endpoint == endpoint)
                .nth(seen + nth - 1)
                .is_some_and(|event| !event.finished)
        });
        assert!(
            Command::new("kill")
                .args(["-KILL", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        child.wait().unwrap();
        tell(&format!("killed at {endpoint:?} {nth}"));
    }

    pub fn run(&self) -> Report {
        let (mut command, surfaces) = self.process();
        let output = command.output().unwrap();
        let report = surfaces.report(&output);
        if let Some(campaign) = self
            .inputs
            .get("campaign")
            .filter(|_| report.status() == "dry_run")
        {
            schema::fits_toml(
                "campaign",
                &fs::read_to_string(self.stage.workspace().join(campaign)).unwrap(),
            );
        }
        report
    }
}

/// The files that the runner reads after a step.
pub struct Surfaces {
    folder: PathBuf,
}

impl Surfaces {
    pub fn report(&self, output: &Output) -> Report {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap();
        let outputs = outputs(&read("outputs"));
        for path in outputs
            .get("audit-record")
            .map_or("", String::as_str)
            .lines()
        {
            schema::fits_json("audit-record", &fs::read(path).unwrap());
        }
        if let Some(plan) = outputs.get("plan").filter(|path| !path.is_empty()) {
            schema::fits_json("plan", &fs::read(plan).unwrap());
        }
        let record = outputs
            .get("audit-record")
            .and_then(|paths| paths.lines().last())
            .map(PathBuf::from)
            .or_else(|| self.any_record())
            .expect("an audit record");
        Report {
            exit: output.status.code().unwrap_or(-1),
            log: String::from_utf8_lossy(
                &[output.stdout.as_slice(), output.stderr.as_slice()].concat(),
            )
            .into_owned(),
            record: {
                let record = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
                schema::fits("audit-record", &record);
                record
            },
            summary: read("summary"),
            outputs,
        }
    }

    /// The record of a process that had no chance to tell its path.
    fn any_record(&self) -> Option<PathBuf> {
        let folder = fs::read_dir(self.folder.join("temp"))
            .unwrap()
            .next()?
            .unwrap();
        Some(folder.path().join("audit-record.json"))
    }
}

/// Reads outputs as the runner does: `name<<DELIMITER`, lines, `DELIMITER`.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut outputs = BTreeMap::new();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").expect("a delimiter");
        let value: Vec<&str> = lines
            .by_ref()
            .take_while(|line| *line != delimiter)
            .collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

/// What one attempt left behind.
#[derive(Debug)]
pub struct Report {
    pub exit: i32,
    pub log: String,
    pub record: Value,
    pub summary: String,
    pub outputs: BTreeMap<String, String>,
}

impl Report {
    pub fn status(&self) -> &str {
        self.record["status"].as_str().unwrap()
    }

    pub fn code(&self) -> &str {
        self.record["error_code"].as_str().unwrap_or("-")
    }

    pub fn message(&self) -> &str {
        self.record["error_message"].as_str().unwrap_or("-")
    }

    pub fn plan(&self) -> PathBuf {
        self.outputs["plan"].clone().into()
    }

    /// The codes of all broken rules, in the table's order.
    pub fn broken(&self) -> Vec<&str> {
        let checks = self.record["checks"].as_array().unwrap();
        checks
            .iter()
            .filter(|check| check["verdict"] == "broken")
            .map(|check| check["code"].as_str().unwrap())
            .collect()
    }

    /// Asserts a refusal: its code, its exit status, and that it is told on every surface.
    #[track_caller]
    pub fn refused(&self, code: &str) {
        assert_eq!((self.exit, self.code()), (3, code), "{}", self.message());
        assert!(matches!(
            self.status(),
            "rejected_by_auth" | "rejected_by_mode"
        ));
        assert_eq!(
            (
                self.outputs["status"].as_str(),
                self.outputs["error-code"].as_str()
            ),
            (self.status(), code)
        );
        assert!(!self.record["remedy"].as_str().unwrap().is_empty());
        assert!(
            self.summary.contains("Why it was not shipped"),
            "{}",
            self.summary
        );
        assert!(
            self.log
                .contains("::error title=Countersign%3A rejected_by_"),
            "{}",
            self.log
        );
    }

    #[track_caller]
    pub fn succeeded(&self) {
        assert_eq!(
            (self.exit, self.status(), self.code()),
            (0, "success", "-"),
            "{}\n{}",
            self.message(),
            self.log
        );
    }
}
