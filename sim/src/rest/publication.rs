//! What must hold before a release becomes public, and the tag it then gets.

use git2::Oid;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::freshness::Fresh;
use crate::record::ReleaseRecord;
use crate::world::World;

/// The text of a ruleset that restricts the creation of tags.
const CREATION_RESTRICTED: &str = "pre_receive Repository rule violations found\n\nCannot create \
     ref due to creations being restricted.\n\n";

/// The commit that `target_commitish` names, refused when it brings in other workflow files than
/// the token may. "Unused if the tag exists" is about where the tag points, not about this check.
pub(crate) fn target(world: &World, call: &Call, commitish: &str) -> Result<Oid, Answer> {
    let oid = world.git.commitish(commitish).ok_or_else(|| {
        let mut error = answer::field("Release", "invalid", "target_commitish");
        error["value"] = commitish.into();
        Answer::invalid(vec![error])
    })?;
    if !call.permissions.workflows && world.git.alters_workflows(oid) {
        return Err(Answer::forbidden(&call.endpoint.accepted()));
    }
    Ok(oid)
}

/// Makes the release public in place: checks everything, then creates its tag where missing.
pub(crate) fn publish(
    world: &mut World,
    call: &Call,
    release: &mut ReleaseRecord,
) -> Result<(), Answer> {
    let reference = format!("refs/tags/{}", release.tag_name);
    let tagged = world.git.reference(&reference).is_some();
    let taken = world
        .published(&release.tag_name)
        .is_some_and(|other| other.id != release.id);
    if taken {
        let error = answer::field("Release", "already_exists", "tag_name");
        return Err(Answer::invalid(vec![error]));
    }
    let target = target(world, call, &release.target_commitish);
    refuse_tag(world, release, tagged)?;
    refuse_latest(release)?;
    let target = target?;
    if !tagged {
        world.git.set_reference(&reference, target).map_err(|_| {
            let message = "Published releases must have a valid tag";
            Answer::invalid(vec![answer::custom("Release", "tag_name", message)])
        })?;
        world.effect(format!("ref {reference} created"));
        world.note_fresh(Fresh::Ref(reference));
    }
    world.note_fresh(Fresh::Release(release.id));
    release.draft = false;
    release.immutable = world.settings.immutable_releases;
    release.published_at = Some(world.now());
    if !release.prerelease && release.make_latest.as_deref() != Some("false") {
        world.latest = Some(release.id);
    }
    Ok(())
}

/// A prerelease without `make_latest` is simply not the latest release; asking for it is refused.
fn refuse_latest(release: &ReleaseRecord) -> Result<(), Answer> {
    if !release.prerelease || release.make_latest.as_deref() != Some("true") {
        return Ok(());
    }
    Err(Answer::invalid(vec![json!({
        "resource": "Release",
        "code": "custom",
        "message": "Latest release cannot be draft or prerelease.",
    })]))
}

/// GitHub reports these reasons together, the hopeless tag last.
fn refuse_tag(world: &World, release: &ReleaseRecord, tagged: bool) -> Result<(), Answer> {
    let mut errors = Vec::new();
    if !tagged && world.restricts_tag(&release.tag_name) {
        errors.push(answer::custom(
            "Release",
            "pre_receive",
            CREATION_RESTRICTED,
        ));
    }
    if world.burned_tags.contains(&release.tag_name) {
        let message = "tag_name was used by an immutable release";
        errors.push(answer::custom("Release", "tag_name", message));
    }
    if errors.is_empty() {
        return Ok(());
    }
    let message = "Published releases must have a valid tag";
    errors.push(serde_json::json!({
        "resource": "Release", "code": "custom", "message": message,
    }));
    Err(Answer::invalid(errors))
}
