//! What GitHub answers when it has had enough; last of all, because everything else would meet it too.

use countersign_core::text::excerpt;
use serde_json::json;

use super::assets::{counted, many};
use crate::commands::rehearse::{
    finding::{Finding, Probing},
    stage::{Stage, text_of},
    table::{Feature, Need, Probe, Way},
};

/// Queries after which a budget of an hour is spent, whoever's it is.
const MAX_QUERIES: usize = 16_000;
const UPLOADS: usize = 120;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "secondary-limit",
        needs: &[Need::Heavy],
        writes: UPLOADS + 1,
        expected: "120 small assets are taken at the pace of the publisher.",
        meaning: "Releases with very many files may meet a limit: the next attempt of the run continues.",
        affects: Feature::Files,
        way: Way::Asks(|stage| Box::pin(secondary_limit(stage))),
    },
    Probe {
        id: "rate-limit-word",
        needs: &[Need::Heavy],
        writes: 0,
        expected: "When the hour's GraphQL points are spent, the error's type is RATE_LIMIT and its code graphql_rate_limit.",
        meaning: "A used-up limit is reported by another message, and may be tried again too early.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(rate_limit_word(stage))),
    },
];

async fn secondary_limit(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("many"), "").await?;
    Ok(counted(&many(stage, &draft, UPLOADS).await?))
}

async fn rate_limit_word(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Spend($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { databaseId }
}";
    for asked in 1..=MAX_QUERIES {
        let answer = stage.query(DOCUMENT, json!({})).await?;
        let error = &answer.body["errors"][0];
        if answer.status == 200 && error.is_null() {
            continue;
        }
        let (kind, code) = (text_of(&error["type"]), text_of(&error["code"]));
        let found = format!(
            "after {asked} queries: {}, type {}, code {}, remaining {}",
            answer.summary(),
            excerpt(&kind, 40),
            excerpt(&code, 40),
            answer.header("x-ratelimit-remaining").unwrap_or("not told")
        );
        let holds = kind == "RATE_LIMIT" && code == "graphql_rate_limit";
        return Ok(Finding::of(holds, found, &answer));
    }
    Ok(Finding::not_tried("16,000 queries were all answered"))
}
