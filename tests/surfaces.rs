//! What people and workflows see: record, summary, outputs, annotations, also when the attempt is cut short.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    io::Read as _,
    process::{Child, Command},
};

use countersign_sim::{Effect, Endpoint, Fault};
use harness::{Attempt, Report, Stage, Surfaces};

const HOSTILE: &str = "\n::error::owned\n##[error]owned\n<script>alert(1)</script> | `code` [x](javascript:1) \u{202e}desrever\n</pre></details>";

#[test]
fn hostile_text_stays_text_on_every_surface() {
    let stage = Stage::new();
    let report = stage
        .release()
        .input("body", HOSTILE)
        .input("release-name", "<b>|`::warning::x")
        .approved()
        .run();
    report.succeeded();
    for line in report.log.lines() {
        assert!(!line.contains("owned"), "{line}");
        let command = line.trim_start().starts_with("::");
        assert!(
            !command
                || line.starts_with("::add-mask::")
                || line.starts_with("::notice title=Countersign%3A prod::"),
            "{line}"
        );
    }
    for markup in ["<script", "<b>", "\u{202e}", "](javascript", "`code`"] {
        assert!(
            !report.summary.contains(markup),
            "{markup} in {}",
            report.summary
        );
    }
    assert!(report.summary.contains("&#60;script&#62;"));
    assert_eq!(report.summary.matches("</pre>").count(), 1);
    assert_eq!(stage.sim.releases()[0].body.as_deref(), Some(HOSTILE));

    let refused = stage
        .tag()
        .input("operation", "x\n::error::owned\r%0A##[error]")
        .run();
    refused.refused("operation_unknown");
    assert!(
        !refused
            .log
            .lines()
            .any(|line| line.trim_start().starts_with("::error::owned")
                || line.contains("##[error]")),
        "{}",
        refused.log
    );
}

#[test]
fn the_token_appears_nowhere() {
    let stage = Stage::new();
    let published = stage.tag().approved().run();
    let refused = stage.tag().run();
    let failed = stage
        .pull()
        .input("reviewers", "nobody-here")
        .approved()
        .run();
    assert_eq!((published.exit, refused.exit, failed.exit), (0, 3, 1));
    for report in [published, refused, failed] {
        let masked = format!("::add-mask::{}\n", stage.token);
        assert!(
            report.log.starts_with(&masked),
            "masked before anything else"
        );
        let told = format!(
            "{}{}{}{:?}",
            report.log.replacen(&masked, "", 1),
            report.summary,
            report.record,
            report.outputs
        );
        assert!(!told.contains(&stage.token));
    }
}

#[test]
fn the_largest_release_stays_under_the_limit_of_a_summary() {
    let stage = Stage::new();
    let body = "<".repeat(100_000);
    for index in 0..900 {
        stage.file(
            &format!("{}{index:04}.zip", "a".repeat(180)),
            index.to_string(),
        );
    }
    let report = stage
        .release()
        .input("files", "*.zip")
        .input("body", &body)
        .dry_run();
    assert_eq!(report.exit, 0, "{}", report.log);
    assert!(report.summary.len() < 1 << 20, "{}", report.summary.len());
    assert!(report.summary.contains("DRY RUN") && report.summary.contains("How to approve it"));
}

#[test]
fn the_summary_tells_mode_reason_checks_binding_signers_timeline_and_links() {
    let stage = Stage::new();
    let attempt = stage.release().approved();
    let shipped = attempt.run();
    for part in [
        "> **PROD** — shipped, as approved",
        "### What GitHub holds",
        "### Checks: all 20 hold",
        "| ✅&nbsp;holds | run |",
        "<strong>Operation</strong>, as approved",
        "### Receipt",
        "| Signed by | alice<span>&#64;</span>example.org <code>SHA256<span>&#58;</span>",
        "### Timeline",
        "**receipt spent**: <a href=\"https://github.com/octo/hello/blob/receipt-ledger/entries/000/000000001.json\">ledger entry 1</a>",
        "**outcome recorded**: <a href=\"https://github.com/octo/hello/blob/receipt-ledger/entries/000/000000002.json\">ledger entry 2</a>",
        "<a href=\"https://github.com/octo/hello/actions/runs/17231231\">Run</a>",
        "<a href=\"https://github.com/octo/hello/tree/receipt-ledger\">Ledger</a>",
    ] {
        assert!(
            shipped.summary.contains(part),
            "{part} in {}",
            shipped.summary
        );
    }
    let refused = attempt.run();
    for part in [
        "> **Why it was not shipped:** the receipt is spent&#58; run <code>17231231</code> attempt 1",
        "**What to do:** A receipt works once.",
        "| ❌ not used before<br><code>receipt&#95;consumed</code> | **expected** <code>unused</code><br>**found** the receipt is spent",
    ] {
        assert!(
            refused.summary.contains(part),
            "{part} in {}",
            refused.summary
        );
    }
}

/// What stands first is what somebody reads who was woken up.
#[test]
fn the_summary_of_a_refusal_begins_with_why_and_what_to_do() {
    let stage = Stage::new();
    let report = stage.tag().run();
    let begin = report.summary.split("\n<details>").next().unwrap();
    assert_eq!(
        begin,
        "## Countersign: tag <code>v1.0.0</code> — refused\n\n\
         > [!CAUTION]\n> **PROD** — refused, nothing was written to GitHub.\n>\n\
         > **Why it was not shipped:** there is no receipt; every operation in mode <code>prod</code> needs one (<code>receipt&#95;missing</code>)\n>\n\
         > **What to do:** Make a plan with <code>mode&#58; dry&#95;run</code>, have it approved with <code>countersign authorize</code>, \
         and hand the line that it prints to the input <code>receipt</code>.\n\n\
         ### Checks: 1 of 20 does not hold\n\n\
         | Broken rule | Both sides |\n|---|---|\n\
         | ❌ receipt is present<br><code>receipt&#95;missing</code> | **expected** a receipt<br>**found** <code>none</code> |\n"
    );
    assert_eq!(
        report.summary.matches("<details>").count(),
        report.summary.matches("</details>").count()
    );
}

#[test]
fn a_second_attempt_says_in_its_summary_that_it_finished_what_was_begun() {
    let stage = Stage::new();
    let (attempt, process) = stalled_attempt(&stage, Endpoint::CreateRef);
    signalled(process, "-KILL");
    let report = attempt.variable("GITHUB_RUN_ATTEMPT", "2").run();
    report.succeeded();
    for part in [
        "An earlier attempt of this run began it; this one looked at what was done and finished it.",
        "**receipt claimed again**",
    ] {
        assert!(
            report.summary.contains(part),
            "{part} in {}",
            report.summary
        );
    }
}

#[test]
fn outputs_are_those_of_action_yml_and_no_value_can_add_another() {
    let stage = Stage::new();
    let report = stage
        .tag()
        .input("message", "x\nstatus=success\nstatus<<EOF")
        .approved()
        .run();
    report.succeeded();
    let action = include_str!("../action.yml");
    let declared = action
        .split("\noutputs:\n")
        .nth(1)
        .and_then(|rest| rest.split("\nruns:").next())
        .unwrap();
    let mut names: Vec<&str> = declared
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.trim().trim_end_matches(':'))
        .collect();
    names.sort_unstable();
    assert_eq!(
        report
            .outputs
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>(),
        names
    );
}

#[test]
fn without_a_place_for_the_record_nothing_is_done() {
    let stage = Stage::new();
    let (mut command, _surfaces) = stage
        .tag()
        .approved()
        .variable("RUNNER_TEMP", "/nonexistent")
        .process();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("no audit record can be written under RUNNER_TEMP")
    );
    assert_eq!(stage.writes(), Vec::<String>::new());
}

/// Starts an attempt that GitHub leaves without an answer at one request, and waits until it is there.
fn stalled(stage: &Stage, endpoint: Endpoint) -> (Child, Surfaces) {
    stalled_attempt(stage, endpoint).1
}

/// The same with what was attempted.
fn stalled_attempt(stage: &Stage, endpoint: Endpoint) -> (Attempt<'_>, (Child, Surfaces)) {
    let attempt = stage.tag().approved();
    stage.sim.plan(Fault::on(endpoint).then(Effect::Stall));
    let (mut command, surfaces) = attempt.process();
    let child = command.spawn().unwrap();
    stage.sim.wait_until(|events| {
        events
            .iter()
            .any(|event| event.endpoint == endpoint && !event.finished)
    });
    (attempt, (child, surfaces))
}

fn signalled((child, surfaces): (Child, Surfaces), signal: &str) -> Report {
    // Through `kill`, as a person would: tests hold no code that is not safe.
    assert!(
        Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    surfaces.report(&child.wait_with_output().unwrap())
}

#[test]
fn a_stopped_job_leaves_a_record_that_says_how_far_it_came() {
    for (endpoint, exit, status, ledger) in [
        (Endpoint::Preflight, 1, "failed", vec![]),
        (Endpoint::Append, 4, "unknown", vec![]),
        (Endpoint::CreateRef, 4, "unknown", vec!["claimed"]),
    ] {
        for signal in ["-TERM", "-INT"] {
            let stage = Stage::new();
            let report = signalled(stalled(&stage, endpoint), signal);
            assert_eq!(
                (report.exit, report.status(), report.code()),
                (exit, status, "interrupted"),
                "{endpoint:?}: {}",
                report.log
            );
            assert_eq!(stage.ledger_events(), ledger);
            assert!(report.summary.contains(if status == "failed" {
                "What went wrong"
            } else {
                "What is not known"
            }));
            assert_eq!(report.outputs["status"], status);
        }
    }
}

#[test]
fn even_a_killed_process_leaves_its_record() {
    let stage = Stage::new();
    let report = signalled(stalled(&stage, Endpoint::CreateRef), "-KILL");
    assert_eq!((report.status(), report.code()), ("unknown", "interrupted"));
    assert_eq!(report.record["ledger"]["claim"]["sequence"], 1);
}

/// Runs this test again as a child in which the clock panics; the parent reads what the child left behind.
#[test]
fn a_panic_leaves_a_record() {
    const CHILD: &str = "COUNTERSIGN_TEST_PANIC";
    fn broken_clock() -> countersign_core::timestamp::Timestamp {
        use std::sync::atomic::{AtomicU64, Ordering};
        static CALLS: AtomicU64 = AtomicU64::new(0);
        // The first call begins the record, the second decides: a bug in the middle of an attempt.
        assert_ne!(CALLS.fetch_add(1, Ordering::SeqCst), 1, "a bug");
        countersign::system_clock()
    }
    if std::env::var_os(CHILD).is_some() {
        let exit = countersign::action(
            &countersign::Environment::of_process(),
            broken_clock,
            countersign::Log::stdout(),
        );
        unreachable!("{exit:?}");
    }
    let stage = Stage::new();
    let (prepared, surfaces) = stage.tag().approved().process();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_panic_leaves_a_record", "--nocapture"])
        .env_clear()
        .env(CHILD, "1");
    child.envs(
        prepared
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let report = surfaces.report(&child.output().unwrap());
    assert_eq!(
        (report.status(), report.code()),
        ("failed", "internal_error"),
        "{}",
        report.log
    );
    assert!(
        report
            .log
            .contains("::error title=Countersign%3A failed (internal_error)"),
        "{}",
        report.log
    );
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[test]
fn a_closed_log_does_not_stop_an_attempt() {
    let stage = Stage::new();
    let (mut command, surfaces) = stage.tag().approved().process();
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
    let output = std::process::Output {
        status,
        stdout: Vec::new(),
        stderr: Vec::new(),
    };
    surfaces.report(&output).succeeded();
}

#[test]
fn a_summary_that_is_a_link_is_not_followed() {
    let stage = Stage::new();
    let victim = stage.folder.path().join("victim");
    fs::write(&victim, "").unwrap();
    let link = stage.folder.path().join("link");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    let (mut command, surfaces) = stage.tag().approved().process();
    command.env("GITHUB_STEP_SUMMARY", &link);
    let report = surfaces.report(&command.output().unwrap());
    assert_eq!((report.exit, report.status()), (0, "success"));
    assert!(
        report
            .log
            .contains("::warning title=Countersign::The job summary could not be written"),
        "{}",
        report.log
    );
    assert_eq!(fs::read_to_string(victim).unwrap(), "");
}

#[test]
fn an_unprotected_ledger_is_told_and_does_not_stop_anybody() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.sim.branch_rules("receipt-ledger", &["deletion"]);
    let report = attempt.run();
    report.succeeded();
    assert_eq!(
        report.record["ledger"]["rules"],
        serde_json::json!(["deletion"])
    );
    assert!(
        report.summary.contains("The ledger is not protected: no rule forbids <code>non&#95;fast&#95;forward</code> on the branch"),
        "{}",
        report.summary
    );
}
