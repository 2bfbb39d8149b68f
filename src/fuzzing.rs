//! Doors for the fuzz targets in `fuzz/`, which alone are compiled with `cfg(fuzzing)`: no program that ships has them.
#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each door is called by what is behind it"
)]

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_core::{
    authorize::Mode,
    name::{RepositoryId, StepId},
    operation::{Operation, Target},
    refusal::InputRefusal,
    tables::Misplaced,
};

use crate::{
    github::Token,
    log::Log,
    planner::Campaign,
    progress::Progress,
    report::{Level, output as one_output},
    runner::{self, Draft, Environment, Facts, Inputs, LocalAsset, with_assets},
};

/// One operation of a campaign, with every input that it sets.
pub struct Step {
    pub id: StepId,
    pub needs: Vec<StepId>,
    pub inputs: BTreeMap<&'static str, String>,
}

pub fn campaign(text: &str, given: &BTreeMap<String, String>) -> Result<Vec<Step>, Misplaced> {
    let steps = Campaign::parse(text, given)?.steps.into_iter();
    Ok(steps
        .map(|step| Step {
            id: step.id,
            needs: step.needs,
            inputs: step.inputs.members(),
        })
        .collect())
}

pub fn inputs(json: &str) -> Result<BTreeMap<&'static str, String>, InputRefusal> {
    read(json).map(Inputs::members)
}

/// The operation that inputs describe at a GitHub that knows one repository and one commit.
pub fn operation(json: &str, workspace: &Path) -> Result<Operation, InputRefusal> {
    const COMMIT: &str = "1111111111111111111111111111111111111111";
    let inputs = read(json)?;
    let kind = inputs
        .operation
        .parse()
        .map_err(InputRefusal::OperationUnknown)?;
    let mode = Mode::parse(&inputs.mode).unwrap_or(Mode::DryRun);
    let draft = Draft::new(&inputs, kind, mode, workspace)?;
    let is_dry = mode == Mode::DryRun;
    let generates = runner::flag("generate-release-notes", &inputs.generate_release_notes)?;
    let facts = Facts {
        target: Target {
            repository: "owner/repo"
                .parse()
                .map_err(InputRefusal::OperationUnknown)?,
            repository_id: RepositoryId(123_456),
        },
        commit: if is_dry {
            draft.commit_name(COMMIT)?;
            COMMIT.parse().map_err(InputRefusal::OperationUnknown)?
        } else {
            draft.literal_commit(COMMIT)?
        },
        default_branch: is_dry.then(|| "main".into()),
        notes: (is_dry && generates).then(|| "What changed.".into()),
    };
    let assets = LocalAsset::find(&inputs.files, workspace, &Progress::silent())?
        .into_iter()
        .map(|local| local.asset)
        .collect();
    with_assets(draft.build(facts)?, assets)
}

fn read(json: &str) -> Result<Inputs, InputRefusal> {
    Inputs::read(&Environment::default().with("COUNTERSIGN_INPUTS", json))
}

pub fn flag(text: &str) -> Result<bool, InputRefusal> {
    runner::flag("draft", text)
}

pub fn seconds(text: &str) -> Result<Option<u64>, InputRefusal> {
    runner::seconds("max-wait", text)
}

pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    runner::lines(text)
}

pub fn entries(text: &str) -> impl Iterator<Item = &str> {
    runner::entries(text)
}

#[must_use]
pub fn annotation(title: &str, message: &str) -> String {
    written(|log| log.annotate(Level::Error, title, message))
}

#[must_use]
pub fn line(text: &str) -> String {
    written(|log| log.line(text))
}

#[must_use]
pub fn mask(token: &str) -> Option<String> {
    Token::new(token).map(|token| written(|log| log.mask(&token)))
}

#[must_use]
pub fn output(name: &str, value: &str, delimiter: &str) -> String {
    one_output(name, value, delimiter)
}

pub mod markdown {
    macro_rules! doors {
        ($($door:ident($($argument:ident),*);)*) => {$(
            #[must_use]
            pub fn $door($($argument: &str),*) -> String {
                crate::report::$door($($argument),*)
            }
        )*};
    }

    doors! {
        text(untrusted);
        prose(untrusted);
        code(untrusted);
        block(untrusted);
        link(label, address);
    }
}

fn written(write: impl FnOnce(&Log)) -> String {
    let page = Page::default();
    write(&Log::to(page.clone()));
    let bytes = page.0.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
