//! From inputs to an operation: in a dry run names may be looked up, in `prod` everything must be said.

use std::path::Path;

use countersign_core::{
    asset::{Asset, Assets, InvalidAssets},
    authorize::Mode,
    commit_name::CommitName,
    digest::Digest,
    document::Document as _,
    name::{BranchName, CommitId, InvalidName, Title},
    operation::{
        Kind, NameSet, OpenPr, Operation, PublishRelease, PullBody, ReleaseBody, TagMessage,
        TagRepo, Target, Visibility,
    },
    plan::Plan,
    refusal::InputRefusal,
    text::excerpt,
};

use super::{
    Inputs,
    files::{read_bytes, read_text},
    inputs::{entries, flag},
};

/// Largest file with a body: GitHub takes 125,000 characters, of at most four bytes each.
const MOST_BODY_FILE: u64 = 500_000;

/// What GitHub knows and the inputs need not say.
pub(crate) struct Facts {
    pub(crate) target: Target,
    /// The commit behind `target-sha` or the head branch; in `prod` only the input itself.
    pub(crate) commit: CommitId,
    /// The default branch, in a dry run.
    pub(crate) default_branch: Option<String>,
    /// Generated release notes, in a dry run that asked for them.
    pub(crate) notes: Option<String>,
}

/// The inputs of one operation, before anything is looked up.
pub(crate) struct Draft<'a> {
    inputs: &'a Inputs,
    kind: Kind,
    mode: Mode,
    workspace: &'a Path,
}

/// Inputs that describe an operation, and the kinds that they have a meaning for.
type Meaning = (&'static str, fn(&Inputs) -> &str, &'static [Kind]);
const RELEASE: &[Kind] = &[Kind::PublishRelease];
const TAGGED: &[Kind] = &[Kind::PublishRelease, Kind::TagRepo];
const PULL: &[Kind] = &[Kind::OpenPr];
const TEXT: &[Kind] = &[Kind::PublishRelease, Kind::OpenPr];
const MEANINGS: [Meaning; 17] = [
    ("tag-name", |inputs| &inputs.tag_name, TAGGED),
    ("target-sha", |inputs| &inputs.target_sha, TAGGED),
    ("release-name", |inputs| &inputs.release_name, RELEASE),
    ("body", |inputs| &inputs.body, TEXT),
    ("body-file", |inputs| &inputs.body_file, TEXT),
    ("draft", |inputs| &inputs.draft, TEXT),
    ("prerelease", |inputs| &inputs.prerelease, RELEASE),
    ("make-latest", |inputs| &inputs.make_latest, RELEASE),
    (
        "generate-release-notes",
        |inputs| &inputs.generate_release_notes,
        RELEASE,
    ),
    ("files", |inputs| &inputs.files, RELEASE),
    ("message", |inputs| &inputs.message, &[Kind::TagRepo]),
    ("title", |inputs| &inputs.title, PULL),
    ("head-branch", |inputs| &inputs.head_branch, PULL),
    ("head-sha", |inputs| &inputs.head_sha, PULL),
    ("base-branch", |inputs| &inputs.base_branch, PULL),
    ("labels", |inputs| &inputs.labels, PULL),
    ("reviewers", |inputs| &inputs.reviewers, PULL),
];

impl<'a> Draft<'a> {
    /// Takes the inputs, if each of them has a meaning for this kind of operation.
    pub(crate) fn new(
        inputs: &'a Inputs,
        kind: Kind,
        mode: Mode,
        workspace: &'a Path,
    ) -> Result<Self, InputRefusal> {
        for (input, value, kinds) in MEANINGS {
            if !value(inputs).is_empty() && !kinds.contains(&kind) {
                return Err(InputRefusal::Unused {
                    input,
                    here: kind.to_string(),
                });
            }
        }
        if mode == Mode::Prod && flag("generate-release-notes", &inputs.generate_release_notes)? {
            let here = "mode `prod`: generated text changes; it enters the plan in a dry run, so hand over `plan`".into();
            return Err(InputRefusal::Unused {
                input: "generate-release-notes",
                here,
            });
        }
        Ok(Self {
            inputs,
            kind,
            mode,
            workspace,
        })
    }

    /// The name to be resolved to a commit: the commit to tag or the head to merge; by default the commit of the run.
    pub(crate) fn commit_name(&self, run_sha: &str) -> Result<CommitName, InputRefusal> {
        let inputs = self.inputs;
        match self.kind {
            Kind::OpenPr if inputs.head_sha.is_empty() => self
                .name("head-branch", &inputs.head_branch)
                .map(CommitName::Branch),
            Kind::OpenPr => self.name("head-sha", &inputs.head_sha),
            Kind::PublishRelease | Kind::TagRepo => match self.target(run_sha) {
                "" => Err(self.unknown_commit()),
                target => self.name("target-sha", target),
            },
        }
    }

    fn target<'b>(&'b self, run_sha: &'b str) -> &'b str {
        let given = self.inputs.target_sha.as_str();
        if given.is_empty() { run_sha } else { given }
    }

    /// There is no commit of that name.
    pub(crate) fn unknown_commit(&self) -> InputRefusal {
        let (input, name) = self.commit_named_by();
        InputRefusal::CommitUnknown { input, name }
    }

    /// A branch and a tag have that name.
    pub(crate) fn ambiguous_commit(
        &self,
        branch: Option<CommitId>,
        tag: Option<CommitId>,
    ) -> InputRefusal {
        let (input, name) = self.commit_named_by();
        InputRefusal::RefAmbiguous {
            input,
            name,
            branch,
            tag,
        }
    }

    /// The input that names the commit, and its value, made visible.
    fn commit_named_by(&self) -> (&'static str, String) {
        let inputs = self.inputs;
        let (input, text) = match self.kind {
            Kind::OpenPr if inputs.head_sha.is_empty() => ("head-branch", &*inputs.head_branch),
            Kind::OpenPr => ("head-sha", &*inputs.head_sha),
            Kind::PublishRelease | Kind::TagRepo => ("target-sha", self.target("of the run")),
        };
        (input, excerpt(text, 80))
    }

    /// The commit that stands in the inputs themselves, as `prod` demands.
    pub(crate) fn literal_commit(&self, run_sha: &str) -> Result<CommitId, InputRefusal> {
        let input = self.commit_input();
        let text = match self.kind {
            // The head of a branch is never taken from the branch's name.
            Kind::OpenPr => self.inputs.head_sha.as_str(),
            Kind::PublishRelease | Kind::TagRepo => self.target(run_sha),
        };
        if text.is_empty() {
            return Err(self.missing(input));
        }
        text.parse().map_err(|_| InputRefusal::CommitRequired {
            input,
            found: excerpt(text, 80),
        })
    }

    const fn commit_input(&self) -> &'static str {
        match self.kind {
            Kind::OpenPr => "head-sha",
            Kind::PublishRelease | Kind::TagRepo => "target-sha",
        }
    }

    /// The operation, as yet without assets.
    pub(crate) fn build(&self, facts: Facts) -> Result<Operation, InputRefusal> {
        let commit = facts.commit.clone();
        match self.kind {
            Kind::PublishRelease => self.release(facts, commit).map(Operation::PublishRelease),
            Kind::TagRepo => self.tag(facts, commit).map(Operation::TagRepo),
            Kind::OpenPr => self.pull(facts, commit).map(Operation::OpenPr),
        }
    }

    fn release(&self, facts: Facts, target_sha: CommitId) -> Result<PublishRelease, InputRefusal> {
        let inputs = self.inputs;
        let release_name: Title = if inputs.release_name.is_empty() {
            self.name("tag-name", &inputs.tag_name)?
        } else {
            self.name("release-name", &inputs.release_name)?
        };
        let make_latest = if inputs.make_latest.is_empty() {
            None
        } else {
            Some(self.name("make-latest", &inputs.make_latest)?)
        };
        let flags = (
            flag("draft", &inputs.draft)?,
            flag("prerelease", &inputs.prerelease)?,
        );
        let body = match facts.notes {
            Some(notes) => [self.body()?, notes]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("\n\n"),
            None => self.body()?,
        };
        Ok(PublishRelease {
            target: facts.target,
            tag_name: self.name("tag-name", &inputs.tag_name)?,
            target_sha,
            release_name,
            body: ReleaseBody::new("release body", text("body", &body)?)
                .map_err(InputRefusal::BodyTooLong)?,
            visibility: Visibility::new(flags.0, flags.1, make_latest)
                .map_err(InputRefusal::NotLatest)?,
            assets: Assets::default(),
        })
    }

    fn tag(&self, facts: Facts, target_sha: CommitId) -> Result<TagRepo, InputRefusal> {
        let message = if self.inputs.message.is_empty() {
            &self.inputs.tag_name
        } else {
            &self.inputs.message
        };
        Ok(TagRepo {
            target: facts.target,
            tag_name: self.name("tag-name", &self.inputs.tag_name)?,
            target_sha,
            message: TagMessage::new("tag message", text("message", message)?)
                .map_err(InputRefusal::BodyTooLong)?,
        })
    }

    fn pull(&self, facts: Facts, head_sha: CommitId) -> Result<OpenPr, InputRefusal> {
        let inputs = self.inputs;
        let base_branch: BranchName = match (inputs.base_branch.as_str(), facts.default_branch) {
            ("", Some(default)) => self.name("base-branch", &default)?,
            (base, _) => self.name("base-branch", base)?,
        };
        Ok(OpenPr {
            target: facts.target,
            title: self.name("title", &inputs.title)?,
            body: PullBody::new("pull request body", text("body", &self.body()?)?)
                .map_err(InputRefusal::BodyTooLong)?,
            head_branch: self.name("head-branch", &inputs.head_branch)?,
            head_sha,
            base_branch,
            draft: flag("draft", &inputs.draft)?,
            labels: self.names("labels", &inputs.labels)?,
            reviewers: self.names("reviewers", &inputs.reviewers)?,
        })
    }

    fn body(&self) -> Result<String, InputRefusal> {
        match (self.inputs.body.as_str(), self.inputs.body_file.as_str()) {
            (body, "") => Ok(body.into()),
            ("", file) => read_text("body-file", &self.workspace.join(file), MOST_BODY_FILE),
            _ => Err(InputRefusal::Unused {
                input: "body-file",
                here: "an operation that has a `body` already".into(),
            }),
        }
    }

    fn name<T: std::str::FromStr<Err = InvalidName>>(
        &self,
        input: &'static str,
        text: &str,
    ) -> Result<T, InputRefusal> {
        if text.is_empty() {
            return Err(self.missing(input));
        }
        text.parse()
            .map_err(|error: InvalidName| InputRefusal::Invalid {
                input,
                problem: error.to_string(),
            })
    }

    fn names<T: Ord + std::str::FromStr<Err = InvalidName>>(
        &self,
        input: &'static str,
        text: &str,
    ) -> Result<NameSet<T>, InputRefusal> {
        entries(text).map(|entry| self.name(input, entry)).collect()
    }

    fn missing(&self, input: &'static str) -> InputRefusal {
        let mode = if self.mode == Mode::Prod {
            " in mode `prod`"
        } else {
            ""
        };
        InputRefusal::Missing {
            input,
            needed_by: format!("{}{mode}", self.kind),
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "used where an error is mapped"
)]
fn invalid_assets(error: InvalidAssets) -> InputRefusal {
    match &error {
        InvalidAssets::Twice(_) => InputRefusal::AssetTwice(error.to_string()),
        InvalidAssets::Reserved(_) => InputRefusal::AssetReserved(error.to_string()),
        InvalidAssets::TooMany(_) | InvalidAssets::NoRoom(_) | InvalidAssets::Size(..) => {
            InputRefusal::AssetLimit(error.to_string())
        }
    }
}

/// Text that may be empty.
fn text<T: std::str::FromStr<Err = InvalidName>>(
    input: &'static str,
    text: &str,
) -> Result<T, InputRefusal> {
    text.parse()
        .map_err(|error: InvalidName| InputRefusal::Invalid {
            input,
            problem: format!("expected {}", error.expected()),
        })
}

/// The first input that describes an operation, if one is given.
pub(crate) fn described_by(inputs: &Inputs) -> Option<&'static str> {
    MEANINGS
        .iter()
        .find(|(_, value, _)| !value(inputs).is_empty())
        .map(|(input, ..)| *input)
}

/// The plan that the inputs name. The files that lie here now take the place of its assets: if one of them changed since, so does
/// the operation's digest.
pub(crate) fn from_plan(inputs: &Inputs, workspace: &Path) -> Result<Plan, InputRefusal> {
    let described = MEANINGS
        .iter()
        .find(|(input, value, _)| *input != "files" && !value(inputs).is_empty());
    if let Some((input, ..)) = described {
        return Err(InputRefusal::Unused {
            input,
            here: "an operation that comes from `plan`".into(),
        });
    }
    let bytes = read_bytes(
        "plan",
        &workspace.join(&inputs.plan),
        Plan::MOST_BYTES as u64,
    )?;
    let plan = Plan::from_document(&bytes).map_err(InputRefusal::Plan)?;
    // A job that runs the code of others can leave a plan too, under any name.
    match plan_digest(inputs)? {
        Some(reported) if reported != Digest::of(&bytes) => Err(InputRefusal::Invalid {
            input: "plan-digest",
            problem: format!(
                "the plan has the digest {}, but its job reported {reported}",
                Digest::of(&bytes)
            ),
        }),
        _ => Ok(plan),
    }
}

/// The digest of plan.json that the job which made it reported.
pub(crate) fn plan_digest(inputs: &Inputs) -> Result<Option<Digest>, InputRefusal> {
    if inputs.plan_digest.is_empty() {
        return Ok(None);
    }
    let digest = inputs.plan_digest.parse();
    digest.map(Some).map_err(|error| InputRefusal::Invalid {
        input: "plan-digest",
        problem: format!("{error}"),
    })
}

/// The operation with exactly these assets.
pub(crate) fn with_assets(
    operation: Operation,
    assets: Vec<Asset>,
) -> Result<Operation, InputRefusal> {
    match operation {
        Operation::PublishRelease(release) => Ok(Operation::PublishRelease(PublishRelease {
            assets: Assets::new(assets).map_err(invalid_assets)?,
            ..release
        })),
        other if assets.is_empty() => Ok(other),
        other => Err(InputRefusal::Unused {
            input: "files",
            here: other.kind().to_string(),
        }),
    }
}
