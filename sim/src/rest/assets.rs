//! Release assets: listing, reading, deleting and the upload at the second port.

use serde_json::Value;

use super::{releases, render};
use crate::answer::{self, Answer, Served};
use crate::call::Call;
use crate::fault::Effect;
use crate::freshness::Fresh;
use crate::permission::Access;
use crate::record::{AssetRecord, ReleaseRecord};
use crate::storage;
use crate::switch::Switch;
use crate::upload::Upload;
use crate::world::World;

/// Assets a release may have.
const MOST_ASSETS: usize = 1_000;
/// Bytes an asset may have: "must be under 2 GiB".
const LARGEST: u64 = 2_147_483_648;

/// The newest asset may be missing for a while.
pub(crate) fn list(world: &mut World, call: &Call) -> Served {
    let release = releases::as_seen(world, releases::find(world, call)?.clone());
    let items: Vec<Value> = release
        .assets
        .iter()
        .map(|asset| render::asset(&world.identity, &release, asset))
        .collect();
    Ok(render::page(world, call, &items))
}

/// The asset that the path's id names, with its release.
fn find<'a>(world: &'a World, call: &Call) -> Result<(&'a ReleaseRecord, &'a AssetRecord), Answer> {
    let id = call.number(2)?;
    let writer = call.permissions.contents == Access::Write;
    world
        .releases
        .iter()
        .filter(|release| writer || !release.draft)
        .find_map(|release| {
            let asset = release.assets.iter().find(|asset| asset.id == id)?;
            Some((release, asset))
        })
        .ok_or_else(Answer::not_found)
}

/// JSON, or for `Accept: application/octet-stream` where the bytes are: in a storage that needs no
/// token.
pub(crate) fn get(world: &mut World, call: &Call) -> Served {
    let (release, asset) = find(world, call)?;
    let wants_bytes = call
        .header("accept")
        .is_some_and(|accept| accept.contains("application/octet-stream"));
    if !wants_bytes {
        return Ok(Answer::ok(render::asset(&world.identity, release, asset)));
    }
    if world.is_on(Switch::AssetsAreServedDirectly) {
        return Ok(storage::bytes(asset));
    }
    let location = format!(
        "{}/release-assets/{}/{}",
        world.identity.storage_url, world.secret, asset.id
    );
    Ok(Answer::raw(302, "text/html;charset=utf-8", "").with("location", location))
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Served {
    let (release, asset) = find(world, call)?;
    if release.immutable {
        let message = "Cannot delete assets from an immutable release.";
        return Err(Answer::error(422, message));
    }
    let (release, id, name) = (release.id, asset.id, asset.name.clone());
    if let Some(release) = world.release_mut(release) {
        release.assets.retain(|asset| asset.id != id);
    }
    world.effect(format!("asset {name} deleted"));
    Ok(Answer::no_content())
}

/// The whole body has arrived (and been hashed) before this decides.
pub(crate) fn upload(world: &mut World, call: &Call) -> Served {
    let release = releases::find(world, call)?;
    if !call.headers.contains_key("content-length") {
        return Err(Answer::error(400, "Bad Content-Length: "));
    }
    let content_type = call
        .header("content-type")
        .ok_or_else(|| Answer::error(400, "Bad Content-Type: "))?;
    let upload = call.upload.as_ref().ok_or_else(Answer::not_found)?;
    let name = call.parameter("name").map(sanitise).unwrap_or_default();
    acceptable(release, &name, upload)?;
    let release = release.id;
    world.last_asset += 1;
    let mut asset = AssetRecord {
        id: world.last_asset,
        name,
        label: call.parameter("label").map(str::to_owned),
        size: upload.size,
        digest: Some(upload.sha256.clone()),
        state: "uploaded".to_owned(),
        content_type: content_type.to_owned(),
        bytes: upload.bytes.clone(),
        created_at: world.now(),
    };
    let starter = upload.damage == Some(Effect::StarterAsset);
    if starter {
        "starter".clone_into(&mut asset.state);
        (asset.size, asset.digest, asset.bytes) = (0, None, None);
        world.effect(format!("asset {} left as starter", asset.name));
    } else {
        world.effect(format!("asset {} uploaded", asset.name));
    }
    if upload.damage == Some(Effect::NullDigest) {
        asset.digest = None;
    }
    let answer = keep(world, release, &asset)?;
    if starter {
        return Err(Answer::error(502, "Server Error"));
    }
    Ok(answer)
}

fn keep(world: &mut World, release: u64, asset: &AssetRecord) -> Served {
    let release = world.release_mut(release).ok_or_else(Answer::not_found)?;
    release.assets.push(asset.clone());
    let release = release.clone();
    world.note_fresh(Fresh::Asset(asset.id));

    let mut shown = render::asset(&world.identity, &release, asset);
    // Without a label the answer has an empty one, later looks have none.
    if asset.label.is_none() {
        shown["label"] = "".into();
    }
    Ok(Answer::created(shown))
}

fn acceptable(release: &ReleaseRecord, name: &str, upload: &Upload) -> Result<(), Answer> {
    if release.immutable {
        let message = "Cannot upload assets to an immutable release.";
        return Err(Answer::error(422, message));
    }
    let error = if name.is_empty() {
        answer::field("ReleaseAsset", "missing_field", "name")
    } else if release.assets.iter().any(|asset| asset.name == name) {
        answer::field("ReleaseAsset", "already_exists", "name")
    } else if release.assets.len() >= MOST_ASSETS {
        let message = "file_count limited to 1000 assets";
        answer::custom("ReleaseAsset", "file_count", message)
    } else if upload.received == 0 {
        let message = "size must be greater than or equal to 1";
        answer::custom("ReleaseAsset", "size", message)
    } else if upload.received > LARGEST {
        let message = format!("size must be less than or equal to {LARGEST}");
        answer::custom("ReleaseAsset", "size", &message)
    } else {
        return Ok(());
    };
    Err(Answer::invalid(vec![error]))
}

/// GitHub's renaming, as far as it was observed: everything but `[A-Za-z0-9+@_.-]` becomes a
/// period, runs of periods collapse, and a name neither begins nor ends with one.
fn sanitise(name: &str) -> String {
    let mut clean = String::new();
    for character in name.chars() {
        let kept = character.is_ascii_alphanumeric() || "+@_-".contains(character);
        if kept {
            clean.push(character);
        } else if !clean.ends_with('.') {
            clean.push('.');
        }
    }
    let clean = clean.trim_end_matches('.');
    match clean.strip_prefix('.') {
        Some(rest) => format!("default.{rest}"),
        None => clean.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    #[test]
    fn special_characters_become_single_periods() {
        for (sent, stored) in [
            ("app-1.0+meta@x_y.tar.gz", "app-1.0+meta@x_y.tar.gz"),
            ("my app (final).zip", "my.app.final.zip"),
            ("a..b", "a.b"),
            ("trailing.", "trailing"),
            (".zshrc", "default.zshrc"),
        ] {
            assert_eq!(sanitise(sent), stored);
        }
    }
}
