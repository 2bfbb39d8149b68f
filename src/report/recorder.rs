//! Keeps the audit record from the first moment on, and closes it exactly once, whichever way the attempt ends.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign_core::{
    audit::{AuditRecord, LedgerRecord, RunRecord, Status},
    authorize::Mode,
    document::to_json_line,
    name::OperationId,
    refusal::Refusal,
    text::excerpt,
    timestamp::Timestamp,
};

use super::{Log, commands::Level, files, summary};
use crate::{
    exit::Exit,
    random,
    runner::{Environment, Inputs},
};

/// How far an attempt has come: what an interruption means depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was written yet.
    Deciding,
    /// The receipt may be spent.
    Claiming,
    /// The receipt is spent; the operation may be done.
    Acting,
    /// The operation has ended; its outcome may be on the ledger.
    Recording,
}

/// How an attempt ends.
#[derive(Debug)]
pub(crate) enum Ending {
    Planned { result: String },
    Succeeded { result: String },
    Refused(Refusal),
    Failed(Complaint),
    Unknown(Complaint),
}

/// What went wrong after the decision, or before there was one.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Complaint {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// The record of this attempt. Clones share it: the panic hook and the signal handler hold one too.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Mutex<State>>);

struct State {
    record: AuditRecord,
    phase: Phase,
    closed: Option<Exit>,
    folder: PathBuf,
    plan: Option<PathBuf>,
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
    server: String,
    log: Log,
}

impl Recorder {
    /// Begins a record and writes its first form: even a killed process leaves one behind.
    pub(crate) fn begin(environment: &Environment, operation_id: OperationId, now: Timestamp, log: Log) -> io::Result<Self> {
        let temp = environment.get("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
        let state = State {
            folder: files::folder(&temp, &operation_id)?,
            record: blank(environment, operation_id, now),
            phase: Phase::Deciding,
            closed: None,
            plan: None,
            outputs: environment.get("GITHUB_OUTPUT").map(PathBuf::from),
            summary: environment.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            server: environment.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/').into(),
            log,
        };
        state.write_provisional()?;
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the record.
    pub(crate) fn note(&self, add: impl FnOnce(&mut AuditRecord)) {
        add(&mut self.state().record);
    }

    /// Notes what the inputs ask for, as given.
    pub(crate) fn note_inputs(&self, inputs: &Inputs) {
        self.note(|record| {
            record.mode = excerpt(&inputs.mode, 40);
            record.operation_kind = excerpt(&inputs.operation, 40);
            if !inputs.run_id.is_empty() {
                record.run_id = excerpt(&inputs.run_id, 40);
            }
            if !inputs.repository.is_empty() {
                record.repository = excerpt(&inputs.repository, 200);
            }
        });
    }

    /// Enters a phase, on disk first.
    pub(crate) fn enter(&self, phase: Phase) -> io::Result<()> {
        let mut state = self.state();
        state.phase = phase;
        state.write_provisional()
    }

    pub(crate) fn operation_id(&self) -> OperationId {
        self.state().record.operation_id.clone()
    }

    pub(crate) fn log(&self) -> Log {
        self.state().log.clone()
    }

    /// Writes the plan beside the record.
    pub(crate) fn write_plan(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let path = state.folder.join("plan.json");
        files::replace(&path, bytes)?;
        state.plan = Some(path);
        Ok(())
    }

    /// Closes the record for somebody who interrupts: what it means depends on how far the attempt has come.
    pub(crate) fn interrupt(&self, code: &str, what: &str, now: Timestamp) -> Exit {
        // The panic may have come while the record was being changed: take what is there.
        let (phase, closed) = match self.0.try_lock() {
            Ok(state) => (state.phase, state.closed),
            Err(std::sync::TryLockError::Poisoned(state)) => (state.get_ref().phase, state.get_ref().closed),
            Err(std::sync::TryLockError::WouldBlock) => return Exit::Unknown,
        };
        closed.unwrap_or_else(|| self.close(&interruption(phase, code, what), now))
    }

    /// Closes the record: file, summary, outputs, annotation. The first call counts.
    pub(crate) fn close(&self, ending: &Ending, now: Timestamp) -> Exit {
        let mut state = self.state();
        if let Some(exit) = state.closed {
            return exit;
        }
        let (status, exit) = ended(ending);
        state.closed = Some(exit);
        state.record.status = status;
        state.record.completed_at = now;
        let remedy = tell(&mut state.record, ending);
        state.write_all(remedy);
        exit
    }
}

fn interruption(phase: Phase, code: &str, what: &str) -> Ending {
    let complaint = |consequence: &str| Complaint::new(code, format!("{what} {consequence}"));
    match phase {
        Phase::Deciding => Ending::Failed(complaint("before anything was written to GitHub. Run the job again.")),
        Phase::Claiming | Phase::Acting => Ending::Unknown(complaint(
            "after the receipt may have been spent. It is not known whether the operation was done: look at the ledger and at what GitHub has.",
        )),
        Phase::Recording => Ending::Unknown(complaint("after the operation, before its outcome was known to be on the ledger.")),
    }
}

const fn ended(ending: &Ending) -> (Status, Exit) {
    match ending {
        Ending::Planned { .. } => (Status::DryRun, Exit::Success),
        Ending::Succeeded { .. } => (Status::Success, Exit::Success),
        Ending::Refused(Refusal::ModeViolation { .. }) => (Status::RejectedByMode, Exit::Refused),
        Ending::Refused(_) => (Status::RejectedByAuth, Exit::Refused),
        Ending::Failed(_) => (Status::Failed, Exit::Failed),
        Ending::Unknown(_) => (Status::Unknown, Exit::Unknown),
    }
}

/// Writes the ending into the record and returns the remedy, which the surfaces show apart from the message.
fn tell(record: &mut AuditRecord, ending: &Ending) -> Option<&'static str> {
    match ending {
        Ending::Planned { result } | Ending::Succeeded { result } => {
            record.result.clone_from(result);
            None
        }
        Ending::Refused(refusal) => {
            record.result = "refused; nothing was written to GitHub".into();
            record.error_code = Some(refusal.code().into());
            record.error_message = Some(refusal.to_string());
            record.remedy = Some(refusal.remedy().into());
            Some(refusal.remedy())
        }
        Ending::Failed(complaint) | Ending::Unknown(complaint) => {
            record.result = if matches!(ending, Ending::Failed(_)) { "failed".into() } else { "unknown".into() };
            record.error_code = Some(complaint.code.clone());
            record.error_message = Some(complaint.message.clone());
            None
        }
    }
}

fn blank(environment: &Environment, operation_id: OperationId, now: Timestamp) -> AuditRecord {
    let variable = |name: &str| excerpt(environment.get(name).unwrap_or_default(), 200);
    AuditRecord {
        operation_id,
        run_id: variable("GITHUB_RUN_ID"),
        operation_kind: String::new(),
        receipt_id: None,
        repository: variable("GITHUB_REPOSITORY"),
        status: Status::Unknown,
        mode: String::new(),
        started_at: now,
        completed_at: now,
        result: String::new(),
        error_message: None,
        error_code: None,
        remedy: None,
        github_response: None,
        retry_count: 0,
        checks: Vec::new(),
        signers: Vec::new(),
        operation: None,
        operation_digest: None,
        receipt: None,
        ledger: LedgerRecord::default(),
        github: RunRecord {
            run_id: variable("GITHUB_RUN_ID"),
            run_attempt: variable("GITHUB_RUN_ATTEMPT"),
            workflow: variable("GITHUB_WORKFLOW_REF"),
            actor: variable("GITHUB_ACTOR"),
            triggering_actor: variable("GITHUB_TRIGGERING_ACTOR"),
            event: variable("GITHUB_EVENT_NAME"),
            reference: variable("GITHUB_REF"),
            sha: variable("GITHUB_SHA"),
        },
        requests: 0,
        version: env!("CARGO_PKG_VERSION"),
    }
}

impl State {
    fn record_path(&self) -> PathBuf {
        self.folder.join("audit-record.json")
    }

    /// The record as it must be read if nobody gets to close it.
    fn write_provisional(&self) -> io::Result<()> {
        let mut record = self.record.clone();
        let ending = interruption(self.phase, "interrupted", "The process ended without a word");
        record.status = ended(&ending).0;
        tell(&mut record, &ending);
        files::replace(&self.record_path(), &to_json_line(&record))
    }

    /// Each surface is written whatever becomes of the others.
    fn write_all(&self, remedy: Option<&str>) {
        self.surface("audit record", files::replace(&self.record_path(), &to_json_line(&self.record)));
        if let Some(path) = &self.summary {
            self.surface("job summary", files::append(path, &summary::render(&self.record, &self.server, self.plan.as_deref())));
        }
        if let Some(path) = &self.outputs {
            self.surface("outputs", files::append(path, &self.outputs()));
        }
        self.annotate(remedy.unwrap_or_default());
    }

    fn surface(&self, what: &str, written: io::Result<()>) {
        if let Err(error) = written {
            self.log.annotate(Level::Warning, "Countersign", &format!("The {what} could not be written: {error}."));
        }
    }

    fn annotate(&self, remedy: &str) {
        let record = &self.record;
        if let (Some(code), Some(message)) = (&record.error_code, &record.error_message) {
            let title = format!("Countersign: {} ({code})", record.status.as_str());
            self.log.annotate(Level::Error, &title, format!("{message}\n{remedy}").trim_end());
        } else {
            let banner = if record.status == Status::DryRun { Mode::DryRun } else { Mode::Prod };
            self.log.annotate(Level::Notice, &format!("Countersign: {}", banner.as_str()), &record.result);
        }
    }

    fn outputs(&self) -> String {
        let record = &self.record;
        let response = record.github_response.clone().unwrap_or_default();
        let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
        let newest = record.ledger.outcome.or(record.ledger.claim).or(record.ledger.seen);
        let path = |path: Option<&Path>| path.map_or(String::new(), |path| path.display().to_string());
        let assets = serde_json::to_string(&response.assets).unwrap_or_default();
        let values: [(&str, String); 14] = [
            ("status", record.status.as_str().into()),
            ("error-code", record.error_code.clone().unwrap_or_default()),
            ("operation-id", record.operation_id.to_string()),
            ("operation-digest", record.operation_digest.map_or(String::new(), |digest| digest.to_string())),
            ("receipt-id", record.receipt_id.clone().unwrap_or_default()),
            ("html-url", response.html_url.unwrap_or_default()),
            ("release-id", number(response.release_id)),
            ("tag-sha", response.tag_sha.map_or(String::new(), |sha| sha.to_string())),
            ("pull-number", number(response.pull_number)),
            ("assets", assets),
            ("audit-record", path(Some(&self.record_path()))),
            ("plan", path(self.plan.as_deref())),
            ("ledger-sequence", number(newest.map(|newest| newest.sequence))),
            ("ledger-digest", newest.map_or(String::new(), |newest| newest.digest.to_string())),
        ];
        let delimiter = format!("countersign_{}", random::hex::<16>());
        values.iter().map(|(name, value)| files::output(name, value, &delimiter)).collect()
    }
}
