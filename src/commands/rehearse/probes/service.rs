//! The service itself: its clock, its pages.

use serde_json::Value;

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing},
        stage::{Stage, text_of},
        table::{Feature, Probe, Way},
    },
    github::Ask,
};

/// Seconds by which the two clocks may differ: what receipts tolerate.
const MAX_SKEW: u64 = 300;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "clock",
        needs: &[],
        writes: 0,
        expected: "An answer over HTTP/1.1 is not compressed and has a Date, within five minutes of this machine's clock.",
        meaning: "Receipts are refused with `clock_skew`, or the server answers in another way than Countersign asks for: set the clock of this machine first.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(clock(stage))),
    },
    Probe {
        id: "redirect",
        needs: &[],
        writes: 2,
        expected: "The Link header of a list points to its next page under /repositories/ID.",
        meaning: "An audit may read only the first page of long lists.",
        affects: Feature::Audit,
        way: Way::Asks(|stage| Box::pin(redirect(stage))),
    },
];

async fn clock(stage: &Stage<'_>) -> Probing {
    let asked = stage.send(Ask::get("")).await?;
    let now = (stage.clock)();
    let encoding = asked.header("content-encoding").unwrap_or("none");
    let (found, holds) = match asked.date() {
        None => ("no Date".into(), false),
        Some(date) => {
            let skew = now.unix().abs_diff(date.unix());
            (format!("{skew} s apart"), skew <= MAX_SKEW)
        }
    };
    let found = format!("{found}, compression {encoding}");
    Ok(Finding::of(holds && encoding == "none", found, &asked))
}

async fn redirect(stage: &Stage<'_>) -> Probing {
    for number in 1..=2 {
        stage
            .draft(&stage.name(&format!("page-{number}")), "")
            .await?;
    }
    let listed = stage.send(Ask::get("releases?per_page=1")).await?;
    let link = listed.header("link").unwrap_or_default();
    let numbered = format!("/repositories/{}/", stage.scratch.number());
    let holds = link.contains(&numbered) && link.contains("rel=\"next\"");
    let first = listed.body.as_array().map_or(&[][..], Vec::as_slice);
    let found = if link.is_empty() {
        format!("no Link header on a page of {}", first.len())
    } else if holds {
        "as expected".into()
    } else {
        text_of(&Value::from(link))
    };
    Ok(Finding::of(holds, found, &listed))
}
