//! What an operation would change, from what stands now: told before anybody approves it, done by nobody in a dry run.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use crate::{
    json::{Malformed, Value},
    ledger::BRANCH,
    name::{CommitId, TagName},
    operation::{MakeLatest, OpenPr, Operation, PublishRelease, TagRepo},
};

/// What stands now where the operation would change something, as the dry run saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stands {
    /// The commit to which the tag leads; null if there is none of that name.
    pub tag: Option<CommitId>,
    /// The tag of the release that GitHub shows as the latest.
    pub latest: Option<TagName>,
    /// The head of the branch to merge.
    pub head: Option<CommitId>,
    /// The head of the branch into which to merge.
    pub base: Option<CommitId>,
}

impl Stands {
    pub(super) fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let stands = Self {
            tag: object
                .take("tag")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            latest: object
                .take("latest")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            head: object
                .take("head")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            base: object
                .take("base")?
                .nullable()
                .map(Value::name)
                .transpose()?,
        };
        object.end()?;
        Ok(stands)
    }
}

/// One thing that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Effect {
    /// What is done.
    #[cfg_attr(test, schemars(extend("enum" = crate::schema::EFFECTS)))]
    pub effect: &'static str,
    /// To what.
    pub subject: String,
    /// What stands there now; null for nothing.
    pub from: Option<String>,
    /// What would stand there.
    pub to: String,
    /// Nothing of it was done.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    blocked_by_mode: bool,
}

fn effect(
    effect: &'static str,
    subject: impl Into<String>,
    from: Option<String>,
    to: impl Into<String>,
) -> Effect {
    Effect {
        effect,
        subject: subject.into(),
        from,
        to: to.into(),
        blocked_by_mode: true,
    }
}

/// Everything that an operation would change, in the order in which it would be done.
#[must_use]
pub fn effects(operation: &Operation, stands: &Stands) -> Vec<Effect> {
    let mut effects = Vec::from([effect(
        "spend_receipt",
        format!("refs/heads/{BRANCH}"),
        None,
        "a claim of this operation",
    )]);
    match operation {
        Operation::PublishRelease(release) => of_release(release, stands, &mut effects),
        Operation::TagRepo(tag) => of_tag(tag, stands, &mut effects),
        Operation::OpenPr(pull) => of_pull(pull, stands, &mut effects),
    }
    effects.push(effect(
        "record_outcome",
        format!("refs/heads/{BRANCH}"),
        None,
        "the outcome of this operation",
    ));
    effects
}

fn of_release(release: &PublishRelease, stands: &Stands, effects: &mut Vec<Effect>) {
    let (tag, visibility) = (&release.tag_name, release.visibility);
    let assets = release.assets.as_slice();
    let word = if visibility.draft() {
        "a draft"
    } else if visibility.prerelease() {
        "a prerelease"
    } else {
        "a release"
    };
    effects.push(effect(
        "create_release",
        tag.as_str(),
        None,
        format!("{word} called {}", release.release_name),
    ));
    effects.extend(assets.iter().map(|asset| {
        effect(
            "upload_asset",
            asset.name.as_str(),
            None,
            asset.sha256.to_string(),
        )
    }));
    if visibility.draft() {
        return;
    }
    if stands.tag.is_none() {
        effects.push(effect(
            "create_tag",
            format!("refs/tags/{tag}"),
            None,
            release.target_sha.as_str(),
        ));
    }
    if visibility.make_latest() != MakeLatest::False {
        let before = stands.latest.as_ref().map(ToString::to_string);
        effects.push(effect(
            "mark_latest",
            release.target.repository.as_str(),
            before,
            tag.as_str(),
        ));
    }
}

fn of_tag(tag: &TagRepo, stands: &Stands, effects: &mut Vec<Effect>) {
    let before = stands.tag.as_ref().map(ToString::to_string);
    effects.push(effect(
        "create_tag",
        format!("refs/tags/{}", tag.tag_name),
        before,
        tag.target_sha.as_str(),
    ));
}

fn of_pull(pull: &OpenPr, stands: &Stands, effects: &mut Vec<Effect>) {
    let base = stands
        .base
        .as_ref()
        .map(|base| format!("{} at {base}", pull.base_branch));
    let head = format!("{} at {}", pull.head_branch, pull.head_sha);
    effects.push(effect(
        "open_pull_request",
        pull.base_branch.as_str(),
        base,
        head,
    ));
    effects.extend(
        pull.labels
            .iter()
            .map(|label| effect("add_label", "the pull request", None, label.as_str())),
    );
    effects.extend(
        pull.reviewers
            .iter()
            .map(|login| effect("request_review", "the pull request", None, login.as_str())),
    );
}
