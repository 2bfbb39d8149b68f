//! One operation of each kind by the product's own way: dry run, approval, publication, verified ledger, audit.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use countersign_core::{
    document::Document as _, keys::PublicKey, plan::Plan, reconcile, timestamp::Lifetime,
    timestamp::Timestamp,
};

use crate::{
    Environment, Log,
    cli::{AuditArguments, AuditFormat, LedgerKeys, LedgerPlace},
    commands::{
        action, audit, authorize,
        ledger::{Source, recomputed},
        rehearse::{
            finding::{Finding, Probing, Stopped},
            stage::{Stage, text_of},
            table::{Feature, Probe, Way},
        },
        trouble_of,
    },
    github::{Ask, Begun, PREFIX},
};

/// How often an audit looks, with a growing wait between.
const AUDITS: u32 = 4;
/// Content writes that begin the ledger.
const LEDGER_WRITES: usize = 4;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "whole-release",
        needs: &[],
        writes: LEDGER_WRITES + 7,
        expected: "A release with a file is planned, approved, published, verified and audited without a finding.",
        meaning: "A release cannot be published here from its dry run to its audit. The message names the step that failed and why.",
        affects: Feature::Releases,
        way: Way::Asks(|stage| Box::pin(release(stage))),
    },
    Probe {
        id: "whole-tag",
        needs: &[],
        writes: 4,
        expected: "A tag is planned, approved, created, verified and audited without a finding.",
        meaning: "A tag cannot be created here from its dry run to its audit. The message names the step that failed and why.",
        affects: Feature::Tags,
        way: Way::Asks(|stage| Box::pin(tag(stage))),
    },
    Probe {
        id: "whole-pull",
        needs: &[],
        writes: 8,
        expected: "A pull request is planned, approved, opened, verified and audited without a finding.",
        meaning: "A pull request cannot be opened here from its dry run to its audit. The message names the step that failed and why.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(pull(stage))),
    },
];

async fn release(stage: &Stage<'_>) -> Probing {
    let inputs = json!({
        "operation": "publish_release",
        "tag-name": stage.name("whole-release"),
        "target-sha": stage.commit()?,
        "body": "A rehearsal. It is removed again.\n",
        "make-latest": "false",
        "files": "countersign-rehearsal.txt",
        "attach-receipt": "true",
    });
    whole(stage, "release", inputs, 6).await
}

async fn tag(stage: &Stage<'_>) -> Probing {
    let inputs = json!({
        "operation": "tag_repo",
        "tag-name": stage.name("whole-tag"),
        "target-sha": stage.commit()?,
        "message": "A rehearsal. It is removed again.",
    });
    whole(stage, "tag", inputs, 4).await
}

async fn pull(stage: &Stage<'_>) -> Probing {
    let branches = stage.make_branches("whole-base", "whole-head").await?;
    let inputs = json!({
        "operation": "open_pr",
        "title": "A rehearsal. It is closed again.",
        "head-branch": branches.head,
        "head-sha": branches.head_commit,
        "base-branch": branches.base,
    });
    whole(stage, "pull", inputs, 3).await
}

async fn whole(stage: &Stage<'_>, kind: &str, inputs: Value, writes: usize) -> Probing {
    begin_ledger(stage).await?;
    stage.pace.admit(writes).await;

    let folder = Folder::make(&stage.name(kind))
        .map_err(|error| Stopped::Needs(format!("a temporary folder ({error})")))?;
    // Outside of a job a number of its own: a receipt is for one run.
    let now: Timestamp = (stage.clock)();
    let run = Run {
        stage,
        folder: &folder.0,
        id: stage.run().map_or(now.unix().to_string(), Into::into),
    };
    Ok(match Box::pin(run.to_the_end(inputs)).await {
        Ok(()) => Finding::without_exchange(
            true,
            "planned, approved, published; the ledger verifies, the audit finds nothing",
        ),
        Err(error) if lacks_permission(&error) => Finding::not_tried(&format!(
            "needs what the token may not do or have: {error:#}"
        )),
        Err(error) => Finding::without_exchange(false, format!("{error:#}")),
    })
}

/// An attempt that ended otherwise than it should have.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {status} ({code}): {message}")]
struct EndedOtherwise {
    step: String,
    status: String,
    /// The stable code of the refusal or failure.
    code: String,
    message: String,
}

/// Whether an operation could not be carried out for something that the token lacks.
fn lacks_permission(error: &anyhow::Error) -> bool {
    const CODES: [&str; 3] = ["permission_missing", "permission_denied", "token_invalid"];
    let attempt = error.downcast_ref::<EndedOtherwise>();
    let lacks = trouble_of(error).is_some_and(|trouble| trouble.lacks().is_some());
    lacks || attempt.is_some_and(|attempt| CODES.contains(&attempt.code.as_str()))
}

/// The branch `receipt-ledger` is made once, only where there is none, and removed at the end.
async fn begin_ledger(stage: &Stage<'_>) -> Result<(), Stopped> {
    stage.commit()?;
    if stage.has_begun_ledger.get() {
        return Ok(());
    }
    if !stage.scratch.note_ledger() {
        return Err(Stopped::Needs(
            "a repository without the branch `receipt-ledger`".into(),
        ));
    }
    stage.pace.admit(LEDGER_WRITES).await;
    let begun = stage.github.begin_ledger(stage.scratch.repository()).await;
    if let Err(trouble) | Ok(Begun::Refused(trouble)) = &begun
        && !trouble.leaves_open()
    {
        stage.scratch.forget_ledger();
    }
    match begun.map_err(|trouble| Stopped::Unanswered(trouble.into()))? {
        Begun::With(_) => {
            stage.has_begun_ledger.set(true);
            Ok(())
        }
        Begun::Before => Err(Stopped::Needs(
            "a repository in which nobody else begins a ledger".into(),
        )),
        Begun::EmptyRepository => Err(Stopped::Needs("a first commit in the repository".into())),
        Begun::Refused(trouble) => Err(Stopped::Refused("the branch `receipt-ledger`", trouble)),
    }
}

/// A folder of this rehearsal's, removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn make(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It holds nothing secret: the key never leaves memory.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// One operation from its plan to its audit.
struct Run<'a> {
    stage: &'a Stage<'a>,
    folder: &'a Path,
    /// The run in which everything happens.
    id: String,
}

impl Run<'_> {
    async fn to_the_end(&self, mut inputs: Value) -> anyhow::Result<()> {
        fs::write(
            self.folder.join("countersign-rehearsal.txt"),
            "Rehearsed.\n",
        )?;
        let plan = self.plan(inputs.clone()).await?;
        inputs["receipt"] = json!(self.receipt(&plan)?);
        let record = self.publish(inputs).await?;
        self.verify().await?;
        self.audit(&record).await
    }

    async fn plan(&self, mut inputs: Value) -> anyhow::Result<Plan> {
        inputs["mode"] = json!("dry_run");
        // Evidence is for the publication alone, but a plan has to leave room for it.
        let folder = self.attempt("plan", &inputs, "dry_run").await?;
        Ok(Plan::from_document(&fs::read(folder.join("plan.json"))?)?)
    }

    fn receipt(&self, plan: &Plan) -> anyhow::Result<String> {
        let lifetime =
            Lifetime::of_seconds(3600).ok_or_else(|| anyhow::anyhow!("an hour is a lifetime"))?;
        let receipts = plan
            .operations()
            .iter()
            .map(|planned| {
                authorize::sign_freely(plan, planned, lifetime, &self.stage.key, self.stage.clock)
                    .map(|envelope| envelope.to_line())
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(receipts.join("\n"))
    }

    async fn publish(&self, mut inputs: Value) -> anyhow::Result<Value> {
        inputs["mode"] = json!("prod");
        inputs["trusted-keys"] = json!(self.trusted()?);
        let folder = self.attempt("publish", &inputs, "success").await?;
        record(&folder)
    }

    fn trusted(&self) -> anyhow::Result<String> {
        let key = PublicKey::new(self.stage.key.verifying_key())
            .ok_or_else(|| anyhow::anyhow!("the key is weak"))?;
        Ok(format!("{} rehearsal", key.to_openssh()))
    }

    /// One attempt as the Action makes it; gives the folder of its record.
    async fn attempt(&self, step: &str, inputs: &Value, wanted: &str) -> anyhow::Result<PathBuf> {
        let temp = self.folder.join(step);
        fs::create_dir(&temp)?;
        let environment = self.environment(&temp, inputs);
        Box::pin(action::run(
            &environment,
            self.stage.clock,
            Log::to(io::sink()),
        ))
        .await;
        let folder = fs::read_dir(&temp)?
            .next()
            .ok_or_else(|| anyhow::anyhow!("{step}: no record was written"))??
            .path();
        let record = record(&folder)?;
        let status = text_of(&record["status"]);
        if status == wanted {
            return Ok(folder);
        }
        Err(EndedOtherwise {
            step: step.into(),
            status,
            code: text_of(&record["error_code"]),
            message: text_of(&record["error_message"]),
        }
        .into())
    }

    /// What the runner would hand over.
    fn environment(&self, temp: &Path, inputs: &Value) -> Environment {
        let (stage, path) = (self.stage, |path: &Path| path.display().to_string());
        let here = stage.environment;
        let mut inputs = inputs.clone();
        let token = here.get("GH_TOKEN").or_else(|| here.get("GITHUB_TOKEN"));
        inputs["token"] = json!(token);
        let mut environment = Environment::default()
            .at(here.tempo())
            .with("COUNTERSIGN_INPUTS", inputs.to_string())
            .with("GITHUB_RUN_ID", self.id.as_str())
            .with("GITHUB_RUN_ATTEMPT", "1")
            .with("GITHUB_REPOSITORY", stage.scratch.repository().to_string())
            .with("GITHUB_REPOSITORY_ID", stage.scratch.number().to_string())
            .with("GITHUB_SHA", stage.scratch.head().unwrap_or_default())
            .with("GITHUB_WORKSPACE", path(self.folder))
            .with("RUNNER_TEMP", path(temp));
        for name in ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_SERVER_URL"] {
            if let Some(value) = here.get(name) {
                environment = environment.with(name, value);
            }
        }
        environment
    }

    fn keys(&self) -> anyhow::Result<LedgerKeys> {
        let path = self.folder.join("trusted-keys");
        fs::write(&path, self.trusted()?)?;
        Ok(LedgerKeys {
            trusted_keys: Some(path),
            trust_root: None,
            threshold: None,
        })
    }

    fn place(&self) -> LedgerPlace {
        LedgerPlace {
            path: None,
            repository: Some(self.stage.scratch.repository().clone()),
        }
    }

    async fn verify(&self) -> anyhow::Result<()> {
        let trusted = self.keys()?.read((self.stage.clock)())?;
        let source = Source::open(&self.place(), self.stage.environment).await?;
        recomputed(&source, &trusted.into(), |_| {}).await?;
        Ok(())
    }

    /// What an audit finds of this operation.
    async fn audit(&self, record: &Value) -> anyhow::Result<()> {
        let author = self.author(record).await?;
        let arguments = AuditArguments {
            accepted: None,
            place: self.place(),
            keys: self.keys()?,
            since: Timestamp::from_unix(0),
            known_tags: None,
            ledger_by: vec![author.clone()],
            pulls_by: vec![author],
            format: AuditFormat::Json,
        };
        let matters = |finding: &&reconcile::Finding| {
            let ours = finding.subject.name.contains(PREFIX) || finding.subject.kind == "entry";
            ours && finding.level != reconcile::Level::Note
        };
        for tried in 1.. {
            let (environment, clock) = (self.stage.environment, self.stage.clock);
            let findings = audit::findings(&arguments, environment, clock).await?;
            match findings.iter().find(matters) {
                None => return Ok(()),
                Some(finding) if tried == AUDITS => {
                    anyhow::bail!("the audit: {:?}: {}", finding.code, finding.problem)
                }
                // GitHub's lists may be behind for a while.
                Some(_) => self.stage.pace.sleep(1000 << tried).await,
            }
        }
        Ok(())
    }

    /// Who opened the pull request, if it was one.
    async fn author(&self, record: &Value) -> anyhow::Result<String> {
        let Some(number) = record["github_response"]["pull_number"].as_u64() else {
            return Ok("github-actions[bot]".into());
        };
        let pull = self
            .stage
            .github
            .probe(self.stage.scratch, Ask::get(format!("pulls/{number}")))
            .await?;
        Ok(text_of(&pull.body["user"]["login"]))
    }
}

fn record(folder: &Path) -> anyhow::Result<Value> {
    let bytes = fs::read(folder.join("audit-record.json"))?;
    Ok(serde_json::from_slice(&bytes)?)
}
