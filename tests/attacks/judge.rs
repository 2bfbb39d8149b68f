//! What must come of every attack: its code on every surface, nothing at GitHub, no token anywhere, and no command or markup made of data.

use crate::harness::{Attempt, Report, Stage};

/// What must come of an attempt.
pub struct Expected<'a> {
    /// The refusal, or `-` for success.
    pub code: &'a str,
    pub exit: i64,
    /// Every further rule that must be broken.
    pub also: Option<&'a [String]>,
    /// A part of the message: that it is this rule which the attempt broke.
    pub says: Option<&'a str>,
}

impl<'a> Expected<'a> {
    pub const fn refusal(code: &'a str) -> Self {
        Self {
            code,
            exit: 3,
            also: None,
            says: None,
        }
    }
}

/// The workflow's name, by which the record names the case.
pub fn workflow(name: &str) -> String {
    format!(
        "octo/hello/.github/workflows/{}.yml@refs/heads/main",
        name.replace(' ', "-")
    )
}

/// Judges an attempt.
#[track_caller]
pub fn judged(
    stage: &Stage,
    name: &str,
    expected: &Expected<'_>,
    report: &Report,
    writes_before: usize,
) {
    tells_nothing_else(stage, report);
    assert_eq!(report.record["github"]["workflow"], workflow(name));
    if expected.code == "-" {
        report.succeeded();
        assert_eq!(
            stage
                .ledger_events()
                .split_off(stage.ledger_events().len() - 2),
            ["claimed", "succeeded"]
        );
        return;
    }
    if let Some(says) = expected.says {
        assert!(
            report.message().contains(says),
            "`{says}` is not said: {}",
            report.message()
        );
    }
    if expected.exit == 3 {
        report.refused(expected.code);
    } else {
        let found = (
            i64::from(report.exit),
            report.code(),
            report.outputs["error-code"].as_str(),
        );
        assert_eq!(
            found,
            (expected.exit, expected.code, expected.code),
            "{}",
            report.message()
        );
    }
    if let Some(also) = expected.also {
        let mut codes: Vec<&str> = also
            .iter()
            .map(String::as_str)
            .chain([expected.code])
            .collect();
        let mut broken = report.broken();
        codes.sort_unstable();
        broken.sort_unstable();
        assert_eq!(broken, codes);
    }
    assert_eq!(
        stage.writes().split_off(writes_before),
        Vec::<String>::new(),
        "something was written"
    );
}

/// Makes the attempt under the case's name and judges it.
#[track_caller]
pub fn attempted(stage: &Stage, name: &str, attempt: Attempt<'_>, code: &str) -> Report {
    attempted_as(stage, name, attempt, &Expected::refusal(code))
}

/// The same where something else than a plain refusal must come of it.
#[track_caller]
pub fn attempted_as(
    stage: &Stage,
    name: &str,
    attempt: Attempt<'_>,
    expected: &Expected<'_>,
) -> Report {
    let before = stage.writes().len();
    let report = attempt
        .variable("GITHUB_WORKFLOW_REF", workflow(name))
        .run();
    judged(stage, name, expected, &report, before);
    report
}

/// No surface tells the token or takes data for anything else.
#[track_caller]
pub fn tells_nothing_else(stage: &Stage, report: &Report) {
    // The token is masked once, and stands nowhere else.
    let log = report
        .log
        .replacen(&format!("::add-mask::{}", stage.token), "", 1);
    let plan = report
        .outputs
        .get("plan")
        .filter(|path| !path.is_empty())
        .map_or(String::new(), |path| std::fs::read_to_string(path).unwrap());
    for surface in [
        log.as_str(),
        &report.summary,
        &report.record.to_string(),
        &format!("{:?}", report.outputs),
        &plan,
    ] {
        assert!(
            !surface.contains(&stage.token),
            "the token is told: {surface}"
        );
    }
    // Every line that the runner would take for a command begins with one of ours.
    let ours = [
        "::error title=Countersign",
        "::warning title=Countersign",
        "::notice title=Countersign",
        "::group::",
        "::endgroup::",
    ];
    for line in log.split(['\n', '\r']).map(str::trim_start) {
        assert!(
            !line.starts_with("::")
                || line == "::"
                || ours.iter().any(|command| line.starts_with(command)),
            "{line}"
        );
        assert!(!line.contains("##["), "{line}");
    }
    for markup in ["<script", "<img", "](javascript"] {
        assert!(
            !report.summary.contains(markup),
            "{markup}: {}",
            report.summary
        );
    }
    for hidden in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{2800}'] {
        assert!(
            !log.contains(hidden) && !report.summary.contains(hidden),
            "{hidden:?}: {log}\n{}",
            report.summary
        );
    }
}
