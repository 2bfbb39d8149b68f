//! What an approver should know about many uploads: how long they take, and where GitHub may stop them.

use countersign_core::{
    evidence::AttachReceipt,
    operation::Operation,
    plan::Warning,
    world::{requests_needed, uploads},
};

use crate::github::GitHub;

/// What GitHub allows the job token of one repository in an hour.
const JOB_TOKEN_REQUESTS: u64 = 1000;
/// Requests of the hour that are already spent when the publish job starts: those of the dry run,
/// of the run's reviews and of other steps.
const SPENT_BEFORE: u64 = 20;
/// Uploads after which GitHub may refuse more in the same hour: it names about 500 content-creating
/// requests, and drafts, tags and the ledger count as well.
const UPLOADS_PER_HOUR: u64 = 480;
/// Hours for which a receipt is valid at most.
const MAX_HOURS: u64 = 24;

/// The warnings about an operation's uploads; `before` counts those of earlier operations.
pub(super) fn warnings(
    github: &GitHub,
    operation: &Operation,
    attach: AttachReceipt,
    before: u64,
) -> Vec<Warning> {
    let own = uploads(operation, attach);
    let least = github.pace().least_seconds(before + own);
    let paced = least.filter(|_| own > 0);

    [
        requests(operation, attach),
        paced.map(|seconds| duration(own, before, seconds)),
        paced.and_then(|_| hours(own, before)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn requests(operation: &Operation, attach: AttachReceipt) -> Option<Warning> {
    let needed = requests_needed(operation, attach);
    (needed + SPENT_BEFORE > JOB_TOKEN_REQUESTS).then(|| Warning {
        code: "rate_limit_likely".into(),
        message: format!(
            "it may need {needed} REST requests, and a job token has {JOB_TOKEN_REQUESTS} an hour, some of which the job has used by then: give the publish job a `token` with a higher limit, or publish fewer assets"
        ),
    })
}

fn duration(own: u64, before: u64, seconds: u64) -> Warning {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let whose = if before == 0 {
        format!("its {own} uploads take")
    } else {
        format!("its {own} uploads and the {before} of earlier operations take")
    };
    Warning {
        code: "uploads_take_time".into(),
        message: format!(
            "{whose} at least {minutes} min {seconds} s: after 60 files Countersign uploads one per second, because GitHub blocks clients that are faster"
        ),
    }
}

fn hours(own: u64, before: u64) -> Option<Warning> {
    let all = before + own;
    if all <= UPLOADS_PER_HOUR {
        return None;
    }
    let hours = all.div_ceil(UPLOADS_PER_HOUR);
    let advice = if hours > MAX_HOURS {
        format!("no receipt is valid for more than {MAX_HOURS} hours: publish fewer files at once")
    } else {
        format!(
            "a re-run of the job an hour later goes on, as long as the receipt is valid: an hour by default, so approve with `--expires-in {hours}h` at least ({MAX_HOURS}h at most)"
        )
    };
    Some(Warning {
        code: "uploads_may_stop".into(),
        message: format!(
            "GitHub allows about 500 content-creating requests an hour, and this plan reaches {all} uploads: it may refuse the rest; {advice}"
        ),
    })
}
