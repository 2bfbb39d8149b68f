//! Blobs and commits made object by object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{fields, refs, tags};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::freshness::Fresh;
use crate::git::{Person, full_oid};
use crate::world::World;

pub(crate) fn create_blob(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let content = fields::supplied(&body, "content")?;
    let encoding = fields::text(&body, "encoding")?;
    let bytes = if encoding.as_deref() == Some("base64") {
        STANDARD
            .decode(content.replace('\n', ""))
            .map_err(|_| Answer::error(422, "content is not valid Base64"))?
    } else {
        content.into_bytes()
    };
    let oid = world
        .git
        .repository
        .blob(&bytes)
        .map_err(|_| Answer::error(500, "Server Error"))?;
    world.effect(format!("blob {oid} created"));
    let url = format!("{}/git/blobs/{oid}", world.identity.api());
    Ok(Answer::created(
        json!({ "sha": oid.to_string(), "url": url }),
    ))
}

pub(crate) fn get_blob(world: &mut World, call: &Call) -> Served {
    let oid = full_oid(&call.tail(2)).ok_or_else(Answer::not_found)?;
    let blob = world.git.repository.find_blob(oid);
    let blob = blob.map_err(|_| Answer::not_found())?;
    Ok(Answer::ok(json!({
        "sha": oid.to_string(),
        "node_id": format!("B_{oid}"),
        "size": blob.size(),
        "content": STANDARD.encode(blob.content()),
        "encoding": "base64",
        "url": format!("{}/git/blobs/{oid}", world.identity.api()),
    })))
}

/// Without parents (or with none) it is a root commit.
pub(crate) fn create_commit(world: &mut World, call: &Call) -> Served {
    let body = call.object()?;
    let message = fields::supplied(&body, "message")?;
    let tree = refs::named_sha("tree", &fields::supplied(&body, "tree")?)?;
    let parents = fields::texts(&body, "parents")?
        .iter()
        .map(|sha| refs::sha(sha))
        .collect::<Result<Vec<_>, _>>()?;
    let now = world.now();
    let author = tags::person(&body, "author", now)?;
    let committer = tags::person(&body, "committer", now)?;
    // GitHub commits (and signs) what a bot makes without naming anyone.
    let is_githubs = !call.grant.is_person() && author.is_none() && committer.is_none();
    let committer = match (committer, &author) {
        (Some(committer), _) => committer,
        (None, Some(author)) => author.clone(),
        (None, None) if is_githubs => Person::github(now),
        (None, None) => Person::octocat(now),
    };
    let author = author.unwrap_or_else(|| Person::behind(call.grant, now));
    let oid = world
        .git
        .write_commit(tree, &parents, &message, &author, &committer)
        .map_err(|_| {
            let message = "Tree SHA does not exist or a parent is not a commit";
            Answer::error(422, message)
        })?;
    if is_githubs {
        world.mark_verified(oid);
    }
    world.effect(format!("commit object {oid} created"));
    world.note_fresh(Fresh::Object(oid));
    Ok(Answer::created(
        commit_json(world, &oid.to_string()).ok_or_else(Answer::not_found)?,
    ))
}

pub(crate) fn get_commit(world: &mut World, call: &Call) -> Served {
    let commit = commit_json(world, &call.tail(2)).ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(commit))
}

fn commit_json(world: &World, sha: &str) -> Option<Value> {
    let oid = full_oid(sha)?;
    let commit = world.git.commit(oid)?;
    let api = world.identity.api();
    let html = world.identity.html();
    let parent = |id: git2::Oid| {
        json!({
            "sha": id.to_string(),
            "url": format!("{api}/git/commits/{id}"),
            "html_url": format!("{html}/commit/{id}"),
        })
    };
    let parents: Vec<Value> = commit.parent_ids().map(parent).collect();
    let tree = commit.tree_id();
    Some(json!({
        "sha": oid.to_string(),
        "node_id": format!("C_{oid}"),
        "url": format!("{api}/git/commits/{oid}"),
        "html_url": format!("{}/commit/{oid}", world.identity.html()),
        "author": tags::signature_json(&commit.author()),
        "committer": tags::signature_json(&commit.committer()),
        "message": commit.message(),
        "tree": { "sha": tree.to_string(), "url": format!("{api}/git/trees/{tree}") },
        "parents": parents,
        "verification": world.verification(oid),
    }))
}
