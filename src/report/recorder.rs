//! Keeps the audit record from the first moment on, and closes it exactly once, whichever way the attempt ends.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign_core::{
    audit::{AuditRecord, LedgerRecord, RunRecord, Status},
    authority::Authority,
    authorize::Mode,
    digest::Digest,
    document::{Document as _, to_json_line},
    name::OperationId,
    plan::Plan,
    text::excerpt,
    timestamp::Timestamp,
};

use super::{
    Ending, Phase,
    commands::Level,
    files,
    series::Series,
    summary::{self, Place},
};
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
    /// What the records of one campaign have in common.
    template: AuditRecord,
    series: Option<Series>,
    temp: PathBuf,
    /// Requests and retries that belong to earlier operations.
    before: (u64, u64),
    phase: Phase,
    closed: Option<Exit>,
    folder: PathBuf,
    plan: Option<(PathBuf, Plan)>,
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
    place: Place,
    log: Log,
}

impl Recorder {
    /// Begins a record and writes its first form: even a killed process leaves one behind.
    pub(crate) fn begin(
        environment: &Environment,
        operation_id: OperationId,
        now: Timestamp,
        log: Log,
    ) -> io::Result<Self> {
        let temp = environment
            .get("RUNNER_TEMP")
            .map_or_else(std::env::temp_dir, PathBuf::from);
        let record = blank(environment, operation_id, now);
        let state = State {
            folder: files::folder(&temp, &record.operation_id)?,
            template: record.clone(),
            record,
            series: None,
            temp,
            before: (0, 0),
            phase: Phase::Deciding,
            closed: None,
            plan: None,
            outputs: environment.get("GITHUB_OUTPUT").map(PathBuf::from),
            summary: environment.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            place: Place {
                server: environment
                    .get("GITHUB_SERVER_URL")
                    .unwrap_or("https://github.com")
                    .trim_end_matches('/')
                    .into(),
                home: excerpt(
                    environment.get("GITHUB_REPOSITORY").unwrap_or_default(),
                    200,
                ),
            },
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
    pub(crate) fn write_plan(&self, plan: Plan) -> io::Result<()> {
        let mut state = self.state();
        let path = state.folder.join("plan.json");
        files::replace(&path, &plan.to_document())?;
        state.plan = Some((path, plan));
        Ok(())
    }

    /// Notes how many requests and retries there were so far; those of earlier operations are not counted again.
    pub(crate) fn note_requests(&self, requests: u64, retries: u64) {
        let mut state = self.state();
        let (requests_before, retries_before) = state.before;
        (state.record.requests, state.record.retry_count) =
            (requests - requests_before, retries - retries_before);
    }

    /// From here on the attempt works on a campaign, operation by operation. The folders of all records are made before anything
    /// is done: a full disk must not be found out between two operations.
    pub(crate) fn begin_series(&self, plan: &Plan, new_id: fn() -> OperationId) -> io::Result<()> {
        let mut state = self.state();
        let following = (1..plan.operations().len()).map(|_| {
            let id = new_id();
            files::folder(&state.temp, &id).map(|folder| (id, folder))
        });
        let following = following.collect::<io::Result<_>>()?;
        state.template = state.record.clone();
        state.series = Some(Series::of(plan, following));
        state.enter_operation();
        Ok(())
    }

    /// Whether it does.
    pub(crate) fn is_series(&self) -> bool {
        self.state().series.is_some()
    }

    /// Closes the record of one operation and begins that of the next.
    pub(crate) fn next(&self, ending: &Ending, now: Timestamp) -> io::Result<()> {
        let mut state = self.state();
        state.conclude(ending, now);
        let written = state.write_record();
        state.annotate("");
        let (requests, retries) = state.before;
        state.before = (
            requests + state.record.requests,
            retries + state.record.retry_count,
        );
        let following = state.series.as_mut().and_then(Series::follow);
        let (operation_id, folder) =
            following.ok_or_else(|| io::Error::other("no operation follows"))?;
        state.folder = folder;
        state.record = AuditRecord {
            operation_id,
            started_at: now,
            completed_at: now,
            ..state.template.clone()
        };
        (state.record.authority, state.record.reviewers) = state
            .series
            .as_ref()
            .map_or_else(Default::default, Series::shared);
        state.phase = Phase::Deciding;
        state.enter_operation();
        written?;
        state.write_provisional()?;
        state.write_first_outputs();
        Ok(())
    }

    /// Closes the record for somebody who interrupts: what it means depends on how far the attempt has come.
    pub(crate) fn interrupt(&self, code: &str, what: &str, now: Timestamp) -> Exit {
        // The panic may have come while the record was being changed: take what is there.
        let (phase, closed) = match self.0.try_lock() {
            Ok(state) => (state.phase, state.closed),
            Err(std::sync::TryLockError::Poisoned(state)) => {
                (state.get_ref().phase, state.get_ref().closed)
            }
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
        let exit = ending.meaning().1;
        let remedy = state.conclude(ending, now);
        // "Refused" says that nothing was written: not where an operation before it has shipped.
        let shipped = state.series.as_ref().is_some_and(Series::has_shipped);
        let exit = if shipped && exit == Exit::Refused {
            Exit::Failed
        } else {
            exit
        };
        // A job whose record is lost must not look green.
        let exit = if state.write_all(remedy) || exit != Exit::Success {
            exit
        } else {
            Exit::Failed
        };
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
        authority: Authority::default(),
        reviewers: Vec::new(),
        campaign: None,
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

    /// The records of every operation so far, one a line.
    fn record_paths(&self) -> String {
        let earlier = self.series.iter().flat_map(Series::records);
        let mut all: Vec<String> = earlier
            .chain([self.record_path()])
            .map(|path| path.display().to_string())
            .collect();
        all.dedup();
        all.join("\n")
    }

    /// The next operation of the series takes its place in the record.
    fn enter_operation(&mut self) {
        if let Some(series) = &self.series {
            self.record.campaign = series.place();
        }
    }

    /// Writes the ending into the record.
    fn conclude(&mut self, ending: &Ending, now: Timestamp) -> Option<&'static str> {
        self.record.status = ending.meaning().0;
        self.record.completed_at = now;
        let remedy = ending.tell(&mut self.record);
        let (path, place) = (self.record_path(), self.place.clone());
        if let Some(series) = &mut self.series {
            series.conclude(&self.record, path, &place);
        }
        remedy
    }

    fn write_record(&self) -> io::Result<()> {
        files::replace(&self.record_path(), &to_json_line(&self.record))
    }

    /// The record as it must be read if nobody gets to close it.
    fn write_provisional(&self) -> io::Result<()> {
        let mut record = self.record.clone();
        let ending = self
            .phase
            .interrupted("interrupted", "The process ended without a word");
        record.status = ending.meaning().0;
        ending.tell(&mut record);
        files::replace(&self.record_path(), &to_json_line(&record))
    }

    /// Where the record is, for the step that keeps it even if this process is killed. Later values win.
    fn write_first_outputs(&self) {
        let record = self.record_paths();
        let values = [
            ("status", self.record.status.as_str()),
            ("operation-id", self.record.operation_id.as_str()),
            ("audit-record", &record),
        ];
        let delimiter = delimiter();
        if let Some(path) = &self.outputs {
            let text: String = values
                .iter()
                .map(|(name, value)| files::output(name, value, &delimiter))
                .collect();
            self.surface("outputs", &files::append(path, &text));
        }
    }

    /// Each surface is written whatever becomes of the others. Gives whether the record, the one that must not be lost, is there.
    fn write_all(&self, remedy: Option<&str>) -> bool {
        let recorded = self.surface("audit record", &self.write_record());
        if let Some(path) = &self.summary {
            let plan = self.plan.as_ref().map(|(_, plan)| plan);
            let page = match &self.series {
                Some(series) => series.render(&self.record),
                None => summary::render(&self.record, &self.place, plan),
            };
            self.surface("job summary", &files::append(path, &page));
        }
        if let Some(path) = &self.outputs {
            self.surface("outputs", &files::append(path, &self.outputs()));
        }
        self.annotate(remedy.unwrap_or_default());
        recorded
    }

    fn surface(&self, what: &str, written: &io::Result<()>) -> bool {
        if let Err(error) = written {
            self.log.annotate(
                Level::Warning,
                "Countersign",
                &format!("The {what} could not be written: {error}."),
            );
        }
        written.is_ok()
    }

    fn annotate(&self, remedy: &str) {
        let record = &self.record;
        let step = record
            .campaign
            .as_ref()
            .map_or(String::new(), |place| format!(" · {}", place.id));
        if let (Some(code), Some(message)) = (&record.error_code, &record.error_message) {
            let title = format!("Countersign: {} ({code}){step}", record.status.as_str());
            self.log.annotate(
                Level::Error,
                &title,
                format!("{message}\n{remedy}").trim_end(),
            );
        } else {
            let banner = if record.status == Status::DryRun {
                Mode::DryRun
            } else {
                Mode::Prod
            };
            self.log.annotate(
                Level::Notice,
                &format!("Countersign: {}{step}", banner.as_str()),
                &record.result,
            );
        }
    }

    fn outputs(&self) -> String {
        let record = &self.record;
        let response = record.github_response.clone().unwrap_or_default();
        let number =
            |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
        let newest = record
            .ledger
            .outcome
            .or(record.ledger.claim)
            .or(record.ledger.seen);
        let plan = self
            .plan
            .as_ref()
            .map_or(String::new(), |(path, _)| path.display().to_string());
        let plan_digest = self.plan.as_ref().map_or(String::new(), |(_, plan)| {
            Digest::of(&plan.to_document()).to_string()
        });
        let results = match (&self.series, &self.plan) {
            (Some(series), _) => series.results(),
            (None, Some((_, plan))) => Series::planned(plan),
            (None, None) => Series::alone(record),
        };
        let assets = serde_json::to_string(&response.assets).unwrap_or_default();
        let values: [(&str, String); 16] = [
            ("status", record.status.as_str().into()),
            ("error-code", record.error_code.clone().unwrap_or_default()),
            ("operation-id", record.operation_id.to_string()),
            (
                "operation-digest",
                record
                    .operation_digest
                    .map_or(String::new(), |digest| digest.to_string()),
            ),
            ("receipt-id", record.receipt_id.clone().unwrap_or_default()),
            ("html-url", response.html_url.unwrap_or_default()),
            ("release-id", number(response.release_id)),
            (
                "tag-sha",
                response
                    .tag_sha
                    .map_or(String::new(), |sha| sha.to_string()),
            ),
            ("pull-number", number(response.pull_number)),
            ("assets", assets),
            ("audit-record", self.record_paths()),
            ("plan", plan),
            ("plan-digest", plan_digest),
            ("results", results),
            (
                "ledger-sequence",
                number(newest.map(|newest| newest.sequence)),
            ),
            (
                "ledger-digest",
                newest.map_or(String::new(), |newest| newest.digest.to_string()),
            ),
        ];
        let delimiter = delimiter();
        values
            .iter()
            .map(|(name, value)| files::output(name, value, &delimiter))
            .collect()
    }
}

/// Random, so that no value can contain it.
fn delimiter() -> String {
    format!("countersign_{}", random::hex::<16>())
}
