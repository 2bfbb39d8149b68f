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
    text::excerpt,
    timestamp::Timestamp,
};

use super::{Ending, Phase, commands::Level, files, summary};
use crate::{
    exit::Exit,
    log::Log,
    random,
    runner::{Environment, Inputs},
};

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
        state.write_first_outputs();
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
        closed.unwrap_or_else(|| self.close(&phase.interrupted(code, what), now))
    }

    /// Closes the record: file, summary, outputs, annotation. The first call counts.
    pub(crate) fn close(&self, ending: &Ending, now: Timestamp) -> Exit {
        let mut state = self.state();
        if let Some(exit) = state.closed {
            return exit;
        }
        let (status, exit) = ending.meaning();
        state.record.status = status;
        state.record.completed_at = now;
        let remedy = ending.tell(&mut state.record);
        // A job whose record is lost must not look green.
        let exit = if state.write_all(remedy) || exit != Exit::Success { exit } else { Exit::Failed };
        state.closed = Some(exit);
        exit
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
        let ending = self.phase.interrupted("interrupted", "The process ended without a word");
        record.status = ending.meaning().0;
        ending.tell(&mut record);
        files::replace(&self.record_path(), &to_json_line(&record))
    }

    /// Where the record is, for the step that keeps it even if this process is killed. Later values win.
    fn write_first_outputs(&self) {
        let record = self.record_path().display().to_string();
        let values =
            [("status", self.record.status.as_str()), ("operation-id", self.record.operation_id.as_str()), ("audit-record", &record)];
        let delimiter = delimiter();
        if let Some(path) = &self.outputs {
            let text: String = values.iter().map(|(name, value)| files::output(name, value, &delimiter)).collect();
            self.surface("outputs", &files::append(path, &text));
        }
    }

    /// Each surface is written whatever becomes of the others. Gives whether the record, the one that must not be lost, is there.
    fn write_all(&self, remedy: Option<&str>) -> bool {
        let recorded = self.surface("audit record", &files::replace(&self.record_path(), &to_json_line(&self.record)));
        if let Some(path) = &self.summary {
            self.surface("job summary", &files::append(path, &summary::render(&self.record, &self.server, self.plan.as_deref())));
        }
        if let Some(path) = &self.outputs {
            self.surface("outputs", &files::append(path, &self.outputs()));
        }
        self.annotate(remedy.unwrap_or_default());
        recorded
    }

    fn surface(&self, what: &str, written: &io::Result<()>) -> bool {
        if let Err(error) = written {
            self.log.annotate(Level::Warning, "Countersign", &format!("The {what} could not be written: {error}."));
        }
        written.is_ok()
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
        let delimiter = delimiter();
        values.iter().map(|(name, value)| files::output(name, value, &delimiter)).collect()
    }
}

/// Random, so that no value can contain it.
fn delimiter() -> String {
    format!("countersign_{}", random::hex::<16>())
}
