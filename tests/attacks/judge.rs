//! What must come of every attack: its code on every surface, nothing at GitHub, no token anywhere, and no command or markup made of data.

use crate::harness::{Attempt, Report, Stage};

/// What must come of an attempt.
pub struct Expected<'a> {
    /// The refusal, or `-` for success.
    pub code: &'a str,
    pub exit: i64,
    /// Every further rule that must be broken.
    pub also: Option<&'a [String]>,
}

impl<'a> Expected<'a> {
    pub const fn refusal(code: &'a str) -> Self {
        Self { code, exit: 3, also: None }
    }
}

/// The workflow's name, by which the record names the case.
pub fn workflow(name: &str) -> String {
    format!("octo/hello/.github/workflows/{}.yml@refs/heads/main", name.replace(' ', "-"))
}

/// Judges an attempt.
#[track_caller]
pub fn judged(stage: &Stage, name: &str, expected: &Expected<'_>, report: &Report, writes_before: usize) {
    tells_nothing_else(stage, report);
    assert_eq!(report.record["github"]["workflow"], workflow(name));
    if expected.code == "-" {
        return report.succeeded();
    }
    if expected.exit == 3 {
        report.refused(expected.code);
    } else {
        let found = (i64::from(report.exit), report.code(), report.outputs["error-code"].as_str());
        assert_eq!(found, (expected.exit, expected.code, expected.code), "{}", report.message());
    }
    if let Some(also) = expected.also {
        let mut codes: Vec<&str> = also.iter().map(String::as_str).chain([expected.code]).collect();
        let mut broken = report.broken();
        codes.sort_unstable();
        broken.sort_unstable();
        assert_eq!(broken, codes);
    }
    assert_eq!(stage.writes().split_off(writes_before), Vec::<String>::new(), "something was written");
}

/// Makes the attempt under the case's name and judges it.
#[track_caller]
pub fn attempted(stage: &Stage, name: &str, attempt: Attempt<'_>, code: &str) -> Report {
    let before = stage.writes().len();
    let report = attempt.variable("GITHUB_WORKFLOW_REF", workflow(name)).run();
    judged(stage, name, &Expected::refusal(code), &report, before);
    report
}

/// No surface tells the token or takes data for anything else.
#[track_caller]
pub fn tells_nothing_else(stage: &Stage, report: &Report) {
    // The token is masked once, and stands nowhere else.
    let log = report.log.replacen(&format!("::add-mask::{}", stage.token), "", 1);
    for surface in [log.as_str(), &report.summary, &report.record.to_string(), &format!("{:?}", report.outputs)] {
        assert!(!surface.contains(&stage.token), "the token is told: {surface}");
    }
    // Every line that the runner would take for a command begins with one of ours.
    for line in log.lines() {
        let command = line.trim_start().strip_prefix("::").map(|rest| rest.split([' ', ':']).next().unwrap_or_default());
        let ours = ["add-mask", "error", "warning", "notice", "group", "endgroup", ""];
        assert!(command.is_none_or(|command| ours.contains(&command)) && !line.contains("##["), "{line}");
    }
    for markup in ["<script", "<img", "](javascript", "\u{202e}", "\u{200b}"] {
        assert!(!report.summary.contains(markup), "{markup}: {}", report.summary);
    }
}
