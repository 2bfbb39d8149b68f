//! Reading and deleting releases.

use serde_json::Value;

use super::render;
use crate::answer::{Answer, Served};
use crate::call::Call;
use crate::freshness::Fresh;
use crate::permission::Access;
use crate::record::ReleaseRecord;
use crate::world::World;

/// Drafts are for those who may write.
fn visible(call: &Call, release: &ReleaseRecord) -> bool {
    !release.draft || call.permissions.contents == Access::Write
}

/// Newest first. What was just published may still be listed as the draft that it was.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let mut releases = world.releases.clone();
    for release in &mut releases {
        if world.is_missed(&Fresh::Release(release.id)) {
            (release.draft, release.published_at) = (true, None);
        }
    }
    let items: Vec<Value> = releases
        .iter()
        .rev()
        .filter(|release| visible(call, release))
        .map(|release| render::release(&world.identity, release))
        .collect();
    Ok(render::page(world, call, &items))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let release = find(world, call)?;
    Ok(Answer::ok(render::release(&world.identity, release)))
}

/// The release that the path's id names, if the token may see it.
pub(crate) fn find<'a>(world: &'a World, call: &Call) -> Result<&'a ReleaseRecord, Answer> {
    let id = call.number(1)?;
    world
        .release(id)
        .filter(|release| visible(call, release))
        .ok_or_else(Answer::not_found)
}

/// A release as a look at its assets sees it: perhaps without the newest.
pub(super) fn as_seen(world: &mut World, mut release: ReleaseRecord) -> ReleaseRecord {
    let newest = release.assets.last().map(|asset| asset.id);
    if newest.is_some_and(|id| world.is_missed(&Fresh::Asset(id))) {
        release.assets.pop();
    }
    release
}

/// Published releases only; drafts are found through the list.
pub(crate) fn by_tag(world: &mut World, call: &Call) -> Served {
    let release = world
        .published(&call.tail(2))
        .ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(render::release(&world.identity, release)))
}

pub(crate) fn latest(world: &mut World, _: &Call) -> Served {
    let release = world
        .latest
        .and_then(|id| world.release(id))
        .ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(render::release(&world.identity, release)))
}

/// The tag stays; the name of an immutable release's tag is spent for good.
pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    let release = find(world, call)?;
    let id = release.id;
    let burned = release.immutable.then(|| release.tag_name.clone());
    world.burned_tags.extend(burned);
    world.releases.retain(|release| release.id != id);
    if world.latest == Some(id) {
        world.latest = None;
    }
    world.effect(format!("release {id} deleted"));
    Ok(Answer::no_content())
}
