//! The storage behind artifacts and release assets: another host, where the address is the only key.

use crate::answer::Answer;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::record::AssetRecord;
use crate::site::Site;

/// Serves an archive or an asset to anyone who knows its address; a token must not be sent here.
pub(crate) fn serve(site: &Site, call: &Call) -> Answer {
    if call.headers.contains_key("authorization") {
        let message = "Authentication information is not given in the correct format. Check the value of Authorization header.";
        return refusal(400, "InvalidAuthenticationInfo", message);
    }
    if call.endpoint == Endpoint::DownloadAsset {
        return asset(site, call);
    }
    let known = site.worlds.iter().find_map(|world| {
        let artifact = world
            .actions
            .artifacts
            .iter()
            .find(|artifact| artifact.secret == call.tail(1))?;
        (world.now() < artifact.expires_at).then_some(artifact)
    });
    match known {
        Some(artifact) => Answer::raw(200, "application/zip", artifact.zip.clone()),
        None => refusal(404, "BlobNotFound", "The specified blob does not exist."),
    }
}

/// `/release-assets/SECRET/ID`.
fn asset(site: &Site, call: &Call) -> Answer {
    let (secret, id) = (call.rest.get(1), call.number(2).ok());
    let world = site
        .worlds
        .iter()
        .find(|world| Some(&world.secret) == secret);
    let assets = world
        .into_iter()
        .flat_map(|world| &world.releases)
        .flat_map(|release| &release.assets);
    match assets.into_iter().find(|asset| Some(asset.id) == id) {
        Some(asset) => bytes(asset),
        None => refusal(404, "BlobNotFound", "The specified blob does not exist."),
    }
}

/// The bytes as they were uploaded.
pub(crate) fn bytes(asset: &AssetRecord) -> Answer {
    match &asset.bytes {
        Some(bytes) => Answer::raw(200, "application/octet-stream", bytes.clone()),
        None => Answer::error(501, "The simulator keeps no assets over 1 MiB."),
    }
}

fn refusal(status: u16, code: &'static str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Answer::raw(status, "application/xml", body).with("x-ms-error-code", code)
}
