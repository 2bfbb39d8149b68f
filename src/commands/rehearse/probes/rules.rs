//! Rules and rulesets: who may read them, which plan has them, and what they do to the ledger's branch.

use serde_json::{Value, json};

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, appended, text_of},
        table::{Feature, Need, Probe, Way},
    },
    github::{Ask, Exchange},
};

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "rules",
        needs: &[],
        writes: 0,
        expected: "`Ref.rules` is read by this token without an error.",
        meaning: "Countersign cannot see the rules of the ledger's branch: GitHub's activity alone shows that it was not set back, see probe `activity`.",
        affects: Feature::Protection,
        way: Way::Asks(|stage| Box::pin(rules(stage))),
    },
    Probe {
        id: "free-plan",
        needs: &[],
        writes: 0,
        expected: "The plan of this repository has rulesets: GET rules/branches answers 200.",
        meaning: "The ledger's branch cannot be protected: GitHub's activity alone shows that it was not set back, see probe `activity`. Update a clone of it regularly (docs/security.md).",
        affects: Feature::Protection,
        way: Way::Asks(|stage| Box::pin(free_plan(stage))),
    },
    Probe {
        id: "ruleset-names",
        needs: &[Need::Admin],
        writes: 2,
        expected: "A second ruleset of one name is refused with 422.",
        meaning: "`ledger init --protect` that is run twice makes a second ruleset.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(ruleset_names(stage))),
    },
    Probe {
        id: "guarded-append",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Under the rules that `ledger init --protect` sets, an append is taken.",
        meaning: "Nothing can be appended to a ledger that `ledger init --protect` protects: leave the signature rule out.",
        affects: Feature::Protection,
        way: Way::Asks(|stage| Box::pin(guarded_append(stage))),
    },
    Probe {
        id: "refused-append",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Where a ruleset asks for a pull request, an append is refused with FORBIDDEN and `Repository rule violations found`.",
        meaning: "A ledger under such a rule fails with a message that does not name the rule.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(refused_append(stage))),
    },
    Probe {
        id: "append-status-checks",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Where a ruleset asks for status checks, an append is refused with FORBIDDEN \
            and `Repository rule violations found`.",
        meaning: "A ledger under such a rule fails with a message that does not name the rule.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(append_status_checks(stage))),
    },
    Probe {
        id: "classic-protection",
        needs: &[Need::Admin],
        writes: 5,
        expected: "Where classic protection asks for a pull request, an append is refused with \
            BRANCH_PROTECTION_RULE_VIOLATION.",
        meaning: "A ledger under classic protection fails with a message that does not name it.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(classic_protection(stage))),
    },
    Probe {
        id: "tag-ruleset",
        needs: &[Need::Admin],
        writes: 4,
        expected: "Where a ruleset restricts the creation of tags, POST git/refs is refused with \
            422 `Reference update failed`, and a publication with 422 and an error of the field \
            pre_receive.",
        meaning: "A tag or release that a ruleset forbids fails with a message that does not name the rule.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(tag_ruleset(stage))),
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
    Ok(Finding::on_access(
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
    ruleset_for(
        stage,
        name,
        "branch",
        &format!("refs/heads/{branch}"),
        rules,
    )
    .await
}

/// Makes a ruleset whose target is `branch` or `tag`, for one pattern of full ref names.
async fn ruleset_for(
    stage: &Stage<'_>,
    name: &str,
    target: &str,
    pattern: &str,
    rules: Vec<Value>,
) -> Result<Exchange, Stopped> {
    stage.commit()?;
    let body = json!({
        "name": name,
        "target": target,
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": { "ref_name": { "include": [pattern], "exclude": [] } },
        "rules": rules,
    });
    let made = stage.send(Ask::post("rulesets", body)).await?;
    if lacks_plan(&made) {
        return Err(Stopped::Needs("a plan with rulesets".into()));
    }
    Ok(made)
}

fn lacks_plan(answer: &Exchange) -> bool {
    answer.status == 403 && text_of(&answer.body["message"]).starts_with("Upgrade to GitHub")
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
    Ok(refused_by_rules(&append))
}

async fn append_status_checks(stage: &Stage<'_>) -> Probing {
    let parameters = json!({
        "required_status_checks": [{ "context": stage.name("check") }],
        "strict_required_status_checks_policy": false,
        "do_not_enforce_on_create": false,
    });
    let rules = vec![json!({ "type": "required_status_checks", "parameters": parameters })];
    let append = append_under(stage, "checks-only", rules).await?;
    Ok(refused_by_rules(&append))
}

fn refused_by_rules(append: &Exchange) -> Finding {
    let error = &append.body["errors"][0];
    let holds = error["type"] == "FORBIDDEN"
        && text_of(&error["message"]).starts_with("Repository rule violations found");
    Finding::of(holds, append.summary(), append)
}

async fn classic_protection(stage: &Stage<'_>) -> Probing {
    let branch = stage.name("classic");
    let root = stage.orphan(&branch, "ledger.json").await?;
    let protection = json!({
        // Only an administrator's token makes it, and it must be refused too.
        "enforce_admins": true,
        "required_pull_request_reviews": { "required_approving_review_count": 1 },
        "required_status_checks": null,
        "restrictions": null,
    });
    let path = format!("branches/{branch}/protection");
    let protected = stage.send(Ask::put(path, protection)).await?;
    if lacks_plan(&protected) {
        return Err(Stopped::Needs("a plan with protected branches".into()));
    }
    if !protected.is_success() {
        let what = "PUT branches/protection".into();
        return Err(Stopped::Preparation(what, protected.into()));
    }

    let append = stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await?;
    let holds = append.body["errors"][0]["type"] == "BRANCH_PROTECTION_RULE_VIOLATION";
    Ok(Finding::of(holds, append.summary(), &append))
}

async fn tag_ruleset(stage: &Stage<'_>) -> Probing {
    let (name, start) = (stage.name("ruled-tag"), stage.commit()?.to_owned());
    let rules = vec![json!({ "type": "creation" })];
    let pattern = format!("refs/tags/{name}*");
    let made = ruleset_for(stage, &name, "tag", &pattern, rules).await?;
    if !made.is_success() {
        return Err(Stopped::Preparation("POST rulesets".into(), made.into()));
    }

    let tag = json!({ "ref": format!("refs/tags/{name}"), "sha": start });
    let set = stage.send(Ask::post("git/refs", tag)).await?;
    let draft = stage.draft(&format!("{name}-release"), "").await?;
    let published = stage.publish(&draft).await?;

    let is_ref_refused =
        set.status == 422 && text_of(&set.body["message"]).starts_with("Reference update failed");
    let errors = published.body["errors"].as_array();
    let names_hook = errors
        .into_iter()
        .flatten()
        .any(|error| error["field"] == "pre_receive");
    let found = format!(
        "ref: {}; publication: {}",
        set.summary(),
        published.summary()
    );
    let holds = is_ref_refused && published.status == 422 && names_hook;
    Ok(Finding::of(holds, found, &published))
}
