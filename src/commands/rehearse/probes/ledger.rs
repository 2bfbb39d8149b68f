//! What the ledger stands on: an orphan branch, appends with an expected head, and what refuses them.

use serde_json::{Value, json};

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, appended, text_of},
        table::{Feature, Need, Probe, Way},
    },
    github::{Ask, Exchange},
};

/// Two MiB of text in base64: three bytes in four characters.
const GROUPS: usize = 2 * 1024 * 1024 / 3 + 1;

const NO_COMMIT: &str = "0123456789012345678901234567890123456789";

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "init",
        needs: &[],
        writes: 4,
        expected: "A tree, a commit without parents and a ref make an orphan branch, which takes an append at once.",
        meaning: "`ledger init` cannot begin a ledger here, so nothing can be published.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(init(stage))),
    },
    Probe {
        id: "empty-repository",
        needs: &[Need::Empty],
        writes: 1,
        expected: "A repository without a commit answers 409 to a new tree.",
        meaning: "`ledger init` may report an empty repository by another message than its own.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(empty_repository(stage))),
    },
    Probe {
        id: "append-signature",
        needs: &[],
        writes: 4,
        expected: "The server signs the commit of an append and names its author.",
        meaning: "The ledger's commits are not signed by the server, or by nobody: its branch cannot require signatures, and `ledger verify` reports dates as unproven.",
        affects: Feature::Protection,
        way: Way::Asks(|stage| Box::pin(append_signature(stage))),
    },
    Probe {
        id: "append-refusals",
        needs: &[],
        writes: 7,
        expected: "An append on another head is refused with STALE_DATA and a null payload, one to an absent branch with NOT_FOUND.",
        meaning: "Two publications at the same time may be reported as unknown instead of being put in order, and a missing ledger may have another message.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(append_refusals(stage))),
    },
    Probe {
        id: "large-append",
        needs: &[],
        writes: 4,
        expected: "An append of 2 MiB is taken.",
        meaning: "A receipt with a long operation may not fit into the ledger: it is refused before anything is published.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(large_append(stage))),
    },
    Probe {
        id: "entries-blocked",
        needs: &[],
        writes: 4,
        expected: "An append below a path that is a file is refused, and nothing is written.",
        meaning: "A damaged ledger might take entries where none belong. `ledger verify` still finds that.",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(entries_blocked(stage))),
    },
    Probe {
        id: "activity",
        needs: &[],
        writes: 5,
        expected: "GET activity lists how a branch moved, newest first: `force_push`, `push`, `branch_creation`, each with `before` and `after`.",
        meaning: "Only rules can show that the ledger was not set back: run `countersign ledger init --protect`, or `prod` refuses (`ledger_unguarded`).",
        affects: Feature::Everything,
        way: Way::Asks(|stage| Box::pin(activity(stage))),
    },
    Probe {
        id: "update-refs",
        needs: &[],
        writes: 7,
        expected: "`updateRefs` refuses another `beforeOid`, and with the right one moves a tag backwards by force.",
        meaning: "Countersign does not use `updateRefs` today. It could not be used here later.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(update_refs(stage))),
    },
];

async fn init(stage: &Stage<'_>) -> Probing {
    let branch = stage.name("init");
    let root = stage.orphan(&branch, "ledger.json").await?;
    let commit = stage.send(Ask::get(format!("git/commits/{root}"))).await?;
    let append = stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await?;
    let is_root = commit.body["parents"] == json!([]);
    let reason = text_of(&commit.body["verification"]["reason"]);
    let found = format!(
        "root {}, signature: {reason}; append {}",
        if is_root {
            "without parents"
        } else {
            "with parents"
        },
        append.summary()
    );
    Ok(Finding::of(
        is_root && appended(&append).is_ok(),
        found,
        &append,
    ))
}

async fn append_signature(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
query Signature($owner: String!, $name: String!, $commit: GitObjectID!) {
  repository(owner: $owner, name: $name) {
    object(oid: $commit) {
      ... on Commit { signature { isValid wasSignedByGitHub } author { name user { login } } }
    }
  }
}";
    let branch = stage.name("signature");
    let root = stage.orphan(&branch, "ledger.json").await?;
    let append = stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await?;
    let commit = appended(&append)?;
    let asked = stage.query(DOCUMENT, json!({ "commit": commit })).await?;
    let object = &asked.body["data"]["repository"]["object"];
    let (signature, author) = (&object["signature"], &object["author"]);
    let is_signed = signature["isValid"] == true && signature["wasSignedByGitHub"] == true;
    let is_named = author["user"]["login"].is_string() || author["name"].is_string();
    let holds = is_signed && is_named;
    let found = format!(
        "{}, signature {signature}, author {author}",
        asked.summary()
    );
    Ok(Finding::of(holds, found, &asked))
}

/// Type and path of the first error, and whether the payload is null.
fn is_refused(exchange: &Exchange, kind: &str) -> bool {
    let error = &exchange.body["errors"][0];
    exchange.status == 200
        && exchange.body["data"]["createCommitOnBranch"].is_null()
        && error["type"] == kind
        && error["path"] == json!(["createCommitOnBranch"])
}

async fn append_refusals(stage: &Stage<'_>) -> Probing {
    let (branch, absent) = (stage.name("refusals"), stage.name("absent"));
    let root = stage.orphan(&branch, "ledger.json").await?;
    let append = async |branch: &str, expected: &str, path: &str| {
        stage.append(branch, expected, path, &absent).await
    };
    let overtaken = append(&branch, NO_COMMIT, "a.json").await?;
    let nowhere = append(&absent, &root, "a.json").await?;
    let bad_path = append(&branch, &root, "../a.json").await?;
    let found = format!(
        "other head: {}; absent branch: {}; path `../a.json`: {}",
        overtaken.summary(),
        nowhere.summary(),
        bad_path.summary()
    );
    let holds = is_refused(&overtaken, "STALE_DATA") && is_refused(&nowhere, "NOT_FOUND");
    Ok(Finding::of(holds, found, &overtaken))
}

async fn large_append(stage: &Stage<'_>) -> Probing {
    let branch = stage.name("large");
    let root = stage.orphan(&branch, "ledger.json").await?;
    let addition = json!({ "path": "entries/1.json", "contents": "YWFh".repeat(GROUPS) });
    let append = stage
        .append_file(&branch, &root, addition, &stage.name("absent"))
        .await?;
    let found = format!(
        "{} after {} ms",
        append.summary(),
        append.elapsed.as_millis()
    );
    Ok(Finding::of(appended(&append).is_ok(), found, &append))
}

async fn entries_blocked(stage: &Stage<'_>) -> Probing {
    let branch = stage.name("blocked");
    let root = stage.orphan(&branch, "entries").await?;
    let append = stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await?;
    let tip = stage.found_ref(&format!("heads/{branch}")).await?;
    let is_unmoved = tip.is_some_and(|tip| tip == root);
    Ok(Finding::of(
        is_unmoved && appended(&append).is_err(),
        append.summary(),
        &append,
    ))
}

/// The one probe for a repository without a commit.
async fn empty_repository(stage: &Stage<'_>) -> Probing {
    let file = json!({ "path": "a", "mode": "100644", "type": "blob", "content": "a" });
    let tree = stage
        .send(Ask::post("git/trees", json!({ "tree": [file] })))
        .await?;
    Ok(Finding::of(tree.status == 409, tree.summary(), &tree))
}

async fn activity(stage: &Stage<'_>) -> Probing {
    let branch = stage.name("activity");
    let root = stage.orphan(&branch, "ledger.json").await?;
    let append = stage
        .append(&branch, &root, "entries/1.json", &stage.name("absent"))
        .await?;
    let tip = appended(&append)?;
    let back = json!({ "sha": root, "force": true });
    let set_back = Ask::patch(format!("git/refs/heads/{branch}"), back);
    let set_back = stage.send(set_back).await?;
    if !set_back.is_success() {
        return Err(Stopped::Preparation(
            "PATCH git/refs".into(),
            set_back.into(),
        ));
    }

    let path = format!("activity?ref=refs/heads/{branch}");
    let (_, asked) = stage
        .until(&path, |asked| {
            let records = asked.body.as_array();
            asked.status != 200 || records.is_some_and(|records| records.len() > 2)
        })
        .await?;
    let records = asked.body.as_array().cloned().unwrap_or_default();
    let step = |record: &Value| {
        ["activity_type", "before", "after"].map(|member| text_of(&record[member]))
    };
    let steps: Vec<[String; 3]> = records.iter().map(step).collect();
    let none = "0".repeat(40);
    let holds = steps
        == [
            ["force_push", &tip, &root],
            ["push", &root, &tip],
            ["branch_creation", &none, &root],
        ];
    let kinds: Vec<&str> = steps.iter().map(|[kind, ..]| kind.as_str()).collect();
    let found = format!("{}, records: {}", asked.summary(), kinds.join(", "));
    Ok(Finding::of(holds, found, &asked))
}

async fn update_refs(stage: &Stage<'_>) -> Probing {
    const DOCUMENT: &str = "\
mutation UpdateRefs($input: UpdateRefsInput!) {
  updateRefs(input: $input) { clientMutationId }
}";
    let branches = stage.branches().await?;
    let start = stage.commit()?.to_owned();
    let tag = format!("refs/tags/{}", stage.name("moved"));
    stage.set_ref(&tag, &branches.head_commit).await?;
    let update = async |before: &str| {
        let change = json!({ "name": tag, "beforeOid": before, "afterOid": start, "force": true });
        let input = json!({ "repositoryId": stage.scratch.node_id(), "refUpdates": [change] });
        stage
            .send(Ask::graphql(DOCUMENT, &json!({ "input": input })))
            .await
    };
    let refused = update(NO_COMMIT).await?;
    let moved = update(&branches.head_commit).await?;
    let leads = stage.found_ref(tag.trim_start_matches("refs/")).await?;
    let leads_there = leads.is_some_and(|oid| oid == start);
    let holds = !refused.body["errors"].is_null() && moved.body["errors"].is_null() && leads_there;
    let found = format!(
        "other beforeOid: {}; the right one: {}; then the tag {}",
        refused.summary(),
        moved.summary(),
        if leads_there {
            "leads there"
        } else {
            "does not"
        }
    );
    Ok(Finding::of(holds, found, &moved))
}
