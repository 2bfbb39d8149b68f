//! Comments on commits.

use serde_json::{Value, json};

use super::{fields, refs, render};
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::clock::iso8601;
use crate::record::CommentRecord;
use crate::world::World;

pub(crate) fn create(world: &mut World, call: &Call) -> Served {
    let commit = refs::sha(&call.rest[1])?;
    if world.git.commit(commit).is_none() {
        let message = format!("No commit found for SHA: {commit}");
        return Err(Answer::error(422, message));
    }
    let body = fields::supplied(&call.object()?, "body")?;
    world.last_comment += 1;
    let comment = CommentRecord {
        id: world.last_comment,
        commit: commit.to_string(),
        body,
        created_at: world.now(),
    };
    world.effect(format!("comment on {commit}"));
    let answer = Answer::created(shown(world, &comment));
    world.comments.push(comment);
    Ok(answer)
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let id = call.number(1)?;
    let comment = world.comments.iter().find(|comment| comment.id == id);
    let comment = comment.ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(shown(world, comment)))
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    let id = call.number(1)?;
    let before = world.comments.len();
    world.comments.retain(|comment| comment.id != id);
    if world.comments.len() == before {
        return Err(Answer::not_found());
    }
    world.effect(format!("comment {id} deleted"));
    Ok(Answer::no_content())
}

fn shown(world: &World, comment: &CommentRecord) -> Value {
    json!({
        "id": comment.id,
        "node_id": format!("CC_{}", comment.id),
        "url": format!("{}/comments/{}", world.identity.api(), comment.id),
        "html_url": format!("{}/commit/{}#commitcomment-{}", world.identity.html(), comment.commit, comment.id),
        "commit_id": comment.commit,
        "body": comment.body,
        "user": render::user(render::BOT),
        "author_association": "NONE",
        "created_at": iso8601(comment.created_at),
        "updated_at": iso8601(comment.created_at),
        "path": null,
        "position": null,
        "line": null,
    })
}
