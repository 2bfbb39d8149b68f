//! The storage behind artifacts: another host, where the address is all the key there is.

use crate::answer::Answer;
use crate::call::Call;
use crate::site::Site;

/// Serves an archive to whoever knows its address; a token has no business here.
pub(crate) fn serve(site: &Site, call: &Call) -> Answer {
    if call.headers.contains_key("authorization") {
        let message = "Authentication information is not given in the correct format. Check the value of Authorization header.";
        return refusal(400, "InvalidAuthenticationInfo", message);
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

fn refusal(status: u16, code: &'static str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Answer::raw(status, "application/xml", body).with("x-ms-error-code", code)
}
