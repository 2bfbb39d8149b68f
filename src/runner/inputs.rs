//! The Action's inputs, all of them from one variable, so that no other can pretend to be one.

#[cfg(fuzzing)]
use std::collections::BTreeMap;

use countersign_core::{json, refusal::InputRefusal, text::excerpt};

use super::Environment;

/// The variable in which action.yml hands over `toJSON(inputs)`.
const VARIABLE: &str = "COUNTERSIGN_INPUTS";
/// The kernel allows one variable 128 KiB.
const MOST_BYTES: usize = 128 * 1024;

macro_rules! inputs {
    ($($field:ident: $name:literal,)*) => {
        /// Every input's name, as in action.yml.
        #[cfg(test)]
        const INPUTS: &[&str] = &[$($name),*];

        /// Every input as given; an absent one is empty, as GitHub hands it over.
        #[derive(Clone, Default)]
        pub(crate) struct Inputs {
            $(pub(crate) $field: String,)*
        }

        impl Inputs {
            fn set(&mut self, name: &str, value: String) -> Result<(), InputRefusal> {
                match name {
                    $($name => self.$field = value,)*
                    _ => return Err(InputRefusal::Unknown(excerpt(name, 60))),
                }
                Ok(())
            }

            /// Every input by its name.
            #[cfg(fuzzing)]
            pub(crate) fn members(self) -> BTreeMap<&'static str, String> {
                BTreeMap::from([$(($name, self.$field)),*])
            }
        }
    };
}

inputs! {
    mode: "mode",
    operation: "operation",
    receipt: "receipt",
    receipt_file: "receipt-file",
    receipt_from: "receipt-from",
    trusted_keys: "trusted-keys",
    threshold: "threshold",
    trust_file: "trust-file",
    trust_root: "trust-root",
    policy_file: "policy-file",
    run_id: "run-id",
    repository: "repository",
    token: "token",
    plan: "plan",
    plan_digest: "plan-digest",
    campaign: "campaign",
    variables: "variables",
    tag_name: "tag-name",
    target_sha: "target-sha",
    release_name: "release-name",
    body: "body",
    body_file: "body-file",
    draft: "draft",
    prerelease: "prerelease",
    make_latest: "make-latest",
    generate_release_notes: "generate-release-notes",
    files: "files",
    message: "message",
    title: "title",
    head_branch: "head-branch",
    head_sha: "head-sha",
    base_branch: "base-branch",
    labels: "labels",
    reviewers: "reviewers",
    upload_audit: "upload-audit",
    audit_artifact_name: "audit-artifact-name",
    max_wait: "max-wait",
    allow_workflow_changes: "allow-workflow-changes",
    unguarded_ledger: "unguarded-ledger",
    reachable_from: "reachable-from",
    roots: "roots",
    attach_receipt: "attach-receipt",
}

impl Inputs {
    /// Reads the inputs. Names are read without regard to case, as GitHub does.
    pub(crate) fn read(environment: &Environment) -> Result<Self, InputRefusal> {
        let unreadable = |problem: String| InputRefusal::Unreadable(problem);
        let text = environment
            .get(VARIABLE)
            .ok_or_else(|| unreadable(format!("the variable `{VARIABLE}` is not set")))?;
        let object = json::parse(text.as_bytes(), MOST_BYTES)
            .and_then(json::Value::object)
            .map_err(|error| unreadable(error.to_string()))?;
        let mut inputs = Self::default();
        let mut seen = Vec::new();
        for (name, value) in object.into_members() {
            let name = name.to_ascii_lowercase();
            if seen.contains(&name) {
                return Err(unreadable(format!(
                    "the input `{}` is given twice",
                    excerpt(&name, 60)
                )));
            }
            inputs.set(
                &name,
                value
                    .text()
                    .map_err(|error| unreadable(error.to_string()))?,
            )?;
            seen.push(name);
        }
        Ok(inputs)
    }
}

/// A flag: `true`, `false`, or empty for false.
pub(crate) fn flag(input: &'static str, text: &str) -> Result<bool, InputRefusal> {
    match text {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(InputRefusal::Invalid {
            input,
            problem: format!("expected `true` or `false`, found `{}`", excerpt(other, 40)),
        }),
    }
}

/// A whole number of seconds, if one is given.
pub(crate) fn seconds(input: &'static str, text: &str) -> Result<Option<u64>, InputRefusal> {
    let invalid = || InputRefusal::Invalid {
        input,
        problem: format!(
            "expected a whole number of seconds, found `{}`",
            excerpt(text, 40)
        ),
    };
    match text {
        "" => Ok(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(Some).map_err(|_| invalid())
        }
        _ => Err(invalid()),
    }
}

/// The lines of a list, without blanks around them and without empty ones.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The entries of a list that people write with commas or lines.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_those_of_action_yml() {
        let action = include_str!("../../action.yml");
        let inputs = action
            .split("\ninputs:\n")
            .nth(1)
            .and_then(|rest| rest.split("\noutputs:\n").next())
            .unwrap_or_default();
        let names: Vec<&str> = inputs
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .map(|line| line.trim().trim_end_matches(':'))
            .collect();
        assert_eq!(names, INPUTS);
    }

    fn read(json: &str) -> Result<Inputs, String> {
        Inputs::read(&Environment::default().with(VARIABLE, json))
            .map_err(|refusal| format!("{}: {refusal}", refusal.code()))
    }

    #[test]
    fn inputs_are_read_without_regard_to_case() {
        let inputs = read(r#"{"Mode":"prod","TAG-NAME":"v1","body":""}"#).unwrap_or_default();
        assert_eq!(
            (
                inputs.mode.as_str(),
                inputs.tag_name.as_str(),
                inputs.body.as_str()
            ),
            ("prod", "v1", "")
        );
    }

    #[test]
    fn unknown_repeated_and_mistyped_inputs_are_refused() {
        for (json, problem) in [
            (
                r#"{"tag_name":"v1"}"#,
                "input_unknown: there is no input `tag_name`",
            ),
            (
                r#"{"mode":"prod","MODE":"dry_run"}"#,
                "input_unreadable: the inputs cannot be read: the input `mode` is given twice",
            ),
            (
                r#"{"draft":true}"#,
                "input_unreadable: the inputs cannot be read: expected text, found true or false (at $.draft)",
            ),
            (
                "[]",
                "input_unreadable: the inputs cannot be read: expected an object, found a list (at $)",
            ),
            (
                "",
                "input_unreadable: the inputs cannot be read: the variable `COUNTERSIGN_INPUTS` is not set",
            ),
        ] {
            assert_eq!(read(json).err().as_deref(), Some(problem));
        }
    }

    #[test]
    fn lists_are_lines_or_entries() {
        assert_eq!(lines(" a b \n\n c\r\n").collect::<Vec<_>>(), ["a b", "c"]);
        assert_eq!(entries("a, b\nc,,").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
