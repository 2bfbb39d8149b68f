//! Rules and rulesets: who may read them, which plan has them, and what they do to the ledger's branch.

use serde_json::{Value, json};

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, appended, text_of},
        table::{Need, Probe, Way},
    },
    github::{Ask, Exchange},
};

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "rules",
        needs: &[],
        writes: 0,
        expected: "`Ref.rules` is read by this token without an error.",
        way: Way::Asks(|stage| Box::pin(rules(stage))),
    },
    Probe {
        id: "free-plan",
        needs: &[],
        writes: 0,
        expected: "The plan of this repository has rulesets: GET rules/branches answers 200.",
        way: Way::Asks(|stage| Box::pin(free_plan(stage))),
    },
    Probe {
        id: "ruleset-names",
        needs: &[Need::Admin],
        writes: 2,
        expected: "A second ruleset of one name is refused with 422.",
        way: Way::Asks(|stage| Box::pin(ruleset_names(stage))),
    },
    Probe {
        id: "guarded-append",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Under the rules that `ledger init --protect` sets, an append is taken.",
        way: Way::Asks(|stage| Box::pin(guarded_append(stage))),
    },
    Probe {
        id: "refused-append",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Where a ruleset asks for a pull request, an append is refused with FORBIDDEN and `Repository rule violations found`.",
        way: Way::Asks(|stage| Box::pin(refused_append(stage))),
    },
];

async fn rules(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Rules($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    defaultBranchRef { rules(first: 100) { nodes { type } } }
  }
}";
    stage.commit()?;
    let asked = stage.query(DOCUMENT, json!({})).await?;
    let nodes = &asked.body["data"]["repository"]["defaultBranchRef"]["rules"]["nodes"];
    let holds = nodes.is_array() && asked.body["errors"].is_null();
    Ok(Finding::of(
        holds,
        format!("{}, rules {nodes}", asked.summary()),
        &asked,
    ))
}

async fn free_plan(stage: &Stage<'_>) -> Probing {
    let path = format!("rules/branches/{}", stage.scratch.default_branch());
    let asked = stage.send(Ask::get(path)).await?;
    Ok(Finding::of(asked.status == 200, asked.summary(), &asked))
}

/// Makes a ruleset for one branch; a plan without rulesets is no difference here.
async fn ruleset(
    stage: &Stage<'_>,
    name: &str,
    branch: &str,
    rules: Vec<Value>,
) -> Result<Exchange, Stopped> {
    stage.commit()?;
    let body = json!({
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": { "ref_name": { "include": [format!("refs/heads/{branch}")], "exclude": [] } },
        "rules": rules,
    });
    let made = stage.send(Ask::post("rulesets", body)).await?;
    if made.status == 403 && text_of(&made.body["message"]).starts_with("Upgrade to GitHub") {
        return Err(Stopped::Needs("a plan with rulesets".into()));
    }
    Ok(made)
}

async fn ruleset_names(stage: &Stage<'_>) -> Probing {
    let (name, branch) = (stage.name("ruleset"), stage.name("nowhere"));
    let rules = || vec![json!({ "type": "deletion" })];
    let first = ruleset(stage, &name, &branch, rules()).await?;
    if !first.is_success() {
        return Err(Stopped::Preparation("POST rulesets".into(), first.into()));
    }
    let second = ruleset(stage, &name, &branch, rules()).await?;
    Ok(Finding::of(second.status == 422, second.summary(), &second))
}

/// An append to a branch of its own under a ruleset.
async fn append_under(
    stage: &Stage<'_>,
    what: &str,
    rules: Vec<Value>,
) -> Result<Exchange, Stopped> {
    let branch = stage.name(what);
    let root = stage.orphan(&branch, "ledger.json").await?;
    let made = ruleset(stage, &branch, &branch, rules).await?;
    if !made.is_success() {
        return Err(Stopped::Preparation("POST rulesets".into(), made.into()));
    }
    stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await
}

async fn guarded_append(stage: &Stage<'_>) -> Probing {
    let rules =
        ["deletion", "non_fast_forward", "required_signatures"].map(|rule| json!({ "type": rule }));
    let append = append_under(stage, "guarded", rules.into()).await?;
    Ok(Finding::of(
        appended(&append).is_ok(),
        append.summary(),
        &append,
    ))
}

async fn refused_append(stage: &Stage<'_>) -> Probing {
    let parameters = json!({
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": false,
        "require_code_owner_review": false,
        "require_last_push_approval": false,
        "required_review_thread_resolution": false,
    });
    let rules = vec![json!({ "type": "pull_request", "parameters": parameters })];
    let append = append_under(stage, "pull-only", rules).await?;
    let error = &append.body["errors"][0];
    let holds = error["type"] == "FORBIDDEN"
        && text_of(&error["message"]).starts_with("Repository rule violations found");
    Ok(Finding::of(holds, append.summary(), &append))
}
