//! What reading answers where nothing is: absence is the normal case in every dry run.

use serde_json::{Value, json};

use crate::commands::rehearse::{
    finding::{Finding, Probing},
    stage::{Stage, text_of},
    table::{Feature, Probe, Way},
};

/// A commit that no repository has.
const NO_COMMIT: &str = "0123456789012345678901234567890123456789";

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "absent-file",
        needs: &[],
        writes: 0,
        expected: "`Commit.file(path:)` of an absent path is null and an error NOT_FOUND at exactly that path, inside `history` too.",
        meaning: "Every dry run and every publication looks for files that are normally absent: they may all be refused with `ledger_unavailable`.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(absent_file(stage))),
    },
    Probe {
        id: "revisions",
        needs: &[],
        writes: 0,
        expected: "`object(expression:)` takes `refs/heads/NAME`, and `object(oid:)` of an absent commit is null without an error.",
        meaning: "A branch, a tag or a commit that is named in a plan may not be found, or another one may be.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(revisions(stage))),
    },
    Probe {
        id: "absent-ref-and-release",
        needs: &[],
        writes: 1,
        expected: "An absent `ref` or `release` is null without an error, and `release(tagName:)` shows a draft to a token that may write.",
        meaning: "A dry run looks for tags and releases that do not exist yet: it may be refused, or may not see a draft that is there.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(absent_ref_and_release(stage))),
    },
    Probe {
        id: "absent-history",
        needs: &[],
        writes: 0,
        expected: "`history(path:)` of a path that was never there has no nodes and no error.",
        meaning: "The ledger is searched for receipts that it does not hold: publications may be refused with `ledger_unavailable`.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(absent_history(stage))),
    },
    Probe {
        id: "pulls-with-read",
        needs: &[],
        writes: 0,
        expected: "The open pull requests between two branches are listed for this token.",
        meaning: "`open_pr` may be refused because the pull requests that are open already cannot be listed.",
        affects: Feature::PullRequests,
        way: Way::Asks(|stage| Box::pin(pulls(stage))),
    },
    Probe {
        id: "compare",
        needs: &[],
        writes: 0,
        expected: "`compare(headRef:)` takes a commit id and says IDENTICAL for a branch's newest commit; an unknown head is null and an error NOT_FOUND at `compare`.",
        meaning: "Releases and tags may be refused with `commit_unreachable`, because the default branch is not seen to contain their commits.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(compare(stage))),
    },
    Probe {
        id: "query-cost",
        needs: &[],
        writes: 0,
        expected: "A query like the preflight's costs one point, and a connection of which only the count is asked needs no `first`.",
        meaning: "Each attempt uses more of the hour's GraphQL points: many in one hour may be refused with `preflight_rate_limit`.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(query_cost(stage))),
    },
];

/// Whether there is exactly this many errors, all of this type, each at one of these paths.
fn errors_are(body: &Value, kind: &str, paths: &[Value]) -> bool {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.len() == paths.len()
        && paths.iter().all(|path| {
            errors
                .iter()
                .any(|error| error["type"] == kind && error["path"] == *path)
        })
}

fn has_no_errors(body: &Value) -> bool {
    body["errors"].as_array().is_none_or(Vec::is_empty)
}

async fn absent_file(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query AbsentFile($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    object(oid: $commit) {
      ... on Commit {
        file(path: \"countersign-rehearsal/absent\") { object { oid } }
        history(first: 1) { nodes { file(path: \"countersign-rehearsal/absent\") { object { oid } } } }
      }
    }
  }
}";
    let asked = stage
        .query(DOCUMENT, json!({ "commit": stage.commit()? }))
        .await?;
    let paths = [
        json!(["repository", "object", "file"]),
        json!(["repository", "object", "history", "nodes", 0, "file"]),
    ];
    let data = &asked.body["data"];
    let is_null = data["repository"]["object"]["file"].is_null()
        && data["repository"]["object"]["history"]["nodes"][0]["file"].is_null();
    let holds = is_null && errors_are(&asked.body, "NOT_FOUND", &paths);
    let found = if has_no_errors(&asked.body) {
        "null without an error".into()
    } else {
        asked.summary()
    };
    Ok(Finding::of(holds, found, &asked))
}

async fn revisions(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Revisions($owner: String!, $name: String!, $branch: String!, $peeled: String!, $absent: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    branch: object(expression: $branch) { oid }
    peeled: object(expression: $peeled) { oid }
    absent: object(oid: $absent) { oid }
  }
}";
    let commit = stage.commit()?;
    let branch = format!("refs/heads/{}", stage.scratch.default_branch());
    let variables = json!({
        "branch": branch,
        "peeled": format!("{branch}^{{commit}}"),
        "absent": NO_COMMIT,
    });
    let asked = stage.query(DOCUMENT, variables).await?;
    let told = &asked.body["data"]["repository"];
    let holds =
        told["branch"]["oid"] == commit && told["absent"].is_null() && has_no_errors(&asked.body);
    let peels = if told["peeled"]["oid"] == commit {
        "is understood"
    } else {
        "is not understood"
    };
    let found = format!("{}; `X^{{commit}}` {peels}", asked.summary());
    Ok(Finding::of(holds, found, &asked))
}

async fn absent_ref_and_release(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Absent($owner: String!, $name: String!, $ref: String!, $tag: String!, $draft: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) { name }
    release(tagName: $tag) { isDraft }
    draft: release(tagName: $draft) { isDraft }
  }
}";
    let (absent, draft) = (stage.name("absent"), stage.name("draft-by-tag"));
    stage.draft(&draft, "").await?;
    let variables = json!({ "ref": format!("refs/tags/{absent}"), "tag": absent, "draft": draft });
    let asked = stage.query(DOCUMENT, variables).await?;
    let told = &asked.body["data"]["repository"];
    let is_absent =
        told["ref"].is_null() && told["release"].is_null() && has_no_errors(&asked.body);
    let shows_draft = told["draft"]["isDraft"] == true;
    let found = format!(
        "{}; the draft is {}",
        asked.summary(),
        if shows_draft { "shown" } else { "not shown" }
    );
    Ok(Finding::of(is_absent && shows_draft, found, &asked))
}

async fn absent_history(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query AbsentHistory($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    object(oid: $commit) {
      ... on Commit { history(path: \"countersign-rehearsal/absent\", first: 20) { nodes { oid } } }
    }
  }
}";
    let asked = stage
        .query(DOCUMENT, json!({ "commit": stage.commit()? }))
        .await?;
    let nodes = &asked.body["data"]["repository"]["object"]["history"]["nodes"];
    let holds = *nodes == json!([]) && has_no_errors(&asked.body);
    Ok(Finding::of(
        holds,
        format!("{}, nodes {nodes}", asked.summary()),
        &asked,
    ))
}

async fn pulls(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Pulls($owner: String!, $name: String!, $head: String!, $base: String!) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: OPEN, headRefName: $head, baseRefName: $base, first: 20) { nodes { url } }
  }
}";
    let variables = json!({ "head": stage.name("absent"), "base": stage.scratch.default_branch() });
    let asked = stage.query(DOCUMENT, variables).await?;
    let nodes = &asked.body["data"]["repository"]["pullRequests"]["nodes"];
    let holds = *nodes == json!([]) && has_no_errors(&asked.body);
    Ok(Finding::of(
        holds,
        format!("{}, nodes {nodes}", asked.summary()),
        &asked,
    ))
}

async fn compare(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Compare($owner: String!, $name: String!, $known: String!, $unknown: String!) {
  repository(owner: $owner, name: $name) {
    known: defaultBranchRef { compare(headRef: $known) { behindBy aheadBy status headTarget { oid } } }
    unknown: defaultBranchRef { compare(headRef: $unknown) { behindBy aheadBy } }
  }
}";
    let commit = stage.commit()?;
    let variables = json!({ "known": commit, "unknown": stage.name("absent") });
    let asked = stage.query(DOCUMENT, variables).await?;
    let told = &asked.body["data"]["repository"];
    let known = &told["known"]["compare"];
    let is_newest = known["status"] == "IDENTICAL" && known["headTarget"]["oid"] == commit;
    let holds = is_newest
        && known["behindBy"] == 0
        && told["unknown"]["compare"].is_null()
        && errors_are(
            &asked.body,
            "NOT_FOUND",
            &[json!(["repository", "unknown", "compare"])],
        );
    Ok(Finding::of(holds, asked.summary(), &asked))
}

async fn query_cost(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Cost($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef {
      rules(first: 100) { nodes { type } }
      target { ... on Commit { oid history(first: 20) { nodes { oid parents { totalCount } } } } }
    }
    pullRequests(states: OPEN, first: 20) { nodes { url } }
  }
  rateLimit { cost limit remaining }
}";
    stage.commit()?;
    let asked = stage.query(DOCUMENT, json!({})).await?;
    let limit = &asked.body["data"]["rateLimit"];
    let found = format!(
        "{}, cost {} of {} points an hour{}",
        asked.status,
        limit["cost"],
        limit["limit"],
        if has_no_errors(&asked.body) {
            String::new()
        } else {
            format!(": {}", text_of(&asked.body["errors"][0]["message"]))
        }
    );
    let newest =
        &asked.body["data"]["repository"]["defaultBranchRef"]["target"]["history"]["nodes"];
    let is_counted = newest[0]["parents"]["totalCount"].is_u64();
    let counts = if is_counted { "counted" } else { "not counted" };
    let holds = limit["cost"] == 1 && is_counted;
    Ok(Finding::of(
        holds,
        format!("{found}; parents {counts}"),
        &asked,
    ))
}
