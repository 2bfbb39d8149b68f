//! `campaign.toml`: operations in their order, with the names of the Action's inputs, variables, and what each needs.

#[cfg(test)]
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::{
    name::{StepId, Title},
    operation::Kind,
    plan::MOST_OPERATIONS,
    refusal::InputRefusal,
    tables::{self, MOST_BYTES, Misplaced, Table, Value},
    text::excerpt,
};

use crate::runner::Inputs;

/// A campaign that can be read.
pub(crate) struct Campaign {
    pub(crate) name: Title,
    pub(crate) steps: Vec<Step>,
}

/// One operation of a campaign.
pub(crate) struct Step {
    pub(crate) id: StepId,
    pub(crate) kind: Kind,
    pub(crate) needs: Vec<StepId>,
    /// Its parameters, as the Action's inputs.
    pub(crate) inputs: Inputs,
    pub(crate) allow_workflow_changes: bool,
    /// Where each of them stands.
    places: BTreeMap<&'static str, Misplaced>,
    /// Where the operation begins.
    place: Misplaced,
}

/// What is wrong with a campaign file.
pub(crate) type CampaignError = Misplaced;

/// A member of an operation, and the input that it sets.
type Member = (&'static str, fn(&mut Inputs) -> &mut String);

/// What an operation may say: the inputs that describe one.
const MEMBERS: [Member; 19] = [
    ("repository", |inputs| &mut inputs.repository),
    ("tag-name", |inputs| &mut inputs.tag_name),
    ("target-sha", |inputs| &mut inputs.target_sha),
    ("release-name", |inputs| &mut inputs.release_name),
    ("body", |inputs| &mut inputs.body),
    ("body-file", |inputs| &mut inputs.body_file),
    ("make-latest", |inputs| &mut inputs.make_latest),
    ("message", |inputs| &mut inputs.message),
    ("title", |inputs| &mut inputs.title),
    ("head-branch", |inputs| &mut inputs.head_branch),
    ("head-sha", |inputs| &mut inputs.head_sha),
    ("base-branch", |inputs| &mut inputs.base_branch),
    ("draft", |inputs| &mut inputs.draft),
    ("prerelease", |inputs| &mut inputs.prerelease),
    ("generate-release-notes", |inputs| {
        &mut inputs.generate_release_notes
    }),
    ("allow-workflow-changes", |inputs| {
        &mut inputs.allow_workflow_changes
    }),
    ("files", |inputs| &mut inputs.files),
    ("labels", |inputs| &mut inputs.labels),
    ("reviewers", |inputs| &mut inputs.reviewers),
];
const FLAGS: [&str; 4] = [
    "draft",
    "prerelease",
    "generate-release-notes",
    "allow-workflow-changes",
];
const LISTS: [&str; 3] = ["files", "labels", "reviewers"];

impl Campaign {
    /// Reads a campaign; variables that are given beside it replace its own.
    pub(crate) fn parse(text: &str, given: &BTreeMap<String, String>) -> Result<Self, Misplaced> {
        let mut table = tables::parse(text)?;
        let name = table.take("name")?.name()?;
        let mut variables = Variables::read(
            table
                .take_optional("variables")
                .map(Value::table)
                .transpose()?,
            given,
            &table,
        )?;
        let operations = table.tables("operation")?;
        let number = table.refuse(format!(
            "expected 1 to {MOST_OPERATIONS} tables [[operation]], found {}",
            operations.len()
        ));
        let unused = table.refuse("");
        table.end()?;
        if operations.is_empty() || operations.len() > MOST_OPERATIONS {
            return Err(number);
        }
        let mut steps: Vec<Step> = Vec::new();
        for operation in operations {
            let step = Step::read(operation, &mut variables)?;
            if steps.iter().any(|other| other.id == step.id) {
                return Err(step.place.with_problem(format!(
                    "another operation has the id `{}` already",
                    step.id
                )));
            }
            steps.push(step);
        }
        if let Some(name) = variables.unused() {
            return Err(unused.with_problem(format!(
                "the variable `{name}` is used nowhere; check its spelling"
            )));
        }
        Ok(Self {
            name,
            steps: in_order(steps)?,
        })
    }
}

/// Every operation after those that it needs; otherwise in the order of the file.
fn in_order(mut steps: Vec<Step>) -> Result<Vec<Step>, Misplaced> {
    let ids: BTreeSet<StepId> = steps.iter().map(|step| step.id.clone()).collect();
    for step in &steps {
        if let Some(need) = step.needs.iter().find(|need| !ids.contains(need)) {
            return Err(step.place.clone().with_problem(format!(
                "`{}` needs `{need}`, but no operation has that id",
                step.id
            )));
        }
    }
    let mut ordered: Vec<Step> = Vec::new();
    while !steps.is_empty() {
        let ready = |step: &Step| {
            step.needs
                .iter()
                .all(|need| ordered.iter().any(|before| before.id == *need))
        };
        let Some(index) = steps.iter().position(ready) else {
            let round: Vec<String> = steps.iter().map(|step| format!("`{}`", step.id)).collect();
            return Err(steps.remove(0).place.with_problem(format!(
                "the operations {} need each other in a circle",
                round.join(", ")
            )));
        };
        ordered.push(steps.remove(index));
    }
    Ok(ordered)
}

impl Step {
    fn read(mut table: Table<'_>, variables: &mut Variables) -> Result<Self, Misplaced> {
        let place = table.refuse("");
        let id = table.take("id")?.name()?;
        let kind = table.take("operation")?.name()?;
        let needs = table
            .take_optional("needs")
            .map_or(Ok(Vec::new()), Value::list)?;
        let needs = needs
            .into_iter()
            .map(Value::name)
            .collect::<Result<_, _>>()?;
        let (mut inputs, mut places) = (Inputs::default(), BTreeMap::new());
        for (member, input) in MEMBERS {
            let Some(value) = table.take_optional(member) else {
                continue;
            };
            places.insert(member, value.refuse(""));
            *input(&mut inputs) = if FLAGS.contains(&member) {
                value.flag()?.to_string()
            } else if LISTS.contains(&member) {
                let items = value
                    .list()?
                    .into_iter()
                    .map(|item| one(item, member, variables))
                    .collect::<Result<Vec<_>, _>>()?;
                items.join("\n")
            } else {
                variables.fill(value)?
            };
        }
        table.end()?;
        let allow_workflow_changes = inputs.allow_workflow_changes == "true";
        Ok(Self {
            id,
            kind,
            needs,
            inputs,
            allow_workflow_changes,
            places,
            place,
        })
    }

    /// Whether the campaign file is right, and the world around it is not as it says.
    pub(super) const fn is_about_the_world(refusal: &InputRefusal) -> bool {
        matches!(
            refusal,
            InputRefusal::FileMissing { .. }
                | InputRefusal::FileUnusable { .. }
                | InputRefusal::CommitUnknown { .. }
                | InputRefusal::RefAmbiguous { .. }
                | InputRefusal::PatternUnmatched { .. }
                | InputRefusal::AssetName(_)
                | InputRefusal::AssetTwice(_)
                | InputRefusal::AssetLimit(_)
        )
    }

    /// A refused input, at the place where it stands.
    pub(super) fn error(&self, refusal: &InputRefusal) -> Misplaced {
        let place = refusal
            .input()
            .and_then(|input| self.places.get(input))
            .unwrap_or(&self.place);
        place
            .clone()
            .with_problem(format!("operation `{}`: {refusal}", self.id))
    }
}

/// One item of a list, which the inputs separate by lines, and labels and reviewers by commas too.
fn one(item: Value<'_>, member: &str, variables: &mut Variables) -> Result<String, Misplaced> {
    let several = item.refuse(
        "expected one item without a line feed, and without a comma in labels and reviewers",
    );
    let text = variables.fill(item)?;
    let separators: &[char] = if member == "files" {
        &['\n', '\r']
    } else {
        &['\n', '\r', ',']
    };
    if text.contains(separators) {
        Err(several)
    } else {
        Ok(text)
    }
}

/// What stands for `{name}` in texts.
struct Variables {
    values: BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Variables {
    fn read(
        table: Option<Table<'_>>,
        given: &BTreeMap<String, String>,
        file: &Table<'_>,
    ) -> Result<Self, Misplaced> {
        let mut values = BTreeMap::new();
        for (name, value) in table.map_or_else(Vec::new, Table::into_members) {
            let nonsense = value.refuse(format!(
                "`{}` is no variable: expected letters, digits, `-` and `_`",
                excerpt(&name, 40)
            ));
            if !is_variable(&name) {
                return Err(nonsense);
            }
            values.insert(name, value.text()?);
        }
        for (name, value) in given {
            if values.insert(name.clone(), value.clone()).is_none() {
                let name = excerpt(name, 40);
                return Err(
                    file.refuse(format!("the variable `{name}` was given, but the campaign has none of that name under [variables]"))
                );
            }
        }
        Ok(Self {
            values,
            used: BTreeSet::new(),
        })
    }

    /// The text with every `{name}` filled in; `{{` and `}}` stand for braces.
    fn fill(&mut self, value: Value<'_>) -> Result<String, Misplaced> {
        let place = value.refuse("");
        let text = value.text()?;
        let (mut filled, mut rest) = (String::new(), text.as_str());
        while let Some(at) = rest.find(['{', '}']) {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix("{{") {
                filled.push('{');
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("}}") {
                filled.push('}');
                rest = behind;
            } else if let Some((name, behind)) =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            {
                let value = self
                    .values
                    .get(name)
                    .ok_or_else(|| place.clone().with_problem(unknown(name)))?;
                // A long variable in many places of a small file would fill the memory.
                if filled.len() + value.len() > MOST_BYTES {
                    return Err(place.with_problem(format!("with its variables filled in it has more than the {MOST_BYTES} bytes allowed")));
                }
                filled.push_str(value);
                self.used.insert(name.into());
                rest = behind;
            } else {
                return Err(place.with_problem(
                    "a single brace: write `{name}` for a variable, `{{` or `}}` for a brace",
                ));
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn unused(&self) -> Option<&String> {
        self.values.keys().find(|name| !self.used.contains(*name))
    }
}

fn unknown(name: &str) -> String {
    format!(
        "there is no variable `{}` under [variables]; `{{{{` stands for a brace",
        excerpt(name, 40)
    )
}

fn is_variable(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
name = "Version {x}"

[variables]
version = "1.2.0"

[[operation]]
id = "pull"
operation = "open_pr"
needs = ["release"]
title = "After {version}"
head-branch = "next"
labels = ["release", "v{version}"]

[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "v{version}"
message = "{{braces}} {version}"

[[operation]]
id = "release"
operation = "publish_release"
needs = ["tag"]
tag-name = "v{version}"
files = ["dist/*.tar.gz", "dist/*.zip"]
prerelease = true
"#;

    fn read(text: &str, given: &[(&str, &str)]) -> Result<Campaign, String> {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Campaign::parse(text, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn operations_come_after_what_they_need_and_variables_are_filled_in() {
        let campaign = read(FILE, &[("version", "1.3.0")]).unwrap();
        assert_eq!(
            campaign
                .steps
                .iter()
                .map(|step| step.id.as_str())
                .collect::<Vec<_>>(),
            ["tag", "release", "pull"]
        );
        let [tag, release, pull] = campaign.steps.as_slice() else {
            panic!("three")
        };
        assert_eq!(
            (tag.inputs.tag_name.as_str(), tag.inputs.message.as_str()),
            ("v1.3.0", "{braces} 1.3.0")
        );
        assert_eq!(
            (
                release.inputs.files.as_str(),
                release.inputs.prerelease.as_str()
            ),
            ("dist/*.tar.gz\ndist/*.zip", "true")
        );
        assert_eq!(
            (pull.inputs.title.as_str(), pull.inputs.labels.as_str()),
            ("After 1.3.0", "release\nv1.3.0")
        );
    }

    #[test]
    fn every_mistake_has_its_line_and_column() {
        for (from, to, problem) in [
            (
                "version}\"\nhead",
                "vresion}\"\nhead",
                "line 11, column 9: there is no variable `vresion` under [variables]",
            ),
            (
                "{version}\"\nhead",
                "{version\"\nhead",
                "line 11, column 9: a single brace",
            ),
            (
                "needs = [\"release\"]",
                "needs = [\"rel\"]",
                "line 7, column 1: `pull` needs `rel`, but no operation has that id",
            ),
            (
                "operation = \"tag_repo\"",
                "operation = \"tag_repo\"\nneeds = [\"pull\"]",
                "line 7, column 1: the operations `pull`, `tag`, `release` need each other in a circle",
            ),
            (
                "id = \"tag\"",
                "id = \"pull\"",
                "line 15, column 1: another operation has the id `pull` already",
            ),
            (
                "prerelease = true",
                "prerelease = \"true\"",
                "line 27, column 14: expected true or false, found text",
            ),
            (
                "tag-name",
                "tag_name",
                "line 18, column 1: the member `tag_name` is unknown here",
            ),
            (
                "version = \"1.2.0\"",
                "version = \"1.2.0\"\nother = \"x\"",
                "line 1, column 1: the variable `other` is used nowhere",
            ),
            (
                "\"tag_repo\"",
                "\"tag\"",
                "line 17, column 13: `tag` is no operation",
            ),
        ] {
            let told = read(&FILE.replacen(from, to, 1), &[]).map(|_| "read");
            assert!(
                told.as_ref().is_err_and(|told| told.starts_with(problem)),
                "{to}: {told:?}"
            );
        }
        assert!(
            read(FILE, &[("other", "1")])
                .is_err_and(|told| told.contains("the variable `other` was given, but"))
        );
        assert!(
            read(FILE, &[("\u{1b}[2J", "1")])
                .is_err_and(|told| told.contains("the variable `\\u{1b}[2J` was given, but"))
        );
        assert!(
            read(
                &FILE.replacen(
                    "[variables]",
                    &format!("[variables]\n\"{}\" = \"\"", "\\n".repeat(50_000)),
                    1
                ),
                &[]
            )
            .is_err_and(|told| told.ends_with(
                "… (49960 more characters)` is no variable: expected letters, digits, `-` and `_`"
            ))
        );
        assert!(read("name = \"x\"", &[]).is_err_and(|told| told.ends_with("expected 1 to 64 tables [[operation]], found 0")));
    }

    /// A file of 190,000 bytes of which one message would have a gigabyte.
    #[test]
    fn variables_cannot_fill_the_memory() {
        let file = FILE.replacen("1.2.0", &"1".repeat(100_000), 1).replacen(
            "{{braces}}",
            &"{version}".repeat(10_000),
            1,
        );
        let told = read(&file, &[]).map(|_| "read");
        assert_eq!(told, Err("line 19, column 11: with its variables filled in it has more than the 262144 bytes allowed".into()));
    }
}
